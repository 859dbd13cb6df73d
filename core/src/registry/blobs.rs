//! Files of models: `blobs/<hash of the model>/<contract>/` has a model as it opens: its file, its external data, its contract.
//!
//! A folder is written under another name, brought to the disk, and renamed; only then is it recorded. So whatever is recorded is there. Who
//! writes holds a shared lock until the record stands; who removes what nobody refers to holds it alone.

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use super::RegistryError;
use crate::contract::sidecar_path;
use crate::model::{Content, hex, sha256};
use crate::task::{Progress, TaskCtx};

const MODEL_FILE: &str = "model.onnx";

/// The folder name of models without a contract of their own.
const PLAIN: &str = "plain";

/// How long a collection waits for those who add.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a recorded model consists of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BlobKey {
    pub sha256: String,
    /// Of the contract beside the model; empty without one.
    pub contract_sha256: String,
}

/// A file of a blob, as it is recorded. The location of the model's own is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BlobFile {
    pub location: String,
    pub n_bytes: u64,
    pub sha256: String,
}

impl BlobKey {
    pub(super) fn of(content: &Content, contract: Option<&str>) -> Self {
        Self { sha256: content.sha256().to_owned(), contract_sha256: contract.map(|contract| sha256(contract.as_bytes())).unwrap_or_default() }
    }

    pub(super) fn folder(&self, home: &Path) -> PathBuf {
        let variant = self.contract_sha256.get(..16).unwrap_or(PLAIN);
        blobs(home).join(&self.sha256).join(variant)
    }

    pub(super) fn model_path(&self, home: &Path) -> PathBuf {
        self.folder(home).join(MODEL_FILE)
    }
}

fn blobs(home: &Path) -> PathBuf {
    home.join("blobs")
}

/// Held while files are written or removed.
#[derive(Debug)]
pub(super) struct BlobLock {
    /// `None` where the file system has no locks.
    _file: Option<File>,
}

impl BlobLock {
    fn file(home: &Path) -> Result<File, RegistryError> {
        let path = home.join("blobs.lock");
        File::options().create(true).append(true).open(&path).map_err(RegistryError::io(&path))
    }

    /// With others who add.
    pub(super) fn shared(home: &Path) -> Result<Self, RegistryError> {
        let file = Self::file(home)?;
        let is_locked = file.lock_shared().is_ok();
        Ok(Self { _file: is_locked.then_some(file) })
    }

    /// Alone; `None` while others add.
    fn alone(home: &Path) -> Result<Option<Self>, RegistryError> {
        let file = Self::file(home)?;
        let started = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Some(Self { _file: Some(file) })),
                Err(TryLockError::WouldBlock) if started.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(5)),
                Err(_) => return Ok(None),
            }
        }
    }
}

/// The files of a model, as they will be recorded.
pub(super) fn files_of(content: &Content, contract: Option<&str>) -> Vec<BlobFile> {
    let file =
        |location: &str, bytes: usize, sha256: &str| BlobFile { location: location.to_owned(), n_bytes: bytes as u64, sha256: sha256.to_owned() };
    let mut files: Vec<BlobFile> = content.files().map(|found| file(found.location.unwrap_or_default(), found.bytes.len(), found.sha256)).collect();
    if let Some(contract) = contract {
        files.push(file(&contract_name(), contract.len(), &sha256(contract.as_bytes())));
    }
    files
}

fn contract_name() -> String {
    sidecar_path(Path::new(MODEL_FILE)).display().to_string()
}

/// Writes a model's folder unless it is there, whole. To be called under a shared lock that is held until the record stands.
pub(super) fn write(ctx: &TaskCtx, home: &Path, content: &Content, contract: Option<&str>) -> Result<(), RegistryError> {
    let (key, root) = (BlobKey::of(content, contract), blobs(home));
    let target = key.folder(home);
    if target.exists() {
        if damage(ctx, home, &key, &files_of(content, contract))?.is_none() {
            return Ok(());
        }
        // What stands there is spoilt: this is how it is mended.
        discard(&target, &root)?;
    }
    std::fs::create_dir_all(&root).map_err(RegistryError::io(&root))?;
    let folder = tempfile::Builder::new().prefix(ADDING).tempdir_in(&root).map_err(RegistryError::io(&root))?;
    let mut done = 0;
    for file in content.files() {
        let name = file.location.unwrap_or(MODEL_FILE);
        if file.location.is_some_and(|location| [MODEL_FILE, &contract_name()].map(Path::new).contains(&Path::new(location))) {
            return Err(RegistryError::refused(format!(
                "the model's external data are called '{name}', which the registry needs itself; rename them"
            )));
        }
        write_file(ctx, &folder.path().join(name), file.bytes, &mut done, content.n_bytes())?;
    }
    if let Some(contract) = contract {
        write_file(ctx, &folder.path().join(contract_name()), contract.as_bytes(), &mut done, content.n_bytes())?;
    }
    sync_folders(folder.path())?;
    // The model's own folder may be taken away between its making and the renaming, by nobody: that takes the lock alone.
    let parent = root.join(&key.sha256);
    std::fs::create_dir_all(&parent).map_err(RegistryError::io(&parent))?;
    match std::fs::rename(folder.path(), &target) {
        // Renamed: there is nothing left to remove.
        Ok(()) => drop(folder.keep()),
        // Another process wrote the same in the meantime.
        Err(_) if target.exists() => {}
        Err(source) => return Err(RegistryError::Io { path: target, source }),
    }
    [parent.as_path(), &root, home].into_iter().try_for_each(sync_folder)
}

