//! The archive itself. What a file claims is checked against limits before anything is made of it: the number of entries, their names, their sizes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufWriter, Read, Write as _};
use std::path::{Component, Path, PathBuf};

use rawzip::{CompressionMethod, ZipArchive, ZipArchiveWriter};
use sha2::{Digest as _, Sha256};
use tempfile::{NamedTempFile, TempDir};

use super::{Entry, FORMAT_VERSION, Manifest, PackageError};
use crate::model::{hex, sha256};
use crate::task::{Progress, TaskCtx};

const MANIFEST: &str = "manifest.json";
const MAX_ENTRIES: usize = 10_000;
const MAX_MANIFEST_BYTES: u64 = 16 << 20;
const MAX_TOTAL_BYTES: u64 = 64 << 30;
/// No deflated stream becomes larger than this many times itself: <https://www.bamsoftware.com/hacks/zipbomb/>.
const MAX_RATIO: u64 = 1032;

/// A package taken apart into a temporary folder, which lasts as long as this does.
#[derive(Debug)]
pub struct Unpacked {
    folder: TempDir,
    pub(crate) manifest: Manifest,
}

impl Unpacked {
    pub fn model_path(&self) -> PathBuf {
        self.folder.path().join("model/model.onnx")
    }

    /// The folder, to outlive this.
    pub fn into_folder(self) -> TempDir {
        self.folder
    }

    pub(super) fn golden(&self) -> PathBuf {
        self.folder.path().join("golden/test_data_set_0")
    }
}

/// Writes entries one after the other, to a temporary name that is renamed at the end.
pub(super) struct Writer {
    path: PathBuf,
    archive: ZipArchiveWriter<BufWriter<NamedTempFile>>,
    pub entries: Vec<Entry>,
}

impl Writer {
    pub(super) fn create(path: &Path) -> Result<Self, PackageError> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
        let file = tempfile::Builder::new().prefix(".drydock-").tempfile_in(folder).map_err(PackageError::io(path))?;
        Ok(Self { path: path.to_owned(), archive: ZipArchiveWriter::new(BufWriter::new(file)), entries: Vec::new() })
    }

    pub(super) fn add(&mut self, ctx: &TaskCtx, name: &str, bytes: &[u8]) -> Result<(), PackageError> {
        let path = self.path.clone();
        let failed = |error: rawzip::Error| PackageError::Io { path: path.clone(), source: std::io::Error::other(error.to_string()) };
        let (mut entry, config) = self.archive.new_file(name).compression_method(CompressionMethod::DEFLATE).start().map_err(failed)?;
        let mut writer = config.wrap(flate2::write::DeflateEncoder::new(&mut entry, flate2::Compression::fast()));
        for (index, chunk) in bytes.chunks(4 << 20).enumerate() {
            ctx.checkpoint()?;
            writer.write_all(chunk).map_err(PackageError::io(&path))?;
            let done = ((index + 1) * (4 << 20)).min(bytes.len()) as u64;
            ctx.report(Progress { stage: format!("packing {name}"), done, total: Some(bytes.len() as u64), ..Progress::default() });
        }
        let (encoder, output) = writer.finish().map_err(failed)?;
        encoder.finish().map_err(PackageError::io(&path))?;
        entry.finish(output).map_err(failed)?;
        self.entries.push(Entry { path: name.to_owned(), n_bytes: bytes.len() as u64, sha256: sha256(bytes) });
        Ok(())
    }

    /// Adds the manifest and gives the file its name. Returns the file's size.
    pub(super) fn finish(mut self, ctx: &TaskCtx, mut manifest: Manifest, overwrite: bool) -> Result<u64, PackageError> {
        manifest.entries = std::mem::take(&mut self.entries);
        let text = serde_json::to_vec_pretty(&manifest).map_err(|error| PackageError::Io { path: self.path.clone(), source: error.into() })?;
        self.add(ctx, MANIFEST, &text)?;
        let path = self.path;
        let failed = |error: rawzip::Error| PackageError::Io { path: path.clone(), source: std::io::Error::other(error.to_string()) };
        let file = self.archive.finish().map_err(failed)?;
        let file = file.into_inner().map_err(|error| PackageError::Io { path: path.clone(), source: error.into_error() })?;
        file.as_file().sync_all().map_err(PackageError::io(&path))?;
        let n_bytes = file.as_file().metadata().map_err(PackageError::io(&path))?.len();
        let persisted = if overwrite { file.persist(&path) } else { file.persist_noclobber(&path) };
        match persisted {
            Ok(_) => Ok(n_bytes),
            Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Err(PackageError::Exists { path }),
            Err(error) => Err(PackageError::Io { path, source: error.error }),
        }
    }
}

