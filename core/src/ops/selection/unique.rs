//! Unique: the different elements of a tensor, or its different slices along an axis.

use std::cmp::Ordering;

use super::order;
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::host::{Bool, ElementType};
use crate::ops::operator::Outputs;
use crate::ops::shape::normalize_axis;
use crate::ops::types::match_number;
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext, movement};
use crate::tensor::{Tensor, Value};

/// <https://onnx.ai/onnx/operators/onnx__Unique.html>, opsets 11, 28 (element types). Outputs: the unique elements or slices, where each comes first, for
/// each element or slice of the input which unique one it is, and how often each occurs. All NaNs are one element, larger than any number.
#[derive(Debug)]
struct Unique {
    /// Absent = elements of the flattened tensor.
    axis: Option<i64>,
    /// Ascending; else in the order of first occurrence.
    is_sorted: bool,
    n_outputs: usize,
}

pub fn build(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let is_sorted = context.attributes.int("sorted")?.unwrap_or(1) != 0;
    Ok(Box::new(Unique { axis: context.attributes.int("axis")?, is_sorted, n_outputs: context.n_outputs }))
}

/// Slices that are equal, group by group.
struct Groups {
    /// The first slice of each group.
    first: Vec<usize>,
    /// The group of each slice.
    group_of: Vec<usize>,
    counts: Vec<i64>,
}

impl Groups {
    /// Groups the slices of `run` elements.
    fn new<T>(elements: &[T], n_slices: usize, run: usize, compare: impl Fn(&T, &T) -> Ordering) -> Self {
        let slice = |index: usize| &elements[index * run..][..run];
        let compare = |left: usize, right: usize| {
            slice(left).iter().zip(slice(right)).map(|(left, right)| compare(left, right)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        };
        let mut by_value: Vec<usize> = (0..n_slices).collect();
        // A stable sort leaves equal slices in the order in which they occur.
        by_value.sort_by(|&left, &right| compare(left, right));
        let mut groups = Self { first: Vec::new(), group_of: vec![0; n_slices], counts: Vec::new() };
        for &index in &by_value {
            match (groups.first.last(), groups.counts.last_mut()) {
                (Some(&first), Some(count)) if compare(first, index).is_eq() => *count += 1,
                _ => {
                    groups.first.push(index);
                    groups.counts.push(1);
                }
            }
            groups.group_of[index] = groups.first.len() - 1;
        }
        groups
    }

    fn of(tensor: &Tensor, n_slices: usize, run: usize) -> Result<Self, OpError> {
        let element_type = tensor.element_type();
        match element_type {
            ElementType::String => Ok(Self::new(tensor.as_strings()?, n_slices, run, Ord::cmp)),
            ElementType::Bool => Ok(Self::new(&tensor.as_slice::<Bool>()?, n_slices, run, |left, right| left.get().cmp(&right.get()))),
            _ => match_number!(element_type, T => Ok(Self::new(&tensor.as_slice::<T>()?, n_slices, run, |&left, &right| order(left, right))),
                else Err(OpError::unsupported(format!("Unique of {element_type}")))),
        }
    }

    /// The groups in the order in which they first occur.
    fn by_occurrence(self) -> Self {
        let mut order: Vec<usize> = (0..self.first.len()).collect();
        order.sort_by_key(|&group| self.first[group]);
        let mut place = vec![0; order.len()];
        for (new, &old) in order.iter().enumerate() {
            place[old] = new;
        }
        Self {
            first: order.iter().map(|&group| self.first[group]).collect(),
            group_of: self.group_of.iter().map(|&group| place[group]).collect(),
            counts: order.iter().map(|&group| self.counts[group]).collect(),
        }
    }
}

impl Operator for Unique {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let list = || Some(ValueType::tensor(ElementType::I64, vec![Dimension::Unknown]));
        let mut types = vec![None, list(), list(), list()];
        if let Some((element_type, input)) = inputs.tensor(0) {
            let shape = match (self.axis, input.dims()) {
                (None, _) => SymbolicShape(Some(vec![Dimension::Unknown])),
                (Some(_), None) => SymbolicShape::unknown(),
                (Some(axis), Some(dims)) => {
                    let axis = normalize_axis(axis, dims.len())?;
                    let mut unique = dims.to_vec();
                    unique[axis] = Dimension::Unknown;
                    types[2] = Some(ValueType::tensor(ElementType::I64, vec![dims[axis].clone()]));
                    SymbolicShape(Some(unique))
                }
            };
            types[0] = Some(ValueType::tensor(element_type, shape));
        }
        types.truncate(self.n_outputs);
        Ok(types)
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "X")?;
        let (x, axis) = match self.axis {
            Some(axis) => {
                let axis = normalize_axis(axis, x.rank())?;
                (x, axis)
            }
            None => {
                let n_elements = x.n_elements();
                (x.reshaped(&[n_elements])?, 0)
            }
        };
        let n_slices = x.shape()[axis];
        context.check_result_size(ElementType::I64, &[n_slices])?;
        let run: usize = x.shape()[..axis].iter().chain(&x.shape()[axis + 1..]).product();
        let axis_first: Vec<usize> = std::iter::once(axis).chain((0..x.rank()).filter(|&other| other != axis)).collect();
        let mut groups = Groups::of(&movement::permute(x.clone(), &axis_first)?, n_slices, run)?;
        if !self.is_sorted {
            groups = groups.by_occurrence();
        }
        let unique = movement::pick(x, axis, &groups.first, context)?;
        let indices = |list: &[usize]| Tensor::from_vec(&[list.len()], list.iter().map(|&index| i64::try_from(index).unwrap_or(i64::MAX)).collect());
        let outputs = [unique, indices(&groups.first)?, indices(&groups.group_of)?, Tensor::from_vec(&[groups.counts.len()], groups.counts)?];
        Ok(outputs.into_iter().take(self.n_outputs).map(Value::Tensor).collect())
    }
}

