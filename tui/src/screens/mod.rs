//! The screens, one per task. A screen holds what was typed and selected; everything else it reads from the session's state.

use crossterm::event::KeyEvent;
use drydock_core::session::{self, Command, Notice, Session, State};
use drydock_core::tensor::device::DeviceChoice;
use ratatui::Frame;
use ratatui::layout::Rect;

use crate::action::Action;
use crate::keymap::Place;
use crate::theme::Theme;
use drydock_core::session::Task;

pub mod compare;
pub mod inspect;
pub mod jobs;
pub mod models;
pub mod overlay;
pub mod predict;
pub mod profile;
pub mod score;
mod work;

/// What a screen may change besides itself.
pub struct Context<'a> {
    pub session: &'a mut Session,
    pub device: DeviceChoice,
    /// A sentence for the last line.
    pub notice: &'a mut Option<Notice>,
}

impl Context<'_> {
    pub fn say(&mut self, text: &str) {
        *self.notice = Some(Notice { is_error: false, text: text.to_owned() });
    }

    pub fn complain(&mut self, text: &str) {
        *self.notice = Some(Notice::error(text));
    }
}

/// What drawing may read.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub session: &'a Session,
    pub theme: Theme,
    /// Index of the spinner's frame.
    pub spinner: usize,
}

impl View<'_> {
    pub fn state(&self) -> &State {
        self.session.state()
    }
}

/// One task's screen.
pub trait Screen {
    fn task(&self) -> Task;

    /// Which bindings hold now: the screen's own, or those of typing or choosing.
    fn place(&self) -> Place {
        self.task().into()
    }

    /// The screen comes to the front.
    fn enter(&mut self, _cx: &mut Context<'_>) {}

    /// The session's state has changed, wherever the user is.
    fn refresh(&mut self, _cx: &mut Context<'_>) {}

    /// Does what a key means; `false` when it means nothing here.
    fn act(&mut self, action: Action, cx: &mut Context<'_>) -> bool;

    /// A key while a text is being typed.
    fn type_key(&mut self, _key: KeyEvent, _cx: &mut Context<'_>) {}

    /// A text was pasted.
    fn paste(&mut self, _text: &str, _cx: &mut Context<'_>) {}

    fn draw(&self, frame: &mut Frame<'_>, area: Rect, view: View<'_>);

    /// The actions that matter now, most important first: the last line tells their keys.
    fn hints(&self, state: &State) -> Vec<Action>;

    /// What the screen is about to do, as a command to copy.
    fn command(&self, _state: &State) -> Option<Command> {
        None
    }

    /// The line to copy.
    fn command_line(&self, state: &State) -> Option<String> {
        session::command_line(&self.command(state)?, state)
    }
}

/// From here on there is room for a third pane.
pub const WIDE: u16 = 120;

/// Below this there is room for one pane only.
pub const NARROW: u16 = 70;
