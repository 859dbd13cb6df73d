//! `drydock score`: a table in, a table out.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueHint};
use drydock_core::format;
use drydock_core::score::{LabelMetrics, Metrics, ScoreReport, ScoreRequest};
use drydock_core::session::Command;

use super::args::{CommonArgs, TableArgs, parse_count};
use super::output::{Output, object, say};
use super::runner::{Failure, Runner};
use crate::page::Page;
use crate::text::{Align, TextTable};

/// Score a whole table: predictions beside its columns, metrics when the answers are known
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  drydock score sample-models/breast-cancer/model.onnx \\\n    sample-models/breast-cancer/new.csv -o scored.csv\n  drydock score sample-models/payment-fraud-v2/model.onnx \\\n    sample-models/payment-fraud-v2/reference.csv -o scored.parquet \\\n    --on-error skip --json"
)]
pub struct ScoreArgs {
    /// The model file
    #[arg(value_hint = ValueHint::FilePath)]
    pub model: PathBuf,

    /// The table: CSV, TSV, Parquet, NDJSON or Arrow IPC, plain or .gz or .zst
    #[arg(value_hint = ValueHint::FilePath)]
    pub data: PathBuf,

    /// Where the scored table goes; its format follows from the name [default: DATA with .scored before its extension]
    #[arg(long, short, value_name = "OUT", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,

    #[command(flatten)]
    pub table: TableArgs,

    /// Columns of the table that stand in the output: all, none, or names
    #[arg(long, value_name = "all|none|A,B,…", default_value = "all")]
    pub keep: String,

    /// Rows per batch [default: chosen for the model]
    #[arg(long, value_name = "N", value_parser = parse_count)]
    pub batch: Option<NonZeroUsize>,

    /// Replace an output that exists
    #[arg(long)]
    pub force: bool,
}

pub fn run(args: &ScoreArgs, common: &CommonArgs, output: &mut Output) -> Result<(), Failure> {
    let request = request(args, common)?;
    let mut runner = Runner::new(common)?;
    runner.open(&args.model, common)?;
    runner.run(Command::Score(request))?;
    let Some(report) = &runner.session.state().score else { return Err(Failure::Error("the scoring gave no report".to_owned())) };
    if output.json {
        output.document(object(report));
        if runner.shows_progress() {
            say(&summary(report));
        }
    } else if !output.quiet {
        for note in &report.notes {
            say(&format!("note: {note}"));
        }
        describe(report, &mut output.page);
    }
    Ok(())
}

fn request(args: &ScoreArgs, common: &CommonArgs) -> Result<ScoreRequest, Failure> {
    let (columns, bind) = args.table.bound()?;
    let keep = args.keep.parse().map_err(|message: String| Failure::Error(format!("--keep: {message}")))?;
    Ok(ScoreRequest {
        data: args.data.clone(),
        output: args.output.clone().unwrap_or_else(|| ScoreRequest::default_output(&args.data)),
        label: args.table.label.clone(),
        columns,
        bind,
        keep,
        on_error: args.table.on_error(),
        batch_rows: args.batch.map(usize::from),
        threads: common.threads.as_ref().map(|threads| usize::from(threads.most())),
        overwrite: args.force,
    })
}

/// `412,345 rows in 1.93 s (217k rows/s), 12 set aside in march.rejected.csv`.
pub fn summary(report: &ScoreReport) -> String {
    let mut line = format!(
        "{} in {} ({} rows/s)",
        format::counted(report.rows, "row"),
        format::seconds(report.seconds),
        format::quantity(report.rows_per_second)
    );
    if report.rows_rejected > 0 {
        line.push_str(&format!(", {} set aside", format::count(report.rows_rejected)));
        if let Some(quarantine) = &report.quarantine {
            line.push_str(&format!(" in {}", format::file_name(quarantine)));
        }
    }
    line
}

/// What came out, metrics included.
fn describe(report: &ScoreReport, page: &mut Page) {
    page.line(&summary(report));
    page.line(&format!("written to {}", report.output.display()));
    let Some(metrics) = &report.metrics else { return };
    let (rows, values) = headline(metrics);
    page.heading(&format!("Metrics over {}", format::counted(rows, "labelled row")));
    for (name, value) in values {
        page.line(&format!("  {name:<10} {value:>8}"));
    }
    if let Metrics::Classification { labels, .. } = metrics {
        page.blank();
        page.table(&by_label(labels));
    }
}

/// How many rows had a label, and the figures that count, as text.
pub fn headline(metrics: &Metrics) -> (u64, Vec<(&'static str, String)>) {
    let optional = |value: &Option<f64>| value.map_or_else(|| "—".to_owned(), format::probability);
    match metrics {
        Metrics::Classification { rows, accuracy, precision, recall, f1, mcc, roc_auc, pr_auc, log_loss, brier, .. } => {
            let values = vec![
                ("accuracy", format::probability(*accuracy)),
                ("precision", format::probability(*precision)),
                ("recall", format::probability(*recall)),
                ("F1", format::probability(*f1)),
                ("MCC", format::probability(*mcc)),
                ("ROC AUC", optional(roc_auc)),
                ("PR AUC", optional(pr_auc)),
                ("log loss", optional(log_loss)),
                ("Brier", optional(brier)),
            ];
            (*rows, values)
        }
        Metrics::Regression { rows, rmse, mae, mape, r2 } => {
            let values = vec![("RMSE", format::number(*rmse)), ("MAE", format::number(*mae)), ("MAPE", format::percent(*mape)), ("R²", optional(r2))];
            (*rows, values)
        }
    }
}

fn by_label(labels: &[LabelMetrics]) -> TextTable {
    let mut table = TextTable::new(&[
        ("label", Align::Left),
        ("precision", Align::Right),
        ("recall", Align::Right),
        ("F1", Align::Right),
        ("rows", Align::Right),
    ]);
    for label in labels {
        table.push(vec![
            label.label.clone(),
            format::probability(label.precision),
            format::probability(label.recall),
            format::probability(label.f1),
            format::count(label.support),
        ]);
    }
    table
}
