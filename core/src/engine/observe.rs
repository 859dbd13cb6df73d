//! Runs of a plan with somebody watching: when each step began and ended, what it took in and gave out. The plain run pays nothing for it:
//! who watches is a type parameter, and for nobody there is no code.

use std::time::{Duration, Instant};

use super::plan::{Program, Source};
use super::{Plan, RunError, run};
use crate::graph::{SymbolicShape, ValueType};
use crate::ops::Placement;
use crate::task::TaskCtx;
use crate::tensor::{Device, Value};

/// Somebody who watches the steps of a program, of which `step` is the index.
pub(super) trait Observer {
    /// The step is about to fetch its inputs.
    fn begin(&mut self, step: usize);

    /// The inputs are where the step wants them.
    fn takes(&mut self, step: usize, inputs: &[Option<Value>]);

    /// The step has its results.
    fn end(&mut self, step: usize, outputs: &[Value]);
}

/// Nobody.
pub(super) struct Unobserved;

impl Observer for Unobserved {
    #[inline(always)]
    fn begin(&mut self, _step: usize) {}

    #[inline(always)]
    fn takes(&mut self, _step: usize, _inputs: &[Option<Value>]) {}

    #[inline(always)]
    fn end(&mut self, _step: usize, _outputs: &[Value]) {}
}

/// A step of a plan, as it was compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepInfo<'a> {
    pub node: &'a str,
    /// `Conv`, or what the engine made of several: `Conv+Add+Relu`.
    pub operator: &'a str,
    /// The nodes of the model whose work the step does, in the order in which they ran there.
    pub origins: &'a [String],
}

/// When the steps of one run began and ended, counted from the beginning of the run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RunTrace {
    /// By step. Empty if the run never got there.
    pub steps: Vec<(Duration, Duration)>,
    /// The whole run, with what is between the steps.
    pub total: Duration,
    /// Whether the work of every step was over when the step was said to end.
    pub is_complete: bool,
}

/// What the steps of one run moved and computed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RunCosts {
    pub steps: Vec<StepCost>,
    /// Largest sum of values alive at once, constants not counted.
    pub activation_peak_bytes: u64,
}

/// What a step moved and computed, for the shapes that it met.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StepCost {
    pub inputs: Vec<Option<ValueType>>,
    pub outputs: Vec<Option<ValueType>>,
    /// `None` where they can't be known.
    pub macs: Option<u64>,
    /// Bytes read and written once each: inputs, weights, results.
    pub bytes: u64,
    /// Of them, weights.
    pub weight_bytes: u64,
    pub runs_on: RunsOn,
}

/// Where a step runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunsOn {
    /// Drydock's own code over host memory.
    #[default]
    CpuKernel,
    /// burn's operations over host memory.
    BurnCpu,
    Gpu,
}

impl RunsOn {
    pub const fn name(self) -> &'static str {
        match self {
            Self::CpuKernel => "CPU kernel",
            Self::BurnCpu => "burn on CPU",
            Self::Gpu => "GPU",
        }
    }
}

impl Plan {
    /// The steps of a run, in order. What subgraphs do is part of the step that holds them.
    pub fn steps(&self) -> impl Iterator<Item = StepInfo<'_>> {
        self.program.steps.iter().map(|step| StepInfo { node: &step.node, operator: &step.operator_name, origins: &step.origins })
    }

    /// As [`Plan::run`], with the time of each step. On a GPU each step is waited for, so a step takes no less than a way there and back.
    pub fn run_traced(&self, ctx: &TaskCtx, inputs: Vec<(String, Value)>) -> Result<(Vec<Value>, RunTrace), RunError> {
        let steps = Vec::with_capacity(self.program.steps.len());
        let mut stopwatch = Stopwatch { device: self.device(), started: Instant::now(), steps, is_complete: true };
        let outputs = run::run(ctx, self, inputs, &mut stopwatch)?;
        let trace = RunTrace { total: stopwatch.started.elapsed(), steps: stopwatch.steps, is_complete: stopwatch.is_complete };
        Ok((outputs, trace))
    }

    /// As [`Plan::run`], to find out what the steps cost for these inputs.
    pub fn run_costs(&self, ctx: &TaskCtx, inputs: Vec<(String, Value)>) -> Result<RunCosts, RunError> {
        let given: Vec<(usize, u64)> =
            inputs.iter().filter_map(|(name, value)| Some((self.input_slots[*self.input_by_name.get(name)?].0, value_bytes(value)))).collect();
        let mut examiner = Examiner { plan: self, steps: Vec::with_capacity(self.program.steps.len()), output_bytes: Vec::new() };
        run::run(ctx, self, inputs, &mut examiner)?;
        let activation_peak_bytes = activation_peak(&self.program, &given, &examiner.output_bytes);
        Ok(RunCosts { steps: examiner.steps, activation_peak_bytes })
    }
}

