//! Expected values are ONNX Runtime's.

use half::f16;

use crate::host::ElementType;
use crate::ops::testing::{Case, assert_close, assert_tensor, op, tensor, typed};
use crate::tensor::Tensor;

const NAN: f32 = f32::NAN;
const INF: f32 = f32::INFINITY;
const X: [f32; 13] = [-INF, -100.0, -3.0, -1.0, -0.5, -1e-3, 0.0, 0.5, 1.0, 3.0, 100.0, INF, NAN];

fn cases() -> Vec<(Case, [f32; 13])> {
    let gelu_tail = [0.0, 0.345_731_23, 0.841_344_7, 2.995_950_2, 100.0, INF, NAN];
    let gelu = [NAN, -0.0, -0.004_049_688_6, -0.158_655_26, -0.154_268_77, -0.000_499_601_07];
    let tanh_tail = [0.0, 0.345_714, 0.841_192, 2.996_362_7, 100.0, INF, NAN];
    let gelu_tanh = [NAN, -0.0, -0.003_637_522_5, -0.158_807_96, -0.154_286, -0.000_499_601_07];
    vec![
        (op("Relu"), [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 1.0, 3.0, 100.0, INF, NAN]),
        (op("LeakyRelu").float("alpha", 0.1), [-INF, -10.0, -0.3, -0.1, -0.05, -0.0001, 0.0, 0.5, 1.0, 3.0, 100.0, INF, NAN]),
        (op("LeakyRelu"), [-INF, -1.0, -0.03, -0.01, -0.005, -1e-5, 0.0, 0.5, 1.0, 3.0, 100.0, INF, NAN]),
        (
            op("Elu").float("alpha", 2.0),
            [-2.0, -2.0, -1.900_425_9, -1.264_241_1, -0.786_938_67, -0.001_999_020_6, 0.0, 0.5, 1.0, 3.0, 100.0, INF, NAN],
        ),
        (
            op("Selu"),
            [
                -1.758_099_3,
                -1.758_099_3,
                -1.670_568_7,
                -1.111_330_7,
                -0.691_758_16,
                -0.001_757_238_4,
                0.0,
                0.525_350_5,
                1.050_701,
                3.152_103,
                105.070_1,
                INF,
                NAN,
            ],
        ),
        (
            op("Softplus"),
            [
                0.0,
                3.783_5e-44,
                0.048_587_356,
                0.313_261_7,
                0.474_077,
                0.692_647_3,
                std::f32::consts::LN_2,
                0.974_077,
                1.313_261_7,
                3.048_587_3,
                100.0,
                INF,
                NAN,
            ],
        ),
        (op("HardSigmoid"), [0.0, 0.0, 0.0, 0.3, 0.4, 0.4998, 0.5, 0.6, 0.7, 1.0, 1.0, 1.0, NAN]),
        (op("HardSigmoid").float("alpha", 0.5).float("beta", 0.25), [0.0, 0.0, 0.0, 0.0, 0.0, 0.2495, 0.25, 0.5, 0.75, 1.0, 1.0, 1.0, NAN]),
        (op("HardSwish"), [NAN, -0.0, -0.0, -0.333_333_33, -0.208_333_33, -0.000_499_833_4, 0.0, 0.291_666_66, 0.666_666_7, 3.0, 100.0, INF, NAN]),
        (op("Gelu"), concat(gelu, gelu_tail)),
        (op("Gelu").text("approximate", "tanh"), concat(gelu_tanh, tanh_tail)),
        (op("Sigmoid"), [0.0, 0.0, 0.047_425_866, 0.268_941_43, 0.377_540_7, 0.499_75, 0.5, 0.622_459_3, 0.731_058_6, 0.952_574_13, 1.0, 1.0, NAN]),
        (
            op("Tanh"),
            [-1.0, -1.0, -0.995_054_7, -0.761_594_2, -0.462_117_17, -0.000_999_999_6, 0.0, 0.462_117_17, 0.761_594_2, 0.995_054_7, 1.0, 1.0, NAN],
        ),
    ]
}

fn concat(head: [f32; 6], tail: [f32; 7]) -> [f32; 13] {
    std::array::from_fn(|index| if index < 6 { head[index] } else { tail[index - 6] })
}

