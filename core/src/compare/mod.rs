//! Two or more versions of a model on the same rows: how far they agree, which metrics differ and how surely, which rows change and why;
//! what changed in the files ([`diff`]); and the gate before shipping ([`check`]).
//!
//! The first version is the baseline, A; every other one is compared with it. A table is read once: each block goes through all versions in
//! the same worker, and only aggregates are kept, with the rows that changed most up to a bound.
//!
//! Read [`compare`](job::compare) for the course of a comparison, `rows` for what happens to a block, `tally` and `bootstrap` for the
//! statistics, `tree` for what explains the changes, `present` for the tables and figures.

use std::path::PathBuf;
use std::sync::Arc;

use crate::contract;
use crate::report::Provenance;
use crate::score::{Metric, OnError, ScoreError};
use crate::task::Cancelled;
use crate::tensor::device::DeviceChoice;

mod agreement;
mod areas;
mod bootstrap;
mod changed;
pub mod check;
mod collect;
pub mod diff;
mod file;
mod finish;
mod job;
mod json;
mod labels;
mod latency;
mod present;
mod rows;
mod statistics;
mod tally;
mod tree;
mod windows;

pub use job::compare;
pub use windows::Window;

/// What to compare, and how. The one place of its defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct CompareRequest {
    /// Model files; the first is the baseline.
    pub versions: Vec<PathBuf>,
    pub device: DeviceChoice,
    pub data: PathBuf,
    /// The column with the truth; `None` = the first contract's target, where the table has it.
    pub label: Option<String>,
    /// Feature columns in order, for models with one `[N, F]` input.
    pub columns: Option<Vec<String>>,
    /// Columns per input, for every version.
    pub bind: Vec<(String, Vec<String>)>,
    pub on_error: OnError,
    pub batch_rows: Option<usize>,
    pub threads: Option<usize>,
    /// Where the changed rows are written; the name says the format.
    pub changed: Option<PathBuf>,
    /// Replace a file of changed rows that exists.
    pub overwrite: bool,
    /// Changed rows that are kept, at most.
    pub max_changed: usize,
    /// A column of times, by which agreement and metrics are followed.
    pub time: Option<String>,
    pub window: Option<Window>,
    pub split: Option<Split>,
    /// Measure latency, throughput and memory of the versions, interleaved.
    pub measures_latency: bool,
}

impl Default for CompareRequest {
    fn default() -> Self {
        Self {
            versions: Vec::new(),
            device: DeviceChoice::default(),
            data: PathBuf::new(),
            label: None,
            columns: None,
            bind: Vec::new(),
            on_error: OnError::Stop,
            batch_rows: None,
            threads: None,
            changed: None,
            overwrite: false,
            max_changed: 1000,
            time: None,
            window: None,
            split: None,
            measures_latency: true,
        }
    }
}

/// A canary on recorded rows: this share of them is served by the second version, the rest by the first.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// 0 to 1.
    pub share: f64,
    /// Rows with the same value here go the same way, as one customer does; `None` = by the cells that feed the models.
    pub column: Option<String>,
}

/// What came out.
#[derive(Debug, Clone, PartialEq)]
pub struct CompareReport {
    /// Rows of the table.
    pub rows: u64,
    /// Rows that every version answered.
    pub rows_compared: u64,
    pub rows_rejected: u64,
    pub rows_labelled: u64,
    pub seconds: f64,
    pub task: contract::Task,
    /// The label column, where there are labels.
    pub label: Option<String>,
    /// By version, the baseline first.
    pub versions: Vec<VersionReport>,
    /// By version after the baseline.
    pub pairs: Vec<PairReport>,
    /// By time or by number of rows.
    pub windows: Option<WindowReport>,
    pub split: Option<SplitReport>,
    /// What a reader should know: bindings, what could not be said, and why.
    pub notes: Vec<String>,
    /// How intervals and tests were made.
    pub methods: Vec<String>,
    pub provenance: Provenance,
}

