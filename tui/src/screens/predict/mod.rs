//! 3 Predict: one row by hand, the answer beside it, renewed with every change.

use std::path::PathBuf;
use std::sync::Arc;

use crossterm::event::KeyEvent;
use drydock_core::data::TableInfo;
use drydock_core::model::OpenModel;
use drydock_core::predict::{PredictRequest, what_if};
use drydock_core::report::Figure;
use drydock_core::session::{Command, State};
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
pub mod form;

use form::{Form, Stride};

#[derive(Default)]
pub struct PredictScreen {
    model: Option<Arc<OpenModel>>,
    form: Form,
    /// The picture, for a model that takes one; it stands above the columns.
    picture: Option<String>,
    selected: usize,
    mode: Mode,
    /// The table that rows are taken from.
    table: Option<TableInfo>,
    /// Where that table lies, as it was typed.
    table_path: TextField,
    /// The row of the table chosen last.
    table_row: usize,
    shows_result: bool,
    what_if: WhatIf,
}

/// The curve of the answer over one column.
#[derive(Debug, Default)]
struct WhatIf {
    is_shown: bool,
    /// Index of the column that is varied: the selected one, or the last selected one that can be.
    column: usize,
    asked: Option<PredictRequest>,
}

/// What the keys do just now.
#[derive(Debug, Default)]
enum Mode {
    #[default]
    Form,
    /// A value is being typed; the text before is kept to put back.
    Typing { field: TextField, before: String, candidates: Vec<String> },
    /// A value is being chosen from a list.
    Choosing { choices: Vec<String>, selected: usize },
    /// The path of the table is being typed.
    TypingTable { candidates: Vec<String> },
    /// A row of the table is being chosen.
    ChoosingRow { selected: usize },
}

/// What a line of the form stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Picture,
    Column(usize),
}

impl PredictScreen {
    fn n_lines(&self) -> usize {
        self.form.fields.len() + usize::from(self.picture.is_some())
    }

    fn line(&self, index: usize) -> Option<Line> {
        match (self.picture.is_some(), index) {
            (true, 0) => Some(Line::Picture),
            (has_picture, index) => Some(index - usize::from(has_picture)).filter(|column| *column < self.form.fields.len()).map(Line::Column),
        }
    }

    fn selected_line(&self) -> Option<Line> {
        self.line(self.selected)
    }

    fn request(&self) -> PredictRequest {
        match &self.picture {
            Some(path) if !path.is_empty() => PredictRequest::Image(expand_home(path)),
            _ => PredictRequest::Rows(vec![self.form.row()]),
        }
    }

    /// Why nothing can be predicted as the form stands: the line and the reason.
    fn problem(&self) -> Option<(usize, String)> {
        match &self.picture {
            Some(path) if !path.is_empty() => None,
            Some(_) if self.form.fields.is_empty() => Some((0, "a picture is needed".to_owned())),
            picture => self.form.problem().map(|(column, message)| (column + usize::from(picture.is_some()), message)),
        }
    }

    /// Asks for a prediction unless the form says by itself that there can be none.
    fn predict(&mut self, cx: &mut Context<'_>) {
        if self.model.is_some() && self.problem().is_none() {
            cx.session.dispatch(Command::Predict(self.request()));
            self.ask_what_if(cx);
        }
    }

    /// Shows or hides the curve.
    fn toggle_what_if(&mut self, cx: &mut Context<'_>) {
        if self.picture.as_ref().is_some_and(|path| !path.is_empty()) {
            cx.say("the answer is about a picture: make its line empty (x) to vary a number");
            return;
        }
        self.what_if.is_shown = !self.what_if.is_shown;
        if self.what_if.is_shown {
            let first = self.form.fields.iter().position(|field| field.column.usual_range().is_some());
            match first {
                Some(first) => self.what_if.column = first,
                None => {
                    self.what_if.is_shown = false;
                    cx.say("this model has no number with a usual range that could be varied");
                }
            }
            self.follow_selection(cx);
        }
    }

