//! `drydock check`: the gate before shipping.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueHint};
use drydock_core::budget;
use drydock_core::compare::check::{Budgets, CheckRequest, read_config};
use drydock_core::score::Metric;
use drydock_core::session::{Command, command_line};

use super::args::{CommonArgs, ReportArgs, TableArgs, parse_count, parse_metric};
use super::output::{Output, say};
use super::report;
use super::runner::{Failure, Runner};

/// Judge a version before it ships: one table of conditions, exit code 1 where one fails
///
/// Conditions come from options and from the section [check] of drydock.toml, where that file is in this folder or named with --config. What
/// can't be judged, such as a latency that never settles, is "not judged": never a pass, and a failure with --strict.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  drydock check sample-models/payment-fraud-v2/model.onnx \\\n    --against sample-models/payment-fraud/model.onnx \\\n    --data sample-models/payment-fraud/new.csv --min-agreement 0.9 \\\n    --max-drop f1=0.05 --max-size 10MB\n  drydock check sample-models/digits/model.onnx --max-size 1MB \\\n    --max-p95 50ms --md"
)]
pub struct CheckArgs {
    /// The model file
    #[arg(value_hint = ValueHint::FilePath)]
    pub model: PathBuf,

    /// The version that it is to replace
    #[arg(long, value_name = "MODEL", value_hint = ValueHint::FilePath)]
    pub against: Option<PathBuf>,

    /// The table: CSV, TSV, Parquet, NDJSON or Arrow IPC, plain or .gz or .zst
    #[arg(long, value_name = "TABLE", value_hint = ValueHint::FilePath)]
    pub data: Option<PathBuf>,

    #[command(flatten)]
    pub table: TableArgs,

    /// The largest file, such as 10MB
    #[arg(long, value_name = "SIZE", value_parser = budget::parse_bytes)]
    pub max_size: Option<u64>,

    /// The longest 95th percentile of the latency, such as 5ms
    #[arg(long, value_name = "TIME", value_parser = budget::parse_duration)]
    pub max_p95: Option<Duration>,

    /// Rows of a run whose latency is judged
    #[arg(long, value_name = "N", default_value_t = NonZeroUsize::MIN, value_parser = parse_count)]
    pub batch: NonZeroUsize,

    /// The most memory of the process while the model runs, such as 200MB
    #[arg(long, value_name = "SIZE", value_parser = budget::parse_bytes)]
    pub max_memory: Option<u64>,

    /// The least share of rows on which both versions agree, such as 0.99
    #[arg(long, value_name = "SHARE", value_parser = budget::parse_share)]
    pub min_agreement: Option<f64>,

    /// What a metric has to reach (a loss: must not exceed), such as accuracy=0.9; may be repeated
    #[arg(long, value_name = "METRIC=VALUE", value_parser = parse_metric)]
    pub min_metric: Vec<(Metric, f64)>,

    /// How much worse than the other version's a metric may be, such as f1=0.01; may be repeated
    #[arg(long, value_name = "METRIC=VALUE", value_parser = parse_metric)]
    pub max_drop: Vec<(Metric, f64)>,

    /// Changes of the contract that callers of the --against version may notice, such as 0
    #[arg(long, value_name = "N")]
    pub max_contract_changes: Option<u64>,

    /// A file with conditions [default: drydock.toml, where it is in this folder]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,

    /// Fail where a condition can't be judged
    #[arg(long)]
    pub strict: bool,

    #[command(flatten)]
    pub report: ReportArgs,

    /// Replace a report that exists
    #[arg(long)]
    pub force: bool,
}

/// Read where it is in the current folder, unless another file is named.
const CONFIG: &str = "drydock.toml";

pub fn run(args: &CheckArgs, common: &CommonArgs, output: &mut Output) -> Result<(), Failure> {
    let request = request(args, common, output.quiet)?;
    report::check(&args.report, args.force)?;
    let mut runner = Runner::new(common)?;
    runner.run(Command::Check(request.clone()))?;
    let Some(found) = runner.session.state().check.clone() else { return Err(Failure::Error("the check gave no report".to_owned())) };
    let document = found.document(command_line(&Command::Check(request), runner.session.state()));
    let is_printed = report::other_forms(&document, &args.report, args.force, output)?;
    if output.json {
        output.document(found.to_json());
    } else if !is_printed && !output.quiet {
        report::section(&mut output.page, &found.table());
        output.page.blank();
        for line in crate::text::wrapped(&found.headline(), output.page.width) {
            output.page.line(&line);
        }
    }
    if found.passes { Ok(()) } else { Err(Failure::Judgement) }
}

fn request(args: &CheckArgs, common: &CommonArgs, is_quiet: bool) -> Result<CheckRequest, Failure> {
    let (columns, bind) = args.table.bound()?;
    let mut request = CheckRequest {
        model: args.model.clone(),
        against: args.against.clone(),
        device: common.device,
        data: args.data.clone(),
        label: args.table.label.clone(),
        columns,
        bind,
        on_error: args.table.on_error(),
        threads: common.threads.as_ref().map(|threads| usize::from(threads.most())),
        budgets: Budgets {
            max_size_bytes: args.max_size,
            max_p95: args.max_p95,
            max_memory_bytes: args.max_memory,
            min_agreement: args.min_agreement,
            min_metrics: args.min_metric.clone(),
            max_drops: args.max_drop.clone(),
            max_contract_changes: args.max_contract_changes,
        },
        batch: args.batch.get(),
        is_strict: args.strict,
    };
    let config = args.config.as_deref().or_else(|| Some(Path::new(CONFIG)).filter(|path| path.is_file()));
    if let Some(config) = config {
        read_config(config, &mut request).map_err(|error| Failure::Error(error.to_string()))?;
        if !is_quiet {
            say(&format!("note: conditions of {}", config.display()));
        }
    }
    Ok(request)
}
