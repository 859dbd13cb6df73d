//! The tables that a walk reads. A tree that is nearly complete becomes an implicit heap (children of slot `i` are `2i` and `2i + 1`), padded
//! with splits whose two sides are the same; others become linked nodes whose leaves point to themselves. Either way a walk takes as many steps
//! as the tree is deep, whatever the row.

use std::collections::HashMap;
use std::ops::Range;

use super::lower::{self, Lowered, Split};
use super::ranks::RankedTrees;
use super::{BLOCK_ROWS, Ensemble, ForestError, Real, Weight};

/// Trees up to this depth always become heaps: at most 64 leaves.
const ALWAYS_HEAP_DEPTH: u32 = 6;
/// Deeper ones only if the heap has at most this many times the tree's own leaves, up to [`MAX_HEAP_DEPTH`].
const MAX_HEAP_PADDING: usize = 4;
const MAX_HEAP_DEPTH: u32 = 12;

/// What follows the last heap step and the last leaf's value.
const PADDING: usize = 1 << ALWAYS_HEAP_DEPTH;

#[derive(Debug)]
pub(super) struct Tables<T> {
    /// In the order in which their leaves are added up.
    pub trees: Vec<Tree>,
    pub heap: HeapSteps<T>,
    pub linked: Vec<LinkedStep<T>>,
    /// The leaf that each linked node stands for; meaningless for splits.
    pub linked_leaves: Vec<u32>,
    pub leaves: Leaves<T>,
    /// What the splits look at: the columns of a block, ascending by feature.
    pub columns: Vec<Column>,
    /// The same trees over ranks, where these can be walked.
    pub ranked: Option<RankedTrees<T>>,
}

/// Where a tree lies in the tables.
#[derive(Debug, Clone, Copy)]
pub(super) enum Tree {
    /// Slot `i` (from 1) of the heap is step `first_step + i`; walks end in slots from `2^depth` on, the first of which is leaf `first_leaf`.
    Heap {
        first_step: u32,
        first_leaf: u32,
        depth: u32,
    },
    Linked {
        root: u32,
        depth: u32,
    },
}

/// A feature as some splits see it. Splits that send NaN left have a column of their own in which NaN is negative infinity, so that a walk
/// needs no test for NaN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Column {
    pub feature: u32,
    pub nan_left: bool,
}

/// The splits of all heaps. At the end stand [`PADDING`] unused ones.
#[derive(Debug)]
pub(super) struct HeapSteps<T> {
    pub thresholds: Vec<T>,
    /// Where the column of each split begins in a block.
    pub columns: Vec<u32>,
}

impl<T: Real> HeapSteps<T> {
    fn push(&mut self, threshold: T, column: u32) {
        self.thresholds.push(threshold);
        self.columns.push(column);
    }

    fn len(&self) -> usize {
        self.thresholds.len()
    }

    /// Up to depth 6, a whole tree may be loaded wherever it begins.
    fn pad(&mut self) {
        self.thresholds.resize(self.thresholds.len() + PADDING, T::ZERO);
        self.columns.resize(self.columns.len() + PADDING, 0);
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct LinkedStep<T> {
    pub threshold: T,
    pub column: u32,
    /// Left and right; a leaf's are the leaf itself.
    pub children: [u32; 2],
}

/// What the leaves give, by the leaf's number.
#[derive(Debug)]
pub(super) enum Leaves<T> {
    /// Every leaf gives exactly one weight, all to the same target. At the end stand [`PADDING`] unused values.
    OneTarget {
        target: usize,
        values: Vec<T>,
    },
    Weighted {
        ranges: Vec<Range<u32>>,
        weights: Vec<Weight<T>>,
    },
}

pub(super) fn build<T: Real>(ensemble: &Ensemble<T>) -> Result<Tables<T>, ForestError> {
    let nodes = lower::lower(ensemble)?;
    let depths = lower::depths(&nodes, &ensemble.roots)?;
    let mut columns: Vec<Column> = nodes
        .iter()
        .zip(&depths)
        .filter_map(|(node, depth)| match node {
            Lowered::Split(split) if depth.is_some() => Some(column_of(split)),
            _ => None,
        })
        .collect();
    columns.sort_unstable();
    columns.dedup();
    let mut starts = HashMap::with_capacity(columns.len());
    for (position, &column) in columns.iter().enumerate() {
        starts.insert(column, index(position * BLOCK_ROWS)?);
    }
    let mut builder = Builder {
        nodes: &nodes,
        depths: &depths,
        starts,
        heap: HeapSteps { thresholds: Vec::new(), columns: Vec::new() },
        linked: Vec::new(),
        linked_leaves: Vec::new(),
        leaf_ranges: Vec::new(),
    };
    let trees = ensemble.roots.iter().map(|&root| builder.add_tree(root)).collect::<Result<_, _>>()?;
    let Builder { mut heap, linked, linked_leaves, leaf_ranges, .. } = builder;
    heap.pad();
    let mut tables = Tables { trees, heap, linked, linked_leaves, leaves: leaves(leaf_ranges, &ensemble.weights), columns, ranked: None };
    tables.ranked = RankedTrees::new(&tables);
    Ok(tables)
}

fn leaves<T: Real>(ranges: Vec<Range<u32>>, weights: &[Weight<T>]) -> Leaves<T> {
    let only_weight = |range: &Range<u32>| match &weights[range.start as usize..range.end as usize] {
        [weight] => Some(*weight),
        _ => None,
    };
    let target = ranges.first().and_then(only_weight).map_or(0, |weight| weight.target);
    let values: Option<Vec<T>> =
        ranges.iter().map(|range| only_weight(range).filter(|weight| weight.target == target).map(|weight| weight.value)).collect();
    match values {
        Some(mut values) => {
            values.resize(values.len() + PADDING, T::ZERO);
            Leaves::OneTarget { target: target as usize, values }
        }
        None => Leaves::Weighted { ranges, weights: weights.to_vec() },
    }
}

fn column_of<T>(split: &Split<T>) -> Column {
    Column { feature: split.feature, nan_left: split.nan_left }
}

fn index(value: usize) -> Result<u32, ForestError> {
    u32::try_from(value).map_err(|_| ForestError::TooLarge)
}

struct Builder<'a, T> {
    nodes: &'a [Lowered<T>],
    depths: &'a [Option<u32>],
    /// Where each column begins.
    starts: HashMap<Column, u32>,
    heap: HeapSteps<T>,
    linked: Vec<LinkedStep<T>>,
    linked_leaves: Vec<u32>,
    /// The weights of each leaf.
    leaf_ranges: Vec<Range<u32>>,
}

impl<T: Real> Builder<'_, T> {
    fn add_tree(&mut self, root: u32) -> Result<Tree, ForestError> {
        let depth = self.depths[root as usize].unwrap_or(0);
        let is_heap = depth <= ALWAYS_HEAP_DEPTH
            || depth <= MAX_HEAP_DEPTH && (1_usize << depth) <= MAX_HEAP_PADDING * self.count_leaves(root, 1 << MAX_HEAP_DEPTH);
        if is_heap { self.add_heap(root, depth) } else { self.add_linked(root, depth) }
    }

