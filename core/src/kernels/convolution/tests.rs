//! Every method and every level of the processor against the definition of a convolution, summed in float64.

use super::*;
use crate::kernels::activation::Activation;
use crate::kernels::simd::Level;

/// Numbers from -1 to 1 without a pattern.
fn noise(length: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..length).map(|_| next()).collect()
}

#[derive(Debug, Clone, Copy)]
struct Case {
    batch: usize,
    channels: usize,
    outputs: usize,
    groups: usize,
    axes: [Axis; 2],
}

/// Kernel, stride, dilation, padding before and after.
fn axis(input: usize, kernel: usize, stride: usize, dilation: usize, padding: [usize; 2]) -> Axis {
    let output = (input + padding[0] + padding[1] - (kernel - 1) * dilation - 1) / stride + 1;
    Axis { input, kernel, stride, dilation, before: padding[0], output }
}

fn case(channels: usize, outputs: usize, groups: usize, axes: [Axis; 2]) -> Case {
    Case { batch: 1, channels, outputs, groups, axes }
}

/// The definition; channels-last throughout.
fn expected(case: Case, input: &[f32], weights: Weights<'_>, summand: Option<&[f32]>) -> Vec<f64> {
    let [height, width] = case.axes;
    let (per_group, out_per_group) = (case.channels / case.groups, case.outputs / case.groups);
    let mut result = Vec::new();
    for (image, y, x) in (0..case.batch).flat_map(|image| (0..height.output).flat_map(move |y| (0..width.output).map(move |x| (image, y, x)))) {
        for output in 0..case.outputs {
            let mut sum = weights.bias.map_or(0.0, |bias| f64::from(bias[output]));
            for (ky, kx) in (0..height.kernel).flat_map(|ky| (0..width.kernel).map(move |kx| (ky, kx))) {
                let place = |axis: Axis, at: usize, tap: usize| {
                    (at * axis.stride + tap * axis.dilation).checked_sub(axis.before).filter(|&place| place < axis.input)
                };
                let (Some(from_y), Some(from_x)) = (place(height, y, ky), place(width, x, kx)) else { continue };
                for channel in 0..per_group {
                    let at = ((image * height.input + from_y) * width.input + from_x) * case.channels + output / out_per_group * per_group + channel;
                    let weight = weights.elements[((output * per_group + channel) * height.kernel + ky) * width.kernel + kx];
                    sum += f64::from(input[at]) * f64::from(weight);
                }
            }
            result.push(sum + summand.map_or(0.0, |summand| f64::from(summand[result.len()])));
        }
    }
    result
}

/// Runs a case with the input in either layout and holds it against the definition; errors may be as large as the sums' terms make them.
fn check(case: Case, tolerance: f64) {
    let [height, width] = case.axes;
    let n_places = case.batch * height.input * width.input;
    let input = noise(n_places * case.channels, 1);
    let shape = [case.outputs, case.channels / case.groups, height.kernel, width.kernel];
    let (elements, bias) = (noise(shape.iter().product(), 2), noise(case.outputs, 3));
    let weights = Weights { shape, elements: &elements, bias: Some(&bias) };
    let summand = noise(case.batch * height.output * width.output * case.outputs, 4);
    let convolution = Convolution::new(weights, case.groups);
    let plane = height.input * width.input;
    let channels_first: Vec<f32> = (0..input.len())
        .map(|at| {
            let (image, channel, place) = (at / (plane * case.channels), at / plane % case.channels, at % plane);
            input[(image * plane + place) * case.channels + channel]
        })
        .collect();
    let image = |elements, layout| Image { batch: case.batch, channels: case.channels, elements, layout };
    for (image, summand, activation) in [
        (image(&input, Layout::ChannelsLast), None, Activation::Identity),
        (image(&channels_first, Layout::ChannelsFirst), Some(summand.as_slice()), Activation::RELU),
    ] {
        let found = convolution.run(image, case.axes, Epilogue { summand, activation });
        let expected = expected(case, &input, weights, summand);
        assert_eq!(found.len(), expected.len());
        for (index, (&found, expected)) in found.iter().zip(expected).enumerate() {
            let expected = if activation == Activation::RELU { expected.max(0.0) } else { expected };
            assert!((f64::from(found) - expected).abs() <= tolerance, "{case:?}, element {index}: {found} instead of {expected}");
        }
    }
}

