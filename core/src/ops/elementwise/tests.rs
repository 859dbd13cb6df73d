//! Expected values are numpy's or ONNX Runtime's.

use half::{bf16, f16};

use crate::host::ElementType;
use crate::ops::testing::{assert_bools, assert_close, assert_strings, assert_tensor, bools, op, strings, tensor, typed};
use crate::tensor::{Tensor, Value};

const NAN: f32 = f32::NAN;
const INF: f32 = f32::INFINITY;

#[test]
fn arithmetic_broadcasts_and_keeps_types() {
    let column = tensor(&[2, 1], &[1.0_f32, 2.0]);
    let row = tensor(&[3], &[10.0_f32, 20.0, 40.0]);
    let cases: [(&str, [f32; 6]); 4] = [
        ("Add", [11.0, 21.0, 41.0, 12.0, 22.0, 42.0]),
        ("Sub", [-9.0, -19.0, -39.0, -8.0, -18.0, -38.0]),
        ("Mul", [10.0, 20.0, 40.0, 20.0, 40.0, 80.0]),
        ("Div", [0.1, 0.05, 0.025, 0.2, 0.1, 0.05]),
    ];
    for (op_type, expected) in cases {
        assert_close(&op(op_type).run1([column.clone(), row.clone()]), &[2, 3], &expected);
        let wide = |tensor: &Tensor| Tensor::from_vec(tensor.shape(), tensor.to_f32s().unwrap().into_iter().map(f64::from).collect()).unwrap();
        let result = op(op_type).run1([wide(&column), wide(&row)]);
        assert_eq!((result.element_type(), result.shape()), (ElementType::F64, [2, 3].as_slice()));
        assert_close(&op("Cast").int("to", 1).run1([result]), &[2, 3], &expected);
    }
}

#[test]
fn integers_wrap_around_and_divide_toward_zero() {
    assert_tensor(&op("Add").run1([tensor(&[2], &[127_i8, -128]), tensor(&[], &[1_i8])]), &[2], &[-128_i8, -127]);
    assert_tensor(&op("Mul").run1([tensor(&[2], &[200_u8, 3]), tensor(&[], &[2_u8])]), &[2], &[144_u8, 6]);
    assert_tensor(&op("Sub").run1([tensor(&[2], &[0_u32, 3]), tensor(&[], &[2_u32])]), &[2], &[4_294_967_294_u32, 1]);
    assert_tensor(&op("Div").run1([tensor(&[3], &[-7_i32, 7, -8]), tensor(&[3], &[2_i32, -2, 3])]), &[3], &[-3_i32, -3, -2]);
    assert_tensor(&op("Div").run1([tensor(&[1], &[i64::MIN]), tensor(&[1], &[-1_i64])]), &[1], &[i64::MIN]);
    assert_eq!(op("Div").error([tensor(&[2], &[1_i64, 2]), tensor(&[2], &[1_i64, 0])]), "division of int64 by zero");
    assert_tensor(&op("Div").run1([tensor(&[3], &[1.0_f32, -1.0, 0.0]), tensor(&[], &[0.0_f32])]), &[3], &[INF, -INF, NAN]);
}

#[test]
fn half_precision_rounds_once() {
    let halves = |values: &[f32]| tensor(&[values.len()], &values.iter().map(|&value| f16::from_f32(value)).collect::<Vec<_>>());
    assert_tensor(&op("Add").run1([halves(&[1.0, 2048.0]), halves(&[0.5, 1.0])]), &[2], &[f16::from_f32(1.5), f16::from_f32(2048.0)]);
    let brain = tensor(&[1], &[bf16::from_f32(3.0)]);
    assert_tensor(&op("Mul").run1([brain.clone(), brain]), &[1], &[bf16::from_f32(9.0)]);
    // numpy: np.log1p(np.exp(np.float16(5))) in float32, rounded to float16.
    assert_tensor(&op("Softplus").opset(22).run1([halves(&[5.0])]), &[1], &[f16::from_f32(5.006_715)]);
}

