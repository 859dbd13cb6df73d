//! Sparse initializers, for the run: a `Constant` node makes the dense tensor of each, so that its size is looked at like any result's, and it
//! is folded like any other constant.

use std::sync::Arc;

use crate::graph::{Attribute, Attributes, Graph, Node, with_stack};

/// The opset that gave `Constant` its sparse value.
const CONSTANT_OPSET: i64 = 11;

/// Puts a `Constant` in the place of each sparse initializer, in subgraphs too.
pub(super) fn expand(graph: &mut Graph) {
    if graph.with_subgraphs().all(|graph| graph.sparse_initializers.is_empty()) {
        return;
    }
    for (id, tensor) in std::mem::take(&mut graph.sparse_initializers) {
        // Nobody can give a value in its place.
        graph.inputs.retain(|input| *input != id);
        let value = Attribute::Sparse { tensor, message: bytes::Bytes::new() };
        graph.nodes.push(Node {
            name: graph.value(id).name.clone(),
            op_type: "Constant".to_owned(),
            opset: Some(CONSTANT_OPSET),
            attributes: Attributes([("sparse_value".to_owned(), value)].into()),
            outputs: vec![Some(id)],
            ..Node::default()
        });
    }
    for subgraph in graph.nodes.iter_mut().flat_map(Node::subgraphs_mut) {
        with_stack(|| expand(Arc::make_mut(subgraph)));
    }
}
