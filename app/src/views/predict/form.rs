//! The form: a line for each column of the contract. What is typed is the truth; sliders, lists and boxes are other hands on the same text.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use drydock_core::contract::{Column, ColumnKind, Contract};
use drydock_core::data::TableInfo;
use drydock_core::predict::Row;
use eframe::egui::text::{LayoutJob, TextFormat};
use eframe::egui::{Align, Align2, Button, FontId, Label, Layout, Rect, Response, Slider, SliderClamping, TextEdit, TextStyle, Ui, vec2};

use crate::theme;
use crate::widgets::combo::combo;
use crate::widgets::icon::Icon;
use crate::widgets::message;

#[derive(Debug, Default)]
pub struct Form {
    /// One text for each column of the contract.
    texts: Vec<String>,
    filter: String,
    /// What the form says, and the texts that it was made of.
    row: Row,
    row_of: Vec<String>,
}

/// From this many columns on a form can be searched.
const SEARCHABLE: usize = 16;
/// Lines drawn beyond either edge of what is in sight: Tab and a screen reader walk into them, and the form scrolls after the focus.
const BEYOND: f32 = 3.0;

impl Form {
    pub fn new(contract: &Contract) -> Self {
        Self { texts: contract.columns.iter().map(first_text).collect(), ..Self::default() }
    }

    /// What the form says. Most frames draw a form that nobody has touched since the last one.
    pub fn row(&mut self, contract: &Contract) -> &Row {
        if self.row_of != self.texts {
            let cells = contract.columns.iter().zip(&self.texts).map(|(column, text)| (column.name.clone(), text.trim().to_owned()));
            self.row = Row(cells.collect::<BTreeMap<_, _>>());
            self.row_of.clone_from(&self.texts);
        }
        &self.row
    }

    /// Takes the values of a table's row; columns that the table lacks keep theirs.
    pub fn fill(&mut self, contract: &Contract, table: &TableInfo, row: usize) {
        let Some(cells) = table.preview.get(row) else { return };
        for (column, text) in contract.columns.iter().zip(&mut self.texts) {
            let index = table.columns.iter().position(|found| found.name == column.name);
            if let Some(cell) = index.and_then(|index| cells.get(index)) {
                text.clone_from(cell);
            }
        }
    }

    /// Draws the form. `error` is why the latest prediction failed: it is repeated at the field that it names.
    /// Returns the column touched in this frame.
    pub fn ui(&mut self, ui: &mut Ui, contract: &Contract, error: Option<&str>) -> Option<usize> {
        let widths = Widths::new(ui, contract);
        if contract.columns.len() >= SEARCHABLE {
            let edit = TextEdit::singleline(&mut self.filter).hint_text("Find a column").desired_width(widths.name).align(Align2::LEFT_CENTER);
            ui.add(edit).accessible_name("Find a column");
        }
        let needle = self.filter.to_lowercase();
        let shown = ui.clip_rect().expand2(vec2(0.0, BEYOND * theme::CONTROL_HEIGHT));
        let mut touched = None;
        for (index, (column, text)) in contract.columns.iter().zip(&mut self.texts).enumerate() {
            if !needle.is_empty() && !column.name.to_lowercase().contains(&needle) {
                continue;
            }
            let error = error.filter(|error| error.contains(&format!("'{}'", column.name)));
            // A line without an error is as high as any other, so those out of sight need not be laid out.
            let line = Rect::from_min_size(ui.cursor().min, vec2(widths.line(), theme::CONTROL_HEIGHT));
            if error.is_none() && !shown.intersects(line) {
                ui.advance_cursor_after_rect(line);
                continue;
            }
            let response = ui.push_id(index, |ui| field_ui(ui, widths, column, text)).inner;
            if response.gained_focus() {
                response.scroll_to_me(None);
            }
            if response.changed() || response.gained_focus() || response.dragged() {
                touched = Some(index);
            }
            if let Some(error) = error {
                message::field_error(ui, error);
            }
        }
        touched
    }
}

/// What a field shows before anyone has typed: the contract's default, or the middle of what is usual.
fn first_text(column: &Column) -> String {
    if let Some(default) = &column.default {
        return default.clone();
    }
    if column.may_be_missing {
        return String::new();
    }
    match column.kind {
        ColumnKind::Text => column.categories.first().cloned().unwrap_or_default(),
        ColumnKind::Boolean => "false".to_owned(),
        ColumnKind::Number | ColumnKind::Integer => match (column.min, column.max) {
            (Some(min), Some(max)) => column.number_text(f64::midpoint(min, max)),
            _ => "0".to_owned(),
        },
    }
}

/// The widths of a line's parts.
#[derive(Debug, Clone, Copy)]
struct Widths {
    name: f32,
    /// Slider with its value, list or box.
    control: f32,
    /// The box beside a slider.
    value: f32,
    /// Kept free on the right for the button that empties a cell, if any column has one.
    clear: f32,
}

impl Widths {
    /// Names and numbers take their part of a narrow window, and no more than they need of a wide one.
    fn new(ui: &Ui, contract: &Contract) -> Self {
        let available = ui.available_width();
        let clear = if contract.columns.iter().any(|column| column.may_be_missing) { theme::CONTROL_HEIGHT + theme::SMALL_GAP } else { 0.0 };
        let (name, value) = ((available * 0.3).clamp(88.0, 176.0), (available * 0.2).clamp(72.0, 124.0));
        let control = (available - name - theme::SMALL_GAP - clear - theme::SMALL_GAP).max(value + 60.0);
        Self { name, control, value, clear }
    }

    /// From end to end.
    fn line(self) -> f32 {
        self.name + theme::SMALL_GAP + self.control + theme::SMALL_GAP + self.clear
    }
}

