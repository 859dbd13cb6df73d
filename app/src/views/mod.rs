//! The pages. Each draws the state, keeps what is typed into it, and sends actions outward.

pub mod compare;
pub mod inspect;
pub mod jobs;
pub mod models;
pub mod predict;
pub mod profile;
pub mod score;

use drydock_core::report::Document;
use drydock_core::session::{JobKind, JobRecord, JobState, State, Task};
use eframe::egui::Ui;

use crate::action::Action;
use crate::saving::Savable;
use crate::ui_command::UiCommand;
use crate::view_context::ViewContext;
use crate::widgets::icon::{self, Icon};
use crate::widgets::message;

/// Every page with what is typed into it.
#[derive(Debug, Default)]
pub struct Views {
    pub models: models::ModelsView,
    pub inspect: inspect::InspectView,
    pub predict: predict::PredictView,
    pub score: score::ScoreView,
    pub profile: profile::ProfileView,
    pub compare: compare::CompareView,
    pub jobs: jobs::JobsView,
}

impl Views {
    /// The centre of the window.
    pub fn ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>, page: Task) {
        match page {
            Task::Models => self.models.ui(ui, cx),
            Task::Inspect => self.inspect.ui(ui, cx),
            Task::Predict => self.predict.ui(ui, cx),
            Task::Score => self.score.ui(ui, cx),
            Task::Profile => self.profile.ui(ui, cx),
            Task::Compare => self.compare.ui(ui, cx),
            Task::Jobs => self.jobs.ui(ui, cx),
        }
    }

    /// Whether the page has something to say on the right.
    pub fn has_result(&self, cx: &ViewContext<'_>, page: Task) -> bool {
        match page {
            Task::Models | Task::Jobs => false,
            Task::Inspect => cx.state.opened.is_some(),
            Task::Predict => self.predict.has_result(cx),
            Task::Profile => cx.state.opened.is_some() && cx.state.profile.is_some(),
            Task::Compare => cx.state.comparison.is_some() || cx.state.check.is_some(),
            Task::Score => cx.state.opened.is_some() && (cx.state.score.is_some() || cx.state.table.is_some()),
        }
    }

    /// The right of the window: what came out.
    pub fn result_ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>, page: Task) {
        match page {
            Task::Models | Task::Jobs => {}
            Task::Inspect => self.inspect.result_ui(ui, cx),
            Task::Predict => self.predict.result_ui(ui, cx),
            Task::Score => self.score.result_ui(ui, cx),
            Task::Profile => self.profile.result_ui(ui, cx),
            Task::Compare => self.compare.result_ui(ui, cx),
        }
    }
}

/// Why the latest job of a kind failed; nothing if it did not, or a newer one runs.
pub fn latest_error(state: &State, kind: JobKind) -> Option<&str> {
    match state.jobs.iter().rev().find(|job| job.kind == kind) {
        Some(JobRecord { state: JobState::Failed(message), .. }) => Some(message),
        _ => None,
    }
}

/// A button that copies the command line of what the page is about to do.
fn copy_as_command_button(ui: &mut Ui, cx: &ViewContext<'_>) {
    let command = UiCommand::CopyAsCommand;
    if ui.add(icon::button(Icon::Copy, command.text())).on_hover_text(command.tooltip()).clicked() {
        cx.outbox.ui(command);
    }
}

/// A button that saves a report, which is made when it is pressed.
fn save_report_button(ui: &mut Ui, cx: &ViewContext<'_>, text: &str, document: impl FnOnce() -> Document) {
    if ui.add(icon::button(Icon::Save, text)).on_hover_text("As a page (HTML) or as Markdown").clicked() {
        cx.outbox.send(Action::Save(Box::new(Savable::Report(Box::new(document())))));
    }
}

/// The command of the report that is shown: of the latest job of a kind that is done.
fn latest_line(state: &State, kind: JobKind) -> Option<String> {
    let job = state.jobs.iter().rev().find(|job| job.kind == kind && job.state == JobState::Done)?;
    job.command_line.clone()
}

/// The page of a task that needs a model while none is open.
fn without_model(ui: &mut Ui, cx: &ViewContext<'_>, icon: Icon, title: &str, text: &str) {
    message::empty_state(ui, icon, title, text, |ui| {
        if let Some(sample) = cx.samples.first() {
            let button = icon::primary_button(ui, Icon::Models, "Open a sample model");
            if ui.add(button).on_hover_text(&sample.name).clicked() {
                cx.outbox.ui(UiCommand::OpenSample);
            }
        }
        if ui.add(icon::button(Icon::Folder, UiCommand::OpenModel.text())).clicked() {
            cx.outbox.ui(UiCommand::OpenModel);
        }
    });
}
