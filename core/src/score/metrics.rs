//! Metrics against a label column, in constant memory. Definitions and edge cases are scikit-learn's: macro means over the labels that
//! occur in truth or prediction, 0 for a precision or recall without any case, the multi-class ROC AUC as the mean of each label against
//! the rest, log loss with probabilities kept off 0 and 1 by float32's epsilon. [`super::definitions`] has the formulas.

use std::collections::HashMap;
use std::sync::Arc;

use compact_str::CompactString;

use super::auc::AucCollector;
use super::definitions::{self, LabelMetricsTogether};
use super::{LabelMetrics, Metric, Metrics};
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
            self.notes.push(format!(
                "{} {} no label: scored, but not part of the metrics",
                self.n_unlabelled,
                if self.n_unlabelled == 1 { "row has" } else { "rows have" }
            ));
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
    brier_sum: f64,
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
                self.log_loss_sum += definitions::log_loss(probability);
                let of_row = probabilities.iter().map(|column| column.get(row).copied().unwrap_or(f32::NAN));
                self.brier_sum += definitions::brier(of_row, truth as usize);
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
        let tally = |tally: &Tally| definitions::Tally { truth: tally.truth as f64, predicted: tally.predicted as f64, hits: tally.hits as f64 };
        let tallies = || self.labels.iter().zip(self.tallies.iter().map(tally)).filter(|(_, tally)| tally.occurs());
        let labels: Vec<LabelMetrics> = tallies()
            .map(|(label, tally)| LabelMetrics {
                label: label.clone(),
                precision: tally.precision(),
                recall: tally.recall(),
                f1: tally.f1(),
                support: tally.truth as u64,
            })
            .collect();
        let together = LabelMetricsTogether::of(tallies().map(|(_, tally)| tally));
        let (areas, note) = if self.has_unknown { (None, None) } else { self.auc.finish() };
        notes.extend(note);
        let mean = |sum: f64| (!self.has_unknown).then(|| sum / self.n as f64).filter(|mean| !mean.is_nan());
        Some(Metrics::Classification {
            rows: self.n,
            accuracy: together.accuracy,
            precision: together.precision,
            recall: together.recall,
            f1: together.f1,
            mcc: together.mcc,
            roc_auc: areas.map(|areas| areas.roc_auc),
            pr_auc: areas.map(|areas| areas.pr_auc),
            log_loss: mean(self.log_loss_sum),
            brier: mean(self.brier_sum),
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
    sum_percentages: f64,
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
        self.sum_percentages += definitions::absolute_percentage(truth, prediction);
        let distance = truth - self.mean;
        self.mean += distance / self.n as f64;
        self.spread += distance * (truth - self.mean);
    }

    fn finish(self) -> Metrics {
        let n = self.n as f64;
        Metrics::Regression {
            rows: self.n,
            rmse: (self.sum_squares / n).sqrt(),
            mae: self.sum_absolute / n,
            mape: self.sum_percentages / n,
            r2: definitions::r2(n, self.sum_squares, self.spread),
        }
    }
}

impl Metrics {
    /// Rows with a label.
    pub fn rows(&self) -> u64 {
        match self {
            Self::Classification { rows, .. } | Self::Regression { rows, .. } => *rows,
        }
    }

