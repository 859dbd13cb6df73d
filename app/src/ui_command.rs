//! Every command of the window, once: its text, explanation, keys and icon. Menus, the command palette, shortcuts and the help page derive from it.

use drydock_core::session::Task;
use eframe::egui::{Key, KeyboardShortcut, Modifiers};

use crate::panels::navigation;
use crate::widgets::icon::Icon;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UiCommand {
    OpenModel,
    OpenTable,
    OpenPicture,
    OpenSample,
    CloseModel,
    VerifyRegistry,
    Package,
    CheckPackage,
    Verify,
    Show(Task),
    /// What the page shown is for.
    Run,
    RunScore,
    RunProfile,
    RunCompare,
    CancelJobs,
    CopyAsCommand,
    CommandPalette,
    Search,
    ToggleTheme,
    FollowSystemTheme,
    Help,
    Dismiss,
    Quit,
}

const NONE: Modifiers = Modifiers::NONE;
const COMMAND: Modifiers = Modifiers::COMMAND;
const COMMAND_SHIFT: Modifiers = Modifiers { shift: true, ..Modifiers::COMMAND };

const fn keys(modifiers: Modifiers, key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(modifiers, key)
}

impl UiCommand {
    /// Every command, in the order in which lists show them.
    pub const ALL: [Self; 29] = [
        Self::OpenModel,
        Self::OpenTable,
        Self::OpenPicture,
        Self::OpenSample,
        Self::CloseModel,
        Self::VerifyRegistry,
        Self::Package,
        Self::CheckPackage,
        Self::Verify,
        Self::Show(Task::Models),
        Self::Show(Task::Inspect),
        Self::Show(Task::Predict),
        Self::Show(Task::Score),
        Self::Show(Task::Profile),
        Self::Show(Task::Compare),
        Self::Show(Task::Jobs),
        Self::Run,
        Self::RunScore,
        Self::RunProfile,
        Self::RunCompare,
        Self::CancelJobs,
        Self::CopyAsCommand,
        Self::CommandPalette,
        Self::Search,
        Self::ToggleTheme,
        Self::FollowSystemTheme,
        Self::Help,
        Self::Dismiss,
        Self::Quit,
    ];

