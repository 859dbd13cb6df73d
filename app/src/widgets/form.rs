//! Lines of a form: a name on the left, what is set on the right, and below it why it can't stand.

use std::path::Path;

use eframe::egui::{Align, Align2, Label, Layout, TextEdit, Ui, vec2};

use super::icon::{self, Icon};
use super::message;
use super::path_field::{PathField, PathFieldResponse};
use crate::action::{Action, Outbox};
use crate::files::Purpose;
use crate::theme;

/// A line of a form: its name on the left.
pub fn line<R>(ui: &mut Ui, name: &str, add_contents: impl FnOnce(&mut Ui) -> R) -> R {
    let inner = ui.horizontal_top(|ui| {
        let size = vec2((ui.available_width() * 0.2).clamp(72.0, 112.0), theme::CONTROL_HEIGHT);
        ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_size(size);
            ui.add(Label::new(name));
        });
        // What is too long for a narrow window goes on below, under its own beginning.
        ui.horizontal_wrapped(add_contents).inner
    });
    inner.inner
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

/// What a field for a file is called, what its button says, and what stands in it while it is empty.
pub struct PathLine<'a> {
    pub name: &'a str,
    pub accessible_name: &'a str,
    /// Of the button that asks for the file in a dialog.
    pub choose: &'a str,
    pub purpose: Purpose,
    pub hint: &'a str,
}

/// A path, with a dialog to choose it.
pub fn path_line(ui: &mut Ui, outbox: &Outbox, named: &PathLine<'_>, field: &mut PathField, accepts: impl Fn(&Path) -> bool) -> PathFieldResponse {
    line(ui, named.name, |ui| path_with_dialog(ui, outbox, named, field, accepts))
}

/// The same without the line that it stands on.
pub fn path_with_dialog(
    ui: &mut Ui,
    outbox: &Outbox,
    named: &PathLine<'_>,
    field: &mut PathField,
    accepts: impl Fn(&Path) -> bool,
) -> PathFieldResponse {
    let inner = ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        if icon::icon_button(ui, Icon::Folder, named.choose).clicked() {
            outbox.send(Action::Choose(named.purpose));
        }
        field.ui(ui, named.accessible_name, named.hint, accepts)
    });
    inner.inner
}

/// A button that shows the options that one seldom needs, or no longer.
pub fn more_button(ui: &mut Ui, shows_more: &mut bool, what: &str) {
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        let text = if *shows_more { "Fewer options" } else { "More options" };
        *shows_more ^= ui.button(text).on_hover_text(what).clicked();
    });
}
