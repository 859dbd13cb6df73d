//! Normalizations, as inference computes them: BatchNormalization, InstanceNormalization, LayerNormalization, LRN.

mod batch;
mod layer;

use burn::backend::DispatchTensor;
use burn::backend::ops::FloatTensorOps as _;
use burn::tensor::FloatDType;

use super::movement::{self, Cut};
use super::operator::{Outputs, single};
use super::registry::{OpsetRange, Registration};
use super::shape::same_as;
use super::types::check_same_type;
use super::{Inputs, NodeContext, OpError, Operator, Placement, RunContext};
use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::host::ElementType;
use crate::tensor::{Backend, Tensor};

pub const OPERATORS: &[Registration] = &[
    Registration { domain: "", op_type: "BatchNormalization", opsets: OpsetRange::from(1), build: batch::build },
    Registration { domain: "", op_type: "InstanceNormalization", opsets: OpsetRange::from(1), build: build_instance },
    Registration { domain: "", op_type: "LRN", opsets: OpsetRange::from(1), build: build_lrn },
    Registration { domain: "", op_type: "LayerNormalization", opsets: OpsetRange::from(17), build: layer::build },
];

fn check_float(tensor: &Tensor, operator: &str) -> Result<(), OpError> {
    if tensor.element_type().is_float() { Ok(()) } else { Err(OpError::unsupported(format!("{operator} of {}", tensor.element_type()))) }
}

/// Squares, means and roots lose too many digits in half precision: they are computed in float32 and rounded once.
fn compute_type(element_type: ElementType) -> ElementType {
    if element_type == ElementType::F64 { ElementType::F64 } else { ElementType::F32 }
}

fn cast(tensor: Tensor, to: ElementType) -> Tensor {
    if tensor.element_type() == to {
        return tensor;
    }
    let shape = tensor.shape().to_vec();
    let dtype = match to {
        ElementType::F64 => FloatDType::F64,
        ElementType::F16 => FloatDType::F16,
        ElementType::Bf16 => FloatDType::BF16,
        _ => FloatDType::F32,
    };
    match tensor.into_primitive() {
        Some(primitive) => Tensor::from_primitive(to, &shape, Backend::float_cast(primitive, dtype)),
        None => Tensor::empty(to, &shape),
    }
}

/// Values less their mean along the last axis, and the reciprocal of their standard deviation (with epsilon under the root), of 1 along that axis.
struct Standardized {
    mean: DispatchTensor,
    centered: DispatchTensor,
    inverse_deviation: DispatchTensor,
}

impl Standardized {
    fn new(values: DispatchTensor, last_axis: usize, epsilon: f32) -> Self {
        let mean = Backend::float_mean_dim(values.clone(), last_axis);
        let centered = Backend::float_sub(values, mean.clone());
        let variance = Backend::float_mean_dim(Backend::float_mul(centered.clone(), centered.clone()), last_axis);
        let deviation = Backend::float_sqrt(Backend::float_add_scalar(variance, epsilon.into()));
        Self { mean, centered, inverse_deviation: Backend::float_recip(deviation) }
    }
}

fn epsilon(context: &NodeContext<'_>) -> Result<f32, OpError> {
    let epsilon = context.attributes.float("epsilon")?.unwrap_or(1e-5);
    if epsilon >= 0.0 { Ok(epsilon) } else { Err(OpError::value(format!("attribute 'epsilon' is {epsilon}; it must not be negative"))) }
}

/// <https://onnx.ai/onnx/operators/onnx__InstanceNormalization.html>, opsets 1, 6, 22 (bfloat16).
#[derive(Debug)]
struct InstanceNormalization {
    epsilon: f32,
}

fn build_instance(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(InstanceNormalization { epsilon: epsilon(context)? }))
}

