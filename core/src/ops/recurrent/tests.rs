//! What the golden cases leave out: refusals, inference, and sizes of nothing.

use crate::host::ElementType;
use crate::ops::testing::{Case, assert_close, assert_tensor, op, ramp, tensor, typed};
use crate::tensor::{Tensor, Value};

/// Three steps of two sequences with four features, for three units.
fn x() -> Tensor {
    ramp(&[3, 2, 4])
}

/// `W` and `R`.
fn weights(n_gates: usize) -> [Tensor; 2] {
    [ramp(&[1, n_gates * 3, 4]), ramp(&[1, n_gates * 3, 3])]
}

fn run(case: &Case, inputs: Vec<Option<Tensor>>) -> Result<Vec<Tensor>, String> {
    let inputs = inputs.into_iter().map(|input| input.map(Value::Tensor)).collect();
    let outputs = case.run_values(inputs).map_err(|error| error.to_string())?;
    Ok(outputs.into_iter().filter_map(Value::into_tensor).collect())
}

#[test]
fn weights_may_be_constants_or_inputs() {
    for (op_type, n_gates) in [("LSTM", 4), ("GRU", 3), ("RNN", 1)] {
        let [input, recurrence] = weights(n_gates);
        let case = op(op_type).outputs(2);
        let inputs = || vec![Some(x()), Some(input.clone()), Some(recurrence.clone())];
        let computed = run(&case, inputs()).unwrap();
        let prepared = run(&case.clone().constant(1, &input).constant(2, &recurrence), inputs()).unwrap();
        assert_eq!(computed[0].shape(), [3, 1, 2, 3]);
        for (computed, prepared) in computed.iter().zip(&prepared) {
            assert_close(prepared, computed.shape(), &computed.as_slice::<f32>().unwrap());
        }
    }
}

#[test]
fn layouts_differ_in_order_alone() {
    let [input, recurrence] = weights(4);
    let time_first = run(&op("LSTM").outputs(3), vec![Some(x()), Some(input.clone()), Some(recurrence.clone())]).unwrap();
    let batch_first = op("Transpose").ints("perm", &[1, 0, 2]).run1([x()]);
    let case = op("LSTM").outputs(3).int("layout", 1);
    let results = run(&case, vec![Some(batch_first), Some(input), Some(recurrence)]).unwrap();
    let back = op("Transpose").ints("perm", &[1, 2, 0, 3]).run1([results[0].clone()]);
    assert_close(&back, &[3, 1, 2, 3], &time_first[0].as_slice::<f32>().unwrap());
    for (result, expected) in results[1..].iter().zip(&time_first[1..]) {
        assert_close(result, &[2, 1, 3], &expected.as_slice::<f32>().unwrap());
    }
}

#[test]
fn other_float_types_are_rounded_once() {
    let [input, recurrence] = weights(3);
    let expected = run(&op("GRU"), vec![Some(x()), Some(input.clone()), Some(recurrence.clone())]).unwrap();
    for code in [10, 11, 16] {
        let to = |tensor: &Tensor| Some(op("Cast").int("to", code).run1([tensor.clone()]));
        let result = run(&op("GRU").opset(22), vec![to(&x()), to(&input), to(&recurrence)]).unwrap();
        assert_eq!(result[0].element_type().to_onnx(), i32::try_from(code).unwrap());
        let result = op("Cast").int("to", 1).run1([result[0].clone()]);
        for (result, expected) in result.as_slice::<f32>().unwrap().iter().zip(expected[0].as_slice::<f32>().unwrap().iter()) {
            assert!((result - expected).abs() < 4e-3, "{result} against {expected}");
        }
    }
}

#[test]
fn nothing_in_makes_nothing_or_the_initial_state() {
    let [input, recurrence] = weights(1);
    let start = ramp(&[1, 2, 3]);
    let no_steps =
        vec![Some(Tensor::empty(ElementType::F32, &[0, 2, 4])), Some(input.clone()), Some(recurrence.clone()), None, None, Some(start.clone())];
    let results = run(&op("RNN").outputs(2), no_steps).unwrap();
    assert_tensor::<f32>(&results[0], &[0, 1, 2, 3], &[]);
    assert_close(&results[1], &[1, 2, 3], &start.as_slice::<f32>().unwrap());
    let no_batch = vec![Some(Tensor::empty(ElementType::F32, &[3, 0, 4])), Some(input), Some(recurrence)];
    assert_tensor::<f32>(&run(&op("RNN"), no_batch).unwrap()[0], &[3, 1, 0, 3], &[]);
    // No features: the state alone drives the cell.
    let featureless =
        vec![Some(Tensor::empty(ElementType::F32, &[1, 1, 0])), Some(Tensor::empty(ElementType::F32, &[1, 1, 0])), Some(ramp(&[1, 1, 1]))];
    assert_close(&run(&op("RNN"), featureless).unwrap()[0], &[1, 1, 1, 1], &[0.0]);
}