fn field_ui(ui: &mut Ui, widths: Widths, column: &Column, text: &mut String) -> Response {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = theme::SMALL_GAP;
        name_ui(ui, widths, column);
        let touched = match column.kind {
            ColumnKind::Number | ColumnKind::Integer => number_ui(ui, widths, column, text),
            ColumnKind::Boolean => boolean_ui(ui, widths, column, text),
            ColumnKind::Text if column.categories.is_empty() => text_ui(ui, widths, column, text),
            ColumnKind::Text => category_ui(ui, widths, column, text),
        };
        if widths.clear > 0.0 {
            clear_ui(ui, column, text);
        }
        touched
    })
    .inner
}

fn name_ui(ui: &mut Ui, widths: Widths, column: &Column) {
    let size = vec2(widths.name, theme::CONTROL_HEIGHT);
    ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
        ui.set_min_size(size);
        // One text, so that a long name leaves no room for the unit rather than a line that is out of line.
        let mut text = LayoutJob::default();
        let font = TextStyle::Body.resolve(ui.style());
        text.append(&column.name, 0.0, TextFormat::simple(font, theme::palette(ui).text));
        if let Some(unit) = &column.unit {
            text.append(unit, theme::SMALL_GAP, TextFormat::simple(FontId::proportional(12.0), theme::palette(ui).weak_text));
        }
        let label = ui.add(Label::new(text).truncate());
        if let Some(description) = &column.description {
            label.on_hover_text(description);
        }
    });
}

/// A slider over the usual range, and the number itself, which may leave that range.
fn number_ui(ui: &mut Ui, widths: Widths, column: &Column, text: &mut String) -> Response {
    let slider_width = widths.control - widths.value - theme::GAP;
    let slider = match column.usual_range() {
        Some((min, max)) => Some(slider_ui(ui, slider_width, min..=max, column, text)),
        None => {
            ui.add_space(slider_width + theme::SMALL_GAP);
            None
        }
    };
    let name = if slider.is_some() { format!("{} value", column.name) } else { column.name.clone() };
    let edit = TextEdit::singleline(text).hint_text(hint(column)).desired_width(widths.value).align(Align2::RIGHT_CENTER);
    let value = ui.add(edit).accessible_name(name);
    match slider {
        Some(slider) if !value.changed() && !value.gained_focus() => slider,
        _ => value,
    }
}

fn slider_ui(ui: &mut Ui, width: f32, range: RangeInclusive<f64>, column: &Column, text: &mut String) -> Response {
    let known = text.trim().parse::<f64>().ok();
    let mut value = known.unwrap_or(f64::midpoint(*range.start(), *range.end()));
    let mut slider = Slider::new(&mut value, range).show_value(false).clamping(SliderClamping::Never).trailing_fill(known.is_some());
    if column.kind == ColumnKind::Integer {
        slider = slider.step_by(1.0);
    }
    let size = vec2(width + theme::SMALL_GAP, theme::CONTROL_HEIGHT);
    let inner = ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
        ui.set_min_size(size);
        theme::slim_sliders(ui);
        ui.spacing_mut().slider_width = width;
        if known.is_none() {
            ui.set_opacity(0.4);
        }
        ui.add(slider).accessible_name(&column.name)
    });
    if inner.inner.changed() {
        *text = column.number_text(value);
    }
    inner.inner
}

fn text_ui(ui: &mut Ui, widths: Widths, column: &Column, text: &mut String) -> Response {
    let edit = TextEdit::singleline(text).hint_text(hint(column)).desired_width(widths.control).align(Align2::LEFT_CENTER);
    ui.add(edit).accessible_name(&column.name)
}

fn boolean_ui(ui: &mut Ui, widths: Widths, column: &Column, text: &mut String) -> Response {
    // A column that says 0 and 1 goes on saying 0 and 1.
    let says_digits = matches!(text.trim(), "0" | "1");
    let mut is_on = matches!(text.trim().to_lowercase().as_str(), "true" | "1" | "yes");
    let shown = match (text.trim().is_empty(), is_on) {
        (true, _) => hint(column),
        (false, true) => "yes",
        (false, false) => "no",
    };
    let size = vec2(widths.control, theme::CONTROL_HEIGHT);
    let inner = ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
        ui.set_min_size(size);
        ui.checkbox(&mut is_on, shown).accessible_name(&column.name)
    });
    if inner.inner.changed() {
        *text = if says_digits { u8::from(is_on).to_string() } else { is_on.to_string() };
    }
    inner.inner
}

fn category_ui(ui: &mut Ui, widths: Widths, column: &Column, text: &mut String) -> Response {
    let shown = if text.is_empty() { hint(column) } else { text.as_str() };
    let before = text.clone();
    let inner = combo("category").selected_text(shown).width(widths.control).show_ui(ui, |ui| {
        for category in &column.categories {
            ui.selectable_value(text, category.clone(), category);
        }
    });
    let mut response = inner.response.accessible_name(&column.name);
    if *text != before {
        response.mark_changed();
    }
    response
}

/// Empties a cell that may be empty.
fn clear_ui(ui: &mut Ui, column: &Column, text: &mut String) {
    if !column.may_be_missing {
        return;
    }
    let name = format!("Leave {} empty", column.name);
    let button = Button::new(Icon::Close.atom()).frame_when_inactive(false);
    if ui.add_enabled(!text.is_empty(), button).accessible_name(&name).on_hover_text(name).clicked() {
        text.clear();
        // The field that shows the text is already drawn.
        ui.ctx().request_repaint();
    }
}

fn hint(column: &Column) -> &'static str {
    if column.may_be_missing { "empty → missing" } else { "required" }
}
