//! Removes nodes that pass their input on: Identity, and Dropout as it is at inference.

use crate::graph::edit::GraphEditor;
use crate::graph::{Graph, Node, NodeId, ValueId};
use crate::host::Bool;

pub(super) fn remove(editor: &mut GraphEditor<'_>) {
    let candidates: Vec<NodeId> = editor.nodes().map(|(id, _)| id).collect();
    for id in candidates {
        let Some((input, output)) = passes_on(editor.graph(), editor.node(id)) else { continue };
        // A graph output keeps its own node: its name must stay.
        if !editor.is_output(output) && input != output {
            editor.replace_uses(output, input);
            editor.remove_node(id);
        }
    }
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
