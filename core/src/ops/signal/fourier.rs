//! DFT: the spectrum of a signal along an axis, and back.

use super::one_integer;
use super::transform::{Lanes, Sample, Transforms};
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::host::ElementType;
use crate::kernels::fourier::Complex;
use crate::ops::integers::Integers;
use crate::ops::operator::{Outputs, single};
use crate::ops::precision::{cast, compute_type};
use crate::ops::shape::normalize_axis;
use crate::ops::types::{Number, TypeSet};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::{Shape, Tensor};

/// Signals are `[…, n, …, 1]` (real) or `[…, n, …, 2]` (real and imaginary parts). The inverse divides by the length.
///
/// <https://onnx.ai/onnx/operators/onnx__DFT.html>, opsets 17 (`axis` is an attribute, 1 by default), 20 (an input, the last signal axis by default).
#[derive(Debug)]
struct Dft {
    is_inverse: bool,
    /// Forward, only the first half of the spectrum of a real signal is returned; inverse, only that half is given and the result is real.
    is_onesided: bool,
    length: Integers,
    axis: Integers,
    default_axis: i64,
    transforms: Transforms,
}

pub fn build(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let flag = |name: &str| Ok::<_, OpError>(node.attributes.int(name)?.unwrap_or(0) != 0);
    let has_axis_input = node.opset >= 20;
    let default_axis = if has_axis_input { -2 } else { node.attributes.int("axis")?.unwrap_or(1) };
    Ok(Box::new(Dft {
        is_inverse: flag("inverse")?,
        is_onesided: flag("onesided")?,
        length: Integers::from_input(node, 1, "dft_length")?,
        axis: if has_axis_input { Integers::from_input(node, 2, "axis")? } else { Integers::Absent },
        default_axis,
        transforms: Transforms::default(),
    }))
}

/// What a transform does to a shape.
struct Extent {
    axis: usize,
    /// Samples of the transform.
    length: usize,
    /// Samples along the axis of the result.
    n_results: usize,
    /// Parts of a number of the result: 1 or 2.
    n_parts: usize,
}

impl Dft {
    fn axis(&self, given: Option<&[i64]>, rank: usize) -> Result<usize, OpError> {
        let axis = given.map(|axis| one_integer(axis, 2, "axis")).transpose()?.unwrap_or(self.default_axis);
        let index = normalize_axis(axis, rank)?;
        if index + 1 == rank {
            return Err(OpError::shape(format!("axis {axis} is the last one, which holds real and imaginary parts; signals run along another")));
        }
        Ok(index)
    }

    fn default_length(&self, n_samples: usize) -> Option<usize> {
        if self.is_inverse && self.is_onesided { n_samples.checked_sub(1)?.checked_mul(2) } else { Some(n_samples) }
    }

    fn extent(&self, shape: &[usize], length: Option<&[i64]>, axis: Option<&[i64]>) -> Result<Extent, OpError> {
        let n_parts = match shape {
            [.., n_parts @ (1 | 2)] if shape.len() >= 2 => *n_parts,
            _ => return Err(OpError::shape(format!("a signal of shape {shape:?} should be […, samples, …, 1] or […, samples, …, 2]"))),
        };
        if self.is_onesided && (n_parts == 1) == self.is_inverse {
            let (what, how) = if self.is_inverse { ("inverse", "complex") } else { ("forward", "real") };
            return Err(OpError::shape(format!("a onesided {what} transform takes {how} numbers, but the signal has shape {shape:?}")));
        }
        let axis = self.axis(axis, shape.len())?;
        let length = match length.map(|length| one_integer(length, 1, "dft_length")).transpose()? {
            Some(length) => usize::try_from(length).ok(),
            None => self.default_length(shape[axis]),
        };
        let length = length.filter(|&length| length > 0).ok_or_else(|| OpError::value("a transform needs at least one sample"))?;
        let n_results = if self.is_onesided && !self.is_inverse { length / 2 + 1 } else { length };
        Ok(Extent { axis, length, n_results, n_parts: if self.is_onesided && self.is_inverse { 1 } else { 2 } })
    }