#[test]
fn scalars_and_empty_tensors_go_through() {
    assert_tensor(&op("Add").run1([Tensor::scalar(1.0_f32), Tensor::scalar(2.0_f32)]), &[], &[3.0_f32]);
    assert_tensor(&op("Add").run1([Tensor::scalar(1_i64), tensor(&[1], &[2_i64])]), &[1], &[3_i64]);
    let empty = Tensor::empty(ElementType::F32, &[0, 3]);
    assert_tensor::<f32>(&op("Add").run1([empty.clone(), Tensor::scalar(1.0_f32)]), &[0, 3], &[]);
    assert_tensor::<f32>(&op("Max").run1([empty.clone(), tensor(&[1], &[1.0_f32])]), &[0, 3], &[]);
    for op_type in ["Exp", "Relu", "Gelu", "Identity", "Sigmoid"] {
        assert_tensor::<f32>(&op(op_type).run1([empty.clone()]), &[0, 3], &[]);
        assert_eq!(op(op_type).run1([Tensor::scalar(0.5_f32)]).shape(), [0_usize; 0]);
    }
    assert_tensor::<i32>(&op("Cast").int("to", 6).run1([empty]), &[0, 3], &[]);
}

#[test]
fn what_does_not_fit_is_refused_with_a_sentence() {
    let error = op("Add").error([tensor(&[2], &[1.0_f32, 2.0]), tensor(&[3], &[1.0_f32, 2.0, 3.0])]);
    assert_eq!(error, "shapes [2] and [3] do not broadcast: counted from the end, dimension 1 is 2 in one and 3 in the other");
    let error = op("Add").error([tensor(&[1], &[1.0_f32]), tensor(&[1], &[1_i64])]);
    assert_eq!(error, "the inputs have different element types, float32 and int64; both must be the same (insert a Cast)");
    let error = op("Add").error([strings(&[1], &["a"]), strings(&[1], &["b"])]);
    assert_eq!(error, "input 0 (A) should be a tensor of numbers, but is string[1]");
    assert_eq!(op("Sqrt").error([tensor(&[1], &[4_i64])]), "input 0 (X) should be a tensor of floating-point numbers, but is int64[1]");
    assert_eq!(op("Neg").error([tensor(&[1], &[4_u8])]), "input 0 (X) should be a tensor of signed numbers, but is uint8[1]");
    let big = op("Add").max_result_bytes(20).error([tensor(&[2, 1], &[1.0_f32; 2]), tensor(&[3], &[1.0_f32; 3])]);
    assert_eq!(big, "a result of shape [2, 3] would take 24 bytes, more than the limit of 20");
}

#[test]
fn before_opset_7_broadcasting_is_an_attribute() {
    let a = tensor(&[2, 3], &[0.0_f32; 6]);
    let b = tensor(&[2], &[1.0_f32, 2.0]);
    assert_close(&op("Add").opset(6).int("broadcast", 1).int("axis", 0).run1([a.clone(), b.clone()]), &[2, 3], &[1.0, 1.0, 1.0, 2.0, 2.0, 2.0]);
    assert_eq!(op("Add").opset(6).error([a, b]), "shapes [2, 3] and [2] differ, and attribute 'broadcast' is not set");
}

