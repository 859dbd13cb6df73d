//! 7 Compare: is B better than A, which rows change, what changed in the file, and may it ship?

use std::path::PathBuf;
use std::sync::Arc;

use crossterm::event::KeyEvent;
use drydock_core::compare::check::{Budgets, CheckReport, CheckRequest};
use drydock_core::compare::diff::DiffRequest;
use drydock_core::compare::{CompareReport, CompareRequest, Split, Window};
use drydock_core::jobs::JobId;
use drydock_core::session::{Command, JobState, State, Task};
use ratatui::Frame;
use ratatui::layout::Rect;

use super::{Context, Screen, View};
use crate::action::Action;
use crate::keymap::Place;
use crate::widgets::list;
use crate::widgets::path_field::{self, Wanted, expand_home};
use crate::widgets::text_field::TextField;

mod draw;

#[derive(Default)]
pub struct CompareScreen {
    part: Part,
    selected: Field,
    texts: [TextField; Field::TEXTS],
    skips_latency: bool,
    typing: Option<Typing>,
    running: Option<JobId>,
    failure: Option<Failure>,
    /// The version after the baseline that is shown.
    row: usize,
    scroll: usize,
}

/// A text being typed: what stood there before, and names that fit a path.
#[derive(Debug, Default)]
struct Typing {
    before: String,
    candidates: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Failure {
    Cancelled,
    Failed(String),
}

/// What is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Part {
    #[default]
    Setup,
    Metrics,
    Rows,
    Why,
    Calibration,
    Windows,
    Files,
    Gate,
}

impl Part {
    const ALL: [Self; 8] = [Self::Setup, Self::Metrics, Self::Rows, Self::Why, Self::Calibration, Self::Windows, Self::Files, Self::Gate];

    fn name(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Metrics => "metrics",
            Self::Rows => "rows",
            Self::Why => "why",
            Self::Calibration => "calibration",
            Self::Windows => "time",
            Self::Files => "files",
            Self::Gate => "gate",
        }
    }

    fn moved(self, by: usize) -> Self {
        let index = Self::ALL.iter().position(|part| *part == self).unwrap_or(0);
        Self::ALL.get((index + by) % Self::ALL.len()).copied().unwrap_or_default()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Field {
    A,
    #[default]
    B,
    Data,
    Label,
    Time,
    Window,
    Split,
    Limits,
    Latency,
}

impl Field {
    const ALL: [Self; 9] = [Self::A, Self::B, Self::Data, Self::Label, Self::Time, Self::Window, Self::Split, Self::Limits, Self::Latency];
    /// Those that are typed come first.
    const TEXTS: usize = 8;

    fn place(self) -> usize {
        Self::ALL.iter().position(|field| *field == self).unwrap_or(0)
    }

    fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::Data => "data",
            Self::Label => "label",
            Self::Time => "time",
            Self::Window => "window",
            Self::Split => "canary",
            Self::Limits => "gate",
            Self::Latency => "latency",
        }
    }

    /// What holds while nothing is written.
    fn default_meaning(self) -> &'static str {
        match self {
            Self::A => "the opened model",
            Self::B => "the version to hold against it",
            Self::Data => "the table that both answer",
            Self::Label => "the contract's target, where the table has it",
            Self::Time => "the order of the rows",
            Self::Window => "no windows",
            Self::Split => "no canary",
            Self::Limits => "supported operators and the contract alone",
            Self::Latency => "",
        }
    }

    fn example(self) -> &'static str {
        match self {
            Self::A | Self::B => "models/fraud-v2.onnx",
            Self::Data => "march.csv",
            Self::Label => "outcome",
            Self::Time => "paid_at",
            Self::Window => "1h, 1d, 1w, or 5000 rows",
            Self::Split => "0.1",
            Self::Limits => Budgets::EXAMPLE,
            Self::Latency => "",
        }
    }
}

impl CompareScreen {
    fn text(&self, field: Field) -> &str {
        self.texts.get(field.place()).map_or("", |text| text.text().trim())
    }

    fn text_mut(&mut self, field: Field) -> Option<&mut TextField> {
        self.texts.get_mut(field.place())
    }

    fn path(&self, field: Field) -> Option<PathBuf> {
        Some(self.text(field)).filter(|text| !text.is_empty()).map(expand_home)
    }

    fn baseline(&self, state: &State) -> Option<PathBuf> {
        self.path(Field::A).or_else(|| Some(state.opened.as_ref()?.model.path.clone()))
    }

