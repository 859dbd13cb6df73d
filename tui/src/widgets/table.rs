//! A report's table in a pane. What is too wide wraps; columns that find no room stand on further pages, which the arrows turn.

use drydock_core::report::{Cell, Table, Verdict};
use ratatui::style::Style;
use ratatui::text::Line;

use super::scroll::Scroll;
use crate::text::TextTable;
use crate::theme::Theme;

/// A table's lines: a faint header, rows with a verdict in its colour, and the place among the pages where there are several.
pub fn lines(table: &Table, width: usize, place: &Scroll, theme: Theme) -> Vec<Line<'static>> {
    paged(table, width, place, theme).into_iter().flatten().collect()
}

/// The same, in blocks: the header, each row, the place among the pages.
pub fn paged(table: &Table, width: usize, place: &Scroll, theme: Theme) -> Vec<Vec<Line<'static>>> {
    let text = TextTable::of_report(table, &[]);
    let pages = text.pages(width);
    let columns = pages.get(place.place(pages.len())).map(Vec::as_slice).unwrap_or_default();
    let laid = text.laid_out(columns, width);
    let styled = |lines: Vec<String>, style: Style| lines.into_iter().map(|line| Line::styled(line, style)).collect::<Vec<_>>();
    let mut blocks = vec![styled(laid.header, theme.faint())];
    blocks.extend(laid.rows.into_iter().zip(&table.rows).map(|(lines, row)| styled(lines, style(row, theme))));
    if pages.len() > 1 {
        let n = table.columns.len();
        let (first, last) = (columns.get(1).copied().unwrap_or(0) + 1, columns.last().copied().unwrap_or(0) + 1);
        blocks.push(styled(vec![format!("columns {first}–{last} of {n}  ← →")], theme.faint()));
    }
    blocks
}

/// Lines of which each is a row of few columns, cut where there is no room: for lists.
pub fn list_lines(table: &TextTable, width: usize, theme: Theme) -> Vec<Line<'static>> {
    let styled = |(index, line): (usize, String)| Line::styled(line, if index == 0 { theme.faint() } else { Style::new() });
    table.lines(width).into_iter().enumerate().map(styled).collect()
}

fn style(row: &[Cell], theme: Theme) -> Style {
    match row.iter().find_map(|cell| if let Cell::Verdict(verdict) = cell { Some(*verdict) } else { None }) {
        Some(Verdict::Pass) => theme.good(),
        Some(Verdict::Fail) => theme.bad(),
        _ => Style::new(),
    }
}
