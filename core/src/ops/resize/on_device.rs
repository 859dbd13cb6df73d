//! Resizing over burn's operations, for float32 data on a GPU: each tap of an axis picks elements, weighs them and adds them up.

use burn::backend::ops::FloatTensorOps as _;

use super::geometry::AxisPlan;
use super::host::in_order;
use crate::host::ElementType;
use crate::ops::{OpError, RunContext, movement};
use crate::tensor::{Backend, Shape, Tensor};

/// For plans without elements outside.
pub fn blend(input: Tensor, plans: &[AxisPlan], context: &RunContext<'_>) -> Result<Tensor, OpError> {
    in_order(plans).into_iter().try_fold(input, |input, axis| blend_axis(&input, axis, &plans[axis], context))
}

fn blend_axis(input: &Tensor, axis: usize, plan: &AxisPlan, context: &RunContext<'_>) -> Result<Tensor, OpError> {
    let mut shape = Shape::from_slice(input.shape());
    shape[axis] = plan.output;
    let mut weights_shape = Shape::from_elem(1, shape.len());
    weights_shape[axis] = plan.output;
    let mut sum = None;
    for tap in 0..plan.n_taps {
        let of_tap = |at: usize| at * plan.n_taps + tap;
        let indices: Vec<usize> = (0..plan.output).map(|at| plan.indices[of_tap(at)]).collect();
        let weights: Vec<f32> = (0..plan.output).map(|at| plan.weights[of_tap(at)] as f32).collect();
        let weights = Tensor::from_vec(&weights_shape, weights)?.to_device(context.device)?;
        let picked = movement::pick(input.clone(), axis, &indices, context)?;
        let (Some(picked), Some(weights)) = (picked.into_primitive(), weights.into_primitive()) else {
            return Ok(Tensor::empty(ElementType::F32, &shape));
        };
        let weighed = Backend::float_mul(picked, weights);
        sum = Some(match sum {
            Some(sum) => Backend::float_add(sum, weighed),
            None => weighed,
        });
    }
    match sum {
        Some(sum) => Ok(Tensor::from_primitive(ElementType::F32, &shape, sum)),
        None => Ok(Tensor::empty(ElementType::F32, &shape)),
    }
}
