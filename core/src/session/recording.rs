//! What jobs leave in the registry: a record of each run, under the hash of the model's content.

use std::path::PathBuf;

use crossbeam_channel::{Receiver, Sender, TrySendError};

use super::{Event, Notice, Session};
use crate::registry::{Registry, RunKind, RunRecord};

/// Sentences on their way to the session; of more at a time nobody would read any.
const NOTES: usize = 16;

/// Hands records from a job to the registry. That a run can't be recorded costs the record, not the run.
#[derive(Debug, Clone)]
pub(super) struct Recorder {
    home: Option<PathBuf>,
    notes: Sender<String>,
}

impl Recorder {
    /// Records a run that has just ended, of the model with this [`crate::model::OpenModel::sha256`]. `summary` is what lists show; of a check it
    /// holds the `verdict`, `pass` or `fail`.
    pub(super) fn record(&self, kind: RunKind, model_sha256: &str, summary: serde_json::Value, report: &impl serde::Serialize) {
        let Some(home) = &self.home else { return };
        let report = serde_json::to_value(report).unwrap_or(serde_json::Value::Null);
        let run = RunRecord::now(kind, model_sha256, summary, report);
        if let Err(error) = Registry::open(home).and_then(|registry| registry.record_run(&run)) {
            self.note(format!("the {} is done, but not recorded: {error}", kind.name()));
        }
    }

    /// Says a sentence to the user.
    pub(super) fn note(&self, text: String) {
        match self.notes.try_send(text) {
            // Full: the reader has sentences enough. Gone: nobody is left to tell.
            Ok(()) | Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
        }
    }
}

/// The session's end of its recorders.
#[derive(Debug)]
pub(super) struct Recording {
    pub home: Option<PathBuf>,
    sender: Sender<String>,
    notes: Receiver<String>,
}

impl Default for Recording {
    fn default() -> Self {
        let (sender, notes) = crossbeam_channel::bounded(NOTES);
        Self { home: None, sender, notes }
    }
}

impl Session {
    /// With the registry of a data home. Without one, runs are not recorded and models have no names.
    pub fn with_home(mut self, home: Option<PathBuf>) -> Self {
        self.recording.home = home;
        self
    }

    /// For a job that ends in a record.
    pub(super) fn recorder(&self) -> Recorder {
        Recorder { home: self.recording.home.clone(), notes: self.recording.sender.clone() }
    }

    /// Passes on what recorders had to say.
    pub(super) fn take_notes(&mut self) {
        self.events.extend(self.recording.notes.try_iter().map(|text| Event::Notice(Notice { is_error: false, text })));
    }
}
