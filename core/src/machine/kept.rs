//! What is known of this machine from one run to the next, in a file of the data home. That it can't be kept costs a measurement, no more.

use std::collections::BTreeMap;
use std::path::Path;

use super::roof::Roof;

/// By the machine's hash.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub(super) struct Kept {
    pub machines: BTreeMap<String, Known>,
}

#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub(super) struct Known {
    /// One for each number of threads.
    pub roofs: Vec<Roof>,
    /// By the work: what it took at best in recent measurements, oldest first; see [`super::probe::Probe`].
    pub probe_seconds: BTreeMap<String, Vec<f64>>,
}

const FILE_NAME: &str = "machine.json";

impl Kept {
    /// What the data home knows; nothing where there is none, or where another version of this program wrote it.
    pub fn load(home: Option<&Path>) -> Self {
        let read = |home: &Path| serde_json::from_slice(&std::fs::read(home.join(FILE_NAME)).ok()?).ok();
        home.and_then(read).unwrap_or_default()
    }

    /// Writes it down.
    pub fn store(&self, home: Option<&Path>) {
        let write = |home: &Path| -> std::io::Result<()> {
            std::fs::create_dir_all(home)?;
            let mut file = tempfile::NamedTempFile::new_in(home)?;
            serde_json::to_writer_pretty(&mut file, self)?;
            file.persist(home.join(FILE_NAME)).map_err(|error| error.error)?;
            Ok(())
        };
        // Whoever asks next measures again.
        let _ = home.map(write);
    }
}
