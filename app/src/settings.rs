//! What outlives the program: recent models, shared with the terminal, and the desktop's own preferences. Both stand in the data home.

use std::path::Path;

use drydock_core::home::Remembered;

use crate::ui_state::Preferences;

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settings {
    pub remembered: Remembered,
    pub preferences: Preferences,
}

const FILE_NAME: &str = "desktop.json";

impl Settings {
    /// Reads what is there. What can't be read counts as never written: a spoilt file must not keep the program from starting.
    pub fn load(home: &Path) -> Self {
        let preferences = std::fs::read(home.join(FILE_NAME)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Self { remembered: Remembered::load_from(home).unwrap_or_default(), preferences: preferences.unwrap_or_default() }
    }

    /// Writes what can be written: losing a list of recent files is no reason to disturb anybody.
    pub fn save(&self, home: &Path) {
        let _ = self.remembered.save_to(home);
        if let Ok(bytes) = serde_json::to_vec_pretty(&self.preferences) {
            let _ = std::fs::write(home.join(FILE_NAME), bytes);
        }
    }
}
