//! Walking rows down trees: eight walks at a time (or more, over ranks: [`super::ranks`]), so that the next step of one is computed while another waits for its feature.
//! A block of rows goes through one tree after the other; single rows go through several trees side by side.
//!
//! The inner loops here index without bounds checks, which would take half of the time. They rely on what [`super::layout::build`] sees to: a heap of depth
//! d has 2^d steps (the first unused), children of linked nodes are linked nodes, and every step's column is one of [`Tables::columns`], or
//! column 0, which a block has in any case.

use std::ops::Range;

use smallvec::SmallVec;

use super::super::simd::Level;
use super::layout::{Column, HeapSteps, LinkedStep, Tables, Tree};
use super::ranks::BlockRanks;
#[cfg(target_arch = "x86_64")]
use super::ranks::{self, After, RankedTree, RankedTrees};
use super::{BLOCK_ROWS, MAX_BLOCK_COLUMNS, MIN_ROWS_SIDE_BY_SIDE, Real, Rows};
#[cfg(target_arch = "x86_64")]
use super::{avx2, avx512};

/// Walks that go on at the same time.
const LANES: usize = 8;

/// Fewer rows are left to the portable walk, which does eight at a time.
const MIN_ROWS_IN_REGISTERS: usize = 24;

/// Steps in a linked tree between looking whether all walks have ended.
const STEPS_BETWEEN_CHECKS: u32 = 4;

/// The columns of a block of rows, each [`BLOCK_ROWS`] long; reused from block to block.
#[derive(Debug)]
pub(super) struct Columns<T> {
    values: Vec<T>,
    ranks: Vec<BlockRanks>,
}

impl<T> Default for Columns<T> {
    fn default() -> Self {
        Self { values: Vec::new(), ranks: Vec::new() }
    }
}

impl<T: Real> Columns<T> {
    fn fill(&mut self, rows: Rows<'_, T>, columns: &[Column]) {
        // Padding of heaps looks at the first column even if there is none.
        self.values.resize(columns.len().max(1) * BLOCK_ROWS, T::ZERO);
        for row in 0..rows.n_rows {
            let values = rows.row(row);
            for (position, &column) in columns.iter().enumerate() {
                self.values[position * BLOCK_ROWS + row] = column.value(values);
            }
        }
    }
}

impl Column {
    fn value<T: Real>(self, row: &[T]) -> T {
        let value = row[self.feature as usize];
        if self.nan_left && value.is_nan() { T::NEGATIVE_INFINITY } else { value }
    }
}

/// What is done with the leaf in which a row's walk through a tree ends.
pub(super) trait Visitor<T> {
    fn visit(&mut self, row: usize, leaf: usize);

    /// If a visit adds `values[leaf]` to `sums[row]`: the values and the sums, for many rows at a time.
    fn as_sums(&mut self) -> Option<(&[T], &mut [T; BLOCK_ROWS])> {
        None
    }
}

impl<T, F: FnMut(usize, usize)> Visitor<T> for F {
    fn visit(&mut self, row: usize, leaf: usize) {
        self(row, leaf);
    }
}

impl<T: Real> Tables<T> {
    /// Visits the leaf of every row (at most [`BLOCK_ROWS`]) and tree; the trees of a row in their order.
    pub(super) fn walk(&self, level: Level, rows: Rows<'_, T>, columns: &mut Columns<T>, visitor: &mut impl Visitor<T>) {
        if rows.n_rows < MIN_ROWS_SIDE_BY_SIDE || self.columns.len() > MAX_BLOCK_COLUMNS {
            for row in 0..rows.n_rows {
                self.walk_row(rows.row(row), |leaf| visitor.visit(row, leaf));
            }
            return;
        }
        assert!(rows.n_rows <= BLOCK_ROWS && BLOCK_ROWS.is_multiple_of(LANES), "rows beyond the end of the columns");
        columns.fill(rows, &self.columns);
        #[cfg(target_arch = "x86_64")]
        if let Some(ranked) = &self.ranked
            && rows.n_rows >= MIN_ROWS_IN_REGISTERS
            && level != Level::Portable
        {
            self.walk_ranked(ranked, level, columns, rows.n_rows, visitor);
            return;
        }
        for tree in &self.trees {
            for first_row in (0..rows.n_rows).step_by(LANES) {
                // SAFETY: `fill` made room for all columns, each BLOCK_ROWS long, and `first_row + lane` is below that.
                let value = |column: usize, lane: usize| unsafe { *columns.values.get_unchecked(column + first_row + lane) };
                // SAFETY: the tree lies in these tables.
                let leaves = match *tree {
                    Tree::Heap { first_step, first_leaf, depth } => {
                        let slots = unsafe { walk_heap(&self.heap, [first_step as usize; LANES], [1; LANES], depth, value) };
                        slots.map(|slot| first_leaf as usize + slot - (1 << depth))
                    }
                    Tree::Linked { root, depth } => {
                        let nodes = unsafe { walk_linked(&self.linked, [root as usize; LANES], depth, value) };
                        nodes.map(|node| self.linked_leaves[node] as usize)
                    }
                };
                let n_lanes = LANES.min(rows.n_rows - first_row);
                for (lane, leaf) in leaves.into_iter().enumerate().take(n_lanes) {
                    visitor.visit(first_row + lane, leaf);
                }
            }
        }
    }

