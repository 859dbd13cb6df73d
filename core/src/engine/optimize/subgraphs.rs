//! Optimises the graphs inside a graph. A constant that a subgraph captures becomes a constant of its own first (sharing the data), so that the
//! passes, and the operators that prepare constants once, see it there. What a subgraph no longer reads it no longer captures.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::optimize_graph;
use crate::engine::PlanError;
use crate::graph::{Graph, Initializer, ValueId, with_stack};
use crate::task::TaskCtx;

pub(super) fn optimize(ctx: &TaskCtx, opsets: &BTreeMap<String, i64>, on_cpu: bool, graph: &mut Graph) -> Result<(), PlanError> {
    let overridable: HashSet<ValueId> = graph.inputs.iter().copied().collect();
    let Graph { nodes, initializers, .. } = graph;
    for subgraph in nodes.iter_mut().flat_map(crate::graph::Node::subgraphs_mut) {
        let subgraph = Arc::make_mut(subgraph);
        let captures = std::mem::take(&mut subgraph.captures);
        for capture in captures {
            match initializers.get(&capture.outer).filter(|_| !overridable.contains(&capture.outer)) {
                Some(constant) => {
                    subgraph.initializers.insert(capture.inner, Initializer::from(constant.tensor.clone()));
                }
                None => subgraph.captures.push(capture),
            }
        }
        with_stack(|| optimize_graph(ctx, opsets, on_cpu, subgraph))?;
        let still_free: HashSet<ValueId> = subgraph.free_values().into_iter().collect();
        subgraph.captures.retain(|capture| still_free.contains(&capture.inner));
    }
    Ok(())
}