    /// Why what is written into a field can't stand.
    fn problem(&self, field: Field) -> Option<String> {
        let text = self.text(field);
        match field {
            Field::Window if !text.is_empty() => text.parse::<Window>().err(),
            Field::Time if !text.is_empty() && self.text(Field::Window).is_empty() => Some("needs a window: 1h, 1d, 1w".to_owned()),
            Field::Split if !text.is_empty() => {
                let is_share = text.parse::<f64>().is_ok_and(|share| (0.0..=1.0).contains(&share));
                (!is_share).then(|| "expected a share from 0 to 1, such as 0.1".to_owned())
            }
            Field::Limits => text.parse::<Budgets>().err(),
            _ => None,
        }
    }

    fn optional(&self, field: Field) -> Option<String> {
        Some(self.text(field)).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    fn compare_request(&self, state: &State) -> Option<CompareRequest> {
        Some(CompareRequest {
            versions: vec![self.baseline(state)?, self.path(Field::B)?],
            device: state.opened.as_ref().map(|opened| opened.device).unwrap_or_default(),
            data: self.path(Field::Data)?,
            label: self.optional(Field::Label),
            time: self.optional(Field::Time),
            window: self.text(Field::Window).parse().ok(),
            split: self.text(Field::Split).parse().ok().map(|share| Split { share, column: None }),
            measures_latency: !self.skips_latency,
            ..CompareRequest::default()
        })
    }

    /// B is judged, against A where there is a table to hold them against each other.
    fn check_request(&self, state: &State) -> Option<CheckRequest> {
        let data = self.path(Field::Data);
        let b = self.path(Field::B);
        let (model, against) = match b {
            Some(b) => (b, self.baseline(state)),
            None => (self.baseline(state)?, None),
        };
        Some(CheckRequest {
            model,
            against: against.filter(|_| data.is_some()),
            device: state.opened.as_ref().map(|opened| opened.device).unwrap_or_default(),
            data,
            label: self.optional(Field::Label),
            budgets: self.text(Field::Limits).parse().unwrap_or_default(),
            ..CheckRequest::default()
        })
    }

    fn diff_request(&self, state: &State) -> Option<DiffRequest> {
        Some(DiffRequest { a: self.baseline(state)?, b: self.path(Field::B)? })
    }

    fn is_running(&self, state: &State) -> bool {
        self.running.and_then(|id| state.job(id)).is_some_and(|record| record.state == JobState::Running)
    }

    /// Begins a job, or goes to the field that it lacks.
    fn start(&mut self, command: Option<Command>, part: Part, cx: &mut Context<'_>) {
        if self.is_running(cx.session.state()) {
            cx.say("a comparison is running already; c cancels");
            return;
        }
        if let Some(field) = Field::ALL.into_iter().find(|field| self.problem(*field).is_some()) {
            self.part = Part::Setup;
            self.selected = field;
            return;
        }
        let Some(command) = command else {
            self.part = Part::Setup;
            let is_missing = |field: &Field| match field {
                Field::A => self.baseline(cx.session.state()).is_none(),
                field => self.text(*field).is_empty(),
            };
            self.selected = [Field::A, Field::B, Field::Data].into_iter().find(is_missing).unwrap_or_default();
            cx.say("fill in A, B and data first: e types");
            return;
        };
        self.failure = None;
        self.part = part;
        self.running = cx.session.dispatch(command);
    }

    fn edit(&mut self) {
        self.part = Part::Setup;
        if self.selected == Field::Latency {
            self.skips_latency = !self.skips_latency;
            return;
        }
        let before = self.text(self.selected).to_owned();
        self.typing = Some(Typing { before, candidates: Vec::new() });
    }

    fn complete(&mut self) {
        let wanted = match self.selected {
            Field::A | Field::B => Wanted::Model,
            Field::Data => Wanted::Table,
            _ => return,
        };
        let Some(field) = self.texts.get_mut(self.selected.place()) else { return };
        let candidates = path_field::complete(field, wanted).candidates;
        if let Some(typing) = &mut self.typing {
            typing.candidates = candidates;
        }
    }

    /// Up and down in the part that is shown.
    fn move_in_part(&mut self, action: Action, state: &State) -> bool {
        let n_rows = |report: &Arc<CompareReport>| report.pairs.first().map_or(0, |pair| pair.changed.rows.len());
        match (self.part, action) {
            (Part::Setup, Action::Left | Action::Right) if self.selected == Field::Latency => self.skips_latency = !self.skips_latency,
            (Part::Setup, action) => {
                let Some(moved) = list::moved(self.selected.place(), Field::ALL.len(), action) else { return false };
                self.selected = Field::ALL.get(moved).copied().unwrap_or_default();
            }
            (Part::Rows, action) => {
                let Some(moved) = list::moved(self.row, state.comparison.as_ref().map_or(0, n_rows), action) else { return false };
                self.row = moved;
            }
            (_, action) => {
                let Some(moved) = list::moved(self.scroll, self.scroll + 50, action) else { return false };
                self.scroll = moved;
            }
        }
        true
    }
}

impl Screen for CompareScreen {
    fn task(&self) -> Task {
        Task::Compare
    }

