//! Expected results from ONNX Runtime 1.31.

use crate::host::ElementType;
use crate::ops::testing::{Case, assert_close, assert_tensor, op, ramp, tensor, typed};
use crate::tensor::Tensor;

/// An operator, its inputs, the shape and the elements of its output.
type Expectation<'a> = (Case, Vec<Tensor>, &'a [usize], &'a [f32]);

#[test]
fn convolutions_agree_with_onnx_runtime() {
    let cases: Vec<Expectation<'_>> = vec![
        (
            op("Conv").ints("strides", &[2]).ints("pads", &[1, 1]),
            vec![ramp(&[1, 2, 5]), ramp(&[3, 2, 3]), ramp(&[3])],
            &[1, 3, 3],
            &[-3.0625, -0.75, -3.75, -1.0625, 1.75, 0.8125, 2.3125, 0.8125, -0.8125],
        ),
        (
            op("Conv").ints("pads", &[1, 0, 0, 2]),
            vec![ramp(&[1, 1, 3, 4]), ramp(&[1, 1, 2, 2])],
            &[1, 1, 3, 5],
            &[1.25, -0.875, 1.8125, -0.625, 0.0, 0.75, 0.75, 0.75, -1.5625, 0.0, 0.75, 0.75, -2.6875, 0.625, 0.0],
        ),
        (
            op("Conv").text("auto_pad", "SAME_LOWER").ints("strides", &[2, 2]),
            vec![ramp(&[1, 1, 4, 5]), ramp(&[1, 1, 3, 2])],
            &[1, 1, 2, 3],
            &[-1.0, -0.625, -1.125, -0.875, -0.9375, 4.1875],
        ),
        (
            op("Conv").text("auto_pad", "SAME_UPPER"),
            vec![ramp(&[1, 1, 3, 3]), ramp(&[1, 1, 2, 2])],
            &[1, 1, 3, 3],
            &[1.5, -1.9375, 1.0, -1.9375, -1.9375, 1.4375, -1.25, -0.5, 1.25],
        ),
        (op("Conv").text("auto_pad", "VALID"), vec![ramp(&[1, 1, 3, 3]), ramp(&[1, 1, 2, 2])], &[1, 1, 2, 2], &[1.5, -1.9375, -1.9375, -1.9375]),
        (
            op("Conv").int("group", 2).ints("dilations", &[2, 3]),
            vec![ramp(&[1, 4, 5, 5]), ramp(&[4, 2, 2, 2]), ramp(&[4])],
            &[1, 4, 3, 2],
            &[
                -0.5, 1.75, -0.25, -4.1875, 0.0, -0.5, 2.6875, 0.875, 0.5, 0.0625, 0.375, 2.6875, 1.5625, -2.25, 3.125, -2.75, -1.5, 1.5625, 3.0625,
                0.0, 4.9375, -0.1875, -0.75, 3.0625,
            ],
        ),
        (
            op("Conv").int("group", 3),
            vec![ramp(&[2, 3, 3, 3]), ramp(&[3, 1, 2, 2])],
            &[2, 3, 2, 2],
            &[
                1.5, -1.9375, -1.9375, -1.9375, 0.875, 0.375, 0.75, -1.8125, 0.875, 1.25, -2.125, 1.0, 2.875, -1.9375, 2.875, -1.9375, 1.125, 0.625,
                1.0, 0.5, 0.0, 0.375, 0.4375, 0.8125,
            ],
        ),
        (
            op("Conv").ints("pads", &[0, 1, 0, 0, 0, 1]),
            vec![ramp(&[1, 2, 2, 3, 3]), ramp(&[1, 2, 2, 2, 2]), ramp(&[1])],
            &[1, 1, 1, 3, 3],
            &[1.3125, -1.8125, -2.4375, 0.0625, -0.1875, -0.5, -6.875, -3.0, 0.1875],
        ),
        (
            op("Conv").ints("kernel_shape", &[1, 1]),
            vec![ramp(&[2, 3, 1, 2]), ramp(&[2, 3, 1, 1]), ramp(&[2])],
            &[2, 2, 1, 2],
            &[-0.0625, -0.875, -1.375, 2.0, -2.875, -0.25, 1.6875, 1.625],
        ),
    ];
    for (case, inputs, shape, expected) in cases {
        assert_close(&case.run1(inputs), shape, expected);
    }
}

