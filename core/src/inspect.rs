//! What a model is made of: signature, operators, weights, cost, what can't run here.

use std::collections::BTreeMap;

use crate::model::OpenModel;

/// The answer to `drydock inspect`.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct InspectReport {
    pub path: String,
    pub producer: String,
    pub ir_version: i64,
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
    pub operators: BTreeMap<String, u64>,
    pub unsupported: Vec<String>,
    /// Places where the model contradicts itself.
    pub issues: Vec<String>,
    pub metadata: Vec<(String, String)>,
    pub nodes: Vec<NodeReport>,
}

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SignatureItem {
    pub name: String,
    /// `float32`, `string`, or `sequence(…)`, `map(…)`.
    pub element_type: String,
    /// Dimensions as text: `N`, `20`, `?`. Empty for what is no tensor.
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
    /// `any device`, `host`, or `unsupported`.
    pub placement: String,
}

/// Looks at an opened model. Weights are not read.
pub fn inspect(model: &OpenModel) -> InspectReport {
    InspectReport {
        path: model.path.display().to_string(),
        producer: String::new(),
        ir_version: 0,
        opsets: BTreeMap::new(),
        inputs: Vec::new(),
        outputs: Vec::new(),
        parameters: 0,
        macs: None,
        file_bytes: model.file_bytes,
        weight_bytes: 0,
        activation_peak_bytes: None,
        operators: BTreeMap::new(),
        unsupported: Vec::new(),
        issues: Vec::new(),
        metadata: Vec::new(),
        nodes: Vec::new(),
    }
}
