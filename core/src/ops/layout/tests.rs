//! Expected results from numpy and ONNX Runtime 1.31.

use crate::host::ElementType;
use crate::ops::testing::{Case, assert_bools, assert_strings, assert_tensor, bools, op, strings, tensor, typed};
use crate::tensor::Tensor;

/// An operator, its inputs, the shape and the elements of its output.
type Expectation<'a> = (Case, Vec<Tensor>, &'a [usize], Vec<f32>);

fn ints(values: &[i64]) -> Tensor {
    tensor(&[values.len()], values)
}

fn count(shape: &[usize]) -> Tensor {
    tensor(shape, &(0..shape.iter().product::<usize>()).map(|value| value as f32).collect::<Vec<_>>())
}

const WORDS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

#[test]
fn reshape_resolves_zeros_and_minus_one() {
    let cases: [(&[usize], &[i64], &[usize]); 7] = [
        (&[2, 3, 4], &[4, -1], &[4, 6]),
        (&[2, 3, 4], &[0, 0, 2, 2], &[2, 3, 2, 2]),
        (&[2, 3, 4], &[0, -1], &[2, 12]),
        (&[1], &[], &[]),
        (&[], &[1, 1], &[1, 1]),
        (&[0, 3], &[0, -1], &[0, 3]),
        (&[0, 3], &[-1, 3], &[0, 3]),
    ];
    for (shape, requested, expected) in cases {
        let input = if shape.contains(&0) { Tensor::empty(ElementType::F32, shape) } else { count(shape) };
        assert_eq!(op("Reshape").run1([input.clone(), ints(requested)]).shape(), expected);
        assert_eq!(op("Reshape").constant(1, &ints(requested)).run1([input.clone(), ints(requested)]).shape(), expected);
        assert_eq!(op("Reshape").opset(1).ints("shape", requested).run1([input]).shape(), expected);
    }
    let zero = op("Reshape").int("allowzero", 1).run1([Tensor::empty(ElementType::F32, &[2, 0]), ints(&[0, 5])]);
    assert_eq!(zero.shape(), [0, 5]);
    assert_strings(&op("Reshape").run1([strings(&[2, 3], &WORDS), ints(&[3, 2])]), &[3, 2], &WORDS);
    // Elements keep their order after a transposed view, too.
    let transposed = op("Transpose").run1([count(&[2, 3])]);
    assert_tensor(&op("Reshape").run1([transposed, ints(&[6])]), &[6], &[0.0_f32, 3.0, 1.0, 4.0, 2.0, 5.0]);
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    let cases: [(&[usize], &[i64], &str); 7] = [
        (&[2, 3], &[4], "a tensor of shape [2, 3] cannot take the requested shape [4]"),
        (&[2, 3], &[4, -1], "a tensor of shape [2, 3] cannot take the requested shape [4, -1]"),
        (&[2, 3], &[-1, -1], "the requested shape [-1, -1] has more than one -1"),
        (&[2, 3], &[-2, 3], "the requested shape [-2, 3] has a negative dimension"),
        (&[2], &[2, 0], "the requested shape [2, 0] copies dimension 1 (0), but the tensor has rank 1"),
        (&[2, 3], &[1 << 62, 1 << 62], "a tensor of shape [2, 3] cannot take the requested shape [4611686018427387904, 4611686018427387904]"),
        (&[1], &[i64::MAX, 0], "the requested shape [9223372036854775807, 0] copies dimension 1 (0), but the tensor has rank 1"),
    ];
    for (shape, requested, expected) in cases {
        assert_eq!(op("Reshape").error([count(shape), ints(requested)]), expected);
    }
    assert!(op("Reshape").error([count(&[2]), tensor(&[1], &[2.0_f32])]).contains("a list of integers"));
    assert_eq!(op("Squeeze").error([count(&[1, 2]), ints(&[1])]), "axis 1 of shape [1, 2] has 2 elements; only axes of 1 can be squeezed");
    assert_eq!(op("Squeeze").error([count(&[1]), ints(&[1])]), "axis 1 is out of range [-1, 0] for a tensor of rank 1");
    assert_eq!(op("Unsqueeze").error([count(&[2]), ints(&[0, 0])]), "axis 0 is given twice in [0, 0]");
    assert!(op("Flatten").int("axis", 3).error([count(&[2, 2])]).contains("axis 3 is out of range [-2, 2]"));
    assert!(op("Transpose").ints("perm", &[0, 0]).error([count(&[2, 2])]).contains("name each axis once"));
    assert!(op("Transpose").ints("perm", &[1, 0]).error([count(&[2])]).contains("rank 1"));
    let small = |case: Case| case.max_result_bytes(1000);
    assert!(small(op("Expand")).error([count(&[1]), ints(&[1 << 40])]).contains("more than the limit"));
    assert!(small(op("Expand")).error([count(&[1]), ints(&[i64::MAX, i64::MAX, i64::MAX])]).contains("more than the limit"));
    assert!(small(op("Tile")).error([count(&[3]), ints(&[i64::MAX])]).contains("too large"));
    assert!(small(op("Tile")).error([count(&[2]), ints(&[1 << 40])]).contains("more than the limit"));
    assert!(small(op("Tile")).error([count(&[2, 1, 1]), ints(&[0, 1 << 40, 1 << 40])]).contains("more than the limit"));
    assert!(small(op("Pad")).error([count(&[2]), ints(&[1 << 40, 0])]).contains("more than the limit"));
    assert!(op("Tile").error([count(&[2]), ints(&[1, 1])]).contains("one entry per axis"));
    assert_eq!(op("Tile").error([count(&[2]), ints(&[-1])]), "repeats must not be negative");
    assert!(op("Expand").error([count(&[2]), ints(&[3])]).contains("do not broadcast"));
}

