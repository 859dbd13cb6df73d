//! Removes nodes whose results nobody reads, and constants that no node reads any more.

use super::{has_subgraphs, remove_nodes};
use crate::graph::{Graph, order};

pub(super) fn remove(graph: &mut Graph) {
    if has_subgraphs(graph) {
        return;
    }
    let Ok(order) = order::topological_order(graph) else { return };
    let mut is_needed = vec![false; graph.values().len()];
    for output in &graph.outputs {
        is_needed[output.index()] = true;
    }
    let mut is_doomed = vec![false; graph.nodes.len()];
    for node_id in order.into_iter().rev() {
        let node = graph.node(node_id);
        if node.outputs.iter().flatten().any(|output| is_needed[output.index()]) {
            for input in node.inputs.iter().flatten() {
                is_needed[input.index()] = true;
            }
        } else {
            is_doomed[node_id.index()] = true;
        }
    }
    remove_nodes(graph, &is_doomed);
    let inputs = graph.inputs.clone();
    graph.initializers.retain(|id, _| is_needed[id.index()] || inputs.contains(id));
}
