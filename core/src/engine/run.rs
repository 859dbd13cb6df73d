//! Running a plan: inputs checked against the signature, steps in order, values freed at their last use, panics contained.

use std::cell::RefCell;

use smallvec::SmallVec;

use super::plan::{Source, Step};
use super::{Plan, PlanInput, RunError};
use crate::graph::{Dimension, ValueType};
use crate::host::ElementType;
use crate::ops::{Inputs, OpError, Placement, RunContext};
use crate::task::TaskCtx;
use crate::tensor::{Device, Shape, Value};

/// Runs a plan on named inputs.
pub(super) fn run(ctx: &TaskCtx, plan: &Plan, inputs: Vec<(String, Value)>) -> Result<Vec<Value>, RunError> {
    let mut values: Vec<Option<Value>> = vec![None; plan.n_slots];
    place_inputs(plan, inputs, &mut values)?;
    let current = RefCell::new(Current::default());
    match super::guard::contain(|| run_steps(ctx, plan, &mut values, &current)) {
        Ok(result) => result?,
        Err(message) => return Err(panicked(plan, &current.borrow(), message)),
    }
    collect_outputs(plan, values)
}

fn place_inputs(plan: &Plan, inputs: Vec<(String, Value)>, values: &mut [Option<Value>]) -> Result<(), RunError> {
    for (name, value) in inputs {
        let Some(index) = plan.inputs.iter().position(|input| input.name == name) else {
            let known = plan.inputs.iter().map(|input| format!("'{}'", input.name)).collect::<Vec<_>>().join(", ");
            return Err(RunError::UnknownInput { name, known });
        };
        check_input(&plan.inputs[index], &value)?;
        values[plan.input_slots[index].0] = Some(value);
    }
    for (input, (slot, default)) in plan.inputs.iter().zip(&plan.input_slots) {
        if values[*slot].is_none() {
            let Some(default) = default else {
                let expected = input.value_type.as_ref().map_or_else(|| "any type".to_owned(), ToString::to_string);
                return Err(RunError::MissingInput { name: input.name.clone(), expected });
            };
            values[*slot] = Some(default.clone());
        }
    }
    Ok(())
}

/// Holds a tensor against the declared element type, rank and known dimensions.
fn check_input(input: &PlanInput, value: &Value) -> Result<(), RunError> {
    let Some(ValueType::Tensor { element_type, shape }) = &input.value_type else { return Ok(()) };
    let fits = value.as_tensor().is_some_and(|tensor| {
        let dims_fit = shape.dims().is_none_or(|dims| {
            dims.len() == tensor.rank()
                && dims.iter().zip(tensor.shape()).all(|(declared, found)| !matches!(declared, Dimension::Known(known) if known != found))
        });
        tensor.element_type() == *element_type && dims_fit
    });
    if fits {
        return Ok(());
    }
    let expected = format!("a tensor of {}", ValueType::Tensor { element_type: *element_type, shape: shape.clone() });
    Err(RunError::WrongInput { name: input.name.clone(), expected, found: value.describe() })
}

fn run_steps(ctx: &TaskCtx, plan: &Plan, values: &mut [Option<Value>], current: &RefCell<Current>) -> Result<(), RunError> {
    let context = RunContext { device: &plan.device, max_result_bytes: plan.max_result_bytes };
    for (index, step) in plan.steps.iter().enumerate() {
        ctx.checkpoint()?;
        let gathered = gather_inputs(plan, step, values);
        let inputs = gathered.map_err(|source| failed(step, &InputTypes::new(), source))?;
        let types = inputs.iter().map(InputType::of).collect();
        current.replace(Current { step: index, inputs: types });
        let outputs = step.operator.run(Inputs::new(inputs), &context).map_err(|source| failed(step, &current.borrow().inputs, source))?;
        for (slot, value) in step.outputs.iter().zip(outputs) {
            if let Some(slot) = slot {
                values[*slot] = Some(value);
            }
        }
    }
    Ok(())
}

/// Takes what nobody reads later, shares the rest, and brings each to where the operator runs.
fn gather_inputs(plan: &Plan, step: &Step, values: &mut [Option<Value>]) -> Result<SmallVec<[Option<Value>; 4]>, OpError> {
    let on_device = step.placement == Placement::AnyDevice && !plan.device.is_cpu();
    let target = if on_device { &plan.device } else { &Device::Cpu };
    let mut inputs = SmallVec::new();
    for source in &step.sources {
        let value = match source {
            Source::Absent => None,
            Source::Constant(index) => Some(plan.constants[*index].clone()),
            Source::Slot { slot, is_last_use: true } => values[*slot].take(),
            Source::Slot { slot, .. } => values[*slot].clone(),
        };
        inputs.push(match value {
            Some(Value::Tensor(tensor)) if !plan.device.is_cpu() => Some(Value::Tensor(tensor.to_device(target)?)),
            value => value,
        });
    }
    Ok(inputs)
}

fn collect_outputs(plan: &Plan, mut values: Vec<Option<Value>>) -> Result<Vec<Value>, RunError> {
    let mut outputs = Vec::with_capacity(plan.outputs.len());
    for (index, source) in plan.output_sources.iter().enumerate() {
        let value = match source {
            Source::Constant(index) => plan.constants[*index].clone(),
            Source::Slot { slot, .. } => {
                let is_wanted_again = plan.output_sources[index + 1..].contains(source);
                let value = if is_wanted_again { values[*slot].clone() } else { values[*slot].take() };
                value.unwrap_or(Value::Absent)
            }
            Source::Absent => Value::Absent,
        };
        outputs.push(match value {
            Value::Tensor(tensor) => Value::Tensor(tensor.to_device(&Device::Cpu)?),
            value => value,
        });
    }
    Ok(outputs)
}

/// What runs right now, so that an error or a contained panic can say where it happened.
#[derive(Default)]
struct Current {
    step: usize,
    inputs: InputTypes,
}

type InputTypes = SmallVec<[InputType; 4]>;

/// The type of one input, remembered before the operator takes the value.
enum InputType {
    Tensor(ElementType, Shape),
    /// No tensor: a sequence, a map.
    Other(String),
    Absent,
}

impl InputType {
    fn of(value: &Option<Value>) -> Self {
        match value {
            None => Self::Absent,
            Some(Value::Tensor(tensor)) => Self::Tensor(tensor.element_type(), tensor.shape().into()),
            Some(other) => Self::Other(other.describe()),
        }
    }
}

impl std::fmt::Display for InputType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tensor(element_type, shape) => write!(f, "{element_type}{:?}", shape.as_slice()),
            Self::Other(description) => f.write_str(description),
            Self::Absent => f.write_str("(left out)"),
        }
    }
}

fn describe(inputs: &[InputType]) -> String {
    if inputs.is_empty() {
        return "(none)".to_owned();
    }
    inputs.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn failed(step: &Step, inputs: &[InputType], source: OpError) -> RunError {
    RunError::Operator { node: step.node.clone(), operator: step.operator_name.clone(), inputs: describe(inputs), source }
}

fn panicked(plan: &Plan, current: &Current, message: String) -> RunError {
    let (node, operator) = plan.steps.get(current.step).map_or_else(Default::default, |step| (step.node.clone(), step.operator_name.clone()));
    RunError::Panicked { node, operator, inputs: describe(&current.inputs), message }
}
