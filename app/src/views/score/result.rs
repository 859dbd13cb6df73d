//! What came out of scoring: rows, speed, where the file is, and how right it was.

use std::path::Path;

use drydock_core::format;
use drydock_core::score::{Binding, LabelMetrics, Metrics, ScoreReport};
use eframe::egui::{Align, Label, Layout, RichText, Ui, vec2};

use crate::theme;
use crate::view_context::ViewContext;
use crate::widgets::icon::{self, Icon};
use crate::widgets::property::{fact, fact_line};
use drydock_core::format::file_name;

pub fn ui(ui: &mut Ui, cx: &ViewContext<'_>, binding: Option<&Binding>) {
    if let Some(report) = &cx.state.score {
        ui.label(theme::section_title("Result"));
        report_ui(ui, cx, report);
        if let Some(metrics) = &report.metrics {
            ui.add_space(theme::SMALL_GAP);
            ui.label(theme::section_title("Against the label"));
            metrics_ui(ui, metrics);
        }
        ui.add_space(theme::SMALL_GAP);
        for note in &report.notes {
            ui.add(Label::new(theme::caption(ui, note)).wrap());
        }
    } else if let Some(binding) = binding {
        ui.label(theme::section_title("Binding"));
        if !binding.decided_by.is_empty() {
            ui.add(Label::new(theme::caption(ui, format!("Decided by {}", binding.decided_by))).wrap());
        }
        fact(ui, "Columns that feed the model", &format::count(binding.columns.len() as u64));
        fact(ui, "Label", binding.label.as_deref().unwrap_or("none"));
        if !binding.unused.is_empty() {
            fact(ui, "Feed nothing", &binding.unused.join(", "));
        }
    }
}

fn report_ui(ui: &mut Ui, cx: &ViewContext<'_>, report: &ScoreReport) {
    ui.horizontal(|ui| {
        ui.label(theme::headline(format::count(report.rows_scored)));
        ui.label(theme::caption(ui, "rows scored"));
    });
    fact(ui, "Time", &format::seconds(report.seconds));
    fact(ui, "Rows per second", &format::number(report.rows_per_second));
    if report.rows_rejected > 0 {
        fact(ui, "Set aside", &format::count(report.rows_rejected));
    }
    file_line(ui, cx, "Output", &report.output);
    if let Some(quarantine) = &report.quarantine {
        file_line(ui, cx, "Set aside in", quarantine);
    }
}

fn file_line(ui: &mut Ui, cx: &ViewContext<'_>, name: &str, path: &Path) {
    ui.horizontal(|ui| {
        ui.label(RichText::new(name).color(theme::palette(ui).weak_text));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if icon::icon_button(ui, Icon::Copy, &format!("Copy the path of {}", file_name(path))).clicked() {
                cx.outbox.copy(path.display().to_string(), "the path");
            }
            ui.add(Label::new(file_name(path)).truncate()).on_hover_text(path.display().to_string());
        });
    });
}

fn metrics_ui(ui: &mut Ui, metrics: &Metrics) {
    let line = |ui: &mut Ui, name: &str, shown: String, value: f64| {
        fact_line(ui, name, |ui| {
            ui.label(shown).on_hover_text(value.to_string());
        });
    };
    // Shares have three decimals, so that they line up; errors are in the unit of the label.
    let share = |ui: &mut Ui, name: &str, value: f64| line(ui, name, format::probability(value), value);
    let error = |ui: &mut Ui, name: &str, value: f64| line(ui, name, format::number(value), value);
    match metrics {
        Metrics::Classification { rows, accuracy, precision, recall, f1, roc_auc, log_loss, labels, .. } => {
            share(ui, "Accuracy", *accuracy);
            share(ui, "Precision", *precision);
            share(ui, "Recall", *recall);
            share(ui, "F1", *f1);
            if let Some(roc_auc) = roc_auc {
                share(ui, "ROC AUC", *roc_auc);
            }
            if let Some(log_loss) = log_loss {
                share(ui, "Log loss", *log_loss);
            }
            fact(ui, "Rows with a label", &format::count(*rows));
            ui.add_space(theme::STEP);
            labels_ui(ui, labels);
        }
        Metrics::Regression { rows, rmse, mae, r2, .. } => {
            error(ui, "RMSE", *rmse);
            error(ui, "MAE", *mae);
            if let Some(r2) = r2 {
                share(ui, "R²", *r2);
            }
            fact(ui, "Rows with a value", &format::count(*rows));
        }
    }
}

/// Precision and recall label by label.
fn labels_ui(ui: &mut Ui, labels: &[LabelMetrics]) {
    ui.spacing_mut().interact_size.y = 20.0;
    let line = |ui: &mut Ui, name: RichText, cells: [RichText; 3]| {
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                for cell in cells.into_iter().rev() {
                    ui.allocate_ui_with_layout(vec2(54.0, 20.0), Layout::right_to_left(Align::Center), |ui| {
                        ui.set_min_width(54.0);
                        ui.label(cell);
                    });
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| ui.add(Label::new(name).truncate()));
            });
        });
    };
    let titles = ["Precision", "Recall", "Rows"].map(|title| theme::caption(ui, title));
    line(ui, theme::caption(ui, "Label"), titles);
    for label in labels {
        let cells = [format::probability(label.precision), format::probability(label.recall), format::count(label.support)];
        line(ui, label.label.as_str().into(), cells.map(RichText::new));
    }
}
