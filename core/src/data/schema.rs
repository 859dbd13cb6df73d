//! What is known of a table once it is open: its columns, and how it is laid out.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use arrow_schema::{DataType, Schema, SchemaRef};

use super::cell::{is_missing_text, parse_boolean, parse_number};
use super::detect::Detected;
use super::reader::Rows;
use super::text::BadRow;
use super::text::csv::split_record;
use super::text::ndjson::JsonColumns;
use super::{Cell, Compression, DataError, TableColumn, TableColumnKind, TableFormat, TableInfo};

/// Rows looked at to tell what the columns of a text table hold.
const SAMPLE_ROWS: usize = 1000;

/// An open table, apart from its rows.
#[derive(Debug, Clone)]
pub struct TableSchema {
    pub path: PathBuf,
    pub format: TableFormat,
    pub compression: Compression,
    pub file_bytes: u64,
    /// Known for Parquet; `None` where only a full read would tell.
    pub rows: Option<u64>,
    pub columns: Vec<TableColumn>,
    /// By column of a text table: the type it takes in a columnar output.
    pub storage: Vec<Storage>,
    pub text: TextLayout,
    pub(super) json_columns: JsonColumns,
    /// Of columnar files.
    pub arrow: Option<SchemaRef>,
    /// Of columnar files: the columns that are read, in ascending order.
    pub projection: Vec<usize>,
    pub(super) n_batches: Option<u64>,
}

/// What of a text file is not rows, kept so that an output can look the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextLayout {
    Csv {
        delimiter: u8,
        /// The header as it stands in the file, without its line end.
        header: String,
        line_end: &'static str,
        has_byte_order_mark: bool,
    },
    Ndjson,
    /// A columnar file has no text.
    None,
}

/// How a text column is stored where columns have types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    Integer,
    Float,
    Boolean,
    Text,
}

impl TableSchema {
    pub(super) fn new(path: &Path, format: Detected, compression: Compression, file_bytes: u64, columns: Vec<(TableColumn, Storage)>) -> Self {
        let (columns, storage) = columns.into_iter().unzip();
        Self {
            path: path.to_owned(),
            format: format.table_format(),
            compression,
            file_bytes,
            rows: None,
            columns,
            storage,
            text: TextLayout::None,
            json_columns: JsonColumns::default(),
            arrow: None,
            projection: Vec::new(),
            n_batches: None,
        }
    }

    /// What a face shows of the table, without a preview.
    pub fn info(&self) -> TableInfo {
        TableInfo {
            path: self.path.clone(),
            format: self.format,
            compression: self.compression,
            file_bytes: self.file_bytes,
            rows: self.rows,
            columns: self.columns.clone(),
            preview: Vec::new(),
        }
    }

    /// Whether the cells of a column are numbers, texts or booleans rather than nested values.
    pub fn has_plain_cells(&self, column: usize) -> bool {
        self.arrow.as_ref().is_none_or(|arrow| arrow.fields().get(column).is_some_and(|field| !field.data_type().is_nested()))
    }

