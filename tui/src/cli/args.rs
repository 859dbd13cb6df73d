//! What can be typed: exactly the words of the command line, without any effect.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::builder::styling::{Effects, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use drydock_core::tensor::device::DeviceChoice;

use super::models::args::ModelsArgs;
use drydock_core::{budget, profile};

const STYLES: Styles = Styles::styled()
    .header(clap::builder::styling::Style::new().effects(Effects::BOLD))
    .literal(clap::builder::styling::Style::new().effects(Effects::BOLD));

/// Open an ONNX model, look inside, try predictions, score whole tables. Local and offline.
///
/// Without a command, Drydock opens its screens in this terminal.
#[derive(Debug, Parser)]
#[command(name = "drydock", version, styles = STYLES, disable_help_subcommand = true, max_term_width = 80)]
#[command(
    after_help = "Topics: drydock help topics\n\nExamples:\n  drydock inspect sample-models/digits/model.onnx\n  drydock score sample-models/breast-cancer/model.onnx \\\n    sample-models/breast-cancer/new.csv -o scored.csv"
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,

    #[command(flatten)]
    pub screens: ScreenArgs,

    #[command(flatten)]
    pub common: CommonArgs,
}

/// Options of the screens, which open when no command is given.
#[derive(Debug, Clone, Args)]
pub struct ScreenArgs {
    /// Draw the screens with plain ASCII characters
    #[arg(long)]
    pub ascii: bool,

    /// Open the screens with this model
    #[arg(long, value_name = "MODEL", value_hint = ValueHint::FilePath)]
    pub open: Option<PathBuf>,
}

/// Options that every command takes.
#[derive(Debug, Clone, Args)]
pub struct CommonArgs {
    /// Where the model runs: cpu, gpu, or gpu:N as `drydock doctor` counts them
    #[arg(long, global = true, default_value = "cpu", value_name = "DEVICE", value_parser = parse_device)]
    pub device: DeviceChoice,

    /// Worker threads [default: one per core]; profile takes several, 1,2,4
    #[arg(long, global = true, value_name = "N", value_parser = parse_threads)]
    pub threads: Option<ThreadCounts>,

    /// Print one JSON document instead of text
    #[arg(long, global = true)]
    pub json: bool,

    /// Print nothing but the result that was asked for, and errors
    #[arg(long, short, global = true)]
    pub quiet: bool,

    /// Show no progress
    #[arg(long, global = true)]
    pub no_progress: bool,
}

/// Numbers of worker threads: one, or several to be tried in turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadCounts(pub Vec<NonZeroUsize>);

impl ThreadCounts {
    /// The most of them.
    pub fn most(&self) -> NonZeroUsize {
        self.0.iter().copied().max().unwrap_or(NonZeroUsize::MIN)
    }

    /// The only one; a sentence where there are several.
    pub fn only(&self) -> Result<NonZeroUsize, String> {
        match self.0.as_slice() {
            [only] => Ok(*only),
            _ => Err("--threads: expected one number here; profile alone tries several".to_owned()),
        }
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Inspect(InspectArgs),
    Verify(VerifyArgs),
    Predict(PredictArgs),
    Score(ScoreArgs),
    Profile(ProfileArgs),
    Package(PackageArgs),
    Models(ModelsArgs),
    Compare(CompareArgs),
    Check(CheckArgs),
    Diff(DiffArgs),
    Doctor(DoctorArgs),
    Completions(CompletionsArgs),
    Help(HelpArgs),
}

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

/// Run ONNX test sets and compare with the outputs they expect
///
/// A test set is a folder with model.onnx and test_data_set_N/{input,output}_K.pb; folders of such are searched. A number passes when
/// |actual - expected| <= atol + rtol * |expected|. Exit code 1 when a case fails.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  drydock verify sample-models/digits\n  drydock verify sample-models --rtol 1e-4 --json")]
pub struct VerifyArgs {
    /// Test case folders, or folders of such; or one package, FILE.drydock
    #[arg(required = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub folders: Vec<PathBuf>,

    /// Relative tolerance
    #[arg(long, default_value_t = 1e-3, value_parser = parse_tolerance)]
    pub rtol: f64,

    /// Absolute tolerance
    #[arg(long, default_value_t = 1e-5, value_parser = parse_tolerance)]
    pub atol: f64,
}

/// Predict rows that you give by hand, or a picture
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  drydock predict sample-models/digits/model.onnx \\\n    --image sample-models/digits/three.png\n  drydock predict sample-models/payment-fraud-v2/model.onnx \\\n    --set amount=182.4 --set merchant=electronics --set country=PT \\\n    --set channel=online --set hour=23 --set n_transactions_24h=9 \\\n    --set is_foreign=0 --json"
)]
pub struct PredictArgs {
    /// The model file
    #[arg(value_hint = ValueHint::FilePath)]
    pub model: PathBuf,

