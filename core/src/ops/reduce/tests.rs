//! Expected values are numpy's.

use half::f16;

use crate::host::ElementType;
use crate::ops::testing::{assert_bools, assert_close, assert_tensor, bools, op, tensor, typed};
use crate::tensor::Tensor;

const NAN: f32 = f32::NAN;

fn one_to_24() -> Vec<f32> {
    (1_u8..25).map(f32::from).collect()
}

/// Operator, axes, shape and elements of the result.
type AxesCase = (&'static str, &'static [i64], &'static [usize], &'static [f32]);

#[test]
fn reductions_over_every_kind_of_axes() {
    // Over the numbers 1 to 24 as [2, 3, 4], without keeping the axes.
    let cases: [AxesCase; 16] = [
        ("ReduceSum", &[1], &[2, 4], &[15.0, 18.0, 21.0, 24.0, 51.0, 54.0, 57.0, 60.0]),
        ("ReduceSum", &[0, 2], &[3], &[68.0, 100.0, 132.0]),
        ("ReduceSum", &[0, 1, 2], &[], &[300.0]),
        ("ReduceMean", &[-1], &[2, 3], &[2.5, 6.5, 10.5, 14.5, 18.5, 22.5]),
        ("ReduceMean", &[0, 2], &[3], &[8.5, 12.5, 16.5]),
        ("ReduceMax", &[1], &[2, 4], &[9.0, 10.0, 11.0, 12.0, 21.0, 22.0, 23.0, 24.0]),
        ("ReduceMax", &[2, 0], &[3], &[16.0, 20.0, 24.0]),
        ("ReduceMin", &[-1, -2], &[2], &[1.0, 13.0]),
        ("ReduceMin", &[0], &[3, 4], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0]),
        ("ReduceProd", &[1], &[2, 4], &[45.0, 120.0, 231.0, 384.0, 4641.0, 5544.0, 6555.0, 7680.0]),
        ("ReduceL2", &[2], &[2, 3], &[5.477_226, 13.190_906, 21.118_711, 29.086_079, 37.067_505, 45.055_523]),
        ("ReduceL2", &[0, 2], &[3], &[29.597_298, 39.344_63, 49.759_422]),
        ("ReduceL1", &[1], &[2, 4], &[15.0, 18.0, 21.0, 24.0, 51.0, 54.0, 57.0, 60.0]),
        ("ReduceSumSquare", &[0, 2], &[3], &[876.0, 1548.0, 2476.0]),
        ("ReduceLogSum", &[2], &[2, 3], &[std::f32::consts::LN_10, 3.258_096_5, 3.737_669_7, 4.060_443, 4.304_065, 4.499_809_7]),
        ("ReduceLogSumExp", &[0, 1, 2], &[], &[24.458_675]),
    ];
    let numbers = one_to_24();
    for (op_type, axes, shape, expected) in cases {
        let axes_input = tensor(&[axes.len()], axes);
        let case = op(op_type).int("keepdims", 0);
        assert_close(&case.run1([tensor(&[2, 3, 4], &numbers), axes_input.clone()]), shape, expected);
        assert_close(&case.opset(11).ints("axes", axes).run1([tensor(&[2, 3, 4], &numbers)]), shape, expected);
        let doubles: Vec<f64> = numbers.iter().copied().map(f64::from).collect();
        let result = op(op_type).int("keepdims", 0).run1([tensor(&[2, 3, 4], &doubles), axes_input.clone()]);
        assert_close(&op("Cast").int("to", 1).run1([result]), shape, expected);
        let kept: Vec<usize> =
            (0..3).map(|axis| if axes.contains(&axis) || axes.contains(&(axis - 3)) { 1 } else { [2, 3, 4][axis as usize] }).collect();
        assert_close(&op(op_type).run1([tensor(&[2, 3, 4], &numbers), axes_input]), &kept, expected);
    }
}

