//! Compiling a model into a plan: passes, one built operator per node, constants where they are needed, last uses known.

use std::collections::HashMap;

use smallvec::SmallVec;

use super::{PlanError, RunError, UnsupportedNode, optimize, run};
use crate::graph::{Graph, Model, Node, ValueId, ValueType, order};
use crate::host::HostTensor;
use crate::ops::inference::unavailable;
use crate::ops::registry::{self, Unavailable};
use crate::ops::{NodeContext, Operator, Placement};
use crate::task::TaskCtx;
use crate::tensor::{Device, Tensor, Value};

/// How a plan is compiled.
#[derive(Debug, Clone)]
pub struct PlanOptions {
    pub device: Device,
    /// Fold constants and fuse nodes. Off only to test that it changes nothing.
    pub optimize: bool,
    /// A single result larger than this is refused before it is allocated.
    pub max_result_bytes: u128,
}

impl Default for PlanOptions {
    fn default() -> Self {
        Self { device: Device::Cpu, optimize: true, max_result_bytes: 8 << 30 }
    }
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
    pub(super) outputs: Vec<PlanInput>,
    /// Where the caller's inputs go, in the order of `inputs`, and the default of those that have one.
    pub(super) input_slots: Vec<(Slot, Option<Value>)>,
    /// Where results are found, in the order of `outputs`.
    pub(super) output_sources: Vec<Source>,
    pub(super) constants: Vec<Value>,
    pub(super) steps: Vec<Step>,
    pub(super) n_slots: usize,
    pub(super) device: Device,
    pub(super) max_result_bytes: u128,
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
    },
    Constant(usize),
    /// An optional input left out.
    Absent,
}

/// One operator of a plan.
#[derive(Debug)]
pub(super) struct Step {
    pub operator: Box<dyn Operator>,
    pub placement: Placement,
    pub sources: SmallVec<[Source; 4]>,
    pub outputs: SmallVec<[Option<Slot>; 1]>,
    /// For messages.
    pub node: String,
    pub operator_name: String,
}

impl Plan {
    /// Compiles a model for a device. Every operator that can't run is reported at once, before any data is read.
    pub fn compile(ctx: &TaskCtx, model: &Model, options: &PlanOptions) -> Result<Self, PlanError> {
        check_supported(model)?;
        let optimized = if options.optimize { Some(optimize::optimize(ctx, model)?) } else { None };
        let graph = optimized.as_ref().map_or(&model.graph, |model| &model.graph);
        Compiler::new(model, graph, options).compile(ctx)
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
        self.steps.len()
    }

    /// Runs the model on named inputs; results are in host memory, in the order of [`Plan::outputs`].
    pub fn run(&self, ctx: &TaskCtx, inputs: Vec<(String, Value)>) -> Result<Vec<Value>, RunError> {
        run::run(ctx, self, inputs)
    }
}

/// Builds the operator of a node.
pub(super) fn build_operator(model: &Model, graph: &Graph, node: &Node) -> Result<Box<dyn Operator>, PlanError> {
    let fail = |source| PlanError::Operator { node: node.label(graph).to_owned(), operator: node.qualified_type(), source };
    let opset = model.opset(&node.domain).unwrap_or_default();
    let registration = registry::find(&node.domain, &node.op_type, opset).map_err(|reason| {
        let reason = unavailable(model, node, reason);
        PlanError::Unsupported(vec![UnsupportedNode { node: node.label(graph).to_owned(), operator: node.qualified_type(), reason }])
    })?;
    let constants: SmallVec<[Option<&HostTensor>; 4]> = node.inputs.iter().map(|id| id.and_then(|id| graph.constant(id))).collect();
    let context = NodeContext {
        op_type: &node.op_type,
        attributes: &node.attributes,
        opset,
        n_inputs: node.inputs.len(),
        n_outputs: node.outputs.len(),
        constants: &constants,
    };
    (registration.build)(&context).map_err(fail)
}

/// Reports every node whose operator is missing.
fn check_supported(model: &Model) -> Result<(), PlanError> {
    let mut missing = Vec::new();
    for node in &model.graph.nodes {
        let found = match model.opset(&node.domain) {
            Some(opset) => registry::find(&node.domain, &node.op_type, opset).map(|_| ()),
            None => Err(Unavailable::Domain),
        };
        if let Err(reason) = found {
            missing.push(UnsupportedNode {
                node: node.label(&model.graph).to_owned(),
                operator: node.qualified_type(),
                reason: unavailable(model, node, reason),
            });
        }
    }
    if missing.is_empty() { Ok(()) } else { Err(PlanError::Unsupported(missing)) }
}

/// Turns a graph into a plan.
struct Compiler<'a> {
    model: &'a Model,
    graph: &'a Graph,
    options: &'a PlanOptions,
    slots: Vec<Option<Slot>>,
    n_slots: usize,
    constants: Vec<Value>,
    /// Constants by value and whether they are on the plan's device.
    constant_by_value: HashMap<(ValueId, bool), usize>,
}

