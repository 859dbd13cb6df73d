//! Moves what scales and shifts whole channels by constants into the convolution or the batch normalisation before it: batch normalisations, and
//! sums, differences, products and quotients with one constant for each channel.
//!
//! With `y = f · x + a` per channel, a convolution gets `W' = W · f` and `b' = b · f + a`, a normalisation `scale' = scale · f` and
//! `shift' = shift · f + a`.

use smallvec::SmallVec;

use crate::graph::edit::GraphEditor;
use crate::graph::{Graph, Node, NodeId, ValueId};
use crate::host::HostTensor;

pub(super) fn fold(editor: &mut GraphEditor<'_>) {
    let candidates: Vec<NodeId> = editor.nodes().map(|(id, _)| id).collect();
    for id in candidates {
        // Nodes that an earlier fold took in have no outputs any more.
        if let Some(fold) = Fold::plan(editor, id) {
            fold.apply(editor, id);
        }
    }
}

/// `factors · x + addends`, for each channel.
struct Scaling {
    factors: Vec<f64>,
    addends: Vec<f64>,
}

/// A convolution or normalisation with its new parameters.
struct Fold {
    /// Inputs of the node, and the constants that they become.
    parameters: SmallVec<[(usize, HostTensor); 2]>,
    /// What follows the node, in order.
    taken_in: SmallVec<[NodeId; 4]>,
}

impl Fold {
    /// Looks for constants throughout, and results that nobody else reads, and computes the new parameters.
    fn plan(editor: &GraphEditor<'_>, id: NodeId) -> Option<Self> {
        let (graph, node) = (editor.graph(), editor.node(id));
        let is_convolution = node.op_type == "Conv";
        if !node.domain.is_empty() || !(is_convolution || is_inference_normalization(node)) {
            return None;
        }
        let (dims, weights) = floats(graph, node, 1)?;
        let n_channels = *dims.first()?;
        let rank = if is_convolution { dims.len() } else { rank_of(editor, (*node.inputs.first()?)?)? };
        let shift = if is_convolution && !matches!(node.inputs.get(2), Some(Some(_))) { vec![0.0; n_channels] } else { floats(graph, node, 2)?.1 };
        if n_channels == 0 || rank < 2 || shift.len() != n_channels {
            return None;
        }
        let mut scaling = Scaling { factors: vec![1.0; n_channels], addends: vec![0.0; n_channels] };
        let mut taken_in = SmallVec::new();
        let mut made = only_output(node)?;
        while let Some(reader) = editor.only_reader(made)
            && let Some(next) = Scaling::of(graph, editor.node(reader), made, n_channels, rank)
            && let Some(output) = only_output(editor.node(reader))
        {
            scaling = scaling.then(&next);
            taken_in.push(reader);
            made = output;
        }
        if taken_in.is_empty() {
            return None;
        }
        let of_channel = weights.len() / n_channels;
        let scaled = |values: &[f32], per_channel: usize| -> Vec<f32> {
            let rows = values.chunks(per_channel.max(1)).zip(&scaling.factors);
            rows.flat_map(|(row, factor)| row.iter().map(move |&value| (f64::from(value) * factor) as f32)).collect()
        };
        let weights = scaled(&weights, of_channel);
        let shift: Vec<f32> =
            shift.iter().zip(&scaling.factors).zip(&scaling.addends).map(|((&b, factor), addend)| (f64::from(b) * factor + addend) as f32).collect();
        // A division by zero, or an overflow, is left to happen where the model has it.
        if !weights.iter().chain(&shift).all(|value| value.is_finite()) {
            return None;
        }
        let tensors = [(1, HostTensor::from_vec(dims, &weights).ok()?), (2, HostTensor::from_vec(vec![n_channels], &shift).ok()?)];
        Some(Self { parameters: tensors.into(), taken_in })
    }

    /// Puts a node with the new parameters in the place of all.
    fn apply(self, editor: &mut GraphEditor<'_>, id: NodeId) {
        let mut folded = editor.node(id).clone();
        let Some(&last) = self.taken_in.last() else { return };
        let label = editor.node(last).label(editor.graph()).to_owned();
        folded.outputs.clone_from(&editor.node(last).outputs);
        folded.inputs.resize(folded.inputs.len().max(3), None);
        for (index, tensor) in self.parameters {
            let value = editor.fresh_value(&format!("{label}.folded_{index}"));
            editor.set_constant(value, tensor);
            folded.inputs[index] = Some(value);
        }
        for taken_in in self.taken_in {
            editor.remove_node(taken_in);
        }
        editor.remove_node(id);
        editor.insert_node(folded);
    }
}

