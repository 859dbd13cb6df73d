//! Turning a graph into steps: one built operator per node, constants where they are needed, last uses known. A subgraph becomes a
//! [`CompiledBody`] that its node's operator holds; what it captures is among the sources of the node's step.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use smallvec::SmallVec;

use super::body::CompiledBody;
use super::plan::{Plan, PlanInput, PlanOptions, Program, Slot, Source, Step, Target};
use super::{PlanError, UnsupportedNode, origins};
use crate::graph::cost::Weights;
use crate::graph::{Attribute, Graph, Model, Node, ValueId, ValueType, order, with_stack};
use crate::host::{ElementType, HostTensor};
use crate::ops::registry::{self, BuildError};
use crate::ops::{Body, NodeContext, OpError, Operator, Placement, fused};
use crate::task::TaskCtx;
use crate::tensor::{Tensor, TensorError, Value};

/// Reports every node whose operator is missing, in subgraphs too.
pub(super) fn check_supported(model: &Model) -> Result<(), PlanError> {
    let mut missing = Vec::new();
    for graph in model.graph.with_subgraphs() {
        for node in &graph.nodes {
            if let Err(reason) = registry::find_for(&model.opset_imports, node) {
                missing.push(UnsupportedNode { node: node.label(graph).to_owned(), operator: node.qualified_type(), reason });
            }
        }
    }
    if missing.is_empty() { Ok(()) } else { Err(PlanError::Unsupported(missing)) }
}

/// Builds the operator of a node, which sees all constants behind its inputs.
pub(super) fn build_operator(
    opsets: &BTreeMap<String, i64>,
    graph: &Graph,
    node: &Node,
    bodies: &[(&str, Arc<dyn Body>)],
) -> Result<Box<dyn Operator>, PlanError> {
    let constants: SmallVec<[Option<&HostTensor>; 4]> = node.inputs.iter().map(|id| id.and_then(|id| graph.constant(id))).collect();
    let built = if node.domain == fused::DOMAIN {
        let (n_inputs, n_outputs) = (node.inputs.len(), node.outputs.len());
        let attributes = &node.attributes;
        fused::build(&NodeContext { op_type: &node.op_type, attributes, opset: 0, n_inputs, n_outputs, constants: &constants, bodies })
            .map_err(BuildError::Operator)
    } else {
        registry::build(opsets, node, &constants, bodies)
    };
    built.map_err(|error| {
        let (node, operator) = (node.label(graph).to_owned(), operator_name(node));
        match error {
            BuildError::Unavailable(reason) => PlanError::Unsupported(vec![UnsupportedNode { node, operator, reason }]),
            BuildError::Operator(source) => PlanError::Operator { node, operator, source },
        }
    })
}

/// How messages call a node's operator. One of the engine's own is spelled as what it was made from: `Conv+Relu`.
fn operator_name(node: &Node) -> String {
    if node.domain == fused::DOMAIN { node.op_type.clone() } else { node.qualified_type() }
}

/// Compiles a model as it stands.
/// `original`: the graph before the passes went over it, with the same values.
pub(super) fn compile(ctx: &TaskCtx, model: &Model, original: &Graph, options: &PlanOptions) -> Result<Plan, PlanError> {
    let graph = &model.graph;
    let shared = Shared { ctx, opsets: &model.opset_imports, options, constants: RefCell::default() };
    let mut compiler = Compiler::new(&shared, graph);
    let mut input_slots = Vec::with_capacity(graph.inputs.len());
    for &id in &graph.inputs {
        let default = graph.initializers.get(&id).map(|initializer| compiler.constant(&initializer.tensor, false)).transpose();
        let default = default.map_err(|source| compiler.initializer_error(id, source.into()))?;
        input_slots.push((compiler.new_slot(id), default));
    }
    let mut program = compiler.program()?;
    let by_node = origins::origins(original, graph);
    for (step, node) in program.steps.iter_mut().zip(order::topological_order(graph)?) {
        step.origins = by_node.get(node.index()).cloned().unwrap_or_default();
    }
    let describe = |id: &ValueId| PlanInput {
        name: graph.value(*id).name.clone(),
        value_type: graph.value(*id).value_type.clone(),
        is_optional: graph.initializers.contains_key(id),
    };
    Ok(Plan {
        input_by_name: graph.inputs.iter().enumerate().map(|(index, id)| (graph.value(*id).name.clone(), index)).collect(),
        inputs: graph.inputs.iter().map(describe).collect(),
        outputs: graph.outputs.iter().map(describe).collect(),
        input_slots,
        program,
        device: options.device.clone(),
        max_result_bytes: options.max_result_bytes,
        runs_long: AtomicBool::new(false),
    })
}

