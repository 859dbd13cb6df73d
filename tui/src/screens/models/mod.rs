//! 1 Models: the registry with its versions, aliases and history; open a model from it, by its path, or one opened before, or a sample.

use std::path::{Path, PathBuf};

use crossterm::event::{KeyCode, KeyEvent};
use drydock_core::profile::versions;
use drydock_core::registry::{ModelView, RegistryView, VersionView};
use drydock_core::session::{Command, JobKind, RegistryCommand, State, Task};
use ratatui::Frame;
use ratatui::layout::Rect;

use super::work::{End, Work};
use super::{Context, Screen, View};
use crate::action::Action;
use crate::cli;
use crate::keymap::Place;
use crate::widgets::list;
use crate::widgets::path_field;
use crate::widgets::scroll::Scroll;
use asking::{Act, Asked, Kind, Question};

mod asking;
mod draw;

#[derive(Default)]
pub struct ModelsScreen {
    /// The question that stands at the top, while one does.
    asked: Option<Asked>,
    /// The path that was typed last: it stands there again.
    path: String,
    /// Names that fit what was typed, after a completion.
    candidates: Vec<String>,
    /// Why the answers can't stand.
    problem: Option<asking::Problem>,
    entries: Vec<Entry>,
    selected: usize,
    opening: Work,
    /// An act on the registry, or the making of a package.
    acting: Work,
    /// What came of the last act.
    told: Vec<String>,
    pane: Pane,
    scroll: Scroll,
    /// Which figure is shown, where there is no room for all.
    figure: Scroll,
}

/// What the arrows move in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Pane {
    #[default]
    List,
    /// What is known of the selected version.
    Details,
    /// How fast the versions were.
    Latency,
}

