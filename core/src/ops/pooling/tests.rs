//! Expected results from ONNX Runtime 1.31.

use super::{Pool, on_device};
use crate::host::ElementType;
use crate::ops::testing::{Case, assert_close, assert_tensor, op, ramp, tensor, typed};
use crate::ops::{NodeContext, OpError, RunContext};
use crate::tensor::{Device, Tensor};

#[test]
fn maxima_and_where_they_are() {
    let case = op("MaxPool").ints("kernel_shape", &[2, 3]).ints("strides", &[2, 2]).ints("pads", &[0, 1, 1, 1]).int("ceil_mode", 1).outputs(2);
    let outputs = case.try_run([ramp(&[1, 2, 5, 5])]).unwrap();
    let maxima = [1.0, 1.25, 1.25, 0.25, 1.0, 1.25, 0.75, 0.5, 0.5, 1.25, 1.0, 1.0, 1.25, 1.25, 1.0, 0.5, 1.25, 0.25];
    assert_close(&outputs[0], &[1, 2, 3, 3], &maxima);
    assert_tensor(&outputs[1], &[1, 2, 3, 3], &[6_i64, 3, 3, 15, 17, 14, 20, 23, 23, 25, 28, 28, 36, 36, 39, 45, 47, 48]);

    let columns = op("MaxPool").ints("kernel_shape", &[2, 2]).int("storage_order", 1).outputs(2);
    let outputs = columns.try_run([ramp(&[1, 2, 3, 4])]).unwrap();
    assert_close(&outputs[0], &[1, 2, 2, 3], &[0.5, 1.0, 1.25, 0.75, 1.0, 1.0, 1.0, 1.25, 1.25, 1.0, 1.0, 0.5]);
    assert_tensor(&outputs[1], &[1, 2, 2, 3], &[3_i64, 7, 9, 5, 7, 7, 16, 18, 18, 16, 16, 23]);

    let cube = op("MaxPool").ints("kernel_shape", &[2, 2, 2]).int("storage_order", 1).outputs(2);
    assert_tensor(&cube.try_run([ramp(&[1, 1, 2, 3, 3])]).unwrap()[1], &[1, 1, 1, 2, 2], &[2_i64, 15, 2, 15]);

    let dilated = op("MaxPool").ints("kernel_shape", &[2]).ints("dilations", &[3]).ints("pads", &[1, 1]);
    assert_close(&dilated.run1([ramp(&[1, 1, 6])]), &[1, 1, 5], &[-0.5, 1.25, 0.5, -0.5, 1.25]);

    let bytes = op("MaxPool").ints("kernel_shape", &[2, 2]).ints("strides", &[1, 2]);
    let image = tensor(&[1, 1, 3, 4], &[3_u8, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8]);
    assert_tensor(&bytes.run1([image]), &[1, 1, 2, 2], &[7_u8, 5, 11, 9]);
}

#[test]
fn means_over_the_elements_that_count() {
    let corners = op("AveragePool").ints("kernel_shape", &[3, 3]).ints("strides", &[2, 2]).ints("pads", &[1, 1, 1, 1]).int("ceil_mode", 1);
    let expected = [-0.3125, 0.25, 0.625, -0.125, 0.055_555_56, -0.333_333_3, 0.0, 0.333_333_3, 0.25];
    assert_close(&corners.run1([ramp(&[1, 1, 4, 4])]), &[1, 1, 3, 3], &expected);
    let expected = [-0.138_888_9, 0.166_666_7, 0.208_333_3, -0.083_333_34, 0.055_555_56, -0.166_666_7, 0.0, 0.166_666_7, 0.0625];
    assert_close(&corners.int("count_include_pad", 1).run1([ramp(&[1, 1, 4, 4])]), &[1, 1, 3, 3], &expected);
    let dilated = op("AveragePool").ints("kernel_shape", &[2]).ints("dilations", &[2]).ints("pads", &[1, 0]);
    assert_close(&dilated.run1([ramp(&[1, 1, 6])]), &[1, 1, 5], &[0.5, -0.875, 0.875, -0.125, 0.25]);
    let same = op("AveragePool").ints("kernel_shape", &[4]).ints("strides", &[2]).text("auto_pad", "SAME_LOWER");
    assert_close(&same.run1([ramp(&[1, 1, 5])]), &[1, 1, 3], &[-0.375, 0.0, 0.333_333_3]);
}

#[test]
fn global_pools_leave_one_number_per_channel() {
    let means = [-0.083_333_34, -0.125, 0.291_666_7, -0.208_333_3];
    assert_close(&op("GlobalAveragePool").run1([ramp(&[2, 2, 3, 2])]), &[2, 2, 1, 1], &means);
    assert_close(&op("GlobalMaxPool").run1([ramp(&[2, 2, 3])]), &[2, 2, 1], &[0.5, 1.25, 1.0, 0.75]);
    assert_eq!(op("GlobalMaxPool").infer([typed::<f32>("N, 8, h, w")]), [Some("float32[N, 8, 1, 1]".to_owned())]);
    let empty = Tensor::empty(ElementType::F32, &[0, 4, 3, 3]);
    assert_tensor::<f32>(&op("GlobalAveragePool").run1([empty]), &[0, 4, 1, 1], &[]);
    let nothing = Tensor::empty(ElementType::F32, &[1, 4, 0, 3]);
    assert_eq!(op("GlobalMaxPool").error([nothing]), "there is nothing to pool: a spatial axis has no elements");
}

