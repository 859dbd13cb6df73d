use std::process::ExitCode;

fn main() -> ExitCode {
    drydock_tui::cli::main()
}
