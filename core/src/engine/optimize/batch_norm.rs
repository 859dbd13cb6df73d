//! Moves a batch normalisation that follows a convolution into the convolution's weights and bias.
//!
//! With `f = scale / sqrt(variance + epsilon)` per output channel: `W' = W · f`, `b' = (b − mean) · f + shift`.

use super::{is_graph_output, readers, remove_nodes};
use crate::graph::{Graph, Node, NodeId, ValueId};
use crate::host::HostTensor;

pub(super) fn fold_into_convolutions(graph: &mut Graph) {
    let producers = graph.producers();
    let readers = readers(graph);
    let mut is_doomed = vec![false; graph.nodes.len()];
    for index in 0..graph.nodes.len() {
        let norm = &graph.nodes[index];
        let Some(fold) = Fold::plan(graph, norm, &producers, &readers) else { continue };
        fold.apply(graph, index);
        is_doomed[index] = true;
    }
    remove_nodes(graph, &is_doomed);
}

/// A convolution with its new weights.
struct Fold {
    convolution: NodeId,
    weight: HostTensor,
    bias: HostTensor,
}

impl Fold {
    /// Looks whether `norm` normalises a convolution that nobody else reads, with constants throughout, and computes the new weights.
    fn plan(graph: &Graph, norm: &Node, producers: &[Option<NodeId>], readers: &[Vec<NodeId>]) -> Option<Self> {
        if norm.op_type != "BatchNormalization" || !norm.domain.is_empty() || norm.outputs.iter().skip(1).any(Option::is_some) {
            return None;
        }
        if norm.attributes.int("training_mode").ok()?.unwrap_or(0) != 0 || norm.attributes.int("spatial").ok()?.unwrap_or(1) != 1 {
            return None;
        }
        let input = (*norm.inputs.first()?)?;
        let convolution = producers[input.index()]?;
        let node = graph.node(convolution);
        let is_private = readers[input.index()].len() == 1 && !is_graph_output(graph, input);
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

    /// Gives the convolution its new weights and the normalisation's output.
    fn apply(self, graph: &mut Graph, norm: usize) {
        let label = graph.nodes[norm].label(graph).to_owned();
        let weight = graph.fresh_value(&format!("{label}.folded_weight"));
        let bias = graph.fresh_value(&format!("{label}.folded_bias"));
        graph.initializers.insert(weight, self.weight.into());
        graph.initializers.insert(bias, self.bias.into());
        let output = graph.nodes[norm].outputs[0];
        let convolution = &mut graph.nodes[self.convolution.index()];
        let input = convolution.inputs[0];
        convolution.inputs = vec![input, Some(weight), Some(bias)];
        convolution.outputs = vec![output];
    }
}

/// Dims and elements of a float32 constant.
fn floats_of(graph: &Graph, id: Option<ValueId>) -> Option<(Vec<usize>, Vec<f32>)> {
    let tensor = graph.constant(id?)?;
    Some((tensor.shape().to_vec(), tensor.as_slice::<f32>().ok()?.into_owned()))
}
