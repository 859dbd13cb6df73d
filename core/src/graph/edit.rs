//! The one way to change a graph: keeps track of who makes and who reads each value, so that every edit costs what it touches.

use std::sync::Arc;

use super::{Graph, Initializer, Node, NodeId, ValueId, ValueInfo};
use crate::host::HostTensor;

/// Edits a graph. Node ids stay valid while it lives; removed nodes leave the graph when it is dropped (later nodes then move up).
#[derive(Debug)]
pub struct GraphEditor<'g> {
    graph: &'g mut Graph,
    producers: Vec<Option<NodeId>>,
    /// Who reads each value directly.
    readers: Vec<Readers>,
    /// Whose subgraphs capture each value.
    capturers: Vec<Readers>,
    is_output: Vec<bool>,
    is_removed: Vec<bool>,
}

/// Nodes that read a value, once per reading. Those that no longer do stay listed until somebody asks: taking each out of a long list would
/// make it quadratic to remove the many readers of one value.
#[derive(Debug, Clone, Default)]
struct Readers {
    listed: Vec<NodeId>,
    n_readings: usize,
}

impl Readers {
    fn add(&mut self, node: NodeId) {
        self.listed.push(node);
        self.n_readings += 1;
    }

    fn forget_one(&mut self) {
        self.n_readings = self.n_readings.saturating_sub(1);
        if self.n_readings == 0 {
            self.listed.clear();
        }
    }
}

/// Removes from the graph what was marked.
impl Drop for GraphEditor<'_> {
    fn drop(&mut self) {
        let mut is_removed = self.is_removed.iter();
        self.graph.nodes.retain(|_| !is_removed.next().copied().unwrap_or(false));
    }
}

impl<'g> GraphEditor<'g> {
    pub fn new(graph: &'g mut Graph) -> Self {
        let n_values = graph.values().len();
        let producers = graph.producers();
        let mut readers = vec![Readers::default(); n_values];
        let mut capturers = vec![Readers::default(); n_values];
        for (id, node) in graph.node_ids() {
            for input in node.inputs.iter().flatten() {
                readers[input.index()].add(id);
            }
            for captured in node.captured() {
                capturers[captured.index()].add(id);
            }
        }
        let mut is_output = vec![false; n_values];
        for output in &graph.outputs {
            is_output[output.index()] = true;
        }
        let is_removed = vec![false; graph.nodes.len()];
        Self { graph, producers, readers, capturers, is_output, is_removed }
    }

    /// The graph as it stands. Removed nodes are still listed, without inputs, outputs and subgraphs; [`Self::nodes`] leaves them out.
    pub fn graph(&self) -> &Graph {
        self.graph
    }

