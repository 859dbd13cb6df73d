//! What views ask the program to do. They never reach into the session: actions leave through the [`Outbox`] and are carried out after the frame.

use std::cell::RefCell;
use std::path::PathBuf;

use drydock_core::session::Command;
use drydock_core::tensor::device::DeviceChoice;

use crate::files::Purpose;
use crate::saving::Savable;
use crate::ui_command::UiCommand;

#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// For the session.
    Core(Box<Command>),
    Ui(UiCommand),
    /// Opens a model on the device in use.
    OpenModel(PathBuf),
    /// Runs the test sets in a folder.
    Verify(PathBuf),
    /// Checks a package on the device in use.
    CheckPackage(PathBuf),
    /// Shows a file in the view that it is for: a table to score, a picture to predict.
    Take(PathBuf),
    /// Asks the user for a file.
    Choose(Purpose),
    UseDevice(DeviceChoice),
    /// Asks where to, and saves.
    Save(Box<Savable>),
    /// Puts text on the clipboard; `what` says in a toast what was copied.
    Copy {
        text: String,
        what: String,
    },
}

/// Where views drop their actions.
#[derive(Debug, Default)]
pub struct Outbox(RefCell<Vec<Action>>);

impl Outbox {
    pub fn send(&self, action: Action) {
        self.0.borrow_mut().push(action);
    }

    pub fn core(&self, command: Command) {
        self.send(Action::Core(Box::new(command)));
    }

    pub fn ui(&self, command: UiCommand) {
        self.send(Action::Ui(command));
    }

    pub fn copy(&self, text: impl Into<String>, what: impl Into<String>) {
        self.send(Action::Copy { text: text.into(), what: what.into() });
    }

    pub fn take(&self) -> Vec<Action> {
        self.0.take()
    }
}
