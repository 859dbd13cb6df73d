//! The one table of the program: virtualised, sorted by a click on a header, filtered by a search field, copied from the menu of a row.
//! Numbers stand on the right; the exact value is on hover and in what is copied.

use std::borrow::Cow;
use std::cmp::Ordering;

use drydock_core::format;
use drydock_core::report::Verdict;
use eframe::egui::{Align, Align2, Button, Key, Label, Layout, Modifiers, RichText, ScrollArea, Sense, Stroke, TextEdit, Ui, vec2};
use egui_extras::{Column, TableBuilder, TableRow};

use super::verdict;
use crate::theme;

/// What a table shows.
pub trait TableSource {
    fn n_rows(&self) -> usize;
    fn columns(&self) -> Vec<ColumnSpec<'_>>;
    /// The cell as it is shown.
    fn text(&self, row: usize, column: usize) -> Cow<'_, str>;
    /// The cell in full, for hover and the clipboard.
    fn exact(&self, row: usize, column: usize) -> Cow<'_, str> {
        self.text(row, column)
    }
    /// What a numeric column is sorted by; missing values go last.
    fn number(&self, row: usize, column: usize) -> Option<f64> {
        self.exact(row, column).parse().ok()
    }
    /// A cell that is a judgement has its colour.
    fn verdict(&self, _row: usize, _column: usize) -> Option<Verdict> {
        None
    }
}

/// A column as its header shows it.
#[derive(Debug, Clone, Copy)]
pub struct ColumnSpec<'a> {
    pub title: &'a str,
    pub is_number: bool,
    pub width: f32,
    /// Takes the room that is left.
    pub grows: bool,
}

impl<'a> ColumnSpec<'a> {
    pub fn text(title: &'a str, width: f32) -> Self {
        Self { title, is_number: false, width, grows: false }
    }

    pub fn number(title: &'a str, width: f32) -> Self {
        Self { title, is_number: true, width, grows: false }
    }

    pub fn growing(self) -> Self {
        Self { grows: true, ..self }
    }

    fn is_folded(&self) -> bool {
        is_folded(self.title, self.width)
    }
}

/// Whether a title of several words stands on two lines.
fn is_folded(title: &str, width: f32) -> bool {
    title.contains(' ') && width < title_width(title)
}

/// How wide a title is in its small letters, with room for the arrow that says how its column sorts.
pub fn title_width(title: &str) -> f32 {
    (title.chars().count() as f32 + 2.0) * 6.8
}

/// The height of the header of columns with these titles and widths.
pub fn header_height<'a>(mut columns: impl Iterator<Item = (&'a str, f32)>) -> f32 {
    const TWO_LINES: f32 = 44.0;
    if columns.any(|(title, width)| is_folded(title, width)) { TWO_LINES } else { theme::CONTROL_HEIGHT }
}

/// What a table remembers between frames.
#[derive(Debug, Default)]
pub struct TableState {
    pub filter: String,
    /// Row of the source, not of the screen.
    pub selected: Option<usize>,
    sort: Option<Sort>,
    order: Vec<usize>,
    /// What `order` was computed for.
    order_of: Option<(u64, String, Option<Sort>)>,
    scroll_to_selected: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sort {
    column: usize,
    is_descending: bool,
}

impl TableState {
    /// The search field, which also moves the selection with the arrow keys. `focus`: put the cursor there.
    pub fn search_ui(&mut self, ui: &mut Ui, name: &str, focus: bool) {
        let edit = TextEdit::singleline(&mut self.filter).hint_text("Search  /").desired_width(200.0).align(Align2::LEFT_CENTER);
        let response = ui.add(edit).accessible_name(name);
        if focus {
            response.request_focus();
        }
        if response.has_focus() {
            let (down, up) =
                ui.input_mut(|input| (input.consume_key(Modifiers::NONE, Key::ArrowDown), input.consume_key(Modifiers::NONE, Key::ArrowUp)));
            if down || up {
                self.move_selection(down);
            }
        }
    }

