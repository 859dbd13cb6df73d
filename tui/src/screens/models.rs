//! 1 Models: open a model by its path, or one opened before, or a sample.

use std::path::{Path, PathBuf};

use crossterm::event::KeyEvent;
use drydock_core::jobs::JobId;
use drydock_core::session::{Command, JobState, State};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use super::{Context, Screen, View, WIDE};
use crate::action::Action;
use crate::cli::inspect;
use crate::keymap::Place;
use crate::page::Page;
use crate::text::cut;
use crate::theme::Theme;
use crate::widgets::path_field::{self, Wanted, expand_home};
use crate::widgets::text_field::TextField;
use crate::widgets::{list, panel};
use drydock_core::session::Task;

#[derive(Default)]
pub struct ModelsScreen {
    path: TextField,
    is_typing: bool,
    /// Names that fit what was typed, after a completion.
    candidates: Vec<String>,
    entries: Vec<Entry>,
    selected: usize,
    opening: Option<JobId>,
    /// Why the last model could not be opened.
    error: Option<String>,
}

const RECENT: &str = "recent";

/// A model to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    path: PathBuf,
    origin: &'static str,
    is_missing: bool,
}

impl ModelsScreen {
    /// Begins to open a model; the app goes on to Inspect when it is there.
    pub fn open(&mut self, path: PathBuf, cx: &mut Context<'_>) {
        self.error = None;
        self.opening = cx.session.dispatch(Command::OpenModel { path, device: cx.device });
    }

    /// Whether the model that was asked for has just been opened. Tells once.
    pub fn take_opened(&mut self, state: &State) -> bool {
        let Some(record) = self.opening.and_then(|id| state.job(id)) else { return false };
        match &record.state {
            JobState::Running => return false,
            JobState::Failed(message) => self.error = Some(message.clone()),
            JobState::Cancelled => self.error = Some("opening was cancelled".to_owned()),
            JobState::Done => {}
        }
        self.opening = None;
        self.error.is_none()
    }

    fn list_models(&mut self, cx: &Context<'_>) {
        let entry = |path: &PathBuf, origin| Entry { path: path.clone(), origin, is_missing: !path.exists() };
        self.entries = cx.session.state().recent_models.iter().map(|path| entry(path, RECENT)).collect();
        for path in samples(Path::new("sample-models")) {
            if !self.entries.iter().any(|known| known.path == path) {
                self.entries.push(entry(&path, "sample"));
            }
        }
        self.selected = self.selected.min(self.entries.len().saturating_sub(1));
    }

    fn complete(&mut self) {
        self.candidates = path_field::complete(&mut self.path, Wanted::Model).candidates;
    }

    fn entry_lines(&self, width: usize, height: usize, theme: Theme) -> Vec<Line<'static>> {
        let window = list::window(self.selected, self.entries.len(), height);
        let mut lines = Vec::new();
        for (index, entry) in self.entries.iter().enumerate().take(window.end).skip(window.start) {
            let note = if entry.is_missing { "not there any more" } else { entry.origin };
            let room = width.saturating_sub(note.chars().count() + 4);
            let text = format!("  {:<room$}  {note}", cut(&entry.path.display().to_string(), room));
            let style = if index == self.selected && !self.is_typing { theme.selected() } else { ratatui::style::Style::new() };
            lines.push(Line::styled(text, style));
        }
        lines
    }
}

impl Screen for ModelsScreen {
    fn task(&self) -> Task {
        Task::Models
    }

    fn place(&self) -> Place {
        if self.is_typing { Place::Typing } else { Place::Models }
    }

    fn enter(&mut self, cx: &mut Context<'_>) {
        self.list_models(cx);
    }

    fn refresh(&mut self, cx: &mut Context<'_>) {
        let recent = &cx.session.state().recent_models;
        if !recent.iter().eq(self.entries.iter().filter(|entry| entry.origin == RECENT).map(|entry| &entry.path)) {
            self.list_models(cx);
        }
    }

