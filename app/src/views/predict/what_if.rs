//! What if one number were different: the answer over the usual range of a column.

use drydock_core::contract::{Column, Contract};
use drydock_core::predict::{Row, what_if};
use drydock_core::session::Command;
use eframe::egui::{Align, Layout, Ui};

use crate::theme;
use crate::view_context::ViewContext;
use crate::widgets::combo::combo;
use crate::widgets::plot;

/// The lowest that the plot gets.
const PLOT_HEIGHT: f32 = 132.0;

/// What the pane takes of a page, so that a form longer than the window leaves it a plot that can be read.
pub fn height(available: f32) -> f32 {
    const AROUND_PLOT: f32 = 92.0;
    (available * 0.42).clamp(PLOT_HEIGHT + AROUND_PLOT, 300.0)
}

#[derive(Debug, Default)]
pub struct WhatIf {
    /// Index into the contract's columns; the first suitable one until another is touched.
    column: Option<usize>,
    /// The column and the row that were asked about last.
    asked: Option<(String, Row)>,
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
                    plot::buttons(ui, cx.outbox, &figure.x.name, figure);
                });
            }
        });
        let Some(figure) = figure else { return };
        let title = ui.label(theme::caption(ui, &figure.title)).rect;
        let plot = plot::ui(ui, &figure, (ui.available_height() - theme::SMALL_GAP).clamp(PLOT_HEIGHT, 2.0 * PLOT_HEIGHT));
        plot::remember(ui, &figure.x.name, title.union(plot));
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
        let is_asked = self.asked.as_ref().is_some_and(|(name, known)| *name == column.name && is_same_but(known, row, name));
        // While the row itself can't be predicted, neither can its neighbours.
        if is_asked || cx.state.prediction_error.is_some() {
            return;
        }
        if let Some(request) = what_if::request(column, row) {
            self.asked = Some((column.name.clone(), row.clone()));
            cx.outbox.core(Command::WhatIf(request));
        }
    }
}

/// Whether two rows agree in all but one column: what the varied column itself says makes no difference to its curve.
fn is_same_but(a: &Row, b: &Row, column: &str) -> bool {
    a.0.iter().filter(|(name, _)| *name != column).eq(b.0.iter().filter(|(name, _)| *name != column))
}