#[cfg(test)]
mod tests {
    use crate::host::ElementType;
    use crate::ops::testing::{Case, assert_bools, assert_strings, assert_tensor, bools, op, strings, tensor, typed};
    use crate::tensor::Tensor;

    #[track_caller]
    fn check(case: &Case, x: Tensor, shape: &[usize], expected: &[f32], lists: [&[i64]; 3]) {
        let outputs = case.clone().outputs(4).try_run([x]).unwrap();
        assert_tensor(&outputs[0], shape, expected);
        for (output, list) in outputs[1..].iter().zip(lists) {
            assert_tensor(output, &[list.len()], list);
        }
    }

    #[test]
    fn equal_elements_and_slices_are_found() {
        // The examples of the specification.
        let x = || tensor(&[6], &[2.0_f32, 1.0, 1.0, 3.0, 4.0, 3.0]);
        check(&op("Unique").int("sorted", 0), x(), &[4], &[2.0, 1.0, 3.0, 4.0], [&[0, 1, 3, 4], &[0, 1, 1, 2, 3, 2], &[1, 2, 2, 1]]);
        check(&op("Unique"), x(), &[4], &[1.0, 2.0, 3.0, 4.0], [&[1, 0, 3, 4], &[1, 0, 0, 2, 3, 2], &[2, 1, 2, 1]]);
        let rows = tensor(&[3, 3], &[1.0_f32, 0.0, 0.0, 1.0, 0.0, 0.0, 2.0, 3.0, 4.0]);
        check(&op("Unique").int("axis", 0), rows, &[2, 3], &[1.0, 0.0, 0.0, 2.0, 3.0, 4.0], [&[0, 2], &[0, 0, 1], &[2, 1]]);
        let nested = tensor(&[2, 4, 2], &[1., 1., 0., 1., 2., 1., 0., 1., 1., 1., 0., 1., 2., 1., 0., 1.].map(|value: f32| value));
        let expected = [0., 1., 1., 1., 2., 1., 0., 1., 1., 1., 2., 1.];
        check(&op("Unique").int("axis", -2), nested, &[2, 3, 2], &expected, [&[1, 0, 2], &[1, 0, 2, 0], &[2, 1, 1]]);
        let nan = tensor(&[3], &[f32::NAN, 1.0, f32::NAN]);
        check(&op("Unique"), nan, &[2], &[1.0, f32::NAN], [&[1, 0], &[1, 0, 1], &[1, 2]]);
        check(&op("Unique"), Tensor::empty(ElementType::F32, &[0, 2]), &[0], &[], [&[], &[], &[]]);
        check(&op("Unique"), Tensor::scalar(5.0_f32), &[1], &[5.0], [&[0], &[0], &[1]]);
        check(&op("Unique").int("axis", 0), Tensor::empty(ElementType::F32, &[3, 0]), &[1, 0], &[], [&[0], &[0, 0, 0], &[3]]);
        assert_strings(&op("Unique").run1([strings(&[3], &["b", "a", "b"])]), &[2], &["a", "b"]);
        assert_bools(&op("Unique").run1([bools(&[3], &[true, true, false])]), &[2], &[false, true]);
    }

    #[test]
    fn types_and_axes() {
        assert!(op("Unique").int("axis", 1).error([tensor(&[1], &[1.0_f32])]).contains("axis 1 is out of range"));
        let inferred = op("Unique").int("axis", 0).outputs(3).infer([typed::<f32>("N, 3")]);
        assert_eq!(inferred, ["float32[?, 3]", "int64[?]", "int64[N]"].map(|text| Some(text.to_owned())));
        assert_eq!(op("Unique").infer([typed::<f32>("N, 3")]), [Some("float32[?]".to_owned())]);
    }
}
