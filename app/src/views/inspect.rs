//! Inspect: what goes in and out, what is inside, what each part weighs, and whether it can run here.

use std::sync::Arc;

use drydock_core::contract::ContractSource;
use drydock_core::format;
use drydock_core::inspect::{InspectReport, NodeReport, SignatureItem};
use drydock_core::session::OpenedModel;
use eframe::egui::{Align, Label, Layout, RichText, ScrollArea, Ui, vec2};

use self::tables::{Columns, Metadata, Nodes, Operators, quantity};
use crate::theme;
use crate::view_context::ViewContext;
use crate::widgets::icon::{self, Icon};
use crate::widgets::message::{self, Tone};
use crate::widgets::page;
use crate::widgets::property::{self, Tile, fact};
use crate::widgets::table::TableState;

mod tables;

#[derive(Debug, Default)]
pub struct InspectView {
    tab: Tab,
    nodes: TableState,
    operators: TableState,
    columns: TableState,
    metadata: TableState,
    /// Asks for the cursor in the search field.
    pub wants_search: bool,
}

/// What the table below the totals lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Tab {
    #[default]
    Nodes,
    Operators,
    Columns,
    Metadata,
}

impl Tab {
    const ALL: [Self; 4] = [Self::Nodes, Self::Operators, Self::Columns, Self::Metadata];

    fn name(self) -> &'static str {
        match self {
            Self::Nodes => "Nodes",
            Self::Operators => "Operators",
            Self::Columns => "Columns",
            Self::Metadata => "Metadata",
        }
    }
}

impl InspectView {
    pub fn ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>) {
        let Some(opened) = &cx.state.opened else {
            super::without_model(
                ui,
                cx,
                Icon::Inspect,
                "Inspect a model",
                "Its inputs and outputs, operators, parameters and cost, and whether it can run on this machine.",
            );
            return;
        };
        let report = &opened.report;
        heading(ui, cx, opened);
        verdicts(ui, opened);
        property::tiles(ui, &totals(report));
        ui.add_space(theme::STEP);
        signature(ui, report);
        ui.add_space(theme::SMALL_GAP);
        self.tables(ui, opened);
    }

    fn tables(&mut self, ui: &mut Ui, opened: &OpenedModel) {
        let revision = Arc::as_ptr(&opened.report).addr() as u64;
        let report = opened.report.as_ref();
        let columns = Columns(&opened.model.contract.columns);
        let operators = Operators(report.operators.iter().collect());
        // Where there is no room for both on one line, the search has its own.
        let is_narrow = ui.available_width() < 600.0;
        let focus = std::mem::take(&mut self.wants_search);
        ui.horizontal_wrapped(|ui| {
            for tab in Tab::ALL {
                let count = match tab {
                    Tab::Nodes => report.nodes.len(),
                    Tab::Operators => report.operators.len(),
                    Tab::Columns => columns.0.len(),
                    Tab::Metadata => report.metadata.len(),
                };
                let text = format!("{}  {}", tab.name(), format::count(count as u64));
                let is_empty = count == 0 && tab == Tab::Metadata && self.tab != tab;
                if !is_empty && ui.selectable_label(self.tab == tab, text).clicked() {
                    self.tab = tab;
                }
            }
            if !is_narrow {
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| self.table().search_ui(ui, "Search", focus));
            }
        });
        if is_narrow {
            self.table().search_ui(ui, "Search", focus);
        }
        let source: &dyn crate::widgets::table::TableSource = match self.tab {
            Tab::Nodes => &Nodes(&report.nodes),
            Tab::Operators => &operators,
            Tab::Columns => &columns,
            Tab::Metadata => &Metadata(&report.metadata),
        };
        let salt = self.tab.name();
        self.table().ui(ui, salt, revision, source);
    }

    fn table(&mut self) -> &mut TableState {
        match self.tab {
            Tab::Nodes => &mut self.nodes,
            Tab::Operators => &mut self.operators,
            Tab::Columns => &mut self.columns,
            Tab::Metadata => &mut self.metadata,
        }
    }

    /// The selected node in full, or the model as a whole.
    pub fn result_ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>) {
        let Some(opened) = &cx.state.opened else { return };
        let selected = self.nodes.selected.filter(|_| self.tab == Tab::Nodes);
        page::scrolled(ui, |ui| match selected.and_then(|index| opened.report.nodes.get(index)) {
            Some(node) => node_details(ui, node),
            None => model_details(ui, opened),
        });
    }
}

fn heading(ui: &mut Ui, cx: &ViewContext<'_>, opened: &OpenedModel) {
    ui.horizontal(|ui| {
        ui.label(theme::title(opened.model.title()));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let path = opened.model.path.display().to_string();
            if icon::icon_button(ui, Icon::Copy, "Copy the path").clicked() {
                cx.outbox.copy(&path, "the path");
            }
            ui.add(Label::new(theme::caption(ui, &path)).truncate());
        });
    });
}

/// Whether it can run here, and where the model contradicts itself.
fn verdicts(ui: &mut Ui, opened: &OpenedModel) {
    if let Some(error) = opened.model.plan_error() {
        message::banner(ui, Tone::Error, &format!("This model can't run here: {error}"));
    }
    for issue in &opened.report.issues {
        message::banner(ui, Tone::Warning, issue);
    }
}

