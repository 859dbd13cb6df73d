//! What the golden cases leave out: refusals, inference, round trips. Expected results are numpy's and scipy's.

use half::f16;

use crate::host::ElementType;
use crate::ops::testing::{Case, assert_close, assert_tensor, op, ramp, tensor, typed};
use crate::tensor::{Tensor, Value};

fn dft() -> Case {
    op("DFT").opset(20)
}

fn with_length(case: &Case, signal: Tensor, length: i64) -> Tensor {
    case.run1([signal, Tensor::scalar(length)])
}

#[test]
fn spectra_of_an_impulse_are_flat() {
    let impulse = || tensor(&[1, 3, 1], &[1.0_f32, 0.0, 0.0]);
    assert_close(&dft().run1([impulse()]), &[1, 3, 2], &[1.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
    assert_close(&dft().int("onesided", 1).run1([impulse()]), &[1, 2, 2], &[1.0, 0.0, 1.0, 0.0]);
    // Shorter and longer than the signal.
    assert_close(&with_length(&dft(), impulse(), 1), &[1, 1, 2], &[1.0, 0.0]);
    assert_close(&with_length(&dft(), impulse(), 4), &[1, 4, 2], &[1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
    let halves = dft().run1([tensor(&[1, 2, 1], &[f16::ONE, f16::ZERO])]);
    assert_tensor(&halves, &[1, 2, 2], &[f16::ONE, f16::ZERO, f16::ONE, f16::ZERO]);
}

#[test]
fn the_inverse_returns_the_signal() {
    for length in [1, 2, 5, 6] {
        let signal = ramp(&[2, length, 3, 1]);
        let values = signal.as_slice::<f32>().unwrap().to_vec();
        let axis = || Tensor::scalar(1_i64);
        let spectrum = dft().run_values(vec![Some(signal.into()), None, Some(axis().into())]).unwrap().remove(0);
        let back = dft().int("inverse", 1).run_values(vec![Some(spectrum), None, Some(axis().into())]).unwrap().remove(0);
        let back: Vec<f32> = back.into_tensor().unwrap().as_slice::<f32>().unwrap().chunks(2).map(|parts| parts[0]).collect();
        assert_close(&tensor(&[back.len()], &back), &[values.len()], &values);

        let half = op("DFT").opset(17).int("onesided", 1);
        let spectrum = half.run1([tensor(&[2, length, 3, 1], &values)]);
        let back = with_length(&half.clone().int("inverse", 1), spectrum, i64::try_from(length).unwrap());
        assert_close(&back, &[2, length, 3, 1], &values);
    }
}

#[test]
fn axes_lengths_and_parts_are_checked() {
    let signal = || ramp(&[1, 4, 1]);
    let last = dft().run_values(vec![Some(signal().into()), None, Some(Value::Tensor(Tensor::scalar(-1_i64)))]).unwrap_err().to_string();
    assert_eq!(last, "axis -1 is the last one, which holds real and imaginary parts; signals run along another");
    assert_eq!(dft().error([ramp(&[4])]), "a signal of shape [4] should be […, samples, …, 1] or […, samples, …, 2]");
    assert_eq!(dft().error([ramp(&[4, 3])]), "a signal of shape [4, 3] should be […, samples, …, 1] or […, samples, …, 2]");
    assert_eq!(dft().error([signal(), Tensor::scalar(0_i64)]), "a transform needs at least one sample");
    assert_eq!(dft().error([Tensor::empty(ElementType::F32, &[1, 0, 1])]), "a transform needs at least one sample");
    let complex = dft().int("onesided", 1).error([ramp(&[1, 4, 2])]);
    assert_eq!(complex, "a onesided forward transform takes real numbers, but the signal has shape [1, 4, 2]");
    let real = dft().int("onesided", 1).int("inverse", 1).error([signal()]);
    assert_eq!(real, "a onesided inverse transform takes complex numbers, but the signal has shape [1, 4, 1]");
    assert!(dft().error([signal(), Tensor::scalar(i64::MAX)]).contains("more than the limit"));
    assert_tensor::<f32>(&dft().run1([Tensor::empty(ElementType::F32, &[0, 4, 1])]), &[0, 4, 2], &[]);
}

#[test]
fn frames_are_checked() {
    let step = || Tensor::scalar(2_i64);
    let signal = || ramp(&[1, 8, 1]);
    let window = |length: usize| tensor(&[length], &vec![1.0_f32; length]);
    assert_eq!(op("STFT").run1([signal(), step(), window(4)]).shape(), [1, 3, 3, 2]);
    assert_eq!(op("STFT").run1([signal(), step()]).shape(), [1, 1, 5, 2]);
    assert_eq!(op("STFT").error([signal(), Tensor::scalar(0_i64)]), "the frame step is 0; it must be at least 1");
    assert_eq!(op("STFT").error([signal(), step(), window(9)]), "a signal of 8 samples has no frame of 9");
    let differing = op("STFT").error([signal(), step(), window(4), Tensor::scalar(5_i64)]);
    assert_eq!(differing, "the window has 4 weights for frames of 5 samples");
    let complex = op("STFT").error([ramp(&[1, 8, 2]), step()]);
    assert_eq!(complex, "the spectrum of a complex signal has no redundant half; set attribute 'onesided' to 0");
    assert_eq!(op("STFT").error([ramp(&[8]), step()]), "a signal of shape [8] should be [batch, samples, 1] or [batch, samples, 2]");
}

#[test]
fn windows_have_their_peak_in_the_middle() {
    let size = |size: i64| Tensor::scalar(size);
    assert_close(&op("HannWindow").run1([size(4)]), &[4], &[0.0, 0.5, 1.0, 0.5]);
    assert_close(&op("HannWindow").int("periodic", 0).run1([size(3)]), &[3], &[0.0, 1.0, 0.0]);
    assert_close(&op("HannWindow").int("periodic", 0).run1([size(1)]), &[1], &[1.0]);
    assert_tensor::<f32>(&op("HannWindow").run1([size(0)]), &[0], &[]);
    assert_tensor(&op("BlackmanWindow").int("output_datatype", 6).run1([size(8)]), &[8], &[0_i32, 0, 0, 0, 1, 0, 0, 0]);
    assert_eq!(op("HannWindow").int("output_datatype", 11).run1([size(2)]).element_type(), ElementType::F64);
    assert_eq!(op("HannWindow").error([size(-1)]), "a window of -1 elements does not exist");
    assert!(op("HannWindow").error([size(i64::MAX)]).contains("more than the limit"));
    assert_eq!(op("HannWindow").int("output_datatype", 8).error([size(1)]), "attribute 'output_datatype' is 8, which is no type of numbers");
}

#[test]
fn mel_weights_stay_within_the_spectrum() {
    let inputs = |bins: i64, length: i64, rate: i64, low: f32, high: f32| {
        [Tensor::scalar(bins), Tensor::scalar(length), Tensor::scalar(rate), Tensor::scalar(low), Tensor::scalar(high)]
    };
    let case = op("MelWeightMatrix");
    assert_eq!(case.run1(inputs(8, 16, 8192, 0.0, 4096.0)).shape(), [9, 8]);
    let beyond = case.error(inputs(8, 16, 8192, 0.0, 40960.0));
    assert_eq!(beyond, "the upper edge of 40960 Hz lies beyond the spectrum of 9 bins at 8192 samples per second");
    assert_eq!(case.error(inputs(8, 16, 8192, 200.0, 100.0)), "the lower edge of 200 Hz is above the upper edge of 100 Hz");
    assert_eq!(case.error(inputs(0, 16, 8192, 0.0, 100.0)), "input 0 (num_mel_bins) is 0; it must be at least 1");
    assert!(case.error(inputs(8, 16, 8192, f32::NAN, 100.0)).contains("one frequency"));
    assert!(case.error(inputs(i64::MAX, i64::MAX, 1, 0.0, 100.0)).contains("more than the limit"));
}

#[test]
fn shapes_are_inferred() {
    let inferred = |case: Case, types: Vec<crate::graph::ValueType>| case.infer(types).remove(0).unwrap();
    assert_eq!(inferred(dft(), vec![typed::<f32>("n, 8, 1")]), "float32[n, 8, 2]");
    assert_eq!(inferred(dft(), vec![typed::<f32>("n, t, 1")]), "float32[n, t, 2]");
    assert_eq!(inferred(dft().int("onesided", 1), vec![typed::<f32>("n, 8, 1")]), "float32[n, 5, 2]");
    assert_eq!(inferred(dft().int("onesided", 1).int("inverse", 1), vec![typed::<f32>("n, 5, 2")]), "float32[n, 8, 1]");
    let stft = op("STFT").constant(1, &Tensor::scalar(2_i64));
    assert_eq!(inferred(stft, vec![typed::<f32>("n, 8, 1"), typed::<i64>(""), typed::<f32>("4")]), "float32[n, 3, 3, 2]");
    assert_eq!(inferred(op("HannWindow").constant(0, &Tensor::scalar(5_i32)), vec![typed::<i32>("")]), "float32[5]");
}
