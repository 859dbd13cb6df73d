//! Gelu in its forms.

use burn::backend::ops::{ActivationOps as _, FloatTensorOps as _};

use super::{STANDARD_OPSET, attributes, run_one, standard};
use crate::graph::infer::InferInputs;
use crate::graph::{Attribute, ValueType};
use crate::ops::broadcast::check_broadcasts_to;
use crate::ops::elementwise::pointwise::map_floats;
use crate::ops::operator::{Outputs, single};
use crate::ops::shape::same_as;
use crate::ops::types::TypeSet;
use crate::ops::{Inputs, NodeContext, OpError, Operator, Placement, RunContext};
use crate::tensor::Backend;

/// `½ x (1 + erf(x / √2))`.
pub fn build_gelu(_node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    standard("Gelu", STANDARD_OPSET, &attributes([]), 1, 1)
}

/// Gelu of A + B.
pub fn build_bias_gelu(_node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(BiasThen { then: standard("Gelu", STANDARD_OPSET, &attributes([]), 1, 1)?, add: add()? }))
}

/// Gelu as tanh approximates it, of X + bias; the bias is optional.
pub fn build_fast_gelu(_node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let tanh = attributes([("approximate", Attribute::String("tanh".into()))]);
    Ok(Box::new(BiasThen { then: standard("Gelu", STANDARD_OPSET, &tanh, 1, 1)?, add: add()? }))
}

fn add() -> Result<Box<dyn Operator>, OpError> {
    standard("Add", STANDARD_OPSET, &attributes([]), 2, 1)
}

/// Adds a bias, if there is one, then applies a function.
#[derive(Debug)]
struct BiasThen {
    then: Box<dyn Operator>,
    add: Box<dyn Operator>,
}

impl Operator for BiasThen {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![same_as(inputs, 0)])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let mut x = inputs.take_tensor(0, "X")?;
        TypeSet::FLOATS.check(&x, 0, "X")?;
        if let Some(bias) = inputs.take_optional_tensor(1, "bias")? {
            check_broadcasts_to(bias.shape(), x.shape())?;
            x = run_one(self.add.as_ref(), [Some(x), Some(bias)], context)?;
        }
        run_one(self.then.as_ref(), [Some(x)], context).map(single)
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}

/// `x · sigmoid(alpha · x)`.
#[derive(Debug)]
struct QuickGelu {
    alpha: f32,
}

pub fn build_quick_gelu(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(QuickGelu { alpha: node.attributes.float("alpha")?.unwrap_or(1.702) }))
}

impl Operator for QuickGelu {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![same_as(inputs, 0)])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "X")?;
        TypeSet::FLOATS.check(&x, 0, "X")?;
        Ok(single(map_floats(x, |x| Backend::float_mul(x.clone(), Backend::sigmoid(Backend::float_mul_scalar(x, self.alpha.into()))))))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}