    /// Turns the curve to the selected column, if it can be varied.
    fn follow_selection(&mut self, cx: &mut Context<'_>) {
        if let Some(Line::Column(index)) = self.selected_line()
            && self.form.fields.get(index).is_some_and(|field| field.column.usual_range().is_some())
        {
            self.what_if.column = index;
        }
        self.ask_what_if(cx);
    }

    fn ask_what_if(&mut self, cx: &mut Context<'_>) {
        if !self.what_if.is_shown || self.problem().is_some() {
            return;
        }
        let Some(field) = self.form.fields.get(self.what_if.column) else { return };
        let request = what_if::request(&field.column, &self.form.row());
        if let Some(request) = request.filter(|request| self.what_if.asked.as_ref() != Some(request)) {
            self.what_if.asked = Some(request.clone());
            cx.session.dispatch(Command::WhatIf(request));
        }
    }

    /// The curve, once its answer is there.
    fn figure(&self, state: &State) -> Option<Figure> {
        let column = &self.form.fields.get(self.what_if.column)?.column;
        let (request, report) = state.what_if.as_ref()?;
        what_if::figure(&self.model.as_ref()?.contract, column, &self.form.row(), request, report)
    }

    fn value(&self) -> String {
        match self.selected_line() {
            Some(Line::Picture) => self.picture.clone().unwrap_or_default(),
            Some(Line::Column(index)) => self.form.fields.get(index).map(|field| field.value.clone()).unwrap_or_default(),
            None => String::new(),
        }
    }

    fn set_value(&mut self, value: &str, cx: &mut Context<'_>) {
        match self.selected_line() {
            Some(Line::Picture) => {
                self.picture = Some(value.to_owned());
                // The curve is about a row.
                self.what_if.is_shown &= value.is_empty();
            }
            Some(Line::Column(index)) => {
                if let Some(field) = self.form.fields.get_mut(index) {
                    value.clone_into(&mut field.value);
                }
            }
            None => return,
        }
        self.predict(cx);
    }

    fn step(&mut self, direction: i8, stride: Stride, cx: &mut Context<'_>) {
        if let Some(Line::Column(index)) = self.selected_line()
            && let Some(field) = self.form.fields.get_mut(index)
        {
            field.step(direction, stride);
            self.predict(cx);
        }
    }

    fn edit(&mut self) {
        let choices = match self.selected_line() {
            Some(Line::Column(index)) => self.form.fields.get(index).map(form::Field::choices).unwrap_or_default(),
            Some(Line::Picture) => Vec::new(),
            None => return,
        };
        let before = self.value();
        self.mode = if choices.is_empty() {
            Mode::Typing { field: TextField::new(&before), before, candidates: Vec::new() }
        } else {
            let selected = choices.iter().position(|choice| *choice == before).unwrap_or(0);
            Mode::Choosing { choices, selected }
        };
    }

    /// Begins to choose a row, or first the table.
    fn fill_from_row(&mut self) {
        self.mode = match &self.table {
            Some(table) if !table.preview.is_empty() => Mode::ChoosingRow { selected: self.table_row.min(table.preview.len() - 1) },
            _ => self.choosing_table(),
        };
    }

    /// Begins to type the table's path, from the model's own folder on.
    fn choosing_table(&mut self) -> Mode {
        let folder = self.model.as_ref().and_then(|model| model.path.parent().map(|folder| folder.display().to_string())).unwrap_or_default();
        if self.table_path.text().is_empty() && !folder.is_empty() {
            self.table_path.set(&format!("{folder}/"));
        }
        Mode::TypingTable { candidates: Vec::new() }
    }

    fn fill(&mut self, row: usize, cx: &mut Context<'_>) {
        let Some(table) = &self.table else { return };
        let Some(cells) = table.preview.get(row) else { return };
        let n_filled = self.form.fill(table.columns.iter().zip(cells).map(|(column, cell)| (column.name.as_str(), cell.as_str())));
        self.table_row = row;
        let name = table.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        cx.say(&format!("{n_filled} of {} columns filled from row {} of {name}", self.form.fields.len(), row + 1));
        self.predict(cx);
    }

