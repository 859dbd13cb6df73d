//! Replaces Conv, Gemm, MatMul and BatchNormalization with constant weights by the engine's own operators ([`fused`]), which have their weights packed when the plan is
//! compiled, and takes in what follows: a sum (with a bias, or with another branch), then an activation. Shuffles of channels become one node too ([`shuffle`]). For
//! plans on the CPU.

use smallvec::SmallVec;

use crate::graph::edit::GraphEditor;
use crate::graph::{Graph, Node, NodeId, ValueId};
use crate::host::HostTensor;
use crate::kernels::activation::Activation;
use crate::ops::fused;

mod shuffle;

/// Everything that this pass does. `model_opset` is what a node means that has no opset of its own, as those that come out of functions have.
pub(super) fn fuse(editor: &mut GraphEditor<'_>, model_opset: i64) {
    products(editor, model_opset);
    shuffle::shuffles(editor);
}

fn products(editor: &mut GraphEditor<'_>, model_opset: i64) {
    let candidates: Vec<NodeId> = editor.nodes().map(|(id, _)| id).collect();
    for id in candidates {
        if let Some(fusion) = Fusion::start(editor, id, model_opset) {
            fusion.add_sum(editor).add_activation(editor, model_opset).apply(editor);
        }
    }
}

/// A fused node in the making.
struct Fusion {
    node: Node,
    replaced: SmallVec<[NodeId; 3]>,
}

impl Fusion {
    /// A product that a kernel can take over.
    fn start(editor: &GraphEditor<'_>, id: NodeId, model_opset: i64) -> Option<Self> {
        let (graph, node) = (editor.graph(), editor.node(id));
        let opset = node.opset.unwrap_or(model_opset);
        let is_suitable = node.domain.is_empty()
            && match node.op_type.as_str() {
                "BatchNormalization" => opset >= 7 && is_suitable_normalization(graph, node),
                "Conv" => is_suitable_convolution(graph, node),
                "Gemm" => is_suitable_gemm(graph, node),
                "MatMul" => matrix(graph, node).is_some(),
                _ => false,
            };
        let mut fused = node.clone();
        fused.domain = fused::DOMAIN.to_owned();
        // What errors call the node must not change with its outputs.
        fused.name = node.label(graph).to_owned();
        is_suitable.then(|| Self { node: fused, replaced: SmallVec::from_slice(&[id]) })
    }

    /// The value that the node makes so far, and the only node that reads it.
    fn reader(&self, editor: &GraphEditor<'_>) -> Option<(ValueId, NodeId)> {
        let &[Some(made)] = self.node.outputs.as_slice() else { return None };
        Some((made, editor.only_reader(made)?))
    }

    fn absorb(&mut self, editor: &GraphEditor<'_>, id: NodeId) {
        let absorbed = editor.node(id);
        let part = if absorbed.op_type == "Sum" { "Add" } else { &absorbed.op_type };
        self.node.op_type = format!("{}+{part}", self.node.op_type);
        self.node.outputs.clone_from(&absorbed.outputs);
        self.replaced.push(id);
    }

    /// Takes in an Add: for a convolution, of another branch's result; for a matrix product, of a constant.
    fn add_sum(mut self, editor: &GraphEditor<'_>) -> Self {
        let Some((made, id)) = self.reader(editor) else { return self };
        let (graph, add) = (editor.graph(), editor.node(id));
        let &[Some(left), Some(right)] = add.inputs.as_slice() else { return self };
        // A Sum of two is an Add. Before opset 7 Add broadcasts in its own way, by attributes.
        let is_sum = add.domain.is_empty() && matches!(add.op_type.as_str(), "Add" | "Sum") && !add.attributes.0.contains_key("broadcast");
        if !is_sum || left == right {
            return self;
        }
        let other = if left == made { right } else { left };
        match self.node.op_type.as_str() {
            "Conv" if graph.constant(other).is_none() => {
                self.node.inputs.resize(3, None);
                self.node.inputs.push(Some(other));
                self.absorb(editor, id);
            }
            "MatMul" => {
                let columns = matrix(graph, &self.node).map(|matrix| matrix.shape()[1]);
                // A summand of higher rank could raise the rank of the result.
                if graph.constant(other).is_some_and(|summand| is_float32(summand) && summand.shape().len() <= 1 && fits(summand, columns)) {
                    self.node.inputs.push(Some(other));
                    self.absorb(editor, id);
                }
            }
            _ => {}
        }
        self
    }

    fn add_activation(mut self, editor: &GraphEditor<'_>, model_opset: i64) -> Self {
        let Some((_, id)) = self.reader(editor) else { return self };
        let node = editor.node(id);
        if let Some(activation) = activation(editor.graph(), node, node.opset.unwrap_or(model_opset)) {
            fused::set_activation(&mut self.node.attributes, activation);
            self.absorb(editor, id);
        }
        self
    }

