//! A look at a table's head, for the faces.

use std::path::Path;

use super::reader::{Rows, TableReader};
use super::schema::bad_row_error;
use super::{DataError, TableColumnKind, TableInfo};

/// Looks at the head of a table: format, columns, first `n_preview` rows.
pub fn describe(path: &Path, n_preview: usize) -> Result<TableInfo, DataError> {
    let mut reader = TableReader::open(path)?;
    let schema = reader.schema.clone();
    let block =
        reader.next_block(Vec::new())?.ok_or_else(|| DataError::Unsuitable { path: path.to_owned(), message: "the table has no rows".to_owned() })?;
    let previewable: Vec<usize> = match &schema.arrow {
        Some(arrow) => (0..schema.columns.len()).filter(|&column| !arrow.field(column).data_type().is_nested()).collect(),
        None => (0..schema.columns.len()).collect(),
    };
    let rows = schema.parse(block, &previewable)?;
    let n_preview = n_preview.min(rows.n_rows());
    // A bad row that a person would see in the preview is told now; those further down are told when they are reached.
    if let Some(bad) = rows.bad_rows().first().filter(|bad| bad.row < n_preview) {
        let names: Vec<String> = schema.columns.iter().map(|column| column.name.clone()).collect();
        return Err(bad_row_error(path, &names, bad.row as u64 + 1, bad));
    }
    let cell = |row, column| rows.cell(row, column).to_text().map_or_else(String::new, std::borrow::Cow::into_owned);
    let preview = (0..n_preview).map(|row| (0..schema.columns.len()).map(|column| cell(row, column)).collect()).collect();
    let mut columns = schema.columns.clone();
    if let Rows::Arrow(arrow) = &rows {
        for (index, column) in columns.iter_mut().enumerate() {
            column.n_seen = arrow.n_rows();
            column.n_missing = arrow.array(index).map_or(0, |array| array.logical_null_count());
            if column.n_missing == column.n_seen {
                column.kind = TableColumnKind::Empty;
            }
        }
    }
    Ok(TableInfo { columns, preview, ..schema.info() })
}
