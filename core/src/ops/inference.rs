//! The operators of a model, built only to be asked about: types of their outputs, cost, placement. Nothing is computed with weights.

use std::collections::{BTreeMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::operator::{Body, Captured};
use super::registry::{self, BuildError};
use super::{Inputs, OpError, Operator, Placement, RunContext};
use crate::graph::cost::{self, CostRules};
use crate::graph::infer::{InferInputs, InferenceRules, infer_types_from};
use crate::graph::{Attribute, Graph, Model, Node, NodeId, ValueId, ValueType, with_stack};
use crate::host::HostTensor;
use crate::task::TaskCtx;
use crate::tensor::{Device, Tensor, Value};

/// Constants up to this size are shown to operators while they are built: axes, shapes, small tables; never weights.
const MAX_SHOWN_BYTES: usize = 64 << 10;

/// Results of a computation on shapes are tiny; anything larger is not one.
const MAX_EVALUATED_BYTES: u128 = 1 << 20;

/// Multiply-accumulates of subgraphs are counted as long as no more than this many levels are inside them.
const MAX_COUNTED_HEIGHT: usize = 8;

/// Why a node can't run here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeProblem {
    /// Drydock does not have the operator, or not this use of it.
    Unsupported(String),
    /// The node is not what the operator's specification allows.
    Invalid(String),
}

impl NodeProblem {
    /// The sentence.
    pub fn reason(&self) -> &str {
        match self {
            Self::Unsupported(reason) | Self::Invalid(reason) => reason,
        }
    }
}

impl From<BuildError> for NodeProblem {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::Unavailable(reason) => Self::Unsupported(reason),
            BuildError::Operator(error @ OpError::Unsupported(_)) => Self::Unsupported(error.to_string()),
            BuildError::Operator(error) => Self::Invalid(error.to_string()),
        }
    }
}

/// The operators of a graph, by [`NodeId`], and those of the graphs inside it.
#[derive(Debug)]
pub struct BuiltOperators {
    operators: Vec<Result<Box<dyn Operator>, NodeProblem>>,
    /// The subgraphs of each node that has any.
    bodies: BTreeMap<NodeId, Vec<Arc<UncompiledBody>>>,
}

impl BuiltOperators {
    /// Builds every operator of a model's main graph once. Large constants are not looked at.
    pub fn new(model: &Model) -> Self {
        Self::of_graph(&model.opset_imports, &model.graph)
    }

    fn of_graph(opsets: &BTreeMap<String, i64>, graph: &Graph) -> Self {
        let overridable: HashSet<ValueId> = graph.inputs.iter().copied().collect();
        let shown = |id: ValueId| {
            let constant = graph.initializers.get(&id).filter(|_| !overridable.contains(&id))?;
            Some(&constant.tensor).filter(|tensor| tensor.n_elements() <= MAX_SHOWN_BYTES && tensor.n_bytes() <= MAX_SHOWN_BYTES)
        };
        let mut bodies = BTreeMap::new();
        let mut operators = Vec::with_capacity(graph.nodes.len());
        for (id, node) in graph.node_ids() {
            let constants: Vec<_> = node.inputs.iter().map(|id| id.and_then(shown)).collect();
            let own_bodies = UncompiledBody::of_node(opsets, node);
            let named: Vec<_> = own_bodies.iter().map(|(name, body)| (*name, Arc::clone(body) as Arc<dyn Body>)).collect();
            operators.push(registry::build(opsets, node, &constants, &named).map_err(NodeProblem::from));
            if !own_bodies.is_empty() {
                bodies.insert(id, own_bodies.into_iter().map(|(_, body)| body).collect());
            }
        }
        Self { operators, bodies }
    }

    /// A node's operator, or why there is none.
    pub fn get(&self, node: NodeId) -> Result<&dyn Operator, &NodeProblem> {
        self.operators[node.index()].as_deref()
    }

    /// Nodes of `graph`, which these operators are of, and of the graphs inside it that can't run, each with its name and operator.
    pub fn problems<'a>(&'a self, graph: &'a Graph) -> Vec<(&'a str, String, &'a NodeProblem)> {
        let mut problems = Vec::new();
        let mut pending = vec![(self, graph)];
        while let Some((operators, graph)) = pending.pop() {
            for ((id, node), operator) in graph.node_ids().zip(&operators.operators) {
                if let Err(problem) = operator {
                    problems.push((node.label(graph), node.qualified_type(), problem));
                }
                pending.extend(operators.bodies.get(&id).into_iter().flatten().map(|body| (&body.operators, &*body.graph)));
            }
        }
        problems
    }

    /// Where a node can run; `None` if it can't.
    pub fn placement(&self, node: NodeId) -> Option<Placement> {
        self.get(node).ok().map(Operator::placement)
    }
}

