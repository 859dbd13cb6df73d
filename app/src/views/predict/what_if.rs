//! What if one number were different: the answer over the usual range of a column.

use drydock_core::contract::{Column, ColumnKind, Contract, Task};
use drydock_core::format;
use drydock_core::predict::{PredictReport, PredictRequest, Prediction, Row};
use drydock_core::session::Command;
use eframe::egui::{Align, Layout, Ui};

use super::form::number_text;
use super::with_cell;
use crate::theme;
use crate::view_context::ViewContext;
use crate::widgets::combo::combo;
use crate::widgets::curve::Curve;
use crate::widgets::icon::{self, Icon};

/// The lowest that the plot gets, and the whole pane with it.
const PLOT_HEIGHT: f32 = 112.0;
pub const HEIGHT: f32 = PLOT_HEIGHT + 92.0;

/// Points of the curve.
const POINTS: u16 = 41;

#[derive(Debug, Default)]
pub struct WhatIf {
    /// Index into the contract's columns; the first suitable one until another is touched.
    column: Option<usize>,
    asked: Option<PredictRequest>,
}

impl WhatIf {
    /// The column that is varied: a number with a usual range.
    pub fn column<'a>(&self, contract: &'a Contract) -> Option<&'a Column> {
        match self.column {
            Some(index) => contract.columns.get(index),
            None => contract.columns.iter().find(|column| range(column).is_some()),
        }
    }

    /// Turns to another column, if it can be varied.
    pub fn choose(&mut self, contract: &Contract, index: usize) {
        if contract.columns.get(index).is_some_and(|column| range(column).is_some()) {
            self.column = Some(index);
        }
    }

    pub fn ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>, contract: &Contract, row: &Row) {
        let Some(column) = self.column(contract) else { return };
        self.ask(cx, column, row);
        let answer = cx.state.what_if.as_ref().and_then(|(request, report)| Answer::new(contract, column, request, report));
        ui.separator();
        ui.horizontal(|ui| {
            ui.label(theme::section_title("What if"));
            self.column_picker(ui, contract);
            if let Some(answer) = &answer {
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    if icon::icon_button(ui, Icon::Copy, "Copy the curve as CSV").clicked() {
                        cx.outbox.copy(answer.csv(column), "the curve as CSV");
                    }
                });
            }
        });
        let Some(answer) = answer else { return };
        let finding = answer.finding(column);
        ui.label(theme::caption(ui, &finding));
        let x_now = row.0.get(&column.name).and_then(|text| text.parse().ok());
        let points = &answer.points;
        let x_name = column.unit.as_ref().map_or_else(|| column.name.clone(), |unit| format!("{}, {unit}", column.name));
        Curve { name: &finding, x_name: &x_name, points, y_range: answer.y_range.0..=answer.y_range.1, x_now }
            .ui(ui, (ui.available_height() - theme::SMALL_GAP).clamp(PLOT_HEIGHT, 2.0 * PLOT_HEIGHT));
    }

    fn column_picker(&mut self, ui: &mut Ui, contract: &Contract) {
        let shown = self.column(contract).map_or("", |column| column.name.as_str());
        let list = combo("what if").selected_text(shown).width(140.0);
        let inner = list.show_ui(ui, |ui| {
            for (index, column) in contract.columns.iter().enumerate().filter(|(_, column)| range(column).is_some()) {
                if ui.selectable_label(column.name == shown, &column.name).clicked() {
                    self.column = Some(index);
                }
            }
        });
        inner.response.accessible_name("Column to vary");
    }

    fn ask(&mut self, cx: &ViewContext<'_>, column: &Column, row: &Row) {
        let rows = grid(column).into_iter().map(|value| with_cell(row, &column.name, value)).collect();
        let request = PredictRequest::Rows(rows);
        // While the row itself can't be predicted, neither can its neighbours.
        if self.asked.as_ref() != Some(&request) && cx.state.prediction_error.is_none() {
            self.asked = Some(request.clone());
            cx.outbox.core(Command::WhatIf(request));
        }
    }
}

fn range(column: &Column) -> Option<(f64, f64)> {
    let is_number = matches!(column.kind, ColumnKind::Number | ColumnKind::Integer);
    column.min.zip(column.max).filter(|(min, max)| is_number && min < max)
}