    fn act_typing(&mut self, action: Action, cx: &mut Context<'_>) -> bool {
        let is_picture = self.selected_line() == Some(Line::Picture);
        match (action, &mut self.mode) {
            (Action::Complete, Mode::Typing { field, candidates, .. }) if is_picture => {
                *candidates = path_field::complete(field, Wanted::Picture).candidates;
            }
            // Tab goes on to the next value.
            (Action::Complete, Mode::Typing { .. }) => {
                self.mode = Mode::Form;
                self.selected = (self.selected + 1).min(self.n_lines().saturating_sub(1));
                self.follow_selection(cx);
                self.edit();
            }
            (Action::Accept, Mode::Typing { field, .. }) => {
                let value = field.text().trim().to_owned();
                self.mode = Mode::Form;
                self.set_value(&value, cx);
            }
            (Action::Up | Action::Down, Mode::Typing { field, .. }) => {
                let value = field.text().trim().to_owned();
                self.mode = Mode::Form;
                self.set_value(&value, cx);
                return self.act_form(action, cx);
            }
            (Action::Discard, Mode::Typing { before, .. }) => {
                let value = std::mem::take(before);
                self.mode = Mode::Form;
                self.set_value(&value, cx);
            }
            (Action::Complete, Mode::TypingTable { candidates }) => {
                *candidates = path_field::complete(&mut self.table_path, Wanted::Table).candidates;
            }
            (Action::Accept, Mode::TypingTable { candidates }) => {
                let path = expand_home(self.table_path.text().trim());
                if path.is_dir() {
                    *candidates = path_field::complete(&mut self.table_path, Wanted::Table).candidates;
                } else {
                    self.open_table(path, cx);
                }
            }
            (Action::Discard, Mode::TypingTable { .. }) => self.mode = Mode::Form,
            _ => return false,
        }
        true
    }

    fn open_table(&mut self, path: PathBuf, cx: &mut Context<'_>) {
        self.table = None;
        // The list of rows opens when the table is there.
        self.mode = Mode::ChoosingRow { selected: 0 };
        self.table_row = 0;
        cx.session.dispatch(Command::DescribeTable(path));
    }

    fn act_choosing(&mut self, action: Action, cx: &mut Context<'_>) -> bool {
        let n_rows = self.table.as_ref().map_or(0, |table| table.preview.len());
        match &mut self.mode {
            Mode::Choosing { choices, selected } => match action {
                Action::Confirm => {
                    let choice = choices.get(*selected).cloned().unwrap_or_default();
                    self.mode = Mode::Form;
                    self.set_value(&choice, cx);
                }
                Action::Back => self.mode = Mode::Form,
                action => match list::moved(*selected, choices.len(), action) {
                    Some(moved) => *selected = moved,
                    None => return false,
                },
            },
            Mode::ChoosingRow { selected } => match action {
                Action::Confirm => {
                    let row = *selected;
                    self.mode = Mode::Form;
                    self.fill(row, cx);
                }
                Action::Back => self.mode = Mode::Form,
                action => match list::moved(*selected, n_rows, action) {
                    Some(moved) => *selected = moved,
                    None => return false,
                },
            },
            _ => return false,
        }
        true
    }

    fn act_form(&mut self, action: Action, cx: &mut Context<'_>) -> bool {
        match action {
            Action::Up | Action::Down | Action::First | Action::Last => {
                self.selected = list::moved(self.selected, self.n_lines(), action).unwrap_or(self.selected);
                self.follow_selection(cx);
            }
            Action::WhatIf => self.toggle_what_if(cx),
            Action::Left => self.step(-1, Stride::Step, cx),
            Action::Right => self.step(1, Stride::Step, cx),
            Action::PageDown => self.step(-1, Stride::Leap, cx),
            Action::PageUp => self.step(1, Stride::Leap, cx),
            Action::NextPane | Action::PreviousPane => self.shows_result = !self.shows_result,
            Action::Edit => self.edit(),
            Action::Clear => self.set_value("", cx),
            Action::FillFromRow => self.fill_from_row(),
            Action::ChooseTable => self.mode = self.choosing_table(),
            Action::Reset => {
                self.form.fields.iter_mut().for_each(form::Field::reset);
                self.predict(cx);
            }
            _ => return false,
        }
        true
    }
}

