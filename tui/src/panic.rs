//! What happens when Drydock itself breaks: the terminal is given back, the details go to a log, a sentence says where.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::panic::PanicHookInfo;

use drydock_core::home;

/// Installs the hook. Jobs contain their own panics and report them as a failed job: there only the log is written.
pub fn install() {
    std::panic::set_hook(Box::new(|info| {
        let logged = log(info);
        if std::thread::current().name() != Some("main") {
            return;
        }
        crate::terminal::restore();
        let mut stderr = std::io::stderr().lock();
        let _ = writeln!(stderr, "error: Drydock broke down: {info}. This is a bug; please report it");
        if let Some(path) = logged {
            let _ = writeln!(stderr, "details are in {path}");
        }
    }));
}

/// Appends the panic and its backtrace to the log; returns where.
fn log(info: &PanicHookInfo<'_>) -> Option<String> {
    let path = home::crash_log().ok()?;
    std::fs::create_dir_all(path.parent()?).ok()?;
    let mut file = OpenOptions::new().create(true).append(true).open(&path).ok()?;
    let thread = std::thread::current();
    let backtrace = std::backtrace::Backtrace::force_capture();
    writeln!(file, "drydock {} · thread {}\n{info}\n{backtrace}\n", env!("CARGO_PKG_VERSION"), thread.name().unwrap_or("unnamed")).ok()?;
    Some(path.display().to_string())
}
