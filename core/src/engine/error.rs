//! Errors of the engine. They name the node, the operator, and the types and shapes of its inputs.

use crate::ops::OpError;
use crate::task::Cancelled;

/// A model cannot be made into a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    #[error(transparent)]
    Cycle(#[from] crate::graph::order::CycleError),
    #[error(transparent)]
    Functions(#[from] crate::graph::functions::FunctionError),
    /// Every operator that is missing, found before any data is read.
    #[error("this model can't run here: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Unsupported(Vec<UnsupportedNode>),
    #[error("node '{node}' ({operator}): {source}")]
    Operator { node: String, operator: String, source: OpError },
    #[error("node '{node}' ({operator}) reads '{value}', which nothing makes: no input, no initializer and no node has that name")]
    MissingValue { node: String, operator: String, value: String },
    #[error("output '{0}' is made by no node and is neither an input nor an initializer")]
    MissingOutput(String),
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// A node whose operator Drydock does not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsupportedNode {
    pub node: String,
    /// `Conv`, `ai.onnx.ml.Scaler`.
    pub operator: String,
    pub reason: String,
}

impl std::fmt::Display for UnsupportedNode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "node '{}' ({}): {}", self.node, self.operator, self.reason)
    }
}

/// A run failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    #[error("the model has no input '{name}'; its inputs are {known}")]
    UnknownInput { name: String, known: String },
    #[error("input '{name}' ({expected}) was not given")]
    MissingInput { name: String, expected: String },
    #[error("input '{name}' should be {expected}, but is {found}")]
    WrongInput { name: String, expected: String, found: String },
    #[error("node '{node}' ({operator}) with inputs {inputs}: {source}")]
    Operator { node: String, operator: String, inputs: String, source: OpError },
    /// A bug in Drydock or burn, contained: the program goes on.
    #[error(
        "node '{node}' ({operator}) with inputs {inputs} broke down inside the engine: {message}. This is a bug in Drydock; please report it with the model"
    )]
    Panicked { node: String, operator: String, inputs: String, message: String },
    #[error("reading the results failed: {0}")]
    Results(#[from] crate::tensor::TensorError),
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}
