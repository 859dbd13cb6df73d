//! Why an operator cannot be built or run. The engine adds node, operator and the shapes of all inputs around it.

use crate::graph::attribute::AttributeError;
use crate::host::HostTensorError;
use crate::task::Cancelled;
use crate::tensor::TensorError;

/// A sentence about one operator, in lower case, without the node's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpError {
    #[error(transparent)]
    Attribute(#[from] AttributeError),
    #[error(transparent)]
    Tensor(#[from] TensorError),
    #[error(transparent)]
    HostTensor(#[from] HostTensorError),
    #[error("input {index} ({name}) is missing; the operator needs it")]
    MissingInput { index: usize, name: &'static str },
    #[error("input {index} ({name}) should be {expected}, but is {found}")]
    WrongInput { index: usize, name: &'static str, expected: String, found: String },
    /// Shapes that do not go together.
    #[error("{0}")]
    Shape(String),
    /// An attribute or a run-time value out of its range.
    #[error("{0}")]
    Value(String),
    /// Legal ONNX that Drydock does not run yet. Never an approximation.
    #[error("{0} is not supported")]
    Unsupported(String),
    /// A node of the operator's own subgraph failed. Always the innermost one: errors on the way out are passed on as they are.
    #[error("inside it, node '{node}' ({operator}) with inputs {inputs}: {source}")]
    Inside { node: String, operator: String, inputs: String, source: Box<OpError> },
    /// A bug in Drydock or burn, contained.
    #[error("it broke down inside the engine: {0}. This is a bug in Drydock; please report it with the model")]
    BrokeDown(String),
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    #[error("a result of shape {shape:?} would take {bytes} bytes, more than the limit of {limit}")]
    ResultTooLarge { shape: Vec<usize>, bytes: u128, limit: u128 },
}

impl OpError {
    pub fn shape(message: impl Into<String>) -> Self {
        Self::Shape(message.into())
    }

    pub fn value(message: impl Into<String>) -> Self {
        Self::Value(message.into())
    }

    pub fn unsupported(what: impl Into<String>) -> Self {
        Self::Unsupported(what.into())
    }
}
