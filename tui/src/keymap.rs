//! The one table of keys: from it come what a key does, the hints on the last line, the help and the command palette.

use std::borrow::Cow;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use drydock_core::session::Task;

use crate::action::Action;

/// Where a binding holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On every screen, unless a text is being typed.
    Everywhere,
    Models,
    Inspect,
    Predict,
    Score,
    Profile,
    Compare,
    Jobs,
    /// While a text is being typed: every other key is text.
    Typing,
    /// In a list that lies over the screen.
    Choosing,
}

impl Place {
    pub const ALL: [Self; 10] = [
        Self::Everywhere,
        Self::Models,
        Self::Inspect,
        Self::Predict,
        Self::Score,
        Self::Profile,
        Self::Compare,
        Self::Jobs,
        Self::Typing,
        Self::Choosing,
    ];

    pub fn title(self) -> &'static str {
        match self {
            Self::Everywhere => "Everywhere",
            Self::Models => "Models",
            Self::Inspect => "Inspect",
            Self::Predict => "Predict",
            Self::Score => "Score",
            Self::Profile => "Profile",
            Self::Compare => "Compare",
            Self::Jobs => "Jobs",
            Self::Typing => "While typing",
            Self::Choosing => "In a list to choose from",
        }
    }

    /// Whether the bindings of [`Place::Everywhere`] hold here too.
    fn inherits(self) -> bool {
        !matches!(self, Self::Typing | Self::Choosing)
    }
}

impl From<Task> for Place {
    fn from(task: Task) -> Self {
        match task {
            Task::Models => Self::Models,
            Task::Inspect => Self::Inspect,
            Task::Predict => Self::Predict,
            Task::Score => Self::Score,
            Task::Profile => Self::Profile,
            Task::Compare => Self::Compare,
            Task::Jobs => Self::Jobs,
        }
    }
}

/// A key with its modifiers. Shift is part of the character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    code: KeyCode,
    with_control: bool,
}

impl Key {
    fn of(event: KeyEvent) -> Self {
        Self { code: event.code, with_control: event.modifiers.contains(KeyModifiers::CONTROL) }
    }

    /// As hints and help show it: `q`, `ctrl-c`, `enter`.
    pub fn name(self) -> String {
        let name = match self.code {
            KeyCode::Char(' ') => "space".to_owned(),
            KeyCode::Char(c) => c.to_string(),
            KeyCode::Up => "↑".to_owned(),
            KeyCode::Down => "↓".to_owned(),
            KeyCode::Left => "←".to_owned(),
            KeyCode::Right => "→".to_owned(),
            KeyCode::PageUp => "page up".to_owned(),
            KeyCode::PageDown => "page down".to_owned(),
            KeyCode::BackTab => "shift-tab".to_owned(),
            other => format!("{other:?}").to_lowercase(),
        };
        if self.with_control { format!("ctrl-{name}") } else { name }
    }
}

const fn key(code: KeyCode) -> Key {
    Key { code, with_control: false }
}

const fn ch(c: char) -> Key {
    key(KeyCode::Char(c))
}

const fn control(c: char) -> Key {
    Key { code: KeyCode::Char(c), with_control: true }
}

/// One line of the key map.
#[derive(Debug)]
pub struct Binding {
    pub place: Place,
    pub keys: &'static [Key],
    pub action: Action,
    /// One or two words for the last line.
    pub hint: &'static str,
    /// What it does, for help and palette.
    pub text: &'static str,
}

impl Binding {
    /// What help and palette say: of a task its name and its question.
    pub fn title(&self) -> Cow<'static, str> {
        match self.action {
            Action::Go(task) => Cow::Owned(format!("{}: {}", task.name(), self.text)),
            _ => Cow::Borrowed(self.text),
        }
    }
}

macro_rules! bindings {
    ($($place:ident: $keys:expr, $action:expr, $hint:expr, $text:expr;)*) => {
        &[$(Binding { place: Place::$place, keys: &$keys, action: $action, hint: $hint, text: $text }),*]
    };
}

