//! `drydock-app [MODEL] [TABLE]`

use std::path::PathBuf;
use std::process::ExitCode;

use drydock_app::Options;
use drydock_core::data::is_table_path;

/// Counts what a model takes while that is measured.
#[global_allocator]
static ALLOCATOR: drydock_core::machine::heap::MeteredAllocator = drydock_core::machine::heap::MeteredAllocator;

fn main() -> ExitCode {
    let (tables, models): (Vec<PathBuf>, Vec<PathBuf>) = std::env::args_os().skip(1).map(PathBuf::from).partition(|path| is_table_path(path));
    let options = Options { model: models.into_iter().next(), table: tables.into_iter().next(), ..Options::default() };
    match drydock_app::run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("drydock-app: the window can't be opened: {error}. `drydock` does the same in a terminal");
            ExitCode::from(2)
        }
    }
}