    /// One column of the row; may be repeated
    #[arg(long, value_name = "COLUMN=VALUE", value_parser = parse_assignment, conflicts_with_all = ["row", "rows", "image"])]
    pub set: Vec<(String, String)>,

    /// The row as a JSON object of columns
    #[arg(long, value_name = "JSON", conflicts_with_all = ["rows", "image"])]
    pub row: Option<String>,

    /// A file with a JSON array of rows, or one JSON object per line; - reads standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "image")]
    pub rows: Option<PathBuf>,

    /// A PNG or JPEG file, for a model that takes a picture
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub image: Option<PathBuf>,
}

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

    /// The column with the true answer, for metrics [default: the contract's target, where the table has it]
    #[arg(long, value_name = "COLUMN")]
    pub label: Option<String>,

    /// Feature columns in order, for a model with one [N, F] input
    #[arg(long, value_name = "A,B,…", conflicts_with = "bind")]
    pub columns: Option<String>,

    /// Columns that feed one input; may be repeated
    #[arg(long, value_name = "INPUT=A,B,…", value_parser = parse_assignment)]
    pub bind: Vec<(String, String)>,

    /// Columns of the table that stand in the output: all, none, or names
    #[arg(long, value_name = "all|none|A,B,…", default_value = "all")]
    pub keep: String,

    /// At a row that can't be scored: stop, or skip it and set it aside with the reason
    #[arg(long, value_enum, default_value_t = OnErrorArg::Stop)]
    pub on_error: OnErrorArg,

    /// Rows per batch [default: chosen for the model]
    #[arg(long, value_name = "N")]
    pub batch: Option<NonZeroUsize>,

    /// Replace an output that exists
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnErrorArg {
    Stop,
    Skip,
}

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
    #[arg(long, value_name = "N,N,…", value_delimiter = ',')]
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
    pub max_latency: Option<std::time::Duration>,

    /// Write the operators of one run for chrome://tracing and Perfetto
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub trace: Option<PathBuf>,

    /// Write a report as one page of HTML
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub html: Option<PathBuf>,

    /// Write a report as Markdown
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub md: Option<PathBuf>,

    /// Memory of another machine that the model should fit, such as 512MB
    #[arg(long, value_name = "SIZE", value_parser = budget::parse_bytes)]
    pub fit_memory: Option<u64>,

    /// Threads that it would have there
    #[arg(long, value_name = "N")]
    pub fit_threads: Option<NonZeroUsize>,

    /// By how much that machine is slower, thread for thread
    #[arg(long, value_name = "FACTOR", value_parser = profile::factor)]
    pub fit_slowdown: Option<f64>,
}

/// Pack a model with its contract and golden cases into one file, for another machine to verify
///
/// On that machine, drydock verify FILE.drydock says bit-equal, within tolerance, or different (exit code 1). A package opens as a MODEL too.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  drydock package sample-models/wine/model.onnx -o scored.wine.drydock --force\n  drydock package sample-models/payment-fraud-v2/model.onnx \\\n    --data sample-models/payment-fraud-v2/reference.csv --rows 50 \\\n    -o scored.fraud.drydock --force"
)]
pub struct PackageArgs {
    /// The model: a path, or a name of the registry
    #[arg(value_hint = ValueHint::FilePath)]
    pub model: PathBuf,

    /// The package, such as fraud.drydock
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: PathBuf,

    /// A table whose first rows are the golden cases [default: rows drawn from the contract's ranges]
    #[arg(long, value_name = "DATA", value_hint = ValueHint::FilePath)]
    pub data: Option<PathBuf>,

    /// Golden rows [default: 20]
    #[arg(long, value_name = "N")]
    pub rows: Option<NonZeroUsize>,

    /// For rows that are drawn [default: 0]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,

    /// Do not measure the model, which takes a few seconds: the package then says nothing of its speed
    #[arg(long)]
    pub no_profile: bool,