#[test]
fn transposed_convolutions_agree_with_onnx_runtime() {
    let cases: Vec<Expectation<'_>> = vec![
        (
            op("ConvTranspose").ints("strides", &[2]).ints("pads", &[1, 0]).ints("output_padding", &[1]),
            vec![ramp(&[1, 2, 3]), ramp(&[2, 2, 3]), ramp(&[2])],
            &[1, 2, 7],
            &[-1.875, -2.25, -1.0, -1.875, -1.5, -0.25, -1.25, -0.125, 0.6875, 0.5625, -1.375, 0.5625, 1.8125, 0.5],
        ),
        (
            op("ConvTranspose").ints("strides", &[2, 2]).ints("pads", &[1, 1, 1, 1]),
            vec![ramp(&[1, 1, 2, 2]), ramp(&[1, 2, 3, 3])],
            &[1, 2, 3, 3],
            &[
                -0.3125, 1.5625, 0.125, -0.25, 0.4375, 0.625, -0.125, 1.9375, 0.3125, 0.625, -1.3125, -0.25, 1.0625, 0.4375, -0.6875, 0.25, 0.0,
                -0.625,
            ],
        ),
        (
            op("ConvTranspose").ints("strides", &[2, 2]).text("auto_pad", "SAME_UPPER"),
            vec![ramp(&[1, 1, 2, 2]), ramp(&[1, 1, 3, 3])],
            &[1, 1, 4, 4],
            &[1.5625, -0.625, 0.0, 0.25, -1.5625, -0.3125, 1.5625, 0.125, -0.625, -0.25, 0.4375, 0.625, -0.625, -0.125, 1.9375, 0.3125],
        ),
        (
            op("ConvTranspose").ints("strides", &[2, 2]).ints("output_shape", &[4, 4]),
            vec![ramp(&[1, 1, 2, 2]), ramp(&[1, 1, 3, 3])],
            &[1, 1, 4, 4],
            &[-0.3125, 1.5625, 0.125, -0.375, -0.25, 0.4375, 0.625, -1.125, -0.125, 1.9375, 0.3125, -0.9375, 0.0, 1.75, 0.0, -1.25],
        ),
        (
            op("ConvTranspose").ints("strides", &[2, 2]).ints("output_shape", &[5, 3]),
            vec![ramp(&[1, 1, 2, 2]), ramp(&[1, 1, 2, 2]), ramp(&[1])],
            &[1, 1, 5, 3],
            &[-1.875, -1.875, -1.0, -2.8125, -1.5, -0.625, -1.5, -2.8125, -0.625, -1.875, -1.875, 0.3125, -1.25, -1.25, -1.25],
        ),
        (
            op("ConvTranspose").int("group", 2).ints("dilations", &[2, 1]),
            vec![ramp(&[1, 4, 2, 2]), ramp(&[4, 1, 2, 2])],
            &[1, 2, 4, 3],
            &[
                1.625, -1.625, 0.8125, 0.875, -2.5625, 0.625, 0.875, -2.5625, 0.625, 1.25, -1.25, 1.5625, 1.25, -2.0, 0.8125, 0.875, 0.5625, -1.0625,
                0.875, 0.5625, -1.0625, 1.625, 1.25, 1.625,
            ],
        ),
        (
            op("ConvTranspose").ints("strides", &[2]).text("auto_pad", "SAME_UPPER"),
            vec![ramp(&[1, 1, 3]), ramp(&[1, 1, 1])],
            &[1, 1, 5],
            &[1.5625, 0.0, -0.625, 0.0, 0.625],
        ),
    ];
    for (case, inputs, shape, expected) in cases {
        assert_close(&case.run1(inputs), shape, expected);
    }
}

