//! What a view may see while it draws.

use std::time::Duration;

use drydock_core::jobs::JobId;
use drydock_core::session::{JobKind, Session, State};

use crate::action::Outbox;
use crate::samples::Sample;

pub struct ViewContext<'a> {
    pub state: &'a State,
    pub running: &'a [RunningJob],
    pub samples: &'a [Sample],
    pub outbox: &'a Outbox,
}

/// A running job with its progress at the time of the frame.
#[derive(Debug, Clone)]
pub struct RunningJob {
    pub id: JobId,
    pub kind: JobKind,
    pub label: String,
    /// What it does now; may be empty.
    pub stage: String,
    /// 0 to 1; `None` while the end is unknown.
    pub fraction: Option<f64>,
    pub items: u64,
    pub item_unit: &'static str,
    pub items_per_second: Option<f64>,
    pub elapsed: Duration,
    pub time_left: Option<Duration>,
}

/// Every running job that is worth showing, oldest first. One-row predictions are not.
pub fn running_jobs(session: &Session) -> Vec<RunningJob> {
    let records = &session.state().jobs;
    let shown = session.running().into_iter().filter_map(|(id, progress)| {
        let record = records.iter().rev().find(|record| record.id == id)?;
        let cell = session.progress(id)?;
        Some(RunningJob {
            id,
            kind: record.kind,
            label: record.label.clone(),
            fraction: progress.fraction(),
            items: progress.items,
            stage: progress.stage,
            item_unit: progress.item_unit,
            items_per_second: cell.items_per_second(),
            elapsed: cell.elapsed(),
            time_left: cell.time_left(),
        })
    });
    shown.collect()
}

impl ViewContext<'_> {
    /// The running job of a kind, if there is one.
    pub fn running(&self, kind: JobKind) -> Option<&RunningJob> {
        self.running.iter().find(|job| job.kind == kind)
    }
}
