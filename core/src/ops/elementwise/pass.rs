//! What passes a value through: Identity, and Dropout as inference means it.

use smallvec::smallvec;

use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::host::{Bool, ElementType};
use crate::ops::operator::Outputs;
use crate::ops::types::{Number, TypeSet, match_number};
use crate::ops::{Inputs, NodeContext, OpError, Operator, Placement, RunContext, shape};
use crate::tensor::{Tensor, Value};

/// The input, whatever it is.
#[derive(Debug)]
pub(super) struct Identity;

impl Operator for Identity {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![shape::same_as(inputs, 0)])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        Ok(smallvec![inputs.take(0, "input")?])
    }

    fn placement(&self) -> Placement {
        Placement::PassThrough
    }
}

pub(super) fn build_dropout(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    // Before opset 7 an attribute told training from inference, and training was the default.
    if node.opset < 7 && node.attributes.int("is_test")?.unwrap_or(0) == 0 {
        return Err(OpError::unsupported("Dropout in training mode (attribute is_test = 0)"));
    }
    Ok(Box::new(Dropout { has_mask: node.n_outputs > 1, mask_is_bool: node.opset >= 10 }))
}

/// Drops nothing: the input, and a mask that keeps everything.
#[derive(Debug)]
struct Dropout {
    has_mask: bool,
    mask_is_bool: bool,
}

impl Operator for Dropout {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let mut types = vec![shape::same_as(inputs, 0)];
        if self.has_mask {
            types.push(inputs.tensor(0).map(|(element_type, shape)| {
                let element_type = if self.mask_is_bool { ElementType::Bool } else { element_type };
                ValueType::tensor(element_type, shape.clone())
            }));
        }
        Ok(types)
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let data = inputs.take_tensor(0, "data")?;
        TypeSet::FLOATS.check(&data, 0, "data")?;
        if let Some(training_mode) = inputs.take_optional_tensor(2, "training_mode")? {
            let is_training = training_mode.as_slice::<Bool>()?.first().is_some_and(|flag| flag.get());
            let ratio = match inputs.take_optional_tensor(1, "ratio")? {
                Some(ratio) => ratio.to_f32s()?.first().copied().unwrap_or(0.5),
                None => 0.5,
            };
            if is_training && ratio != 0.0 {
                return Err(OpError::unsupported(format!("Dropout in training mode (training_mode is true, ratio {ratio})")));
            }
        }
        if !self.has_mask {
            return Ok(smallvec![Value::Tensor(data)]);
        }
        let n_elements = context.check_result_size(data.element_type(), data.shape())?;
        let mask = if self.mask_is_bool {
            Tensor::from_vec(data.shape(), vec![Bool::new(true); n_elements])?
        } else {
            match_number!(data.element_type(), T => Tensor::from_vec(data.shape(), vec![T::ONE; n_elements])?, else unreachable_type(&data)?)
        };
        Ok(smallvec![Value::Tensor(data), Value::Tensor(mask)])
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}

fn unreachable_type(data: &Tensor) -> Result<Tensor, OpError> {
    Err(OpError::unsupported(format!("Dropout of {data:?}")))
}
