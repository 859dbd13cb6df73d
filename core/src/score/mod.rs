//! Table in, table out, in constant memory: bind columns to inputs, run batches, write predictions beside the kept columns,
//! set bad rows aside, and compute metrics when a label column exists.
//!
//! Added columns are `prediction`, `probability_<label>` in the contract's order, and every other output as `<output>` or `<output>_<i>`.
//! A kept column of the same name is an error, never a second column: the user renames it or leaves it out. Rows are numbered from 1, without
//! the header and blank lines. A run in which no row can be scored is an error.
//!
//! Read [`job`](score) for the course of a run, `pipeline` for its threads, [`bind`] for how columns find inputs,
//! [`ScoreOption`] for what people write.

use std::path::PathBuf;

use crate::task::Cancelled;

mod auc;
mod bind;
pub(crate) mod blocks;
pub(crate) mod definitions;
mod job;
pub(crate) mod metrics;
mod options;
mod pipeline;
pub(crate) mod quarantine;

pub use bind::bind;
pub use job::score;
pub use options::{ScoreOption, names_text, parse_names};

/// What to score, and how. The one place of its defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreRequest {
    pub data: PathBuf,
    /// The format follows from the extension, `.gz` and `.zst` included.
    pub output: PathBuf,
    /// The column with the true label or value, for metrics. `None`: the contract's target, if the table has it.
    pub label: Option<String>,
    /// Feature columns in order, for a model with one `[N, F]` input.
    pub columns: Option<Vec<String>>,
    /// Columns per input.
    pub bind: Vec<(String, Vec<String>)>,
    pub keep: Keep,
    pub on_error: OnError,
    /// Rows per batch; `None` lets Drydock choose.
    pub batch_rows: Option<usize>,
    /// Worker threads; `None` = one per core.
    pub threads: Option<usize>,
    /// Replace an output that exists.
    pub overwrite: bool,
}

impl Default for ScoreRequest {
    fn default() -> Self {
        Self {
            data: PathBuf::new(),
            output: PathBuf::new(),
            label: None,
            columns: None,
            bind: Vec::new(),
            keep: Keep::All,
            on_error: OnError::Stop,
            batch_rows: None,
            threads: None,
            overwrite: false,
        }
    }
}

impl ScoreRequest {
    /// Where results go unless the user says otherwise: `march.csv` → `march.scored.csv`, beside it.
    pub fn default_output(data: &std::path::Path) -> PathBuf {
        let name = data.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let (stem, extension) = match name.find('.') {
            Some(dot) if dot > 0 => name.split_at(dot),
            _ => (name.as_str(), ""),
        };
        data.with_file_name(format!("{stem}.scored{extension}"))
    }
}

/// Which columns of the table stand in the output beside the predictions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Keep {
    #[default]
    All,
    None,
    Columns(Vec<String>),
}

/// What happens at a row that can't be scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    #[default]
    Stop,
    /// Write it to a quarantine file with row number, column, value and reason, and go on.
    Skip,
}

/// How a table feeds a model.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Binding {
    /// By contract column: the table's column that feeds it.
    pub columns: Vec<BoundColumn>,
    /// The label column found, if any.
    pub label: Option<String>,
    /// Table columns that feed nothing.
    pub unused: Vec<String>,
    /// How it was decided: `--columns`, `--bind`, contract, input names, file order. A face announces it.
    pub decided_by: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct BoundColumn {
    pub column: String,
    /// Index in the table.
    pub table_index: usize,
    pub input: String,
    pub position: usize,
}

/// What came out.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ScoreReport {
    pub rows: u64,
    pub rows_scored: u64,
    pub rows_rejected: u64,
    pub seconds: f64,
    pub rows_per_second: f64,
    pub output: PathBuf,
    pub quarantine: Option<PathBuf>,
    pub metrics: Option<Metrics>,
    /// How the table was bound, and anything else worth a line.
    pub notes: Vec<String>,
}

