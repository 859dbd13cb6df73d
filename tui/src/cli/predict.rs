//! `drydock predict`: rows typed on the command line or in a JSON file, or a picture.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use drydock_core::contract::Contract;
use drydock_core::format;
use drydock_core::predict::{PredictReport, PredictRequest, Prediction, Row};
use drydock_core::session::{Command, OpenedModel};
use serde_json::{Map, Value};

use super::args::{CommonArgs, parse_assignment};
use super::output::Output;
use super::runner::{Failure, Runner};
use crate::page::Page;
use crate::text::{Align, TextTable, cut};

/// Predict rows that you give by hand, or a picture
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  drydock predict sample-models/digits/model.onnx \\\n    --image sample-models/digits/three.png\n  drydock predict sample-models/payment-fraud-v2/model.onnx \\\n    --set amount=182.4 --set merchant=electronics --set country=PT \\\n    --set channel=online --set hour=23 --set n_transactions_24h=9 \\\n    --set is_foreign=0 --json"
)]
pub struct PredictArgs {
    /// The model file
    #[arg(value_hint = ValueHint::FilePath)]
    pub model: PathBuf,

    /// One column of the row; may be repeated
    #[arg(long, value_name = "COLUMN=VALUE", value_parser = parse_assignment, conflicts_with_all = ["row", "rows", "image"])]
    pub set: Vec<(String, String)>,

    /// The row as a JSON object of columns
    #[arg(long, value_name = "JSON", conflicts_with_all = ["rows", "image"])]
    pub row: Option<String>,

    /// A file with a JSON array of rows, or one JSON object per line; - reads standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "image")]
    pub rows: Option<PathBuf>,

    /// A PNG or JPEG file, for a model that takes a picture
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub image: Option<PathBuf>,
}

pub fn run(args: &PredictArgs, common: &CommonArgs, output: &mut Output) -> Result<(), Failure> {
    let request = request(args)?;
    let mut runner = Runner::new(common)?;
    let opened = runner.open(&args.model, common)?;
    let Some(request) = request else { return Err(Failure::Error(what_to_give(&opened.model.contract))) };
    runner.run(Command::Predict(request))?;
    let Some(report) = &runner.session.state().prediction else { return Err(Failure::Error("the prediction gave no result".to_owned())) };
    if output.json {
        output.document(document(report, &opened));
    } else {
        print(report, &opened.model.contract, output.quiet, &mut output.page);
    }
    Ok(())
}

/// What was asked for; `None` when nothing was given.
fn request(args: &PredictArgs) -> Result<Option<PredictRequest>, Failure> {
    if let Some(image) = &args.image {
        return Ok(Some(PredictRequest::Image(image.clone())));
    }
    if let Some(file) = &args.rows {
        return Ok(Some(PredictRequest::Rows(rows_of_file(file)?)));
    }
    if let Some(text) = &args.row {
        let value = serde_json::from_str(text).map_err(|error| format!("--row: not JSON: {error}"))?;
        return Ok(Some(PredictRequest::Rows(vec![row_of(&value, "--row")?])));
    }
    if args.set.is_empty() {
        return Ok(None);
    }
    let mut row = BTreeMap::new();
    for (column, value) in &args.set {
        if row.insert(column.clone(), value.clone()).is_some() {
            return Err(Failure::Error(format!("--set: column '{column}' is given twice")));
        }
    }
    Ok(Some(PredictRequest::Rows(vec![Row(row)])))
}

fn rows_of_file(file: &Path) -> Result<Vec<Row>, Failure> {
    let name = file.display().to_string();
    let mut text = String::new();
    let read = if name == "-" {
        std::io::stdin().lock().read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|mut file| file.read_to_string(&mut text))
    };
    read.map_err(|error| format!("{name}: {error}"))?;
    let mut values = Vec::new();
    for value in serde_json::Deserializer::from_str(text.trim_start_matches('\u{feff}')).into_iter::<Value>() {
        values.push(value.map_err(|error| format!("{name}: not JSON: {error}"))?);
    }
    // Either one array of rows, or one object after the other.
    let rows = match <[Value; 1]>::try_from(values) {
        Ok([Value::Array(rows)]) => rows,
        Ok([single]) => vec![single],
        Err(several) => several,
    };
    if rows.is_empty() {
        return Err(Failure::Error(format!("{name}: there are no rows; expected a JSON array of objects")));
    }
    rows.iter().enumerate().map(|(index, row)| row_of(row, &format!("{name}: row {}", index + 1))).collect()
}

