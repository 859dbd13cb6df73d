//! Operators that rearrange elements without computing with them: Reshape, Flatten, Transpose, Squeeze, Unsqueeze, Expand,
//! Tile, Pad, CenterCropPad, DepthToSpace, SpaceToDepth, ReverseSequence, and Shape and Size, which only look. All take every element type.

mod blocks;
mod center;
mod pad;
mod repeat;
pub mod reshape;
mod reverse;

use super::integers::Integers;
use super::operator::{Outputs, single};
use super::quantize::scheme::match_quantized;
use super::registry::{OpsetRange, Registration};
use super::shape::unknown_dims;
use super::types::match_element;
use super::{Inputs, NodeContext, OpError, Operator, Placement, RunContext, movement};
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::host::ElementType;
use crate::tensor::Tensor;

pub const OPERATORS: &[Registration] = &[
    Registration { domain: "", op_type: "CenterCropPad", opsets: OpsetRange::from(18), build: center::build },
    Registration { domain: "", op_type: "DepthToSpace", opsets: OpsetRange::from(1), build: blocks::build },
    Registration { domain: "", op_type: "Expand", opsets: OpsetRange::from(8), build: repeat::build_expand },
    Registration { domain: "", op_type: "Flatten", opsets: OpsetRange::from(1), build: reshape::build_flatten },
    Registration { domain: "", op_type: "Pad", opsets: OpsetRange::from(1), build: pad::build },
    Registration { domain: "", op_type: "Reshape", opsets: OpsetRange::from(1), build: reshape::build_reshape },
    Registration { domain: "", op_type: "ReverseSequence", opsets: OpsetRange::from(10), build: reverse::build },
    Registration { domain: "", op_type: "Shape", opsets: OpsetRange::from(1), build: build_shape },
    Registration { domain: "", op_type: "Size", opsets: OpsetRange::from(1), build: build_size },
    Registration { domain: "", op_type: "SpaceToDepth", opsets: OpsetRange::from(1), build: blocks::build },
    Registration { domain: "", op_type: "Squeeze", opsets: OpsetRange::from(1), build: reshape::build_squeeze },
    Registration { domain: "", op_type: "Tile", opsets: OpsetRange::from(6), build: repeat::build_tile },
    Registration { domain: "", op_type: "Transpose", opsets: OpsetRange::from(1), build: build_transpose },
    Registration { domain: "", op_type: "Unsqueeze", opsets: OpsetRange::from(1), build: reshape::build_unsqueeze },
];

/// <https://onnx.ai/onnx/operators/onnx__Transpose.html>, opsets 1, 13, 21, 23, 24, 25 (element types).
#[derive(Debug)]
struct Transpose {
    /// A permutation; absent = the axes in reverse.
    axes: Option<Vec<usize>>,
}

fn build_transpose(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let Some(perm) = context.attributes.ints("perm")? else { return Ok(Box::new(Transpose { axes: None })) };
    let axes = perm.iter().map(|&axis| usize::try_from(axis)).collect::<Result<Vec<_>, _>>();
    let axes = axes.ok().filter(|axes| (0..axes.len()).all(|axis| axes.contains(&axis)));
    let axes = axes.ok_or_else(|| OpError::value(format!("attribute 'perm' should name each axis once, but is {perm:?}")))?;
    Ok(Box::new(Transpose { axes: Some(axes) }))
}

impl Transpose {
    fn axes(&self, rank: usize) -> Result<Vec<usize>, OpError> {
        match &self.axes {
            None => Ok((0..rank).rev().collect()),
            Some(axes) if axes.len() == rank => Ok(axes.clone()),
            Some(axes) => Err(OpError::shape(format!("attribute 'perm' is {axes:?}, but the tensor has rank {rank}"))),
        }
    }
}

impl Operator for Transpose {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        infer_like(inputs, |dims| {
            let axes = self.axes(dims.len())?;
            Ok(SymbolicShape(Some(axes.iter().map(|&axis| dims[axis].clone()).collect())))
        })
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let data = inputs.take_tensor(0, "data")?;
        let axes = self.axes(data.rank())?;
        Ok(single(movement::permute(data, &axes)?))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}

/// <https://onnx.ai/onnx/operators/onnx__Shape.html>, opsets 1, 13, 15 (start, end), 19, 21, 23, 24, 25 (element types).
#[derive(Debug)]
struct ShapeOf {
    start: i64,
    end: Option<i64>,
}

fn build_shape(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(ShapeOf { start: context.attributes.int("start")?.unwrap_or(0), end: context.attributes.int("end")? }))
}

impl ShapeOf {
    /// The dimensions between `start` and `end`; both may count from the end, and are clamped to the rank.
    fn range(&self, rank: usize) -> std::ops::Range<usize> {
        let clamp = |axis: i64| {
            let magnitude = usize::try_from(axis.unsigned_abs()).unwrap_or(usize::MAX);
            if axis < 0 { rank.saturating_sub(magnitude) } else { magnitude.min(rank) }
        };
        let start = clamp(self.start);
        start..self.end.map_or(rank, clamp).max(start)
    }
}

impl Operator for ShapeOf {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let rank = inputs.tensor(0).and_then(|(_, shape)| shape.rank());
        let shape = match rank {
            Some(rank) => SymbolicShape(Some(vec![Dimension::Known(self.range(rank).len())])),
            None => unknown_dims(1),
        };
        Ok(vec![Some(ValueType::tensor(ElementType::I64, shape))])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let data = inputs.take_tensor(0, "data")?;
        let dims: Vec<i64> = data.shape()[self.range(data.rank())].iter().map(|&dim| dim as i64).collect();
        Ok(single(Tensor::from_vec(&[dims.len()], dims)?))
    }

    /// It only looks at the shape: the data may stay where it is.
    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}

/// <https://onnx.ai/onnx/operators/onnx__Size.html>, opsets 1, 13, 19, 21, 23, 24, 25 (element types).
#[derive(Debug)]
struct SizeOf;

fn build_size(_context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(SizeOf))
}

impl Operator for SizeOf {
    fn infer(&self, _inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![Some(ValueType::tensor(ElementType::I64, Vec::new()))])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        Ok(single(Tensor::scalar(inputs.take_tensor(0, "data")?.n_elements() as i64)))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}

/// The type of an output that has the first input's element type; `shape` is asked where the input's rank is known.
fn infer_like(
    inputs: &InferInputs<'_>,
    shape: impl FnOnce(&[Dimension]) -> Result<SymbolicShape, OpError>,
) -> Result<Vec<Option<ValueType>>, OpError> {
    let Some((element_type, input)) = inputs.tensor(0) else { return Ok(vec![None]) };
    let shape = match input.dims() {
        Some(dims) => shape(dims)?,
        None => SymbolicShape::unknown(),
    };
    Ok(vec![Some(ValueType::tensor(element_type, shape))])
}

/// One element of a type: the number 0, false or an empty string. Types of fewer than eight bits and floats of eight are not computed with, but padded.
fn zero(element_type: ElementType) -> Result<Tensor, OpError> {
    if element_type == ElementType::String {
        return Ok(Tensor::from_strings(&[], vec![compact_str::CompactString::default()])?);
    }
    match_element!(element_type, T => Ok(Tensor::scalar(<T as bytemuck::Zeroable>::zeroed())),
        else match_quantized!(element_type, T => Ok(Tensor::scalar(<T as bytemuck::Zeroable>::zeroed())),
            else Err(OpError::unsupported(format!("padding of {element_type}")))))
}

#[cfg(test)]
mod tests;
