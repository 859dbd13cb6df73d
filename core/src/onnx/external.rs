//! Tensor data in files beside the model: found only inside the model's own folder, mapped, never copied.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Component, Path, PathBuf};

use bytes::Bytes;

use super::error::Invalid;
use super::proto::StringStringEntryProto;

/// A file beside a model that holds data of it.
#[derive(Debug, Clone)]
pub struct ExternalFile {
    /// As the model names it: relative to its own folder.
    pub location: String,
    pub path: PathBuf,
    pub bytes: Bytes,
}

/// Opens each external file once.
pub(super) struct ExternalFiles {
    model_path: PathBuf,
    opened: BTreeMap<String, (PathBuf, Bytes)>,
}

impl ExternalFiles {
    pub(super) fn beside(model_path: &Path) -> Self {
        Self { model_path: model_path.to_owned(), opened: BTreeMap::new() }
    }

    /// The files that were needed, by location.
    pub(super) fn into_files(self) -> Vec<ExternalFile> {
        self.opened.into_iter().map(|(location, (path, bytes))| ExternalFile { location, path, bytes }).collect()
    }

    /// The bytes that an `external_data` entry names. `needed` is what the tensor's dims ask for; it is used where the entry gives no length.
    pub(super) fn bytes(&mut self, entries: &[StringStringEntryProto], needed: usize) -> Result<Bytes, Invalid> {
        let entry = |key: &str| entries.iter().find(|entry| entry.key.as_deref() == Some(key)).and_then(|entry| entry.value.as_deref());
        let number = |key: &str, default: usize| match entry(key) {
            None => Ok(default),
            Some(text) => text.trim().parse().map_err(|_| Invalid::new(format!("external data: {key} '{text}' is not a number of bytes"))),
        };
        let location = entry("location").ok_or_else(|| Invalid::new("external data without a location"))?;
        let offset: usize = number("offset", 0)?;
        let length: usize = number("length", needed)?;
        let file = self.file(location).map_err(|reason| Invalid::new(format!("external data '{location}': {reason}")))?;
        let end = offset.checked_add(length).filter(|end| *end <= file.len()).ok_or_else(|| {
            Invalid::new(format!("external data '{location}': bytes {offset} to {offset} + {length} were expected, but the file has {}", file.len()))
        })?;
        Ok(file.slice(offset..end))
    }

    fn file(&mut self, location: &str) -> Result<Bytes, String> {
        if let Some((_, bytes)) = self.opened.get(location) {
            return Ok(bytes.clone());
        }
        let path = self.resolve(location)?;
        let bytes = map_file(&path).map_err(|error| error.to_string())?;
        self.opened.insert(location.to_owned(), (path, bytes.clone()));
        Ok(bytes)
    }

    /// The file behind a location: relative, without `..`, and after following links still in the model's folder.
    fn resolve(&self, location: &str) -> Result<PathBuf, String> {
        let relative = Path::new(location);
        if !relative.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
            return Err("it must lie inside the model's folder: a relative path without '..'".to_owned());
        }
        // A model reached through a link (as download caches make them) may have its data beside the link or beside the real file.
        let real_model = self.model_path.canonicalize().map_err(|error| error.to_string())?;
        let near =
            self.model_path.parent().map_or_else(|| Path::new("."), |folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
        let near = near.canonicalize().map_err(|error| error.to_string())?;
        let path = near.join(relative).canonicalize().map_err(|error| format!("{error}; the file must lie beside the model"))?;
        let is_inside = path.starts_with(&near) || real_model.parent().is_some_and(|folder| path.starts_with(folder));
        if is_inside { Ok(path) } else { Err("it leads out of the model's folder through a link".to_owned()) }
    }
}

/// A file's contents, mapped: pages are read when somebody looks at them.
pub(super) fn map_file(path: &Path) -> std::io::Result<Bytes> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, "a file was expected, but this is a folder or a device"));
    }
    if metadata.len() == 0 {
        return Ok(Bytes::new());
    }
    // SAFETY: the mapping is read-only. Should another process cut the file short meanwhile, the operating system ends this process;
    // Drydock itself replaces files by renaming, which leaves a mapping intact.
    let map = unsafe { memmap2::Mmap::map(&file)? };
    Ok(Bytes::from_owner(map))
}
