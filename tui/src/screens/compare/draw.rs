//! Drawing of the Compare screen: the form, what came out of it part by part.

use drydock_core::compare::CompareReport;
use drydock_core::report::{Cell, Figure, Table, Verdict};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{CompareScreen, Failure, Field, Part, View, verdict_line};
use crate::screens::score::running_line;
use crate::text::{Align, TextTable, cut, padded};
use crate::theme::Theme;
use crate::widgets::{list, panel, plot};

const NAME_WIDTH: usize = 8;

pub fn draw(screen: &CompareScreen, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
    let theme = view.theme;
    let inner = panel::panel(frame, area, "Compare", true, theme);
    let width = usize::from(inner.width);
    let mut lines = vec![parts_line(screen, theme)];
    if let Some(job) = screen.running {
        lines.push(running_line(job, width, view));
        if let Some(progress) = view.session.progress(job) {
            lines.push(Line::styled(cut(&progress.latest().stage, width), theme.faint()));
        }
    }
    let used = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(inner.height);
    panel::lines(frame, inner, lines);
    let below = Rect { y: inner.y + used, height: inner.height - used, ..inner };
    match (screen.part, &view.state().comparison) {
        (Part::Setup, _) => draw_setup(screen, frame, below, view),
        (Part::Files, _) => draw_files(screen, frame, below, view),
        (Part::Gate, _) => draw_gate(screen, frame, below, view),
        (_, Some(report)) => draw_part(screen, frame, below, report, theme),
        (_, None) => nothing(frame, below, "There is nothing to show yet: enter compares B with A on the table.", theme),
    }
}

/// `[setup] metrics  rows  …`.
fn parts_line(screen: &CompareScreen, theme: Theme) -> Line<'static> {
    let part = |part: Part| {
        if part == screen.part {
            Span::styled(format!("[{}]", part.name()), theme.accent().patch(theme.heading()))
        } else {
            Span::styled(format!(" {} ", part.name()), theme.faint())
        }
    };
    Line::from(Part::ALL.map(part).to_vec())
}

fn nothing(frame: &mut Frame<'_>, area: Rect, text: &str, theme: Theme) {
    panel::lines(frame, area, panel::sentence(text, usize::from(area.width), theme.faint()));
}

fn draw_setup(screen: &CompareScreen, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
    let theme = view.theme;
    let width = usize::from(area.width);
    let mut lines: Vec<Line<'_>> = Vec::new();
    for field in Field::ALL {
        lines.push(field_line(screen, field, width, view));
        let is_typed = field == screen.selected && screen.typing.is_some();
        match &screen.typing {
            Some(typing) if is_typed => {
                place_cursor(screen, frame, area, lines.len() - 1);
                let below = if typing.candidates.is_empty() { format!("for example {}", field.example()) } else { typing.candidates.join("  ") };
                lines.push(indented(&below, width, theme.faint()));
            }
            _ => lines.extend(screen.problem(field).map(|problem| indented(&format!("✗ {problem}"), width, theme.bad()))),
        }
    }
    lines.push(Line::default());
    match (&screen.failure, &view.state().comparison) {
        (Some(Failure::Cancelled), _) => lines.push(Line::styled("cancelled", theme.warning())),
        (Some(Failure::Failed(message)), _) => lines.extend(panel::sentence(message, width, theme.bad())),
        (None, Some(report)) => {
            for pair in &report.pairs {
                lines.extend(panel::sentence(&report.headline(pair), width, theme.heading()));
            }
        }
        (None, None) => {
            let text = "Compare runs two versions on the same rows: metrics with intervals, the rows that change and why. enter compares; x judges B \
                        by the conditions of the gate; d shows what changed in the file.";
            lines.extend(panel::sentence(text, width, theme.faint()));
        }
    }
    panel::lines(frame, area, lines);
}

