//! Removes nodes that pass their input on: Identity, and Dropout as it is at inference.

use super::{has_subgraphs, is_graph_output, remove_nodes};
use crate::graph::{Graph, Node, ValueId};
use crate::host::Bool;

pub(super) fn remove(graph: &mut Graph) {
    if has_subgraphs(graph) {
        return;
    }
    // By value, what stands for it. Chains of identities are followed when a use is replaced.
    let mut stands_for: Vec<Option<ValueId>> = vec![None; graph.values().len()];
    let mut is_doomed = vec![false; graph.nodes.len()];
    for (node_id, node) in graph.node_ids() {
        // A graph output keeps its own node: its name must stay.
        if let Some((input, output)) = passes_on(graph, node).filter(|(_, output)| !is_graph_output(graph, *output)) {
            stands_for[output.index()] = Some(input);
            is_doomed[node_id.index()] = true;
        }
    }
    let n_values = stands_for.len();
    for input in graph.nodes.iter_mut().flat_map(|node| node.inputs.iter_mut()).flatten() {
        // A cycle of identities is refused later, by the topological order; here it must only not hang.
        let mut hops = 0;
        while let Some(replacement) = stands_for[input.index()].filter(|_| hops < n_values) {
            *input = replacement;
            hops += 1;
        }
        if hops == n_values {
            return;
        }
    }
    remove_nodes(graph, &is_doomed);
}

/// Input and output of a node that only passes its input on.
fn passes_on(graph: &Graph, node: &Node) -> Option<(ValueId, ValueId)> {
    if !node.domain.is_empty() {
        return None;
    }
    let is_identity = match node.op_type.as_str() {
        "Identity" => true,
        "Dropout" => is_inference_dropout(graph, node),
        _ => false,
    };
    if !is_identity || node.outputs.iter().skip(1).any(Option::is_some) {
        return None;
    }
    Some(((*node.inputs.first()?)?, (*node.outputs.first()?)?))
}

/// Before opset 7 dropout has `is_test`, from 12 on a `training_mode` input; both say "inference" unless they are set otherwise.
fn is_inference_dropout(graph: &Graph, node: &Node) -> bool {
    let training_mode = match node.inputs.get(2) {
        None | Some(None) => false,
        Some(Some(id)) => {
            graph.constant(*id).and_then(|tensor| tensor.as_slice::<Bool>().ok().and_then(|values| values.first().copied())).is_none_or(Bool::get)
        }
    };
    !training_mode && node.attributes.int("is_test").is_ok_and(|is_test| is_test != Some(0))
}
