//! Puts the nodes of one graph into another: the body of a function in the place of its call, a branch in the place of an `If` that is decided.

use super::{Capture, Graph, Node, ValueId};

/// Makes the contents of `body` part of `graph`, and returns its nodes, which read and make values of `graph` now. They join the graph when the
/// caller says where.
///
/// The body's inputs become the values `inputs` (`None`: left out), its outputs the values `outputs` (`None`: nobody wants it), what it captures
/// is there already. All other values get fresh names, and nodes names, that begin with `label`.
pub fn splice(graph: &mut Graph, body: Graph, inputs: &[Option<ValueId>], outputs: &[Option<ValueId>], label: &str) -> Vec<Node> {
    let mut place: Vec<Place> = vec![Place::Unknown; body.values().len()];
    for (index, id) in body.inputs.iter().enumerate() {
        place[id.index()] = inputs.get(index).copied().flatten().map_or(Place::LeftOut, Place::At);
    }
    for capture in &body.captures {
        place[capture.inner.index()] = Place::At(capture.outer);
    }
    // An output that is an input, a constant, a captured value or another output too needs a node that makes it.
    let mut passed_on = Vec::new();
    for (id, wanted) in body.outputs.iter().zip(outputs) {
        let Some(wanted) = *wanted else { continue };
        match place[id.index()] {
            Place::Unknown if !body.initializers.contains_key(id) => place[id.index()] = Place::At(wanted),
            _ => passed_on.push((*id, wanted)),
        }
    }
    for (index, value) in body.values().iter().enumerate() {
        if place[index] == Place::Unknown {
            let id = graph.fresh_value(&format!("{label}/{}", value.name));
            graph.value_mut(id).value_type.clone_from(&value.value_type);
            place[index] = Place::At(id);
        }
    }
    let at = |id: ValueId| match place[id.index()] {
        Place::At(id) => Some(id),
        Place::LeftOut | Place::Unknown => None,
    };
    for (id, initializer) in body.initializers {
        if let Some(id) = at(id) {
            graph.initializers.insert(id, initializer);
        }
    }
    let moved = body.nodes.into_iter().map(|mut node| {
        for id in node.inputs.iter_mut().chain(&mut node.outputs) {
            *id = id.and_then(at);
        }
        for subgraph in node.subgraphs_mut() {
            let needs_change = subgraph.captures.iter().any(|capture| at(capture.outer) != Some(capture.outer));
            if needs_change {
                recapture(std::sync::Arc::make_mut(subgraph), &at);
            }
        }
        node.name = if node.name.is_empty() { String::new() } else { format!("{label}/{}", node.name) };
        node
    });
    let mut nodes: Vec<Node> = moved.collect();
    nodes.extend(passed_on.into_iter().map(|(id, output)| Node {
        op_type: "Identity".to_owned(),
        inputs: vec![at(id)],
        outputs: vec![Some(output)],
        // Identity of every kind of value, whatever opset the model has.
        opset: Some(16),
        ..Node::default()
    }));
    nodes
}

/// Where a value of the body ends up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    At(ValueId),
    LeftOut,
    Unknown,
}

/// Points what a subgraph captures to other values. What is left out there is left out inside too.
fn recapture(subgraph: &mut Graph, at: &dyn Fn(ValueId) -> Option<ValueId>) {
    let mut left_out = Vec::new();
    subgraph.captures.retain_mut(|Capture { outer, inner }| match at(*outer) {
        Some(id) => {
            *outer = id;
            true
        }
        None => {
            left_out.push(*inner);
            false
        }
    });
    if left_out.is_empty() {
        return;
    }
    for node in &mut subgraph.nodes {
        for input in node.inputs.iter_mut().filter(|input| input.is_some_and(|id| left_out.contains(&id))) {
            *input = None;
        }
        for inner in node.subgraphs_mut().filter(|inner| inner.captures.iter().any(|capture| left_out.contains(&capture.outer))) {
            let inner = std::sync::Arc::make_mut(inner);
            super::with_stack(|| recapture(inner, &|id| Some(id).filter(|id| !left_out.contains(id))));
        }
    }
}
