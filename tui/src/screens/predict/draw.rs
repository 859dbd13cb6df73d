//! Drawing of the Predict screen: form, answer, rows to fill from.

use drydock_core::contract::ColumnKind;
use drydock_core::format;
use drydock_core::predict::Prediction;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::form::Field;
use super::{Line as FormLine, Mode, PredictScreen, View};
use crate::screens::{NARROW, WIDE};
use crate::text::{Align, TextTable, cut, padded};
use crate::theme::Theme;
use crate::widgets::{bar, list, panel, plot};

/// A slider takes what the value leaves, within these bounds.
const SLIDER_WIDTHS: std::ops::RangeInclusive<usize> = 6..=15;

/// Cells for a number beside its slider.
const VALUE_WIDTH: usize = 8;

/// Below this there is no room for a curve beside the form.
const LOW: u16 = 16;

pub fn draw(screen: &PredictScreen, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
    let theme = view.theme;
    if screen.model.is_none() {
        let inner = panel::panel(frame, area, "Predict", true, theme);
        let text = "Predict shows what a model says of one row, and how that changes when a value does. Open a model first: press 1.";
        panel::lines(frame, inner, panel::sentence(text, usize::from(inner.width), theme.faint()));
        return;
    }
    let is_choosing_row = matches!(screen.mode, Mode::TypingTable { .. } | Mode::ChoosingRow { .. });
    let area = if screen.what_if.is_shown && !(is_choosing_row && area.width < WIDE) {
        // Form and answer keep what they need first; on a low screen the curve alone is shown.
        let height = if area.height < LOW { area.height } else { (area.height / 2).clamp(9, 16) };
        let [above, below] = Layout::vertical([Constraint::Fill(1), Constraint::Length(height)]).areas(area);
        draw_what_if(screen, frame, below, view);
        above
    } else {
        area
    };
    if area.height == 0 {
        return;
    }
    if is_choosing_row && area.width < WIDE {
        draw_rows(screen, frame, area, view);
    } else if area.width >= WIDE {
        let [form, result, rows] = Layout::horizontal([Constraint::Length(56), Constraint::Length(34), Constraint::Fill(1)]).areas(area);
        draw_form(screen, frame, form, "Row", theme);
        draw_result(screen, frame, result, "Result", view);
        draw_rows(screen, frame, rows, view);
    } else if area.width >= NARROW {
        let [form, result] = Layout::horizontal([Constraint::Fill(1), Constraint::Length(30)]).areas(area);
        draw_form(screen, frame, form, "Row", theme);
        draw_result(screen, frame, result, "Result", view);
    } else if screen.shows_result {
        draw_result(screen, frame, area, "Row [Result]", view);
    } else {
        draw_form(screen, frame, area, "[Row] Result", theme);
    }
}

fn draw_form(screen: &PredictScreen, frame: &mut Frame<'_>, area: Rect, title: &str, theme: Theme) {
    let inner = panel::panel(frame, area, title, true, theme);
    let height = usize::from(inner.height);
    // The list of choices takes the lower half while one is chosen.
    let choices: &[String] = if let Mode::Choosing { choices, .. } = &screen.mode { choices } else { &[] };
    let choices_height = if choices.is_empty() { 0 } else { (choices.len() + 1).min(height / 2) };
    let window = list::window(screen.selected, screen.n_lines(), height - choices_height);
    let name_width = screen.form.fields.iter().map(|field| field.column.name.chars().count()).max().unwrap_or(7).clamp(7, 18);
    let mut lines = Vec::new();
    for index in window {
        let row = lines.len();
        let is_selected = index == screen.selected;
        match screen.line(index) {
            Some(FormLine::Picture) => lines.push(picture_line(screen, is_selected, name_width, usize::from(inner.width), theme)),
            Some(FormLine::Column(column)) => {
                let Some(field) = screen.form.fields.get(column) else { continue };
                lines.push(field_line(screen, field, is_selected, name_width, usize::from(inner.width), theme));
            }
            None => {}
        }
        if is_selected && let Mode::Typing { field, .. } = &screen.mode {
            let (_, cursor) = field.visible(usize::from(inner.width).saturating_sub(name_width + 4));
            let (x, y) = (u16::try_from(name_width + 4 + cursor), u16::try_from(row));
            if let (Ok(x), Ok(y)) = (x, y)
                && x < inner.width
                && y < inner.height
            {
                frame.set_cursor_position((inner.x + x, inner.y + y));
            }
        }
    }
    if screen.n_lines() == 0 {
        lines.extend(panel::sentence("This model has no columns that a form could show.", usize::from(inner.width), theme.faint()));
    }
    if let Mode::Choosing { choices, selected } = &screen.mode {
        lines.push(Line::styled("─".repeat(usize::from(inner.width)), theme.faint()));
        let window = list::window(*selected, choices.len(), choices_height.saturating_sub(1));
        for (index, choice) in choices.iter().enumerate().take(window.end).skip(window.start) {
            let style = if index == *selected { theme.selected() } else { Style::new() };
            lines.push(Line::styled(format!("    {}", padded(choice, usize::from(inner.width).saturating_sub(4), Align::Left)), style));
        }
    }
    if let Mode::Typing { candidates, .. } = &screen.mode
        && !candidates.is_empty()
    {
        lines.push(Line::styled(cut(&candidates.join("  "), usize::from(inner.width)), theme.faint()));
    }
    panel::lines(frame, inner, lines);
}

