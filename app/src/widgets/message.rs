//! Sentences that need attention: errors where their cause is, hints on empty pages.

use eframe::egui::{Align, Frame, Layout, Margin, Response, RichText, Stroke, Ui, vec2};

use super::icon::{self, Icon};
use crate::theme;

/// How serious a message is. Each kind has its word, so that colour never stands alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Error,
    Warning,
    Note,
}

/// A banner across the width; errors can be copied to be sent to someone.
pub fn banner(ui: &mut Ui, tone: Tone, text: &str) -> Response {
    let palette = theme::palette(ui);
    let (word, color, fill) = match tone {
        Tone::Error => ("Error", palette.fail, palette.fail_soft),
        Tone::Warning => ("Note", palette.warn, palette.surface),
        Tone::Note => ("", palette.weak_text, palette.surface),
    };
    let frame = Frame::new()
        .fill(fill)
        .stroke(Stroke::new(1.0, color.gamma_multiply(0.5)))
        .corner_radius(theme::STEP * 1.5)
        .inner_margin(Margin::symmetric(12, 10));
    let inner = frame.show(ui, |ui| {
        ui.set_min_width(ui.available_width());
        ui.horizontal_top(|ui| {
            if !word.is_empty() {
                ui.label(theme::strong(word).color(color));
            }
            if tone == Tone::Error {
                ui.with_layout(Layout::right_to_left(Align::Min), |ui| {
                    if icon::icon_button(ui, Icon::Copy, "Copy the message").clicked() {
                        ui.copy_text(text.to_owned());
                    }
                    ui.with_layout(Layout::left_to_right(Align::Min), |ui| sentence(ui, text));
                });
            } else {
                sentence(ui, text);
            }
        });
    });
    inner.response
}

fn sentence(ui: &mut Ui, text: &str) {
    ui.add(eframe::egui::Label::new(text).wrap().selectable(true));
}

/// A short error below the field that it is about.
pub fn field_error(ui: &mut Ui, text: &str) {
    let color = theme::palette(ui).fail;
    ui.add(eframe::egui::Label::new(RichText::new(text).size(12.0).color(color)).wrap());
}

/// The middle of a page that has nothing to show yet: what it is for. Buttons follow below.
pub fn empty_state(ui: &mut Ui, icon: Icon, title: &str, text: &str, add_buttons: impl FnOnce(&mut Ui)) {
    ui.add_space((ui.available_height() * 0.22).clamp(theme::GAP, 160.0));
    ui.vertical_centered(|ui| {
        let palette = theme::palette(ui);
        let (_, rect) = ui.allocate_space(eframe::egui::Vec2::splat(48.0));
        ui.painter().circle_filled(rect.center(), 24.0, palette.accent_soft);
        icon.paint(ui.painter(), rect, palette.accent);
        ui.add_space(theme::STEP);
        ui.label(theme::strong(title).size(17.0));
        let width = theme::reading_width(ui) * 0.7;
        ui.allocate_ui_with_layout(vec2(width, 0.0), Layout::top_down(Align::Center), |ui| {
            ui.set_max_width(width);
            ui.label(RichText::new(text).color(palette.weak_text));
        });
        ui.add_space(theme::SMALL_GAP);
        add_buttons(ui);
    });
}