#[test]
fn products_of_every_geometry_follow_the_definition() {
    let plain = |size, kernel, padding: usize| axis(size, kernel, 1, 1, [padding; 2]);
    for case in [
        case(1, 12, 1, [plain(8, 3, 1); 2]),
        case(12, 24, 1, [plain(8, 3, 1); 2]),
        case(5, 7, 1, [plain(9, 1, 0), plain(6, 1, 0)]),
        case(33, 17, 1, [axis(9, 1, 2, 1, [0, 0]), axis(6, 1, 3, 1, [0, 0])]),
        case(3, 20, 1, [axis(15, 7, 2, 1, [3, 3]), axis(14, 7, 2, 1, [3, 2])]),
        case(6, 8, 2, [plain(7, 3, 1), axis(8, 3, 2, 2, [2, 0])]),
        case(8, 40, 4, [axis(11, 5, 3, 2, [4, 4]), plain(5, 2, 0)]),
        case(4, 6, 1, [Axis::TRIVIAL, axis(20, 5, 2, 3, [0, 7])]),
        // Padding wider than the kernel: whole windows of it.
        case(2, 3, 1, [axis(3, 2, 1, 1, [4, 5]), axis(2, 1, 1, 1, [2, 1])]),
        // Input that no window reaches.
        case(3, 5, 1, [axis(8, 1, 5, 1, [0, 0]), axis(9, 2, 4, 1, [1, 0])]),
        Case { batch: 3, ..case(9, 18, 1, [plain(4, 3, 1), plain(5, 3, 0)]) },
        Case { batch: 2, ..case(32, 16, 2, [plain(5, 2, 1); 2]) },
    ] {
        check(case, 1e-4);
    }
}

#[test]
fn a_kernel_for_each_channel_follows_the_definition() {
    for channels in [3, 16, 37] {
        for axes in [
            [axis(9, 3, 1, 1, [1, 1]), axis(15, 3, 1, 1, [1, 1])],
            [axis(9, 3, 2, 1, [0, 1]), axis(13, 5, 2, 2, [4, 4])],
            [Axis::TRIVIAL, axis(30, 4, 1, 1, [3, 0])],
            // Padding wider than the kernel, a kernel wider than the input, and input that no window reaches.
            [axis(3, 2, 1, 1, [4, 5]), axis(2, 1, 1, 1, [2, 1])],
            [axis(3, 5, 1, 1, [2, 2]), axis(30, 3, 3, 2, [1, 6])],
            [axis(8, 1, 5, 1, [0, 0]), axis(19, 2, 4, 1, [1, 0])],
        ] {
            check(Case { batch: 2, ..case(channels, channels, channels, axes) }, 1e-5);
        }
    }
}

#[test]
fn winograds_method_follows_the_definition() {
    // Its transforms magnify rounding by an order of magnitude.
    for (channels, outputs, height, width, padding) in [(32, 32, 16, 16, 1), (40, 33, 15, 18, 1), (35, 50, 13, 14, 0), (32, 48, 14, 13, 2)] {
        let axes = [axis(height, 3, 1, 1, [padding; 2]), axis(width, 3, 1, 1, [padding, 1])];
        let case = Case { batch: 2, ..case(channels, outputs, 1, axes) };
        assert!(Winograd::pays(case.batch, axes));
        check(case, 1e-3);
    }
}

#[test]
fn few_tiles_are_summed_directly() {
    check(case(32, 40, 1, [axis(7, 3, 1, 1, [1, 1]); 2]), 1e-4);
    check(case(32, 40, 1, [axis(9, 3, 2, 1, [1, 1]); 2]), 1e-4);
}

#[test]
fn every_level_computes_the_same() {
    let axes = [axis(18, 3, 1, 1, [1, 1]); 2];
    let (channels, outputs) = (34, 45);
    let (input, elements, bias) = (noise(18 * 18 * channels, 5), noise(outputs * channels * 9, 6), noise(outputs, 7));
    let weights = Weights { shape: [outputs, channels, 3, 3], elements: &elements, bias: Some(&bias) };
    let each = Weights { shape: [channels, 1, 3, 3], elements: &elements[..channels * 9], bias: None };
    let image = Image { batch: 1, channels, elements: &input, layout: Layout::ChannelsLast };
    let case = case(channels, outputs, 1, axes);
    let run = |n: usize, work: &dyn Fn(&mut [MaybeUninit<f32>])| {
        let mut result = vec![MaybeUninit::new(f32::NAN); n];
        work(&mut result);
        result.into_iter().map(|element| unsafe { element.assume_init() }).collect::<Vec<f32>>()
    };
    let close = |found: &[f32], expected: &[f64]| found.iter().zip(expected).all(|(&found, expected)| (f64::from(found) - expected).abs() < 1e-3);
    for level in Level::available() {
        let winograd = Winograd::with_level(level, weights);
        let found = run(18 * 18 * outputs, &|result| winograd.run(image, axes, Epilogue::default(), result));
        assert!(close(&found, &expected(case, &input, weights, None)), "Winograd on {level:?}");
        let depthwise = Depthwise::with_level(level, each);
        let epilogue = Epilogue { summand: None, activation: Activation::HardSwish };
        let found = run(18 * 18 * channels, &|result| depthwise.run(image, axes, epilogue, result));
        let sums = expected(Case { outputs: channels, groups: channels, ..case }, &input, each, None);
        let expected: Vec<f64> = sums.iter().map(|x| x * (x / 6.0 + 0.5).clamp(0.0, 1.0)).collect();
        assert!(close(&found, &expected), "a kernel for each channel on {level:?}");
    }
}
