//! A report's table on the screen: the program's one table over typed cells, under its title, with search, copy and a CSV file.

use std::borrow::Cow;

use drydock_core::report::{Cell, Column, Table, Verdict};
use eframe::egui::{Align, Label, Layout, Rect, Ui, UiBuilder, vec2};

use super::icon::{self, Icon};
use super::table::{ColumnSpec, TableSource, TableState};
use super::verdict;
use crate::action::{Action, Outbox};
use crate::saving::Savable;
use crate::theme;

/// What a report's table remembers between frames.
#[derive(Debug, Default)]
pub struct ReportTable {
    pub table: TableState,
    /// Widths of the columns, for the revision that they were measured of.
    widths: Vec<f32>,
    widths_of: Option<u64>,
}

/// From this many rows on a table can be searched.
const SEARCHABLE: usize = 8;

impl ReportTable {
    /// Draws the table in the room that is left. `revision` changes when the table does. `focus`: put the cursor into the search field.
    pub fn ui(&mut self, ui: &mut Ui, outbox: &Outbox, salt: &str, revision: u64, table: &Table, focus: bool) {
        if self.widths_of != Some(revision) {
            self.widths = widths(table);
            self.widths_of = Some(revision);
        }
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
        self.table.ui(ui, salt, revision, &Source { table, widths: &self.widths });
    }
}

impl ReportTable {
    /// As [`Self::ui`], on a page that scrolls: as high as the table's rows, up to `most`. Out of sight it only takes its room.
    pub fn ui_within(&mut self, ui: &mut Ui, outbox: &Outbox, salt: &str, revision: u64, table: &Table, most: f32) {
        let title = theme::CONTROL_HEIGHT + theme::SMALL_GAP;
        let rows = (table.rows.len() as f32 + 1.0) * theme::ROW_HEIGHT + theme::SMALL_GAP;
        let size = vec2(ui.available_width(), (title + rows).min(most));
        let place = Rect::from_min_size(ui.cursor().min, size);
        if !ui.is_rect_visible(place) {
            ui.allocate_space(size);
            return;
        }
        let mut inside = ui.new_child(UiBuilder::new().max_rect(place).layout(Layout::top_down(Align::Min)));
        self.ui(&mut inside, outbox, salt, revision, table, false);
        ui.advance_cursor_after_rect(place);
    }
}

struct Source<'a> {
    table: &'a Table,
    widths: &'a [f32],
}

impl TableSource for Source<'_> {
    fn n_rows(&self) -> usize {
        self.table.rows.len()
    }

    fn columns(&self) -> Vec<ColumnSpec<'_>> {
        // Words take the room that numbers leave.
        let growing = self.table.columns.iter().position(|column| !column.quantity.is_number());
        let widths = self.widths.iter().copied().chain(std::iter::repeat(NARROWEST));
        let columns = self.table.columns.iter().zip(widths).enumerate().map(|(index, (column, width))| ColumnSpec {
            title: &column.title,
            is_number: column.quantity.is_number(),
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
        self.table.number(row, column)
    }

    fn verdict(&self, row: usize, column: usize) -> Option<Verdict> {
        match self.table.cell(row, column) {
            Cell::Verdict(verdict) => Some(*verdict),
            _ => None,
        }
    }
}

const NARROWEST: f32 = 56.0;

/// A width for each column that its title and the first rows fit into, within reason.
fn widths(table: &Table) -> Vec<f32> {
    const WIDEST: f32 = 280.0;
    const ROWS: usize = 200;
    let letters = |column: usize| (0..table.rows.len().min(ROWS)).map(move |row| table.text(row, column).chars().count()).max().unwrap_or(0);
    let width = |(index, column): (usize, &Column)| {
        // The title is in smaller letters, and has an arrow when it sorts.
        let title = (column.title.chars().count() as f32 + 2.0) * 6.8;
        let cells = letters(index) as f32 * 7.8;
        (title.max(cells) + theme::SMALL_GAP).clamp(NARROWEST, WIDEST)
    };
    table.columns.iter().enumerate().map(width).collect()
}
