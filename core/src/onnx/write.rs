//! Writing a model: weights stream from where they are into the file, so that memory does not grow with them.
//! Files appear whole or not at all: they are written under a temporary name beside the target, then renamed.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use prost::Message as _;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint, key_len};
use tempfile::NamedTempFile;

use super::error::SaveError;
use super::proto::TensorProto;
use super::{encode, tensor};
use crate::graph::{Initializer, Model};
use crate::task::{Progress, TaskCtx};

/// A protobuf message holds less than 2 GiB; above this much weight the data go to a file of their own, with room for the rest.
pub(super) const MAX_INLINE_WEIGHT_BYTES: u64 = 1_800 << 20;

/// What protobuf can hold.
const MAX_MESSAGE_BYTES: u64 = i32::MAX as u64;

/// Tensors below this size stay in the model file even when the others leave it.
const MIN_EXTERNAL_BYTES: usize = 64 << 10;

/// Where external tensors start: at pages, as the specification asks, so that they can be mapped.
const EXTERNAL_ALIGNMENT: u64 = 4096;

/// Field numbers that are written here by hand.
const MODEL_GRAPH: u32 = 7;
const GRAPH_INITIALIZER: u32 = 5;
const TENSOR_RAW_DATA: u32 = 9;

/// Writes a model; weights go to `<file name>.data` if they take more than `max_inline_bytes` in all.
pub(super) fn write(ctx: &TaskCtx, model: &Model, path: &Path, max_inline_bytes: u64) -> Result<(), SaveError> {
    let failed = |source| SaveError::Io { path: path.to_owned(), source };
    let weight_bytes: u64 = model.graph.initializers.values().map(|initializer| initializer.tensor.n_bytes() as u64).sum();
    let mut external = if weight_bytes > max_inline_bytes { Some(ExternalData::beside(path)?) } else { None };
    let mut weights = Vec::with_capacity(model.graph.initializers.len());
    let mut written = 0_u64;
    for (id, initializer) in &model.graph.initializers {
        ctx.checkpoint()?;
        let name = &model.graph.value(*id).name;
        let in_file = match &mut external {
            Some(external) => external.put(initializer).map_err(|source| SaveError::Io { path: external.path.clone(), source })?,
            None => None,
        };
        if in_file.is_some() {
            written += initializer.tensor.n_bytes() as u64;
            ctx.report(progress(written, weight_bytes));
        }
        let proto = in_file.map_or_else(|| encode::initializer(name, initializer), |proto| encode::labelled(proto, name, initializer));
        weights.push(Weight::from(proto));
    }
    let mut head = encode::model_without_weights(model);
    let graph = head.graph.take().unwrap_or_default().encode_to_vec();
    let head = head.encode_to_vec();
    let graph_len = graph.len() as u64 + weights.iter().map(Weight::field_len).sum::<u64>();
    let total = head.len() as u64 + field_len(MODEL_GRAPH, graph_len);
    if total > MAX_MESSAGE_BYTES {
        return Err(SaveError::TooLarge { path: path.to_owned(), bytes: total });
    }
    if let Some(external) = external {
        external.finish()?;
    }
    let mut file = BufWriter::with_capacity(1 << 20, temporary_beside(path).map_err(failed)?);
    file.write_all(&head).map_err(failed)?;
    write_field(&mut file, MODEL_GRAPH, graph_len).map_err(failed)?;
    file.write_all(&graph).map_err(failed)?;
    for weight in &weights {
        ctx.checkpoint()?;
        weight.write(&mut file).map_err(failed)?;
        written += weight.raw.as_ref().map_or(0, |raw| raw.len() as u64);
        ctx.report(progress(written, weight_bytes));
    }
    persist(file, path).map_err(failed)
}

fn progress(done: u64, total: u64) -> Progress {
    Progress { stage: "saving".to_owned(), done, total: Some(total), ..Progress::default() }
}

/// An initializer's message, its raw data kept apart so that they are written without a copy.
struct Weight {
    head: Vec<u8>,
    raw: Option<Bytes>,
}

impl From<TensorProto> for Weight {
    fn from(mut proto: TensorProto) -> Self {
        let raw = proto.raw_data.take();
        Self { head: proto.encode_to_vec(), raw }
    }
}

impl Weight {
    fn message_len(&self) -> u64 {
        self.head.len() as u64 + self.raw.as_ref().map_or(0, |raw| field_len(TENSOR_RAW_DATA, raw.len() as u64))
    }

    fn field_len(&self) -> u64 {
        field_len(GRAPH_INITIALIZER, self.message_len())
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        write_field(out, GRAPH_INITIALIZER, self.message_len())?;
        out.write_all(&self.head)?;
        if let Some(raw) = &self.raw {
            write_field(out, TENSOR_RAW_DATA, raw.len() as u64)?;
            out.write_all(raw)?;
        }
        Ok(())
    }
}

/// Bytes that a length-delimited field takes with its key.
fn field_len(tag: u32, len: u64) -> u64 {
    (key_len(tag) + encoded_len_varint(len)) as u64 + len
}

/// Writes key and length of a length-delimited field.
fn write_field(out: &mut impl Write, tag: u32, len: u64) -> io::Result<()> {
    let mut key = Vec::with_capacity(16);
    encode_key(tag, WireType::LengthDelimited, &mut key);
    encode_varint(len, &mut key);
    out.write_all(&key)
}

/// The file of weights beside the model.
struct ExternalData {
    path: PathBuf,
    location: String,
    file: BufWriter<NamedTempFile>,
    len: u64,
}

impl ExternalData {
    fn beside(model_path: &Path) -> Result<Self, SaveError> {
        let name = model_path.file_name().and_then(|name| name.to_str());
        let location = format!("{}.data", name.ok_or_else(|| SaveError::NotUnicode { path: model_path.to_owned() })?);
        let path = model_path.with_file_name(&location);
        let file = temporary_beside(&path).map_err(|source| SaveError::Io { path: path.clone(), source })?;
        Ok(Self { path, location, file: BufWriter::with_capacity(1 << 20, file), len: 0 })
    }

    /// Appends a tensor's data and returns the message that points to them; `None` where they stay in the model.
    fn put(&mut self, initializer: &Initializer) -> io::Result<Option<TensorProto>> {
        let Some(bytes) = initializer.tensor.bytes().filter(|bytes| bytes.len() >= MIN_EXTERNAL_BYTES) else { return Ok(None) };
        let offset = self.len.next_multiple_of(EXTERNAL_ALIGNMENT);
        io::copy(&mut io::Read::take(io::repeat(0), offset - self.len), &mut self.file)?;
        self.file.write_all(bytes)?;
        let length = bytes.len() as u64;
        self.len = offset + length;
        Ok(Some(tensor::encode_external(&initializer.tensor, &self.location, offset, length)))
    }

    fn finish(self) -> Result<(), SaveError> {
        persist(self.file, &self.path).map_err(|source| SaveError::Io { path: self.path, source })
    }
}

/// A temporary file in the target's own folder (a rename across file systems would not be atomic), with the permissions of an ordinary new file.
fn temporary_beside(path: &Path) -> io::Result<NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".drydock-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

/// Makes sure that the bytes are on the disk, then gives the file its name.
fn persist(file: BufWriter<NamedTempFile>, path: &Path) -> io::Result<()> {
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    File::sync_all(file.as_file())?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
