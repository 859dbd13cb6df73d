//! Normalizations: values less their mean, over their deviation, along some axes; or over a norm.

mod batch;
mod group;
mod layer;
mod local_response;
mod lp;
mod mean_variance;
mod root_mean_square;

pub(super) use batch::constant_scaling;
use burn::backend::DispatchTensor;
use burn::backend::ops::FloatTensorOps as _;

use super::registry::{OpsetRange, Registration};
use super::{NodeContext, OpError};
use crate::tensor::{Backend, Tensor};

pub const OPERATORS: &[Registration] = &[
    Registration { domain: "", op_type: "BatchNormalization", opsets: OpsetRange::from(1), build: batch::build },
    Registration { domain: "", op_type: "GroupNormalization", opsets: OpsetRange::from(18), build: group::build },
    Registration { domain: "", op_type: "InstanceNormalization", opsets: OpsetRange::from(1), build: group::build_instance },
    Registration { domain: "", op_type: "LRN", opsets: OpsetRange::from(1), build: local_response::build },
    Registration { domain: "", op_type: "LayerNormalization", opsets: OpsetRange::from(17), build: layer::build },
    Registration { domain: "", op_type: "LpNormalization", opsets: OpsetRange::from(1), build: lp::build },
    Registration { domain: "", op_type: "MeanVarianceNormalization", opsets: OpsetRange::from(9), build: mean_variance::build },
    Registration { domain: "", op_type: "RMSNormalization", opsets: OpsetRange::from(23), build: root_mean_square::build },
];

fn check_float(tensor: &Tensor, operator: &str) -> Result<(), OpError> {
    if tensor.element_type().is_float() { Ok(()) } else { Err(OpError::unsupported(format!("{operator} of {}", tensor.element_type()))) }
}

/// The mean over some axes, which stay as 1.
fn mean_over(values: DispatchTensor, axes: &[usize]) -> DispatchTensor {
    axes.iter().fold(values, |values, &axis| Backend::float_mean_dim(values, axis))
}

/// Values less their mean along some axes, and the reciprocal of their standard deviation (with epsilon under the root), of 1 along those axes.
struct Standardized {
    mean: DispatchTensor,
    centered: DispatchTensor,
    inverse_deviation: DispatchTensor,
}

impl Standardized {
    fn new(values: DispatchTensor, axes: &[usize], epsilon: f32) -> Self {
        let mean = mean_over(values.clone(), axes);
        let centered = Backend::float_sub(values, mean.clone());
        let inverse_deviation = inverse_root_mean_square(centered.clone(), axes, epsilon);
        Self { mean, centered, inverse_deviation }
    }
}

/// `1 / √(mean(x²) + ε)` over some axes, which stay as 1.
fn inverse_root_mean_square(values: DispatchTensor, axes: &[usize], epsilon: f32) -> DispatchTensor {
    let mean_square = mean_over(Backend::float_mul(values.clone(), values), axes);
    Backend::float_recip(Backend::float_sqrt(Backend::float_add_scalar(mean_square, epsilon.into())))
}

fn epsilon(context: &NodeContext<'_>) -> Result<f32, OpError> {
    let epsilon = context.attributes.float("epsilon")?.unwrap_or(1e-5);
    if epsilon >= 0.0 { Ok(epsilon) } else { Err(OpError::value(format!("attribute 'epsilon' is {epsilon}; it must not be negative"))) }
}

#[cfg(test)]
mod tests;
