//! `drydock verify`: ONNX test sets, with a verdict as exit code.

use drydock_core::format;
use drydock_core::session::Command;
use drydock_core::verify::{FailureKind, VerifyReport, VerifyRequest};

use super::args::{CommonArgs, VerifyArgs};
use super::output::{Output, object};
use super::runner::{Failure, Runner};
use crate::page::{Page, Tone};

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
