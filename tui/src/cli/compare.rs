//! `drydock compare`: versions on the same rows.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueHint};
use drydock_core::compare::{CompareReport, CompareRequest, PairReport, Split, Window};
use drydock_core::format;
use drydock_core::session::{Command, command_line};

use super::args::{CommonArgs, ReportArgs, TableArgs, parse_count, parse_share};
use super::output::{Output, say};
use super::report;
use super::runner::{Failure, Runner};
use crate::page::{Page, Tone};
use crate::text::{TextTable, turned};

/// Compare versions on the same rows: agreement, metrics with intervals, rows that change
///
/// The first version is the baseline. Metrics need a label column; agreement does not.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  drydock compare sample-models/payment-fraud/model.onnx \\\n    sample-models/payment-fraud-v2/model.onnx \\\n    --data sample-models/payment-fraud/new.csv\n  drydock compare sample-models/payment-fraud/model.onnx \\\n    sample-models/payment-fraud-v2/model.onnx --no-latency \\\n    --data sample-models/payment-fraud/drifted.csv --window 500 --split 0.1 --md"
)]
pub struct CompareArgs {
    /// Two model files or more; the first is the baseline
    #[arg(required = true, num_args = 2.., value_name = "VERSION", value_hint = ValueHint::FilePath)]
    pub versions: Vec<PathBuf>,

    /// The table: CSV, TSV, Parquet, NDJSON or Arrow IPC, plain or .gz or .zst
    #[arg(long, value_name = "TABLE", value_hint = ValueHint::FilePath)]
    pub data: PathBuf,

    #[command(flatten)]
    pub table: TableArgs,

    /// Write the rows that changed most here; the name says the format
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub changed: Option<PathBuf>,

    /// Changed rows that are kept
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub limit: usize,

    /// Follow agreement and metrics by the times in this column
    #[arg(long, value_name = "COLUMN", requires = "window")]
    pub time: Option<String>,

    /// The length of a window: 1h, 1d, 1w, or a number of rows
    #[arg(long, value_name = "WINDOW")]
    pub window: Option<Window>,

    /// Replay a canary: the share of the rows that the second version serves
    #[arg(long, value_name = "SHARE", value_parser = parse_share)]
    pub split: Option<f64>,

    /// Rows with the same value in this column go to the same version
    #[arg(long, value_name = "COLUMN", requires = "split")]
    pub split_by: Option<String>,

    /// Measure no latency and no memory
    #[arg(long)]
    pub no_latency: bool,

    /// Rows per batch [default: chosen for the models]
    #[arg(long, value_name = "N", value_parser = parse_count)]
    pub batch: Option<NonZeroUsize>,

    #[command(flatten)]
    pub report: ReportArgs,

    /// Replace files that exist
    #[arg(long)]
    pub force: bool,
}

/// Changed rows that are printed; files and JSON have them all.
const PRINTED_ROWS: usize = 10;

pub fn run(args: &CompareArgs, common: &CommonArgs, output: &mut Output) -> Result<(), Failure> {
    let request = request(args, common)?;
    report::check(&args.report, args.force)?;
    let mut runner = Runner::new(common)?;
    runner.run(Command::Compare(request.clone()))?;
    let Some(found) = runner.session.state().comparison.clone() else { return Err(Failure::Error("the comparison gave no report".to_owned())) };
    let command = command_line(&Command::Compare(request), runner.session.state());
    let document = found.document(command);
    if report::other_forms(&document, &args.report, args.force, output)? {
        return Ok(());
    }
    if output.json {
        output.document(found.to_json());
        if runner.shows_progress() {
            say(&summary(&found));
        }
    } else if !output.quiet {
        for note in &found.notes {
            say(&format!("note: {note}"));
        }
        describe(&found, &mut output.page);
        if let Some(path) = &args.changed {
            output.page.blank();
            output.page.line(&format!("changed rows written to {}", path.display()));
        }
    }
    Ok(())
}

fn request(args: &CompareArgs, common: &CommonArgs) -> Result<CompareRequest, Failure> {
    let (columns, bind) = args.table.bound()?;
    Ok(CompareRequest {
        versions: args.versions.clone(),
        device: common.device,
        data: args.data.clone(),
        label: args.table.label.clone(),
        columns,
        bind,
        on_error: args.table.on_error(),
        batch_rows: args.batch.map(usize::from),
        threads: common.threads.as_ref().map(|threads| usize::from(threads.most())),
        changed: args.changed.clone(),
        overwrite: args.force,
        max_changed: args.limit,
        time: args.time.clone(),
        window: args.window,
        split: args.split.map(|share| Split { share, column: args.split_by.clone() }),
        measures_latency: !args.no_latency,
    })
}

/// Which rows change, a sentence for each rule.
fn explain(pair: &PairReport, page: &mut Page) {
    let Some(explanation) = &pair.explanation else { return };
    let value = |value: f64| if explanation.is_share { format::percent(value) } else { format::number(value) };
    page.heading(&format!("Which rows change ({}: {} over all)", explanation.of, value(explanation.overall)));
    for rule in &explanation.rules {
        let conditions = if rule.conditions.is_empty() { "all rows".to_owned() } else { rule.conditions.join(", ") };
        page.sentence(Tone::Plain, &format!("{} where {conditions} ({} of the rows)", value(rule.value), format::percent(rule.share_of_rows)));
    }
}

fn summary(report: &CompareReport) -> String {
    format!("{} compared in {}", format::counted(report.rows_compared, "row"), format::seconds(report.seconds))
}

fn describe(report: &CompareReport, page: &mut Page) {
    for pair in &report.pairs {
        if !page.lines.is_empty() {
            page.blank();
        }
        for line in crate::text::wrapped(&report.headline(pair), page.width) {
            page.toned(Tone::Heading, &line);
        }
        if !pair.metrics.is_empty() {
            report::section(page, &report.metrics_table(pair));
        }
        report::section(page, &report.agreement_table(pair));
        if !pair.agreement.transitions.is_empty() {
            report::section(page, &CompareReport::transitions_table(pair));
        }
        explain(pair, page);
        if !pair.changed.rows.is_empty() {
            let mut table = report.changed_table(pair);
            let n_rows = table.rows.len();
            table.rows.truncate(PRINTED_ROWS);
            table.columns.truncate(5);
            report::section(page, &table);
            if n_rows > PRINTED_ROWS {
                page.toned(Tone::Faint, &format!("  the first {PRINTED_ROWS} of {n_rows} kept; --changed FILE and --json have them all"));
            }
        }
    }
    for table in [report.windows_table(), report.split_table()].into_iter().flatten() {
        report::section(page, &table);
    }
    let versions = report.versions_table();
    // Few things with many measures read better down the page, where they don't fit across it.
    let is_wide = TextTable::of_report(&versions, &[]).natural_width() + 2 > page.width;
    let rows: Vec<usize> = (0..versions.rows.len()).collect();
    report::section(page, &if is_wide { turned(&versions, &rows) } else { versions });
    page.blank();
    for method in &report.methods {
        page.paragraph(Tone::Faint, method);
    }
    page.blank();
    let rejected = if report.rows_rejected > 0 { format!(", {} left out", format::count(report.rows_rejected)) } else { String::new() };
    page.line(&format!("{}{rejected}", summary(report)));
}
