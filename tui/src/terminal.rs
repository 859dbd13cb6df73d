//! The real terminal: taken over, drawn to, given back on every way out.

use std::io::{IsTerminal as _, Write as _, stdout};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{self, BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen};
use crossterm::{cursor, execute};
use drydock_core::home;
use drydock_core::jobs;
use drydock_core::session::Session;
use drydock_core::stderr::Loan;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

use crate::app::{App, AppConfig};
use crate::cli::args::{CommonArgs, ScreenArgs};
use crate::event::{self, Event};
use crate::panic;
use crate::theme::Theme;

/// At most 30 frames a second, however fast things move.
const FRAME: Duration = Duration::from_millis(34);

/// How often progress and spinner move while a job runs.
const TICK: Duration = Duration::from_millis(100);

/// How long the end waits for cancelled jobs to remove what they had begun.
const FAREWELL: Duration = Duration::from_secs(3);

/// Runs the screens until the user leaves.
pub fn run(screens: &ScreenArgs, common: &CommonArgs) -> Result<(), String> {
    if !stdout().is_terminal() || !std::io::stdin().is_terminal() {
        return Err("the screens need a terminal; use a command (drydock --help lists them)".to_owned());
    }
    if let Some(threads) = &common.threads {
        jobs::limit_threads(threads.only()?)?;
    }
    let (sender, events) = event::channel();
    let wake_sender = sender.clone();
    let session = Session::new(move || event::wake(&wake_sender));
    let config = AppConfig { theme: Theme::detect(screens.ascii), device: common.device, home: home::folder().ok() };
    let mut app = App::new(session, config);
    if let Some(path) = &screens.open {
        app.open_model(path.clone());
    }
    let signal_sender = sender.clone();
    ctrlc::set_handler(move || {
        let _ = signal_sender.try_send(Event::Terminate);
    })
    .map_err(|error| format!("signals can't be handled: {error}"))?;

    let guard = TerminalGuard::enter().map_err(|error| format!("the terminal can't be taken over: {error}"))?;
    event::read_terminal(sender).map_err(|error| format!("the keyboard can't be read: {error}"))?;
    let result = run_loop(&mut app, &events).map_err(|error| format!("the terminal can't be drawn to: {error}"));
    drop(guard);
    app.say_farewell(FAREWELL);
    result
}

fn run_loop(app: &mut App, events: &Receiver<Event>) -> std::io::Result<()> {
    let mut terminal = Terminal::new(CrosstermBackend::new(stdout()))?;
    let mut last_frame = Instant::now().checked_sub(FRAME).unwrap_or_else(Instant::now);
    loop {
        app.poll();
        if app.wants_frame() && last_frame.elapsed() >= FRAME {
            execute!(stdout(), BeginSynchronizedUpdate)?;
            terminal.draw(|frame| app.draw(frame))?;
            execute!(stdout(), EndSynchronizedUpdate)?;
            last_frame = Instant::now();
        }
        if let Some(text) = app.take_clipboard() {
            copy(&text)?;
        }
        if app.has_quit() {
            return Ok(());
        }
        let event = if app.wants_frame() {
            events.recv_timeout(FRAME.saturating_sub(last_frame.elapsed()))
        } else if app.is_busy() {
            events.recv_timeout(TICK)
        } else {
            events.recv().map_err(|_| RecvTimeoutError::Disconnected)
        };
        match event {
            Ok(event) => {
                if matches!(event, Event::Key(_)) {
                    panic::break_down_if_asked();
                }
                app.handle(event);
            }
            Err(RecvTimeoutError::Timeout) => app.tick(),
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
        // What arrived meanwhile is handled before the next frame.
        for event in events.try_iter() {
            app.handle(event);
        }
    }
}

/// Puts a text on the clipboard of whoever sits at the terminal, also over SSH (OSC 52).
fn copy(text: &str) -> std::io::Result<()> {
    let encoded = base64::engine::general_purpose::STANDARD.encode(text);
    let mut out = stdout().lock();
    write!(out, "\x1b]52;c;{encoded}\x07")?;
    out.flush()
}

/// Holds the terminal; gives it back when dropped.
struct TerminalGuard {
    /// What graphics drivers print would stand in the picture: it goes to the log. Without a log it is printed after all.
    _stderr: Option<Loan>,
}

impl TerminalGuard {
    fn enter() -> std::io::Result<Self> {
        terminal::enable_raw_mode()?;
        let is_shown = std::io::stderr().is_terminal();
        let guard = Self { _stderr: home::open_log().ok().filter(|_| is_shown).and_then(|log| Loan::to(&log).ok()) };
        execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste, cursor::Hide)?;
        Ok(guard)
    }
}

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        restore();
    }
}

/// Gives the terminal back. Harmless when it was never taken.
pub fn restore() {
    if terminal::is_raw_mode_enabled().unwrap_or(false) {
        let _ = execute!(stdout(), EndSynchronizedUpdate, DisableBracketedPaste, LeaveAlternateScreen, cursor::Show);
        let _ = terminal::disable_raw_mode();
    }
}
