//! `drydock inspect`: what a model takes, gives, holds and costs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::{Args, ValueHint};
use drydock_core::contract::{Contract, ContractSource};
use drydock_core::format;
use drydock_core::inspect::{InspectReport, SignatureItem};
use drydock_core::session::OpenedModel;
use serde_json::Value;

use super::args::CommonArgs;
use super::output::{Output, object};
use super::runner::{Failure, Runner};
use crate::page::{Page, Tone};
use crate::text::{Align, TextTable};

/// Show what a model takes, gives, holds and costs, and whether it can run here
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  drydock inspect sample-models/digits/model.onnx\n  drydock inspect sample-models/payment-fraud-v2/model.onnx --json"
)]
pub struct InspectArgs {
    /// The model file
    #[arg(value_hint = ValueHint::FilePath)]
    pub model: PathBuf,

    /// List every node
    #[arg(long)]
    pub nodes: bool,
}

pub fn run(args: &InspectArgs, common: &CommonArgs, output: &mut Output) -> Result<(), Failure> {
    let opened = Runner::new(common)?.look_at(&args.model, common)?;
    if output.json {
        output.document(document(&opened));
    } else {
        describe(&opened, &mut output.page);
        if args.nodes {
            output.page.heading("Nodes");
            output.page.table(&nodes(&opened.report));
            let on_host = kept_on_host(&opened.report);
            if !on_host.is_empty() {
                output.page.heading("What a GPU leaves in host memory");
                for (reason, operators) in on_host {
                    output.page.sentence(Tone::Plain, &format!("{}: {reason}", operators.into_iter().collect::<Vec<_>>().join(", ")));
                }
            }
        }
    }
    Ok(())
}

fn document(opened: &OpenedModel) -> serde_json::Map<String, Value> {
    let mut document = object(&*opened.report);
    document.insert("device".to_owned(), opened.model.device.label().into());
    document.insert("contract".to_owned(), Value::Object(object(&opened.model.contract)));
    document.insert("contract_source".to_owned(), source_of(&opened.model.contract_source).into());
    document
}

/// All that can be said of a model, in the order in which one asks. The screens show it too.
pub fn describe(opened: &OpenedModel, page: &mut Page) {
    let (model, report) = (&opened.model, &*opened.report);
    page.heading(&model.title());
    if let Some(description) = &model.contract.description {
        page.sentence(Tone::Plain, description);
    }
    for (name, value) in facts(report) {
        page.fact(name, &value);
    }
    page.fact("device", &model.device.label());
    page.fact("contract", &source_of(&model.contract_source));
    problems("Unsupported here", &report.unsupported, page);
    problems("Contradictions in the model", &report.issues, page);
    if report.unsupported.is_empty()
        && let Some(error) = model.plan_error()
    {
        problems("Can't run here", &[error.to_string()], page);
    }
    page.heading("Inputs");
    page.table(&signature(&report.inputs));
    page.heading("Outputs");
    page.table(&signature(&report.outputs));
    if !model.contract.columns.is_empty() {
        page.heading("Columns");
        page.table(&columns(&model.contract));
        if let Some(n_more) = model.contract.columns.len().checked_sub(MAX_COLUMNS).filter(|n_more| *n_more > 0) {
            page.toned(Tone::Faint, &format!("  and {} more (--json lists all)", format::count(n_more as u64)));
        }
    }
    page.heading("Operators");
    page.table(&operators(&report.operators));
    if !report.functions.is_empty() {
        page.heading("Functions of the model");
        page.table(&functions(report));
    }
}

/// A page is for people: of a picture's pixels the first will do.
const MAX_COLUMNS: usize = 32;

fn facts(report: &InspectReport) -> Vec<(&'static str, String)> {
    let opsets: Vec<String> = report.opsets.iter().map(|(domain, version)| format!("{domain} {version}")).collect();
    let unknown = || "unknown (a shape depends on the data)".to_owned();
    let mut facts = vec![
        ("file", format!("{} ({})", report.path, format::bytes(report.file_bytes))),
        ("opsets", opsets.join(", ")),
        ("parameters", format!("{} ({})", format::count(report.parameters), format::bytes(report.weight_bytes))),
        ("MACs", report.macs.map_or_else(unknown, |macs| format!("{} per row", format::quantity(macs as f64)))),
        ("activations", report.activation_peak_bytes.map_or_else(unknown, |bytes| format!("{} at most, per row", format::bytes(bytes)))),
    ];
    if !report.producer.is_empty() {
        facts.insert(1, ("made by", report.producer.clone()));
    }
    facts
}

