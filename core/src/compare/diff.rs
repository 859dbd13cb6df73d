//! What changed between two model files: nodes, attributes, weights, signature, cost. Nothing is compiled or run.
//!
//! Nodes are matched by name, then by the name of their first output, then in order by operator and attributes, then in order by operator alone.
//! Weights are matched by name, then by their place at matched nodes; they are compared byte for byte, and element by element only where bytes differ.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::{Path, PathBuf};

use super::{CompareError, file};
use crate::format;
use crate::graph::order::topological_order;
use crate::graph::{Graph, Model, Node, ValueId};
use crate::host::{ElementType, HostTensor};
use crate::model::OpenModel;
use crate::report::{Document, Provenance, Quantity, Section, Source, Table};
use crate::resolve;
use crate::task::{Progress, TaskCtx};
use crate::tensor::Device;

/// Two files; the first is the older one.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DiffRequest {
    pub a: PathBuf,
    pub b: PathBuf,
}

/// What changed.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct DiffReport {
    pub a: FileSide,
    pub b: FileSide,
    /// No difference in graph, weights or signature.
    pub is_same: bool,
    pub nodes_unchanged: u64,
    pub nodes: Vec<NodeChange>,
    pub weights_unchanged: u64,
    pub weights: Vec<WeightChange>,
    /// Inputs, outputs, opsets and metadata, one sentence each.
    pub signature: Vec<String>,
}

/// One of the files.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct FileSide {
    pub path: String,
    pub sha256: String,
    pub file_bytes: u64,
    pub nodes: u64,
    pub parameters: u64,
    pub weight_bytes: u64,
    pub macs: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    Added,
    Removed,
    Changed,
}

