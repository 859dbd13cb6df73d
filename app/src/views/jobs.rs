//! Jobs: what runs, what ran, and how it ended. Test sets are verified from here.

use std::path::Path;

use drydock_core::format;
use drydock_core::jobs::JobId;
use drydock_core::report::Verdict;
use drydock_core::session::{JobKind, JobRecord, JobState, State, Task};
use drydock_core::verify::{FailureKind, VerifyFailure, VerifyReport};
use eframe::egui::{Align, Label, Layout, RichText, Ui};

use crate::action::Action;
use crate::files::Purpose;
use crate::panels::job_tray;
use crate::theme;
use crate::ui_command::UiCommand;
use crate::view_context::ViewContext;
use crate::views::models::packages;
use crate::widgets::icon::{self, Icon};
use crate::widgets::path_field::PathField;
use crate::widgets::property::badge;
use crate::widgets::verdict;
use crate::widgets::{message, page};

#[derive(Debug, Default)]
pub struct JobsView {
    /// Where the test sets lie.
    folder: PathField,
}

/// Failures listed; whoever has more reads them in a terminal.
const FAILURES: usize = 200;

impl JobsView {
    /// Puts the cursor where a folder of test sets is asked for: the open model's, unless another stands there.
    pub fn wants_folder(&mut self, state: &State) {
        let beside = state.opened.as_ref().and_then(|opened| opened.model.path.parent());
        if let (true, Some(beside)) = (self.folder.text.trim().is_empty(), beside) {
            self.folder.text = beside.display().to_string();
        }
        self.folder.wants_focus = true;
    }

    pub fn ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>) {
        ui.label(theme::title("Jobs"));
        page::scrolled(ui, |ui| {
            ui.set_max_width(theme::reading_width(ui));
            self.verify_line(ui, cx);
            if cx.state.jobs.is_empty() {
                let text =
                    "Whatever takes longer than a moment is listed here: opening models, scoring tables, profiles, comparisons, packages, verifying.";
                message::empty_state(ui, Icon::Jobs, "Nothing has run yet", text, |ui| {
                    if ui.button("Go to Models").clicked() {
                        cx.outbox.ui(UiCommand::Show(Task::Models));
                    }
                });
                return;
            }
            // The newest first: that is the one somebody is looking for.
            let verified = latest_done(cx.state, JobKind::Verify);
            for record in cx.state.jobs.iter().rev() {
                theme::card(ui).show(ui, |ui| {
                    ui.set_min_width(ui.available_width());
                    let report = cx.state.verify.as_ref().filter(|_| verified == Some(record.id));
                    job_ui(ui, cx, record, report);
                    if let Some(report) = report.filter(|report| !report.failures.is_empty()) {
                        failures_ui(ui, report);
                    }
                });
            }
        });
    }

    /// Which test sets to run.
    fn verify_line(&mut self, ui: &mut Ui, cx: &ViewContext<'_>) {
        ui.horizontal(|ui| {
            ui.label("Test sets");
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let has_folder = !self.folder.text.trim().is_empty();
                let run = icon::primary_button(ui, Icon::Run, "Verify");
                let run = ui.add_enabled(has_folder, run).on_hover_text(UiCommand::Verify.tooltip()).clicked();
                if icon::icon_button(ui, Icon::Folder, "Choose a folder of test sets").clicked() {
                    cx.outbox.send(Action::Choose(Purpose::TestSets));
                }
                let hint = "a folder with model.onnx and test_data_set_0, or of such folders";
                let field = self.folder.ui(ui, "Folder of test sets", hint, |_: &Path| false);
                let folder = field.submitted.or_else(|| run.then(|| self.folder.path()));
                if let Some(folder) = folder {
                    cx.outbox.send(Action::Verify(folder));
                }
            });
        });
        ui.add_space(theme::STEP);
    }
}

