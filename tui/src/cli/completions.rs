//! `drydock completions`: a script for a shell.

use clap::{Args, CommandFactory as _};

use super::Cli;
use super::args::CommonArgs;
use super::output::Output;
use super::runner::Failure;

/// Print a completion script for a shell
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  drydock completions bash \\\n    > ~/.local/share/bash-completion/completions/drydock\n  drydock completions fish > ~/.config/fish/completions/drydock.fish"
)]
pub struct CompletionsArgs {
    pub shell: clap_complete::Shell,
}

pub fn run(args: &CompletionsArgs, _: &CommonArgs, output: &mut Output) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "drydock", &mut script);
    output.page.line(&String::from_utf8_lossy(&script));
    Ok(())
}
