//! What a file is, from its first bytes; its name only decides between tab and comma when the bytes leave it open.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::text::blocks::first_record_end;
use super::text::csv::split_record;
use super::{Compression, DataError, TableFormat};

/// Bytes looked at to tell the format and the delimiter.
const HEAD_BYTES: u64 = 64 << 10;
/// Records looked at to tell the delimiter.
const DELIMITER_RECORDS: usize = 50;

/// A file that was opened and looked at.
pub struct Opened {
    pub format: Detected,
    pub compression: Compression,
    pub file_bytes: u64,
    /// The decompressed bytes behind `head`.
    pub source: Box<dyn Read + Send>,
    /// The first decompressed bytes, without a byte order mark.
    pub head: Vec<u8>,
    pub has_byte_order_mark: bool,
    /// Bytes of the file read so far, compressed as they are.
    pub bytes_read: Arc<AtomicU64>,
}

/// A format, told from the first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detected {
    Csv { delimiter: u8 },
    Ndjson,
    Parquet,
    ArrowFile,
    ArrowStream,
}

impl Detected {
    pub fn table_format(self) -> TableFormat {
        match self {
            Self::Csv { delimiter } => TableFormat::Csv { delimiter },
            Self::Ndjson => TableFormat::Ndjson,
            Self::Parquet => TableFormat::Parquet,
            Self::ArrowFile | Self::ArrowStream => TableFormat::ArrowIpc,
        }
    }
}

/// Opens a table and tells what it is.
pub fn open(path: &Path) -> Result<Opened, DataError> {
    let io_error = |source| DataError::Io { path: path.to_owned(), source };
    let unsuitable = |message: &str| DataError::Unsuitable { path: path.to_owned(), message: message.to_owned() };
    let metadata = std::fs::metadata(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => unsuitable("there is no such file"),
        _ => io_error(error),
    })?;
    if metadata.is_dir() {
        return Err(unsuitable("this is a folder; a table file was expected"));
    }
    let bytes_read = Arc::new(AtomicU64::new(0));
    let mut file = Counted { file: File::open(path).map_err(io_error)?, bytes_read: bytes_read.clone() };
    let mut magic = Vec::new();
    file.by_ref().take(8).read_to_end(&mut magic).map_err(io_error)?;
    if magic.is_empty() {
        return Err(unsuitable("the file is empty; a table was expected"));
    }
    let compression = compression_of(&magic);
    let whole = io::Cursor::new(magic).chain(file);
    let mut source: Box<dyn Read + Send> = match compression {
        Compression::None => Box::new(whole),
        Compression::Gzip => Box::new(flate2::read::MultiGzDecoder::new(BufReader::with_capacity(64 << 10, whole))),
        Compression::Zstd => Box::new(zstd::stream::read::Decoder::new(whole).map_err(io_error)?),
    };
    let mut head = Vec::new();
    source.by_ref().take(HEAD_BYTES).read_to_end(&mut head).map_err(|error| broken_compression(path, compression, error))?;
    if head.is_empty() {
        return Err(unsuitable("the file is empty once decompressed; a table was expected"));
    }
    let has_byte_order_mark = head.starts_with(b"\xef\xbb\xbf");
    if has_byte_order_mark {
        head.drain(..3);
    }
    let format = detect(&head, path).map_err(|message| unsuitable(&message))?;
    if compression != Compression::None && matches!(format, Detected::Parquet | Detected::ArrowFile) {
        return Err(unsuitable(
            "a Parquet or Arrow file within a compressed one can't be read in place; decompress it first (these formats compress within)",
        ));
    }
    Ok(Opened { format, compression, file_bytes: metadata.len(), source, head, has_byte_order_mark, bytes_read })
}

/// An error while reading a table, said of the compression where that is to blame.
pub fn broken_compression(path: &Path, compression: Compression, error: io::Error) -> DataError {
    let name = match compression {
        Compression::None => return DataError::Io { path: path.to_owned(), source: error },
        Compression::Gzip => "gzip",
        Compression::Zstd => "Zstandard",
    };
    DataError::Unsuitable { path: path.to_owned(), message: format!("the {name} data is damaged or cut short: {error}") }
}

