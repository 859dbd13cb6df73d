//! What a graph weighs: parameters, bytes of weights, multiply-accumulates, and the activation peak.
//! How many products an operator needs is the operators' knowledge; this module only knows the trait it asks.

use super::{Attribute, Dimension, Graph, Node, NodeId, ValueId, ValueType};
use crate::host::{ElementType, HostTensor};

/// Bytes that one string takes in a tensor, beside text that is too long to lie in the tensor itself.
const STRING_BYTES: usize = 24;

/// Counts multiply-accumulates. Implemented over the operator registry.
pub trait CostRules {
    /// Multiply-accumulates of a node of `graph`; `None` where they can't be known. After the types of the node's inputs come those of
    /// what its subgraphs capture.
    fn macs(&self, graph: &Graph, node: NodeId, inputs: &[Option<ValueType>], outputs: &[Option<ValueType>]) -> Option<u64>;
}

/// What one run of a graph costs, symbolic dimensions set to 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphCost {
    /// By [`NodeId`].
    pub nodes: Vec<NodeCost>,
    pub weights: Weights,
    /// `None` where a node's are unknown.
    pub macs: Option<u64>,
    /// Largest sum of activations alive at once; constants not counted. `None` where a shape is unknown.
    pub activation_peak_bytes: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeCost {
    /// Weights that the node reads or holds. A weight that several nodes share counts at each of them.
    pub weights: Weights,
    pub macs: Option<u64>,
}

/// Constants of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Weights {
    /// Numbers that training or calibration found: elements of constants that are neither int64, nor booleans, nor strings
    /// (those are shapes, axes, indices and vocabularies).
    pub parameters: u64,
    /// Bytes of all constants, of whatever type.
    pub bytes: u64,
}

impl Weights {
    fn of_tensor(tensor: &HostTensor) -> Self {
        let is_structure = matches!(tensor.element_type(), ElementType::I64 | ElementType::Bool | ElementType::String);
        Self { parameters: if is_structure { 0 } else { tensor.n_elements() as u64 }, bytes: tensor.n_bytes() as u64 }
    }

    /// What a node holds in its attributes: the value of a `Constant`, and the tables of `ai.onnx.ml` operators, which are their weights.
    fn of_attributes(node: &Node) -> Self {
        let is_table = node.domain == "ai.onnx.ml";
        let is_constant = node.domain.is_empty() && node.op_type == "Constant";
        if !is_table && !is_constant {
            return Self::default();
        }
        let of = |attribute: &Attribute| match attribute {
            Attribute::Tensor(tensor) => Self::of_tensor(tensor),
            Attribute::Sparse { tensor, .. } => Self::of_tensor(tensor.values()),
            Attribute::Floats(values) => Self { parameters: values.len() as u64, bytes: 4 * values.len() as u64 },
            Attribute::Ints(values) => Self { parameters: 0, bytes: 8 * values.len() as u64 },
            Attribute::Strings(values) => Self { parameters: 0, bytes: values.iter().map(|text| text.len() as u64).sum() },
            _ => Self::default(),
        };
        node.attributes.0.values().map(of).sum()
    }

    /// All constants of a graph and of the graphs inside it.
    pub fn of_graph(graph: &Graph) -> Self {
        graph.with_subgraphs().map(Self::of_level).sum()
    }

    /// Constants of a graph, without the graphs inside it.
    fn of_level(graph: &Graph) -> Self {
        let initializers = graph.initializers.values().map(|initializer| Self::of_tensor(&initializer.tensor));
        let sparse = graph.sparse_initializers.values().map(|tensor| Self::of_tensor(tensor.values()));
        initializers.chain(sparse).chain(graph.nodes.iter().map(Self::of_attributes)).sum()
    }

    /// What a node reads or holds, and the graphs inside it.
    pub fn of_node(graph: &Graph, node: &Node) -> Self {
        let read = node.inputs.iter().flatten().filter_map(|id| graph.initializers.get(id));
        let read = read.map(|initializer| Self::of_tensor(&initializer.tensor));
        read.chain([Self::of_attributes(node)]).chain(node.subgraphs().map(|subgraph| Self::of_graph(subgraph))).sum()
    }
}

