//! What makes a graph a valid one: every value made once, every value that is read made somewhere, no cycles. Subgraphs included.

use std::collections::HashSet;

use super::order::{CycleError, topological_order};
use super::{Graph, Node, ValueId};

/// A graph that the ONNX specification does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    #[error("the name '{value}' is given to two inputs; names of values must be unique")]
    DuplicateInput { value: String },
    #[error("node '{node}' ({operator}) makes '{value}', which is already {other}; a value may be made only once")]
    MadeTwice { node: String, operator: String, value: String, other: String },
    #[error("node '{node}' ({operator}) reads '{value}', which nothing makes: no input, no initializer and no node has that name")]
    MissingValue { node: String, operator: String, value: String },
    #[error("output '{value}' is made by no node and is neither an input nor an initializer")]
    MissingOutput { value: String },
    #[error(transparent)]
    Cycle(#[from] CycleError),
}

/// Checks a graph and the graphs in its nodes' attributes.
pub fn check(graph: &Graph) -> Result<(), GraphError> {
    graph.with_subgraphs().try_for_each(|graph| {
        check_made_once(graph)?;
        let captured: HashSet<ValueId> = graph.captures.iter().map(|capture| capture.inner).collect();
        if let Some(missing) = graph.free_values().into_iter().find(|id| !captured.contains(id)) {
            return Err(missing_value(graph, missing));
        }
        topological_order(graph)?;
        Ok(())
    })
}

/// Names who reads a value that nothing makes: the node itself, where the reading is done by a subgraph that captures it.
fn missing_value(mut graph: &Graph, mut missing: ValueId) -> GraphError {
    let value = graph.value(missing).name.clone();
    loop {
        let Some(reader) = graph.nodes.iter().find(|node| node.reads().any(|id| id == missing)) else {
            return GraphError::MissingOutput { value };
        };
        let mut captures = reader.subgraphs().flat_map(|subgraph| subgraph.captures.iter().map(move |capture| (subgraph, capture)));
        let capture = captures.find(|(_, capture)| capture.outer == missing);
        match capture {
            Some((subgraph, capture)) if !reader.inputs.contains(&Some(missing)) => (graph, missing) = (subgraph, capture.inner),
            _ => {
                let (node, operator) = name_of(reader, graph);
                return GraphError::MissingValue { node, operator, value };
            }
        }
    }
}

fn check_made_once(graph: &Graph) -> Result<(), GraphError> {
    let mut inputs = HashSet::new();
    if let Some(twice) = graph.inputs.iter().find(|id| !inputs.insert(**id)) {
        return Err(GraphError::DuplicateInput { value: graph.value(*twice).name.clone() });
    }
    let mut maker: Vec<Option<&Node>> = vec![None; graph.values().len()];
    for node in &graph.nodes {
        for output in node.outputs.iter().flatten() {
            let other = if let Some(other) = maker[output.index()].replace(node) {
                format!("made by node '{}'", other.label(graph))
            } else if inputs.contains(output) {
                "an input of the graph".to_owned()
            } else if graph.initializers.contains_key(output) || graph.sparse_initializers.contains_key(output) {
                "an initializer".to_owned()
            } else {
                continue;
            };
            let (node, operator) = name_of(node, graph);
            return Err(GraphError::MadeTwice { node, operator, value: graph.value(*output).name.clone(), other });
        }
    }
    Ok(())
}

fn name_of(node: &Node, graph: &Graph) -> (String, String) {
    (node.label(graph).to_owned(), node.qualified_type())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Attribute;

    /// A graph with input `x`, nodes `(name, inputs, outputs)` and output `y`.
    fn graph(nodes: &[(&str, &[&str], &[&str])]) -> Graph {
        let mut graph = Graph::default();
        graph.inputs = vec![graph.value_named("x")];
        for (name, inputs, outputs) in nodes {
            let inputs = inputs.iter().map(|name| Some(graph.value_named(name))).collect();
            let outputs = outputs.iter().map(|name| Some(graph.value_named(name))).collect();
            graph.nodes.push(Node { name: (*name).to_owned(), op_type: "Add".to_owned(), inputs, outputs, ..Node::default() });
        }
        graph.outputs = vec![graph.value_named("y")];
        graph
    }

    #[test]
    fn what_is_not_a_valid_graph_is_named() {
        let message = |nodes: &[(&str, &[&str], &[&str])]| check(&graph(nodes)).unwrap_err().to_string();
        assert_eq!(
            message(&[("a", &["x", "w"], &["y"])]),
            "node 'a' (Add) reads 'w', which nothing makes: no input, no initializer and no node has that name"
        );
        assert_eq!(message(&[("a", &["x"], &["z"])]), "output 'y' is made by no node and is neither an input nor an initializer");
        assert_eq!(
            message(&[("a", &["x"], &["y"]), ("b", &["x"], &["y"])]),
            "node 'b' (Add) makes 'y', which is already made by node 'a'; a value may be made only once"
        );
        assert_eq!(
            message(&[("a", &["x"], &["x"])]),
            "node 'a' (Add) makes 'x', which is already an input of the graph; a value may be made only once"
        );
        assert_eq!(message(&[("a", &["y"], &["y"])]), "the graph has a cycle through node 'a'; an ONNX graph must not");
        assert_eq!(check(&graph(&[("b", &["a"], &["y"]), ("a", &["x"], &["a"])])), Ok(()));
    }

    #[test]
    fn subgraphs_may_read_what_is_around_them() {
        let with_branch = |reads: &str| {
            let mut outer = graph(&[("a", &["x"], &["y"])]);
            let mut branch = graph(&[("inside", &[reads], &["made_inside"])]);
            branch.inputs.clear();
            branch.outputs = vec![branch.value_named("made_inside")];
            let mut node = outer.nodes.remove(0);
            node.attributes.0.insert("then_branch".to_owned(), Attribute::Graph(branch.into()));
            outer.find_captures(&mut node);
            outer.nodes.push(node);
            outer
        };
        assert_eq!(check(&with_branch("x")), Ok(()));
        assert!(matches!(check(&with_branch("w")), Err(GraphError::MissingValue { node, value, .. }) if node == "inside" && value == "w"));
    }
}
