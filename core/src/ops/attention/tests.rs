//! What the golden cases leave out: refusals, inference, and sizes of nothing.

use half::f16;

use crate::host::ElementType;
use crate::ops::testing::{Case, assert_close, assert_tensor, bools, op, ramp, tensor, typed};
use crate::tensor::{Tensor, Value};

fn attention() -> Case {
    op("Attention").opset(25)
}

fn run(case: &Case, inputs: Vec<Option<Tensor>>) -> Result<Vec<Tensor>, String> {
    let outputs = case.run_values(inputs.into_iter().map(|input| input.map(Value::Tensor)).collect()).map_err(|error| error.to_string())?;
    Ok(outputs.into_iter().filter_map(Value::into_tensor).collect())
}

/// One head of two queries, three keys and one element, with values that tell the keys apart.
fn heads() -> [Tensor; 3] {
    [tensor(&[1, 1, 2, 1], &[0.0_f32; 2]), tensor(&[1, 1, 3, 1], &[1.0_f32; 3]), tensor(&[1, 1, 3, 1], &[1.0_f32, 10.0, 100.0])]
}

#[test]
fn windows_and_causes_hide_keys() {
    // All keys that are seen weigh the same.
    let attended = |case: Case| case.run1(heads()).as_slice::<f32>().unwrap().to_vec();
    assert_eq!(attended(attention()), [37.0, 37.0]);
    assert_eq!(attended(attention().int("is_causal", 1)), [1.0, 5.5]);
    assert_eq!(attended(attention().int("right_window_size", 1)), [5.5, 37.0]);
    assert_eq!(attended(attention().int("left_window_size", 0).int("right_window_size", 1)), [5.5, 55.0]);
    // Before opset 25 there were no windows.
    assert_eq!(attended(attention().opset(24).int("left_window_size", 0)), [37.0, 37.0]);
}

#[test]
fn a_query_that_sees_nothing_gets_zeros() {
    let [query, key, value] = heads();
    let mask = bools(&[2, 3], &[false, false, false, true, false, true]);
    let result = run(&attention(), vec![Some(query), Some(key), Some(value), Some(mask)]).unwrap();
    assert_close(&result[0], &[1, 1, 2, 1], &[0.0, 50.5]);
    let no_keys =
        [tensor(&[1, 1, 2, 1], &[0.0_f32; 2]), Tensor::empty(ElementType::F32, &[1, 1, 0, 1]), Tensor::empty(ElementType::F32, &[1, 1, 0, 1])];
    assert_close(&attention().run1(no_keys), &[1, 1, 2, 1], &[0.0, 0.0]);
    let no_batch = [[0, 1, 2, 1], [0, 1, 3, 1], [0, 1, 3, 1]].map(|shape| Tensor::empty(ElementType::F32, &shape));
    assert_tensor::<f32>(&attention().run1(no_batch), &[0, 1, 2, 1], &[]);
}

#[test]
fn caches_outside_are_filled_up_to_a_length() {
    let [query, key, value] = heads();
    let with_length = |length: i64, case: &Case| {
        let inputs = [Some(&query), Some(&key), Some(&value), None, None, None, Some(&tensor(&[1], &[length]))];
        run(case, inputs.map(Option::<&Tensor>::cloned).into())
    };
    assert_close(&with_length(2, &attention()).unwrap()[0], &[1, 1, 2, 1], &[5.5, 5.5]);
    // The last query stands at the last key that counts; one before the first key sees nothing.
    assert_close(&with_length(1, &attention().int("is_causal", 1)).unwrap()[0], &[1, 1, 2, 1], &[0.0, 1.0]);
    assert_eq!(with_length(4, &attention()).unwrap_err(), "nonpad_kv_seqlen has a length of 4; there are 3 keys");
}

#[test]
fn half_precision_is_rounded_once() {
    let halves = [[1, 2, 2, 4], [1, 2, 3, 4], [1, 2, 3, 4]].map(|shape| ramp(&shape));
    let expected = attention().run1(halves.clone());
    let result = attention().run1(halves.map(|tensor| op("Cast").int("to", 10).run1([tensor])));
    let expected: Vec<f16> = expected.as_slice::<f32>().unwrap().iter().map(|&value| f16::from_f32(value)).collect();
    assert_tensor(&result, &[1, 2, 2, 4], &expected);
}

