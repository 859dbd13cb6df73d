//! Attention and what goes with it in a transformer: rotary positions, caches, and the recurrent kinds of attention.

mod causal_convolution;
mod linear;
mod mask;
mod rotary;
mod scaled_dot_product;
mod tensor_scatter;
#[cfg(test)]
mod tests;

use super::{NodeContext, OpError, OpsetRange, Registration};
use crate::tensor::Tensor;

/// Attention: 23, 24 (`nonpad_kv_seqlen`), 25 (windows). The others have one version.
pub const OPERATORS: &[Registration] = &[
    Registration { domain: "", op_type: "Attention", opsets: OpsetRange::from(23), build: scaled_dot_product::build },
    Registration { domain: "", op_type: "CausalConvWithState", opsets: OpsetRange::from(27), build: causal_convolution::build },
    Registration { domain: "", op_type: "LinearAttention", opsets: OpsetRange::from(27), build: linear::build },
    Registration { domain: "", op_type: "RotaryEmbedding", opsets: OpsetRange::from(23), build: rotary::build },
    Registration { domain: "", op_type: "TensorScatter", opsets: OpsetRange::from(24), build: tensor_scatter::build },
];

/// A number of heads: an attribute that may be left out where the input's shape tells it.
fn heads_attribute(node: &NodeContext<'_>, name: &str) -> Result<Option<usize>, OpError> {
    let Some(n_heads) = node.attributes.int(name)?.filter(|&n_heads| n_heads != 0) else { return Ok(None) };
    let positive = usize::try_from(n_heads).map_err(|_| OpError::value(format!("attribute '{name}' is {n_heads}; it must be at least 1")))?;
    Ok(Some(positive))
}

/// `[batch, steps, heads · size]` as `[batch, steps, heads, size]`.
fn split_heads(tensor: Tensor, n_heads: Option<usize>, attribute: &str, name: &str) -> Result<Tensor, OpError> {
    let &[batch, steps, width] = tensor.shape() else {
        return Err(OpError::shape(format!("{name} has shape {:?}; it should have 3 axes or 4", tensor.shape())));
    };
    let n_heads = n_heads.ok_or_else(|| OpError::value(format!("attribute '{attribute}' is missing; {name} of 3 axes needs it")))?;
    if !width.is_multiple_of(n_heads) {
        return Err(OpError::shape(format!("{name} has {width} elements per step, which {n_heads} heads can't share evenly")));
    }
    Ok(tensor.reshaped(&[batch, steps, n_heads, width / n_heads])?)
}
