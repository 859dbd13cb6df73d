//! The driver of symbolic shape and type inference: walks a graph in topological order and asks a rule per node.
//! The rules themselves belong to the operators ([`crate::ops`]); this module only knows the trait it asks.

use std::collections::{HashMap, HashSet};

use super::{Dimension, Graph, Node, NodeId, ValueId, ValueType};
use crate::host::HostTensor;

/// What an inference rule may look at: input types, and the values of inputs that are constants. After the node's own inputs comes what
/// its subgraphs capture, in the order of [`Node::captured`].
pub struct InferInputs<'a> {
    pub types: Vec<Option<ValueType>>,
    pub constants: Vec<Option<&'a HostTensor>>,
    /// How many outputs the node has.
    pub n_outputs: usize,
}

impl<'a> InferInputs<'a> {
    /// Type of input `index`; `None` where it is left out or nothing is known.
    pub fn value_type(&self, index: usize) -> Option<&ValueType> {
        self.types.get(index)?.as_ref()
    }

    /// Element type and shape of input `index` if it is a tensor of known type.
    pub fn tensor(&self, index: usize) -> Option<(crate::host::ElementType, &super::SymbolicShape)> {
        self.value_type(index)?.as_tensor()
    }

    /// The constant behind input `index`.
    pub fn constant(&self, index: usize) -> Option<&'a HostTensor> {
        *self.constants.get(index)?
    }

    /// The constant behind input `index` as integers (int64 or int32): axes, shapes, repeats.
    pub fn constant_ints(&self, index: usize) -> Option<Vec<i64>> {
        let tensor = self.constant(index)?;
        if let Ok(values) = tensor.as_slice::<i64>() {
            return Some(values.to_vec());
        }
        tensor.as_slice::<i32>().ok().map(|values| values.iter().map(|&v| i64::from(v)).collect())
    }
}

/// Finds the types of a node's outputs. Implemented over the operator registry.
pub trait InferenceRules {
    /// One entry per output of a node of `graph`; `None` where nothing can be said. `Err` is a sentence: the model contradicts itself here.
    fn infer(&self, graph: &Graph, node: NodeId, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, String>;

    /// Computes a node whose inputs are all small constants, so that shapes that a model computes become known. `None` where that is not possible.
    fn evaluate(&self, _graph: &Graph, _node: NodeId, _inputs: &[Option<&HostTensor>]) -> Option<Vec<HostTensor>> {
        None
    }
}

/// A place where the model contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InferenceIssue {
    pub node: NodeId,
    pub message: String,
}

/// Types of every value of `graph`, by [`ValueId`]; declared types win over inferred ones where those are less exact.
/// Contradictions are returned beside the types, in graph order.
pub fn infer_types(graph: &Graph, rules: &dyn InferenceRules) -> (Vec<Option<ValueType>>, Vec<InferenceIssue>) {
    infer_types_from(graph, rules, graph.values().iter().map(|value| value.value_type.clone()).collect())
}

