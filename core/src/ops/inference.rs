//! The operators of a model, built only to be asked about: types of their outputs, cost, placement. Nothing is computed with weights.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::registry::{self, Unavailable};
use super::{Inputs, NodeContext, OpError, Operator, Placement, RunContext};
use crate::graph::cost::CostRules;
use crate::graph::infer::{InferInputs, InferenceRules};
use crate::graph::{Model, Node, NodeId, ValueType};
use crate::host::HostTensor;
use crate::tensor::{Device, Tensor, Value};

/// Constants up to this size are shown to operators while they are built: axes, shapes, small tables; never weights.
const MAX_SHOWN_BYTES: usize = 64 << 10;

/// Results of a computation on shapes are tiny; anything larger is not one.
const MAX_EVALUATED_BYTES: u128 = 1 << 20;

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

/// Finds and builds the operator of a node. `constants` stand behind its inputs, as far as the caller wants to show them.
pub fn build(model: &Model, node: &Node, constants: &[Option<&HostTensor>]) -> Result<Box<dyn Operator>, NodeProblem> {
    let is_function = |node: &Node| model.functions.iter().any(|function| function.domain == node.domain && function.name == node.op_type);
    if is_function(node) {
        return Err(NodeProblem::Unsupported("calls of functions that the model itself defines are not supported".to_owned()));
    }
    let refused = |reason| NodeProblem::Unsupported(unavailable(model, node, reason));
    let opset = model.opset(&node.domain).ok_or_else(|| refused(Unavailable::Domain))?;
    let registration = registry::find(&node.domain, &node.op_type, opset).map_err(refused)?;
    let context = NodeContext {
        op_type: &node.op_type,
        attributes: &node.attributes,
        opset,
        n_inputs: node.inputs.len(),
        n_outputs: node.outputs.len(),
        constants,
    };
    (registration.build)(&context).map_err(|error| match error {
        OpError::Unsupported(_) => NodeProblem::Unsupported(error.to_string()),
        error => NodeProblem::Invalid(error.to_string()),
    })
}

/// Why a node's operator is not to be had, as the end of a sentence.
pub(crate) fn unavailable(model: &Model, node: &Node, reason: Unavailable) -> String {
    let domain = if node.domain.is_empty() { "ai.onnx" } else { &node.domain };
    match (reason, model.opset(&node.domain)) {
        (_, None) => format!("the model imports no opset for the domain '{domain}'"),
        (Unavailable::Domain, _) => format!("Drydock has no operators of the domain '{domain}'"),
        (Unavailable::Operator, Some(opset)) => format!("Drydock does not run this operator of '{domain}' (opset {opset})"),
        (Unavailable::Opset, Some(opset)) => format!("Drydock does not run this operator at opset {opset} of '{domain}'"),
    }
}

/// The operators of a model's main graph, by [`NodeId`].
#[derive(Debug)]
pub struct BuiltOperators {
    operators: Vec<Result<Box<dyn Operator>, NodeProblem>>,
}

impl BuiltOperators {
    /// Builds every operator once. Large constants are not looked at.
    pub fn new(model: &Model) -> Self {
        let graph = &model.graph;
        let overridable: std::collections::HashSet<_> = graph.inputs.iter().copied().collect();
        let shown = |id: crate::graph::ValueId| {
            let constant = graph.initializers.get(&id).filter(|_| !overridable.contains(&id))?;
            Some(&constant.tensor).filter(|tensor| tensor.n_elements() <= MAX_SHOWN_BYTES && tensor.n_bytes() <= MAX_SHOWN_BYTES)
        };
        let build = |node: &Node| {
            let constants: Vec<_> = node.inputs.iter().map(|id| id.and_then(shown)).collect();
            build(model, node, &constants)
        };
        Self { operators: graph.nodes.iter().map(build).collect() }
    }

    /// A node's operator, or why there is none.
    pub fn get(&self, node: NodeId) -> Result<&dyn Operator, &NodeProblem> {
        self.operators[node.index()].as_deref()
    }

    /// Nodes that can't run, in the order of the file.
    pub fn problems(&self) -> impl Iterator<Item = (NodeId, &NodeProblem)> {
        (0_u32..).map(NodeId).zip(&self.operators).filter_map(|(id, operator)| Some((id, operator.as_ref().err()?)))
    }

    /// Where a node can run; `None` if it can't.
    pub fn placement(&self, node: NodeId) -> Option<Placement> {
        self.get(node).ok().map(Operator::placement)
    }
}

impl InferenceRules for BuiltOperators {
    fn infer(&self, model: &Model, node: NodeId, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, String> {
        match self.get(node) {
            Ok(operator) => operator.infer(inputs).map_err(|error| error.to_string()),
            // What can't be built is reported on its own; inference goes on with what the model declares.
            Err(_) => Ok(vec![None; model.graph.node(node).outputs.len()]),
        }
    }

    fn evaluate(&self, model: &Model, node: NodeId, inputs: &[Option<&HostTensor>]) -> Option<Vec<HostTensor>> {
        let operator = self.get(node).ok().filter(|operator| operator.is_deterministic())?;
        let values = inputs.iter().map(|input| input.map(|tensor| Tensor::from_host(tensor).map(Value::Tensor)).transpose());
        let inputs = Inputs::new(values.collect::<Result<_, _>>().ok()?);
        let context = RunContext { device: &Device::Cpu, max_result_bytes: MAX_EVALUATED_BYTES };
        // A shape that can't be computed here stays unknown; if it is the model's fault, running the model will say so.
        let results = catch_unwind(AssertUnwindSafe(|| operator.run(inputs, &context))).ok()?.ok()?;
        if results.len() != model.graph.node(node).outputs.len() {
            return None;
        }
        results.iter().map(|value| value.as_tensor()?.to_host().ok()).collect()
    }
}

impl CostRules for BuiltOperators {
    fn macs(&self, _model: &Model, node: NodeId, inputs: &[Option<ValueType>], outputs: &[Option<ValueType>]) -> Option<u64> {
        self.get(node).ok()?.macs(inputs, outputs)
    }
}
