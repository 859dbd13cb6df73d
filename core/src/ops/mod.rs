//! The operators: one [`Operator`] per ONNX operator, a file per family, and the [`registry`] that finds them by
//! (domain, type, opset). An operator validates shapes and types first and only then hands tensors to burn.
//!
//! Adding an operator: write it in its family's file, with the specification's address and opset history in the doc comment,
//! add one line to the family's `OPERATORS` table, and a golden case.

pub mod error;
pub mod fused;
pub mod inference;
pub mod operator;
pub mod placement;
pub mod registry;

pub(crate) mod broadcast;
pub(crate) mod integers;
pub(crate) mod movement;
pub(crate) mod precision;
pub(crate) mod shape;
pub(crate) mod types;
pub(crate) mod window;

#[cfg(test)]
pub(crate) mod testing;

pub mod activation;
pub mod attention;
pub mod bitwise;
pub mod concat;
pub mod constant;
pub mod contrib;
pub mod control_flow;
pub mod conv;
pub mod cumulative;
pub mod detection;
pub mod einsum;
pub mod elementwise;
pub mod gather;
pub mod image;
pub mod layout;
pub mod logic;
pub mod loss;
pub mod matmul;
pub mod matrices;
pub mod ml;
pub mod normalization;
pub mod pooling;
pub mod quantize;
pub mod random;
pub mod recurrent;
pub mod reduce;
pub mod resize;
pub mod sampling;
pub mod scatter;
pub mod selection;
pub mod sequence;
pub mod signal;
pub mod text;

pub use error::OpError;
pub use operator::{Body, Inputs, NodeContext, Operator, Placement, RunContext};
pub use registry::{OpsetRange, Registration, find, registrations};