    /// How many rows are shown, of how many: "12 of 340".
    pub fn count(&self, n_rows: usize) -> String {
        let shown = self.order.len();
        if shown == n_rows { format::count(n_rows as u64) } else { format!("{} of {}", format::count(shown as u64), format::count(n_rows as u64)) }
    }

    /// Draws the table in the room that is left. `revision` changes when the source does.
    pub fn ui(&mut self, ui: &mut Ui, salt: &str, revision: u64, source: &dyn TableSource) {
        self.update_order(revision, source);
        let columns = source.columns();
        // Bars have room of their own: over numbers they would hide digits.
        ui.spacing_mut().scroll.floating_allocated_width = theme::SMALL_GAP;
        ScrollArea::horizontal().id_salt((salt, "across")).show(ui, |ui| {
            ui.spacing_mut().item_spacing = vec2(theme::GAP, 0.0);
            // The handles between columns show when the pointer is on them; lines all the time would be a cage.
            ui.visuals_mut().widgets.noninteractive.bg_stroke = Stroke::NONE;
            let mut builder = TableBuilder::new(ui)
                .id_salt(salt)
                .striped(false)
                .sense(Sense::CLICK)
                .auto_shrink([true, false])
                .cell_layout(Layout::left_to_right(Align::Center));
            for column in &columns {
                let width = if column.grows { Column::remainder().at_least(column.width) } else { Column::initial(column.width).at_least(48.0) };
                builder = builder.column(width.clip(true).resizable(!column.grows));
            }
            if self.scroll_to_selected
                && let Some(position) = self.selected.and_then(|selected| self.order.iter().position(|row| *row == selected))
            {
                builder = builder.scroll_to_row(position, None);
            }
            self.scroll_to_selected = false;
            let height = header_height(columns.iter().map(|column| (column.title, column.width)));
            let table = builder.header(height, |mut header| {
                for (index, column) in columns.iter().enumerate() {
                    header.col(|ui| self.header_ui(ui, index, column));
                }
            });
            table.body(|body| {
                let mut clicked = None;
                body.rows(theme::ROW_HEIGHT, self.order.len(), |mut row| {
                    let Some(&source_row) = self.order.get(row.index()) else { return };
                    row.set_selected(self.selected == Some(source_row));
                    row_ui(&mut row, source_row, &columns, source);
                    if row.response().clicked() {
                        clicked = Some(source_row);
                    }
                    row.response().context_menu(|ui| self.copy_menu(ui, source_row, &columns, source));
                });
                if clicked.is_some() {
                    self.selected = clicked;
                }
            });
        });
    }

    fn header_ui(&mut self, ui: &mut Ui, index: usize, column: &ColumnSpec<'_>) {
        let sort = self.sort.filter(|sort| sort.column == index);
        let mark = match sort {
            Some(Sort { is_descending: true, .. }) => " ↓",
            Some(_) => " ↑",
            None => "",
        };
        let text = RichText::new(format!("{}{mark}", column.title)).size(12.0).color(theme::palette(ui).weak_text);
        let layout = if column.is_number { Layout::right_to_left(Align::Center) } else { Layout::left_to_right(Align::Center) };
        ui.with_layout(layout, |ui| {
            let button = if column.is_folded() { Button::new(text).frame(false).wrap() } else { Button::new(text).frame(false).truncate() };
            if ui.add(button).accessible_name(format!("Sort by {}", column.title)).on_hover_text(column.title).clicked() {
                self.sort = match sort {
                    None => Some(Sort { column: index, is_descending: column.is_number }),
                    Some(sort) if sort.is_descending == column.is_number => Some(Sort { is_descending: !sort.is_descending, ..sort }),
                    Some(_) => None,
                };
            }
        });
    }

