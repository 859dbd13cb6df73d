//! Profiling the opened model.

use super::{JobKind, JobResult, Session};
use crate::jobs::JobId;
use crate::profile::{self, ProfileReport, ProfileRequest};

impl Session {
    pub(super) fn profile(&mut self, request: ProfileRequest) -> Option<JobId> {
        let model = self.model()?;
        let label = format!("profiling {}", model.title());
        Some(self.start(JobKind::Profile, label, move |ctx| Ok(JobResult::Profiled(Box::new(profile::profile(ctx, &model, &request)?)))))
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
