//! What a model is made of: signature, operators, weights, cost, what can't run here.

use std::collections::BTreeMap;
use std::path::Path;

use serde::ser::{SerializeSeq as _, Serializer};

use crate::graph::cost::{self, GraphCost};
use crate::graph::infer::{infer_types, infer_types_from};
use crate::graph::order::topological_order;
use crate::graph::{Function, Graph, Model, NodeId, ValueId, ValueType};
use crate::model::OpenModel;
use crate::onnx::{self, LoadError};
use crate::ops::Placement;
use crate::ops::inference::{BuiltOperators, NodeProblem};
use crate::task::TaskCtx;

/// The answer to `drydock inspect`.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct InspectReport {
    pub path: String,
    pub producer: String,
    pub ir_version: i64,
    /// Operator set version by domain; the default domain is `ai.onnx`.
    pub opsets: BTreeMap<String, i64>,
    pub inputs: Vec<SignatureItem>,
    pub outputs: Vec<SignatureItem>,
    pub parameters: u64,
    /// Multiply-accumulates of one run with symbolic dimensions set to 1; `None` where a shape is unknown.
    pub macs: Option<u64>,
    pub file_bytes: u64,
    pub weight_bytes: u64,
    /// Largest sum of activations alive at once, symbolic dimensions set to 1.
    pub activation_peak_bytes: Option<u64>,
    /// How many nodes there are of each operator: `Conv`, `ai.onnx.ml.Scaler`.
    pub operators: BTreeMap<String, u64>,
    /// Functions that the model defines itself.
    pub functions: Vec<FunctionReport>,
    /// Nodes that Drydock does not run, one sentence each.
    pub unsupported: Vec<String>,
    /// Places where the model contradicts itself.
    pub issues: Vec<String>,
    pub metadata: Vec<(String, String)>,
    pub nodes: Vec<NodeReport>,
}

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SignatureItem {
    pub name: String,
    /// `float32`, `string`, or `sequence(…)`, `map(…)`; `unknown` where the file does not say and it can't be inferred.
    pub element_type: String,
    /// Dimensions as text: `N`, `20`, `?`. Empty for what is no tensor. In JSON, `20` is a number and `?` is null.
    #[serde(serialize_with = "serialize_shape")]
    pub shape: Vec<String>,
}

/// One node of the graph, in the order in which it runs.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct NodeReport {
    pub name: String,
    pub operator: String,
    pub outputs: Vec<SignatureItem>,
    pub parameters: u64,
    pub weight_bytes: u64,
    pub macs: Option<u64>,
    /// Where it runs when the plan is for a GPU: `any device`, `host`, `wherever its inputs are`, or `unsupported`.
    pub placement: String,
    /// What keeps it in host memory.
    pub placement_reason: Option<String>,
}

impl NodeReport {
    /// Placement and reason as a person reads them: `host (int64 stays in host memory)`.
    pub fn runs_on(&self) -> String {
        match &self.placement_reason {
            Some(reason) => format!("{} ({reason})", self.placement),
            None => self.placement.clone(),
        }
    }
}

/// A function that the model defines itself.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FunctionReport {
    /// `domain.Name`.
    pub name: String,
    /// How often the model's graph and its functions call it.
    pub calls: u64,
    /// What is in it, as [`InspectReport::operators`].
    pub operators: BTreeMap<String, u64>,
}

/// Looks at a model file without compiling it. Weights are not read.
pub fn inspect_file(ctx: &TaskCtx, path: &Path) -> Result<InspectReport, LoadError> {
    let file = onnx::load(ctx, path)?;
    Ok(inspect_model(path, file.bytes.len() as u64, &file.model))
}

/// Looks at an opened model. Weights are not read.
pub fn inspect(model: &OpenModel) -> InspectReport {
    inspect_model(&model.path, model.file_bytes, &model.model)
}

