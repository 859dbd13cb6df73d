//! Jobs: what runs, what ran, and how it ended.

use drydock_core::format;
use drydock_core::session::{JobKind, JobRecord, JobState, Task};
use drydock_core::verify::VerifyReport;
use eframe::egui::{Align, Label, Layout, RichText, ScrollArea, Ui};

use crate::panels::job_tray;
use crate::theme;
use crate::ui_command::UiCommand;
use crate::view_context::ViewContext;
use crate::widgets::icon::Icon;
use crate::widgets::message;
use crate::widgets::property::badge;

#[derive(Debug, Default)]
pub struct JobsView;

impl JobsView {
    pub fn ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>) {
        ui.label(theme::title("Jobs"));
        if cx.state.jobs.is_empty() {
            message::empty_state(
                ui,
                Icon::Jobs,
                "Nothing has run yet",
                "Whatever takes longer than a moment is listed here: opening models, scoring tables.",
                |ui| {
                    if ui.button("Go to Models").clicked() {
                        cx.outbox.ui(UiCommand::Show(Task::Models));
                    }
                },
            );
            return;
        }
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            ui.set_max_width(theme::reading_width(ui));
            // The newest first: that is the one somebody is looking for.
            let verified = cx.state.jobs.iter().rev().find(|job| job.kind == JobKind::Verify && job.state == JobState::Done).map(|job| job.id);
            for record in cx.state.jobs.iter().rev() {
                theme::card(ui).show(ui, |ui| {
                    ui.set_min_width(ui.available_width());
                    job_ui(ui, cx, record);
                    if let Some(report) = cx.state.verify.as_ref().filter(|_| verified == Some(record.id)) {
                        verify_ui(ui, report);
                    }
                });
            }
        });
    }
}

fn job_ui(ui: &mut Ui, cx: &ViewContext<'_>, record: &JobRecord) {
    let palette = theme::palette(ui);
    if let Some(running) = cx.running.iter().find(|job| job.id == record.id) {
        ui.horizontal(|ui| job_tray::job_ui(ui, cx, running));
        return;
    }
    let (mark, word, color) = match &record.state {
        JobState::Running => ("▶", "running", palette.accent),
        JobState::Done => ("✓", "done", palette.pass),
        JobState::Cancelled => ("○", "cancelled", palette.weak_text),
        JobState::Failed(_) => ("×", "failed", palette.fail),
    };
    ui.horizontal(|ui| {
        ui.label(RichText::new(mark).color(color));
        ui.add(Label::new(theme::strong(&record.label)).truncate());
        badge(ui, word, color);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let page = record.kind.task();
            if record.kind == JobKind::Score && ui.button("Show").clicked() {
                cx.outbox.ui(UiCommand::Show(page));
            }
            if let Some(seconds) = record.seconds {
                ui.label(theme::caption(ui, format::seconds(seconds))).on_hover_text(format!("{seconds} s"));
            }
        });
    });
    if let JobState::Failed(message) = &record.state {
        ui.add(Label::new(message).wrap().selectable(true));
    }
}

/// The verdict on test sets, and why cases failed.
fn verify_ui(ui: &mut Ui, report: &VerifyReport) {
    let palette = theme::palette(ui);
    let (word, color) = if report.failed == 0 { ("✓ pass", palette.pass) } else { ("× fail", palette.fail) };
    ui.horizontal(|ui| {
        badge(ui, word, color);
        let skipped = if report.skipped > 0 { format!(", {} skipped", format::count(report.skipped)) } else { String::new() };
        ui.label(format!("{} of {} passed{skipped}", format::count(report.passed), format::counted(report.cases, "case")));
    });
    for failure in &report.failures {
        ui.add(Label::new(format!("{}: {}", failure.case, failure.message)).wrap().selectable(true));
    }
}
