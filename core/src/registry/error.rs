//! Why the registry refuses or fails: sentences with the way out.

use std::path::{Path, PathBuf};

use crate::task::Cancelled;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    #[error("no folder for Drydock's data is known on this system; set DRYDOCK_HOME")]
    NoHome,
    #[error("{}: {}", path.display(), crate::format::file_problem(source))]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{}: the registry can't be written there: {reason}; set DRYDOCK_HOME to a folder that can be written", path.display())]
    NotWritable { path: PathBuf, reason: String },
    #[error(
        "{}: written by a newer Drydock (schema {found}; this one knows schemas up to {known}); use that Drydock, or set DRYDOCK_HOME to another folder",
        path.display()
    )]
    Newer { path: PathBuf, found: i64, known: i64 },
    #[error("{}: other processes have used the registry for {seconds} s without a break; try again when they are done", path.display())]
    Busy { path: PathBuf, seconds: u64 },
    #[error("{}: not what Drydock writes there: {reason}; restore the file from a backup, or move it away to begin anew", path.display())]
    Malformed { path: PathBuf, reason: String },
    /// A record or a file is not what it was: names it, and the way out.
    #[error("{0}")]
    Damaged(String),
    /// What was asked for can't be: there is no such thing, or a rule forbids it.
    #[error("{0}")]
    Refused(String),
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl RegistryError {
    pub(super) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| match source.kind() {
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem | std::io::ErrorKind::NotADirectory => {
                Self::NotWritable { path: path.to_owned(), reason: source.to_string() }
            }
            _ => Self::Io { path: path.to_owned(), source },
        }
    }

    pub(super) fn refused(sentence: impl Into<String>) -> Self {
        Self::Refused(sentence.into())
    }
}

/// What went wrong within a transaction, before its file is known.
#[derive(Debug)]
pub(super) enum Stop {
    Sql(rusqlite::Error),
    Error(RegistryError),
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<RegistryError> for Stop {
    fn from(error: RegistryError) -> Self {
        Self::Error(error)
    }
}