fn inspect_model(path: &Path, file_bytes: u64, model: &Model) -> InspectReport {
    let graph = &model.graph;
    let operators = BuiltOperators::new(model);
    let (types, contradictions) = infer_types(graph, &operators);
    let (types_for_one_row, _) = infer_types_from(graph, &operators, cost::types_for_one_row(graph));
    let cost = cost::cost(graph, &operators, &types_for_one_row);

    let sentence = |name: &str, operator: &str, reason: &str| format!("node '{name}' ({operator}): {reason}");
    let (unsupported, invalid): (Vec<_>, Vec<_>) =
        operators.problems(graph).into_iter().partition(|(.., problem)| matches!(problem, NodeProblem::Unsupported(_)));
    let issues = invalid.iter().map(|(name, operator, problem)| sentence(name, operator, problem.reason()));
    let issues = issues.chain(contradictions.iter().map(|issue| {
        let node = graph.node(issue.node);
        sentence(node.label(graph), &node.qualified_type(), &issue.message)
    }));
    let sparse =
        graph.opaque.iter().filter(|(field, _)| field == "sparse_initializer").map(|_| "a sparse initializer: these are not supported".to_owned());
    InspectReport {
        path: path.display().to_string(),
        producer: [model.producer_name.as_str(), model.producer_version.as_str()].join(" ").trim().to_owned(),
        ir_version: model.ir_version,
        opsets: model.opset_imports.iter().map(|(domain, version)| (domain_name(domain), *version)).collect(),
        inputs: graph.inputs.iter().map(|id| signature_item(graph, *id, &types)).collect(),
        outputs: graph.outputs.iter().map(|id| signature_item(graph, *id, &types)).collect(),
        parameters: cost.weights.parameters,
        macs: cost.macs,
        file_bytes,
        weight_bytes: cost.weights.bytes,
        activation_peak_bytes: cost.activation_peak_bytes,
        operators: count_operators(graph),
        functions: function_reports(model),
        unsupported: unsupported.iter().map(|(name, operator, problem)| sentence(name, operator, problem.reason())).chain(sparse).collect(),
        issues: issues.collect(),
        metadata: model.metadata.clone(),
        nodes: node_reports(graph, &operators, &cost, &types),
    }
}

fn node_reports(graph: &Graph, operators: &BuiltOperators, cost: &GraphCost, types: &[Option<ValueType>]) -> Vec<NodeReport> {
    let report = |id: NodeId| {
        let node = graph.node(id);
        let cost = &cost.nodes[id.index()];
        let inputs: Vec<_> = node.inputs.iter().flatten().map(|id| types[id.index()].clone()).collect();
        let placement = operators.placement(graph, id, &inputs);
        NodeReport {
            name: node.label(graph).to_owned(),
            operator: node.qualified_type(),
            outputs: node.outputs.iter().flatten().map(|id| signature_item(graph, *id, types)).collect(),
            parameters: cost.weights.parameters,
            weight_bytes: cost.weights.bytes,
            macs: cost.macs,
            placement: match placement.as_ref().map(|placement| placement.placement) {
                Some(Placement::AnyDevice) => "any device",
                Some(Placement::Host) => "host",
                Some(Placement::PassThrough) => "wherever its inputs are",
                None => "unsupported",
            }
            .to_owned(),
            placement_reason: placement.and_then(|placement| placement.reason),
        }
    };
    // Loading refuses cycles, so there is an order.
    topological_order(graph).unwrap_or_default().into_iter().map(report).collect()
}

fn signature_item(graph: &Graph, id: ValueId, types: &[Option<ValueType>]) -> SignatureItem {
    let name = graph.value(id).name.clone();
    match &types[id.index()] {
        None => SignatureItem { name, element_type: "unknown".to_owned(), shape: Vec::new() },
        Some(ValueType::Tensor { element_type, shape }) => SignatureItem {
            name,
            element_type: element_type.name().to_owned(),
            shape: shape.dims().map_or_else(|| vec!["…".to_owned()], |dims| dims.iter().map(ToString::to_string).collect()),
        },
        Some(other) => SignatureItem { name, element_type: type_name(other), shape: Vec::new() },
    }
}

/// `sequence(map(int64, float32))`: element types only.
fn type_name(value_type: &ValueType) -> String {
    match value_type {
        ValueType::Tensor { element_type, .. } => element_type.name().to_owned(),
        ValueType::SparseTensor { element_type, .. } => format!("sparse({element_type})"),
        ValueType::Sequence(inner) => format!("sequence({})", type_name(inner)),
        ValueType::Map { key, value } => format!("map({key}, {})", type_name(value)),
        ValueType::Optional(inner) => format!("optional({})", type_name(inner)),
    }
}

fn domain_name(domain: &str) -> String {
    if domain.is_empty() { "ai.onnx".to_owned() } else { domain.to_owned() }
}

fn count_operators(graph: &Graph) -> BTreeMap<String, u64> {
    let mut operators = BTreeMap::new();
    for node in graph.with_subgraphs().flat_map(|graph| &graph.nodes) {
        *operators.entry(node.qualified_type()).or_default() += 1;
    }
    operators
}

