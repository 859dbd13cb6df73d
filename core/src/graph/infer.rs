//! The driver of symbolic shape and type inference: walks a graph in topological order and asks a rule per node.
//! The rules themselves belong to the operators ([`crate::ops`]); this module only knows the trait it asks.

use super::{Model, Node, NodeId, ValueId, ValueType};
use crate::host::HostTensor;

/// What an inference rule may look at: input types, and the values of inputs that are constants.
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
    /// One entry per output; `None` where nothing can be said. `Err` is a sentence: the model contradicts itself here.
    fn infer(&self, model: &Model, node: &Node, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, String>;
}

/// A place where the model contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InferenceIssue {
    pub node: NodeId,
    pub message: String,
}

/// Types of every value of `model.graph`, by [`ValueId`]; declared types win over inferred ones where those are less exact.
/// Contradictions are returned beside the types, in graph order.
pub fn infer_types(model: &Model, rules: &dyn InferenceRules) -> (Vec<Option<ValueType>>, Vec<InferenceIssue>) {
    let graph = &model.graph;
    let mut types: Vec<Option<ValueType>> = graph.values().iter().map(|value| value.value_type.clone()).collect();
    for (id, initializer) in &graph.initializers {
        types[id.index()] = Some(ValueType::tensor(initializer.tensor.element_type(), initializer.tensor.shape()));
    }
    let mut issues = Vec::new();
    let Ok(order) = super::order::topological_order(graph) else { return (types, issues) };
    for node_id in order {
        let node = graph.node(node_id);
        let type_of = |id: &Option<ValueId>| id.and_then(|id| types[id.index()].clone());
        let inputs = InferInputs {
            types: node.inputs.iter().map(type_of).collect(),
            constants: node.inputs.iter().map(|id| id.and_then(|id| graph.constant(id))).collect(),
            n_outputs: node.outputs.len(),
        };
        match rules.infer(model, node, &inputs) {
            Ok(inferred) => {
                for (output, inferred) in node.outputs.iter().zip(inferred) {
                    if let (Some(output), Some(inferred)) = (output, inferred) {
                        merge(&mut types[output.index()], inferred);
                    }
                }
            }
            Err(message) => issues.push(InferenceIssue { node: node_id, message }),
        }
    }
    (types, issues)
}

/// Keeps the more exact of a declared and an inferred type, dimension by dimension.
fn merge(slot: &mut Option<ValueType>, inferred: ValueType) {
    use super::Dimension;
    let Some(ValueType::Tensor { shape: declared, .. }) = slot else {
        if slot.is_none() {
            *slot = Some(inferred);
        }
        return;
    };
    let ValueType::Tensor { shape: inferred, .. } = inferred else { return };
    match (&mut declared.0, inferred.0) {
        (Some(declared), Some(inferred)) if declared.len() == inferred.len() => {
            for (declared, inferred) in declared.iter_mut().zip(inferred) {
                let is_better = matches!((&*declared, &inferred), (Dimension::Unknown, _) | (Dimension::Symbol(_), Dimension::Known(_)));
                if is_better {
                    *declared = inferred;
                }
            }
        }
        (declared @ None, inferred) => *declared = inferred,
        _ => {}
    }
}
