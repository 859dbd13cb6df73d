//! Optimising passes over a copy of the graph. The optimised graph never leaves the engine: what Drydock saves is the user's own.
//!
//! In this order, each pass seeing what the one before made possible:
//! 1. [`identities`]: identity and inference-time dropout go, so that the next passes see neighbours.
//! 2. [`constants`]: what depends on constants alone is computed once, `Constant` nodes included.
//! 3. [`batch_norm`]: a batch normalisation right after a convolution moves into its weights, which pass 2 may just have made constant.
//! 4. [`dead_nodes`]: what nobody reads any more goes.

use crate::graph::{Graph, Model, NodeId, ValueId};
use crate::task::TaskCtx;

use super::PlanError;

mod batch_norm;
mod constants;
mod dead_nodes;
mod identities;

/// Runs every pass on a copy of `model`. The copy shares the weights.
pub(super) fn optimize(ctx: &TaskCtx, model: &Model) -> Result<Model, PlanError> {
    let mut model = model.clone();
    identities::remove(&mut model.graph);
    constants::fold(ctx, &mut model)?;
    batch_norm::fold_into_convolutions(&mut model.graph);
    dead_nodes::remove(&mut model.graph);
    Ok(model)
}

/// Which nodes read each value, by [`ValueId`]; a node that reads a value twice stands twice. Graph outputs are not counted.
fn readers(graph: &Graph) -> Vec<Vec<NodeId>> {
    let mut readers = vec![Vec::new(); graph.values().len()];
    for (node_id, node) in graph.node_ids() {
        for input in node.inputs.iter().flatten() {
            readers[input.index()].push(node_id);
        }
    }
    readers
}

/// Whether a subgraph somewhere might capture values by name, so that values can't be renamed or removed freely.
fn has_subgraphs(graph: &Graph) -> bool {
    use crate::graph::Attribute;
    graph.nodes.iter().any(|node| node.attributes.0.values().any(|attribute| matches!(attribute, Attribute::Graph(_) | Attribute::Graphs(_))))
}

/// Removes the nodes for which `is_doomed` says so.
fn remove_nodes(graph: &mut Graph, is_doomed: &[bool]) {
    let mut doomed = is_doomed.iter();
    graph.nodes.retain(|_| !doomed.next().copied().unwrap_or(false));
}

fn is_graph_output(graph: &Graph, value: ValueId) -> bool {
    graph.outputs.contains(&value)
}