#[test]
fn functions_of_one_number() {
    let x = [-INF, -100.0, -3.0, -1.0, -0.5, -1e-3, 0.0, 0.5, 1.0, 3.0, 100.0, INF, NAN];
    // ONNX Runtime.
    let cases: [(&str, [f32; 13]); 6] = [
        ("Erf", [-1.0, -1.0, -0.999_977_9, -0.842_700_8, -0.520_499_9, -0.001_128_378_8, 0.0, 0.520_499_9, 0.842_700_8, 0.999_977_9, 1.0, 1.0, NAN]),
        ("Exp", [0.0, 3.783_5e-44, 0.049_787_067, 0.367_879_45, 0.606_530_67, 0.999_000_5, 1.0, 1.648_721_2, 2.718_281_7, 20.085_537, INF, INF, NAN]),
        ("Log", [NAN, NAN, NAN, NAN, NAN, NAN, -INF, -std::f32::consts::LN_2, 0.0, 1.098_612_3, 4.605_170_2, INF, NAN]),
        ("Sqrt", [NAN, NAN, NAN, NAN, NAN, NAN, 0.0, 0.707_106_77, 1.0, 1.732_050_8, 10.0, INF, NAN]),
        ("Abs", [INF, 100.0, 3.0, 1.0, 0.5, 0.001, 0.0, 0.5, 1.0, 3.0, 100.0, INF, NAN]),
        ("Neg", [INF, 100.0, 3.0, 1.0, 0.5, 0.001, -0.0, -0.5, -1.0, -3.0, -100.0, -INF, NAN]),
    ];
    for (op_type, expected) in cases {
        assert_close(&op(op_type).run1([tensor(&[13], &x)]), &[13], &expected);
    }
    assert_tensor(&op("Neg").run1([tensor(&[2], &[i8::MIN, 5])]), &[2], &[i8::MIN, -5]);
    assert_tensor(&op("Abs").run1([tensor(&[2], &[-5_i64, i64::MIN])]), &[2], &[5_i64, i64::MIN]);
    assert_tensor(&op("Abs").run1([tensor(&[1], &[u64::MAX])]), &[1], &[u64::MAX]);
    assert_tensor(&op("Erf").run1([tensor(&[1], &[0.5_f64])]), &[1], &[0.520_499_877_813_046_5_f64]);
}

#[test]
fn inverse_hyperbolic_functions_of_any_size() {
    let x = [-INF, f32::MIN, -1e-4, 0.0, 1e-4, 0.5, 1.0, 1.001, 3.0, 2e9, f32::MAX, INF, NAN];
    let asinh = [-INF, -89.415_985, -1e-4, 0.0, 1e-4, 0.481_211_84, 0.881_373_6, 0.882_080_5, 1.818_446_5, 22.109_56, 89.415_985, INF, NAN];
    let acosh = [NAN, NAN, NAN, NAN, NAN, NAN, 0.0, 0.044_717_63, 1.762_747_2, 22.109_56, 89.415_985, INF, NAN];
    for (op_type, expected) in [("Asinh", asinh), ("Acosh", acosh)] {
        let result = op(op_type).run1([tensor(&[13], &x)]);
        assert_close(&result, &[13], &expected);
        let result = result.into_vec::<f32>().unwrap();
        let is_close = |(found, expected): (&f32, &f32)| !expected.is_finite() || (found - expected).abs() <= 2e-4 * expected.abs();
        assert!(result.iter().zip(&expected).all(is_close), "{op_type}: {result:?}");
    }
    let widest = op("Asinh").run1([tensor(&[2], &[f64::MAX, 1e-9])]).into_vec::<f64>().unwrap();
    assert!((widest[0] - 710.475_860_073_944).abs() < 1e-9 && (widest[1] - 1e-9).abs() < 1e-21, "{widest:?}");
}

#[test]
fn before_opset_13_erf_takes_integers() {
    assert_tensor(&op("Erf").opset(9).run1([tensor(&[5], &[-128_i8, -1, 0, 2, 7])]), &[5], &[-1_i8, 0, 0, 0, 1]);
}

