//! Sequences and optionals: values that hold values. Nothing is computed, so everything stays on whatever device it is.
//!
//! Specification: <https://onnx.ai/onnx/operators/>, a page per operator.
//! SequenceAt, SequenceConstruct, SequenceEmpty, SequenceErase, SequenceInsert, SequenceLength, ConcatFromSequence: 11. SplitToSequence: 11,
//! 24 (types). Optional: 15. OptionalGetElement and OptionalHasElement: 15, 18 (tensors and sequences too).

use smallvec::smallvec;

use super::operator::{Outputs, single};
use super::shape::normalize_axis;
use super::types::check_same_type;
use super::{Inputs, NodeContext, OpError, Operator, OpsetRange, Placement, Registration, RunContext, movement};
use crate::graph::infer::InferInputs;
use crate::graph::{SymbolicShape, ValueType};
use crate::host::ElementType;
use crate::tensor::{Shape, Tensor, Value};

mod optional;
mod split;
#[cfg(test)]
mod tests;

const fn register(op_type: &'static str, first: i64, build: fn(&NodeContext<'_>) -> Result<Box<dyn Operator>, OpError>) -> Registration {
    Registration { domain: "", op_type, opsets: OpsetRange::from(first), build }
}

pub const OPERATORS: &[Registration] = &[
    register("ConcatFromSequence", 11, build_concat),
    register("Optional", 15, optional::build),
    register("OptionalGetElement", 15, |_| Ok(Box::new(optional::GetElement))),
    register("OptionalHasElement", 15, |_| Ok(Box::new(optional::HasElement))),
    register("SequenceAt", 11, |_| Ok(Box::new(SequenceAt))),
    register("SequenceConstruct", 11, |_| Ok(Box::new(SequenceConstruct))),
    register("SequenceEmpty", 11, build_empty),
    register("SequenceErase", 11, |_| Ok(Box::new(SequenceErase))),
    register("SequenceInsert", 11, |_| Ok(Box::new(SequenceInsert))),
    register("SequenceLength", 11, |_| Ok(Box::new(SequenceLength))),
    register("SplitToSequence", 11, split::build),
];

/// A sequence of tensors.
fn sequence_of(element_type: ElementType, shape: SymbolicShape) -> ValueType {
    ValueType::Sequence(Box::new(ValueType::tensor(element_type, shape)))
}

/// The type of a sequence's elements.
fn element_of(value_type: Option<&ValueType>) -> Option<&ValueType> {
    match value_type? {
        ValueType::Sequence(inner) => Some(inner),
        _ => None,
    }
}

fn take_sequence(inputs: &mut Inputs, index: usize) -> Result<Vec<Value>, OpError> {
    let name = "input_sequence";
    inputs.take(index, name)?.into_sequence().map_err(|value| OpError::WrongInput {
        index,
        name,
        expected: "a sequence".to_owned(),
        found: value.describe(),
    })
}

/// A position in a sequence of `length`; negative ones count from the end. `is_between`: the position is one between elements.
fn position(tensor: &Tensor, index: usize, length: usize, is_between: bool) -> Result<usize, OpError> {
    let is_integer = matches!(tensor.element_type(), ElementType::I32 | ElementType::I64) && tensor.n_elements() == 1;
    let given = tensor.to_i64s().ok().filter(|_| is_integer).and_then(|values| values.first().copied());
    let Some(given) = given else {
        let expected = "int32 or int64 with one element".to_owned();
        return Err(OpError::WrongInput { index, name: "position", expected, found: format!("{tensor:?}") });
    };
    let magnitude = usize::try_from(given.unsigned_abs()).ok();
    let position = if given < 0 { magnitude.and_then(|magnitude| length.checked_sub(magnitude)) } else { magnitude };
    let last = if is_between { Some(length) } else { length.checked_sub(1) };
    position.filter(|position| last.is_some_and(|last| *position <= last)).ok_or_else(|| match last {
        None => OpError::value(format!("there is no position {given} in a sequence without elements")),
        Some(last) => OpError::value(format!("position {given} is out of range [-{length}, {last}] of a sequence of {length}")),
    })
}