    fn apply(self, editor: &mut GraphEditor<'_>) {
        for id in self.replaced {
            editor.remove_node(id);
        }
        editor.insert_node(self.node);
    }
}

fn is_float32(tensor: &HostTensor) -> bool {
    tensor.element_type() == crate::host::ElementType::F32
}

/// The float32 constant behind an input.
fn constant<'g>(graph: &'g Graph, node: &Node, index: usize) -> Option<&'g HostTensor> {
    graph.constant((*node.inputs.get(index)?)?).filter(|tensor| is_float32(tensor))
}

fn has_input(node: &Node, index: usize) -> bool {
    matches!(node.inputs.get(index), Some(Some(_)))
}

/// One or two spatial axes; weights that the kernel can lay out. What is wrong with others, the operator itself says when it runs.
fn is_suitable_convolution(graph: &Graph, node: &Node) -> bool {
    let Some(weights) = constant(graph, node, 1) else { return false };
    let groups = node.attributes.int("group").ok().flatten().unwrap_or(1);
    let &[outputs, _, ref kernel @ ..] = weights.shape() else { return false };
    let has_groups = usize::try_from(groups).is_ok_and(|groups| groups > 0 && outputs.is_multiple_of(groups));
    let has_bias = !has_input(node, 2) || constant(graph, node, 2).is_some_and(|bias| bias.shape() == [outputs]);
    matches!(kernel.len(), 1 | 2) && !weights.shape().contains(&0) && has_groups && has_bias
}

/// Constant parameters, one for each channel, and no training.
fn is_suitable_normalization(graph: &Graph, node: &Node) -> bool {
    let is_flag = |name: &str, wanted: i64| node.attributes.int(name).is_ok_and(|flag| flag.unwrap_or(wanted) == wanted);
    let shape = |index: usize| constant(graph, node, index).map(HostTensor::shape).filter(|shape| shape.len() == 1 && shape[0] > 0);
    let first = shape(1);
    node.outputs.len() == 1 && is_flag("training_mode", 0) && is_flag("spatial", 1) && first.is_some() && (2..5).all(|index| shape(index) == first)
}

/// The constant right side of a product.
fn matrix<'g>(graph: &'g Graph, node: &Node) -> Option<&'g HostTensor> {
    constant(graph, node, 1).filter(|matrix| matrix.shape().len() == 2 && !matrix.shape().contains(&0))
}

fn is_suitable_gemm(graph: &Graph, node: &Node) -> bool {
    let flag = |name: &str| node.attributes.int(name).ok().map(|flag| flag.unwrap_or(0) != 0);
    let (Some(matrix), Some(false), Some(is_transposed)) = (matrix(graph, node), flag("transA"), flag("transB")) else { return false };
    let columns = matrix.shape()[if is_transposed { 0 } else { 1 }];
    // A summand with a row of its own for each row of the result is not for the kernel.
    let is_row = |summand: &HostTensor| matches!(summand.shape(), [] | [_] | [1, _]) && fits(summand, Some(columns));
    !has_input(node, 2) || constant(graph, node, 2).is_some_and(is_row)
}

/// Whether a summand has an element for each column, or one for all.
fn fits(summand: &HostTensor, columns: Option<usize>) -> bool {
    summand.n_elements() == 1 || Some(summand.n_elements()) == columns
}

/// The activation that a node applies to its first input; `None` if it is no activation, or one whose parameters are not known beforehand.
fn activation(graph: &Graph, node: &Node, opset: i64) -> Option<Activation> {
    if !node.domain.is_empty() {
        return None;
    }
    let float = |name: &str, default: f32| node.attributes.float(name).ok().map(|value| value.unwrap_or(default));
    match node.op_type.as_str() {
        "Relu" => Some(Activation::RELU),
        "LeakyRelu" => Some(Activation::LeakyRelu { alpha: float("alpha", 0.01)? }),
        "HardSigmoid" => Some(Activation::HardSigmoid { alpha: float("alpha", 0.2)?, beta: float("beta", 0.5)? }),
        "HardSwish" => Some(Activation::HardSwish),
        "Clip" => {
            let bound = |name: &str, index: usize, none: f32| match opset {
                ..11 => float(name, none),
                _ if !has_input(node, index) => Some(none),
                _ => constant(graph, node, index)?.as_slice::<f32>().ok()?.as_ref().first().copied(),
            };
            Some(Activation::Clip { low: bound("min", 1, f32::NEG_INFINITY)?, high: bound("max", 2, f32::INFINITY)? })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
