//! The operators of a model, built only to be asked about: types of their outputs, cost, placement. Nothing is computed with weights.

use std::collections::{BTreeMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::operator::{Body, Captured, Outputs};
use super::placement::{self, NodePlacement};
use super::registry::{self, BuildError};
use super::{Inputs, OpError, Operator, Placement, RunContext};
use crate::graph::cost::{self, CostRules};
use crate::graph::functions::{FunctionError, Functions};
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
        Builder { opsets: &model.opset_imports, functions: Functions::of(model) }.graph(&model.graph)
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

    /// Where a node of `graph` with inputs of these types runs on a GPU plan; `None` if it can't run.
    pub fn placement(&self, graph: &Graph, node: NodeId, inputs: &[Option<ValueType>]) -> Option<NodePlacement> {
        self.get(node).ok().map(|operator| placement::of_node(graph.node(node), operator, inputs))
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

/// Builds the operators of a graph and of the graphs inside it.
struct Builder<'a> {
    opsets: &'a BTreeMap<String, i64>,
    functions: Result<Functions<'a>, FunctionError>,
}

impl Builder<'_> {
    fn graph(&self, graph: &Graph) -> BuiltOperators {
        let overridable: HashSet<ValueId> = graph.inputs.iter().copied().collect();
        let shown = |id: ValueId| {
            let constant = graph.initializers.get(&id).filter(|_| !overridable.contains(&id))?;
            Some(&constant.tensor).filter(|tensor| tensor.n_elements() <= MAX_SHOWN_BYTES && tensor.n_bytes() <= MAX_SHOWN_BYTES)
        };
        let mut built = BuiltOperators { operators: Vec::with_capacity(graph.nodes.len()), bodies: BTreeMap::new() };
        for (id, node) in graph.node_ids() {
            let constants: Vec<_> = node.inputs.iter().map(|id| id.and_then(shown)).collect();
            let bodies = self.bodies(node);
            let operator = match (&self.functions, bodies.as_slice()) {
                (Ok(functions), [(_, body)]) if functions.called_by(node).is_some() => {
                    Ok(Box::new(FunctionCall { body: Arc::clone(body), n_inputs: node.inputs.len() }) as Box<dyn Operator>)
                }
                _ => {
                    let named: Vec<_> = bodies.iter().map(|(name, body)| (*name, Arc::clone(body) as Arc<dyn Body>)).collect();
                    registry::build(self.opsets, node, &constants, &named).map_err(|error| self.problem(error))
                }
            };
            built.operators.push(operator);
            if !bodies.is_empty() {
                built.bodies.insert(id, bodies.into_iter().map(|(_, body)| body).collect());
            }
        }
        built
    }

    /// Without its functions the model has nodes that nothing defines; why they are not to be had is what matters.
    fn problem(&self, error: BuildError) -> NodeProblem {
        match (&self.functions, error) {
            (Err(reason), BuildError::Unavailable(_)) => NodeProblem::Invalid(reason.to_string()),
            (_, error) => error.into(),
        }
    }

    /// The graphs that a node runs: those in its attributes, or the function that it calls.
    fn bodies<'n>(&self, node: &'n Node) -> Vec<(&'n str, Arc<UncompiledBody>)> {
        if let Some(function) = self.functions.as_ref().ok().and_then(|functions| functions.called_by(node)) {
            return vec![("", self.body(Arc::new(function.instantiate(node)), 0))];
        }
        let mut bodies = Vec::new();
        let mut first_capture = 0;
        for (name, attribute) in &node.attributes.0 {
            if let Attribute::Graph(graph) = attribute {
                bodies.push((name.as_str(), self.body(Arc::clone(graph), first_capture)));
            }
            first_capture += attribute.subgraphs().iter().map(|graph| graph.captures.len()).sum::<usize>();
        }
        bodies
    }

    fn body(&self, graph: Arc<Graph>, first_capture: usize) -> Arc<UncompiledBody> {
        let operators = with_stack(|| self.graph(&graph));
        let height = operators.bodies.values().flatten().map(|body| body.height + 1).max().unwrap_or(0);
        Arc::new(UncompiledBody { graph, operators, first_capture, height })
    }
}

/// A call of a function that the model defines; the engine puts the function's nodes in its place before it runs.
#[derive(Debug)]
struct FunctionCall {
    body: Arc<UncompiledBody>,
    n_inputs: usize,
}

impl Operator for FunctionCall {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let (own, captured) = Captured::split(inputs, self.n_inputs);
        Ok(self.body.infer(own.to_vec(), captured))
    }

    fn run(&self, _: Inputs, _: &RunContext<'_>) -> Result<Outputs, OpError> {
        Err(OpError::unsupported("running a function before it is compiled"))
    }

    fn placement(&self) -> Placement {
        Placement::PassThrough
    }

    fn macs(&self, inputs: &[Option<ValueType>], _outputs: &[Option<ValueType>]) -> Option<u64> {
        let (own, types) = inputs.split_at_checked(self.n_inputs)?;
        self.body.macs(own.to_vec(), Captured { types, constants: &[] })
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

    fn input_type(&self, index: usize) -> Option<&ValueType> {
        self.graph.value(*self.graph.inputs.get(index)?).value_type.as_ref()
    }

    fn output_type(&self, index: usize) -> Option<&ValueType> {
        self.graph.value(*self.graph.outputs.get(index)?).value_type.as_ref()
    }

    fn is_nested(&self) -> bool {
        self.height > 0
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
