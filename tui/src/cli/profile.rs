//! `drydock profile`: how fast, how large, how much memory, where the time goes.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};
use drydock_core::budget;
use drydock_core::format;
use drydock_core::profile::history::{self, Regression};
use drydock_core::profile::{Effort, FitTarget, ProfileReport, ProfileRequest, factor};
use drydock_core::report::Verdict;
use drydock_core::session::Command;
use drydock_core::tensor::device::DeviceChoice;

use super::args::{CommonArgs, ReportArgs, parse_count, parse_device, parse_dimension};
use super::output::{Output, object, say};
use super::report;
use super::runner::{Failure, Runner};
use crate::page::{Page, Tone};
use crate::text::TextTable;

/// Measure a model: latency and throughput, size, memory, time by operator
///
/// Load, compilation, first run and warm runs are kept apart. A configuration is measured in windows until three agree within 10 %; one
/// that never settles is marked "not stable". --quick takes 3 s and 100 runs at least for each, --full 30 s and 1000, else 6 s and 1000.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  drydock profile sample-models/digits/model.onnx --quick --operators\n  drydock profile sample-models/payment-fraud-v2/model.onnx --batch 1,64 \\\n    --quick --max-latency 5ms --json"
)]
pub struct ProfileArgs {
    /// The model file
    #[arg(value_hint = ValueHint::FilePath)]
    pub model: PathBuf,

    /// Rows of a run, to be tried in turn [default: 1,8,32; 1 with --quick]
    #[arg(long, value_name = "N,N,…", value_delimiter = ',', value_parser = parse_count)]
    pub batch: Vec<NonZeroUsize>,

    /// Devices to be tried in turn [default: --device]
    #[arg(long, value_name = "DEVICE,…", value_delimiter = ',', value_parser = parse_device)]
    pub devices: Vec<DeviceChoice>,

    /// A table whose rows are the inputs [default: drawn from usual values]
    #[arg(long, value_name = "TABLE", value_hint = ValueHint::FilePath)]
    pub data: Option<PathBuf>,

    /// The size of a dimension that the model leaves open; may be repeated
    #[arg(long, value_name = "NAME=N", value_parser = parse_dimension)]
    pub dim: Vec<(String, usize)>,

    /// Seed of the inputs that are drawn
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,

    /// Measure for a short time
    #[arg(long, conflicts_with = "full")]
    pub quick: bool,

    /// Measure for long enough to be reported
    #[arg(long)]
    pub full: bool,

    /// Show the time of each operator
    #[arg(long)]
    pub operators: bool,

    /// The latency that 19 of 20 runs have to keep, such as 5ms
    #[arg(long, value_name = "TIME", value_parser = budget::parse_duration)]
    pub max_latency: Option<Duration>,

    /// Write the operators of one run for chrome://tracing and Perfetto
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub trace: Option<PathBuf>,

    #[command(flatten)]
    pub report: ReportArgs,

    /// Replace a report that exists
    #[arg(long)]
    pub force: bool,

    /// Memory of another machine that the model should fit, such as 512MB
    #[arg(long, value_name = "SIZE", value_parser = budget::parse_bytes)]
    pub fit_memory: Option<u64>,

    /// Threads that it would have there
    #[arg(long, value_name = "N", value_parser = parse_count)]
    pub fit_threads: Option<NonZeroUsize>,

    /// By how much that machine is slower, thread for thread
    #[arg(long, value_name = "FACTOR", value_parser = factor)]
    pub fit_slowdown: Option<f64>,
}

pub fn run(args: &ProfileArgs, common: &CommonArgs, output: &mut Output) -> Result<(), Failure> {
    let request = request(args, common);
    report::check(&args.report, args.force)?;
    let mut runner = Runner::new(common)?;
    // Not compiled here: the profile does that itself, and measures it.
    runner.look_at(&args.model, common)?;
    let line = drydock_core::session::command_line(&Command::Profile(request.clone()), runner.session.state());
    runner.run(Command::Profile(request))?;
    let state = runner.session.state();
    let Some(found) = &state.profile else { return Err(Failure::Error("the profile gave no report".to_owned())) };
    let regression = history::regression(&state.profile_history);
    let mut document = found.document(history::history_figure(&state.profile_history));
    document.provenance.command = line;
    let is_printed = report::other_forms(&document, &args.report, args.force, output)?;
    if output.json {
        let mut document = object(found);
        document.insert("regression".to_owned(), serde_json::to_value(&regression).unwrap_or_default());
        output.document(document);
    } else if !is_printed && !output.quiet {
        describe(found, regression.as_ref(), &mut output.page);
    }
    if let (Some(trace), false) = (&args.trace, output.quiet) {
        say(&format!("trace written to {}", trace.display()));
    }
    Ok(())
}

