//! A shallow regression tree over the columns of a table, to say which rows change: few splits, each on a number or on a set of categories.
//! Splits are chosen by how much they reduce the sum of squares, which for a share is Gini's measure.

use std::collections::BTreeMap;
use std::fmt;

use crate::format;

const MAX_DEPTH: usize = 3;
/// Rows that a leaf holds, at least: a number, and a share of all.
const MIN_ROWS: usize = 20;
const MIN_SHARE: f64 = 0.005;
/// A split has to explain this share of everything that there is to explain.
const MIN_GAIN: f64 = 0.005;
/// Categories told apart in a split; rarer ones go with the rest.
const MAX_CATEGORIES: usize = 64;
/// Thresholds tried for a number.
const MAX_THRESHOLDS: usize = 256;

/// A cell as a tree sees it.
#[derive(Debug, Clone, PartialEq)]
pub enum SampleCell {
    Missing,
    Number(f64),
    Text(compact_str::CompactString),
}

/// Rows with the value to explain and the weight that each stands for.
pub struct Sample {
    pub cells: Vec<Vec<SampleCell>>,
    pub values: Vec<f64>,
    pub weights: Vec<f64>,
}

/// A leaf: what holds for its rows, their share of the weight, and the mean of the value.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaf {
    pub conditions: Vec<Condition>,
    pub share: f64,
    pub mean: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    pub column: String,
    pub test: Test,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    AtMost {
        limit: f64,
        or_missing: bool,
    },
    Above {
        limit: f64,
        or_missing: bool,
    },
    /// An empty text stands for missing cells.
    In(Vec<String>),
    NotIn(Vec<String>),
    IsMissing,
    IsGiven,
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missing = |or_missing: bool| if or_missing { " or missing" } else { "" };
        let list = |texts: &[String]| {
            const SHOWN: usize = 4;
            let name = |text: &String| if text.is_empty() { "missing".to_owned() } else { text.clone() };
            let mut shown: Vec<String> = texts.iter().take(SHOWN).map(name).collect();
            if texts.len() > SHOWN {
                shown.push(format!("{} more", texts.len() - SHOWN));
            }
            shown.join(" or ")
        };
        let column = &self.column;
        match &self.test {
            Test::AtMost { limit, or_missing } => write!(f, "{column} ≤ {}{}", format::number(*limit), missing(*or_missing)),
            Test::Above { limit, or_missing } => write!(f, "{column} > {}{}", format::number(*limit), missing(*or_missing)),
            Test::In(texts) => write!(f, "{column} is {}", list(texts)),
            Test::NotIn(texts) => write!(f, "{column} is not {}", list(texts)),
            Test::IsMissing => write!(f, "{column} is missing"),
            Test::IsGiven => write!(f, "{column} is given"),
        }
    }
}

/// How the values of a column lie in the sample.
enum Feature {
    /// NaN where missing.
    Numbers(Vec<f64>),
    /// Codes into names; the first name is the empty one, for missing cells and rare ones.
    Categories { codes: Vec<usize>, names: Vec<String> },
}

/// The leaves of the tree, highest mean first. `columns`: the names of the cells.
pub fn grow(sample: &Sample, columns: &[String]) -> Vec<Leaf> {
    let n = sample.values.len();
    let features: Vec<(usize, Feature)> = (0..columns.len()).filter_map(|column| Some((column, feature(sample, column)?))).collect();
    let total = Sums::of(sample, &(0..n).collect::<Vec<_>>());
    let grower = Grower { sample, columns, features, total };
    let mut leaves = Vec::new();
    grower.grow((0..n).collect(), Vec::new(), 0, &mut leaves);
    leaves.sort_by(|a, b| b.mean.total_cmp(&a.mean));
    leaves
}

