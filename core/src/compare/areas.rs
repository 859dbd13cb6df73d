//! Intervals of the areas under curves, which need scores in order: rows resampled one by one while there are few, groups of rows with their
//! scores in bins from then on.

use super::rows::Said;
use super::statistics::{Generator, mix};
use crate::score::definitions::{self, Areas};
use crate::task::{Cancelled, TaskCtx};

/// Rows kept one by one.
pub const EXACT_ROWS: usize = 20_000;
/// With more labels than this there is no interval.
pub const MAX_LABELS: usize = 16;
/// Groups that are resampled where there are more rows.
pub const GROUPS: usize = 200;

/// Scores below this share a bin.
const SMALLEST: f32 = 1.0 / (1 << 24) as f32;
/// What is left of a float is its exponent and 3 bits of its mantissa: bins an eighth wide.
const DROPPED_BITS: u32 = 20;
const BINS_PER_HALF: usize = ((0.5_f32.to_bits() - SMALLEST.to_bits()) >> DROPPED_BITS) as usize + 1;
const BINS: usize = 2 * BINS_PER_HALF;

/// Steps that all draws together may take.
const MAX_STEPS: usize = 400_000_000;
const DRAWS: usize = 1000;
const MIN_DRAWS: usize = 200;

/// Scores and truth of all versions.
pub struct AreaSample {
    /// Columns that are scored: the second of two labels, else every one.
    first_scored: usize,
    n_scored: usize,
    n_versions: usize,
    truth: Vec<u32>,
    /// By version and scored label.
    scores: Vec<Vec<f32>>,
    /// By version and scored label, once there are many rows: by group and bin, rows of the label and of the rest.
    bins: Vec<Vec<[u32; 2]>>,
    n_rows: u64,
    is_undefined: bool,
}

/// One draw's areas by version.
pub type Draw = Vec<Option<Areas>>;

impl AreaSample {
    pub fn new(n_versions: usize, n_labels: usize) -> Self {
        let first_scored = usize::from(n_labels == 2);
        let n_scored = n_labels - first_scored.min(n_labels);
        let is_undefined = !(2..=MAX_LABELS).contains(&n_labels);
        let scores = vec![Vec::new(); if is_undefined { 0 } else { n_versions * n_scored }];
        Self { first_scored, n_scored, n_versions, truth: Vec::new(), scores, bins: Vec::new(), n_rows: 0, is_undefined }
    }

    /// `columns`: by version, the columns of its probabilities in the order of the baseline's.
    pub fn add(&mut self, said: &[Said], columns: &[Vec<usize>], row: usize, true_column: Option<usize>) {
        let Some(truth) = true_column.filter(|_| !self.is_undefined) else {
            self.is_undefined = true;
            return;
        };
        let score = |version: usize, label: usize| {
            let column = columns.get(version).and_then(|columns| columns.get(label));
            column.and_then(|&column| said.get(version)?.columns.get(column)).map_or(f32::NAN, |values| values.get_f32(row))
        };
        self.n_rows += 1;
        if self.bins.is_empty() && self.truth.len() >= EXACT_ROWS {
            self.start_bins();
        }
        let is_exact = self.bins.is_empty();
        if is_exact {
            self.truth.push(u32::try_from(truth).unwrap_or(u32::MAX));
        }
        for version in 0..self.n_versions {
            for index in 0..self.n_scored {
                let score = score(version, self.first_scored + index);
                if !(0.0..=1.0).contains(&score) {
                    self.is_undefined = true;
                    return;
                }
                let series = version * self.n_scored + index;
                if is_exact {
                    self.scores[series].push(score);
                } else {
                    self.count(series, self.n_rows - 1, score, truth == self.first_scored + index);
                }
            }
        }
    }

    fn start_bins(&mut self) {
        self.bins = vec![vec![[0; 2]; GROUPS * BINS]; self.scores.len()];
        let truth = std::mem::take(&mut self.truth);
        for series in 0..self.scores.len() {
            let label = self.first_scored + series % self.n_scored;
            let scores = std::mem::take(&mut self.scores[series]);
            for (row, (&truth, score)) in truth.iter().zip(scores).enumerate() {
                self.count(series, row as u64, score, truth as usize == label);
            }
        }
    }

