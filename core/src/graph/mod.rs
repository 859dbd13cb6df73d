//! A model as data: nodes, values, attributes, types. Mirrors ONNX faithfully, so that saving what was loaded loses nothing.
//! Knows no files and no devices. Nothing here judges whether an operator can run; that is [`crate::ops`]' and [`crate::engine`]'s part.
//!
//! Read [`Model`], then [`Graph`]; `types` has value types and symbolic shapes, `order` the topological order,
//! `check` what makes a graph valid, `infer` the driver of shape inference, `cost` what a graph weighs, `edit` the one way to change a graph,
//! `functions` what becomes of calls of a model's own functions, `splice` how a graph becomes part of another.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::host::{HostTensor, SparseTensor};

pub mod attribute;
pub mod check;
pub mod cost;
pub mod edit;
pub mod functions;
pub mod infer;
pub mod order;
pub mod splice;
pub mod types;

pub use attribute::{Attribute, AttributeError, Attributes};
pub use types::{Dimension, SymbolicShape, ValueType};

/// How deep graphs may be nested: a file with deeper ones is refused.
pub const MAX_GRAPH_DEPTH: usize = 1_000;

/// Runs `work`, which goes on to the graphs inside a graph, with enough stack for it wherever it is called.
pub fn with_stack<T>(work: impl FnOnce() -> T) -> T {
    const WORK_NEEDS: usize = 512 << 10;
    const NEW_STACK: usize = 8 << 20;
    stacker::maybe_grow(WORK_NEEDS, NEW_STACK, work)
}

/// Everything a model file says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Model {
    pub ir_version: i64,
    pub producer_name: String,
    pub producer_version: String,
    pub domain: String,
    pub model_version: i64,
    pub doc_string: String,
    /// Operator set version by domain. The default domain is `""` (a file that says `ai.onnx` means the same).
    pub opset_imports: BTreeMap<String, i64>,
    /// `metadata_props`, in the order of the file.
    pub metadata: Vec<(String, String)>,
    pub graph: Graph,
    /// Model-local functions.
    pub functions: Vec<Function>,
    /// What is carried from load to save without a look inside (training, device configurations): encoded messages under their field names.
    pub opaque: Vec<(String, bytes::Bytes)>,
}

impl Model {
    /// The opset of a domain; `ai.onnx` and `""` are one.
    pub fn opset(&self, domain: &str) -> Option<i64> {
        let domain = if domain == "ai.onnx" { "" } else { domain };
        self.opset_imports.get(domain).copied()
    }

    pub fn metadata_value(&self, key: &str) -> Option<&str> {
        self.metadata.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

/// A model-local function: a graph without types that call sites instantiate.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Function {
    pub domain: String,
    pub name: String,
    pub overload: String,
    pub doc_string: String,
    pub inputs: Vec<String>,
    pub outputs: Vec<String>,
    /// Attributes that every call must give.
    pub attribute_names: Vec<String>,
    /// Attributes with defaults.
    pub attributes: Attributes,
    pub opset_imports: BTreeMap<String, i64>,
    pub graph: Graph,
    pub metadata: Vec<(String, String)>,
    /// As [`Node::opaque`].
    pub opaque: Vec<(String, bytes::Bytes)>,
}

/// Index of a value (an edge) in [`Graph::values`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueId(pub u32);

/// Index of a node in [`Graph::nodes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

impl ValueId {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl NodeId {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One value of a graph: an input, a constant, or what a node makes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ValueInfo {
    /// Unique in its graph.
    pub name: String,
    /// As declared by the file, or as shape inference found it; `None` while nothing is known.
    pub value_type: Option<ValueType>,
    pub doc_string: String,
    pub metadata: Vec<(String, String)>,
    /// The file itself declared the value (so saving declares it again).
    pub is_declared: bool,
    /// The file's own encoding of the type, where it says more than a [`ValueType`] can (denotations, opaque types).
    pub encoded_type: Option<bytes::Bytes>,
}

/// One operation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Node {
    pub name: String,
    pub op_type: String,
    /// `""` for the default domain.
    pub domain: String,
    pub overload: String,
    pub doc_string: String,
    /// `None` where an optional input is left out.
    pub inputs: Vec<Option<ValueId>>,
    /// `None` where an optional output is left out.
    pub outputs: Vec<Option<ValueId>>,
    pub attributes: Attributes,
    /// The opset that the node means, where that is not the model's: it came out of a function with imports of its own. Never saved.
    pub opset: Option<i64>,
    pub metadata: Vec<(String, String)>,
    /// What is carried from load to save without a look inside (sharding; doc strings of attributes, names of their tensors).
    pub opaque: Vec<(String, bytes::Bytes)>,
}

impl Node {
    /// How errors and tables call the node: its name, or its first output's when it has none.
    pub fn label<'a>(&'a self, graph: &'a Graph) -> &'a str {
        if !self.name.is_empty() {
            return &self.name;
        }
        self.outputs.iter().flatten().next().map_or("(unnamed)", |id| graph.value(*id).name.as_str())
    }