fn job_ui(ui: &mut Ui, cx: &ViewContext<'_>, record: &JobRecord, report: Option<&VerifyReport>) {
    let palette = theme::palette(ui);
    if let Some(running) = cx.running.iter().find(|job| job.id == record.id) {
        ui.horizontal(|ui| job_tray::job_ui(ui, cx, running));
        return;
    }
    let (mark, word, color) = match (&record.state, judged(cx.state, record, report)) {
        (JobState::Running, _) => ("▶", "running", palette.accent),
        (JobState::Done, Some((verdict, word))) => (verdict::sign(verdict), word, verdict::color(ui, verdict)),
        (JobState::Done, None) => ("✓", "done", palette.pass),
        (JobState::Cancelled, _) => ("○", "cancelled", palette.weak_text),
        (JobState::Failed(_), _) => ("×", "failed", palette.fail),
    };
    ui.horizontal(|ui| {
        ui.label(RichText::new(mark).color(color));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if matches!(record.kind, JobKind::Score | JobKind::Profile | JobKind::Compare | JobKind::Check | JobKind::Diff | JobKind::Package)
                && ui.button("Show").clicked()
            {
                cx.outbox.ui(UiCommand::Show(record.kind.task()));
            }
            if let Some(line) = &record.command_line
                && icon::icon_button(ui, Icon::Copy, "Copy as command").on_hover_text(line).clicked()
            {
                cx.outbox.copy(line, line);
            }
            if let Some(seconds) = record.seconds {
                ui.label(theme::caption(ui, format::seconds(seconds))).on_hover_text(format!("{seconds} s"));
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.add(Label::new(theme::strong(&record.label)).truncate());
                badge(ui, word, color);
                if let Some(report) = report {
                    ui.add(Label::new(theme::caption(ui, counts(report))).truncate());
                }
            });
        });
    });
    if let JobState::Failed(message) = &record.state {
        ui.add(Label::new(message).wrap().selectable(true));
    }
}

/// What a job has judged, with its word, as long as its report is at hand.
fn judged<'a>(state: &'a State, record: &JobRecord, verified: Option<&VerifyReport>) -> Option<(Verdict, &'a str)> {
    let in_words = |verdict: Verdict| (verdict, verdict.word());
    let is_latest = || latest_done(state, record.kind) == Some(record.id);
    match record.kind {
        JobKind::Verify => verified.map(|report| in_words(Verdict::from(report.failed == 0))),
        JobKind::Check => state.check.as_ref().filter(|_| is_latest()).map(|report| in_words(report.verdict)),
        JobKind::Package => {
            let is_latest = packages::Act::of(record) == packages::Act::Check && packages::latest_check(state) == Some(record.id);
            let check = state.package_check.as_ref().filter(|_| is_latest)?;
            Some((packages::look(check.verdict).1, check.verdict.name()))
        }
        _ => None,
    }
}

/// The job whose report the state has.
fn latest_done(state: &State, kind: JobKind) -> Option<JobId> {
    state.jobs.iter().rev().find(|job| job.kind == kind && job.state == JobState::Done).map(|job| job.id)
}

/// `11 of 12 cases passed, 1 skipped`.
fn counts(report: &VerifyReport) -> String {
    let skipped = if report.skipped > 0 { format!(", {} skipped", format::count(report.skipped)) } else { String::new() };
    format!("{} of {} passed{skipped}", format::count(report.passed), format::counted(report.cases, "case"))
}

/// Why cases failed.
fn failures_ui(ui: &mut Ui, report: &VerifyReport) {
    for failure in report.failures.iter().take(FAILURES) {
        ui.separator();
        ui.scope(|ui| failure_ui(ui, failure));
    }
    let n_more = report.failures.len().saturating_sub(FAILURES);
    if n_more > 0 {
        ui.separator();
        ui.label(theme::caption(ui, format!("and {} more: copy the command to see them all in a terminal", format::count(n_more as u64))));
    }
}

fn failure_ui(ui: &mut Ui, failure: &VerifyFailure) {
    let palette = theme::palette(ui);
    let (word, color) = match failure.kind {
        FailureKind::Unsupported => ("unsupported", palette.warn),
        FailureKind::Mismatch => ("mismatch", palette.fail),
        FailureKind::Error => ("error", palette.fail),
    };
    ui.spacing_mut().interact_size.y = 20.0;
    ui.horizontal(|ui| {
        badge(ui, word, color);
        ui.add(Label::new(theme::strong(&failure.case)).truncate().selectable(true));
    });
    ui.add(Label::new(&failure.message).wrap().selectable(true));
}