const RECENT: &str = "recent";

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
        self.told.clear();
        self.opening.begin(Command::OpenModel { path, device: cx.device }, cx);
    }

    /// Whether the model that was asked for has just been opened. Tells once.
    pub fn take_opened(&mut self, state: &State) -> bool {
        self.opening.take_end(state) == Some(End::Done)
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
        if self.selected_version().is_none() {
            self.pane = Pane::List;
        }
    }

    fn selected_version(&self) -> Option<&(String, u32)> {
        self.entries.get(self.selected)?.registered.as_ref()
    }

    /// The model that the selected version is of, and the version.
    fn known<'a>(&self, state: &'a State) -> Option<(&'a ModelView, &'a VersionView)> {
        let (name, version) = self.selected_version()?;
        let model = state.registry.as_ref()?.model(name)?;
        Some((model, model.version(*version)?))
    }

    fn ask(&mut self, question: Question, likely: &str) {
        self.forget_question();
        self.asked = Some(Asked::new(question, likely));
    }

    fn forget_question(&mut self) {
        self.asked = None;
        self.problem = None;
        self.candidates.clear();
    }

    /// Asks what an act still needs: of the selected version, or the opened model.
    fn ask_about(&mut self, action: Action, cx: &mut Context<'_>) {
        let state = cx.session.state();
        if matches!(action, Action::AddModel | Action::Package) {
            let Some(opened) = &state.opened else {
                let end = if action == Action::Package { "packed" } else { "added" };
                return cx.complain(&format!("open the model first that is to be {end}"));
            };
            let model = &opened.model;
            match action {
                Action::Package => self.ask(Question::Package, &format!("{}.drydock", model.title().replace(' ', "-"))),
                _ => self.ask(Question::Add { model: model.argument() }, model.contract.name.as_deref().unwrap_or_default()),
            }
            return;
        }
        let Some((name, version)) = self.selected_version().cloned() else { return cx.complain("select a version of the registry first") };
        let aliases = state.registry.as_ref().and_then(|view| view.model(&name)).map(|model| model.aliases.clone()).unwrap_or_default();
        let protected: Vec<String> = aliases.iter().filter(|alias| alias.is_protected).map(|alias| alias.alias.clone()).collect();
        // The alias that is most likely meant stands there already.
        let only = if let [alias] = aliases.as_slice() { alias.alias.as_str() } else { "" };
        match action {
            Action::Promote => self.ask(Question::Promote { name, version }, if only.is_empty() { "production" } else { only }),
            Action::RollBack => self.ask(Question::RollBack { name }, only),
            Action::Protect => self.ask(Question::Protect { name, protected }, ""),
            Action::RemoveVersion => self.ask(Question::Remove { name, version }, ""),
            _ => self.ask(Question::Alias { name, version }, ""),
        }
    }

    fn take_answers(&mut self, cx: &mut Context<'_>) {
        let Some(asked) = &self.asked else { return };
        if self.acting.is_running() && asked.question != Question::Path {
            return cx.say("the act before is not done yet: enter again in a moment");
        }
        let act = match asked.act() {
            Ok(act) => act,
            Err(problem) => {
                self.candidates.clear();
                if let Some(asked) = &mut self.asked {
                    asked.selected = problem.field;
                }
                self.problem = Some(problem);
                return;
            }
        };
        match act {
            // A folder is a step on the way.
            Some(Act::Open(path)) if path.is_dir() => return self.complete(),
            Some(Act::Open(path)) => {
                self.path = path.display().to_string();
                self.open(path, cx);
            }
            Some(Act::Registry(command)) => self.begin(Command::Models(command), cx),
            Some(Act::Package(request)) => self.begin(Command::Package(request), cx),
            None => {}
        }
        self.forget_question();
    }

    fn begin(&mut self, command: Command, cx: &mut Context<'_>) {
        self.told.clear();
        self.acting.begin(command, cx);
    }

    /// What came of the act that has just been done.
    fn tell(&mut self, kind: Option<JobKind>, state: &State) {
        self.told = match (kind, &state.package, &state.registry_report) {
            (Some(JobKind::Package), Some(report), _) => std::iter::once(cli::package::summary(report)).chain(report.notes.iter().cloned()).collect(),
            (_, _, Some(report)) => std::iter::once(report.sentence()).chain(report.notes().iter().cloned()).collect(),
            _ => Vec::new(),
        };
    }

    /// The key that does something else than typing: between fields, and on a choice.
    fn move_in_question(&mut self, action: Action) -> bool {
        let Some(asked) = &mut self.asked else { return false };
        let Some(selected) = list::moved(asked.selected, asked.fields.len(), action) else { return false };
        asked.selected = selected;
        self.candidates.clear();
        self.problem = None;
        true
    }

    fn complete(&mut self) {
        let Some(field) = self.asked.as_mut().and_then(Asked::field_mut) else { return };
        match field.kind {
            Kind::Path(wanted) => self.candidates = path_field::complete(&mut field.text, wanted).candidates,
            Kind::Choice => field.toggle(),
            Kind::Text => {}
        }
    }

    fn has_figures(&self, state: &State) -> bool {
        self.known(state).is_some_and(|(model, version)| !versions::figures(model, version).is_empty())
    }

    /// The next pane that has anything to show.
    fn turn_pane(&mut self, is_forward: bool, state: &State) {
        let mut panes = vec![Pane::List];
        panes.extend(self.known(state).map(|_| Pane::Details));
        panes.extend(self.has_figures(state).then_some(Pane::Latency));
        self.pane = list::cycled(&panes, self.pane, is_forward);
        self.opening.forget_failure();
        self.acting.forget_failure();
    }
}

impl Screen for ModelsScreen {
    fn task(&self) -> Task {
        Task::Models
    }

    fn place(&self) -> Place {
        if self.asked.is_some() { Place::Typing } else { Place::Models }
    }

    fn enter(&mut self, cx: &mut Context<'_>) {
        self.list_models(cx);
    }

    fn refresh(&mut self, cx: &mut Context<'_>) {
        let kind = self.acting.kind(cx.session.state());
        if self.acting.take_end(cx.session.state()) == Some(End::Done) {
            self.tell(kind, cx.session.state());
        }
        let recent = &cx.session.state().recent_models;
        let is_recent = recent.iter().eq(self.entries.iter().filter(|entry| entry.origin == RECENT).map(|entry| &entry.path));
        let registered: Vec<Entry> = cx.session.state().registry.iter().flat_map(registered).collect();
        if !is_recent || !registered.iter().eq(self.entries.iter().filter(|entry| entry.registered.is_some())) {
            self.list_models(cx);
        }
    }

