//! A table as every face shows it: columns that say what their numbers are, cells that are read in the unit a person would choose and
//! copied exactly.

use crate::format;

use super::csv_cell;

/// Rows under titled columns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// What the rows are: "Operators", "Changed rows". Stands above the table and names the file it is saved to.
    pub title: String,
    pub columns: Vec<Column>,
    /// Each as long as `columns`; a shorter row ends in empty cells.
    pub rows: Vec<Vec<Cell>>,
}

/// A column's title, and what its numbers are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub title: String,
    pub quantity: Quantity,
}

/// What a column's numbers are, which decides how they are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// Words; numbers among them read as plain numbers.
    Text,
    /// Whole things: `412,345`.
    Count,
    Number,
    /// A size in bytes: `1.2 MB`.
    Bytes,
    /// A length of time in seconds: `41 µs`.
    Seconds,
    /// A part of the whole, 0 to 1: `12.3 %`.
    Share,
    /// A probability or a score between 0 and 1: `0.930`.
    Probability,
    /// Something per second, with an SI prefix: `412k`.
    PerSecond,
    /// A difference: a plain number with its sign.
    Change,
}

impl Quantity {
    /// Whether the column's cells stand on the right.
    pub fn is_number(self) -> bool {
        self != Self::Text
    }

    /// A number of this kind as a person reads it.
    pub fn text(self, value: f64) -> String {
        match self {
            Self::Count if value >= 0.0 && value.fract() == 0.0 && value < 1e18 => format::count(value as u64),
            Self::Bytes if value >= 0.0 && value.is_finite() => format::bytes(value as u64),
            Self::Bytes if value.is_finite() => format!("-{}", format::bytes(-value as u64)),
            Self::Seconds if value < 0.0 => format!("-{}", format::seconds(-value)),
            Self::Seconds => format::seconds(value),
            Self::Share => format::percent(value),
            Self::Probability => format::probability(value),
            Self::PerSecond => format::quantity(value),
            Self::Change if value > 0.0 => format!("+{}", format::number(value)),
            Self::Text | Self::Count | Self::Number | Self::Bytes | Self::Change => format::number(value),
        }
    }

    /// The unit of the exact number, for the header of a file: `seconds`, `bytes`.
    pub fn unit(self) -> Option<&'static str> {
        match self {
            Self::Bytes => Some("bytes"),
            Self::Seconds => Some("seconds"),
            Self::PerSecond => Some("per second"),
            Self::Text | Self::Count | Self::Number | Self::Share | Self::Probability | Self::Change => None,
        }
    }
}

/// One cell.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Cell {
    /// Not measured, not judged, not there: a dash.
    #[default]
    Empty,
    Text(String),
    Number(f64),
    Verdict(Verdict),
}

/// How a judgement ended. Always shown with its word beside the sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Pass,
    Fail,
    NotJudged,
}

impl Verdict {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::NotJudged => "not judged",
        }
    }

    pub const fn sign(self) -> &'static str {
        match self {
            Self::Pass => "✓",
            Self::Fail => "✖",
            Self::NotJudged => "–",
        }
    }
}

impl From<bool> for Verdict {
    fn from(passes: bool) -> Self {
        if passes { Self::Pass } else { Self::Fail }
    }
}

