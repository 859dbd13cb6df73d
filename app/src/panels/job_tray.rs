//! Running jobs at the bottom of the window: how far, how fast, how long still, and a way to stop them.

use std::time::Duration;

use drydock_core::format;
use drydock_core::session::{Command, JobKind};
use eframe::egui::{Align, Button, Label, Layout, RichText, Ui};

use crate::theme;
use crate::view_context::{RunningJob, ViewContext};
use crate::widgets::bars;

/// Jobs that are over before one has read their line are not shown.
const SHOWN_AFTER: Duration = Duration::from_millis(300);

/// Whether a job has run long enough to be shown. Long work is shown at once: it was asked for, and can be cancelled.
pub fn shows(job: &RunningJob) -> bool {
    matches!(job.kind, JobKind::Score | JobKind::Profile | JobKind::Compare | JobKind::Check | JobKind::Diff | JobKind::Package)
        || job.elapsed >= SHOWN_AFTER
}

pub fn ui(ui: &mut Ui, cx: &ViewContext<'_>) {
    for job in cx.running.iter().filter(|job| shows(job)) {
        ui.horizontal(|ui| job_ui(ui, cx, job));
    }
}

/// One job on one line.
pub fn job_ui(ui: &mut Ui, cx: &ViewContext<'_>, job: &RunningJob) {
    let palette = theme::palette(ui);
    ui.label(RichText::new("▶").color(palette.accent));
    ui.add(Label::new(&job.label).truncate());
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        if ui.add(Button::new("Cancel")).accessible_name(format!("Cancel {}", job.label)).clicked() {
            cx.outbox.core(Command::Cancel(job.id));
        }
        if let Some(left) = job.time_left {
            ui.label(theme::caption(ui, format!("{} left", format::duration(left))));
        }
        if let Some(rate) = job.items_per_second {
            ui.label(theme::caption(ui, format!("{} {}/s", format::number(rate), job.item_unit)));
        }
        match job.fraction {
            Some(fraction) => {
                ui.label(format!("{:.0} %", fraction * 100.0));
                let width = ui.available_width().min(320.0);
                bars::progress_bar(ui, &format!("Progress of {}", job.label), fraction, width);
            }
            None => {
                ui.spinner();
            }
        }
    });
}
