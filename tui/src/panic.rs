//! What happens when Drydock itself breaks: the terminal is given back, the details go to a log, a sentence says where.

use std::io::Write as _;
use std::panic::PanicHookInfo;

use drydock_core::{home, stderr};

/// Installs the hook. Jobs contain their own panics and report them as a failed job: there only the log is written.
pub fn install() {
    std::panic::set_hook(Box::new(|info| {
        let logged = log(info);
        if std::thread::current().name() != Some("main") {
            return;
        }
        crate::terminal::restore();
        stderr::take_back();
        let mut stderr = std::io::stderr().lock();
        let _ = writeln!(stderr, "error: Drydock broke down: {}. This is a bug; please report it", sentence(info));
        if let Some(path) = logged {
            let _ = writeln!(stderr, "details are in {path}");
        }
    }));
}

/// Breaks down on purpose, in builds for development alone: `DRYDOCK_BREAK_DOWN=1` makes the screens panic at the first key, which is how
/// the suites see that the terminal comes back.
pub fn break_down_if_asked() {
    #[cfg(debug_assertions)]
    assert!(std::env::var_os("DRYDOCK_BREAK_DOWN").is_none(), "DRYDOCK_BREAK_DOWN is set");
}

/// The message on one line, with the place in the source.
fn sentence(info: &PanicHookInfo<'_>) -> String {
    let message = info.payload_as_str().unwrap_or("no message").replace(['\r', '\n'], " ");
    match info.location() {
        Some(location) => format!("{message} ({}:{})", location.file(), location.line()),
        None => message,
    }
}

/// Appends the panic and its backtrace to the log; returns where.
fn log(info: &PanicHookInfo<'_>) -> Option<String> {
    let mut file = home::open_log().ok()?;
    let thread = std::thread::current();
    let backtrace = std::backtrace::Backtrace::force_capture();
    writeln!(file, "drydock {} · thread {}\n{info}\n{backtrace}\n", env!("CARGO_PKG_VERSION"), thread.name().unwrap_or("unnamed")).ok()?;
    home::log_path().ok().map(|path| path.display().to_string())
}
