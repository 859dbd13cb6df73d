//! Running jobs at the bottom of the window: how far, how fast, how long still, and a way to stop them.

use std::time::Duration;

use drydock_core::format;
use drydock_core::session::{Command, JobKind};
use eframe::egui::{Align, Button, Label, Layout, RichText, Ui, vec2};

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

/// One job on one line. Figures have places of their own, so that nothing moves but the bar.
pub fn job_ui(ui: &mut Ui, cx: &ViewContext<'_>, job: &RunningJob) {
    const TIME: f32 = 104.0;
    const RATE: f32 = 112.0;
    const SHARE: f32 = 40.0;
    const LEAST_FOR_TEXT: f32 = 120.0;
    let palette = theme::palette(ui);
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        if ui.add(Button::new("Cancel")).accessible_name(format!("Cancel {}", job.label)).clicked() {
            cx.outbox.core(Command::Cancel(job.id));
        }
        let is_wide = ui.available_width() > 480.0;
        if is_wide {
            let left = job.time_left.map_or_else(String::new, |left| format!("{} left", format::duration(left)));
            placed(ui, TIME, theme::caption(ui, left));
        }
        if let Some(rate) = job.items_per_second.filter(|_| is_wide) {
            placed(ui, RATE, theme::caption(ui, format!("{} {}/s", format::number(rate), job.item_unit)));
        }
        match job.fraction {
            Some(fraction) => {
                placed(ui, SHARE, RichText::new(format!("{:.0} %", fraction * 100.0)));
                let width = (ui.available_width() - LEAST_FOR_TEXT).min(ui.available_width() * 0.4).clamp(24.0, 320.0);
                bars::progress_bar(ui, &format!("Progress of {}", job.label), fraction, width);
            }
            None => {
                ui.spinner();
            }
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            ui.label(RichText::new("▶").color(palette.accent));
            ui.add(Label::new(&job.label).truncate()).on_hover_text(&job.label);
            if !job.stage.is_empty() && job.stage != job.label {
                ui.add(Label::new(theme::caption(ui, &job.stage)).truncate()).on_hover_text(&job.stage);
            }
        });
    });
}

/// Text at the right of a place of this width.
fn placed(ui: &mut Ui, width: f32, text: RichText) {
    ui.allocate_ui_with_layout(vec2(width, theme::CONTROL_HEIGHT), Layout::right_to_left(Align::Center), |ui| {
        ui.set_min_width(width);
        ui.add(Label::new(text).truncate());
    });
}