    /// Nodes that were not removed.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.graph.node_ids().filter(|(id, _)| !self.is_removed[id.index()])
    }

    pub fn node(&self, id: NodeId) -> &Node {
        self.graph.node(id)
    }

    /// The node that makes a value.
    pub fn producer(&self, value: ValueId) -> Option<NodeId> {
        self.producers[value.index()]
    }

    /// Nodes that read a value directly; a node that reads it twice is there twice.
    pub fn readers(&self, value: ValueId) -> Vec<NodeId> {
        let reads = |id: NodeId| self.node(id).inputs.iter().filter(|input| **input == Some(value)).count();
        let mut listed = self.readers[value.index()].listed.clone();
        listed.sort_unstable();
        listed.dedup();
        listed.into_iter().flat_map(|id| std::iter::repeat_n(id, reads(id))).collect()
    }

    pub fn is_output(&self, value: ValueId) -> bool {
        self.is_output[value.index()]
    }

    /// Whether a subgraph reads the value.
    pub fn is_captured(&self, value: ValueId) -> bool {
        self.capturers[value.index()].n_readings > 0
    }

    /// The only node that reads the value, if there is just one reading, and nothing else (no output, no subgraph) wants it.
    pub fn only_reader(&self, value: ValueId) -> Option<NodeId> {
        let is_private = self.readers[value.index()].n_readings == 1 && !self.is_output(value) && !self.is_captured(value);
        if is_private { self.readers(value).first().copied() } else { None }
    }

    /// Whether anything wants the value.
    pub fn is_used(&self, value: ValueId) -> bool {
        self.readers[value.index()].n_readings > 0 || self.is_output(value) || self.is_captured(value)
    }

    /// Adds a value whose name starts with `stem`.
    pub fn fresh_value(&mut self, stem: &str) -> ValueId {
        let id = self.graph.fresh_value(stem);
        self.make_room();
        id
    }

    pub fn value_mut(&mut self, id: ValueId) -> &mut ValueInfo {
        self.graph.value_mut(id)
    }

    /// Attributes, name and operator of a node may be changed freely; its inputs and outputs through the methods here.
    pub fn change_operator(&mut self, id: NodeId, change: impl FnOnce(&mut Node)) {
        let node = &mut self.graph.nodes[id.index()];
        let (inputs, outputs) = (node.inputs.clone(), node.outputs.clone());
        change(node);
        debug_assert!(node.inputs == inputs && node.outputs == outputs, "inputs and outputs are changed through the editor");
        node.inputs = inputs;
        node.outputs = outputs;
    }

    /// Adds a node. Its place in the list does not matter: order follows from who reads what.
    /// An output that another node makes is taken over from that node. What its subgraphs capture is known already ([`Graph::find_captures`]).
    pub fn insert_node(&mut self, node: Node) -> NodeId {
        self.make_room();
        let id = NodeId(u32::try_from(self.graph.nodes.len()).unwrap_or(u32::MAX));
        for input in node.inputs.iter().flatten() {
            self.readers[input.index()].add(id);
        }
        for captured in node.captured() {
            self.capturers[captured.index()].add(id);
        }
        for output in node.outputs.iter().flatten() {
            self.disown(*output);
            self.producers[output.index()] = Some(id);
        }
        self.graph.nodes.push(node);
        self.is_removed.push(false);
        id
    }

    /// Removes a node. Its outputs stay as values that nothing makes: replace their uses, or make them constants.
    pub fn remove_node(&mut self, id: NodeId) {
        if std::mem::replace(&mut self.is_removed[id.index()], true) {
            return;
        }
        let node = &mut self.graph.nodes[id.index()];
        for captured in node.captured() {
            self.capturers[captured.index()].forget_one();
        }
        node.attributes.0.retain(|_, attribute| attribute.subgraphs().is_empty());
        let inputs = std::mem::take(&mut node.inputs);
        let outputs = std::mem::take(&mut node.outputs);
        for input in inputs.into_iter().flatten() {
            self.readers[input.index()].forget_one();
        }
        for output in outputs.into_iter().flatten() {
            if self.producers[output.index()] == Some(id) {
                self.producers[output.index()] = None;
            }
        }
    }

    /// Gives a node other inputs.
    pub fn set_inputs(&mut self, id: NodeId, inputs: Vec<Option<ValueId>>) {
        let old = std::mem::replace(&mut self.graph.nodes[id.index()].inputs, inputs.clone());
        for input in old.into_iter().flatten() {
            self.readers[input.index()].forget_one();
        }
        for input in inputs.into_iter().flatten() {
            self.readers[input.index()].add(id);
        }
    }

    /// Lets everything that reads `old` read `new`, subgraphs too. Outputs of the graph move as well, so whoever needs their names takes them
    /// before editing.
    pub fn replace_uses(&mut self, old: ValueId, new: ValueId) {
        if old == new {
            return;
        }
        let capturers = std::mem::take(&mut self.capturers[old.index()]);
        for capturer in &capturers.listed {
            for subgraph in self.graph.nodes[capturer.index()].subgraphs_mut().filter(|graph| graph.captures.iter().any(|it| it.outer == old)) {
                for capture in Arc::make_mut(subgraph).captures.iter_mut().filter(|it| it.outer == old) {
                    capture.outer = new;
                    self.capturers[new.index()].add(*capturer);
                }
            }
        }
        let readers = std::mem::take(&mut self.readers[old.index()]);
        for reader in readers.listed {
            for input in self.graph.nodes[reader.index()].inputs.iter_mut().filter(|input| **input == Some(old)) {
                *input = Some(new);
                self.readers[new.index()].add(reader);
            }
        }
        if std::mem::take(&mut self.is_output[old.index()]) {
            for output in self.graph.outputs.iter_mut().filter(|output| **output == old) {
                *output = new;
            }
            self.is_output[new.index()] = true;
        }
    }

    /// Makes a value a constant. The node that made it no longer does, and is removed when that was its last output.
    pub fn set_constant(&mut self, value: ValueId, tensor: HostTensor) {
        self.disown(value);
        self.graph.initializers.insert(value, Initializer::from(tensor));
    }

    /// Removes nodes none of whose outputs anything wants, and constants that nothing reads (defaults of inputs stay). Returns how many nodes went.
    pub fn remove_unused(&mut self) -> usize {
        let mut n_removed = 0;
        let mut candidates: Vec<NodeId> = self.nodes().map(|(id, _)| id).collect();
        while let Some(id) = candidates.pop() {
            let is_needed = self.is_removed[id.index()] || self.node(id).outputs.iter().flatten().any(|output| self.is_used(*output));
            if is_needed {
                continue;
            }
            let reads: Vec<ValueId> = self.node(id).reads().collect();
            self.remove_node(id);
            n_removed += 1;
            candidates.extend(reads.into_iter().filter_map(|value| self.producer(value)));
        }
        let unused: Vec<ValueId> =
            self.graph.initializers.keys().copied().filter(|id| !self.is_used(*id) && !self.graph.inputs.contains(id)).collect();
        for id in unused {
            self.graph.initializers.remove(&id);
        }
        n_removed
    }

    /// Takes an output away from the node that makes it.
    fn disown(&mut self, value: ValueId) {
        let Some(id) = self.producers[value.index()].take() else { return };
        let node = &mut self.graph.nodes[id.index()];
        for output in node.outputs.iter_mut().filter(|output| **output == Some(value)) {
            *output = None;
        }
        if node.outputs.iter().all(Option::is_none) {
            self.remove_node(id);
        }
    }

    /// Values may have been added to the graph.
    fn make_room(&mut self) {
        let n_values = self.graph.values().len();
        self.producers.resize(n_values, None);
        self.readers.resize(n_values, Readers::default());
        self.capturers.resize(n_values, Readers::default());
        self.is_output.resize(n_values, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Attribute;

    /// x → Identity → a → Relu → y, and a second Relu on `a` that nothing reads.
    fn chain() -> Graph {
        let mut graph = Graph::default();
        for (op_type, input, output) in [("Identity", "x", "a"), ("Relu", "a", "y"), ("Relu", "a", "unused")] {
            let node = Node {
                op_type: op_type.to_owned(),
                inputs: vec![Some(graph.value_named(input))],
                outputs: vec![Some(graph.value_named(output))],
                ..Node::default()
            };
            graph.nodes.push(node);
        }
        graph.inputs = vec![graph.value_named("x")];
        graph.outputs = vec![graph.value_named("y")];
        graph
    }

    fn operators(graph: &Graph) -> Vec<&str> {
        graph.nodes.iter().map(|node| node.op_type.as_str()).collect()
    }

    #[test]
    fn an_identity_can_be_taken_out() {
        let mut graph = chain();
        let (x, a) = (graph.value_named("x"), graph.value_named("a"));
        let mut editor = GraphEditor::new(&mut graph);
        assert_eq!(editor.readers(a), [NodeId(1), NodeId(2)]);
        editor.replace_uses(a, x);
        editor.remove_node(NodeId(0));
        assert_eq!(editor.readers(x), [NodeId(1), NodeId(2)]);
        assert_eq!(editor.remove_unused(), 1);
        drop(editor);
        assert_eq!(operators(&graph), ["Relu"]);
        assert_eq!(graph.nodes[0].inputs, [Some(x)]);
        assert_eq!(super::super::check::check(&graph), Ok(()));
    }

    #[test]
    fn a_constant_takes_the_place_of_its_node() {
        let mut graph = chain();
        let a = graph.value_named("a");
        let mut editor = GraphEditor::new(&mut graph);
        editor.set_constant(a, HostTensor::from_vec(vec![1], &[2.0_f32]).unwrap());
        assert_eq!(editor.producer(a), None);
        drop(editor);
        assert_eq!(operators(&graph), ["Relu", "Relu"]);
        assert!(graph.constant(a).is_some());
    }

    #[test]
    fn an_inserted_node_takes_over_the_output() {
        let mut graph = chain();
        let (x, y) = (graph.value_named("x"), graph.value_named("y"));
        let mut editor = GraphEditor::new(&mut graph);
        let id = editor.insert_node(Node { op_type: "Tanh".to_owned(), inputs: vec![Some(x)], outputs: vec![Some(y)], ..Node::default() });
        assert_eq!(editor.producer(y), Some(id));
        assert_eq!(editor.remove_unused(), 2);
        drop(editor);
        assert_eq!(operators(&graph), ["Tanh"]);
    }

    #[test]
    fn what_a_subgraph_reads_can_be_replaced() {
        let mut graph = chain();
        let mut branch = Graph::default();
        branch.outputs = vec![branch.value_named("a")];
        let mut capturing = graph.nodes.remove(1);
        capturing.attributes.0.insert("then_branch".to_owned(), Attribute::Graph(branch.into()));
        graph.find_captures(&mut capturing);
        graph.nodes.push(capturing);
        let (x, a) = (graph.value_named("x"), graph.value_named("a"));
        let mut editor = GraphEditor::new(&mut graph);
        assert!(editor.is_captured(a));
        assert_eq!(editor.only_reader(x), Some(NodeId(0)));
        assert_eq!(editor.only_reader(a), None);
        editor.replace_uses(a, x);
        assert!(editor.is_captured(x) && !editor.is_used(a));
        editor.remove_unused();
        drop(editor);
        assert_eq!(operators(&graph), ["Relu"]);
        assert_eq!(graph.nodes[0].captured().collect::<Vec<_>>(), [x]);
        assert_eq!(super::super::check::check(&graph), Ok(()));
    }

    #[test]
    fn a_value_that_only_a_subgraph_reads_is_used() {
        let mut graph = chain();
        let mut branch = Graph::default();
        branch.outputs = vec![branch.value_named("unused")];
        let mut capturing = graph.nodes.remove(1);
        capturing.attributes.0.insert("then_branch".to_owned(), Attribute::Graph(branch.into()));
        graph.find_captures(&mut capturing);
        graph.nodes.push(capturing);
        assert_eq!(GraphEditor::new(&mut graph).remove_unused(), 0);
    }
}
