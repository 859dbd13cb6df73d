//! Streams a table: blocks come one after another from one reader, and are parsed into [`Rows`] by whoever takes them.

use std::fs::File;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow_array::RecordBatch;
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{ArrowError, SchemaRef};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::arrow::ArrowRows;
use super::detect::{self, Detected, Opened};
use super::schema::{self, TableSchema, TextLayout};
use super::text::blocks::{BlockError, BlockReader, MAX_RECORD_BYTES, Records, first_record_end};
use super::text::ndjson::JsonColumns;
use super::text::{BadRow, CsvRows, JsonRows};
use super::{Cell, DataError};

/// Rows of a batch of a columnar file, at most; fewer where rows are wide.
const ARROW_BATCH_ROWS: usize = 8192;
const ARROW_BATCH_CELLS: usize = 1 << 20;

/// A table, opened for reading from its first row.
pub struct TableReader {
    pub schema: Arc<TableSchema>,
    blocks: Blocks,
    bytes_read: Arc<AtomicU64>,
    rows_read: u64,
    batches_read: u64,
}

enum Blocks {
    Text(BlockReader),
    /// Opened at the first block, once the projection is known.
    Parquet(File),
    ArrowFile(File),
    ArrowStream(Option<Box<dyn Read + Send>>),
    Batches(Batches),
}

/// Batches of a columnar file, handed out in pieces of at most `max_rows`.
struct Batches {
    max_rows: usize,
    iterator: BatchIterator,
    rest: Option<RecordBatch>,
}

type BatchIterator = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>;

/// A stretch of whole rows, as it stands in the file.
#[derive(Debug)]
pub enum Block {
    Text(Vec<u8>),
    Arrow(RecordBatch),
}

/// The rows of one block, parsed.
#[derive(Debug)]
pub enum Rows {
    Csv(CsvRows),
    Json(JsonRows),
    Arrow(ArrowRows),
}

impl TableReader {
    pub fn open(path: &Path) -> Result<Self, DataError> {
        let opened = detect::open(path)?;
        let bytes_read = opened.bytes_read.clone();
        let (schema, blocks) = match opened.format {
            Detected::Csv { delimiter } => open_csv(path, opened, delimiter)?,
            Detected::Ndjson => open_ndjson(path, opened)?,
            Detected::Parquet => open_parquet(path, &opened)?,
            Detected::ArrowFile => open_arrow_file(path, &opened)?,
            Detected::ArrowStream => open_arrow_stream(path, opened)?,
        };
        Ok(Self { schema: Arc::new(schema), blocks, bytes_read, rows_read: 0, batches_read: 0 })
    }

    /// Reads only these columns (by index in the table), where the format allows. Before the first block.
    pub fn project(&mut self, columns: &[usize]) {
        let mut columns = columns.to_vec();
        columns.sort_unstable();
        columns.dedup();
        if self.schema.arrow.is_some() {
            Arc::make_mut(&mut self.schema).projection = columns;
        }
    }

    /// Work done and work in all: bytes of the file, or rows or batches where the file says how many there are.
    pub fn progress(&self) -> (u64, Option<u64>) {
        match (self.schema.rows, self.schema.n_batches) {
            (Some(rows), _) => (self.rows_read, Some(rows)),
            (None, Some(n_batches)) => (self.batches_read, Some(n_batches)),
            (None, None) => (self.bytes_read.load(Ordering::Relaxed), Some(self.schema.file_bytes)),
        }
    }

