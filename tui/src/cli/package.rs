//! `drydock package`, and `drydock verify` of a package.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use drydock_core::format;
use drydock_core::package::{Golden, PackageCheck, PackageReport, PackageRequest};
use drydock_core::session::Command;

use super::args::{CommonArgs, parse_count};
use super::output::{Output, object, say};
use super::runner::{Failure, Runner};
use crate::page::{Page, Tone};

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
    #[arg(long, value_name = "N", value_parser = parse_count)]
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

pub fn run(args: &PackageArgs, common: &CommonArgs, output: &mut Output) -> Result<(), Failure> {
    let mut runner = Runner::new(common)?;
    runner.open(&args.model, common)?;
    let request = PackageRequest {
        output: args.output.clone(),
        data: args.data.clone(),
        rows: args.rows.map_or_else(|| PackageRequest::default().rows, usize::from),
        seed: args.seed.unwrap_or_else(|| PackageRequest::default().seed),
        profile: !args.no_profile,
        overwrite: args.force,
    };
    runner.run(Command::Package(request))?;
    let Some(report) = &runner.session.state().package else { return Err(Failure::Error("the package gave no report".to_owned())) };
    if output.json {
        output.document(object(report));
    } else {
        if !output.quiet {
            report.notes.iter().for_each(|note| say(&format!("note: {note}")));
        }
        output.page.line(&summary(report));
    }
    Ok(())
}

/// `fraud v2 was packed with 20 golden rows: fraud.drydock, 1.2 MB`.
pub fn summary(report: &PackageReport) -> String {
    let rows = format::counted(report.rows as u64, "golden row");
    format!("{} was packed with {rows}: {}, {}", report.model, report.output.display(), format::bytes(report.file_bytes))
}

pub fn verify(path: &Path, common: &CommonArgs, output: &mut Output) -> Result<(), Failure> {
    let mut runner = Runner::new(common)?;
    runner.run(Command::CheckPackage { path: path.to_owned(), device: common.device })?;
    let Some(check) = &runner.session.state().package_check else { return Err(Failure::Error("the package gave no report".to_owned())) };
    if output.json {
        output.document(object(check));
    } else {
        describe(check, &mut output.page);
    }
    if check.verdict == Golden::Different { Err(Failure::Judgement) } else { Ok(()) }
}

/// What came of a check, the verdict last.
pub fn describe(check: &PackageCheck, page: &mut Page) {
    for difference in &check.differences {
        page.sentence(Tone::Plain, difference);
    }
    let text = |key: &str| check.provenance.get(key).and_then(|value| value.as_str()).unwrap_or("an unknown day").to_owned();
    page.line(&format!("{}, packed on {}; run here on {}", check.model, text("date"), check.device));
    let tone = if check.verdict == Golden::Different { Tone::Bad } else { Tone::Good };
    page.toned(tone, &format!("{}: {}", check.verdict.name(), format::counted(check.rows as u64, "golden row")));
}
