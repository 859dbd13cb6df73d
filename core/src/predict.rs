//! One row by hand: from typed text or JSON to a prediction, through the contract.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::model::OpenModel;
use crate::task::{Cancelled, TaskCtx};

/// A row as a person typed it: text by column name. A column that is absent or empty is a missing value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row(pub BTreeMap<String, String>);

/// What to predict.
#[derive(Debug, Clone, PartialEq)]
pub enum PredictRequest {
    Rows(Vec<Row>),
    /// A picture file for a model that takes one.
    Image(PathBuf),
}

/// The answers, one per row.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct PredictReport {
    pub predictions: Vec<Prediction>,
    /// Time of the model run alone, for all rows together.
    #[serde(rename = "run_seconds", serialize_with = "as_seconds")]
    pub run_time: Duration,
    pub device: String,
}

fn as_seconds<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

/// What the model says of one row.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize)]
pub struct Prediction {
    /// Classification: the label. Regression: the number as text.
    pub prediction: Option<String>,
    /// Classification: probability by label, in the contract's order.
    pub probabilities: Vec<(String, f64)>,
    /// Every other output, as `name` and its numbers or texts.
    pub outputs: Vec<(String, Vec<String>)>,
}

/// A row can't be predicted. Names the column, so that a form can mark it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PredictError {
    #[error("row {row}, column '{column}': {message}")]
    Cell { row: usize, column: String, message: String },
    #[error("there is no column '{column}'; {hint}")]
    UnknownColumn { column: String, hint: String },
    #[error("{path}: {message}")]
    Image { path: String, message: String },
    #[error("{0}")]
    Unsuitable(String),
    #[error(transparent)]
    Run(#[from] crate::engine::RunError),
    #[error(transparent)]
    Plan(#[from] crate::engine::PlanError),
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// Predicts rows or a picture.
pub fn predict(ctx: &TaskCtx, model: &OpenModel, request: &PredictRequest) -> Result<PredictReport, PredictError> {
    let _ = (ctx, model, request);
    Err(PredictError::Unsuitable("not built".to_owned()))
}
