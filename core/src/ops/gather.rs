//! Slice, Gather, GatherElements, GatherND: parts of a tensor, chosen by ranges or by indices. All take every element type.

mod nd;

use super::integers::Integers;
use super::movement::{self, Cut};
use super::operator::{Outputs, single};
use super::registry::{OpsetRange, Registration};
use super::shape::{like_with_dims, normalize_axis, normalize_index, unknown_dims};
use super::types::TypeSet;
use super::{Inputs, NodeContext, OpError, Operator, Placement, RunContext};
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::tensor::{Shape, Tensor};

pub const OPERATORS: &[Registration] = &[
    Registration { domain: "", op_type: "Gather", opsets: OpsetRange::from(1), build: build_gather },
    Registration { domain: "", op_type: "GatherElements", opsets: OpsetRange::from(11), build: build_gather_elements },
    Registration { domain: "", op_type: "GatherND", opsets: OpsetRange::from(11), build: nd::build },
    Registration { domain: "", op_type: "Slice", opsets: OpsetRange::from(1), build: build_slice },
];

/// <https://onnx.ai/onnx/operators/onnx__Slice.html>, opsets 1 (attributes), 10 (inputs, steps), 11 (negative axes), 13 (element types).
#[derive(Debug)]
struct Slice {
    starts: Integers,
    ends: Integers,
    axes: Integers,
    steps: Integers,
}

fn build_slice(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let source = |index, name| Integers::attribute_until(context, 10, index, name);
    Ok(Box::new(Slice { starts: source(1, "starts")?, ends: source(2, "ends")?, axes: source(3, "axes")?, steps: source(4, "steps")? }))
}

/// Bounds as the model gives them: they may count from the end, and reach beyond the axis.
#[derive(Clone, Copy)]
struct Bounds {
    start: i64,
    end: i64,
    step: i64,
}

impl Bounds {
    fn to_cut(self, dim: usize) -> Cut {
        let dim = dim as i128;
        let from_front = |bound: i64| if bound < 0 { i128::from(bound) + dim } else { i128::from(bound) };
        let step = i128::from(self.step);
        // Stepping back, an end before the first element is -1.
        let (lowest, highest) = if step > 0 { (0, dim) } else { (-1, dim - 1) };
        let start = from_front(self.start).clamp(lowest.max(0).min(highest), highest);
        let end = from_front(self.end).clamp(lowest, highest);
        let length = if step > 0 { (end - start + step - 1) / step } else { (start - end - step - 1) / -step };
        // All three lie within the axis now; a step beyond it is taken once at most.
        let in_axis = |value: i128| usize::try_from(value).unwrap_or(0);
        let step = isize::try_from(step.clamp(-dim.max(1), dim.max(1))).unwrap_or(1);
        Cut { start: in_axis(start), length: in_axis(length), step }
    }
}

/// The bounds of each axis; `None` = the whole axis.
fn bounds_per_axis(starts: &[i64], ends: &[i64], axes: Option<&[i64]>, steps: Option<&[i64]>, rank: usize) -> Result<Vec<Option<Bounds>>, OpError> {
    let lists_fit = ends.len() == starts.len() && axes.is_none_or(|axes| axes.len() == starts.len()) && steps.is_none_or(|s| s.len() == starts.len());
    if !lists_fit || (axes.is_none() && starts.len() > rank) {
        return Err(OpError::shape(format!(
            "starts {starts:?}, ends {ends:?}, axes {axes:?} and steps {steps:?} should be equally long and fit a tensor of rank {rank}"
        )));
    }
    let mut per_axis = vec![None; rank];
    for (index, (&start, &end)) in starts.iter().zip(ends).enumerate() {
        let axis = axes.map_or(Ok(index), |axes| normalize_axis(axes[index], rank))?;
        let step = steps.map_or(1, |steps| steps[index]);
        if step == 0 {
            return Err(OpError::value(format!("the step of axis {axis} is 0")));
        }
        if per_axis[axis].replace(Bounds { start, end, step }).is_some() {
            return Err(OpError::shape(format!("axis {axis} is sliced twice")));
        }
    }
    Ok(per_axis)
}

