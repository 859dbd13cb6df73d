//! Expected results from the specification's examples; the golden cases hold the rest.

use super::geometry::{AspectRatio, AxisPlan, Blend, Coordinates, Mode, Nearest, Request, Target};
use super::{host, on_device};
use crate::host::ElementType;
use crate::ops::RunContext;
use crate::ops::testing::{Case, assert_bools, assert_close, assert_strings, assert_tensor, bools, op, ramp, strings, tensor, typed};
use crate::tensor::{Device, Tensor, Value};

/// Runs with scales, and without a region and sizes.
fn scaled(case: &Case, x: Tensor, scales: &[f32]) -> Tensor {
    let scales = tensor(&[scales.len()], scales);
    let outputs = case.run_values(vec![Some(Value::Tensor(x)), None, Some(Value::Tensor(scales))]).unwrap();
    outputs[0].as_tensor().unwrap().clone()
}

fn error(case: &Case, x: Tensor, region: Option<&[f32]>, scales: Option<&[f32]>, sizes: Option<&[i64]>) -> String {
    let floats = |values: Option<&[f32]>| values.map(|values| Value::Tensor(tensor(&[values.len()], values)));
    let sizes = sizes.map(|sizes| Value::Tensor(tensor(&[sizes.len()], sizes)));
    case.run_values(vec![Some(Value::Tensor(x)), floats(region), floats(scales), sizes]).unwrap_err().to_string()
}

fn square() -> Tensor {
    tensor(&[1, 1, 2, 2], &[1.0_f32, 2.0, 3.0, 4.0])
}

#[test]
fn whole_numbers_are_not_truncated_to_the_one_below() {
    // 9 · ⅔ + 6 · ⅓ is 8, though not in floating-point numbers.
    let (line, scales) = (tensor(&[1, 1, 1, 4], &[2_i32, 9, 6, -8]), tensor(&[4], &[1.0_f32, 1.0, 1.0, 1.5]));
    let stretched = op("Resize").opset(10).text("mode", "linear").run1([line, scales]);
    assert_tensor(&stretched, &[1, 1, 1, 6], &[2_i32, 6, 8, 6, -3, -8]);
}

