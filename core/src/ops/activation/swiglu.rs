//! SwiGLU: a value gated by the Swish of another.

use burn::backend::ops::{ActivationOps as _, FloatTensorOps as _};

use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::ops::operator::{Outputs, single};
use crate::ops::precision::{cast, compute_type};
use crate::ops::types::{TypeSet, check_same_type};
use crate::ops::{Inputs, NodeContext, OpError, Operator, Placement, RunContext, shape};
use crate::tensor::{Backend, Shape, Tensor};

/// `a · sigmoid(alpha · a) · b`, of two tensors of one shape. <https://onnx.ai/onnx/operators/onnx__SwiGLU.html>, opset 28.
#[derive(Debug)]
pub struct SwiGlu {
    alpha: f32,
}

impl SwiGlu {
    pub fn build(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
        Ok(Box::new(Self { alpha: node.attributes.float("alpha")?.unwrap_or(1.0) }))
    }
}

impl Operator for SwiGlu {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![shape::same_as(inputs, 0)])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let (gate, value) = (inputs.take_tensor(0, "A")?, inputs.take_tensor(1, "B")?);
        TypeSet::FLOATS.check(&gate, 0, "A")?;
        check_same_type(&gate, &value)?;
        if gate.shape() != value.shape() {
            return Err(OpError::shape(format!("gate and value have different shapes, {:?} and {:?}", gate.shape(), value.shape())));
        }
        let (element_type, shape) = (gate.element_type(), Shape::from_slice(gate.shape()));
        let compute = compute_type(element_type);
        let (Some(gate), Some(value)) = (cast(gate, compute)?.into_primitive(), cast(value, compute)?.into_primitive()) else {
            return Ok(single(Tensor::empty(element_type, &shape)));
        };
        let opening = Backend::sigmoid(Backend::float_mul_scalar(gate.clone(), self.alpha.into()));
        let gated = Backend::float_mul(Backend::float_mul(gate, opening), value);
        Ok(single(cast(Tensor::from_primitive(compute, &shape, gated), element_type)?))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::{assert_close, op, tensor};

    #[test]
    fn a_value_is_gated() {
        let case = op("SwiGLU").opset(28);
        let gate = || tensor(&[3], &[0.0_f32, 2.0, f32::NAN]);
        assert_close(&case.run1([gate(), tensor(&[3], &[5.0_f32, 3.0, 1.0])]), &[3], &[0.0, 5.284_782_5, f32::NAN]);
        assert_eq!(case.error([gate(), tensor(&[1], &[1.0_f32])]), "gate and value have different shapes, [3] and [1]");
    }
}
