//! Predict: one row or one picture by hand, the answer beside it at once, and what if a number were different.

use std::path::PathBuf;
use std::sync::Arc;

use drydock_core::contract::Contract;
use drydock_core::format;
use drydock_core::predict::{PredictRequest, Prediction};
use drydock_core::session::{Command, OpenedModel};
use eframe::egui::{Align, DragValue, Label, Layout, ScrollArea, Ui};

use self::form::Form;
use self::picture::PicturePane;
use self::what_if::WhatIf;
use crate::action::Action;
use crate::files::Purpose;
use crate::theme;
use crate::view_context::ViewContext;
use crate::widgets::icon::Icon;
use crate::widgets::message::{self, Tone};
use crate::widgets::page;
use crate::widgets::{bars, property};

mod form;
mod picture;
mod what_if;

#[derive(Debug, Default)]
pub struct PredictView {
    /// The model that everything below belongs to.
    model: usize,
    form: Form,
    what_if: WhatIf,
    picture: PicturePane,
    /// The request sent last: a different one is sent as soon as the form says something else.
    asked: Option<PredictRequest>,
    /// Row of the table that fills the form, from 1.
    fill_row: usize,
}

impl PredictView {
    pub fn ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>) {
        let Some(opened) = &cx.state.opened else {
            super::without_model(
                ui,
                cx,
                Icon::Predict,
                "Predict a row",
                "Set the values on the left, see the answer on the right, and what would change it.",
            );
            return;
        };
        self.follow_model(opened);
        let contract = &opened.model.contract;
        ui.set_max_width(theme::reading_width(ui));
        ui.horizontal(|ui| {
            ui.label(theme::title("Predict"));
            if contract.image.is_none() {
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| self.toolbar(ui, cx, contract));
            }
        });
        if let Some(error) = opened.model.plan_error() {
            message::banner(ui, Tone::Error, &format!("This model can't run here: {error}"));
            return;
        }
        if let Some(image) = &contract.image {
            self.picture.ui(ui, cx, image);
            self.ask_picture(cx);
        } else if contract.columns.is_empty() {
            message::empty_state(
                ui,
                Icon::Predict,
                "No columns to fill in",
                "This model takes tensors that are no rows of a table. A contract beside the model says which columns feed it.",
                |_| {},
            );
        } else {
            ui.add_space(theme::STEP);
            self.rows_ui(ui, cx, contract);
        }
    }

    /// Shows a picture from outside: dropped, or chosen in a dialog.
    pub fn show_picture(&mut self, path: PathBuf) {
        self.picture.show(path);
    }

    /// The form's request, for "copy as command".
    pub fn command(&self) -> Option<Command> {
        self.asked.clone().map(Command::Predict)
    }

    pub fn has_result(&self, cx: &ViewContext<'_>) -> bool {
        cx.state.opened.as_ref().is_some_and(|opened| {
            let contract = &opened.model.contract;
            opened.model.plan_error().is_none() && (contract.image.is_some() || !contract.columns.is_empty())
        })
    }

    fn follow_model(&mut self, opened: &OpenedModel) {
        let model = Arc::as_ptr(&opened.model).addr();
        if self.model != model {
            *self = Self { model, form: Form::new(&opened.model.contract), fill_row: 1, ..Self::default() };
        }
    }

    fn toolbar(&mut self, ui: &mut Ui, cx: &ViewContext<'_>, contract: &Contract) {
        if ui.button("Reset").on_hover_text("Back to the values that the model came with").clicked() {
            self.form = Form::new(contract);
        }
        match cx.state.table.as_ref().filter(|table| !table.preview.is_empty()) {
            Some(table) => {
                let name = format::file_name(&table.path);
                let fill = ui.button("Fill").on_hover_text(format!("Takes the values from {name}")).clicked();
                let value = DragValue::new(&mut self.fill_row).range(1..=table.preview.len()).speed(0.1);
                let changed = ui.add(value).accessible_name("Row to fill from").on_hover_text(&name).changed();
                ui.label(theme::caption(ui, format!("from {name}, row")));
                if fill || changed {
                    self.form.fill(contract, table, self.fill_row - 1);
                }
            }
            None => {
                if ui.button("Fill from a table…").on_hover_text("Takes the values of one of its rows").clicked() {
                    cx.outbox.send(Action::Choose(Purpose::Rows));
                }
            }
        }
    }

    fn rows_ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>, contract: &Contract) {
        let error = cx.state.prediction_error.as_deref();
        let can_vary = self.what_if.column(contract).is_some();
        let below = if can_vary { what_if::height(ui.available_height()) } else { 0.0 };
        let height = (ui.available_height() - below).max(120.0);
        ScrollArea::vertical().max_height(height).auto_shrink([false, true]).show(ui, |ui| {
            if let Some(touched) = self.form.ui(ui, contract, error) {
                self.what_if.choose(contract, touched);
            }
        });
        let row = self.form.row(contract);
        // The row itself first: its answer is what the eye is on.
        if !matches!(&self.asked, Some(PredictRequest::Rows(rows)) if rows.first() == Some(row)) {
            let request = PredictRequest::Rows(vec![row.clone()]);
            self.asked = Some(request.clone());
            cx.outbox.core(Command::Predict(request));
        }
        if can_vary {
            self.what_if.ui(ui, cx, contract, row);
        }
    }

    fn ask_picture(&mut self, cx: &ViewContext<'_>) {
        let Some(request) = self.picture.request().filter(|request| self.asked.as_ref() != Some(request)) else { return };
        self.asked = Some(request.clone());
        cx.outbox.core(Command::Predict(request));
    }

    pub fn result_ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>) {
        let Some(opened) = &cx.state.opened else { return };
        ui.label(theme::section_title("Result"));
        ui.add_space(theme::STEP);
        if let Some(error) = &cx.state.prediction_error {
            message::banner(ui, Tone::Error, error);
            return;
        }
        let Some(report) = &cx.state.prediction else {
            let hint = if opened.model.contract.image.is_some() {
                "Drop, choose or draw a picture: the answer appears here."
            } else {
                "The answer appears here."
            };
            ui.add(Label::new(theme::caption(ui, hint)).wrap());
            return;
        };
        page::scrolled(ui, |ui| {
            if let Some(prediction) = report.predictions.first() {
                prediction_ui(ui, &opened.model.contract, prediction);
            }
            ui.add_space(theme::SMALL_GAP);
            ui.label(theme::caption(ui, format!("{} · {}", format::duration(report.run_time), report.device)))
                .on_hover_text("Time of the model alone");
            ui.add_space(theme::SMALL_GAP);
            super::copy_as_command_button(ui, cx);
        });
    }
}