/// Metrics against a label column.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(untagged)]
pub enum Metrics {
    Classification {
        rows: u64,
        accuracy: f64,
        /// Macro means over the labels.
        precision: f64,
        recall: f64,
        f1: f64,
        /// Matthews' correlation coefficient.
        mcc: f64,
        roc_auc: Option<f64>,
        /// Average precision.
        pr_auc: Option<f64>,
        log_loss: Option<f64>,
        brier: Option<f64>,
        labels: Vec<LabelMetrics>,
    },
    Regression {
        rows: u64,
        rmse: f64,
        mae: f64,
        /// Mean absolute error as a share of the truth, 0 to 1 and beyond.
        mape: f64,
        /// Absent for a single row, of which nothing varies that could be explained.
        r2: Option<f64>,
    },
}

/// A metric by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    Accuracy,
    Precision,
    Recall,
    F1,
    Mcc,
    RocAuc,
    PrAuc,
    LogLoss,
    Brier,
    /// Expected calibration error.
    Ece,
    Rmse,
    Mae,
    Mape,
    R2,
}

#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct LabelMetrics {
    pub label: String,
    pub precision: f64,
    pub recall: f64,
    pub f1: f64,
    pub support: u64,
}

impl Metric {
    pub const ALL: [Self; 14] = [
        Self::Accuracy,
        Self::Precision,
        Self::Recall,
        Self::F1,
        Self::Mcc,
        Self::RocAuc,
        Self::PrAuc,
        Self::LogLoss,
        Self::Brier,
        Self::Ece,
        Self::Rmse,
        Self::Mae,
        Self::Mape,
        Self::R2,
    ];

    /// As scripts and options write it: `roc_auc`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::Precision => "precision",
            Self::Recall => "recall",
            Self::F1 => "f1",
            Self::Mcc => "mcc",
            Self::RocAuc => "roc_auc",
            Self::PrAuc => "pr_auc",
            Self::LogLoss => "log_loss",
            Self::Brier => "brier",
            Self::Ece => "ece",
            Self::Rmse => "rmse",
            Self::Mae => "mae",
            Self::Mape => "mape",
            Self::R2 => "r2",
        }
    }

    /// As people read it: `ROC AUC`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::Precision => "precision",
            Self::Recall => "recall",
            Self::F1 => "F1",
            Self::Mcc => "MCC",
            Self::RocAuc => "ROC AUC",
            Self::PrAuc => "PR AUC",
            Self::LogLoss => "log loss",
            Self::Brier => "Brier",
            Self::Ece => "ECE",
            Self::Rmse => "RMSE",
            Self::Mae => "MAE",
            Self::Mape => "MAPE",
            Self::R2 => "R²",
        }
    }

    /// Whether less of it is better: losses and errors.
    pub const fn is_loss(self) -> bool {
        matches!(self, Self::LogLoss | Self::Brier | Self::Ece | Self::Rmse | Self::Mae | Self::Mape)
    }
}

impl std::str::FromStr for Metric {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = || Self::ALL.iter().map(|metric| metric.key());
        Self::ALL.into_iter().find(|metric| metric.key() == text).ok_or_else(|| {
            let hint = crate::contract::did_you_mean(text, known());
            format!("there is no metric '{text}'{hint}; the metrics are {}", known().collect::<Vec<_>>().join(", "))
        })
    }
}

/// Why a table can't be scored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScoreError {
    #[error(transparent)]
    Data(#[from] crate::data::DataError),
    #[error(transparent)]
    Plan(#[from] crate::engine::PlanError),
    /// Rows are counted from 1.
    #[error("rows {first_row} to {last_row}: {source}")]
    Run { first_row: u64, last_row: u64, source: crate::engine::RunError },
    /// The model ran, but its answers don't go with the rows or the contract.
    #[error("rows {first_row} to {last_row}: {message}")]
    Answers { first_row: u64, last_row: u64, message: String },
    /// No row could be scored; with the reason of the first.
    #[error("none of the {rows} rows could be scored; the first reason: {reason}")]
    NothingScored { rows: u64, reason: String },
    #[error("no threads to work with: {0}")]
    Threads(String),
    /// The table does not feed the model: lists what is missing, what is extra, and the nearest names.
    #[error("{0}")]
    Binding(String),
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

#[cfg(test)]
mod tests;