impl Slice {
    fn infer_dims(&self, dims: &[Dimension], inputs: &InferInputs<'_>) -> Result<SymbolicShape, OpError> {
        let (Some(axes), Some(steps)) = (self.axes.inferred(inputs), self.steps.inferred(inputs)) else { return Ok(unknown_dims(dims.len())) };
        let (Some(Some(starts)), Some(Some(ends))) = (self.starts.inferred(inputs), self.ends.inferred(inputs)) else {
            // Only the axes are known: the others keep their dimensions.
            let Some(axes) = axes else { return Ok(unknown_dims(dims.len())) };
            let sliced = axes.iter().map(|&axis| normalize_axis(axis, dims.len())).collect::<Result<Vec<_>, _>>()?;
            let keep = |(axis, dim): (usize, &Dimension)| if sliced.contains(&axis) { Dimension::Unknown } else { dim.clone() };
            return Ok(SymbolicShape(Some(dims.iter().enumerate().map(keep).collect())));
        };
        let bounds = bounds_per_axis(&starts, &ends, axes.as_deref(), steps.as_deref(), dims.len())?;
        let sliced = dims.iter().zip(bounds).map(|(dim, bounds)| match (bounds, dim.known()) {
            (None, _) => dim.clone(),
            (Some(bounds), Some(dim)) => Dimension::Known(bounds.to_cut(dim).length),
            (Some(Bounds { start: 0, end: i64::MAX, step: 1 }), None) => dim.clone(),
            (Some(_), None) => Dimension::Unknown,
        });
        Ok(SymbolicShape(Some(sliced.collect())))
    }
}

impl Operator for Slice {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![like_with_dims(inputs, 0, |dims| self.infer_dims(dims, inputs))?])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let data = inputs.take_tensor(0, "data")?;
        let starts = self.starts.require(&mut inputs, 1, "starts")?;
        let ends = self.ends.require(&mut inputs, 2, "ends")?;
        let (axes, steps) = (self.axes.get(&mut inputs)?, self.steps.get(&mut inputs)?);
        let bounds = bounds_per_axis(&starts, &ends, axes.as_deref(), steps.as_deref(), data.rank())?;
        let cuts: Vec<Cut> =
            data.shape().iter().zip(bounds).map(|(&dim, bounds)| bounds.map_or(Cut::all(dim), |bounds| bounds.to_cut(dim))).collect();
        Ok(single(movement::cut(data, &cuts)?))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}

/// The indices of a gather, counted from the front and proven to lie within the axis.
fn read_indices(indices: &Tensor, dim: usize, axis: usize) -> Result<Vec<usize>, OpError> {
    TypeSet::INDICES.check(indices, 1, "indices")?;
    indices.to_i64s()?.iter().map(|&index| normalize_index(index, dim, axis)).collect()
}

/// <https://onnx.ai/onnx/operators/onnx__Gather.html>, opsets 1, 11 (negative indices), 13 (element types).
#[derive(Debug)]
struct Gather {
    axis: i64,
}

fn build_gather(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(Gather { axis: context.attributes.int("axis")?.unwrap_or(0) }))
}

