//! Computes what depends on constants alone, once, when the plan is compiled.

use std::collections::BTreeMap;

use smallvec::SmallVec;

use crate::engine::PlanError;
use crate::engine::compile::build_operator;
use crate::engine::guard::contain;
use crate::graph::edit::GraphEditor;
use crate::graph::{Graph, NodeId, ValueId, order};
use crate::host::HostTensor;
use crate::ops::{Inputs, RunContext};
use crate::task::TaskCtx;
use crate::tensor::{Device, Tensor, Value};

/// Results larger than this are left to run time: folding must not turn a small file into a large plan.
const MAX_FOLDED_BYTES: u128 = 64 << 20;

pub(super) fn fold(ctx: &TaskCtx, opsets: &BTreeMap<String, i64>, graph: &mut Graph) -> Result<(), PlanError> {
    for node_id in order::topological_order(graph)? {
        ctx.checkpoint()?;
        for (value, tensor) in results_of(ctx, opsets, graph, node_id).unwrap_or_default() {
            graph.initializers.insert(value, tensor.into());
        }
    }
    // A value that is a constant now has no node any more.
    let folded: Vec<(ValueId, HostTensor)> = graph
        .nodes
        .iter()
        .flat_map(|node| node.outputs.iter().flatten())
        .filter_map(|id| Some((*id, graph.initializers.get(id)?.tensor.clone())))
        .collect();
    let mut editor = GraphEditor::new(graph);
    for (value, tensor) in folded {
        editor.set_constant(value, tensor);
    }
    Ok(())
}

/// The results of a node whose inputs are all constant; `None` where it has to run, or fails: then the run says why.
fn results_of(ctx: &TaskCtx, opsets: &BTreeMap<String, i64>, graph: &Graph, node_id: NodeId) -> Option<Vec<(ValueId, HostTensor)>> {
    let node = graph.node(node_id);
    let has_subgraph = node.subgraphs().next().is_some();
    let is_constant = node.inputs.iter().flatten().all(|id| graph.constant(*id).is_some());
    if has_subgraph || !is_constant {
        return None;
    }
    let operator = build_operator(opsets, graph, node, &[]).ok().filter(|operator| operator.is_deterministic())?;
    let mut inputs = SmallVec::new();
    for input in &node.inputs {
        inputs.push(match input {
            None => None,
            Some(id) => Some(Value::Tensor(Tensor::from_host(graph.constant(*id)?).ok()?)),
        });
    }
    let context = RunContext { device: &Device::Cpu, max_result_bytes: MAX_FOLDED_BYTES, task: ctx };
    let outputs = contain(|| operator.run(Inputs::new(inputs), &context)).ok()?.ok()?;
    let mut results = Vec::with_capacity(outputs.len());
    for (id, value) in node.outputs.iter().zip(outputs) {
        if let Some(id) = id {
            results.push((*id, value.as_tensor()?.to_host().ok()?));
        }
    }
    Some(results)
}