    /// One row down all trees. Neighbouring heaps of the same depth, and neighbouring linked trees, are walked side by side.
    fn walk_row(&self, row: &[T], mut visit: impl FnMut(usize)) {
        let mut values: SmallVec<[T; 64]> = self.columns.iter().map(|column| column.value(row)).collect();
        if values.is_empty() {
            values.push(T::ZERO);
        }
        // SAFETY: there is a value for every column.
        let value = |column: usize, _lane: usize| unsafe { *values.get_unchecked(column / BLOCK_ROWS) };
        let mut trees = self.trees.as_slice();
        while let [tree, others @ ..] = trees {
            if let Some((first_steps, first_leaves, depth)) = equal_heaps(trees) {
                // SAFETY: the trees lie in these tables, and all are that deep.
                let slots = unsafe { walk_heap(&self.heap, first_steps, [1; LANES], depth, value) };
                for (slot, first_leaf) in slots.into_iter().zip(first_leaves) {
                    visit(first_leaf + slot - (1 << depth));
                }
                trees = &trees[LANES..];
                continue;
            }
            if let Some((roots, depth)) = linked_trees(trees) {
                // SAFETY: the trees lie in these tables.
                let nodes = unsafe { walk_linked(&self.linked, roots, depth, value) };
                for node in nodes {
                    visit(self.linked_leaves[node] as usize);
                }
                trees = &trees[LANES..];
                continue;
            }
            // SAFETY: the tree lies in these tables.
            match *tree {
                Tree::Heap { first_step, first_leaf, depth } => {
                    let [slot] = unsafe { walk_heap(&self.heap, [first_step as usize], [1], depth, value) };
                    visit(first_leaf as usize + slot - (1 << depth));
                }
                Tree::Linked { root, depth } => {
                    let [node] = unsafe { walk_linked(&self.linked, [root as usize], depth, value) };
                    visit(self.linked_leaves[node] as usize);
                }
            }
            trees = others;
        }
    }
}

#[cfg(target_arch = "x86_64")]
impl<T: Real> Tables<T> {
    /// As [`Self::walk`], for filled columns. `level` is not the portable one, and of this processor.
    fn walk_ranked(&self, ranked: &RankedTrees<T>, level: Level, columns: &mut Columns<T>, n_rows: usize, visitor: &mut impl Visitor<T>) {
        columns.ranks.resize(ranked.columns.len(), BlockRanks([0; BLOCK_ROWS]));
        let (values, _) = columns.values.as_chunks::<BLOCK_ROWS>();
        for (thresholds, (values, ranks)) in ranked.columns.iter().zip(values.iter().zip(&mut columns.ranks)) {
            thresholds.rank(values, ranks);
        }
        let ranks = columns.ranks.as_slice();
        for tree in &ranked.trees {
            if level == Level::Avx512 {
                if let After::Leaves { first_leaf } = tree.after
                    && std::any::TypeId::of::<T>() == std::any::TypeId::of::<f32>()
                    && let Some((values, sums)) = visitor.as_sums()
                {
                    let values = bytemuck::cast_slice(&values[first_leaf as usize..]);
                    let (sums, _) = bytemuck::cast_slice_mut::<T, f32>(sums).as_chunks_mut::<{ avx512::ROWS }>();
                    for (group, sums) in sums.iter_mut().enumerate().take(n_rows.div_ceil(avx512::ROWS)) {
                        // SAFETY: the processor has the instructions; the columns of all trees lie in the block, whose length is a multiple of the rows
                        // that are walked at a time; values are padded.
                        unsafe { avx512::add_leaves(tree, ranks, group * avx512::ROWS, values, sums) };
                    }
                    continue;
                }
                for first_row in (0..n_rows).step_by(avx512::ROWS) {
                    // SAFETY: as above.
                    let exits = unsafe { avx512::exits(tree, ranks, first_row) };
                    self.walk_on(ranked, tree, &columns.values, &exits, first_row..n_rows, visitor);
                }
            } else {
                for first_row in (0..n_rows).step_by(avx2::ROWS) {
                    // SAFETY: as above.
                    let exits = unsafe { avx2::exits(tree, ranks, first_row) };
                    self.walk_on(ranked, tree, &columns.values, &exits, first_row..n_rows, visitor);
                }
            }
        }
    }