/// An entry as the archive's directory announces it.
struct Announced {
    place: rawzip::ZipArchiveEntryWayfinder,
    method: CompressionMethod,
    n_bytes: u64,
}

/// Takes a package apart, every entry against its checksum.
pub fn unpack(ctx: &TaskCtx, path: &Path) -> Result<Unpacked, PackageError> {
    let no_package = |reason: String| PackageError::NotAPackage { path: path.to_owned(), reason };
    let file = File::open(path).map_err(PackageError::io(path))?;
    let mut buffer = vec![0; rawzip::RECOMMENDED_BUFFER_SIZE];
    let archive = ZipArchive::from_file(file, &mut buffer).map_err(|error| no_package(error.to_string()))?;
    let announced = directory(&archive, path, &mut buffer)?;
    let entry = announced.get(MANIFEST).ok_or_else(|| no_package(format!("it has no '{MANIFEST}'")))?;
    if entry.n_bytes > MAX_MANIFEST_BYTES {
        return Err(no_package(format!("its manifest claims {} bytes", entry.n_bytes)));
    }
    let mut text = Vec::new();
    read_entry(ctx, &archive, path, MANIFEST, entry, &mut |bytes| {
        text.extend_from_slice(bytes);
        Ok(())
    })?;
    let manifest = read_manifest(path, &text)?;
    let listed: BTreeSet<&str> = manifest.entries.iter().map(|entry| entry.path.as_str()).collect();
    if let Some(stranger) = announced.keys().find(|name| *name != MANIFEST && !listed.contains(name.as_str())) {
        let reason = "the manifest does not list it".to_owned();
        return Err(PackageError::Damaged { path: path.to_owned(), entry: stranger.clone(), reason });
    }
    let folder = tempfile::tempdir().map_err(PackageError::io(&std::env::temp_dir()))?;
    for listed in &manifest.entries {
        let damaged = |reason: String| PackageError::Damaged { path: path.to_owned(), entry: listed.path.clone(), reason };
        let entry = announced.get(&listed.path).ok_or_else(|| damaged("it is gone".to_owned()))?;
        let target = folder.path().join(&listed.path);
        if let Some(parent) = target.parent() {
            std::fs::create_dir_all(parent).map_err(PackageError::io(parent))?;
        }
        let mut file = File::create_new(&target).map_err(PackageError::io(&target))?;
        let mut digest = Sha256::new();
        read_entry(ctx, &archive, path, &listed.path, entry, &mut |bytes| {
            digest.update(bytes);
            file.write_all(bytes).map_err(PackageError::io(&target))
        })?;
        let found = hex(&digest.finalize());
        if found != listed.sha256 {
            return Err(damaged(format!("its sha256 should be {} and is {found}", listed.sha256)));
        }
    }
    Ok(Unpacked { folder, manifest })
}