    pub fn text(self) -> &'static str {
        match self {
            Self::OpenModel => "Open a model…",
            Self::OpenTable => "Choose a table to score…",
            Self::OpenPicture => "Choose a picture to predict…",
            Self::OpenSample => "Open a sample model",
            Self::CloseModel => "Close the model",
            Self::VerifyRegistry => "Verify the registry",
            Self::Package => "Package the model…",
            Self::CheckPackage => "Check a package…",
            Self::Verify => "Verify against ONNX test sets…",
            Self::Show(page) => page.name(),
            Self::Run => "Run what the page is for",
            Self::RunScore => "Score the table",
            Self::RunProfile => "Profile the model",
            Self::RunCompare => "Compare the versions",
            Self::CancelJobs => "Cancel what is running",
            Self::CopyAsCommand => "Copy as command",
            Self::CommandPalette => "Commands",
            Self::Search => "Search in the table",
            Self::ToggleTheme => "Switch between light and dark",
            Self::FollowSystemTheme => "Light or dark as the system",
            Self::Help => "Help",
            Self::Dismiss => "Close what is open on top",
            Self::Quit => "Quit",
        }
    }

    pub fn tooltip(self) -> &'static str {
        match self {
            Self::OpenModel => "An ONNX file: from PyTorch, TensorFlow, scikit-learn, XGBoost, LightGBM, …",
            Self::OpenTable => "CSV, TSV, Parquet, NDJSON or Arrow, plain or compressed",
            Self::OpenPicture => "A PNG or JPEG for a model that takes pictures",
            Self::OpenSample => "A small model that comes with Drydock",
            Self::CloseModel => "Frees its memory; the file stays as it is",
            Self::VerifyRegistry => "Holds every file and record of the registry against its hash",
            Self::Package => "One file with the model, its contract and golden cases, which another machine can check",
            Self::CheckPackage => "Whether a package's model does here what it did where it was packed",
            Self::Verify => "Runs the models of a folder on their test_data_set_0, … and compares what comes out",
            Self::Show(page) => page.question(),
            Self::Run => "Scores the table, profiles the model or compares the versions, with what is set on the page",
            Self::RunScore => "Predictions for a whole file, written beside it",
            Self::RunProfile => "Latency, throughput, size, memory, and where the time goes, with what is set on its page",
            Self::RunCompare => "Agreement, metrics and the rows that change, with what is set on its page",
            Self::CancelJobs => "Stops at the next batch; no half-written file stays behind",
            Self::CopyAsCommand => "The command line that does the same in a terminal",
            Self::CommandPalette => "Find a command, a recent model or a sample by name",
            Self::Search => "Puts the cursor into the search field",
            Self::ToggleTheme => "Until you follow the system again",
            Self::FollowSystemTheme => "Follows your desktop's setting",
            Self::Help => "Keys, and where to find what",
            Self::Dismiss => "The palette, the help or a message",
            Self::Quit => "Running jobs are cancelled cleanly",
        }
    }

    /// The keys, the one to show first. Keys without Ctrl or Cmd work while no text is being typed.
    pub fn shortcuts(self) -> &'static [KeyboardShortcut] {
        const fn one(shortcut: &'static KeyboardShortcut) -> &'static [KeyboardShortcut] {
            std::slice::from_ref(shortcut)
        }
        match self {
            Self::OpenModel => one(&const { keys(COMMAND, Key::O) }),
            Self::OpenTable => one(&const { keys(COMMAND_SHIFT, Key::O) }),
            Self::OpenPicture => one(&const { keys(COMMAND_SHIFT, Key::P) }),
            Self::OpenSample | Self::VerifyRegistry | Self::Package | Self::CheckPackage | Self::Verify => &[],
            Self::CloseModel => one(&const { keys(COMMAND, Key::W) }),
            Self::Show(page) => navigation::shortcuts(page),
            Self::Run => one(&const { keys(COMMAND, Key::Enter) }),
            Self::RunScore | Self::RunProfile | Self::RunCompare => &[],
            Self::CancelJobs => one(&const { keys(COMMAND, Key::Period) }),
            Self::CopyAsCommand => const { &[keys(COMMAND_SHIFT, Key::C), keys(NONE, Key::Y)] },
            Self::CommandPalette => const { &[keys(COMMAND, Key::K), keys(NONE, Key::Colon)] },
            Self::Search => const { &[keys(COMMAND, Key::F), keys(NONE, Key::Slash)] },
            Self::ToggleTheme => one(&const { keys(COMMAND_SHIFT, Key::L) }),
            Self::FollowSystemTheme => &[],
            Self::Help => const { &[keys(NONE, Key::F1), keys(NONE, Key::Questionmark)] },
            Self::Dismiss => one(&const { keys(NONE, Key::Escape) }),
            Self::Quit => one(&const { keys(COMMAND, Key::Q) }),
        }
    }

    pub fn icon(self) -> Option<Icon> {
        match self {
            Self::OpenModel | Self::OpenTable => Some(Icon::Folder),
            Self::OpenPicture => Some(Icon::Picture),
            Self::Package => Some(Icon::Package),
            Self::OpenSample => Some(Icon::Models),
            Self::CloseModel | Self::Dismiss => Some(Icon::Close),
            Self::Show(page) => Some(navigation::icon(page)),
            Self::Run | Self::RunScore | Self::RunProfile | Self::RunCompare | Self::VerifyRegistry | Self::CheckPackage | Self::Verify => {
                Some(Icon::Run)
            }
            Self::CancelJobs => Some(Icon::Stop),
            Self::CopyAsCommand => Some(Icon::Copy),
            Self::CommandPalette => Some(Icon::Commands),
            Self::Search => Some(Icon::Inspect),
            Self::ToggleTheme | Self::FollowSystemTheme => Some(Icon::Dark),
            Self::Help => Some(Icon::Help),
            Self::Quit => None,
        }
    }
}
