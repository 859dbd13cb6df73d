//! LRN: values over a power of the squares in neighbouring channels.

use burn::backend::DispatchTensor;
use burn::backend::ops::FloatTensorOps as _;

use super::check_float;
use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::host::ElementType;
use crate::kernels::local_response::LocalResponse;
use crate::ops::movement::{self, Cut};
use crate::ops::operator::{Outputs, single};
use crate::ops::precision::{cast, compute_type};
use crate::ops::shape::same_as;
use crate::ops::{Inputs, NodeContext, OpError, Operator, Placement, RunContext};
use crate::tensor::{Backend, Tensor};

/// Local response normalization across channels. <https://onnx.ai/onnx/operators/onnx__LRN.html>, opsets 1, 13 (bfloat16).
#[derive(Debug)]
struct Lrn {
    alpha: f32,
    beta: f32,
    bias: f32,
    size: usize,
}

pub fn build(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let attributes = context.attributes;
    let size = attributes.require_int("size")?;
    Ok(Box::new(Lrn {
        alpha: attributes.float("alpha")?.unwrap_or(1e-4),
        beta: read_beta(attributes.float("beta")?)?,
        bias: attributes.float("bias")?.unwrap_or(1.0),
        size: usize::try_from(size)
            .ok()
            .filter(|&size| size > 0)
            .ok_or_else(|| OpError::value(format!("attribute 'size' is {size}; it must be at least 1")))?,
    }))
}

impl Lrn {
    /// For images whose channels lie next to each other.
    fn kernel(&self) -> LocalResponse {
        LocalResponse {
            before: (self.size - 1) / 2,
            after: (self.size - 1).div_ceil(2),
            scale: self.alpha / self.size as f32,
            bias: self.bias,
            beta: self.beta,
        }
    }

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

/// The exponent: any that float32 arithmetic has a use for. burn takes whole exponents for 32-bit integers.
fn read_beta(beta: Option<f32>) -> Result<f32, OpError> {
    const MAX_BETA: f32 = 1e9;
    let beta = beta.unwrap_or(0.75);
    if beta.abs() <= MAX_BETA { Ok(beta) } else { Err(OpError::value(format!("attribute 'beta' should lie within ±{MAX_BETA}, but is {beta}"))) }
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
        if input.is_only_channels_last()
            && let Some(elements) = input.as_channels_last()
        {
            return Ok(single(Tensor::from_channels_last(&shape, self.kernel().normalize(elements, shape[1]))?));
        }
        let compute = compute_type(element_type);
        let values = cast(input, compute)?;
        let (Some(sums), Some(values)) = (self.square_sums(&values, context)?, values.into_primitive()) else {
            return Ok(single(Tensor::empty(element_type, &shape)));
        };
        let per_channel = self.alpha / self.size as f32;
        let base = Backend::float_add_scalar(Backend::float_mul_scalar(sums, per_channel.into()), self.bias.into());
        let normalized = Backend::float_div(values, Backend::float_powf_scalar(base, self.beta.into()));
        Ok(single(cast(Tensor::from_primitive(compute, &shape, normalized), element_type)?))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}