    fn place(&self) -> Place {
        if self.typing.is_some() { Place::Typing } else { Place::Compare }
    }

    fn refresh(&mut self, cx: &mut Context<'_>) {
        let Some(record) = self.running.and_then(|id| cx.session.state().job(id)) else { return };
        self.failure = match &record.state {
            JobState::Running => return,
            JobState::Done => {
                (self.row, self.scroll) = (0, 0);
                None
            }
            JobState::Cancelled => Some(Failure::Cancelled),
            JobState::Failed(message) => Some(Failure::Failed(message.clone())),
        };
        if self.failure.is_some() {
            self.part = Part::Setup;
        }
        self.running = None;
    }

    fn act(&mut self, action: Action, cx: &mut Context<'_>) -> bool {
        match action {
            Action::NextPane => (self.part, self.scroll) = (self.part.moved(1), 0),
            Action::PreviousPane => (self.part, self.scroll) = (self.part.moved(Part::ALL.len() - 1), 0),
            Action::Edit => self.edit(),
            Action::Confirm => {
                let command = self.compare_request(cx.session.state()).map(Command::Compare);
                self.start(command, Part::Metrics, cx);
            }
            Action::Check => {
                let command = self.check_request(cx.session.state()).map(Command::Check);
                self.start(command, Part::Gate, cx);
            }
            Action::Diff => {
                let command = self.diff_request(cx.session.state()).map(Command::Diff);
                self.start(command, Part::Files, cx);
            }
            Action::CancelJob => {
                if let Some(id) = self.running {
                    cx.session.dispatch(Command::Cancel(id));
                }
            }
            Action::Back if self.part != Part::Setup => self.part = Part::Setup,
            Action::Accept => self.typing = None,
            Action::Discard => {
                let before = self.typing.take().map(|typing| typing.before).unwrap_or_default();
                if let Some(field) = self.text_mut(self.selected) {
                    field.set(&before);
                }
            }
            Action::Complete => self.complete(),
            action => return self.move_in_part(action, cx.session.state()),
        }
        true
    }

    fn type_key(&mut self, key: KeyEvent, _cx: &mut Context<'_>) {
        let has_changed = self.text_mut(self.selected).is_some_and(|field| field.handle(key));
        if let (true, Some(typing)) = (has_changed, &mut self.typing) {
            typing.candidates.clear();
        }
    }

    fn paste(&mut self, text: &str, _cx: &mut Context<'_>) {
        let is_typing = self.typing.is_some();
        let Some(field) = self.text_mut(self.selected) else { return };
        if is_typing { field.insert(text) } else { field.set(text.trim().trim_matches('\'')) }
    }

    fn draw(&self, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
        draw::draw(self, frame, area, view);
    }

    fn hints(&self, state: &State) -> Vec<Action> {
        if self.typing.is_some() {
            return vec![Action::Accept, Action::Complete, Action::Discard];
        }
        let first = if self.is_running(state) { Action::CancelJob } else { Action::Confirm };
        match self.part {
            Part::Setup => vec![first, Action::Edit, Action::Check, Action::Diff, Action::NextPane, Action::CopyCommand],
            _ => vec![first, Action::NextPane, Action::Check, Action::Diff, Action::CopyCommand],
        }
    }

    fn command(&self, state: &State) -> Option<Command> {
        match self.part {
            Part::Gate => self.check_request(state).map(Command::Check),
            Part::Files => self.diff_request(state).map(Command::Diff),
            _ => self.compare_request(state).map(Command::Compare),
        }
    }
}

/// The sentence above a gate's conditions, with its verdict.
fn verdict_line(report: &CheckReport) -> String {
    format!("{} {}: {}", report.verdict.sign(), report.verdict.word(), report.headline())
}