impl Operator for InstanceNormalization {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![same_as(inputs, 0)])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let input = inputs.take_tensor(0, "input")?;
        let (scale, bias) = (inputs.take_tensor(1, "scale")?, inputs.take_tensor(2, "B")?);
        check_float(&input, "InstanceNormalization")?;
        let shape = input.shape().to_vec();
        let &[batch, channels, ref spatial @ ..] = shape.as_slice() else {
            return Err(OpError::shape(format!("the input of shape {shape:?} should be [batch, channels, spatial axes…]")));
        };
        let n_spatial = spatial.iter().product();
        for (name, tensor) in [("scale", &scale), ("B", &bias)] {
            check_same_type(&input, tensor)?;
            if tensor.shape() != [channels] {
                return Err(OpError::shape(format!("{name} has shape {:?}, but there are {channels} channels", tensor.shape())));
            }
        }
        let (element_type, compute) = (input.element_type(), compute_type(input.element_type()));
        let values = cast(input.reshaped(&[batch, channels, n_spatial])?, compute);
        let per_channel = |tensor: Tensor| Ok::<_, OpError>(cast(tensor.reshaped(&[1, channels, 1])?, compute).into_primitive());
        let (Some(values), Some(scale), Some(bias)) = (values.into_primitive(), per_channel(scale)?, per_channel(bias)?) else {
            return Ok(single(Tensor::empty(element_type, &shape)));
        };
        let standardized = Standardized::new(values, 2, self.epsilon);
        let factor = Backend::float_mul(standardized.inverse_deviation, scale);
        let normalized = Backend::float_add(Backend::float_mul(standardized.centered, factor), bias);
        Ok(single(cast(Tensor::from_primitive(compute, &shape, normalized), element_type)))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}

/// Local response normalization across channels. <https://onnx.ai/onnx/operators/onnx__LRN.html>, opsets 1, 13 (bfloat16).
#[derive(Debug)]
struct Lrn {
    alpha: f32,
    beta: f32,
    bias: f32,
    size: usize,
}

fn build_lrn(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let attributes = context.attributes;
    let size = attributes.require_int("size")?;
    Ok(Box::new(Lrn {
        alpha: attributes.float("alpha")?.unwrap_or(1e-4),
        beta: attributes.float("beta")?.unwrap_or(0.75),
        bias: attributes.float("bias")?.unwrap_or(1.0),
        size: usize::try_from(size)
            .ok()
            .filter(|&size| size > 0)
            .ok_or_else(|| OpError::value(format!("attribute 'size' is {size}; it must be at least 1")))?,
    }))
}

impl Lrn {
    /// Sums of squares over the `size` channels around each channel.
    fn square_sums(&self, input: &Tensor, context: &RunContext<'_>) -> Result<Option<DispatchTensor>, OpError> {
        let channels = input.shape()[1];
        let before = ((self.size - 1) / 2).min(channels.saturating_sub(1));
        let after = (self.size - 1).div_ceil(2).min(channels.saturating_sub(1));
        let Some(primitive) = input.primitive() else { return Ok(None) };
        let squares = Tensor::from_primitive(input.element_type(), input.shape(), Backend::float_mul(primitive.clone(), primitive));
        let zero = if input.element_type() == ElementType::F64 { Tensor::scalar(0.0_f64) } else { Tensor::scalar(0.0_f32) };
        let zero = movement::bring_beside(zero, input, context)?;
        let mut sums: Option<DispatchTensor> = None;
        // The channels at one distance at a time: those that have a neighbour there, with zeros for the others.
        for offset in 0..=before + after {
            let shift = offset.abs_diff(before);
            let mut cuts: Vec<Cut> = input.shape().iter().map(|&dim| Cut::all(dim)).collect();
            let mut margins = (vec![0; input.rank()], vec![0; input.rank()]);
            if offset < before {
                cuts[1] = Cut::range(0, channels - shift);
                margins.0[1] = shift;
            } else {
                cuts[1] = Cut::range(shift, channels - shift);
                margins.1[1] = shift;
            }
            let neighbours = movement::cut(squares.clone(), &cuts)?;
            let Some(shifted) = movement::surround(neighbours, &margins.0, &margins.1, &zero)?.into_primitive() else { return Ok(None) };
            sums = Some(match sums {
                Some(sums) => Backend::float_add(sums, shifted),
                None => shifted,
            });
        }
        Ok(sums)
    }
}

impl Operator for Lrn {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![same_as(inputs, 0)])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let input = inputs.take_tensor(0, "X")?;
        check_float(&input, "LRN")?;
        if input.rank() < 2 {
            return Err(OpError::shape(format!("the input of shape {:?} should be [batch, channels, …]", input.shape())));
        }
        let (element_type, shape) = (input.element_type(), input.shape().to_vec());
        let compute = compute_type(element_type);
        let values = cast(input, compute);
        let (Some(sums), Some(values)) = (self.square_sums(&values, context)?, values.into_primitive()) else {
            return Ok(single(Tensor::empty(element_type, &shape)));
        };
        let per_channel = self.alpha / self.size as f32;
        let base = Backend::float_add_scalar(Backend::float_mul_scalar(sums, per_channel.into()), self.bias.into());
        let normalized = Backend::float_div(values, Backend::float_powf_scalar(base, self.beta.into()));
        Ok(single(cast(Tensor::from_primitive(compute, &shape, normalized), element_type)))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}

#[cfg(test)]
mod tests;
