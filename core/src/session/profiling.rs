//! Profiling the opened model.

use super::{JobKind, JobResult, Session};
use crate::jobs::JobId;
use crate::profile::{self, ProfileReport, ProfileRequest};
use crate::registry::RunKind;

impl Session {
    pub(super) fn profile(&mut self, request: ProfileRequest) -> Option<JobId> {
        let model = self.model()?;
        let label = format!("profiling {}", model.title());
        let recorder = self.recorder();
        Some(self.start(JobKind::Profile, label, move |ctx| {
            let report = profile::profile(ctx, &model, &request)?;
            let summary = serde_json::to_value(report.summary()).unwrap_or_default();
            recorder.record(RunKind::Profile, &model, summary, &report);
            Ok(JobResult::Profiled(Box::new(report)))
        }))
    }

    pub(super) fn profiled(&mut self, report: ProfileReport) {
        self.state.profile_history.extend(report.summary());
        self.state.profile = Some(report);
    }

    /// What was measured of the last model says nothing of the next.
    pub(super) fn forget_profiles(&mut self) {
        self.state.profile = None;
        self.state.profile_history.clear();
    }
}