fn source_of(source: &ContractSource) -> String {
    match source {
        ContractSource::Sidecar(path) => path.display().to_string(),
        ContractSource::Metadata => "in the model's metadata".to_owned(),
        ContractSource::Signature => "none; read off the model's inputs".to_owned(),
    }
}

fn functions(report: &InspectReport) -> TextTable {
    let mut table = TextTable::new(&[("function", Align::Left), ("calls", Align::Right), ("made of", Align::Left)]);
    for function in &report.functions {
        let made_of: Vec<String> = function.operators.iter().map(|(operator, count)| format!("{} {operator}", format::count(*count))).collect();
        table.push(vec![function.name.clone(), format::count(function.calls), made_of.join(", ")]);
    }
    table
}

fn operators(operators: &BTreeMap<String, u64>) -> TextTable {
    let mut by_count: Vec<(&String, u64)> = operators.iter().map(|(operator, count)| (operator, *count)).collect();
    by_count.sort_by_key(|(operator, count)| (std::cmp::Reverse(*count), *operator));
    let mut table = TextTable::new(&[("operator", Align::Left), ("count", Align::Right)]);
    for (operator, count) in by_count {
        table.push(vec![operator.clone(), format::count(count)]);
    }
    table
}

pub fn shape_text(item: &SignatureItem) -> String {
    if item.shape.is_empty() { String::new() } else { format!("[{}]", item.shape.join(", ")) }
}

fn signature(items: &[SignatureItem]) -> TextTable {
    let mut table = TextTable::new(&[("name", Align::Left), ("type", Align::Left), ("shape", Align::Left)]);
    for item in items {
        table.push(vec![item.name.clone(), item.element_type.clone(), shape_text(item)]);
    }
    table
}

fn columns(contract: &Contract) -> TextTable {
    let mut table = TextTable::new(&[("column", Align::Left), ("kind", Align::Left), ("usual values", Align::Left), ("empty", Align::Left)]);
    for column in contract.columns.iter().take(MAX_COLUMNS) {
        let kind = format!("{:?}", column.kind).to_lowercase();
        let values = match (column.min, column.max) {
            (Some(min), Some(max)) => format!("{} to {}", format::number(min), format::number(max)),
            _ => column.categories.join(", "),
        };
        let values = match &column.unit {
            Some(unit) if !values.is_empty() => format!("{values} {unit}"),
            _ => values,
        };
        table.push(vec![column.name.clone(), kind, values, if column.may_be_missing { "allowed" } else { "no" }.to_owned()]);
    }
    table
}

fn nodes(report: &InspectReport) -> TextTable {
    let columns = [
        ("#", Align::Right),
        ("node", Align::Left),
        ("operator", Align::Left),
        ("output", Align::Left),
        ("parameters", Align::Right),
        ("MACs", Align::Right),
        ("runs on", Align::Left),
    ];
    let mut table = TextTable::new(&columns);
    for (index, node) in report.nodes.iter().enumerate() {
        table.push(vec![
            (index + 1).to_string(),
            node.name.clone(),
            node.operator.clone(),
            node.outputs.first().map(shape_text).unwrap_or_default(),
            format::count(node.parameters),
            node.macs.map_or_else(|| "?".to_owned(), |macs| format::quantity(macs as f64)),
            node.placement.clone(),
        ]);
    }
    table
}

/// Operators that stay in host memory, by what keeps them there.
fn kept_on_host(report: &InspectReport) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut by_reason: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for node in &report.nodes {
        if let Some(reason) = &node.placement_reason {
            by_reason.entry(reason).or_default().insert(&node.operator);
        }
    }
    by_reason
}

fn problems(heading: &str, problems: &[String], page: &mut Page) {
    if problems.is_empty() {
        return;
    }
    page.heading(heading);
    for problem in problems {
        page.sentence(Tone::Bad, problem);
    }
}
