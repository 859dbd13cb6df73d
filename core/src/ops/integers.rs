//! Integers that steer an operator, such as axes, a shape or pads: an attribute in early opsets, an input in later ones.

use std::borrow::Cow;

use super::{Inputs, NodeContext, OpError};
use crate::graph::infer::InferInputs;
use crate::tensor::Tensor;

/// Where an operator finds its integers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Integers {
    /// The model leaves them out.
    Absent,
    /// An attribute, or an input that is a constant.
    Known(Vec<i64>),
    /// Computed by the model, or left out: an optional input.
    Input { index: usize, name: &'static str },
}

impl Integers {
    pub fn from_attribute(context: &NodeContext<'_>, name: &str) -> Result<Self, OpError> {
        Ok(context.attributes.ints(name)?.map_or(Self::Absent, |values| Self::Known(values.to_vec())))
    }

    pub fn from_input(context: &NodeContext<'_>, index: usize, name: &'static str) -> Result<Self, OpError> {
        match context.constants.get(index).copied().flatten() {
            Some(constant) => Ok(Self::Known(read(&Tensor::from_host(constant)?, index, name)?)),
            None if index < context.n_inputs => Ok(Self::Input { index, name }),
            None => Ok(Self::Absent),
        }
    }

    /// An attribute before opset `since`, an input from then on. The two bear the same name.
    pub fn attribute_until(context: &NodeContext<'_>, since: i64, index: usize, name: &'static str) -> Result<Self, OpError> {
        if context.opset < since { Self::from_attribute(context, name) } else { Self::from_input(context, index, name) }
    }

    /// The integers of this run; `None` where the model leaves them out.
    pub fn get(&self, inputs: &mut Inputs) -> Result<Option<Cow<'_, [i64]>>, OpError> {
        match self {
            Self::Absent => Ok(None),
            Self::Known(values) => Ok(Some(Cow::Borrowed(values))),
            Self::Input { index, name } => match inputs.take_optional_tensor(*index, name)? {
                Some(tensor) => Ok(Some(Cow::Owned(read(&tensor, *index, name)?))),
                None => Ok(None),
            },
        }
    }

    /// As [`Self::get`], for integers without which the operator has no meaning.
    pub fn require(&self, inputs: &mut Inputs, index: usize, name: &'static str) -> Result<Cow<'_, [i64]>, OpError> {
        self.get(inputs)?.ok_or(OpError::MissingInput { index, name })
    }

    /// What is known before a run: `None` where the model computes them.
    pub fn inferred(&self, inputs: &InferInputs<'_>) -> Option<Option<Cow<'_, [i64]>>> {
        match self {
            Self::Absent => Some(None),
            Self::Known(values) => Some(Some(Cow::Borrowed(values))),
            Self::Input { index, .. } => inputs.constant_ints(*index).map(|values| Some(Cow::Owned(values))),
        }
    }
}

fn read(tensor: &Tensor, index: usize, name: &'static str) -> Result<Vec<i64>, OpError> {
    let wrong = |expected: &str| OpError::WrongInput { index, name, expected: expected.to_owned(), found: format!("{tensor:?}") };
    if tensor.rank() > 1 {
        return Err(wrong("a list of integers"));
    }
    tensor.to_i64s().map_err(|_| wrong("a list of integers"))
}
