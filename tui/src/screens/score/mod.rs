//! 4 Score: predictions for a whole file.

use std::path::PathBuf;

use crossterm::event::KeyEvent;
use drydock_core::data::TableInfo;
use drydock_core::score::{self, Binding, OnError, ScoreOption, ScoreReport, ScoreRequest};
use drydock_core::session::{Command, State};
use ratatui::Frame;
use ratatui::layout::Rect;

use super::work::{End, Failure, Work};
use super::{Context, Screen, View};
use crate::action::Action;
use crate::keymap::Place;
use crate::widgets::form::Typing;
use crate::widgets::list;
use crate::widgets::path_field::{self, Wanted, expand_home};
use crate::widgets::text_field::TextField;
use drydock_core::session::Task;

mod draw;

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
    typing: Typing,
    /// The head of the file to score, or why it can't be read.
    table: Option<Result<TableInfo, String>>,
    binding: Option<Result<Binding, String>>,
    describing: Work,
    scoring: Work,
    /// What came of the last scoring, where anything did.
    report: Option<Box<ScoreReport>>,
    /// The head of the scored table.
    preview: Option<TableInfo>,
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

/// The text of the selected field, where it has one.
fn text_mut<'a>(selected: Field, file: &'a mut TextField, output: &'a mut TextField, options: &'a mut OptionTexts) -> Option<&'a mut TextField> {
    match selected {
        Field::File => Some(file),
        Field::Output => Some(output),
        Field::Option(option) => Some(options.get_mut(option)),
        Field::OnError | Field::Overwrite | Field::More => None,
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

    fn text_mut(&mut self) -> Option<&mut TextField> {
        text_mut(self.selected, &mut self.file, &mut self.output, &mut self.options)
    }

    fn edit(&mut self) {
        match text_mut(self.selected, &mut self.file, &mut self.output, &mut self.options) {
            Some(field) => self.typing.begin(field),
            None => self.toggle(),
        }
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
        self.report = None;
        self.preview = None;
        self.scoring.forget_failure();
        if !self.file.text().trim().is_empty() {
            self.describing.begin(Command::DescribeTable(self.data_path()), cx);
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
        if self.scoring.is_running() {
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
            self.report = None;
            self.preview = None;
            self.scoring.begin(Command::Score(self.request()), cx);
        }
    }

    fn accept(&mut self, cx: &mut Context<'_>) {
        let is_file = self.selected == Field::File;
        if is_file && self.data_path().is_dir() {
            self.complete(cx.session.state());
            return;
        }
        self.typing.accept();
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
        self.typing.offer(candidates);
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
        if self.describing.take_end(state).is_some() {
            let looked_at = state.table.as_ref().filter(|table| table.path == self.data_path());
            self.table = match self.describing.failure() {
                Some(Failure::Failed(message)) => Some(Err(message.clone())),
                _ => looked_at.map(|table| Ok(table.clone())),
            };
            self.bind(state);
        }
        if let Some(end) = self.scoring.take_end(state) {
            self.report = state.score.clone().filter(|_| end == End::Done).map(Box::new);
            self.preview.clone_from(&state.score_preview);
        }
    }
}

impl Screen for ScoreScreen {
    fn task(&self) -> Task {
        Task::Score
    }

    fn place(&self) -> Place {
        if self.typing.is_on() { Place::Typing } else { Place::Score }
    }

    fn enter(&mut self, cx: &mut Context<'_>) {
        self.bind(cx.session.state());
    }

    fn refresh(&mut self, cx: &mut Context<'_>) {
        self.follow_jobs(cx.session.state());
    }

    fn act(&mut self, action: Action, cx: &mut Context<'_>) -> bool {
        if self.typing.is_on() && matches!(action, Action::Up | Action::Down) {
            self.accept(cx);
        }
        match action {
            // The path of a folder is completed rather than taken.
            Action::Up | Action::Down if self.typing.is_on() => {}
            Action::Up | Action::Down | Action::First | Action::Last => {
                let fields = self.fields();
                let index = fields.iter().position(|field| *field == self.selected).unwrap_or(0);
                let moved = list::moved(index, fields.len(), action).unwrap_or(index);
                self.selected = fields.get(moved).copied().unwrap_or_default();
            }
            Action::Left | Action::Right => self.toggle(),
            Action::Edit => self.edit(),
            Action::Confirm => self.run(cx),
            Action::CancelJob => self.scoring.cancel(cx),
            Action::Accept => self.accept(cx),
            Action::Discard => self.typing.discard(text_mut(self.selected, &mut self.file, &mut self.output, &mut self.options)),
            Action::Complete => self.complete(cx.session.state()),
            _ => return false,
        }
        true
    }

    fn type_key(&mut self, key: KeyEvent, _cx: &mut Context<'_>) {
        self.typing.key(text_mut(self.selected, &mut self.file, &mut self.output, &mut self.options), key);
    }

    fn paste(&mut self, text: &str, cx: &mut Context<'_>) {
        if self.typing.is_on() {
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
        if self.typing.is_on() {
            return vec![Action::Accept, Action::Complete, Action::Discard];
        }
        if state.opened.is_none() {
            return vec![Action::Go(Task::Models)];
        }
        if self.scoring.is_running() {
            return vec![Action::CancelJob, Action::CopyCommand];
        }
        vec![Action::Confirm, Action::Edit, Action::CopyCommand]
    }

    fn command(&self, _state: &State) -> Option<Command> {
        (!self.file.text().trim().is_empty()).then(|| Command::Score(self.request()))
    }
}
