//! The command palette: every command, recent model and sample, found by a few letters.

use eframe::egui::{Align2, Area, Button, Frame, Id, Key, Margin, Modal, Modifiers, RichText, ScrollArea, TextEdit, Ui, vec2};

use crate::action::Action;
use crate::theme;
use crate::ui_command::UiCommand;
use crate::view_context::ViewContext;
use crate::views::models::display_name;

#[derive(Debug, Default)]
pub struct Palette {
    query: String,
    selected: usize,
}

struct Entry {
    text: String,
    detail: String,
    keys: String,
    action: Action,
}

impl Palette {
    pub fn ui(&mut self, ui: &Ui, cx: &ViewContext<'_>) {
        let entries: Vec<Entry> = entries(ui, cx).into_iter().filter(|entry| fits(&entry.text, &self.query)).collect();
        let area = Area::new(Id::unique("palette")).anchor(Align2::CENTER_TOP, vec2(0.0, 72.0));
        let modal =
            Modal::new(Id::unique("palette")).area(area).frame(Frame::popup(ui.style()).inner_margin(Margin::same(10))).show(ui.ctx(), |ui| {
                ui.set_width(480.0);
                let (down, up, enter) = ui.input_mut(|input| {
                    let mut pressed = |key| input.consume_key(Modifiers::NONE, key);
                    (pressed(Key::ArrowDown), pressed(Key::ArrowUp), pressed(Key::Enter))
                });
                let edit = TextEdit::singleline(&mut self.query)
                    .hint_text("Type a command, a model or a sample")
                    .desired_width(f32::INFINITY)
                    .align(Align2::LEFT_CENTER);
                let response = ui.add(edit).accessible_name("Find a command");
                response.request_focus();
                if response.changed() {
                    self.selected = 0;
                }
                let last = entries.len().saturating_sub(1);
                self.selected = if down { (self.selected + 1).min(last) } else { self.selected.saturating_sub(usize::from(up)).min(last) };
                let mut chosen = if enter { entries.get(self.selected) } else { None };
                ScrollArea::vertical().max_height(380.0).min_scrolled_height(380.0).show(ui, |ui| {
                    ui.spacing_mut().item_spacing.y = 2.0;
                    for (index, entry) in entries.iter().enumerate() {
                        let is_selected = index == self.selected;
                        let response = entry_ui(ui, entry, is_selected);
                        if is_selected && (down || up) {
                            response.scroll_to_me(None);
                        }
                        if response.clicked() {
                            chosen = Some(entry);
                        }
                    }
                    if entries.is_empty() {
                        ui.label(theme::caption(ui, "Nothing has that name."));
                    }
                });
                if let Some(entry) = chosen {
                    cx.outbox.ui(UiCommand::Dismiss);
                    cx.outbox.send(entry.action.clone());
                }
            });
        if modal.should_close() {
            cx.outbox.ui(UiCommand::Dismiss);
        }
    }
}

fn entry_ui(ui: &mut Ui, entry: &Entry, is_selected: bool) -> eframe::egui::Response {
    let weak = theme::palette(ui).weak_text;
    let right = if entry.keys.is_empty() { &entry.detail } else { &entry.keys };
    let button =
        Button::selectable(is_selected, entry.text.as_str()).right_text(RichText::new(right).color(weak)).min_size(vec2(ui.available_width(), 28.0));
    ui.add(button).accessible_name(entry.text.as_str())
}

fn entries(ui: &Ui, cx: &ViewContext<'_>) -> Vec<Entry> {
    let commands =
        UiCommand::ALL.into_iter().filter(|command| !matches!(command, UiCommand::CommandPalette | UiCommand::Dismiss)).map(|command| Entry {
            text: command.text().to_owned(),
            detail: String::new(),
            keys: command.shortcuts().first().map_or_else(String::new, |keys| ui.ctx().format_shortcut(keys)),
            action: Action::Ui(command),
        });
    let recent = cx.state.recent_models.iter().map(|path| Entry {
        text: format!("Open {}", display_name(path)),
        detail: "recent".to_owned(),
        keys: String::new(),
        action: Action::OpenModel(path.clone()),
    });
    let samples = cx.samples.iter().map(|sample| Entry {
        text: format!("Open sample {}", sample.name),
        detail: "sample".to_owned(),
        keys: String::new(),
        action: Action::OpenModel(sample.path.clone()),
    });
    commands.chain(recent).chain(samples).collect()
}

/// Whether every word of the query begins a word of the text, in any case.
fn fits(text: &str, query: &str) -> bool {
    let text = text.to_lowercase();
    let begins = |word: &str| text.split(|character: char| !character.is_alphanumeric()).any(|found| found.starts_with(word));
    query.to_lowercase().split(|character: char| !character.is_alphanumeric()).all(begins)
}