#[test]
fn windows_that_lie_are_refused() {
    let cases: Vec<(Case, &[usize], &str)> = vec![
        (op("MaxPool"), &[1, 1, 4], "attribute 'kernel_shape' is missing; the operator needs it"),
        (op("MaxPool").ints("kernel_shape", &[5]), &[1, 1, 4], "the kernel covers 5 elements of spatial axis 0, which has only 4 with its padding"),
        (
            op("MaxPool").ints("kernel_shape", &[2]).ints("pads", &[2, 0]),
            &[1, 1, 4],
            "padding of 2 and 0 is as wide as the kernel of spatial axis 0: a window would see nothing else",
        ),
        (
            op("MaxPool").ints("kernel_shape", &[2]),
            &[1, 1, 4, 4],
            "the input of shape [1, 1, 4, 4] should be [batch, channels, …] with 1 spatial axes",
        ),
        (op("MaxPool").ints("kernel_shape", &[1; 4]), &[1, 1, 1, 1, 1, 1], "a pool over 4 spatial axes is not supported"),
        (op("AveragePool").ints("kernel_shape", &[-1]), &[1, 1, 4], "attribute 'kernel_shape' should hold numbers from 1 to 2147483647, but is [-1]"),
    ];
    for (case, shape, expected) in cases {
        assert_eq!(case.error([ramp(shape)]), expected);
    }
    // A kernel and padding far larger than the input are legal, and cost no more than the input.
    let huge = op("MaxPool").ints("kernel_shape", &[1 << 30]).ints("pads", &[(1 << 30) - 1, 0]);
    assert_close(&huge.run1([ramp(&[1, 1, 3])]), &[1, 1, 3], &[-1.25, 0.5, 0.5]);
}

#[test]
fn batch_and_channels_stay_symbolic() {
    let case = op("MaxPool").ints("kernel_shape", &[3, 3]).ints("strides", &[2, 2]).outputs(2);
    let expected = [Some("float32[N, 64, 55, ?]".to_owned()), Some("int64[N, 64, 55, ?]".to_owned())];
    assert_eq!(case.infer([typed::<f32>("N, 64, 111, w")]), expected);
}

/// The path that GPUs take agrees with the host's, on the CPU too.
#[test]
fn pools_over_burn_agree_with_the_host() {
    let device = Device::Cpu;
    let context = RunContext { device: &device, max_result_bytes: 1 << 30, task: &crate::task::TaskCtx::unattended() };
    let window = |case: Case| case.ints("kernel_shape", &[3, 2]).ints("strides", &[2, 3]).ints("pads", &[1, 0, 2, 1]).int("ceil_mode", 1);
    let line = |case: Case| case.ints("kernel_shape", &[3]).ints("strides", &[2]).ints("pads", &[2, 1]);
    let dilated = op("MaxPool").ints("kernel_shape", &[2, 2]).ints("dilations", &[2, 3]).ints("pads", &[1, 1, 1, 2]);
    let average = || op("AveragePool");
    type Build = fn(&NodeContext<'_>) -> Result<Pool, OpError>;
    let cases: [(Case, Build, Vec<usize>); 9] = [
        (window(op("MaxPool")), Pool::maximum, vec![2, 3, 6, 7]),
        (window(average()), Pool::average, vec![2, 3, 6, 7]),
        (window(average().int("count_include_pad", 1)), Pool::average, vec![2, 3, 6, 7]),
        (line(average()), Pool::average, vec![1, 2, 9]),
        (line(op("MaxPool")), Pool::maximum, vec![1, 2, 9]),
        (dilated, Pool::maximum, vec![1, 2, 5, 6]),
        (average().ints("kernel_shape", &[2, 2]).text("auto_pad", "SAME_UPPER"), Pool::average, vec![1, 2, 3, 4]),
        (window(op("LpPool").int("p", 3)), Pool::norm, vec![2, 3, 6, 7]),
        (line(op("LpPool")), Pool::norm, vec![1, 2, 9]),
    ];
    for (case, build, shape) in cases {
        let pool = case.with_context(1, build).unwrap();
        let input = ramp(&shape);
        let windows = pool.place(&input).unwrap();
        let expected = case.run1([input.clone()]);
        let over_burn = on_device::run(input, &windows, expected.shape(), pool.kind, &context).unwrap();
        assert_close(&over_burn, expected.shape(), &expected.as_slice::<f32>().unwrap());
    }
}

#[test]
fn norms_of_windows_and_channels() {
    // ONNX Runtime.
    let x = || tensor(&[1, 1, 2, 3], &[3.0_f32, -4.0, 0.0, 1.0, 2.0, -2.0]);
    let window = |p: i64| op("LpPool").ints("kernel_shape", &[2, 2]).int("p", p);
    assert_close(&window(2).run1([x()]), &[1, 1, 1, 2], &[30.0_f32.sqrt(), 24.0_f32.sqrt()]);
    assert_close(&window(1).run1([x()]), &[1, 1, 1, 2], &[10.0, 8.0]);
    assert_close(
        &window(3).ints("pads", &[1, 1, 0, 0]).run1([x()]),
        &[1, 1, 2, 3],
        &[3.0, 91.0_f32.cbrt(), 4.0, 28.0_f32.cbrt(), 100.0_f32.cbrt(), 80.0_f32.cbrt()],
    );
    assert_close(&op("GlobalLpPool").run1([x()]), &[1, 1, 1, 1], &[34.0_f32.sqrt()]);
    assert_close(&op("GlobalLpPool").int("p", 1).run1([x()]), &[1, 1, 1, 1], &[12.0]);
    assert_close(&op("LpPool").opset(1).float("p", 1.0).ints("kernel_shape", &[1, 3]).run1([x()]), &[1, 1, 2, 1], &[7.0, 5.0]);
    assert_eq!(window(0).error([x()]), "attribute 'p' should be from 1 to 1000000000, but is 0");
    assert!(window(i64::MAX).error([x()]).starts_with("attribute 'p' should be from 1 to 1000000000"));
}