    /// The next block; text comes in the memory of `buffer`.
    pub fn next_block(&mut self, buffer: Vec<u8>) -> Result<Option<Block>, DataError> {
        let path = &self.schema.path;
        loop {
            match &mut self.blocks {
                Blocks::Text(blocks) => {
                    let block = blocks.next(buffer).map_err(|error| match error {
                        BlockError::Io(error) => detect::broken_compression(path, self.schema.compression, error),
                        BlockError::RecordTooLong => {
                            unsuitable(path, format!("one row is longer than {} MB; is a quote opened and never closed?", MAX_RECORD_BYTES >> 20))
                        }
                    })?;
                    return Ok(block.map(Block::Text));
                }
                Blocks::Batches(batches) => {
                    let batch = match batches.rest.take() {
                        Some(rest) => Some(rest),
                        None => {
                            self.batches_read += 1;
                            // A damaged file may break the decoder's own assumptions.
                            let batch = catch_unwind(AssertUnwindSafe(|| batches.iterator.next()))
                                .map_err(|_| unsuitable(path, "the file is damaged: its decoder gave up".to_owned()))?;
                            batch.transpose().map_err(|error| unsuitable(path, format!("the file is damaged or cut short: {error}")))?
                        }
                    };
                    let batch = batch.map(|batch| {
                        let n_rows = batch.num_rows().min(batches.max_rows);
                        if n_rows < batch.num_rows() {
                            batches.rest = Some(batch.slice(n_rows, batch.num_rows() - n_rows));
                        }
                        self.rows_read += n_rows as u64;
                        Block::Arrow(batch.slice(0, n_rows))
                    });
                    return Ok(batch);
                }
                unopened => {
                    let iterator = open_batches(unopened, &self.schema)?;
                    *unopened = Blocks::Batches(Batches { max_rows: batch_rows(&self.schema), iterator, rest: None });
                }
            }
        }
    }
}

impl TableSchema {
    /// Parses a block. `typed`: the columns (by index in the table) whose cells will be read; the others can only be passed through.
    pub fn parse(&self, block: Block, typed: &[usize]) -> Result<Rows, DataError> {
        Ok(match (block, &self.text) {
            (Block::Text(bytes), TextLayout::Csv { delimiter, .. }) => Rows::Csv(CsvRows::parse(bytes, *delimiter, self.columns.len())),
            (Block::Text(bytes), _) => Rows::Json(JsonRows::parse(bytes, &self.json_columns)),
            (Block::Arrow(batch), _) => Rows::Arrow(ArrowRows::new(batch, self, typed)?),
        })
    }
}

impl Rows {
    pub fn n_rows(&self) -> usize {
        match self {
            Self::Csv(rows) => rows.n_rows(),
            Self::Json(rows) => rows.n_rows(),
            Self::Arrow(rows) => rows.n_rows(),
        }
    }

    /// Rows that are no rows of the table, in order; their cells must not be read.
    pub fn bad_rows(&self) -> &[BadRow] {
        match self {
            Self::Csv(rows) => &rows.bad_rows,
            Self::Json(rows) => &rows.bad_rows,
            Self::Arrow(_) => &[],
        }
    }

    /// The cell of a good row, by index of its column in the table.
    #[inline]
    pub fn cell(&self, row: usize, column: usize) -> Cell<'_> {
        match self {
            Self::Csv(rows) => rows.cell(row, column),
            Self::Json(rows) => rows.cell(row, column),
            Self::Arrow(rows) => rows.cell(row, column),
        }
    }

    /// The row's own text, where the file has one.
    pub fn row_text(&self, row: usize) -> Option<&str> {
        match self {
            Self::Csv(rows) => Some(rows.row_text(row)),
            Self::Json(rows) => Some(rows.row_text(row)),
            Self::Arrow(_) => None,
        }
    }

    /// The memory of the block, for the next one.
    pub fn into_buffer(self) -> Vec<u8> {
        match self {
            Self::Csv(rows) => rows.into_buffer(),
            Self::Json(rows) => rows.into_buffer(),
            Self::Arrow(_) => Vec::new(),
        }
    }
}

fn unsuitable(path: &Path, message: String) -> DataError {
    DataError::Unsuitable { path: path.to_owned(), message }
}

