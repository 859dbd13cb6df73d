//! 4 Score: predictions for a whole file.

use std::path::PathBuf;

use crossterm::event::KeyEvent;
use drydock_core::data::TableInfo;
use drydock_core::jobs::JobId;
use drydock_core::score::{self, Binding, OnError, ScoreReport, ScoreRequest};
use drydock_core::session::{Command, JobState, State};
use ratatui::Frame;
use ratatui::layout::Rect;

use super::{Context, Screen, View};
use crate::action::Action;
use crate::keymap::Place;
use crate::widgets::list;
use crate::widgets::path_field::{self, Wanted, expand_home};
use crate::widgets::text_field::TextField;
use drydock_core::session::Task;

mod draw;

#[derive(Default)]
pub struct ScoreScreen {
    file: TextField,
    output: TextField,
    label: TextField,
    on_error: OnError,
    overwrite: bool,
    selected: Field,
    typing: Option<Typing>,
    /// The head of the file to score, or why it can't be read.
    table: Option<Result<TableInfo, String>>,
    binding: Option<Result<Binding, String>>,
    describing: Option<JobId>,
    scoring: Option<JobId>,
    outcome: Option<Outcome>,
    /// The head of the scored table.
    preview: Option<TableInfo>,
}

/// A text being typed: what stood there before, and names that fit a path.
#[derive(Debug, Default)]
struct Typing {
    before: String,
    candidates: Vec<String>,
}

/// How the last scoring ended.
enum Outcome {
    Done(Box<ScoreReport>),
    Cancelled,
    Failed(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Field {
    #[default]
    File,
    Output,
    Label,
    OnError,
    Overwrite,
}

impl Field {
    const ALL: [Self; 5] = [Self::File, Self::Output, Self::Label, Self::OnError, Self::Overwrite];

    fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Output => "output",
            Self::Label => "label",
            Self::OnError => "bad rows",
            Self::Overwrite => "replace",
        }
    }
}

impl ScoreScreen {
    /// What would be done now.
    fn request(&self) -> ScoreRequest {
        let label = self.label.text().trim();
        ScoreRequest {
            data: self.data_path(),
            output: self.output_path(),
            label: (!label.is_empty()).then(|| label.to_owned()),
            on_error: self.on_error,
            overwrite: self.overwrite,
            ..ScoreRequest::default()
        }
    }

    fn data_path(&self) -> PathBuf {
        expand_home(self.file.text().trim())
    }

    fn output_path(&self) -> PathBuf {
        match self.output.text().trim() {
            "" => ScoreRequest::default_output(&self.data_path()),
            typed => expand_home(typed),
        }
    }

    fn is_running(&self, state: &State) -> bool {
        self.scoring.and_then(|id| state.job(id)).is_some_and(|record| record.state == JobState::Running)
    }

    fn text_mut(&mut self) -> Option<&mut TextField> {
        match self.selected {
            Field::File => Some(&mut self.file),
            Field::Output => Some(&mut self.output),
            Field::Label => Some(&mut self.label),
            Field::OnError | Field::Overwrite => None,
        }
    }

    fn edit(&mut self) {
        let Some(field) = self.text_mut() else {
            self.toggle();
            return;
        };
        let before = field.text().to_owned();
        self.typing = Some(Typing { before, candidates: Vec::new() });
    }

    fn toggle(&mut self) {
        match self.selected {
            Field::OnError => self.on_error = if self.on_error == OnError::Stop { OnError::Skip } else { OnError::Stop },
            Field::Overwrite => self.overwrite = !self.overwrite,
            Field::File | Field::Output | Field::Label => {}
        }
    }

    /// Looks at the file that was typed.
    fn look_at_file(&mut self, cx: &mut Context<'_>) {
        self.table = None;
        self.binding = None;
        self.outcome = None;
        self.preview = None;
        if !self.file.text().trim().is_empty() {
            self.describing = cx.session.dispatch(Command::DescribeTable(self.data_path()));
        }
    }

    /// Decides again how the table feeds the model. Cheap.
    fn bind(&mut self, state: &State) {
        self.binding = match (&state.opened, &self.table) {
            (Some(opened), Some(Ok(table))) => Some(score::bind(&opened.model, table, &self.request()).map_err(|error| error.to_string())),
            _ => None,
        };
    }

    fn run(&mut self, cx: &mut Context<'_>) {
        let state = cx.session.state();
        if self.is_running(state) {
            cx.say("this file is being scored already; c cancels");
        } else if state.opened.is_none() {
            cx.complain("open a model first: press 1");
        } else if self.file.text().trim().is_empty() {
            self.selected = Field::File;
            self.edit();
        } else {
            self.outcome = None;
            self.preview = None;
            let request = self.request();
            self.scoring = cx.session.dispatch(Command::Score(request));
        }
    }

