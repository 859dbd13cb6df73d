//! The sections of a report on a page that scrolls: headings, tables that are as high as their rows, figures side by side where there is room.

use drydock_core::report::{Figure, Table};
use eframe::egui::{Label, Ui};

use super::plot;
use super::report_table::ReportTable;
use crate::action::Outbox;
use crate::theme;

pub const PLOT_HEIGHT: f32 = 220.0;
/// A dozen rows; what has more scrolls.
const TABLE_HEIGHT: f32 = 440.0;
/// From this width on, two things stand side by side.
const WIDE: f32 = 640.0;

/// What every section of a report needs.
pub struct Sections<'a> {
    pub outbox: &'a Outbox,
    /// Changes with the report.
    pub revision: u64,
}

impl Sections<'_> {
    pub fn heading(&self, ui: &mut Ui, text: &str) {
        ui.add_space(theme::GAP);
        ui.label(theme::strong(text).size(17.0));
    }

    /// A quiet sentence.
    pub fn note(&self, ui: &mut Ui, text: &str) {
        ui.add(Label::new(theme::caption(ui, text)).wrap().selectable(true));
    }

    pub fn table(&self, ui: &mut Ui, salt: &str, table: &Table, state: &mut ReportTable) {
        if !table.rows.is_empty() {
            state.ui_within(ui, self.outbox, salt, self.revision, table, TABLE_HEIGHT);
            ui.add_space(theme::SMALL_GAP);
        }
    }

    /// A figure under its title; `name` names the file that it is saved to.
    pub fn figure(&self, ui: &mut Ui, name: &str, figure: &Figure) {
        plot::titled(ui, self.outbox, name, figure, PLOT_HEIGHT);
    }

    /// Side by side, or below one another in a narrow window.
    pub fn pair(&self, ui: &mut Ui, left: impl FnOnce(&mut Ui), right: impl FnOnce(&mut Ui)) {
        if ui.available_width() < WIDE {
            left(ui);
            right(ui);
        } else {
            ui.columns(2, |columns| {
                if let [first, second] = columns {
                    left(first);
                    right(second);
                }
            });
        }
    }
}

/// A finding with a capital and a full stop, as it stands alone.
pub fn sentence(text: &str) -> String {
    let stop = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    capital(text) + stop
}

/// A finding with a capital, unless its first word is a name such as `payment-fraud` or `p95`, which stays as it is.
pub fn capital(text: &str) -> String {
    let word = text.split([' ', ',', ':', '.']).next().unwrap_or_default();
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if word.chars().all(char::is_alphabetic) => first.to_uppercase().collect::<String>() + letters.as_str(),
        _ => text.to_owned(),
    }
}
