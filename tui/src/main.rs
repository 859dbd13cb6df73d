//! The `drydock` program: parse, run, exit code. Everything else is in the library, where the suites reach it.

use std::process::ExitCode;

fn main() -> ExitCode {
    drydock_tui::cli::main()
}
