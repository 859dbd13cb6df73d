//! Lines of a form: a name on the left, what is set on the right, and below it why it can't stand.

use eframe::egui::{Align, Align2, Label, Layout, TextEdit, Ui, vec2};

use super::message;
use crate::theme;

/// A line of a form: its name on the left.
pub fn line(ui: &mut Ui, name: &str, add_contents: impl FnOnce(&mut Ui)) {
    ui.horizontal_top(|ui| {
        let size = vec2((ui.available_width() * 0.2).clamp(72.0, 112.0), theme::CONTROL_HEIGHT);
        ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_size(size);
            ui.add(Label::new(name));
        });
        // What is too long for a narrow window goes on below, under its own beginning.
        ui.horizontal_wrapped(add_contents);
    });
}

/// A field of one line over the width that is left, with its problem below.
pub fn text_line(ui: &mut Ui, name: &str, accessible_name: &str, text: &mut String, hint: &str, problem: Option<&str>) {
    line(ui, name, |ui| {
        let edit = TextEdit::singleline(text).hint_text(hint).desired_width(ui.available_width()).align(Align2::LEFT_CENTER);
        ui.add(edit).accessible_name(accessible_name);
    });
    if let Some(problem) = problem {
        line(ui, "", |ui| message::field_error(ui, problem));
    }
}
