//! 9 Jobs: what runs, what ran, what came of it.

use drydock_core::format;
use drydock_core::session::{Command, JobRecord, JobState, State};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::Line;

use super::{Context, Screen, View};
use crate::action::Action;
use crate::text::{Align, padded};
use crate::theme::{SPINNER, Theme};
use crate::widgets::{list, panel};
use drydock_core::session::Task;

#[derive(Default)]
pub struct JobsScreen {
    /// Counted from the newest.
    selected: usize,
}

impl JobsScreen {
    fn selected_job<'a>(&self, state: &'a State) -> Option<&'a JobRecord> {
        state.jobs.iter().rev().nth(self.selected)
    }
}

impl Screen for JobsScreen {
    fn task(&self) -> Task {
        Task::Jobs
    }

    fn act(&mut self, action: Action, cx: &mut Context<'_>) -> bool {
        let n_jobs = cx.session.state().jobs.len();
        if let Some(selected) = list::moved(self.selected, n_jobs, action) {
            self.selected = selected;
            return true;
        }
        if action != Action::CancelJob {
            return false;
        }
        match self.selected_job(cx.session.state()).map(|record| (record.id, record.state == JobState::Running)) {
            Some((id, true)) => {
                cx.session.dispatch(Command::Cancel(id));
            }
            _ => cx.say("this job has ended"),
        }
        true
    }

    fn draw(&self, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
        let theme = view.theme;
        let state = view.state();
        let details = if area.height >= 14 { 7 } else { 0 };
        let [top, bottom] = Layout::vertical([Constraint::Fill(1), Constraint::Length(details)]).areas(area);
        let inner = panel::panel(frame, top, "Jobs", true, theme);
        let width = usize::from(inner.width);
        if state.jobs.is_empty() {
            panel::lines(frame, inner, panel::sentence("Here stands what runs and what ran. Nothing has run yet.", width, theme.faint()));
            return;
        }
        let window = list::window(self.selected, state.jobs.len(), usize::from(inner.height));
        let jobs = state.jobs.iter().rev().enumerate().take(window.end).skip(window.start);
        let lines = jobs.map(|(index, job)| job_line(job, index == self.selected, width, view)).collect();
        panel::lines(frame, inner, lines);
        if let (true, Some(job)) = (details > 0, self.selected_job(state)) {
            let inner = panel::panel(frame, bottom, &job.label, false, theme);
            let text = match &job.state {
                JobState::Failed(message) => message.clone(),
                JobState::Running => progress_text(job, view),
                JobState::Done => "done".to_owned(),
                JobState::Cancelled => "cancelled; nothing half-written was left".to_owned(),
            };
            panel::lines(frame, inner, panel::sentence(&text, usize::from(inner.width), style_of(&job.state, theme)));
        }
    }

    fn hints(&self, state: &State) -> Vec<Action> {
        let is_running = self.selected_job(state).is_some_and(|record| record.state == JobState::Running);
        if is_running { vec![Action::CancelJob] } else { Vec::new() }
    }
}

fn job_line(job: &JobRecord, is_selected: bool, width: usize, view: View<'_>) -> Line<'static> {
    let (sign, word) = match &job.state {
        JobState::Running => (SPINNER.get(view.spinner % SPINNER.len()).copied().unwrap_or("·"), progress_text(job, view)),
        JobState::Done => ("✓", "done".to_owned()),
        JobState::Cancelled => ("·", "cancelled".to_owned()),
        JobState::Failed(_) => ("✗", "failed".to_owned()),
    };
    let time = job.seconds.map(format::seconds).unwrap_or_default();
    let room = width.saturating_sub(2 + 24 + 12);
    let text = format!("{sign} {}  {}{}", padded(&job.label, room, Align::Left), padded(&word, 22, Align::Left), padded(&time, 12, Align::Right));
    Line::styled(text, if is_selected { view.theme.selected() } else { style_of(&job.state, view.theme) })
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

fn style_of(state: &JobState, theme: Theme) -> Style {
    match state {
        JobState::Running => theme.accent(),
        JobState::Done => theme.good(),
        JobState::Cancelled => theme.warning(),
        JobState::Failed(_) => theme.bad(),
    }
}