impl std::iter::Sum for Weights {
    fn sum<I: Iterator<Item = Self>>(weights: I) -> Self {
        weights.fold(Self::default(), |sum, item| Self {
            parameters: sum.parameters.saturating_add(item.parameters),
            bytes: sum.bytes.saturating_add(item.bytes),
        })
    }
}

/// The types that a graph declares, with every dimension of its inputs that is only known at run time set to 1: where
/// [`super::infer::infer_types_from`] starts from to find the cost of one row.
pub fn types_for_one_row(graph: &Graph) -> Vec<Option<ValueType>> {
    let mut types: Vec<Option<ValueType>> = graph.values().iter().map(|value| value.value_type.clone()).collect();
    for input in &graph.inputs {
        set_open_dimensions_to_one(&mut types[input.index()]);
    }
    types
}

fn set_open_dimensions_to_one(value_type: &mut Option<ValueType>) {
    if let Some(ValueType::Tensor { shape, .. }) = value_type {
        for dim in shape.0.iter_mut().flatten().filter(|dim| dim.known().is_none()) {
            *dim = Dimension::Known(1);
        }
    }
}

/// Costs of a graph whose values have the given types (by [`ValueId`]), as inference from [`types_for_one_row`] found them.
pub fn cost(graph: &Graph, rules: &dyn CostRules, types: &[Option<ValueType>]) -> GraphCost {
    let mut types = types.to_vec();
    types.iter_mut().for_each(set_open_dimensions_to_one);
    let node_cost = |(id, node)| NodeCost { weights: Weights::of_node(graph, node), macs: node_macs(graph, rules, &types, id) };
    let nodes: Vec<NodeCost> = graph.node_ids().map(node_cost).collect();
    let macs = nodes.iter().try_fold(0_u64, |sum, node| sum.checked_add(node.macs?));
    GraphCost { nodes, weights: Weights::of_graph(graph), macs, activation_peak_bytes: activation_peak(graph, &types) }
}

/// Multiply-accumulates of one run of a graph whose values have the given types; `None` where a node's are unknown.
pub fn macs(graph: &Graph, rules: &dyn CostRules, types: &[Option<ValueType>]) -> Option<u64> {
    graph.node_ids().try_fold(0_u64, |sum, (id, _)| sum.checked_add(node_macs(graph, rules, types, id)?))
}

fn node_macs(graph: &Graph, rules: &dyn CostRules, types: &[Option<ValueType>], id: NodeId) -> Option<u64> {
    let node = graph.node(id);
    let type_of = |id: Option<ValueId>| id.and_then(|id| types[id.index()].clone());
    let inputs: Vec<_> = node.inputs.iter().copied().chain(node.captured().map(Some)).map(type_of).collect();
    let outputs: Vec<_> = node.outputs.iter().copied().map(type_of).collect();
    rules.macs(graph, id, &inputs, &outputs)
}

/// Walks the graph in the order in which it runs; a value lives from the node that makes it to the last node that reads it.
fn activation_peak(graph: &Graph, types: &[Option<ValueType>]) -> Option<u64> {
    let order = super::order::topological_order(graph).ok()?;
    let mut last_use = vec![0_usize; types.len()];
    for (step, id) in order.iter().enumerate() {
        for read in graph.node(*id).reads() {
            last_use[read.index()] = step;
        }
    }
    for output in &graph.outputs {
        last_use[output.index()] = order.len();
    }
    let bytes = |id: &ValueId| if graph.initializers.contains_key(id) { Some(0) } else { value_bytes(types[id.index()].as_ref()) };
    let mut alive = graph.inputs.iter().try_fold(0_u64, |sum, id| sum.checked_add(bytes(id)?))?;
    let mut peak = alive;
    for (step, id) in order.iter().enumerate() {
        let node = graph.node(*id);
        for output in node.outputs.iter().flatten() {
            alive = alive.checked_add(bytes(output)?)?;
        }
        peak = peak.max(alive);
        let mut touched: Vec<ValueId> = node.reads().chain(node.outputs.iter().flatten().copied()).collect();
        touched.sort_unstable();
        touched.dedup();
        for done in touched.iter().filter(|id| last_use[id.index()] <= step) {
            alive = alive.saturating_sub(bytes(done)?);
        }
    }
    Some(peak)
}

