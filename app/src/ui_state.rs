//! What the window itself remembers: the page shown, what lies on top of it, and the settings that outlive the program.

use drydock_core::tensor::device::DeviceChoice;
use eframe::egui::{Key, KeyboardShortcut, Modifiers, ThemePreference};

use crate::widgets::icon::Icon;

/// The tasks, in the order of the navigation. Keys are those of the terminal program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Page {
    #[default]
    Models,
    Inspect,
    Predict,
    Score,
    Jobs,
}

impl Page {
    pub const ALL: [Self; 5] = [Self::Models, Self::Inspect, Self::Predict, Self::Score, Self::Jobs];

    pub fn name(self) -> &'static str {
        match self {
            Self::Models => "Models",
            Self::Inspect => "Inspect",
            Self::Predict => "Predict",
            Self::Score => "Score",
            Self::Jobs => "Jobs",
        }
    }

    /// The question that the page answers.
    pub fn question(self) -> &'static str {
        match self {
            Self::Models => "What do I have, and what is this file?",
            Self::Inspect => "What goes in and out, what is inside, what does each part weigh, can it run here?",
            Self::Predict => "What does it say for this row or picture, and what if?",
            Self::Score => "Predictions for a whole file",
            Self::Jobs => "What is running, what ran, what came out?",
        }
    }

    pub fn icon(self) -> Icon {
        match self {
            Self::Models => Icon::Models,
            Self::Inspect => Icon::Inspect,
            Self::Predict => Icon::Predict,
            Self::Score => Icon::Score,
            Self::Jobs => Icon::Jobs,
        }
    }

    pub fn shortcuts(self) -> &'static [KeyboardShortcut] {
        const fn digit(key: Key) -> KeyboardShortcut {
            KeyboardShortcut::new(Modifiers::NONE, key)
        }
        match self {
            Self::Models => const { &[digit(Key::Num1)] },
            Self::Inspect => const { &[digit(Key::Num2)] },
            Self::Predict => const { &[digit(Key::Num3)] },
            Self::Score => const { &[digit(Key::Num4)] },
            Self::Jobs => const { &[digit(Key::Num9)] },
        }
    }
}

/// What lies on top of the page: at most one thing.
#[derive(Debug, Default)]
pub enum Overlay {
    #[default]
    None,
    Palette(crate::panels::palette::Palette),
    Help,
}

/// A message about something that happened elsewhere, until it is closed or has been read.
#[derive(Debug, Clone, PartialEq)]
pub struct Toast {
    pub is_error: bool,
    pub text: String,
    /// Where to look for more.
    pub page: Option<Page>,
    /// When it goes by itself, in seconds of the window's clock; errors stay.
    pub ends_at: Option<f64>,
}

/// Settings that outlive the program, as they stand in the data home.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Preferences {
    pub theme: ThemeChoice,
}

/// Light, dark, or what the system says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThemeChoice {
    #[default]
    System,
    Light,
    Dark,
}

impl From<ThemeChoice> for ThemePreference {
    fn from(choice: ThemeChoice) -> Self {
        match choice {
            ThemeChoice::System => Self::System,
            ThemeChoice::Light => Self::Light,
            ThemeChoice::Dark => Self::Dark,
        }
    }
}

#[derive(Debug, Default)]
pub struct UiState {
    pub page: Page,
    pub overlay: Overlay,
    pub toasts: Vec<Toast>,
    pub preferences: Preferences,
    /// Where models are opened from now on.
    pub device: DeviceChoice,
}
