//! Drawing of the Score screen: what goes in, what was found, how far it is, what came out.

use drydock_core::contract::Column;
use drydock_core::data::{TableColumn, TableColumnKind, TableInfo};
use drydock_core::format;
use drydock_core::score::{Binding, OnError, ScoreOption};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{Field, MORE_OPTIONS, ScoreScreen, View};
use crate::cli;
use crate::screens::WIDE;
use crate::text::{Align, TextTable, cut, padded};
use crate::theme::Theme;
use crate::widgets::text_field::TextField;
use crate::widgets::{form, panel, table};

const NAME_WIDTH: usize = 10;

pub fn draw(screen: &ScoreScreen, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
    let theme = view.theme;
    let (main, side) = if area.width >= WIDE {
        let [main, side] = Layout::horizontal([Constraint::Fill(1), Constraint::Length(40)]).areas(area);
        (main, Some(side))
    } else {
        (area, None)
    };
    let inner = panel::panel(frame, main, "Score", true, theme);
    let width = usize::from(inner.width);
    let layout = form::Layout { name_width: NAME_WIDTH, width, theme };
    let mut lines: Vec<Line<'_>> = Vec::new();
    for field in screen.fields() {
        lines.push(field_line(screen, field, layout));
        let example = if let Field::Option(option) = field { option.example() } else { "" };
        if field == screen.selected && screen.typing.is_on() {
            if let Some(text) = text_of(screen, field) {
                layout.place_cursor(frame, inner, lines.len() - 1, text);
            }
            let help = screen.typing.help(example);
            lines.extend((!help.is_empty()).then(|| layout.below(&help, theme.faint())));
        } else if let Field::Option(option) = field
            && let Some(problem) = screen.problem(option, view.state())
        {
            // What is still being written need not stand yet.
            lines.extend(layout.explained(&format!("✗ {problem}"), theme.bad()));
        }
    }
    if view.state().opened.is_none() {
        lines.push(Line::default());
        let text = "Score writes a model's predictions beside the columns of a table. Open a model first: press 1.";
        lines.extend(panel::sentence(text, width, theme.faint()));
    }
    if side.is_none() {
        lines.push(Line::default());
        // The found columns give way to progress and result, which one looks at then.
        let is_looked_at = screen.scoring.is_running() || screen.scoring.failure().is_some() || screen.report.is_some();
        let room = if is_looked_at { 3 } else { usize::MAX };
        lines.extend(binding_lines(screen, width, view).into_iter().take(room));
    }
    lines.push(Line::default());
    lines.extend(progress_lines(screen, width, view));
    let used = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(inner.height);
    panel::lines(frame, inner, lines);
    let below = Rect { y: inner.y + used, height: inner.height - used, ..inner };
    panel::lines(frame, below, result_lines(screen, width, usize::from(below.height), theme));
    if let Some(side) = side {
        let inner = panel::panel(frame, side, "Columns", false, theme);
        panel::lines(frame, inner, binding_lines(screen, usize::from(inner.width), view));
    }
}

/// What is written into a field, where it has a text.
fn text_of(screen: &ScoreScreen, field: Field) -> Option<&TextField> {
    match field {
        Field::File => Some(&screen.file),
        Field::Output => Some(&screen.output),
        Field::Option(option) => Some(screen.options.get(option)),
        Field::OnError | Field::Overwrite | Field::More => None,
    }
}