#[test]
fn attributes_are_checked() {
    let refuse = |case: Case| case.build(3).map(|_| ()).unwrap_err().to_string();
    assert_eq!(refuse(op("RNN").text("direction", "up")), "attribute 'direction' is 'up'; it may be 'forward', 'reverse' or 'bidirectional'");
    assert_eq!(refuse(op("RNN").int("layout", 2)), "attribute 'layout' is 2; it may be 0 or 1");
    assert_eq!(refuse(op("RNN").float("clip", -1.0)), "attribute 'clip' is -1; it must not be negative");
    assert_eq!(refuse(op("LSTM").texts("activations", &["Relu"])), "attribute 'activations' has 1 names; one direction needs 3");
    assert_eq!(
        refuse(op("RNN").texts("activations", &["Swish"])),
        "attribute 'activations' names 'Swish', which is no activation of recurrent operators"
    );
}

#[test]
fn shapes_and_types_are_checked() {
    let [input, recurrence] = weights(1);
    let given = |more: Vec<Option<Tensor>>| [vec![Some(x()), Some(input.clone()), Some(recurrence.clone())], more].concat();
    let refuse = |inputs: Vec<Option<Tensor>>| run(&op("RNN"), inputs).unwrap_err();
    assert_eq!(refuse(vec![Some(x()), Some(ramp(&[1, 3, 5])), Some(recurrence.clone())]), "X has 4 features per step, but W has columns for 5");
    assert_eq!(refuse(vec![Some(x()), Some(ramp(&[1, 4, 4])), Some(recurrence.clone())]), "W has shape [1, 4, 4]; it should be [1, 3, 4]");
    assert_eq!(
        refuse(vec![Some(ramp(&[3, 4])), Some(input.clone()), Some(recurrence.clone())]),
        "X has shape [3, 4]; it should have 3 axes, steps, batch and features"
    );
    assert_eq!(refuse(given(vec![Some(ramp(&[1, 3]))])), "B has shape [1, 3]; it should be [1, 6]");
    let length = |lengths: &[i32]| given(vec![None, Some(tensor(&[lengths.len()], lengths))]);
    assert_eq!(refuse(length(&[4, 1])), "sequence_lens has a length of 4; X has 3 steps");
    assert_eq!(refuse(length(&[-1, 1])), "sequence_lens has a length of -1; X has 3 steps");
    assert_eq!(refuse(length(&[1])), "input 4 (sequence_lens) should be 2 integers, one per sequence, but is int32[1]");
    let state = refuse(given(vec![None, None, Some(ramp(&[2, 3]))]));
    assert_eq!(state, "input 5 (initial_h) should be a tensor of shape [1, 2, 3], but is float32[2, 3]");
    assert_eq!(run(&op("RNN").int("hidden_size", 4), given(vec![])).unwrap_err(), "attribute 'hidden_size' is 4, but R has 3 columns");
    let doubles = op("Cast").int("to", 11).run1([x()]);
    let mixed = refuse(vec![Some(doubles), Some(input.clone()), Some(recurrence.clone())]);
    assert_eq!(mixed, "X is float64, but the weights are float32; both must be the same");
}

#[test]
fn shapes_are_inferred() {
    let case = op("LSTM").outputs(3).text("direction", "bidirectional");
    let inferred = case.infer([typed::<f32>("t, n, 4"), typed::<f32>("2, 12, 4"), typed::<f32>("2, 12, 3")]);
    let expected = ["float32[t, 2, n, 3]", "float32[2, n, 3]", "float32[2, n, 3]"];
    assert_eq!(inferred, expected.map(|expected| Some(expected.to_owned())));
    let case = op("GRU").outputs(2).int("layout", 1).int("hidden_size", 7);
    let inferred = case.infer([typed::<f32>("n, t, 4"), typed::<f32>("?, ?, ?"), typed::<f32>("?, ?, 7")]);
    assert_eq!(inferred, ["float32[n, t, 1, 7]", "float32[n, 1, 7]"].map(|expected| Some(expected.to_owned())));
}
