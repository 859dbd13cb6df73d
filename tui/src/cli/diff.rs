//! `drydock diff`: what changed between two model files.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use drydock_core::compare::diff::{DiffReport, DiffRequest};
use drydock_core::session::{Command, command_line};

use super::args::{CommonArgs, ReportArgs};
use super::output::{Output, object};
use super::report;
use super::runner::{Failure, Runner};
use crate::page::{Page, Tone};

/// Show what changed between two model files: nodes, attributes, shapes, weights, cost
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  drydock diff sample-models/payment-fraud/model.onnx \\\n    sample-models/payment-fraud-v2/model.onnx\n  drydock diff sample-models/digits/model.onnx \\\n    sample-models/digits/model.onnx --json"
)]
pub struct DiffArgs {
    /// The older file
    #[arg(value_hint = ValueHint::FilePath)]
    pub a: PathBuf,

    /// The newer file
    #[arg(value_hint = ValueHint::FilePath)]
    pub b: PathBuf,

    #[command(flatten)]
    pub report: ReportArgs,

    /// Replace a report that exists
    #[arg(long)]
    pub force: bool,
}

pub fn run(args: &DiffArgs, common: &CommonArgs, output: &mut Output) -> Result<(), Failure> {
    let request = DiffRequest { a: args.a.clone(), b: args.b.clone() };
    report::check(&args.report, args.force)?;
    let mut runner = Runner::new(common)?;
    runner.run(Command::Diff(request.clone()))?;
    let Some(found) = runner.session.state().diff.clone() else { return Err(Failure::Error("the comparison gave no report".to_owned())) };
    let document = found.document(command_line(&Command::Diff(request), runner.session.state()));
    if report::other_forms(&document, &args.report, args.force, output)? {
        return Ok(());
    }
    if output.json {
        output.document(object(&*found));
    } else if !output.quiet {
        describe(&found, &mut output.page);
    }
    Ok(())
}

/// What changed, node by node and weight by weight: each change of a node on its own line.
pub fn describe(report: &DiffReport, page: &mut Page) {
    page.paragraph(Tone::Heading, &report.headline());
    for line in &report.signature {
        page.sentence(Tone::Plain, line);
    }
    report::section(page, &report.cost_table());
    if !report.nodes.is_empty() {
        page.heading(&report.nodes_table().title);
    }
    for node in &report.nodes {
        let operator = if node.operator == node.node { String::new() } else { format!(" ({})", node.operator) };
        page.sentence(Tone::Plain, &format!("{} {}{operator}", node.change.word(), node.node));
        for detail in &node.details {
            page.indented(4, Tone::Faint, detail);
        }
    }
    if !report.weights.is_empty() {
        report::section(page, &report.weights_table());
    }
}
