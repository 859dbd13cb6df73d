//! Counts and sums of a version from which its metrics follow: for all rows, for a group of the bootstrap, for a window, for an arm.
//! They add up, so a metric of any union of rows, weighted or not, comes from the sum.

use super::labels::NO_LABEL;
use super::rows::Said;
use super::{Calibration, CalibrationBin};
use crate::score::Metric;
use crate::score::definitions::{self, LabelMetricsTogether, Tally};

/// Bins of the expected calibration error, of equal width.
pub const CALIBRATION_BINS: usize = 10;

/// With more labels than this their tallies would take too much memory in every group.
pub const MAX_TALLIED_LABELS: usize = 64;

/// Room for labels that the truth names and no version knows.
const SPARE_LABELS: usize = 8;

/// Where a version's sums stand in a row of numbers.
#[derive(Debug, Clone)]
pub enum TallyLayout {
    /// rows, hits, log loss, Brier, rows with a probability; by label truth, predicted, hits; by bin rows, probability, hits.
    Classes { n_tallied: usize, has_probabilities: bool },
    /// rows, absolute errors, squared errors, truth and its square (both less the first row's truth), percentages.
    Numbers,
}

/// What is right for one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RowTruth {
    Label(u32),
    Number { truth: f64, origin: f64 },
}

const CLASS_SUMS: usize = 5;
const NUMBER_SUMS: usize = 6;

impl TallyLayout {
    pub fn of_classes(n_labels: usize, has_probabilities: bool) -> Self {
        let n_tallied = if n_labels > MAX_TALLIED_LABELS { 0 } else { (n_labels + SPARE_LABELS).min(MAX_TALLIED_LABELS) };
        Self::Classes { n_tallied, has_probabilities }
    }

    /// Numbers in a row of sums.
    pub fn width(&self) -> usize {
        match self {
            Self::Classes { n_tallied, has_probabilities } => CLASS_SUMS + 3 * n_tallied + if *has_probabilities { 3 * CALIBRATION_BINS } else { 0 },
            Self::Numbers => NUMBER_SUMS,
        }
    }

    /// The metric that stands for all of them where there is room for one.
    pub fn headline(&self) -> Metric {
        match self {
            Self::Classes { .. } => Metric::Accuracy,
            Self::Numbers => Metric::Mae,
        }
    }

    /// Adds a row. `columns`: by label code, the column of its probability.
    pub fn add(&self, sums: &mut [f64], said: &Said, columns: &[Option<usize>], row: usize, truth: RowTruth) {
        match (self, truth) {
            (Self::Classes { n_tallied, has_probabilities }, RowTruth::Label(truth)) => {
                add_class(sums, *n_tallied, *has_probabilities, said, columns, row, truth);
            }
            (Self::Numbers, RowTruth::Number { truth, origin }) => {
                let prediction = said.columns.first().map_or(f64::NAN, |column| column.get(row));
                let error = prediction - truth;
                let distance = truth - origin;
                let values = [1.0, error.abs(), error * error, distance, distance * distance, definitions::absolute_percentage(truth, prediction)];
                sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
            }
            _ => {}
        }
    }