fn name_span(name: &str, is_selected: bool, name_width: usize, theme: Theme) -> Span<'static> {
    let pointer = if is_selected { "▸" } else { " " };
    let style = if is_selected { theme.accent().patch(theme.heading()) } else { Style::new() };
    Span::styled(format!("{pointer} {}  ", padded(name, name_width, Align::Left)), style)
}

fn picture_line(screen: &PredictScreen, is_selected: bool, name_width: usize, width: usize, theme: Theme) -> Line<'static> {
    let room = width.saturating_sub(name_width + 4);
    let name = name_span("picture", is_selected, name_width, theme);
    match (&screen.mode, screen.picture.as_deref().unwrap_or_default()) {
        (Mode::Typing { field, .. }, _) if is_selected => Line::from(vec![name, Span::raw(field.visible(room).0)]),
        (_, "") => Line::from(vec![name, Span::styled("press e and type the path of a PNG or JPEG", theme.faint())]),
        (_, path) => Line::from(vec![name, Span::raw(cut(path, room))]),
    }
}

fn field_line(screen: &PredictScreen, field: &Field, is_selected: bool, name_width: usize, width: usize, theme: Theme) -> Line<'static> {
    let room = width.saturating_sub(name_width + 4);
    let mut spans = vec![name_span(&field.column.name, is_selected, name_width, theme)];
    if let Mode::Typing { field: typed, .. } = &screen.mode
        && is_selected
    {
        spans.push(Span::raw(typed.visible(room).0));
        return Line::from(spans);
    }
    let problem = field.problem();
    let value = if field.value.is_empty() && problem.is_none() { "(empty)".to_owned() } else { field.value.clone() };
    let value_style = if field.value.is_empty() { theme.faint() } else { Style::new() };
    let slider_width = room.saturating_sub(VALUE_WIDTH + 2).min(*SLIDER_WIDTHS.end());
    let is_number = matches!(field.column.kind, ColumnKind::Number | ColumnKind::Integer);
    if let Some(problem) = problem {
        spans.push(Span::styled(cut(&format!("✗ {problem}"), room), theme.bad()));
    } else if is_number && field.bounds().is_some() && SLIDER_WIDTHS.contains(&slider_width) {
        spans.extend(bar::slider(field.share(), slider_width, theme));
        let unit = cut(field.column.unit.as_deref().unwrap_or_default(), room.saturating_sub(slider_width + VALUE_WIDTH + 3));
        let text = format!("  {} {unit}", padded(&value, VALUE_WIDTH, Align::Right));
        spans.push(Span::styled(text.trim_end().to_owned(), value_style));
    } else {
        spans.push(Span::styled(cut(&value, room), value_style));
        let choices = field.choices();
        let chosen = choices.iter().position(|choice| *choice == field.value);
        if let (true, Some(chosen)) = (is_selected, chosen) {
            spans.push(Span::styled(format!("  ← {} of {} →", chosen + 1, choices.len()), theme.faint()));
        } else if let Some(unit) = &field.column.unit {
            spans.push(Span::styled(format!(" {unit}"), theme.faint()));
        }
    }
    Line::from(spans)
}

fn draw_result(screen: &PredictScreen, frame: &mut Frame<'_>, area: Rect, title: &str, view: View<'_>) {
    let theme = view.theme;
    let inner = panel::panel(frame, area, title, false, theme);
    let width = usize::from(inner.width);
    let state = view.state();
    let mut lines = Vec::new();
    if let Some((line, problem)) = screen.problem() {
        let name = match screen.line(line) {
            Some(FormLine::Column(column)) => screen.form.fields.get(column).map_or("", |field| &field.column.name),
            _ => "picture",
        };
        lines.extend(panel::sentence(&format!("{name}: {problem}"), width, theme.faint()));
    } else if let Some(error) = &state.prediction_error {
        lines.extend(panel::sentence(error, width, theme.bad()));
    } else if let Some(report) = &state.prediction {
        let unit = screen.model.as_ref().and_then(|model| model.contract.unit.as_deref()).unwrap_or_default();
        if let Some(prediction) = report.predictions.first() {
            lines.extend(prediction_lines(prediction, unit, width, theme));
        }
        lines.push(Line::default());
        lines.push(Line::styled(cut(&format!("{} · {}", format::duration(report.run_time), report.device), width), theme.faint()));
    }
    panel::lines(frame, inner, lines);
}

