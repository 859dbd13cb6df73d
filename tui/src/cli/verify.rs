//! `drydock verify`: ONNX test sets, with a verdict as exit code.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use drydock_core::format;
use drydock_core::session::Command;
use drydock_core::verify::{FailureKind, VerifyReport, VerifyRequest};

use super::args::{CommonArgs, parse_tolerance};
use super::output::{Output, object};
use super::runner::{Failure, Runner};
use crate::page::{Page, Tone};

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

pub fn run(args: &VerifyArgs, common: &CommonArgs, output: &mut Output) -> Result<(), Failure> {
    if let [path] = args.folders.as_slice()
        && drydock_core::package::is_package(path)
    {
        return super::package::verify(path, common, output);
    }
    let mut runner = Runner::new(common)?;
    let request =
        VerifyRequest { folders: args.folders.clone(), relative_tolerance: args.rtol, absolute_tolerance: args.atol, device: common.device };
    runner.run(Command::Verify(request))?;
    let Some(report) = &runner.session.state().verify else { return Err(Failure::Error("the verification gave no report".to_owned())) };
    if output.json {
        output.document(object(report));
    } else {
        // The verdict last: that is where one looks.
        failures(report, &mut output.page);
        verdict(report, &mut output.page);
    }
    if report.failed > 0 { Err(Failure::Judgement) } else { Ok(()) }
}

/// Case by case why it failed.
pub fn failures(report: &VerifyReport, page: &mut Page) {
    for failure in &report.failures {
        let kind = match failure.kind {
            FailureKind::Unsupported => "unsupported",
            FailureKind::Mismatch => "mismatch",
            FailureKind::Error => "error",
        };
        page.toned(Tone::Bad, &format!("{kind}: {}", failure.case));
        page.sentence(Tone::Plain, &failure.message);
    }
}

pub fn verdict(report: &VerifyReport, page: &mut Page) {
    let (verdict, tone) = if report.failed > 0 { ("fail", Tone::Bad) } else { ("pass", Tone::Good) };
    let cases = format::counted(report.cases, "case");
    let [passed, failed, skipped] = [report.passed, report.failed, report.skipped].map(format::count);
    page.toned(tone, &format!("{verdict}: {cases}, {passed} passed, {failed} failed, {skipped} skipped"));
}