/// As [`infer_types`], starting from `declared` types (by [`ValueId`]) instead of the model's own: what if the batch were 1?
pub fn infer_types_from(
    graph: &Graph,
    rules: &dyn InferenceRules,
    declared: Vec<Option<ValueType>>,
) -> (Vec<Option<ValueType>>, Vec<InferenceIssue>) {
    let mut types = declared;
    let mut constants = Constants::of(graph);
    for (id, initializer) in &graph.initializers {
        types[id.index()] = Some(ValueType::tensor(initializer.tensor.element_type(), initializer.tensor.shape()));
    }
    let mut issues = Vec::new();
    let Ok(order) = super::order::topological_order(graph) else { return (types, issues) };
    for node_id in order {
        let node = graph.node(node_id);
        let read = || node.inputs.iter().copied().chain(node.captured().map(Some));
        let inputs = InferInputs {
            types: read().map(|id| id.and_then(|id| types[id.index()].clone())).collect(),
            constants: read().map(|id| id.and_then(|id| constants.get(id))).collect(),
            n_outputs: node.outputs.len(),
        };
        match rules.infer(graph, node_id, &inputs) {
            Ok(inferred) => {
                for (output, inferred) in node.outputs.iter().zip(inferred) {
                    let (Some(output), Some(inferred)) = (output, inferred) else { continue };
                    if let Err(contradiction) = merge(&mut types[output.index()], inferred) {
                        let message = format!("output '{}' {contradiction}", graph.value(*output).name);
                        issues.push(InferenceIssue { node: node_id, message });
                    }
                }
            }
            Err(message) => {
                issues.push(InferenceIssue { node: node_id, message });
                continue;
            }
        }
        if let Some(results) = evaluate(graph, rules, node_id, &inputs, &types) {
            drop(inputs);
            for (output, result) in node.outputs.iter().zip(results) {
                let Some(output) = output else { continue };
                let slot = &mut types[output.index()];
                if merge(slot, ValueType::tensor(result.element_type(), result.shape())).is_ok() {
                    constants.computed.insert(*output, result);
                }
            }
        }
    }
    (types, issues)
}

/// The most elements that a constant may have to be computed during inference: enough for any shape, too few for weights.
const MAX_EVALUATED_ELEMENTS: usize = 1024;

/// Constants of a graph: initializers, and what inference computed from them.
struct Constants<'a> {
    graph: &'a Graph,
    may_be_overridden: HashSet<ValueId>,
    computed: HashMap<ValueId, HostTensor>,
}

impl<'a> Constants<'a> {
    fn of(graph: &'a Graph) -> Self {
        Self { graph, may_be_overridden: graph.inputs.iter().copied().collect(), computed: HashMap::new() }
    }

    fn get(&self, id: ValueId) -> Option<&HostTensor> {
        if self.may_be_overridden.contains(&id) {
            return None;
        }
        self.computed.get(&id).or_else(|| self.graph.initializers.get(&id).map(|initializer| &initializer.tensor))
    }
}

/// The results of a node, if its inputs are small constants and so are its results.
fn evaluate(
    graph: &Graph,
    rules: &dyn InferenceRules,
    node_id: NodeId,
    inputs: &InferInputs<'_>,
    types: &[Option<ValueType>],
) -> Option<Vec<HostTensor>> {
    let node = graph.node(node_id);
    let is_small = |id: &ValueId| {
        let shape = types[id.index()].as_ref()?.as_tensor()?.1.as_known()?;
        shape.iter().try_fold(1_usize, |product, &dim| product.checked_mul(dim)).filter(|n| *n <= MAX_EVALUATED_ELEMENTS)
    };
    if !node.outputs.iter().flatten().all(|id| is_small(id).is_some()) || node.subgraphs().next().is_some() {
        return None;
    }
    if node.domain.is_empty() && matches!(node.op_type.as_str(), "Shape" | "Size") {
        return shape_of(node, inputs).map(|shape| vec![shape]);
    }
    let is_constant = |(id, constant): (&Option<ValueId>, &Option<&HostTensor>)| match (id, constant) {
        (None, _) => true,
        (Some(_), Some(constant)) => constant.n_elements() <= MAX_EVALUATED_ELEMENTS,
        (Some(_), None) => false,
    };
    if !node.inputs.iter().zip(&inputs.constants).all(is_constant) {
        return None;
    }
    rules.evaluate(graph, node_id, &inputs.constants)
}

