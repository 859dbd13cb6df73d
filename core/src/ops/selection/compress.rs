//! Compress and NonZero: elements chosen by a condition.

use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::host::{Bool, ElementType};
use crate::ops::movement;
use crate::ops::operator::{Outputs, single};
use crate::ops::shape::normalize_axis;
use crate::ops::types::{Number, TypeSet, match_number};
use crate::ops::{Inputs, NodeContext, OpError, Operator, Placement, RunContext};
use crate::tensor::Tensor;

/// Slices along an axis, or elements of the flattened tensor, for which the condition holds.
///
/// <https://onnx.ai/onnx/operators/onnx__Compress.html>, opsets 9, 11 (negative axis), 28 (element types).
#[derive(Debug)]
struct Compress {
    /// Absent = the tensor is flattened first.
    axis: Option<i64>,
}

pub fn build_compress(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(Compress { axis: context.attributes.int("axis")? }))
}

impl Operator for Compress {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let Some((element_type, input)) = inputs.tensor(0) else { return Ok(vec![None]) };
        let shape = match (self.axis, input.dims()) {
            (None, _) => SymbolicShape(Some(vec![Dimension::Unknown])),
            (Some(_), None) => SymbolicShape::unknown(),
            (Some(axis), Some(dims)) => {
                let mut dims = dims.to_vec();
                let axis = normalize_axis(axis, dims.len())?;
                dims[axis] = Dimension::Unknown;
                SymbolicShape(Some(dims))
            }
        };
        Ok(vec![Some(ValueType::tensor(element_type, shape))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let input = inputs.take_tensor(0, "input")?;
        let condition = inputs.take_tensor(1, "condition")?;
        TypeSet::BOOL.check(&condition, 1, "condition")?;
        if condition.rank() != 1 {
            return Err(OpError::shape(format!("the condition should be a list of bool, but has shape {:?}", condition.shape())));
        }
        let (input, axis) = match self.axis {
            Some(axis) => {
                let axis = normalize_axis(axis, input.rank())?;
                (input, axis)
            }
            None => {
                let n_elements = input.n_elements();
                (input.reshaped(&[n_elements])?, 0)
            }
        };
        let condition = condition.as_slice::<Bool>()?;
        let chosen: Vec<usize> = condition.iter().enumerate().filter_map(|(position, chosen)| chosen.get().then_some(position)).collect();
        // The condition may be shorter than the axis, and longer where it chooses nothing more.
        if let Some(&last) = chosen.last().filter(|&&last| last >= input.shape()[axis]) {
            return Err(OpError::shape(format!("the condition chooses element {last} of axis {axis}, which has {} elements", input.shape()[axis])));
        }
        Ok(single(movement::pick(input, axis, &chosen, context)?))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}

/// Where a tensor is not zero (not false): one column of indices per such element, in row-major order. NaN is not zero.
///
/// <https://onnx.ai/onnx/operators/onnx__NonZero.html>, opsets 9, 13 (element types).
#[derive(Debug)]
struct NonZero;

pub fn build_non_zero(_context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(NonZero))
}

fn non_zero_positions(x: &Tensor) -> Result<Vec<usize>, OpError> {
    let element_type = x.element_type();
    if element_type == ElementType::Bool {
        let elements = x.as_slice::<Bool>()?;
        return Ok(elements.iter().enumerate().filter_map(|(position, element)| element.get().then_some(position)).collect());
    }
    if element_type == ElementType::String {
        return Ok(x.as_strings()?.iter().enumerate().filter_map(|(position, text)| (!text.is_empty()).then_some(position)).collect());
    }
    match_number!(element_type, T => {
        let elements = x.as_slice::<T>()?;
        Ok(elements.iter().enumerate().filter_map(|(position, &element)| (element != T::ZERO).then_some(position)).collect())
    }, else Err(OpError::unsupported(format!("NonZero of {element_type}"))))
}

impl Operator for NonZero {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let rank = inputs.tensor(0).and_then(|(_, shape)| shape.rank());
        let shape = vec![rank.map_or(Dimension::Unknown, Dimension::Known), Dimension::Unknown];
        Ok(vec![Some(ValueType::tensor(ElementType::I64, shape))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "X")?;
        let positions = non_zero_positions(&x)?;
        let shape = [x.rank(), positions.len()];
        context.check_result_size(ElementType::I64, &shape)?;
        let mut indices = vec![0_i64; shape[0] * shape[1]];
        // Axis by axis from the last: what is left of the position is the index over the axes before.
        let mut left = positions;
        for (row, &dim) in indices.chunks_exact_mut(shape[1].max(1)).zip(x.shape()).rev() {
            for (index, position) in row.iter_mut().zip(&mut left) {
                *index = i64::try_from(*position % dim).unwrap_or(i64::MAX);
                *position /= dim;
            }
        }
        Ok(single(Tensor::from_vec(&shape, indices)?))
    }
}

#[cfg(test)]
mod tests {
    use crate::host::ElementType;
    use crate::ops::testing::{assert_strings, assert_tensor, bools, op, strings, tensor, typed};
    use crate::tensor::Tensor;

