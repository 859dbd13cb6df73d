//! Walking rows down trees: eight walks at a time, so that the next step of one is computed while another waits for its feature.
//! A block of rows goes through one tree after the other; single rows go through several trees side by side.

use smallvec::SmallVec;

use super::layout::{HeapStep, LinkedStep, Steps, Tables, Tree};
use super::{BLOCK_ROWS, MAX_BLOCK_COLUMNS, MIN_ROWS_SIDE_BY_SIDE, Real, Rows};

/// Walks that go on at the same time.
const LANES: usize = 8;

/// Steps in a linked tree between looking whether all walks have ended.
const STEPS_BETWEEN_CHECKS: u32 = 4;

/// The features of a block of rows, column after column, each [`BLOCK_ROWS`] long.
#[derive(Debug)]
pub(super) struct Columns<T> {
    values: Vec<T>,
    has_nan: bool,
}

impl<T> Default for Columns<T> {
    fn default() -> Self {
        Self { values: Vec::new(), has_nan: false }
    }
}

impl<T: Real> Columns<T> {
    fn fill(&mut self, rows: Rows<'_, T>, features: &[u32]) {
        // Padding of trees looks at the first column even if there are no features.
        self.values.resize(features.len().max(1) * BLOCK_ROWS, T::ZERO);
        self.has_nan = false;
        for row in 0..rows.n_rows {
            let values = rows.row(row);
            for (column, &feature) in features.iter().enumerate() {
                let value = values[feature as usize];
                self.has_nan |= value.is_nan();
                self.values[column * BLOCK_ROWS + row] = value;
            }
        }
    }
}

impl<T: Real> Tables<T> {
    /// Calls `visit(row, leaf)` for every row (at most [`BLOCK_ROWS`]) and tree; the trees of a row in their order.
    pub(super) fn walk(&self, rows: Rows<'_, T>, columns: &mut Columns<T>, mut visit: impl FnMut(usize, usize)) {
        if rows.n_rows < MIN_ROWS_SIDE_BY_SIDE || self.features.len() > MAX_BLOCK_COLUMNS {
            for row in 0..rows.n_rows {
                self.walk_row(rows.row(row), |leaf| visit(row, leaf));
            }
            return;
        }
        columns.fill(rows, &self.features);
        if columns.has_nan && !(self.heap.is_plain() && self.linked.is_plain()) {
            self.walk_block::<true>(rows.n_rows, &columns.values, &mut visit);
        } else {
            self.walk_block::<false>(rows.n_rows, &columns.values, &mut visit);
        }
    }

    fn walk_block<const NAN: bool>(&self, n_rows: usize, columns: &[T], visit: &mut impl FnMut(usize, usize)) {
        for tree in &self.trees {
            for first_row in (0..n_rows).step_by(LANES) {
                let rows = &columns[first_row..];
                let leaves = match *tree {
                    Tree::Heap { first_step, first_leaf, depth } => {
                        let slots = walk_heap::<NAN, _, _>(&self.heap, [first_step as usize; LANES], depth, |column, lane| rows[column + lane]);
                        slots.map(|slot| first_leaf as usize + slot - (1 << depth))
                    }
                    Tree::Linked { root, depth } => {
                        let nodes = walk_linked::<NAN, _, _>(&self.linked, [root as usize; LANES], depth, |column, lane| rows[column + lane]);
                        nodes.map(|node| self.linked_leaves[node] as usize)
                    }
                };
                let n_lanes = LANES.min(n_rows - first_row);
                for (lane, leaf) in leaves.into_iter().enumerate().take(n_lanes) {
                    visit(first_row + lane, leaf);
                }
            }
        }
    }

