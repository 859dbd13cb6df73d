//! The list that drops down, with the program's own chevron.

use eframe::egui::{ComboBox, IdSalt};

use super::icon::Icon;

/// A list that opens below its button. The accessible name is set on its response.
pub fn combo(salt: &str) -> ComboBox<'static> {
    ComboBox::from_id_salt(IdSalt::new(salt)).icon(|ui, rect, visuals, _is_open| Icon::Chevron.paint(ui.painter(), rect, visuals.fg_stroke.color))
}
