//! Looking at tables, scoring them, and verifying models against test sets.

use std::path::PathBuf;

use super::{JobKind, JobResult, Session};
use crate::jobs::JobId;
use crate::registry::RunKind;
use crate::score::ScoreRequest;
use crate::verify::VerifyRequest;
use crate::{data, format, score, verify};

/// Rows of a table that faces show before it is scored.
const PREVIEW_ROWS: usize = 50;

/// Rows of a scored table that faces show.
const SCORED_PREVIEW_ROWS: usize = 1000;

impl Session {
    pub(super) fn describe(&mut self, path: PathBuf) -> JobId {
        let label = format!("reading {}", format::file_name(&path));
        self.start(JobKind::Describe, label, move |_| Ok(JobResult::Described(Box::new(data::describe(&path, PREVIEW_ROWS)?))))
    }

    pub(super) fn score(&mut self, request: ScoreRequest) -> Option<JobId> {
        let model = self.model()?;
        let label = format!("scoring {}", format::file_name(&request.data));
        let recorder = self.recorder();
        Some(self.start(JobKind::Score, label, move |ctx| {
            let report = score::score(ctx, &model, &request)?;
            let summary = serde_json::json!({ "data": &request.data, "rows": report.rows, "metrics": &report.metrics });
            recorder.record(RunKind::Score, model.sha256(), summary, &report);
            // The file is written and the job a success even if its head can't be shown.
            let preview = data::describe(&report.output, SCORED_PREVIEW_ROWS).ok().map(Box::new);
            Ok(JobResult::Scored(Box::new(report), preview))
        }))
    }

    pub(super) fn verify(&mut self, request: VerifyRequest) -> JobId {
        let label = match request.folders.as_slice() {
            [folder] => format!("verifying {}", format::file_name(folder)),
            folders => format!("verifying {}", format::counted(folders.len() as u64, "folder")),
        };
        self.start(JobKind::Verify, label, move |ctx| Ok(JobResult::Verified(verify::verify(ctx, &request)?)))
    }
}
