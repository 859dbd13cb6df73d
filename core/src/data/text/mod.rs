//! Text tables (CSV, NDJSON): blocks of whole records read one after another, each parsed on its own by whichever thread takes it.

pub(super) mod blocks;
pub mod csv;
mod decimal;
pub mod ndjson;

pub use csv::CsvRows;
pub use ndjson::JsonRows;

/// A row of a block that is no row of the table: ragged, not UTF-8, not JSON. Found while parsing; rows count from 0 within the block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    pub row: usize,
    /// Index of the column, where one is to blame.
    pub column: Option<usize>,
    pub message: String,
}

/// Takes a block for text. Bytes that are not UTF-8 become `?`, and where they stood is returned, so that only their rows are lost.
fn into_text(bytes: Vec<u8>) -> (String, Vec<usize>) {
    let mut bytes = match String::from_utf8(bytes) {
        Ok(text) => return (text, Vec::new()),
        Err(error) => error.into_bytes(),
    };
    let mut wrong = Vec::new();
    let mut from = 0;
    while let Err(error) = std::str::from_utf8(&bytes[from..]) {
        let at = from + error.valid_up_to();
        bytes[at] = b'?';
        wrong.push(at);
        from = at + 1;
    }
    (String::from_utf8(bytes).unwrap_or_default(), wrong)
}