#[test]
fn heads_masks_and_caches_are_checked() {
    let [query, key, value] = heads();
    let refuse = |inputs: Vec<Option<Tensor>>| run(&attention(), inputs).unwrap_err();
    let given = |more: Vec<Option<Tensor>>| [vec![Some(query.clone()), Some(key.clone()), Some(value.clone())], more].concat();
    assert_eq!(refuse(given(vec![Some(ramp(&[3, 3]))])), "shape [1, 1, 3, 3] does not broadcast to [1, 1, 2, 3]");
    assert_eq!(refuse(given(vec![None, Some(ramp(&[1, 1, 1, 1]))])), "past_key and past_value go together, but only one of them is given");
    let merged = refuse(vec![Some(ramp(&[1, 2, 4])), Some(ramp(&[1, 3, 4])), Some(ramp(&[1, 3, 4]))]);
    assert_eq!(merged, "attribute 'q_num_heads' is missing; Q of 3 axes needs it");
    let mixed = refuse(vec![Some(query.clone()), Some(ramp(&[1, 3, 1])), Some(value.clone())]);
    assert_eq!(mixed, "K has shape [1, 3, 1]; it should have 4 axes, as Q does, or all should have 3");
    let grouped = refuse(vec![Some(ramp(&[1, 3, 2, 1])), Some(ramp(&[1, 2, 3, 1])), Some(ramp(&[1, 2, 3, 1]))]);
    assert_eq!(grouped, "3 query heads can't share 2 heads of keys evenly");
    assert!(refuse(vec![Some(query.clone()), Some(ramp(&[1, 1, 3, 2])), Some(value.clone())]).contains("do not go together"));
    assert_eq!(attention().int("qk_matmul_output_mode", 4).error(heads()), "attribute 'qk_matmul_output_mode' is 4; it may be 0, 1, 2 or 3");
    let uneven = op("Attention").opset(23).int("q_num_heads", 3).error([ramp(&[1, 2, 4]), ramp(&[1, 3, 4]), ramp(&[1, 3, 4])]);
    assert_eq!(uneven, "Q has 4 elements per step, which 3 heads can't share evenly");
}

#[test]
fn shapes_are_inferred_and_products_counted() {
    let case = attention().outputs(4);
    let inferred = case.infer([typed::<f32>("n, 8, q, 64"), typed::<f32>("n, 2, k, 64"), typed::<f32>("n, 2, k, 32")]);
    let expected = ["float32[n, 8, q, 32]", "float32[n, 2, k, 64]", "float32[n, 2, k, 32]", "float32[n, 8, q, k]"];
    assert_eq!(inferred, expected.map(|expected| Some(expected.to_owned())));
    let merged = attention().int("q_num_heads", 4).int("kv_num_heads", 2);
    let inferred = merged.infer([typed::<f32>("n, q, 32"), typed::<f32>("n, k, 16"), typed::<f32>("n, k, 8")]);
    assert_eq!(inferred, [Some("float32[n, q, 16]".to_owned())]);
    let types = |shapes: &[&str]| shapes.iter().map(|shape| Some(typed::<f32>(shape))).collect::<Vec<_>>();
    let operator = attention().build(3).unwrap();
    let macs = operator.macs(&types(&["1, 2, 3, 4", "1, 2, 5, 4", "1, 2, 5, 6"]), &types(&["1, 2, 3, 6"]));
    assert_eq!(macs, Some(2 * 3 * 5 * (4 + 6)));
}

#[test]
fn positions_turn_pairs() {
    let case = op("RotaryEmbedding").opset(23);
    let quarter = || [tensor(&[2, 1], &[1.0_f32, 0.0]), tensor(&[2, 1], &[0.0_f32, 1.0])];
    let [cosines, sines] = quarter();
    let x = tensor(&[1, 1, 2, 2], &[1.0_f32, 2.0, 3.0, 4.0]);
    // The first step is left as it is, the second is turned by a right angle.
    let turned = case.run1([x.clone(), cosines.clone(), sines.clone(), tensor(&[1, 2], &[0_i64, 1])]);
    assert_close(&turned, &[1, 1, 2, 2], &[1.0, 2.0, -4.0, 3.0]);
    let beyond = case.error([x.clone(), cosines.clone(), sines.clone(), tensor(&[1, 2], &[0_i64, 2])]);
    assert_eq!(beyond, "position_ids has 2; cos_cache has rows for the positions 0 to 1");
    let shape = case.error([x.clone(), cosines.clone(), sines.clone(), tensor(&[2], &[0_i64, 1])]);
    assert_eq!(shape, "position_ids has shape [2]; it should be [1, 2]");
    let odd = case.error([ramp(&[1, 1, 2, 3]), cosines.clone(), sines.clone()]);
    assert_eq!(odd, "3 of 3 elements of a head can't be turned in pairs");
    assert_eq!(case.error([x, cosines, sines]), "cos_cache has shape [2, 1]; without position_ids it should be [1, 2, 1]");
}

