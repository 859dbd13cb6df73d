//! What came out of a profile: the figures that one looks for first on the right, everything else in sections below the form.

use drydock_core::format;
use drydock_core::profile::{FitReport, ProfileReport, RunReport};
use eframe::egui::{Label, Ui};

use super::shown::Shown;
use crate::action::Outbox;
use crate::theme;
use crate::widgets::combo::combo;
use crate::widgets::message::{self, Tone};
use crate::widgets::property::{self, Tile, fact};
use crate::widgets::report_table::ReportTable;
use crate::widgets::sections::Sections;
use crate::widgets::verdict;

/// What the tables remember between frames.
#[derive(Debug, Default)]
pub struct Tables {
    way: ReportTable,
    runs: ReportTable,
    by_operator: ReportTable,
    operators: ReportTable,
    sizes: [ReportTable; 3],
    memory: ReportTable,
    fit: ReportTable,
}

/// The right of the window. Returns the configuration that was picked.
pub fn headlines(ui: &mut Ui, report: &ProfileReport, shown: &Shown) -> Option<usize> {
    let mut picked = None;
    ui.label(theme::section_title("Result"));
    if shown.configurations.len() > 1 {
        let name = shown.configurations.get(shown.chosen).map_or("", String::as_str);
        let inner = combo("profile configuration").selected_text(name).width(ui.available_width()).truncate().show_ui(ui, |ui| {
            for (index, name) in shown.configurations.iter().enumerate() {
                if ui.selectable_label(index == shown.chosen, name).clicked() {
                    picked = Some(index);
                }
            }
        });
        inner.response.accessible_name("Configuration");
    } else if let Some(name) = shown.configurations.first() {
        ui.label(theme::caption(ui, name));
    }
    let Some(run) = report.runs.get(shown.chosen) else { return picked };
    for (judged, sentence) in &shown.verdicts {
        verdict::line(ui, *judged, sentence);
    }
    match run.unstable_sentence() {
        None => {
            let runs = format::counted(run.n as u64, "run");
            ui.add(Label::new(theme::caption(ui, format!("Stable: three windows in a row agree; {runs}."))).wrap());
        }
        Some(sentence) => {
            message::banner(ui, Tone::Warning, &sentence);
        }
    }
    property::tiles(ui, &tiles(report, run));
    ui.add_space(theme::STEP);
    let time = |ms: f64| format::seconds(ms / 1e3);
    fact(ui, "Load", &time(report.load_ms));
    for device in &report.devices {
        let on = if report.has_devices() { format!(", {}", device.device) } else { String::new() };
        fact(ui, &format!("Compile{on}"), &time(device.compile_ms));
        fact(ui, &format!("First run{on}"), &time(device.first_run_ms));
    }
    fact(ui, "Device", &run.device);
    fact(ui, "Weights", &format::bytes(report.size.weight_bytes));
    if shown.configurations.len() > 1 {
        ui.add_space(theme::STEP);
        ui.add(Label::new(theme::caption(ui, &shown.sweet_spot)).wrap());
    }
    picked
}

/// The figures that are seen first; what was not measured says so.
fn tiles(report: &ProfileReport, run: &RunReport) -> Vec<Tile<'static>> {
    let time = |name, ms: Option<f64>| Tile {
        name,
        value: ms.map_or_else(|| "too few runs".to_owned(), |ms| format::seconds(ms / 1e3)),
        exact: ms.map_or_else(|| "a percentile needs more runs; measure longer".to_owned(), |ms| format!("{ms} ms")),
    };
    let bytes = |name, bytes: Option<u64>| Tile {
        name,
        value: bytes.map_or_else(|| "not measured".to_owned(), format::bytes),
        exact: bytes.map_or_else(String::new, |bytes| format!("{} bytes", format::count(bytes))),
    };
    vec![
        time("p50", Some(run.latency_ms.typical())),
        time("p95", run.latency_ms.p95),
        time("p99", run.latency_ms.p99),
        Tile { name: "Rows per second", value: format::quantity(run.rows_per_second), exact: run.rows_per_second.to_string() },
        bytes("File size", Some(report.size.file_bytes)),
        bytes("Peak memory", report.peak_memory_bytes),
    ]
}

/// Below the form.
pub fn sections(ui: &mut Ui, outbox: &Outbox, report: &ProfileReport, shown: &Shown, tables: &mut Tables) {
    let page = Sections { outbox, revision: shown.revision };
    page.heading(ui, "Latency");
    if let (Some(histogram), Some(warm_up)) = (&shown.histogram, &shown.warm_up) {
        page.pair(ui, |ui| page.figure(ui, "profile latency", histogram), |ui| page.figure(ui, "profile warm-up", warm_up));
    }
    page.table(ui, "way", &shown.way, &mut tables.way);
    page.heading(ui, if shown.sweep.is_some() { "Batches and threads" } else { "Warm runs" });
    if let Some(figure) = &shown.sweep {
        page.figure(ui, "profile sweep", figure);
    }
    page.table(ui, "runs", &shown.runs, &mut tables.runs);
    operators(ui, &page, report, shown, tables);
    size_and_memory(ui, &page, shown, tables);
    page.heading(ui, "Will it fit?");
    match (&shown.fit, report.fit.as_ref().map(FitReport::verdict)) {
        (Some(table), Some((judged, sentence))) => {
            verdict::line(ui, judged, &sentence);
            page.table(ui, "fit", table, &mut tables.fit);
        }
        _ => page.note(ui, "Under More options, say how much memory another machine has, how many threads, and how much slower it is."),
    }
    page.heading(ui, "History");
    match &shown.history {
        Some(figure) => page.figure(ui, "profile history", figure),
        None => page.note(ui, "Profile this model again, on this machine and in the same way, and its latency is drawn here over time."),
    }
    page.heading(ui, "How it was measured");
    for note in &shown.notes {
        page.note(ui, note);
    }
}

fn operators(ui: &mut Ui, page: &Sections<'_>, report: &ProfileReport, shown: &Shown, tables: &mut Tables) {
    let (Some(operators), Some(by_operator)) = (&shown.operators, &shown.by_operator) else { return };
    page.heading(ui, "Where the time goes");
    let between = report.between_operators_ms.map(|ms| format!(" Between the operators: {} a run.", format::seconds(ms / 1e3)));
    page.note(ui, &format!("From runs under observation: an attribution, not a comparison.{}", between.unwrap_or_default()));
    match &shown.roofline {
        Some(figure) => page.pair(
            ui,
            |ui| page.table(ui, "time by operator", by_operator, &mut tables.by_operator),
            |ui| page.figure(ui, "profile roofline", figure),
        ),
        None => page.table(ui, "time by operator", by_operator, &mut tables.by_operator),
    }
    page.table(ui, "operators", operators, &mut tables.operators);
}

fn size_and_memory(ui: &mut Ui, page: &Sections<'_>, shown: &Shown, tables: &mut Tables) {
    page.heading(ui, "Size and memory");
    ui.add(Label::new(&shown.size).wrap());
    let [by_type, by_operator, layers] = &shown.sizes;
    let [by_type_table, by_operator_table, layers_table] = &mut tables.sizes;
    page.pair(ui, |ui| page.table(ui, "memory", &shown.memory, &mut tables.memory), |ui| page.table(ui, "weights by type", by_type, by_type_table));
    page.pair(
        ui,
        |ui| page.table(ui, "weights by operator", by_operator, by_operator_table),
        |ui| page.table(ui, "weights by layer", layers, layers_table),
    );
}