/// <https://onnx.ai/onnx/operators/onnx__SequenceConstruct.html>. The inputs as a sequence; all are tensors of one type.
#[derive(Debug)]
struct SequenceConstruct;

impl Operator for SequenceConstruct {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let mut types = inputs.types.iter();
        let first = types.next().cloned().flatten();
        let joined = types.fold(first, |joined, other| joined?.join(other.as_ref()?));
        Ok(vec![joined.map(|joined| ValueType::Sequence(Box::new(joined)))])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let tensors = inputs.take_tensors("inputs")?;
        if let [first, rest @ ..] = tensors.as_slice() {
            rest.iter().try_for_each(|tensor| check_same_type(first, tensor))?;
        }
        Ok(smallvec![Value::Sequence(tensors.into_iter().map(Value::Tensor).collect())])
    }

    fn placement(&self) -> Placement {
        Placement::PassThrough
    }
}

/// <https://onnx.ai/onnx/operators/onnx__SequenceEmpty.html>.
#[derive(Debug)]
struct SequenceEmpty {
    element_type: ElementType,
}

fn build_empty(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let code = context.attributes.int("dtype")?.unwrap_or(i64::from(ElementType::F32.to_onnx()));
    let element_type = i32::try_from(code).ok().and_then(ElementType::from_onnx);
    let element_type = element_type.ok_or_else(|| OpError::value(format!("attribute 'dtype' is {code}, which is no element type")))?;
    Ok(Box::new(SequenceEmpty { element_type }))
}

impl Operator for SequenceEmpty {
    fn infer(&self, _inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![Some(sequence_of(self.element_type, SymbolicShape::unknown()))])
    }

    fn run(&self, _inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        Ok(smallvec![Value::Sequence(Vec::new())])
    }

    fn placement(&self) -> Placement {
        Placement::PassThrough
    }
}

/// <https://onnx.ai/onnx/operators/onnx__SequenceAt.html>.
#[derive(Debug)]
struct SequenceAt;

impl Operator for SequenceAt {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![element_of(inputs.value_type(0)).cloned()])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let mut sequence = take_sequence(&mut inputs, 0)?;
        let position = position(&inputs.take_tensor(1, "position")?, 1, sequence.len(), false)?;
        Ok(smallvec![sequence.swap_remove(position)])
    }

    fn placement(&self) -> Placement {
        Placement::PassThrough
    }
}

/// <https://onnx.ai/onnx/operators/onnx__SequenceErase.html>. The last element goes unless a position is given.
#[derive(Debug)]
struct SequenceErase;

impl Operator for SequenceErase {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![inputs.value_type(0).cloned()])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let mut sequence = take_sequence(&mut inputs, 0)?;
        let position = match inputs.take_optional_tensor(1, "position")? {
            Some(tensor) => position(&tensor, 1, sequence.len(), false)?,
            None => sequence.len().checked_sub(1).ok_or_else(|| OpError::value("a sequence without elements has none to erase"))?,
        };
        sequence.remove(position);
        Ok(smallvec![Value::Sequence(sequence)])
    }

    fn placement(&self) -> Placement {
        Placement::PassThrough
    }
}

/// <https://onnx.ai/onnx/operators/onnx__SequenceInsert.html>. At the end unless a position is given.
#[derive(Debug)]
struct SequenceInsert;