#[test]
fn powers_of_mixed_types() {
    let x = tensor(&[3], &[-2.0_f32, 3.0, 0.5]);
    assert_close(&op("Pow").run1([x.clone(), tensor(&[3], &[3.0_f32, -2.0, 0.5])]), &[3], &[-8.0, 0.111_111_11, 0.707_106_77]);
    assert_close(&op("Pow").run1([x.clone(), Tensor::scalar(3_i64)]), &[3], &[-8.0, 27.0, 0.125]);
    assert_close(&op("Pow").run1([x.clone(), tensor(&[2, 1], &[2_i32, 0])]), &[2, 3], &[4.0, 9.0, 0.25, 1.0, 1.0, 1.0]);
    let square = Tensor::scalar(2.0_f32);
    assert_close(&op("Pow").constant(1, &square).run1([x.clone(), square]), &[3], &[4.0, 9.0, 0.25]);
    assert_close(&op("Pow").run1([x, Tensor::scalar(0.5_f32)]), &[3], &[NAN, 1.732_050_8, 0.707_106_77]);
    // Whole exponents beyond any integer.
    let huge = op("Pow").run1([tensor(&[2], &[3.0_f32, 0.5]), Tensor::scalar(f32::MAX)]);
    assert_close(&huge, &[2], &[f32::INFINITY, 0.0]);
    // Exponents that float32 does not hold.
    let exponents = tensor(&[3], &[16_777_217_i32, 16_777_216, 0]);
    assert_close(&op("Pow").run1([tensor(&[1], &[-1.0_f32]), exponents]), &[3], &[-1.0, 1.0, 1.0]);
    assert_close(&op("Pow").run1([tensor(&[2], &[NAN, 2.0]), Tensor::scalar(5e-324_f64)]), &[2], &[NAN, 1.0]);
    assert_tensor(&op("Pow").run1([tensor(&[3], &[2_i32, -3, 7]), tensor(&[3], &[10_i64, 3, 0])]), &[3], &[1024_i32, -27, 1]);
    assert_tensor(&op("Pow").run1([tensor(&[2], &[2_i64, 5]), tensor(&[2], &[0.5_f32, 2.5])]), &[2], &[1_i64, 55]);
    assert_tensor(&op("Pow").run1([tensor(&[3], &[2_i32, -1, 1]), tensor(&[], &[-3_i32])]), &[3], &[0_i32, -1, 1]);
    assert_tensor(&op("Pow").run1([tensor(&[1], &[3_i32]), tensor(&[1], &[40_i32])]), &[1], &[689_956_897_i32]);
    assert_eq!(op("Pow").error([tensor(&[1], &[0_i32]), tensor(&[1], &[-1_i32])]), "0 to a negative power: division by zero");
    assert_tensor(&op("Pow").run1([tensor(&[2], &[2.0_f64, 9.0]), tensor(&[2], &[3.0_f32, 0.5])]), &[2], &[8.0_f64, 3.0]);
}

#[test]
fn any_number_of_inputs() {
    let a = tensor(&[3], &[1.0_f32, NAN, 3.0]);
    let b = tensor(&[3], &[2.0_f32, 2.0, NAN]);
    assert_tensor(&op("Max").run1([a.clone(), b.clone(), Tensor::scalar(1.5_f32)]), &[3], &[2.0_f32, NAN, NAN]);
    assert_tensor(&op("Min").run1([a.clone(), b, Tensor::scalar(1.5_f32)]), &[3], &[1.0_f32, NAN, NAN]);
    assert_tensor(&op("Min").run1([tensor(&[2, 1], &[1_i8, 5]), tensor(&[2], &[3_i8, -4])]), &[2, 2], &[1_i8, -4, 3, -4]);
    let column = tensor(&[2, 1], &[1.0_f32, 5.0]);
    let row = tensor(&[2], &[3.0_f32, -4.0]);
    let one = Tensor::scalar(1.0_f32);
    assert_close(&op("Mean").run1([column.clone(), row.clone(), one]), &[2, 2], &[1.666_666_7, -0.666_666_7, 3.0, 0.666_666_7]);
    assert_close(&op("Sum").run1([column.clone(), row]), &[2, 2], &[4.0, -3.0, 8.0, 1.0]);
    assert_close(&op("Sum").run1([column]), &[2, 1], &[1.0, 5.0]);
    let halves = |value: f32| tensor(&[1], &[f16::from_f32(value)]);
    assert_tensor(&op("Mean").run1([halves(-60_000.0), halves(-60_000.0), halves(0.0)]), &[1], &[f16::from_f32(-40_000.0)]);
    assert_tensor(&op("Sum").run1([halves(60_000.0), halves(60_000.0), halves(-60_000.0)]), &[1], &[f16::from_f32(60_000.0)]);
    assert_eq!(op("Sum").error([]), "input 0 (data_0) is missing; the operator needs it");
    assert_eq!(op("Sum").error([tensor(&[1], &[1_i64])]), "input 0 (data) should be a tensor of floating-point numbers, but is int64[1]");
}