/// Every entry by name, within limits.
fn directory(archive: &ZipArchive<rawzip::FileReader>, path: &Path, buffer: &mut [u8]) -> Result<BTreeMap<String, Announced>, PackageError> {
    let no_package = |reason: String| PackageError::NotAPackage { path: path.to_owned(), reason };
    let mut announced = BTreeMap::new();
    let mut total: u64 = 0;
    let mut entries = archive.entries(buffer);
    while let Some(entry) = entries.next_entry().map_err(|error| no_package(error.to_string()))? {
        let raw = entry.file_path();
        let name = std::str::from_utf8(raw.as_bytes()).map_err(|_| no_package("the name of an entry is no text".to_owned()))?.to_owned();
        let shown = name.escape_debug().to_string();
        let is_plain = !name.contains(['\\', ':', '\0']) && Path::new(&name).components().all(|part| matches!(part, Component::Normal(_)));
        if name.is_empty() || name.ends_with('/') || name.contains("//") || !is_plain {
            return Err(no_package(format!("the entry '{shown}' would lie outside of it")));
        }
        let (packed, n_bytes) = (entry.compressed_size_hint(), entry.uncompressed_size_hint());
        if n_bytes / packed.max(1) > MAX_RATIO {
            return Err(no_package(format!("the entry '{shown}' claims to be {n_bytes} bytes in {packed}, which can't be")));
        }
        total = total.saturating_add(n_bytes);
        if total > MAX_TOTAL_BYTES || announced.len() >= MAX_ENTRIES {
            return Err(no_package(format!("it claims more than {MAX_ENTRIES} entries or {} GB", MAX_TOTAL_BYTES >> 30)));
        }
        let known = announced.insert(name, Announced { place: entry.wayfinder(), method: entry.compression_method(), n_bytes });
        if known.is_some() {
            return Err(no_package(format!("the entry '{shown}' stands there twice")));
        }
    }
    Ok(announced)
}

/// Hands on what an entry holds, never more than it announced.
fn read_entry(
    ctx: &TaskCtx,
    archive: &ZipArchive<rawzip::FileReader>,
    path: &Path,
    name: &str,
    announced: &Announced,
    take: &mut dyn FnMut(&[u8]) -> Result<(), PackageError>,
) -> Result<(), PackageError> {
    let damaged = |reason: String| PackageError::Damaged { path: path.to_owned(), entry: name.to_owned(), reason };
    let entry = archive.get_entry(announced.place).map_err(|error| damaged(error.to_string()))?;
    let mut reader: Box<dyn Read + '_> = match announced.method {
        CompressionMethod::STORE => Box::new(entry.reader()),
        CompressionMethod::DEFLATE => Box::new(flate2::read::DeflateDecoder::new(entry.reader())),
        method => return Err(damaged(format!("it is packed in a way that packages are not ({method:?})"))),
    };
    let (mut done, mut buffer) = (0_u64, vec![0; 1 << 18]);
    loop {
        ctx.checkpoint()?;
        let n_read = reader.read(&mut buffer).map_err(|error| damaged(error.to_string()))?;
        let Some(bytes) = buffer.get(..n_read).filter(|bytes| !bytes.is_empty()) else { break };
        done += bytes.len() as u64;
        if done > announced.n_bytes {
            return Err(damaged(format!("it holds more than the {} bytes that it announces", announced.n_bytes)));
        }
        take(bytes)?;
        ctx.report(Progress { stage: format!("unpacking {name}"), done, total: Some(announced.n_bytes), ..Progress::default() });
    }
    if done == announced.n_bytes { Ok(()) } else { Err(damaged(format!("it should hold {} bytes and holds {done}", announced.n_bytes))) }
}

fn read_manifest(path: &Path, text: &[u8]) -> Result<Manifest, PackageError> {
    let no_package = |reason: String| PackageError::NotAPackage { path: path.to_owned(), reason };
    let value: serde_json::Value = serde_json::from_slice(text).map_err(|error| no_package(format!("its manifest: {error}")))?;
    let version = value.get("format_version").and_then(serde_json::Value::as_u64).and_then(|version| u32::try_from(version).ok());
    match version {
        Some(found) if found > FORMAT_VERSION => return Err(PackageError::Newer { path: path.to_owned(), found }),
        Some(_) => {}
        None => return Err(no_package("its manifest has no format_version".to_owned())),
    }
    serde_json::from_value(value).map_err(|error| no_package(format!("its manifest: {error}")))
}
