//! Which nodes of the model each node of the optimised graph stands for. No pass keeps book: values keep their identity through all of them, so
//! a node does whatever the model did between the values that it reads and those that it makes.

use std::collections::{BTreeSet, HashSet};

use crate::graph::{Graph, Node, ValueId};

/// By node of `optimized`: labels of the nodes of `original` whose work it does, in the original's order.
pub(super) fn origins(original: &Graph, optimized: &Graph) -> Vec<Vec<String>> {
    let producers = original.producers();
    let made: HashSet<ValueId> = optimized.nodes.iter().flat_map(|node| node.outputs.iter().flatten().copied()).collect();
    let is_given = |id: ValueId| made.contains(&id) || optimized.constant(id).is_some();
    optimized.nodes.iter().map(|node| origins_of(node, original, &producers, is_given)).collect()
}

fn origins_of(node: &Node, original: &Graph, producers: &[Option<crate::graph::NodeId>], is_given: impl Fn(ValueId) -> bool) -> Vec<String> {
    let mut found = BTreeSet::new();
    let mut open: Vec<ValueId> = node.outputs.iter().flatten().copied().collect();
    let own: HashSet<ValueId> = open.iter().copied().collect();
    while let Some(value) = open.pop() {
        if is_given(value) && !own.contains(&value) {
            continue;
        }
        // A value that a pass has made up was not there before.
        let Some(producer) = producers.get(value.index()).copied().flatten() else { continue };
        if found.insert(producer.index()) {
            open.extend(original.node(producer).reads());
        }
    }
    let is_work = |node: &&Node| !(node.domain.is_empty() && node.op_type == "Constant");
    found.into_iter().filter_map(|index| original.nodes.get(index)).filter(is_work).map(|node| node.label(original).to_owned()).collect()
}