#[test]
fn casts_between_numbers() {
    let x = tensor(&[6], &[300.7_f32, -300.7, -1.5, 0.3, NAN, INF]);
    let to = |code: i64| op("Cast").int("to", code);
    assert_tensor(&to(6).run1([x.clone()]), &[6], &[300_i32, -300, -1, 0, 0, i32::MAX]);
    assert_bools(&to(9).run1([x]), &[6], &[true, true, true, true, true, true]);
    assert_bools(&to(9).run1([tensor(&[2], &[0.0_f32, -0.0])]), &[2], &[false, false]);
    assert_tensor(&to(3).run1([tensor(&[2], &[200_i16, -1])]), &[2], &[-56_i8, -1]);
    assert_tensor(&to(13).run1([tensor(&[1], &[-1_i64])]), &[1], &[u64::MAX]);
    assert_tensor(&to(1).run1([bools(&[2], &[true, false])]), &[2], &[1.0_f32, 0.0]);
    assert_tensor(&to(7).run1([bools(&[2], &[true, false])]), &[2], &[1_i64, 0]);
    assert_tensor(&to(10).run1([tensor(&[2], &[0.1_f64, 1e6])]), &[2], &[f16::from_f32(0.1), f16::INFINITY]);
    assert_tensor(&to(16).run1([tensor(&[1], &[std::f32::consts::PI])]), &[1], &[bf16::from_f32(3.140_625)]);
    assert_tensor(&to(1).run1([tensor(&[1], &[f16::from_f32(0.1)])]), &[1], &[0.099_975_586_f32]);
    assert_tensor(&to(11).run1([tensor(&[1], &[i64::MAX])]), &[1], &[9_223_372_036_854_775_807_f64]);
    assert_eq!(to(27).error([Tensor::scalar(1.0_f32)]), "Cast to float6e2m3 is not supported");
    assert_eq!(to(99).error([Tensor::scalar(1.0_f32)]), "attribute 'to' is 99, which is no element type");
    assert_eq!(op("Cast").error([Tensor::scalar(1.0_f32)]), "attribute 'to' is missing; the operator needs it");
}

#[test]
fn casts_to_and_from_narrow_types() {
    let to = |code: i64| op("Cast").opset(24).int("to", code);
    let back = |tensor: Tensor| to(1).run1([tensor]).to_f32s().unwrap();
    // ml_dtypes.
    let x = tensor(&[5], &[-9.0_f32, -1.5, 7.9, 8.0, 300.0]);
    assert_eq!(back(to(22).run1([x.clone()])), [7.0, -1.0, 7.0, -8.0, -4.0]);
    assert_eq!(back(to(21).run1([x.clone()])), [7.0, 15.0, 7.0, 8.0, 12.0]);
    assert_eq!(back(to(26).run1([tensor(&[3], &[5_i64, -1, -2])])), [1.0, -1.0, -2.0]);
    assert_eq!(back(to(17).run1([x.clone()])), [-9.0, -1.5, 8.0, 8.0, 288.0]);
    assert_eq!(back(to(18).run1([x.clone()])), [-9.0, -1.5, 8.0, 8.0, 240.0]);
    assert!(back(to(18).int("saturate", 0).run1([x.clone()]))[4].is_nan());
    assert_eq!(back(to(23).run1([x.clone()])), [-6.0, -1.5, 6.0, 6.0, 6.0]);
    assert_eq!(back(to(24).run1([tensor(&[3], &[1.0_f32, 3.0, 0.0])])), [1.0, 4.0, 5.877_472e-39]);
    assert_eq!(back(to(24).text("round_mode", "down").run1([tensor(&[2], &[1.0_f32, 3.0])])), [1.0, 2.0]);
    let fours = to(22).run1([tensor(&[2], &[-3_i8, 5])]);
    assert_tensor(&to(3).run1([fours.clone()]), &[2], &[-3_i8, 5]);
    assert_tensor(&to(11).run1([fours.clone()]), &[2], &[-3.0_f64, 5.0]);
    assert_strings(&to(8).run1([fours.clone()]), &[2], &["-3", "5"]);
    assert_bools(&to(9).run1([fours.clone()]), &[2], &[true, true]);
    assert_eq!(back(to(22).run1([strings(&[1], &["-4"])])), [-4.0]);
    assert_eq!(back(to(19).run1([bools(&[2], &[true, false])])), [1.0, 0.0]);
    assert_eq!(op("CastLike").run1([x.clone(), fours]).element_type(), ElementType::I4);
    assert!(to(24).text("round_mode", "odd").error([x]).contains("'up', 'down' or 'nearest'"));
    assert_eq!(to(22).run1([Tensor::empty(ElementType::F32, &[0, 2])]).shape(), [0, 2]);
}

