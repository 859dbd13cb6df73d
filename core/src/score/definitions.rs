//! What metrics are, each written once, over counts and sums that may be weighted. Definitions and edge cases are scikit-learn's.

/// Rows of a label: with that truth, so predicted, and both.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tally {
    pub truth: f64,
    pub predicted: f64,
    pub hits: f64,
}

impl Tally {
    /// A label that neither occurs nor is predicted says nothing.
    pub fn occurs(&self) -> bool {
        self.truth + self.predicted > 0.0
    }

    pub fn precision(&self) -> f64 {
        share(self.hits, self.predicted)
    }

    pub fn recall(&self) -> f64 {
        share(self.hits, self.truth)
    }

    pub fn f1(&self) -> f64 {
        share(2.0 * self.hits, self.truth + self.predicted)
    }
}

/// What tallies of all labels say together. Precision, recall and F1 are means over the labels that occur.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LabelMetricsTogether {
    pub accuracy: f64,
    pub precision: f64,
    pub recall: f64,
    pub f1: f64,
    pub mcc: f64,
}

impl LabelMetricsTogether {
    pub fn of(tallies: impl Iterator<Item = Tally>) -> Self {
        let (mut n_labels, mut precision, mut recall, mut f1) = (0.0, 0.0, 0.0, 0.0);
        let (mut n, mut hits, mut products, mut truth_squares, mut predicted_squares) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for tally in tallies.filter(Tally::occurs) {
            n_labels += 1.0;
            precision += tally.precision();
            recall += tally.recall();
            f1 += tally.f1();
            n += tally.truth;
            hits += tally.hits;
            products += tally.truth * tally.predicted;
            truth_squares += tally.truth * tally.truth;
            predicted_squares += tally.predicted * tally.predicted;
        }
        let spread = ((n * n - predicted_squares) * (n * n - truth_squares)).max(0.0).sqrt();
        Self {
            accuracy: share(hits, n),
            precision: share(precision, n_labels),
            recall: share(recall, n_labels),
            f1: share(f1, n_labels),
            mcc: share(hits * n - products, spread),
        }
    }
}

/// What a row costs whose true label was given this probability: kept off 0 and 1 by float32's epsilon.
pub fn log_loss(probability: f32) -> f64 {
    -f64::from(probability).clamp(f64::from(f32::EPSILON), 1.0 - f64::from(f32::EPSILON)).ln()
}

/// The squared distance of a row's probabilities from the truth: of the second label where there are two, summed over all where there are more.
pub fn brier(probabilities: impl ExactSizeIterator<Item = f32>, truth: usize) -> f64 {
    let n_labels = probabilities.len();
    let distance = |(label, probability): (usize, f32)| (f64::from(probability) - f64::from(u8::from(label == truth))).powi(2);
    let distances = probabilities.enumerate().map(distance);
    if n_labels == 2 { distances.skip(1).sum() } else { distances.sum() }
}

/// A row's error as a share of the truth; that of a truth of 0 is as large as numbers allow.
pub fn absolute_percentage(truth: f64, prediction: f64) -> f64 {
    (prediction - truth).abs() / truth.abs().max(f64::EPSILON)
}

/// How much of the truth's spread (sum of squared distances from its mean) a regression explains. A constant truth is either met or not.
pub fn r2(n: f64, sum_squares: f64, spread: f64) -> Option<f64> {
    if n < 2.0 {
        None
    } else if spread == 0.0 {
        Some(if sum_squares == 0.0 { 1.0 } else { 0.0 })
    } else {
        Some(1.0 - sum_squares / spread)
    }
}

/// Areas under two curves over all thresholds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Areas {
    /// Under the ROC curve: the share of pairs in the right order, ties counted half.
    pub roc_auc: f64,
    /// Under the curve of precision over recall: average precision, without interpolation.
    pub pr_auc: f64,
}

/// The areas from rows of the label and of the rest, by groups of equal scores in ascending order; nothing unless there are both.
pub fn areas(groups: impl Iterator<Item = [f64; 2]> + Clone) -> Option<Areas> {
    let (n_label, n_rest) = groups.clone().fold((0.0, 0.0), |(label, rest), group| (label + group[0], rest + group[1]));
    if n_label <= 0.0 || n_rest <= 0.0 {
        return None;
    }
    let (mut label_below, mut rest_below, mut ordered, mut precision) = (0.0, 0.0, 0.0, 0.0);
    for [label, rest] in groups {
        ordered += label * (rest_below + rest / 2.0);
        if label > 0.0 {
            let above = n_label - label_below;
            precision += label * above / (above + n_rest - rest_below);
        }
        label_below += label;
        rest_below += rest;
    }
    Some(Areas { roc_auc: ordered / (n_label * n_rest), pr_auc: precision / n_label })
}

/// 0 of nothing.
fn share(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}
