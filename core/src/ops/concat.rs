//! Concat and Split: tensors joined along an axis, and cut apart again. Both take every element type.

use super::integers::Integers;
use super::movement::{self, Cut};
use super::operator::{Outputs, single};
use super::registry::{OpsetRange, Registration};
use super::shape::{normalize_axis, sum};
use super::types::check_same_type;
use super::{Inputs, NodeContext, OpError, Operator, Placement, RunContext};
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::tensor::{Shape, Tensor, Value};

pub const OPERATORS: &[Registration] = &[
    Registration { domain: "", op_type: "Concat", opsets: OpsetRange::from(1), build: build_concat },
    Registration { domain: "", op_type: "Split", opsets: OpsetRange::from(1), build: build_split },
];

/// <https://onnx.ai/onnx/operators/onnx__Concat.html>, opsets 1 (axis is 1 unless given), 4 (axis is required), 11 (negative axis), 13 (element types).
#[derive(Debug)]
struct Concat {
    axis: i64,
}

fn build_concat(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let axis = if context.opset < 4 { context.attributes.int("axis")?.unwrap_or(1) } else { context.attributes.require_int("axis")? };
    Ok(Box::new(Concat { axis }))
}

impl Operator for Concat {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let tensors: Option<Vec<_>> = (0..inputs.types.len()).map(|index| inputs.tensor(index)).collect();
        let Some(tensors) = tensors else { return Ok(vec![None]) };
        let Some((element_type, _)) = tensors.first() else { return Ok(vec![None]) };
        let Some(shapes) = tensors.iter().map(|(_, shape)| shape.dims()).collect::<Option<Vec<_>>>() else {
            return Ok(vec![Some(ValueType::tensor(*element_type, SymbolicShape::unknown()))]);
        };
        let rank = shapes[0].len();
        let axis = normalize_axis(self.axis, rank)?;
        if shapes.iter().any(|dims| dims.len() != rank) {
            return Err(OpError::shape("the inputs of Concat have different ranks"));
        }
        let joined = (0..rank).map(|position| {
            let mut dims = shapes.iter().map(|dims| dims[position].clone());
            if position == axis {
                return sum(&dims.collect::<Vec<_>>());
            }
            // All are equal, so the most exact one holds.
            dims.clone().find(|dim| dim.known().is_some()).or_else(|| dims.find(|dim| *dim != Dimension::Unknown)).unwrap_or(Dimension::Unknown)
        });
        Ok(vec![Some(ValueType::tensor(*element_type, joined.collect::<Vec<_>>()))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let tensors = inputs.take_tensors("inputs")?;
        let Some(first) = tensors.first() else { return Err(OpError::MissingInput { index: 0, name: "inputs" }) };
        let axis = normalize_axis(self.axis, first.rank())?;
        let mut shape = Shape::from_slice(first.shape());
        for (index, tensor) in tensors.iter().enumerate().skip(1) {
            check_same_type(first, tensor)?;
            let fits =
                tensor.rank() == first.rank() && (0..tensor.rank()).all(|other| other == axis || tensor.shape()[other] == first.shape()[other]);
            if !fits {
                return Err(OpError::shape(format!(
                    "input {index} has shape {:?}, which does not join input 0 of shape {:?} along axis {axis}: all other axes must be equal",
                    tensor.shape(),
                    first.shape()
                )));
            }
            shape[axis] = shape[axis].saturating_add(tensor.shape()[axis]);
        }
        context.check_result_size(first.element_type(), &shape)?;
        Ok(single(movement::join(tensors, axis)?))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}

/// <https://onnx.ai/onnx/operators/onnx__Split.html>, opsets 1, 2, 11 (negative axis), 13 (the lengths are an input), 18 (`num_outputs`, uneven parts).
#[derive(Debug)]
struct Split {
    axis: i64,
    lengths: Integers,
    n_outputs: usize,
    /// From opset 18 on the last of equal parts may be shorter.
    is_uneven: bool,
}

fn build_split(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let lengths = match Integers::from_attribute(context, "split")? {
        Integers::Absent if context.opset != 2 && context.opset != 11 => Integers::from_input(context, 1, "split")?,
        lengths => lengths,
    };
    let n_outputs = context.n_outputs.max(1);
    if let Some(declared) = context.attributes.int("num_outputs")?
        && usize::try_from(declared) != Ok(n_outputs)
    {
        return Err(OpError::value(format!("attribute 'num_outputs' is {declared}, but the node has {n_outputs} outputs")));
    }
    Ok(Box::new(Split { axis: context.attributes.int("axis")?.unwrap_or(0), lengths, n_outputs, is_uneven: context.opset >= 18 }))
}

impl Split {
    fn lengths(&self, dim: usize, requested: Option<&[i64]>) -> Result<Vec<usize>, OpError> {
        let Some(requested) = requested else { return self.equal_lengths(dim) };
        let lengths = requested.iter().map(|&length| usize::try_from(length)).collect::<Result<Vec<_>, _>>();
        let sum = |lengths: &Vec<usize>| lengths.iter().try_fold(0_usize, |sum, &length| sum.checked_add(length));
        match lengths {
            Ok(lengths) if lengths.len() == self.n_outputs && sum(&lengths) == Some(dim) => Ok(lengths),
            _ => Err(OpError::shape(format!(
                "the lengths {requested:?} should cut an axis of {dim} elements into {} parts that add up to it",
                self.n_outputs
            ))),
        }
    }

    fn equal_lengths(&self, dim: usize) -> Result<Vec<usize>, OpError> {
        if !self.is_uneven && !dim.is_multiple_of(self.n_outputs) {
            return Err(OpError::shape(format!("an axis of {dim} elements cannot be cut into {} equal parts", self.n_outputs)));
        }
        let length = dim.div_ceil(self.n_outputs);
        Ok((0..self.n_outputs).map(|part| length.min(dim.saturating_sub(part * length))).collect())
    }
}

impl Operator for Split {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let Some((element_type, input)) = inputs.tensor(0) else { return Ok(vec![None; self.n_outputs]) };
        let Some(dims) = input.dims() else {
            return Ok(vec![Some(ValueType::tensor(element_type, SymbolicShape::unknown())); self.n_outputs]);
        };
        let axis = normalize_axis(self.axis, dims.len())?;
        let lengths: Vec<Dimension> = match (self.lengths.inferred(inputs), dims[axis].known()) {
            (Some(requested), Some(dim)) => self.lengths(dim, requested.as_deref())?.into_iter().map(Dimension::Known).collect(),
            (Some(Some(requested)), None) if requested.len() == self.n_outputs => {
                requested.iter().map(|&length| usize::try_from(length).map_or(Dimension::Unknown, Dimension::Known)).collect()
            }
            _ => vec![Dimension::Unknown; self.n_outputs],
        };
        let part = |length: Dimension| {
            let mut dims = dims.to_vec();
            dims[axis] = length;
            Some(ValueType::tensor(element_type, dims))
        };
        Ok(lengths.into_iter().map(part).collect())
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let input = inputs.take_tensor(0, "input")?;
        let axis = normalize_axis(self.axis, input.rank())?;
        let requested = self.lengths.get(&mut inputs)?;
        let mut start = 0;
        let mut parts = Outputs::new();
        for length in self.lengths(input.shape()[axis], requested.as_deref())? {
            let mut cuts: Vec<Cut> = input.shape().iter().map(|&dim| Cut::all(dim)).collect();
            cuts[axis] = Cut::range(start, length);
            parts.push(Value::Tensor(movement::cut(Tensor::clone(&input), &cuts)?));
            start += length;
        }
        Ok(parts)
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::ElementType;
    use crate::ops::testing::{assert_bools, assert_strings, assert_tensor, bools, op, ramp, strings, tensor, typed};

    #[test]
    fn tensors_are_joined_along_an_axis() {
        let joined = op("Concat").int("axis", -1).run1([tensor(&[2, 1], &[1.0_f32, 2.0]), tensor(&[2, 2], &[3.0_f32, 4.0, 5.0, 6.0])]);
        assert_tensor(&joined, &[2, 3], &[1.0_f32, 3.0, 4.0, 2.0, 5.0, 6.0]);
        let rows = op("Concat").int("axis", 0).run1([tensor(&[1, 2], &[1_u16, 2]), tensor(&[1, 2], &[3_u16, 4])]);
        assert_tensor(&rows, &[2, 2], &[1_u16, 2, 3, 4]);
        let words = op("Concat").int("axis", 1).run1([strings(&[2, 1], &["a", "b"]), strings(&[2, 2], &["c", "d", "e", "f"])]);
        assert_strings(&words, &[2, 3], &["a", "c", "d", "b", "e", "f"]);
        assert_bools(&op("Concat").int("axis", 0).run1([bools(&[1], &[true]), bools(&[1], &[false])]), &[2], &[true, false]);
        assert_tensor(&op("Concat").int("axis", 0).run1([tensor(&[1], &[7_i64])]), &[1], &[7_i64]);
        let with_empty = [Tensor::empty(ElementType::I64, &[0]), tensor(&[1], &[7_i64])];
        assert_tensor(&op("Concat").int("axis", 0).run1(with_empty), &[1], &[7_i64]);
        assert_eq!(op("Concat").opset(1).run1([ramp(&[1, 2]), ramp(&[1, 3])]).shape(), [1, 5]);
    }

    #[test]
    fn tensors_that_do_not_join_are_refused() {
        assert_eq!(
            op("Concat").int("axis", 0).error([ramp(&[1, 2]), ramp(&[1, 3])]),
            "input 1 has shape [1, 3], which does not join input 0 of shape [1, 2] along axis 0: all other axes must be equal"
        );
        assert!(op("Concat").int("axis", 0).error([ramp(&[1]), tensor(&[1], &[1_i64])]).contains("different element types"));
        assert_eq!(op("Concat").error([ramp(&[1])]), "attribute 'axis' is missing; the operator needs it");
        assert!(op("Concat").int("axis", 0).error([Tensor::scalar(1.0_f32)]).contains("rank 0"));
        assert!(op("Concat").int("axis", 0).max_result_bytes(7).error([ramp(&[1]), ramp(&[1])]).contains("more than the limit"));
    }

    #[test]
    fn tensors_are_cut_into_parts() {
        let input = || tensor(&[7], &[0_i32, 1, 2, 3, 4, 5, 6]);
        let parts = op("Split").int("num_outputs", 3).outputs(3).try_run([input()]).unwrap();
        assert_tensor(&parts[0], &[3], &[0_i32, 1, 2]);
        assert_tensor(&parts[2], &[1], &[6_i32]);
        let lengths = tensor(&[3], &[1_i64, 0, 6]);
        let parts = op("Split").outputs(3).try_run([input(), lengths]).unwrap();
        assert_tensor::<i32>(&parts[1], &[0], &[]);
        assert_tensor(&parts[2], &[6], &[1_i32, 2, 3, 4, 5, 6]);
        let columns = op("Split").opset(11).int("axis", -1).ints("split", &[1, 2]).outputs(2);
        let parts = columns.try_run([strings(&[2, 3], &["a", "b", "c", "d", "e", "f"])]).unwrap();
        assert_strings(&parts[0], &[2, 1], &["a", "d"]);
        assert_strings(&parts[1], &[2, 2], &["b", "c", "e", "f"]);
        assert_eq!(op("Split").opset(13).outputs(2).error([input()]), "an axis of 7 elements cannot be cut into 2 equal parts");
        assert_eq!(
            op("Split").outputs(2).error([input(), tensor(&[2], &[3_i64, 5])]),
            "the lengths [3, 5] should cut an axis of 7 elements into 2 parts that add up to it"
        );
        assert!(op("Split").outputs(2).error([input(), tensor(&[2], &[-1_i64, 8])]).contains("[-1, 8]"));
        assert!(op("Split").outputs(2).error([input(), tensor(&[2], &[i64::MAX, i64::MAX])]).contains("add up to it"));
        assert_eq!(op("Split").int("num_outputs", 3).outputs(2).error([input()]), "attribute 'num_outputs' is 3, but the node has 2 outputs");
    }

    #[test]
    fn inference_adds_and_cuts_dimensions() {
        let concat = op("Concat").int("axis", 1);
        assert_eq!(concat.infer([typed::<f32>("N, 3"), typed::<f32>("?, 4")]), [Some("float32[N, 7]".to_owned())]);
        assert_eq!(concat.infer([typed::<f32>("N, past"), typed::<f32>("2, 1")]), [Some("float32[2, (past + 1)]".to_owned())]);
        let split = op("Split").int("axis", 1).outputs(2);
        assert_eq!(split.infer([typed::<f32>("N, 6")]), [Some("float32[N, 3]".to_owned()), Some("float32[N, 3]".to_owned())]);
    }
}
