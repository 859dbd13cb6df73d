//! Comparing versions, and the gate before one ships.

use super::{JobKind, JobResult, Session};
use crate::compare::check::{self, CheckRequest};
use crate::compare::diff::{self, DiffRequest};
use crate::compare::{self, CompareRequest};
use crate::format;
use crate::jobs::JobId;
use crate::registry::RunKind;

impl Session {
    pub(super) fn compare(&mut self, request: CompareRequest) -> JobId {
        let label = format!("comparing {} on {}", format::counted(request.versions.len() as u64, "version"), format::file_name(&request.data));
        let home = self.recording.home.clone();
        let recorder = self.recorder();
        self.start(JobKind::Compare, label, move |ctx| {
            let report = compare::compare(ctx, home.as_deref(), &request)?;
            for (model_sha256, summary) in report.run_summaries() {
                recorder.record(RunKind::Compare, model_sha256, summary, &report.to_record());
            }
            Ok(JobResult::Compared(Box::new(report)))
        })
    }

    pub(super) fn diff(&mut self, request: DiffRequest) -> JobId {
        let label = format!("comparing the files {} and {}", format::file_name(&request.a), format::file_name(&request.b));
        let home = self.recording.home.clone();
        self.start(JobKind::Diff, label, move |ctx| Ok(JobResult::Diffed(Box::new(diff::diff(ctx, home.as_deref(), &request)?))))
    }

    pub(super) fn check(&mut self, request: CheckRequest) -> JobId {
        let label = format!("checking {}", format::file_name(&request.model));
        let home = self.recording.home.clone();
        let recorder = self.recorder();
        self.start(JobKind::Check, label, move |ctx| {
            let report = check::check(ctx, home.as_deref(), &request)?;
            // Kept under the hash of what was checked: it is what lets a protected alias go there. What can't even be opened has none.
            if let Some(model_sha256) = &report.model_sha256 {
                let conditions: Vec<&str> = report.conditions.iter().map(|condition| condition.name.as_str()).collect();
                recorder.record(
                    RunKind::Check,
                    model_sha256,
                    serde_json::json!({ "verdict": report.verdict, "conditions": conditions, "against": report.against }),
                    &report.to_record(),
                );
            }
            Ok(JobResult::Checked(Box::new(report)))
        })
    }
}