fn field_line(screen: &CompareScreen, field: Field, width: usize, view: View<'_>) -> Line<'static> {
    let theme = view.theme;
    let is_selected = field == screen.selected;
    let pointer = if is_selected { "▸" } else { " " };
    let style = if is_selected { theme.accent().patch(theme.heading()) } else { Style::new() };
    let room = width.saturating_sub(NAME_WIDTH + 2);
    let name = Span::styled(format!("{pointer} {}", padded(field.name(), NAME_WIDTH, Align::Left)), style);
    let opened = view.state().opened.as_ref().map(|opened| format!("{} (the opened model)", opened.model.title()));
    let value = match field {
        Field::Latency => Span::raw(if screen.skips_latency { "not measured" } else { "measured in turns" }),
        field if field == screen.selected && screen.typing.is_some() => {
            Span::raw(screen.texts.get(field.place()).map_or_else(String::new, |text| text.visible(room).0.to_owned()))
        }
        field if !screen.text(field).is_empty() => Span::raw(cut(screen.text(field), room)),
        Field::A => Span::styled(cut(&opened.unwrap_or_else(|| "no model is open: type a path".to_owned()), room), theme.faint()),
        field => Span::styled(cut(field.default_meaning(), room), theme.faint()),
    };
    Line::from(vec![name, value])
}

fn indented(text: &str, width: usize, style: Style) -> Line<'static> {
    Line::styled(format!("{}{}", " ".repeat(NAME_WIDTH + 2), cut(text, width.saturating_sub(NAME_WIDTH + 2))), style)
}

fn place_cursor(screen: &CompareScreen, frame: &mut Frame<'_>, area: Rect, line: usize) {
    let Some(text) = screen.texts.get(screen.selected.place()) else { return };
    let (_, cursor) = text.visible(usize::from(area.width).saturating_sub(NAME_WIDTH + 2));
    if let (Ok(x), Ok(y)) = (u16::try_from(NAME_WIDTH + 2 + cursor), u16::try_from(line))
        && x < area.width
        && y < area.height
    {
        frame.set_cursor_position((area.x + x, area.y + y));
    }
}

fn draw_part(screen: &CompareScreen, frame: &mut Frame<'_>, area: Rect, report: &CompareReport, theme: Theme) {
    let width = usize::from(area.width);
    let Some(pair) = report.pairs.first() else { return };
    match screen.part {
        Part::Metrics => {
            let mut lines = panel::sentence(&report.headline(pair), width, theme.heading());
            if !pair.metrics.is_empty() {
                lines.extend(table_lines(&report.metrics_table(pair), width, theme));
            }
            lines.push(Line::default());
            lines.extend(table_lines(&report.agreement_table(pair), width, theme));
            lines.push(Line::default());
            lines.extend(table_lines(&report.versions_table(), width, theme));
            scrolled(screen, frame, area, lines);
        }
        Part::Rows => draw_rows(screen, frame, area, report, theme),
        Part::Why => {
            let mut lines = Vec::new();
            match CompareReport::explanation_table(pair) {
                Some(table) => lines.extend(table_lines(&table, width, theme)),
                None => lines.extend(panel::sentence("Nothing tells the rows that change from the others.", width, theme.faint())),
            }
            if !pair.agreement.transitions.is_empty() {
                lines.push(Line::default());
                lines.extend(table_lines(&CompareReport::transitions_table(pair), width, theme));
            }
            scrolled(screen, frame, area, lines);
        }
        Part::Calibration => match report.reliability_figure() {
            Some(figure) => draw_figure(frame, area, &figure, theme),
            None => nothing(frame, area, "Calibration needs labels, and versions that tell probabilities.", theme),
        },
        Part::Windows => draw_windows(screen, frame, area, report, theme),
        Part::Setup | Part::Files | Part::Gate => {}
    }
}

/// The rows that changed most; below, the cells of the selected one.
fn draw_rows(screen: &CompareScreen, frame: &mut Frame<'_>, area: Rect, report: &CompareReport, theme: Theme) {
    let Some(pair) = report.pairs.first() else { return };
    let rows = &pair.changed.rows;
    let width = usize::from(area.width);
    let Some(row) = rows.get(screen.row.min(rows.len().saturating_sub(1))) else {
        nothing(frame, area, "No row changes.", theme);
        return;
    };
    let [top, bottom] = Layout::vertical([Constraint::Fill(3), Constraint::Fill(2)]).areas(area);
    let height = usize::from(top.height).saturating_sub(1);
    let window = list::window(screen.row, rows.len(), height);
    let mut table = report.changed_table(pair);
    let first = window.start;
    table.rows = table.rows.into_iter().skip(window.start).take(window.len()).collect();
    let mut lines = table_lines(&table, width, theme);
    if let Some(line) = lines.get_mut(screen.row.saturating_sub(first) + 1) {
        *line = std::mem::take(line).patch_style(theme.accent());
    }
    panel::lines(frame, top, lines);
    let title = format!("row {}: {} → {}, {} of {} kept", row.row, row.a, row.b, screen.row + 1, rows.len());
    let mut lines = vec![Line::styled(cut(&title, width), theme.heading())];
    let cells = pair.changed.columns.iter().zip(&row.cells).map(|(name, cell)| format!("{name} {}", if cell.is_empty() { "—" } else { cell }));
    lines.extend(panel::sentence(&cells.collect::<Vec<_>>().join(" · "), width, Style::new()));
    panel::lines(frame, bottom, lines);
}

