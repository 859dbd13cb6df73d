//! Jobs: what runs, what ran, and how it ended.

use drydock_core::format;
use drydock_core::session::{JobKind, JobRecord, JobState};
use eframe::egui::{Align, Label, Layout, RichText, ScrollArea, Ui};

use crate::panels::job_tray;
use crate::theme;
use crate::ui_command::UiCommand;
use crate::ui_state::Page;
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
                        cx.outbox.ui(UiCommand::Show(Page::Models));
                    }
                },
            );
            return;
        }
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            ui.set_max_width(theme::reading_width(ui));
            // The newest first: that is the one somebody is looking for.
            for record in cx.state.jobs.iter().rev() {
                theme::card(ui).show(ui, |ui| {
                    ui.set_min_width(ui.available_width());
                    job_ui(ui, cx, record);
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
            let page = super::page_of(record.kind);
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