impl Scaling {
    /// What a node does to each of the channels of `input`, a tensor of that rank; `None` where that is something else.
    fn of(graph: &Graph, node: &Node, input: ValueId, n_channels: usize, rank: usize) -> Option<Self> {
        if !node.domain.is_empty() {
            return None;
        }
        if is_inference_normalization(node) {
            return Self::of_normalization(graph, node).filter(|scaling| scaling.factors.len() == n_channels && node.inputs[0] == Some(input));
        }
        let &[Some(left), Some(right)] = node.inputs.as_slice() else { return None };
        let (other, is_left) = if left == input { (right, false) } else { (left, true) };
        // Before opset 7 these broadcast in a way of their own, by attributes.
        if left == right || node.attributes.0.contains_key("broadcast") {
            return None;
        }
        let constants = per_channel(graph.constant(other)?, n_channels, rank)?;
        let map = |operation: fn(f64) -> f64| constants.iter().copied().map(operation).collect::<Vec<f64>>();
        let all = |value: f64| vec![value; n_channels];
        match (node.op_type.as_str(), is_left) {
            ("Add", _) => Some(Self { factors: all(1.0), addends: constants }),
            ("Sub", false) => Some(Self { factors: all(1.0), addends: map(|value| -value) }),
            ("Sub", true) => Some(Self { factors: all(-1.0), addends: constants }),
            ("Mul", _) => Some(Self { factors: constants, addends: all(0.0) }),
            ("Div", false) => Some(Self { factors: map(f64::recip), addends: all(0.0) }),
            _ => None,
        }
    }

    fn of_normalization(graph: &Graph, node: &Node) -> Option<Self> {
        let parameter = |index: usize| Some(floats(graph, node, index)?.1);
        let (scale, shift, mean, variance) = (parameter(1)?, parameter(2)?, parameter(3)?, parameter(4)?);
        if [&shift, &mean, &variance].iter().any(|values| values.len() != scale.len()) {
            return None;
        }
        let epsilon = f64::from(node.attributes.float("epsilon").ok()?.unwrap_or(1e-5));
        let factors: Vec<f64> =
            scale.iter().zip(&variance).map(|(&scale, &variance)| f64::from(scale) / (f64::from(variance) + epsilon).sqrt()).collect();
        let addends = shift.iter().zip(&mean).zip(&factors).map(|((&shift, &mean), factor)| f64::from(shift) - f64::from(mean) * factor).collect();
        Some(Self { factors, addends })
    }

    /// First this, then the other.
    fn then(&self, next: &Self) -> Self {
        let factors = self.factors.iter().zip(&next.factors).map(|(first, second)| first * second).collect();
        let addends = self.addends.iter().zip(&next.factors).zip(&next.addends).map(|((addend, factor), next)| addend * factor + next).collect();
        Self { factors, addends }
    }
}

/// The constants that a tensor of `rank` axes `[batch, channels, …]` meets in each channel, if they do not stretch it.
fn per_channel(tensor: &HostTensor, n_channels: usize, rank: usize) -> Option<Vec<f64>> {
    let shape = tensor.shape();
    let is_aligned = |axis: usize, dim: usize| dim == 1 || axis + rank == shape.len() + 1 && dim == n_channels;
    if shape.len() > rank || !shape.iter().enumerate().all(|(axis, &dim)| is_aligned(axis, dim)) {
        return None;
    }
    let elements = tensor.as_slice::<f32>().ok()?;
    let constants: Vec<f64> = elements.iter().copied().map(f64::from).collect();
    Some(if constants.len() == n_channels { constants } else { vec![*constants.first()?; n_channels] })
}

fn is_inference_normalization(node: &Node) -> bool {
    let is_flag = |name: &str, wanted: i64| node.attributes.int(name).is_ok_and(|flag| flag.unwrap_or(wanted) == wanted);
    node.op_type == "BatchNormalization" && only_output(node).is_some() && is_flag("training_mode", 0) && is_flag("spatial", 1)
}

/// The output of a node that has just one.
fn only_output(node: &Node) -> Option<ValueId> {
    let (first, others) = node.outputs.split_first()?;
    if others.iter().any(Option::is_some) { None } else { *first }
}

/// How many axes a value has, as far as the model declares it, or operators that keep the rank lead to one that tells.
fn rank_of(editor: &GraphEditor<'_>, value: ValueId) -> Option<usize> {
    let graph = editor.graph();
    let mut value = value;
    // No chain is longer than that.
    for _ in 0..graph.nodes.len() {
        if let Some(dims) = graph.value(value).value_type.as_ref().and_then(|value_type| value_type.as_tensor()?.1.dims()) {
            return Some(dims.len());
        }
        let node = editor.node(editor.producer(value)?);
        if !node.domain.is_empty() {
            return None;
        }
        value = match node.op_type.as_str() {
            "Conv" => return Some(graph.constant((*node.inputs.get(1)?)?)?.shape().len()),
            "AveragePool" | "BatchNormalization" | "Clip" | "Elu" | "LRN" | "LeakyRelu" | "MaxPool" | "Relu" | "Sigmoid" | "Tanh" => {
                (*node.inputs.first()?)?
            }
            // All of its inputs have the same rank; what was joined last is nearest.
            "Concat" => (*node.inputs.last()?)?,
            _ => return None,
        };
    }
    None
}

/// Dims and elements of a float32 constant.
fn floats(graph: &Graph, node: &Node, index: usize) -> Option<(Vec<usize>, Vec<f32>)> {
    let tensor = graph.constant((*node.inputs.get(index)?)?)?;
    Some((tensor.shape().to_vec(), tensor.as_slice::<f32>().ok()?.into_owned()))
}

#[cfg(test)]
mod tests;
