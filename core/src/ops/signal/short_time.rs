//! STFT: the spectra of overlapping frames of a signal.

use super::one_integer;
use super::transform::{Lanes, Sample, Transforms};
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, ValueType};
use crate::host::ElementType;
use crate::kernels::fourier::Complex;
use crate::ops::integers::Integers;
use crate::ops::operator::{Outputs, single};
use crate::ops::precision::{cast, compute_type};
use crate::ops::types::{Number, TypeSet, check_same_type};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::Tensor;

/// Of `[batch, samples, 1 or 2]`, `⌊(samples − frame_length) / frame_step⌋ + 1` frames, each times the window: `[batch, frames, bins, 2]`.
///
/// <https://onnx.ai/onnx/operators/onnx__STFT.html>, opset 17.
#[derive(Debug)]
struct Stft {
    /// Only the first half of the spectrum of a real signal.
    is_onesided: bool,
    frame_step: Integers,
    frame_length: Integers,
    transforms: Transforms,
}

pub fn build(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(Stft {
        is_onesided: node.attributes.int("onesided")?.unwrap_or(1) != 0,
        frame_step: Integers::from_input(node, 1, "frame_step")?,
        frame_length: Integers::from_input(node, 3, "frame_length")?,
        transforms: Transforms::default(),
    }))
}

/// How a signal is cut into frames.
struct Frames {
    n_samples: usize,
    n_parts: usize,
    step: usize,
    length: usize,
    n_frames: usize,
    n_bins: usize,
}

impl Stft {
    fn n_bins(&self, frame_length: usize) -> usize {
        if self.is_onesided { frame_length / 2 + 1 } else { frame_length }
    }

    fn frames(&self, signal: &[usize], step: i64, length: Option<i64>, window: Option<&Tensor>) -> Result<Frames, OpError> {
        let &[_, n_samples, n_parts @ (1 | 2)] = signal else {
            return Err(OpError::shape(format!("a signal of shape {signal:?} should be [batch, samples, 1] or [batch, samples, 2]")));
        };
        if self.is_onesided && n_parts == 2 {
            return Err(OpError::shape("the spectrum of a complex signal has no redundant half; set attribute 'onesided' to 0"));
        }
        let positive = |value: i64, what: &str| {
            let positive = usize::try_from(value).ok().filter(|&value| value > 0);
            positive.ok_or_else(|| OpError::value(format!("the {what} is {value}; it must be at least 1")))
        };
        let step = positive(step, "frame step")?;
        let window_length = match window.map(Tensor::shape) {
            None => None,
            Some(&[length]) => Some(length),
            Some(shape) => return Err(OpError::shape(format!("the window has shape {shape:?}; it should be a list"))),
        };
        let length = length.map(|length| positive(length, "frame length")).transpose()?;
        if let (Some(length), Some(window_length)) = (length, window_length)
            && length != window_length
        {
            return Err(OpError::shape(format!("the window has {window_length} weights for frames of {length} samples")));
        }
        let length = length.or(window_length).unwrap_or(n_samples);
        if length == 0 || length > n_samples {
            return Err(OpError::shape(format!("a signal of {n_samples} samples has no frame of {length}")));
        }
        Ok(Frames { n_samples, n_parts, step, length, n_frames: (n_samples - length) / step + 1, n_bins: self.n_bins(length) })
    }

    fn transform<T: Sample>(&self, signal: &Tensor, window: Option<&Tensor>, frames: &Frames, shape: &[usize]) -> Result<Tensor, OpError> {
        let values = signal.as_slice::<T>()?;
        let window = window.map(Tensor::as_slice::<T>).transpose()?;
        let &Frames { n_samples, n_parts, step, length, n_frames, n_bins } = frames;
        let mut results = vec![<T as Number>::ZERO; shape.iter().product()];
        let read = |block: usize, _: usize, lane: &mut [Complex<T>]| {
            let start = block / n_frames * n_samples + block % n_frames * step;
            for (index, sample) in lane.iter_mut().enumerate() {
                let at = (start + index) * n_parts;
                let weight = window.as_ref().map_or(T::ONE, |window| window[index]);
                sample.re = values[at].times(weight);
                if n_parts == 2 {
                    sample.im = values[at + 1].times(weight);
                }
            }
        };
        let write = |_: usize, lane: &[Complex<T>], results: &mut [T]| {
            for (value, result) in lane.iter().zip(results.chunks_exact_mut(2)) {
                (result[0], result[1]) = (value.re, value.im);
            }
        };
        let lanes = Lanes { length, is_inverse: false, per_block: 1, block_length: n_bins * 2 };
        self.transforms.run(lanes, &mut results, read, write);
        Ok(Tensor::from_vec(shape, results)?)
    }
}

impl Operator for Stft {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let Some((element_type, shape)) = inputs.tensor(0) else { return Ok(vec![None]) };
        let dim = |axis: usize| shape.dims().and_then(|dims| dims.get(axis)).cloned().unwrap_or(Dimension::Unknown);
        let one = |integers: &Integers| match integers.inferred(inputs).flatten().as_deref() {
            Some(&[value]) => usize::try_from(value).ok().filter(|&value| value > 0),
            _ => None,
        };
        let window_length = inputs.tensor(2).and_then(|(_, shape)| shape.dims()?.first()?.known());
        let is_whole = self.frame_length == Integers::Absent && inputs.value_type(2).is_none();
        let length = one(&self.frame_length).or(window_length).or_else(|| dim(1).known().filter(|_| is_whole));
        let n_frames = match (dim(1).known(), length, one(&self.frame_step)) {
            (Some(n_samples), Some(length), Some(step)) => n_samples.checked_sub(length).map(|rest| rest / step + 1),
            _ => None,
        };
        let known = |dim: Option<usize>| dim.map_or(Dimension::Unknown, Dimension::Known);
        let dims = vec![dim(0), known(n_frames), known(length.map(|length| self.n_bins(length))), Dimension::Known(2)];
        Ok(vec![Some(ValueType::tensor(element_type, dims))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let signal = inputs.take_tensor(0, "signal")?;
        TypeSet::FLOATS.check(&signal, 0, "signal")?;
        let step = one_integer(&self.frame_step.require(&mut inputs, 1, "frame_step")?, 1, "frame_step")?;
        let window = inputs.take_optional_tensor(2, "window")?;
        if let Some(window) = &window {
            check_same_type(&signal, window)?;
        }
        let length = self.frame_length.get(&mut inputs)?.map(|length| one_integer(&length, 3, "frame_length")).transpose()?;
        let frames = self.frames(signal.shape(), step, length, window.as_ref())?;
        let shape = [signal.shape()[0], frames.n_frames, frames.n_bins, 2];
        let element_type = signal.element_type();
        context.check_result_size(element_type, &shape)?;
        let compute = compute_type(element_type);
        let signal = cast(signal, compute)?;
        let window = window.map(|window| cast(window, compute)).transpose()?;
        let result = match compute {
            ElementType::F64 => self.transform::<f64>(&signal, window.as_ref(), &frames, &shape),
            _ => self.transform::<f32>(&signal, window.as_ref(), &frames, &shape),
        }?;
        Ok(single(cast(result, element_type)?))
    }
}
