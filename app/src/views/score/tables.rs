//! What the tables of the page list: the columns of the file and what they feed, and its rows.

use std::borrow::Cow;

use drydock_core::data::{TableColumnKind, TableInfo};
use drydock_core::format;
use drydock_core::score::Binding;

use crate::widgets::table::{ColumnSpec, TableSource};

/// The columns of a table with their part in the scoring.
pub struct TableColumns<'a> {
    pub table: &'a TableInfo,
    pub binding: Option<&'a Binding>,
}

impl TableColumns<'_> {
    /// What a column is for.
    fn part(&self, row: usize) -> Cow<'_, str> {
        let Some((binding, column)) = self.binding.zip(self.table.columns.get(row)) else { return Cow::Borrowed("") };
        if let Some(bound) = binding.columns.iter().find(|bound| bound.table_index == row) {
            return Cow::Owned(if bound.column == column.name { "✓ feeds the model".to_owned() } else { format!("✓ feeds {}", bound.column) });
        }
        if binding.label.as_ref() == Some(&column.name) {
            return Cow::Borrowed("✓ label");
        }
        Cow::Borrowed("kept as it is")
    }
}

impl TableSource for TableColumns<'_> {
    fn n_rows(&self) -> usize {
        self.table.columns.len()
    }

    fn columns(&self) -> Vec<ColumnSpec<'_>> {
        vec![
            ColumnSpec::text("Column", 180.0),
            ColumnSpec::text("Kind", 72.0),
            ColumnSpec::number("Empty", 72.0),
            ColumnSpec::text("Part", 180.0),
            ColumnSpec::text("First values", 220.0).growing(),
        ]
    }

    fn text(&self, row: usize, column: usize) -> Cow<'_, str> {
        let Some(found) = self.table.columns.get(row) else { return Cow::Borrowed("") };
        match column {
            0 => Cow::Borrowed(&found.name),
            1 => Cow::Borrowed(kind_name(found.kind)),
            2 if found.n_missing == 0 || found.n_seen == 0 => Cow::Borrowed(""),
            2 => Cow::Owned(format!("{} %", format::number(found.n_missing as f64 / found.n_seen as f64 * 100.0))),
            3 => self.part(row),
            _ => Cow::Owned(self.table.preview.iter().take(6).filter_map(|cells| cells.get(row)).map(String::as_str).collect::<Vec<_>>().join(", ")),
        }
    }

    fn number(&self, row: usize, _column: usize) -> Option<f64> {
        self.table.columns.get(row).map(|column| column.n_missing as f64)
    }
}

fn kind_name(kind: TableColumnKind) -> &'static str {
    match kind {
        TableColumnKind::Number => "number",
        TableColumnKind::Text => "text",
        TableColumnKind::Boolean => "boolean",
        TableColumnKind::Empty => "empty",
    }
}

/// The first rows of a table. Predictions and probabilities come first: they are what one looks for.
pub struct Rows<'a>(pub &'a TableInfo);

impl Rows<'_> {
    /// The table's column that stands at a place of the screen.
    fn source(&self, column: usize) -> usize {
        let n_answers = self.0.columns.iter().rev().take_while(|found| is_answer(&found.name)).count();
        let n_kept = self.0.columns.len() - n_answers;
        if column < n_answers { n_kept + column } else { column - n_answers }
    }
}

fn is_answer(name: &str) -> bool {
    name == "prediction" || name.starts_with("probability_")
}

impl TableSource for Rows<'_> {
    fn n_rows(&self) -> usize {
        self.0.preview.len()
    }

    fn columns(&self) -> Vec<ColumnSpec<'_>> {
        let spec = |index: usize| {
            let column = self.0.columns.get(self.source(index))?;
            let width = (column.name.len() as f32 * 8.0 + 24.0).clamp(72.0, 200.0);
            Some(ColumnSpec { title: &column.name, is_number: column.kind == TableColumnKind::Number, width, grows: false })
        };
        (0..self.0.columns.len()).filter_map(spec).collect()
    }

    fn text(&self, row: usize, column: usize) -> Cow<'_, str> {
        let exact = self.exact(row, column);
        let is_answer =
            self.0.columns.get(self.source(column)).is_some_and(|column| column.kind == TableColumnKind::Number && is_answer(&column.name));
        match exact.parse::<f64>() {
            Ok(number) if is_answer && column > 0 && (0.0..=1.0).contains(&number) => Cow::Owned(format::probability(number)),
            Ok(number) if is_answer => Cow::Owned(format::number(number)),
            _ => exact,
        }
    }

    fn exact(&self, row: usize, column: usize) -> Cow<'_, str> {
        self.0.preview.get(row).and_then(|cells| cells.get(self.source(column))).map_or(Cow::Borrowed(""), |cell| Cow::Borrowed(cell))
    }
}