#[test]
fn axes_of_one_come_and_go() {
    assert_eq!(op("Squeeze").run1([count(&[1, 2, 1])]).shape(), [2]);
    assert_eq!(op("Squeeze").run1([count(&[1, 2, 1]), ints(&[-1])]).shape(), [1, 2]);
    assert_eq!(op("Squeeze").opset(11).ints("axes", &[0]).run1([count(&[1, 2, 1])]).shape(), [2, 1]);
    assert_eq!(op("Unsqueeze").run1([count(&[2]), ints(&[-1, 0])]).shape(), [1, 2, 1]);
    assert_eq!(op("Unsqueeze").opset(7).ints("axes", &[1]).run1([count(&[2])]).shape(), [2, 1]);
    assert_eq!(op("Unsqueeze").run1([Tensor::scalar(1_i64), ints(&[0])]).shape(), [1]);
    assert_eq!(op("Flatten").run1([count(&[2, 3, 4])]).shape(), [2, 12]);
    assert_eq!(op("Flatten").int("axis", 0).run1([count(&[2, 3])]).shape(), [1, 6]);
    assert_eq!(op("Flatten").int("axis", -1).run1([count(&[2, 3, 4])]).shape(), [6, 4]);
    assert_eq!(op("Flatten").int("axis", 2).run1([count(&[2, 3])]).shape(), [6, 1]);
    assert_eq!(op("Flatten").run1([Tensor::empty(ElementType::F32, &[0, 3, 4])]).shape(), [0, 12]);
}

#[test]
fn transpose_reorders_every_element_type() {
    let expected = [0, 3, 1, 4, 2, 5];
    assert_tensor(&op("Transpose").run1([count(&[2, 3])]), &[3, 2], &expected.map(|value| value as f32));
    assert_tensor(&op("Transpose").run1([tensor(&[2, 3], &[0_u8, 1, 2, 3, 4, 5])]), &[3, 2], &expected.map(|value| value as u8));
    assert_tensor(&op("Transpose").run1([tensor(&[2, 3], &[0_i64, 1, 2, 3, 4, 5])]), &[3, 2], &expected.map(i64::from));
    assert_strings(&op("Transpose").run1([strings(&[2, 3], &WORDS)]), &[3, 2], &expected.map(|index| WORDS[index as usize]));
    assert_bools(&op("Transpose").run1([bools(&[1, 2], &[true, false])]), &[2, 1], &[true, false]);
    let cube = op("Transpose").ints("perm", &[1, 2, 0]).run1([count(&[2, 1, 3])]);
    assert_tensor(&cube, &[1, 3, 2], &[0.0_f32, 3.0, 1.0, 4.0, 2.0, 5.0]);
    assert_eq!(op("Transpose").run1([Tensor::scalar(1.0_f32)]).shape(), [0; 0]);
    assert_eq!(op("Transpose").run1([Tensor::empty(ElementType::I32, &[0, 3])]).shape(), [3, 0]);
}

