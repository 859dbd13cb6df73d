//! How fast a model is, how large, how much memory it takes, where its time goes, and whether it will fit somewhere else.
//!
//! Load, compilation, first run and warm runs are kept apart. Warm runs are measured in windows until three of them agree; a measurement that never
//! settles says so. What one reads in a report follows conventions that stand beside the code: percentiles in [`statistics`], windows in
//! [`measure`], the roofline in [`operators`]. [`interleaved`] compares plans with each other.

use std::path::PathBuf;
use std::time::Duration;

use crate::task::Cancelled;
use crate::tensor::device::DeviceChoice;

mod fit;
pub mod history;
mod inputs;
pub mod interleaved;
mod job;
pub mod measure;
pub mod operators;
mod options;
mod report;
mod size;
pub mod statistics;
mod sweep;
mod trace;
pub mod versions;
mod views;

pub use fit::{FitReport, FitTarget};
pub use inputs::Feeder;
pub use job::profile;
pub use measure::Pace;
pub use operators::{Bound, OperatorReport};
pub use options::{ProfileOption, factor};
pub use report::{ConfigurationMemory, HistogramReport, LatencyReport, MemoryReport, OnDevice, ProfileReport, ProfileSummary, RunReport, Settings};
pub use size::{LayerSize, OperatorSize, SizeReport, TypeSize};

/// What to measure.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProfileRequest {
    /// Rows of a run. Empty: 1, 8 and 32, or 1 alone when it has to be quick; what the model's shape fixes, where it does.
    pub batches: Vec<usize>,
    /// Empty: as many as this process has.
    pub threads: Vec<usize>,
    /// Empty: the device that the model was opened on.
    pub devices: Vec<DeviceChoice>,
    /// A table whose rows are the inputs.
    pub data: Option<PathBuf>,
    /// Sizes of dimensions that the model leaves open.
    pub dims: Vec<(String, usize)>,
    /// For inputs that are drawn.
    pub seed: u64,
    pub effort: Effort,
    /// Whether to look at each operator too.
    pub operators: bool,
    /// The latency that a run may take: 19 of 20 runs have to keep it.
    pub max_latency: Option<Duration>,
    /// Where to write the operators of one run as a trace for `chrome://tracing` and Perfetto.
    pub trace: Option<PathBuf>,
    /// Another machine, on which the model is to run.
    pub fit: Option<FitTarget>,
}

/// How long to measure each configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effort {
    /// Three seconds and a hundred runs at least.
    Quick,
    /// Six seconds and a thousand runs at least, so that there is a 99th percentile.
    #[default]
    Standard,
    /// Thirty seconds and a thousand runs at least: for a report.
    Full,
}

impl Effort {
    pub const ALL: [Self; 3] = [Self::Quick, Self::Standard, Self::Full];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Standard => "standard",
            Self::Full => "full",
        }
    }

    pub const fn pace(self) -> Pace {
        let (window, window_runs, warm_up, limit) = match self {
            Self::Quick => (1000, 34, 200, 12_000),
            Self::Standard => (2000, 334, 500, 24_000),
            Self::Full => (10_000, 334, 1000, 120_000),
        };
        Pace {
            warm_up: Duration::from_millis(warm_up),
            window: Duration::from_millis(window),
            window_runs,
            max_windows: 10,
            limit: Duration::from_millis(limit),
        }
    }

    /// As a face says it: `3 windows of 2 s and 334 runs each, up to 10 until three agree, 24 s at most`.
    pub fn describe(self) -> String {
        let pace = self.pace();
        format!(
            "3 windows of {} s and {} runs each, up to {} until three agree, {} s at most",
            pace.window.as_secs(),
            pace.window_runs,
            pace.max_windows,
            pace.limit.as_secs()
        )
    }
}

/// Why a model can't be profiled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    #[error(transparent)]
    Load(#[from] crate::onnx::LoadError),
    #[error(transparent)]
    Contract(#[from] crate::contract::ContractError),
    #[error(transparent)]
    Plan(#[from] crate::engine::PlanError),
    #[error(transparent)]
    Run(#[from] crate::engine::RunError),
    #[error(transparent)]
    Device(#[from] crate::tensor::DeviceError),
    #[error(transparent)]
    Tensor(#[from] crate::tensor::TensorError),
    #[error(transparent)]
    Data(#[from] crate::data::DataError),
    #[error("{0} worker threads can't be had: {1}")]
    Threads(usize, String),
    /// The request and the model do not go together.
    #[error("{0}")]
    Unsuitable(String),
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

#[cfg(test)]
mod tests;
