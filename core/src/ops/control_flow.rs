//! Control flow: operators that run a subgraph. What the subgraphs capture follows the operator's own inputs.
//!
//! Specification: <https://onnx.ai/onnx/operators/>, a page per operator.
//! If: 1, 11, 13 (sequences), 16 (optionals), 19 and later (types). Loop: the same. Scan: 8 (a batch axis comes first), 9 (axes), 11 (negative
//! axes), 16 and later (types). SequenceMap: 17. FlexAttention: 1 of `ai.onnx.preview`.

use std::sync::Arc;

use super::operator::{Captured, Outputs};
use super::{Body, Inputs, NodeContext, OpError, Operator, OpsetRange, Placement, Registration, RunContext};
use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::host::{Bool, ElementType};
use crate::tensor::Tensor;

mod flex_attention;
mod loops;
mod map;
mod scan;
mod stack;
#[cfg(test)]
mod tests;

pub const OPERATORS: &[Registration] = &[
    Registration { domain: "", op_type: "If", opsets: OpsetRange::from(1), build: build_if },
    Registration { domain: "ai.onnx.preview", op_type: "FlexAttention", opsets: OpsetRange::from(1), build: flex_attention::build },
    Registration { domain: "", op_type: "Loop", opsets: OpsetRange::from(1), build: loops::build },
    Registration { domain: "", op_type: "Scan", opsets: OpsetRange { first: 8, last: Some(8) }, build: scan::build_batched },
    Registration { domain: "", op_type: "Scan", opsets: OpsetRange::from(9), build: scan::build },
    Registration { domain: "", op_type: "SequenceMap", opsets: OpsetRange::from(17), build: map::build },
];

/// <https://onnx.ai/onnx/operators/onnx__If.html>. One of two branches runs; both take nothing but what they capture.
#[derive(Debug)]
struct If {
    then_branch: Arc<dyn Body>,
    else_branch: Arc<dyn Body>,
}

fn build_if(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let branch = |name: &str| {
        let branch = context.body(name)?;
        if branch.n_inputs() != 0 || branch.n_outputs() != context.n_outputs {
            return Err(OpError::value(format!(
                "the graph in attribute '{name}' should have no inputs and {} outputs like the node, but has {} and {}",
                context.n_outputs,
                branch.n_inputs(),
                branch.n_outputs()
            )));
        }
        Ok(branch)
    };
    Ok(Box::new(If { then_branch: branch("then_branch")?, else_branch: branch("else_branch")? }))
}

impl Operator for If {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let (_, captured) = Captured::split(inputs, 1);
        let then = self.then_branch.infer(Vec::new(), captured);
        let otherwise = self.else_branch.infer(Vec::new(), captured);
        Ok(then.into_iter().zip(otherwise).map(|(then, otherwise)| then?.join(&otherwise?)).collect())
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let condition = condition(&inputs.take_tensor(0, "cond")?, 0, "cond")?;
        let branch = if condition { &self.then_branch } else { &self.else_branch };
        Ok(branch.run(Vec::new(), &inputs.take_from(1), context)?.into())
    }

    fn placement(&self) -> Placement {
        Placement::PassThrough
    }

    fn macs(&self, inputs: &[Option<ValueType>], _outputs: &[Option<ValueType>]) -> Option<u64> {
        let captured = Captured { types: inputs.get(1..)?, constants: &[] };
        let (then, otherwise) = (self.then_branch.macs(Vec::new(), captured)?, self.else_branch.macs(Vec::new(), captured)?);
        // Which branch runs depends on data.
        (then == otherwise).then_some(then)
    }
}

/// The truth of a boolean tensor with one element.
fn condition(tensor: &Tensor, index: usize, name: &'static str) -> Result<bool, OpError> {
    if tensor.element_type() != ElementType::Bool || tensor.n_elements() != 1 {
        return Err(OpError::WrongInput { index, name, expected: "bool with one element".to_owned(), found: format!("{tensor:?}") });
    }
    Ok(tensor.as_slice::<Bool>()?.first().is_some_and(|value| value.get()))
}
