//! Operators of the engine's own: a product (or normalization) with constant weights and what follows it, or a shuffle of channels, in one node. The passes of a CPU plan put them where ONNX's
//! operators stood; no model can name them, and none is ever saved with them.
//!
//! A node's type spells out what it does: `Conv`, `Conv+Relu`, `Conv+Add+Clip`, `Gemm+LeakyRelu`, `MatMul+Add`. What each part means is said once, by
//! the operator of that name; these take what it has checked to a kernel.

mod convolution;
mod normalization;
mod product;
mod shuffle;

use super::{NodeContext, OpError, Operator};
use crate::graph::{Attribute, Attributes};
use crate::kernels::activation::Activation;

/// The domain of these operators. It is in no registry.
pub const DOMAIN: &str = "drydock.fused";

/// Builds the operator of a node of [`DOMAIN`].
pub fn build(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    match context.op_type.split('+').next() {
        Some("Conv") => convolution::build(context),
        Some("BatchNormalization") => normalization::build(context),
        Some("Gemm" | "MatMul") => product::build(context),
        Some("Reshape") => shuffle::build(context),
        _ => Err(OpError::unsupported(format!("the engine's operator '{}'", context.op_type))),
    }
}

/// Whether a part follows the first one.
fn has_part(context: &NodeContext<'_>, part: &str) -> bool {
    context.op_type.split('+').skip(1).any(|other| other == part)
}

const ACTIVATION: [&str; 3] = ["fused_activation", "fused_activation_alpha", "fused_activation_beta"];

/// Notes an activation among a node's attributes.
pub fn set_activation(attributes: &mut Attributes, activation: Activation) {
    let (name, alpha, beta) = match activation {
        Activation::Identity => return,
        Activation::Clip { low, high } => ("clip", low, high),
        Activation::LeakyRelu { alpha } => ("leaky_relu", alpha, 0.0),
        Activation::HardSigmoid { alpha, beta } => ("hard_sigmoid", alpha, beta),
        Activation::HardSwish => ("hard_swish", 0.0, 0.0),
    };
    let values = [Attribute::String(name.into()), Attribute::Float(alpha), Attribute::Float(beta)];
    attributes.0.extend(ACTIVATION.iter().map(|&key| key.to_owned()).zip(values));
}

/// The activation that [`set_activation`] noted.
fn activation(attributes: &Attributes) -> Result<Activation, OpError> {
    let [name, alpha, beta] = ACTIVATION;
    let Some(name) = attributes.text(name)? else { return Ok(Activation::Identity) };
    let (alpha, beta) = (attributes.require_float(alpha)?, attributes.require_float(beta)?);
    match name {
        "clip" => Ok(Activation::Clip { low: alpha, high: beta }),
        "leaky_relu" => Ok(Activation::LeakyRelu { alpha }),
        "hard_sigmoid" => Ok(Activation::HardSigmoid { alpha, beta }),
        "hard_swish" => Ok(Activation::HardSwish),
        other => Err(OpError::unsupported(format!("the engine's activation '{other}'"))),
    }
}