fn row_of(value: &Value, place: &str) -> Result<Row, Failure> {
    let Value::Object(columns) = value else {
        return Err(Failure::Error(format!("{place}: expected a JSON object of columns, found {}", kind_of(value))));
    };
    let mut row = BTreeMap::new();
    for (column, value) in columns {
        let text = match value {
            Value::Null => String::new(),
            Value::Bool(truth) => truth.to_string(),
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.clone(),
            Value::Array(_) | Value::Object(_) => {
                return Err(Failure::Error(format!(
                    "{place}, column '{column}': expected a number, a text, true, false or null, found {}",
                    kind_of(value)
                )));
            }
        };
        row.insert(column.clone(), text);
    }
    Ok(Row(row))
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn what_to_give(contract: &Contract) -> String {
    if contract.image.is_some() {
        return "no picture was given; use --image FILE".to_owned();
    }
    let shown: Vec<&str> = contract.columns.iter().take(12).map(|column| column.name.as_str()).collect();
    let more = contract.columns.len() - shown.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("no row was given; use --set COLUMN=VALUE, --row JSON or --rows FILE; the model's columns are {}{more}", shown.join(", "))
}

fn document(report: &PredictReport, opened: &OpenedModel) -> Map<String, Value> {
    let predictions: Vec<Value> = report.predictions.iter().map(|prediction| one_document(prediction, opened)).collect();
    let mut document = Map::new();
    document.insert("model".to_owned(), opened.model.title().into());
    document.insert("device".to_owned(), report.device.clone().into());
    document.insert("run_ms".to_owned(), (report.run_time.as_secs_f64() * 1e3).into());
    document.insert("predictions".to_owned(), predictions.into());
    document
}

fn one_document(prediction: &Prediction, opened: &OpenedModel) -> Value {
    let is_regression = opened.model.contract.task == drydock_core::contract::Task::Regression;
    let answer =
        prediction.prediction.as_ref().map_or(Value::Null, |answer| if is_regression { number_or_text(answer) } else { answer.clone().into() });
    let probabilities: Map<String, Value> = prediction.probabilities.iter().map(|(label, value)| (label.clone(), (*value).into())).collect();
    let outputs: Map<String, Value> = prediction
        .outputs
        .iter()
        .map(|(name, values)| {
            let is_text = opened.report.outputs.iter().any(|output| output.name == *name && output.element_type == "string");
            let values: Vec<Value> = values.iter().map(|value| if is_text { value.clone().into() } else { number_or_text(value) }).collect();
            (name.clone(), values.into())
        })
        .collect();
    let mut document = Map::new();
    document.insert("prediction".to_owned(), answer);
    document.insert("probabilities".to_owned(), probabilities.into());
    document.insert("outputs".to_owned(), outputs.into());
    document.into()
}

/// JSON has no NaN and no infinity: they stay text.
fn number_or_text(text: &str) -> Value {
    if let Ok(whole) = text.parse::<i64>() {
        return whole.into();
    }
    text.parse::<f64>().ok().and_then(serde_json::Number::from_f64).map_or_else(|| text.into(), Value::Number)
}

fn print(report: &PredictReport, contract: &Contract, is_quiet: bool, page: &mut Page) {
    match report.predictions.as_slice() {
        [single] => print_one(single, contract, page),
        several => print_rows(several, page),
    }
    if !is_quiet {
        page.line(&format!("{} · {}", format::duration(report.run_time), report.device));
    }
}

fn print_one(prediction: &Prediction, contract: &Contract, page: &mut Page) {
    if let Some(answer) = &prediction.prediction {
        let unit = contract.unit.as_deref().unwrap_or_default();
        page.line(format!("{answer} {unit}").trim_end());
    }
    let label_width = prediction.probabilities.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0).min(30);
    for (label, probability) in &prediction.probabilities {
        let cells = (probability.clamp(0.0, 1.0) * 40.0).round() as usize;
        let bar = "█".repeat(cells);
        page.line(format!("  {:<label_width$}  {}  {bar}", cut(label, label_width), format::probability(*probability)).trim_end());
    }
    for (name, values) in &prediction.outputs {
        let line = format!("  {name}: {}", values.join(", "));
        page.line(&cut(&line, page.width));
    }
}

fn print_rows(predictions: &[Prediction], page: &mut Page) {
    let labels: Vec<&str> =
        predictions.first().map(|first| first.probabilities.iter().map(|(label, _)| label.as_str()).collect()).unwrap_or_default();
    let names: Vec<&str> = predictions.first().map(|first| first.outputs.iter().map(|(name, _)| name.as_str()).collect()).unwrap_or_default();
    let headers: Vec<String> = labels.iter().map(|label| format!("p({label})")).collect();
    let mut columns = vec![("row", Align::Right)];
    let has_answer = predictions.iter().any(|prediction| prediction.prediction.is_some());
    if has_answer {
        columns.push(("prediction", Align::Left));
    }
    columns.extend(headers.iter().map(|header| (header.as_str(), Align::Right)));
    columns.extend(names.iter().map(|name| (*name, Align::Right)));
    let mut table = TextTable::new(&columns);
    for (index, prediction) in predictions.iter().enumerate() {
        let mut row = vec![format::count(index as u64 + 1)];
        if has_answer {
            row.push(prediction.prediction.clone().unwrap_or_default());
        }
        row.extend(prediction.probabilities.iter().map(|(_, probability)| format::probability(*probability)));
        row.extend(prediction.outputs.iter().map(|(_, values)| values.join(" ")));
        table.push(row);
    }
    for line in table.lines(page.width) {
        page.line(&line);
    }
}
