//! Errors of reading and writing model files: each names the file and what in it is wrong.

use std::fmt;
use std::path::{Path, PathBuf};

/// A model file cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    #[error("{}: the file is empty; an ONNX model was expected", path.display())]
    Empty { path: PathBuf },
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    /// Recognised as something else: `found` says what, and the way out.
    #[error("{}: not an ONNX model: {found}", path.display())]
    NotOnnx { path: PathBuf, found: String },
    #[error("{}: not an ONNX model, or cut short: {reason}", path.display())]
    Malformed { path: PathBuf, reason: String },
    #[error("{}: {location}: {reason}", path.display())]
    Invalid { path: PathBuf, location: String, reason: String },
    #[error(transparent)]
    Cancelled(#[from] crate::task::Cancelled),
}

/// A model file cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SaveError {
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{}: the name of a model file must be valid Unicode", path.display())]
    NotUnicode { path: PathBuf },
    #[error("{}: without its weights the model still takes {bytes} bytes; a protobuf file holds at most 2147483647", path.display())]
    TooLarge { path: PathBuf, bytes: u64 },
    #[error(transparent)]
    Cancelled(#[from] crate::task::Cancelled),
}

/// What is wrong, and where in the model; the file is added at the module's border.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Invalid {
    location: String,
    reason: String,
}

impl Invalid {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self { location: String::new(), reason: reason.into() }
    }

    /// Adds the next outer place: `.at("attribute 'value'").at("node 'c'")` reads "node 'c', attribute 'value'".
    pub(super) fn at(self, place: impl fmt::Display) -> Self {
        let location = if self.location.is_empty() { place.to_string() } else { format!("{place}, {}", self.location) };
        Self { location, reason: self.reason }
    }

    pub(super) fn in_file(self, path: &Path) -> LoadError {
        let location = if self.location.is_empty() { "the model".to_owned() } else { self.location };
        LoadError::Invalid { path: path.to_owned(), location, reason: self.reason }
    }
}
