//! LpNormalization: values over their norm along an axis.

use burn::backend::ops::FloatTensorOps as _;

use super::check_float;
use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::ops::logic::bool_dtype_beside;
use crate::ops::operator::{Outputs, single};
use crate::ops::precision::{cast, compute_type};
use crate::ops::shape::{normalize_axis, same_as};
use crate::ops::{Inputs, NodeContext, OpError, Operator, Placement, RunContext};
use crate::tensor::{Backend, Shape, Tensor};

/// `X / ‖X‖` along an axis; where all values are 0, they stay 0.
///
/// <https://onnx.ai/onnx/operators/onnx__LpNormalization.html>, opsets 1, 22 (bfloat16).
#[derive(Debug)]
struct LpNormalization {
    axis: i64,
    /// The sum of magnitudes instead of the root of the sum of squares.
    is_l1: bool,
}

pub fn build(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let is_l1 = match context.attributes.int("p")?.unwrap_or(2) {
        1 => true,
        2 => false,
        other => return Err(OpError::value(format!("attribute 'p' is {other}; it may be 1 or 2"))),
    };
    Ok(Box::new(LpNormalization { axis: context.attributes.int("axis")?.unwrap_or(-1), is_l1 }))
}

impl Operator for LpNormalization {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        if let Some(rank) = inputs.tensor(0).and_then(|(_, shape)| shape.rank()) {
            normalize_axis(self.axis, rank)?;
        }
        Ok(vec![same_as(inputs, 0)])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let input = inputs.take_tensor(0, "input")?;
        check_float(&input, "LpNormalization")?;
        let axis = normalize_axis(self.axis, input.rank())?;
        let (shape, element_type) = (Shape::from_slice(input.shape()), input.element_type());
        let compute = compute_type(element_type);
        let bool_dtype = bool_dtype_beside(&input, context);
        let Some(values) = cast(input, compute)?.into_primitive() else { return Ok(single(Tensor::empty(element_type, &shape))) };
        let norm = if self.is_l1 {
            Backend::float_sum_dim(Backend::float_abs(values.clone()), axis)
        } else {
            Backend::float_sqrt(Backend::float_sum_dim(Backend::float_mul(values.clone(), values.clone()), axis))
        };
        let is_zero = Backend::float_equal_elem(norm.clone(), 0.0.into(), bool_dtype);
        let divisor = Backend::float_mask_fill(norm, is_zero, 1.0.into());
        let normalized = Tensor::from_primitive(compute, &shape, Backend::float_div(values, divisor));
        Ok(single(cast(normalized, element_type)?))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}