    /// The metrics of a sum of rows, in the order of [`Metric::ALL`]; those that are not defined are left out.
    pub fn metrics(&self, sums: &[f64]) -> Vec<(Metric, f64)> {
        let mut metrics = Vec::with_capacity(8);
        match self {
            Self::Classes { n_tallied, has_probabilities } => {
                let &[n, hits, log_loss, brier, n_probable, ..] = sums else { return metrics };
                if n <= 0.0 {
                    return metrics;
                }
                metrics.push((Metric::Accuracy, hits / n));
                let tallies = sums.get(CLASS_SUMS..CLASS_SUMS + 3 * n_tallied).unwrap_or_default();
                let tally = |sums: &[f64]| Tally { truth: sums[0], predicted: sums[1], hits: sums[2] };
                let (tallies, _) = tallies.as_chunks::<3>();
                // Rows of labels that found no room would be missing.
                if *n_tallied > 0 && (tallies.iter().map(|sums| sums[0]).sum::<f64>() - n).abs() < 0.5 {
                    let together = LabelMetricsTogether::of(tallies.iter().map(|sums| tally(sums)));
                    metrics.push((Metric::Precision, together.precision));
                    metrics.push((Metric::Recall, together.recall));
                    metrics.push((Metric::F1, together.f1));
                    metrics.push((Metric::Mcc, together.mcc));
                }
                if *has_probabilities && (n_probable - n).abs() < 0.5 {
                    metrics.push((Metric::LogLoss, log_loss / n));
                    metrics.push((Metric::Brier, brier / n));
                    metrics.push((Metric::Ece, ece(self.bins(sums), n)));
                }
            }
            Self::Numbers => {
                let &[n, absolute, squares, distances, distance_squares, percentages, ..] = sums else { return metrics };
                if n <= 0.0 {
                    return metrics;
                }
                metrics.push((Metric::Rmse, (squares / n).sqrt()));
                metrics.push((Metric::Mae, absolute / n));
                metrics.push((Metric::Mape, percentages / n));
                if let Some(r2) = definitions::r2(n, squares, (distance_squares - distances * distances / n).max(0.0)) {
                    metrics.push((Metric::R2, r2));
                }
            }
        }
        metrics.retain(|(_, value)| value.is_finite());
        metrics
    }

    fn bins<'a>(&self, sums: &'a [f64]) -> &'a [[f64; 3]] {
        let Self::Classes { n_tallied, has_probabilities: true } = self else { return &[] };
        sums.get(CLASS_SUMS + 3 * n_tallied..).unwrap_or_default().as_chunks::<3>().0
    }

    /// Whether probabilities mean what they say, over a sum of rows.
    pub fn calibration(&self, sums: &[f64], of: &str) -> Option<Calibration> {
        let metrics = self.metrics(sums);
        let metric = |wanted: Metric| metrics.iter().find(|(metric, _)| *metric == wanted).map(|(_, value)| *value);
        let bin = |&[rows, probability, hits]: &[f64; 3]| CalibrationBin {
            rows: rows as u64,
            probability: (rows > 0.0).then_some(probability / rows),
            frequency: (rows > 0.0).then_some(hits / rows),
        };
        let bins = self.bins(sums).iter().map(bin).collect();
        Some(Calibration { ece: metric(Metric::Ece)?, brier: metric(Metric::Brier)?, of: of.to_owned(), bins })
    }
}

fn add_class(sums: &mut [f64], n_tallied: usize, has_probabilities: bool, said: &Said, columns: &[Option<usize>], row: usize, truth: u32) {
    let predicted = said.labels.get(row).copied().unwrap_or(NO_LABEL);
    let is_hit = f64::from(u8::from(predicted == truth));
    if let [n, hits, ..] = sums {
        *n += 1.0;
        *hits += is_hit;
    }
    let mut add = |at: usize, value: f64| {
        if let Some(sum) = sums.get_mut(at) {
            *sum += value;
        }
    };
    let tally = |label: u32| (label as usize) < n_tallied;
    if tally(truth) {
        add(CLASS_SUMS + 3 * truth as usize, 1.0);
        add(CLASS_SUMS + 3 * truth as usize + 2, is_hit);
    }
    if tally(predicted) {
        add(CLASS_SUMS + 3 * predicted as usize + 1, 1.0);
    }
    let column = |label: u32| columns.get(label as usize).copied().flatten();
    let Some(true_column) = column(truth).filter(|_| has_probabilities) else { return };
    let probability = |column: usize| said.columns.get(column).map_or(f32::NAN, |values| values.get_f32(row));
    add(2, definitions::log_loss(probability(true_column)));
    add(3, definitions::brier((0..said.columns.len()).map(probability), true_column));
    add(4, 1.0);
    // With two labels: the second's probability against its frequency; with more: the predicted label's against being right.
    let (confidence, is_right) = if said.columns.len() == 2 {
        (probability(1), f64::from(u8::from(true_column == 1)))
    } else {
        (column(predicted).map_or(f32::NAN, probability), is_hit)
    };
    if confidence.is_finite() {
        let bin = bin_of(f64::from(confidence));
        let at = CLASS_SUMS + 3 * n_tallied + 3 * bin;
        add(at, 1.0);
        add(at + 1, f64::from(confidence));
        add(at + 2, is_right);
    }
}