    fn count(&mut self, series: usize, row: u64, score: f32, is_label: bool) {
        let group = (mix(row) % GROUPS as u64) as usize;
        self.bins[series][group * BINS + bin(score)][usize::from(!is_label)] += 1;
    }

    /// Whether rows were resampled one by one.
    pub fn is_exact(&self) -> bool {
        self.bins.is_empty()
    }

    /// Areas of all rows as the draws see them, then those of every draw, the same rows or groups for every version.
    pub fn draws(mut self, ctx: &TaskCtx, seed: u64) -> Result<Option<(Draw, Vec<Draw>)>, Cancelled> {
        if self.is_undefined || self.n_rows == 0 {
            return Ok(None);
        }
        let n_units = if self.is_exact() { self.truth.len() } else { GROUPS };
        let steps = if self.is_exact() { n_units } else { GROUPS * BINS } * self.n_versions * self.n_scored;
        let n_draws = (MAX_STEPS / steps.max(1)).clamp(MIN_DRAWS, DRAWS);
        let orders: Vec<Vec<u32>> = if self.is_exact() { self.scores.iter_mut().map(|scores| ascending(scores)).collect() } else { Vec::new() };
        let mut generator = Generator::new(seed);
        let mut weights = vec![1.0_f64; n_units];
        let whole = self.areas(&weights, &orders);
        let mut draws = Vec::with_capacity(n_draws);
        for _ in 0..n_draws {
            ctx.checkpoint()?;
            weights.fill(0.0);
            for _ in 0..n_units {
                weights[generator.below(n_units)] += 1.0;
            }
            draws.push(self.areas(&weights, &orders));
        }
        Ok(Some((whole, draws)))
    }

    fn areas(&self, weights: &[f64], orders: &[Vec<u32>]) -> Draw {
        let of_series = |series: usize| {
            let label = self.first_scored + series % self.n_scored;
            if self.is_exact() { self.exact(series, label, &orders[series], weights) } else { self.binned(series, weights) }
        };
        let of_version = |version: usize| {
            let areas: Option<Vec<Areas>> = (0..self.n_scored).map(|index| of_series(version * self.n_scored + index)).collect();
            let areas = areas?;
            let mean = |value: fn(&Areas) -> f64| areas.iter().map(value).sum::<f64>() / areas.len() as f64;
            Some(Areas { roc_auc: mean(|areas| areas.roc_auc), pr_auc: mean(|areas| areas.pr_auc) })
        };
        (0..self.n_versions).map(of_version).collect()
    }

    fn exact(&self, series: usize, label: usize, order: &[u32], weights: &[f64]) -> Option<Areas> {
        let scores = &self.scores[series];
        definitions::areas(order.chunk_by(|&a, &b| scores[a as usize] == scores[b as usize]).map(|ties| {
            let mut group = [0.0; 2];
            for &row in ties {
                group[usize::from(self.truth[row as usize] as usize != label)] += weights[row as usize];
            }
            group
        }))
    }

    fn binned(&self, series: usize, weights: &[f64]) -> Option<Areas> {
        let mut bins = vec![[0.0; 2]; BINS];
        for (group, &weight) in self.bins[series].as_chunks::<BINS>().0.iter().zip(weights).filter(|(_, weight)| **weight > 0.0) {
            for (sum, bin) in bins.iter_mut().zip(group) {
                sum[0] += weight * f64::from(bin[0]);
                sum[1] += weight * f64::from(bin[1]);
            }
        }
        definitions::areas(bins.into_iter())
    }
}

fn ascending(scores: &mut [f32]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..u32::try_from(scores.len()).unwrap_or(u32::MAX)).collect();
    order.sort_unstable_by(|&a, &b| scores[a as usize].total_cmp(&scores[b as usize]));
    order
}

/// The bin of a probability: as fine next to 1 as it is next to 0.
fn bin(score: f32) -> usize {
    let half = |distance: f32| ((distance.max(SMALLEST).to_bits() - SMALLEST.to_bits()) >> DROPPED_BITS) as usize;
    if score <= 0.5 { half(score) } else { BINS - 1 - half(1.0 - score) }
}
