//! SequenceMap: the body runs once for each element of a sequence.

use std::sync::Arc;

use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::ops::operator::{Captured, Outputs};
use crate::ops::{Body, Inputs, NodeContext, OpError, Operator, Placement, RunContext};
use crate::tensor::Value;

/// <https://onnx.ai/onnx/operators/onnx__SequenceMap.html>, opset 17. The first input is a sequence; of the others, sequences of the same
/// length go element by element, tensors go to each run as they are. Every output of the body becomes a sequence.
#[derive(Debug)]
struct SequenceMap {
    body: Arc<dyn Body>,
    n_inputs: usize,
}

pub(super) fn build(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let body = context.body("body")?;
    if body.n_inputs() != context.n_inputs || body.n_outputs() != context.n_outputs {
        return Err(OpError::value(format!(
            "the graph in attribute 'body' should have {} inputs and {} outputs like the node, but has {} and {}",
            context.n_inputs,
            context.n_outputs,
            body.n_inputs(),
            body.n_outputs()
        )));
    }
    Ok(Box::new(SequenceMap { body, n_inputs: context.n_inputs }))
}

/// An input of one run: the next element, or the same value each time.
#[expect(clippy::large_enum_variant, reason = "a run has a handful of them")]
enum Source {
    Elements(std::vec::IntoIter<Value>),
    Same(Value),
}

fn element_type(value_type: &Option<ValueType>) -> Option<ValueType> {
    match value_type {
        Some(ValueType::Sequence(inner)) => Some((**inner).clone()),
        other => other.clone(),
    }
}

impl Operator for SequenceMap {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let (own, captured) = Captured::split(inputs, self.n_inputs);
        let made = self.body.infer(own.iter().map(element_type).collect(), captured);
        Ok(made.into_iter().map(|made| Some(ValueType::Sequence(Box::new(made?)))).collect())
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let captured = inputs.take_from(self.n_inputs);
        let mut length = None;
        let mut sources = Vec::with_capacity(self.n_inputs);
        for (index, value) in inputs.take_from(0).into_iter().enumerate() {
            let elements = match value.into_sequence() {
                Ok(elements) => elements,
                Err(value) if index > 0 => {
                    sources.push(Source::Same(value));
                    continue;
                }
                Err(value) => {
                    return Err(OpError::WrongInput { index, name: "input_sequence", expected: "a sequence".to_owned(), found: value.describe() });
                }
            };
            let expected = *length.get_or_insert(elements.len());
            if elements.len() != expected {
                return Err(OpError::shape(format!("input {index} is a sequence of {}, but input 0 one of {expected}", elements.len())));
            }
            sources.push(Source::Elements(elements.into_iter()));
        }
        let mut outputs: Vec<Vec<Value>> = vec![Vec::new(); self.body.n_outputs()];
        for _ in 0..length.unwrap_or(0) {
            context.task.checkpoint()?;
            let arguments = sources.iter_mut().filter_map(|source| match source {
                Source::Elements(elements) => elements.next(),
                Source::Same(value) => Some(value.clone()),
            });
            let made = self.body.run(arguments.collect(), &captured, context)?;
            for (sequence, value) in outputs.iter_mut().zip(made) {
                sequence.push(value);
            }
        }
        Ok(outputs.into_iter().map(Value::Sequence).collect())
    }

    fn placement(&self) -> Placement {
        Placement::PassThrough
    }

    fn macs(&self, inputs: &[Option<ValueType>], _outputs: &[Option<ValueType>]) -> Option<u64> {
        let (own, types) = inputs.split_at_checked(self.n_inputs)?;
        let macs = self.body.macs(own.iter().map(element_type).collect(), Captured { types, constants: &[] })?;
        // The length of a sequence is known at run time only.
        (macs == 0).then_some(0)
    }
}
