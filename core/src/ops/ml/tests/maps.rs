use crate::ops::testing::{Case, assert_strings, assert_tensor, op, strings, tensor};
use crate::tensor::{MapKey, Tensor, Value};

fn run(case: &Case, map: Vec<(MapKey, Tensor)>) -> Result<Tensor, String> {
    let map = Value::Map(map.into_iter().map(|(key, value)| (key, Value::Tensor(value))).collect());
    let outputs = case.run_values([Some(map)].into_iter().collect()).map_err(|error| error.to_string())?;
    Ok(outputs[0].as_tensor().unwrap().clone())
}

fn numbered() -> Vec<(MapKey, Tensor)> {
    vec![(MapKey::Int(4), Tensor::scalar(2.5_f32)), (MapKey::Int(1), Tensor::scalar(-1.5_f32))]
}

#[test]
fn a_dictionary_becomes_a_row_in_the_order_of_the_vocabulary() {
    let case = op("DictVectorizer").ml().texts("string_vocabulary", &["c", "a"]);
    let map = vec![(MapKey::Text("a".into()), Tensor::scalar(7_i64)), (MapKey::Text("b".into()), Tensor::scalar(9_i64))];
    assert_tensor(&run(&case, map).unwrap(), &[1, 2], &[0_i64, 7]);
    let words = vec![(MapKey::Text("a".into()), strings(&[], &["x"]))];
    assert_strings(&run(&case, words).unwrap(), &[1, 2], &["", "x"]);
    assert_tensor(&run(&case, vec![]).unwrap(), &[1, 2], &[0.0_f32, 0.0]);
    let mixed = vec![(MapKey::Text("a".into()), Tensor::scalar(7_i64)), (MapKey::Text("c".into()), Tensor::scalar(9.0_f32))];
    assert_eq!(run(&case, mixed).unwrap_err(), "expected a tensor of int64, found float32");
    assert_eq!(op("DictVectorizer").ml().error([]), "exactly one of int64_vocabulary and string_vocabulary must be given");
    assert_eq!(case.error([tensor(&[1], &[1.0_f32])]), "input 0 (X) should be a map of numbers or strings, but is a tensor of float32[1]");
}

#[test]
fn maps_are_cast_densely_or_by_place() {
    let case = op("CastMap").ml();
    assert_tensor(&run(&case, numbered()).unwrap(), &[1, 2], &[-1.5_f32, 2.5]);
    let sparse = case.clone().text("map_form", "SPARSE").int("max_map", 3).text("cast_to", "TO_INT64");
    assert_tensor(&run(&sparse, numbered()).unwrap(), &[1, 3], &[0_i64, -1, 0]);
    let texts = vec![(MapKey::Int(0), strings(&[], &[" 12 "])), (MapKey::Int(1), strings(&[], &["x"]))];
    assert_strings(&run(&sparse.clone().text("cast_to", "TO_STRING"), texts.clone()).unwrap(), &[1, 3], &[" 12 ", "x", "0.f"]);
    assert_eq!(run(&sparse, texts).unwrap_err(), "\"x\" is no integer");
    let negative = vec![(MapKey::Int(-1), Tensor::scalar(2.5_f32))];
    assert_eq!(run(&sparse, negative).unwrap_err(), "the map has the key -1; keys must not be negative");
    assert_eq!(run(&sparse.int("max_map", 0), numbered()).unwrap_err(), "max_map is 0; it must be positive");
    let huge = op("CastMap").ml().text("map_form", "SPARSE").int("max_map", i64::MAX);
    assert!(run(&huge, numbered()).unwrap_err().contains("more than the limit"));
    let words = vec![(MapKey::Text("a".into()), Tensor::scalar(2.5_f32))];
    assert_eq!(run(&case, words).unwrap_err(), "input 0 (X) should be a map from int64 to float32 or strings, but is a map with the key 'a'");
}

#[test]
fn the_last_of_equal_categories_counts() {
    let case = op("CategoryMapper").ml().texts("cats_strings", &["a", "b", "a"]).ints("cats_int64s", &[1, 2, 3]);
    assert_tensor(&case.run1([strings(&[3], &["a", "b", "c"])]), &[3], &[3_i64, 2, -1]);
    assert_strings(&case.run1([tensor(&[2], &[1_i64, 9])]), &[2], &["a", "_Unused"]);
    assert_eq!(case.ints("cats_int64s", &[1]).error([]), "3 cats_strings are given for 1 cats_int64s");
}
