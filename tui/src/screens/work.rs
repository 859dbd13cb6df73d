//! A job that a screen began: how far it is, how it ended.

use std::time::Duration;

use drydock_core::format;
use drydock_core::jobs::JobId;
use drydock_core::session::{Command, JobKind, JobState, State};
use ratatui::text::{Line, Span};

use super::{Context, View};
use crate::text::cut;
use crate::widgets::{bar, panel};

/// At most one job; after it, why it gave nothing.
#[derive(Debug, Default)]
pub struct Work {
    job: Option<JobId>,
    failure: Option<Failure>,
}

/// Why a job gave nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    Cancelled,
    Failed(String),
}

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Done,
    /// Cancelled or failed: [`Work::failure`] says which.
    Failed,
}

impl Work {
    /// Begins, with nothing left of the time before.
    pub fn begin(&mut self, command: Command, cx: &mut Context<'_>) {
        *self = Self { job: cx.session.dispatch(command), failure: None };
    }

    pub fn is_running(&self) -> bool {
        self.job.is_some()
    }

    /// What kind of job runs.
    pub fn kind(&self, state: &State) -> Option<JobKind> {
        Some(state.job(self.job?)?.kind)
    }

    pub fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// How the job has ended, told once.
    pub fn take_end(&mut self, state: &State) -> Option<End> {
        let record = state.job(self.job?)?;
        self.failure = match &record.state {
            JobState::Running => return None,
            JobState::Done => None,
            JobState::Cancelled => Some(Failure::Cancelled),
            JobState::Failed(message) => Some(Failure::Failed(message.clone())),
        };
        self.job = None;
        Some(if self.failure.is_some() { End::Failed } else { End::Done })
    }

    /// What failed is of no interest any more.
    pub fn forget_failure(&mut self) {
        self.failure = None;
    }

    pub fn cancel(&self, cx: &mut Context<'_>) {
        if let Some(job) = self.job {
            cx.session.dispatch(Command::Cancel(job));
        }
    }

    /// How far it is and what it does now; nothing while nothing runs.
    pub fn progress_lines(&self, width: usize, view: View<'_>) -> Vec<Line<'static>> {
        let Some(job) = self.job else { return Vec::new() };
        let mut lines = vec![running_line(job, width, view)];
        if let Some(progress) = view.session.progress(job) {
            lines.push(Line::styled(cut(&progress.latest().stage, width), view.theme.faint()));
        }
        lines
    }

    /// Why there is nothing; `cancelled` is what is said where the user stopped it.
    pub fn failure_lines(&self, cancelled: &str, width: usize, view: View<'_>) -> Vec<Line<'static>> {
        match &self.failure {
            None => Vec::new(),
            Some(Failure::Cancelled) => vec![Line::styled(cancelled.to_owned(), view.theme.warning())],
            Some(Failure::Failed(message)) => panel::sentence(message, width, view.theme.bad()),
        }
    }
}

/// `███████░░░░  71 %   412k rows/s   6 s left`.
fn running_line(job: JobId, width: usize, view: View<'_>) -> Line<'static> {
    let Some(progress) = view.session.progress(job) else { return Line::default() };
    let latest = progress.latest();
    let mut text = match latest.fraction() {
        Some(fraction) => format!("  {:>3.0} %", fraction * 100.0),
        None if latest.items == 0 => "  starting…".to_owned(),
        None => format!("  {} {}", format::count(latest.items), latest.item_unit),
    };
    if let Some(rate) = progress.items_per_second() {
        text.push_str(&format!("   {} {}/s", format::quantity(rate), latest.item_unit));
    }
    if let Some(left) = progress.time_left() {
        text.push_str(&format!("   {} left", format::duration(Duration::from_secs(left.as_secs().max(1)))));
    }
    let bar_width = width.saturating_sub(40);
    let mut spans = bar::progress(latest.fraction().unwrap_or(0.0), bar_width, view.theme);
    spans.push(Span::raw(cut(&text, width.saturating_sub(bar_width))));
    Line::from(spans)
}