fn totals(report: &InspectReport) -> Vec<Tile<'static>> {
    let optional = |value: Option<u64>, show: fn(u64) -> String| value.map_or_else(|| "unknown".to_owned(), show);
    vec![
        Tile { name: "Parameters", value: quantity(report.parameters), exact: format::count(report.parameters) },
        Tile {
            name: "Multiply-adds",
            value: optional(report.macs, quantity),
            exact: report.macs.map_or_else(|| "some shapes are not known".to_owned(), |macs| format!("{} for one row", format::count(macs))),
        },
        Tile { name: "File", value: format::bytes(report.file_bytes), exact: format!("{} bytes", format::count(report.file_bytes)) },
        Tile { name: "Weights", value: format::bytes(report.weight_bytes), exact: format!("{} bytes", format::count(report.weight_bytes)) },
        Tile {
            name: "Peak activations",
            value: optional(report.activation_peak_bytes, format::bytes),
            exact: report
                .activation_peak_bytes
                .map_or_else(|| "some shapes are not known".to_owned(), |bytes| format!("{} bytes for one row", format::count(bytes))),
        },
        Tile { name: "Nodes", value: format::count(report.nodes.len() as u64), exact: format!("{} kinds of operator", report.operators.len()) },
    ]
}

/// Inputs and outputs, side by side where there is room.
fn signature(ui: &mut Ui, report: &InspectReport) {
    const NARROW: f32 = 440.0;
    // A low window keeps its room for the table below.
    let height = (ui.available_height() * 0.24).clamp(96.0, 144.0);
    let list = |ui: &mut Ui, title: &str, items: &[SignatureItem]| {
        ui.spacing_mut().item_spacing.y = theme::STEP;
        ui.spacing_mut().interact_size.y = 20.0;
        ui.label(theme::section_title(title));
        let letters = items.iter().map(|item| item.name.chars().count()).max().unwrap_or(0);
        let name_width = (letters as f32 * 7.6).min(ui.available_width() * 0.6);
        for item in items {
            signature_line(ui, item, name_width);
        }
    };
    ScrollArea::vertical().id_salt("signature").max_height(height).auto_shrink([false, true]).show(ui, |ui| {
        if ui.available_width() < NARROW {
            list(ui, "Inputs", &report.inputs);
            list(ui, "Outputs", &report.outputs);
        } else {
            ui.columns(2, |columns| {
                for (ui, (title, items)) in columns.iter_mut().zip([("Inputs", &report.inputs), ("Outputs", &report.outputs)]) {
                    list(ui, title, items);
                }
            });
        }
    });
}

fn signature_line(ui: &mut Ui, item: &SignatureItem, name_width: f32) {
    ui.horizontal(|ui| {
        ui.allocate_ui_with_layout(vec2(name_width, 20.0), Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_width(name_width);
            ui.add(Label::new(RichText::new(&item.name).monospace()).truncate().selectable(true));
        });
        ui.add_space(theme::SMALL_GAP);
        ui.add(Label::new(theme::caption(ui, type_of(item))).truncate());
    });
}

fn type_of(item: &SignatureItem) -> String {
    if item.shape.is_empty() { item.element_type.clone() } else { format!("{} [{}]", item.element_type, item.shape.join(", ")) }
}

fn node_details(ui: &mut Ui, node: &NodeReport) {
    ui.label(theme::caption(ui, "Node"));
    ui.add(Label::new(theme::section_title(&node.name)).wrap().selectable(true));
    ui.add_space(theme::STEP);
    fact(ui, "Operator", &node.operator);
    fact(ui, "Runs on", &node.runs_on());
    fact(ui, "Parameters", &format::count(node.parameters));
    fact(ui, "Weights", &format::bytes(node.weight_bytes));
    fact(ui, "Multiply-adds", &node.macs.map_or_else(|| "unknown".to_owned(), format::count));
    ui.add_space(theme::SMALL_GAP);
    ui.label(theme::caption(ui, "Outputs"));
    for output in &node.outputs {
        fact(ui, &output.name, &type_of(output));
    }
}

fn model_details(ui: &mut Ui, opened: &OpenedModel) {
    let contract = &opened.model.contract;
    let report = &opened.report;
    ui.label(theme::section_title("Model"));
    if let Some(description) = &contract.description {
        ui.add(Label::new(description).wrap());
    }
    ui.add_space(theme::STEP);
    let can_run = opened.model.plan_error().is_none();
    fact(ui, "Can run here", if can_run { "✓ yes" } else { "× no" });
    fact(ui, "Device", &opened.model.device.label());
    if !report.producer.is_empty() {
        fact(ui, "Made by", &report.producer);
    }
    fact(ui, "IR version", &report.ir_version.to_string());
    for (domain, version) in &report.opsets {
        fact(ui, &format!("Opset {domain}"), &version.to_string());
    }
    ui.add_space(theme::SMALL_GAP);
    ui.label(theme::section_title("Contract"));
    let source = match &opened.model.contract_source {
        ContractSource::Sidecar(path) => format!("from {}", format::file_name(path)),
        ContractSource::Metadata => "from the model's metadata".to_owned(),
        ContractSource::Signature => "derived from the signature".to_owned(),
    };
    ui.label(theme::caption(ui, source));
    fact(ui, "Columns", &format::count(contract.columns.len() as u64));
    if let Some(target) = &contract.target {
        fact(ui, "Target", target);
    }
    if !contract.labels.is_empty() {
        fact(ui, "Labels", &contract.labels.join(", "));
    }
    if let Some(unit) = &contract.unit {
        fact(ui, "Unit", unit);
    }
    for unsupported in &report.unsupported {
        message::banner(ui, Tone::Warning, unsupported);
    }
}
