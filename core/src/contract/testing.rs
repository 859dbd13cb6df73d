//! Small models for tests of contracts: signatures without arithmetic.

use crate::graph::{Dimension, Graph, Model, Node, ValueType};
use crate::host::ElementType;

pub fn tensor_type(element_type: ElementType, dims: &[Option<usize>]) -> ValueType {
    let dim = |dim: &Option<usize>| dim.map_or(Dimension::Symbol("N".to_owned()), Dimension::Known);
    ValueType::tensor(element_type, dims.iter().map(dim).collect::<Vec<_>>())
}

pub fn input(graph: &mut Graph, name: &str, value_type: ValueType) {
    let id = graph.value_named(name);
    graph.value_mut(id).value_type = Some(value_type);
    graph.inputs.push(id);
}

pub fn output(graph: &mut Graph, name: &str, value_type: ValueType) {
    let id = graph.value_named(name);
    graph.value_mut(id).value_type = Some(value_type);
    graph.outputs.push(id);
}

pub fn node(graph: &mut Graph, op_type: &str, inputs: &[&str], outputs: &[&str]) -> Node {
    let inputs = inputs.iter().map(|name| Some(graph.value_named(name))).collect();
    let outputs = outputs.iter().map(|name| Some(graph.value_named(name))).collect();
    Node { op_type: op_type.to_owned(), inputs, outputs, ..Node::default() }
}

/// `x`: float32 [N, features] → `y`: float32 [N, 1].
pub fn float_model(features: usize) -> Model {
    let mut model = Model::default();
    input(&mut model.graph, "x", tensor_type(ElementType::F32, &[None, Some(features)]));
    output(&mut model.graph, "y", tensor_type(ElementType::F32, &[None, Some(1)]));
    model
}