pub const BINDINGS: &[Binding] = bindings![
    Everywhere: [ch(Task::Models.digit())], Action::Go(Task::Models), Task::Models.name(), Task::Models.question();
    Everywhere: [ch(Task::Inspect.digit())], Action::Go(Task::Inspect), Task::Inspect.name(), Task::Inspect.question();
    Everywhere: [ch(Task::Predict.digit())], Action::Go(Task::Predict), Task::Predict.name(), Task::Predict.question();
    Everywhere: [ch(Task::Score.digit())], Action::Go(Task::Score), Task::Score.name(), Task::Score.question();
    Everywhere: [ch(Task::Profile.digit())], Action::Go(Task::Profile), Task::Profile.name(), Task::Profile.question();
    Everywhere: [ch(Task::Compare.digit())], Action::Go(Task::Compare), Task::Compare.name(), Task::Compare.question();
    Everywhere: [ch(Task::Jobs.digit())], Action::Go(Task::Jobs), Task::Jobs.name(), Task::Jobs.question();
    Everywhere: [key(KeyCode::Up), ch('k')], Action::Up, "up", "One up";
    Everywhere: [key(KeyCode::Down), ch('j')], Action::Down, "down", "One down";
    Everywhere: [key(KeyCode::Left), ch('h')], Action::Left, "less", "To the left; a smaller value, the previous choice";
    Everywhere: [key(KeyCode::Right), ch('l')], Action::Right, "more", "To the right; a larger value, the next choice";
    Everywhere: [key(KeyCode::PageUp)], Action::PageUp, "page up", "One page up; a much larger value";
    Everywhere: [key(KeyCode::PageDown)], Action::PageDown, "page down", "One page down; a much smaller value";
    Everywhere: [key(KeyCode::Home), ch('g')], Action::First, "first", "To the first";
    Everywhere: [key(KeyCode::End), ch('G')], Action::Last, "last", "To the last";
    Everywhere: [key(KeyCode::Tab)], Action::NextPane, "next pane", "To the next pane";
    Everywhere: [key(KeyCode::BackTab)], Action::PreviousPane, "previous pane", "To the previous pane";
    Everywhere: [ch('v')], Action::Verify, "verify", "Verify: run ONNX test sets and compare what comes out";
    Everywhere: [control('w')], Action::CloseModel, "close model", "Close the model; its memory is freed, its file stays";
    Everywhere: [ch('y')], Action::CopyCommand, "copy as command", "Copy what this screen does as a drydock command";
    Everywhere: [ch(':')], Action::Palette, "commands", "Choose from all commands";
    Everywhere: [ch('?')], Action::Help, "help", "Show this help";
    Everywhere: [ch('q'), key(KeyCode::Esc)], Action::Back, "back", "Go back; quit when there is nothing to go back to";
    Everywhere: [control('c')], Action::Quit, "quit", "Quit at once; what runs is cancelled";
    Models: [key(KeyCode::Enter)], Action::Confirm, "open", "Open the selected model";
    Models: [ch('o'), ch('e')], Action::OpenPath, "type a path", "Open a model by its path";
    Models: [ch('a')], Action::AddModel, "add", "Add the opened model to the registry";
    Models: [ch('m')], Action::SetAlias, "alias", "Point an alias at the selected version, or take one away";
    Models: [ch('p')], Action::Promote, "promote", "Promote the selected version to an alias";
    Models: [ch('b')], Action::RollBack, "roll back", "Point an alias back at what it pointed at before";
    Models: [ch('t')], Action::Protect, "protect", "Protect an alias: only a passed check moves it; or no longer";
    Models: [ch('x')], Action::RemoveVersion, "remove", "Remove the selected version, after a confirmation";
    Models: [ch('P')], Action::Package, "package", "Pack the opened model with golden cases into one file";
    Models: [ch('s')], Action::CheckRegistry, "self-check", "Check the registry: its records, its files, their hashes";
    Inspect: [ch('/')], Action::Filter, "filter", "Show only nodes whose name or operator has this text";
    Predict: [key(KeyCode::Enter), ch('e')], Action::Edit, "edit", "Type a value, or choose from a list";
    Predict: [ch('f')], Action::FillFromRow, "fill from row", "Take the values of a table's row";
    Predict: [ch('t')], Action::ChooseTable, "table", "Choose the table that rows are taken from";
    Predict: [ch('w')], Action::WhatIf, "what if", "What if: a curve of the answer over the selected number";
    Predict: [ch('x')], Action::Clear, "empty", "Make the value empty (missing)";
    Predict: [ch('r')], Action::Reset, "reset", "Back to the values that the contract suggests";
    Score: [key(KeyCode::Enter)], Action::Confirm, "run", "Score the file";
    Score: [ch('e')], Action::Edit, "edit", "Type the selected value";
    Score: [ch('c')], Action::CancelJob, "cancel", "Cancel the scoring; nothing half-written is left";
    Profile: [key(KeyCode::Enter)], Action::Confirm, "run", "Profile the model";
    Profile: [ch('e')], Action::Edit, "edit", "Type the selected value";
    Profile: [ch('c')], Action::CancelJob, "cancel", "Cancel the profile";
    Compare: [key(KeyCode::Enter)], Action::Confirm, "compare", "Compare B with A on the table";
    Compare: [ch('e')], Action::Edit, "edit", "Type the selected value";
    Compare: [ch('x')], Action::Check, "gate", "Judge B by the conditions of the gate";
    Compare: [ch('d')], Action::Diff, "files", "Show what changed between the two files";
    Compare: [ch('n')], Action::NextVersion, "next version", "Show the next of the versions that are held against A";
    Compare: [ch('c')], Action::CancelJob, "cancel", "Cancel the comparison";
    Jobs: [ch('c')], Action::CancelJob, "cancel", "Cancel the selected job";
    Typing: [key(KeyCode::Enter)], Action::Accept, "accept", "Take what was typed";
    Typing: [key(KeyCode::Esc)], Action::Discard, "discard", "Put back what was there";
    Typing: [key(KeyCode::Tab)], Action::Complete, "complete", "Complete a path";
    Typing: [key(KeyCode::Up)], Action::Up, "field above", "Take what was typed and go to the field above";
    Typing: [key(KeyCode::Down)], Action::Down, "field below", "Take what was typed and go to the field below";
    Typing: [control('c')], Action::Quit, "quit", "Quit at once; what runs is cancelled";
    Choosing: [key(KeyCode::Up), ch('k')], Action::Up, "up", "One up";
    Choosing: [key(KeyCode::Down), ch('j')], Action::Down, "down", "One down";
    Choosing: [key(KeyCode::PageUp)], Action::PageUp, "page up", "One page up";
    Choosing: [key(KeyCode::PageDown)], Action::PageDown, "page down", "One page down";
    Choosing: [key(KeyCode::Home), ch('g')], Action::First, "first", "To the first";
    Choosing: [key(KeyCode::End), ch('G')], Action::Last, "last", "To the last";
    Choosing: [key(KeyCode::Enter)], Action::Confirm, "choose", "Take the selected one";
    Choosing: [key(KeyCode::Esc), ch('q')], Action::Back, "close", "Choose nothing";
    Choosing: [control('c')], Action::Quit, "quit", "Quit at once; what runs is cancelled";
];