/// One version.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct VersionReport {
    /// What the report calls it: the contract's name and version, told apart where two are the same.
    pub name: String,
    pub path: PathBuf,
    pub file_bytes: u64,
    pub parameters: u64,
    pub macs: Option<u64>,
    /// Weights and the most that is alive of one row at once, as planned.
    pub memory_bytes: Option<u64>,
    /// The most memory that was alive at once while the version was loaded, compiled and run on one row; files that are mapped count whole.
    /// Absent on a GPU, whose memory does not tell, and where it was not measured.
    pub measured_memory_bytes: Option<u64>,
    /// By metric; empty without labels.
    pub metrics: Vec<MetricValue>,
    pub calibration: Option<Calibration>,
    /// Measured beside the other versions.
    pub latency: Option<VersionLatency>,
}

/// A metric of one version with its interval.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct MetricValue {
    pub name: Metric,
    pub value: f64,
    pub interval: Option<Interval>,
}

/// A 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

/// Whether probabilities mean what they say.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Calibration {
    /// Expected calibration error over the bins.
    pub ece: f64,
    pub brier: f64,
    /// What the bins hold: the second label's probability, or the predicted label's.
    pub of: String,
    /// Of equal width over 0 to 1.
    pub bins: Vec<CalibrationBin>,
}

#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct CalibrationBin {
    pub rows: u64,
    /// Means over the bin's rows; absent without any.
    pub probability: Option<f64>,
    pub frequency: Option<f64>,
}

/// What one run costs, by the version.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct VersionLatency {
    pub batch: usize,
    /// Percentiles need enough runs.
    pub p50_ms: Option<f64>,
    pub p95_ms: Option<f64>,
    pub rows_per_second: f64,
}

/// A version against the baseline.
#[derive(Debug, Clone, PartialEq)]
pub struct PairReport {
    /// Index of the version.
    pub version: usize,
    pub agreement: Agreement,
    pub metrics: Vec<MetricComparison>,
    /// For labels, where the truth is known.
    pub mcnemar: Option<McNemar>,
    pub changed: ChangedRows,
    pub explanation: Option<Explanation>,
    pub latency: Option<LatencyComparison>,
}

/// How far two versions say the same, whatever the truth.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Agreement {
    /// The share of rows on which both say the same: the same label, or numbers within `tolerance`.
    pub share: f64,
    pub interval: Interval,
    pub rows_agreeing: u64,
    /// How numbers are held to be the same: absent for labels.
    pub tolerance: Option<String>,
    /// What the measures below are over: probabilities, predictions, or another output.
    pub over: String,
    pub cosine: Option<f64>,
    pub rmse: Option<f64>,
    pub max_difference: Option<f64>,
    /// 20·log10(‖a‖ / ‖a − b‖); absent where nothing differs.
    pub sqnr_db: Option<f64>,
    /// Every number is the same, bit for bit.
    pub is_identical: bool,
    /// From label to label, most rows first.
    pub transitions: Vec<Transition>,
}

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Transition {
    pub from: String,
    pub to: String,
    pub rows: u64,
}

/// A metric of two versions.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct MetricComparison {
    pub name: Metric,
    pub a: f64,
    pub b: f64,
    /// b − a.
    pub difference: f64,
    /// Of the difference, over the same rows resampled for both.
    pub interval: Option<Interval>,
    pub judgement: Judgement,
}

/// Whether a difference is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    Better,
    Worse,
    /// The interval holds 0.
    NoDifference,
    /// There is no interval to judge by.
    NotJudged,
}

impl Judgement {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::NoDifference => "no difference",
            Self::NotJudged => "not judged",
        }
    }

    /// Of a metric, by the interval of its difference.
    pub fn of(metric: Metric, interval: Option<Interval>) -> Self {
        let Some(interval) = interval else { return Self::NotJudged };
        if interval.low > 0.0 || interval.high < 0.0 {
            if (interval.low > 0.0) == metric.is_loss() { Self::Worse } else { Self::Better }
        } else {
            Self::NoDifference
        }
    }
}