impl From<f64> for Cell {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<u64> for Cell {
    fn from(value: u64) -> Self {
        Self::Number(value as f64)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Verdict> for Cell {
    fn from(verdict: Verdict) -> Self {
        Self::Verdict(verdict)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(cell: Option<T>) -> Self {
        cell.map_or(Self::Empty, Into::into)
    }
}

impl Table {
    /// A table without rows yet.
    pub fn new(title: impl Into<String>, columns: &[(&str, Quantity)]) -> Self {
        let column = |&(title, quantity): &(&str, Quantity)| Column { title: title.to_owned(), quantity };
        Self { title: title.into(), columns: columns.iter().map(column).collect(), rows: Vec::new() }
    }

    pub fn push(&mut self, row: Vec<Cell>) {
        debug_assert!(row.len() <= self.columns.len(), "more cells than columns in '{}'", self.title);
        self.rows.push(row);
    }

    pub fn cell(&self, row: usize, column: usize) -> &Cell {
        self.rows.get(row).and_then(|row| row.get(column)).unwrap_or(&Cell::Empty)
    }

    /// The cell as it is shown.
    pub fn text(&self, row: usize, column: usize) -> String {
        match self.cell(row, column) {
            Cell::Empty => "—".to_owned(),
            Cell::Text(text) => text.clone(),
            Cell::Number(value) => self.columns.get(column).map_or(Quantity::Number, |column| column.quantity).text(*value),
            Cell::Verdict(verdict) => format!("{} {}", verdict.sign(), verdict.word()),
        }
    }

    /// The cell in full, for hover, the clipboard and files; nothing for an empty one.
    pub fn exact(&self, row: usize, column: usize) -> String {
        match self.cell(row, column) {
            Cell::Empty => String::new(),
            Cell::Text(text) => text.clone(),
            Cell::Number(value) => value.to_string(),
            Cell::Verdict(verdict) => verdict.word().to_owned(),
        }
    }

    /// What the cell is sorted by, where it is a number.
    pub fn number(&self, row: usize, column: usize) -> Option<f64> {
        match self.cell(row, column) {
            Cell::Number(value) => Some(*value),
            _ => None,
        }
    }

    /// The table with a header, exact. A column's unit stands in its title.
    pub fn to_csv(&self) -> String {
        let title = |column: &Column| match column.quantity.unit() {
            Some(unit) => csv_cell(&format!("{} ({unit})", column.title)).into_owned(),
            None => csv_cell(&column.title).into_owned(),
        };
        let mut lines = vec![self.columns.iter().map(title).collect::<Vec<_>>().join(",")];
        for row in 0..self.rows.len() {
            let cells = (0..self.columns.len()).map(|column| csv_cell(&self.exact(row, column)).into_owned());
            lines.push(cells.collect::<Vec<_>>().join(","));
        }
        lines.push(String::new());
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let columns = [("operator", Quantity::Text), ("time", Quantity::Seconds), ("share", Quantity::Share), ("size", Quantity::Bytes)];
        let mut table = Table::new("Operators", &columns);
        table.push(vec!["Conv, fused".into(), 0.0015.into(), 0.1234.into(), Cell::Empty]);
        table.push(vec![Verdict::Fail.into(), Cell::Empty, 1.0.into(), 1_200_000_u64.into()]);
        table
    }

    #[test]
    fn cells_are_read_in_units_and_copied_exactly() {
        let table = table();
        let shown = |row: usize| (0..4).map(|column| table.text(row, column)).collect::<Vec<_>>();
        assert_eq!(shown(0), ["Conv, fused", "1.5 ms", "12.3 %", "—"]);
        assert_eq!(shown(1), ["✖ fail", "—", "100 %", "1.2 MB"]);
        assert_eq!((table.exact(0, 1).as_str(), table.exact(1, 0).as_str(), table.exact(0, 3).as_str()), ("0.0015", "fail", ""));
        assert_eq!((table.number(0, 1), table.number(0, 0), table.number(9, 9)), (Some(0.0015), None, None));
    }

    #[test]
    fn a_file_has_a_header_with_units() {
        let expected = "operator,time (seconds),share,size (bytes)\n\"Conv, fused\",0.0015,0.1234,\nfail,,1,1200000\n";
        assert_eq!(table().to_csv(), expected);
    }

    #[test]
    fn a_quantity_reads_its_numbers() {
        for (quantity, value, expected) in [
            (Quantity::Count, 412_345.0, "412,345"),
            (Quantity::Count, 1.5, "1.5"),
            (Quantity::Change, 0.25, "+0.25"),
            (Quantity::Change, -3.0, "-3"),
            (Quantity::Seconds, -0.002, "-2 ms"),
            (Quantity::Bytes, -2000.0, "-2 kB"),
            (Quantity::PerSecond, 411_900.0, "412k"),
            (Quantity::Share, 0.00042, "0.042 %"),
            (Quantity::Bytes, f64::NAN, "NaN"),
        ] {
            assert_eq!(quantity.text(value), expected, "{quantity:?} {value}");
        }
    }
}