/// Bytes of a value in memory. Sequences, maps and optionals wrap values that are counted where they are made, so they count nothing.
fn value_bytes(value_type: Option<&ValueType>) -> Option<u64> {
    let Some((element_type, shape)) = value_type?.as_tensor() else { return Some(0) };
    let n_elements = shape.as_known()?.iter().try_fold(1_usize, |product, &dim| product.checked_mul(dim))?;
    let bytes = if element_type == ElementType::String { n_elements.checked_mul(STRING_BYTES)? } else { element_type.bytes_for(n_elements)? };
    u64::try_from(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Model;

    /// One multiply-accumulate per element of the weight.
    struct WeightElements;

    impl CostRules for WeightElements {
        fn macs(&self, _: &Graph, _: NodeId, inputs: &[Option<ValueType>], _: &[Option<ValueType>]) -> Option<u64> {
            let shape = inputs.get(1)?.as_ref()?.as_tensor()?.1.as_known()?;
            Some(shape.iter().product::<usize>() as u64)
        }
    }

    fn add_node(graph: &mut Graph, inputs: &[&str], output: &str, shape: &[usize]) {
        let inputs = inputs.iter().map(|name| Some(graph.value_named(name))).collect();
        let output = graph.value_named(output);
        graph.value_mut(output).value_type = Some(ValueType::tensor(ElementType::F32, shape));
        graph.nodes.push(Node { op_type: "MatMul".to_owned(), inputs, outputs: vec![Some(output)], ..Node::default() });
    }

    fn add_weight(graph: &mut Graph, name: &str, shape: &[usize]) {
        let id = graph.value_named(name);
        let values = vec![0.5_f32; shape.iter().product()];
        graph.initializers.insert(id, HostTensor::from_vec(shape.to_vec(), &values).unwrap().into());
        graph.value_mut(id).value_type = Some(ValueType::tensor(ElementType::F32, shape));
    }

    #[test]
    fn a_chain_of_products() {
        // [N, 4] x [4, 8] → [N, 8] x [8, 2] → [N, 2]
        let mut model = Model::default();
        let graph = &mut model.graph;
        let x = graph.value_named("x");
        graph.value_mut(x).value_type =
            Some(ValueType::Tensor { element_type: ElementType::F32, shape: vec![Dimension::Symbol("N".to_owned()), Dimension::Known(4)].into() });
        graph.inputs = vec![x];
        add_weight(graph, "w1", &[4, 8]);
        add_weight(graph, "w2", &[8, 2]);
        add_node(graph, &["x", "w1"], "h", &[1, 8]);
        add_node(graph, &["h", "w2"], "y", &[1, 2]);
        graph.outputs = vec![graph.value_named("y")];

        let cost = cost(&model.graph, &WeightElements, &types_for_one_row(&model.graph));
        assert_eq!(cost.weights, Weights { parameters: 48, bytes: 192 });
        assert_eq!(cost.macs, Some(48));
        assert_eq!(cost.nodes[1], NodeCost { weights: Weights { parameters: 16, bytes: 64 }, macs: Some(16) });
        // While the first product runs: 4 + 8 floats; the second: 8 + 2.
        assert_eq!(cost.activation_peak_bytes, Some(48));
    }

    #[test]
    fn tables_of_ml_operators_are_weights_and_shapes_are_not_parameters() {
        let mut graph = Graph::default();
        let mut scaler = Node { domain: "ai.onnx.ml".to_owned(), op_type: "Scaler".to_owned(), ..Node::default() };
        scaler.attributes.0.insert("offset".to_owned(), Attribute::Floats(vec![1.0, 2.0, 3.0]));
        graph.nodes.push(scaler);
        let shape = graph.value_named("shape");
        graph.initializers.insert(shape, HostTensor::from_vec(vec![2], &[-1_i64, 20]).unwrap().into());
        assert_eq!(Weights::of_graph(&graph), Weights { parameters: 3, bytes: 28 });
    }
}
