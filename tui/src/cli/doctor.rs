//! `drydock doctor`: what this installation is and has.

use clap::Args;
use drydock_core::doctor::{DoctorReport, doctor};
use drydock_core::format;

use super::args::CommonArgs;
use super::output::{Output, object};
use super::runner::Failure;
use crate::page::Page;

/// Show the version, the devices, and where files live
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  drydock doctor\n  drydock doctor --json")]
pub struct DoctorArgs {}

pub fn run(_: &DoctorArgs, _: &CommonArgs, output: &mut Output) -> Result<(), Failure> {
    let report = doctor();
    if output.json {
        output.document(object(&report));
    } else {
        describe(&report, &mut output.page);
    }
    Ok(())
}

fn describe(report: &DoctorReport, page: &mut Page) {
    let mut fact = |name: &str, value: &str| page.fact(name, value);
    fact("drydock", &format!("{} on {} {}", report.version, report.operating_system, report.architecture));
    fact("cpu", &format!("{}, {}", report.cpu_features, format::counted(report.cpu_cores as u64, "core")));
    if report.gpus.is_empty() {
        fact("gpu", "no adapter found; models run on the CPU");
        for message in &report.driver_messages {
            fact("", message);
        }
    }
    for (index, gpu) in report.gpus.iter().enumerate() {
        let note = if gpu.is_software { " (software: correct, and slow)" } else { "" };
        fact(&format!("gpu:{index}"), &format!("{}{note}", gpu.name));
    }
    let operators: Vec<String> = report.operators.iter().map(|(domain, count)| format!("{count} of {domain}")).collect();
    fact("operators", &if operators.is_empty() { "none".to_owned() } else { operators.join(", ") });
    match &report.home {
        Some(home) => fact("data", &home.display().to_string()),
        None => fact("data", "no folder known; set DRYDOCK_HOME"),
    }
}
