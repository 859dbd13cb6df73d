//! ONNX files ⇄ [`crate::graph::Model`]. The only module that knows protobuf. Limits are checked before anything is allocated,
//! weights stay in the mapped file until somebody computes with them, and saving what was loaded loses nothing.
//!
//! `proto` declares the messages; `decode` and `encode` translate models, `tensor` and `types` their parts; `external` finds data beside
//! the model; `write` writes files; `values` reads and writes single values (test data); `foreign` recognises what is no model at all.

use std::path::Path;

use bytes::Bytes;
use prost::Message as _;

use crate::graph::{Model, check};
use crate::task::TaskCtx;

mod decode;
mod encode;
mod error;
mod external;
mod foreign;
mod proto;
mod tensor;
#[cfg(test)]
mod tests;
mod types;
pub mod values;
mod write;

use error::Invalid;
pub use error::{LoadError, SaveError};
pub use external::ExternalFile;
use external::ExternalFiles;

/// A model with what was found about its file.
#[derive(Debug, Clone)]
pub struct LoadedFile {
    pub model: Model,
    /// The file itself, mapped.
    pub bytes: Bytes,
    /// Files beside the model that hold external data, by location.
    pub external: Vec<ExternalFile>,
}

/// Loads a model file, with external data from the model's own folder only.
pub fn load(ctx: &TaskCtx, path: &Path) -> Result<LoadedFile, LoadError> {
    ctx.checkpoint()?;
    let bytes = external::map_file(path).map_err(|source| LoadError::Io { path: path.to_owned(), source })?;
    let mut external = ExternalFiles::beside(path);
    let model = decode_model(path, bytes.clone(), &mut external)?;
    ctx.checkpoint()?;
    Ok(LoadedFile { model, bytes, external: external.into_files() })
}

/// Reads a model from the bytes of a file. `path` is where external data are looked for, and what errors name.
pub fn load_bytes(path: &Path, bytes: Bytes) -> Result<Model, LoadError> {
    decode_model(path, bytes, &mut ExternalFiles::beside(path))
}

/// Writes a model: to a temporary name beside `path`, then renamed. Weights above 1.8 GiB in all go to `<file name>.data` beside it.
pub fn save(ctx: &TaskCtx, model: &Model, path: &Path) -> Result<(), SaveError> {
    ctx.checkpoint()?;
    write::write(ctx, model, path, write::MAX_INLINE_WEIGHT_BYTES)
}

/// The bytes of a model's file, with all weights inside.
pub fn save_bytes(model: &Model) -> Vec<u8> {
    let mut proto = encode::model_without_weights(model);
    let weights = model.graph.initializers.iter().map(|(id, initializer)| encode::initializer(&model.graph.value(*id).name, initializer));
    proto.graph.get_or_insert_default().initializer = weights.collect();
    proto.encode_to_vec()
}

fn decode_model(path: &Path, bytes: Bytes, external: &mut ExternalFiles) -> Result<Model, LoadError> {
    if bytes.is_empty() {
        return Err(LoadError::Empty { path: path.to_owned() });
    }
    let head = bytes.clone();
    let not_a_model = |reason: String| match foreign::recognize(&head) {
        Some(found) => LoadError::NotOnnx { path: path.to_owned(), found },
        None => LoadError::Malformed { path: path.to_owned(), reason },
    };
    let proto = proto::ModelProto::decode(bytes).map_err(|error| not_a_model(explain(&error)))?;
    if proto.graph.is_none() {
        return Err(not_a_model("it has no graph".to_owned()));
    }
    let model = decode::model(proto, external).map_err(|invalid| invalid.in_file(path))?;
    check_graphs(&model).map_err(|invalid| invalid.in_file(path))?;
    Ok(model)
}

fn check_graphs(model: &Model) -> Result<(), Invalid> {
    check::check(&model.graph).map_err(|error| Invalid::new(error.to_string()).at("the graph"))?;
    for function in &model.functions {
        check::check(&function.graph).map_err(|error| Invalid::new(error.to_string()).at(format!("function '{}'", function.name)))?;
    }
    Ok(())
}

/// prost's errors speak of buffers; this says what that means for a file.
fn explain(error: &prost::DecodeError) -> String {
    let text = error.to_string();
    if text.contains("buffer underflow") {
        "a part is announced that is longer than the rest of the file".to_owned()
    } else if text.contains("recursion limit") {
        "graphs or types are nested too deeply (more than 100 levels of messages)".to_owned()
    } else {
        text.trim_start_matches("failed to decode Protobuf message: ").to_owned()
    }
}