#[test]
fn expand_and_tile_repeat_every_element_type() {
    assert_tensor(&op("Expand").run1([count(&[2, 1]), ints(&[2])]), &[2, 2], &[0.0_f32, 0.0, 1.0, 1.0]);
    assert_tensor(&op("Expand").run1([tensor(&[1], &[7_i16]), ints(&[2, 1])]), &[2, 1], &[7_i16, 7]);
    assert_tensor(&op("Expand").run1([Tensor::scalar(7_i64), ints(&[2])]), &[2], &[7_i64, 7]);
    assert_strings(&op("Expand").run1([strings(&[2, 1], &["a", "b"]), ints(&[1, 3])]), &[2, 3], &["a", "a", "a", "b", "b", "b"]);
    assert_eq!(op("Expand").run1([count(&[1, 2]), ints(&[0, 1])]).shape(), [0, 2]);
    assert_eq!(op("Expand").run1([Tensor::empty(ElementType::F32, &[0, 1]), ints(&[1, 4])]).shape(), [0, 4]);

    let tiled = op("Tile").run1([count(&[2, 2]), ints(&[2, 3])]);
    let row = |a: f32, b: f32| [a, b, a, b, a, b];
    assert_tensor(&tiled, &[4, 6], &[row(0.0, 1.0), row(2.0, 3.0), row(0.0, 1.0), row(2.0, 3.0)].concat());
    assert_strings(&op("Tile").run1([strings(&[2], &["a", "b"]), ints(&[2])]), &[4], &["a", "b", "a", "b"]);
    assert_eq!(op("Tile").run1([count(&[2]), ints(&[0])]).shape(), [0]);
    assert_eq!(op("Tile").run1([Tensor::scalar(1.0_f32), ints(&[])]).shape(), [0; 0]);
}

#[test]
fn pad_grows_and_shrinks() {
    let mode = |mode: &str| op("Pad").text("mode", mode);
    let cases: Vec<Expectation<'_>> = vec![
        (
            mode("reflect"),
            vec![count(&[2, 3]), ints(&[1, 2, 0, 2])],
            &[3, 7],
            vec![5., 4., 3., 4., 5., 4., 3., 2., 1., 0., 1., 2., 1., 0., 5., 4., 3., 4., 5., 4., 3.],
        ),
        (mode("reflect"), vec![count(&[3]), ints(&[5, 4])], &[12], vec![1., 0., 1., 2., 1., 0., 1., 2., 1., 0., 1., 2.]),
        (mode("wrap"), vec![count(&[3]), ints(&[4, 5])], &[12], vec![2., 0., 1., 2., 0., 1., 2., 0., 1., 2., 0., 1.]),
        (
            mode("edge"),
            vec![count(&[2, 3]), ints(&[0, 1, 1, 2])],
            &[3, 6],
            vec![0., 0., 1., 2., 2., 2., 3., 3., 4., 5., 5., 5., 3., 3., 4., 5., 5., 5.],
        ),
        (
            mode("wrap"),
            vec![count(&[2, 3]), ints(&[1, 2, 0, 1])],
            &[3, 6],
            vec![4., 5., 3., 4., 5., 3., 1., 2., 0., 1., 2., 0., 4., 5., 3., 4., 5., 3.],
        ),
        (
            mode("constant"),
            vec![count(&[2, 3]), ints(&[0, -1, 1, 2]), Tensor::scalar(9.0_f32)],
            &[3, 4],
            vec![1., 2., 9., 9., 4., 5., 9., 9., 9., 9., 9., 9.],
        ),
        (mode("reflect"), vec![count(&[2, 3]), ints(&[0, -1, 0, 1])], &[2, 3], vec![1., 2., 1., 4., 5., 4.]),
        (op("Pad").opset(2).ints("pads", &[1, 0]).float("value", 7.0), vec![count(&[2])], &[3], vec![7., 0., 1.]),
        (op("Pad"), vec![Tensor::empty(ElementType::F32, &[0]), ints(&[1, 1]), Tensor::scalar(3.0_f32)], &[2], vec![3., 3.]),
        (op("Pad"), vec![count(&[2, 1]), ints(&[1, 0]), Tensor::scalar(5.0_f32), ints(&[-1])], &[2, 2], vec![5., 0., 5., 1.]),
        (op("Pad"), vec![count(&[4]), ints(&[-1, -1])], &[2], vec![1., 2.]),
        (op("Pad"), vec![count(&[2]), ints(&[1, 1])], &[4], vec![0., 0., 1., 0.]),
    ];
    for (case, inputs, shape, expected) in cases {
        assert_tensor(&case.run1(inputs), shape, &expected);
    }
    assert_tensor(&op("Pad").run1([tensor(&[1], &[7_u8]), ints(&[1, 0]), tensor(&[1], &[9_u8])]), &[2], &[9_u8, 7]);
    assert_bools(&op("Pad").run1([bools(&[1], &[true]), ints(&[1, 0])]), &[2], &[false, true]);
    let words = op("Pad").run1([strings(&[1, 2], &["a", "b"]), ints(&[1, 0, 0, 1]), strings(&[], &["-"])]);
    assert_strings(&words, &[2, 3], &["-", "-", "-", "a", "b", "-"]);
    assert_strings(&mode("edge").run1([strings(&[2], &["a", "b"]), ints(&[1, 1])]), &[4], &["a", "a", "b", "b"]);

    assert_eq!(op("Pad").error([count(&[2]), ints(&[1])]), "pads [1] should have two entries for each of 1 axes");
    assert_eq!(op("Pad").error([count(&[2]), ints(&[-3, 0])]), "pads -3 and 0 do not fit axis 0 of 2 elements");
    assert_eq!(op("Pad").error([count(&[2]), ints(&[i64::MIN, 0])]), "pads -9223372036854775808 and 0 do not fit axis 0 of 2 elements");
    let nothing = Tensor::empty(ElementType::F32, &[0]);
    assert_eq!(mode("edge").error([nothing, ints(&[1, 0])]), "axis 0 has no elements that its padding could repeat");
    assert!(op("Pad").error([count(&[2]), ints(&[1, 0]), Tensor::scalar(1_i64)]).contains("one element of float32"));
    assert!(mode("mirror").error([count(&[2]), ints(&[1, 0])]).contains("'mirror'"));
}

