//! 9 Jobs: what runs, what ran, what came of it. Test sets are verified from here.

use crossterm::event::KeyEvent;
use drydock_core::format;
use drydock_core::session::{Command, JobKind, JobRecord, JobState, State, Task};
use drydock_core::verify::{VerifyReport, VerifyRequest};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{Context, Screen, View};
use crate::action::Action;
use crate::cli;
use crate::keymap::Place;
use crate::page::{Page, Tone};
use crate::text::{Align, cut, padded};
use crate::theme::{SPINNER, Theme};
use crate::widgets::path_field::{self, Wanted, expand_home};
use crate::widgets::scroll::Scroll;
use crate::widgets::text_field::TextField;
use crate::widgets::{list, panel};

#[derive(Default)]
pub struct JobsScreen {
    /// Counted from the newest.
    selected: usize,
    /// Where the test sets lie.
    folder: TextField,
    /// While the folder is being typed: the names that fit.
    typing: Option<Vec<String>>,
    /// The arrows move through what came of the job, rather than from job to job.
    reads_details: bool,
    scroll: Scroll,
}

const LABEL: &str = "test sets  ";

impl JobsScreen {
    fn selected_job<'a>(&self, state: &'a State) -> Option<&'a JobRecord> {
        state.jobs.iter().rev().nth(self.selected)
    }

    /// Begins to type where the test sets lie: beside the open model, unless another folder was typed before.
    pub fn ask_for_test_sets(&mut self, cx: &mut Context<'_>) {
        let beside = cx.session.state().opened.as_ref().and_then(|opened| opened.model.path.parent());
        if let (true, Some(beside)) = (self.folder.text().is_empty(), beside) {
            self.folder.set(&format!("{}/", beside.display()));
        }
        self.typing = Some(Vec::new());
    }

    fn verify(&mut self, cx: &mut Context<'_>) {
        self.typing = None;
        let folder = self.folder.text().trim();
        if folder.is_empty() {
            return;
        }
        let path = expand_home(folder);
        if drydock_core::package::is_package(&path) {
            cx.session.dispatch(Command::CheckPackage { path, device: cx.device });
            self.select(0);
            return;
        }
        let request = VerifyRequest { folders: vec![expand_home(folder)], device: cx.device, ..VerifyRequest::default() };
        cx.session.dispatch(Command::Verify(request));
        self.select(0);
    }

    fn select(&mut self, index: usize) {
        self.selected = index;
        self.scroll.reset();
        self.reads_details = false;
    }

    fn cancel(&self, cx: &mut Context<'_>) {
        match self.selected_job(cx.session.state()).map(|record| (record.id, record.state == JobState::Running)) {
            Some((id, true)) => {
                cx.session.dispatch(Command::Cancel(id));
            }
            _ => cx.say("this job has ended"),
        }
    }

    fn move_by(&mut self, action: Action, cx: &Context<'_>) {
        let state = cx.session.state();
        if self.reads_details {
            self.scroll.act(action);
        } else if let Some(selected) = list::moved(self.selected, state.jobs.len(), action) {
            self.select(selected);
        }
    }

    fn draw_list(&self, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
        let (theme, state) = (view.theme, view.state());
        let mut inner = panel::panel(frame, area, "Jobs", !self.reads_details, theme);
        let width = usize::from(inner.width);
        if let Some(candidates) = &self.typing {
            let (typed, cursor) = self.folder.visible(width.saturating_sub(LABEL.len()));
            let mut lines = vec![Line::from(vec![Span::styled(LABEL, theme.heading()), Span::raw(typed)])];
            lines.push(if candidates.is_empty() {
                Line::styled(cut("a folder with model.onnx and test_data_set_0, or of such; or a package", width), theme.faint())
            } else {
                Line::styled(cut(&candidates.join("  "), width), theme.faint())
            });
            if let Ok(column) = u16::try_from(LABEL.len() + cursor)
                && column < inner.width
                && inner.height > 0
            {
                frame.set_cursor_position((inner.x + column, inner.y));
            }
            panel::lines(frame, inner, lines);
            let used = 3.min(inner.height);
            inner = Rect { y: inner.y + used, height: inner.height - used, ..inner };
        }
        if state.jobs.is_empty() {
            let text = "Here stands what runs and what ran. Nothing has run yet. Press v to run a model's test sets.";
            panel::lines(frame, inner, panel::sentence(text, width, theme.faint()));
            return;
        }
        let window = list::window(self.selected, state.jobs.len(), usize::from(inner.height));
        let jobs = state.jobs.iter().rev().enumerate().take(window.end).skip(window.start);
        let lines = jobs.map(|(index, job)| job_line(job, index == self.selected, width, view)).collect();
        panel::lines(frame, inner, lines);
    }

    fn draw_details(&self, frame: &mut Frame<'_>, area: Rect, job: &JobRecord, view: View<'_>) {
        let inner = panel::panel(frame, area, &job.label, self.reads_details, view.theme);
        if job.state == JobState::Running {
            let text = progress_text(job, view);
            panel::lines(frame, inner, panel::sentence(&text, usize::from(inner.width), view.theme.accent()));
            return;
        }
        let page = details(job, view.state(), usize::from(inner.width));
        self.scroll.draw_page(frame, inner, &page, view.theme);
    }
}