fn prediction_lines(prediction: &Prediction, unit: &str, width: usize, theme: Theme) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    if let Some(answer) = &prediction.prediction {
        let shown = match answer.parse::<f64>() {
            Ok(number) if prediction.probabilities.is_empty() => format::number(number),
            _ => answer.clone(),
        };
        lines.push(Line::styled(cut(format!("{shown} {unit}").trim_end(), width), theme.heading()));
        lines.push(Line::default());
    }
    for (label, probability) in &prediction.probabilities {
        let value = format::probability(*probability);
        let room = width.saturating_sub(value.len() + 1);
        lines.push(Line::raw(format!("{} {value}", padded(label, room, Align::Left))));
        lines.push(Line::styled(bar::bar(*probability, width), theme.accent()));
    }
    for (name, values) in &prediction.outputs {
        lines.push(Line::styled(cut(name, width), theme.heading()));
        lines.push(Line::raw(cut(&values.join(" "), width)));
    }
    lines
}

/// The curve of the answer over one column, under a sentence that says what it shows.
fn draw_what_if(screen: &PredictScreen, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
    let theme = view.theme;
    let name = screen.form.fields.get(screen.what_if.column).map_or("", |field| &field.column.name);
    let inner = panel::panel(frame, area, &format!("What if: {name}"), false, theme);
    let Some(figure) = screen.figure(view.state()) else {
        let text = if screen.problem().is_some() { "The curve follows when the row can be predicted." } else { "…" };
        panel::lines(frame, inner, panel::sentence(text, usize::from(inner.width), theme.faint()));
        return;
    };
    let [title, below] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(inner);
    panel::lines(frame, title, vec![Line::raw(cut(&figure.title, usize::from(title.width)))]);
    // Where nothing could be told from a line any more, the sentence has to do.
    if below.height >= 3 && below.width >= 16 {
        plot::plot(frame, below, &figure, theme);
    }
}

fn draw_rows(screen: &PredictScreen, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
    let theme = view.theme;
    let selected = if let Mode::ChoosingRow { selected } = &screen.mode { Some(*selected) } else { None };
    let typing = if let Mode::TypingTable { candidates } = &screen.mode { Some(candidates) } else { None };
    let inner = panel::panel(frame, area, "Fill from row", selected.is_some() || typing.is_some(), theme);
    let width = usize::from(inner.width);
    let mut lines = Vec::new();
    if let Some(candidates) = typing {
        let (typed, cursor) = screen.table_path.visible(width.saturating_sub(7));
        lines.push(Line::from(vec![Span::styled("table  ", theme.heading()), Span::raw(typed)]));
        if let Ok(column) = u16::try_from(cursor + 7)
            && column < inner.width
            && inner.height > 0
        {
            frame.set_cursor_position((inner.x + column, inner.y));
        }
        lines.push(Line::styled(cut(&candidates.join("  "), width), theme.faint()));
    }
    if let Some(table) = &screen.table {
        let columns: Vec<(&str, Align)> = table.columns.iter().map(|column| (column.name.as_str(), Align::Left)).collect();
        // Of a wide table the first columns are shown: enough to know a row by.
        let n_columns = columns.len().min((width / 9).max(1));
        let mut text = TextTable::new(columns.get(..n_columns).unwrap_or_default());
        let height = usize::from(inner.height).saturating_sub(lines.len() + 1);
        let window = list::window(selected.unwrap_or(screen.table_row), table.preview.len(), height);
        let first = window.start;
        for row in table.preview.iter().take(window.end).skip(window.start) {
            text.push(row.iter().take(n_columns).cloned().collect());
        }
        for (index, line) in text.lines(width).into_iter().enumerate() {
            let style = match index.checked_sub(1) {
                None => theme.faint(),
                Some(row) if selected == Some(first + row) => theme.selected(),
                Some(_) => Style::new(),
            };
            lines.push(Line::styled(padded(&line, width, Align::Left), style));
        }
    } else if selected.is_some() {
        lines.push(Line::styled("reading…", theme.faint()));
    } else if typing.is_none() {
        lines.extend(panel::sentence("Press f to choose a table, and from it the row to fill the form with.", width, theme.faint()));
    }
    panel::lines(frame, inner, lines);
}