struct Stopwatch<'a> {
    device: &'a Device,
    started: Instant,
    steps: Vec<(Duration, Duration)>,
    is_complete: bool,
}

impl Observer for Stopwatch<'_> {
    fn begin(&mut self, _step: usize) {
        let now = self.started.elapsed();
        self.steps.push((now, now));
    }

    fn takes(&mut self, _step: usize, _inputs: &[Option<Value>]) {}

    fn end(&mut self, step: usize, _outputs: &[Value]) {
        self.is_complete &= self.device.wait();
        let now = self.started.elapsed();
        if let Some((_, end)) = self.steps.get_mut(step) {
            *end = now;
        }
    }
}

struct Examiner<'a> {
    plan: &'a Plan,
    steps: Vec<StepCost>,
    /// By step, by output.
    output_bytes: Vec<Vec<u64>>,
}

impl Observer for Examiner<'_> {
    fn begin(&mut self, _step: usize) {}

    fn takes(&mut self, step: usize, inputs: &[Option<Value>]) {
        let facts = &self.plan.program.steps[step];
        let is_constant = |index: usize| matches!(facts.sources.get(index), Some(Source::Constant(_)));
        let read = inputs.iter().enumerate().filter(|(index, _)| !is_constant(*index)).filter_map(|(_, value)| value.as_ref());
        let bytes = read.map(value_bytes).sum::<u64>() + facts.weight_bytes;
        // A prepared constant is no input of the run; its type is known all the same.
        let known = facts.constant_types.iter().cloned().chain(std::iter::repeat(None));
        let inputs = inputs.iter().zip(known).map(|(value, known)| value.as_ref().and_then(type_of).or(known)).collect();
        self.steps.push(StepCost { inputs, bytes, weight_bytes: facts.weight_bytes, ..StepCost::default() });
    }

    fn end(&mut self, step: usize, outputs: &[Value]) {
        let facts = &self.plan.program.steps[step];
        let Some(cost) = self.steps.get_mut(step) else { return };
        let sizes: Vec<u64> = outputs.iter().map(value_bytes).collect();
        cost.bytes += sizes.iter().sum::<u64>();
        cost.outputs = outputs.iter().map(type_of).collect();
        cost.macs = facts.operator.macs(&cost.inputs, &cost.outputs);
        let is_on_gpu = outputs.iter().any(|value| value.as_tensor().is_some_and(|tensor| !tensor.is_on_host()));
        cost.runs_on = match facts.operator.placement() {
            _ if is_on_gpu => RunsOn::Gpu,
            Placement::AnyDevice => RunsOn::BurnCpu,
            Placement::Host | Placement::PassThrough => RunsOn::CpuKernel,
        };
        self.output_bytes.push(sizes);
    }
}

/// Follows the values of a run from the step that makes them to the one that reads them last.
fn activation_peak(program: &Program, given: &[(usize, u64)], output_bytes: &[Vec<u64>]) -> u64 {
    let mut slots = vec![0_u64; program.n_slots];
    for (slot, bytes) in given {
        slots[*slot] = *bytes;
    }
    let mut alive: u64 = slots.iter().sum();
    let mut peak = alive;
    for (step, sizes) in program.steps.iter().zip(output_bytes) {
        // While the step runs its inputs and all of its results are there.
        peak = peak.max(alive + sizes.iter().sum::<u64>());
        for (slot, bytes) in step.outputs.iter().zip(sizes) {
            if let Some(slot) = slot {
                alive = alive - slots[*slot] + bytes;
                slots[*slot] = *bytes;
            }
        }
        for source in &step.sources {
            if let Source::Slot { slot, is_last_use: true, .. } = *source {
                alive -= std::mem::take(&mut slots[slot]);
            }
        }
    }
    peak
}

fn type_of(value: &Value) -> Option<ValueType> {
    let tensor = value.as_tensor()?;
    Some(ValueType::Tensor { element_type: tensor.element_type(), shape: SymbolicShape::from(tensor.shape()) })
}

/// Bytes of the elements; a string counts as what its place in the tensor takes.
fn value_bytes(value: &Value) -> u64 {
    const STRING_BITS: usize = 192;
    match value {
        Value::Tensor(tensor) => tensor.n_elements() as u64 * tensor.element_type().bits().unwrap_or(STRING_BITS) as u64 / 8,
        Value::Sequence(items) => items.iter().map(value_bytes).sum(),
        _ => 0,
    }
}