    /// Graphs in the node's attributes: the branches of `If`, the bodies of `Loop` and `Scan`.
    pub fn subgraphs(&self) -> impl Iterator<Item = &Arc<Graph>> {
        self.attributes.0.values().flat_map(Attribute::subgraphs)
    }

    /// As [`Self::subgraphs`], to change them. Who changes what a subgraph reads calls [`Graph::find_captures`] afterwards.
    pub fn subgraphs_mut(&mut self) -> impl Iterator<Item = &mut Arc<Graph>> {
        self.attributes.0.values_mut().flat_map(Attribute::subgraphs_mut)
    }

    /// Values of the graph around the node that its subgraphs read: those of the first subgraph, then those of the next.
    pub fn captured(&self) -> impl Iterator<Item = ValueId> {
        self.subgraphs().flat_map(|graph| graph.captures.iter().map(|capture| capture.outer))
    }

    /// Every value that has to be there before the node can run: its inputs, and what its subgraphs capture.
    pub fn reads(&self) -> impl Iterator<Item = ValueId> {
        self.inputs.iter().flatten().copied().chain(self.captured())
    }

    /// `Conv`, or `ai.onnx.ml.Scaler` outside the default domain.
    pub fn qualified_type(&self) -> String {
        if self.domain.is_empty() { self.op_type.clone() } else { format!("{}.{}", self.domain, self.op_type) }
    }
}

/// A data-flow graph in single static assignment form: every value is made at most once.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Graph {
    pub name: String,
    pub doc_string: String,
    pub nodes: Vec<Node>,
    values: Vec<ValueInfo>,
    value_by_name: HashMap<String, ValueId>,
    pub inputs: Vec<ValueId>,
    pub outputs: Vec<ValueId>,
    /// What a subgraph reads from the graph around it. Empty for the main graph and for functions.
    pub captures: Vec<Capture>,
    /// Constants by value. A constant that is also in `inputs` is a default that a caller may override.
    pub initializers: BTreeMap<ValueId, Initializer>,
    /// Constants of which the file holds only some elements; the messages that say the same are in `opaque`.
    pub sparse_initializers: BTreeMap<ValueId, SparseTensor>,
    pub metadata: Vec<(String, String)>,
    /// What Drydock carries through a load and a save without looking at it (sparse initializers, quantisation annotations),
    /// each as an encoded message under its field name.
    pub opaque: Vec<(String, bytes::Bytes)>,
}

/// A value of the graph around a subgraph that the subgraph reads. In a file both have the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capture {
    /// In the graph around the subgraph. If that is a subgraph itself, it may have captured the value in turn.
    pub outer: ValueId,
    /// In the subgraph, where nothing makes it.
    pub inner: ValueId,
}

/// A constant of a graph.
#[derive(Debug, Clone, PartialEq)]
pub struct Initializer {
    pub tensor: HostTensor,
    pub doc_string: String,
    pub metadata: Vec<(String, String)>,
}

impl From<HostTensor> for Initializer {
    fn from(tensor: HostTensor) -> Self {
        Self { tensor, doc_string: String::new(), metadata: Vec::new() }
    }
}

impl Graph {
    /// Finds a value by name, or adds one that nothing makes yet.
    pub fn value_named(&mut self, name: &str) -> ValueId {
        if let Some(id) = self.value_by_name.get(name) {
            return *id;
        }
        let id = ValueId(u32::try_from(self.values.len()).unwrap_or(u32::MAX));
        self.values.push(ValueInfo { name: name.to_owned(), ..ValueInfo::default() });
        self.value_by_name.insert(name.to_owned(), id);
        id
    }

