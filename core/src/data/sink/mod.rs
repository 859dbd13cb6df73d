//! Writes tables: [`TableEncoder`] turns rows and added columns into pieces, on any thread; [`TableWriter`] writes the pieces in order.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use arrow_ipc::writer::FileWriter;
use flate2::write::GzEncoder;
use parquet::arrow::ArrowWriter;
use parquet::basic::ZstdLevel;
use parquet::file::properties::WriterProperties;

use super::{Compression, DataError, TableFormat};

mod batch;
mod columns;
mod encode;
mod file;

pub use columns::write_columns;
pub use encode::{Kept, TableEncoder, TablePiece, csv_field};
pub use file::{AtomicFile, is_same_file, write_error};

/// Rows of a Parquet row group: bounds what is held in memory until it is written.
const ROW_GROUP_ROWS: usize = 128 << 10;

/// The format and compression that an output's name asks for. A name that leaves the delimiter open (`.csv`, `.txt`) keeps that of a CSV input.
pub fn output_format(path: &Path, input: TableFormat) -> Result<(TableFormat, Compression), DataError> {
    let unsuitable = |message: String| DataError::Unsuitable { path: path.to_owned(), message };
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().to_lowercase());
    let (stem, compression) = match (name.strip_suffix(".gz"), name.strip_suffix(".zst")) {
        (Some(stem), _) => (stem, Compression::Gzip),
        (_, Some(stem)) => (stem, Compression::Zstd),
        _ => (name.as_str(), Compression::None),
    };
    let same_or = |delimiter| match input {
        TableFormat::Csv { delimiter: b'\t' } | TableFormat::Parquet | TableFormat::Ndjson | TableFormat::ArrowIpc => TableFormat::Csv { delimiter },
        csv => csv,
    };
    let format = match stem.rsplit_once('.').map(|(_, extension)| extension) {
        Some("csv") => same_or(b','),
        Some("txt") => {
            if let TableFormat::Csv { .. } = input {
                input
            } else {
                TableFormat::Csv { delimiter: b',' }
            }
        }
        Some("tsv" | "tab") => TableFormat::Csv { delimiter: b'\t' },
        Some("parquet" | "pq") => TableFormat::Parquet,
        Some("ndjson" | "jsonl") => TableFormat::Ndjson,
        Some("arrow" | "feather" | "ipc") => TableFormat::ArrowIpc,
        // A device has no extension.
        _ if !path.is_file() && path.exists() => input,
        _ => {
            return Err(unsuitable(
                "the name does not say the format to write; end it in .csv, .tsv, .parquet, .ndjson or .arrow (.csv, .tsv and .ndjson also with .gz or .zst)".to_owned(),
            ));
        }
    };
    if compression != Compression::None && matches!(format, TableFormat::Parquet | TableFormat::ArrowIpc) {
        return Err(unsuitable(format!("{} files are compressed within; leave the .gz or .zst away", format.label())));
    }
    Ok((format, compression))
}

/// Writes the pieces of one table in order, under a temporary name until [`TableWriter::finish`].
pub struct TableWriter {
    path: PathBuf,
    target: Target,
}

enum Target {
    Text(AtomicFile),
    Gzip(GzEncoder<AtomicFile>),
    Zstd(zstd::Encoder<'static, AtomicFile>),
    /// The schema comes with the first batch.
    Columnar {
        file: Option<AtomicFile>,
        is_parquet: bool,
    },
    Parquet(Box<ArrowWriter<AtomicFile>>),
    ArrowIpc(Box<FileWriter<std::io::BufWriter<AtomicFile>>>),
}

impl TableWriter {
    pub fn create(path: &Path, format: TableFormat, compression: Compression, overwrite: bool) -> Result<Self, DataError> {
        let file = AtomicFile::create(path, overwrite)?;
        let target = match (format, compression) {
            (TableFormat::Parquet | TableFormat::ArrowIpc, _) => Target::Columnar { file: Some(file), is_parquet: format == TableFormat::Parquet },
            (_, Compression::None) => Target::Text(file),
            (_, Compression::Gzip) => Target::Gzip(GzEncoder::new(file, flate2::Compression::fast())),
            (_, Compression::Zstd) => Target::Zstd(zstd::Encoder::new(file, 0).map_err(|error| write_error(path, &error))?),
        };
        Ok(Self { path: path.to_owned(), target })
    }

    /// Writes text: a header, or a piece's.
    pub fn write_text(&mut self, text: &[u8]) -> Result<(), DataError> {
        match &mut self.target {
            Target::Text(file) => file.write_all(text),
            Target::Gzip(encoder) => encoder.write_all(text),
            Target::Zstd(encoder) => encoder.write_all(text),
            Target::Columnar { .. } | Target::Parquet(_) | Target::ArrowIpc(_) => Ok(()),
        }
        .map_err(|error| write_error(&self.path, &error))
    }

    pub fn write(&mut self, piece: &TablePiece) -> Result<(), DataError> {
        self.write_text(&piece.text)?;
        for batch in &piece.batches {
            if let Target::Columnar { file, is_parquet } = &mut self.target {
                // Taken once: the target is another one from here on.
                let Some(file) = file.take() else { continue };
                self.target = columnar_target(file, *is_parquet, batch).map_err(|error| write_error(&self.path, &*error))?;
            }
            match &mut self.target {
                Target::Parquet(writer) => writer.write(batch).map_err(|error| write_error(&self.path, &error))?,
                Target::ArrowIpc(writer) => writer.write(batch).map_err(|error| write_error(&self.path, &error))?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Completes the file and gives it its name.
    pub fn finish(self) -> Result<(), DataError> {
        let path = self.path;
        let file = match self.target {
            Target::Text(file) => file,
            Target::Gzip(encoder) => encoder.finish().map_err(|error| write_error(&path, &error))?,
            Target::Zstd(encoder) => encoder.finish().map_err(|error| write_error(&path, &error))?,
            Target::Columnar { .. } => return Err(DataError::Unsuitable { path, message: "there are no rows to write".to_owned() }),
            Target::Parquet(writer) => writer.into_inner().map_err(|error| write_error(&path, &error))?,
            Target::ArrowIpc(mut writer) => {
                writer.finish().map_err(|error| write_error(&path, &error))?;
                let buffered = writer.into_inner().map_err(|error| write_error(&path, &error))?;
                buffered.into_inner().map_err(|error| write_error(&path, error.error()))?
            }
        };
        file.commit()
    }
}

fn columnar_target(file: AtomicFile, is_parquet: bool, first: &arrow_array::RecordBatch) -> Result<Target, Box<dyn std::error::Error>> {
    if !is_parquet {
        return Ok(Target::ArrowIpc(Box::new(FileWriter::try_new_buffered(file, &first.schema())?)));
    }
    let properties = WriterProperties::builder()
        .set_compression(parquet::basic::Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .build();
    Ok(Target::Parquet(Box::new(ArrowWriter::try_new(file, first.schema(), Some(properties))?)))
}
