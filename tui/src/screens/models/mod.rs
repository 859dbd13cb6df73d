//! 1 Models: the registry with its versions, aliases and history; open a model from it, by its path, or one opened before, or a sample.

use std::path::{Path, PathBuf};

use crossterm::event::KeyEvent;
use drydock_core::jobs::JobId;
use drydock_core::package::PackageRequest;
use drydock_core::registry::{ModelView, RegistryView, VersionView};
use drydock_core::session::{Command, JobState, RegistryCommand, State};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use super::{Context, Screen, View, WIDE};
use crate::action::Action;
use crate::cli;
use crate::cli::inspect;
use crate::keymap::Place;
use crate::page::Page;
use crate::text::cut;
use crate::theme::Theme;
use crate::widgets::path_field::{self, Wanted, expand_home};
use crate::widgets::text_field::TextField;
use crate::widgets::{list, panel};
use asking::Question;
use drydock_core::session::Task;

mod asking;

#[derive(Default)]
pub struct ModelsScreen {
    path: TextField,
    /// What is typed in answer to any other question.
    answer: TextField,
    question: Option<Question>,
    /// Names that fit what was typed, after a completion.
    candidates: Vec<String>,
    entries: Vec<Entry>,
    selected: usize,
    opening: Option<JobId>,
    /// Why the last model could not be opened.
    error: Option<String>,
    /// The details scroll with the arrows.
    reads_details: bool,
    scroll: usize,
}

const RECENT: &str = "recent";

/// More lines than details ever have.
const DETAILS_MOST: usize = 1000;

