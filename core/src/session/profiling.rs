//! Profiling the opened model.

use super::{JobKind, JobResult, Session};
use crate::jobs::JobId;
use crate::profile::{self, ProfileRequest};

impl Session {
    pub(super) fn profile(&mut self, request: ProfileRequest) -> Option<JobId> {
        let model = self.model()?;
        let label = format!("profiling {}", model.title());
        Some(self.start(JobKind::Profile, label, move |ctx| Ok(JobResult::Profiled(Box::new(profile::profile(ctx, &model, &request)?)))))
    }
}
