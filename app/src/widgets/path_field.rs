//! A path typed by hand, with completion: works where no file dialog does.

use std::path::{Path, PathBuf};

use eframe::egui::text::{CCursor, CCursorRange, CharIndex};
use eframe::egui::{Align2, Button, Key, Modifiers, Popup, PopupCloseBehavior, Response, TextEdit, Ui, vec2};

use crate::background::Latest;
use crate::theme;

/// A field's text and the suggestions that belong to it.
#[derive(Debug, Default)]
pub struct PathField {
    pub text: String,
    suggestions: Latest<PathBuf, Vec<Entry>>,
    /// Asks for the cursor at the next frame.
    pub wants_focus: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    name: String,
    is_folder: bool,
}

/// What came of a frame.
pub struct PathFieldResponse {
    pub response: Response,
    /// Enter was pressed, or a file was picked from the suggestions.
    pub submitted: Option<PathBuf>,
}

impl PathField {
    /// What stands there, as the shell would read it.
    pub fn path(&self) -> PathBuf {
        expand_home(self.text.trim())
    }

    /// `accepts` decides which files are suggested. `name` is the accessible name.
    pub fn ui(&mut self, ui: &mut Ui, name: &str, hint: &str, accepts: impl Fn(&Path) -> bool) -> PathFieldResponse {
        let edit =
            TextEdit::singleline(&mut self.text).hint_text(hint).desired_width(ui.available_width()).lock_focus(false).align(Align2::LEFT_CENTER);
        let response = ui.add(edit).accessible_name(name);
        if std::mem::take(&mut self.wants_focus) {
            response.request_focus();
        }
        let mut submitted = None;
        if response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter)) && !self.text.trim().is_empty() {
            submitted = Some(expand_home(self.text.trim()));
        }
        if response.has_focus() && !self.text.is_empty() {
            let entries = self.matching(ui, accepts);
            if let Some(pick) = self.suggestions_ui(ui, &response, &entries) {
                self.complete(ui, &response, &pick.entry);
                if pick.is_final && !pick.entry.is_folder {
                    submitted = Some(expand_home(&self.text));
                } else {
                    response.request_focus();
                }
            }
        }
        PathFieldResponse { response, submitted }
    }

    fn matching(&mut self, ui: &Ui, accepts: impl Fn(&Path) -> bool) -> Vec<Entry> {
        const SHOWN: usize = 10;
        let (folder, prefix) = split(&self.text);
        let folder = if folder.is_empty() { PathBuf::from(".") } else { expand_home(folder) };
        let prefix = prefix.to_lowercase();
        let Some(entries) = self.suggestions.get(ui.ctx(), &folder, |folder| entries_of(folder)) else { return Vec::new() };
        let fits = |entry: &&Entry| {
            let is_hidden = entry.name.starts_with('.') && !prefix.starts_with('.');
            !is_hidden && entry.name.to_lowercase().starts_with(&prefix) && (entry.is_folder || accepts(Path::new(&entry.name)))
        };
        entries.iter().filter(fits).take(SHOWN).cloned().collect()
    }

    fn suggestions_ui(&self, ui: &Ui, response: &Response, entries: &[Entry]) -> Option<Pick> {
        let is_complete = matches!(entries, [only] if self.text.ends_with(&only.name) && !only.is_folder);
        if entries.is_empty() || is_complete {
            return None;
        }
        let mut picked = None;
        // The down key completes with the first suggestion, as Tab would if it were not what leaves the field.
        if ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::ArrowDown)) {
            picked = entries.first().map(|entry| Pick { entry: entry.clone(), is_final: false });
        }
        Popup::from_response(response)
            .open(true)
            .close_behavior(PopupCloseBehavior::IgnoreClicks)
            .width(response.rect.width())
            .gap(theme::STEP)
            .show(|ui| {
                for entry in entries {
                    let text = if entry.is_folder { format!("{}/", entry.name) } else { entry.name.clone() };
                    let button = Button::new(text).frame_when_inactive(false).min_size(vec2(ui.available_width(), theme::ROW_HEIGHT)).right_text("");
                    // Pressing takes the focus from the field, so the press itself is what picks.
                    if ui.add(button).is_pointer_button_down_on() {
                        picked = Some(Pick { entry: entry.clone(), is_final: true });
                    }
                }
            });
        picked
    }

    /// Puts the suggestion into the text, and the cursor behind it.
    fn complete(&mut self, ui: &Ui, response: &Response, entry: &Entry) {
        let (folder, _) = split(&self.text);
        self.text = format!("{folder}{}{}", entry.name, if entry.is_folder { "/" } else { "" });
        if let Some(mut state) = TextEdit::load_state(ui.ctx(), response.id) {
            let end = CCursor::new(CharIndex(self.text.chars().count()));
            state.cursor.set_char_range(Some(CCursorRange::one(end)));
            state.store(ui.ctx(), response.id);
        }
        // The field that shows the text is already drawn.
        ui.ctx().request_repaint();
    }
}

/// A suggestion taken.
struct Pick {
    entry: Entry,
    /// By a click: a file is then what was wanted. By a key it may be on the way to another.
    is_final: bool,
}

/// The folder of a path being typed, with its slash, and the beginning of the name.
fn split(text: &str) -> (&str, &str) {
    text.rfind(std::path::is_separator).map_or(("", text), |slash| text.split_at(slash + 1))
}

fn expand_home(text: &str) -> PathBuf {
    let home = text.strip_prefix('~').and_then(|rest| Some((directories::UserDirs::new()?.home_dir().to_owned(), rest)));
    home.map_or_else(|| PathBuf::from(text), |(home, rest)| home.join(rest.trim_start_matches(std::path::is_separator)))
}

/// Files and folders of a folder, folders first. What can't be read is an empty folder: this only suggests.
fn entries_of(folder: &Path) -> Vec<Entry> {
    let Ok(listing) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut entries: Vec<Entry> =
        listing.flatten().map(|entry| Entry { name: entry.file_name().to_string_lossy().into_owned(), is_folder: entry.path().is_dir() }).collect();
    entries.sort_by(|a, b| b.is_folder.cmp(&a.is_folder).then_with(|| a.name.cmp(&b.name)));
    entries
}
