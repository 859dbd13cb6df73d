//! Starting what a page is for, and the command line that would do the same.

use drydock_core::session::{Command, JobKind, JobState, Task, command_line};
use eframe::egui::Context;

use super::DrydockApp;

impl DrydockApp {
    /// What the page shown is for; on a page that runs nothing by itself, scoring, if there is something to score.
    pub(super) fn run_page(&mut self) {
        match self.ui_state.page {
            Task::Profile => self.run_profile(),
            Task::Compare => self.run_compare(),
            Task::Models if self.views.models.packages.asks() => self.views.models.packages.pack(&self.outbox, self.session.state()),
            _ if self.views.score.command(self.session.state()).is_some() => self.run_score(),
            _ => {}
        }
    }

    pub(super) fn run_score(&mut self) {
        self.run(Task::Score, JobKind::Score, self.views.score.command(self.session.state()));
    }

    pub(super) fn run_profile(&mut self) {
        self.run(Task::Profile, JobKind::Profile, self.views.profile.command(self.session.state()));
    }

    pub(super) fn run_compare(&mut self) {
        self.run(Task::Compare, JobKind::Compare, self.views.compare.command(self.session.state()));
    }

    /// Starts what a page is for, unless that is running.
    fn run(&mut self, page: Task, kind: JobKind, command: Option<Command>) {
        let is_running = self.session.state().jobs.iter().any(|job| job.kind == kind && job.state == JobState::Running);
        self.ui_state.page = page;
        if let Some(command) = command.filter(|_| !is_running) {
            self.session.dispatch(command);
        }
    }

    pub(super) fn copy_as_command(&mut self, ctx: &Context) {
        let state = self.session.state();
        let open = || {
            let opened = state.opened.as_ref()?;
            Some(Command::OpenModel { path: opened.model.argument(), device: opened.device })
        };
        let line_of = |command: Option<Command>| command.and_then(|command| command_line(&command, state));
        let line = match self.ui_state.page {
            Task::Predict => line_of(self.views.predict.command()),
            Task::Score => line_of(self.views.score.command(state)),
            Task::Models => self.views.models.packages.command_line().or_else(|| line_of(open())),
            Task::Inspect => line_of(open()),
            Task::Profile => line_of(self.views.profile.command(state)),
            Task::Compare => line_of(self.views.compare.command(state)),
            Task::Jobs => state.jobs.iter().rev().find_map(|job| job.command_line.clone()),
        };
        match line {
            Some(line) => self.outbox.copy(&line, &line),
            None => self.toast(ctx, "There is nothing here that a command could do.", None),
        }
    }
}