#[test]
fn activations_agree_over_the_whole_range() {
    for (case, expected) in cases() {
        assert_close(&case.run1([tensor(&[13], &X)]), &[13], &expected);
        let doubles = case.run1([tensor(&[13], &X.map(f64::from))]);
        assert_close(&op("Cast").int("to", 1).run1([doubles]), &[13], &expected);
        let halves = case.run1([tensor(&[13], &X.map(f16::from_f32))]);
        assert_eq!(halves.element_type(), ElementType::F16);
        for (half, expected) in halves.as_slice::<f16>().unwrap().iter().zip(expected) {
            let difference = (half.to_f32() - expected).abs();
            assert!(difference <= 1e-3 + 1e-3 * expected.abs() || half.to_f32() == expected || expected.is_nan(), "{half} against {expected}");
        }
    }
    assert_tensor(&op("Relu").run1([tensor(&[2], &[-5_i8, 5])]), &[2], &[0_i8, 5]);
    assert_eq!(
        op("Gelu").text("approximate", "erf").error([Tensor::scalar(1.0_f32)]),
        "attribute 'approximate' is 'erf'; it may be 'none' or 'tanh'"
    );
    // Selu-1 had rounder defaults.
    assert_close(&op("Selu").opset(1).run1([tensor(&[1], &[1.0_f32])]), &[1], &[1.0507]);
}

#[test]
fn clip_takes_attributes_or_inputs() {
    let x = tensor(&[5], &[-INF, -3.0, 0.5, INF, NAN]);
    let low = Tensor::scalar(-1.0_f32);
    let high = Tensor::scalar(2.0_f32);
    assert_close(&op("Clip").opset(6).run1([x.clone()]), &[5], &[f32::MIN, -3.0, 0.5, f32::MAX, NAN]);
    assert_close(&op("Clip").run1([x.clone()]), &[5], &[f32::MIN, -3.0, 0.5, f32::MAX, NAN]);
    assert_close(&op("Clip").opset(6).float("min", -1.0).run1([x.clone()]), &[5], &[-1.0, -1.0, 0.5, f32::MAX, NAN]);
    assert_close(&op("Clip").run1([x.clone(), low.clone(), high.clone()]), &[5], &[-1.0, -1.0, 0.5, 2.0, NAN]);
    let constant = op("Clip").constant(1, &low).constant(2, &high);
    assert_close(&constant.run1([x.clone(), low.clone(), high.clone()]), &[5], &[-1.0, -1.0, 0.5, 2.0, NAN]);
    // Crossed bounds: everything becomes the upper one.
    assert_close(&op("Clip").run1([x.clone(), high, low]), &[5], &[-1.0, -1.0, -1.0, -1.0, NAN]);
    assert_tensor(&op("Clip").run1([tensor(&[3], &[1_i8, 5, 9]), Tensor::scalar(2_i8), Tensor::scalar(6_i8)]), &[3], &[2_i8, 5, 6]);
    assert_tensor(&op("Clip").run1([tensor(&[2], &[1.0_f64, 9.0]), Tensor::scalar(2.0_f64)]), &[2], &[2.0_f64, 9.0]);
    assert_eq!(op("Clip").error([x.clone(), tensor(&[2], &[0.0_f32, 1.0])]), "input 1 (min) should be one number, but is float32[2]");
    assert_eq!(op("Clip").error([x, Tensor::scalar(0.0_f64)]), "expected a tensor of float32, found float64");
}

