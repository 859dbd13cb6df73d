//! Turns rows of any format, with columns added to them, into pieces of the format to write.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_cast::display::{ArrayFormatter, FormatOptions};

use super::batch;
use crate::data::cell::is_missing_text;
use crate::data::column::NumberPrinter;
use crate::data::{ArrowRows, BadRow, Cell, Column, CsvRows, DataError, Rows, Storage, TableFormat, TableSchema, TextLayout};

/// Which columns of the table stand in the output, by index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    All,
    Columns(Vec<usize>),
}

/// A stretch of output, for a [`super::TableWriter`].
#[derive(Debug, Default)]
pub struct TablePiece {
    pub text: Vec<u8>,
    pub batches: Vec<RecordBatch>,
}

/// Encodes rows. Shared by all threads.
#[derive(Debug)]
pub struct TableEncoder {
    schema: Arc<TableSchema>,
    format: TableFormat,
    kept: Vec<usize>,
    /// Every column is kept in the same text format: rows keep their own text.
    passes_text: bool,
    line_end: &'static str,
}

impl TableEncoder {
    /// An encoder of rows of `schema` into `format`.
    pub fn new(schema: Arc<TableSchema>, format: TableFormat, kept: &Kept) -> Result<Self, DataError> {
        let passes_text = *kept == Kept::All && schema.arrow.is_none() && schema.format == format;
        let kept = match kept {
            Kept::All => (0..schema.columns.len()).collect(),
            Kept::Columns(columns) => columns.clone(),
        };
        let line_end = match &schema.text {
            TextLayout::Csv { line_end, .. } => line_end,
            _ => "\n",
        };
        if let (TableFormat::Csv { .. }, Some(arrow)) = (format, &schema.arrow) {
            let nested = kept.iter().find(|&&column| arrow.field(column).data_type().is_nested());
            if let Some(&column) = nested {
                let message = format!(
                    "column '{}' holds nested values, which a text table can't; write .parquet, .arrow or .ndjson, or leave the column out with --keep",
                    schema.columns[column].name
                );
                return Err(DataError::Unsuitable { path: schema.path.clone(), message });
            }
        }
        Ok(Self { schema, format, kept, passes_text, line_end })
    }

    /// The names of the table's columns that stand in the output.
    pub fn kept_names(&self) -> impl Iterator<Item = &str> {
        self.kept.iter().filter_map(|&column| self.schema.columns.get(column)).map(|column| column.name.as_str())
    }

    /// The text above the first row, byte order mark included.
    pub fn header(&self, added: &[Arc<str>]) -> Vec<u8> {
        let TableFormat::Csv { delimiter } = self.format else { return Vec::new() };
        let mut text = Vec::new();
        if let TextLayout::Csv { header, has_byte_order_mark, .. } = &self.schema.text {
            if *has_byte_order_mark {
                text.extend_from_slice(b"\xef\xbb\xbf");
            }
            if self.passes_text {
                text.extend_from_slice(header.as_bytes());
            }
        }
        let mut is_first = !self.passes_text;
        let kept = self.kept.iter().filter(|_| !self.passes_text).map(|&column| self.schema.columns[column].name.as_str());
        for name in kept.chain(added.iter().map(|name| &**name)) {
            if !std::mem::take(&mut is_first) {
                text.push(delimiter);
            }
            csv_field(&mut text, name, delimiter);
        }
        text.extend_from_slice(self.line_end.as_bytes());
        text
    }

    /// Adds rows to a piece: the `accepted` ones of `rows`, each with its value of every added column (`added[c].data[i]` goes with `accepted[i]`).
    pub fn encode(&self, rows: &Rows, accepted: &[usize], added: &[Column], piece: &mut TablePiece) -> Result<(), BadRow> {
        match (self.format, rows) {
            (TableFormat::Csv { delimiter }, Rows::Csv(csv)) => self.csv_from_csv(csv, accepted, added, delimiter, &mut piece.text),
            (TableFormat::Csv { delimiter }, Rows::Json(_)) => self.csv_from_cells(rows, accepted, added, delimiter, &mut piece.text),
            (TableFormat::Csv { delimiter }, Rows::Arrow(arrow)) => self.csv_from_arrow(arrow, accepted, added, delimiter, &mut piece.text)?,
            (TableFormat::Ndjson, Rows::Csv(_) | Rows::Json(_)) => self.ndjson(rows, accepted, added, &mut piece.text),
            (TableFormat::Ndjson, Rows::Arrow(_)) => {
                let batch = batch::of_rows(&self.schema, &self.kept, rows, accepted, added)?;
                batch::write_ndjson(&batch, &mut piece.text)?;
            }
            (TableFormat::Parquet | TableFormat::ArrowIpc, _) => piece.batches.push(batch::of_rows(&self.schema, &self.kept, rows, accepted, added)?),
        }
        Ok(())
    }

    fn csv_from_csv(&self, rows: &CsvRows, accepted: &[usize], added: &[Column], delimiter: u8, out: &mut Vec<u8>) {
        let same_delimiter = self.schema.format == self.format;
        let mut printer = NumberPrinter::default();
        for (index, &row) in accepted.iter().enumerate() {
            let mut fields = Separated { out, delimiter, is_first: true };
            if self.passes_text {
                fields.raw(rows.row_text(row));
            } else {
                for &column in &self.kept {
                    let text = rows.field_text(row, column);
                    if same_delimiter { fields.raw(text) } else { fields.field(&crate::data::text::csv::unquote(text)) }
                }
            }
            fields.added(added, index, &mut printer);
            out.extend_from_slice(self.line_end.as_bytes());
        }
    }