#[test]
fn the_same_bits_as_another_type() {
    let to = |code: i64| op("BitCast").opset(26).int("to", code);
    assert_tensor(&to(6).run1([tensor(&[2], &[1.0_f32, -0.0])]), &[2], &[0x3f80_0000_i32, i32::MIN]);
    assert_tensor(&to(11).run1([tensor(&[1], &[u64::MAX])]), &[1], &[f64::NAN]);
    assert_tensor(&to(2).run1([bools(&[2], &[true, false])]), &[2], &[1_u8, 0]);
    assert_eq!(to(6).error([tensor(&[1], &[1_i64])]), "the bits of int64 can't be read as int32: the two are not of the same width");
    assert!(to(8).error([tensor(&[1], &[1_i64])]).contains("no fixed number of bits"));
    assert_eq!(to(6).infer([typed::<f32>("n")]), [Some("int32[n]".to_owned())]);
}

#[test]
fn remainders_follow_the_divisor_or_the_dividend() {
    // numpy.mod and numpy.fmod.
    let (a, b) = ([-4_i32, 7, 5, 4, -7, 8], [2_i32, -3, 8, -2, 3, 5]);
    assert_tensor(&op("Mod").run1([tensor(&[6], &a), tensor(&[6], &b)]), &[6], &[0_i32, -2, 5, 0, 2, 3]);
    assert_tensor(&op("Mod").int("fmod", 1).run1([tensor(&[6], &a), tensor(&[6], &b)]), &[6], &[0_i32, 1, 5, 0, -1, 3]);
    let (a, b) = ([-4.3_f32, 7.2, 5.0, 4.3, -7.2, 8.0], [2.1_f32, -3.4, 8.0, -2.1, 3.4, 5.0]);
    let fmod = op("Mod").opset(13).int("fmod", 1).run1([tensor(&[6], &a), tensor(&[6], &b)]);
    assert_close(&fmod, &[6], &[-0.100_000_4, 0.399_999_86, 5.0, 0.100_000_4, -0.399_999_86, 3.0]);
    let floor = op("Mod").opset(28).run1([tensor(&[6], &a), tensor(&[6], &b)]);
    assert_close(&floor, &[6], &[2.0, -3.0, 5.0, -2.0, 3.0, 3.0]);
    // The special cases of the specification of Mod-28.
    let x = [-0.0_f32, INF, 1.0, -1.0, -1.0, NAN];
    let y = [2.0_f32, 1.0, 0.0, INF, -INF, 1.0];
    assert_tensor(&op("Mod").opset(28).run1([tensor(&[6], &x), tensor(&[6], &y)]), &[6], &[0.0_f32, NAN, NAN, INF, -1.0, NAN]);
    assert_tensor(&op("Mod").run1([tensor(&[2], &[i64::MIN, 7]), tensor(&[2], &[-1_i64, i64::MIN])]), &[2], &[0_i64, 7 + i64::MIN]);
    assert_tensor(&op("Mod").run1([tensor(&[1], &[200_u8]), tensor(&[1], &[7_u8])]), &[1], &[4_u8]);
    assert_eq!(op("Mod").error([tensor(&[1], &[1_i64]), tensor(&[1], &[0_i64])]), "remainder of a division of int64 by zero");
    assert!(op("Mod").int("fmod", 2).error([tensor(&[1], &[1_i64]), tensor(&[1], &[1_i64])]).contains("it may be 0 or 1"));
}

