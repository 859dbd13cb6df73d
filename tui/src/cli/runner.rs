//! Runs commands through the session and waits for them: progress on stderr, Ctrl-C cancels.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use drydock_core::session::{Command, Event, JobState, OpenedModel, Session};
use drydock_core::task::ProgressCell;
use drydock_core::{format, home};

use super::args::CommonArgs;
use super::output::say;
use crate::text;

/// Why a command did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It ran, and its judgement is "no": exit code 1. The report has been printed.
    Judgement,
    /// Wrong usage or bad input: exit code 2.
    Error(String),
    /// Stopped by Ctrl-C: exit code 130.
    Cancelled,
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::Error(message)
    }
}

/// A session with the terminal's side of waiting.
pub struct Runner {
    pub session: Session,
    interrupts: Arc<AtomicUsize>,
    shows_progress: bool,
    is_quiet: bool,
}

/// Short work shows no progress: it would only flicker.
const PROGRESS_AFTER: Duration = Duration::from_millis(400);

impl Runner {
    pub fn new(common: &CommonArgs) -> Result<Self, Failure> {
        let interrupts = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&interrupts);
        let handler = move || {
            // Work stops at its next batch and removes what it had begun; who asks a third time wants out at any price.
            if counter.fetch_add(1, Ordering::Relaxed) >= 2 {
                std::process::exit(130);
            }
        };
        ctrlc::set_handler(handler).map_err(|error| Failure::Error(format!("Ctrl-C can't be handled: {error}")))?;
        let shows_progress = !common.quiet && !common.no_progress && std::io::stderr().is_terminal();
        // Without a data home models have no names, and nothing is recorded.
        let session = Session::new(|| {}).with_home(home::folder().ok());
        Ok(Self { session, interrupts, shows_progress, is_quiet: common.quiet })
    }

    /// Whether somebody watches stderr.
    pub fn shows_progress(&self) -> bool {
        self.shows_progress
    }

    /// Opens a model and returns it.
    pub fn open(&mut self, path: &Path, common: &CommonArgs) -> Result<OpenedModel, Failure> {
        self.run(Command::OpenModel { path: path.to_owned(), device: common.device })?;
        self.opened(path)
    }

    /// Opens a model to look at it only.
    pub fn look_at(&mut self, path: &Path, common: &CommonArgs) -> Result<OpenedModel, Failure> {
        self.run(Command::InspectModel { path: path.to_owned(), device: common.device })?;
        self.opened(path)
    }

    fn opened(&self, path: &Path) -> Result<OpenedModel, Failure> {
        self.session.state().opened.clone().ok_or_else(|| Failure::Error(format!("{}: the model was not opened", path.display())))
    }

    /// Does one command to its end.
    pub fn run(&mut self, command: Command) -> Result<(), Failure> {
        if self.interrupts.load(Ordering::Relaxed) > 0 {
            return Err(Failure::Cancelled);
        }
        let Some(job) = self.session.dispatch(command) else { return Ok(()) };
        let interrupts = Arc::clone(&self.interrupts);
        let mut line = ProgressLine { is_shown: false };
        let shows_progress = self.shows_progress;
        let state = self.session.wait(job, |session, progress| {
            if interrupts.load(Ordering::Relaxed) > 0 {
                session.dispatch(Command::Cancel(job));
            }
            if shows_progress && progress.elapsed() >= PROGRESS_AFTER {
                line.show(progress);
            }
        });
        line.clear();
        for event in self.session.poll() {
            if let (false, Event::Notice(notice)) = (self.is_quiet, event)
                && !notice.is_error
            {
                say(&format!("note: {}", notice.text));
            }
        }
        match state {
            JobState::Failed(message) => Err(Failure::Error(message)),
            JobState::Cancelled => Err(Failure::Cancelled),
            JobState::Running | JobState::Done => Ok(()),
        }
    }
}

/// One line of progress that vanishes.
struct ProgressLine {
    is_shown: bool,
}

impl ProgressLine {
    fn show(&mut self, progress: &ProgressCell) {
        let width = crossterm::terminal::size().map_or(80, |(columns, _)| usize::from(columns));
        let line = text::cut(&describe(progress), width.saturating_sub(1));
        let _ = write!(std::io::stderr().lock(), "\r\x1b[K{line}");
        self.is_shown = true;
    }

    fn clear(&mut self) {
        if self.is_shown {
            let _ = write!(std::io::stderr().lock(), "\r\x1b[K");
            self.is_shown = false;
        }
    }
}

/// `scoring march.csv  71 %  412,000 rows  217k rows/s  6 s left`.
fn describe(progress: &ProgressCell) -> String {
    let latest = progress.latest();
    let mut parts = vec![if latest.stage.is_empty() { "working".to_owned() } else { latest.stage.clone() }];
    if let Some(fraction) = latest.fraction() {
        parts.push(format!("{:.0} %", fraction * 100.0));
    }
    if latest.items > 0 {
        parts.push(format!("{} {}", format::count(latest.items), latest.item_unit));
        if let Some(rate) = progress.items_per_second() {
            parts.push(format!("{} {}/s", format::quantity(rate), latest.item_unit));
        }
    }
    if let Some(left) = progress.time_left() {
        parts.push(format!("{} left", format::duration(Duration::from_secs(left.as_secs().max(1)))));
    }
    parts.join("  ")
}
