//! Decision-tree ensembles: every row walks down every tree, and the weights of the leaves it ends in are combined per target.
//!
//! An [`Ensemble`] says what a model means, node by node. A [`Forest`] is the same made fit for walking: all comparisons
//! lowered to "`x <= threshold`, or NaN and it is told to go there" ([`lower`]), trees that are nearly complete as implicit heaps, others as
//! linked nodes whose leaves point to themselves ([`layout`]), so that a walk is a fixed number of steps without branches ([`walk`]). Where the
//! processor allows it, the first levels are walked in vector registers, over ranks in place of values ([`ranks`]).

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod layout;
mod lower;
mod ranks;
mod walk;

#[cfg(test)]
mod tests;

use std::fmt::Debug;
use std::ops::{Add, Div, Range, Sub};

use rayon::prelude::*;
use smallvec::SmallVec;

use super::simd::Level;
use layout::{Leaves, Tables};
use walk::{Columns, Visitor};

/// Rows that are walked through one tree before the next: their features stay in the first-level cache.
const BLOCK_ROWS: usize = 128;

/// Below this many rows, the trees of one row are walked side by side instead of the rows of one tree.
const MIN_ROWS_SIDE_BY_SIDE: usize = 4;

/// Wider blocks than this many columns would not stay in any cache.
const MAX_BLOCK_COLUMNS: usize = 16_384;

/// Walks (rows × trees) from which it pays to share the work among threads.
const MIN_WALKS_IN_PARALLEL: usize = 50_000;

/// float32 or float64: the type of thresholds, features and sums.
pub trait Real:
    bytemuck::Pod + Default + Debug + PartialOrd + Send + Sync + Add<Output = Self> + Sub<Output = Self> + Div<Output = Self> + From<f32>
{
    const ZERO: Self;
    const INFINITY: Self;
    const NEGATIVE_INFINITY: Self;
    /// Rounds.
    fn from_count(count: usize) -> Self;
    /// Rounds.
    fn to_f32(self) -> f32;
    fn is_nan(self) -> bool;
    /// The largest value below this one; NaN below negative infinity.
    fn next_down(self) -> Self;
}

macro_rules! real {
    ($t:ty) => {
        impl Real for $t {
            const ZERO: Self = 0.0;
            const INFINITY: Self = <$t>::INFINITY;
            const NEGATIVE_INFINITY: Self = <$t>::NEG_INFINITY;

            fn from_count(count: usize) -> Self {
                count as Self
            }

            fn to_f32(self) -> f32 {
                self as f32
            }

            fn is_nan(self) -> bool {
                self.is_nan()
            }

            fn next_down(self) -> Self {
                if self == <$t>::NEG_INFINITY { <$t>::NAN } else { <$t>::next_down(self) }
            }
        }
    };
}
real!(f32);
real!(f64);

/// How a branch compares a feature with its threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    LessOrEqual,
    Less,
    GreaterOrEqual,
    Greater,
    Equal,
    NotEqual,
}

/// A node of an ensemble.
#[derive(Debug, Clone, PartialEq)]
pub enum Node<T> {
    Branch {
        feature: u32,
        threshold: T,
        comparison: Comparison,
        /// NaN goes the way of `when_true`. Otherwise it goes where the comparison sends it: only `NotEqual` holds for NaN.
        missing_is_true: bool,
        /// Indices into [`Ensemble::nodes`].
        when_true: u32,
        when_false: u32,
    },
    /// A branch that is true for the features that are in a set.
    Member {
        feature: u32,
        /// Which of [`Ensemble::members`]; NaN among them is in no set.
        members: Range<u32>,
        /// NaN goes the way of `when_true`, otherwise of `when_false`.
        missing_is_true: bool,
        when_true: u32,
        when_false: u32,
    },
    /// Which of [`Ensemble::weights`] a row gets that ends here.
    Leaf { weights: Range<u32> },
}

/// What a leaf gives to a target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weight<T> {
    pub target: u32,
    pub value: T,
}

