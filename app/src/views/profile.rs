//! Profile: how fast, how big, how much memory, where the time goes, and whether it will fit. What to measure on top, the figures that one
//! looks for first on the right, the rest in sections below.

use std::path::Path;

use drydock_core::jobs::JobId;
use drydock_core::profile::ProfileReport;
use drydock_core::session::{Command, JobKind, JobState, OpenedModel, State};
use eframe::egui::Ui;

use self::form::ProfileForm;
use self::result::Tables;
use self::shown::Shown;
use crate::panels::job_tray;
use crate::theme;
use crate::ui_command::UiCommand;
use crate::view_context::ViewContext;
use crate::widgets::icon::{self, Icon};
use crate::widgets::message::{self, Tone};
use crate::widgets::page;

mod form;
mod result;
mod shown;

#[derive(Debug, Default)]
pub struct ProfileView {
    form: ProfileForm,
    shown: Option<Shown>,
    /// The configuration that was picked; else the one to take.
    chosen: Option<usize>,
    tables: Tables,
}

impl ProfileView {
    pub fn ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>) {
        let Some(opened) = &cx.state.opened else {
            super::without_model(
                ui,
                cx,
                Icon::Profile,
                "Profile a model",
                "How fast it is, how big, how much memory it takes, where the time goes, and whether it will fit somewhere else.",
            );
            return;
        };
        page::scrolled(ui, |ui| {
            ui.label(theme::title("Profile"));
            theme::card(ui).show(ui, |ui| {
                ui.set_width(theme::reading_width(ui));
                self.form.ui(ui, cx);
                ui.add_space(theme::STEP);
                self.run_line(ui, cx, opened);
            });
            if let Some(error) = super::latest_error(cx.state, JobKind::Profile) {
                message::banner(ui, Tone::Error, error);
            }
            self.follow(cx.state);
            match (&cx.state.profile, &self.shown) {
                (Some(report), Some(shown)) => result::sections(ui, cx.outbox, report, shown, &mut self.tables),
                _ if cx.running(JobKind::Profile).is_none() => self.empty(ui, cx, opened),
                _ => {}
            }
        });
    }

    pub fn result_ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>) {
        self.follow(cx.state);
        let (Some(report), Some(shown)) = (&cx.state.profile, &self.shown) else { return };
        let mut picked = None;
        page::scrolled(ui, |ui| {
            picked = result::headlines(ui, report, shown);
            ui.add_space(theme::SMALL_GAP);
            super::save_report_button(ui, cx, "Save the report…", || self.document(cx.state, report));
        });
        self.chosen = picked.or(self.chosen);
    }

    /// A table was dropped or chosen for its rows.
    pub fn use_rows(&mut self, path: &Path) {
        self.form.use_rows(path);
    }

    /// Where the dialog for a table starts.
    pub fn rows(&self) -> Option<std::path::PathBuf> {
        self.form.rows()
    }

    /// What a run would do, for "copy as command" and for the keyboard.
    pub fn command(&self, state: &State) -> Option<Command> {
        (state.opened.is_some() && !self.form.has_problem()).then(|| Command::Profile(self.form.request()))
    }

    fn document(&self, state: &State, report: &ProfileReport) -> drydock_core::report::Document {
        let mut document = report.document(self.shown.as_ref().and_then(|shown| shown.history.clone()));
        document.provenance.command = super::latest_line(state, JobKind::Profile);
        document
    }

    fn follow(&mut self, state: &State) {
        let known = self.shown.take();
        if known.as_ref().is_some_and(|known| !known.is_of(state)) {
            self.chosen = None;
        }
        self.shown = Shown::of(state, self.chosen, known);
    }

    fn run_line(&self, ui: &mut Ui, cx: &ViewContext<'_>, opened: &OpenedModel) {
        if let Some(job) = cx.running(JobKind::Profile) {
            ui.horizontal(|ui| job_tray::job_ui(ui, cx, job));
            return;
        }
        ui.horizontal(|ui| {
            let is_ready = !self.form.has_problem();
            let button = icon::primary_button(ui, Icon::Run, "Profile");
            let response = ui.add_enabled(is_ready, button).accessible_name(format!("Profile {}", opened.model.title()));
            let response = response.on_hover_text(UiCommand::RunProfile.tooltip()).on_disabled_hover_text("An option can't stand as it is written");
            if response.clicked() {
                cx.outbox.core(Command::Profile(self.form.request()));
            }
            super::copy_as_command_button(ui, cx);
        });
    }

    fn empty(&self, ui: &mut Ui, cx: &ViewContext<'_>, opened: &OpenedModel) {
        message::empty_state(
            ui,
            Icon::Profile,
            "Nothing is measured yet",
            "A profile keeps load, compilation, first run and warm runs apart, and says when a figure is not stable. Nothing else has to be set.",
            |ui| {
                let name = format!("Profile {} quickly", opened.model.title());
                let button = ui.add_enabled(!self.form.has_problem(), icon::button(Icon::Run, "Profile it quickly")).accessible_name(name);
                if button.on_hover_text(drydock_core::profile::Effort::Quick.describe()).clicked() {
                    cx.outbox.core(Command::Profile(self.form.quick_request()));
                }
            },
        );
    }
}

/// The job whose report is shown.
fn latest_profile(state: &State) -> Option<JobId> {
    state.jobs.iter().rev().find(|job| job.kind == JobKind::Profile && job.state == JobState::Done).map(|job| job.id)
}
