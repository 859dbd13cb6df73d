//! GroupNormalization, and InstanceNormalization, in which every channel is a group of its own.

use burn::backend::ops::FloatTensorOps as _;

use super::{Standardized, check_float, epsilon};
use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::host::ElementType;
use crate::ops::operator::{Outputs, single};
use crate::ops::precision::{cast, compute_type_with, float_type_attribute};
use crate::ops::shape::same_as;
use crate::ops::types::check_same_type;
use crate::ops::{Inputs, NodeContext, OpError, Operator, Placement, RunContext};
use crate::tensor::{Backend, Tensor};

/// <https://onnx.ai/onnx/operators/onnx__GroupNormalization.html>, opsets 18 (scale and bias per group, withdrawn later), 21 (per channel;
/// `stash_type`).
///
/// <https://onnx.ai/onnx/operators/onnx__InstanceNormalization.html>, opsets 1, 6, 22 (bfloat16).
#[derive(Debug)]
struct GroupNormalization {
    /// `None`: every channel is a group.
    n_groups: Option<usize>,
    /// Scale and bias have an entry per group instead of one per channel.
    is_scaled_by_group: bool,
    epsilon: f32,
    stash_type: ElementType,
}

pub fn build(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let n_groups = context.attributes.require_int("num_groups")?;
    let n_groups_or_error = usize::try_from(n_groups).ok().filter(|&n_groups| n_groups > 0);
    Ok(Box::new(GroupNormalization {
        n_groups: Some(n_groups_or_error.ok_or_else(|| OpError::value(format!("attribute 'num_groups' is {n_groups}; it must be at least 1")))?),
        is_scaled_by_group: context.opset < 21,
        epsilon: epsilon(context)?,
        stash_type: float_type_attribute(context, "stash_type")?.unwrap_or(ElementType::F32),
    }))
}

pub fn build_instance(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(GroupNormalization { n_groups: None, is_scaled_by_group: false, epsilon: epsilon(context)?, stash_type: ElementType::F32 }))
}

impl Operator for GroupNormalization {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![same_as(inputs, 0)])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let input = inputs.take_tensor(0, "X")?;
        let (scale, bias) = (inputs.take_tensor(1, "scale")?, inputs.take_tensor(2, "bias")?);
        check_float(&input, if self.n_groups.is_some() { "GroupNormalization" } else { "InstanceNormalization" })?;
        let shape = input.shape().to_vec();
        let &[batch, channels, ref spatial @ ..] = shape.as_slice() else {
            return Err(OpError::shape(format!("the input of shape {shape:?} should be [batch, channels, spatial axes…]")));
        };
        let n_groups = self.n_groups.unwrap_or(channels);
        if n_groups > 0 && !channels.is_multiple_of(n_groups) {
            return Err(OpError::shape(format!("{channels} channels do not make {n_groups} groups of one size")));
        }
        let (n_scales, what) = if self.is_scaled_by_group { (n_groups, "groups") } else { (channels, "channels") };
        for (name, tensor) in [("scale", &scale), ("bias", &bias)] {
            check_same_type(&input, tensor)?;
            if tensor.shape() != [n_scales] {
                return Err(OpError::shape(format!("{name} has shape {:?}, but there are {n_scales} {what}", tensor.shape())));
            }
        }
        let element_type = input.element_type();
        if input.is_empty() {
            return Ok(single(input));
        }
        let compute = compute_type_with(element_type, self.stash_type);
        let n_spatial: usize = spatial.iter().product();
        let per_group = channels / n_groups;
        let values = cast(input.reshaped(&[batch, n_groups, per_group * n_spatial])?, compute)?;
        let scale_shape = [1, n_groups, if self.is_scaled_by_group { 1 } else { per_group }, 1];
        let per_channel = |tensor: Tensor| Ok::<_, OpError>(cast(tensor.reshaped(&scale_shape)?, compute)?.into_primitive());
        let (Some(values), Some(scale), Some(bias)) = (values.into_primitive(), per_channel(scale)?, per_channel(bias)?) else {
            return Ok(single(Tensor::empty(element_type, &shape)));
        };
        let standardized = Standardized::new(values, &[2], self.epsilon);
        let channelwise = [batch, n_groups, per_group, n_spatial];
        let centered = Backend::float_reshape(standardized.centered, channelwise.into());
        let inverse_deviation = Backend::float_reshape(standardized.inverse_deviation, [batch, n_groups, 1, 1].into());
        let normalized = Backend::float_add(Backend::float_mul(centered, Backend::float_mul(inverse_deviation, scale)), bias);
        Ok(single(cast(Tensor::from_primitive(compute, &shape, normalized), element_type)?))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}