impl Change {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct NodeChange {
    pub change: Change,
    pub node: String,
    pub operator: String,
    /// What changed, one phrase each.
    pub details: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct WeightChange {
    pub change: Change,
    pub weight: String,
    /// `float32[8, 4]`, or from one to the other.
    pub kind: String,
    /// Where both have the same shape and hold numbers.
    pub max_difference: Option<f64>,
    /// Share of the elements that differ.
    pub share_changed: Option<f64>,
}

/// Compares two files.
pub fn diff(ctx: &TaskCtx, home: Option<&Path>, request: &DiffRequest) -> Result<DiffReport, CompareError> {
    let (a, b) = (load(ctx, home, &request.a)?, load(ctx, home, &request.b)?);
    let pairs = match_nodes(&a.model.graph, &b.model.graph);
    let (weights, weights_unchanged) = weights(ctx, &a.model.graph, &b.model.graph, &pairs)?;
    let (nodes, nodes_unchanged) = nodes(&a.model.graph, &b.model.graph, &pairs);
    let signature = signature(&a.model, &b.model);
    let is_same = nodes.is_empty() && weights.is_empty() && signature.is_empty();
    let (a, b) = (side(&request.a, &a), side(&request.b, &b));
    Ok(DiffReport { a, b, is_same, nodes_unchanged, nodes, weights_unchanged, weights, signature })
}

fn load(ctx: &TaskCtx, home: Option<&Path>, path: &Path) -> Result<OpenModel, CompareError> {
    ctx.report(Progress { stage: format!("reading {}", path.display()), ..Progress::default() });
    let opened = resolve::open(ctx, home, path, Device::Cpu, &mut |_| {});
    opened.map_err(|error| CompareError::Version { path: path.to_owned(), source: Box::new(error) })
}

fn side(path: &Path, opened: &OpenModel) -> FileSide {
    let cost = file::cost(&opened.model);
    FileSide {
        path: path.display().to_string(),
        sha256: opened.sha256().to_owned(),
        file_bytes: opened.file_bytes,
        nodes: opened.model.graph.nodes.len() as u64,
        parameters: cost.weights.parameters,
        weight_bytes: cost.weights.bytes,
        macs: cost.macs,
    }
}

/// Indices of nodes: both, or one side alone.
type NodePairs = Vec<(Option<usize>, Option<usize>)>;

/// What nodes are matched by; an empty text matches nothing.
type Key<'a> = dyn Fn(&Graph, &Node) -> String + 'a;

fn match_nodes(a: &Graph, b: &Graph) -> NodePairs {
    let order = |graph: &Graph| -> Vec<usize> {
        topological_order(graph)
            .map_or_else(|_| (0..graph.nodes.len()).collect(), |order| order.into_iter().map(crate::graph::NodeId::index).collect())
    };
    let (mut left_a, mut left_b) = (order(a), order(b));
    let mut pairs: NodePairs = Vec::new();
    let first_output = |graph: &Graph, node: &Node| node.outputs.iter().flatten().next().map_or_else(String::new, |id| graph.value(*id).name.clone());
    let keys: [&Key<'_>; 4] = [
        &|_, node| if node.name.is_empty() { String::new() } else { format!("{} {}", node.qualified_type(), node.name) },
        &|graph, node| format!("{} {}", node.qualified_type(), first_output(graph, node)),
        &|_, node| format!("{} {:?}", node.qualified_type(), shown_attributes(node)),
        &|_, node| node.qualified_type(),
    ];
    for key in keys {
        let mut waiting: HashMap<String, VecDeque<usize>> = HashMap::new();
        for &index in &left_b {
            let key = b.nodes.get(index).map(|node| key(b, node)).filter(|key| !key.is_empty());
            if let Some(key) = key {
                waiting.entry(key).or_default().push_back(index);
            }
        }
        let mut taken = std::collections::HashSet::new();
        left_a.retain(|&index| {
            let found = a.nodes.get(index).and_then(|node| waiting.get_mut(&key(a, node))?.pop_front());
            if let Some(other) = found {
                pairs.push((Some(index), Some(other)));
                taken.insert(other);
            }
            found.is_none()
        });
        left_b.retain(|index| !taken.contains(index));
    }
    pairs.sort_unstable();
    pairs.extend(left_a.into_iter().map(|index| (Some(index), None)));
    pairs.extend(left_b.into_iter().map(|index| (None, Some(index))));
    pairs
}

/// Attributes but for those that hold weights or graphs, as text.
fn shown_attributes(node: &Node) -> Vec<String> {
    node.attributes.0.iter().map(|(name, value)| format!("{name} {}", attribute_text(value))).collect()
}

fn attribute_text(attribute: &crate::graph::Attribute) -> String {
    use crate::graph::Attribute;
    const SHOWN: usize = 8;
    fn list<T: std::fmt::Display>(values: &[T]) -> String {
        let shown: Vec<String> = values.iter().take(SHOWN).map(ToString::to_string).collect();
        let more = if values.len() > SHOWN { format!(", … {} in all", values.len()) } else { String::new() };
        format!("[{}{more}]", shown.join(", "))
    }
    match attribute {
        Attribute::Float(value) => value.to_string(),
        Attribute::Int(value) => value.to_string(),
        Attribute::String(text) => String::from_utf8_lossy(text).into_owned(),
        Attribute::Floats(values) => list(values),
        Attribute::Ints(values) => list(values),
        Attribute::Strings(texts) => list(&texts.iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect::<Vec<_>>()),
        Attribute::Tensor(tensor) => format!("{tensor:?}"),
        Attribute::Graph(graph) => format!("a graph of {} nodes", graph.nodes.len()),
        _ => "a value".to_owned(),
    }
}

fn nodes(a: &Graph, b: &Graph, pairs: &NodePairs) -> (Vec<NodeChange>, u64) {
    let mut changes = Vec::new();
    let mut unchanged = 0;
    let alone = |change: Change, graph: &Graph, node: &Node| NodeChange {
        change,
        node: node.label(graph).to_owned(),
        operator: node.qualified_type(),
        details: Vec::new(),
    };
    for pair in pairs {
        match (pair.0.and_then(|index| a.nodes.get(index)), pair.1.and_then(|index| b.nodes.get(index))) {
            (Some(in_a), Some(in_b)) => {
                let mut details = attribute_changes(in_a, in_b);
                details.extend(wiring_changes(a, in_a, b, in_b));
                details.extend(shape_changes(a, in_a, b, in_b));
                if details.is_empty() {
                    unchanged += 1;
                } else {
                    changes.push(NodeChange { details, ..alone(Change::Changed, b, in_b) });
                }
            }
            (Some(node), None) => changes.push(alone(Change::Removed, a, node)),
            (None, Some(node)) => changes.push(alone(Change::Added, b, node)),
            (None, None) => {}
        }
    }
    (changes, unchanged)
}

fn attribute_changes(a: &Node, b: &Node) -> Vec<String> {
    let mut changes = Vec::new();
    for (name, value) in &a.attributes.0 {
        match b.attributes.0.get(name) {
            None => changes.push(format!("{name} removed")),
            Some(other) if other != value => {
                let (from, to) = (attribute_text(value), attribute_text(other));
                changes.push(if from == to { format!("{name} changed") } else { format!("{name}: {from} → {to}") });
            }
            Some(_) => {}
        }
    }
    changes.extend(b.attributes.0.keys().filter(|name| !a.attributes.contains(name)).map(|name| format!("{name} added")));
    changes
}

/// Inputs by number, and where a named graph input feeds a node other than before.
fn wiring_changes(a: &Graph, in_a: &Node, b: &Graph, in_b: &Node) -> Vec<String> {
    if in_a.inputs.len() != in_b.inputs.len() {
        return vec![format!("{} inputs → {}", in_a.inputs.len(), in_b.inputs.len())];
    }
    let is_input = |graph: &Graph, id: ValueId| graph.inputs.contains(&id);
    let mut changes = Vec::new();
    for (place, (from, to)) in in_a.inputs.iter().zip(&in_b.inputs).enumerate() {
        let (Some(from), Some(to)) = (*from, *to) else { continue };
        let (from_name, to_name) = (&a.value(from).name, &b.value(to).name);
        if (is_input(a, from) || is_input(b, to)) && from_name != to_name {
            changes.push(format!("input {}: {from_name} → {to_name}", place + 1));
        }
    }
    changes
}

fn shape_changes(a: &Graph, in_a: &Node, b: &Graph, in_b: &Node) -> Vec<String> {
    let of = |graph: &Graph, node: &Node| {
        let types = node.outputs.iter().flatten().map(|id| graph.value(*id).value_type.as_ref().map(ToString::to_string));
        types.collect::<Vec<_>>()
    };
    let mut changes = Vec::new();
    for (from, to) in of(a, in_a).into_iter().zip(of(b, in_b)) {
        if let (Some(from), Some(to)) = (from, to)
            && from != to
        {
            changes.push(format!("output: {from} → {to}"));
        }
    }
    changes
}

fn weights(ctx: &TaskCtx, a: &Graph, b: &Graph, pairs: &NodePairs) -> Result<(Vec<WeightChange>, u64), CompareError> {
    let of = |graph: &Graph| -> BTreeMap<String, ValueId> { graph.initializers.keys().map(|id| (graph.value(*id).name.clone(), *id)).collect() };
    let (mut in_a, mut in_b) = (of(a), of(b));
    let mut matched: Vec<(String, ValueId, ValueId)> = Vec::new();
    in_a.retain(|name, id| match in_b.remove(name) {
        Some(other) => {
            matched.push((name.clone(), *id, other));
            false
        }
        None => true,
    });
    // Weights whose names changed stand at the same place of the same node.
    for (node_a, node_b) in pairs.iter().filter_map(|pair| Some((a.nodes.get(pair.0?)?, b.nodes.get(pair.1?)?))) {
        for (from, to) in node_a.inputs.iter().zip(&node_b.inputs).filter_map(|(from, to)| Some(((*from)?, (*to)?))) {
            let (from_name, to_name) = (a.value(from).name.clone(), b.value(to).name.clone());
            if in_a.contains_key(&from_name) && in_b.contains_key(&to_name) {
                in_a.remove(&from_name);
                in_b.remove(&to_name);
                matched.push((format!("{from_name} → {to_name}"), from, to));
            }
        }
    }
    let mut changes = Vec::new();
    let mut unchanged = 0;
    for (name, from, to) in matched {
        ctx.checkpoint()?;
        let (Some(from), Some(to)) = (a.initializers.get(&from), b.initializers.get(&to)) else { continue };
        match weight_change(&name, &from.tensor, &to.tensor) {
            Some(change) => changes.push(change),
            None => unchanged += 1,
        }
    }
    changes.sort_by(|a, b| a.weight.cmp(&b.weight));
    let alone = |change: Change, graph: &Graph, names: BTreeMap<String, ValueId>| -> Vec<WeightChange> {
        let weight = |(weight, id): (String, ValueId)| {
            let kind = graph.initializers.get(&id).map_or_else(String::new, |initializer| format!("{:?}", initializer.tensor));
            WeightChange { change, weight, kind, max_difference: None, share_changed: None }
        };
        names.into_iter().map(weight).collect()
    };
    changes.extend(alone(Change::Removed, a, in_a));
    changes.extend(alone(Change::Added, b, in_b));
    Ok((changes, unchanged))
}

fn weight_change(name: &str, a: &HostTensor, b: &HostTensor) -> Option<WeightChange> {
    if a == b {
        return None;
    }
    let (from, to) = (format!("{a:?}"), format!("{b:?}"));
    let is_alike = a.shape() == b.shape() && a.element_type() == b.element_type();
    let (max_difference, share_changed) = if is_alike { element_changes(a, b) } else { (None, None) };
    let kind = if from == to { from } else { format!("{from} → {to}") };
    Some(WeightChange { change: Change::Changed, weight: name.to_owned(), kind, max_difference, share_changed })
}

/// The largest difference and the share of elements that differ, for types with an order.
fn element_changes(a: &HostTensor, b: &HostTensor) -> (Option<f64>, Option<f64>) {
    fn of<T: crate::host::Element + PartialEq>(a: &HostTensor, b: &HostTensor, number: fn(T) -> f64) -> Option<(f64, f64)> {
        let (a, b) = (a.as_slice::<T>().ok()?, b.as_slice::<T>().ok()?);
        let (mut max, mut n_changed) = (0.0_f64, 0_u64);
        for (&a, &b) in a.iter().zip(b.iter()) {
            if a != b {
                n_changed += 1;
                max = max.max((number(b) - number(a)).abs());
            }
        }
        Some((max, n_changed as f64 / a.len().max(1) as f64))
    }
    let found = match a.element_type() {
        ElementType::F32 => of::<f32>(a, b, f64::from),
        ElementType::F64 => of::<f64>(a, b, |value| value),
        ElementType::F16 => of::<half::f16>(a, b, f64::from),
        ElementType::Bf16 => of::<half::bf16>(a, b, f64::from),
        ElementType::I64 => of::<i64>(a, b, |value| value as f64),
        ElementType::I32 => of::<i32>(a, b, f64::from),
        ElementType::I8 => of::<i8>(a, b, f64::from),
        ElementType::U8 => of::<u8>(a, b, f64::from),
        _ => None,
    };
    (found.map(|found| found.0), found.map(|found| found.1))
}

fn signature(a: &Model, b: &Model) -> Vec<String> {
    let mut changes = Vec::new();
    for (role, of) in [("input", 0), ("output", 1)] {
        let ends = |model: &Model| -> BTreeMap<String, String> {
            let ids = if of == 0 { &model.graph.inputs } else { &model.graph.outputs };
            let one = |id: &ValueId| {
                let value = model.graph.value(*id);
                (value.name.clone(), value.value_type.as_ref().map_or_else(|| "unknown".to_owned(), ToString::to_string))
            };
            ids.iter().map(one).collect()
        };
        compare_maps(role, &ends(a), &ends(b), &mut changes);
    }
    let opsets = |model: &Model| -> BTreeMap<String, String> {
        let domain = |domain: &String| if domain.is_empty() { "ai.onnx".to_owned() } else { domain.clone() };
        model.opset_imports.iter().map(|(name, version)| (domain(name), version.to_string())).collect()
    };
    compare_maps("opset", &opsets(a), &opsets(b), &mut changes);
    let metadata = |model: &Model| -> BTreeMap<String, String> {
        // A contract is a page long: that it changed is enough.
        model
            .metadata
            .iter()
            .map(|(key, value)| {
                (key.clone(), if value.len() > 60 { format!("{} characters, hash {:x}", value.len(), hash(value)) } else { value.clone() })
            })
            .collect()
    };
    compare_maps("metadata", &metadata(a), &metadata(b), &mut changes);
    changes
}

fn hash(text: &str) -> u64 {
    super::statistics::mix(text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)))
}

