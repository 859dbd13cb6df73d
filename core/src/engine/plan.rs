//! Compiling a model into a plan.

use crate::graph::{Model, ValueType};
use crate::task::TaskCtx;
use crate::tensor::{Device, Value};

use super::{PlanError, RunError};

/// How a plan is compiled.
#[derive(Debug, Clone)]
pub struct PlanOptions {
    pub device: Device,
    /// Fold constants and fuse nodes. Off only to test that it changes nothing.
    pub optimize: bool,
    /// A single result larger than this is refused before it is allocated.
    pub max_result_bytes: u128,
}

impl Default for PlanOptions {
    fn default() -> Self {
        Self { device: Device::Cpu, optimize: true, max_result_bytes: 8 << 30 }
    }
}

/// An input or output of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanInput {
    pub name: String,
    pub value_type: Option<ValueType>,
    /// Has a default in the model.
    pub is_optional: bool,
}

/// A model compiled for a device. Cheap to share (`Arc<Plan>`); [`Plan::run`] takes `&self` and may be called from several threads at once.
#[derive(Debug)]
pub struct Plan {
    inputs: Vec<PlanInput>,
    outputs: Vec<PlanInput>,
}

impl Plan {
    pub fn compile(_ctx: &TaskCtx, _model: &Model, _options: &PlanOptions) -> Result<Self, PlanError> {
        Err(PlanError::Unsupported(Vec::new()))
    }

    pub fn inputs(&self) -> &[PlanInput] {
        &self.inputs
    }

    /// Outputs, in the order in which [`Plan::run`] returns them.
    pub fn outputs(&self) -> &[PlanInput] {
        &self.outputs
    }

    /// Runs the model on named inputs; results are in host memory.
    pub fn run(&self, ctx: &TaskCtx, inputs: Vec<(String, Value)>) -> Result<Vec<Value>, RunError> {
        let _ = (ctx, inputs);
        Ok(Vec::new())
    }
}
