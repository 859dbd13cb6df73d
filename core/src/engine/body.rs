//! A subgraph made ready to run, as the operator of its node calls it.

use super::plan::{Program, Slot, Target};
use super::run;
use super::slots::Slots;
use crate::graph::{ValueType, with_stack};
use crate::ops::operator::Captured;
use crate::ops::{Body, OpError, RunContext};
use crate::tensor::Value;

/// A compiled subgraph.
#[derive(Debug)]
pub(super) struct CompiledBody {
    /// Where the operator's arguments go.
    pub inputs: Vec<Slot>,
    /// What the file declares inputs and outputs to be.
    pub input_types: Vec<Option<ValueType>>,
    pub output_types: Vec<Option<ValueType>>,
    /// Which of the values that the node's subgraphs capture go where.
    pub captures: Vec<(usize, Slot)>,
    /// Where the subgraph wants them, in the same order.
    pub capture_targets: Vec<Target>,
    pub is_nested: bool,
    pub program: Program,
}

impl Body for CompiledBody {
    fn n_inputs(&self) -> usize {
        self.inputs.len()
    }

    fn n_outputs(&self) -> usize {
        self.program.outputs.len()
    }

    fn input_type(&self, index: usize) -> Option<&ValueType> {
        self.input_types.get(index)?.as_ref()
    }

    fn output_type(&self, index: usize) -> Option<&ValueType> {
        self.output_types.get(index)?.as_ref()
    }

    fn is_nested(&self) -> bool {
        self.is_nested
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
        let mut values = Slots::new(self.program.n_slots);
        for (slot, value) in self.inputs.iter().zip(inputs) {
            values.put(*slot, value);
        }
        for (index, slot) in &self.captures {
            if let Some(value) = captured.get(*index) {
                values.put(*slot, value.clone());
            }
        }
        with_stack(|| run::run_program(&self.program, values, context)).map_err(|failure| failure.into_op_error(&self.program))
    }
}
