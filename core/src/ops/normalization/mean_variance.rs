//! MeanVarianceNormalization: values less their mean, over their standard deviation, along any axes.

use burn::backend::ops::FloatTensorOps as _;

use super::{Standardized, check_float};
use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::ops::operator::{Outputs, single};
use crate::ops::precision::{cast, compute_type};
use crate::ops::shape::{normalize_axes, same_as};
use crate::ops::{Inputs, NodeContext, OpError, Operator, Placement, RunContext};
use crate::tensor::{Backend, Shape, Tensor};

/// What the specification's function adds to the deviation, so that equal values become 0.
const EPSILON: f32 = 1e-9;

/// <https://onnx.ai/onnx/operators/onnx__MeanVarianceNormalization.html>, opsets 9, 13 (bfloat16).
#[derive(Debug)]
struct MeanVarianceNormalization {
    axes: Vec<i64>,
}

pub fn build(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let axes = context.attributes.ints("axes")?.unwrap_or(&[0, 2, 3]).to_vec();
    Ok(Box::new(MeanVarianceNormalization { axes }))
}

impl Operator for MeanVarianceNormalization {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        if let Some(rank) = inputs.tensor(0).and_then(|(_, shape)| shape.rank()) {
            normalize_axes(&self.axes, rank)?;
        }
        Ok(vec![same_as(inputs, 0)])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let input = inputs.take_tensor(0, "X")?;
        check_float(&input, "MeanVarianceNormalization")?;
        // No axes mean all of them, as everywhere in the opsets of this operator.
        let axes = if self.axes.is_empty() { (0..input.rank()).collect() } else { normalize_axes(&self.axes, input.rank())? };
        let (shape, element_type) = (Shape::from_slice(input.shape()), input.element_type());
        let compute = compute_type(element_type);
        let Some(values) = cast(input, compute)?.into_primitive() else { return Ok(single(Tensor::empty(element_type, &shape))) };
        if axes.is_empty() {
            // A scalar is its own mean.
            let zero = Backend::float_sub(values.clone(), values);
            return Ok(single(cast(Tensor::from_primitive(compute, &shape, zero), element_type)?));
        }
        let standardized = Standardized::new(values, &axes, 0.0);
        // The specification adds epsilon to the deviation itself, not under the root.
        let deviation = Backend::float_add_scalar(Backend::float_recip(standardized.inverse_deviation), EPSILON.into());
        let normalized = Backend::float_div(standardized.centered, deviation);
        Ok(single(cast(Tensor::from_primitive(compute, &shape, normalized), element_type)?))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}