/// The values tried, as text, without repetition.
fn grid(column: &Column) -> Vec<String> {
    let Some((min, max)) = range(column) else { return Vec::new() };
    let value = |step: u16| min + (max - min) * f64::from(step) / f64::from(POINTS - 1);
    let mut values: Vec<String> = (0..POINTS).map(|step| number_text(column, value(step))).collect();
    values.dedup();
    values
}

/// An answer as a curve.
struct Answer {
    /// The label whose probability is drawn; nothing for a regression.
    label: Option<String>,
    unit: String,
    points: Vec<(f64, f64)>,
    y_range: (f64, f64),
}

impl Answer {
    /// Nothing if the answer is about another column or has no number to draw.
    fn new(contract: &Contract, column: &Column, request: &PredictRequest, report: &PredictReport) -> Option<Self> {
        let PredictRequest::Rows(rows) = request else { return None };
        let xs: Vec<f64> = rows.iter().map(|row| row.0.get(&column.name)?.parse().ok()).collect::<Option<_>>()?;
        let is_varied = xs.first() < xs.last();
        if !is_varied || xs.len() != report.predictions.len() {
            return None;
        }
        let label = (contract.task == Task::Classification).then(|| most_moved(&report.predictions)).flatten();
        let height = |prediction: &Prediction| match &label {
            Some(label) => prediction.probabilities.iter().find(|(name, _)| name == label).map(|(_, probability)| *probability),
            None => prediction.prediction.as_ref()?.parse().ok(),
        };
        let ys: Vec<f64> = report.predictions.iter().map(height).collect::<Option<_>>()?;
        let y_range = if label.is_some() { (0.0, 1.0) } else { readable(bounds(&ys)) };
        let unit = contract.unit.clone().unwrap_or_default();
        Some(Self { label, unit, points: xs.into_iter().zip(ys).collect(), y_range })
    }

    /// One sentence that says what the picture shows.
    fn finding(&self, column: &Column) -> String {
        let ys: Vec<f64> = self.points.iter().map(|(_, y)| *y).collect();
        let (low, high) = bounds(&ys);
        let (first, last) = (ys.first().copied().unwrap_or(0.0), ys.last().copied().unwrap_or(0.0));
        let subject = self.label.as_deref().unwrap_or("prediction");
        let show = |value: f64| {
            if self.label.is_some() { format::probability(value) } else { format!("{} {}", format::number(value), self.unit).trim_end().to_owned() }
        };
        let name = &column.name;
        let is_flat = if self.label.is_some() { high - low < 0.005 } else { high - low < 1e-3 * high.abs().max(low.abs()) };
        if is_flat {
            return format!("{name} makes no difference to {subject} here: {}", show(first));
        }
        let tolerance = (high - low) * 0.02;
        if (last - high).abs() <= tolerance && (first - low).abs() <= tolerance {
            format!("{subject} rises from {} to {} as {name} grows", show(first), show(last))
        } else if (first - high).abs() <= tolerance && (last - low).abs() <= tolerance {
            format!("{subject} falls from {} to {} as {name} grows", show(first), show(last))
        } else {
            format!("{subject} moves between {} and {} over {name}", show(low), show(high))
        }
    }

    fn csv(&self, column: &Column) -> String {
        let lines = self.points.iter().map(|(x, y)| format!("{x},{y}"));
        let title =
            format!("{},{}", column.name, self.label.as_deref().map_or_else(|| "prediction".to_owned(), |label| format!("probability_{label}")));
        std::iter::once(title).chain(lines).collect::<Vec<_>>().join("\n")
    }
}

/// The label whose probability changes most; of equals the last, which of two labels is the positive one.
fn most_moved(predictions: &[Prediction]) -> Option<String> {
    let first = predictions.first()?;
    let span = |index: usize| {
        let (low, high) = bounds(&predictions.iter().filter_map(|prediction| Some(prediction.probabilities.get(index)?.1)).collect::<Vec<_>>());
        // Rounded, so that two labels that mirror each other count as equal.
        ((high - low) * 1e6).round()
    };
    let index = (0..first.probabilities.len()).max_by(|&a, &b| span(a).total_cmp(&span(b)))?;
    first.probabilities.get(index).map(|(label, _)| label.clone())
}

/// Widens bounds that lie close together: a tenth of the height is the least that should look like a slope.
fn readable((low, high): (f64, f64)) -> (f64, f64) {
    let least = 0.1 * low.abs().max(high.abs());
    let missing = (least - (high - low)).max(0.0);
    (low - missing / 2.0, high + missing / 2.0)
}

fn bounds(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| (low.min(value), high.max(value)))
}
