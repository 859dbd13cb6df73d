//! Expected results from the specification's own formulas; ONNX Runtime's are among the golden cases.

use super::scheme::{Granularity, Quantized};
use crate::host::ElementType;
use crate::host::narrow::{F8E4M3Fn, I4, Narrow as _};
use crate::ops::testing::{assert_tensor, op, tensor, typed};
use crate::tensor::Tensor;

fn scalar<T: crate::host::Element>(value: T) -> Tensor {
    Tensor::scalar(value)
}

#[test]
fn numbers_round_half_to_even_and_saturate() {
    let nearest = |value: f32| u8::nearest(value, 2.0, true);
    assert_eq!([0.5, 1.5, 2.5, -0.5, -2.6, 300.0, -1e30, f32::INFINITY, f32::NAN].map(nearest), [2, 4, 4, 2, 0, 255, 0, 255, 0]);
    assert_eq!([32_767.4, 32_767.6, -1e9].map(|value| i16::nearest(value, 0.0, true)), [32_767, 32_767, -32_768]);
    assert_eq!(u16::nearest(40_000.0, 30_000.0, true), 65_535);
    assert_eq!(I4::nearest(6.6, 2.0, true).get(), 7);
    assert_eq!(F8E4M3Fn::nearest(1000.0, 0.0, true).to_f32(), 448.0);
    assert_eq!(i32::MAX.distance(i32::MIN), 4_294_967_300.0);
}

#[test]
fn scales_belong_to_the_elements_of_their_axis_or_block() {
    let runs = |shape: &[usize], scales: &[usize], axis: i64, block: usize| {
        let mut of_element = Vec::new();
        let granularity = Granularity::new(shape, scales, axis, block).unwrap();
        granularity.for_each_run(shape.iter().product(), |run, first, step| of_element.extend((0..run.len()).map(|index| first + index * step)));
        of_element
    };
    assert_eq!(runs(&[2, 3], &[], 1, 0), [0; 6]);
    assert_eq!(runs(&[2, 3], &[1], 7, 0), [0; 6], "one scale has no axis");
    assert_eq!(runs(&[2, 3], &[3], 1, 0), [0, 1, 2, 0, 1, 2]);
    assert_eq!(runs(&[2, 3], &[2], -2, 0), [0, 0, 0, 1, 1, 1]);
    assert_eq!(runs(&[2, 2, 2], &[2], 1, 0), [0, 0, 1, 1, 0, 0, 1, 1]);
    assert_eq!(runs(&[3, 2], &[2, 2], 0, 2), [0, 1, 0, 1, 2, 3]);
    assert_eq!(runs(&[2, 5], &[2, 2], 1, 3), [0, 0, 0, 1, 1, 2, 2, 2, 3, 3]);
    assert_eq!(runs(&[0, 3], &[3], 1, 0), [0; 0]);
}

#[test]
fn scales_that_do_not_fit_are_refused() {
    let x = || tensor(&[2, 3], &[0.0_f32; 6]);
    let quantize = || op("QuantizeLinear");
    assert_eq!(quantize().error([x(), tensor(&[2], &[1.0_f32; 2])]), "there are 2 scales, but axis 1 of the shape [2, 3] has 3 elements");
    assert_eq!(quantize().int("axis", 2).error([x(), tensor(&[3], &[1.0_f32; 3])]), "axis 2 is out of range [-2, 1] for a tensor of rank 2");
    assert_eq!(quantize().error([x(), tensor(&[2, 1], &[1.0_f32; 2])]), "scales of shape [2, 1] are for blocks, but attribute 'block_size' is 0");
    assert_eq!(
        quantize().int("block_size", 2).error([x(), tensor(&[2, 1], &[1.0_f32; 2])]),
        "the scales have shape [2, 1], but blocks of 2 along axis 1 of the shape [2, 3] need [2, 2]"
    );
    assert_eq!(
        quantize().error([x(), tensor(&[3], &[1.0_f32; 3]), scalar(1_u8)]),
        "the scales have shape [3] and the zero points []; there must be as many of both"
    );
    assert_eq!(quantize().int("block_size", -1).error([x(), scalar(1.0_f32)]), "attribute 'block_size' is -1; it must not be negative");
    assert_eq!(
        quantize().int("output_dtype", 3).error([x(), scalar(1.0_f32), scalar(1_u8)]),
        "attribute 'output_dtype' is int8, but the zero point is uint8; both say what comes out"
    );
    assert_eq!(
        op("DequantizeLinear").error([tensor(&[2], &[1_u8, 2]), scalar(1.0_f32), scalar(1_i8)]),
        "input 2 (x_zero_point) should be of the type of x, uint8, but is int8[]"
    );
    assert_eq!(op("DequantizeLinear").error([tensor(&[2], &[1_i64, 2]), scalar(1.0_f32)]), "DequantizeLinear of int64 is not supported");
}