    fn csv_from_cells(&self, rows: &Rows, accepted: &[usize], added: &[Column], delimiter: u8, out: &mut Vec<u8>) {
        let mut printer = NumberPrinter::default();
        for (index, &row) in accepted.iter().enumerate() {
            let mut fields = Separated { out, delimiter, is_first: true };
            for &column in &self.kept {
                fields.field(&rows.cell(row, column).to_text().unwrap_or(Cow::Borrowed("")));
            }
            fields.added(added, index, &mut printer);
            out.extend_from_slice(self.line_end.as_bytes());
        }
    }

    fn csv_from_arrow(&self, rows: &ArrowRows, accepted: &[usize], added: &[Column], delimiter: u8, out: &mut Vec<u8>) -> Result<(), BadRow> {
        let options = FormatOptions::default();
        let broken = |column: usize, row: usize, error: &dyn std::fmt::Display| BadRow { row, column: Some(column), message: error.to_string() };
        let mut formatters = Vec::with_capacity(self.kept.len());
        for &column in &self.kept {
            let Some(array) = rows.array(column) else { continue };
            formatters.push((column, ArrayFormatter::try_new(array, &options).map_err(|error| broken(column, 0, &error))?));
        }
        let mut printer = NumberPrinter::default();
        let mut text = String::new();
        for (index, &row) in accepted.iter().enumerate() {
            let mut fields = Separated { out, delimiter, is_first: true };
            for (column, formatter) in &formatters {
                text.clear();
                formatter.value(row).write(&mut text).map_err(|error| broken(*column, row, &error))?;
                fields.field(&text);
            }
            fields.added(added, index, &mut printer);
            out.extend_from_slice(self.line_end.as_bytes());
        }
        Ok(())
    }

    fn ndjson(&self, rows: &Rows, accepted: &[usize], added: &[Column], out: &mut Vec<u8>) {
        let mut printer = NumberPrinter::default();
        for (index, &row) in accepted.iter().enumerate() {
            let own_text = rows.row_text(row).filter(|_| self.passes_text).and_then(|text| text.strip_suffix('}'));
            let mut is_first = match own_text.map(str::trim_ascii_end) {
                Some(text) => {
                    out.extend_from_slice(text.as_bytes());
                    text.ends_with('{')
                }
                None => {
                    out.push(b'{');
                    true
                }
            };
            let mut key = |out: &mut Vec<u8>, name: &str| {
                if !std::mem::take(&mut is_first) {
                    out.push(b',');
                }
                json_text(out, name);
                out.push(b':');
            };
            if own_text.is_none() {
                for &column in &self.kept {
                    key(out, &self.schema.columns[column].name);
                    json_cell(out, &rows.cell(row, column), self.schema.storage[column]);
                }
            }
            for column in added {
                key(out, &column.name);
                match column.data.is_finite_number(index) {
                    Some(true) => out.extend_from_slice(column.data.text(index, &mut printer).as_bytes()),
                    Some(false) => out.extend_from_slice(b"null"),
                    None => json_text(out, column.data.text(index, &mut printer)),
                }
            }
            out.extend_from_slice(b"}\n");
        }
    }
}

/// Writes the fields of one CSV row.
struct Separated<'a> {
    out: &'a mut Vec<u8>,
    delimiter: u8,
    is_first: bool,
}

impl Separated<'_> {
    /// A field, or several, as they stood in a file.
    fn raw(&mut self, text: &str) {
        self.separate();
        self.out.extend_from_slice(text.as_bytes());
    }

    fn field(&mut self, text: &str) {
        self.separate();
        csv_field(self.out, text, self.delimiter);
    }

    fn added(&mut self, columns: &[Column], index: usize, printer: &mut NumberPrinter) {
        for column in columns {
            self.field(column.data.text(index, printer));
        }
    }

    fn separate(&mut self) {
        if !std::mem::take(&mut self.is_first) {
            self.out.push(self.delimiter);
        }
    }
}

/// Writes a text as one CSV field, quoted where it has to be.
pub fn csv_field(out: &mut Vec<u8>, text: &str, delimiter: u8) {
    let is_plain = !text.bytes().any(|byte| byte == delimiter || matches!(byte, b'"' | b'\n' | b'\r'));
    if is_plain {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    for byte in text.bytes() {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

fn json_text(out: &mut Vec<u8>, text: &str) {
    // Writing a text to memory can't fail.
    let _ = serde_json::to_writer(out, text);
}

/// A cell as a JSON value. A cell of a number column that spells no JSON number stays a text: nothing is lost.
fn json_cell(out: &mut Vec<u8>, cell: &Cell<'_>, storage: Storage) {
    match cell {
        Cell::Missing => out.extend_from_slice(b"null"),
        Cell::Number(number) if !number.is_finite() => out.extend_from_slice(b"null"),
        Cell::Float(number) if !number.is_finite() => out.extend_from_slice(b"null"),
        Cell::Number(_) | Cell::Float(_) | Cell::Integer(_) | Cell::Boolean(_) => {
            out.extend_from_slice(cell.to_text().unwrap_or_default().as_bytes());
        }
        Cell::Text(text) => match storage {
            Storage::Text => json_text(out, text),
            _ if is_missing_text(text) => out.extend_from_slice(b"null"),
            Storage::Boolean if crate::data::cell::parse_boolean(text).is_some() => {
                out.extend_from_slice(text.trim_ascii().to_ascii_lowercase().as_bytes());
            }
            Storage::Integer | Storage::Float if serde_json::from_str::<serde_json::Number>(text).is_ok() => {
                out.extend_from_slice(text.trim_ascii().as_bytes());
            }
            _ => json_text(out, text),
        },
    }
}
