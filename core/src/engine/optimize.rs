//! Optimising passes over a copy of the graph. The optimised graph never leaves the engine: what Drydock saves is the user's own.
//!
//! In this order, each pass seeing what the one before made possible:
//! 1. [`identities`]: identity and inference-time dropout go, so that the next passes see neighbours.
//! 2. [`constants`]: what depends on constants alone is computed once, `Constant` nodes included.
//! 3. [`batch_norm`]: a batch normalisation right after a convolution moves into its weights, which pass 2 may just have made constant.
//! 4. What nobody reads any more goes.

use crate::graph::Model;
use crate::graph::edit::GraphEditor;
use crate::task::TaskCtx;

use super::PlanError;

mod batch_norm;
mod constants;
mod identities;

/// Runs every pass on a copy of `model`. The copy shares the weights.
pub(super) fn optimize(ctx: &TaskCtx, model: &Model) -> Result<Model, PlanError> {
    let mut model = model.clone();
    identities::remove(&mut GraphEditor::new(&mut model.graph));
    constants::fold(ctx, &mut model)?;
    let mut editor = GraphEditor::new(&mut model.graph);
    batch_norm::fold_into_convolutions(&mut editor);
    editor.remove_unused();
    drop(editor);
    Ok(model)
}
