//! Profiling the opened model.

use std::path::Path;

use super::{JobKind, JobResult, Session};
use crate::jobs::JobId;
use crate::profile::{self, ProfileReport, ProfileRequest, ProfileSummary};
use crate::registry::{Registry, RunKind};

impl Session {
    pub(super) fn profile(&mut self, request: ProfileRequest) -> Option<JobId> {
        let model = self.model()?;
        let label = format!("profiling {}", model.title());
        let recorder = self.recorder();
        let home = self.recording.home.clone();
        Some(self.start(JobKind::Profile, label, move |ctx| {
            let report = profile::profile(ctx, &model, &request, home.as_deref())?;
            let past = home.as_deref().and_then(|home| past_profiles(home, model.sha256()));
            let summary = serde_json::to_value(report.summary()).unwrap_or_default();
            recorder.record(RunKind::Profile, model.sha256(), summary, &report);
            Ok(JobResult::Profiled(Box::new(report), past))
        }))
    }

    /// `past`: earlier profiles of the model, where there is a registry to tell.
    pub(super) fn profiled(&mut self, report: ProfileReport, past: Option<Vec<ProfileSummary>>) {
        if let Some(past) = past {
            self.state.profile_history = past;
        }
        self.state.profile_history.extend(report.summary());
        self.state.profile = Some(report);
    }

    /// What was measured of the last model says nothing of the next.
    pub(super) fn forget_profiles(&mut self) {
        self.state.profile = None;
        self.state.profile_history.clear();
    }
}

/// What the registry keeps of a model's profiles, oldest first; `None` where it can't be read, which whoever writes to it says.
fn past_profiles(home: &Path, sha256: &str) -> Option<Vec<ProfileSummary>> {
    let runs = Registry::open_to_read(home).ok()??.runs(sha256, Some(RunKind::Profile)).ok()?;
    Some(runs.into_iter().rev().filter_map(|run| serde_json::from_value(run.summary).ok()).collect())
}