/// Numbers where all cells are, categories else; `None` for a column that tells every row apart, or none.
fn feature(sample: &Sample, column: usize) -> Option<Feature> {
    let cells = || sample.cells.iter().map(move |cells| cells.get(column).unwrap_or(&SampleCell::Missing));
    let is_number = cells().all(|cell| !matches!(cell, SampleCell::Text(_)));
    if is_number {
        let numbers: Vec<f64> = cells().map(|cell| if let SampleCell::Number(number) = cell { *number } else { f64::NAN }).collect();
        let mut sorted: Vec<f64> = numbers.iter().copied().filter(|number| !number.is_nan()).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted.dedup();
        let is_id = sorted.len() == numbers.len() && numbers.len() > 2 * MIN_ROWS && sorted.iter().all(|number| number.fract() == 0.0);
        let varies = sorted.len() > 1 || (sorted.len() == 1 && numbers.iter().any(|number| number.is_nan()));
        return (varies && !is_id).then_some(Feature::Numbers(numbers));
    }
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let text = |cell: &SampleCell| match cell {
        SampleCell::Missing => String::new(),
        SampleCell::Number(number) => number.to_string(),
        SampleCell::Text(text) => text.to_string(),
    };
    cells().for_each(|cell| *counts.entry(text(cell)).or_default() += 1);
    // Texts that hardly repeat are names of rows, not categories.
    if counts.len() < 2 || counts.len() > sample.cells.len() / 2 {
        return None;
    }
    let mut by_count: Vec<(String, usize)> = counts.into_iter().filter(|(name, _)| !name.is_empty()).collect();
    by_count.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let mut names = vec![String::new()];
    names.extend(by_count.into_iter().take(MAX_CATEGORIES).map(|(name, _)| name));
    let code_of: BTreeMap<&str, usize> = names.iter().enumerate().map(|(code, name)| (name.as_str(), code)).collect();
    let codes = cells().map(|cell| code_of.get(text(cell).as_str()).copied().unwrap_or(0)).collect();
    Some(Feature::Categories { codes, names })
}

/// Weighted sums of the value.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    rows: usize,
    weight: f64,
    sum: f64,
    squares: f64,
}

impl Sums {
    fn of(sample: &Sample, rows: &[usize]) -> Self {
        let mut sums = Self::default();
        rows.iter().for_each(|&row| sums.add(sample, row));
        sums
    }

    fn add(&mut self, sample: &Sample, row: usize) {
        let (weight, value) = (sample.weights[row], sample.values[row]);
        self.rows += 1;
        self.weight += weight;
        self.sum += weight * value;
        self.squares += weight * value * value;
    }

    fn plus(self, other: Self) -> Self {
        Self { rows: self.rows + other.rows, weight: self.weight + other.weight, sum: self.sum + other.sum, squares: self.squares + other.squares }
    }

    fn minus(self, other: Self) -> Self {
        Self { rows: self.rows - other.rows, weight: self.weight - other.weight, sum: self.sum - other.sum, squares: self.squares - other.squares }
    }

    /// Squared distances from the mean.
    fn spread(self) -> f64 {
        if self.weight > 0.0 { (self.squares - self.sum * self.sum / self.weight).max(0.0) } else { 0.0 }
    }

    fn mean(self) -> f64 {
        if self.weight > 0.0 { self.sum / self.weight } else { 0.0 }
    }
}

struct Grower<'a> {
    sample: &'a Sample,
    columns: &'a [String],
    features: Vec<(usize, Feature)>,
    total: Sums,
}

/// A way to part rows; `is_left` decides for each.
struct Split {
    gain: f64,
    feature: usize,
    kind: SplitKind,
}

enum SplitKind {
    AtMost {
        limit: f64,
        missing_left: bool,
    },
    /// Missing cells go left.
    Missing,
    /// By category: whether it goes left.
    Categories(Vec<bool>),
}