fn compression_of(magic: &[u8]) -> Compression {
    if magic.starts_with(&[0x1f, 0x8b]) {
        Compression::Gzip
    } else if magic.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        Compression::Zstd
    } else {
        Compression::None
    }
}

/// The format of a (decompressed) head, or a sentence on why it is no table.
fn detect(head: &[u8], path: &Path) -> Result<Detected, String> {
    if head.starts_with(b"PAR1") {
        return Ok(Detected::Parquet);
    }
    if head.starts_with(b"ARROW1") {
        return Ok(Detected::ArrowFile);
    }
    if head.starts_with(&[0xff; 4]) {
        return Ok(Detected::ArrowStream);
    }
    if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
        return Err("the text is UTF-16; save the table as UTF-8 and try again".to_owned());
    }
    if head.starts_with(b"PK\x03\x04") {
        return Err("this is a ZIP archive or a spreadsheet; save the table as CSV and try again".to_owned());
    }
    if head.contains(&0) {
        return Err("this is no table that Drydock reads; expected CSV, TSV, Parquet, NDJSON or Arrow IPC, plain or as .gz or .zst".to_owned());
    }
    match head.trim_ascii_start().first() {
        None => return Err("the file holds nothing but blank lines; a table was expected".to_owned()),
        Some(b'{') => return Ok(Detected::Ndjson),
        Some(b'[') => return Err("this is a JSON list; expected NDJSON, which is one JSON object per line".to_owned()),
        Some(_) => {}
    }
    if !head.contains(&b'\n') && head.contains(&b'\r') {
        return Err("lines end in a lone carriage return; save the table with LF or CRLF line ends and try again".to_owned());
    }
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().to_lowercase());
    let prefers_tabs = name.split('.').any(|part| matches!(part, "tsv" | "tab"));
    Ok(Detected::Csv { delimiter: delimiter_of(head, prefers_tabs) })
}

/// The delimiter that cuts the first records into the same number of fields, more than one.
fn delimiter_of(head: &[u8], prefers_tabs: bool) -> u8 {
    let candidates = if prefers_tabs { [b'\t', b',', b';', b'|'] } else { [b',', b';', b'\t', b'|'] };
    let mut best = (0, candidates[0]);
    for delimiter in candidates {
        let counts = field_counts(head, delimiter);
        let Some(&header) = counts.first().filter(|&&count| count > 1) else { continue };
        let agreeing = counts.iter().filter(|&&count| count == header).count();
        // Agreement in thousandths first, then the number of fields.
        let score = agreeing * 1000 / counts.len() * 100_000 + header.min(99_999);
        if score > best.0 {
            best = (score, delimiter);
        }
    }
    best.1
}

/// Fields of each of the first records, if `delimiter` parts them.
fn field_counts(head: &[u8], delimiter: u8) -> Vec<usize> {
    let mut counts = Vec::new();
    let mut rest = head;
    while counts.len() < DELIMITER_RECORDS {
        // The last record of the head may be cut; it counts only when it is alone.
        let end = match first_record_end(rest, delimiter) {
            Some(end) => end,
            None if counts.is_empty() => rest.len(),
            None => break,
        };
        let record = String::from_utf8_lossy(rest[..end].trim_ascii_end());
        if !record.is_empty() {
            counts.push(split_record(&record, delimiter).len());
        }
        rest = &rest[end..];
        if rest.is_empty() {
            break;
        }
    }
    counts
}

/// A file that counts what is read from it.
struct Counted {
    file: File,
    bytes_read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.bytes_read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delimiter_is_the_one_that_agrees() {
        for (text, expected) in [
            ("a,b,c\n1,2,3\n", b','),
            ("a;b;c\n1,5;2,5;3,5\n", b';'),
            ("a\tb\n1,2\t3\n", b'\t'),
            ("a|b\n1|2\n", b'|'),
            ("name,note\n\"x;y\",\"a;b;c\"\n", b','),
            ("only\n1\n2\n", b','),
            ("a,b\n1;2,3\n4;5;6,7\n", b','),
        ] {
            assert_eq!(char::from(delimiter_of(text.as_bytes(), false)), char::from(expected), "{text:?}");
        }
        assert_eq!(delimiter_of(b"only\n1\n", true), b'\t');
    }
}
