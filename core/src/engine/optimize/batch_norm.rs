//! Moves a batch normalisation that follows a convolution into the convolution's weights and bias.
//!
//! With `f = scale / sqrt(variance + epsilon)` per output channel: `W' = W · f`, `b' = (b − mean) · f + shift`.

use crate::graph::edit::GraphEditor;
use crate::graph::{Graph, Node, NodeId, ValueId};
use crate::host::HostTensor;

pub(super) fn fold_into_convolutions(editor: &mut GraphEditor<'_>) {
    let candidates: Vec<NodeId> = editor.nodes().map(|(id, _)| id).collect();
    for norm in candidates {
        if let Some(fold) = Fold::plan(editor, norm) {
            fold.apply(editor, norm);
        }
    }
}

/// A convolution with its new weights.
struct Fold {
    convolution: NodeId,
    weight: HostTensor,
    bias: HostTensor,
}

impl Fold {
    /// Looks whether `norm` normalises a convolution that nobody else reads, with constants throughout, and computes the new weights.
    fn plan(editor: &GraphEditor<'_>, norm: NodeId) -> Option<Self> {
        let graph = editor.graph();
        let norm = graph.node(norm);
        if norm.op_type != "BatchNormalization" || !norm.domain.is_empty() || norm.outputs.iter().skip(1).any(Option::is_some) {
            return None;
        }
        if norm.attributes.int("training_mode").ok()?.unwrap_or(0) != 0 || norm.attributes.int("spatial").ok()?.unwrap_or(1) != 1 {
            return None;
        }
        let input = (*norm.inputs.first()?)?;
        let convolution = editor.producer(input)?;
        let node = graph.node(convolution);
        let is_private = editor.only_reader(input).is_some();
        if node.op_type != "Conv" || !node.domain.is_empty() || !is_private {
            return None;
        }
        let floats = |node: &Node, index: usize| floats_of(graph, *node.inputs.get(index)?);
        let (weight_dims, weight) = floats(node, 1)?;
        let n_channels = *weight_dims.first()?;
        let bias = match node.inputs.get(2) {
            Some(Some(_)) => floats(node, 2)?.1,
            _ => vec![0.0; n_channels],
        };
        let (scale, shift, mean, variance) = (floats(norm, 1)?.1, floats(norm, 2)?.1, floats(norm, 3)?.1, floats(norm, 4)?.1);
        if n_channels == 0 || [&bias, &scale, &shift, &mean, &variance].iter().any(|values| values.len() != n_channels) {
            return None;
        }
        let epsilon = f64::from(norm.attributes.float("epsilon").ok()?.unwrap_or(1e-5));
        let factors: Vec<f64> =
            scale.iter().zip(&variance).map(|(&scale, &variance)| f64::from(scale) / (f64::from(variance) + epsilon).sqrt()).collect();
        let per_channel = weight.len() / n_channels;
        let weight: Vec<f32> = weight
            .chunks(per_channel.max(1))
            .zip(&factors)
            .flat_map(|(row, factor)| row.iter().map(move |&w| (f64::from(w) * factor) as f32))
            .collect();
        let bias: Vec<f32> = (0..n_channels).map(|c| ((f64::from(bias[c]) - f64::from(mean[c])) * factors[c] + f64::from(shift[c])) as f32).collect();
        Some(Self {
            convolution,
            weight: HostTensor::from_vec(weight_dims, &weight).ok()?,
            bias: HostTensor::from_vec(vec![n_channels], &bias).ok()?,
        })
    }

    /// Puts a convolution with the new weights in the place of both nodes.
    fn apply(self, editor: &mut GraphEditor<'_>, norm: NodeId) {
        let label = editor.node(norm).label(editor.graph()).to_owned();
        let weight = editor.fresh_value(&format!("{label}.folded_weight"));
        let bias = editor.fresh_value(&format!("{label}.folded_bias"));
        editor.set_constant(weight, self.weight);
        editor.set_constant(bias, self.bias);
        let mut convolution = editor.node(self.convolution).clone();
        let input = convolution.inputs.first().copied().flatten();
        convolution.inputs = vec![input, Some(weight), Some(bias)];
        convolution.outputs.clone_from(&editor.node(norm).outputs);
        editor.remove_node(norm);
        editor.remove_node(self.convolution);
        editor.insert_node(convolution);
    }
}

/// Dims and elements of a float32 constant.
fn floats_of(graph: &Graph, id: Option<ValueId>) -> Option<(Vec<usize>, Vec<f32>)> {
    let tensor = graph.constant(id?)?;
    Some((tensor.shape().to_vec(), tensor.as_slice::<f32>().ok()?.into_owned()))
}
