//! The rows that changed most, and a sample of all rows to explain which ones do: both bounded, whatever the size of the table.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use super::ChangedRow;
use super::agreement::RowDifference;
use super::statistics::Generator;
use super::tree::SampleCell;

/// Rows kept of the changed and of the others, for the tree.
const RESERVOIR_ROWS: usize = 4096;

/// Keeps the rows that changed most: flips before moves, large moves before small ones, early rows before late ones.
pub struct TopRows {
    limit: usize,
    heap: BinaryHeap<Reverse<Ranked>>,
}

struct Ranked(ChangedRow);

impl Ranked {
    fn key(&self) -> (bool, f64, Reverse<u64>) {
        (self.0.is_flip, self.0.change.abs(), Reverse(self.0.row))
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        let ((a_flip, a_change, a_row), (b_flip, b_change, b_row)) = (self.key(), other.key());
        a_flip.cmp(&b_flip).then(a_change.total_cmp(&b_change)).then(a_row.cmp(&b_row))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ranked {}

impl TopRows {
    pub fn new(limit: usize) -> Self {
        Self { limit, heap: BinaryHeap::new() }
    }

    /// Offers a row, whose text is made only if it is kept.
    pub fn offer(&mut self, difference: RowDifference, row: impl FnOnce() -> ChangedRow) {
        if self.limit == 0 {
            return;
        }
        let place = (difference.is_changed, difference.change.abs());
        let is_less = |least: &Reverse<Ranked>| {
            let (is_flip, change, _) = least.0.key();
            place.0.cmp(&is_flip).then(place.1.total_cmp(&change)) != Ordering::Greater
        };
        if self.heap.len() >= self.limit {
            if self.heap.peek().is_some_and(is_less) {
                return;
            }
            self.heap.pop();
        }
        self.heap.push(Reverse(Ranked(row())));
    }

    /// Most changed first.
    pub fn into_rows(self) -> Vec<ChangedRow> {
        let mut rows: Vec<Ranked> = self.heap.into_iter().map(|Reverse(row)| row).collect();
        rows.sort_unstable_by(|a, b| b.cmp(a));
        rows.into_iter().map(|row| row.0).collect()
    }
}

/// Rows drawn evenly from a stream of unknown length, the same ones in every run.
pub struct Reservoir {
    generator: Generator,
    pub n_seen: u64,
    pub rows: Vec<(Vec<SampleCell>, f64)>,
}

impl Reservoir {
    pub fn new(seed: u64) -> Self {
        Self { generator: Generator::new(seed), n_seen: 0, rows: Vec::new() }
    }

    /// Offers a row with the value to explain; its cells are read only if it is kept.
    pub fn offer(&mut self, value: f64, cells: impl FnOnce() -> Vec<SampleCell>) {
        self.n_seen += 1;
        if self.rows.len() < RESERVOIR_ROWS {
            self.rows.push((cells(), value));
            return;
        }
        let place = self.generator.below(usize::try_from(self.n_seen).unwrap_or(usize::MAX));
        if let Some(row) = self.rows.get_mut(place) {
            *row = (cells(), value);
        }
    }
}