#[test]
fn rounding_and_signs() {
    let x = [-2.5_f32, -1.5, -0.5, 0.0, 0.5, 1.5, 2.5, 2.4, NAN];
    assert_close(&op("Round").run1([tensor(&[9], &x)]), &[9], &[-2.0, -2.0, 0.0, 0.0, 0.0, 2.0, 2.0, 2.0, NAN]);
    assert_close(&op("Ceil").run1([tensor(&[9], &x)]), &[9], &[-2.0, -1.0, 0.0, 0.0, 1.0, 2.0, 3.0, 3.0, NAN]);
    assert_tensor(&op("Floor").run1([tensor(&[9], &x)]), &[9], &[-3.0_f32, -2.0, -1.0, 0.0, 0.0, 1.0, 2.0, 2.0, NAN]);
    assert_tensor(&op("Sign").run1([tensor(&[3], &[-2.5_f32, NAN, 7.0])]), &[3], &[-1.0_f32, NAN, 1.0]);
    assert_tensor(&op("Sign").run1([tensor(&[2], &[0_u8, 9])]), &[2], &[0_u8, 1]);
    assert_tensor(&op("Sign").run1([tensor(&[2], &[i64::MIN, u32::MAX.into()])]), &[2], &[-1_i64, 1]);
    assert_tensor(&op("Shrink").float("lambd", 1.5).float("bias", 1.0).run1([tensor(&[4], &[-3_i32, -1, 1, 2])]), &[4], &[-2_i32, 0, 0, 1]);
    assert_eq!(op("Round").error([tensor(&[1], &[1_i64])]), "input 0 (X) should be a tensor of floating-point numbers, but is int64[1]");
}

#[test]
fn casts_from_and_to_strings() {
    let to = |code: i64| op("Cast").int("to", code);
    let floats = strings(&[2, 4], &["1", "3.7", " 4", "1e3", "INF", "+inf", "-INF", "NaN"]);
    assert_tensor(&to(1).run1([floats]), &[2, 4], &[1.0_f32, 3.7, 4.0, 1000.0, INF, INF, -INF, NAN]);
    assert_tensor(&to(6).run1([strings(&[4], &["1", "3.7", "-2.5", "1e3"])]), &[4], &[1_i32, 3, -2, 1000]);
    assert_tensor(&to(7).run1([strings(&[1], &["9223372036854775807"])]), &[1], &[i64::MAX]);
    assert_bools(&to(9).run1([strings(&[3], &["1", "0", "2"])]), &[3], &[true, false, true]);
    assert_eq!(to(1).error([strings(&[2], &["1", "abc"])]), "element 1, 'abc', is not a number that fits float32");
    assert_eq!(to(6).error([strings(&[1], &["99999999999"])]), "element 0, '99999999999', is not a number that fits int32");
    // ONNX Runtime.
    let x = [1.0, 0.1, 1e10, 123_456_789.0, 1e-7, 0.478_925_47, NAN, INF, -INF, -0.0, 1.0 / 3.0, 1e22];
    let expected = ["1", "0.1", "1e+10", "1.2345679e+08", "1e-07", "0.47892547", "NaN", "INF", "-INF", "-0", "0.33333334", "9.9999998e+21"];
    assert_strings(&to(8).run1([tensor(&[12], &x)]), &[12], &expected);
    assert_strings(&to(8).run1([tensor(&[2], &[1.0_f64 / 3.0, 1e22])]), &[2], &["0.33333333", "1e+22"]);
    assert_strings(&to(8).run1([tensor(&[2], &[f16::from_f32(0.1), f16::MAX])]), &[2], &["0.099975586", "65504"]);
    assert_strings(&to(8).run1([tensor(&[2], &[-5_i64, 12])]), &[2], &["-5", "12"]);
    assert_strings(&to(8).run1([bools(&[2], &[true, false])]), &[2], &["1", "0"]);
    assert_strings(&to(8).run1([Tensor::scalar(7_u8)]), &[], &["7"]);
}