    fn transform<T: Sample>(&self, signal: &Tensor, extent: &Extent, result_shape: &[usize]) -> Result<Tensor, OpError> {
        let values = signal.as_slice::<T>()?;
        let shape = signal.shape();
        let &Extent { axis, length, n_results, n_parts } = extent;
        let (n_samples, from_parts) = (shape[axis], shape[shape.len() - 1]);
        let n_inner: usize = shape[axis + 1..shape.len() - 1].iter().product();
        let mut results = vec![<T as Number>::ZERO; result_shape.iter().product()];
        // Of a half spectrum, the other half follows.
        let n_given = if self.is_inverse && self.is_onesided { length / 2 + 1 } else { length };
        let scale = if self.is_inverse { <T as Number>::from_f64(1.0 / length as f64) } else { T::ONE };
        let read = |outer: usize, inner: usize, lane: &mut [Complex<T>]| {
            for (index, sample) in lane.iter_mut().enumerate().take(n_samples.min(n_given)) {
                let at = ((outer * n_samples + index) * n_inner + inner) * from_parts;
                sample.re = values[at];
                if from_parts == 2 {
                    sample.im = values[at + 1];
                }
            }
            if self.is_inverse && self.is_onesided {
                // The spectrum of real numbers: real at 0 and in the middle, conjugate beyond.
                lane[0].im = <T as Number>::ZERO;
                if length.is_multiple_of(2) {
                    lane[length / 2].im = <T as Number>::ZERO;
                }
                for index in length / 2 + 1..length {
                    lane[index] = lane[length - index].conjugate();
                }
            }
        };
        let write = |inner: usize, lane: &[Complex<T>], results: &mut [T]| {
            for (index, value) in lane.iter().take(n_results).enumerate() {
                let at = (index * n_inner + inner) * n_parts;
                results[at] = value.re.times(scale);
                if n_parts == 2 {
                    results[at + 1] = value.im.times(scale);
                }
            }
        };
        let lanes = Lanes { length, is_inverse: self.is_inverse, per_block: n_inner, block_length: n_results * n_inner * n_parts };
        self.transforms.run(lanes, &mut results, read, write);
        Ok(Tensor::from_vec(result_shape, results)?)
    }
}

impl Operator for Dft {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let Some((element_type, shape)) = inputs.tensor(0) else { return Ok(vec![None]) };
        let typed = |shape: SymbolicShape| Ok(vec![Some(ValueType::tensor(element_type, shape))]);
        let (Some(dims), Some(axis)) = (shape.dims(), self.axis.inferred(inputs)) else { return typed(SymbolicShape::unknown()) };
        let axis = self.axis(axis.as_deref(), dims.len())?;
        let length = match self.length.inferred(inputs) {
            Some(Some(length)) => usize::try_from(one_integer(&length, 1, "dft_length")?).ok(),
            Some(None) => dims[axis].known().and_then(|n_samples| self.default_length(n_samples)),
            None => None,
        };
        let is_half = self.is_onesided && !self.is_inverse;
        let has_own_length = length.is_none() && !self.is_onesided && self.length == Integers::Absent;
        let mut result = dims.to_vec();
        if !has_own_length {
            result[axis] = length.map_or(Dimension::Unknown, |length| Dimension::Known(if is_half { length / 2 + 1 } else { length }));
        }
        result[dims.len() - 1] = Dimension::Known(if self.is_onesided && self.is_inverse { 1 } else { 2 });
        typed(result.into())
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let signal = inputs.take_tensor(0, "input")?;
        TypeSet::FLOATS.check(&signal, 0, "input")?;
        let (length, axis) = (self.length.get(&mut inputs)?, self.axis.get(&mut inputs)?);
        let extent = self.extent(signal.shape(), length.as_deref(), axis.as_deref())?;
        let mut shape = Shape::from_slice(signal.shape());
        let last = shape.len() - 1;
        (shape[extent.axis], shape[last]) = (extent.n_results, extent.n_parts);
        let element_type = signal.element_type();
        context.check_result_size(element_type, &shape)?;
        context.check_result_size(ElementType::Complex128, &[extent.length])?;
        let signal = cast(signal, compute_type(element_type))?;
        let result = match signal.element_type() {
            ElementType::F64 => self.transform::<f64>(&signal, &extent, &shape),
            _ => self.transform::<f32>(&signal, &extent, &shape),
        }?;
        Ok(single(cast(result, element_type)?))
    }
}
