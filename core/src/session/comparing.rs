//! Comparing versions, and the gate before one ships.

use super::{JobKind, JobResult, Session, file_name};
use crate::compare::check::{self, CheckRequest};
use crate::compare::diff::{self, DiffRequest};
use crate::compare::{self, CompareRequest};
use crate::format;
use crate::jobs::JobId;

impl Session {
    pub(super) fn compare(&mut self, request: CompareRequest) -> JobId {
        let label = format!("comparing {} on {}", format::counted(request.versions.len() as u64, "version"), file_name(&request.data));
        let home = self.recording.home.clone();
        self.start(JobKind::Compare, label, move |ctx| Ok(JobResult::Compared(Box::new(compare::compare(ctx, home.as_deref(), &request)?))))
    }

    pub(super) fn diff(&mut self, request: DiffRequest) -> JobId {
        let label = format!("comparing the files {} and {}", file_name(&request.a), file_name(&request.b));
        let home = self.recording.home.clone();
        self.start(JobKind::Diff, label, move |ctx| Ok(JobResult::Diffed(Box::new(diff::diff(ctx, home.as_deref(), &request)?))))
    }

    pub(super) fn check(&mut self, request: CheckRequest) -> JobId {
        let label = format!("checking {}", file_name(&request.model));
        let home = self.recording.home.clone();
        self.start(JobKind::Check, label, move |ctx| Ok(JobResult::Checked(Box::new(check::check(ctx, home.as_deref(), &request)?))))
    }
}