impl Screen for JobsScreen {
    fn task(&self) -> Task {
        Task::Jobs
    }

    fn place(&self) -> Place {
        if self.typing.is_some() { Place::Typing } else { Place::Jobs }
    }

    fn act(&mut self, action: Action, cx: &mut Context<'_>) -> bool {
        match action {
            // While a folder is typed, there is one field alone.
            Action::Up | Action::Down if self.typing.is_some() => {}
            Action::Up | Action::Down | Action::PageUp | Action::PageDown | Action::First | Action::Last => self.move_by(action, cx),
            Action::NextPane | Action::PreviousPane => self.reads_details = !self.reads_details,
            Action::CancelJob => self.cancel(cx),
            Action::Verify => self.ask_for_test_sets(cx),
            Action::Accept => self.verify(cx),
            Action::Discard => self.typing = None,
            Action::Complete => self.typing = Some(path_field::complete(&mut self.folder, Wanted::Folder).candidates),
            _ => return false,
        }
        true
    }

    fn type_key(&mut self, key: KeyEvent, _cx: &mut Context<'_>) {
        if self.folder.handle(key) {
            self.typing = Some(Vec::new());
        }
    }

    fn paste(&mut self, text: &str, cx: &mut Context<'_>) {
        if self.typing.is_none() {
            self.folder.set("");
            self.ask_for_test_sets(cx);
            self.folder.set("");
        }
        self.folder.insert(text);
    }

    fn draw(&self, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
        let job = self.selected_job(view.state());
        let height = match job {
            Some(job) if area.height >= 14 && latest_report(job, view.state()).is_some_and(|report| !report.failures.is_empty()) => {
                area.height * 3 / 5
            }
            Some(_) if area.height >= 14 => 7,
            _ => 0,
        };
        let [top, bottom] = Layout::vertical([Constraint::Fill(1), Constraint::Length(height)]).areas(area);
        self.draw_list(frame, top, view);
        if let (true, Some(job)) = (height > 0, job) {
            self.draw_details(frame, bottom, job, view);
        }
    }

    fn hints(&self, state: &State) -> Vec<Action> {
        if self.typing.is_some() {
            return vec![Action::Accept, Action::Complete, Action::Discard];
        }
        let job = self.selected_job(state);
        let mut hints = Vec::new();
        if job.is_some_and(|record| record.state == JobState::Running) {
            hints.push(Action::CancelJob);
        }
        hints.push(Action::Verify);
        if job.is_some_and(|record| record.command_line.is_some()) {
            hints.push(Action::CopyCommand);
        }
        if job.is_some() {
            hints.push(Action::NextPane);
        }
        hints
    }

    fn command_line(&self, state: &State) -> Option<String> {
        self.selected_job(state)?.command_line.clone()
    }
}