    /// One row down all trees. Neighbouring heaps of the same depth are walked side by side.
    fn walk_row(&self, row: &[T], mut visit: impl FnMut(usize)) {
        let mut values: SmallVec<[T; 64]> = self.features.iter().map(|&feature| row[feature as usize]).collect();
        if values.is_empty() {
            values.push(T::ZERO);
        }
        let value = |column: usize, _lane: usize| values[column / BLOCK_ROWS];
        let mut trees = self.trees.as_slice();
        while let [tree, others @ ..] = trees {
            if let Some((first_steps, first_leaves, depth)) = equal_heaps(trees) {
                let slots = walk_heap::<true, _, _>(&self.heap, first_steps, depth, value);
                for (slot, first_leaf) in slots.into_iter().zip(first_leaves) {
                    visit(first_leaf + slot - (1 << depth));
                }
                trees = &trees[LANES..];
                continue;
            }
            match *tree {
                Tree::Heap { first_step, first_leaf, depth } => {
                    let [slot] = walk_heap::<true, _, _>(&self.heap, [first_step as usize], depth, value);
                    visit(first_leaf as usize + slot - (1 << depth));
                }
                Tree::Linked { root, depth } => {
                    let [node] = walk_linked::<true, _, _>(&self.linked, [root as usize], depth, value);
                    visit(self.linked_leaves[node] as usize);
                }
            }
            trees = others;
        }
    }
}

/// First steps, first leaves and depth of the next [`LANES`] trees, if all are heaps of the same depth.
fn equal_heaps(trees: &[Tree]) -> Option<([usize; LANES], [usize; LANES], u32)> {
    let Some(Tree::Heap { depth, .. }) = trees.first().copied() else { return None };
    let mut first_steps = [0; LANES];
    let mut first_leaves = [0; LANES];
    for (lane, tree) in trees.get(..LANES)?.iter().enumerate() {
        match *tree {
            Tree::Heap { first_step, first_leaf, depth: other } if other == depth => {
                first_steps[lane] = first_step as usize;
                first_leaves[lane] = first_leaf as usize;
            }
            _ => return None,
        }
    }
    Some((first_steps, first_leaves, depth))
}

/// Whether a walk goes right at a split.
#[inline(always)]
fn goes_right<const NAN: bool, T: Real>(value: T, threshold: T, nan_left: impl FnOnce() -> bool) -> usize {
    let is_above = !(value <= threshold);
    usize::from(if NAN && value.is_nan() { !nan_left() } else { is_above })
}

/// The slots in which walks end that start at slot 1 of the heaps beginning at `first_steps`.
#[inline(always)]
fn walk_heap<const NAN: bool, T: Real, const N: usize>(
    heap: &Steps<HeapStep<T>>,
    first_steps: [usize; N],
    depth: u32,
    value: impl Fn(usize, usize) -> T,
) -> [usize; N] {
    let mut slots = [1; N];
    for _ in 0..depth {
        for lane in 0..N {
            let at = first_steps[lane] + slots[lane];
            let step = heap.steps[at];
            let right = goes_right::<NAN, T>(value(step.column as usize, lane), step.threshold, || heap.nan_left[at]);
            slots[lane] = 2 * slots[lane] + right;
        }
    }
    slots
}

/// The leaves (as linked nodes) in which walks end.
#[inline(always)]
fn walk_linked<const NAN: bool, T: Real, const N: usize>(
    linked: &Steps<LinkedStep<T>>,
    roots: [usize; N],
    depth: u32,
    value: impl Fn(usize, usize) -> T,
) -> [usize; N] {
    let mut nodes = roots;
    let mut steps_left = depth;
    while steps_left > 0 {
        let before = nodes;
        let n_steps = steps_left.min(STEPS_BETWEEN_CHECKS);
        for _ in 0..n_steps {
            for lane in 0..N {
                let step = &linked.steps[nodes[lane]];
                let right = goes_right::<NAN, T>(value(step.column as usize, lane), step.threshold, || linked.nan_left[nodes[lane]]);
                nodes[lane] = step.children[right] as usize;
            }
        }
        // Only leaves lead to themselves.
        if nodes == before {
            break;
        }
        steps_left -= n_steps;
    }
    nodes
}
