//! RMSNormalization: every row over the root of its mean square.

use burn::backend::ops::FloatTensorOps as _;

use super::{check_float, epsilon, inverse_root_mean_square};
use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::host::ElementType;
use crate::ops::broadcast::{check_broadcasts_to, float_operand};
use crate::ops::operator::{Outputs, single};
use crate::ops::precision::{cast, compute_type_with, float_type_attribute};
use crate::ops::shape::normalize_axis;
use crate::ops::{Inputs, NodeContext, OpError, Operator, Placement, RunContext};
use crate::tensor::{Backend, Shape, Tensor};

/// `X / √(mean(X²) + ε) · scale`, the mean over the axes from `axis` on. The result has the scale's element type.
///
/// <https://onnx.ai/onnx/operators/onnx__RMSNormalization.html>, opset 23.
#[derive(Debug)]
struct RootMeanSquareNormalization {
    axis: i64,
    epsilon: f32,
    stash_type: ElementType,
}

pub fn build(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(RootMeanSquareNormalization {
        axis: context.attributes.int("axis")?.unwrap_or(-1),
        epsilon: epsilon(context)?,
        stash_type: float_type_attribute(context, "stash_type")?.unwrap_or(ElementType::F32),
    }))
}

impl Operator for RootMeanSquareNormalization {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let (Some((_, shape)), Some((scale_type, _))) = (inputs.tensor(0), inputs.tensor(1)) else { return Ok(vec![None]) };
        if let Some(rank) = shape.rank() {
            normalize_axis(self.axis, rank)?;
        }
        Ok(vec![Some(ValueType::tensor(scale_type, shape.clone()))])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let (input, scale) = (inputs.take_tensor(0, "X")?, inputs.take_tensor(1, "scale")?);
        check_float(&input, "RMSNormalization")?;
        check_float(&scale, "RMSNormalization")?;
        let axis = normalize_axis(self.axis, input.rank())?;
        check_broadcasts_to(scale.shape(), input.shape())?;
        let (shape, output_type) = (Shape::from_slice(input.shape()), scale.element_type());
        let compute = compute_type_with(input.element_type(), self.stash_type);
        let compute = if output_type == ElementType::F64 { ElementType::F64 } else { compute };
        let rank = shape.len();
        let (Some(values), Some(scale)) = (cast(input, compute)?.into_primitive(), float_operand(cast(scale, compute)?, rank)) else {
            return Ok(single(Tensor::empty(output_type, &shape)));
        };
        let n_rows: usize = shape[..axis].iter().product();
        let rows = Backend::float_reshape(values, [n_rows, shape[axis..].iter().product()].into());
        let normalized = Backend::float_mul(rows.clone(), inverse_root_mean_square(rows, &[1], self.epsilon));
        let scaled = Backend::float_mul(Backend::float_reshape(normalized, shape.to_vec().into()), scale);
        Ok(single(cast(Tensor::from_primitive(compute, &shape, scaled), output_type)?))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}
