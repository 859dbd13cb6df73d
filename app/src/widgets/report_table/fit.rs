//! How wide the columns of a report's table are: as wide as what they hold, and less where the page is narrow.

use drydock_core::report::{Cell, Table};

use crate::theme;
use crate::widgets::table::title_width;

pub const NARROWEST: f32 = 56.0;
const WIDEST: f32 = 280.0;
/// Words are not cut to less than this.
const WORDS: f32 = 112.0;
/// Nor are those of the first column of words, which says what a row is of.
const NAMES: f32 = 180.0;
/// Rows that are looked at.
const ROWS: usize = 200;

/// What a column would like, and what it can live with.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Need {
    /// With its title on one line.
    whole: f32,
    /// With its title on two.
    folded: f32,
    /// With words cut.
    least: f32,
}

/// What is known of a table's columns, worked out once.
#[derive(Debug, Default)]
pub struct Columns {
    needs: Vec<Need>,
    /// Whether what is written there reads as numbers.
    pub are_numbers: Vec<bool>,
}

/// Widths for a page of some width.
#[derive(Debug, PartialEq)]
pub struct Fit {
    pub widths: Vec<f32>,
    /// Changes with the widths where they depend on the page.
    pub key: u64,
}

impl Columns {
    pub fn new(table: &Table) -> Self {
        let are_numbers: Vec<bool> = (0..table.columns.len()).map(|column| reads_as_numbers(table, column)).collect();
        let names = are_numbers.iter().position(|is_number| !is_number);
        let least = |index: usize| match are_numbers.get(index) {
            Some(false) if names == Some(index) => Some(NAMES),
            Some(false) => Some(WORDS),
            _ => None,
        };
        let needs = table.columns.iter().enumerate().map(|(index, column)| need(table, index, &column.title, least(index))).collect();
        Self { needs, are_numbers }
    }

    /// Everything whole where there is room; else titles fold, then words are cut, then the table scrolls.
    pub fn fit(&self, available: f32) -> Fit {
        const STEP: f32 = 16.0;
        let gaps = theme::GAP * self.needs.len().saturating_sub(1) as f32;
        let room = available - gaps;
        let sum = |of: fn(&Need) -> f32| self.needs.iter().map(of).sum::<f32>();
        let (whole, folded, least) = (sum(|need| need.whole), sum(|need| need.folded), sum(|need| need.least));
        if whole <= room {
            return Fit { widths: self.needs.iter().map(|need| need.whole).collect(), key: 0 };
        }
        let between = |narrow: fn(&Need) -> f32, wide: fn(&Need) -> f32, share: f32| {
            self.needs.iter().map(|need| narrow(need) + (wide(need) - narrow(need)) * share).collect()
        };
        let widths = if folded <= room {
            between(|need| need.folded, |need| need.whole, (room - folded) / (whole - folded).max(1.0))
        } else {
            between(|need| need.least, |need| need.folded, ((room - least) / (folded - least).max(1.0)).clamp(0.0, 1.0))
        };
        Fit { widths, key: (available / STEP) as u64 + 1 }
    }
}

/// `least`: how narrow its words may be cut, if they are words.
fn need(table: &Table, column: usize, title: &str, least: Option<f32>) -> Need {
    let letters = (0..table.rows.len().min(ROWS)).map(|row| table.text(row, column).chars().count()).max().unwrap_or(0);
    let cells = letters as f32 * 7.8 + theme::SMALL_GAP;
    let fitting = |title: f32| (title + theme::SMALL_GAP).max(cells).clamp(NARROWEST, WIDEST);
    let (whole, folded) = (fitting(title_width(title)), fitting(folded_width(title)));
    let least = least.map_or(folded, |least| folded.min(least.max(folded_width(title))));
    Need { whole, folded, least }
}

/// How wide a title is that is folded at the best of its spaces.
fn folded_width(title: &str) -> f32 {
    let widths = title.match_indices(' ').map(|(at, _)| title_width(&title[..at]).max(title_width(&title[at + 1..])));
    widths.fold(title_width(title), f32::min)
}

/// Numbers that a report wrote as text still stand as numbers do: `2,285`, `+300 %`, `34.9 kB`.
fn reads_as_numbers(table: &Table, column: usize) -> bool {
    if table.columns.get(column).is_some_and(|column| column.quantity.is_number()) {
        return true;
    }
    let mut is_any = false;
    for row in 0..table.rows.len().min(ROWS) {
        match table.cell(row, column) {
            Cell::Text(text) if number_in(text).is_some() => is_any = true,
            Cell::Text(text) if text.is_empty() => {}
            Cell::Number(_) => is_any = true,
            Cell::Empty => {}
            _ => return false,
        }
    }
    is_any
}

/// The number that a text is, with or without a unit behind it.
pub fn number_in(text: &str) -> Option<f64> {
    let mut parts = text.split(' ');
    let number = parts.next()?.replace(',', "");
    let has_rest = parts.nth(1).is_some();
    number.parse().ok().filter(|number: &f64| !has_rest && number.is_finite())
}
