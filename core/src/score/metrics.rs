//! Metrics against a label column, in constant memory. Definitions and edge cases are scikit-learn's: macro means over the labels that
//! occur in truth or prediction, 0 for a precision or recall without any case, the multi-class ROC AUC as the mean of each label against
//! the rest, log loss with probabilities kept off 0 and 1 by float32's epsilon.

use std::collections::HashMap;
use std::sync::Arc;

use compact_str::CompactString;

use super::auc::AucCollector;
use super::{LabelMetrics, Metrics};
use crate::contract::{Answers, OutputLayout};
use crate::data::column::NumberPrinter;
use crate::data::{Cell, ColumnData};

/// More distinct labels than this are no classes.
const MAX_LABELS: usize = 10_000;

/// Truth and answers of a batch.
#[derive(Debug, Clone)]
pub enum Observed {
    Classes {
        truth: Vec<Truth>,
        prediction: ColumnData,
        labels: Arc<[String]>,
        probabilities: Vec<Vec<f32>>,
    },
    /// Truth (NaN where it is missing) and prediction.
    Numbers {
        truth: Vec<f64>,
        prediction: Vec<f64>,
    },
    /// The model predicts neither a label nor a number.
    Nothing,
}

/// What the label column says of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Truth {
    Missing,
    /// Index of a label that the model knows.
    Label(u32),
    Unknown(CompactString),
}

impl Observed {
    /// Whether a cell of the label column can be judged; a sentence where it can't.
    pub fn check_truth(outputs: &OutputLayout, cell: &Cell<'_>) -> Result<(), String> {
        if !outputs.predicts_number() {
            return Ok(());
        }
        cell.to_f64()
            .map(drop)
            .map_err(|_| format!("expected a number to compare the prediction with, found '{}'", cell.to_text().unwrap_or_default()))
    }

    pub fn new<'c>(outputs: &OutputLayout, truth: impl Iterator<Item = Cell<'c>>, answers: &Answers) -> Self {
        let Some(prediction) = &answers.prediction else { return Self::Nothing };
        if outputs.predicts_number() {
            let numbers: Vec<f64> = match prediction {
                ColumnData::F32(values) => values.iter().copied().map(f64::from).collect(),
                ColumnData::F64(values) => values.clone(),
                ColumnData::Integer(values) => values.iter().map(|&value| value as f64).collect(),
                ColumnData::Text(_) | ColumnData::Label { .. } => return Self::Nothing,
            };
            let truth = truth.map(|cell| cell.to_f64().ok().flatten().unwrap_or(f64::NAN)).collect();
            return Self::Numbers { truth, prediction: numbers };
        }
        let truth = truth.map(|cell| match cell.to_text().filter(|text| !text.trim_ascii().is_empty()) {
            None => Truth::Missing,
            Some(text) => outputs.label_code(&text).map_or_else(|| Truth::of_unknown(&text), Truth::Label),
        });
        let truth = truth.collect();
        Self::Classes { truth, prediction: prediction.clone(), labels: answers.labels.clone(), probabilities: answers.probabilities.clone() }
    }
}

impl Truth {
    fn of_unknown(text: &str) -> Self {
        if crate::data::cell::is_missing_text(text) { Self::Missing } else { Self::Unknown(CompactString::from(text.trim_ascii())) }
    }
}

/// Gathers metrics batch by batch.
#[derive(Debug, Default)]
pub struct MetricsCollector {
    classes: Classes,
    numbers: Numbers,
    /// Rows whose label cell is empty.
    pub n_unlabelled: u64,
    /// Why there are no metrics, or not all of them.
    pub notes: Vec<String>,
    has_nothing: bool,
}

impl MetricsCollector {
    pub fn add(&mut self, observed: &Observed) {
        match observed {
            Observed::Nothing => self.has_nothing = true,
            Observed::Numbers { truth, prediction } => {
                for (&truth, &prediction) in truth.iter().zip(prediction) {
                    if truth.is_nan() {
                        self.n_unlabelled += 1;
                    } else {
                        self.numbers.add(truth, prediction);
                    }
                }
            }
            Observed::Classes { truth, prediction, labels, probabilities } => {
                self.n_unlabelled += truth.iter().filter(|truth| **truth == Truth::Missing).count() as u64;
                self.classes.add(truth, prediction, labels, probabilities);
            }
        }
    }

    pub fn finish(mut self) -> (Option<Metrics>, Vec<String>) {
        if self.n_unlabelled > 0 {
            self.notes.push(format!("{} rows have no label: scored, but not part of the metrics", self.n_unlabelled));
        }
        let metrics = if self.has_nothing {
            self.notes.push("no metrics: the model predicts neither a label nor a number".to_owned());
            None
        } else if self.numbers.n > 0 {
            Some(self.numbers.finish())
        } else if self.classes.n > 0 {
            self.classes.finish(&mut self.notes)
        } else {
            None
        };
        (metrics, self.notes)
    }
}

