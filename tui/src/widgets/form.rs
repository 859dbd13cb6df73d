//! Forms: a name and a value on a line, one of them selected, one of them perhaps being typed. What the values mean is the screens' business.

use crossterm::event::KeyEvent;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::text_field::TextField;
use crate::text::{Align, cut, padded, wrapped};
use crate::theme::Theme;

/// Whether a value is being typed, and if so what stood there before and which names fit.
#[derive(Debug, Default)]
pub struct Typing(Option<Begun>);

#[derive(Debug)]
struct Begun {
    before: String,
    candidates: Vec<String>,
}

impl Typing {
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    pub fn begin(&mut self, field: &TextField) {
        self.0 = Some(Begun { before: field.text().to_owned(), candidates: Vec::new() });
    }

    /// Takes what was typed.
    pub fn accept(&mut self) {
        self.0 = None;
    }

    /// Puts back what was there.
    pub fn discard(&mut self, field: Option<&mut TextField>) {
        if let (Some(begun), Some(field)) = (self.0.take(), field) {
            field.set(&begun.before);
        }
    }

    pub fn key(&mut self, field: Option<&mut TextField>, key: KeyEvent) {
        if field.is_some_and(|field| field.handle(key)) {
            self.offer(Vec::new());
        }
    }

    /// Names that fit what was typed so far.
    pub fn offer(&mut self, candidates: Vec<String>) {
        if let Some(begun) = &mut self.0 {
            begun.candidates = candidates;
        }
    }

    pub fn candidates(&self) -> &[String] {
        self.0.as_ref().map_or(&[], |begun| &begun.candidates)
    }

    /// What stands below a value while it is typed: the names that fit, or an example.
    pub fn help(&self, example: &str) -> String {
        match self.candidates() {
            [] if example.is_empty() => String::new(),
            [] => format!("for example {example}"),
            candidates => candidates.join("  "),
        }
    }
}

/// Where a form's values begin.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// The room of the names.
    pub name_width: usize,
    pub width: usize,
    pub theme: Theme,
}

impl Layout {
    /// Pointer and name take this much.
    fn indent(self) -> usize {
        self.name_width + 2
    }

    /// Cells of a value.
    pub fn room(self) -> usize {
        self.width.saturating_sub(self.indent())
    }

    /// `▸ name      `.
    pub fn name(self, name: &str, is_selected: bool) -> Span<'static> {
        let style = if is_selected { self.theme.accent().patch(self.theme.heading()) } else { Style::new() };
        let pointer = if is_selected { "▸" } else { " " };
        Span::styled(format!("{pointer} {}", padded(name, self.name_width, Align::Left)), style)
    }

    /// A line below a value.
    pub fn below(self, text: &str, style: Style) -> Line<'static> {
        Line::styled(format!("{}{}", " ".repeat(self.indent()), cut(text, self.room())), style)
    }

    /// A sentence below a value, over as many lines as it takes.
    pub fn explained(self, text: &str, style: Style) -> Vec<Line<'static>> {
        wrapped(text, self.room()).iter().map(|line| self.below(line, style)).collect()
    }

    /// Puts the terminal's cursor into the value on a line of the area.
    pub fn place_cursor(self, frame: &mut Frame<'_>, area: Rect, line: usize, field: &TextField) {
        let (_, cursor) = field.visible(self.room());
        if let (Ok(x), Ok(y)) = (u16::try_from(self.indent() + cursor), u16::try_from(line))
            && x < area.width
            && y < area.height
        {
            frame.set_cursor_position((area.x + x, area.y + y));
        }
    }
}