fn draw_windows(screen: &CompareScreen, frame: &mut Frame<'_>, area: Rect, report: &CompareReport, theme: Theme) {
    let width = usize::from(area.width);
    let figures = report.windows_figures();
    let mut lines = Vec::new();
    if let Some(table) = report.split_table() {
        lines.extend(table_lines(&table, width, theme));
        lines.push(Line::default());
    }
    if let Some(table) = report.windows_table() {
        lines.extend(table_lines(&table, width, theme));
    }
    if lines.is_empty() {
        nothing(
            frame,
            area,
            "Give a window, and a column of times if there is one, to follow the versions; give a canary its share to replay it.",
            theme,
        );
        return;
    }
    let [top, bottom] = match figures.last() {
        Some(_) if area.height > 11 => Layout::vertical([Constraint::Fill(1), Constraint::Length(9)]).areas(area),
        _ => Layout::vertical([Constraint::Fill(1), Constraint::Length(0)]).areas(area),
    };
    scrolled(screen, frame, top, lines);
    if let (Some(figure), true) = (figures.first(), bottom.height > 2) {
        draw_figure(frame, bottom, figure, theme);
    }
}

fn draw_files(screen: &CompareScreen, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
    let theme = view.theme;
    let width = usize::from(area.width);
    let Some(report) = &view.state().diff else {
        nothing(frame, area, "d shows what changed between the files of A and B: nodes, attributes, weights, cost.", theme);
        return;
    };
    let mut lines = panel::sentence(&report.headline(), width, theme.heading());
    lines.extend(report.signature.iter().flat_map(|change| panel::sentence(change, width, Style::new())));
    for table in [report.cost_table(), report.nodes_table(), report.weights_table()] {
        if !table.rows.is_empty() {
            lines.push(Line::default());
            lines.extend(table_lines(&table, width, theme));
        }
    }
    scrolled(screen, frame, area, lines);
}

fn draw_gate(screen: &CompareScreen, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
    let theme = view.theme;
    let width = usize::from(area.width);
    let Some(report) = &view.state().check else {
        nothing(frame, area, "x judges B by the conditions written under gate; without any, by its operators and its contract.", theme);
        return;
    };
    let style = match report.verdict {
        Verdict::Pass => theme.good(),
        Verdict::Fail => theme.bad(),
        Verdict::NotJudged => theme.warning(),
    };
    let mut lines = panel::sentence(&verdict_line(report), width, style);
    lines.push(Line::default());
    lines.extend(table_lines(&report.table(), width, theme));
    scrolled(screen, frame, area, lines);
}

/// Lines from where the user has scrolled to, never past the last page.
fn scrolled(screen: &CompareScreen, frame: &mut Frame<'_>, area: Rect, lines: Vec<Line<'_>>) {
    let first = screen.scroll.min(lines.len().saturating_sub(usize::from(area.height)));
    panel::lines(frame, area, lines.into_iter().skip(first).collect());
}

/// A table with a faint header; rows with a verdict in its colour.
fn table_lines(table: &Table, width: usize, theme: Theme) -> Vec<Line<'static>> {
    let style = |row: &[Cell]| match row.iter().find_map(|cell| if let Cell::Verdict(verdict) = cell { Some(*verdict) } else { None }) {
        Some(Verdict::Pass) => theme.good(),
        Some(Verdict::Fail) => theme.bad(),
        _ => Style::new(),
    };
    let styles: Vec<Style> = std::iter::once(theme.faint()).chain(table.rows.iter().map(|row| style(row))).collect();
    TextTable::of_report(table, &[]).lines(width).into_iter().zip(styles).map(|(line, style)| Line::styled(line, style)).collect()
}

/// A figure under its title.
fn draw_figure(frame: &mut Frame<'_>, area: Rect, figure: &Figure, theme: Theme) {
    let title = panel::sentence(&figure.title, usize::from(area.width), theme.heading());
    let height = u16::try_from(title.len()).unwrap_or(1).min(area.height);
    panel::lines(frame, Rect { height, ..area }, title);
    let below = Rect { y: area.y + height, height: area.height - height, ..area };
    if below.height > 2 && below.width > 12 {
        plot::plot(frame, below, figure, theme);
    }
}