fn function_reports(model: &Model) -> Vec<FunctionReport> {
    let graphs = std::iter::once(&model.graph).chain(model.functions.iter().map(|function| &function.graph));
    let mut calls: BTreeMap<(&str, &str, &str), u64> = BTreeMap::new();
    for node in graphs.flat_map(Graph::with_subgraphs).flat_map(|graph| &graph.nodes) {
        *calls.entry((&node.domain, &node.op_type, &node.overload)).or_default() += 1;
    }
    let report = |function: &Function| FunctionReport {
        name: function.qualified_name(),
        calls: calls.get(&(function.domain.as_str(), function.name.as_str(), function.overload.as_str())).copied().unwrap_or(0),
        operators: count_operators(&function.graph),
    };
    model.functions.iter().map(report).collect()
}

/// Known dimensions are numbers to a script, symbols strings, and what is unknown null.
fn serialize_shape<S: Serializer>(shape: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    let mut list = serializer.serialize_seq(Some(shape.len()))?;
    for dim in shape {
        match (dim.parse::<u64>(), dim.as_str()) {
            (Ok(known), _) => list.serialize_element(&known)?,
            (_, "?") => list.serialize_element(&None::<u64>)?,
            (_, symbol) => list.serialize_element(symbol)?,
        }
    }
    list.end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Node;

    fn sample(name: &str) -> InspectReport {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sample-models").join(name).join("model.onnx");
        inspect_file(&TaskCtx::unattended(), &path).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The figures follow from the shapes in the file: two convolutions of 8 × 8 outputs, two dense layers.
    #[test]
    fn a_convolutional_network_is_weighed() {
        let report = sample("digits");
        assert_eq!(report.unsupported, [""; 0]);
        assert_eq!(report.issues, [""; 0]);
        assert_eq!(report.opsets, [("ai.onnx".to_owned(), 17)].into());
        assert_eq!(report.operators["Conv"], 2);
        assert_eq!((report.parameters, report.weight_bytes), (15_494, 61_976));
        assert_eq!(report.macs, Some(64 * 12 * 9 + 64 * 24 * 12 * 9 + 384 * 32 + 32 * 10));
        // Normalising the second convolution's result: 24 × 8 × 8 floats in, as many out.
        assert_eq!(report.activation_peak_bytes, Some(2 * 24 * 64 * 4));
        assert_eq!(report.nodes.len(), 13);
        assert!(report.nodes.iter().all(|node| node.placement == "any device" || node.placement == "host"));
    }

    #[test]
    fn the_signature_is_what_scripts_read() {
        let report = serde_json::to_value(sample("breast-cancer")).unwrap();
        assert_eq!(report["inputs"], serde_json::json!([{"name": "measurements", "element_type": "float32", "shape": ["N", 30]}]));
        assert_eq!(
            report["outputs"],
            serde_json::json!([
                {"name": "output_label", "element_type": "string", "shape": ["N"]},
                {"name": "output_probability", "element_type": "sequence(map(string, float32))", "shape": []},
            ])
        );
        assert_eq!(report["operators"]["ai.onnx.ml.Scaler"], 1);
    }

    #[test]
    fn every_sample_can_be_inspected_in_full() {
        for name in ["breast-cancer", "diabetes", "digits", "payment-fraud", "payment-fraud-v2", "wine"] {
            let report = sample(name);
            assert_eq!((report.unsupported.as_slice(), report.issues.as_slice()), ([].as_slice(), [].as_slice()), "{name}");
            assert!(report.macs.is_some(), "{name}");
        }
    }

    #[test]
    fn what_cannot_run_is_named() {
        let mut model = Model { opset_imports: [(String::new(), 17), ("com.acme".to_owned(), 1)].into(), ..Model::default() };
        let graph = &mut model.graph;
        graph.inputs = vec![graph.value_named("x")];
        for (op_type, domain, input, output) in [("Frobnicate", "com.acme", "x", "a"), ("Frobnicate", "", "a", "b"), ("Relu", "org.other", "b", "y")]
        {
            let inputs = vec![Some(graph.value_named(input))];
            let outputs = vec![Some(graph.value_named(output))];
            graph.nodes.push(Node { op_type: op_type.to_owned(), domain: domain.to_owned(), inputs, outputs, ..Node::default() });
        }
        graph.outputs = vec![graph.value_named("y")];
        let report = inspect_model(Path::new("m.onnx"), 0, &model);
        assert_eq!(
            report.unsupported,
            [
                "node 'a' (com.acme.Frobnicate): Drydock has no operators of the domain 'com.acme'",
                "node 'b' (Frobnicate): Drydock does not run this operator of 'ai.onnx' (opset 17)",
                "node 'y' (org.other.Relu): the model imports no opset for the domain 'org.other'",
            ]
        );
        assert_eq!(report.macs, None);
        assert_eq!(report.operators["com.acme.Frobnicate"], 1);
    }
}