#[test]
fn the_examples_of_the_specification() {
    let nearest = scaled(&op("Resize"), square(), &[1.0, 1.0, 2.0, 3.0]);
    assert_close(&nearest, &[1, 1, 4, 6], &[[1., 1., 1., 2., 2., 2.].repeat(2), [3., 3., 3., 4., 4., 4.].repeat(2)].concat());
    let linear = op("Resize").text("mode", "linear");
    let expected = [1., 1.25, 1.75, 2., 1.5, 1.75, 2.25, 2.5, 2.5, 2.75, 3.25, 3.5, 3., 3.25, 3.75, 4.];
    assert_close(&scaled(&linear, square(), &[1.0, 1.0, 2.0, 2.0]), &[1, 1, 4, 4], &expected);
    let rows = tensor(&[1, 1, 2, 4], &[1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
    assert_close(&scaled(&linear, rows.clone(), &[1.0, 1.0, 0.6, 0.6]), &[1, 1, 1, 2], &[2.666_666_5, 4.333_333_5]);
    // The exact length of the resized axis, 2.4, decides where its corners are.
    let corners = linear.text("coordinate_transformation_mode", "align_corners");
    assert_close(&scaled(&corners, rows, &[1.0, 1.0, 0.6, 0.6]), &[1, 1, 1, 2], &[1.0, 3.142_857]);
}

#[test]
fn nearest_neighbours_of_any_type() {
    assert_strings(&scaled(&op("Resize"), strings(&[2], &["a", "b"]), &[2.0]), &[4], &["a", "a", "b", "b"]);
    assert_bools(&scaled(&op("Resize"), bools(&[1, 2], &[true, false]), &[2.0, 1.0]), &[2, 2], &[true, false, true, false]);
    assert_tensor(&scaled(&op("Resize"), tensor(&[4], &[1_u16, 2, 3, 4]), &[0.5]), &[2], &[1_u16, 3]);
    // ONNX Runtime.
    let early = op("Resize").opset(10).run1([tensor(&[8], &[0_i8, 1, 2, 3, 4, 5, 6, 7]), tensor(&[1], &[0.6_f32])]);
    assert_tensor(&early, &[4], &[0_i8, 2, 4, 5]);
    assert_tensor(&op("Upsample").opset(7).floats("scales", &[2.0]).run1([tensor(&[1], &[7.0_f32])]), &[2], &[7.0_f32, 7.0]);
}

#[test]
fn degenerate_sizes() {
    assert_eq!(scaled(&op("Resize"), Tensor::empty(ElementType::F32, &[0, 3]), &[1.0, 2.0]).shape(), [0, 6]);
    assert_eq!(scaled(&op("Resize"), ramp(&[1, 2]), &[1.0, 0.4]).shape(), [1, 0]);
    assert_eq!(op("Resize").run1([Tensor::scalar(1.0_f32)]).shape(), [0; 0]);
    let nothing = error(&op("Resize"), Tensor::empty(ElementType::F32, &[0]), None, None, Some(&[2]));
    assert_eq!(nothing, "a tensor of shape [0] has no elements to make one of shape [2] from");
    // A flat image stays flat, whatever the weights.
    let flat = scaled(&op("Resize").text("mode", "linear"), tensor(&[5, 5], &[199_u8; 25]), &[1.7, 2.3]);
    assert_tensor(&flat, &[8, 11], &[199_u8; 88]);
    let nan = scaled(&op("Resize").text("mode", "linear"), tensor(&[2], &[1.0_f32, f32::NAN]), &[2.0]);
    let nan = nan.as_slice::<f32>().unwrap();
    assert!(nan[0].is_nan() || nan[0] == 1.0);
    assert!(nan[3].is_nan());
}

#[test]
fn requests_that_make_no_sense_are_refused() {
    let case = op("Resize");
    let x = || ramp(&[2, 3]);
    assert_eq!(error(&case, x(), None, None, None), "neither scales nor sizes are given");
    assert_eq!(error(&case, x(), None, Some(&[1.0, 1.0]), Some(&[2, 3])), "both scales and sizes are given; only one of them may be");
    assert_eq!(error(&case, x(), None, Some(&[1.0]), None), "input 'scales' should have one entry for each of 2 axes, but has 1");
    assert_eq!(error(&case, x(), None, Some(&[1.0, 0.0]), None), "an axis of 3 elements cannot be scaled by 0");
    assert!(error(&case, x(), None, Some(&[1.0, f32::NAN]), None).contains("cannot be scaled by NaN"));
    assert!(error(&case, x(), None, Some(&[1.0, 1e30]), None).contains("cannot be scaled"));
    assert!(error(&case, x(), None, Some(&[1e6, 1e6]), None).contains("more than the limit"));
    assert!(error(&case, x(), None, None, Some(&[2, -1])).contains("is negative"));
    assert!(error(&case.clone().ints("axes", &[1, -1]), x(), None, None, Some(&[2, 2])).contains("axis 1 is given twice"));
    assert!(error(&case.clone().ints("axes", &[2]), x(), None, None, Some(&[2])).contains("axis 2 is out of range"));
    let crop = case.clone().text("coordinate_transformation_mode", "tf_crop_and_resize");
    assert!(error(&crop, x(), None, None, Some(&[2, 3])).contains("(roi) is missing"));
    assert!(error(&crop, x(), Some(&[0.0, 1.0]), None, Some(&[2, 3])).contains("input 'roi' should have a finite start and end for each of 2 axes"));
    let linear = case.clone().text("mode", "linear");
    assert_eq!(error(&linear, bools(&[1], &[true]), None, Some(&[2.0]), None), "interpolating bool is not supported");
    for (name, value) in [("mode", "area"), ("nearest_mode", "round"), ("keep_aspect_ratio_policy", "crop")] {
        assert!(error(&case.clone().text(name, value), x(), None, Some(&[1.0, 1.0]), None).contains(&format!("'{value}'")));
    }
    let late = case.clone().text("coordinate_transformation_mode", "tf_half_pixel_for_nn");
    assert!(error(&late, x(), None, Some(&[1.0, 1.0]), None).ends_with("which opset 21 does not know"));
    assert!(error(&case.int("antialias", 1), x(), None, Some(&[1.0, 1.0]), None).contains("the mode is nearest"));
    assert!(op("Upsample").opset(7).error([x()]).contains("'scales' is missing"));
}

#[test]
fn known_scales_and_sizes_make_the_shape() {
    let types = || [typed::<f32>("N, 3, 20, w"), typed::<f32>("0"), typed::<f32>("4")];
    let scales = op("Resize").constant(2, &tensor(&[4], &[1.0_f32, 1.0, 2.0, 2.0]));
    assert_eq!(scales.infer(types()), [Some("float32[N, 3, 40, ?]".to_owned())]);
    assert_eq!(op("Resize").infer(types()), [Some("float32[?, ?, ?, ?]".to_owned())]);
    assert_eq!(op("Resize").ints("axes", &[2, 3]).infer(types()), [Some("float32[N, 3, ?, ?]".to_owned())]);
    let sizes = op("Resize").ints("axes", &[-1]).constant(3, &tensor(&[1], &[7_i64]));
    assert_eq!(sizes.infer([typed::<f32>("N, w"), typed::<f32>("0"), typed::<f32>("0"), typed::<i64>("1")]), [Some("float32[N, 7]".to_owned())]);
    let attribute = op("Upsample").opset(7).floats("scales", &[1.0, 3.0]);
    assert_eq!(attribute.infer([typed::<f32>("N, 5")]), [Some("float32[N, 15]".to_owned())]);
}

/// The path that GPUs take agrees with the host's, on the CPU too.
#[test]
fn resizing_over_burn_agrees_with_the_host() {
    let device = Device::Cpu;
    let context = RunContext { device: &device, max_result_bytes: 1 << 30, task: &crate::task::TaskCtx::unattended() };
    let x = ramp(&[2, 3, 7, 5]);
    for (mode, antialias) in [(Mode::Linear, false), (Mode::Linear, true), (Mode::Cubic(-0.75), false), (Mode::Cubic(-0.5), true)] {
        let blend = Blend { mode, coordinates: Coordinates::HalfPixel, antialias, exclude_outside: antialias };
        let targets = Target::of_axes(x.shape(), Some(&[2, 3]), &Request::Sizes(&[4, 11], AspectRatio::Stretch), None).unwrap();
        let plans: Vec<AxisPlan> = targets.iter().map(|target| AxisPlan::new(target, &blend)).collect();
        let expected = host::blend(x.clone(), &plans, 0.0, false).unwrap();
        let over_burn = on_device::blend(x.clone(), &plans, &context).unwrap();
        assert_close(&over_burn, &[2, 3, 4, 11], &expected.as_slice::<f32>().unwrap());
    }
}

/// Shrinking by any factor reads each element of the input a bounded number of times.
#[test]
fn taps_are_as_many_as_the_input_has_elements() {
    let blend = Blend { mode: Mode::Cubic(-0.75), coordinates: Coordinates::HalfPixel, antialias: true, exclude_outside: false };
    let targets = Target::of_axes(&[10_000], None, &Request::Sizes(&[1], AspectRatio::Stretch), None).unwrap();
    let plan = AxisPlan::new(&targets[0], &blend);
    assert!(plan.n_taps <= 10_000 && (plan.weights.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    let blend = Blend { mode: Mode::Nearest(Nearest::Floor), ..blend };
    assert!(AxisPlan::new(&Target::of_axes(&[3], None, &Request::Scales(&[1.0]), None).unwrap()[0], &blend).is_identity());
}

/// Work that is shared among threads gives what a single thread would.
#[test]
fn large_planes_are_resized_in_parts() {
    let linear = op("Resize").text("mode", "linear");
    let column = ramp(&[100, 1]);
    let wide = op("Expand").run1([column.clone(), tensor(&[2], &[100_i64, 500])]);
    let expected = scaled(&linear, column, &[2.5, 1.0]);
    let expected = op("Expand").run1([expected, tensor(&[2], &[250_i64, 500])]);
    assert_close(&scaled(&linear, wide, &[2.5, 1.0]), &[250, 500], &expected.as_slice::<f32>().unwrap());
}