#[test]
fn caches_are_written_in_place() {
    let case = op("TensorScatter").opset(24);
    let cache = || tensor(&[2, 3, 1], &[1_i64, 2, 3, 4, 5, 6]);
    let update = || tensor(&[2, 2, 1], &[10_i64, 20, 30, 40]);
    assert_tensor(&case.run1([cache(), update(), tensor(&[2], &[0_i64, 1])]), &[2, 3, 1], &[10_i64, 20, 3, 4, 30, 40]);
    let circular = case.clone().text("mode", "circular");
    assert_tensor(&circular.run1([cache(), update(), tensor(&[2], &[2_i64, 4])]), &[2, 3, 1], &[20_i64, 2, 10, 4, 30, 40]);
    assert_eq!(case.error([cache(), update(), tensor(&[2], &[0_i64, 2])]), "2 steps do not fit into a cache of 3 at 2");
    assert_eq!(case.error([cache(), update(), tensor(&[2], &[-1_i64, 0])]), "2 steps do not fit into a cache of 3 at -1");
    assert_eq!(case.error([cache(), update(), tensor(&[1], &[0_i64])]), "write_indices has 1 places for a batch of 2");
    assert_eq!(case.clone().int("axis", 0).error([cache(), update()]), "the axis of steps can't be axis 0, which is the batch");
    let wide = case.error([cache(), tensor(&[2, 2, 2], &[0_i64; 8])]);
    assert_eq!(wide, "an update of shape [2, 2, 2] does not go into a cache of shape [2, 3, 1] along axis 1");
}

#[test]
fn recurrent_attention_checks_its_gates() {
    let case = op("LinearAttention").opset(27).outputs(2).int("q_num_heads", 2).int("kv_num_heads", 1);
    let inputs = || vec![Some(ramp(&[1, 2, 4])), Some(ramp(&[1, 2, 2])), Some(ramp(&[1, 2, 3]))];
    let results = run(&case.clone().text("update_rule", "linear"), inputs()).unwrap();
    assert_eq!((results[0].shape(), results[1].shape()), ([1, 2, 6].as_slice(), [1, 1, 2, 3].as_slice()));
    assert_eq!(run(&case, inputs()).unwrap_err(), "input 4 (decay) is missing; the operator needs it");
    let wrong = [inputs(), vec![None, Some(ramp(&[1, 2, 3]))]].concat();
    let expected = "input 4 (decay) should be a tensor of shape [1, 2, 1 or 2], but is float32[1, 2, 3]";
    assert_eq!(run(&case.clone().text("update_rule", "gated"), wrong).unwrap_err(), expected);
    let inferred = case.infer([typed::<f32>("n, t, 4"), typed::<f32>("n, t, 2"), typed::<f32>("n, t, 3")]);
    assert_eq!(inferred, ["float32[n, t, 6]", "float32[n, 1, 2, 3]"].map(|expected| Some(expected.to_owned())));
}

#[test]
fn the_state_of_a_convolution_goes_on() {
    let case = op("CausalConvWithState").opset(27).outputs(2);
    let weight = || tensor(&[1, 1, 3], &[100.0_f32, 10.0, 1.0]);
    let all = case.try_run([tensor(&[1, 1, 3], &[1.0_f32, 2.0, 3.0]), weight()]).unwrap();
    assert_close(&all[0], &[1, 1, 3], &[1.0, 12.0, 123.0]);
    assert_close(&all[1], &[1, 1, 2], &[2.0, 3.0]);
    let next = run(&case, vec![Some(tensor(&[1, 1, 1], &[4.0_f32])), Some(weight()), None, Some(all[1].clone())]).unwrap();
    assert_close(&next[0], &[1, 1, 1], &[234.0]);
    assert_close(&next[1], &[1, 1, 2], &[3.0, 4.0]);
    let short = case.try_run([tensor(&[1, 1, 1], &[5.0_f32]), weight()]).unwrap();
    assert_close(&short[1], &[1, 1, 2], &[0.0, 5.0]);
    let wrong = case.error([ramp(&[1, 2, 3]), weight()]);
    assert_eq!(wrong, "the weight has shape [1, 1, 3]; it should be [2, 1, taps]");
}