impl Screen for PredictScreen {
    fn task(&self) -> Task {
        Task::Predict
    }

    fn place(&self) -> Place {
        match &self.mode {
            Mode::Form => Place::Predict,
            Mode::Typing { .. } | Mode::TypingTable { .. } => Place::Typing,
            Mode::Choosing { .. } | Mode::ChoosingRow { .. } => Place::Choosing,
        }
    }

    fn enter(&mut self, cx: &mut Context<'_>) {
        let state = cx.session.state();
        if state.prediction.is_none() && state.prediction_error.is_none() {
            self.predict(cx);
        }
    }

    fn refresh(&mut self, cx: &mut Context<'_>) {
        let state = cx.session.state();
        let model = state.opened.as_ref().map(|opened| Arc::clone(&opened.model));
        let is_same = match (&self.model, &model) {
            (Some(old), Some(new)) => Arc::ptr_eq(old, new),
            (old, new) => old.is_none() && new.is_none(),
        };
        if !is_same {
            let contract = model.as_ref().map(|model| model.contract.clone()).unwrap_or_default();
            *self = Self { form: Form::new(&contract), picture: contract.image.is_some().then(String::new), model, ..Self::default() };
        }
        let wanted = expand_home(self.table_path.text().trim());
        if let Some(table) = cx.session.state().table.as_ref().filter(|table| table.path == wanted) {
            self.table = Some(table.clone());
        } else if self.table.is_none() && matches!(self.mode, Mode::ChoosingRow { .. }) && !is_described(cx.session.state()) {
            self.mode = Mode::Form;
        }
    }

    fn act(&mut self, action: Action, cx: &mut Context<'_>) -> bool {
        match self.place() {
            Place::Typing => self.act_typing(action, cx),
            Place::Choosing => self.act_choosing(action, cx),
            _ => self.act_form(action, cx),
        }
    }

    fn type_key(&mut self, key: KeyEvent, cx: &mut Context<'_>) {
        match &mut self.mode {
            Mode::Typing { field, candidates, .. } => {
                if !field.handle(key) {
                    return;
                }
                candidates.clear();
                let text = field.text().trim().to_owned();
                // A picture is looked at when its path is complete, a value with every key.
                if self.selected_line() != Some(Line::Picture) {
                    self.set_value(&text, cx);
                }
            }
            Mode::TypingTable { candidates } => {
                if self.table_path.handle(key) {
                    candidates.clear();
                }
            }
            Mode::Form | Mode::Choosing { .. } | Mode::ChoosingRow { .. } => {}
        }
    }

    fn paste(&mut self, text: &str, cx: &mut Context<'_>) {
        match &mut self.mode {
            Mode::Typing { field, .. } => {
                field.insert(text);
                let text = field.text().trim().to_owned();
                if self.selected_line() != Some(Line::Picture) {
                    self.set_value(&text, cx);
                }
            }
            Mode::TypingTable { .. } => self.table_path.insert(text),
            Mode::Form | Mode::Choosing { .. } | Mode::ChoosingRow { .. } => {}
        }
    }

    fn draw(&self, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
        draw::draw(self, frame, area, view);
    }

    fn hints(&self, state: &State) -> Vec<Action> {
        match &self.mode {
            Mode::Form if state.opened.is_none() => vec![Action::Go(Task::Models)],
            Mode::Form => vec![Action::Edit, Action::Right, Action::WhatIf, Action::FillFromRow, Action::CopyCommand],
            Mode::Typing { .. } | Mode::TypingTable { .. } => vec![Action::Accept, Action::Complete, Action::Discard],
            Mode::Choosing { .. } | Mode::ChoosingRow { .. } => vec![Action::Confirm, Action::Back],
        }
    }

    fn command(&self, _state: &State) -> Option<Command> {
        Some(Command::Predict(self.request()))
    }
}

/// Whether a table is being looked at just now.
fn is_described(state: &State) -> bool {
    use drydock_core::session::{JobKind, JobState};
    state.jobs.iter().any(|record| record.kind == JobKind::Describe && record.state == JobState::Running)
}