/// What the programs of all graphs of a model are compiled with.
struct Shared<'a> {
    ctx: &'a TaskCtx,
    opsets: &'a BTreeMap<String, i64>,
    options: &'a PlanOptions,
    constants: RefCell<HashMap<ConstantKey, Value>>,
}

/// What makes two constants the same one: address of the data, element type, shape, and whether it is on the plan's device.
type ConstantKey = (usize, ElementType, Vec<usize>, bool);

/// Turns one graph into a program.
struct Compiler<'a> {
    shared: &'a Shared<'a>,
    graph: &'a Graph,
    slots: Vec<Option<Slot>>,
    n_slots: usize,
    constants: Vec<Value>,
    /// Constants by value and whether they are on the plan's device.
    constant_by_value: HashMap<(ValueId, bool), usize>,
}

impl<'a> Compiler<'a> {
    fn new(shared: &'a Shared<'a>, graph: &'a Graph) -> Self {
        let slots = vec![None; graph.values().len()];
        Self { shared, graph, slots, n_slots: 0, constants: Vec::new(), constant_by_value: HashMap::new() }
    }

    /// Compiles all nodes. Whatever comes from outside has its slot already.
    fn program(mut self) -> Result<Program, PlanError> {
        let graph = self.graph;
        let mut steps = Vec::with_capacity(graph.nodes.len());
        for node_id in order::topological_order(graph)? {
            self.shared.ctx.checkpoint()?;
            steps.push(self.step(graph.node(node_id))?);
        }
        let mut outputs = Vec::with_capacity(graph.outputs.len());
        for &id in &graph.outputs {
            let source = self.source(id, Target::Stay)?;
            outputs.push(source.ok_or_else(|| PlanError::MissingOutput(graph.value(id).name.clone()))?);
        }
        mark_last_uses(&mut steps, &mut outputs, self.n_slots);
        Ok(Program { steps, outputs, constants: self.constants, n_slots: self.n_slots })
    }

    fn step(&mut self, node: &Node) -> Result<Step, PlanError> {
        let bodies = self.bodies(node)?;
        let named: Vec<(&str, Arc<dyn Body>)> = bodies.iter().map(|(name, body)| (*name, Arc::clone(body) as Arc<dyn Body>)).collect();
        let operator = build_operator(self.shared.opsets, self.graph, node, &named)?;
        let own_target = match operator.placement() {
            _ if self.shared.options.device.is_cpu() => Target::Stay,
            Placement::Host => Target::Host,
            Placement::AnyDevice => Target::Device,
            Placement::PassThrough => Target::Stay,
        };
        let own = node.inputs.iter().map(|input| (*input, own_target));
        // What is captured goes where its readers in the subgraph want it, before the first of many runs.
        let wanted_inside = bodies.iter().flat_map(|(_, body)| body.capture_targets.iter().copied());
        let captured = node.captured().map(Some).zip(wanted_inside.chain(std::iter::repeat(Target::Stay)));
        let mut sources = SmallVec::new();
        for (index, (read, target)) in own.chain(captured).enumerate() {
            let source = match read {
                None => Source::Absent,
                Some(_) if !operator.reads(index) => Source::Absent,
                Some(id) => self.source(id, target)?.ok_or_else(|| PlanError::MissingValue {
                    node: node.label(self.graph).to_owned(),
                    operator: operator_name(node),
                    value: self.graph.value(id).name.clone(),
                })?,
            };
            sources.push(source);
        }
        let outputs = node.outputs.iter().map(|output| output.map(|id| self.new_slot(id))).collect();
        Ok(Step {
            operator,
            sources,
            n_inputs: node.inputs.len(),
            outputs,
            node: node.label(self.graph).to_owned(),
            operator_name: operator_name(node),
            origins: Vec::new(),
            constant_types: node.inputs.iter().map(|input| input.and_then(|id| self.constant_type(id))).collect(),
            weight_bytes: Weights::of_node(self.graph, node).bytes,
        })
    }

