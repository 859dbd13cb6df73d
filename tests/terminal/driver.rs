//! An app on a terminal in memory, with a hand on the keyboard.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use drydock_core::session::Session;
use drydock_core::tensor::device::DeviceChoice;
use drydock_tui::app::{App, AppConfig};
use drydock_tui::event::Event;
use drydock_tui::theme::{ColourDepth, Theme};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

pub struct Driver {
    pub app: App,
    pub terminal: Terminal<TestBackend>,
    home: tempfile::TempDir,
}

pub const PLAIN: Theme = Theme { depth: ColourDepth::None, is_ascii: false };

impl Driver {
    pub fn new(width: u16, height: u16) -> Self {
        Self::with_theme(width, height, PLAIN)
    }

    pub fn with_theme(width: u16, height: u16, theme: Theme) -> Self {
        Self::at_home(width, height, theme, tempfile::tempdir().unwrap())
    }

    pub fn at_home(width: u16, height: u16, theme: Theme, home: tempfile::TempDir) -> Self {
        let config = AppConfig { theme, device: DeviceChoice::Cpu, home: Some(home.path().to_owned()) };
        let app = App::new(Session::new(|| {}), config);
        Self { app, terminal: Terminal::new(TestBackend::new(width, height)).unwrap(), home }
    }

    /// Ends the program and starts it again in the same home.
    pub fn restarted(self, width: u16, height: u16) -> Self {
        Self::at_home(width, height, PLAIN, self.home)
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// A sample model, opened.
    pub fn with_model(width: u16, height: u16, name: &str) -> Self {
        let mut driver = Self::new(width, height);
        driver.open(name);
        driver
    }

    pub fn open(&mut self, name: &str) {
        self.app.open_model(sample(name, "model.onnx"));
        self.settle();
    }

    /// Presses keys: characters for themselves, `<enter>`, `<tab>`, `<esc>`, `<up>`, `<c-c>` by name.
    pub fn press(&mut self, keys: &str) -> &mut Self {
        for key in parse(keys) {
            self.app.handle(Event::Key(key));
        }
        self
    }

    /// Waits until everything that was begun has ended.
    pub fn settle(&mut self) -> &mut Self {
        let deadline = Instant::now() + Duration::from_secs(120);
        loop {
            self.app.poll();
            if self.app.session().running().is_empty() {
                return self;
            }
            assert!(Instant::now() < deadline, "the work does not end");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// What stands on the screen now.
    pub fn screen(&mut self) -> String {
        self.terminal.draw(|frame| self.app.draw(frame)).unwrap();
        let buffer = self.terminal.backend().buffer();
        let width = usize::from(buffer.area.width).max(1);
        let rows = buffer.content.chunks(width);
        rows.map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>().trim_end().to_owned() + "\n").collect()
    }

    #[track_caller]
    pub fn shows(&mut self, part: &str) -> &mut Self {
        let screen = self.screen();
        assert!(screen.contains(part), "'{part}' is not on the screen:\n{screen}");
        self
    }

    #[track_caller]
    pub fn shows_not(&mut self, part: &str) -> &mut Self {
        let screen = self.screen();
        assert!(!screen.contains(part), "'{part}' is on the screen:\n{screen}");
        self
    }
}

/// A sample's file, relative to the folder that tests run in, so that screens look the same everywhere.
pub fn sample(name: &str, file: &str) -> PathBuf {
    Path::new("../sample-models").join(name).join(file)
}

/// A file to write to, at the same place in every run.
pub fn scratch(name: &str) -> PathBuf {
    let folder = Path::new("../target/terminal-suite");
    std::fs::create_dir_all(folder).unwrap();
    let path = folder.join(name);
    if path.exists() {
        std::fs::remove_file(&path).unwrap();
    }
    path
}

fn parse(keys: &str) -> Vec<KeyEvent> {
    let mut events = Vec::new();
    let mut rest = keys;
    while let Some(first) = rest.chars().next() {
        if let Some((name, after)) = rest.strip_prefix('<').and_then(|inside| inside.split_once('>')) {
            events.push(named(name));
            rest = after;
        } else {
            events.push(KeyEvent::new(KeyCode::Char(first), KeyModifiers::NONE));
            rest = &rest[first.len_utf8()..];
        }
    }
    events
}

fn named(name: &str) -> KeyEvent {
    if let Some(c) = name.strip_prefix("c-") {
        return KeyEvent::new(KeyCode::Char(c.chars().next().unwrap()), KeyModifiers::CONTROL);
    }
    let code = match name {
        "enter" => KeyCode::Enter,
        "esc" => KeyCode::Esc,
        "tab" => KeyCode::Tab,
        "s-tab" => KeyCode::BackTab,
        "up" => KeyCode::Up,
        "down" => KeyCode::Down,
        "left" => KeyCode::Left,
        "right" => KeyCode::Right,
        "home" => KeyCode::Home,
        "end" => KeyCode::End,
        "pgup" => KeyCode::PageUp,
        "pgdn" => KeyCode::PageDown,
        "bs" => KeyCode::Backspace,
        "del" => KeyCode::Delete,
        other => panic!("no key is called {other}"),
    };
    KeyEvent::new(code, KeyModifiers::NONE)
}

/// The screen with what differs from run to run and from machine to machine made the same: times, speeds, the processor's name.
pub fn steady(screen: &str) -> String {
    screen.lines().map(|line| steady_line(line) + "\n").collect()
}

fn steady_line(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').filter(|word| !word.is_empty()).collect();
    let mut steady: Vec<String> = Vec::new();
    let mut has_changed = false;
    for word in &words {
        let is_time_unit = matches!(*word, "ns" | "µs" | "ms" | "s");
        let is_rate_unit = word.starts_with("rows/s");
        let follows_number = steady.last().is_some_and(|last| last.trim_start_matches('(').starts_with(|c: char| c.is_ascii_digit()));
        if (is_time_unit || is_rate_unit) && follows_number {
            let number = steady.pop().unwrap_or_default();
            steady.push(if number.starts_with('(') { "(#".to_owned() } else { "#".to_owned() });
            steady.push(if is_time_unit { "time".to_owned() } else { (*word).to_owned() });
            has_changed = true;
        } else if ["AVX-512", "AVX2", "SSE2", "NEON", "portable"].contains(word) {
            steady.push("processor".to_owned());
            has_changed = true;
        } else {
            steady.push((*word).to_owned());
        }
    }
    // Such a line's blanks depend on the lengths of what was replaced.
    if has_changed { steady.join(" ") } else { line.to_owned() }
}