#[test]
fn logarithms_of_sums_neither_overflow_nor_lose_infinities() {
    let x = [1000.0, 1001.0, -f32::INFINITY, -f32::INFINITY, f32::INFINITY, 0.0];
    let expected = [1_001.313_26, -f32::INFINITY, f32::INFINITY];
    let case = op("ReduceLogSumExp").int("keepdims", 0);
    assert_close(&case.run1([tensor(&[3, 2], &[x[0], x[1], x[2], x[3], x[4], x[5]]), tensor(&[1], &[1_i64])]), &[3], &expected);
    let doubles = case.run1([tensor(&[3, 2], &x.map(f64::from)), tensor(&[1], &[1_i64])]);
    assert_close(&op("Cast").int("to", 1).run1([doubles]), &[3], &expected);
    assert!(case.run1([tensor(&[2], &[NAN, 1.0])]).to_f32s().unwrap()[0].is_nan());
    for (op_type, expected) in [("ReduceL1", 0.0), ("ReduceSumSquare", 0.0), ("ReduceLogSum", -f32::INFINITY), ("ReduceLogSumExp", -f32::INFINITY)] {
        assert_close(&op(op_type).run1([Tensor::empty(ElementType::F32, &[2, 0]), tensor(&[1], &[1_i64])]), &[2, 1], &[expected; 2]);
    }
    // Over no axes at all only the reduction itself is left out.
    let none = || [tensor(&[2], &[-1.0_f32, 2.0]), tensor::<i64>(&[0], &[])];
    let noop = |op_type| op(op_type).int("noop_with_empty_axes", 1).run1(none());
    assert_close(&noop("ReduceL1"), &[2], &[1.0, 2.0]);
    assert_close(&noop("ReduceSumSquare"), &[2], &[1.0, 4.0]);
    assert_close(&noop("ReduceLogSum"), &[2], &[NAN, std::f32::consts::LN_2]);
    assert_close(&noop("ReduceLogSumExp"), &[2], &[-1.0, 2.0]);
    assert_tensor(&op("ReduceL1").run1([tensor(&[2], &[-3_i32, 4])]), &[1], &[7_i32]);
    assert_tensor(&op("ReduceSumSquare").run1([tensor(&[2], &[-3_i64, 4])]), &[1], &[25_i64]);
}

#[test]
fn integers_booleans_and_half_precision() {
    let x = tensor(&[2, 3], &[7_i32, -8, 3, 2, 5, -7]);
    let axis = || tensor(&[1], &[1_i64]);
    let cases: [(&str, [i32; 2]); 6] = [
        ("ReduceSum", [2, 0]),
        ("ReduceMean", [0, 0]),
        ("ReduceMax", [7, 5]),
        ("ReduceMin", [-8, -7]),
        ("ReduceProd", [-168, -70]),
        ("ReduceL2", [11, 8]),
    ];
    for (op_type, expected) in cases {
        assert_tensor(&op(op_type).run1([x.clone(), axis()]), &[2, 1], &expected);
    }
    // Sums wrap; means do not, because they fit.
    assert_tensor(&op("ReduceSum").run1([tensor(&[2], &[i64::MAX, 1])]), &[1], &[i64::MIN]);
    assert_tensor(&op("ReduceMean").run1([tensor(&[2], &[u64::MAX, u64::MAX])]), &[1], &[u64::MAX]);
    let flags = bools(&[2, 2], &[true, false, false, false]);
    assert_bools(&op("ReduceMax").run1([flags.clone(), axis()]), &[2, 1], &[true, false]);
    assert_bools(&op("ReduceMin").int("keepdims", 0).run1([flags]), &[], &[false]);
    // Summed one by one in float16, 2048 ones would stay at 2048.
    let ones = tensor(&[4096], &[f16::ONE; 4096]);
    assert_tensor(&op("ReduceSum").run1([ones.clone()]), &[1], &[f16::from_f32(4096.0)]);
    assert_tensor(&op("ReduceMean").run1([ones]), &[1], &[f16::ONE]);
    assert_eq!(op("ReduceSum").error([bools(&[1], &[true])]), "input 0 (data) should be a tensor of numbers, but is bool[1]");
}

#[test]
fn no_axes_and_no_elements() {
    let x = tensor(&[2], &[-3.0_f32, 4.0]);
    let none = Tensor::empty(ElementType::I64, &[0]);
    assert_close(&op("ReduceSum").run1([x.clone()]), &[1], &[1.0]);
    assert_close(&op("ReduceSum").run1([x.clone(), none.clone()]), &[1], &[1.0]);
    assert_close(&op("ReduceSum").int("noop_with_empty_axes", 1).run1([x.clone(), none.clone()]), &[2], &[-3.0, 4.0]);
    assert_close(&op("ReduceL2").int("noop_with_empty_axes", 1).run1([x.clone()]), &[2], &[3.0, 4.0]);
    for (op_type, expected) in [("ReduceSum", -3.0), ("ReduceMean", -3.0), ("ReduceMax", -3.0), ("ReduceProd", -3.0), ("ReduceL2", 3.0)] {
        assert_close(&op(op_type).run1([Tensor::scalar(-3.0_f32)]), &[], &[expected]);
    }
    let empty = Tensor::empty(ElementType::F32, &[2, 0, 3]);
    let cases = [
        ("ReduceSum", 0.0),
        ("ReduceProd", 1.0),
        ("ReduceL2", 0.0),
        ("ReduceMax", f32::NEG_INFINITY),
        ("ReduceMin", f32::INFINITY),
        ("ReduceMean", NAN),
    ];
    for (op_type, expected) in cases {
        assert_close(&op(op_type).int("keepdims", 0).run1([empty.clone(), tensor(&[1], &[1_i64])]), &[2, 3], &[expected; 6]);
        assert_tensor::<f32>(&op(op_type).run1([empty.clone(), tensor(&[1], &[0_i64])]), &[1, 0, 3], &[]);
    }
    assert_tensor(&op("ReduceMax").run1([Tensor::empty(ElementType::I8, &[0])]), &[1], &[i8::MIN]);
    let no_results = op("ReduceMean").run1([Tensor::empty(ElementType::I32, &[2, 0, 3]), tensor(&[1], &[2_i64])]);
    assert_tensor::<i32>(&no_results, &[2, 0, 1], &[]);
    assert_eq!(op("ReduceMean").error([Tensor::empty(ElementType::I8, &[0])]), "the mean of no int8 at all is undefined");
    assert_eq!(op("ReduceSum").error([x.clone(), tensor(&[1], &[1_i64])]), "axis 1 is out of range [-1, 0] for a tensor of rank 1");
    assert_eq!(op("ReduceSum").error([x, tensor(&[2], &[0_i64, -1])]), "axis 0 is given twice in [0, -1]");
}

