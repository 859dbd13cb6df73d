//! 4 Score: predictions for a whole file.

use std::path::PathBuf;

use crossterm::event::KeyEvent;
use drydock_core::data::TableInfo;
use drydock_core::jobs::JobId;
use drydock_core::score::{self, Binding, OnError, ScoreOption, ScoreReport, ScoreRequest};
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

pub(super) use draw::running_line;

#[derive(Default)]
pub struct ScoreScreen {
    file: TextField,
    output: TextField,
    options: OptionTexts,
    on_error: OnError,
    overwrite: bool,
    /// Whether the options that one seldom needs are listed.
    shows_more: bool,
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

/// What is written into the options.
#[derive(Debug, Default)]
struct OptionTexts {
    label: TextField,
    columns: TextField,
    bind: TextField,
    keep: TextField,
    batch: TextField,
}

impl OptionTexts {
    fn get(&self, option: ScoreOption) -> &TextField {
        match option {
            ScoreOption::Label => &self.label,
            ScoreOption::Columns => &self.columns,
            ScoreOption::Bind => &self.bind,
            ScoreOption::Keep => &self.keep,
            ScoreOption::Batch => &self.batch,
        }
    }

    fn get_mut(&mut self, option: ScoreOption) -> &mut TextField {
        match option {
            ScoreOption::Label => &mut self.label,
            ScoreOption::Columns => &mut self.columns,
            ScoreOption::Bind => &mut self.bind,
            ScoreOption::Keep => &mut self.keep,
            ScoreOption::Batch => &mut self.batch,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Field {
    #[default]
    File,
    Output,
    OnError,
    Overwrite,
    /// Unfolds the options below it.
    More,
    Option(ScoreOption),
}

/// Always there.
const FIRST_FIELDS: [Field; 6] = [Field::File, Field::Output, Field::Option(ScoreOption::Label), Field::OnError, Field::Overwrite, Field::More];

/// Options that one seldom needs.
const MORE_OPTIONS: [ScoreOption; 4] = [ScoreOption::Keep, ScoreOption::Columns, ScoreOption::Bind, ScoreOption::Batch];

impl Field {
    fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Output => "output",
            Self::OnError => "bad rows",
            Self::Overwrite => "replace",
            Self::More => "more",
            Self::Option(option) => option.name(),
        }
    }
}

impl ScoreScreen {
    /// The fields as they are listed, from top to bottom.
    fn fields(&self) -> Vec<Field> {
        let more = if self.shows_more { MORE_OPTIONS.as_slice() } else { &[] };
        FIRST_FIELDS.into_iter().chain(more.iter().copied().map(Field::Option)).collect()
    }

    /// What would be done now. What can't stand is left out: [`Self::problem`] says so before anything runs.
    fn request(&self) -> ScoreRequest {
        let mut request = ScoreRequest {
            data: self.data_path(),
            output: self.output_path(),
            on_error: self.on_error,
            overwrite: self.overwrite,
            ..ScoreRequest::default()
        };
        for option in std::iter::once(ScoreOption::Label).chain(MORE_OPTIONS) {
            let _ = option.set(&mut request, self.options.get(option).text());
        }
        request
    }

    /// Why what is written into an option can't stand.
    fn problem(&self, option: ScoreOption, state: &State) -> Option<String> {
        let table = self.table.as_ref().and_then(|table| table.as_ref().ok());
        option.problem(self.options.get(option).text(), state.opened.as_ref().map(|opened| &*opened.model), table)
    }

    /// The first option that can't stand.
    fn wrong_option(&self, state: &State) -> Option<ScoreOption> {
        std::iter::once(ScoreOption::Label).chain(MORE_OPTIONS).find(|option| self.problem(*option, state).is_some())
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
            Field::Option(option) => Some(self.options.get_mut(option)),
            Field::OnError | Field::Overwrite | Field::More => None,
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
            Field::More => self.shows_more = !self.shows_more,
            Field::File | Field::Output | Field::Option(_) => {}
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
        // An option that can't stand says so itself; what would come of the others alone is of no interest.
        let is_sound = self.wrong_option(state).is_none();
        self.binding = match (&state.opened, &self.table) {
            (Some(opened), Some(Ok(table))) if is_sound => {
                Some(score::bind(&opened.model, table, &self.request()).map_err(|error| error.to_string()))
            }
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
        } else if let Some(option) = self.wrong_option(state) {
            self.shows_more |= MORE_OPTIONS.contains(&option);
            self.selected = Field::Option(option);
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
            self.complete(cx.session.state());
            return;
        }
        self.typing = None;
        if is_file {
            self.look_at_file(cx);
        } else {
            self.bind(cx.session.state());
        }
    }

    fn complete(&mut self, state: &State) {
        let candidates = match self.selected {
            Field::File => path_field::complete(&mut self.file, Wanted::Table).candidates,
            Field::Output => path_field::complete(&mut self.output, Wanted::Any).candidates,
            Field::Option(ScoreOption::Batch) | Field::OnError | Field::Overwrite | Field::More => Vec::new(),
            Field::Option(option) => self.complete_name(option, state),
        };
        if let Some(typing) = &mut self.typing {
            typing.candidates = candidates;
        }
    }

    /// Completes the name that is being written: of a column of the table, or of an input of the model.
    fn complete_name(&mut self, option: ScoreOption, state: &State) -> Vec<String> {
        let written = self.options.get(option).text().to_owned();
        let start = written.rfind([',', ';', '=']).map_or(0, |separator| separator + 1);
        let begun = written.get(start..).unwrap_or_default();
        let stem = begun.trim_start();
        let head = written.get(..written.len() - stem.len()).unwrap_or_default();
        let is_input = option == ScoreOption::Bind && !head.trim_end().ends_with([',', '=']);
        let names: Vec<String> = match (is_input, &state.opened, &self.table) {
            (true, Some(opened), _) => {
                let graph = &opened.model.model.graph;
                graph.inputs.iter().map(|id| format!("{}=", graph.value(*id).name)).collect()
            }
            (false, _, Some(Ok(table))) => table.columns.iter().map(|column| score::names_text(std::slice::from_ref(&column.name))).collect(),
            _ => Vec::new(),
        };
        let fitting: Vec<String> = names.into_iter().filter(|name| name.starts_with(stem)).collect();
        match fitting.as_slice() {
            [only] => {
                let completed = format!("{head}{only}");
                self.options.get_mut(option).set(&completed);
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
                let fields = self.fields();
                let index = fields.iter().position(|field| *field == self.selected).unwrap_or(0);
                let moved = list::moved(index, fields.len(), action).unwrap_or(index);
                self.selected = fields.get(moved).copied().unwrap_or_default();
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
            Action::Complete => self.complete(cx.session.state()),
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
