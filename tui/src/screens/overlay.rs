//! What lies over a screen: the help made from the key map, and the command palette.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;

use crate::action::Action;
use crate::keymap::{Binding, Place, bindings_at, commands_at};
use crate::text::{Align, cut, padded, wrapped};
use crate::theme::Theme;
use crate::widgets::text_field::TextField;
use crate::widgets::{list, panel};

pub enum Overlay {
    Help { place: Place, scroll: usize },
    Palette { place: Place, filter: TextField, selected: usize },
}

/// What a key in an overlay leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Stay,
    Close,
    Do(Action),
}

impl Overlay {
    pub fn help(place: Place) -> Self {
        Self::Help { place, scroll: 0 }
    }

    pub fn palette(place: Place) -> Self {
        Self::Palette { place, filter: TextField::default(), selected: 0 }
    }

    /// `area`: where the overlay is drawn.
    pub fn key(&mut self, key: KeyEvent, area: Rect) -> Outcome {
        match self {
            Self::Help { place, scroll } => match crate::keymap::action_of(Place::Choosing, key) {
                Some(Action::Quit) => Outcome::Do(Action::Quit),
                Some(Action::Back | Action::Confirm) => Outcome::Close,
                None if key.code == KeyCode::Char('?') => Outcome::Close,
                action => {
                    let room = panel::inside(area);
                    let plain = Theme { depth: crate::theme::ColourDepth::None, is_ascii: false };
                    let n_lines = help_lines(*place, usize::from(room.width), plain).len();
                    // The last line stays at the bottom.
                    let n_places = (n_lines + 1).saturating_sub(usize::from(room.height)).max(1);
                    *scroll = action.and_then(|action| list::moved(*scroll, n_places, action)).unwrap_or(*scroll);
                    Outcome::Stay
                }
            },
            Self::Palette { place, filter, selected } => {
                let found = matching(*place, filter.text());
                match key.code {
                    KeyCode::Esc => return Outcome::Close,
                    KeyCode::Enter => return found.get(*selected).map_or(Outcome::Close, |binding| Outcome::Do(binding.action)),
                    KeyCode::Up => *selected = selected.saturating_sub(1),
                    KeyCode::Down | KeyCode::Tab => *selected = (*selected + 1).min(found.len().saturating_sub(1)),
                    _ if crate::keymap::action_of(Place::Typing, key) == Some(Action::Quit) => return Outcome::Do(Action::Quit),
                    _ => {
                        filter.handle(key);
                        *selected = 0;
                    }
                }
                Outcome::Stay
            }
        }
    }

    pub fn draw(&self, frame: &mut Frame<'_>, area: Rect, theme: Theme) {
        match self {
            Self::Help { place, scroll } => {
                frame.render_widget(Clear, area);
                let inner = panel::panel(frame, area, "Help", true, theme);
                let lines = help_lines(*place, usize::from(inner.width), theme);
                let first = (*scroll).min(lines.len().saturating_sub(usize::from(inner.height)));
                panel::lines(frame, inner, lines.into_iter().skip(first).collect());
            }
            Self::Palette { place, filter, selected } => draw_palette(frame, area, *place, filter, *selected, theme),
        }
    }
}

/// Every binding, the ones that hold here first.
fn help_lines(place: Place, width: usize, theme: Theme) -> Vec<Line<'static>> {
    let mut places = vec![place, Place::Everywhere];
    places.extend(Place::ALL.into_iter().filter(|other| !places.contains(other)).collect::<Vec<_>>());
    let mut lines = Vec::new();
    for place in places {
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.push(Line::styled(place.title(), theme.heading()));
        for binding in bindings_at(place).filter(|binding| binding.place == place) {
            let keys: Vec<String> = binding.keys.iter().map(|key| key.name()).collect();
            let keys = padded(&keys.join(", "), 14, Align::Left);
            for (index, text) in wrapped(&binding.title(), width.saturating_sub(17)).into_iter().enumerate() {
                let keys = if index == 0 { keys.as_str() } else { "" };
                lines.push(Line::from(vec![Span::styled(format!("  {keys:14} "), theme.accent()), Span::raw(text)]));
            }
        }
    }
    lines
}

/// The commands whose words hold everything that was typed.
fn matching(place: Place, typed: &str) -> Vec<&'static Binding> {
    let typed = typed.to_lowercase();
    let fits = |binding: &&Binding| {
        let text = binding.title().to_lowercase();
        typed.split_whitespace().all(|word| text.contains(word))
    };
    commands_at(place).filter(fits).collect()
}

fn draw_palette(frame: &mut Frame<'_>, area: Rect, place: Place, filter: &TextField, selected: usize, theme: Theme) {
    let found = matching(place, filter.text());
    let width = area.width.min(72);
    let height = u16::try_from(found.len().max(1) + 3).unwrap_or(u16::MAX).min(area.height).min(18);
    let area = Rect { x: area.x + (area.width - width) / 2, y: area.y, width, height };
    frame.render_widget(Clear, area);
    let inner = panel::panel(frame, area, "Commands", true, theme);
    let room = usize::from(inner.width);
    let (typed, cursor) = filter.visible(room.saturating_sub(1));
    if let Ok(column) = u16::try_from(cursor + 1)
        && column < inner.width
        && inner.height > 0
    {
        frame.set_cursor_position((inner.x + column, inner.y));
    }
    let mut lines = vec![Line::from(vec![Span::styled(":", theme.accent()), Span::raw(typed)])];
    let window = list::window(selected, found.len(), usize::from(inner.height).saturating_sub(1));
    for (index, binding) in found.iter().enumerate().take(window.end).skip(window.start) {
        let key = binding.keys.first().map(|key| key.name()).unwrap_or_default();
        let text = format!("{}  {}", padded(&key, 8, Align::Left), cut(&binding.title(), room.saturating_sub(10)));
        let style = if index == selected { theme.selected() } else { Style::new() };
        lines.push(Line::styled(padded(&text, room, Align::Left), style));
    }
    if found.is_empty() {
        lines.push(Line::styled("no command has these words", theme.faint()));
    }
    panel::lines(frame, inner, lines);
}
