//! The command line: parse, do, print, exit code. Each command is a file; all work goes through the session.

use std::process::ExitCode;

use clap::{Parser as _, Subcommand};
use drydock_core::jobs;

pub mod args;
pub mod check;
pub mod compare;
pub mod completions;
pub mod diff;
pub mod doctor;
pub mod help;
pub mod inspect;
pub mod models;
pub mod output;
pub mod package;
pub mod predict;
pub mod profile;
mod report;
mod runner;
pub mod score;
pub mod verify;

use args::{Cli, CommonArgs};
use output::{Output, say};
use runner::Failure;

/// The commands in the order of the help: a name, and what can be typed after it. Each has a file with its arguments and its `run`.
macro_rules! commands {
    ($($name:ident: $module:ident::$args:ident;)*) => {
        #[derive(Debug, Subcommand)]
        pub enum Command {
            $($name($module::$args),)*
        }

        fn dispatch(command: &Command, common: &CommonArgs, output: &mut Output) -> Result<(), Failure> {
            match command {
                $(Command::$name(args) => $module::run(args, common, output),)*
            }
        }
    };
}

commands! {
    Inspect: inspect::InspectArgs;
    Verify: verify::VerifyArgs;
    Predict: predict::PredictArgs;
    Score: score::ScoreArgs;
    Profile: profile::ProfileArgs;
    Package: package::PackageArgs;
    Models: models::ModelsArgs;
    Compare: compare::CompareArgs;
    Check: check::CheckArgs;
    Diff: diff::DiffArgs;
    Doctor: doctor::DoctorArgs;
    Completions: completions::CompletionsArgs;
    Help: help::HelpArgs;
}

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
