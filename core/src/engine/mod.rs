//! From a graph to results: optimising passes, a plan compiled once for a device, and runs of it from any number of threads.
//!
//! `Model` → [`optimize`] passes on a copy of the graph → [`Plan`] (operators built, constants on the device, last uses known) → [`Plan::run`].

mod body;
mod compile;
mod error;
mod guard;
mod observe;
pub mod optimize;
mod origins;
mod plan;
mod run;
mod slots;
mod sparse;

pub use error::{PlanError, RunError, UnsupportedNode};
pub use observe::{RunCosts, RunTrace, RunsOn, StepCost, StepInfo};
pub use plan::{Plan, PlanInput, PlanOptions};
