//! RotaryEmbedding: pairs of elements turned by an angle that grows with the position.

use burn::backend::DispatchTensor;
use burn::backend::ops::FloatTensorOps as _;

use super::{heads_attribute, split_heads};
use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::ops::broadcast::float_operand;
use crate::ops::movement::{self, Cut};
use crate::ops::operator::{Outputs, single};
use crate::ops::precision::{cast, compute_type};
use crate::ops::shape::same_as;
use crate::ops::types::{TypeSet, check_same_type};
use crate::ops::{Inputs, NodeContext, OpError, Operator, Placement, RunContext};
use crate::tensor::{Backend, Tensor};

/// `(x₁, x₂) → (cos · x₁ − sin · x₂, sin · x₁ + cos · x₂)` for every pair of the first `rotary_embedding_dim` elements of a head (0: all of them).
///
/// <https://onnx.ai/onnx/operators/onnx__RotaryEmbedding.html>, opset 23.
#[derive(Debug)]
struct RotaryEmbedding {
    /// Pairs are neighbours, instead of one element from each half.
    is_interleaved: bool,
    n_heads: Option<usize>,
    n_rotated: usize,
}

pub fn build(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let n_rotated = node.attributes.int("rotary_embedding_dim")?.unwrap_or(0);
    let n_rotated = usize::try_from(n_rotated).ok().filter(|n_rotated| n_rotated.is_multiple_of(2));
    Ok(Box::new(RotaryEmbedding {
        is_interleaved: node.attributes.int("interleaved")?.unwrap_or(0) != 0,
        n_heads: heads_attribute(node, "num_heads")?,
        n_rotated: n_rotated.ok_or_else(|| OpError::value("attribute 'rotary_embedding_dim' must be an even number, not negative"))?,
    }))
}

/// The angles' cosines or sines of every step, `[batch, steps, pairs]`.
fn angles(cache: Tensor, name: &str, positions: Option<&[i64]>, expected: [usize; 3], context: &RunContext<'_>) -> Result<Tensor, OpError> {
    let [batch, steps, n_pairs] = expected;
    let Some(positions) = positions else {
        if cache.shape() != expected {
            return Err(OpError::shape(format!("{name} has shape {:?}; without position_ids it should be {expected:?}", cache.shape())));
        }
        return Ok(cache);
    };
    let &[n_positions, width] = cache.shape() else {
        return Err(OpError::shape(format!("{name} has shape {:?}; with position_ids it should be [positions, {n_pairs}]", cache.shape())));
    };
    if width != n_pairs {
        return Err(OpError::shape(format!("{name} has {width} columns; {n_pairs} pairs of a head are turned")));
    }
    let within = |&position: &i64| {
        let known = usize::try_from(position).ok().filter(|&position| position < n_positions);
        known.ok_or_else(|| {
            OpError::value(format!("position_ids has {position}; {name} has rows for the positions 0 to {}", n_positions.saturating_sub(1)))
        })
    };
    let positions = positions.iter().map(within).collect::<Result<Vec<usize>, _>>()?;
    Ok(movement::pick(cache, 0, &positions, context)?.reshaped(&[batch, steps, n_pairs])?)
}

impl RotaryEmbedding {
    /// The parts of each pair, of `[…, rotated]` elements.
    fn pairs(&self, rotated: &Tensor) -> Result<[Tensor; 2], OpError> {
        let last = rotated.rank() - 1;
        let n_pairs = rotated.shape()[last] / 2;
        let part = |start: usize, step: isize| {
            let mut cuts: Vec<Cut> = rotated.shape().iter().map(|&dim| Cut::all(dim)).collect();
            cuts[last] = Cut { start, length: n_pairs, step };
            movement::cut(rotated.clone(), &cuts)
        };
        if self.is_interleaved { Ok([part(0, 2)?, part(1, 2)?]) } else { Ok([part(0, 1)?, part(n_pairs, 1)?]) }
    }