fn field_line(screen: &ScoreScreen, field: Field, layout: form::Layout) -> Line<'static> {
    let is_selected = field == screen.selected;
    let is_typing = is_selected && screen.typing.is_on();
    let room = layout.room();
    let (value, note) = match field {
        Field::File if is_typing => (screen.file.visible(room).0, String::new()),
        Field::Output if is_typing => (screen.output.visible(room).0, String::new()),
        Field::Option(option) if is_typing => (screen.options.get(option).visible(room).0, String::new()),
        Field::File if screen.file.text().is_empty() => (String::new(), "press e and type the path of a table".to_owned()),
        Field::File => (screen.file.text().to_owned(), table_note(screen)),
        Field::Output if screen.file.text().is_empty() => (screen.output.text().to_owned(), String::new()),
        Field::Output => (screen.output_path().display().to_string(), String::new()),
        Field::Option(ScoreOption::Label) => label_value(screen),
        Field::Option(option) => match screen.options.get(option).text() {
            "" => (String::new(), option.default_meaning().to_owned()),
            written => (written.to_owned(), String::new()),
        },
        Field::More => (String::new(), more_note(screen)),
        Field::OnError if screen.on_error == OnError::Stop => ("stop at the first".to_owned(), "← →".to_owned()),
        Field::OnError => ("set aside and go on".to_owned(), "← →".to_owned()),
        Field::Overwrite if screen.overwrite => ("replace an output that exists".to_owned(), "← →".to_owned()),
        Field::Overwrite => ("never replace a file".to_owned(), "← →".to_owned()),
    };
    let is_superfluous = matches!(field, Field::OnError | Field::Overwrite) && !is_selected;
    // Where both don't fit, the value is what counts.
    let is_cramped = !value.is_empty() && value.chars().count().min(24) + note.chars().count() + 2 > room;
    let note = if is_superfluous || is_cramped { String::new() } else { note };
    let value_room = room.saturating_sub(if note.is_empty() { 0 } else { note.chars().count() + 2 });
    let gap = if value.is_empty() || note.is_empty() { "" } else { "  " };
    let name = layout.name(field.name(), is_selected);
    Line::from(vec![name, Span::raw(cut(&value, value_room)), Span::styled(format!("{gap}{note}"), layout.theme.faint())])
}

/// `1.2 GB · CSV · 14 columns`.
fn table_note(screen: &ScoreScreen) -> String {
    match &screen.table {
        None if screen.describing.is_running() => "reading…".to_owned(),
        None | Some(Err(_)) => String::new(),
        Some(Ok(table)) => {
            let rows = table.rows.map(|rows| format!(" · {}", format::counted(rows, "row"))).unwrap_or_default();
            format!(
                "{} · {}{rows} · {}",
                format::bytes(table.file_bytes),
                table.format.label(),
                format::counted(table.columns.len() as u64, "column")
            )
        }
    }
}

/// What can be unfolded, or what is written in what is folded.
fn more_note(screen: &ScoreScreen) -> String {
    if screen.shows_more {
        return "fewer ←".to_owned();
    }
    let written = MORE_OPTIONS.into_iter().filter_map(|option| match screen.options.get(option).text().trim() {
        "" => None,
        written => Some(format!("{} {written}", option.name())),
    });
    let written: Vec<String> = written.collect();
    if written.is_empty() { "keep, columns, bind, batch →".to_owned() } else { written.join(" · ") }
}

fn label_value(screen: &ScoreScreen) -> (String, String) {
    let found = match &screen.binding {
        Some(Ok(binding)) => binding.label.clone(),
        _ => None,
    };
    match (screen.options.get(ScoreOption::Label).text(), found) {
        ("", Some(found)) => (found, "(found)".to_owned()),
        ("", None) if screen.binding.is_some() => (String::new(), "none: no metrics".to_owned()),
        ("", None) => (String::new(), ScoreOption::Label.default_meaning().to_owned()),
        (typed, Some(_)) => (typed.to_owned(), "(found)".to_owned()),
        (typed, None) => (typed.to_owned(), String::new()),
    }
}

/// The model's columns with what feeds each.
fn binding_lines(screen: &ScoreScreen, width: usize, view: View<'_>) -> Vec<Line<'static>> {
    let theme = view.theme;
    let table = match &screen.table {
        None => return Vec::new(),
        Some(Err(message)) => return panel::sentence(message, width, theme.bad()),
        Some(Ok(table)) => table,
    };
    let binding = match &screen.binding {
        None => return Vec::new(),
        Some(Err(message)) => return panel::sentence(message, width, theme.bad()),
        Some(Ok(binding)) => binding,
    };
    let columns = view.state().opened.as_ref().map(|opened| opened.model.contract.columns.as_slice()).unwrap_or_default();
    let cells: Vec<String> = binding.columns.iter().map(|bound| bound_text(&bound.column, table.columns.get(bound.table_index), columns)).collect();
    let mut lines = grid(&cells, width);
    if !binding.decided_by.is_empty() {
        lines.extend(panel::sentence(&format!("bound by {}", binding.decided_by), width, theme.faint()));
    }
    lines.extend(unused_line(binding, width, theme));
    lines
}

fn unused_line(binding: &Binding, width: usize, theme: Theme) -> Option<Line<'static>> {
    let unused = binding.unused.join(", ");
    (!unused.is_empty()).then(|| Line::styled(cut(&format!("not used: {unused}"), width), theme.faint()))
}

