//! SplitToSequence: a tensor cut along an axis.

use smallvec::smallvec;

use super::sequence_of;
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::host::ElementType;
use crate::ops::movement::{self, Cut};
use crate::ops::operator::Outputs;
use crate::ops::shape::normalize_axis;
use crate::ops::{Inputs, NodeContext, OpError, Operator, Placement, RunContext};
use crate::tensor::{Shape, Tensor, Value};

/// <https://onnx.ai/onnx/operators/onnx__SplitToSequence.html>.
///
/// Without `split` every part is one element long, and `keepdims` says whether the axis stays. A scalar is the length of each part (the last may be
/// shorter), a list the length of every part.
#[derive(Debug)]
struct SplitToSequence {
    axis: i64,
    keeps_axis: bool,
}

pub(super) fn build(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    // `keepdims` means nothing where lengths are given.
    let keeps_axis = context.attributes.int("keepdims")?.unwrap_or(1) != 0;
    Ok(Box::new(SplitToSequence { axis: context.attributes.int("axis")?.unwrap_or(0), keeps_axis }))
}

/// Lengths of the parts of an axis of `dim` elements.
fn lengths(split: &Tensor, dim: usize) -> Result<Vec<usize>, OpError> {
    let wrong = |found: String| OpError::WrongInput {
        index: 1,
        name: "split",
        expected: format!("a positive length, or lengths that add up to {dim}: int32 or int64"),
        found,
    };
    if !matches!(split.element_type(), ElementType::I32 | ElementType::I64) || split.rank() > 1 {
        return Err(wrong(format!("{split:?}")));
    }
    let given = split.to_i64s()?;
    let lengths: Option<Vec<usize>> = given.iter().map(|&length| usize::try_from(length).ok()).collect();
    let lengths = lengths.ok_or_else(|| wrong(format!("{given:?}")))?;
    if let ([], &[length]) = (split.shape(), lengths.as_slice()) {
        if length == 0 {
            return Err(wrong(format!("{given:?}")));
        }
        return Ok((0..dim).step_by(length).map(|start| length.min(dim - start)).collect());
    }
    match lengths.iter().try_fold(0_usize, |sum, &length| sum.checked_add(length)) {
        Some(sum) if sum == dim => Ok(lengths),
        _ => Err(wrong(format!("{given:?}"))),
    }
}

impl Operator for SplitToSequence {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let Some((element_type, shape)) = inputs.tensor(0) else { return Ok(vec![None]) };
        let Some(dims) = shape.dims() else { return Ok(vec![Some(sequence_of(element_type, SymbolicShape::unknown()))]) };
        let axis = normalize_axis(self.axis, dims.len())?;
        let mut dims = dims.to_vec();
        match (inputs.types.get(1), self.keeps_axis) {
            (None, true) => dims[axis] = Dimension::Known(1),
            (None, false) => {
                dims.remove(axis);
            }
            (Some(_), _) => dims[axis] = Dimension::Unknown,
        }
        Ok(vec![Some(sequence_of(element_type, dims.into()))])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let input = inputs.take_tensor(0, "input")?;
        let axis = normalize_axis(self.axis, input.rank())?;
        let dim = input.shape()[axis];
        let (lengths, keeps_axis) = match inputs.take_optional_tensor(1, "split")? {
            Some(split) => (lengths(&split, dim)?, true),
            None => (vec![1; dim], self.keeps_axis),
        };
        let mut parts = Vec::with_capacity(lengths.len());
        let mut start = 0;
        for length in lengths {
            let mut cuts: Vec<Cut> = input.shape().iter().map(|&dim| Cut::all(dim)).collect();
            cuts[axis] = Cut::range(start, length);
            let mut shape: Shape = cuts.iter().map(|cut| cut.length).collect();
            let part = if shape.contains(&0) { Tensor::empty(input.element_type(), &shape) } else { movement::cut(input.clone(), &cuts)? };
            if !keeps_axis {
                shape.remove(axis);
            }
            parts.push(Value::Tensor(part.reshaped(&shape)?));
            start += length;
        }
        Ok(smallvec![Value::Sequence(parts)])
    }

    fn placement(&self) -> Placement {
        Placement::PassThrough
    }
}
