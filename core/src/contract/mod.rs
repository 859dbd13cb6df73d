//! What a model expects and means: which columns feed which input in which order, the class labels, the task, units and ranges.
//!
//! A contract stands in the model's `metadata_props` under [`METADATA_KEY`] and in a readable `<file stem>.drydock.toml` beside it, which
//! wins; both hold the same TOML text. A model that has neither gets one derived from its own signature. What a written contract leaves
//! out (outputs, labels, columns) is filled in from the signature too.
//!
//! [`InputLayout`] turns cells into a model's inputs, [`OutputLayout`] a model's outputs into answers.

use std::path::{Path, PathBuf};

use crate::graph::Model;

mod check;
mod derive;
mod file;
mod inputs;
mod nearest;
mod outputs;
#[cfg(test)]
pub(crate) mod testing;

pub(crate) use check::names;
pub use file::{METADATA_KEY, sidecar_path};
pub use inputs::{InputLayout, InputRows, RefusedCell};
pub use nearest::{did_you_mean, nearest};
pub use outputs::{Answers, OutputLayout};

/// The meaning of a model.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Contract {
    pub name: Option<String>,
    pub version: Option<u32>,
    pub description: Option<String>,
    pub task: Task,
    /// The label column in tables that have one.
    pub target: Option<String>,
    /// Class labels in the order of the probabilities.
    pub labels: Vec<String>,
    /// Unit of a regression's prediction.
    pub unit: Option<String>,
    /// The output that holds the predicted label or number.
    pub prediction_output: Option<String>,
    /// The output that holds probabilities (a tensor, or maps).
    pub probability_output: Option<String>,
    /// What feeds the model, in feature order.
    #[serde(rename = "column")]
    pub columns: Vec<Column>,
    /// The model takes a picture.
    pub image: Option<ImageInput>,
}

/// What kind of answer a model gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    Classification,
    Regression,
    /// Embeddings, detections, anything without a single label or number.
    #[default]
    Other,
}

/// One column of a table, and where it goes.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Column {
    pub name: String,
    /// The model input that the column feeds.
    pub input: String,
    /// Its place along the feature dimension of that input.
    pub position: usize,
    pub kind: ColumnKind,
    pub description: Option<String>,
    pub unit: Option<String>,
    /// The usual range: bounds of a slider, not a rule.
    pub min: Option<f64>,
    pub max: Option<f64>,
    /// What a form shows first.
    pub default: Option<String>,
    /// Known values of a text column.
    pub categories: Vec<String>,
    /// Whether the model itself copes with an empty cell (it becomes NaN, or an empty string).
    pub may_be_missing: bool,
}

impl Column {
    /// The usual range of a number, where it is one: what a slider and a curve cover.
    pub fn usual_range(&self) -> Option<(f64, f64)> {
        let is_number = matches!(self.kind, ColumnKind::Number | ColumnKind::Integer);
        let (min, max) = (self.min?, self.max?);
        (is_number && min.is_finite() && max.is_finite() && min < max).then_some((min, max))
    }

    /// A place on the usual range as text: no more digits than the range deserves.
    pub fn number_text(&self, value: f64) -> String {
        if self.kind == ColumnKind::Integer {
            return format!("{value:.0}");
        }
        let span = (self.max.unwrap_or(1.0) - self.min.unwrap_or(0.0)).abs();
        // A thousandth of the range is as fine as a slider can be set.
        let decimals = (3.0 - span.max(f64::MIN_POSITIVE).log10()).ceil().clamp(0.0, 9.0) as usize;
        let text = format!("{value:.decimals$}");
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
    }
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    #[default]
    Number,
    Integer,
    Text,
    Boolean,
}

/// How a picture becomes an input tensor: resized, scaled, normalised, laid out.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImageInput {
    pub input: String,
    pub width: u32,
    pub height: u32,
    /// 1 (grey) or 3 (RGB).
    pub channels: u32,
    /// `true`: [N, C, H, W]; `false`: [N, H, W, C].
    pub channels_first: bool,
    /// A pixel value 0…255 becomes `(value * scale - mean[c]) / std[c]`.
    pub scale: f32,
    pub mean: Vec<f32>,
    pub std: Vec<f32>,
    /// Dark strokes on a light ground are turned into light on dark.
    pub invert: bool,
}

impl Default for ImageInput {
    fn default() -> Self {
        Self {
            input: String::new(),
            width: 224,
            height: 224,
            channels: 3,
            channels_first: true,
            scale: 1.0 / 255.0,
            mean: Vec::new(),
            std: Vec::new(),
            invert: false,
        }
    }
}

/// Where a contract came from, so that a face can say so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContractSource {
    Sidecar(PathBuf),
    Metadata,
    /// Derived from the model's signature: columns are named after inputs.
    Signature,
}

/// A contract can't be read or does not fit its model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContractError {
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{place}: {message}")]
    Malformed { place: String, message: String },
    #[error("{place}: column '{column}' feeds input '{input}', but the model's inputs are {known}")]
    UnknownInput { place: String, column: String, input: String, known: String },
}

impl Contract {
    /// The contract of a model: the sidecar beside `path`, else the metadata, else one derived from the signature.
    pub fn for_model(model: &Model, path: &Path) -> Result<(Self, ContractSource), ContractError> {
        let derived = derive::from_signature(model);
        let (mut contract, source, place) = match file::read_sidecar(path)? {
            Some((contract, sidecar)) => {
                let place = sidecar.display().to_string();
                (contract, ContractSource::Sidecar(sidecar), place)
            }
            None => match file::read_metadata(model, path)? {
                Some(contract) => (contract, ContractSource::Metadata, format!("{}: the contract in its metadata", path.display())),
                None => return Ok((derived, ContractSource::Signature)),
            },
        };
        contract.fill_in(derived);
        check::check(&contract, model, &place)?;
        Ok((contract, source))
    }

    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Takes from the signature what a written contract leaves out.
    fn fill_in(&mut self, derived: Self) {
        if self.task == Task::Other {
            self.task = derived.task;
        }
        self.prediction_output = self.prediction_output.take().or(derived.prediction_output);
        self.probability_output = self.probability_output.take().or(derived.probability_output);
        if self.labels.is_empty() {
            self.labels = derived.labels;
        }
        if self.columns.is_empty() && self.image.is_none() {
            self.columns = derived.columns;
            self.image = derived.image;
        }
    }
}