    fn accept(&mut self, cx: &mut Context<'_>) {
        let is_file = self.selected == Field::File;
        if is_file && self.data_path().is_dir() {
            self.complete();
            return;
        }
        self.typing = None;
        if is_file {
            self.look_at_file(cx);
        } else {
            self.bind(cx.session.state());
        }
    }

    fn complete(&mut self) {
        let candidates = match self.selected {
            Field::File => path_field::complete(&mut self.file, Wanted::Table).candidates,
            Field::Output => path_field::complete(&mut self.output, Wanted::Any).candidates,
            // A label is a column of the table.
            Field::Label => self.complete_label(),
            Field::OnError | Field::Overwrite => Vec::new(),
        };
        if let Some(typing) = &mut self.typing {
            typing.candidates = candidates;
        }
    }

    fn complete_label(&mut self) -> Vec<String> {
        let Some(Ok(table)) = &self.table else { return Vec::new() };
        let typed = self.label.text();
        let fitting: Vec<String> = table.columns.iter().map(|column| column.name.clone()).filter(|name| name.starts_with(typed)).collect();
        match fitting.as_slice() {
            [only] => {
                self.label.set(only);
                Vec::new()
            }
            _ => fitting,
        }
    }

    /// Follows the jobs that this screen began.
    fn follow_jobs(&mut self, state: &State) {
        let ended = |id: Option<JobId>, state: &State| {
            let record = state.job(id?)?;
            (record.state != JobState::Running).then(|| record.state.clone())
        };
        if let Some(end) = ended(self.describing, state) {
            self.describing = None;
            let looked_at = state.table.as_ref().filter(|table| table.path == self.data_path());
            self.table = match end {
                JobState::Failed(message) => Some(Err(message)),
                _ => looked_at.map(|table| Ok(table.clone())),
            };
            self.bind(state);
        }
        if let Some(end) = ended(self.scoring, state) {
            self.scoring = None;
            self.outcome = match (end, &state.score) {
                (JobState::Failed(message), _) => Some(Outcome::Failed(message)),
                (JobState::Done, Some(report)) => Some(Outcome::Done(Box::new(report.clone()))),
                _ => Some(Outcome::Cancelled),
            };
            self.preview.clone_from(&state.score_preview);
        }
    }
}

impl Screen for ScoreScreen {
    fn task(&self) -> Task {
        Task::Score
    }

    fn place(&self) -> Place {
        if self.typing.is_some() { Place::Typing } else { Place::Score }
    }

    fn enter(&mut self, cx: &mut Context<'_>) {
        self.bind(cx.session.state());
    }

    fn refresh(&mut self, cx: &mut Context<'_>) {
        self.follow_jobs(cx.session.state());
    }

    fn act(&mut self, action: Action, cx: &mut Context<'_>) -> bool {
        match action {
            Action::Up | Action::Down | Action::First | Action::Last => {
                let index = Field::ALL.iter().position(|field| *field == self.selected).unwrap_or(0);
                let moved = list::moved(index, Field::ALL.len(), action).unwrap_or(index);
                self.selected = Field::ALL.get(moved).copied().unwrap_or_default();
            }
            Action::Left | Action::Right => self.toggle(),
            Action::Edit => self.edit(),
            Action::Confirm => self.run(cx),
            Action::CancelJob => {
                if let Some(id) = self.scoring {
                    cx.session.dispatch(Command::Cancel(id));
                }
            }
            Action::Accept => self.accept(cx),
            Action::Discard => {
                let before = self.typing.take().map(|typing| typing.before).unwrap_or_default();
                if let Some(field) = self.text_mut() {
                    field.set(&before);
                }
            }
            Action::Complete => self.complete(),
            _ => return false,
        }
        true
    }

    fn type_key(&mut self, key: KeyEvent, _cx: &mut Context<'_>) {
        let has_changed = self.text_mut().is_some_and(|field| field.handle(key));
        if let (true, Some(typing)) = (has_changed, &mut self.typing) {
            typing.candidates.clear();
        }
    }

    fn paste(&mut self, text: &str, cx: &mut Context<'_>) {
        if self.typing.is_some() {
            if let Some(field) = self.text_mut() {
                field.insert(text);
            }
        } else {
            // A path pasted, or dropped on the terminal, is the file to score.
            self.file.set(text.trim().trim_matches('\''));
            self.look_at_file(cx);
        }
    }

    fn draw(&self, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
        draw::draw(self, frame, area, view);
    }

    fn hints(&self, state: &State) -> Vec<Action> {
        if self.typing.is_some() {
            return vec![Action::Accept, Action::Complete, Action::Discard];
        }
        if state.opened.is_none() {
            return vec![Action::Go(Task::Models)];
        }
        if self.is_running(state) {
            return vec![Action::CancelJob, Action::CopyCommand];
        }
        vec![Action::Confirm, Action::Edit, Action::CopyCommand]
    }

    fn command(&self, _state: &State) -> Option<Command> {
        (!self.file.text().trim().is_empty()).then(|| Command::Score(self.request()))
    }
}