    /// Replace a package that exists
    #[arg(long)]
    pub force: bool,
}

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
    pub window: Option<drydock_core::compare::Window>,

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
    #[arg(long, value_name = "N")]
    pub batch: Option<NonZeroUsize>,

    #[command(flatten)]
    pub report: ReportArgs,

    /// Replace files that exist
    #[arg(long)]
    pub force: bool,
}

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
    #[arg(long, value_name = "SIZE", value_parser = drydock_core::budget::parse_bytes)]
    pub max_size: Option<u64>,

    /// The longest 95th percentile of the latency, such as 5ms
    #[arg(long, value_name = "TIME", value_parser = drydock_core::budget::parse_duration)]
    pub max_p95: Option<std::time::Duration>,

    /// Rows of a run whose latency is judged
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = parse_positive)]
    pub batch: usize,

    /// The most memory of the process while the model runs, such as 200MB
    #[arg(long, value_name = "SIZE", value_parser = drydock_core::budget::parse_bytes)]
    pub max_memory: Option<u64>,

    /// The least share of rows on which both versions agree, such as 0.99
    #[arg(long, value_name = "SHARE", value_parser = drydock_core::budget::parse_share)]
    pub min_agreement: Option<f64>,

    /// What a metric has to reach (a loss: must not exceed), such as accuracy=0.9; may be repeated
    #[arg(long, value_name = "METRIC=VALUE", value_parser = parse_metric)]
    pub min_metric: Vec<(drydock_core::score::Metric, f64)>,

    /// How much worse than the other version's a metric may be, such as f1=0.01; may be repeated
    #[arg(long, value_name = "METRIC=VALUE", value_parser = parse_metric)]
    pub max_drop: Vec<(drydock_core::score::Metric, f64)>,

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

/// How a table feeds models.
#[derive(Debug, Clone, Args)]
pub struct TableArgs {
    /// The column with the true answer, for metrics [default: the contract's target, where the table has it]
    #[arg(long, value_name = "COLUMN")]
    pub label: Option<String>,

    /// Feature columns in order, for models with one [N, F] input
    #[arg(long, value_name = "A,B,…", conflicts_with = "bind")]
    pub columns: Option<String>,

    /// Columns that feed one input; may be repeated
    #[arg(long, value_name = "INPUT=A,B,…", value_parser = parse_assignment)]
    pub bind: Vec<(String, String)>,

    /// At a row that can't be scored: stop, or skip it
    #[arg(long, value_enum, default_value_t = OnErrorArg::Stop)]
    pub on_error: OnErrorArg,
}

/// Other forms of a report.
#[derive(Debug, Clone, Args)]
pub struct ReportArgs {
    /// Print the report as Markdown, for a pull request
    #[arg(long)]
    pub md: bool,

    /// Write the report as one HTML file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub html: Option<PathBuf>,
}

/// Show the version, the devices, and where files live
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  drydock doctor\n  drydock doctor --json")]
pub struct DoctorArgs {}

/// Print a completion script for a shell
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  drydock completions bash \\\n    > ~/.local/share/bash-completion/completions/drydock\n  drydock completions fish > ~/.config/fish/completions/drydock.fish"
)]
pub struct CompletionsArgs {
    pub shell: clap_complete::Shell,
}

/// Explain a command or a topic; `drydock help topics` lists the topics
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  drydock help score\n  drydock help topics")]
pub struct HelpArgs {
    /// A command or a topic
    pub about: Option<String>,
}

fn parse_device(text: &str) -> Result<DeviceChoice, String> {
    text.parse().map_err(|error: drydock_core::tensor::DeviceError| error.to_string())
}

fn parse_threads(text: &str) -> Result<ThreadCounts, String> {
    let numbers = text.split(',').map(|number| number.trim().parse::<NonZeroUsize>());
    numbers.collect::<Result<_, _>>().map(ThreadCounts).map_err(|_| "expected a number of threads such as 4, or several: 1,2,4".to_owned())
}

/// `seq=128`.
fn parse_dimension(text: &str) -> Result<(String, usize), String> {
    let (name, size) = parse_assignment(text)?;
    let size = size.parse().map_err(|_| format!("expected a whole number after '{name}='"))?;
    Ok((name, size))
}

fn parse_tolerance(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() && value >= 0.0 => Ok(value),
        _ => Err("expected a number that is not negative, such as 1e-3".to_owned()),
    }
}

fn parse_positive(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| "expected a whole number, at least 1".to_owned())
}

fn parse_metric(text: &str) -> Result<(drydock_core::score::Metric, f64), String> {
    let (name, value) = parse_assignment(text)?;
    let value = value.parse::<f64>().ok().filter(|value| value.is_finite());
    Ok((name.parse()?, value.ok_or("expected a number behind the '='")?))
}

fn parse_share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err("expected a share from 0 to 1, such as 0.1".to_owned()),
    }
}

/// `name=value`; the value may hold further `=`.
fn parse_assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected a name, '=' and a value".to_owned()),
    }
}
