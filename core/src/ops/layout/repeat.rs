//! Expand and Tile: the same elements, several times over.

use super::{Integers, infer_like};
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::ops::broadcast::{broadcast, broadcast_symbolic};
use crate::ops::operator::{Outputs, single};
use crate::ops::shape::{product, to_shape, unknown_dims};
use crate::ops::{Inputs, NodeContext, OpError, Operator, Placement, RunContext, movement};
use crate::tensor::Shape;

/// <https://onnx.ai/onnx/operators/onnx__Expand.html>, opsets 8, 13 (element types).
#[derive(Debug)]
struct Expand {
    shape: Integers,
}

pub fn build_expand(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(Expand { shape: Integers::from_input(context, 1, "shape")? }))
}

impl Operator for Expand {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let Some((element_type, input)) = inputs.tensor(0) else { return Ok(vec![None]) };
        let shape = match self.shape.inferred(inputs).flatten() {
            Some(target) => broadcast_symbolic(input, &to_shape(&target)?.as_slice().into())?,
            None => match (input.rank(), inputs.tensor(1).and_then(|(_, shape)| shape.as_known()).as_deref()) {
                (Some(rank), Some(&[target_rank])) if target_rank <= 64 => unknown_dims(rank.max(target_rank)),
                _ => SymbolicShape::unknown(),
            },
        };
        Ok(vec![Some(ValueType::tensor(element_type, shape))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let input = inputs.take_tensor(0, "input")?;
        let target = to_shape(&self.shape.require(&mut inputs, 1, "shape")?)?;
        let shape = broadcast(input.shape(), &target)?;
        context.check_result_size(input.element_type(), &shape)?;
        Ok(single(movement::expand(input, &shape)?))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}

/// <https://onnx.ai/onnx/operators/onnx__Tile.html>, opsets 6, 13 (element types). Opset 1 had other inputs and was never in use.
#[derive(Debug)]
struct Tile {
    repeats: Integers,
}

pub fn build_tile(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(Tile { repeats: Integers::from_input(context, 1, "repeats")? }))
}

impl Tile {
    fn repeats(repeats: &[i64], rank: usize) -> Result<Shape, OpError> {
        if repeats.len() != rank {
            return Err(OpError::shape(format!("repeats {repeats:?} should have one entry per axis, but the tensor has rank {rank}")));
        }
        let repeats = repeats.iter().map(|&times| usize::try_from(times)).collect::<Result<Shape, _>>();
        repeats.map_err(|_| OpError::value("repeats must not be negative"))
    }
}

impl Operator for Tile {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        infer_like(inputs, |dims| {
            let Some(repeats) = self.repeats.inferred(inputs).flatten() else { return Ok(unknown_dims(dims.len())) };
            let repeats = Self::repeats(&repeats, dims.len())?;
            Ok(SymbolicShape(Some(dims.iter().zip(repeats).map(|(dim, times)| product(&[dim.clone(), Dimension::Known(times)])).collect())))
        })
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let input = inputs.take_tensor(0, "input")?;
        let repeats = Self::repeats(&self.repeats.require(&mut inputs, 1, "repeats")?, input.rank())?;
        let tiled: Option<Shape> = input.shape().iter().zip(&repeats).map(|(dim, &times)| dim.checked_mul(times)).collect();
        let tiled =
            tiled.ok_or_else(|| OpError::shape(format!("repeats {:?} of shape {:?} make too large a tensor", &repeats[..], input.shape())))?;
        context.check_result_size(input.element_type(), &tiled)?;
        // Each repeated axis gets an axis of 1 before it, which is then stretched.
        let mut interleaved = Shape::new();
        let mut stretched = Shape::new();
        for (&dim, &times) in input.shape().iter().zip(&repeats) {
            if times != 1 {
                interleaved.push(1);
                stretched.push(times);
            }
            interleaved.push(dim);
            stretched.push(dim);
        }
        let repeated = movement::expand(input.reshaped(&interleaved)?, &stretched)?;
        Ok(single(repeated.reshaped(&tiled)?))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}
