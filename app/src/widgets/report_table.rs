//! A report's table on the screen: the program's one table over typed cells, under its title, with search, copy and a CSV file.

use std::borrow::Cow;

use drydock_core::report::{Cell, Table, Verdict};
use eframe::egui::{Align, Label, Layout, Rect, Ui, UiBuilder, vec2};

use self::fit::{Columns, Fit};
use super::icon::{self, Icon};
use super::table::{ColumnSpec, TableSource, TableState, header_height};
use super::verdict;
use crate::action::{Action, Outbox};
use crate::saving::Savable;
use crate::theme;

pub mod fit;

/// What a report's table remembers between frames.
#[derive(Debug, Default)]
pub struct ReportTable {
    pub table: TableState,
    /// What the columns need, for the revision that they were measured of.
    columns: Columns,
    columns_of: Option<u64>,
}

/// From this many rows on a table can be searched.
const SEARCHABLE: usize = 8;

impl ReportTable {
    /// Draws the table in the room that is left. `revision` changes when the table does. `focus`: put the cursor into the search field.
    pub fn ui(&mut self, ui: &mut Ui, outbox: &Outbox, salt: &str, revision: u64, table: &Table, focus: bool) {
        self.measure(revision, table);
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if icon::icon_button(ui, Icon::Copy, "Copy the table as CSV").clicked() {
                    outbox.copy(table.to_csv(), "the table as CSV");
                }
                if icon::icon_button(ui, Icon::Save, "Save the table…").clicked() {
                    outbox.send(Action::Save(Box::new(Savable::Table(table.clone()))));
                }
                if table.rows.len() >= SEARCHABLE {
                    self.table.search_ui(ui, &format!("Search {}", table.title), focus);
                    ui.label(theme::caption(ui, self.table.count(table.rows.len())));
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    ui.add(Label::new(theme::section_title(&table.title)).truncate());
                });
            });
        });
        let Fit { widths, key } = self.columns.fit(ui.available_width() - theme::SMALL_GAP);
        // Widths that somebody has drawn stay as long as there is room for them.
        let salt = format!("{salt} {key}");
        self.table.ui(ui, &salt, revision, &Source { table, widths: &widths, are_numbers: &self.columns.are_numbers });
    }
}

impl ReportTable {
    fn measure(&mut self, revision: u64, table: &Table) {
        if self.columns_of != Some(revision) {
            self.columns = Columns::new(table);
            self.columns_of = Some(revision);
        }
    }

    /// As [`Self::ui`], on a page that scrolls: as high as the table's rows, up to `most`. Out of sight it only takes its room.
    pub fn ui_within(&mut self, ui: &mut Ui, outbox: &Outbox, salt: &str, revision: u64, table: &Table, most: f32) {
        let title = theme::CONTROL_HEIGHT + theme::SMALL_GAP;
        self.measure(revision, table);
        let fit = self.columns.fit(ui.available_width() - theme::SMALL_GAP);
        let header = header_height(table.columns.iter().map(|column| column.title.as_str()).zip(fit.widths));
        let rows = table.rows.len() as f32 * theme::ROW_HEIGHT + header + theme::SMALL_GAP;
        let size = vec2(ui.available_width(), (title + rows).min(most));
        let place = Rect::from_min_size(ui.cursor().min, size);
        if !ui.is_rect_visible(place) {
            ui.allocate_space(size);
            return;
        }
        let mut inside = ui.new_child(UiBuilder::new().max_rect(place).layout(Layout::top_down(Align::Min)));
        inside.set_clip_rect(place.expand(theme::STEP).intersect(ui.clip_rect()));
        self.ui(&mut inside, outbox, salt, revision, table, false);
        ui.advance_cursor_after_rect(place);
    }
}

struct Source<'a> {
    table: &'a Table,
    widths: &'a [f32],
    are_numbers: &'a [bool],
}

impl TableSource for Source<'_> {
    fn n_rows(&self) -> usize {
        self.table.rows.len()
    }

    fn columns(&self) -> Vec<ColumnSpec<'_>> {
        let is_number = |index: usize| self.are_numbers.get(index).copied().unwrap_or(false);
        // Words take the room that numbers leave: those at the end, else the last of those at the beginning, so that names stand together.
        let n_columns = self.table.columns.len();
        let last = n_columns.checked_sub(1).filter(|last| !is_number(*last));
        let first = (0..n_columns).find(|index| !is_number(*index));
        let growing = last.or_else(|| (first?..n_columns).take_while(|index| !is_number(*index)).last());
        let widths = self.widths.iter().copied().chain(std::iter::repeat(fit::NARROWEST));
        let columns = self.table.columns.iter().zip(widths).enumerate().map(|(index, (column, width))| ColumnSpec {
            title: &column.title,
            is_number: is_number(index),
            width,
            grows: growing == Some(index),
        });
        columns.collect()
    }

    fn text(&self, row: usize, column: usize) -> Cow<'_, str> {
        match self.table.cell(row, column) {
            Cell::Text(text) => Cow::Borrowed(text),
            Cell::Verdict(verdict) => Cow::Owned(verdict::text(*verdict)),
            _ => Cow::Owned(self.table.text(row, column)),
        }
    }

    fn exact(&self, row: usize, column: usize) -> Cow<'_, str> {
        match self.table.cell(row, column) {
            Cell::Text(text) => Cow::Borrowed(text),
            _ => Cow::Owned(self.table.exact(row, column)),
        }
    }

    fn number(&self, row: usize, column: usize) -> Option<f64> {
        match self.table.cell(row, column) {
            Cell::Text(text) => fit::number_in(text),
            _ => self.table.number(row, column),
        }
    }

    fn verdict(&self, row: usize, column: usize) -> Option<Verdict> {
        match self.table.cell(row, column) {
            Cell::Verdict(verdict) => Some(*verdict),
            _ => None,
        }
    }
}
