//! Finds the three nodes that shuffle channels: Reshape to groups, Transpose of groups and their channels, Reshape back.

use crate::graph::edit::GraphEditor;
use crate::graph::{Graph, Node, NodeId};
use crate::ops::fused;

pub(super) fn shuffles(editor: &mut GraphEditor<'_>) {
    let candidates: Vec<NodeId> = editor.nodes().map(|(id, _)| id).collect();
    for id in candidates {
        if let Some(shuffle) = Shuffle::starting_at(editor, id) {
            shuffle.apply(editor);
        }
    }
}

struct Shuffle {
    parts: [NodeId; 3],
}

impl Shuffle {
    fn starting_at(editor: &GraphEditor<'_>, first: NodeId) -> Option<Self> {
        let graph = editor.graph();
        let reader = |id: NodeId| {
            let &[Some(made)] = editor.node(id).outputs.as_slice() else { return None };
            // As its data, that is: a shape is not what is shuffled.
            editor.only_reader(made).filter(|reader| editor.node(*reader).inputs.first() == Some(&Some(made)))
        };
        if !is_reshape(graph, editor.node(first), 5) {
            return None;
        }
        let middle = reader(first)?;
        let transpose = editor.node(middle);
        let swaps = transpose.attributes.ints("perm").is_ok_and(|axes| axes == Some([0, 2, 1, 3, 4].as_slice()));
        if !transpose.domain.is_empty() || transpose.op_type != "Transpose" || !swaps {
            return None;
        }
        let last = reader(middle)?;
        is_reshape(graph, editor.node(last), 4).then_some(Self { parts: [first, middle, last] })
    }

    fn apply(self, editor: &mut GraphEditor<'_>) {
        let [first, _, last] = self.parts.map(|id| editor.node(id).clone());
        let shuffle = Node {
            domain: fused::DOMAIN.to_owned(),
            op_type: "Reshape+Transpose+Reshape".to_owned(),
            name: first.label(editor.graph()).to_owned(),
            inputs: vec![first.inputs[0], first.inputs[1], last.inputs[1]],
            outputs: last.outputs,
            ..Node::default()
        };
        for id in self.parts {
            editor.remove_node(id);
        }
        editor.insert_node(shuffle);
    }
}

/// Whether a node gives its data a constant shape with so many axes, and nothing is special about it.
fn is_reshape(graph: &Graph, node: &Node, rank: usize) -> bool {
    let has_shape = match node.inputs.as_slice() {
        &[Some(_), Some(shape)] => graph.constant(shape).is_some_and(|shape| shape.shape() == [rank]),
        _ => false,
    };
    node.domain.is_empty() && node.op_type == "Reshape" && has_shape && !node.attributes.0.contains_key("allowzero")
}
