//! 7 Compare: is B better than A, which rows change, what changed in the file, and may it ship?

use std::path::PathBuf;
use std::sync::Arc;

use crossterm::event::KeyEvent;
use drydock_core::compare::check::{Budgets, CheckReport, CheckRequest};
use drydock_core::compare::diff::DiffRequest;
use drydock_core::compare::{CompareReport, CompareRequest, PairReport, Split, Window};
use drydock_core::session::{Command, State, Task};
use ratatui::Frame;
use ratatui::layout::Rect;

use super::work::{End, Work};
use super::{Context, Screen, View};
use crate::action::Action;
use crate::keymap::Place;
use crate::widgets::form::Typing;
use crate::widgets::list;
use crate::widgets::parts::Part as _;
use crate::widgets::path_field::{self, Wanted, expand_home};
use crate::widgets::scroll::Scroll;
use crate::widgets::text_field::TextField;

mod draw;

#[derive(Default)]
pub struct CompareScreen {
    part: Part,
    selected: Field,
    texts: [TextField; Field::TEXTS],
    skips_latency: bool,
    typing: Typing,
    work: Work,
    /// Which of the versions after the baseline is shown.
    pair: usize,
    row: usize,
    scroll: Scroll,
    /// The page of a table's columns, or the figure.
    page: Scroll,
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

impl crate::widgets::parts::Part for Part {
    const ALL: &'static [Self] = &[Self::Setup, Self::Metrics, Self::Rows, Self::Why, Self::Calibration, Self::Windows, Self::Files, Self::Gate];

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
            Self::B => "the version to hold against it; several with commas",
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
            Self::A => "models/fraud-v1.onnx",
            Self::B => "models/fraud-v2.onnx, fraud@champion",
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

    fn path(&self, field: Field) -> Option<PathBuf> {
        Some(self.text(field)).filter(|text| !text.is_empty()).map(expand_home)
    }

    /// The versions held against the baseline.
    fn versions(&self) -> Vec<PathBuf> {
        let text = self.text(Field::B);
        // A file whose own name has a comma is one version.
        if expand_home(text).exists() {
            return vec![expand_home(text)];
        }
        text.split(',').map(str::trim).filter(|version| !version.is_empty()).map(expand_home).collect()
    }

    /// The one that is looked at, and that is judged.
    fn version(&self) -> Option<PathBuf> {
        let versions = self.versions();
        versions.get(self.pair.min(versions.len().saturating_sub(1))).cloned()
    }

