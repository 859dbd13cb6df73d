//! Where the nodes of a model run when its plan is for a GPU, and what keeps the others in host memory.

use super::{Operator, Placement};
use crate::graph::{Node, ValueType};
use crate::host::ElementType;

/// Where a node runs on a GPU plan, as far as the types of its inputs tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodePlacement {
    pub placement: Placement,
    /// What keeps it in host memory, in a few words.
    pub reason: Option<String>,
}

/// The placement of a node with inputs of these types. An operator that runs anywhere runs where its float32 inputs are; without any it stays in
/// host memory.
pub fn of_node(node: &Node, operator: &dyn Operator, inputs: &[Option<ValueType>]) -> NodePlacement {
    let host = |reason: String| NodePlacement { placement: Placement::Host, reason: Some(reason) };
    match operator.placement() {
        Placement::Host => host(host_reason(&node.domain, &node.op_type).to_owned()),
        Placement::AnyDevice => match type_on_host(inputs) {
            Some(element_type) => host(format!("{element_type} stays in host memory")),
            None => NodePlacement { placement: Placement::AnyDevice, reason: None },
        },
        Placement::PassThrough => NodePlacement { placement: Placement::PassThrough, reason: None },
    }
}

/// The element type that keeps a node in host memory: that of its first tensor, if no input is, or may be, one that travels.
fn type_on_host(inputs: &[Option<ValueType>]) -> Option<ElementType> {
    let mut first = None;
    for value_type in inputs {
        let element_type = value_type.as_ref()?.as_tensor().map(|(element_type, _)| element_type)?;
        if element_type == ElementType::F32 {
            return None;
        }
        first = first.or(Some(element_type));
    }
    first
}

/// Why an operator that runs in host memory alone does.
fn host_reason(domain: &str, op_type: &str) -> &'static str {
    match (domain, op_type) {
        ("ai.onnx.ml", "TreeEnsemble" | "TreeEnsembleClassifier" | "TreeEnsembleRegressor") => "trees are walked in host memory",
        (
            "ai.onnx.ml",
            "ArrayFeatureExtractor"
            | "CastMap"
            | "CategoryMapper"
            | "DictVectorizer"
            | "FeatureVectorizer"
            | "LabelEncoder"
            | "OneHotEncoder"
            | "ZipMap",
        ) => "labels, strings and maps stay in host memory",
        ("ai.onnx.ml", _) => "works on the columns of a table, in host memory",
        (_, "And" | "Or" | "Xor" | "Not") => "booleans stay in host memory",
        (_, "ArgMax" | "ArgMin" | "Hardmax" | "NonMaxSuppression" | "NonZero" | "OneHot" | "TopK" | "Unique") => {
            "works with indices, which stay in host memory"
        }
        (_, "Constant" | "ConstantOfShape" | "EyeLike" | "Range" | "BlackmanWindow" | "HammingWindow" | "HannWindow" | "MelWeightMatrix") => {
            "makes its values in host memory"
        }
        (_, "GRU" | "LSTM" | "RNN" | "CumSum" | "CumProd") => "goes step by step, in host memory",
        (_, "Bernoulli" | "Multinomial" | "RandomNormal" | "RandomNormalLike" | "RandomUniform" | "RandomUniformLike") => {
            "random numbers are drawn in host memory"
        }
        (_, "StringConcat" | "StringNormalizer" | "StringSplit" | "RegexFullMatch" | "TfIdfVectorizer" | "Tokenizer") => {
            "strings stay in host memory"
        }
        (_, op_type) if is_quantized(op_type) => "integers of 8 bits and less stay in host memory",
        (_, op_type) if op_type.starts_with("Bit") => "integers stay in host memory",
        _ => "this use of the operator has an implementation for host memory only",
    }
}

fn is_quantized(op_type: &str) -> bool {
    op_type.starts_with("QLinear")
        || op_type.starts_with("QGemm")
        || op_type.ends_with("Integer")
        || op_type.contains("Quantize")
        || op_type.ends_with("NBits")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{op, typed};

    fn placed(op_type: &'static str, inputs: &[ValueType]) -> NodePlacement {
        let node = Node { op_type: op_type.to_owned(), ..Node::default() };
        let types: Vec<_> = inputs.iter().cloned().map(Some).collect();
        of_node(&node, &*op(op_type).build(inputs.len()).unwrap(), &types)
    }

    #[test]
    fn an_operator_runs_where_its_floats_are() {
        let any = |placement| NodePlacement { placement, reason: None };
        assert_eq!(placed("Add", &[typed::<f32>("N, 3"), typed::<f32>("3")]), any(Placement::AnyDevice));
        assert_eq!(placed("Gather", &[typed::<f32>("N, 3"), typed::<i64>("2")]), any(Placement::AnyDevice));
        assert_eq!(placed("Identity", &[typed::<i64>("2")]), any(Placement::PassThrough));
        let add = placed("Add", &[typed::<i64>("3"), typed::<i64>("3")]);
        assert_eq!(add, NodePlacement { placement: Placement::Host, reason: Some("int64 stays in host memory".to_owned()) });
        let top = placed("ArgMax", &[typed::<f32>("3")]);
        assert_eq!(top.reason.as_deref(), Some("works with indices, which stay in host memory"));
    }

    #[test]
    fn what_is_not_known_may_travel() {
        let node = Node { op_type: "Add".to_owned(), ..Node::default() };
        let operator = op("Add").build(2).unwrap();
        assert_eq!(of_node(&node, &*operator, &[Some(typed::<i64>("3")), None]).placement, Placement::AnyDevice);
    }
}