#[test]
fn prelu_slopes_broadcast_one_way() {
    let x = tensor(&[2, 2], &[-1.0_f32, 2.0, -3.0, -4.0]);
    assert_close(&op("PRelu").run1([x.clone(), tensor(&[2], &[0.5_f32, 0.25])]), &[2, 2], &[-0.5, 2.0, -1.5, -1.0]);
    assert_close(&op("PRelu").run1([x.clone(), Tensor::scalar(0.5_f32)]), &[2, 2], &[-0.5, 2.0, -1.5, -2.0]);
    assert_tensor(&op("PRelu").run1([tensor(&[2], &[-3_i32, 4]), tensor(&[1], &[2_i32])]), &[2], &[-6_i32, 4]);
    assert_eq!(op("PRelu").error([x, tensor(&[1, 2, 2], &[1.0_f32; 4])]), "shape [1, 2, 2] does not broadcast to [2, 2]");
    let image = tensor(&[1, 2, 1, 2], &[-1.0_f32, -2.0, -3.0, 4.0]);
    let per_channel = tensor(&[2], &[0.5_f32, 0.25]);
    assert_close(&op("PRelu").opset(6).run1([image, per_channel]), &[1, 2, 1, 2], &[-0.5, -1.0, -0.75, 4.0]);
}

#[test]
fn softmax_is_stable_and_knows_its_axis() {
    let x = tensor(&[3, 3], &[1.0, 2.0, 3.0, -1.0, 0.0, -INF, 1000.0, 1000.0, 999.0]);
    let expected = [0.090_030_57, 0.244_728_48, 0.665_240_94, 0.268_941_43, 0.731_058_6, 0.0, 0.422_318_82, 0.422_318_82, 0.155_362_41];
    assert_close(&op("Softmax").run1([x.clone()]), &[3, 3], &expected);
    let expected = [-2.407_606, -1.407_606, -0.407_605_95, -1.313_261_6, -0.313_261_66, -INF, -0.861_994_8, -0.861_994_8, -1.861_994_7];
    assert_close(&op("LogSoftmax").run1([x]), &[3, 3], &expected);

    let cube = tensor(&[2, 2, 2], &[0.0_f32, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
    let (low, high) = (0.119_202_91, 0.880_797);
    assert_close(&op("Softmax").int("axis", 1).run1([cube.clone()]), &[2, 2, 2], &[low, low, high, high, low, low, high, high]);
    let (low, high) = (0.017_986_21, 0.982_013_76);
    assert_close(&op("Softmax").int("axis", 0).run1([cube.clone()]), &[2, 2, 2], &[low, low, low, low, high, high, high, high]);
    // Before opset 13 the axes from 1 on (the default) are one.
    let four = [0.032_058_604, 0.087_144_32, 0.236_882_84, 0.643_914_3];
    let eight: Vec<f32> = four.into_iter().chain(four).collect();
    assert_close(&op("Softmax").opset(11).run1([cube.clone()]), &[2, 2, 2], &eight);
    assert_close(&op("Softmax").opset(11).int("axis", 1).run1([cube.clone()]), &[2, 2, 2], &eight);
    let all = [0.000_576_612_83, 0.001_567_396_1, 0.004_260_624_3, 0.011_581_578, 0.031_481_992, 0.085_576_93, 0.232_622_22, 0.632_332_74];
    assert_close(&op("Softmax").opset(9).int("axis", 0).run1([cube.clone()]), &[2, 2, 2], &all);
    let (low, high) = (0.268_941_43, 0.731_058_6);
    assert_close(&op("Softmax").opset(11).int("axis", -1).run1([cube.clone()]), &[2, 2, 2], &[low, high, low, high, low, high, low, high]);
    let logs = [-3.440_189_6, -2.440_189_6, -1.440_189_7, -0.440_189_7];
    let logs: Vec<f32> = logs.into_iter().chain(logs).collect();
    assert_close(&op("LogSoftmax").opset(11).run1([cube.clone()]), &[2, 2, 2], &logs);

    assert_eq!(op("Softmax").int("axis", 3).error([cube]), "axis 3 is out of range [-3, 2] for a tensor of rank 3");
    assert_eq!(op("Softmax").error([Tensor::scalar(1.0_f32)]), "axis -1 does not exist: the tensor has rank 0");
    assert_tensor::<f32>(&op("Softmax").run1([Tensor::empty(ElementType::F32, &[2, 0])]), &[2, 0], &[]);
    assert_tensor::<f32>(&op("Softmax").run1([Tensor::empty(ElementType::F32, &[0, 2])]), &[0, 2], &[]);
    assert_eq!(op("Softmax").infer([typed::<f32>("n, 3")]), [Some("float32[n, 3]".to_owned())]);
}
