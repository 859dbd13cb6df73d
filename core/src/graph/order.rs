//! Topological order: each node after the nodes whose outputs it reads. Iterative, so a long chain cannot overflow the stack.

use super::{Graph, NodeId};

/// Nodes that wait for each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the graph has a cycle through node '{node}'; an ONNX graph must not")]
pub struct CycleError {
    /// Label of one node on the cycle.
    pub node: String,
}

/// All nodes, producers first; nodes that don't depend on each other keep the order of the file.
pub fn topological_order(graph: &Graph) -> Result<Vec<NodeId>, CycleError> {
    let producers = graph.producers();
    let mut waiting_for = vec![0_usize; graph.nodes.len()];
    let mut readers: Vec<Vec<NodeId>> = vec![Vec::new(); graph.nodes.len()];
    for (reader, node) in graph.node_ids() {
        for input in reads(node, graph) {
            if let Some(producer) = producers[input.index()] {
                waiting_for[reader.index()] += 1;
                readers[producer.index()].push(reader);
            }
        }
    }
    let mut ready: std::collections::BinaryHeap<std::cmp::Reverse<NodeId>> =
        graph.node_ids().filter(|(id, _)| waiting_for[id.index()] == 0).map(|(id, _)| std::cmp::Reverse(id)).collect();
    let mut order = Vec::with_capacity(graph.nodes.len());
    while let Some(std::cmp::Reverse(id)) = ready.pop() {
        order.push(id);
        for reader in &readers[id.index()] {
            waiting_for[reader.index()] -= 1;
            if waiting_for[reader.index()] == 0 {
                ready.push(std::cmp::Reverse(*reader));
            }
        }
    }
    if order.len() == graph.nodes.len() {
        return Ok(order);
    }
    let stuck = graph.node_ids().find(|(id, _)| waiting_for[id.index()] > 0);
    Err(CycleError { node: stuck.map_or_else(String::new, |(_, node)| node.label(graph).to_owned()) })
}

/// Values of `graph` that a node reads: its inputs, and what its subgraphs capture.
fn reads(node: &super::Node, graph: &Graph) -> Vec<super::ValueId> {
    let mut reads: Vec<_> = node.inputs.iter().flatten().copied().collect();
    let mut pending: Vec<&Graph> = subgraphs(node);
    while let Some(subgraph) = pending.pop() {
        let producers = subgraph.producers();
        for (index, value) in subgraph.values().iter().enumerate() {
            let id = super::ValueId(u32::try_from(index).unwrap_or(u32::MAX));
            let is_own = producers[index].is_some() || subgraph.inputs.contains(&id) || subgraph.initializers.contains_key(&id);
            if !is_own {
                reads.extend(graph.find_value(&value.name));
            }
        }
        pending.extend(subgraph.nodes.iter().flat_map(subgraphs));
    }
    reads
}

fn subgraphs(node: &super::Node) -> Vec<&Graph> {
    let mut found = Vec::new();
    for attribute in node.attributes.0.values() {
        match attribute {
            super::Attribute::Graph(graph) => found.push(graph.as_ref()),
            super::Attribute::Graphs(graphs) => found.extend(graphs),
            _ => {}
        }
    }
    found
}
