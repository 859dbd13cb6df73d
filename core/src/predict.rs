//! One row by hand: from typed text or JSON to a prediction, through the contract.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::contract::{Answers, Contract, InputRows, did_you_mean, names};
use crate::data::column::NumberPrinter;
use crate::data::{Cell, ColumnData};
use crate::model::OpenModel;
use crate::task::{Cancelled, TaskCtx};

mod image;
mod predictor;
pub mod what_if;

pub use predictor::{AnswerError, Predictor};

/// Rows of one run. Rows typed by hand are few; those of a file may be many.
const BATCH_ROWS: usize = 1024;

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

impl From<AnswerError> for PredictError {
    fn from(error: AnswerError) -> Self {
        match error {
            AnswerError::Run(crate::engine::RunError::Cancelled(cancelled)) => Self::Cancelled(cancelled),
            AnswerError::Run(error) => Self::Run(error),
            AnswerError::Unreadable(_) => Self::Unsuitable(error.to_string()),
        }
    }
}

impl Row {
    /// A row from a JSON object of numbers, texts, booleans and nulls.
    pub fn from_json(object: &serde_json::Value) -> Result<Self, PredictError> {
        let Some(object) = object.as_object() else {
            return Err(PredictError::Unsuitable(format!("a row should be a JSON object such as {{\"age\": 41}}, found {object}")));
        };
        let mut row = Self::default();
        for (column, value) in object {
            let text = match value {
                serde_json::Value::Null => String::new(),
                serde_json::Value::String(text) => text.clone(),
                serde_json::Value::Number(_) | serde_json::Value::Bool(_) => value.to_string(),
                serde_json::Value::Array(_) | serde_json::Value::Object(_) => {
                    return Err(PredictError::Unsuitable(format!(
                        "column '{column}' should be a number, a text, true, false or null, found {value}"
                    )));
                }
            };
            row.0.insert(column.clone(), text);
        }
        Ok(row)
    }

    /// One row from a JSON object, several from a list of objects.
    pub fn list_from_json(json: &str) -> Result<Vec<Self>, PredictError> {
        let value: serde_json::Value = serde_json::from_str(json).map_err(|error| PredictError::Unsuitable(format!("not valid JSON: {error}")))?;
        match &value {
            serde_json::Value::Array(rows) => rows.iter().map(Self::from_json).collect(),
            row => Ok(vec![Self::from_json(row)?]),
        }
    }
}

/// Predicts rows or a picture.
pub fn predict(ctx: &TaskCtx, model: &OpenModel, request: &PredictRequest) -> Result<PredictReport, PredictError> {
    let plan = model.plan()?;
    let mut report = PredictReport { predictions: Vec::new(), run_time: Duration::ZERO, device: model.device.label() };
    match request {
        PredictRequest::Image(path) => {
            let Some(image) = &model.contract.image else {
                return Err(PredictError::Unsuitable(format!("{} takes no picture; give it rows", model.title())));
            };
            let input = image::read(path, image, &model.model)?;
            let started = Instant::now();
            let answers = predictor::answer_values(ctx, model, plan, vec![(image.input.clone(), input)])?;
            report.run_time = started.elapsed();
            report.predictions = predictions(&answers);
        }
        PredictRequest::Rows(rows) => {
            let contract = &model.contract;
            let predictor = Predictor::new(model, plan, &contract.columns).map_err(PredictError::Unsuitable)?;
            let batch_rows = predictor.batch_rows(BATCH_ROWS);
            for (batch, first_row) in rows.chunks(batch_rows).zip((0..).step_by(batch_rows)) {
                ctx.checkpoint()?;
                let mut inputs = InputRows::new(&predictor.inputs, batch.len()).map_err(PredictError::Unsuitable)?;
                for (row, number) in batch.iter().zip(first_row + 1..) {
                    push_row(&mut inputs, contract, row, number)?;
                }
                let started = Instant::now();
                let answers = predictor.answer(ctx, inputs)?;
                report.run_time += started.elapsed();
                report.predictions.append(&mut predictions(&answers));
            }
        }
    }
    Ok(report)
}

/// Adds a typed row. `number` counts from 1.
fn push_row(inputs: &mut InputRows<'_>, contract: &Contract, row: &Row, number: usize) -> Result<(), PredictError> {
    let n_known = contract.columns.iter().filter(|column| row.0.contains_key(&column.name)).count();
    let unknown = || row.0.keys().find(|name| contract.column(name).is_none());
    if let Some(column) = (n_known < row.0.len()).then(unknown).flatten() {
        let columns = || contract.columns.iter().map(|column| column.name.as_str());
        let hint = format!("the model's columns are {}{}", names(columns()), did_you_mean(column, columns()));
        return Err(PredictError::UnknownColumn { column: column.clone(), hint });
    }
    let cell = |feature: usize| {
        let text = contract.columns.get(feature).and_then(|column| row.0.get(&column.name));
        text.filter(|text| !text.is_empty()).map_or(Cell::Missing, |text| Cell::Text(Cow::Borrowed(text)))
    };
    inputs.push(cell).map_err(|refused| {
        let column = contract.columns.get(refused.feature).map_or_else(String::new, |column| column.name.clone());
        PredictError::Cell { row: number, column, message: refused.message }
    })
}