impl Grower<'_> {
    fn grow(&self, rows: Vec<usize>, conditions: Vec<Condition>, depth: usize, leaves: &mut Vec<Leaf>) {
        let sums = Sums::of(self.sample, &rows);
        let split = if depth < MAX_DEPTH { self.best_split(&rows, sums) } else { None };
        let Some(split) = split else {
            let share = if self.total.weight > 0.0 { sums.weight / self.total.weight } else { 0.0 };
            leaves.push(Leaf { conditions, share, mean: sums.mean() });
            return;
        };
        let (left, right): (Vec<usize>, Vec<usize>) = rows.into_iter().partition(|&row| self.is_left(&split, row));
        let (to_left, to_right) = self.conditions(&split, &left, &right);
        self.grow(left, narrowed(&conditions, to_left), depth + 1, leaves);
        self.grow(right, narrowed(&conditions, to_right), depth + 1, leaves);
    }

    fn is_left(&self, split: &Split, row: usize) -> bool {
        match (&self.features[split.feature].1, &split.kind) {
            (Feature::Numbers(numbers), SplitKind::AtMost { limit, missing_left }) => {
                if numbers[row].is_nan() {
                    *missing_left
                } else {
                    numbers[row] <= *limit
                }
            }
            (Feature::Numbers(numbers), SplitKind::Missing) => numbers[row].is_nan(),
            (Feature::Categories { codes, .. }, SplitKind::Categories(is_left)) => is_left[codes[row]],
            _ => false,
        }
    }

    fn conditions(&self, split: &Split, left: &[usize], right: &[usize]) -> (Condition, Condition) {
        let (column, feature) = &self.features[split.feature];
        let column = self.columns[*column].clone();
        let of = |test: Test| Condition { column: column.clone(), test };
        match (feature, &split.kind) {
            (Feature::Numbers(numbers), SplitKind::AtMost { limit, missing_left }) => {
                let has_missing = |rows: &[usize]| rows.iter().any(|&row| numbers[row].is_nan());
                let at_most = Test::AtMost { limit: *limit, or_missing: *missing_left && has_missing(left) };
                (of(at_most), of(Test::Above { limit: *limit, or_missing: !*missing_left && has_missing(right) }))
            }
            (Feature::Numbers(_), SplitKind::Missing) => (of(Test::IsMissing), of(Test::IsGiven)),
            (Feature::Categories { codes, names }, SplitKind::Categories(_)) => {
                let present = |rows: &[usize]| {
                    let mut here: Vec<usize> = rows.iter().map(|&row| codes[row]).collect();
                    here.sort_unstable();
                    here.dedup();
                    here.into_iter().map(|code| names[code].clone()).collect::<Vec<_>>()
                };
                let (in_left, in_right) = (present(left), present(right));
                // The shorter list says both sides.
                if in_left.len() <= in_right.len() {
                    (of(Test::In(in_left.clone())), of(Test::NotIn(in_left)))
                } else {
                    (of(Test::NotIn(in_right.clone())), of(Test::In(in_right)))
                }
            }
            _ => (of(Test::In(Vec::new())), of(Test::In(Vec::new()))),
        }
    }

    fn best_split(&self, rows: &[usize], sums: Sums) -> Option<Split> {
        let mut best: Option<Split> = None;
        for (feature, (_, values)) in self.features.iter().enumerate() {
            let found = match values {
                Feature::Numbers(numbers) => self.split_numbers(rows, sums, numbers),
                Feature::Categories { codes, names } => self.split_categories(rows, sums, codes, names.len()),
            };
            if let Some((gain, kind)) = found
                && best.as_ref().is_none_or(|best| gain > best.gain)
            {
                best = Some(Split { gain, feature, kind });
            }
        }
        best.filter(|split| split.gain > MIN_GAIN * self.total.spread())
    }

    /// What parting the rows explains; nothing if a side would be too small.
    fn gain(&self, all: Sums, left: Sums) -> Option<f64> {
        let right = all.minus(left);
        let is_large = |side: Sums| side.rows >= MIN_ROWS && side.weight >= MIN_SHARE * self.total.weight;
        (is_large(left) && is_large(right)).then(|| all.spread() - left.spread() - right.spread())
    }

    fn split_numbers(&self, rows: &[usize], all: Sums, numbers: &[f64]) -> Option<(f64, SplitKind)> {
        let (mut present, missing): (Vec<usize>, Vec<usize>) = rows.iter().copied().partition(|&row| !numbers[row].is_nan());
        present.sort_unstable_by(|&a, &b| numbers[a].total_cmp(&numbers[b]));
        let missing = Sums::of(self.sample, &missing);
        let every = (present.len() / MAX_THRESHOLDS).max(1);
        let mut left = Sums::default();
        let mut last_tried = 0;
        let mut best = self.gain(all, missing).map(|gain| (gain, SplitKind::Missing));
        for (place, pair) in present.windows(2).enumerate() {
            left.add(self.sample, pair[0]);
            let (here, next) = (numbers[pair[0]], numbers[pair[1]]);
            if here == next || place + 1 - last_tried < every {
                continue;
            }
            last_tried = place + 1;
            let limit = round_between(here, next);
            for missing_left in [true, false] {
                let side = if missing_left { left.plus(missing) } else { left };
                if let Some(gain) = self.gain(all, side)
                    && best.as_ref().is_none_or(|(known, _)| gain > *known)
                {
                    best = Some((gain, SplitKind::AtMost { limit, missing_left }));
                }
            }
        }
        best
    }

    /// Categories in the order of their means, parted at one place: no other parting is better.
    fn split_categories(&self, rows: &[usize], all: Sums, codes: &[usize], n_codes: usize) -> Option<(f64, SplitKind)> {
        let mut by_code = vec![Sums::default(); n_codes];
        rows.iter().for_each(|&row| by_code[codes[row]].add(self.sample, row));
        let mut order: Vec<usize> = (0..n_codes).filter(|&code| by_code[code].rows > 0).collect();
        order.sort_by(|&a, &b| by_code[a].mean().total_cmp(&by_code[b].mean()));
        let mut left = Sums::default();
        let mut is_left = vec![false; n_codes];
        let mut best: Option<(f64, SplitKind)> = None;
        for &code in order.iter().take(order.len().saturating_sub(1)) {
            left = left.plus(by_code[code]);
            is_left[code] = true;
            if let Some(gain) = self.gain(all, left)
                && best.as_ref().is_none_or(|(known, _)| gain > *known)
            {
                best = Some((gain, SplitKind::Categories(is_left.clone())));
            }
        }
        best
    }
}