/// The answer: what it says first, then how sure it is.
fn prediction_ui(ui: &mut Ui, contract: &Contract, prediction: &Prediction) {
    /// More bars than this are a list that nobody reads: the most probable labels then stand for all.
    const BARS: usize = 12;
    if let Some(answer) = &prediction.prediction {
        ui.label(theme::caption(ui, contract.target.as_deref().unwrap_or("prediction")));
        let number = answer.parse::<f64>().ok().filter(|_| prediction.probabilities.is_empty());
        let shown = number.map_or_else(|| answer.clone(), format::number);
        ui.horizontal_wrapped(|ui| {
            ui.add(Label::new(theme::headline(shown)).wrap().selectable(true)).on_hover_text(answer);
            if let Some(unit) = &contract.unit {
                ui.label(theme::caption(ui, unit));
            }
        });
        ui.add_space(theme::SMALL_GAP);
    }
    if prediction.probabilities.len() > BARS {
        let mut sorted = prediction.probabilities.clone();
        sorted.sort_by(|a, b| b.1.total_cmp(&a.1));
        sorted.truncate(BARS);
        bars::probability_bars(ui, &sorted);
        ui.label(theme::caption(ui, format!("and {} more", format::count((prediction.probabilities.len() - BARS) as u64))));
    } else {
        bars::probability_bars(ui, &prediction.probabilities);
    }
    for (name, values) in &prediction.outputs {
        let shown: Vec<String> = values.iter().take(8).map(|value| value.parse().map_or_else(|_| value.clone(), format::number)).collect();
        let more = if values.len() > 8 { format!(" … ({} values)", format::count(values.len() as u64)) } else { String::new() };
        property::fact(ui, name, &format!("{}{more}", shown.join("  ")));
    }
}
