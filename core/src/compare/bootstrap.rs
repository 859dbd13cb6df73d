//! The paired bootstrap in constant memory: rows fall into groups by a hash of their place, a group keeps its sums, and groups are drawn with
//! replacement, the same ones for every version. While there are no more rows than groups, each row is a group: the usual bootstrap.

use std::collections::BTreeMap;

use super::Interval;
use super::statistics::{Generator, mix, percentile_interval};
use super::tally::TallyLayout;
use crate::score::Metric;
use crate::task::{Cancelled, TaskCtx};

pub const GROUPS: usize = 2000;
pub const DRAWS: usize = 1000;

/// Sums by group and version.
pub struct Groups {
    width: usize,
    n_versions: usize,
    sums: Vec<f64>,
    n_rows: u64,
}

/// Values of one metric in every draw, by version.
pub type MetricDraws = BTreeMap<Metric, Vec<Vec<f64>>>;

impl Groups {
    pub fn new(width: usize, n_versions: usize) -> Self {
        Self { width, n_versions, sums: Vec::new(), n_rows: 0 }
    }

    /// The sums of the next row's group: one after another, by version.
    pub fn next_row(&mut self) -> std::slice::ChunksExactMut<'_, f64> {
        let group = if self.n_rows < GROUPS as u64 { self.n_rows } else { mix(self.n_rows) % GROUPS as u64 } as usize;
        self.n_rows += 1;
        let group_width = self.width * self.n_versions;
        if self.sums.len() < (group + 1) * group_width {
            self.sums.resize((group + 1) * group_width, 0.0);
        }
        self.sums[group * group_width..(group + 1) * group_width].chunks_exact_mut(self.width)
    }

    pub fn is_exact(&self) -> bool {
        self.n_rows <= GROUPS as u64
    }

    /// The sums of all rows, by version.
    pub fn totals(&self) -> Vec<Vec<f64>> {
        let mut totals = vec![0.0; self.width * self.n_versions];
        for group in self.sums.chunks_exact(totals.len().max(1)) {
            totals.iter_mut().zip(group).for_each(|(total, sum)| *total += sum);
        }
        totals.chunks_exact(self.width.max(1)).map(<[f64]>::to_vec).collect()
    }

    /// The metrics of every draw.
    pub fn draws(&self, ctx: &TaskCtx, layout: &TallyLayout, seed: u64) -> Result<MetricDraws, Cancelled> {
        let group_width = self.width * self.n_versions;
        let n_groups = self.sums.len() / group_width.max(1);
        let mut draws = MetricDraws::new();
        let mut generator = Generator::new(seed);
        let mut weights = vec![0.0_f64; n_groups];
        let mut sums = vec![0.0_f64; group_width];
        for _ in 0..DRAWS {
            ctx.checkpoint()?;
            weights.fill(0.0);
            for _ in 0..n_groups {
                weights[generator.below(n_groups)] += 1.0;
            }
            sums.fill(0.0);
            for (group, &weight) in self.sums.chunks_exact(group_width.max(1)).zip(&weights).filter(|(_, weight)| **weight > 0.0) {
                sums.iter_mut().zip(group).for_each(|(sum, value)| *sum += weight * value);
            }
            for (version, sums) in sums.chunks_exact(self.width.max(1)).enumerate() {
                for (metric, value) in layout.metrics(sums) {
                    let by_version = draws.entry(metric).or_insert_with(|| vec![Vec::with_capacity(DRAWS); self.n_versions]);
                    by_version[version].push(value);
                }
            }
        }
        Ok(draws)
    }
}

/// The interval of a metric of one version; `None` unless every draw has one.
pub fn interval_of(draws: &MetricDraws, metric: Metric, version: usize) -> Option<Interval> {
    percentile_interval(draws.get(&metric)?.get(version).filter(|values| values.len() == DRAWS)?.clone())
}

/// The interval of the difference of a metric between a version and the baseline.
pub fn interval_of_difference(draws: &MetricDraws, metric: Metric, version: usize) -> Option<Interval> {
    let by_version = draws.get(&metric)?;
    let (a, b) = (by_version.first()?, by_version.get(version)?);
    (a.len() == DRAWS && b.len() == DRAWS).then(|| percentile_interval(a.iter().zip(b).map(|(a, b)| b - a).collect()))?
}