fn open_csv(path: &Path, opened: Opened, delimiter: u8) -> Result<(TableSchema, Blocks), DataError> {
    let no_rows = || unsuitable(path, "the table has a header but no rows".to_owned());
    let (compression, has_byte_order_mark, file_bytes) = (opened.compression, opened.has_byte_order_mark, opened.file_bytes);
    let mut blocks = BlockReader::new(opened.source, Records::Csv { delimiter }, opened.head);
    let next = |blocks: &mut BlockReader| {
        blocks.next(Vec::new()).map_err(|error| match error {
            BlockError::Io(error) => detect::broken_compression(path, compression, error),
            BlockError::RecordTooLong => unsuitable(path, "the first row is longer than 64 MB; is a quote opened and never closed?".to_owned()),
        })
    };
    let mut head = next(&mut blocks)?.unwrap_or_default();
    let blank = head.len() - head.trim_ascii_start().len();
    // Blank lines above the header are no rows; spaces and tabs of the header itself stay.
    let header_start = memchr::memrchr(b'\n', &head[..blank]).map_or(0, |at| at + 1);
    head.drain(..header_start);
    let header_end = first_record_end(&head, delimiter).unwrap_or(head.len());
    let header = String::from_utf8(head[..header_end].to_vec())
        .map_err(|_| unsuitable(path, "the header is not UTF-8; save the table as UTF-8 and try again".to_owned()))?;
    head.drain(..header_end);
    if head.is_empty() {
        head = next(&mut blocks)?.ok_or_else(no_rows)?;
    }
    let line_end = if header.ends_with("\r\n") { "\r\n" } else { "\n" };
    let header = header.trim_end_matches(['\r', '\n']).to_owned();
    let names = schema::csv_names(path, &header, delimiter)?;
    let sample = CsvRows::parse(head.clone(), delimiter, names.len());
    if sample.n_rows() == 0 {
        return Err(no_rows());
    }
    let sample = Rows::Csv(sample);
    schema::refuse_headerless(path, &names, &sample)?;
    let columns = schema::sample_columns(names, &sample);
    blocks.push_back(head);
    let text = TextLayout::Csv { delimiter, header, line_end, has_byte_order_mark };
    Ok((TableSchema { text, ..TableSchema::new(path, opened.format, compression, file_bytes, columns) }, Blocks::Text(blocks)))
}

fn open_ndjson(path: &Path, opened: Opened) -> Result<(TableSchema, Blocks), DataError> {
    let (compression, file_bytes) = (opened.compression, opened.file_bytes);
    let mut blocks = BlockReader::new(opened.source, Records::Lines, opened.head);
    let head = blocks.next(Vec::new()).map_err(|error| match error {
        BlockError::Io(error) => detect::broken_compression(path, compression, error),
        BlockError::RecordTooLong => unsuitable(path, "the first line is longer than 64 MB; expected one JSON object per line".to_owned()),
    })?;
    let head = head.unwrap_or_default();
    let mut json_columns = JsonColumns::default();
    let sample = JsonRows::parse_head(head.clone(), &mut json_columns);
    if sample.bad_rows.len() == sample.n_rows() || json_columns.names().is_empty() {
        return Err(match sample.bad_rows.first() {
            Some(bad) => schema::bad_row_error(path, json_columns.names(), 1, bad),
            None => unsuitable(path, "the objects have no keys; a table was expected".to_owned()),
        });
    }
    let columns = schema::sample_columns(json_columns.names().to_vec(), &Rows::Json(sample));
    blocks.push_back(head);
    let schema = TableSchema::new(path, opened.format, compression, file_bytes, columns);
    Ok((TableSchema { text: TextLayout::Ndjson, json_columns, ..schema }, Blocks::Text(blocks)))
}

fn open_parquet(path: &Path, opened: &Opened) -> Result<(TableSchema, Blocks), DataError> {
    let file = File::open(path).map_err(|source| DataError::Io { path: path.to_owned(), source })?;
    let handle = file.try_clone().map_err(|source| DataError::Io { path: path.to_owned(), source })?;
    let builder = guarded(path, || ParquetRecordBatchReaderBuilder::try_new(handle).map_err(|error| error.to_string()))?;
    let rows = u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
    let schema = columnar_schema(path, opened, builder.schema().clone(), Some(rows))?;
    Ok((schema, Blocks::Parquet(file)))
}