    fn act(&mut self, action: Action, cx: &mut Context<'_>) -> bool {
        if self.asked.is_some() {
            return match action {
                Action::Complete => {
                    self.complete();
                    true
                }
                Action::Accept => {
                    self.take_answers(cx);
                    true
                }
                Action::Discard => {
                    self.forget_question();
                    true
                }
                action => self.move_in_question(action),
            };
        }
        let is_moved = match self.pane {
            Pane::List => match list::moved(self.selected, self.entries.len(), action) {
                Some(selected) => {
                    self.selected = selected;
                    self.scroll.reset();
                    self.figure.reset();
                    true
                }
                None => false,
            },
            Pane::Details => self.scroll.act(action),
            Pane::Latency => self.figure.act_sideways(action),
        };
        if is_moved {
            return true;
        }
        match action {
            Action::OpenPath => {
                let path = self.path.clone();
                self.ask(Question::Path, &path);
            }
            Action::NextPane | Action::PreviousPane => self.turn_pane(action == Action::NextPane, cx.session.state()),
            Action::Back if self.pane != Pane::List => self.pane = Pane::List,
            Action::AddModel | Action::SetAlias | Action::Promote | Action::RollBack | Action::Protect | Action::RemoveVersion | Action::Package => {
                self.ask_about(action, cx);
            }
            Action::CheckRegistry if self.acting.is_running() => cx.say("the act before is not done yet"),
            Action::CheckRegistry => self.begin(Command::Models(RegistryCommand::SelfCheck), cx),
            Action::Confirm => match self.entries.get(self.selected) {
                Some(entry) => self.open(entry.path.clone(), cx),
                None => self.ask(Question::Path, ""),
            },
            _ => return false,
        }
        true
    }

    fn type_key(&mut self, key: KeyEvent, _cx: &mut Context<'_>) {
        let Some(field) = self.asked.as_mut().and_then(Asked::field_mut) else { return };
        let has_changed = match (field.kind, key.code) {
            (Kind::Choice, KeyCode::Char(' ') | KeyCode::Left | KeyCode::Right) => {
                field.toggle();
                true
            }
            (Kind::Choice, _) => false,
            _ => field.text.handle(key),
        };
        if has_changed {
            self.candidates.clear();
            self.problem = None;
        }
    }

    fn paste(&mut self, text: &str, _cx: &mut Context<'_>) {
        if self.asked.is_none() {
            self.ask(Question::Path, "");
        }
        if let Some(field) = self.asked.as_mut().and_then(Asked::field_mut).filter(|field| field.kind != Kind::Choice) {
            field.text.insert(text);
        }
    }

    fn draw(&self, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
        draw::draw(self, frame, area, view);
    }

    fn hints(&self, state: &State) -> Vec<Action> {
        if let Some(asked) = &self.asked {
            let more = if asked.fields.len() > 1 { Action::Down } else { Action::Complete };
            return vec![Action::Accept, more, Action::Complete, Action::Discard];
        }
        match self.pane {
            Pane::List => {}
            Pane::Details => return vec![Action::NextPane, Action::Up, Action::Down, Action::Back],
            Pane::Latency => return vec![Action::NextPane, Action::Back],
        }
        let mut hints = vec![Action::Confirm];
        if self.selected_version().is_some() {
            hints.extend([Action::Promote, Action::RollBack, Action::SetAlias, Action::NextPane, Action::RemoveVersion]);
        }
        hints.push(Action::OpenPath);
        if state.opened.is_some() {
            hints.push(Action::AddModel);
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
        mark: version.aliases.iter().map(|alias| mark(model, alias)).collect(),
    };
    view.models.iter().flat_map(|model| model.versions.iter().rev().map(move |version| entry(model, version))).collect()
}

/// ` @production (protected)`.
fn mark(model: &ModelView, alias: &str) -> String {
    let is_protected = model.aliases.iter().any(|known| known.alias == alias && known.is_protected);
    format!(" @{alias}{}", if is_protected { " (protected)" } else { "" })
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