/// Bins hold their upper ends, but for the first, which holds both.
fn bin_of(probability: f64) -> usize {
    ((probability * CALIBRATION_BINS as f64).ceil() as usize).clamp(1, CALIBRATION_BINS) - 1
}

fn ece(bins: &[[f64; 3]], n: f64) -> f64 {
    bins.iter().map(|[_, probability, hits]| (probability - hits).abs() / n).sum()
}

#[cfg(test)]
mod tests {
    use super::super::rows::Values;
    use super::*;

    // Expected values: scikit-learn and numpy, from tests/statistics/make_reference.py.

    fn metrics(rows: &[Vec<f32>], truth: &[u32]) -> Vec<(Metric, f64)> {
        let n_labels = rows.first().map_or(0, Vec::len);
        let labels = rows.iter().map(|row| (0..row.len()).rev().max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap() as u32).collect();
        let columns = (0..n_labels).map(|label| Values::F32(rows.iter().map(|row| row[label]).collect())).collect();
        let said = Said { labels, columns, ..Said::default() };
        let layout = TallyLayout::of_classes(n_labels, true);
        let places: Vec<Option<usize>> = (0..n_labels).map(Some).collect();
        let mut sums = vec![0.0; layout.width()];
        for (row, &truth) in truth.iter().enumerate() {
            layout.add(&mut sums, &said, &places, row, RowTruth::Label(truth));
        }
        layout.metrics(&sums)
    }

    #[track_caller]
    fn assert_metric(metrics: &[(Metric, f64)], metric: Metric, expected: f64) {
        let found = metrics.iter().find(|(name, _)| *name == metric).unwrap().1;
        assert!((found - expected).abs() < 1e-7, "{metric:?}: {found} instead of {expected}");
    }

    #[test]
    fn two_labels_are_calibrated_by_the_second() {
        let rows: Vec<Vec<f32>> = [0.1, 0.9, 0.5, 0.5, 0.4, 0.2, 1.0, 0.6_f32].map(|p| vec![1.0 - p, p]).to_vec();
        let found = metrics(&rows, &[0, 1, 1, 0, 1, 0, 1, 0]);
        assert_metric(&found, Metric::Accuracy, 0.625);
        assert_metric(&found, Metric::Brier, 0.160_000_003_464_520_12);
        assert_metric(&found, Metric::Mcc, 0.258_198_889_747_161_1);
        assert_metric(&found, Metric::Ece, 0.200_000_005_774_199_96);
    }

    #[test]
    fn three_labels_are_calibrated_by_the_predicted_one() {
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
            [0.3, 0.3, 0.4_f32],
        ]
        .map(Vec::from);
        let found = metrics(&rows, &[0, 1, 2, 0, 1, 2, 0, 0, 2, 1]);
        assert_metric(&found, Metric::Brier, 0.398_999_996_021_390_25);
        assert_metric(&found, Metric::Mcc, 0.545_454_545_454_545_4);
        assert_metric(&found, Metric::Ece, 0.159_999_999_403_953_54);
    }

    #[test]
    fn numbers_as_scikit_learn_judges_them() {
        let said = Said { columns: vec![Values::F64(vec![2.5, 0.0, 2.0, 8.0, 4.0])], ..Said::default() };
        let layout = TallyLayout::Numbers;
        let mut sums = vec![0.0; layout.width()];
        for (row, truth) in [3.0, -0.5, 2.0, 7.0, 4.25].into_iter().enumerate() {
            layout.add(&mut sums, &said, &[], row, RowTruth::Number { truth, origin: 3.0 });
        }
        let found = layout.metrics(&sums);
        assert_metric(&found, Metric::Rmse, 0.559_016_994_374_947_5);
        assert_metric(&found, Metric::Mape, 0.273_669_467_787_114_9);
        assert_metric(&found, Metric::R2, 0.949_104_234_527_687_3);
    }
}
