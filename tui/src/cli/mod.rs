//! The command line: parse, do, print, exit code. Each command is a file; all work goes through the session.

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};
use drydock_core::jobs;

pub mod args;
mod check;
pub mod compare;
pub mod diff;
mod doctor;
pub mod inspect;
pub mod models;
pub mod output;
pub mod package;
mod predict;
mod profile;
mod report;
mod runner;
pub mod score;
mod topics;
pub mod verify;

use args::{Cli, Command, CommonArgs};
use output::{Output, say};
use runner::Failure;

/// The whole program: what `main` returns.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come as "errors" with exit code 0. A closed pipe is no failure.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(EXIT_ERROR) } else { ExitCode::SUCCESS };
        }
    };
    crate::panic::install();
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Judgement) => ExitCode::from(EXIT_JUDGEMENT),
        Err(Failure::Error(message)) => {
            say(&format!("error: {message}"));
            ExitCode::from(EXIT_ERROR)
        }
        Err(Failure::Cancelled) => {
            say("cancelled");
            ExitCode::from(EXIT_CANCELLED)
        }
    }
}

const EXIT_JUDGEMENT: u8 = 1;
const EXIT_ERROR: u8 = 2;
const EXIT_CANCELLED: u8 = 130;

fn run(cli: &Cli) -> Result<(), Failure> {
    let Some(command) = &cli.command else { return crate::terminal::run(&cli.screens, &cli.common).map_err(Failure::Error) };
    if let Some(threads) = &cli.common.threads {
        // A profile tries several numbers of threads, each with a pool of its own.
        let threads = if matches!(command, Command::Profile(_)) { threads.most() } else { threads.only().map_err(Failure::Error)? };
        jobs::limit_threads(threads).map_err(Failure::Error)?;
    }
    let mut output = Output::new(&cli.common);
    let result = dispatch(command, &cli.common, &mut output);
    // A judgement has printed its report; an error has printed nothing.
    if matches!(result, Ok(()) | Err(Failure::Judgement)) {
        output.flush().map_err(|error| Failure::Error(format!("the output can't be written: {error}")))?;
    }
    result
}

fn dispatch(command: &Command, common: &CommonArgs, output: &mut Output) -> Result<(), Failure> {
    match command {
        Command::Inspect(args) => inspect::run(args, common, output),
        Command::Verify(args) => verify::run(args, common, output),
        Command::Predict(args) => predict::run(args, common, output),
        Command::Score(args) => score::run(args, common, output),
        Command::Profile(args) => profile::run(args, common, output),
        Command::Package(args) => package::run(args, common, output),
        Command::Models(args) => models::run(args, common, output),
        Command::Compare(args) => compare::run(args, common, output),
        Command::Check(args) => check::run(args, common, output),
        Command::Diff(args) => diff::run(args, common, output),
        Command::Doctor(_) => {
            doctor::run(output);
            Ok(())
        }
        Command::Completions(args) => {
            let mut script = Vec::new();
            clap_complete::generate(args.shell, &mut Cli::command(), "drydock", &mut script);
            output.page.line(&String::from_utf8_lossy(&script));
            Ok(())
        }
        Command::Help(args) => topics::run(args, output),
    }
}
