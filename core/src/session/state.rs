//! What the faces draw: plain data with public fields.

use std::path::PathBuf;
use std::sync::Arc;

use crate::compare::CompareReport;
use crate::compare::check::CheckReport;
use crate::compare::diff::DiffReport;
use crate::data::TableInfo;
use crate::inspect::InspectReport;
use crate::jobs::JobId;
use crate::model::OpenModel;
use crate::package::{PackageCheck, PackageReport};
use crate::predict::{PredictReport, PredictRequest};
use crate::profile::{ProfileReport, ProfileSummary};
use crate::registry::RegistryView;
use crate::score::ScoreReport;
use crate::tensor::device::DeviceChoice;
use crate::verify::VerifyReport;

use super::{RegistryReport, Task};

/// Everything that a session knows.
#[derive(Debug, Default)]
pub struct State {
    pub opened: Option<OpenedModel>,
    /// The table looked at last.
    pub table: Option<TableInfo>,
    pub prediction: Option<PredictReport>,
    /// Why the latest prediction failed.
    pub prediction_error: Option<String>,
    /// The latest "what if", with the rows that it answers.
    pub what_if: Option<(PredictRequest, PredictReport)>,
    pub score: Option<ScoreReport>,
    /// The head of the table scored last.
    pub score_preview: Option<TableInfo>,
    pub verify: Option<VerifyReport>,
    /// The latest profile of the opened model.
    pub profile: Option<ProfileReport>,
    /// Profiles of the opened model, oldest first.
    pub profile_history: Vec<ProfileSummary>,
    /// The package made last.
    pub package: Option<PackageReport>,
    /// The package checked last.
    pub package_check: Option<PackageCheck>,
    /// The registry as it was read last; `None` until it was.
    pub registry: Option<RegistryView>,
    /// What came of the latest act on the registry.
    pub registry_report: Option<RegistryReport>,
    /// The comparison made last.
    pub comparison: Option<Arc<CompareReport>>,
    /// The check made last.
    pub check: Option<Arc<CheckReport>>,
    /// The files compared last.
    pub diff: Option<Arc<DiffReport>>,
    /// Every job but one-row predictions, oldest first.
    pub jobs: Vec<JobRecord>,
    /// Models opened, newest first; a face persists it.
    pub recent_models: Vec<PathBuf>,
}

/// A model with what was found out about it.
#[derive(Debug, Clone)]
pub struct OpenedModel {
    pub model: Arc<OpenModel>,
    pub report: Arc<InspectReport>,
    /// The device as it was asked for; `model.device` is what came of it.
    pub device: DeviceChoice,
}

/// A job, while it runs and after.
#[derive(Debug, Clone, PartialEq)]
pub struct JobRecord {
    pub id: JobId,
    pub kind: JobKind,
    /// "scoring march.csv".
    pub label: String,
    pub state: JobState,
    /// The `drydock …` line that does the same, where there is one.
    pub command_line: Option<String>,
    /// How long it took, once it has ended.
    pub seconds: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobKind {
    Open,
    /// An act on the registry.
    Registry,
    /// Making a package, or checking one.
    Package,
    /// Reading the registry again: no record is kept of it.
    Refresh,
    Describe,
    Predict,
    Score,
    Verify,
    Profile,
    Compare,
    Check,
    Diff,
}

impl JobKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Registry => "models",
            Self::Refresh => "refresh",
            Self::Package => "package",
            Self::Describe => "describe",
            Self::Predict => "predict",
            Self::Score => "score",
            Self::Verify => "verify",
            Self::Profile => "profile",
            Self::Compare => "compare",
            Self::Check => "check",
            Self::Diff => "diff",
        }
    }

    /// The task that shows such a job's result and its error.
    pub fn task(self) -> Task {
        match self {
            Self::Open | Self::Registry | Self::Refresh | Self::Package => Task::Models,
            Self::Predict => Task::Predict,
            Self::Describe | Self::Score => Task::Score,
            Self::Verify => Task::Jobs,
            Self::Profile => Task::Profile,
            Self::Compare | Self::Check | Self::Diff => Task::Compare,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobState {
    Running,
    Done,
    Cancelled,
    /// With the sentence that says why.
    Failed(String),
}

/// Recent models kept.
const RECENT_MODELS: usize = 12;

impl State {
    pub fn job(&self, id: JobId) -> Option<&JobRecord> {
        self.jobs.iter().find(|record| record.id == id)
    }

    /// Puts a model at the head of the recent ones.
    pub(super) fn remember(&mut self, path: PathBuf) {
        self.recent_models.retain(|known| *known != path);
        self.recent_models.insert(0, path);
        self.recent_models.truncate(RECENT_MODELS);
    }
}
