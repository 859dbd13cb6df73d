//! A subgraph made ready to run, as the operator of its node calls it.

use super::plan::{Program, Slot};
use super::run;
use crate::graph::{ValueType, with_stack};
use crate::ops::operator::Captured;
use crate::ops::{Body, OpError, RunContext};
use crate::tensor::Value;

/// A compiled subgraph.
#[derive(Debug)]
pub(super) struct CompiledBody {
    /// Where the operator's arguments go.
    pub inputs: Vec<Slot>,
    /// Which of the values that the node's subgraphs capture go where.
    pub captures: Vec<(usize, Slot)>,
    pub program: Program,
}

impl Body for CompiledBody {
    fn n_inputs(&self) -> usize {
        self.inputs.len()
    }

    fn n_outputs(&self) -> usize {
        self.program.outputs.len()
    }

    fn infer(&self, _inputs: Vec<Option<ValueType>>, _captured: Captured<'_>) -> Vec<Option<ValueType>> {
        vec![None; self.n_outputs()]
    }

    fn macs(&self, _inputs: Vec<Option<ValueType>>, _captured: Captured<'_>) -> Option<u64> {
        None
    }

    fn run(&self, inputs: Vec<Value>, captured: &[Value], context: &RunContext<'_>) -> Result<Vec<Value>, OpError> {
        if inputs.len() != self.inputs.len() {
            return Err(OpError::value(format!("its subgraph takes {} inputs, but {} were given", self.inputs.len(), inputs.len())));
        }
        let mut values: Vec<Option<Value>> = vec![None; self.program.n_slots];
        for (slot, value) in self.inputs.iter().zip(inputs) {
            values[*slot] = Some(value);
        }
        for (index, slot) in &self.captures {
            values[*slot] = captured.get(*index).cloned();
        }
        with_stack(|| run::run_program(&self.program, values, context)).map_err(|failure| failure.into_op_error(&self.program))
    }
}
