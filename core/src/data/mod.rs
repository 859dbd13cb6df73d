//! Tables in and out, in constant memory: CSV, TSV, Parquet, NDJSON, Arrow IPC, plain or compressed. Knows nothing of models.
//!
//! [`describe`] looks at a table's head for the faces. [`TableReader`] streams blocks of whole rows, which any thread parses into [`Rows`]
//! with [`TableSchema::parse`]; their cells are read one by one as [`Cell`]s. [`TableWriter`] writes a table under a temporary name and
//! gives it its own when all is well. Rows of text formats keep their own text, so what passes through unchanged comes out byte for byte.

use std::path::{Path, PathBuf};

pub mod cell;
pub mod column;
mod describe;
mod detect;
mod error;

mod arrow;
mod reader;
mod schema;
mod text;

mod sink;

pub use arrow::ArrowRows;
pub use cell::Cell;
pub use column::{Column, ColumnData};
pub use describe::describe;
pub use error::DataError;
pub use reader::{Block, Rows, TableReader};
pub use schema::{Storage, TableSchema, TextLayout};
pub use sink::{AtomicFile, Kept, TableEncoder, TablePiece, TableWriter, csv_field, is_same_file, output_format, write_columns, write_error};
pub use text::{BadRow, CsvRows, JsonRows};

/// The format of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableFormat {
    /// Separated text with its delimiter: `,` `;` tab `|`.
    Csv {
        delimiter: u8,
    },
    Parquet,
    Ndjson,
    /// Arrow IPC, file or stream.
    ArrowIpc,
}

impl TableFormat {
    /// As a face shows it: "CSV", "TSV", "Parquet".
    pub fn label(self) -> &'static str {
        match self {
            Self::Csv { delimiter: b'\t' } => "TSV",
            Self::Csv { .. } => "CSV",
            Self::Parquet => "Parquet",
            Self::Ndjson => "NDJSON",
            Self::ArrowIpc => "Arrow IPC",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    #[default]
    None,
    Gzip,
    Zstd,
}

/// What a table looks like, from its head and its footer.
#[derive(Debug, Clone, PartialEq)]
pub struct TableInfo {
    pub path: PathBuf,
    pub format: TableFormat,
    pub compression: Compression,
    pub file_bytes: u64,
    /// Known for Parquet and Arrow files; `None` where only a full read would tell.
    pub rows: Option<u64>,
    pub columns: Vec<TableColumn>,
    /// The first rows as text, one entry per column; empty cells are empty.
    pub preview: Vec<Vec<String>>,
}

/// One column as the head of the table suggests it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableColumn {
    pub name: String,
    pub kind: TableColumnKind,
    /// Empty cells among the rows looked at.
    pub n_missing: usize,
    pub n_seen: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableColumnKind {
    Number,
    Text,
    Boolean,
    /// Nothing but empty cells so far.
    Empty,
}

/// Whether a path looks like a table by its name: what a face lists and accepts as a drop.
pub fn is_table_path(path: &Path) -> bool {
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().to_lowercase());
    let stem = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
    ["csv", "tsv", "tab", "txt", "parquet", "pq", "ndjson", "jsonl", "arrow", "feather", "ipc"]
        .iter()
        .any(|extension| stem.ends_with(&format!(".{extension}")))
}

#[cfg(test)]
mod tests;
