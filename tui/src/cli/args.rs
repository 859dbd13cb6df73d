//! What can be typed before and after every command, and what several commands share: exactly the words, without any effect. What one command
//! takes stands in its own file.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::builder::styling::{Effects, Styles};
use clap::{Args, Parser, ValueEnum, ValueHint};
use drydock_core::score::{Metric, OnError, parse_names};
use drydock_core::tensor::device::DeviceChoice;

use super::Command;
use super::runner::Failure;

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

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnErrorArg {
    Stop,
    Skip,
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

    /// At a row that can't be scored: stop, or skip it; score sets it aside with the reason
    #[arg(long, value_enum, default_value_t = OnErrorArg::Stop)]
    pub on_error: OnErrorArg,
}

/// Columns by input, as they were written.
pub type Bound = (Option<Vec<String>>, Vec<(String, Vec<String>)>);

impl TableArgs {
    pub fn bound(&self) -> Result<Bound, Failure> {
        let names = |option: &str, text: &str| parse_names(text).map_err(|message| Failure::Error(format!("{option}: {message}")));
        let columns = self.columns.as_deref().map(|columns| names("--columns", columns)).transpose()?;
        let bind = self.bind.iter().map(|(input, columns)| Ok((input.clone(), names("--bind", columns)?))).collect::<Result<_, Failure>>()?;
        Ok((columns, bind))
    }

    pub fn on_error(&self) -> OnError {
        match self.on_error {
            OnErrorArg::Stop => OnError::Stop,
            OnErrorArg::Skip => OnError::Skip,
        }
    }
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

pub fn parse_device(text: &str) -> Result<DeviceChoice, String> {
    text.parse().map_err(|error: drydock_core::tensor::DeviceError| error.to_string())
}

fn parse_threads(text: &str) -> Result<ThreadCounts, String> {
    let numbers = text.split(',').map(|number| number.trim().parse::<NonZeroUsize>());
    numbers.collect::<Result<_, _>>().map(ThreadCounts).map_err(|_| "expected a number of threads such as 4, or several: 1,2,4".to_owned())
}

/// `seq=128`.
pub fn parse_dimension(text: &str) -> Result<(String, usize), String> {
    let (name, size) = parse_assignment(text)?;
    let size = size.parse().map_err(|_| format!("expected a whole number after '{name}='"))?;
    Ok((name, size))
}

pub fn parse_tolerance(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() && value >= 0.0 => Ok(value),
        _ => Err("expected a number that is not negative, such as 1e-3".to_owned()),
    }
}

pub fn parse_count(text: &str) -> Result<NonZeroUsize, String> {
    text.trim().parse().map_err(|_| "expected a whole number, at least 1".to_owned())
}

pub fn parse_metric(text: &str) -> Result<(Metric, f64), String> {
    let (name, value) = parse_assignment(text)?;
    let value = value.parse::<f64>().ok().filter(|value| value.is_finite());
    Ok((name.parse()?, value.ok_or("expected a number behind the '='")?))
}

pub fn parse_share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err("expected a share from 0 to 1, such as 0.1".to_owned()),
    }
}

/// `name=value`; the value may hold further `=`.
pub fn parse_assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected a name, '=' and a value".to_owned()),
    }
}
