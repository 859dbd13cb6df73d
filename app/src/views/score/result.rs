//! What came out of scoring: rows, speed, where the file is, and how right it was.

use std::path::Path;

use drydock_core::score::{Binding, LabelMetrics, Metrics, ScoreReport};
use eframe::egui::{Align, Grid, Label, Layout, RichText, Ui};

use crate::panels::drop_overlay::file_name;
use crate::theme;
use crate::view_context::ViewContext;
use crate::widgets::icon::{self, Icon};
use crate::widgets::property::fact;
use drydock_core::format;

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
        ui.separator();
    }
    if let Some(binding) = binding {
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
    let metric = |ui: &mut Ui, name: &str, value: f64| {
        ui.horizontal(|ui| {
            ui.label(RichText::new(name).color(theme::palette(ui).weak_text));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| ui.label(format::number(value)).on_hover_text(value.to_string()));
        });
    };
    match metrics {
        Metrics::Classification { rows, accuracy, precision, recall, f1, roc_auc, log_loss, labels } => {
            metric(ui, "Accuracy", *accuracy);
            metric(ui, "Precision", *precision);
            metric(ui, "Recall", *recall);
            metric(ui, "F1", *f1);
            if let Some(roc_auc) = roc_auc {
                metric(ui, "ROC AUC", *roc_auc);
            }
            if let Some(log_loss) = log_loss {
                metric(ui, "Log loss", *log_loss);
            }
            fact(ui, "Rows with a label", &format::count(*rows));
            ui.add_space(theme::STEP);
            labels_ui(ui, labels);
        }
        Metrics::Regression { rows, rmse, mae, r2 } => {
            metric(ui, "RMSE", *rmse);
            metric(ui, "MAE", *mae);
            metric(ui, "R²", *r2);
            fact(ui, "Rows with a value", &format::count(*rows));
        }
    }
}

/// Precision and recall label by label.
fn labels_ui(ui: &mut Ui, labels: &[LabelMetrics]) {
    let right = |ui: &mut Ui, text: RichText| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| ui.label(text));
    };
    Grid::new("labels").num_columns(4).spacing([theme::SMALL_GAP, theme::STEP]).min_col_width(48.0).show(ui, |ui| {
        ui.label(theme::caption(ui, "Label"));
        for title in ["Precision", "Recall", "Rows"] {
            let title = theme::caption(ui, title);
            right(ui, title);
        }
        ui.end_row();
        for label in labels {
            ui.add(Label::new(&label.label).truncate());
            right(ui, format::number(label.precision).into());
            right(ui, format::number(label.recall).into());
            right(ui, format::count(label.support).into());
            ui.end_row();
        }
    });
}