/// `Shape` and `Size` need no data, only a known shape.
fn shape_of(node: &Node, inputs: &InferInputs<'_>) -> Option<HostTensor> {
    let shape = inputs.tensor(0)?.1.as_known()?;
    let dims: Vec<i64> = shape.iter().map(|&dim| i64::try_from(dim).ok()).collect::<Option<_>>()?;
    if node.op_type == "Size" {
        let size = dims.iter().try_fold(1_i64, |product, &dim| product.checked_mul(dim))?;
        return HostTensor::from_vec(Vec::new(), &[size]).ok();
    }
    let rank = i64::try_from(dims.len()).ok()?;
    // `start` and `end` came with opset 15; negative ones count from the end, and both are clamped.
    let place = |name: &str, default: i64| {
        let place = node.attributes.int(name).ok()?.unwrap_or(default);
        usize::try_from(if place < 0 { place.saturating_add(rank).max(0) } else { place.min(rank) }).ok()
    };
    let (start, end) = (place("start", 0)?, place("end", rank)?);
    let dims = dims.get(start..end.max(start))?;
    HostTensor::from_vec(vec![dims.len()], dims).ok()
}

/// Keeps the more exact of a declared and an inferred type, dimension by dimension. `Err` says how they contradict each other; the
/// declared type then stays.
fn merge(slot: &mut Option<ValueType>, inferred: ValueType) -> Result<(), String> {
    let Some(declared) = slot else {
        *slot = Some(inferred);
        return Ok(());
    };
    if contradict(declared, &inferred) {
        return Err(format!("is declared as {declared}, but the operator makes {inferred}"));
    }
    let (ValueType::Tensor { shape: declared, .. }, ValueType::Tensor { shape: inferred, .. }) = (declared, inferred) else { return Ok(()) };
    match (&mut declared.0, inferred.0) {
        (Some(declared), Some(inferred)) => {
            for (declared, inferred) in declared.iter_mut().zip(inferred) {
                let is_better = matches!((&*declared, &inferred), (Dimension::Unknown, _) | (Dimension::Symbol(_), Dimension::Known(_)));
                if is_better {
                    *declared = inferred;
                }
            }
        }
        (declared @ None, inferred) => *declared = inferred,
        (Some(_), None) => {}
    }
    Ok(())
}

