//! Trees over ranks: what a walk compares is not a feature's value with a threshold, but its place among the feature's thresholds with the
//! threshold's own. Both fit 16 bits, so that a register holds twice as many rows, and `x <= threshold` stays exact:
//! it holds where no more thresholds are below `x` than below the threshold.

use std::hint::select_unpredictable;

use super::layout::{Tables, Tree};
use super::{BLOCK_ROWS, Real};

/// Levels of a tree that are walked over ranks; a deeper tree goes on by values from there.
pub(super) const MAX_DEPTH: u32 = 6;
/// Slots of as many levels, the first of which is unused.
pub(super) const SLOTS: usize = 1 << MAX_DEPTH;

/// Ranks are compared as signed numbers of 16 bits: 0 for a threshold that is NaN, the thresholds from 1 on, and one above them all.
const MAX_THRESHOLDS: usize = i16::MAX as usize - 1;

/// Values that are ranked side by side.
const LANES: usize = 8;

/// The ranks of a block's rows in one column, at the beginning of a cache line.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct BlockRanks(pub [u16; BLOCK_ROWS]);

/// The first levels of all trees of an ensemble, over ranks.
#[derive(Debug)]
pub(super) struct RankedTrees<T> {
    pub columns: Vec<Thresholds<T>>,
    /// In the order of [`Tables::trees`].
    pub trees: Vec<RankedTree>,
    /// For each linked tree, the nodes to which its exits lead.
    pub exits: Vec<[u32; SLOTS]>,
}

/// The thresholds of the splits that look at a column: ascending, without equals and NaN, filled up with infinity to a power of two, less one.
#[derive(Debug)]
pub(super) struct Thresholds<T> {
    sorted: Vec<T>,
    n_thresholds: usize,
}

/// A complete tree as an implicit heap: the children of slot `i` are `2i` and `2i + 1`, from slot 1 on. Its exits are numbered from the left.
#[derive(Debug, Clone)]
#[repr(C, align(64))]
pub(super) struct RankedTree {
    pub thresholds: [u16; SLOTS],
    /// Where the ranks of each slot's column begin in a block, counted in ranks.
    pub columns: [u32; SLOTS],
    pub depth: u32,
    pub after: After,
}

/// What the exits of a ranked tree are.
#[derive(Debug, Clone, Copy)]
pub(super) enum After {
    /// The leaves from this one on.
    Leaves { first_leaf: u32 },
    /// The slots of the heap's next level.
    Heap { first_step: u32, first_leaf: u32, depth: u32 },
    /// The nodes in [`RankedTrees::exits`] at this place, from where it is at most that many steps.
    Linked { exits: u32, depth: u32 },
}

/// A level's splits as thresholds and columns.
type Splits<T> = [(T, u32); SLOTS];

impl<T: Real> RankedTrees<T> {
    /// `None` where it would take longer to rank all columns than to walk all trees by values, or a column has too many thresholds.
    pub fn new(tables: &Tables<T>) -> Option<Self> {
        if tables.trees.len() < tables.columns.len() {
            return None;
        }
        let mut exits = Vec::new();
        let splits: Vec<_> = tables.trees.iter().map(|tree| first_levels(tables, tree, &mut exits)).collect();
        let mut by_column: Vec<Vec<T>> = vec![Vec::new(); tables.columns.len().max(1)];
        for (splits, depth, _) in &splits {
            for (threshold, column) in &splits[1..1 << depth] {
                by_column[*column as usize / BLOCK_ROWS].push(*threshold);
            }
        }
        let columns: Vec<_> = by_column.into_iter().map(Thresholds::new).collect();
        if columns.iter().any(|column| column.n_thresholds > MAX_THRESHOLDS) {
            return None;
        }
        let rank = |(threshold, column): (T, u32)| columns[column as usize / BLOCK_ROWS].rank_of_threshold(threshold);
        let trees = splits.into_iter().map(|(splits, depth, after)| RankedTree {
            thresholds: splits.map(rank),
            columns: splits.map(|(_, column)| column),
            depth,
            after,
        });
        let trees = trees.collect();
        Some(Self { columns, trees, exits })
    }
}

/// The first levels of a tree as a heap, how many they are, and what comes after them.
fn first_levels<T: Real>(tables: &Tables<T>, tree: &Tree, exits: &mut Vec<[u32; SLOTS]>) -> (Splits<T>, u32, After) {
    let mut splits = [(T::ZERO, 0); SLOTS];
    match *tree {
        Tree::Heap { first_step, first_leaf, depth } => {
            let n_levels = depth.min(MAX_DEPTH);
            for (slot, split) in splits.iter_mut().enumerate().take(1 << n_levels).skip(1) {
                let step = first_step as usize + slot;
                *split = (tables.heap.thresholds[step], tables.heap.columns[step]);
            }
            let after = if depth <= MAX_DEPTH { After::Leaves { first_leaf } } else { After::Heap { first_step, first_leaf, depth } };
            (splits, n_levels, after)
        }
        Tree::Linked { root, depth } => {
            let n_levels = depth.min(MAX_DEPTH);
            let mut nodes = vec![0, root];
            for slot in 1..1 << n_levels {
                let step = tables.linked[nodes[slot] as usize];
                splits[slot] = (step.threshold, step.column);
                nodes.extend(step.children);
            }
            let mut ends = [0; SLOTS];
            ends[..1 << n_levels].copy_from_slice(&nodes[1 << n_levels..]);
            exits.push(ends);
            // As many as there are trees, which are numbered with 32 bits.
            (splits, n_levels, After::Linked { exits: exits.len() as u32 - 1, depth: depth - n_levels })
        }
    }
}

impl<T: Real> Thresholds<T> {
    fn new(mut thresholds: Vec<T>) -> Self {
        thresholds.retain(|threshold| !threshold.is_nan());
        thresholds.sort_unstable_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
        thresholds.dedup();
        let n_thresholds = thresholds.len();
        thresholds.resize((n_thresholds + 1).next_power_of_two() - 1, T::INFINITY);
        Self { sorted: thresholds, n_thresholds }
    }

    fn rank_of_threshold(&self, threshold: T) -> u16 {
        let [rank, ..] = self.rank_lanes(&[threshold; LANES]);
        if threshold.is_nan() { 0 } else { rank }
    }

    pub fn rank(&self, values: &[T; BLOCK_ROWS], ranks: &mut BlockRanks) {
        let (values, _) = values.as_chunks::<LANES>();
        let (ranks, _) = ranks.0.as_chunks_mut::<LANES>();
        for (values, ranks) in values.iter().zip(ranks) {
            *ranks = self.rank_lanes(values);
        }
    }

    /// One more than the number of thresholds that `value <= threshold` does not hold for: for NaN, all of them.
    #[inline]
    fn rank_lanes(&self, values: &[T; LANES]) -> [u16; LANES] {
        let mut below = [0_usize; LANES];
        let mut step = self.sorted.len().div_ceil(2);
        while step > 0 {
            for (below, value) in below.iter_mut().zip(values) {
                // SAFETY: all steps together, up to and including this one, are at most as many as there are thresholds.
                let threshold = unsafe { self.sorted.get_unchecked(*below + step - 1) };
                // A branch here would be mispredicted every other time.
                *below = select_unpredictable(value <= threshold, *below, *below + step);
            }
            step /= 2;
        }
        // There are at most MAX_THRESHOLDS.
        below.map(|below| below.min(self.n_thresholds) as u16 + 1)
    }
}