    /// Adds a value whose name starts with `stem` and is not taken.
    pub fn fresh_value(&mut self, stem: &str) -> ValueId {
        let mut name = stem.to_owned();
        let mut suffix = self.values.len();
        while self.value_by_name.contains_key(&name) {
            name = format!("{stem}_{suffix}");
            suffix += 1;
        }
        self.value_named(&name)
    }

    pub fn find_value(&self, name: &str) -> Option<ValueId> {
        self.value_by_name.get(name).copied()
    }

    /// The value behind an id of this graph.
    pub fn value(&self, id: ValueId) -> &ValueInfo {
        &self.values[id.index()]
    }

    pub fn value_mut(&mut self, id: ValueId) -> &mut ValueInfo {
        &mut self.values[id.index()]
    }

    pub fn values(&self) -> &[ValueInfo] {
        &self.values
    }

    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// Ids with their nodes, in the order of the file.
    pub fn node_ids(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        (0_u32..).map(NodeId).zip(&self.nodes)
    }

    /// Which values the graph itself defines (inputs, initializers, outputs of nodes), by [`ValueId`].
    pub fn defined_values(&self) -> Vec<bool> {
        let mut is_defined = vec![false; self.values.len()];
        let made = self.nodes.iter().flat_map(|node| node.outputs.iter().flatten());
        for id in self.inputs.iter().chain(self.initializers.keys()).chain(self.sparse_initializers.keys()).chain(made) {
            is_defined[id.index()] = true;
        }
        is_defined
    }

    /// Values that the graph reads and does not define, in the order of their ids. A subgraph captures them; elsewhere they are a mistake.
    pub fn free_values(&self) -> Vec<ValueId> {
        let is_defined = self.defined_values();
        let mut is_read = vec![false; self.values.len()];
        for id in self.nodes.iter().flat_map(Node::reads).chain(self.outputs.iter().copied()) {
            is_read[id.index()] = true;
        }
        let ids = (0_u32..).map(ValueId).zip(&self.values);
        ids.filter(|(id, _)| is_read[id.index()] && !is_defined[id.index()]).map(|(id, _)| id).collect()
    }

    /// Finds by name what the subgraphs of a node capture from this graph, which the node is about to join. A name that this graph
    /// does not have yet it gets, as a value that nothing makes: if this graph is a subgraph too, it captures the value in turn.
    pub fn find_captures(&mut self, node: &mut Node) {
        for subgraph in node.subgraphs_mut() {
            let free = subgraph.free_values();
            let captures: Vec<Capture> =
                free.into_iter().map(|inner| Capture { outer: self.value_named(&subgraph.value(inner).name), inner }).collect();
            if captures != subgraph.captures {
                Arc::make_mut(subgraph).captures = captures;
            }
        }
    }

    /// This graph and every graph inside it, outer ones first.
    pub fn with_subgraphs(&self) -> impl Iterator<Item = &Self> {
        let mut pending = vec![self];
        std::iter::from_fn(move || {
            let graph = pending.pop()?;
            pending.extend(graph.nodes.iter().flat_map(Node::subgraphs).map(Arc::as_ref));
            Some(graph)
        })
    }

    /// The constant behind a value, unless a caller may override it.
    pub fn constant(&self, id: ValueId) -> Option<&HostTensor> {
        let initializer = self.initializers.get(&id)?;
        if self.inputs.contains(&id) { None } else { Some(&initializer.tensor) }
    }

    /// Inputs that a caller must give: those without an initializer.
    pub fn required_inputs(&self) -> impl Iterator<Item = ValueId> {
        self.inputs.iter().copied().filter(|id| !self.initializers.contains_key(id))
    }

    /// The node that makes each value; `None` for inputs, constants and captured outer values.
    pub fn producers(&self) -> Vec<Option<NodeId>> {
        let mut producers = vec![None; self.values.len()];
        for (node_id, node) in self.node_ids() {
            for output in node.outputs.iter().flatten() {
                producers[output.index()] = Some(node_id);
            }
        }
        producers
    }
}
