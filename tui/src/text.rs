//! Tables as text: aligned columns that fit a width and read without colour.

use drydock_core::report::{Quantity, Table};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
}

/// Rows of cells under a header.
#[derive(Debug, Clone, Default)]
pub struct TextTable {
    columns: Vec<(String, Align)>,
    rows: Vec<Vec<String>>,
}

const GAP: usize = 2;

impl TextTable {
    pub fn new(columns: &[(&str, Align)]) -> Self {
        Self { columns: columns.iter().map(|(name, align)| ((*name).to_owned(), *align)).collect(), rows: Vec::new() }
    }

    /// A report's table as it is read: all columns, or those named, in this order.
    pub fn of_report(table: &Table, titles: &[&str]) -> Self {
        let all = || table.columns.iter().map(|column| column.title.as_str()).collect();
        let titles: Vec<&str> = if titles.is_empty() { all() } else { titles.to_vec() };
        let places: Vec<usize> = titles.iter().filter_map(|title| table.columns.iter().position(|column| column.title == *title)).collect();
        let column = |place: &usize| table.columns.get(*place).map(|column| (column.title.as_str(), align(column.quantity)));
        let columns: Vec<(&str, Align)> = places.iter().filter_map(column).collect();
        let mut text = Self::new(&columns);
        for row in 0..table.rows.len() {
            text.push(places.iter().map(|place| table.text(row, *place)).collect());
        }
        text
    }

    pub fn push(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The header line, without which rows would be read by position alone, and then the rows, none wider than `width`.
    pub fn lines(&self, width: usize) -> Vec<String> {
        let widths = self.widths(width);
        let header: Vec<String> = self.columns.iter().map(|(name, _)| name.clone()).collect();
        std::iter::once(&header).chain(&self.rows).map(|row| self.line(row, &widths)).collect()
    }

    /// Natural widths; while the line is too long, the widest column gives way.
    fn widths(&self, width: usize) -> Vec<usize> {
        let natural =
            |index: usize, name: &str| self.rows.iter().filter_map(|row| row.get(index)).map(|cell| cell.width()).fold(name.width(), usize::max);
        let mut widths: Vec<usize> = self.columns.iter().enumerate().map(|(index, (name, _))| natural(index, name)).collect();
        let gaps = GAP * self.columns.len().saturating_sub(1);
        let available = width.saturating_sub(gaps);
        loop {
            let total: usize = widths.iter().sum();
            if total <= available {
                return widths;
            }
            let Some(widest) = widths.iter_mut().max() else { return widths };
            if *widest <= 3 {
                return widths;
            }
            *widest -= (total - available).min(*widest - 3).clamp(1, (*widest / 8).max(1));
        }
    }

    fn line(&self, row: &[String], widths: &[usize]) -> String {
        let mut line = String::new();
        for (index, ((_, align), width)) in self.columns.iter().zip(widths).enumerate() {
            if index > 0 {
                line.push_str(&" ".repeat(GAP));
            }
            line.push_str(&padded(row.get(index).map_or("", String::as_str), *width, *align));
        }
        line.truncate(line.trim_end().len());
        line
    }
}

fn align(quantity: Quantity) -> Align {
    if quantity.is_number() { Align::Right } else { Align::Left }
}

/// `text` in exactly `width` cells: padded, or cut with an ellipsis.
pub fn padded(text: &str, width: usize, align: Align) -> String {
    let text = cut(text, width);
    let padding = " ".repeat(width.saturating_sub(text.width()));
    match align {
        Align::Left => format!("{text}{padding}"),
        Align::Right => format!("{padding}{text}"),
    }
}

/// `text` in at most `width` cells; control characters, which would disturb a terminal, become blanks.
pub fn cut(text: &str, width: usize) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if clean.width() <= width {
        return clean;
    }
    let mut kept = String::new();
    let mut used = 0;
    for c in clean.chars() {
        let next = used + c.width().unwrap_or(0);
        if next + 1 > width {
            break;
        }
        used = next;
        kept.push(c);
    }
    if width > 0 {
        kept.push('…');
    }
    kept
}

/// `text` as lines of at most `width` cells, broken at blanks where there are some.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let mut word = word.to_owned();
        let used = lines.last().map_or(0, |line| line.width());
        if used > 0 && used + 1 + word.width() > width {
            lines.push(String::new());
        }
        while word.width() > width {
            let head: String = word
                .chars()
                .scan(0, |used, c| {
                    *used += c.width().unwrap_or(0);
                    (*used <= width).then_some(c)
                })
                .collect();
            if head.is_empty() {
                break;
            }
            word.drain(..head.len());
            if let Some(line) = lines.last_mut() {
                line.push_str(&head);
            }
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&word);
        }
    }
    lines
}