    /// Leaves of a tree, a shared one as often as it can be reached; stops counting at `limit`.
    fn count_leaves(&self, root: u32, limit: usize) -> usize {
        let mut pending = vec![root];
        let mut n_leaves = 0;
        while let Some(node) = pending.pop() {
            match &self.nodes[node as usize] {
                Lowered::Split(split) => pending.extend([split.left, split.right]),
                Lowered::Leaf { .. } => n_leaves += 1,
            }
            if n_leaves >= limit {
                break;
            }
        }
        n_leaves
    }

    fn add_heap(&mut self, root: u32, depth: u32) -> Result<Tree, ForestError> {
        let first_step = index(self.heap.len())?;
        let first_leaf = index(self.leaf_ranges.len())?;
        // Slot 0 is never read; it keeps slot arithmetic free of an offset.
        self.heap.push(T::ZERO, 0);
        let mut level = vec![root];
        for _ in 0..depth {
            let mut next_level = Vec::with_capacity(2 * level.len());
            for node in level {
                match &self.nodes[node as usize] {
                    Lowered::Split(split) => {
                        self.heap.push(split.threshold, self.starts[&column_of(split)]);
                        next_level.extend([split.left, split.right]);
                    }
                    // Padding: both ways lead to the same leaf.
                    Lowered::Leaf { .. } => {
                        self.heap.push(T::ZERO, 0);
                        next_level.extend([node, node]);
                    }
                }
            }
            level = next_level;
        }
        for leaf in level {
            let weights = self.weights_of(leaf);
            self.leaf_ranges.push(weights);
        }
        index(self.heap.len())?;
        index(self.leaf_ranges.len())?;
        Ok(Tree::Heap { first_step, first_leaf, depth })
    }

    /// Nodes in the order of a walk that prefers the left, shared ones once.
    fn add_linked(&mut self, root: u32, depth: u32) -> Result<Tree, ForestError> {
        let mut positions: HashMap<u32, u32> = HashMap::new();
        let mut order = Vec::new();
        let mut pending = vec![root];
        let first = self.linked.len();
        while let Some(node) = pending.pop() {
            if positions.contains_key(&node) {
                continue;
            }
            positions.insert(node, index(first + order.len())?);
            order.push(node);
            if let Lowered::Split(split) = &self.nodes[node as usize] {
                pending.extend([split.right, split.left]);
            }
        }
        for node in order {
            let position = positions[&node];
            match &self.nodes[node as usize] {
                Lowered::Split(split) => {
                    let children = [positions[&split.left], positions[&split.right]];
                    self.linked.push(LinkedStep { threshold: split.threshold, column: self.starts[&column_of(split)], children });
                    self.linked_leaves.push(0);
                }
                Lowered::Leaf { weights } => {
                    self.linked.push(LinkedStep { threshold: T::ZERO, column: 0, children: [position; 2] });
                    self.linked_leaves.push(index(self.leaf_ranges.len())?);
                    self.leaf_ranges.push(weights.clone());
                }
            }
        }
        Ok(Tree::Linked { root: positions[&root], depth })
    }

    fn weights_of(&self, leaf: u32) -> Range<u32> {
        match &self.nodes[leaf as usize] {
            Lowered::Leaf { weights } => weights.clone(),
            Lowered::Split(_) => 0..0,
        }
    }
}