/// Trees as a model describes them.
#[derive(Debug, Clone)]
pub struct Ensemble<T> {
    /// Of all trees. Subtrees may be shared, cycles may not be.
    pub nodes: Vec<Node<T>>,
    /// The root of each tree, in the order in which leaves are added up.
    pub roots: Vec<u32>,
    pub weights: Vec<Weight<T>>,
    /// The elements of all sets.
    pub members: Vec<T>,
    pub n_targets: usize,
}

impl Ensemble<f32> {
    /// The same trees with float64 thresholds and weights of the same values.
    pub fn widen(&self) -> Ensemble<f64> {
        let widen_node = |node: &Node<f32>| match *node {
            Node::Branch { feature, threshold, comparison, missing_is_true, when_true, when_false } => {
                Node::Branch { feature, threshold: f64::from(threshold), comparison, missing_is_true, when_true, when_false }
            }
            Node::Member { feature, ref members, missing_is_true, when_true, when_false } => {
                Node::Member { feature, members: members.clone(), missing_is_true, when_true, when_false }
            }
            Node::Leaf { ref weights } => Node::Leaf { weights: weights.clone() },
        };
        Ensemble {
            nodes: self.nodes.iter().map(widen_node).collect(),
            roots: self.roots.clone(),
            weights: self.weights.iter().map(|weight| Weight { target: weight.target, value: f64::from(weight.value) }).collect(),
            members: self.members.iter().copied().map(f64::from).collect(),
            n_targets: self.n_targets,
        }
    }
}

/// Why an ensemble cannot be walked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForestError {
    #[error("tree number {tree} loops: node number {node} is its own descendant")]
    Cycle { tree: usize, node: usize },
    #[error("the ensemble has more nodes than can be indexed with 32 bits")]
    TooLarge,
}

/// How the weights that a row collects for a target become one score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Combine {
    Sum,
    Min,
    Max,
}

/// An ensemble ready to be walked.
#[derive(Debug)]
pub struct Forest<T> {
    tables: Tables<T>,
    n_targets: usize,
    level: Level,
}

/// What one row collected.
pub struct RowScores<'a, T> {
    /// One per target, zero where nothing was collected.
    pub scores: &'a mut [T],
    /// Whether any leaf gave something to the target.
    pub has_score: &'a mut [bool],
}

impl<T: Real> Forest<T> {
    pub fn new(ensemble: &Ensemble<T>) -> Result<Self, ForestError> {
        Ok(Self { tables: layout::build(ensemble)?, n_targets: ensemble.n_targets, level: Level::detected() })
    }

    pub fn n_trees(&self) -> usize {
        self.tables.trees.len()
    }

    /// How many features a row must have at least.
    pub fn n_features(&self) -> usize {
        self.tables.columns.last().map_or(0, |column| column.feature as usize + 1)
    }

