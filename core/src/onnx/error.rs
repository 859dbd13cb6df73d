//! Errors of reading and writing model files: each names the file and what in it is wrong.

use std::path::PathBuf;

/// A model file cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    #[error("{}: the file is empty; an ONNX model was expected", path.display())]
    Empty { path: PathBuf },
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
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
    #[error(transparent)]
    Cancelled(#[from] crate::task::Cancelled),
}
