//! What if one number were different: the answer over the usual range of a column.

use drydock_core::contract::{Column, Contract};
use drydock_core::predict::{PredictRequest, Row, what_if};
use drydock_core::session::Command;
use eframe::egui::{Align, Layout, Rect, Ui};

use crate::action::Action;
use crate::theme;
use crate::view_context::ViewContext;
use crate::widgets::combo::combo;
use crate::widgets::curve;
use crate::widgets::icon::{self, Icon};

/// The lowest that the plot gets, and the whole pane with it.
const PLOT_HEIGHT: f32 = 112.0;
pub const HEIGHT: f32 = PLOT_HEIGHT + 92.0;

#[derive(Debug, Default)]
pub struct WhatIf {
    /// Index into the contract's columns; the first suitable one until another is touched.
    column: Option<usize>,
    asked: Option<PredictRequest>,
    /// Where the curve and its title stood in the last frame.
    pub drawn: Option<Rect>,
}

impl WhatIf {
    /// The column that is varied: a number with a usual range.
    pub fn column<'a>(&self, contract: &'a Contract) -> Option<&'a Column> {
        match self.column {
            Some(index) => contract.columns.get(index),
            None => contract.columns.iter().find(|column| column.usual_range().is_some()),
        }
    }

    /// Turns to another column, if it can be varied.
    pub fn choose(&mut self, contract: &Contract, index: usize) {
        if contract.columns.get(index).is_some_and(|column| column.usual_range().is_some()) {
            self.column = Some(index);
        }
    }

    pub fn ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>, contract: &Contract, row: &Row) {
        let Some(column) = self.column(contract) else { return };
        self.ask(cx, column, row);
        let answer = cx.state.what_if.as_ref();
        let figure = answer.and_then(|(request, report)| what_if::figure(contract, column, row, request, report));
        ui.separator();
        ui.horizontal(|ui| {
            ui.label(theme::section_title("What if"));
            self.column_picker(ui, contract);
            if let Some(figure) = &figure {
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    if icon::icon_button(ui, Icon::Copy, "Copy the curve as CSV").clicked() {
                        cx.outbox.copy(figure.to_csv(), "the curve as CSV");
                    }
                    if icon::icon_button(ui, Icon::Save, "Save the curve as a picture…").clicked() {
                        cx.outbox.send(Action::SaveFigure(Box::new(figure.clone())));
                    }
                });
            }
        });
        self.drawn = None;
        let Some(figure) = figure else { return };
        let title = ui.label(theme::caption(ui, &figure.title)).rect;
        let plot = curve::ui(ui, &figure, (ui.available_height() - theme::SMALL_GAP).clamp(PLOT_HEIGHT, 2.0 * PLOT_HEIGHT));
        self.drawn = Some(title.union(plot).expand(theme::SMALL_GAP));
    }

    fn column_picker(&mut self, ui: &mut Ui, contract: &Contract) {
        let shown = self.column(contract).map_or("", |column| column.name.as_str());
        let list = combo("what if").selected_text(shown).width(140.0);
        let inner = list.show_ui(ui, |ui| {
            for (index, column) in contract.columns.iter().enumerate().filter(|(_, column)| column.usual_range().is_some()) {
                if ui.selectable_label(column.name == shown, &column.name).clicked() {
                    self.column = Some(index);
                }
            }
        });
        inner.response.accessible_name("Column to vary");
    }

    fn ask(&mut self, cx: &ViewContext<'_>, column: &Column, row: &Row) {
        let Some(request) = what_if::request(column, row) else { return };
        // While the row itself can't be predicted, neither can its neighbours.
        if self.asked.as_ref() != Some(&request) && cx.state.prediction_error.is_none() {
            self.asked = Some(request.clone());
            cx.outbox.core(Command::WhatIf(request));
        }
    }
}
