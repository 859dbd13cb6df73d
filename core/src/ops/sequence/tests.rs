//! What the operators on sequences and optionals refuse and infer. Their results the golden cases prove.

use crate::graph::ValueType;
use crate::ops::testing::{op, strings, tensor, typed};
use crate::tensor::{Tensor, Value};

fn sequence(tensors: &[Tensor]) -> Option<Value> {
    Some(Value::Sequence(tensors.iter().cloned().map(Value::Tensor).collect()))
}

fn int(value: i64) -> Option<Value> {
    Some(Value::Tensor(Tensor::scalar(value)))
}

#[track_caller]
fn refusal(op_type: &'static str, inputs: Vec<Option<Value>>) -> String {
    op(op_type).run_values(inputs).unwrap_err().to_string()
}

#[test]
fn positions_are_checked() {
    let two = || sequence(&[tensor(&[1], &[1.0_f32]), tensor(&[1], &[2.0_f32])]);
    assert_eq!(refusal("SequenceAt", vec![two(), int(2)]), "position 2 is out of range [-2, 1] of a sequence of 2");
    assert_eq!(refusal("SequenceAt", vec![two(), int(i64::MIN)]), format!("position {} is out of range [-2, 1] of a sequence of 2", i64::MIN));
    assert_eq!(refusal("SequenceAt", vec![sequence(&[]), int(0)]), "there is no position 0 in a sequence without elements");
    assert_eq!(refusal("SequenceErase", vec![sequence(&[])]), "a sequence without elements has none to erase");
    let third = Some(Value::Tensor(tensor(&[1], &[3.0_f32])));
    assert_eq!(refusal("SequenceInsert", vec![two(), third, int(3)]), "position 3 is out of range [-2, 2] of a sequence of 2");
    let word = Some(Value::Tensor(strings(&[], &["last"])));
    assert_eq!(refusal("SequenceAt", vec![two(), word]), "input 1 (position) should be int32 or int64 with one element, but is string[]");
}

#[test]
fn elements_have_one_type() {
    let floats = sequence(&[tensor(&[1], &[1.0_f32])]);
    assert!(refusal("SequenceInsert", vec![floats, int(1)]).contains("int64"));
    assert!(op("SequenceConstruct").error([tensor(&[1], &[1.0_f32]), Tensor::scalar(1_i64)]).contains("int64"));
    assert_eq!(refusal("SequenceLength", vec![int(1)]), "input 0 (input_sequence) should be a sequence, but is a tensor of int64[]");
}

#[test]
fn tensors_that_do_not_join_are_refused() {
    let uneven = sequence(&[tensor(&[2, 1], &[0.0_f32; 2]), tensor(&[3], &[0.0_f32; 3])]);
    let concat = op("ConcatFromSequence").int("axis", 0);
    let message = concat.run_values(vec![uneven.clone()]).unwrap_err().to_string();
    assert_eq!(message, "element 1 has shape [3], which does not join element 0 of shape [2, 1] along axis 0");
    let message = concat.clone().int("new_axis", 1).run_values(vec![uneven]).unwrap_err().to_string();
    assert!(message.contains("does not join"), "{message}");
    let message = concat.run_values(vec![sequence(&[])]).unwrap_err().to_string();
    assert_eq!(message, "the sequence has no elements, so the result would have no shape");
}

#[test]
fn lengths_of_parts_add_up() {
    let x = tensor(&[4], &[0.0_f32; 4]);
    let split = |lengths: Tensor| op("SplitToSequence").error([x.clone(), lengths]);
    let expected = "input 1 (split) should be a positive length, or lengths that add up to 4: int32 or int64, but is";
    assert_eq!(split(Tensor::scalar(0_i64)), format!("{expected} [0]"));
    assert_eq!(split(tensor(&[2], &[3_i64, 2])), format!("{expected} [3, 2]"));
    assert_eq!(split(tensor(&[2], &[5_i64, -1])), format!("{expected} [5, -1]"));
    assert_eq!(split(tensor(&[2], &[i64::MAX, i64::MAX])), format!("{expected} [{}, {}]", i64::MAX, i64::MAX));
}

#[test]
fn empty_optionals_have_no_element() {
    assert!(refusal("OptionalGetElement", vec![Some(Value::Absent)]).contains("the optional is empty"));
    let has = |inputs| op("OptionalHasElement").run_values(inputs).unwrap()[0].as_tensor().unwrap().to_f32s().unwrap();
    assert_eq!([has(vec![]), has(vec![None]), has(vec![Some(Value::Absent)]), has(vec![sequence(&[])])].concat(), [0.0, 0.0, 0.0, 1.0]);
    assert!(op("Optional").build(0).unwrap_err().to_string().contains("needs the attribute 'type'"));
}

#[test]
fn types_of_sequences_are_inferred() {
    let sequence_of = |dims: &str| ValueType::Sequence(Box::new(typed::<f32>(dims)));
    let some = |text: &str| vec![Some(text.to_owned())];
    assert_eq!(op("SequenceConstruct").infer([typed::<f32>("N, 3"), typed::<f32>("N, 4")]), some("sequence(float32[N, ?])"));
    assert_eq!(op("SequenceAt").infer([sequence_of("N, 3"), typed::<i64>("")]), some("float32[N, 3]"));
    assert_eq!(op("SequenceLength").infer([sequence_of("N, 3")]), some("int64[]"));
    assert_eq!(op("SequenceEmpty").int("dtype", 7).infer([]), some("sequence(int64[…])"));
    assert_eq!(op("SequenceInsert").infer([sequence_of("3"), typed::<f32>("4")]), some("sequence(float32[?])"));
    assert_eq!(op("SplitToSequence").int("keepdims", 0).infer([typed::<f32>("N, 3")]), some("sequence(float32[3])"));
    assert_eq!(op("SplitToSequence").infer([typed::<f32>("N, 3"), typed::<i64>("")]), some("sequence(float32[?, 3])"));
    assert_eq!(op("ConcatFromSequence").int("axis", 0).int("new_axis", 1).infer([sequence_of("3")]), some("float32[?, ?]"));
    assert_eq!(op("Optional").infer([typed::<f32>("3")]), some("optional(float32[3])"));
    assert_eq!(op("OptionalGetElement").infer([ValueType::Optional(Box::new(typed::<f32>("3")))]), some("float32[3]"));
    assert_eq!(op("OptionalHasElement").infer([typed::<f32>("3")]), some("bool[]"));
}
