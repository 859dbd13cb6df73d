//! 5 Profile: how fast, how big, how much memory, where does the time go, will it fit?

use std::cmp::Ordering;

use crossterm::event::KeyEvent;
use drydock_core::profile::{Effort, OperatorReport, ProfileOption, ProfileReport, ProfileRequest};
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
mod results;

#[derive(Default)]
pub struct ProfileScreen {
    part: Part,
    fields: Fields,
    effort: Effort,
    /// Whether the options that one seldom needs are listed.
    shows_more: bool,
    selected: Field,
    typing: Typing,
    work: Work,
    /// Which configuration the latency is shown of.
    run: usize,
    sort: Sort,
    operator: usize,
    scroll: Scroll,
}

/// What of the profile is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Part {
    #[default]
    Setup,
    Latency,
    Sweep,
    Operators,
    Roofline,
    Size,
    History,
}

impl crate::widgets::parts::Part for Part {
    const ALL: &'static [Self] = &[Self::Setup, Self::Latency, Self::Sweep, Self::Operators, Self::Roofline, Self::Size, Self::History];

    fn name(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Latency => "latency",
            Self::Sweep => "sweep",
            Self::Operators => "operators",
            Self::Roofline => "roofline",
            Self::Size => "size",
            Self::History => "history",
        }
    }
}

/// What is written into the options, in the order of [`ProfileOption::ALL`].
#[derive(Debug, Default)]
struct Fields([TextField; ProfileOption::ALL.len()]);

impl Fields {
    fn place(option: ProfileOption) -> usize {
        ProfileOption::ALL.iter().position(|other| *other == option).unwrap_or(0)
    }

    fn get(&self, option: ProfileOption) -> &TextField {
        &self.0[Self::place(option)]
    }

    fn get_mut(&mut self, option: ProfileOption) -> &mut TextField {
        &mut self.0[Self::place(option)]
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Effort,
    /// Unfolds the options below it.
    More,
    Option(ProfileOption),
}

impl Default for Field {
    fn default() -> Self {
        Self::Option(ProfileOption::Batch)
    }
}

const FIRST_FIELDS: [Field; 6] = [
    Field::Option(ProfileOption::Batch),
    Field::Option(ProfileOption::Threads),
    Field::Effort,
    Field::Option(ProfileOption::MaxLatency),
    Field::Option(ProfileOption::Data),
    Field::More,
];

const MORE_OPTIONS: [ProfileOption; 5] =
    [ProfileOption::Dims, ProfileOption::Seed, ProfileOption::FitMemory, ProfileOption::FitThreads, ProfileOption::FitSlowdown];

/// The order of the operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Sort {
    #[default]
    Time,
    Order,
    Operator,
    Gflops,
    Moved,
}

impl Sort {
    const ALL: [Self; 5] = [Self::Time, Self::Order, Self::Operator, Self::Gflops, Self::Moved];

    fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Order => "order of the run",
            Self::Operator => "operator",
            Self::Gflops => "GFLOP/s",
            Self::Moved => "bytes moved",
        }
    }

    fn compare(self, a: &OperatorReport, b: &OperatorReport) -> Ordering {
        let down = |value: fn(&OperatorReport) -> f64| value(b).total_cmp(&value(a));
        match self {
            Self::Time => down(|operator| operator.time_ms.unwrap_or(0.0)),
            Self::Order => Ordering::Equal,
            Self::Operator => a.operator.cmp(&b.operator),
            Self::Gflops => down(|operator| operator.gflops.unwrap_or(0.0)),
            Self::Moved => b.bytes.cmp(&a.bytes),
        }
    }
}

/// The text of the selected field, where it has one.
fn text_mut(selected: Field, fields: &mut Fields) -> Option<&mut TextField> {
    match selected {
        Field::Option(option) => Some(fields.get_mut(option)),
        Field::Effort | Field::More => None,
    }
}

impl ProfileScreen {
    fn listed(&self) -> Vec<Field> {
        let more = if self.shows_more { MORE_OPTIONS.as_slice() } else { &[] };
        FIRST_FIELDS.into_iter().chain(more.iter().copied().map(Field::Option)).collect()
    }

    /// What would be done now. What can't stand is left out: [`Self::problem`] says so before anything runs.
    fn request(&self) -> ProfileRequest {
        let mut request = ProfileRequest { effort: self.effort, operators: true, ..ProfileRequest::default() };
        for option in ProfileOption::ALL {
            let _ = option.set(&mut request, self.fields.get(option).text());
        }
        request.data = request.data.map(|path| expand_home(&path.to_string_lossy()));
        request
    }

    fn problem(&self, option: ProfileOption) -> Option<String> {
        option.problem(self.fields.get(option).text())
    }

    fn edit(&mut self) {
        self.part = Part::Setup;
        match self.selected {
            Field::Option(option) => self.typing.begin(self.fields.get(option)),
            Field::Effort | Field::More => self.toggle(true),
        }
    }

    /// The next of a few values, or the one before.
    fn toggle(&mut self, is_forward: bool) {
        match self.selected {
            Field::Effort => self.effort = list::cycled(&Effort::ALL, self.effort, is_forward),
            Field::More => self.shows_more = !self.shows_more,
            Field::Option(_) => {}
        }
    }