    /// Walks `rows` (row-major, `n_features` each, at least [`Self::n_features`]) down all trees. `finish` turns what a row collected into
    /// its `width` outputs and something more (a label). Weights are combined in the order of the trees, whatever the number of threads.
    pub fn evaluate<O: Copy + Default + Send, L: Copy + Default + Send>(
        &self,
        rows: Rows<'_, T>,
        combine: Combine,
        width: usize,
        finish: impl Fn(RowScores<'_, T>, &mut [O]) -> L + Sync,
    ) -> (Vec<O>, Vec<L>) {
        debug_assert!(rows.n_features >= self.n_features());
        let mut outputs = vec![O::default(); rows.n_rows * width];
        let mut labels = vec![L::default(); rows.n_rows];
        let evaluate_block = |columns: &mut Columns<T>, block: usize, outputs: &mut [O], labels: &mut [L]| {
            let rows = rows.block(block, labels.len());
            let mut scores: SmallVec<[T; BLOCK_ROWS]> = SmallVec::from_elem(T::ZERO, rows.n_rows * self.n_targets);
            let mut has_score: SmallVec<[bool; BLOCK_ROWS]> = SmallVec::from_elem(false, rows.n_rows * self.n_targets);
            self.score_block(rows, columns, combine, &mut scores, &mut has_score);
            for (row, label) in labels.iter_mut().enumerate() {
                let targets = row * self.n_targets..(row + 1) * self.n_targets;
                let collected = RowScores { scores: &mut scores[targets.clone()], has_score: &mut has_score[targets] };
                *label = finish(collected, &mut outputs[row * width..(row + 1) * width]);
            }
        };
        let chunk = (BLOCK_ROWS * width).max(1);
        let is_parallel = rows.n_rows > BLOCK_ROWS && rows.n_rows * self.n_trees() >= MIN_WALKS_IN_PARALLEL && rayon::current_num_threads() > 1;
        if is_parallel {
            outputs
                .par_chunks_mut(chunk)
                .zip(labels.par_chunks_mut(BLOCK_ROWS))
                .enumerate()
                .for_each_init(Columns::default, |columns, (block, (outputs, labels))| evaluate_block(columns, block, outputs, labels));
        } else {
            let mut columns = Columns::default();
            for (block, (outputs, labels)) in outputs.chunks_mut(chunk).zip(labels.chunks_mut(BLOCK_ROWS)).enumerate() {
                evaluate_block(&mut columns, block, outputs, labels);
            }
        }
        (outputs, labels)
    }

    /// Adds up the leaves of at most [`BLOCK_ROWS`] rows, tree after tree. `scores` and `has_score` start out as zero and false.
    fn score_block(&self, rows: Rows<'_, T>, columns: &mut Columns<T>, combine: Combine, scores: &mut [T], has_score: &mut [bool]) {
        let n_targets = self.n_targets;
        match &self.tables.leaves {
            Leaves::OneTarget { target, values } if combine == Combine::Sum => {
                let mut sums = Sums { values, sums: [T::ZERO; BLOCK_ROWS] };
                self.tables.walk(self.level, rows, columns, &mut sums);
                for (row, sum) in sums.sums.into_iter().enumerate().take(rows.n_rows) {
                    scores[row * n_targets + target] = sum;
                }
                has_score.iter_mut().skip(*target).step_by(n_targets).for_each(|has_score| *has_score = true);
            }
            Leaves::OneTarget { target, values } => self.tables.walk(self.level, rows, columns, &mut |row: usize, leaf: usize| {
                let at = row * n_targets + target;
                combine.add(values[leaf], &mut scores[at], &mut has_score[at]);
            }),
            Leaves::Weighted { ranges, weights } => self.tables.walk(self.level, rows, columns, &mut |row: usize, leaf: usize| {
                let range = &ranges[leaf];
                for weight in &weights[range.start as usize..range.end as usize] {
                    let at = row * n_targets + weight.target as usize;
                    combine.add(weight.value, &mut scores[at], &mut has_score[at]);
                }
            }),
        }
    }
}

/// Adds up one value per leaf.
struct Sums<'a, T> {
    values: &'a [T],
    sums: [T; BLOCK_ROWS],
}

impl<T: Real> Visitor<T> for Sums<'_, T> {
    fn visit(&mut self, row: usize, leaf: usize) {
        self.sums[row] = self.sums[row] + self.values[leaf];
    }

    fn as_sums(&mut self) -> Option<(&[T], &mut [T; BLOCK_ROWS])> {
        Some((self.values, &mut self.sums))
    }
}

impl Combine {
    fn add<T: Real>(self, value: T, score: &mut T, has_score: &mut bool) {
        *score = match self {
            Self::Sum => *score + value,
            Self::Min if !*has_score || value < *score => value,
            Self::Max if !*has_score || value > *score => value,
            Self::Min | Self::Max => *score,
        };
        *has_score = true;
    }
}

/// A row-major matrix.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a, T> {
    data: &'a [T],
    pub n_rows: usize,
    pub n_features: usize,
}

impl<'a, T: Copy> Rows<'a, T> {
    /// `None` unless `data` is exactly that large.
    pub fn new(data: &'a [T], n_rows: usize, n_features: usize) -> Option<Self> {
        (n_rows.checked_mul(n_features) == Some(data.len())).then_some(Self { data, n_rows, n_features })
    }

    fn row(&self, row: usize) -> &'a [T] {
        &self.data[row * self.n_features..(row + 1) * self.n_features]
    }

    /// `n_rows` rows from the first row of block number `block`.
    fn block(&self, block: usize, n_rows: usize) -> Self {
        let first = block * BLOCK_ROWS;
        Self { data: &self.data[first * self.n_features..(first + n_rows) * self.n_features], n_rows, n_features: self.n_features }
    }
}