const ADDING: &str = ".adding-";
const REMOVED: &str = ".removed-";

fn write_file(ctx: &TaskCtx, path: &Path, bytes: &[u8], done: &mut u64, total: u64) -> Result<(), RegistryError> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(RegistryError::io(folder))?;
    }
    let mut file = File::create_new(path).map_err(RegistryError::io(path))?;
    for chunk in bytes.chunks(4 << 20) {
        ctx.checkpoint()?;
        file.write_all(chunk).map_err(RegistryError::io(path))?;
        *done += chunk.len() as u64;
        ctx.report(Progress { stage: "storing the model".to_owned(), done: *done, total: Some(total.max(*done)), ..Progress::default() });
    }
    file.sync_all().map_err(RegistryError::io(path))
}

/// A folder and all below it.
fn sync_folders(folder: &Path) -> Result<(), RegistryError> {
    for entry in std::fs::read_dir(folder).map_err(RegistryError::io(folder))? {
        let path = entry.map_err(RegistryError::io(folder))?.path();
        if path.is_dir() {
            sync_folders(&path)?;
        }
    }
    sync_folder(folder)
}

/// Names reach the disk with their folder.
fn sync_folder(folder: &Path) -> Result<(), RegistryError> {
    if cfg!(unix) { File::open(folder).and_then(|folder| folder.sync_all()).map_err(RegistryError::io(folder)) } else { Ok(()) }
}

/// What is wrong with a model's files, as "FILE: why"; `None` where they are what was recorded.
pub(super) fn damage(ctx: &TaskCtx, home: &Path, key: &BlobKey, files: &[BlobFile]) -> Result<Option<String>, RegistryError> {
    let folder = key.folder(home);
    for file in files {
        let path = folder.join(if file.location.is_empty() { MODEL_FILE } else { &file.location });
        let found = match hash_file(ctx, &path) {
            Ok(found) => found,
            Err(RegistryError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Some(format!("{}: the file is gone", path.display())));
            }
            Err(error @ RegistryError::Cancelled(_)) => return Err(error),
            Err(error) => return Ok(Some(error.to_string())),
        };
        if found != (file.n_bytes, file.sha256.clone()) {
            let (expected, n_bytes) = (&file.sha256, file.n_bytes);
            let (found_bytes, found) = found;
            let why = format!("was damaged: sha256 {expected} over {n_bytes} bytes was expected, {found} over {found_bytes} bytes was found");
            return Ok(Some(format!("{}: {why}", path.display())));
        }
    }
    Ok(None)
}

pub(super) fn hash_file(ctx: &TaskCtx, path: &Path) -> Result<(u64, String), RegistryError> {
    let mut file = File::open(path).map_err(RegistryError::io(path))?;
    let (mut digest, mut n_bytes, mut buffer) = (Sha256::new(), 0_u64, vec![0; 1 << 18]);
    loop {
        ctx.checkpoint()?;
        let n_read = file.read(&mut buffer).map_err(RegistryError::io(path))?;
        let Some(read) = buffer.get(..n_read).filter(|read| !read.is_empty()) else { break };
        digest.update(read);
        n_bytes += read.len() as u64;
    }
    Ok((n_bytes, hex(&digest.finalize())))
}

/// Takes a folder out of sight at once, then apart.
fn discard(folder: &Path, root: &Path) -> Result<(), RegistryError> {
    let hidden = tempfile::Builder::new().prefix(REMOVED).tempdir_in(root).map_err(RegistryError::io(root))?;
    match std::fs::rename(folder, hidden.path().join("folder")) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(RegistryError::Io { path: folder.to_owned(), source }),
    }
}

/// Removes files that no record refers to, and what killed processes left half-written. Nothing, while others add.
/// `recorded` is asked under the lock, so that it knows of every model whose files were written before.
pub(super) fn collect(home: &Path, recorded: impl FnOnce() -> Result<BTreeSet<BlobKey>, RegistryError>) -> Result<(), RegistryError> {
    let root = blobs(home);
    if !root.exists() {
        return Ok(());
    }
    let Some(_lock) = BlobLock::alone(home)? else { return Ok(()) };
    let kept: BTreeSet<PathBuf> = recorded()?.iter().map(|key| key.folder(home)).collect();
    for folder in folders(&root)? {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with(ADDING) || name.starts_with(REMOVED) {
            std::fs::remove_dir_all(&folder).map_err(RegistryError::io(&folder))?;
            continue;
        }
        for variant in folders(&folder)?.into_iter().filter(|variant| !kept.contains(variant)) {
            discard(&variant, &root)?;
        }
        // Only where it is empty now.
        let _ = std::fs::remove_dir(&folder);
    }
    Ok(())
}

fn folders(folder: &Path) -> Result<Vec<PathBuf>, RegistryError> {
    let entries = std::fs::read_dir(folder).map_err(RegistryError::io(folder))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>().map_err(RegistryError::io(folder))?;
    Ok(paths.into_iter().filter(|path| path.is_dir()).collect())
}