#[test]
fn dropout_drops_nothing() {
    let x = tensor(&[2], &[1.0_f32, -1.0]);
    assert_close(&op("Dropout").run1([x.clone()]), &[2], &[1.0, -1.0]);
    let outputs = op("Dropout").outputs(2).try_run([x.clone()]).unwrap();
    assert_bools(&outputs[1], &[2], &[true, true]);
    let outputs = op("Dropout").opset(7).outputs(2).try_run([x.clone()]).unwrap();
    assert_close(&outputs[1], &[2], &[1.0, 1.0]);
    let ratio = |ratio: f32| Tensor::scalar(ratio);
    assert_close(&op("Dropout").run1([x.clone(), ratio(0.0), bools(&[], &[true])]), &[2], &[1.0, -1.0]);
    assert_close(&op("Dropout").run1([x.clone(), ratio(0.5), bools(&[], &[false])]), &[2], &[1.0, -1.0]);
    assert_close(&op("Dropout").opset(6).int("is_test", 1).run1([x]), &[2], &[1.0, -1.0]);
}

#[test]
fn dropout_in_training_drops_some_and_scales_the_rest() {
    const N: usize = 20_000;
    let x = tensor(&[N], &vec![3.0_f32; N]);
    let inputs = || [x.clone(), Tensor::scalar(0.25_f32), bools(&[], &[true])];
    let training = op("Dropout").int("seed", 7).outputs(2);
    let outputs = training.try_run(inputs()).unwrap();
    let (y, kept) = (outputs[0].to_f32s().unwrap(), outputs[1].to_f32s().unwrap());
    assert!(y.iter().zip(&kept).all(|(&y, &kept)| y == 4.0 * kept));
    // Within 5 standard errors.
    let share = kept.iter().sum::<f32>() / N as f32;
    assert!((share - 0.75).abs() < 0.016, "{share}");
    assert_eq!(training.try_run(inputs()).unwrap()[0].to_f32s().unwrap(), y, "the same seed drops the same elements");
    assert!(training.build(3).unwrap().is_deterministic() && !op("Dropout").build(3).unwrap().is_deterministic());
    assert!(op("Dropout").build(1).unwrap().is_deterministic());
    let old = op("Dropout").opset(6).outputs(2).try_run([x.clone()]).unwrap();
    assert!(old[0].to_f32s().unwrap().iter().zip(old[1].to_f32s().unwrap()).all(|(&y, kept)| y == 6.0 * kept));
    let error = op("Dropout").error([x, Tensor::scalar(1.0_f32), bools(&[], &[true])]);
    assert_eq!(error, "the ratio of elements to drop is 1; it must be at least 0 and below 1");
}

#[test]
fn identity_passes_any_value() {
    let outputs = op("Identity").run_values(vec![Some(Value::Sequence(vec![Value::Absent]))]).unwrap();
    assert!(matches!(&outputs[..], [Value::Sequence(items)] if items.len() == 1));
    assert_strings(&op("Identity").run1([strings(&[1], &["a"])]), &[1], &["a"]);
}

#[test]
fn types_are_inferred() {
    let infer = |case: crate::ops::testing::Case, types: Vec<crate::graph::ValueType>| case.infer(types).remove(0).unwrap();
    assert_eq!(infer(op("Add"), vec![typed::<f32>("batch, 3"), typed::<f32>("3")]), "float32[batch, 3]");
    assert_eq!(infer(op("Add").opset(6).int("broadcast", 1), vec![typed::<f32>("2, 3"), typed::<f32>("2")]), "float32[2, 3]");
    assert_eq!(infer(op("Max"), vec![typed::<i8>("n, 1"), typed::<i8>("4"), typed::<i8>("")]), "int8[n, 4]");
    assert_eq!(infer(op("Cast").int("to", 7), vec![typed::<f32>("n, ?")]), "int64[n, ?]");
    assert_eq!(infer(op("Pow"), vec![typed::<f64>("n"), typed::<i32>("")]), "float64[n]");
    let types = op("Dropout").outputs(2).infer([typed::<f32>("n, 2")]);
    assert_eq!(types[1].as_deref(), Some("bool[n, 2]"));
}