/// The report of a verification, while it is the latest one.
fn latest_report<'a>(job: &JobRecord, state: &'a State) -> Option<&'a VerifyReport> {
    let latest = state.jobs.iter().rev().find(|record| record.kind == JobKind::Verify && record.state == JobState::Done)?;
    state.verify.as_ref().filter(|_| latest.id == job.id)
}

/// What came of a job that has ended.
fn details(job: &JobRecord, state: &State, width: usize) -> Page {
    let mut page = Page::new(width);
    let latest = state.jobs.iter().rev().find(|record| record.kind == JobKind::Package && record.state == JobState::Done);
    if let (Some(latest), JobState::Done) = (latest, &job.state)
        && latest.id == job.id
    {
        // Of making one and checking one, the label says which this was.
        match (&state.package_check, &state.package) {
            (Some(check), _) if job.label.starts_with("checking") => cli::package::describe(check, &mut page),
            (_, Some(report)) => page.line(&cli::package::summary(report)),
            _ => page.toned(Tone::Good, "done"),
        }
        return page;
    }
    match (&job.state, latest_report(job, state)) {
        (JobState::Done, Some(report)) => {
            cli::verify::verdict(report, &mut page);
            cli::verify::failures(report, &mut page);
        }
        (JobState::Done, None) if job.kind == JobKind::Verify => page.paragraph(Tone::Plain, "done; a later verification's report took its place"),
        (JobState::Done | JobState::Running, _) => page.toned(Tone::Good, "done"),
        (JobState::Cancelled, _) => page.line("cancelled; nothing half-written was left"),
        (JobState::Failed(message), _) => page.paragraph(Tone::Bad, message),
    }
    page
}

fn job_line(job: &JobRecord, is_selected: bool, width: usize, view: View<'_>) -> Line<'static> {
    let (sign, word) = match &job.state {
        JobState::Running => (SPINNER.get(view.spinner % SPINNER.len()).copied().unwrap_or("·"), progress_text(job, view)),
        JobState::Done => verdict(job, view.state()).unwrap_or_else(|| ("✓", "done".to_owned())),
        JobState::Cancelled => ("·", "cancelled".to_owned()),
        JobState::Failed(_) => ("✗", "failed".to_owned()),
    };
    let time = job.seconds.map(format::seconds).unwrap_or_default();
    let room = width.saturating_sub(2 + 24 + 12);
    let text = format!("{sign} {}  {}{}", padded(&job.label, room, Align::Left), padded(&word, 22, Align::Left), padded(&time, 12, Align::Right));
    Line::styled(text, if is_selected { view.theme.selected() } else { style_of(job, view) })
}

/// `✗`, `fail: 3 of 12` for a verification whose report is there.
fn verdict(job: &JobRecord, state: &State) -> Option<(&'static str, String)> {
    let report = latest_report(job, state)?;
    Some(match report.failed {
        0 => ("✓", "pass".to_owned()),
        failed => ("✗", format!("fail: {} of {}", format::count(failed), format::count(report.cases))),
    })
}

fn progress_text(job: &JobRecord, view: View<'_>) -> String {
    let Some(progress) = view.session.progress(job.id) else { return "running".to_owned() };
    let latest = progress.latest();
    let share = latest.fraction().map_or_else(|| "running".to_owned(), |fraction| format!("{:.0} %", fraction * 100.0));
    match progress.items_per_second() {
        Some(rate) => format!("{share} · {} {}/s", format::quantity(rate), latest.item_unit),
        None => share,
    }
}

fn style_of(job: &JobRecord, view: View<'_>) -> Style {
    let theme: Theme = view.theme;
    match &job.state {
        JobState::Running => theme.accent(),
        JobState::Done if latest_report(job, view.state()).is_some_and(|report| report.failed > 0) => theme.bad(),
        JobState::Done => theme.good(),
        JobState::Cancelled => theme.warning(),
        JobState::Failed(_) => theme.bad(),
    }
}