    fn constant_type(&self, id: ValueId) -> Option<ValueType> {
        self.graph.constant(id).map(|tensor| ValueType::tensor(tensor.element_type(), tensor.shape()))
    }

    fn bodies<'n>(&self, node: &'n Node) -> Result<Vec<(&'n str, Arc<CompiledBody>)>, PlanError> {
        let mut bodies = Vec::new();
        let mut first_capture = 0;
        for (name, attribute) in &node.attributes.0 {
            if let Attribute::Graph(graph) = attribute {
                bodies.push((name.as_str(), Arc::new(with_stack(|| self.body(graph, first_capture))?)));
            }
            first_capture += attribute.subgraphs().iter().map(|graph| graph.captures.len()).sum::<usize>();
        }
        Ok(bodies)
    }

    fn body(&self, graph: &Graph, first_capture: usize) -> Result<CompiledBody, PlanError> {
        let mut compiler = Compiler::new(self.shared, graph);
        let inputs = graph.inputs.iter().map(|id| compiler.new_slot(*id)).collect();
        let captures: Vec<(usize, Slot)> =
            (first_capture..).zip(&graph.captures).map(|(index, capture)| (index, compiler.new_slot(capture.inner))).collect();
        let declared = |ids: &[ValueId]| ids.iter().map(|id| graph.value(*id).value_type.clone()).collect();
        let program = compiler.program()?;
        let targets = program.targets();
        Ok(CompiledBody {
            inputs,
            input_types: declared(&graph.inputs),
            output_types: declared(&graph.outputs),
            capture_targets: captures.iter().map(|(_, slot)| targets[*slot]).collect(),
            captures,
            is_nested: graph.nodes.iter().any(|node| node.subgraphs().next().is_some()),
            program,
        })
    }

    /// Where a value is; `None` if nothing makes it.
    fn source(&mut self, id: ValueId, target: Target) -> Result<Option<Source>, PlanError> {
        if let Some(slot) = self.slots[id.index()] {
            return Ok(Some(Source::Slot { slot, is_last_use: false, target }));
        }
        let on_device = target == Target::Device;
        if let Some(index) = self.constant_by_value.get(&(id, on_device)) {
            return Ok(Some(Source::Constant(*index)));
        }
        let Some(tensor) = self.graph.constant(id) else { return Ok(None) };
        let value = self.constant(tensor, on_device).map_err(|source| self.initializer_error(id, source.into()))?;
        self.constants.push(value);
        let index = self.constants.len() - 1;
        self.constant_by_value.insert((id, on_device), index);
        Ok(Some(Source::Constant(index)))
    }

    /// The run-time form of a constant: made once for all graphs that share its data, however deep they are.
    fn constant(&self, tensor: &HostTensor, on_device: bool) -> Result<Value, TensorError> {
        let make = || {
            let value = Tensor::from_host(tensor)?;
            Ok(Value::Tensor(if on_device { value.to_device(&self.shared.options.device)? } else { value }))
        };
        let Some(bytes) = tensor.bytes() else { return make() };
        let key = (bytes.as_ptr() as usize, tensor.element_type(), tensor.shape().to_vec(), on_device);
        if let Some(value) = self.shared.constants.borrow().get(&key) {
            return Ok(value.clone());
        }
        let value = make()?;
        self.shared.constants.borrow_mut().insert(key, value.clone());
        Ok(value)
    }

    fn initializer_error(&self, id: ValueId, source: OpError) -> PlanError {
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
fn mark_last_uses(steps: &mut [Step], outputs: &mut [Source], n_slots: usize) {
    let mut is_needed = vec![false; n_slots];
    let reads = outputs.iter_mut().rev().chain(steps.iter_mut().rev().flat_map(|step| step.sources.iter_mut().rev()));
    for source in reads {
        if let Source::Slot { slot, is_last_use, .. } = source {
            *is_last_use = !std::mem::replace(&mut is_needed[*slot], true);
        }
    }
    // What nobody ever reads is not kept.
    for output in steps.iter_mut().flat_map(|step| step.outputs.iter_mut()) {
        *output = output.filter(|slot| is_needed[*slot]);
    }
}
