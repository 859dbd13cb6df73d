//! Collects one tensor per iteration and lays them side by side along a new axis.

use crate::graph::ValueType;
use crate::ops::shape::normalize_axis;
use crate::ops::types::check_same_type;
use crate::ops::{OpError, RunContext, movement};
use crate::tensor::{Device, Shape, Tensor, Value};

/// So many tensors are joined at a time: a loop may make millions of small ones, each of which takes far more memory than its elements.
const CHUNK: usize = 1024;

/// What a scan output has collected.
pub(super) struct Stack {
    /// For messages: "scan output 0".
    name: String,
    axis: i64,
    /// The last iteration comes first.
    is_reversed: bool,
    /// Element shape with the new axis as 1; known from the first iteration on.
    shape: Option<(usize, Shape)>,
    joined: Vec<Tensor>,
    pending: Vec<Tensor>,
    bytes: u128,
}

impl Stack {
    pub fn new(name: String, axis: i64, is_reversed: bool) -> Self {
        Self { name, axis, is_reversed, shape: None, joined: Vec::new(), pending: Vec::new(), bytes: 0 }
    }

    pub fn push(&mut self, value: Value, context: &RunContext<'_>) -> Result<(), OpError> {
        let Value::Tensor(tensor) = value else {
            return Err(OpError::value(format!("{} should be a tensor, but the subgraph made {}", self.name, value.describe())));
        };
        let axis = normalize_axis(self.axis, tensor.rank() + 1)?;
        let mut shape = Shape::from_slice(tensor.shape());
        shape.insert(axis, 1);
        let (_, expected) = self.shape.get_or_insert_with(|| (axis, shape.clone()));
        if *expected != shape {
            expected.remove(axis.min(expected.len() - 1));
            return Err(OpError::shape(format!(
                "{} has shape {:?} in this iteration, but {:?} in the first; all must be equal",
                self.name,
                tensor.shape(),
                expected.as_slice()
            )));
        }
        let bits = tensor.element_type().bits().unwrap_or(192);
        self.bytes = self.bytes.saturating_add((tensor.n_elements() as u128).saturating_mul(bits as u128) / 8);
        context.check_collected(&self.name, self.bytes)?;
        let mut reshaped = tensor.reshaped(&shape)?;
        if let Some(first) = self.joined.first().or(self.pending.first()) {
            check_same_type(first, &reshaped)?;
            // What goes into the loop may be in host memory, and what an iteration makes on a GPU.
            reshaped = reshaped.to_device(if first.is_on_host() { &Device::Cpu } else { context.device })?;
        }
        self.pending.push(reshaped);
        if self.pending.len() == CHUNK { self.join_pending() } else { Ok(()) }
    }

    fn join_pending(&mut self) -> Result<(), OpError> {
        let Some((axis, _)) = &self.shape else { return Ok(()) };
        if self.is_reversed {
            self.pending.reverse();
        }
        self.joined.push(movement::join(movement::on_one_side(std::mem::take(&mut self.pending))?, *axis)?);
        Ok(())
    }

    /// The stacked tensor. `declared` is the type of one element as the file has it: without any iteration nothing else is known.
    pub fn finish(mut self, declared: Option<&ValueType>) -> Result<Tensor, OpError> {
        if !self.pending.is_empty() {
            self.join_pending()?;
        }
        if self.is_reversed {
            self.joined.reverse();
        }
        if let Some((axis, _)) = self.shape {
            return movement::join(movement::on_one_side(self.joined)?, axis);
        }
        let (element_type, shape) = declared
            .and_then(ValueType::as_tensor)
            .ok_or_else(|| OpError::value(format!("{} has no iteration, and the model does not declare the type that it would have", self.name)))?;
        let mut shape: Shape = shape.dims().unwrap_or_default().iter().map(|dim| dim.known().unwrap_or(0)).collect();
        shape.insert(normalize_axis(self.axis, shape.len() + 1)?, 0);
        Ok(Tensor::empty(element_type, &shape))
    }
}
