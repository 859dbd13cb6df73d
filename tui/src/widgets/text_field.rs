//! One line of text that is being typed.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A text with a cursor between its characters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TextField {
    text: String,
    /// Byte offset, always at the border of a character.
    cursor: usize,
}

impl TextField {
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), cursor: text.len() }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn set(&mut self, text: &str) {
        *self = Self::new(text);
    }

    /// Types what was pasted; line breaks and other control characters become blanks.
    pub fn insert(&mut self, text: &str) {
        let clean: String = text.trim_end_matches(['\r', '\n']).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        self.text.insert_str(self.cursor, &clean);
        self.cursor += clean.len();
    }

    /// Does what a key does in a text; `false` when it means nothing here.
    pub fn handle(&mut self, key: KeyEvent) -> bool {
        let with_control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('u') if with_control => self.remove(0..self.cursor),
            KeyCode::Char('k') if with_control => self.remove(self.cursor..self.text.len()),
            KeyCode::Char('w') if with_control => self.remove(self.word_start()..self.cursor),
            KeyCode::Char('a') if with_control => self.cursor = 0,
            KeyCode::Char('e') if with_control => self.cursor = self.text.len(),
            KeyCode::Char(_) if with_control => return false,
            KeyCode::Char(c) => self.insert(c.encode_utf8(&mut [0; 4])),
            KeyCode::Backspace => self.remove(self.previous()..self.cursor),
            KeyCode::Delete => self.remove(self.cursor..self.next()),
            KeyCode::Left => self.cursor = self.previous(),
            KeyCode::Right => self.cursor = self.next(),
            KeyCode::Home => self.cursor = 0,
            KeyCode::End => self.cursor = self.text.len(),
            _ => return false,
        }
        true
    }

    /// What fits into `width` cells around the cursor, and the cell of the cursor in it.
    pub fn visible(&self, width: usize) -> (String, usize) {
        let before = self.text.get(..self.cursor).unwrap_or_default();
        let mut column = before.width();
        let mut shown = self.text.as_str();
        // Scroll until the cursor, which needs a cell of its own at the end, is inside.
        for c in before.chars() {
            if column < width.max(1) {
                break;
            }
            column -= c.width().unwrap_or(0);
            shown = shown.get(c.len_utf8()..).unwrap_or_default();
        }
        let mut used = 0;
        let fitting = shown.chars().take_while(|c| {
            used += c.width().unwrap_or(0);
            used <= width
        });
        (fitting.collect(), column)
    }

    fn remove(&mut self, range: std::ops::Range<usize>) {
        self.cursor = range.start;
        self.text.replace_range(range, "");
    }

    fn previous(&self) -> usize {
        self.text.get(..self.cursor).and_then(|before| before.chars().next_back()).map_or(0, |c| self.cursor - c.len_utf8())
    }

    fn next(&self) -> usize {
        self.text.get(self.cursor..).and_then(|after| after.chars().next()).map_or(self.cursor, |c| self.cursor + c.len_utf8())
    }

    /// Where the word before the cursor begins; parts of a path are words.
    fn word_start(&self) -> usize {
        let before = self.text.get(..self.cursor).unwrap_or_default();
        let trimmed = before.trim_end_matches([' ', '/']);
        trimmed.rfind([' ', '/']).map_or(0, |index| index + 1)
    }
}