#[test]
fn shape_and_size_look_at_dimensions() {
    assert_tensor(&op("Shape").run1([count(&[2, 3, 4])]), &[3], &[2_i64, 3, 4]);
    assert_tensor(&op("Shape").int("start", -2).int("end", 10).run1([count(&[2, 3, 4])]), &[2], &[3_i64, 4]);
    assert_tensor::<i64>(&op("Shape").int("start", 2).int("end", 1).run1([count(&[2, 3])]), &[0], &[]);
    assert_tensor::<i64>(&op("Shape").run1([Tensor::scalar(1.0_f32)]), &[0], &[]);
    assert_tensor(&op("Size").run1([strings(&[2, 3], &WORDS)]), &[], &[6_i64]);
    assert_tensor(&op("Size").run1([Tensor::empty(ElementType::F32, &[3, 0])]), &[], &[0_i64]);
}

#[test]
fn inference_keeps_symbols() {
    let some = |text: &str| [Some(text.to_owned())];
    let constant = |name: &'static str, values: &[i64]| op(name).constant(1, &ints(values));
    let with = |case: Case, dims: &str, n: usize| case.infer([typed::<f32>(dims), typed::<i64>(&n.to_string())]);
    assert_eq!(with(constant("Reshape", &[0, -1]), "N, 4, 5", 2), some("float32[N, 20]"));
    assert_eq!(with(constant("Reshape", &[-1, 512]), "N, 512, 1, 1", 2), some("float32[N, 512]"));
    assert_eq!(with(constant("Reshape", &[0, 0, 4, -1]), "N, seq, 64", 4), some("float32[N, seq, 4, 16]"));
    assert_eq!(with(constant("Reshape", &[-1, 7]), "N, 4", 2), some("float32[?, 7]"));
    assert_eq!(with(op("Reshape"), "N, 4", 3), some("float32[?, ?, ?]"));
    assert_eq!(op("Flatten").infer([typed::<f32>("N, 3, 4")]), some("float32[N, 12]"));
    assert_eq!(op("Transpose").ints("perm", &[0, 2, 1]).infer([typed::<f32>("N, 3, seq")]), some("float32[N, seq, 3]"));
    assert_eq!(with(constant("Squeeze", &[1]), "N, 1", 1), some("float32[N]"));
    assert_eq!(op("Squeeze").infer([typed::<f32>("N, 1")]), some("float32[…]"));
    assert_eq!(with(constant("Unsqueeze", &[1]), "N, 3", 1), some("float32[N, 1, 3]"));
    assert_eq!(with(constant("Expand", &[1, 4]), "N, 1", 2), some("float32[N, 4]"));
    assert_eq!(with(constant("Tile", &[1, 4]), "N, 2", 2), some("float32[N, 8]"));
    assert_eq!(with(constant("Pad", &[0, 1, 0, 2]), "N, 4", 4), some("float32[N, 7]"));
    assert_eq!(with(constant("Pad", &[1, 0, 0, 0]), "N, 4", 4), some("float32[(N + 1), 4]"));
    assert_eq!(op("Shape").infer([typed::<f32>("N, 4")]), some("int64[2]"));
    assert_eq!(op("Size").infer([typed::<f32>("N, 4")]), some("int64[]"));
}