impl InferenceRules for BuiltOperators {
    fn infer(&self, graph: &Graph, node: NodeId, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, String> {
        match self.get(node) {
            Ok(operator) => operator.infer(inputs).map_err(|error| error.to_string()),
            // What can't be built is reported on its own; inference goes on with what the model declares.
            Err(_) => Ok(vec![None; graph.node(node).outputs.len()]),
        }
    }

    fn evaluate(&self, graph: &Graph, node: NodeId, inputs: &[Option<&HostTensor>]) -> Option<Vec<HostTensor>> {
        let operator = self.get(node).ok().filter(|operator| operator.is_deterministic())?;
        let values = inputs.iter().map(|input| input.map(|tensor| Tensor::from_host(tensor).map(Value::Tensor)).transpose());
        let inputs = Inputs::new(values.collect::<Result<_, _>>().ok()?);
        let context = RunContext { device: &Device::Cpu, max_result_bytes: MAX_EVALUATED_BYTES, task: &TaskCtx::unattended() };
        // A shape that can't be computed here stays unknown; if it is the model's fault, running the model will say so.
        let results = catch_unwind(AssertUnwindSafe(|| operator.run(inputs, &context))).ok()?.ok()?;
        if results.len() != graph.node(node).outputs.len() {
            return None;
        }
        results.iter().map(|value| value.as_tensor()?.to_host().ok()).collect()
    }
}

impl CostRules for BuiltOperators {
    fn macs(&self, _graph: &Graph, node: NodeId, inputs: &[Option<ValueType>], outputs: &[Option<ValueType>]) -> Option<u64> {
        self.get(node).ok()?.macs(inputs, outputs)
    }
}

/// A subgraph that can be asked about, but not run.
#[derive(Debug)]
struct UncompiledBody {
    graph: Arc<Graph>,
    operators: BuiltOperators,
    /// Where this subgraph's captures begin among those of its node.
    first_capture: usize,
    /// How many levels of graphs are inside this one.
    height: usize,
}

impl UncompiledBody {
    fn of_node<'a>(opsets: &BTreeMap<String, i64>, node: &'a Node) -> Vec<(&'a str, Arc<Self>)> {
        let mut bodies = Vec::new();
        let mut first_capture = 0;
        for (name, attribute) in &node.attributes.0 {
            if let Attribute::Graph(graph) = attribute {
                let operators = with_stack(|| BuiltOperators::of_graph(opsets, graph));
                let height = operators.bodies.values().flatten().map(|body| body.height + 1).max().unwrap_or(0);
                bodies.push((name.as_str(), Arc::new(Self { graph: Arc::clone(graph), operators, first_capture, height })));
            }
            first_capture += attribute.subgraphs().iter().map(|graph| graph.captures.len()).sum::<usize>();
        }
        bodies
    }

    /// Types of all values of the subgraph. A contradiction inside says nothing about the model: a branch may be one that is never taken.
    fn types(&self, inputs: Vec<Option<ValueType>>, captured: Captured<'_>) -> Vec<Option<ValueType>> {
        let mut types: Vec<Option<ValueType>> = self.graph.values().iter().map(|value| value.value_type.clone()).collect();
        for (id, given) in self.graph.inputs.iter().zip(inputs) {
            if given.is_some() {
                types[id.index()] = given;
            }
        }
        for (index, capture) in self.graph.captures.iter().enumerate() {
            types[capture.inner.index()] = captured.types.get(self.first_capture + index).cloned().flatten();
        }
        with_stack(|| infer_types_from(&self.graph, &self.operators, types).0)
    }
}

impl Body for UncompiledBody {
    fn n_inputs(&self) -> usize {
        self.graph.inputs.len()
    }

    fn n_outputs(&self) -> usize {
        self.graph.outputs.len()
    }

    fn infer(&self, inputs: Vec<Option<ValueType>>, captured: Captured<'_>) -> Vec<Option<ValueType>> {
        let types = self.types(inputs, captured);
        self.graph.outputs.iter().map(|id| types[id.index()].clone()).collect()
    }

    fn macs(&self, inputs: Vec<Option<ValueType>>, captured: Captured<'_>) -> Option<u64> {
        // Each level infers the types of all levels inside it once more.
        if self.height > MAX_COUNTED_HEIGHT {
            return None;
        }
        let types = self.types(inputs, captured);
        with_stack(|| cost::macs(&self.graph, &self.operators, &types))
    }

    fn run(&self, _: Vec<Value>, _: &[Value], _: &RunContext<'_>) -> Result<Vec<Value>, OpError> {
        Err(OpError::unsupported("running a subgraph before it is compiled"))
    }
}