    /// The figures that are defined, by name.
    pub fn named(&self) -> Vec<(Metric, f64)> {
        let values = match self {
            Self::Classification { accuracy, precision, recall, f1, mcc, roc_auc, pr_auc, log_loss, brier, .. } => vec![
                (Metric::Accuracy, Some(*accuracy)),
                (Metric::Precision, Some(*precision)),
                (Metric::Recall, Some(*recall)),
                (Metric::F1, Some(*f1)),
                (Metric::Mcc, Some(*mcc)),
                (Metric::RocAuc, *roc_auc),
                (Metric::PrAuc, *pr_auc),
                (Metric::LogLoss, *log_loss),
                (Metric::Brier, *brier),
            ],
            Self::Regression { rmse, mae, mape, r2, .. } => {
                vec![(Metric::Rmse, Some(*rmse)), (Metric::Mae, Some(*mae)), (Metric::Mape, Some(*mape)), (Metric::R2, *r2)]
            }
        };
        values.into_iter().filter_map(|(metric, value)| Some((metric, value?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Expected values: scikit-learn 1.9.1 (accuracy_score; precision, recall and f1_score with average="macro"; roc_auc_score with
    // multi_class="ovr"; log_loss; root_mean_squared_error, mean_absolute_error, r2_score), probabilities as float32.

    fn names(labels: &[&str]) -> Arc<[String]> {
        labels.iter().map(|&label| label.to_owned()).collect()
    }

    /// `rows`: by row, the probability of every label. In two batches, so that sums carry over.
    fn classification(labels: &[&str], truth: &[Truth], rows: &[Vec<f32>]) -> Metrics {
        let mut collector = MetricsCollector::default();
        let half = truth.len() / 2;
        for (truth, rows) in [(&truth[..half], &rows[..half]), (&truth[half..], &rows[half..])] {
            let probabilities: Vec<Vec<f32>> = (0..labels.len()).map(|label| rows.iter().map(|row| row[label]).collect()).collect();
            let best = |row: &Vec<f32>| (0..row.len()).rev().max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap() as u32;
            let prediction = ColumnData::Label { codes: rows.iter().map(best).collect(), names: names(labels) };
            collector.add(&Observed::Classes { truth: truth.to_vec(), prediction, labels: names(labels), probabilities });
        }
        collector.finish().0.unwrap()
    }

    #[track_caller]
    fn assert_close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-7, "{found} instead of {expected}");
    }

    #[track_caller]
    fn assert_classification(metrics: &Metrics, expected: [f64; 6]) {
        let Metrics::Classification { accuracy, precision, recall, f1, roc_auc, log_loss, .. } = metrics else { panic!("{metrics:?}") };
        let found = [*accuracy, *precision, *recall, *f1, roc_auc.unwrap_or(f64::NAN), log_loss.unwrap_or(f64::NAN)];
        for (found, expected) in found.into_iter().zip(expected) {
            assert_close(found, expected);
        }
    }

    #[test]
    fn three_labels_as_scikit_learn_judges_them() {
        let truth = [0, 1, 2, 0, 1, 2, 0, 0, 2, 1].map(Truth::Label);
        let rows = [
            [0.7, 0.2, 0.1],
            [0.1, 0.6, 0.3],
            [0.2, 0.2, 0.6],
            [0.3, 0.4, 0.3],
            [0.25, 0.5, 0.25],
            [0.5, 0.25, 0.25],
            [0.9, 0.05, 0.05],
            [0.4, 0.35, 0.25],
            [0.1, 0.1, 0.8],
            [0.3, 0.3, 0.4],
        ]
        .map(Vec::from);
        let metrics = classification(&["a", "b", "c"], &truth, &rows);
        let macro_mean = 0.694_444_444_444_444_3;
        assert_classification(&metrics, [0.7, macro_mean, macro_mean, macro_mean, 0.870_039_682_539_682_4, 0.711_050_808_429_718]);
        let Metrics::Classification { labels, rows, .. } = metrics else { panic!("a classification") };
        assert_eq!(rows, 10);
        assert_eq!(labels.iter().map(|label| label.support).collect::<Vec<_>>(), [4, 3, 3]);
        assert_close(labels[0].precision, 0.75);
        assert_close(labels[2].recall, 2.0 / 3.0);
    }

    #[test]
    fn two_labels_with_ties_and_a_certain_answer() {
        let truth = [0, 1, 1, 0, 1, 0, 1, 0].map(Truth::Label);
        let rows = [0.1, 0.9, 0.5, 0.5, 0.4, 0.2, 1.0, 0.6_f32].map(|p| vec![1.0 - p, p]);
        let expected = [0.625, 0.633_333_333_333_333_3, 0.625, 0.619_047_619_047_619_1, 0.781_25, 0.456_592_559_814_453_1];
        assert_classification(&classification(&["no", "yes"], &truth, &rows), expected);
    }

    #[test]
    fn a_certain_mistake_costs_what_float32_can_tell() {
        let metrics = classification(&["no", "yes"], &[Truth::Label(0), Truth::Label(1)], &[vec![0.0, 1.0], vec![0.5, 0.5]]);
        let Metrics::Classification { log_loss, .. } = metrics else { panic!("a classification") };
        assert_close(log_loss.unwrap(), 8.317_766_189_575_195);
    }

    #[test]
    fn labels_that_the_model_lacks_count_against_it() {
        let truth = [Truth::Label(0), Truth::Label(1), Truth::Unknown("d".into()), Truth::Label(0), Truth::Missing];
        let rows = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 1.0]].map(Vec::from);
        let metrics = classification(&["a", "b", "c"], &truth, &rows);
        let Metrics::Classification { rows, accuracy, precision, recall, f1, roc_auc, log_loss, labels, .. } = metrics else {
            panic!("a classification")
        };
        assert_eq!((rows, accuracy, precision, recall, f1), (4, 0.5, 0.375, 0.375, 0.375));
        assert_eq!((roc_auc, log_loss, labels.len()), (None, None, 4));
    }

    #[test]
    fn a_regression_as_scikit_learn_judges_it() {
        let metrics = |truth: Vec<f64>, prediction: Vec<f64>| {
            let mut collector = MetricsCollector::default();
            collector.add(&Observed::Numbers { truth, prediction });
            collector.finish()
        };
        let (found, notes) = metrics(vec![3.0, -0.5, 2.0, f64::NAN, 7.0, 4.25], vec![2.5, 0.0, 2.0, 1.0, 8.0, 4.0]);
        let Some(Metrics::Regression { rows, rmse, mae, r2, .. }) = found else { panic!("{found:?}") };
        assert_eq!((rows, mae), (5, 0.45));
        assert_close(rmse, 0.559_016_994_374_947_5);
        assert_close(r2.unwrap(), 0.949_104_234_527_687_3);
        assert_eq!(notes, ["1 row has no label: scored, but not part of the metrics"]);
        let r2 = |truth: Vec<f64>, prediction: Vec<f64>| match metrics(truth, prediction).0 {
            Some(Metrics::Regression { r2, .. }) => r2,
            other => panic!("{other:?}"),
        };
        assert_eq!((r2(vec![1.0, 1.0], vec![1.0, 1.0]), r2(vec![1.0, 1.0], vec![1.0, 2.0])), (Some(1.0), Some(0.0)));
        assert_eq!(r2(vec![1.0], vec![1.0]), None);
    }
}