#[test]
fn four_bit_and_eight_bit_floats_go_through() {
    let x = tensor(&[5], &[-100.0_f32, -1.0, 0.25, 0.75, 100.0]);
    let int4 = op("QuantizeLinear").run1([x.clone(), scalar(0.5_f32), scalar(I4::new(1))]);
    assert_tensor(&int4, &[5], &[-8, -1, 1, 3, 7].map(I4::new));
    let back = op("DequantizeLinear").run1([int4, scalar(0.5_f32), scalar(I4::new(1))]);
    assert_tensor(&back, &[5], &[-4.5_f32, -1.0, 0.0, 1.0, 3.0]);
    let float8 = op("QuantizeLinear").int("output_dtype", 17).run1([x, scalar(0.1_f32)]);
    let values: Vec<f32> = float8.as_slice::<F8E4M3Fn>().unwrap().iter().map(|value| value.to_f32()).collect();
    assert_eq!(values, [-448.0, -10.0, 2.5, 7.5, 448.0]);
}

#[test]
fn operands_of_products_are_held_against_each_other() {
    let (left, right) = (tensor(&[2, 3], &[1_u8; 6]), tensor(&[3, 2], &[1_i8; 6]));
    assert_tensor(&op("MatMulInteger").run1([left.clone(), right.clone()]), &[2, 2], &[3_i32; 4]);
    let per_row = tensor(&[2], &[0_u8, 1]);
    assert_tensor(&op("MatMulInteger").run1([left.clone(), right.clone(), per_row]), &[2, 2], &[3, 3, 0, 0]);
    assert_eq!(
        op("MatMulInteger").error([left.clone(), right.clone(), tensor(&[3], &[0_u8; 3])]),
        "input 0 (a_zero_point) should be one number, or one for each of the 2 rows, but is 3 numbers"
    );
    assert_eq!(
        op("MatMulInteger").error([left.clone(), tensor(&[3, 2], &[1_i16; 6])]),
        "input 1 (B) should be a tensor of int8 or uint8, but is int16[3, 2]"
    );
    assert_eq!(
        op("MatMulInteger").error([left.clone(), right.clone(), scalar(0_i8)]),
        "input 2 (a_zero_point) should be a tensor of uint8, but is int8[]"
    );
    assert!(op("MatMulInteger").error([left.clone(), left]).contains("do not multiply"));
    assert_eq!(op("MatMulInteger").infer([typed::<u8>("N, 3"), typed::<i8>("3, 2")]), [Some("int32[N, 2]".to_owned())]);
    let empty = Tensor::empty(ElementType::U8, &[0, 3]);
    assert_tensor::<i32>(&op("MatMulInteger").run1([empty, right]), &[0, 2], &[]);
    let nothing = [Tensor::empty(ElementType::U8, &[2, 0]), Tensor::empty(ElementType::I8, &[0, 2])];
    assert_tensor(&op("MatMulInteger").run1(nothing), &[2, 2], &[0_i32; 4]);
}

#[test]
fn operands_of_convolutions_are_held_against_each_other() {
    let x = || tensor(&[1, 2, 3, 3], &[1_u8; 18]);
    let convolve = op("ConvInteger").opset(10);
    assert_tensor(&convolve.run1([x(), tensor(&[1, 2, 3, 3], &[2_i8; 18])]), &[1, 1, 1, 1], &[36_i32]);
    assert!(convolve.error([x(), tensor(&[1, 3, 1, 1], &[1_i8; 3])]).contains("the input has 2 channels"));
    assert!(convolve.error([x(), tensor(&[2, 2], &[1_i8; 4])]).contains("at least 3"));
    assert!(convolve.error([x(), tensor(&[1, 2, 4, 4], &[1_i8; 32])]).contains("the kernel covers 4 elements"));
    assert!(convolve.error([x(), Tensor::empty(ElementType::I8, &[0, 2, 1, 1])]).contains("have no elements"));
    let zero_points = [x(), tensor(&[1, 2, 1, 1], &[1_i8; 2]), tensor(&[2], &[1_u8; 2])];
    assert_eq!(convolve.error(zero_points), "input 2 (x_zero_point) should be one number, but is 2 numbers");
    let types = [typed::<u8>("N, 2, 8, 8"), typed::<i8>("4, 2, 3, 3")];
    assert_eq!(convolve.infer(types), [Some("int32[N, 4, 6, 6]".to_owned())]);
}

#[test]
fn strips_of_a_large_image_make_the_same_convolution() {
    // More windows than a strip holds, against sums computed one by one.
    let (channels, side, out) = (160, 40, 5);
    let x: Vec<u8> = (0..channels * side * side).map(|index| (index * 37 % 251) as u8).collect();
    let w: Vec<i8> = (0..out * channels * 9).map(|index| (index * 91 % 255) as u8 as i8).collect();
    let y = op("ConvInteger").run1([tensor(&[1, channels, side, side], &x), tensor(&[out, channels, 3, 3], &w), scalar(7_u8)]);
    let y = y.as_slice::<i32>().unwrap();
    let size = side - 2;
    for (channel, row, column) in [(0, 0, 0), (4, 37, 37), (2, 18, 5), (3, 20, 37)] {
        let mut sum = 0;
        for c in 0..channels {
            for tap in 0..9 {
                let value = x[(c * side + row + tap / 3) * side + column + tap % 3];
                sum += (i32::from(value) - 7) * i32::from(w[(channel * channels + c) * 9 + tap]);
            }
        }
        assert_eq!(y[(channel * size + row) * size + column], sum);
    }
}