    /// The pairs as elements of a head again.
    fn unite(&self, pairs: [Tensor; 2]) -> Result<Tensor, OpError> {
        let last = pairs[0].rank() - 1;
        if !self.is_interleaved {
            return movement::join(pairs.into(), last);
        }
        let apart = [pairs[0].shape(), &[1]].concat();
        let mut united = pairs[0].shape().to_vec();
        united[last] *= 2;
        let pairs = pairs.into_iter().map(|part| part.reshaped(&apart)).collect::<Result<Vec<_>, _>>()?;
        Ok(movement::join(pairs, last + 1)?.reshaped(&united)?)
    }
}

impl Operator for RotaryEmbedding {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![same_as(inputs, 0)])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "X")?;
        let (cosines, sines) = (inputs.take_tensor(1, "cos_cache")?, inputs.take_tensor(2, "sin_cache")?);
        TypeSet::FLOATS.check(&x, 0, "X")?;
        check_same_type(&x, &cosines)?;
        check_same_type(&x, &sines)?;
        let (element_type, shape) = (x.element_type(), x.shape().to_vec());
        // Heads stand before the steps in tensors of 4 axes, and after them in those of 3.
        let (x, steps_axis) = if x.rank() == 4 { (x, 2) } else { (split_heads(x, self.n_heads, "num_heads", "X")?, 1) };
        let (batch, steps, size) = (x.shape()[0], x.shape()[steps_axis], x.shape()[3]);
        let n_rotated = if self.n_rotated == 0 { size } else { self.n_rotated };
        if n_rotated > size || !n_rotated.is_multiple_of(2) {
            return Err(OpError::shape(format!("{n_rotated} of {size} elements of a head can't be turned in pairs")));
        }
        let positions = inputs.take_optional_tensor(3, "position_ids")?;
        if let Some(positions) = positions.as_ref().filter(|positions| positions.shape() != [batch, steps]) {
            return Err(OpError::shape(format!("position_ids has shape {:?}; it should be [{batch}, {steps}]", positions.shape())));
        }
        let positions = positions.map(|positions| positions.to_i64s()).transpose()?;
        let compute = compute_type(element_type);
        let angle_shape = if steps_axis == 2 { [batch, 1, steps, n_rotated / 2] } else { [batch, steps, 1, n_rotated / 2] };
        let angles = |cache: Tensor, name: &str| {
            let angles = angles(cache, name, positions.as_deref(), [batch, steps, n_rotated / 2], context)?;
            cast(angles.reshaped(&angle_shape)?, compute)
        };
        let (cosines, sines) = (angles(cosines, "cos_cache")?, angles(sines, "sin_cache")?);
        if x.is_empty() || n_rotated == 0 {
            return Ok(single(x.reshaped(&shape)?));
        }
        let mut cuts: Vec<Cut> = x.shape().iter().map(|&dim| Cut::all(dim)).collect();
        cuts[3] = Cut::range(n_rotated, size - n_rotated);
        let rest = movement::cut(x.clone(), &cuts)?;
        cuts[3] = Cut::range(0, n_rotated);
        let pairs = self.pairs(&cast(movement::cut(x, &cuts)?, compute)?)?;
        let pair_shape = pairs[0].shape().to_vec();
        let [first, second] = pairs.map(Tensor::into_primitive);
        let (Some(first), Some(second), Some(cosines), Some(sines)) = (first, second, float_operand(cosines, 4), float_operand(sines, 4)) else {
            return Err(OpError::shape("there is nothing to turn"));
        };
        let multiply = |a: &DispatchTensor, b: &DispatchTensor| Backend::float_mul(a.clone(), b.clone());
        let turned = [
            Backend::float_sub(multiply(&first, &cosines), multiply(&second, &sines)),
            Backend::float_add(multiply(&first, &sines), multiply(&second, &cosines)),
        ];
        let turned = turned.map(|part| Tensor::from_primitive(compute, &pair_shape, part));
        let rotated = cast(self.unite(turned)?, element_type)?;
        Ok(single(movement::join(vec![rotated, rest], 3)?.reshaped(&shape)?))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}
