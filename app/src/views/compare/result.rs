//! What came out of a comparison: the findings on the right, everything else in sections below the form.

use drydock_core::compare::{CompareReport, Judgement, LatencyComparison, MetricComparison, PairReport};
use drydock_core::format;
use eframe::egui::{Color32, Label, Ui};

use super::shown::{Drawn, Files, Gate, Shown};
use crate::action::Outbox;
use crate::theme;
use crate::widgets::property::{self, Tile, fact_line};
use crate::widgets::report_table::ReportTable;
use crate::widgets::sections::Sections;
use crate::widgets::verdict;

/// What the tables remember between frames.
#[derive(Debug, Default)]
pub struct Tables {
    metrics: ReportTable,
    agreement: ReportTable,
    flips: ReportTable,
    explanation: ReportTable,
    changed: ReportTable,
    versions: ReportTable,
    version_metrics: ReportTable,
    windows: ReportTable,
    canary: ReportTable,
    conditions: ReportTable,
    cost: ReportTable,
    nodes: ReportTable,
    weights: ReportTable,
}

/// The right of the window.
pub fn findings(ui: &mut Ui, report: &CompareReport, pair: &PairReport, shown: &Drawn<Shown>) {
    ui.label(theme::section_title("Result"));
    ui.add(Label::new(&shown.headline).wrap().selectable(true));
    property::tiles(ui, &tiles(report, pair));
    if !pair.metrics.is_empty() {
        ui.add_space(theme::SMALL_GAP);
        ui.label(theme::section_title("B less A"));
        for metric in &pair.metrics {
            metric_ui(ui, metric);
        }
    }
    if let Some(latency) = &pair.latency {
        latency_ui(ui, latency);
    }
}

fn tiles(report: &CompareReport, pair: &PairReport) -> Vec<Tile<'static>> {
    let agreement = &pair.agreement;
    let (low, high) = (agreement.interval.low, agreement.interval.high);
    let mut tiles = vec![
        Tile {
            name: "Rows that agree",
            value: format::percent(agreement.share),
            exact: format!("{} of {}; {low} to {high} at 95 %", agreement.rows_agreeing, report.rows_compared),
        },
        Tile { name: "Changed rows", value: format::count(pair.changed.n_changed), exact: String::new() },
    ];
    if let (Some(a), Some(b)) = (report.versions.first(), report.versions.get(pair.version)) {
        let exact = format!("{} and {} bytes", format::count(a.file_bytes), format::count(b.file_bytes));
        if a.file_bytes > 0 {
            tiles.push(Tile { name: "Size of B", value: change(b.file_bytes as f64 / a.file_bytes as f64 - 1.0), exact });
        }
    }
    if let Some(latency) = &pair.latency {
        tiles.push(Tile { name: "Latency of B", value: change(latency.change), exact: latency.change.to_string() });
    }
    tiles
}

/// `+12 %`, `−3 %`.
fn change(share: f64) -> String {
    let sign = if share > 0.0 { "+" } else { "" };
    format!("{sign}{}", format::percent(share))
}

/// Better and worse are verdicts, so they have their colours, and their words.
fn color(ui: &Ui, judgement: Judgement) -> Color32 {
    let palette = theme::palette(ui);
    match judgement {
        Judgement::Better => palette.pass,
        Judgement::Worse => palette.fail,
        Judgement::NoDifference | Judgement::NotJudged => palette.weak_text,
    }
}

fn metric_ui(ui: &mut Ui, metric: &MetricComparison) {
    let interval = metric.interval.map_or_else(String::new, |interval| format!("; {} to {} at 95 %", interval.low, interval.high));
    judged_line(ui, metric.name.name(), metric.judgement, &signed(metric.difference), &format!("{} less {}{interval}", metric.b, metric.a));
}

fn latency_ui(ui: &mut Ui, latency: &LatencyComparison) {
    let interval = latency.interval.map_or_else(String::new, |interval| format!("{} to {}", interval.low, interval.high));
    judged_line(ui, "latency", latency.judgement, &change(latency.change), &interval);
}

fn signed(value: f64) -> String {
    drydock_core::report::Quantity::Change.text(value)
}

fn judged_line(ui: &mut Ui, name: &str, judgement: Judgement, value: &str, exact: &str) {
    let color = color(ui, judgement);
    fact_line(ui, name, |ui| {
        property::badge(ui, judgement.word(), color);
        let response = ui.label(value);
        if !exact.is_empty() {
            response.on_hover_text(exact);
        }
    });
}

/// Below the form.
pub fn sections(ui: &mut Ui, outbox: &Outbox, shown: &Drawn<Shown>, tables: &mut Tables) {
    let page = Sections { outbox, revision: shown.revision };
    page.heading(ui, "How they compare");
    if let Some(metrics) = &shown.metrics {
        page.table(ui, "metrics", metrics, &mut tables.metrics);
    }
    match &shown.flips {
        Some(flips) => page.pair(
            ui,
            |ui| page.table(ui, "agreement", &shown.agreement, &mut tables.agreement),
            |ui| page.table(ui, "flips", flips, &mut tables.flips),
        ),
        None => page.table(ui, "agreement", &shown.agreement, &mut tables.agreement),
    }
    page.heading(ui, "Rows that change");
    page.note(ui, &shown.changed_note);
    if let Some(explanation) = &shown.explanation {
        page.table(ui, "explanation", explanation, &mut tables.explanation);
    }
    page.table(ui, "changed rows", &shown.changed, &mut tables.changed);
    if let Some(figure) = &shown.reliability {
        page.heading(ui, "Calibration");
        page.figure(ui, "compare reliability", figure);
    }
    page.heading(ui, "Versions");
    page.table(ui, "versions", &shown.versions, &mut tables.versions);
    if let Some(metrics) = &shown.version_metrics {
        page.table(ui, "metrics of each version", metrics, &mut tables.version_metrics);
    }
    if let Some(windows) = &shown.windows {
        page.heading(ui, "As time goes by");
        for (index, figure) in shown.window_figures.iter().enumerate() {
            page.figure(ui, &format!("compare windows {}", index + 1), figure);
        }
        page.table(ui, "windows", windows, &mut tables.windows);
    }
    if let Some(canary) = &shown.canary {
        page.heading(ui, "Canary");
        page.note(
            ui,
            "Each arm's metrics are over the rows that it served; beside them, how often the other version would have said something else.",
        );
        page.table(ui, "canary", canary, &mut tables.canary);
    }
    page.heading(ui, "How it was compared");
    for note in &shown.notes {
        page.note(ui, note);
    }
}

/// The gate's verdict and its conditions.
pub fn gate(ui: &mut Ui, outbox: &Outbox, gate: &Drawn<Gate>, tables: &mut Tables) {
    let page = Sections { outbox, revision: gate.revision };
    page.heading(ui, "Ship gate");
    verdict::headline(ui, gate.report.verdict, &gate.headline);
    page.table(ui, "conditions", &gate.conditions, &mut tables.conditions);
}

/// What changed between the files.
pub fn files(ui: &mut Ui, outbox: &Outbox, files: &Drawn<Files>, tables: &mut Tables) {
    let page = Sections { outbox, revision: files.revision };
    page.heading(ui, "What changed in the files");
    ui.add(Label::new(&files.headline).wrap().selectable(true));
    for change in &files.signature {
        page.note(ui, change);
    }
    page.table(ui, "cost", &files.cost, &mut tables.cost);
    page.table(ui, "changed nodes", &files.nodes, &mut tables.nodes);
    page.table(ui, "changed weights", &files.weights, &mut tables.weights);
}