impl Operator for SequenceInsert {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let joined = element_of(inputs.value_type(0)).cloned().and_then(|element| element.join(inputs.value_type(1)?));
        Ok(vec![joined.map(|joined| ValueType::Sequence(Box::new(joined)))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let mut sequence = take_sequence(&mut inputs, 0)?;
        let tensor = inputs.take_tensor(1, "tensor")?;
        if let Some(Value::Tensor(first)) = sequence.first() {
            check_same_type(first, &tensor)?;
        }
        let position = match inputs.take_optional_tensor(2, "position")? {
            Some(position_given) => position(&position_given, 2, sequence.len(), true)?,
            None => sequence.len(),
        };
        // A loop may insert without end. What one more element takes stands for what each of them takes.
        let element = size_of::<Value>() as u128 + tensor.n_elements() as u128 * tensor.element_type().bits().unwrap_or(192) as u128 / 8;
        context.check_collected("the sequence", element.saturating_mul(sequence.len() as u128 + 1))?;
        sequence.insert(position, Value::Tensor(tensor));
        Ok(smallvec![Value::Sequence(sequence)])
    }

    fn placement(&self) -> Placement {
        Placement::PassThrough
    }
}

/// <https://onnx.ai/onnx/operators/onnx__SequenceLength.html>.
#[derive(Debug)]
struct SequenceLength;

impl Operator for SequenceLength {
    fn infer(&self, _inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![Some(ValueType::tensor(ElementType::I64, [].as_slice()))])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let length = take_sequence(&mut inputs, 0)?.len();
        Ok(single(Tensor::scalar(i64::try_from(length).unwrap_or(i64::MAX))))
    }

    fn placement(&self) -> Placement {
        Placement::PassThrough
    }
}

/// <https://onnx.ai/onnx/operators/onnx__ConcatFromSequence.html>. Joins the tensors along an axis of theirs, or along a new one.
#[derive(Debug)]
struct ConcatFromSequence {
    axis: i64,
    is_new_axis: bool,
}

fn build_concat(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let axis = context.attributes.require_int("axis")?;
    let is_new_axis = match context.attributes.int("new_axis")?.unwrap_or(0) {
        0 => false,
        1 => true,
        other => return Err(OpError::value(format!("attribute 'new_axis' should be 0 or 1, but is {other}"))),
    };
    Ok(Box::new(ConcatFromSequence { axis, is_new_axis }))
}

impl Operator for ConcatFromSequence {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let Some((element_type, shape)) = element_of(inputs.value_type(0)).and_then(ValueType::as_tensor) else { return Ok(vec![None]) };
        let Some(rank) = shape.rank() else { return Ok(vec![Some(ValueType::tensor(element_type, SymbolicShape::unknown()))]) };
        let rank = rank + usize::from(self.is_new_axis);
        normalize_axis(self.axis, rank)?;
        Ok(vec![Some(ValueType::tensor(element_type, super::shape::unknown_dims(rank)))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let mut tensors = Vec::new();
        for value in take_sequence(&mut inputs, 0)? {
            let found = value.describe();
            let wrong = || OpError::WrongInput { index: 0, name: "input_sequence", expected: "a sequence of tensors".to_owned(), found };
            tensors.push(value.into_tensor().ok_or_else(wrong)?);
        }
        let Some(first) = tensors.first() else {
            return Err(OpError::value("the sequence has no elements, so the result would have no shape"));
        };
        let axis = normalize_axis(self.axis, first.rank() + usize::from(self.is_new_axis))?;
        let mut joined = Shape::from_slice(first.shape());
        if self.is_new_axis {
            joined.insert(axis, 1);
        }
        joined[axis] = 0;
        let mut parts = Vec::with_capacity(tensors.len());
        for (index, tensor) in tensors.iter().enumerate() {
            check_same_type(first, tensor)?;
            let mut shape = Shape::from_slice(tensor.shape());
            if self.is_new_axis && axis <= shape.len() {
                shape.insert(axis, 1);
            }
            let fits = shape.len() == joined.len() && (0..shape.len()).all(|other| other == axis || shape[other] == joined[other]);
            if !fits {
                return Err(OpError::shape(format!(
                    "element {index} has shape {:?}, which does not join element 0 of shape {:?} along axis {axis}",
                    tensor.shape(),
                    first.shape()
                )));
            }
            joined[axis] = joined[axis].saturating_add(shape[axis]);
            parts.push(shape);
        }
        context.check_result_size(first.element_type(), &joined)?;
        let parts = tensors.into_iter().zip(parts).map(|(tensor, shape)| tensor.reshaped(&shape)).collect::<Result<Vec<_>, _>>()?;
        Ok(single(movement::join(movement::on_one_side(parts)?, axis)?))
    }

    fn placement(&self) -> Placement {
        Placement::PassThrough
    }
}
