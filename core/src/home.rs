//! Where Drydock keeps what outlives a run, and the little it remembers there. The desktop and the terminal share it.

use std::io::Write as _;
use std::path::{Path, PathBuf};

/// What every face remembers from one run to the next.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Remembered {
    /// Models opened, newest first.
    pub recent_models: Vec<PathBuf>,
    /// Tables looked at, newest first.
    pub recent_tables: Vec<PathBuf>,
}

/// What was remembered can't be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HomeError {
    #[error("no folder for Drydock's data is known on this system; set DRYDOCK_HOME")]
    NoHome,
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{}: not what Drydock writes there: {reason}", path.display())]
    Malformed { path: PathBuf, reason: String },
}

/// The data home: `DRYDOCK_HOME`, else the platform's data folder. It may not exist yet.
pub fn folder() -> Result<PathBuf, HomeError> {
    if let Some(home) = std::env::var_os("DRYDOCK_HOME").filter(|home| !home.is_empty()) {
        return Ok(PathBuf::from(home));
    }
    directories::ProjectDirs::from("", "", "drydock").map(|dirs| dirs.data_dir().to_owned()).ok_or(HomeError::NoHome)
}

/// Where a face writes down how it broke, and what was printed while it could not be shown.
pub fn log_path() -> Result<PathBuf, HomeError> {
    Ok(folder()?.join("drydock.log"))
}

/// The log, to write behind what stands there; its folder is made if need be. One that has grown large begins anew.
pub fn open_log() -> Result<std::fs::File, HomeError> {
    const LARGE: u64 = 1 << 20;
    let path = log_path()?;
    let open = || {
        std::fs::create_dir_all(path.parent().unwrap_or(&path))?;
        if std::fs::metadata(&path).is_ok_and(|log| log.len() > LARGE) {
            std::fs::remove_file(&path)?;
        }
        std::fs::OpenOptions::new().create(true).append(true).open(&path)
    };
    open().map_err(|source| HomeError::Io { path: path.clone(), source })
}

impl Remembered {
    const FILE_NAME: &str = "remembered.json";

    /// Reads what was remembered; nothing, where nothing was ever written.
    pub fn load() -> Result<Self, HomeError> {
        Self::load_from(&folder()?)
    }

    pub fn load_from(home: &Path) -> Result<Self, HomeError> {
        let path = home.join(Self::FILE_NAME);
        match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| HomeError::Malformed { path, reason: error.to_string() }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(HomeError::Io { path, source }),
        }
    }

    pub fn save(&self) -> Result<(), HomeError> {
        self.save_to(&folder()?)
    }

    /// Writes to a temporary name and renames, so that another Drydock never reads half a file.
    pub fn save_to(&self, home: &Path) -> Result<(), HomeError> {
        let path = home.join(Self::FILE_NAME);
        let write = || {
            std::fs::create_dir_all(home)?;
            let mut file = tempfile::NamedTempFile::new_in(home)?;
            serde_json::to_writer_pretty(&mut file, self)?;
            file.write_all(b"\n")?;
            file.persist(&path).map_err(|error| error.error)?;
            Ok(())
        };
        write().map_err(|source| HomeError::Io { path: path.clone(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_remembered_comes_back() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path().join("deeper");
        assert_eq!(Remembered::load_from(&home).unwrap(), Remembered::default());
        let remembered = Remembered { recent_models: vec!["a/model.onnx".into()], recent_tables: Vec::new() };
        remembered.save_to(&home).unwrap();
        assert_eq!(Remembered::load_from(&home).unwrap(), remembered);
    }

    #[test]
    fn a_spoilt_file_is_named() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("remembered.json"), "[").unwrap();
        let error = Remembered::load_from(home.path()).unwrap_err().to_string();
        assert!(error.contains("remembered.json"), "{error}");
    }
}
