//! The areas under the ROC curve and under precision over recall, in constant memory: exact while the scores fit a budget, from then on over fine bins.

use super::definitions::{self, Areas};

/// Scores kept for an exact result: 16 MB.
const MAX_EXACT_SCORES: usize = 4 << 20;
/// Beyond this the bins would take too much memory.
const MAX_LABELS: usize = 256;

/// Scores below this, or above 1 less this, share a bin.
const SMALLEST: f32 = 1.0 / (1 << 24) as f32;
/// Bits of a float that are dropped: what is left is its exponent and 11 bits of its mantissa.
const DROPPED_BITS: u32 = 12;

/// Gathers scores and truth. With two labels the second one's probability is the score; with more, each label against the rest.
#[derive(Debug, Default)]
pub struct AucCollector {
    n_labels: usize,
    truth: Vec<u32>,
    /// By scored label.
    scores: Vec<Vec<f32>>,
    /// By scored label, once there are too many rows: rows of the label and of the rest, by bin.
    bins: Vec<Vec<[u64; 2]>>,
    is_undefined: bool,
}

impl AucCollector {
    pub fn add(&mut self, truth: u32, probabilities: &[Vec<f32>], row: usize) {
        if self.n_labels == 0 {
            self.n_labels = probabilities.len();
            self.is_undefined = !(2..=MAX_LABELS).contains(&self.n_labels);
            self.scores = vec![Vec::new(); if self.n_labels == 2 { 1 } else { self.n_labels }];
        }
        if self.is_undefined {
            return;
        }
        let first = self.first_scored();
        let score = |label: usize| probabilities.get(label).and_then(|column| column.get(row)).copied().unwrap_or(f32::NAN);
        if (0..self.scores.len()).any(|index| score(first + index).is_nan()) {
            self.is_undefined = true;
            return;
        }
        if self.bins.is_empty() {
            self.truth.push(truth);
            for (index, scores) in self.scores.iter_mut().enumerate() {
                scores.push(score(first + index));
            }
            if self.truth.len() * self.scores.len() > MAX_EXACT_SCORES {
                self.start_bins();
            }
        } else {
            for index in 0..self.bins.len() {
                self.count(index, score(first + index), truth);
            }
        }
    }

    /// The first label whose scores are kept.
    fn first_scored(&self) -> usize {
        usize::from(self.n_labels == 2)
    }

    fn start_bins(&mut self) {
        self.bins = vec![vec![[0; 2]; N_BINS]; self.scores.len()];
        let (truth, scores) = (std::mem::take(&mut self.truth), std::mem::take(&mut self.scores));
        for (index, scores) in scores.into_iter().enumerate() {
            for (score, &truth) in scores.into_iter().zip(&truth) {
                self.count(index, score, truth);
            }
        }
    }

    fn count(&mut self, index: usize, score: f32, truth: u32) {
        if !(0.0..=1.0).contains(&score) {
            self.is_undefined = true;
            return;
        }
        let is_rest = truth as usize != index + self.first_scored();
        self.bins[index][bin(score)][usize::from(is_rest)] += 1;
    }

    /// The areas, and a note where they are not exact or not there.
    pub fn finish(self) -> (Option<Areas>, Option<String>) {
        if self.is_undefined || self.n_labels == 0 {
            return (None, None);
        }
        let first = self.first_scored();
        let areas: Vec<Option<Areas>> = if self.bins.is_empty() {
            let exact = |(index, scores): (usize, &Vec<f32>)| exact_areas(scores, &self.truth, index + first);
            self.scores.iter().enumerate().map(exact).collect()
        } else {
            self.bins.iter().map(|bins| definitions::areas(bins.iter().map(|bin| bin.map(|rows| rows as f64)))).collect()
        };
        let n_areas = areas.len() as f64;
        let Some(areas) = areas.into_iter().collect::<Option<Vec<Areas>>>() else {
            return (None, Some("no ROC AUC: it needs rows of every label".to_owned()));
        };
        let mean = |value: fn(&Areas) -> f64| areas.iter().map(value).sum::<f64>() / n_areas;
        let means = Areas { roc_auc: mean(|areas| areas.roc_auc), pr_auc: mean(|areas| areas.pr_auc) };
        let note = (!self.bins.is_empty()).then(|| "ROC AUC and PR AUC over bins of probabilities that differ by less than 0.05 %".to_owned());
        (Some(means), note)
    }
}

fn exact_areas(scores: &[f32], truth: &[u32], label: usize) -> Option<Areas> {
    let mut ranked: Vec<(f32, bool)> = scores.iter().zip(truth).map(|(&score, &truth)| (score, truth as usize == label)).collect();
    ranked.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    definitions::areas(ranked.chunk_by(|a, b| a.0 == b.0).map(|ties| {
        let n_label = ties.iter().filter(|(_, is_label)| *is_label).count() as f64;
        [n_label, ties.len() as f64 - n_label]
    }))
}

const BINS_PER_HALF: usize = ((0.5_f32.to_bits() - SMALLEST.to_bits()) >> DROPPED_BITS) as usize + 1;
const N_BINS: usize = 2 * BINS_PER_HALF;

/// The bin of a probability: as fine next to 1 as it is next to 0.
fn bin(score: f32) -> usize {
    let half = |distance: f32| ((distance.max(SMALLEST).to_bits() - SMALLEST.to_bits()) >> DROPPED_BITS) as usize;
    if score <= 0.5 { half(score) } else { N_BINS - 1 - half(1.0 - score) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_keep_the_order_of_scores() {
        let mut last = 0;
        for step in 0..=100_000_u32 {
            let next = bin(step as f32 / 100_000.0);
            assert!(next >= last, "{step}");
            last = next;
        }
        assert_eq!((bin(0.0), bin(1.0)), (0, N_BINS - 1));
        assert!(bin(0.001) != bin(0.0011) && bin(0.999) != bin(0.9989));
    }

    /// The exact area and the one over bins agree, on scores with ties.
    #[test]
    fn bins_come_close_to_the_exact_area() {
        let mut exact = AucCollector::default();
        let mut binned = AucCollector::default();
        let mut state = 1_u64;
        for _ in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let truth = u32::from(state >> 63 == 1);
            let noise = (state >> 33 & 0xffff) as f32 / 65_535.0;
            let score = ((noise + 0.2 * truth as f32) / 1.2).powi(3);
            let probabilities = [vec![1.0 - score], vec![score]];
            exact.add(truth, &probabilities, 0);
            binned.add(truth, &probabilities, 0);
            if binned.bins.is_empty() {
                binned.start_bins();
            }
        }
        let (exact, note) = exact.finish();
        assert_eq!(note, None);
        let (binned, note) = binned.finish();
        assert!(note.is_some());
        let (exact, binned) = (exact.unwrap(), binned.unwrap());
        assert!((exact.roc_auc - binned.roc_auc).abs() < 1e-4);
        assert!((exact.pr_auc - binned.pr_auc).abs() < 1e-3);
    }

    #[test]
    fn one_label_alone_has_no_area() {
        let mut collector = AucCollector::default();
        collector.add(1, &[vec![0.5], vec![0.5]], 0);
        assert_eq!(collector.finish().0, None);
    }
}