/// What a key means at a place.
pub fn action_of(place: Place, event: KeyEvent) -> Option<Action> {
    let pressed = Key::of(event);
    bindings_at(place).find(|binding| binding.keys.contains(&pressed)).map(|binding| binding.action)
}

/// The bindings that hold at a place, its own first.
pub fn bindings_at(place: Place) -> impl Iterator<Item = &'static Binding> {
    let own = BINDINGS.iter().filter(move |binding| binding.place == place);
    let inherited = BINDINGS.iter().filter(move |binding| place.inherits() && place != Place::Everywhere && binding.place == Place::Everywhere);
    own.chain(inherited)
}

/// The bindings that a palette offers at a place: what does something, not what moves.
pub fn commands_at(place: Place) -> impl Iterator<Item = &'static Binding> {
    bindings_at(place).filter(|binding| !is_movement(binding.action))
}

fn is_movement(action: Action) -> bool {
    use Action::{Down, First, Last, Left, NextPane, PageDown, PageUp, Palette, PreviousPane, Right, Up};
    matches!(action, Up | Down | Left | Right | PageUp | PageDown | First | Last | NextPane | PreviousPane | Palette)
}

/// `enter run`, as the last line shows it.
pub fn hint(place: Place, action: Action) -> Option<String> {
    let binding = bindings_at(place).find(|binding| binding.action == action)?;
    Some(format!("{} {}", binding.keys.first()?.name(), binding.hint))
}