    fn copy_menu(&self, ui: &mut Ui, row: usize, columns: &[ColumnSpec<'_>], source: &dyn TableSource) {
        let line = |row: usize| (0..columns.len()).map(|column| source.exact(row, column).into_owned()).collect::<Vec<_>>().join("\t");
        if ui.button("Copy this row").clicked() {
            ui.copy_text(line(row));
        }
        if ui.button("Copy all rows shown").clicked() {
            let titles = columns.iter().map(|column| column.title).collect::<Vec<_>>().join("\t");
            let lines = std::iter::once(titles).chain(self.order.iter().map(|&row| line(row)));
            ui.copy_text(lines.collect::<Vec<_>>().join("\n"));
        }
    }

    fn move_selection(&mut self, down: bool) {
        let position = self.selected.and_then(|selected| self.order.iter().position(|row| *row == selected));
        let next = match position {
            None => 0,
            Some(position) if down => position + 1,
            Some(position) => position.saturating_sub(1),
        };
        if let Some(&row) = self.order.get(next) {
            self.selected = Some(row);
            self.scroll_to_selected = true;
        }
    }

    fn update_order(&mut self, revision: u64, source: &dyn TableSource) {
        let wanted = (revision, self.filter.trim().to_lowercase(), self.sort);
        if self.order_of.as_ref() == Some(&wanted) {
            return;
        }
        if self.order_of.as_ref().is_some_and(|known| known.0 != revision) {
            self.selected = None;
        }
        let columns = source.columns();
        let needle = &wanted.1;
        let fits = |row: &usize| needle.is_empty() || (0..columns.len()).any(|column| source.text(*row, column).to_lowercase().contains(needle));
        self.order = (0..source.n_rows()).filter(fits).collect();
        if let Some(sort) = self.sort.filter(|sort| sort.column < columns.len()) {
            let is_number = columns.get(sort.column).is_some_and(|column| column.is_number);
            sort_rows(&mut self.order, source, sort, is_number);
        }
        self.order_of = Some(wanted);
    }
}

/// Each cell is asked for once: a comparison would ask for two, and there are many more comparisons than rows.
fn sort_rows(order: &mut [usize], source: &dyn TableSource, sort: Sort, is_number: bool) {
    if is_number {
        let mut keyed: Vec<(Option<f64>, usize)> = order.iter().map(|&row| (source.number(row, sort.column), row)).collect();
        keyed.sort_by(|a, b| compare(a.0, b.0, sort.is_descending));
        order.iter_mut().zip(keyed).for_each(|(row, keyed)| *row = keyed.1);
    } else {
        let mut keyed: Vec<(Cow<'_, str>, usize)> = order.iter().map(|&row| (source.text(row, sort.column), row)).collect();
        keyed.sort_by(|a, b| if sort.is_descending { b.0.cmp(&a.0) } else { a.0.cmp(&b.0) });
        order.iter_mut().zip(keyed).for_each(|(row, keyed)| *row = keyed.1);
    }
}

fn compare(a: Option<f64>, b: Option<f64>, is_descending: bool) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) if is_descending => b.total_cmp(&a),
        (Some(a), Some(b)) => a.total_cmp(&b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    }
}

fn row_ui(row: &mut TableRow<'_, '_>, source_row: usize, columns: &[ColumnSpec<'_>], source: &dyn TableSource) {
    for (index, column) in columns.iter().enumerate() {
        row.col(|ui| {
            let layout = if column.is_number { Layout::right_to_left(Align::Center) } else { Layout::left_to_right(Align::Center) };
            ui.with_layout(layout, |ui| {
                let text = source.text(source_row, index);
                let mut shown = RichText::new(text.as_ref());
                if let Some(verdict) = source.verdict(source_row, index) {
                    shown = shown.color(verdict::color(ui, verdict));
                }
                let label = ui.add(Label::new(shown).truncate().sense(Sense::hover()));
                let exact = source.exact(source_row, index);
                if exact != text {
                    label.on_hover_text(exact.as_ref());
                }
            });
        });
    }
}