fn compare_maps(role: &str, a: &BTreeMap<String, String>, b: &BTreeMap<String, String>, changes: &mut Vec<String>) {
    for (name, from) in a {
        match b.get(name) {
            None => changes.push(format!("{role} '{name}' ({from}) removed")),
            Some(to) if to != from => changes.push(format!("{role} '{name}': {from} → {to}")),
            Some(_) => {}
        }
    }
    changes.extend(b.iter().filter(|(name, _)| !a.contains_key(*name)).map(|(name, to)| format!("{role} '{name}' ({to}) added")));
}

impl DiffReport {
    /// The finding in a sentence.
    pub fn headline(&self) -> String {
        if self.is_same {
            return "The files hold the same graph and the same weights".to_owned();
        }
        format!(
            "{} and {} changed; {} and {} did not",
            format::counted(self.nodes.len() as u64, "node"),
            format::counted(self.weights.len() as u64, "weight"),
            format::counted(self.nodes_unchanged, "node"),
            format::counted(self.weights_unchanged, "weight")
        )
    }

    /// Size and work before and after.
    pub fn cost_table(&self) -> Table {
        let mut table = Table::new("Cost", &[("", Quantity::Text), ("A", Quantity::Text), ("B", Quantity::Text), ("change", Quantity::Text)]);
        let mut add = |name: &str, a: Option<u64>, b: Option<u64>, quantity: Quantity| {
            let text = |value: Option<u64>| value.map(|value| quantity.text(value as f64));
            let change = a.zip(b).filter(|(a, _)| *a > 0).map(|(a, b)| {
                let change = b as f64 / a as f64 - 1.0;
                format!("{}{}", if change > 0.0 { "+" } else { "" }, format::percent(change))
            });
            table.push(vec![name.into(), text(a).into(), text(b).into(), change.into()]);
        };
        add("file", Some(self.a.file_bytes), Some(self.b.file_bytes), Quantity::Bytes);
        add("nodes", Some(self.a.nodes), Some(self.b.nodes), Quantity::Count);
        add("parameters", Some(self.a.parameters), Some(self.b.parameters), Quantity::Count);
        add("weights", Some(self.a.weight_bytes), Some(self.b.weight_bytes), Quantity::Bytes);
        add("MACs of one row", self.a.macs, self.b.macs, Quantity::Count);
        table
    }