fn contradict(declared: &ValueType, inferred: &ValueType) -> bool {
    match (declared, inferred) {
        (ValueType::Tensor { element_type, shape }, ValueType::Tensor { element_type: other_type, shape: other_shape }) => {
            let (Some(dims), Some(other_dims)) = (shape.dims(), other_shape.dims()) else { return element_type != other_type };
            let differs = |(dim, other): (&Dimension, &Dimension)| matches!((dim.known(), other.known()), (Some(dim), Some(other)) if dim != other);
            element_type != other_type || dims.len() != other_dims.len() || dims.iter().zip(other_dims).any(differs)
        }
        (ValueType::Sequence(inner), ValueType::Sequence(other)) | (ValueType::Optional(inner), ValueType::Optional(other)) => {
            contradict(inner, other)
        }
        (ValueType::Map { key, value }, ValueType::Map { key: other_key, value: other }) => key != other_key || contradict(value, other),
        (declared, inferred) => std::mem::discriminant(declared) != std::mem::discriminant(inferred),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Model;
    use crate::host::ElementType;

    /// `Copy` has its input's type, `Double` computes constants, everything else is unknown.
    struct Rules;

    impl InferenceRules for Rules {
        fn infer(&self, graph: &Graph, node: NodeId, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, String> {
            match graph.node(node).op_type.as_str() {
                "Copy" | "Double" => Ok(vec![inputs.value_type(0).cloned()]),
                "Shape" => {
                    Ok(vec![inputs.tensor(0).and_then(|(_, shape)| shape.rank()).map(|rank| ValueType::tensor(ElementType::I64, [rank].as_slice()))])
                }
                "Fail" => Err("the shapes do not go together".to_owned()),
                _ => Ok(vec![None]),
            }
        }

        fn evaluate(&self, graph: &Graph, node: NodeId, inputs: &[Option<&HostTensor>]) -> Option<Vec<HostTensor>> {
            let input = inputs.first().copied().flatten().filter(|_| graph.node(node).op_type == "Double")?;
            let doubled: Vec<i64> = input.as_slice::<i64>().ok()?.iter().map(|value| value * 2).collect();
            Some(vec![HostTensor::from_vec(input.shape().to_vec(), &doubled).ok()?])
        }
    }

    fn float(dims: &[Dimension]) -> ValueType {
        ValueType::tensor(ElementType::F32, dims.to_vec())
    }

    /// A model with input `x`, and one node after another, each reading what the one before made.
    fn chain(input: ValueType, operators: &[&str]) -> Model {
        let mut model = Model::default();
        let graph = &mut model.graph;
        let mut last = graph.value_named("x");
        graph.value_mut(last).value_type = Some(input);
        graph.inputs = vec![last];
        for (index, op_type) in operators.iter().enumerate() {
            let output = graph.value_named(&format!("v{index}"));
            graph.nodes.push(Node { op_type: (*op_type).to_owned(), inputs: vec![Some(last)], outputs: vec![Some(output)], ..Node::default() });
            last = output;
        }
        graph.outputs = vec![last];
        model
    }

    #[test]
    fn long_chains_take_linear_time_and_no_stack() {
        let input = float(&[Dimension::Symbol("N".to_owned()), Dimension::Known(3)]);
        let model = chain(input.clone(), &["Copy"; 100_000]);
        let (types, issues) = infer_types(&model.graph, &Rules);
        assert_eq!(types.last().unwrap().as_ref(), Some(&input));
        assert_eq!(issues, []);
    }

    #[test]
    fn shapes_that_a_model_computes_are_computed() {
        let model = chain(float(&[Dimension::Known(2), Dimension::Known(3)]), &["Shape", "Double", "Double"]);
        let mut constants = Vec::new();
        struct Spy<'a>(std::cell::RefCell<&'a mut Vec<Vec<i64>>>);
        impl InferenceRules for Spy<'_> {
            fn infer(&self, graph: &Graph, node: NodeId, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, String> {
                self.0.borrow_mut().extend(inputs.constant_ints(0));
                Rules.infer(graph, node, inputs)
            }
            fn evaluate(&self, graph: &Graph, node: NodeId, inputs: &[Option<&HostTensor>]) -> Option<Vec<HostTensor>> {
                Rules.evaluate(graph, node, inputs)
            }
        }
        infer_types(&model.graph, &Spy(std::cell::RefCell::new(&mut constants)));
        assert_eq!(constants, [[2, 3], [4, 6]]);

        let open = chain(float(&[Dimension::Symbol("N".to_owned()), Dimension::Known(3)]), &["Shape", "Double"]);
        let (types, _) = infer_types(&open.graph, &Rules);
        assert_eq!(types[2], Some(ValueType::tensor(ElementType::I64, [2].as_slice())), "the rank is known though the shape is not");
    }

    #[test]
    fn the_more_exact_of_declared_and_inferred_wins() {
        let symbol = |name: &str| Dimension::Symbol(name.to_owned());
        let mut model = chain(float(&[symbol("N"), Dimension::Known(3)]), &["Copy"]);
        let output = model.graph.outputs[0];
        model.graph.value_mut(output).value_type = Some(float(&[symbol("batch"), Dimension::Unknown]));
        let (types, issues) = infer_types(&model.graph, &Rules);
        assert_eq!(types[output.index()], Some(float(&[symbol("batch"), Dimension::Known(3)])));
        assert_eq!(issues, []);
    }

    #[test]
    fn contradictions_are_reported_with_their_node() {
        let mut model = chain(float(&[Dimension::Known(3)]), &["Copy", "Fail"]);
        let copied = model.graph.value_named("v0");
        model.graph.value_mut(copied).value_type = Some(float(&[Dimension::Known(4)]));
        let (_, issues) = infer_types(&model.graph, &Rules);
        let expected = [
            InferenceIssue { node: NodeId(0), message: "output 'v0' is declared as float32[4], but the operator makes float32[3]".to_owned() },
            InferenceIssue { node: NodeId(1), message: "the shapes do not go together".to_owned() },
        ];
        assert_eq!(issues, expected);
    }
}
