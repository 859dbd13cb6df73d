//! Running a plan: inputs checked against the signature, steps in order, values freed at their last use, panics contained.

use std::cell::RefCell;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use smallvec::SmallVec;

use super::observe::{Observer, Unobserved};
use super::plan::{Program, Source};
use super::slots::Slots;
use super::{Plan, PlanInput, RunError};
use crate::graph::{Dimension, ValueType};
use crate::host::ElementType;
use crate::ops::{Inputs, OpError, RunContext};
use crate::task::TaskCtx;
use crate::tensor::{Device, Shape, TensorError, Value};

/// A plan that takes longer than this is run by one of the threads that share its work. Kernels then find them awake: called from outside, each
/// would hand over to them and wait. For shorter plans that one handing over would be the longest part.
const LONG_RUN: Duration = Duration::from_micros(300);

/// Runs a plan on named inputs, while `observer` watches its steps.
pub(super) fn run(ctx: &TaskCtx, plan: &Plan, inputs: Vec<(String, Value)>, observer: &mut (impl Observer + Send)) -> Result<Vec<Value>, RunError> {
    let start = Instant::now();
    let is_outside = rayon::current_thread_index().is_none();
    let outputs = if is_outside && plan.runs_long.load(Ordering::Relaxed) {
        rayon::scope(|_| run_here(ctx, plan, inputs, observer))
    } else {
        run_here(ctx, plan, inputs, observer)
    };
    plan.runs_long.store(start.elapsed() > LONG_RUN, Ordering::Relaxed);
    outputs
}

/// As [`run`], on this thread.
fn run_here(ctx: &TaskCtx, plan: &Plan, inputs: Vec<(String, Value)>, observer: &mut impl Observer) -> Result<Vec<Value>, RunError> {
    let mut values = Slots::new(plan.program.n_slots);
    place_inputs(plan, inputs, &mut values)?;
    let context = RunContext { device: &plan.device, max_result_bytes: plan.max_result_bytes, task: ctx };
    let outputs = run_observed(&plan.program, values, &context, observer).map_err(|failure| failure.into_run_error(&plan.program))?;
    outputs.into_iter().map(|value| to_host(value).map_err(RunError::from)).collect()
}

/// The value in host memory, all of it.
fn to_host(value: Value) -> Result<Value, TensorError> {
    Ok(match value {
        Value::Tensor(tensor) => Value::Tensor(tensor.to_device(&Device::Cpu)?),
        Value::Sequence(items) => Value::Sequence(items.into_iter().map(to_host).collect::<Result<_, _>>()?),
        value => value,
    })
}

fn place_inputs(plan: &Plan, inputs: Vec<(String, Value)>, values: &mut Slots) -> Result<(), RunError> {
    for (name, value) in inputs {
        let Some(&index) = plan.input_by_name.get(&name) else {
            let known = plan.inputs.iter().map(|input| format!("'{}'", input.name)).collect::<Vec<_>>().join(", ");
            return Err(RunError::UnknownInput { name, known });
        };
        check_input(&plan.inputs[index], &value)?;
        values.put(plan.input_slots[index].0, value);
    }
    for (input, (slot, default)) in plan.inputs.iter().zip(&plan.input_slots) {
        if !values.has(*slot) {
            let Some(default) = default else {
                let expected = input.value_type.as_ref().map_or_else(|| "any type".to_owned(), ToString::to_string);
                return Err(RunError::MissingInput { name: input.name.clone(), expected });
            };
            values.put(*slot, default.clone());
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

/// Runs the steps of a program over values of which those from outside are there, and returns its outputs, wherever they are.
pub(super) fn run_program(program: &Program, values: Slots, context: &RunContext<'_>) -> Result<Vec<Value>, Failure> {
    run_observed(program, values, context, &mut Unobserved)
}

fn run_observed(program: &Program, mut values: Slots, context: &RunContext<'_>, observer: &mut impl Observer) -> Result<Vec<Value>, Failure> {
    let current = RefCell::new(Current::default());
    let result = super::guard::contain(|| run_steps(program, &mut values, context, &current, observer));
    let failed = |cause| {
        let Current { step, inputs } = current.take();
        Failure { step, inputs, cause }
    };
    match result {
        Ok(Ok(())) => {
            let outputs = program.outputs.iter().map(|source| fetch(program, &mut values, source, context.device));
            outputs.map(|value| Ok(value?.unwrap_or(Value::Absent))).collect::<Result<_, TensorError>>().map_err(|error| failed(error.into()))
        }
        Ok(Err(error)) => Err(failed(error)),
        Err(message) => Err(failed(OpError::BrokeDown(message))),
    }
}

fn run_steps(
    program: &Program,
    values: &mut Slots,
    context: &RunContext<'_>,
    current: &RefCell<Current>,
    observer: &mut impl Observer,
) -> Result<(), OpError> {
    for (index, step) in program.steps.iter().enumerate() {
        current.replace(Current { step: index, inputs: InputTypes::new() });
        context.task.checkpoint()?;
        observer.begin(index);
        let inputs = step.sources.iter().map(|source| fetch(program, values, source, context.device));
        let inputs: SmallVec<[Option<Value>; 4]> = inputs.collect::<Result<_, _>>()?;
        observer.takes(index, &inputs);
        current.borrow_mut().inputs = inputs.iter().take(step.n_inputs).map(InputType::of).collect();
        let outputs = step.operator.run(Inputs::new(inputs), context)?;
        observer.end(index, &outputs);
        for (slot, value) in step.outputs.iter().zip(outputs) {
            if let Some(slot) = slot {
                values.put(*slot, value);
            }
        }
    }
    Ok(())
}

/// Takes what nobody reads later, shares the rest, and brings each to where the step wants it.
fn fetch(program: &Program, values: &mut Slots, source: &Source, device: &Device) -> Result<Option<Value>, TensorError> {
    match *source {
        Source::Absent => Ok(None),
        Source::Constant(index) => Ok(Some(program.constants[index].clone())),
        Source::Slot { slot, is_last_use, target } => values.fetch(slot, target, is_last_use, device),
    }
}

/// What runs right now, so that an error or a contained panic can say where it happened.
#[derive(Default)]
struct Current {
    step: usize,
    inputs: InputTypes,
}

/// A step failed.
pub(super) struct Failure {
    step: usize,
    inputs: InputTypes,
    cause: OpError,
}

impl Failure {
    fn into_run_error(self, program: &Program) -> RunError {
        let inputs = describe(&self.inputs);
        let (node, operator) = names(program, self.step);
        match self.cause {
            OpError::Cancelled(cancelled) => RunError::Cancelled(cancelled),
            OpError::BrokeDown(message) => RunError::Panicked { node, operator, inputs, message },
            source => RunError::Operator { node, operator, inputs, source },
        }
    }

    /// As the operator whose subgraph the program is sees it.
    pub fn into_op_error(self, program: &Program) -> OpError {
        match self.cause {
            passed_on @ (OpError::Inside { .. } | OpError::Cancelled(_)) => passed_on,
            source => {
                let (node, operator) = names(program, self.step);
                OpError::Inside { node, operator, inputs: describe(&self.inputs), source: Box::new(source) }
            }
        }
    }
}

fn names(program: &Program, step: usize) -> (String, String) {
    program.steps.get(step).map_or_else(Default::default, |step| (step.node.clone(), step.operator_name.clone()))
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