    /// From the exits of a tree's first levels to its leaves, for as many of `rows` as there are exits.
    #[inline]
    fn walk_on(&self, ranked: &RankedTrees<T>, tree: &RankedTree, values: &[T], exits: &[u16], rows: Range<usize>, visitor: &mut impl Visitor<T>) {
        if let After::Leaves { first_leaf } = tree.after {
            if let Some((values, sums)) = visitor.as_sums()
                && let Some(values) = values[first_leaf as usize..].first_chunk::<{ ranks::SLOTS }>()
            {
                for (sum, &exit) in sums[rows].iter_mut().zip(exits) {
                    *sum = *sum + values[usize::from(exit) % ranks::SLOTS];
                }
                return;
            }
            for (row, &exit) in rows.zip(exits) {
                visitor.visit(row, first_leaf as usize + usize::from(exit));
            }
            return;
        }
        let (groups, _) = exits.as_chunks::<LANES>();
        for (exits, first_row) in groups.iter().zip(rows.clone().step_by(LANES)) {
            // SAFETY: all columns are BLOCK_ROWS long, and `first_row + lane` is below that.
            let value = |column: usize, lane: usize| unsafe { *values.get_unchecked(column + first_row + lane) };
            // SAFETY: the tree lies in these tables, and its exits are slots and nodes of it.
            let leaves = match tree.after {
                After::Heap { first_step, first_leaf, depth } => {
                    let slots = exits.map(|exit| usize::from(exit) + (1 << ranks::MAX_DEPTH));
                    let slots = unsafe { walk_heap(&self.heap, [first_step as usize; LANES], slots, depth - ranks::MAX_DEPTH, value) };
                    slots.map(|slot| first_leaf as usize + slot - (1 << depth))
                }
                After::Linked { exits: places, depth } => {
                    let nodes = exits.map(|exit| ranked.exits[places as usize][usize::from(exit)] as usize);
                    unsafe { walk_linked(&self.linked, nodes, depth, value) }.map(|node| self.linked_leaves[node] as usize)
                }
                After::Leaves { .. } => unreachable!("handled above"),
            };
            for (row, leaf) in (first_row..rows.end).zip(leaves) {
                visitor.visit(row, leaf);
            }
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

/// Roots and greatest depth of the next [`LANES`] trees, if all are linked.
fn linked_trees(trees: &[Tree]) -> Option<([usize; LANES], u32)> {
    let mut roots = [0; LANES];
    let mut greatest_depth = 0;
    for (lane, tree) in trees.get(..LANES)?.iter().enumerate() {
        let Tree::Linked { root, depth } = *tree else { return None };
        roots[lane] = root as usize;
        greatest_depth = depth.max(greatest_depth);
    }
    Some((roots, greatest_depth))
}

/// Whether a walk goes right: not `value <= threshold`, so that NaN does.
#[inline(always)]
fn goes_right<T: Real>(value: T, threshold: T) -> usize {
    let goes_left = value <= threshold;
    usize::from(!goes_left)
}

/// The slots in which walks end that take `n_steps` from `slots` of the heaps beginning at `first_steps`. `value` gets where a column begins, and the lane.
///
/// # Safety
/// At each of `first_steps`, `heap` has a heap that is at least `n_steps` deeper than the level of the slots.
#[inline(always)]
unsafe fn walk_heap<T: Real, const N: usize>(
    heap: &HeapSteps<T>,
    first_steps: [usize; N],
    mut slots: [usize; N],
    n_steps: u32,
    value: impl Fn(usize, usize) -> T,
) -> [usize; N] {
    for _ in 0..n_steps {
        for lane in 0..N {
            let step = first_steps[lane] + slots[lane];
            // SAFETY: before the last level, slots are below 2^depth, the size of the heap.
            let (threshold, column) = unsafe { (*heap.thresholds.get_unchecked(step), *heap.columns.get_unchecked(step)) };
            slots[lane] = 2 * slots[lane] + goes_right(value(column as usize, lane), threshold);
        }
    }
    slots
}

/// The leaves (as linked nodes) in which walks end. `value` gets where a column begins, and the lane.
///
/// # Safety
/// `roots`, and the children of all nodes, are nodes of `linked`.
#[inline(always)]
unsafe fn walk_linked<T: Real, const N: usize>(
    linked: &[LinkedStep<T>],
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
            for (lane, node) in nodes.iter_mut().enumerate() {
                // SAFETY: as the caller promises.
                let step = unsafe { *linked.get_unchecked(*node) };
                *node = step.children[goes_right(value(step.column as usize, lane), step.threshold)] as usize;
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
