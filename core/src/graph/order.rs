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
        for input in node.reads() {
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
    Err(CycleError { node: node_on_cycle(graph, &producers, &waiting_for) })
}

/// Walks backwards through waiting nodes, each of which waits for another, until one comes up twice: that one is on a cycle.
fn node_on_cycle(graph: &Graph, producers: &[Option<NodeId>], waiting_for: &[usize]) -> String {
    let is_waiting = |id: &NodeId| waiting_for[id.index()] > 0;
    let mut is_visited = vec![false; graph.nodes.len()];
    let mut current = graph.node_ids().map(|(id, _)| id).find(is_waiting);
    while let Some(id) = current {
        if std::mem::replace(&mut is_visited[id.index()], true) {
            return graph.node(id).label(graph).to_owned();
        }
        current = graph.node(id).reads().filter_map(|value| producers[value.index()]).find(is_waiting);
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Attribute, Node};

    fn node(graph: &mut Graph, name: &str, inputs: &[&str], output: &str) -> Node {
        let inputs = inputs.iter().map(|name| Some(graph.value_named(name))).collect();
        let outputs = vec![Some(graph.value_named(output))];
        Node { name: name.to_owned(), op_type: "Add".to_owned(), inputs, outputs, ..Node::default() }
    }

    fn order_of(graph: &Graph) -> Vec<&str> {
        topological_order(graph).unwrap().into_iter().map(|id| graph.node(id).name.as_str()).collect()
    }

    #[test]
    fn producers_come_first_and_ties_keep_the_order_of_the_file() {
        let mut graph = Graph::default();
        let nodes = [node(&mut graph, "last", &["a", "b"], "c"), node(&mut graph, "second", &["x"], "b"), node(&mut graph, "first", &["x"], "a")];
        graph.nodes.extend(nodes);
        assert_eq!(order_of(&graph), ["second", "first", "last"]);
    }

    #[test]
    fn a_node_waits_for_what_its_subgraph_captures() {
        let mut inner = Graph::default();
        let capturing = node(&mut inner, "capturing", &["late", "own"], "result");
        inner.nodes.push(capturing);
        let own = inner.value_named("own");
        inner.inputs.push(own);
        inner.outputs = vec![inner.value_named("result")];

        let mut graph = Graph::default();
        let mut branch = node(&mut graph, "branch", &["condition"], "y");
        branch.attributes.0.insert("then_branch".to_owned(), Attribute::Graph(inner.into()));
        graph.find_captures(&mut branch);
        assert_eq!(branch.captured().map(|id| graph.value(id).name.as_str()).collect::<Vec<_>>(), ["late"]);
        let late = node(&mut graph, "late", &["x"], "late");
        graph.nodes.extend([branch, late]);
        assert_eq!(order_of(&graph), ["late", "branch"]);
    }

    #[test]
    fn a_cycle_is_named() {
        let mut graph = Graph::default();
        let nodes = [node(&mut graph, "start", &["x"], "s"), node(&mut graph, "a", &["s", "two"], "one"), node(&mut graph, "b", &["one"], "two")];
        graph.nodes.extend(nodes);
        assert_eq!(topological_order(&graph), Err(CycleError { node: "a".to_owned() }));
    }
}