    fn act(&mut self, action: Action, cx: &mut Context<'_>) -> bool {
        if let (false, Some(selected)) = (self.is_typing, list::moved(self.selected, self.entries.len(), action)) {
            self.selected = selected;
            return true;
        }
        match action {
            Action::OpenPath => {
                self.is_typing = true;
                self.candidates.clear();
            }
            Action::Confirm => match self.entries.get(self.selected) {
                Some(entry) => self.open(entry.path.clone(), cx),
                None => self.is_typing = true,
            },
            Action::Complete => self.complete(),
            Action::Accept if self.path.text().trim().is_empty() => self.is_typing = false,
            Action::Accept => {
                let path = expand_home(self.path.text().trim());
                if path.is_dir() {
                    self.complete();
                } else {
                    self.is_typing = false;
                    self.candidates.clear();
                    self.open(path, cx);
                }
            }
            Action::Discard => {
                self.is_typing = false;
                self.candidates.clear();
            }
            _ => return false,
        }
        true
    }

    fn type_key(&mut self, key: KeyEvent, _cx: &mut Context<'_>) {
        if self.path.handle(key) {
            self.candidates.clear();
        }
    }

    fn paste(&mut self, text: &str, _cx: &mut Context<'_>) {
        self.is_typing = true;
        self.path.insert(text);
    }

    fn draw(&self, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
        let theme = view.theme;
        let (main, side) = if area.width >= WIDE && view.state().opened.is_some() {
            let [main, side] = Layout::horizontal([Constraint::Percentage(52), Constraint::Percentage(48)]).areas(area);
            (main, Some(side))
        } else {
            (area, None)
        };
        let inner = panel::panel(frame, main, "Models", true, theme);
        let width = usize::from(inner.width);
        let mut lines = Vec::new();
        let (typed, cursor) = self.path.visible(width.saturating_sub(9));
        let label = Span::styled("open     ", theme.heading());
        lines.push(if self.path.text().is_empty() && !self.is_typing {
            Line::from(vec![label, Span::styled("press o and type the path of an ONNX model", theme.faint())])
        } else {
            Line::from(vec![label, Span::raw(typed)])
        });
        if self.is_typing {
            let column = u16::try_from(cursor + 9).unwrap_or(u16::MAX);
            if column < inner.width && inner.height > 0 {
                frame.set_cursor_position((inner.x + column, inner.y));
            }
        }
        let candidates = self.candidates.join("  ");
        lines.push(Line::styled(format!("         {}", cut(&candidates, width.saturating_sub(9))), theme.faint()));
        if let Some(error) = &self.error {
            lines.extend(panel::sentence(error, width, theme.bad()));
            lines.push(Line::default());
        }
        if self.entries.is_empty() {
            lines.extend(panel::sentence("Here you open a model and see the ones opened before.", width, theme.faint()));
            let hint = "Drydock's repository has small ones to begin with, in sample-models/.";
            lines.extend(panel::sentence(hint, width, theme.faint()));
        } else {
            let height = usize::from(inner.height).saturating_sub(lines.len());
            lines.extend(self.entry_lines(width, height, theme));
        }
        panel::lines(frame, inner, lines);
        if let (Some(side), Some(opened)) = (side, &view.state().opened) {
            let inner = panel::panel(frame, side, "Open", false, theme);
            let mut page = Page::new(usize::from(inner.width));
            inspect::describe(opened, &mut page);
            panel::page(frame, inner, &page, 0, theme);
        }
    }

    fn hints(&self, _state: &State) -> Vec<Action> {
        if self.is_typing {
            return vec![Action::Accept, Action::Complete, Action::Discard];
        }
        vec![Action::Confirm, Action::OpenPath]
    }

    fn command(&self, state: &State) -> Option<Command> {
        let opened = state.opened.as_ref()?;
        Some(Command::OpenModel { path: opened.model.path.clone(), device: opened.device })
    }
}

/// The models of a folder of samples: `NAME/model.onnx` and `NAME/VERSION/model.onnx`.
fn samples(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in subfolders(folder) {
        let own = folder.join("model.onnx");
        if own.is_file() {
            found.push(own);
        }
        found.extend(subfolders(&folder).into_iter().map(|version| version.join("model.onnx")).filter(|path| path.is_file()));
    }
    found
}

fn subfolders(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}
