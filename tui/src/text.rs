//! Tables as text: aligned columns that fit a width and read without colour.

use drydock_core::report::{Cell, Quantity, Table};
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

/// Some columns of a table as lines: titles and texts that are too wide go on below themselves, so that nothing is cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Laid {
    pub header: Vec<String>,
    /// The lines of each row.
    pub rows: Vec<Vec<String>>,
}

const GAP: usize = 2;

/// A text that wraps is not narrower than this, or it would be a column of syllables.
const NARROWEST_TEXT: usize = 12;

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

    /// The columns named; without those that can be done without, one after the other, until the rest fits `width`.
    pub fn of_report_fitting(table: &Table, titles: &[&str], dispensable: &[&str], width: usize) -> Self {
        let mut titles = titles.to_vec();
        let mut text = Self::of_report(table, &titles);
        for title in dispensable {
            if text.natural_width() <= width {
                break;
            }
            titles.retain(|kept| kept != title);
            text = Self::of_report(table, &titles);
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

    /// Cells that the whole table takes without wrapping anything.
    pub fn natural_width(&self) -> usize {
        let gaps = GAP * self.columns.len().saturating_sub(1);
        self.columns.iter().enumerate().map(|(column, (name, _))| self.cells_width(column).max(name.width())).sum::<usize>() + gaps
    }

    /// The columns in pages that fit `width`: each begins with the first column, which says what the rows are.
    pub fn pages(&self, width: usize) -> Vec<Vec<usize>> {
        let mut pages = Vec::new();
        let mut page: Vec<usize> = Vec::new();
        let mut used = 0;
        for column in 0..self.columns.len() {
            let needed = self.least_width(column);
            if page.len() > 1 && used + GAP + needed > width {
                pages.push(std::mem::replace(&mut page, vec![0]));
                used = self.least_width(0);
            }
            used += needed + if page.is_empty() { 0 } else { GAP };
            page.push(column);
        }
        pages.push(page);
        pages
    }

    /// Some columns, none of their lines wider than `width`.
    pub fn laid_out(&self, columns: &[usize], width: usize) -> Laid {
        let widths = self.laid_widths(columns, width);
        let block = |cells: Vec<Vec<String>>| -> Vec<String> {
            let height = cells.iter().map(Vec::len).max().unwrap_or(0);
            let line = |index: usize| {
                let mut line = String::new();
                for ((place, column), cell_width) in columns.iter().enumerate().zip(&widths) {
                    let align = self.columns.get(*column).map_or(Align::Left, |(_, align)| *align);
                    let cell = cells.get(place).and_then(|lines| lines.get(index)).map_or("", String::as_str);
                    line.push_str(&" ".repeat(if place > 0 { GAP } else { 0 }));
                    line.push_str(&padded(cell, *cell_width, align));
                }
                line.truncate(line.trim_end().len());
                line
            };
            (0..height).map(line).collect()
        };
        let titles: Vec<Vec<String>> = columns.iter().zip(&widths).map(|(column, width)| broken(self.title(*column), *width)).collect();
        let height = titles.iter().map(Vec::len).max().unwrap_or(0);
        // Titles stand right above their cells.
        let sunken = titles.into_iter().map(|lines| [vec![String::new(); height - lines.len()], lines].concat()).collect();
        let row = |row: &Vec<String>| {
            let cells = columns.iter().zip(&widths).map(|(column, width)| broken(row.get(*column).map_or("", String::as_str), *width));
            block(cells.collect())
        };
        Laid { header: block(sunken), rows: self.rows.iter().map(row).collect() }
    }

    fn title(&self, column: usize) -> &str {
        self.columns.get(column).map_or("", |(name, _)| name.as_str())
    }

    fn cells_width(&self, column: usize) -> usize {
        self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max().unwrap_or(0)
    }

    /// How narrow a column may become: titles and texts wrap, numbers never do.
    fn least_width(&self, column: usize) -> usize {
        let title = title_width(self.title(column));
        let cells = self.cells_width(column);
        match self.columns.get(column) {
            Some((_, Align::Left)) => cells.min(NARROWEST_TEXT).max(title),
            _ => cells.max(title),
        }
    }

    /// Titles give way first, then the widest texts; numbers only where even that is not enough.
    fn laid_widths(&self, columns: &[usize], width: usize) -> Vec<usize> {
        let available = width.saturating_sub(GAP * columns.len().saturating_sub(1));
        let mut widths: Vec<usize> = columns.iter().map(|column| self.cells_width(*column).max(self.title(*column).width())).collect();
        let least: Vec<usize> = columns.iter().map(|column| self.least_width(*column)).collect();
        if widths.iter().sum::<usize>() > available {
            widths = columns.iter().zip(&least).map(|(column, least)| self.cells_width(*column).max(*least)).collect();
        }
        let smallest = vec![1; columns.len()];
        for floor in [least, smallest] {
            while widths.iter().sum::<usize>() > available {
                let can_give = widths.iter_mut().zip(&floor).filter(|(width, floor)| **width > **floor).map(|(width, _)| width);
                let Some(widest) = can_give.max() else { break };
                *widest -= 1;
            }
        }
        // Titles take back what was given in vain.
        for (column, width) in columns.iter().zip(0..) {
            let spare = available.saturating_sub(widths.iter().sum());
            let wanted = self.title(*column).width();
            if let Some(width) = widths.get_mut(width)
                && wanted > *width
                && wanted - *width <= spare
            {
                *width = wanted;
            }
        }
        widths
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

/// Some of a table's rows as columns: its titles become the rows' names. Of few things with many measures.
pub fn turned(table: &Table, rows: &[usize]) -> Table {
    let name = |row: &usize| table.text(*row, 0);
    let names: Vec<String> = rows.iter().map(name).collect();
    let mut columns = vec![("", Quantity::Text)];
    columns.extend(names.iter().map(|name| (name.as_str(), Quantity::Number)));
    let mut turned = Table::new(table.title.clone(), &columns);
    for (place, column) in table.columns.iter().enumerate().skip(1) {
        let mut cells: Vec<Cell> = vec![column.title.as_str().into()];
        cells.extend(rows.iter().map(|row| Cell::Text(table.text(*row, place))));
        turned.push(cells);
    }
    turned
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

/// A cell as lines of at most `width` cells: broken at blanks; a word that is too long behind the signs that names are made with, else anywhere.
fn broken(text: &str, width: usize) -> Vec<String> {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if clean.width() <= width {
        return vec![clean];
    }
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in clean.split_whitespace() {
        let gap = usize::from(!line.is_empty());
        if line.width() + gap + word.width() <= width {
            line.push_str(if gap > 0 { " " } else { "" });
            line.push_str(word);
            continue;
        }
        if gap > 0 {
            lines.push(std::mem::take(&mut line));
        }
        for piece in word.split_inclusive(['-', '_', '/', '.', ',']) {
            if !line.is_empty() && line.width() + piece.width() > width {
                lines.push(std::mem::take(&mut line));
            }
            for c in piece.chars() {
                if !line.is_empty() && line.width() + c.width().unwrap_or(0) > width {
                    lines.push(std::mem::take(&mut line));
                }
                line.push(c);
            }
        }
    }
    lines.push(line);
    lines
}

/// The least width in which a title takes two lines, or one.
fn title_width(title: &str) -> usize {
    const LINES: usize = 2;
    // A unit such as GFLOP/s is one word.
    if !title.contains([' ', '-', '_']) {
        return title.width();
    }
    let least = title.width().div_ceil(LINES);
    (least..title.width()).find(|width| broken(title, *width).len() <= LINES && is_whole(title, *width)).unwrap_or_else(|| title.width())
}

/// Whether no word is broken but behind a sign.
fn is_whole(text: &str, width: usize) -> bool {
    text.split([' ', '-', '_', '/', '.', ',']).all(|word| word.width() < width.max(1))
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