fn request(args: &ProfileArgs, common: &CommonArgs) -> ProfileRequest {
    let fit = FitTarget { memory_bytes: args.fit_memory, threads: args.fit_threads.map(usize::from), slowdown: args.fit_slowdown };
    ProfileRequest {
        batches: args.batch.iter().copied().map(usize::from).collect(),
        threads: common.threads.iter().flat_map(|threads| threads.0.iter()).copied().map(usize::from).collect(),
        devices: args.devices.clone(),
        data: args.data.clone(),
        dims: args.dim.clone(),
        seed: args.seed,
        effort: match (args.quick, args.full) {
            (true, _) => Effort::Quick,
            (_, true) => Effort::Full,
            _ => Effort::Standard,
        },
        operators: args.operators,
        max_latency: args.max_latency,
        trace: args.trace.clone(),
        fit: (fit != FitTarget::default()).then_some(fit),
    }
}

/// Operators that a page lists; `--json` and `--html` have more.
const MAX_OPERATORS: usize = 20;

/// What came out, for 80 columns.
fn describe(report: &ProfileReport, regression: Option<&Regression>, page: &mut Page) {
    page.heading(&format!("Profile of {}", report.model));
    page.fact("device", &format!("{} · {}", report.device, format::counted(report.threads as u64, "thread")));
    page.fact("machine", &format!("{} ({})", report.machine.describe(), report.machine.hash));
    page.fact("size", &report.size.sentence());
    for note in &report.notes {
        page.fact("", note);
    }
    page.heading("From file to answer");
    page.whole_table(&TextTable::of_report(&report.way_table(), &[]), &[]);
    page.heading("Warm runs");
    let is_judged = report.max_latency_ms.is_some();
    let mut columns = vec!["batch", "threads", "p50", "p95", "p99", "σ", "rows/s", "runs"];
    columns.extend(report.has_devices().then_some("device"));
    columns.push(if is_judged { "budget" } else { "measured" });
    let runs = TextTable::of_report_fitting(&report.runs_table(), &columns, &["σ", "p99", "runs"], page.width.saturating_sub(2));
    page.whole_table(&runs, &[]);
    page.sentence(Tone::Plain, &report.sweet_spot_sentence());
    if let Some((run, sentence)) = report.runs.iter().find_map(|run| Some((run, run.unstable_sentence()?))) {
        page.sentence(Tone::Bad, &format!("{}. {sentence}", run.name(report.has_devices())));
    }
    if let Some(regression) = regression {
        page.sentence(tone_of(regression.verdict), &regression.sentence());
    }
    page.heading("Memory");
    page.whole_table(&TextTable::of_report(&report.memory_table(), &[]), &[]);
    operators(report, page);
    if let Some(fit) = &report.fit {
        page.heading("Will it fit?");
        page.whole_table(&TextTable::of_report(&fit.table(), &[]), &[]);
        let (verdict, sentence) = fit.verdict();
        page.sentence(tone_of(verdict), &format!("{} {}: {sentence}", verdict.sign(), verdict.word()));
    }
}

fn tone_of(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Pass => Tone::Good,
        Verdict::Fail => Tone::Bad,
        Verdict::NotJudged => Tone::Plain,
    }
}

fn operators(report: &ProfileReport, page: &mut Page) {
    let (Some(by_operator), Some(mut steps)) = (report.by_operator_table(), report.slowest_operators_table()) else { return };
    page.heading("Time by operator");
    page.whole_table(&TextTable::of_report(&by_operator, &[]), &[]);
    if let Some(figure) = report.roofline_figure() {
        page.sentence(Tone::Plain, &figure.title);
    }
    let n_more = steps.rows.len().saturating_sub(MAX_OPERATORS);
    steps.rows.truncate(MAX_OPERATORS);
    page.heading("Slowest operators");
    let columns = ["#", "operator", "node", "time", "share", "bound", "GFLOP/s", "GB/s", "runs on"];
    let steps = TextTable::of_report_fitting(&steps, &columns, &["GB/s", "runs on", "GFLOP/s"], page.width.saturating_sub(2));
    page.whole_table(&steps, &[]);
    if n_more > 0 {
        page.toned(Tone::Faint, &format!("  and {} more (--json and --html list them)", format::count(n_more as u64)));
    }
}
