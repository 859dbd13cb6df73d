//! The rows that could not be scored: `row,column,value,reason`, in a file beside the output. It exists only if there are such rows.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::data::{AtomicFile, DataError, Rows, csv_field, write_error};

/// A row that can't be scored. `row` counts within its block from 0 until the block's place in the table is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    pub row: usize,
    /// Index in the table, where one column is to blame.
    pub column: Option<usize>,
    pub value: String,
    pub reason: String,
}

impl Rejected {
    /// A row with a cell that can't stand.
    pub fn of_cell(rows: &Rows, row: usize, column: usize, reason: String) -> Self {
        let value = rows.cell(row, column).to_text().unwrap_or_default().into_owned();
        Self { row, column: Some(column), value, reason }
    }
}

/// Bytes collected before they are written.
const BUFFER_BYTES: usize = 64 << 10;

pub struct Quarantine {
    path: PathBuf,
    overwrite: bool,
    /// Started at the first rejected row.
    file: Option<AtomicFile>,
    buffer: Vec<u8>,
}

impl Quarantine {
    /// `march.scored.csv.gz` → `march.scored.rejected.csv`.
    pub fn path_for(output: &Path) -> PathBuf {
        let name = output.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let stem = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
        let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
        output.with_file_name(format!("{stem}.rejected.csv"))
    }

    /// Refuses early what would fail at the first rejected row.
    pub fn new(output: &Path, overwrite: bool) -> Result<Self, DataError> {
        let path = Self::path_for(output);
        if !overwrite && path.exists() {
            return Err(DataError::OutputExists(path));
        }
        Ok(Self { path, overwrite, file: None, buffer: Vec::new() })
    }

    /// `row` counts from 1 in the whole table.
    pub fn add(&mut self, row: u64, column: &str, rejected: &Rejected) -> Result<(), DataError> {
        if self.file.is_none() {
            self.file = Some(AtomicFile::create(&self.path, self.overwrite)?);
            self.buffer.extend_from_slice(b"row,column,value,reason\n");
        }
        self.buffer.extend_from_slice(itoa::Buffer::new().format(row).as_bytes());
        for text in [column, &rejected.value, &rejected.reason] {
            self.buffer.push(b',');
            csv_field(&mut self.buffer, text, b',');
        }
        self.buffer.push(b'\n');
        if self.buffer.len() >= BUFFER_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), DataError> {
        if let Some(file) = &mut self.file {
            file.write_all(&self.buffer).map_err(|error| write_error(&self.path, &error))?;
        }
        self.buffer.clear();
        Ok(())
    }

    /// Completes the file; its path, if there were rejected rows.
    pub fn finish(mut self) -> Result<Option<PathBuf>, DataError> {
        self.flush()?;
        match self.file {
            Some(file) => {
                file.commit()?;
                Ok(Some(self.path))
            }
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejected_rows_stand_in_a_file_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("march.scored.csv.gz");
        let quarantine = Quarantine::new(&output, false).unwrap();
        assert_eq!(quarantine.finish().unwrap(), None);
        let mut quarantine = Quarantine::new(&output, false).unwrap();
        let rejected = Rejected { row: 0, column: Some(2), value: "a,b".to_owned(), reason: "expected a number".to_owned() };
        quarantine.add(7, "age", &rejected).unwrap();
        let path = quarantine.finish().unwrap().unwrap();
        assert_eq!(path, folder.path().join("march.scored.rejected.csv"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "row,column,value,reason\n7,age,\"a,b\",expected a number\n");
        assert!(matches!(Quarantine::new(&output, false), Err(DataError::OutputExists(_))));
    }
}