    /// What was found of the version that is looked at.
    fn shown_pair<'a>(&self, report: &'a CompareReport) -> Option<&'a PairReport> {
        report.pairs.get(self.pair.min(report.pairs.len().saturating_sub(1)))
    }

    fn baseline(&self, state: &State) -> Option<PathBuf> {
        self.path(Field::A).or_else(|| Some(state.opened.as_ref()?.model.argument()))
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
        let others = Some(self.versions()).filter(|versions| !versions.is_empty())?;
        Some(CompareRequest {
            versions: std::iter::once(self.baseline(state)?).chain(others).collect(),
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
        let (model, against) = match self.version() {
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
        Some(DiffRequest { a: self.baseline(state)?, b: self.version()? })
    }

    /// Begins a job, or goes to the field that it lacks.
    fn start(&mut self, command: Option<Command>, part: Part, cx: &mut Context<'_>) {
        if self.work.is_running() {
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
        self.show(part);
        self.work.begin(command, cx);
    }

    fn show(&mut self, part: Part) {
        self.part = part;
        self.scroll.reset();
        self.page.reset();
    }

    fn edit(&mut self) {
        self.part = Part::Setup;
        if self.selected == Field::Latency {
            self.skips_latency = !self.skips_latency;
            return;
        }
        if let Some(field) = self.texts.get(self.selected.place()) {
            self.typing.begin(field);
        }
    }

    fn complete(&mut self) {
        let Some(field) = self.texts.get_mut(self.selected.place()) else { return };
        self.typing.offer(match self.selected {
            Field::A => path_field::complete(field, Wanted::Model).candidates,
            Field::B => path_field::complete_last(field, Wanted::Model).candidates,
            Field::Data => path_field::complete(field, Wanted::Table).candidates,
            _ => return,
        });
    }

    /// Up and down in the part that is shown.
    fn move_in_part(&mut self, action: Action, state: &State) -> bool {
        let n_rows = |report: &Arc<CompareReport>| self.shown_pair(report).map_or(0, |pair| pair.changed.rows.len());
        match (self.part, action) {
            (Part::Setup, Action::Left | Action::Right) if self.selected == Field::Latency => self.skips_latency = !self.skips_latency,
            (Part::Setup, action) => {
                let Some(moved) = list::moved(self.selected.place(), Field::ALL.len(), action) else { return false };
                self.selected = Field::ALL.get(moved).copied().unwrap_or_default();
            }
            (Part::Rows, Action::Left | Action::Right) => return self.page.act_sideways(action),
            (Part::Rows, action) => {
                let Some(moved) = list::moved(self.row, state.comparison.as_ref().map_or(0, n_rows), action) else { return false };
                self.row = moved;
            }
            (_, action) => return self.page.act_sideways(action) || self.scroll.act(action),
        }
        true
    }
}

impl Screen for CompareScreen {
    fn task(&self) -> Task {
        Task::Compare
    }

    fn place(&self) -> Place {
        if self.typing.is_on() { Place::Typing } else { Place::Compare }
    }

    fn refresh(&mut self, cx: &mut Context<'_>) {
        match self.work.take_end(cx.session.state()) {
            None => {}
            Some(End::Done) => {
                // What was found of the first version is shown first; a gate or a diff is about the one that is looked at.
                if self.part == Part::Metrics {
                    self.pair = 0;
                }
                self.row = 0;
                self.show(self.part);
            }
            Some(End::Failed) => self.show(Part::Setup),
        }
    }

    fn act(&mut self, action: Action, cx: &mut Context<'_>) -> bool {
        if self.typing.is_on() && matches!(action, Action::Up | Action::Down) {
            self.typing.accept();
        }
        match action {
            Action::NextPane | Action::PreviousPane => {
                if let Some(part) = self.part.turned(action) {
                    self.show(part);
                }
            }
            Action::NextVersion => {
                let n_pairs = cx.session.state().comparison.as_ref().map_or(0, |report| report.pairs.len());
                self.pair = (self.pair + 1) % n_pairs.max(self.versions().len()).max(1);
                self.row = 0;
                self.show(self.part);
            }
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
            Action::CancelJob => self.work.cancel(cx),
            Action::Back if self.part != Part::Setup => self.show(Part::Setup),
            Action::Accept => self.typing.accept(),
            Action::Discard => self.typing.discard(self.texts.get_mut(self.selected.place())),
            Action::Complete => self.complete(),
            action => return self.move_in_part(action, cx.session.state()),
        }
        true
    }

    fn type_key(&mut self, key: KeyEvent, _cx: &mut Context<'_>) {
        self.typing.key(self.texts.get_mut(self.selected.place()), key);
    }

    fn paste(&mut self, text: &str, _cx: &mut Context<'_>) {
        let is_typing = self.typing.is_on();
        let Some(field) = self.texts.get_mut(self.selected.place()) else { return };
        if is_typing { field.insert(text) } else { field.set(text.trim().trim_matches('\'')) }
    }

    fn draw(&self, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
        draw::draw(self, frame, area, view);
    }

    fn hints(&self, state: &State) -> Vec<Action> {
        if self.typing.is_on() {
            return vec![Action::Accept, Action::Complete, Action::Discard];
        }
        let mut hints = vec![if self.work.is_running() { Action::CancelJob } else { Action::Confirm }];
        let n_pairs = state.comparison.as_ref().map_or(0, |report| report.pairs.len());
        if n_pairs.max(self.versions().len()) > 1 && self.part != Part::Setup {
            hints.push(Action::NextVersion);
        }
        match self.part {
            Part::Setup => hints.extend([Action::Edit, Action::Check, Action::Diff, Action::NextPane, Action::CopyCommand]),
            _ => hints.extend([Action::NextPane, Action::Check, Action::Diff, Action::CopyCommand]),
        }
        hints
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