#[test]
fn nan_wins_in_short_and_long_rows() {
    for length in [3_usize, 1000] {
        for at in [0, length / 2, length - 1] {
            let mut row = vec![1.0_f32; 2 * length];
            row[at] = NAN;
            row[length] = -2.0;
            for (op_type, second) in [("ReduceMax", 1.0), ("ReduceMin", -2.0)] {
                let result = op(op_type).run1([tensor(&[2, length], &row), tensor(&[1], &[1_i64])]);
                assert_close(&result, &[2, 1], &[NAN, second]);
                let across = op(op_type).int("keepdims", 0).run1([tensor(&[length, 2], &row), tensor(&[1], &[0_i64])]);
                assert_eq!(across.as_slice::<f32>().unwrap().iter().filter(|value| value.is_nan()).count(), 1, "{op_type} {length} {at}");
            }
        }
    }
}

#[test]
fn positions_of_extremes() {
    let x = tensor(&[2, 4], &[1.0_f32, 3.0, 3.0, 2.0, 5.0, 5.0, 4.0, 9.0]);
    assert_tensor(&op("ArgMax").int("axis", 1).run1([x.clone()]), &[2, 1], &[1_i64, 3]);
    let last = op("ArgMax").int("axis", -1).int("select_last_index", 1).int("keepdims", 0);
    assert_tensor(&last.run1([x.clone()]), &[2], &[2_i64, 3]);
    assert_tensor(&op("ArgMin").run1([x.clone()]), &[1, 4], &[0_i64, 0, 0, 0]);
    assert_tensor(&op("ArgMax").run1([x.clone()]), &[1, 4], &[1_i64, 1, 1, 1]);
    assert_tensor(&op("ArgMax").int("axis", 1).run1([tensor(&[1, 2, 2], &[1_u8, 9, 5, 3])]), &[1, 1, 2], &[1_i64, 0]);
    assert_tensor(&op("ArgMax").run1([tensor(&[3], &[1.0_f32, NAN, 3.0])]), &[1], &[1_i64]);
    assert_tensor(&op("ArgMin").run1([tensor(&[3], &[1.0_f64, f64::NAN, 0.5])]), &[1], &[1_i64]);
    assert_tensor::<i64>(&op("ArgMax").int("axis", 1).run1([Tensor::empty(ElementType::F32, &[0, 3])]), &[0, 1], &[]);
    assert_eq!(
        op("ArgMax").int("axis", 1).error([Tensor::empty(ElementType::F32, &[2, 0])]),
        "axis 1 of float32[2, 0] has no elements, so none of them is the extreme"
    );
    assert_eq!(op("ArgMax").error([Tensor::scalar(1.0_f32)]), "axis 0 does not exist: the tensor has rank 0");
    assert_eq!(op("ArgMax").int("axis", 2).error([x]), "axis 2 is out of range [-2, 1] for a tensor of rank 2");
}

#[test]
fn types_are_inferred() {
    let infer = |case: crate::ops::testing::Case| case.infer([typed::<f32>("n, 3, 4"), typed::<i64>("1")]).remove(0).unwrap();
    assert_eq!(infer(op("ReduceSum").constant(1, &tensor(&[1], &[-1_i64]))), "float32[n, 3, 1]");
    assert_eq!(infer(op("ReduceSum").int("keepdims", 0).constant(1, &tensor(&[1], &[-1_i64]))), "float32[n, 3]");
    assert_eq!(infer(op("ReduceSum")), "float32[?, ?, ?]");
    assert_eq!(infer(op("ReduceSum").int("keepdims", 0)), "float32[…]");
    assert_eq!(infer(op("ReduceMax").opset(13).ints("axes", &[0])), "float32[1, 3, 4]");
    assert_eq!(op("ReduceMean").int("keepdims", 0).infer([typed::<f32>("n, 3")]), [Some("float32[]".to_owned())]);
    assert_eq!(op("ArgMax").int("axis", 1).int("keepdims", 0).infer([typed::<f32>("n, 3")]), [Some("int64[n]".to_owned())]);
}
