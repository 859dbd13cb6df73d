//! Walking rows down trees: eight walks at a time (or more, [`super::avx512`]), so that the next step of one is computed while another waits for its feature.
//! A block of rows goes through one tree after the other; single rows go through several trees side by side.
//!
//! The inner loops here index without bounds checks, which would take half of the time. They rely on what [`super::layout::build`] sees to: a heap of depth
//! d has 2^d steps (the first unused), children of linked nodes are linked nodes, and every step's column is one of [`Tables::columns`], or
//! column 0, which a block has in any case.

use smallvec::SmallVec;

#[cfg(target_arch = "x86_64")]
use super::avx512;
use super::layout::{Column, HeapSteps, LinkedStep, Tables, Tree};
use super::{BLOCK_ROWS, MAX_BLOCK_COLUMNS, MIN_ROWS_SIDE_BY_SIDE, Real, Rows};

/// Walks that go on at the same time.
const LANES: usize = 8;

/// Fewer rows are left to the portable walk, which does eight at a time.
#[cfg(target_arch = "x86_64")]
const MIN_ROWS_AVX512: usize = 24;

/// Steps in a linked tree between looking whether all walks have ended.
const STEPS_BETWEEN_CHECKS: u32 = 4;

/// The columns of a block of rows, each [`BLOCK_ROWS`] long; reused from block to block.
#[derive(Debug)]
pub(super) struct Columns<T>(Vec<T>);

impl<T> Default for Columns<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Real> Columns<T> {
    fn fill(&mut self, rows: Rows<'_, T>, columns: &[Column]) {
        // Padding of heaps looks at the first column even if there is none.
        self.0.resize(columns.len().max(1) * BLOCK_ROWS, T::ZERO);
        for row in 0..rows.n_rows {
            let values = rows.row(row);
            for (position, &column) in columns.iter().enumerate() {
                self.0[position * BLOCK_ROWS + row] = column.value(values);
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

/// How blocks of rows are walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kernel {
    Portable,
    /// Only where the processor has it: [`Self::fastest`].
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Kernel {
    /// The best that this processor can do.
    pub fn fastest() -> Self {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx512f") {
            return Self::Avx512;
        }
        Self::Portable
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
    pub(super) fn walk(&self, kernel: Kernel, rows: Rows<'_, T>, columns: &mut Columns<T>, visitor: &mut impl Visitor<T>) {
        if rows.n_rows < MIN_ROWS_SIDE_BY_SIDE || self.columns.len() > MAX_BLOCK_COLUMNS {
            for row in 0..rows.n_rows {
                self.walk_row(rows.row(row), |leaf| visitor.visit(row, leaf));
            }
            return;
        }
        assert!(rows.n_rows <= BLOCK_ROWS && BLOCK_ROWS.is_multiple_of(LANES), "rows beyond the end of the columns");
        columns.fill(rows, &self.columns);
        for tree in &self.trees {
            let n_done = match kernel {
                Kernel::Portable => 0,
                #[cfg(target_arch = "x86_64")]
                Kernel::Avx512 => self.walk_avx512(tree, columns, rows.n_rows, visitor),
            };
            for first_row in (n_done..rows.n_rows).step_by(LANES) {
                // SAFETY: `fill` made room for all columns, each BLOCK_ROWS long, and `first_row + lane` is below that.
                let value = |column: usize, lane: usize| unsafe { *columns.0.get_unchecked(column + first_row + lane) };
                // SAFETY: the tree lies in these tables.
                let leaves = match *tree {
                    Tree::Heap { first_step, first_leaf, depth } => {
                        let slots = unsafe { walk_heap(&self.heap, [first_step as usize; LANES], depth, value) };
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

    /// Walks heaps of float32, and tells how many rows are done: from the first on, a multiple of [`LANES`] or all.
    #[cfg(target_arch = "x86_64")]
    fn walk_avx512(&self, tree: &Tree, columns: &Columns<T>, n_rows: usize, visitor: &mut impl Visitor<T>) -> usize {
        let Tree::Heap { first_step, first_leaf, depth } = *tree else { return 0 };
        let Some(heap) = (&self.heap as &dyn std::any::Any).downcast_ref::<HeapSteps<f32>>() else { return 0 };
        let (first_step, first_leaf) = (first_step as usize, first_leaf as usize);
        let mut first_row = 0;
        while n_rows - first_row >= MIN_ROWS_AVX512 {
            let walk = avx512::Walk { heap, first_step, depth, columns: bytemuck::cast_slice(&columns.0), first_row };
            let n_lanes = avx512::ROWS.min(n_rows - first_row);
            if let Some((values, sums)) = visitor.as_sums() {
                let (sums, _) = bytemuck::cast_slice_mut::<T, f32>(sums).as_chunks_mut::<{ avx512::ROWS }>();
                // SAFETY: this kernel is only chosen where the processor has AVX-512F. The tree lies in these tables, the tables and the values are
                // padded, and columns are BLOCK_ROWS long, a multiple of the rows that are walked at a time.
                unsafe { walk.add_leaves(bytemuck::cast_slice(&values[first_leaf..]), &mut sums[first_row / avx512::ROWS]) };
            } else {
                // SAFETY: as above.
                let slots = unsafe { walk.slots() };
                for (lane, slot) in slots.into_iter().enumerate().take(n_lanes) {
                    visitor.visit(first_row + lane, first_leaf + slot as usize - (1 << depth));
                }
            }
            first_row += n_lanes;
        }
        first_row
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
                let slots = unsafe { walk_heap(&self.heap, first_steps, depth, value) };
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
                    let [slot] = unsafe { walk_heap(&self.heap, [first_step as usize], depth, value) };
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

/// The slots in which walks end that start at slot 1 of the heaps beginning at `first_steps`. `value` gets where a column begins, and the lane.
///
/// # Safety
/// At each of `first_steps`, `heap` has a heap of that depth.
#[inline(always)]
unsafe fn walk_heap<T: Real, const N: usize>(
    heap: &HeapSteps<T>,
    first_steps: [usize; N],
    depth: u32,
    value: impl Fn(usize, usize) -> T,
) -> [usize; N] {
    let mut slots = [1; N];
    for _ in 0..depth {
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
