//! Files that appear whole or not at all: written under a temporary name in the same folder, renamed when all is well.

use std::error::Error;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::data::DataError;

/// A file being written. Dropped without [`AtomicFile::commit`], it leaves nothing behind.
#[derive(Debug)]
pub struct AtomicFile {
    path: PathBuf,
    target: Target,
}

#[derive(Debug)]
enum Target {
    Temporary {
        file: NamedTempFile,
        overwrite: bool,
    },
    /// A device or a pipe, which can't be renamed to.
    Direct(File),
}

impl AtomicFile {
    /// Starts a file. An existing one is an error unless `overwrite`; it is replaced only by [`Self::commit`].
    pub fn create(path: &Path, overwrite: bool) -> Result<Self, DataError> {
        let unsuitable = |message: String| DataError::Unsuitable { path: path.to_owned(), message };
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => return Err(unsuitable("this is a folder; the name of a file to write was expected".to_owned())),
            Ok(metadata) if !metadata.is_file() => {
                let file = OpenOptions::new().write(true).open(path).map_err(|error| write_error(path, &error))?;
                return Ok(Self { path: path.to_owned(), target: Target::Direct(file) });
            }
            Ok(_) if !overwrite => return Err(DataError::OutputExists(path.to_owned())),
            _ => {}
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
        let Some(name) = path.file_name() else { return Err(unsuitable("the name of a file to write was expected".to_owned())) };
        let mut prefix = std::ffi::OsString::from(".");
        prefix.push(name);
        prefix.push(".");
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(".part");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            // As any new file: the user's umask decides.
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let file = builder.tempfile_in(folder).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => unsuitable(format!("the folder '{}' does not exist; create it first", folder.display())),
            io::ErrorKind::PermissionDenied => unsuitable(format!("no permission to write to the folder '{}'", folder.display())),
            _ => write_error(path, &error),
        })?;
        Ok(Self { path: path.to_owned(), target: Target::Temporary { file, overwrite } })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the file its name.
    pub fn commit(self) -> Result<(), DataError> {
        let path = self.path;
        match self.target {
            Target::Direct(mut file) => file.flush().map_err(|error| write_error(&path, &error)),
            Target::Temporary { file, overwrite: true } => file.persist(&path).map(drop).map_err(|error| write_error(&path, &error.error)),
            // Somebody else may have written it in the meantime.
            Target::Temporary { file, overwrite: false } => file.persist_noclobber(&path).map(drop).map_err(|error| match error.error.kind() {
                io::ErrorKind::AlreadyExists => DataError::OutputExists(path.clone()),
                _ => write_error(&path, &error.error),
            }),
        }
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.target {
            Target::Temporary { file, .. } => file.as_file_mut().write(bytes),
            Target::Direct(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.target {
            Target::Temporary { file, .. } => file.as_file_mut().flush(),
            Target::Direct(file) => file.flush(),
        }
    }
}

/// An error while writing, as a sentence.
pub fn write_error(path: &Path, error: &(dyn Error + 'static)) -> DataError {
    let message = match io_kind(error) {
        Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => "the disk is full; free some space or write elsewhere".to_owned(),
        Some(io::ErrorKind::PermissionDenied) => "no permission to write this file".to_owned(),
        Some(io::ErrorKind::ReadOnlyFilesystem) => "the disk is read-only; write elsewhere".to_owned(),
        _ => format!("can't be written: {error}"),
    };
    DataError::Unsuitable { path: path.to_owned(), message }
}

/// The kind of the input/output error at the bottom of a library's error.
fn io_kind(error: &(dyn Error + 'static)) -> Option<io::ErrorKind> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return Some(io.kind());
        }
        cause = error.source();
    }
    None
}

/// Whether two paths lead to one file.
pub fn is_same_file(a: &Path, b: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        if let (Ok(a), Ok(b)) = (std::fs::metadata(a), std::fs::metadata(b)) {
            return a.dev() == b.dev() && a.ino() == b.ino();
        }
    }
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv");
        let mut file = AtomicFile::create(&path, false).unwrap();
        file.write_all(b"half").unwrap();
        assert!(!path.exists());
        drop(file);
        assert!(names(folder.path()).is_empty());
        let mut file = AtomicFile::create(&path, false).unwrap();
        file.write_all(b"whole").unwrap();
        file.commit().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
        assert_eq!(names(folder.path()), ["out.csv"]);
    }

    #[test]
    fn an_existing_file_is_replaced_only_when_asked_and_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv");
        std::fs::write(&path, "old").unwrap();
        assert!(matches!(AtomicFile::create(&path, false), Err(DataError::OutputExists(_))));
        let mut file = AtomicFile::create(&path, true).unwrap();
        file.write_all(b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        file.commit().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn a_file_that_came_in_between_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv");
        let file = AtomicFile::create(&path, false).unwrap();
        std::fs::write(&path, "theirs").unwrap();
        assert!(matches!(file.commit(), Err(DataError::OutputExists(_))));
        assert_eq!(std::fs::read(&path).unwrap(), b"theirs");
        assert_eq!(names(folder.path()), ["out.csv"]);
    }

    #[test]
    fn places_that_take_no_file_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = AtomicFile::create(folder.path(), true).unwrap_err().to_string();
        assert!(error.contains("this is a folder"), "{error}");
        let error = AtomicFile::create(&folder.path().join("nowhere/out.csv"), true).unwrap_err().to_string();
        assert!(error.contains("does not exist; create it first"), "{error}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_a_sentence() {
        let mut file = AtomicFile::create(Path::new("/dev/full"), false).unwrap();
        let error = file.write_all(b"text").unwrap_err();
        assert_eq!(write_error(Path::new("/dev/full"), &error).to_string(), "/dev/full: the disk is full; free some space or write elsewhere");
    }
}
