//! What the window itself remembers: the page shown, what lies on top of it, and the settings that outlive the program.

use drydock_core::session::Task;
use drydock_core::tensor::device::DeviceChoice;
use eframe::egui::ThemePreference;

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
    pub page: Option<Task>,
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
    pub page: Task,
    pub overlay: Overlay,
    pub toasts: Vec<Toast>,
    pub preferences: Preferences,
    /// Where models are opened from now on.
    pub device: DeviceChoice,
}