fn predictions(answers: &Answers) -> Vec<Prediction> {
    let mut printer = NumberPrinter::default();
    let mut text = |data: &ColumnData, row: usize| data.text(row, &mut printer).to_owned();
    let mut predictions = vec![Prediction::default(); answers.n_rows];
    for (row, prediction) in predictions.iter_mut().enumerate() {
        prediction.prediction = answers.prediction.as_ref().map(|data| text(data, row));
        let probability = |column: &Vec<f32>| column.get(row).map_or(f64::NAN, |&probability| as_printed(probability));
        prediction.probabilities = answers.labels.iter().cloned().zip(answers.probabilities.iter().map(probability)).collect();
        prediction.outputs = answers.others.iter().map(|column| (column.name.clone(), vec![text(&column.data, row)])).collect();
    }
    predictions
}

/// The double that prints as the float does: 0.1, not 0.10000000149011612.
fn as_printed(value: f32) -> f64 {
    zmij::Buffer::new().format(value).parse().unwrap_or_else(|_| f64::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_rows_hold_scalars_only() {
        let rows = Row::list_from_json(r#"[{"age": 41, "sex": "F", "new": true, "note": null}, {"age": 1.5}]"#).unwrap();
        let texts: Vec<_> = rows[0].0.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        assert_eq!(texts, [("age", "41"), ("new", "true"), ("note", ""), ("sex", "F")]);
        assert_eq!(rows[1].0["age"], "1.5");
        for bad in ["[1]", r#"{"a": [1]}"#, r#"{"a": {"b": 1}}"#, "{", "41"] {
            assert!(matches!(Row::list_from_json(bad), Err(PredictError::Unsuitable(_))), "{bad}");
        }
    }

    fn open(name: &str) -> OpenModel {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../sample-models").join(name).join("model.onnx");
        OpenModel::open(&TaskCtx::unattended(), &path, crate::tensor::Device::Cpu).unwrap()
    }

    fn row(cells: &[(&str, &str)]) -> Row {
        Row(cells.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
    }

    const PAYMENT: [(&str, &str); 6] =
        [("amount", "81.67"), ("merchant", "grocery"), ("country", "PT"), ("channel", "contactless"), ("card_age_days", ""), ("is_foreign", "0")];

    /// Expected: ONNX Runtime.
    #[test]
    fn a_typed_row_with_texts_and_a_missing_value_is_predicted() {
        let model = open("payment-fraud");
        let rows = PredictRequest::Rows(vec![row(&PAYMENT), row(&PAYMENT)]);
        let report = predict(&TaskCtx::unattended(), &model, &rows).unwrap();
        assert_eq!(report.predictions.len(), 2);
        let first = &report.predictions[0];
        assert_eq!(first.prediction.as_deref(), Some("genuine"));
        assert_eq!(first.probabilities.iter().map(|(label, _)| label.as_str()).collect::<Vec<_>>(), ["genuine", "fraud"]);
        assert!((first.probabilities[1].1 - 0.014_868_56).abs() < 1e-6, "{:?}", first.probabilities);
        assert_eq!(report.predictions[1], *first);
    }

    #[test]
    fn a_row_that_does_not_fit_names_its_column() {
        let model = open("payment-fraud");
        let error =
            |cells: &[(&str, &str)]| predict(&TaskCtx::unattended(), &model, &PredictRequest::Rows(vec![row(&PAYMENT), row(cells)])).unwrap_err();
        let expected = PredictError::Cell { row: 2, column: "amount".to_owned(), message: "expected a number, found 'a lot'".to_owned() };
        assert_eq!(error(&[("amount", "a lot")]), expected);
        let unknown = error(&[("amuont", "1")]).to_string();
        assert!(
            unknown.starts_with("there is no column 'amuont'; the model's columns are ") && unknown.ends_with("(did you mean 'amount'?)"),
            "{unknown}"
        );
    }

    #[test]
    fn a_picture_is_predicted_by_a_model_that_takes_one() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../sample-models/digits");
        for (file, label) in [("three.png", "3"), ("eight.png", "8")] {
            let report = predict(&TaskCtx::unattended(), &open("digits"), &PredictRequest::Image(folder.join(file))).unwrap();
            assert_eq!(report.predictions[0].prediction.as_deref(), Some(label));
            assert_eq!(report.predictions[0].probabilities.len(), 10);
        }
        let error = predict(&TaskCtx::unattended(), &open("wine"), &PredictRequest::Image(folder.join("three.png"))).unwrap_err().to_string();
        assert!(error.contains("takes no picture"), "{error}");
    }

    #[test]
    fn floats_read_as_they_print() {
        assert_eq!(as_printed(0.1), 0.1);
        assert!(as_printed(f32::NAN).is_nan());
    }
}