/// `amount number ✓`, with the share of empty cells where there are some.
fn bound_text(name: &str, found: Option<&TableColumn>, columns: &[Column]) -> String {
    let Some(found) = found else { return format!("{name} ✗") };
    let kind = match found.kind {
        TableColumnKind::Number => "number",
        TableColumnKind::Text => "text",
        TableColumnKind::Boolean => "true/false",
        TableColumnKind::Empty => "empty",
    };
    let from = if found.name == name { String::new() } else { format!(" ← {}", found.name) };
    let empty = if found.n_missing == 0 || found.n_seen == 0 {
        String::new()
    } else {
        let may_be_missing = columns.iter().any(|column| column.name == name && column.may_be_missing);
        let verdict = if may_be_missing { "" } else { "!" };
        format!(" {:.0} % empty{verdict}", (found.n_missing as f64 / found.n_seen as f64 * 100.0).max(1.0))
    };
    format!("✓ {name}{from} {kind}{empty}")
}

/// Cells side by side in as many columns as fit.
fn grid(cells: &[String], width: usize) -> Vec<Line<'static>> {
    let cell_width = cells.iter().map(|cell| cell.chars().count()).max().unwrap_or(0).clamp(1, width.max(1));
    let per_line = ((width + 2) / (cell_width + 2)).max(1);
    cells
        .chunks(per_line)
        .map(|chunk| Line::raw(chunk.iter().map(|cell| padded(cell, cell_width, Align::Left)).collect::<Vec<_>>().join("  ")))
        .collect()
}

fn progress_lines(screen: &ScoreScreen, width: usize, view: View<'_>) -> Vec<Line<'static>> {
    let theme = view.theme;
    if screen.scoring.is_running() {
        return screen.scoring.progress_lines(width, view);
    }
    match &screen.report {
        None => screen.scoring.failure_lines("cancelled; nothing was written", width, view),
        Some(report) => {
            let mut lines = panel::sentence(&cli::score::summary(report), width, theme.good());
            lines.push(Line::raw(cut(&format!("written to {}", report.output.display()), width)));
            if let Some(metrics) = &report.metrics {
                let (_, values) = cli::score::headline(metrics);
                let figures: Vec<String> = values.iter().map(|(name, value)| format!("{name} {value}")).collect();
                lines.extend(panel::sentence(&figures.join(" · "), width, Style::new()));
            }
            lines.push(Line::default());
            lines
        }
    }
}

/// The head of the scored table: predictions first, so that they are seen at any width.
fn result_lines(screen: &ScoreScreen, width: usize, height: usize, theme: Theme) -> Vec<Line<'static>> {
    let Some(preview) = &screen.preview else { return Vec::new() };
    let order = predictions_first(preview);
    let n_columns = order.len().min((width / 10).max(1));
    let shown = order.get(..n_columns).unwrap_or_default();
    let shown: Vec<(usize, &TableColumn)> = shown.iter().filter_map(|&index| Some((index, preview.columns.get(index)?))).collect();
    let titles: Vec<String> = shown.iter().map(|(_, column)| title_of(&column.name)).collect();
    let mut columns = vec![("row", Align::Right)];
    let aligns = shown.iter().map(|(_, column)| if column.kind == TableColumnKind::Number { Align::Right } else { Align::Left });
    columns.extend(titles.iter().map(String::as_str).zip(aligns));
    let mut table = TextTable::new(&columns);
    for (row, cells) in preview.preview.iter().enumerate().take(height.saturating_sub(1)) {
        let mut line = vec![(row + 1).to_string()];
        line.extend(shown.iter().map(|&(index, column)| cell_text(column, cells.get(index).map_or("", String::as_str))));
        table.push(line);
    }
    table::list_lines(&table, width, theme)
}

/// `p(fraud)` for `probability_fraud`: the room is for the numbers.
fn title_of(column: &str) -> String {
    column.strip_prefix(PROBABILITY).map_or_else(|| column.to_owned(), |label| format!("p({label})"))
}

fn cell_text(column: &TableColumn, cell: &str) -> String {
    let number = cell.parse::<f64>().ok().filter(|_| column.name.starts_with(PROBABILITY));
    number.map_or_else(|| cell.to_owned(), format::probability)
}

const PROBABILITY: &str = "probability_";

fn predictions_first(table: &TableInfo) -> Vec<usize> {
    let is_prediction = |name: &str| name == "prediction" || name.starts_with(PROBABILITY);
    let (mut first, rest): (Vec<usize>, Vec<usize>) =
        (0..table.columns.len()).partition(|&index| table.columns.get(index).is_some_and(|column| is_prediction(&column.name)));
    first.extend(rest);
    first
}
