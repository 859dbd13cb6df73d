//! Everything of Drydock that is not a screen. Modules in reading order; each may use those above it.
//! ARCHITECTURE.md at the root of the repository has the map and the invariants.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that unwraps nothing fails with a backtrace, which is what it should do"))]

pub mod budget;
pub mod format;
pub mod home;
pub mod report;
pub mod stderr;
pub mod task;

pub mod host;

pub mod graph;
pub mod onnx;

pub mod tensor;

pub mod ops;

pub mod kernels;

pub mod machine;

pub mod engine;

pub mod data;

pub mod contract;
pub mod model;
pub mod registry;

pub mod compare;
pub mod doctor;
pub mod inspect;
pub mod predict;
pub mod profile;
pub mod score;
pub mod verify;

pub mod package;
pub mod resolve;

pub mod error;
pub mod jobs;
pub mod session;

pub use error::Error;
