//! Loop: the body runs as often as a trip count and a condition say.

use std::sync::Arc;

use super::condition;
use super::stack::Stack;
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::host::{Bool, ElementType};
use crate::ops::operator::{Captured, Outputs};
use crate::ops::{Body, Inputs, NodeContext, OpError, Operator, Placement, RunContext};
use crate::tensor::{Tensor, Value};

/// Inputs before the carried values: trip count, condition.
const N_CONTROLS: usize = 2;

/// <https://onnx.ai/onnx/operators/onnx__Loop.html>.
///
/// The body takes (iteration, condition, carried values…) and makes (condition, carried values…, scan outputs…). The node's outputs are the
/// last carried values, then each scan output of all iterations stacked along a new first axis.
#[derive(Debug)]
struct Loop {
    body: Arc<dyn Body>,
    /// The node's own inputs, before what the body captures.
    n_inputs: usize,
    n_carried: usize,
    n_scanned: usize,
}

pub(super) fn build(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let body = context.body("body")?;
    let n_carried = context.n_inputs.saturating_sub(N_CONTROLS);
    if body.n_inputs() != N_CONTROLS + n_carried {
        return Err(OpError::value(format!(
            "the graph in attribute 'body' should take an iteration number, a condition and {n_carried} carried values, but has {} inputs",
            body.n_inputs()
        )));
    }
    let n_scanned = body.n_outputs().checked_sub(1 + n_carried).ok_or_else(|| {
        OpError::value(format!(
            "the graph in attribute 'body' should make a condition and {n_carried} carried values, but has {} outputs",
            body.n_outputs()
        ))
    })?;
    if context.n_outputs > n_carried + n_scanned {
        return Err(OpError::value(format!(
            "the node has {} outputs, but its body makes {n_carried} carried values and {n_scanned} scan outputs",
            context.n_outputs
        )));
    }
    Ok(Box::new(Loop { body, n_inputs: context.n_inputs, n_carried, n_scanned }))
}

impl Loop {
    /// A scalar of the rank that the body declares: some models take the iteration number and the condition as tensors of one element.
    fn control(&self, index: usize, scalar: Tensor) -> Result<Value, OpError> {
        let declared = self.body.input_type(index).and_then(ValueType::as_tensor).and_then(|(_, shape)| shape.rank());
        Ok(Value::Tensor(if declared == Some(1) { scalar.reshaped(&[1])? } else { scalar }))
    }

    /// Types of the carried values that hold in every iteration, and of all outputs of the body.
    fn stable_types(&self, initial: &[Option<ValueType>], captured: Captured<'_>) -> (Vec<Option<ValueType>>, Vec<Option<ValueType>>) {
        let control = |element_type| Some(ValueType::tensor(element_type, [].as_slice()));
        let run = |carried: &[Option<ValueType>]| {
            let controls = [control(ElementType::I64), control(ElementType::Bool)];
            self.body.infer(controls.into_iter().chain(carried.iter().cloned()).collect(), captured)
        };
        // Loops inside loops would multiply the attempts.
        let n_attempts = if self.body.is_nested() { 0 } else { 3 };
        let mut carried: Vec<_> = (0..self.n_carried).map(|index| initial.get(index).cloned().flatten()).collect();
        for _ in 0..n_attempts {
            let made = run(&carried);
            let joined: Vec<_> = carried.iter().zip(made.iter().skip(1)).map(|(before, after)| before.clone()?.join(after.as_ref()?)).collect();
            if joined == carried {
                return (carried, made);
            }
            carried = joined;
        }
        let carried: Vec<_> = carried.into_iter().map(|carried| Some(without_shape(carried?))).collect();
        let made = run(&carried);
        (carried, made)
    }
}

/// What stays of a type when the shape may change.
fn without_shape(value_type: ValueType) -> ValueType {
    match value_type {
        ValueType::Tensor { element_type, .. } => ValueType::tensor(element_type, SymbolicShape::unknown()),
        ValueType::Sequence(inner) => ValueType::Sequence(Box::new(without_shape(*inner))),
        ValueType::Optional(inner) => ValueType::Optional(Box::new(without_shape(*inner))),
        other => other,
    }
}

/// The type of so many tensors of a type stacked along a new first axis.
fn stacked(value_type: &ValueType) -> Option<ValueType> {
    let (element_type, shape) = value_type.as_tensor()?;
    let shape = shape.dims().map(|dims| std::iter::once(Dimension::Unknown).chain(dims.iter().cloned()).collect());
    Some(ValueType::tensor(element_type, SymbolicShape(shape)))
}

impl Operator for Loop {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let (own, captured) = Captured::split(inputs, self.n_inputs);
        let (carried, made) = self.stable_types(own.get(N_CONTROLS..).unwrap_or_default(), captured);
        let scanned = made.iter().skip(1 + self.n_carried).map(|scanned| stacked(scanned.as_ref()?));
        Ok(carried.into_iter().chain(scanned).collect())
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let max_trips = match inputs.take_optional_tensor(0, "M")? {
            None => i64::MAX,
            Some(trips) => trip_count(&trips)?,
        };
        let mut goes_on = match inputs.take_optional_tensor(1, "cond")? {
            None => true,
            Some(tensor) => condition(&tensor, 1, "cond")?,
        };
        let captured = inputs.take_from(self.n_inputs);
        let mut carried = inputs.take_from(N_CONTROLS);
        let mut stacks: Vec<Stack> = (0..self.n_scanned).map(|index| Stack::new(format!("scan output {index}"), 0, false)).collect();
        let mut iteration = 0_i64;
        while goes_on && iteration < max_trips {
            context.task.checkpoint()?;
            let controls = [self.control(0, Tensor::scalar(iteration))?, self.control(1, Tensor::scalar(Bool::new(true)))?];
            let arguments = controls.into_iter().chain(carried).collect();
            let mut made = self.body.run(arguments, &captured, context)?.into_iter();
            goes_on = match made.next() {
                Some(Value::Tensor(tensor)) => condition(&tensor, 0, "cond_out of the body")?,
                other => return Err(OpError::value(format!("the body's condition should be a tensor, but is {other:?}"))),
            };
            carried = made.by_ref().take(self.n_carried).collect();
            for (stack, value) in stacks.iter_mut().zip(made) {
                stack.push(value, context)?;
            }
            iteration += 1;
        }
        let mut outputs: Outputs = carried.into();
        for (index, stack) in stacks.into_iter().enumerate() {
            outputs.push(Value::Tensor(stack.finish(self.body.output_type(1 + self.n_carried + index))?));
        }
        Ok(outputs)
    }

    fn placement(&self) -> Placement {
        Placement::PassThrough
    }

    fn macs(&self, inputs: &[Option<ValueType>], _outputs: &[Option<ValueType>]) -> Option<u64> {
        let (own, types) = inputs.split_at_checked(self.n_inputs)?;
        let captured = Captured { types, constants: &[] };
        let (carried, _) = self.stable_types(own.get(N_CONTROLS..).unwrap_or_default(), captured);
        let macs = self.body.macs([None, None].into_iter().chain(carried).collect(), captured)?;
        // How often the body runs depends on data.
        (macs == 0).then_some(0)
    }
}

/// How often at most; negative means not at all.
fn trip_count(tensor: &Tensor) -> Result<i64, OpError> {
    match tensor.to_i64s() {
        Ok(values) if tensor.element_type() == ElementType::I64 && values.len() == 1 => Ok(values[0]),
        _ => Err(OpError::WrongInput { index: 0, name: "M", expected: "int64 with one element".to_owned(), found: format!("{tensor:?}") }),
    }
}
