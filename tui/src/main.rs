//! The `drydock` program: parse, run, exit code. Everything else is in the library, where the suites reach it.

use std::process::ExitCode;

/// Counts what a model takes while that is measured.
#[global_allocator]
static ALLOCATOR: drydock_core::machine::heap::MeteredAllocator = drydock_core::machine::heap::MeteredAllocator;

fn main() -> ExitCode {
    drydock_tui::cli::main()
}