impl Operator for Gather {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let Some((element_type, data)) = inputs.tensor(0) else { return Ok(vec![None]) };
        let indices = inputs.tensor(1).and_then(|(_, shape)| shape.dims());
        let shape = match (data.dims(), indices) {
            (Some(data), Some(indices)) => {
                let axis = normalize_axis(self.axis, data.len())?;
                SymbolicShape(Some([&data[..axis], indices, &data[axis + 1..]].concat()))
            }
            _ => SymbolicShape::unknown(),
        };
        Ok(vec![Some(ValueType::tensor(element_type, shape))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let data = inputs.take_tensor(0, "data")?;
        let indices = inputs.take_tensor(1, "indices")?;
        let axis = normalize_axis(self.axis, data.rank())?;
        let positions = read_indices(&indices, data.shape()[axis], axis)?;
        let shape: Shape = [&data.shape()[..axis], indices.shape(), &data.shape()[axis + 1..]].concat().into();
        context.check_result_size(data.element_type(), &shape)?;
        let picked = match positions.as_slice() {
            // One element is a view.
            &[position] => {
                let mut cuts: Vec<Cut> = data.shape().iter().map(|&dim| Cut::all(dim)).collect();
                cuts[axis] = Cut::range(position, 1);
                movement::cut(data, &cuts)?
            }
            positions => movement::pick(data, axis, positions, context)?,
        };
        Ok(single(picked.reshaped(&shape)?))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}

/// <https://onnx.ai/onnx/operators/onnx__GatherElements.html>, opsets 11, 13 (element types).
#[derive(Debug)]
struct GatherElements {
    axis: i64,
}

fn build_gather_elements(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(GatherElements { axis: context.attributes.int("axis")?.unwrap_or(0) }))
}

impl Operator for GatherElements {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let Some((element_type, _)) = inputs.tensor(0) else { return Ok(vec![None]) };
        let shape = inputs.tensor(1).map_or_else(SymbolicShape::unknown, |(_, shape)| shape.clone());
        Ok(vec![Some(ValueType::tensor(element_type, shape))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let data = inputs.take_tensor(0, "data")?;
        let indices = inputs.take_tensor(1, "indices")?;
        let axis = normalize_axis(self.axis, data.rank())?;
        let fits = indices.rank() == data.rank() && (0..data.rank()).all(|other| other == axis || indices.shape()[other] <= data.shape()[other]);
        if !fits {
            return Err(OpError::shape(format!(
                "indices of shape {:?} do not fit data of shape {:?}: they need its rank, and may exceed it along axis {axis} only",
                indices.shape(),
                data.shape()
            )));
        }
        let positions = read_indices(&indices, data.shape()[axis], axis)?;
        context.check_result_size(data.element_type(), indices.shape())?;
        // Where the indices cover less of the other axes, so does the data.
        let cover = |(other, &dim): (usize, &usize)| if other == axis { Cut::all(dim) } else { Cut::range(0, indices.shape()[other]) };
        let cuts: Vec<Cut> = data.shape().iter().enumerate().map(cover).collect();
        let covered = movement::cut(data, &cuts)?;
        Ok(single(movement::pick_elements(covered, axis, indices.shape(), &positions, context)?))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::ElementType;
    use crate::ops::testing::{assert_bools, assert_strings, assert_tensor, bools, op, strings, tensor, typed};

    fn ints(values: &[i64]) -> Tensor {
        tensor(&[values.len()], values)
    }

    fn count(shape: &[usize]) -> Tensor {
        tensor(shape, &(0..shape.iter().product::<usize>() as i64).collect::<Vec<_>>())
    }

    #[test]
    fn slices_follow_onnx_runtime() {
        // Input shape; starts, ends, axes, steps; expected shape and elements, from ONNX Runtime 1.31.
        type Case<'a> = (&'a [usize], [&'a [i64]; 4], &'a [usize], &'a [i64]);
        let cases: [Case<'_>; 6] = [
            (&[4, 5], [&[-1, 10], &[-10, 0], &[0, 1], &[-2, -3]], &[2, 2], &[19, 16, 9, 6]),
            (&[4, 5], [&[1, -100], &[1 << 62, -1], &[0, 1], &[2, 2]], &[2, 2], &[5, 7, 15, 17]),
            (&[5], [&[-10], &[-20], &[0], &[-1]], &[1], &[0]),
            (&[5], [&[4], &[i64::MIN], &[0], &[i64::MIN]], &[1], &[4]),
            (&[5], [&[3], &[1], &[0], &[1]], &[0], &[]),
            (&[5], [&[1], &[5], &[0], &[i64::MAX]], &[1], &[1]),
        ];
        for (shape, lists, expected_shape, expected) in cases {
            let inputs = || std::iter::once(count(shape)).chain(lists.map(ints));
            assert_tensor(&op("Slice").run1(inputs()), expected_shape, expected);
            let narrow = |values: &[i64]| values.iter().all(|value| i32::try_from(*value).is_ok());
            if lists.iter().all(|list| narrow(list)) {
                let lists = lists.map(|list| tensor(&[list.len()], &list.iter().map(|&value| value as i32).collect::<Vec<_>>()));
                assert_tensor(&op("Slice").run1(std::iter::once(count(shape)).chain(lists)), expected_shape, expected);
            }
        }
        let attributes = op("Slice").opset(9).ints("starts", &[1]).ints("ends", &[9]).ints("axes", &[1]);
        assert_tensor(&attributes.run1([count(&[2, 3])]), &[2, 2], &[1_i64, 2, 4, 5]);
        let words = op("Slice").run1([strings(&[4], &["a", "b", "c", "d"]), ints(&[3]), ints(&[0]), ints(&[0]), ints(&[-2])]);
        assert_strings(&words, &[2], &["d", "b"]);
        let floats = op("Slice").run1([tensor(&[3], &[1.0_f32, 2.0, 3.0]), ints(&[-1]), ints(&[-9]), ints(&[0]), ints(&[-1])]);
        assert_tensor(&floats, &[3], &[3.0_f32, 2.0, 1.0]);
        let empty = op("Slice").run1([Tensor::empty(ElementType::F32, &[0, 3]), ints(&[0]), ints(&[2])]);
        assert_eq!(empty.shape(), [0, 3]);
    }

    #[test]
    fn slices_that_lie_are_refused() {
        assert_eq!(op("Slice").error([count(&[2]), ints(&[0]), ints(&[1]), ints(&[0]), ints(&[0])]), "the step of axis 0 is 0");
        assert_eq!(op("Slice").error([count(&[2]), ints(&[0, 0]), ints(&[1, 1]), ints(&[0, -1])]), "axis 0 is sliced twice");
        assert!(op("Slice").error([count(&[2]), ints(&[0]), ints(&[1, 1])]).contains("equally long"));
        assert!(op("Slice").error([count(&[2]), ints(&[0, 0]), ints(&[1, 1])]).contains("rank 1"));
        assert!(op("Slice").error([count(&[2]), ints(&[0]), ints(&[1]), ints(&[1])]).contains("axis 1 is out of range"));
    }

    #[test]
    fn indices_pick_slices() {
        let data = || tensor(&[2, 3], &[0.0_f32, 1.0, 2.0, 3.0, 4.0, 5.0]);
        let indices = tensor(&[2, 2], &[0_i64, -1, 1, 1]);
        assert_tensor(&op("Gather").int("axis", 1).run1([data(), indices]), &[2, 2, 2], &[0.0_f32, 2.0, 1.0, 1.0, 3.0, 5.0, 4.0, 4.0]);
        assert_tensor(&op("Gather").run1([data(), Tensor::scalar(-1_i32)]), &[3], &[3.0_f32, 4.0, 5.0]);
        assert_tensor(&op("Gather").run1([count(&[4]), Tensor::scalar(2_i64)]), &[], &[2_i64]);
        let words = op("Gather").run1([strings(&[3, 2], &["a", "b", "c", "d", "e", "f"]), ints(&[2, 0])]);
        assert_strings(&words, &[2, 2], &["e", "f", "a", "b"]);
        assert_bools(&op("Gather").run1([bools(&[2], &[true, false]), ints(&[1, 1, 0])]), &[3], &[false, false, true]);
        let none = op("Gather").run1([data(), Tensor::empty(ElementType::I64, &[0])]);
        assert_eq!(none.shape(), [0, 3]);
        assert_eq!(op("Gather").int("axis", 1).run1([Tensor::empty(ElementType::F32, &[0, 3]), ints(&[1, 1])]).shape(), [0, 2]);
        assert_eq!(op("Gather").error([data(), ints(&[2])]), "index 2 is out of range for axis 0, which has 2 elements");
        assert_eq!(op("Gather").int("axis", 1).error([data(), ints(&[-4])]), "index -4 is out of range for axis 1, which has 3 elements");
        assert!(op("Gather").error([data(), tensor(&[1], &[1.0_f32])]).contains("int32 or int64"));
        assert!(op("Gather").error([Tensor::scalar(1.0_f32), ints(&[0])]).contains("rank 0"));
        assert!(op("Gather").error([Tensor::empty(ElementType::F32, &[0]), ints(&[0])]).contains("has 0 elements"));
    }

    #[test]
    fn indices_pick_elements() {
        let data = || tensor(&[2, 3], &[0.0_f32, 1.0, 2.0, 3.0, 4.0, 5.0]);
        let columns = tensor(&[1, 4], &[2_i64, -3, 0, 1]);
        assert_tensor(&op("GatherElements").int("axis", 1).run1([data(), columns]), &[1, 4], &[2.0_f32, 0.0, 0.0, 1.0]);
        assert_tensor(&op("GatherElements").run1([data(), tensor(&[1, 2], &[1_i32, -1])]), &[1, 2], &[3.0_f32, 4.0]);
        let words = strings(&[2, 3], &["a", "b", "c", "d", "e", "f"]);
        assert_strings(&op("GatherElements").run1([words, tensor(&[2, 2], &[1_i64, 0, 0, 1])]), &[2, 2], &["d", "b", "a", "e"]);
        assert_eq!(op("GatherElements").run1([data(), Tensor::empty(ElementType::I64, &[0, 3])]).shape(), [0, 3]);
        assert!(op("GatherElements").error([data(), tensor(&[3, 1], &[0_i64, 1, 2])]).contains("index 2 is out of range for axis 0"));
        assert!(op("GatherElements").error([data(), ints(&[0])]).contains("need its rank"));
        assert!(op("GatherElements").error([data(), tensor(&[1, 4], &[0_i64; 4])]).contains("may exceed it along axis 0 only"));
    }

    #[test]
    fn inference_places_the_indices_dimensions() {
        let gather = op("Gather").int("axis", 0);
        assert_eq!(gather.infer([typed::<f32>("1000, 64"), typed::<i64>("N, seq")]), [Some("float32[N, seq, 64]".to_owned())]);
        let slice = op("Slice").constant(1, &ints(&[1])).constant(2, &ints(&[i64::MAX])).constant(3, &ints(&[1]));
        let types = [typed::<f32>("N, 10, seq"), typed::<i64>("1"), typed::<i64>("1"), typed::<i64>("1")];
        assert_eq!(slice.infer(types), [Some("float32[N, 9, seq]".to_owned())]);
    }
}
