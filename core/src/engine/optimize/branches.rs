//! Puts the branch that an `If` takes in its place where its condition is a constant, as exporters leave it behind when they trace a choice that
//! was made already.

use std::sync::Arc;

use crate::graph::splice::splice;
use crate::graph::{Attribute, Graph, Node};
use crate::host::Bool;

/// Replaces every decided `If`, but not those in the branches that took their places. Returns whether there was one.
pub(super) fn decide(graph: &mut Graph) -> bool {
    if !graph.nodes.iter().any(|node| taken(graph, node).is_some()) {
        return false;
    }
    let mut nodes = Vec::with_capacity(graph.nodes.len());
    for node in std::mem::take(&mut graph.nodes) {
        match taken(graph, &node) {
            Some(branch) => {
                let label = node.label(graph).to_owned();
                nodes.extend(splice(graph, Graph::clone(&branch), &[], &node.outputs, &label));
            }
            None => nodes.push(node),
        }
    }
    graph.nodes = nodes;
    true
}

/// The branch of an `If` whose condition is known and that is as it should be; what is not is left for its operator to refuse.
fn taken(graph: &Graph, node: &Node) -> Option<Arc<Graph>> {
    if node.op_type != "If" || !node.domain.is_empty() {
        return None;
    }
    let condition = graph.constant((*node.inputs.first()?)?)?.as_slice::<Bool>().ok()?;
    let [condition] = *condition else { return None };
    let branch = |name: &str| match node.attributes.0.get(name) {
        Some(Attribute::Graph(branch)) if branch.inputs.is_empty() && branch.outputs.len() == node.outputs.len() => Some(branch),
        _ => None,
    };
    let (then, otherwise) = (branch("then_branch")?, branch("else_branch")?);
    Some(Arc::clone(if condition.get() { then } else { otherwise }))
}
