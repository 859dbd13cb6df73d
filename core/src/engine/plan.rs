//! A model made ready to run on a device: what it takes, what it gives, and its steps.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;

use smallvec::SmallVec;

use super::observe::Unobserved;
use super::{PlanError, RunError, compile, optimize, run, sparse};
use crate::graph::{Model, ValueType, functions};
use crate::machine::memory;
use crate::ops::Operator;
use crate::task::TaskCtx;
use crate::tensor::{Device, Value};

/// How a plan is compiled.
#[derive(Debug, Clone)]
pub struct PlanOptions {
    pub device: Device,
    /// Fold constants and fuse nodes. Off only to test that it changes nothing.
    pub optimize: bool,
    /// A single result larger than this is refused before it is allocated. By default 8 GiB, or half of the memory that the process may use if
    /// that is less: a file of a few bytes may ask for any amount, and beyond that a run could not end well.
    pub max_result_bytes: u128,
}

impl Default for PlanOptions {
    fn default() -> Self {
        Self { device: Device::Cpu, optimize: true, max_result_bytes: default_max_result_bytes() }
    }
}

fn default_max_result_bytes() -> u128 {
    const MOST: u128 = 8 << 30;
    memory::usable_bytes().map_or(MOST, |bytes| MOST.min(u128::from(bytes) / 2))
}

/// An input or output of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanInput {
    pub name: String,
    pub value_type: Option<ValueType>,
    /// Has a default in the model.
    pub is_optional: bool,
}

/// A model compiled for a device. Cheap to share (`Arc<Plan>`); [`Plan::run`] takes `&self` and may be called from several threads at once.
#[derive(Debug)]
pub struct Plan {
    pub(super) inputs: Vec<PlanInput>,
    pub(super) input_by_name: HashMap<String, usize>,
    pub(super) outputs: Vec<PlanInput>,
    /// Where the caller's inputs go, in the order of `inputs`, and the default of those that have one.
    pub(super) input_slots: Vec<(Slot, Option<Value>)>,
    pub(super) program: Program,
    pub(super) device: Device,
    pub(super) max_result_bytes: u128,
    /// Whether the last run was a long one.
    pub(super) runs_long: AtomicBool,
}

/// The steps of a graph in the order in which they run: of the main graph, or of a subgraph.
#[derive(Debug)]
pub(super) struct Program {
    pub steps: Vec<Step>,
    /// Where results are found, in the order of the graph's outputs.
    pub outputs: Vec<Source>,
    pub constants: Vec<Value>,
    pub n_slots: usize,
}

impl Program {
    /// By slot: where the value's readers want it. The device, if any of them does.
    pub fn targets(&self) -> Vec<Target> {
        let mut targets = vec![Target::Stay; self.n_slots];
        for source in self.steps.iter().flat_map(|step| &step.sources) {
            if let Source::Slot { slot, target, .. } = *source
                && targets[slot] != Target::Device
                && target != Target::Stay
            {
                targets[slot] = target;
            }
        }
        targets
    }
}

/// Place of a value during a run.
pub(super) type Slot = usize;

/// Where a step finds an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Slot {
        slot: Slot,
        /// Nobody reads the value after this: the step owns it, and burn can work in place.
        is_last_use: bool,
        target: Target,
    },
    Constant(usize),
    /// An optional input left out.
    Absent,
}

/// Where a step wants to have an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// Wherever it is. On the CPU everything is in its place.
    Stay,
    Host,
    /// The plan's device.
    Device,
}

/// One operator of a plan.
#[derive(Debug)]
pub(super) struct Step {
    pub operator: Box<dyn Operator>,
    /// The node's inputs, then what its subgraphs capture.
    pub sources: SmallVec<[Source; 4]>,
    /// How many of them are the node's own.
    pub n_inputs: usize,
    pub outputs: SmallVec<[Option<Slot>; 1]>,
    /// For messages.
    pub node: String,
    pub operator_name: String,
    /// Nodes of the model whose work the step does.
    pub origins: Vec<String>,
    /// By input of the node: the type of the constant behind it.
    pub constant_types: SmallVec<[Option<ValueType>; 4]>,
    /// Bytes of the constants that the step reads or has prepared.
    pub weight_bytes: u64,
}

impl Plan {
    /// Compiles a model for a device. Every operator that can't run is reported at once, before any data is read.
    pub fn compile(ctx: &TaskCtx, model: &Model, options: &PlanOptions) -> Result<Self, PlanError> {
        // The copy shares the weights.
        let mut model = model.clone();
        sparse::expand(&mut model.graph);
        functions::inline(&mut model)?;
        compile::check_supported(&model)?;
        let original = model.graph.clone();
        if options.optimize {
            optimize::optimize(ctx, &mut model, options.device.is_cpu())?;
        }
        compile::compile(ctx, &model, &original, options)
    }

    pub fn inputs(&self) -> &[PlanInput] {
        &self.inputs
    }

    /// Outputs, in the order in which [`Plan::run`] returns them.
    pub fn outputs(&self) -> &[PlanInput] {
        &self.outputs
    }

    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Operators left after optimisation.
    pub fn n_steps(&self) -> usize {
        self.program.steps.len()
    }

    /// Runs the model on named inputs; results are in host memory, in the order of [`Plan::outputs`].
    pub fn run(&self, ctx: &TaskCtx, inputs: Vec<(String, Value)>) -> Result<Vec<Value>, RunError> {
        run::run(ctx, self, inputs, &mut Unobserved)
    }
}