    pub fn column_index(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// A problem with a row, as an error. Rows count from 1.
    pub fn row_error(&self, row: u64, column: Option<usize>, message: String) -> DataError {
        let path = self.path.clone();
        match column.and_then(|column| self.columns.get(column)) {
            Some(column) => DataError::Cell { path, row, column: column.name.clone(), message },
            None => DataError::Row { path, row, message },
        }
    }
}

pub(super) fn bad_row_error(path: &Path, names: &[String], row: u64, bad: &BadRow) -> DataError {
    let (path, message) = (path.to_owned(), bad.message.clone());
    match bad.column.and_then(|column| names.get(column)) {
        Some(column) => DataError::Cell { path, row, column: column.clone(), message },
        None => DataError::Row { path, row, message },
    }
}

/// The column names of a CSV header. A column without a name gets one from its place: `column_3`.
pub(super) fn csv_names(path: &Path, header: &str, delimiter: u8) -> Result<Vec<String>, DataError> {
    let fields = split_record(header, delimiter);
    let name = |(index, field): (usize, &String)| match field.trim() {
        "" => format!("column_{}", index + 1),
        name => name.to_owned(),
    };
    let names: Vec<String> = fields.iter().enumerate().map(name).collect();
    refuse_duplicates(path, &names)?;
    Ok(names)
}

pub(super) fn refuse_duplicates(path: &Path, names: &[String]) -> Result<(), DataError> {
    let mut first_place = HashMap::new();
    for (index, name) in names.iter().enumerate() {
        if let Some(first) = first_place.insert(name, index) {
            let message = format!("the columns {} and {} are both called '{name}'; each column needs a name of its own", first + 1, index + 1);
            return Err(DataError::Unsuitable { path: path.to_owned(), message });
        }
    }
    Ok(())
}

/// Refuses a first line that looks like data: numbers all of it, some with a fraction, above a row of numbers.
pub(super) fn refuse_headerless(path: &Path, names: &[String], sample: &Rows) -> Result<(), DataError> {
    let numbers: Option<Vec<f64>> = names.iter().map(|name| parse_number(name)).collect();
    let Some(numbers) = numbers else { return Ok(()) };
    let has_fractions = numbers.iter().any(|number| number.fract() != 0.0);
    let is_bad = sample.bad_rows().iter().any(|bad| bad.row == 0);
    if has_fractions && !is_bad && (0..names.len()).all(|column| sample.cell(0, column).to_f64().is_ok()) {
        let message = "the first line holds numbers; a header with the names of the columns was expected".to_owned();
        return Err(DataError::Unsuitable { path: path.to_owned(), message });
    }
    Ok(())
}

/// What the first rows say of each column.
pub(super) fn sample_columns(names: Vec<String>, sample: &Rows) -> Vec<(TableColumn, Storage)> {
    let mut bad_rows = sample.bad_rows().iter().map(|bad| bad.row).peekable();
    let mut tallies = vec![Tally::default(); names.len()];
    for row in 0..sample.n_rows().min(SAMPLE_ROWS) {
        if bad_rows.next_if_eq(&row).is_some() {
            continue;
        }
        for (column, tally) in tallies.iter_mut().enumerate() {
            tally.add(&sample.cell(row, column));
        }
    }
    names.into_iter().zip(tallies).map(|(name, tally)| tally.conclude(name)).collect()
}

/// What the cells of one column have been so far.
#[derive(Debug, Clone, Default)]
struct Tally {
    n_seen: usize,
    n_missing: usize,
    n_numbers: usize,
    n_integers: usize,
    n_booleans: usize,
    /// Digits that a number would lose: `007`, more than 64 bits.
    n_codes: usize,
}

impl Tally {
    fn add(&mut self, cell: &Cell<'_>) {
        self.n_seen += 1;
        match cell {
            Cell::Missing => self.n_missing += 1,
            Cell::Number(_) | Cell::Float(_) => self.n_numbers += 1,
            Cell::Integer(_) => {
                self.n_numbers += 1;
                self.n_integers += 1;
            }
            Cell::Boolean(_) => self.n_booleans += 1,
            Cell::Text(text) if is_missing_text(text) => self.n_missing += 1,
            Cell::Text(text) if parse_boolean(text).is_some() => self.n_booleans += 1,
            Cell::Text(text) => {
                self.n_numbers += usize::from(parse_number::<f64>(text).is_some());
                let is_integer = is_plain_integer(text);
                self.n_integers += usize::from(is_integer);
                self.n_codes += usize::from(!is_integer && text.bytes().all(|byte| byte.is_ascii_digit()));
            }
        }
    }

    fn conclude(&self, name: String) -> (TableColumn, Storage) {
        let n_values = self.n_seen - self.n_missing;
        let (kind, storage) = match n_values {
            0 => (TableColumnKind::Empty, Storage::Text),
            n if n == self.n_booleans => (TableColumnKind::Boolean, Storage::Boolean),
            n if n == self.n_integers => (TableColumnKind::Number, Storage::Integer),
            n if n == self.n_numbers && self.n_codes > 0 => (TableColumnKind::Number, Storage::Text),
            n if n == self.n_numbers => (TableColumnKind::Number, Storage::Float),
            _ => (TableColumnKind::Text, Storage::Text),
        };
        (TableColumn { name, kind, n_missing: self.n_missing, n_seen: self.n_seen }, storage)
    }
}

/// Digits that an integer would be written with: no leading zeros (`007` is a name, not a number), no plus sign.
fn is_plain_integer(text: &str) -> bool {
    text.parse::<i64>().is_ok_and(|number| itoa::Buffer::new().format(number) == text)
}

pub(super) fn arrow_columns(schema: &Schema) -> Vec<(TableColumn, Storage)> {
    let column = |field: &arrow_schema::FieldRef| {
        let data_type = match field.data_type() {
            DataType::Dictionary(_, values) => values,
            data_type => data_type,
        };
        let kind = match data_type {
            data_type if data_type.is_numeric() => TableColumnKind::Number,
            DataType::Boolean => TableColumnKind::Boolean,
            DataType::Null => TableColumnKind::Empty,
            _ => TableColumnKind::Text,
        };
        (TableColumn { name: field.name().clone(), kind, n_missing: 0, n_seen: 0 }, Storage::Text)
    };
    schema.fields().iter().map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::text::CsvRows;

    #[test]
    fn the_sample_tells_what_columns_hold() {
        let text = "1,1.5,true,x,,007\n2,NA,False,1,,008\n,3,true,2,,9\n";
        let rows = Rows::Csv(CsvRows::parse(text.as_bytes().to_vec(), b',', 6));
        let names = ["a", "b", "c", "d", "e", "f"].map(str::to_owned).to_vec();
        let columns = sample_columns(names, &rows);
        let kinds: Vec<_> = columns.iter().map(|(column, storage)| (column.kind, *storage, column.n_missing)).collect();
        assert_eq!(
            kinds,
            [
                (TableColumnKind::Number, Storage::Integer, 1),
                (TableColumnKind::Number, Storage::Float, 1),
                (TableColumnKind::Boolean, Storage::Boolean, 0),
                (TableColumnKind::Text, Storage::Text, 0),
                (TableColumnKind::Empty, Storage::Text, 3),
                (TableColumnKind::Number, Storage::Text, 0),
            ]
        );
    }
}