/// McNemar's test: do the versions err on different rows equally often?
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct McNemar {
    /// Rows that only the baseline has right.
    pub only_a_right: u64,
    /// Rows that only the other version has right.
    pub only_b_right: u64,
    pub method: McNemarMethod,
    /// Absent for the exact test.
    pub statistic: Option<f64>,
    pub p_value: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum McNemarMethod {
    /// Fewer than 25 rows tell the versions apart.
    ExactBinomial,
    /// χ² with continuity correction.
    ChiSquared,
}

/// The rows that changed most.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChangedRows {
    /// Rows whose label flipped, or whose number moved beyond the tolerance.
    pub n_changed: u64,
    /// Rows on which anything differs.
    pub n_moved: u64,
    /// The table's columns that `cells` hold.
    pub columns: Arc<[String]>,
    /// Flips first, then by how far they moved. At most as many as the request keeps.
    pub rows: Vec<ChangedRow>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ChangedRow {
    /// From 1.
    pub row: u64,
    pub is_flip: bool,
    /// What the versions say.
    pub a: String,
    pub b: String,
    /// The largest change of a probability, or the change of the number.
    pub change: f64,
    pub truth: Option<String>,
    /// The row's cells as text; empty where missing.
    pub cells: Vec<String>,
}

/// Which rows change, in terms of the table's columns: the leaves of a shallow tree.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Explanation {
    /// What is explained: "share of rows whose label flips", "mean change".
    pub of: String,
    /// Over all rows.
    pub overall: f64,
    /// Whether `value` and `overall` are shares of rows.
    pub is_share: bool,
    /// Highest first.
    pub rules: Vec<Rule>,
    /// Rows that the tree was grown on.
    pub rows_used: u64,
}

#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Rule {
    /// All of these hold: "amount > 812", "merchant is gift_cards or travel". Empty for all rows.
    pub conditions: Vec<String>,
    /// Share of all rows for which they hold, estimated from the rows used.
    pub share_of_rows: f64,
    pub value: f64,
}

/// Two versions timed in turns.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct LatencyComparison {
    /// Median of b over a, less 1.
    pub change: f64,
    pub interval: Option<Interval>,
    pub judgement: Judgement,
}

/// Agreement and metrics as time goes by.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct WindowReport {
    /// The column, or `None` for the order of the rows.
    pub time: Option<String>,
    pub window: String,
    pub metric: Option<Metric>,
    pub windows: Vec<WindowRow>,
    /// Rows without a time.
    pub rows_without_time: u64,
}

#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct WindowRow {
    /// When it begins: a time in RFC 3339, or the number of its first row.
    pub start: String,
    pub rows: u64,
    /// By version after the baseline: the share of rows that changed.
    pub changed_share: Vec<f64>,
    /// By version: the metric; absent without labels.
    pub metric: Vec<Option<f64>>,
}

/// What a canary would have shown.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct SplitReport {
    pub share_wanted: f64,
    pub column: Option<String>,
    /// The rows served by the first version, then those served by the second.
    pub arms: Vec<ArmReport>,
    /// Metrics of the second arm less those of the first, each over its own rows.
    pub metrics: Vec<MetricComparison>,
}

#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ArmReport {
    /// Index of the version that served.
    pub version: usize,
    pub rows: u64,
    pub share: f64,
    pub rows_labelled: u64,
    /// Rows on which the other version, run in the shadow, would have said something else.
    pub rows_changed: u64,
    pub changed_share: f64,
    pub metrics: Vec<MetricValue>,
}

/// Why versions can't be compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompareError {
    #[error("{}", version_problem(path, source))]
    Version { path: PathBuf, source: Box<crate::Error> },
    #[error(transparent)]
    Score(#[from] ScoreError),
    #[error(transparent)]
    Data(#[from] crate::data::DataError),
    #[error(transparent)]
    Profile(#[from] crate::profile::ProfileError),
    #[error(transparent)]
    Device(#[from] crate::tensor::DeviceError),
    /// The request, or the versions, don't go together.
    #[error("{0}")]
    Unfit(String),
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// What is wrong with a version, by the name that it was given; that is said once.
fn version_problem(path: &std::path::Path, source: &crate::Error) -> String {
    let (name, problem) = (path.display().to_string(), source.to_string());
    if problem.starts_with(&format!("{name}: ")) { problem } else { format!("{name}: {problem}") }
}

impl CompareError {
    /// Whether this is the user's own "stop".
    pub(crate) fn is_cancelled(&self) -> bool {
        match self {
            Self::Cancelled(_) | Self::Score(ScoreError::Cancelled(_)) | Self::Data(crate::data::DataError::Cancelled(_)) => true,
            Self::Version { source, .. } => source.is_cancelled(),
            _ => false,
        }
    }
}