/// The number between two that has the fewest digits, at least the lower one and below the upper.
fn round_between(low: f64, high: f64) -> f64 {
    let middle = low + (high - low) / 2.0;
    for digits in 1..17 {
        let rounded: f64 = format!("{middle:.digits$e}", digits = digits - 1).parse().unwrap_or(middle);
        if rounded >= low && rounded < high {
            return rounded;
        }
    }
    low
}

/// Conditions with one more; on a number that was limited before, the narrower limit stands alone.
fn narrowed(conditions: &[Condition], more: Condition) -> Vec<Condition> {
    let is_wider = |known: &Condition| {
        known.column == more.column
            && matches!(
                (&known.test, &more.test),
                (Test::AtMost { .. }, Test::AtMost { .. }) | (Test::Above { .. }, Test::Above { .. }) | (Test::In(_), Test::In(_))
            )
    };
    let mut narrowed: Vec<Condition> = conditions.iter().filter(|known| !is_wider(known)).cloned().collect();
    narrowed.push(more);
    narrowed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(rows: impl Iterator<Item = (SampleCell, SampleCell, f64)>) -> Sample {
        let mut sample = Sample { cells: Vec::new(), values: Vec::new(), weights: Vec::new() };
        for (first, second, value) in rows {
            sample.cells.push(vec![first, second]);
            sample.values.push(value);
            sample.weights.push(1.0);
        }
        sample
    }

    #[test]
    fn a_rule_over_a_number_and_a_category_is_found() {
        // Flips exactly where the amount is above 500 and the shop is "toys".
        let rows = (0..1000).map(|row| {
            let amount = f64::from(row * 37 % 1000);
            let shop = ["toys", "food", "fuel"][row as usize % 3];
            let flips = amount > 500.0 && shop == "toys";
            (SampleCell::Number(amount + 0.25), SampleCell::Text(shop.into()), f64::from(u8::from(flips)))
        });
        let leaves = grow(&sample(rows), &["amount".to_owned(), "shop".to_owned()]);
        let first = leaves.first().unwrap();
        assert_eq!(first.mean, 1.0);
        // 185 of the 1000 rows are such.
        assert!((first.share - 0.185).abs() < 1e-9, "{}", first.share);
        let mut shown: Vec<String> = first.conditions.iter().map(ToString::to_string).collect();
        shown.sort();
        assert_eq!(shown, ["amount > 500", "shop is toys"]);
        assert!(leaves.iter().skip(1).all(|leaf| leaf.mean == 0.0));
        assert!((leaves.iter().map(|leaf| leaf.share).sum::<f64>() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn missing_cells_may_be_what_explains() {
        let rows = (0..400).map(|row| {
            let cell = if row % 2 == 0 { SampleCell::Missing } else { SampleCell::Number(f64::from(row) + 0.5) };
            (cell, SampleCell::Number(f64::from(row)), f64::from(u8::from(row % 2 == 0)))
        });
        let leaves = grow(&sample(rows), &["age".to_owned(), "id".to_owned()]);
        let first = leaves.first().unwrap();
        assert_eq!(first.conditions.iter().map(ToString::to_string).collect::<Vec<_>>(), ["age is missing"]);
        assert_eq!((first.mean, leaves.len()), (1.0, 2));
        assert!(leaves.iter().all(|leaf| leaf.conditions.iter().all(|condition| condition.column == "age")), "an id explains nothing");
    }

    #[test]
    fn nothing_to_explain_is_one_leaf() {
        let rows = (0..100).map(|row| (SampleCell::Number(f64::from(row % 7)), SampleCell::Missing, 0.0));
        let leaves = grow(&sample(rows), &["a".to_owned(), "b".to_owned()]);
        assert_eq!(leaves, [Leaf { conditions: Vec::new(), share: 1.0, mean: 0.0 }]);
    }
}