    pub fn nodes_table(&self) -> Table {
        let mut table =
            Table::new("Nodes", &[("change", Quantity::Text), ("node", Quantity::Text), ("operator", Quantity::Text), ("what", Quantity::Text)]);
        for node in &self.nodes {
            table.push(vec![node.change.word().into(), node.node.as_str().into(), node.operator.as_str().into(), node.details.join("; ").into()]);
        }
        table
    }

    pub fn weights_table(&self) -> Table {
        let columns = [
            ("change", Quantity::Text),
            ("weight", Quantity::Text),
            ("type and shape", Quantity::Text),
            ("max |Δ|", Quantity::Number),
            ("share changed", Quantity::Share),
        ];
        let mut table = Table::new("Weights", &columns);
        for weight in &self.weights {
            table.push(vec![
                weight.change.word().into(),
                weight.weight.as_str().into(),
                weight.kind.as_str().into(),
                weight.max_difference.into(),
                weight.share_changed.into(),
            ]);
        }
        table
    }

    pub fn document(&self, command: Option<String>) -> Document {
        let source =
            |name: &str, side: &FileSide| Source { name: name.to_owned(), path: side.path.clone(), sha256: Some(side.sha256.clone()), rows: None };
        let mut tables = vec![self.cost_table()];
        for table in [self.nodes_table(), self.weights_table()] {
            if !table.rows.is_empty() {
                tables.push(table);
            }
        }
        let notes = std::iter::once(self.headline()).chain(self.signature.iter().cloned()).collect();
        let provenance = Provenance { models: vec![source("A", &self.a), source("B", &self.b)], command, ..Provenance::now() };
        let sections = vec![Section { heading: "What changed".to_owned(), notes, tables, figures: Vec::new() }];
        Document { title: format!("Difference of {} and {}", self.a.path, self.b.path), verdict: None, sections, provenance }
    }
}