/// Running sums of a classification.
#[derive(Debug, Default)]
struct Classes {
    n: u64,
    labels: Vec<String>,
    index: HashMap<String, u32>,
    tallies: Vec<Tally>,
    log_loss_sum: f64,
    /// A label without a probability occurred: log loss and ROC AUC are not defined.
    has_unknown: bool,
    auc: AucCollector,
    too_many_labels: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    truth: u64,
    predicted: u64,
    hits: u64,
}

impl Classes {
    fn add(&mut self, truth: &[Truth], prediction: &ColumnData, labels: &[String], probabilities: &[Vec<f32>]) {
        if self.labels.is_empty() {
            for label in labels {
                self.code(label);
            }
        }
        let mut printer = NumberPrinter::default();
        let n_known = u32::try_from(labels.len()).unwrap_or(u32::MAX);
        for (row, truth) in truth.iter().enumerate() {
            let truth = match truth {
                Truth::Missing => continue,
                Truth::Label(code) => Some(*code),
                Truth::Unknown(text) => self.code(text),
            };
            let predicted = match prediction {
                ColumnData::Label { codes, .. } => codes.get(row).copied(),
                other => self.code(other.text(row, &mut printer)),
            };
            let (Some(truth), Some(predicted)) = (truth, predicted) else { continue };
            self.n += 1;
            if let Some(tally) = self.tallies.get_mut(truth as usize) {
                tally.truth += 1;
                tally.hits += u64::from(truth == predicted);
            }
            if let Some(tally) = self.tallies.get_mut(predicted as usize) {
                tally.predicted += 1;
            }
            if truth < n_known && !probabilities.is_empty() {
                let probability = probabilities.get(truth as usize).and_then(|column| column.get(row)).copied().unwrap_or(f32::NAN);
                self.log_loss_sum -= f64::from(probability).clamp(f64::from(f32::EPSILON), 1.0 - f64::from(f32::EPSILON)).ln();
                self.auc.add(truth, probabilities, row);
            } else {
                self.has_unknown = true;
            }
        }
    }

    /// The index of a label, new or known.
    fn code(&mut self, label: &str) -> Option<u32> {
        if let Some(&code) = self.index.get(label) {
            return Some(code);
        }
        if self.labels.len() >= MAX_LABELS {
            self.too_many_labels = true;
            return None;
        }
        let code = u32::try_from(self.labels.len()).ok()?;
        self.labels.push(label.to_owned());
        self.index.insert(label.to_owned(), code);
        self.tallies.push(Tally::default());
        Some(code)
    }

    fn finish(self, notes: &mut Vec<String>) -> Option<Metrics> {
        if self.too_many_labels {
            notes.push(format!("no metrics: the label column has more than {MAX_LABELS} different values, which are no classes"));
            return None;
        }
        let share = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
        let occurring = self.labels.iter().zip(&self.tallies).filter(|(_, tally)| tally.truth + tally.predicted > 0);
        let labels: Vec<LabelMetrics> = occurring
            .map(|(label, tally)| LabelMetrics {
                label: label.clone(),
                precision: share(tally.hits, tally.predicted),
                recall: share(tally.hits, tally.truth),
                f1: share(2 * tally.hits, tally.truth + tally.predicted),
                support: tally.truth,
            })
            .collect();
        let mean = |value: fn(&LabelMetrics) -> f64| labels.iter().map(value).sum::<f64>() / labels.len() as f64;
        let hits: u64 = self.tallies.iter().map(|tally| tally.hits).sum();
        let (roc_auc, note) = if self.has_unknown { (None, None) } else { self.auc.finish() };
        notes.extend(note);
        Some(Metrics::Classification {
            rows: self.n,
            accuracy: share(hits, self.n),
            precision: mean(|label| label.precision),
            recall: mean(|label| label.recall),
            f1: mean(|label| label.f1),
            roc_auc,
            log_loss: (!self.has_unknown).then(|| self.log_loss_sum / self.n as f64).filter(|loss| !loss.is_nan()),
            labels,
        })
    }
}

/// Running sums of a regression.
#[derive(Debug, Default)]
struct Numbers {
    n: u64,
    sum_absolute: f64,
    sum_squares: f64,
    /// Mean of the truth and the sum of squared distances from it (Welford).
    mean: f64,
    spread: f64,
}

impl Numbers {
    fn add(&mut self, truth: f64, prediction: f64) {
        self.n += 1;
        let error = prediction - truth;
        self.sum_absolute += error.abs();
        self.sum_squares += error * error;
        let distance = truth - self.mean;
        self.mean += distance / self.n as f64;
        self.spread += distance * (truth - self.mean);
    }

    fn finish(self) -> Metrics {
        let n = self.n as f64;
        let r2 = match (self.n, self.spread) {
            (0 | 1, _) => f64::NAN,
            // As scikit-learn: a constant truth is either met or not.
            (_, 0.0) => {
                if self.sum_squares == 0.0 {
                    1.0
                } else {
                    0.0
                }
            }
            (_, spread) => 1.0 - self.sum_squares / spread,
        };
        Metrics::Regression { rows: self.n, rmse: (self.sum_squares / n).sqrt(), mae: self.sum_absolute / n, r2 }
    }
}
