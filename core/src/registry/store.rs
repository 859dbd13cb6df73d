//! The database: opened in write-ahead mode, brought to this schema, and used by any number of processes at once.
//!
//! Each change is one transaction that takes the write lock at its beginning, so that what it read still holds when it writes. A process that
//! finds the lock taken waits its turn; "database is locked" is never shown. `synchronous = FULL`: what was reported done is on the disk.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::error::Stop;
use super::{RegistryError, schema};

/// How long a process waits for others before it gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long SQLite itself waits at a time.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    connection: Connection,
    /// Where the home can't be written, a copy of the database is read.
    copy: Option<tempfile::TempDir>,
}

impl Store {
    const FILE_NAME: &str = "registry.db";

    pub(super) fn path(home: &Path) -> PathBuf {
        home.join(Self::FILE_NAME)
    }

    /// Opens the database of a home, and makes it where there is none.
    pub(super) fn open(home: &Path) -> Result<Self, RegistryError> {
        let path = Self::path(home);
        std::fs::create_dir_all(home).map_err(RegistryError::io(home))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Self::open_with(&path, flags).map_err(|stop| shown(stop, &path))
    }

    /// Opens the database of a home to read it; `None` where there is none. Of a home that can't be written, a copy is read.
    pub(super) fn open_to_read(home: &Path) -> Result<Option<Self>, RegistryError> {
        let path = Self::path(home);
        match path.try_exists() {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => return Ok(None),
            Err(source) => return Err(RegistryError::Io { path, source }),
        }
        match Self::open_with(&path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX) {
            Ok(store) => Ok(Some(store)),
            Err(Stop::Sql(error)) if is_not_writable(&error) => Self::open_copy(&path).map(Some),
            Err(stop) => Err(shown(stop, &path)),
        }
    }

    /// Reads a copy: SQLite itself needs to write beside a database in write-ahead mode even to read it.
    pub(super) fn open_copy(path: &Path) -> Result<Self, RegistryError> {
        let folder = tempfile::tempdir().map_err(|source| RegistryError::Io { path: std::env::temp_dir(), source })?;
        let copy = folder.path().join(Self::FILE_NAME);
        for suffix in ["-wal", ""] {
            let (from, to) = (with_suffix(path, suffix), with_suffix(&copy, suffix));
            match std::fs::copy(&from, &to) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound && !suffix.is_empty() => {}
                Err(source) => return Err(RegistryError::Io { path: from, source }),
                Ok(_) => make_writable(&to)?,
            }
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Self::open_with(&copy, flags).map_err(|stop| shown(stop, path))?;
        Ok(Self { path: path.to_owned(), copy: Some(folder), ..opened })
    }

    fn open_with(path: &Path, flags: OpenFlags) -> Result<Self, Stop> {
        let connection = patiently(path, || {
            let connection = Connection::open_with_flags(path, flags)?;
            connection.busy_timeout(BUSY_TIMEOUT)?;
            let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
            if mode != "wal" {
                connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
            }
            connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")?;
            Ok(connection)
        })?;
        let store = Self { path: path.to_owned(), connection, copy: None };
        schema::migrate(&store)?;
        Ok(store)
    }

    /// Whether this is the database itself rather than a copy to read.
    pub(super) fn is_writable(&self) -> bool {
        self.copy.is_none()
    }

    /// Reads. Everything that is read belongs to one state of the database.
    pub(super) fn read<T>(&self, work: impl Fn(&Connection) -> Result<T, Stop>) -> Result<T, RegistryError> {
        self.transaction("BEGIN DEFERRED", work).map_err(|stop| shown(stop, &self.path))
    }

    /// Changes: all of it or nothing, as if no other process were there. Once this returns, the change is on the disk.
    pub(super) fn write<T>(&self, work: impl Fn(&Connection) -> Result<T, Stop>) -> Result<T, RegistryError> {
        if !self.is_writable() {
            let reason = "it is read-only here".to_owned();
            return Err(RegistryError::NotWritable { path: self.path.clone(), reason });
        }
        self.transaction("BEGIN IMMEDIATE", work).map_err(|stop| shown(stop, &self.path))
    }

    pub(super) fn transaction<T>(&self, begin: &str, work: impl Fn(&Connection) -> Result<T, Stop>) -> Result<T, Stop> {
        patiently(&self.path, || {
            self.connection.execute_batch(begin)?;
            let result = work(&self.connection).and_then(|value| {
                self.connection.execute_batch("COMMIT")?;
                Ok(value)
            });
            if result.is_err() {
                // A failure may have ended the transaction by itself; then there is nothing to roll back.
                let _ = self.connection.execute_batch("ROLLBACK");
            }
            result
        })
    }

    /// A number that changes whenever another connection has changed the database.
    pub(super) fn data_version(&self) -> Result<i64, RegistryError> {
        let version = || Ok(self.connection.query_row("PRAGMA data_version", [], |row| row.get(0))?);
        patiently(&self.path, version).map_err(|stop| shown(stop, &self.path))
    }

    pub(super) fn file(&self) -> &Path {
        &self.path
    }

    /// Whether the database is whole, in SQLite's own words where it is not.
    pub(super) fn integrity(&self) -> Result<Vec<String>, RegistryError> {
        self.read(|connection| {
            let mut statement = connection.prepare("PRAGMA integrity_check")?;
            let lines = statement.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
            Ok(lines.into_iter().filter(|line| line != "ok").collect())
        })
    }
}

/// Tries again while other processes hold what is needed, with growing and uneven pauses.
fn patiently<T>(path: &Path, mut attempt: impl FnMut() -> Result<T, Stop>) -> Result<T, Stop> {
    let started = Instant::now();
    let mut pause = Duration::from_millis(2);
    loop {
        match attempt() {
            Err(Stop::Sql(error)) if is_busy(&error) => {
                if started.elapsed() > PATIENCE {
                    return Err(RegistryError::Busy { path: path.to_owned(), seconds: started.elapsed().as_secs() }.into());
                }
                let unevenness = started.elapsed().subsec_nanos() % 1000;
                std::thread::sleep(pause + pause * unevenness / 1000);
                pause = (pause * 2).min(Duration::from_millis(100));
            }
            result => return result,
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed))
}

fn is_not_writable(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied))
}

/// The sentence for what went wrong with the database at `path`.
fn shown(stop: Stop, path: &Path) -> RegistryError {
    let error = match stop {
        Stop::Error(error) => return error,
        Stop::Sql(error) => error,
    };
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => RegistryError::Io { path, source: std::io::Error::new(std::io::ErrorKind::StorageFull, "the disk is full") },
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            RegistryError::NotWritable { path, reason: error.to_string() }
        }
        Some(ErrorCode::SystemIoFailure) => RegistryError::Io { path, source: std::io::Error::other(format!("{error}; is the disk full?")) },
        _ => RegistryError::Malformed { path, reason: error.to_string() },
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// A copy takes over that its original was read-only.
fn make_writable(path: &Path) -> Result<(), RegistryError> {
    let change = || {
        let mut permissions = std::fs::metadata(path)?.permissions();
        #[cfg(unix)]
        std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o600);
        #[cfg(not(unix))]
        permissions.set_readonly(false);
        std::fs::set_permissions(path, permissions)
    };
    change().map_err(|source| RegistryError::Io { path: path.to_owned(), source })
}