fn open_arrow_file(path: &Path, opened: &Opened) -> Result<(TableSchema, Blocks), DataError> {
    let file = File::open(path).map_err(|source| DataError::Io { path: path.to_owned(), source })?;
    let handle = file.try_clone().map_err(|source| DataError::Io { path: path.to_owned(), source })?;
    let reader = guarded(path, || FileReader::try_new_buffered(handle, None).map_err(|error| error.to_string()))?;
    let schema = columnar_schema(path, opened, reader.schema(), None)?;
    Ok((TableSchema { n_batches: Some(reader.num_batches() as u64), ..schema }, Blocks::ArrowFile(file)))
}

fn open_arrow_stream(path: &Path, opened: Opened) -> Result<(TableSchema, Blocks), DataError> {
    // The schema is read from a second look at the head, so that the stream itself can be opened with a projection.
    let head = opened.head.clone();
    let second = detect::open(path)?;
    let reader =
        guarded(path, || StreamReader::try_new(std::io::Cursor::new(second.head).chain(second.source), None).map_err(|error| error.to_string()))?;
    let schema = columnar_schema(path, &opened, reader.schema(), None)?;
    Ok((schema, Blocks::ArrowStream(Some(Box::new(std::io::Cursor::new(head).chain(opened.source))))))
}

fn columnar_schema(path: &Path, opened: &Opened, arrow: SchemaRef, rows: Option<u64>) -> Result<TableSchema, DataError> {
    let names: Vec<String> = arrow.fields().iter().map(|field| field.name().clone()).collect();
    schema::refuse_duplicates(path, &names)?;
    if rows == Some(0) || names.is_empty() {
        return Err(unsuitable(path, "the table has no rows".to_owned()));
    }
    let columns = schema::arrow_columns(&arrow);
    let projection = (0..names.len()).collect();
    let schema = TableSchema::new(path, opened.format, opened.compression, opened.file_bytes, columns);
    Ok(TableSchema { arrow: Some(arrow), rows, projection, ..schema })
}

fn batch_rows(schema: &TableSchema) -> usize {
    (ARROW_BATCH_CELLS / schema.projection.len().max(1)).clamp(1, ARROW_BATCH_ROWS)
}

/// Opens the batches of a columnar file, with the schema's projection.
fn open_batches(unopened: &mut Blocks, schema: &TableSchema) -> Result<BatchIterator, DataError> {
    let path: PathBuf = schema.path.clone();
    let projection = schema.projection.clone();
    let handle = |file: &File| file.try_clone().map_err(|source| DataError::Io { path: path.clone(), source });
    match unopened {
        Blocks::Parquet(file) => {
            let file = handle(file)?;
            guarded(&path, || {
                let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| error.to_string())?;
                let mask = ProjectionMask::roots(builder.parquet_schema(), projection);
                let reader = builder.with_projection(mask).with_batch_size(batch_rows(schema)).build().map_err(|error| error.to_string())?;
                Ok(Box::new(reader) as BatchIterator)
            })
        }
        Blocks::ArrowFile(file) => {
            let file = handle(file)?;
            guarded(&path, || {
                let reader = FileReader::try_new_buffered(file, Some(projection)).map_err(|error| error.to_string())?;
                Ok(Box::new(reader) as BatchIterator)
            })
        }
        Blocks::ArrowStream(source) => {
            let source = source.take().unwrap_or_else(|| Box::new(std::io::empty()));
            guarded(&path, || {
                let reader = StreamReader::try_new(source, Some(projection)).map_err(|error| error.to_string())?;
                Ok(Box::new(reader) as BatchIterator)
            })
        }
        Blocks::Text(_) | Blocks::Batches(_) => Ok(Box::new(std::iter::empty())),
    }
}

/// Runs a decoder of a columnar format, whose author did not expect every damaged file.
fn guarded<T>(path: &Path, open: impl FnOnce() -> Result<T, String>) -> Result<T, DataError> {
    match catch_unwind(AssertUnwindSafe(open)) {
        Ok(Ok(opened)) => Ok(opened),
        Ok(Err(message)) => Err(unsuitable(path, format!("the file is damaged or cut short: {message}"))),
        Err(_) => Err(unsuitable(path, "the file is damaged: its decoder gave up".to_owned())),
    }
}