    fn run(&mut self, cx: &mut Context<'_>) {
        let wrong = ProfileOption::ALL.into_iter().find(|option| self.problem(*option).is_some());
        if self.work.is_running() {
            cx.say("this model is being profiled already; c cancels");
        } else if cx.session.state().opened.is_none() {
            cx.complain("open a model first: press 1");
        } else if let Some(option) = wrong {
            self.part = Part::Setup;
            self.shows_more |= MORE_OPTIONS.contains(&option);
            self.selected = Field::Option(option);
        } else {
            self.work.begin(Command::Profile(self.request()), cx);
        }
    }

    /// The operators of a report, in the chosen order.
    fn sorted<'a>(&self, report: &'a ProfileReport) -> Vec<(usize, &'a OperatorReport)> {
        let mut operators: Vec<(usize, &OperatorReport)> = report.operators.iter().flatten().enumerate().collect();
        operators.sort_by(|(_, a), (_, b)| self.sort.compare(a, b));
        operators
    }

    /// Up, down, left and right in the part that is shown; `false` where it means nothing.
    fn move_in_part(&mut self, action: Action, state: &State) -> bool {
        let report = state.profile.as_ref();
        let n_runs = report.map_or(0, |report| report.runs.len());
        let n_operators = report.and_then(|report| report.operators.as_ref()).map_or(0, Vec::len);
        let forward = match action {
            Action::Left => Some(false),
            Action::Right => Some(true),
            _ => None,
        };
        match (self.part, forward) {
            (Part::Setup, Some(is_forward)) => self.toggle(is_forward),
            (Part::Setup, None) => {
                let fields = self.listed();
                let index = fields.iter().position(|field| *field == self.selected).unwrap_or(0);
                let Some(moved) = list::moved(index, fields.len(), action) else { return false };
                self.selected = fields.get(moved).copied().unwrap_or_default();
            }
            (Part::Latency | Part::Sweep, _) => {
                let as_list = match forward {
                    Some(false) => Action::Up,
                    Some(true) => Action::Down,
                    None => action,
                };
                let Some(moved) = list::moved(self.run.min(n_runs.saturating_sub(1)), n_runs, as_list) else { return false };
                self.run = moved;
            }
            (Part::Operators, Some(is_forward)) => self.sort = list::cycled(&Sort::ALL, self.sort, is_forward),
            (Part::Operators, None) => {
                let Some(moved) = list::moved(self.operator.min(n_operators.saturating_sub(1)), n_operators, action) else { return false };
                self.operator = moved;
            }
            (Part::Size, None) => return self.scroll.act(action),
            (Part::Roofline | Part::History | Part::Size, _) => return false,
        }
        true
    }
}

impl Screen for ProfileScreen {
    fn task(&self) -> Task {
        Task::Profile
    }

    fn place(&self) -> Place {
        if self.typing.is_on() { Place::Typing } else { Place::Profile }
    }

    fn refresh(&mut self, cx: &mut Context<'_>) {
        match self.work.take_end(cx.session.state()) {
            None => {}
            Some(End::Done) => {
                (self.run, self.operator) = (0, 0);
                self.scroll.reset();
            }
            // Why stands below the form.
            Some(End::Failed) => self.part = Part::Setup,
        }
    }

    fn act(&mut self, action: Action, cx: &mut Context<'_>) -> bool {
        if self.typing.is_on() && matches!(action, Action::Up | Action::Down) {
            self.typing.accept();
        }
        match action {
            Action::NextPane | Action::PreviousPane => self.part = self.part.turned(action).unwrap_or(self.part),
            Action::Edit => self.edit(),
            Action::Confirm => self.run(cx),
            Action::CancelJob => self.work.cancel(cx),
            Action::Back if self.part != Part::Setup => self.part = Part::Setup,
            Action::Accept => self.typing.accept(),
            Action::Discard => self.typing.discard(text_mut(self.selected, &mut self.fields)),
            Action::Complete if self.selected == Field::Option(ProfileOption::Data) => {
                self.typing.offer(path_field::complete(self.fields.get_mut(ProfileOption::Data), Wanted::Table).candidates);
            }
            action => return self.move_in_part(action, cx.session.state()),
        }
        true
    }

    fn type_key(&mut self, key: KeyEvent, _cx: &mut Context<'_>) {
        self.typing.key(text_mut(self.selected, &mut self.fields), key);
    }

    fn paste(&mut self, text: &str, _cx: &mut Context<'_>) {
        if self.typing.is_on() {
            if let Some(field) = text_mut(self.selected, &mut self.fields) {
                field.insert(text);
            }
        } else {
            // A path pasted, or dropped on the terminal, is the table whose rows are the inputs.
            self.fields.get_mut(ProfileOption::Data).set(text.trim().trim_matches('\''));
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
        let first = if self.work.is_running() { Action::CancelJob } else { Action::Confirm };
        match self.part {
            Part::Setup => vec![first, Action::Edit, Action::NextPane, Action::CopyCommand],
            Part::Latency | Part::Sweep | Part::Operators => vec![first, Action::NextPane, Action::Left, Action::Right, Action::CopyCommand],
            Part::Roofline | Part::Size | Part::History => vec![first, Action::NextPane, Action::CopyCommand],
        }
    }

    fn command(&self, _state: &State) -> Option<Command> {
        Some(Command::Profile(self.request()))
    }
}