impl<'a> Compiler<'a> {
    fn new(model: &'a Model, graph: &'a Graph, options: &'a PlanOptions) -> Self {
        Self { model, graph, options, slots: vec![None; graph.values().len()], n_slots: 0, constants: Vec::new(), constant_by_value: HashMap::new() }
    }

    fn compile(mut self, ctx: &TaskCtx) -> Result<Plan, PlanError> {
        let graph = self.graph;
        let order = order::topological_order(graph)?;
        let mut input_slots = Vec::with_capacity(graph.inputs.len());
        for &id in &graph.inputs {
            let default = match graph.initializers.get(&id) {
                Some(initializer) => Some(self.tensor_from(id, &initializer.tensor)?),
                None => None,
            };
            input_slots.push((self.new_slot(id), default));
        }
        let mut steps = Vec::with_capacity(order.len());
        for node_id in order {
            ctx.checkpoint()?;
            steps.push(self.step(graph.node(node_id))?);
        }
        let mut output_sources = Vec::with_capacity(graph.outputs.len());
        for &id in &graph.outputs {
            let source = self.source(id, false)?;
            output_sources.push(source.ok_or_else(|| PlanError::MissingOutput(graph.value(id).name.clone()))?);
        }
        mark_last_uses(&mut steps, &output_sources, self.n_slots);
        let describe = |id: &ValueId| PlanInput {
            name: graph.value(*id).name.clone(),
            value_type: graph.value(*id).value_type.clone(),
            is_optional: graph.initializers.contains_key(id),
        };
        Ok(Plan {
            inputs: graph.inputs.iter().map(describe).collect(),
            outputs: graph.outputs.iter().map(describe).collect(),
            input_slots,
            output_sources,
            constants: self.constants,
            steps,
            n_slots: self.n_slots,
            device: self.options.device.clone(),
            max_result_bytes: self.options.max_result_bytes,
        })
    }

    fn step(&mut self, node: &Node) -> Result<Step, PlanError> {
        let operator = build_operator(self.model, self.graph, node)?;
        let placement = operator.placement();
        let on_device = placement == Placement::AnyDevice && !self.options.device.is_cpu();
        let mut sources = SmallVec::new();
        for input in &node.inputs {
            let source = match input {
                None => Source::Absent,
                Some(id) => self.source(*id, on_device)?.ok_or_else(|| PlanError::MissingValue {
                    node: node.label(self.graph).to_owned(),
                    operator: node.qualified_type(),
                    value: self.graph.value(*id).name.clone(),
                })?,
            };
            sources.push(source);
        }
        let outputs = node.outputs.iter().map(|output| output.map(|id| self.new_slot(id))).collect();
        Ok(Step { operator, placement, sources, outputs, node: node.label(self.graph).to_owned(), operator_name: node.qualified_type() })
    }

    /// Where a value is; `None` if nothing makes it.
    fn source(&mut self, id: ValueId, on_device: bool) -> Result<Option<Source>, PlanError> {
        if let Some(slot) = self.slots[id.index()] {
            return Ok(Some(Source::Slot { slot, is_last_use: false }));
        }
        if let Some(index) = self.constant_by_value.get(&(id, on_device)) {
            return Ok(Some(Source::Constant(*index)));
        }
        let Some(tensor) = self.graph.constant(id) else { return Ok(None) };
        let mut value = self.tensor_from(id, tensor)?;
        if on_device && let Value::Tensor(tensor) = &value {
            value = Value::Tensor(tensor.to_device(&self.options.device).map_err(|source| self.initializer_error(id, source.into()))?);
        }
        self.constants.push(value);
        let index = self.constants.len() - 1;
        self.constant_by_value.insert((id, on_device), index);
        Ok(Some(Source::Constant(index)))
    }

    fn tensor_from(&self, id: ValueId, tensor: &HostTensor) -> Result<Value, PlanError> {
        Tensor::from_host(tensor).map(Value::Tensor).map_err(|source| self.initializer_error(id, source.into()))
    }

    fn initializer_error(&self, id: ValueId, source: crate::ops::OpError) -> PlanError {
        PlanError::Operator { node: self.graph.value(id).name.clone(), operator: "initializer".to_owned(), source }
    }

    fn new_slot(&mut self, id: ValueId) -> Slot {
        let slot = self.n_slots;
        self.n_slots += 1;
        self.slots[id.index()] = Some(slot);
        slot
    }
}

/// Marks, for each slot, the one read after which nobody needs its value. Within a step that reads a value twice, the later read is the last.
fn mark_last_uses(steps: &mut [Step], outputs: &[Source], n_slots: usize) {
    let mut is_needed = vec![false; n_slots];
    for source in outputs {
        if let Source::Slot { slot, .. } = source {
            is_needed[*slot] = true;
        }
    }
    for step in steps.iter_mut().rev() {
        for source in step.sources.iter_mut().rev() {
            if let Source::Slot { slot, is_last_use } = source {
                *is_last_use = !std::mem::replace(&mut is_needed[*slot], true);
            }
        }
    }
}
