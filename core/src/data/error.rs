//! Errors about tables: each names the file, and the row and column where there is one.

use std::path::PathBuf;

use crate::task::Cancelled;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    /// The file is no table that Drydock reads, with what was expected.
    #[error("{}: {message}", path.display())]
    Unsuitable { path: PathBuf, message: String },
    /// Row numbers count data rows from 1.
    #[error("{}: row {row}: {message}", path.display())]
    Row { path: PathBuf, row: u64, message: String },
    #[error("{}: row {row}, column '{column}': {message}", path.display())]
    Cell { path: PathBuf, row: u64, column: String, message: String },
    #[error("{}: there is already a file; write elsewhere or replace it with --force", .0.display())]
    OutputExists(PathBuf),
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}
