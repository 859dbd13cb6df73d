//! ReverseSequence: the beginnings of sequences turned around, each to its own length.

use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::ops::operator::{Outputs, single};
use crate::ops::shape::same_as;
use crate::ops::types::TypeSet;
use crate::ops::{Inputs, NodeContext, OpError, Operator, Placement, RunContext, movement};
use crate::tensor::Shape;

/// <https://onnx.ai/onnx/operators/onnx__ReverseSequence.html>, opsets 10, 28 (element types).
#[derive(Debug)]
struct ReverseSequence {
    /// The axis of time is the first one, and that of the batch the second; else the other way round.
    is_time_first: bool,
}

pub fn build(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let axes = (context.attributes.int("time_axis")?.unwrap_or(0), context.attributes.int("batch_axis")?.unwrap_or(1));
    match axes {
        (0, 1) => Ok(Box::new(ReverseSequence { is_time_first: true })),
        (1, 0) => Ok(Box::new(ReverseSequence { is_time_first: false })),
        (time, batch) => {
            Err(OpError::value(format!("attributes 'time_axis' and 'batch_axis' should be 0 and 1 or 1 and 0, but are {time} and {batch}")))
        }
    }
}

impl Operator for ReverseSequence {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![same_as(inputs, 0)])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let input = inputs.take_tensor(0, "input")?;
        let lengths = inputs.take_tensor(1, "sequence_lens")?;
        TypeSet::INDICES.check(&lengths, 1, "sequence_lens")?;
        let &[first, second, ref rest @ ..] = input.shape() else {
            return Err(OpError::shape(format!("the input should have axes of time and batch, but has shape {:?}", input.shape())));
        };
        let (n_steps, n_sequences) = if self.is_time_first { (first, second) } else { (second, first) };
        let lengths: Vec<usize> = lengths.to_i64s()?.into_iter().filter_map(|length| usize::try_from(length).ok()).collect();
        if lengths.len() != n_sequences || lengths.iter().any(|&length| length > n_steps) {
            return Err(OpError::value(format!(
                "sequence_lens should hold {n_sequences} lengths from 0 to {n_steps}, one for each sequence of {input:?}"
            )));
        }
        if input.is_empty() {
            return Ok(single(input));
        }
        let source = |step: usize, sequence: usize| if step < lengths[sequence] { lengths[sequence] - 1 - step } else { step };
        let rows: Vec<usize> = (0..first * second)
            .map(|row| match (row / second, row % second) {
                (step, sequence) if self.is_time_first => source(step, sequence) * second + sequence,
                (sequence, step) => sequence * second + source(step, sequence),
            })
            .collect();
        let shape = Shape::from_slice(input.shape());
        let flat = [first * second, rest.iter().product()];
        Ok(single(movement::pick(input.reshaped(&flat)?, 0, &rows, context)?.reshaped(&shape)?))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}

#[cfg(test)]
mod tests {
    use crate::host::ElementType;
    use crate::ops::testing::{assert_strings, assert_tensor, op, strings, tensor};
    use crate::tensor::Tensor;

    #[test]
    fn beginnings_are_turned_around() {
        let x = || tensor(&[2, 3], &[0_i32, 1, 2, 3, 4, 5]);
        let by_row = op("ReverseSequence").int("time_axis", 1).int("batch_axis", 0);
        assert_tensor(&by_row.run1([x(), tensor(&[2], &[2_i64, 3])]), &[2, 3], &[1_i32, 0, 2, 5, 4, 3]);
        assert_tensor(&op("ReverseSequence").run1([x(), tensor(&[3], &[0_i64, 1, 2])]), &[2, 3], &[0_i32, 1, 5, 3, 4, 2]);
        let words = op("ReverseSequence").run1([strings(&[2, 1, 2], &["a", "b", "c", "d"]), tensor(&[1], &[2_i64])]);
        assert_strings(&words, &[2, 1, 2], &["c", "d", "a", "b"]);
        let nothing = op("ReverseSequence").run1([Tensor::empty(ElementType::F32, &[2, 0]), Tensor::empty(ElementType::I64, &[0])]);
        assert_eq!(nothing.shape(), [2, 0]);
    }

    #[test]
    fn lengths_that_do_not_fit_are_refused() {
        let x = || tensor(&[2, 1], &[0_i32; 2]);
        let expected = "sequence_lens should hold 1 lengths from 0 to 2, one for each sequence of int32[2, 1]";
        for lengths in [vec![3_i64], vec![-1], vec![1, 1], vec![]] {
            assert_eq!(op("ReverseSequence").error([x(), tensor(&[lengths.len()], &lengths)]), expected);
        }
        assert!(op("ReverseSequence").error([tensor(&[2], &[0_i32; 2]), tensor(&[1], &[1_i64])]).contains("axes of time and batch"));
        assert!(op("ReverseSequence").int("time_axis", 1).error([x(), tensor(&[1], &[1_i64])]).contains("but are 1 and 1"));
    }
}
