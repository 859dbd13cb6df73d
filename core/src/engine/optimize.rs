//! Optimising passes over a copy of the graph. The optimised graph never leaves the engine: what Drydock saves is the user's own.
//!
//! In this order, each pass seeing what the one before made possible:
//! 1. [`identities`]: identity and inference-time dropout go, so that the next passes see neighbours.
//! 2. [`constants`]: what depends on constants alone is computed once, `Constant` nodes included.
//! 3. [`branches`]: an `If` whose condition is a constant now gives way to the branch that it takes, and 1 and 2 go over that.
//! 4. [`subgraphs`]: constants that a subgraph captures become its own, and it is optimised in the same way.
//! 5. [`channel_scaling`]: what scales and shifts channels by constants moves into the convolution or normalisation before it, whose weights pass 2 may just
//!    have made constant.
//! 6. [`fuse`]: on the CPU, products with constant weights and what follows them become one node of the engine's own, as do shuffles of channels.
//! 7. What nobody reads any more goes.

use std::collections::BTreeMap;

use crate::graph::edit::GraphEditor;
use crate::graph::{Graph, Model};
use crate::task::TaskCtx;

use super::PlanError;

mod branches;
mod channel_scaling;
mod constants;
mod fuse;
mod identities;
mod subgraphs;
#[cfg(test)]
mod testing;

/// So many decided branches inside each other give way; the rest run as they are.
const MAX_DECIDED_LEVELS: usize = 8;

/// Runs every pass on a model that is the engine's own, for a plan on the CPU or elsewhere.
pub(super) fn optimize(ctx: &TaskCtx, model: &mut Model, on_cpu: bool) -> Result<(), PlanError> {
    // Before version 4 of the format every initializer had to be listed as an input too, and none could be overridden.
    if (1..4).contains(&model.ir_version) {
        let Graph { inputs, initializers, .. } = &mut model.graph;
        inputs.retain(|id| !initializers.contains_key(id));
    }
    optimize_graph(ctx, &model.opset_imports, on_cpu, &mut model.graph)
}

/// Runs every pass on a graph, the main one or a subgraph.
fn optimize_graph(ctx: &TaskCtx, opsets: &BTreeMap<String, i64>, on_cpu: bool, graph: &mut Graph) -> Result<(), PlanError> {
    identities::remove(&mut GraphEditor::new(graph));
    constants::fold(ctx, opsets, graph)?;
    for _ in 0..MAX_DECIDED_LEVELS {
        if !branches::decide(graph) {
            break;
        }
        identities::remove(&mut GraphEditor::new(graph));
        constants::fold(ctx, opsets, graph)?;
    }
    subgraphs::optimize(ctx, opsets, on_cpu, graph)?;
    let mut editor = GraphEditor::new(graph);
    channel_scaling::fold(&mut editor);
    if on_cpu {
        fuse::fuse(&mut editor, opsets.get("").copied().unwrap_or_default());
    }
    editor.remove_unused();
    Ok(())
}