/// A model to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    path: PathBuf,
    origin: &'static str,
    is_missing: bool,
    /// Of a version in the registry.
    registered: Option<(String, u32)>,
    /// What stands beside it: aliases.
    mark: String,
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
        let entry = |path: &PathBuf, origin| Entry { path: path.clone(), origin, is_missing: !path.exists(), registered: None, mark: String::new() };
        self.entries = cx.session.state().registry.iter().flat_map(registered).collect();
        self.entries.extend(cx.session.state().recent_models.iter().map(|path| entry(path, RECENT)));
        for path in samples(Path::new("sample-models")) {
            if !self.entries.iter().any(|known| known.path == path) {
                self.entries.push(entry(&path, "sample"));
            }
        }
        self.selected = self.selected.min(self.entries.len().saturating_sub(1));
    }

    fn selected_version(&self) -> Option<&(String, u32)> {
        self.entries.get(self.selected)?.registered.as_ref()
    }

    fn ask(&mut self, question: Question) {
        self.answer.set("");
        self.candidates.clear();
        self.question = Some(question);
    }

    /// Asks what an act on the registry still needs; about the selected version, or the opened model.
    fn ask_about(&mut self, action: Action, cx: &mut Context<'_>) {
        let state = cx.session.state();
        if action == Action::AddModel {
            let Some(opened) = &state.opened else { return cx.complain("open the model first that is to be added") };
            let (model, name) = (opened.model.argument(), opened.model.contract.name.clone().unwrap_or_default());
            self.ask(Question::Name { model });
            self.answer.set(&name);
            return;
        }
        let Some((name, version)) = self.selected_version().cloned() else { return cx.complain("select a version of the registry first") };
        let aliases = state.registry.as_ref().and_then(|view| view.model(&name)).map(|model| model.aliases.clone()).unwrap_or_default();
        let protected: Vec<String> = aliases.iter().filter(|alias| alias.is_protected).map(|alias| alias.alias.clone()).collect();
        // The alias that is most likely meant stands there already.
        let likely = if aliases.len() == 1 { aliases.first().map(|alias| alias.alias.clone()) } else { None };
        let likely = match action {
            Action::Promote => likely.or_else(|| Some("production".to_owned())),
            Action::RollBack => likely,
            _ => None,
        };
        self.ask(match action {
            Action::Promote => Question::Promote { name, version },
            Action::RollBack => Question::RollBack { name },
            Action::Protect => Question::Protect { name, protected },
            Action::RemoveVersion => Question::Remove { name, version },
            _ => Question::Alias { name, version },
        });
        self.answer.set(&likely.unwrap_or_default());
    }

    fn take_answer(&mut self, cx: &mut Context<'_>) {
        let Some(question) = self.question.take() else { return };
        if question == Question::Package {
            let output = expand_home(self.answer.text().trim());
            cx.session.dispatch(Command::Package(PackageRequest { output, ..PackageRequest::default() }));
            return;
        }
        match question.act(self.answer.text()) {
            Some(act) => {
                cx.session.dispatch(Command::Models(act));
            }
            None => cx.say("nothing was changed"),
        }
    }

    /// Where what is typed goes.
    fn field(&mut self) -> &mut TextField {
        if self.question == Some(Question::Path) { &mut self.path } else { &mut self.answer }
    }

    /// What is known of the selected version.
    fn details(&self, state: &State, width: usize) -> Option<(String, Page)> {
        let (name, version) = self.selected_version()?;
        let view = state.registry.as_ref()?;
        let model = view.model(name)?;
        let mut page = Page::new(width);
        cli::models::describe(view, model.version(*version)?, &mut page);
        if !model.history.is_empty() {
            page.blank();
            cli::models::history(&model.history.iter().collect::<Vec<_>>(), &mut page);
        }
        Some((name.clone(), page))
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
            let name = match &entry.registered {
                Some((name, version)) => format!("{name} v{version}{}", entry.mark),
                None => entry.path.display().to_string(),
            };
            let text = format!("  {:<room$}  {note}", cut(&name, room));
            let style = if index == self.selected && self.question.is_none() { theme.selected() } else { ratatui::style::Style::new() };
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
        if self.question.is_some() { Place::Typing } else { Place::Models }
    }

    fn enter(&mut self, cx: &mut Context<'_>) {
        self.list_models(cx);
    }

    fn refresh(&mut self, cx: &mut Context<'_>) {
        let recent = &cx.session.state().recent_models;
        let is_recent = recent.iter().eq(self.entries.iter().filter(|entry| entry.origin == RECENT).map(|entry| &entry.path));
        let registered: Vec<Entry> = cx.session.state().registry.iter().flat_map(registered).collect();
        if !is_recent || !registered.iter().eq(self.entries.iter().filter(|entry| entry.registered.is_some())) {
            self.list_models(cx);
        }
    }

    fn act(&mut self, action: Action, cx: &mut Context<'_>) -> bool {
        if self.question.is_none() && self.reads_details {
            if let Some(scroll) = list::moved(self.scroll, DETAILS_MOST, action) {
                self.scroll = scroll;
                return true;
            }
        } else if let (None, Some(selected)) = (&self.question, list::moved(self.selected, self.entries.len(), action)) {
            self.selected = selected;
            self.scroll = 0;
            return true;
        }
        match action {
            Action::OpenPath => self.ask(Question::Path),
            Action::NextPane | Action::PreviousPane => self.reads_details = !self.reads_details,
            Action::AddModel | Action::SetAlias | Action::Promote | Action::RollBack | Action::Protect | Action::RemoveVersion => {
                self.ask_about(action, cx);
            }
            Action::Package => match &cx.session.state().opened {
                Some(opened) => {
                    let name = opened.model.title().replace(' ', "-");
                    self.ask(Question::Package);
                    self.answer.set(&format!("{name}.drydock"));
                }
                None => cx.complain("open the model first that is to be packed"),
            },
            Action::CheckRegistry => {
                cx.session.dispatch(Command::Models(RegistryCommand::SelfCheck));
            }
            Action::Confirm => match self.entries.get(self.selected) {
                Some(entry) => self.open(entry.path.clone(), cx),
                None => self.ask(Question::Path),
            },
            Action::Complete if self.question == Some(Question::Path) => self.complete(),
            Action::Complete => {}
            Action::Accept if self.question != Some(Question::Path) => self.take_answer(cx),
            Action::Accept if self.path.text().trim().is_empty() => self.question = None,
            Action::Accept => {
                let path = expand_home(self.path.text().trim());
                if path.is_dir() {
                    self.complete();
                } else {
                    self.question = None;
                    self.candidates.clear();
                    self.open(path, cx);
                }
            }
            Action::Discard => {
                self.question = None;
                self.candidates.clear();
            }
            _ => return false,
        }
        true
    }

    fn type_key(&mut self, key: KeyEvent, _cx: &mut Context<'_>) {
        if self.field().handle(key) {
            self.candidates.clear();
        }
    }

    fn paste(&mut self, text: &str, _cx: &mut Context<'_>) {
        self.question.get_or_insert(Question::Path);
        self.field().insert(text);
    }

    fn draw(&self, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
        let theme = view.theme;
        let (main, side) = if area.width >= WIDE && view.state().opened.is_some() {
            let [main, side] = Layout::horizontal([Constraint::Percentage(52), Constraint::Percentage(48)]).areas(area);
            (main, Some(side))
        } else {
            (area, None)
        };
        let details = self.details(view.state(), usize::from(main.width.saturating_sub(4)));
        let height = if details.is_some() && main.height >= 14 { main.height / 2 } else { 0 };
        let [main, below] = Layout::vertical([Constraint::Fill(1), Constraint::Length(height)]).areas(main);
        if let (true, Some((title, page))) = (height > 0, details) {
            let inner = panel::panel(frame, below, &title, self.reads_details, theme);
            let first = self.scroll.min(page.lines.len().saturating_sub(usize::from(inner.height)));
            panel::page(frame, inner, &page, first, theme);
        }
        let inner = panel::panel(frame, main, "Models", !self.reads_details, theme);
        let width = usize::from(inner.width);
        let mut lines = Vec::new();
        let question = self.question.clone().unwrap_or(Question::Path);
        let field = if question == Question::Path { &self.path } else { &self.answer };
        let (typed, cursor) = field.visible(width.saturating_sub(9));
        let label = Span::styled(question.label(), theme.heading());
        lines.push(if field.text().is_empty() && self.question.is_none() {
            Line::from(vec![label, Span::styled("press o and type the path of an ONNX model", theme.faint())])
        } else {
            Line::from(vec![label, Span::raw(typed)])
        });
        if self.question.is_some() {
            let column = u16::try_from(cursor + 9).unwrap_or(u16::MAX);
            if column < inner.width && inner.height > 0 {
                frame.set_cursor_position((inner.x + column, inner.y));
            }
        }
        let candidates = match (&self.question, &view.state().registry_report) {
            (Some(question), _) if self.candidates.is_empty() => question.explanation(),
            (None, Some(report)) if self.candidates.is_empty() => report.sentence(),
            _ => self.candidates.join("  "),
        };
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

    fn hints(&self, state: &State) -> Vec<Action> {
        match &self.question {
            Some(Question::Path) => return vec![Action::Accept, Action::Complete, Action::Discard],
            Some(_) => return vec![Action::Accept, Action::Discard],
            None => {}
        }
        let mut hints = vec![Action::Confirm, Action::OpenPath];
        if state.opened.is_some() {
            hints.push(Action::AddModel);
        }
        if self.selected_version().is_some() {
            hints.extend([Action::SetAlias, Action::Promote, Action::RollBack, Action::RemoveVersion, Action::NextPane]);
        }
        hints
    }

    fn command(&self, state: &State) -> Option<Command> {
        if let Some((name, version)) = self.selected_version() {
            let device = state.opened.as_ref().map(|opened| opened.device).unwrap_or_default();
            return Some(Command::InspectModel { path: format!("{name}:{version}").into(), device });
        }
        let opened = state.opened.as_ref()?;
        Some(Command::OpenModel { path: opened.model.path.clone(), device: opened.device })
    }
}

/// The versions of the registry: models by name, the newest version first.
fn registered(view: &RegistryView) -> Vec<Entry> {
    let entry = |model: &ModelView, version: &VersionView| Entry {
        path: format!("{}:{}", model.name, version.version).into(),
        origin: "registry",
        is_missing: false,
        registered: Some((model.name.clone(), version.version)),
        mark: version.aliases.iter().map(|alias| format!(" @{alias}")).collect(),
    };
    view.models.iter().flat_map(|model| model.versions.iter().rev().map(move |version| entry(model, version))).collect()
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