#[test]
fn operands_that_lie_are_refused() {
    let cases: Vec<(Case, Vec<Tensor>, &str)> = vec![
        (
            op("Conv"),
            vec![ramp(&[1, 3, 4, 4]), ramp(&[2, 2, 1, 1])],
            "the input has 3 channels, but weights of shape [2, 2, 1, 1] in 1 groups take 2",
        ),
        (op("Conv").int("group", 2), vec![ramp(&[1, 4, 4]), ramp(&[3, 2, 1])], "3 output channels cannot be shared out among 2 groups"),
        (op("Conv").int("group", 0), vec![ramp(&[1, 1, 4]), ramp(&[1, 1, 1])], "attribute 'group' is 0; it must be at least 1"),
        (op("Conv"), vec![ramp(&[1, 1, 2]), ramp(&[1, 1, 3])], "the kernel covers 3 elements of spatial axis 0, which has only 2 with its padding"),
        (
            op("Conv").ints("kernel_shape", &[2]),
            vec![ramp(&[1, 1, 4]), ramp(&[1, 1, 3])],
            "attribute 'kernel_shape' is [2], but the weights have shape [1, 1, 3]",
        ),
        (
            op("Conv").ints("strides", &[0]),
            vec![ramp(&[1, 1, 4]), ramp(&[1, 1, 3])],
            "attribute 'strides' should hold numbers from 1 to 2147483647, but is [0]",
        ),
        (
            op("Conv").ints("strides", &[1, 1]),
            vec![ramp(&[1, 1, 4]), ramp(&[1, 1, 3])],
            "attribute 'strides' does not fit the input, which has 1 spatial axes",
        ),
        (op("Conv"), vec![ramp(&[1, 1, 4]), ramp(&[2, 1, 3]), ramp(&[3])], "the bias has shape [3], but there are 2 output channels"),
        (
            op("Conv"),
            vec![ramp(&[1, 1, 4, 4]), ramp(&[1, 1, 3])],
            "the input of shape [1, 1, 4, 4] and the weights of shape [1, 1, 3] should both be […, channels, spatial axes…] of one rank, at least 3",
        ),
        (op("Conv"), vec![ramp(&[1, 1, 2, 2, 2, 2]), ramp(&[1, 1, 1, 1, 1, 1])], "a convolution over 4 spatial axes is not supported"),
        (
            op("ConvTranspose").int("group", 2),
            vec![ramp(&[1, 3, 4]), ramp(&[3, 1, 2])],
            "the input has 3 channels, which do not fit weights of shape [3, 1, 2] in 2 groups",
        ),
        (
            op("ConvTranspose").ints("pads", &[3, 3]),
            vec![ramp(&[1, 1, 2]), ramp(&[1, 1, 3])],
            "padding of 3 and 3 leaves nothing of spatial axis 0, which spreads over 4 elements",
        ),
        (
            op("ConvTranspose").ints("output_shape", &[1, 2, 3, 4]),
            vec![ramp(&[1, 1, 2]), ramp(&[1, 1, 3])],
            "attribute 'output_shape' is [1, 2, 3, 4], but the input has 1 spatial axes",
        ),
    ];
    for (case, inputs, expected) in cases {
        assert_eq!(case.error(inputs), expected);
    }
    let huge = op("ConvTranspose").ints("strides", &[1 << 30, 1 << 30]);
    assert!(huge.error([ramp(&[1, 1, 9, 9]), ramp(&[1, 1, 1, 1])]).contains("more than the limit"));
    let padded = op("Conv").ints("pads", &[1 << 30, 1 << 30, 1 << 30, 1 << 30]).ints("strides", &[1 << 30, 1 << 30]);
    assert!(padded.error([ramp(&[1, 1, 9, 9]), ramp(&[1, 1, 1, 1])]).contains("more than the limit"));
}

#[test]
fn a_batch_of_none_stays_none() {
    let empty = Tensor::empty(ElementType::F32, &[0, 2, 4, 4]);
    assert_tensor::<f32>(&op("Conv").run1([empty.clone(), ramp(&[3, 2, 2, 2])]), &[0, 3, 3, 3], &[]);
    assert_tensor::<f32>(&op("ConvTranspose").run1([empty, ramp(&[2, 3, 2, 2])]), &[0, 3, 5, 5], &[]);
    let doubles = op("Conv").run1([tensor(&[1, 1, 3], &[1.0_f64, 2.0, 3.0]), tensor(&[1, 1, 2], &[1.0_f64, 10.0])]);
    assert_tensor(&doubles, &[1, 1, 2], &[21.0_f64, 32.0]);
}

#[test]
fn the_batch_stays_symbolic() {
    let conv = op("Conv").ints("strides", &[2, 2]).ints("pads", &[1, 1, 1, 1]);
    let types = [typed::<f32>("N, 3, 224, width"), typed::<f32>("64, 3, 3, 3")];
    assert_eq!(conv.infer(types), [Some("float32[N, 64, 112, ?]".to_owned())]);
    let same = op("Conv").text("auto_pad", "SAME_UPPER");
    assert_eq!(same.infer([typed::<f32>("N, 3, length"), typed::<f32>("8, 3, 5")]), [Some("float32[N, 8, length]".to_owned())]);
    let transposed = op("ConvTranspose").ints("strides", &[2, 2]);
    assert_eq!(transposed.infer([typed::<f32>("N, 4, 8, 8"), typed::<f32>("4, 2, 2, 2")]), [Some("float32[N, 2, 16, 16]".to_owned())]);

    let types = |dims: &str| Some(typed::<f32>(dims));
    let conv_macs = conv.build(2).unwrap().macs(&[types("1, 3, 224, 224"), types("64, 3, 3, 3")], &[types("1, 64, 112, 112")]);
    assert_eq!(conv_macs, Some(64 * 112 * 112 * 27));
    let transposed_macs = transposed.build(2).unwrap().macs(&[types("1, 4, 8, 8"), types("4, 2, 2, 2")], &[None]);
    assert_eq!(transposed_macs, Some(4 * 64 * 8));
}
