//! Optionals: a value, or none. One with a value is that value at run time; [`Value::Absent`] is one without.

use smallvec::smallvec;

use crate::graph::infer::InferInputs;
use crate::graph::{Attribute, ValueType};
use crate::host::{Bool, ElementType};
use crate::ops::operator::{Outputs, single};
use crate::ops::{Inputs, NodeContext, OpError, Operator, Placement, RunContext};
use crate::tensor::{Tensor, Value};

/// <https://onnx.ai/onnx/operators/onnx__Optional.html>. The input as an optional; without an input, an empty one of the type in the attribute.
#[derive(Debug)]
struct Optional {
    element: Option<ValueType>,
}

pub(super) fn build(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let element = match context.attributes.0.get("type") {
        Some(Attribute::Type(element)) => Some(element.clone()),
        None if context.n_inputs > 0 => None,
        _ => return Err(OpError::value("an Optional without an input needs the attribute 'type'")),
    };
    Ok(Box::new(Optional { element }))
}

/// The type inside an optional; other types are their own.
fn inside(value_type: Option<&ValueType>) -> Option<&ValueType> {
    match value_type? {
        ValueType::Optional(inner) => Some(inner),
        other => Some(other),
    }
}

impl Operator for Optional {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let element = inputs.value_type(0).or(self.element.as_ref());
        Ok(vec![element.map(|element| ValueType::Optional(Box::new(element.clone())))])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        Ok(smallvec![inputs.take_optional(0).unwrap_or(Value::Absent)])
    }

    fn placement(&self) -> Placement {
        Placement::PassThrough
    }
}

/// <https://onnx.ai/onnx/operators/onnx__OptionalGetElement.html>.
#[derive(Debug)]
pub(super) struct GetElement;

impl Operator for GetElement {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![inside(inputs.value_type(0)).cloned()])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        match inputs.take(0, "input")? {
            Value::Absent => Err(OpError::value("the optional is empty; OptionalHasElement tells before")),
            value => Ok(smallvec![value]),
        }
    }

    fn placement(&self) -> Placement {
        Placement::PassThrough
    }
}

/// <https://onnx.ai/onnx/operators/onnx__OptionalHasElement.html>. An input that is left out has no element either.
#[derive(Debug)]
pub(super) struct HasElement;

impl Operator for HasElement {
    fn infer(&self, _inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![Some(ValueType::tensor(ElementType::Bool, [].as_slice()))])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let has_element = !matches!(inputs.take_optional(0), None | Some(Value::Absent));
        Ok(single(Tensor::scalar(Bool::new(has_element))))
    }

    fn placement(&self) -> Placement {
        Placement::PassThrough
    }
}
