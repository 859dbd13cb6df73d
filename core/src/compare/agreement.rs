//! How far two versions say the same, as running sums.

use std::collections::HashMap;

use super::labels::NO_LABEL;
use super::rows::Said;
use super::statistics::wilson;
use super::{Agreement, Transition};

/// Numbers this close are the same: numpy's rule, as `drydock verify` has it.
const RELATIVE_TOLERANCE: f64 = 1e-3;
const ABSOLUTE_TOLERANCE: f64 = 1e-5;

/// Kinds of flips told apart; the rarest beyond them are not listed.
const MAX_TRANSITIONS: usize = 10_000;

/// Running sums over the rows of a pair.
#[derive(Debug, Default)]
pub struct AgreementSums {
    rows: u64,
    agreeing: u64,
    dot: f64,
    a_squares: f64,
    b_squares: f64,
    difference_squares: f64,
    n_numbers: f64,
    max_difference: f64,
    differs: bool,
    /// Numbers that only one of the two is: they are part of no sum.
    pub n_not_finite: u64,
    transitions: HashMap<(u32, u32), u64>,
}

/// What differs in a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RowDifference {
    /// The label flipped, or a number moved beyond the tolerance.
    pub is_changed: bool,
    /// The largest change of a number; with its sign where there is one number only.
    pub change: f64,
}

impl AgreementSums {
    /// Adds a row. `columns`: the columns of A and B that stand for the same thing.
    pub fn add(&mut self, a: &Said, b: &Said, columns: &[(usize, usize)], row: usize) -> RowDifference {
        self.rows += 1;
        let mut change = 0.0_f64;
        let mut is_beyond = false;
        for &(in_a, in_b) in columns {
            let value = |said: &Said, column: usize| said.columns.get(column).map_or(f64::NAN, |values| values.get(row));
            let (x, y) = (value(a, in_a), value(b, in_b));
            if x == y || (x.is_nan() && y.is_nan()) {
                if x.is_finite() {
                    self.sum(x, y);
                }
                continue;
            }
            self.differs = true;
            if !(x.is_finite() && y.is_finite()) {
                self.n_not_finite += 1;
                is_beyond = true;
                change = f64::INFINITY;
                continue;
            }
            let difference = y - x;
            self.sum(x, y);
            self.difference_squares += difference * difference;
            self.max_difference = self.max_difference.max(difference.abs());
            is_beyond |= difference.abs() > ABSOLUTE_TOLERANCE + RELATIVE_TOLERANCE * x.abs();
            if difference.abs() > change.abs() {
                change = difference;
            }
        }
        let is_changed = match (a.labels.get(row), b.labels.get(row)) {
            (Some(&from), Some(&to)) => {
                if from != to {
                    self.differs = true;
                    if self.transitions.len() < MAX_TRANSITIONS || self.transitions.contains_key(&(from, to)) {
                        *self.transitions.entry((from, to)).or_default() += 1;
                    }
                }
                from != to
            }
            _ => is_beyond,
        };
        self.agreeing += u64::from(!is_changed);
        if columns.len() != 1 {
            change = change.abs();
        }
        if columns.is_empty() && is_changed {
            change = 1.0;
        }
        RowDifference { is_changed, change }
    }

    fn sum(&mut self, x: f64, y: f64) {
        self.dot += x * y;
        self.a_squares += x * x;
        self.b_squares += y * y;
        self.n_numbers += 1.0;
    }

    pub fn n_changed(&self) -> u64 {
        self.rows - self.agreeing
    }

    /// `over`: what the numbers are; `labels`: names by code.
    pub fn finish(self, over: &str, labels: &[String], has_labels: bool) -> Agreement {
        let rows = self.rows as f64;
        let name = |code: u32| if code == NO_LABEL { "another label".to_owned() } else { labels.get(code as usize).cloned().unwrap_or_default() };
        let mut transitions: Vec<Transition> =
            self.transitions.iter().map(|(&(from, to), &rows)| Transition { from: name(from), to: name(to), rows }).collect();
        transitions.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| (&a.from, &a.to).cmp(&(&b.from, &b.to))));
        let has_numbers = self.n_numbers > 0.0;
        let norms = self.a_squares.sqrt() * self.b_squares.sqrt();
        let cosine = if self.difference_squares == 0.0 { Some(1.0) } else { (norms > 0.0).then(|| (self.dot / norms).clamp(-1.0, 1.0)) };
        let sqnr = self.difference_squares > 0.0 && self.a_squares > 0.0;
        Agreement {
            share: if rows > 0.0 { self.agreeing as f64 / rows } else { 1.0 },
            interval: wilson(self.agreeing as f64, rows),
            rows_agreeing: self.agreeing,
            tolerance: (!has_labels).then(|| format!("|b − a| ≤ {ABSOLUTE_TOLERANCE:e} + {RELATIVE_TOLERANCE:e}·|a|")),
            over: over.to_owned(),
            cosine: cosine.filter(|_| has_numbers),
            rmse: has_numbers.then(|| (self.difference_squares / self.n_numbers).sqrt()),
            max_difference: has_numbers.then_some(self.max_difference),
            sqnr_db: sqnr.then(|| 10.0 * (self.a_squares / self.difference_squares).log10()),
            is_identical: !self.differs,
            transitions,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows::Values;
    use super::*;

    fn agreement(a: &[f64], b: &[f64]) -> Agreement {
        let said = |values: &[f64]| Said { columns: vec![Values::F64(values.to_vec())], ..Said::default() };
        let (a_said, b_said) = (said(a), said(b));
        let mut sums = AgreementSums::default();
        for row in 0..a.len() {
            sums.add(&a_said, &b_said, &[(0, 0)], row);
        }
        sums.finish("predictions", &[], false)
    }

    /// Expected values: numpy, from tests/statistics/make_reference.py.
    #[test]
    fn numbers_agree_as_numpy_measures_it() {
        let found = agreement(&[3.0, -0.5, 2.0, 7.0, 4.25], &[2.5, 0.0, 2.0, 8.0, 4.0]);
        assert!((found.cosine.unwrap() - 0.992_525_174_717_182_6).abs() < 1e-12);
        assert!((found.sqnr_db.unwrap() - 17.109_631_189_952_758).abs() < 1e-9);
        assert!((found.rmse.unwrap() - 0.559_016_994_374_947_5).abs() < 1e-12);
        assert_eq!((found.max_difference, found.rows_agreeing, found.is_identical), (Some(1.0), 1, false));
    }

    #[test]
    fn what_is_the_same_has_no_noise() {
        let found = agreement(&[1.0, f64::NAN, 2.0], &[1.0, f64::NAN, 2.0]);
        assert_eq!((found.share, found.sqnr_db, found.cosine, found.is_identical), (1.0, None, Some(1.0), true));
    }
}