    #[test]
    fn a_condition_chooses_slices() {
        let input = || tensor(&[3, 2], &[1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let compress = op("Compress");
        assert_tensor(&compress.clone().int("axis", 0).run1([input(), bools(&[3], &[false, true, true])]), &[2, 2], &[3.0_f32, 4.0, 5.0, 6.0]);
        assert_tensor(&compress.clone().int("axis", -1).run1([input(), bools(&[2], &[false, true])]), &[3, 1], &[2.0_f32, 4.0, 6.0]);
        assert_tensor(&compress.run1([input(), bools(&[5], &[false, true, false, false, true])]), &[2], &[2.0_f32, 5.0]);
        assert_strings(&compress.run1([strings(&[2], &["a", "b"]), bools(&[3], &[false, true, false])]), &[1], &["b"]);
        assert_eq!(compress.run1([input(), bools(&[1], &[false])]).shape(), [0]);
        let error = compress.error([input(), bools(&[7], &[false, false, false, false, false, false, true])]);
        assert_eq!(error, "the condition chooses element 6 of axis 0, which has 6 elements");
        assert!(compress.error([input(), bools(&[1, 1], &[true])]).contains("a list of bool"));
        assert!(compress.error([input(), tensor(&[1], &[1_i64])]).contains("a tensor of bool"));
        assert!(compress.clone().int("axis", 2).error([input(), bools(&[1], &[true])]).contains("axis 2 is out of range"));
        let types = [typed::<f32>("N, 3"), typed::<i64>("2")];
        assert_eq!(compress.clone().int("axis", 1).infer(types.clone()), [Some("float32[N, ?]".to_owned())]);
        assert_eq!(compress.infer(types), [Some("float32[?]".to_owned())]);
    }

    #[test]
    fn non_zero_elements_have_indices() {
        let x = tensor(&[2, 3], &[0.0_f32, -1.0, f32::NAN, 2.0, -0.0, 0.0]);
        assert_tensor(&op("NonZero").run1([x]), &[2, 3], &[0_i64, 0, 1, 1, 2, 0]);
        assert_tensor(&op("NonZero").run1([bools(&[3], &[true, false, true])]), &[1, 2], &[0_i64, 2]);
        // The specification wants no rows for a scalar.
        assert_eq!(op("NonZero").run1([Tensor::scalar(3_i32)]).shape(), [0, 1]);
        assert_eq!(op("NonZero").run1([Tensor::empty(ElementType::F32, &[0, 3])]).shape(), [2, 0]);
        assert_eq!(op("NonZero").run1([tensor(&[2], &[0_u8, 0])]).shape(), [1, 0]);
        assert_tensor(&op("NonZero").run1([strings(&[3], &["a", "", "b"])]), &[1, 2], &[0_i64, 2]);
        assert_eq!(op("NonZero").infer([typed::<f32>("N, 3")]), [Some("int64[2, ?]".to_owned())]);
    }
}
