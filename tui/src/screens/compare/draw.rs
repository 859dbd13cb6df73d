//! Drawing of the Compare screen: the form, what came out of it part by part.

use drydock_core::compare::{CompareReport, PairReport};
use drydock_core::report::{Table, Verdict};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{CompareScreen, Field, Part, View, verdict_line};
use crate::cli;
use crate::page::Page;
use crate::text::{TextTable, cut, turned};
use crate::theme::Theme;
use crate::widgets::parts::Part as _;
use crate::widgets::{form, list, panel, plot, table};

const NAME_WIDTH: usize = 8;

pub fn draw(screen: &CompareScreen, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
    let theme = view.theme;
    screen.page.begin_frame();
    let inner = panel::panel(frame, area, "Compare", true, theme);
    let width = usize::from(inner.width);
    let mut lines = vec![screen.part.line(theme)];
    lines.extend(screen.work.progress_lines(width, view));
    let used = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(inner.height);
    panel::lines(frame, inner, lines);
    let below = Rect { y: inner.y + used, height: inner.height - used, ..inner };
    match (screen.part, &view.state().comparison) {
        (Part::Setup, _) => draw_setup(screen, frame, below, view),
        (Part::Files, _) => draw_files(screen, frame, below, view),
        (Part::Gate, _) => draw_gate(screen, frame, below, view),
        (_, Some(report)) => draw_part(screen, frame, below, report, theme),
        (_, None) if screen.work.is_running() => {}
        (_, None) => panel::nothing(frame, below, "There is nothing to show yet: enter compares B with A on the table.", theme),
    }
}

fn draw_setup(screen: &CompareScreen, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
    let theme = view.theme;
    let width = usize::from(area.width);
    let layout = form::Layout { name_width: NAME_WIDTH, width, theme };
    let mut lines: Vec<Line<'_>> = Vec::new();
    for field in Field::ALL {
        lines.push(field_line(screen, field, layout, view));
        if let (true, true, Some(text)) = (field == screen.selected, screen.typing.is_on(), screen.texts.get(field.place())) {
            layout.place_cursor(frame, area, lines.len() - 1, text);
            lines.push(layout.below(&screen.typing.help(field.example()), theme.faint()));
        } else {
            lines.extend(screen.problem(field).into_iter().flat_map(|problem| layout.explained(&format!("✗ {problem}"), theme.bad())));
        }
    }
    lines.push(Line::default());
    let failure = screen.work.failure_lines("cancelled", width, view);
    match &view.state().comparison {
        _ if !failure.is_empty() => lines.extend(failure),
        Some(report) => {
            for pair in &report.pairs {
                lines.extend(panel::sentence(&report.headline(pair), width, theme.heading()));
            }
        }
        None => {
            let text = "Compare runs versions on the same rows: metrics with intervals, the rows that change and why. enter compares; x judges B \
                        by the conditions of the gate; d shows what changed in the file.";
            lines.extend(panel::sentence(text, width, theme.faint()));
        }
    }
    panel::lines(frame, area, lines);
}

fn field_line(screen: &CompareScreen, field: Field, layout: form::Layout, view: View<'_>) -> Line<'static> {
    let theme = view.theme;
    let is_selected = field == screen.selected;
    let room = layout.room();
    let name = layout.name(field.name(), is_selected);
    let opened = view.state().opened.as_ref().map(|opened| format!("{} (the opened model)", opened.model.title()));
    let value = match field {
        Field::Latency => Span::raw(if screen.skips_latency { "not measured" } else { "measured in turns" }),
        field if is_selected && screen.typing.is_on() => {
            Span::raw(screen.texts.get(field.place()).map_or_else(String::new, |text| text.visible(room).0.to_owned()))
        }
        field if !screen.text(field).is_empty() => Span::raw(cut(screen.text(field), room)),
        Field::A => Span::styled(cut(&opened.unwrap_or_else(|| "no model is open: type a path".to_owned()), room), theme.faint()),
        field => Span::styled(cut(field.default_meaning(), room), theme.faint()),
    };
    Line::from(vec![name, value])
}

fn draw_part(screen: &CompareScreen, frame: &mut Frame<'_>, area: Rect, report: &CompareReport, theme: Theme) {
    let Some(pair) = screen.shown_pair(report) else { return };
    match screen.part {
        Part::Metrics => draw_metrics(screen, frame, area, (report, pair), theme),
        Part::Rows => draw_rows(screen, frame, area, (report, pair), theme),
        Part::Why => draw_why(screen, frame, area, (report, pair), theme),
        Part::Calibration => match report.reliability_figure() {
            Some(figure) => plot::titled(frame, area, &figure, theme),
            None => panel::nothing(frame, area, "Calibration needs labels, and versions that tell probabilities.", theme),
        },
        Part::Windows => draw_windows(screen, frame, area, report, theme),
        Part::Setup | Part::Files | Part::Gate => {}
    }
}

/// `A payment-fraud v1   C payment-fraud v3   2 of 3, n next`: what the letters of the tables stand for.
fn letters_line(report: &CompareReport, pair: &PairReport, width: usize, theme: Theme) -> Line<'static> {
    let name = |version: usize| report.versions.get(version).map_or("", |version| version.name.as_str());
    let which = match report.pairs.len() {
        0 | 1 => String::new(),
        n_pairs => format!("   {} of {n_pairs}, n next", pair.version),
    };
    let room = width.saturating_sub(which.chars().count() + 7) / 2;
    let letter = |version: usize| Span::styled(format!("{} ", CompareReport::letter(version)), theme.accent());
    Line::from(vec![
        letter(0),
        Span::raw(format!("{}   ", cut(name(0), room))),
        letter(pair.version),
        Span::raw(cut(name(pair.version), room)),
        Span::styled(which, theme.faint()),
    ])
}

fn draw_metrics(screen: &CompareScreen, frame: &mut Frame<'_>, area: Rect, (report, pair): (&CompareReport, &PairReport), theme: Theme) {
    let width = usize::from(area.width);
    let mut lines = vec![letters_line(report, pair, width, theme)];
    lines.extend(panel::sentence(&report.headline(pair), width, theme.heading()));
    let mut metrics = report.metrics_table(pair);
    // Names where there is room for them, else the letters that stand above.
    if TextTable::of_report(&metrics, &[]).natural_width() > width {
        for (column, version) in [(1, 0), (2, pair.version)] {
            if let Some(column) = metrics.columns.get_mut(column) {
                column.title = CompareReport::letter(version).to_string();
            }
        }
    }
    if !metrics.rows.is_empty() {
        lines.extend(table::lines(&metrics, width, &screen.page, theme));
        lines.push(Line::default());
    }
    let versions = report.versions_table();
    let of_the_pair = if TextTable::of_report(&versions, &[]).natural_width() > width { turned(&versions, &[0, pair.version]) } else { versions };
    for table in [report.agreement_table(pair), of_the_pair] {
        lines.extend(table::lines(&table, width, &screen.page, theme));
        lines.push(Line::default());
    }
    lines.pop();
    screen.scroll.draw(frame, area, lines, theme);
}

/// The rows that changed most; below, the cells of the selected one.
fn draw_rows(screen: &CompareScreen, frame: &mut Frame<'_>, area: Rect, (report, pair): (&CompareReport, &PairReport), theme: Theme) {
    let rows = &pair.changed.rows;
    let width = usize::from(area.width);
    let selected = screen.row.min(rows.len().saturating_sub(1));
    let [head, top, bottom] = Layout::vertical([Constraint::Length(1), Constraint::Fill(3), Constraint::Fill(2)]).areas(area);
    panel::lines(frame, head, vec![letters_line(report, pair, width, theme)]);
    let Some(row) = rows.get(selected) else {
        panel::nothing(frame, top, "No row changes.", theme);
        return;
    };
    let mut table = report.changed_table(pair);
    if let Some(column) = table.columns.get_mut(2) {
        column.title = CompareReport::letter(pair.version).to_string();
    }
    // The header, which may take two lines, and the place among the columns.
    let height = usize::from(top.height).saturating_sub(3);
    let window = list::window(selected, rows.len(), height);
    table.rows = table.rows.into_iter().skip(window.start).take(window.len()).collect();
    let mut blocks = table::paged(&table, width, &screen.page, theme);
    if let Some(block) = blocks.get_mut(selected.saturating_sub(window.start) + 1) {
        for line in block {
            *line = std::mem::take(line).patch_style(theme.selected());
        }
    }
    panel::lines(frame, top, blocks.into_iter().flatten().collect());
    let title = format!("row {}: {} → {}, {} of {} kept", row.row, row.a, row.b, selected + 1, rows.len());
    let mut lines = vec![Line::styled(cut(&title, width), theme.heading())];
    let cells = pair.changed.columns.iter().zip(&row.cells).map(|(name, cell)| format!("{name} {}", if cell.is_empty() { "—" } else { cell }));
    lines.extend(panel::sentence(&cells.collect::<Vec<_>>().join(" · "), width, Style::new()));
    panel::lines(frame, bottom, lines);
}

fn draw_why(screen: &CompareScreen, frame: &mut Frame<'_>, area: Rect, (report, pair): (&CompareReport, &PairReport), theme: Theme) {
    let width = usize::from(area.width);
    let mut lines = vec![letters_line(report, pair, width, theme)];
    match CompareReport::explanation_table(pair) {
        Some(table) => lines.extend(table::lines(&table, width, &screen.page, theme)),
        None => lines.extend(panel::sentence("Nothing tells the rows that change from the others.", width, theme.faint())),
    }
    if !pair.agreement.transitions.is_empty() {
        lines.push(Line::default());
        lines.extend(table::lines(&CompareReport::transitions_table(pair), width, &screen.page, theme));
    }
    screen.scroll.draw(frame, area, lines, theme);
}

fn draw_windows(screen: &CompareScreen, frame: &mut Frame<'_>, area: Rect, report: &CompareReport, theme: Theme) {
    /// Rows of a figure that can be read.
    const FIGURE: u16 = 9;
    let width = usize::from(area.width);
    let figures = report.windows_figures();
    let mut lines = Vec::new();
    for table in [report.split_table(), report.windows_table()].into_iter().flatten() {
        lines.extend(table::lines(&table, width, &screen.page, theme));
        lines.push(Line::default());
    }
    if lines.is_empty() {
        let text = "Give a window, and a column of times if there is one, to follow the versions; give a canary its share to replay it.";
        panel::nothing(frame, area, text, theme);
        return;
    }
    let height = if figures.is_empty() || area.height < FIGURE + 3 { 0 } else { FIGURE.max(area.height / 2) };
    let [top, bottom] = Layout::vertical([Constraint::Fill(1), Constraint::Length(height)]).areas(area);
    screen.scroll.draw(frame, top, lines, theme);
    if height > 0 {
        plot::several(frame, bottom, figures, &screen.page, theme);
    }
}

fn draw_files(screen: &CompareScreen, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
    let theme = view.theme;
    let width = usize::from(area.width);
    let Some(report) = &view.state().diff else {
        panel::nothing(frame, area, "d shows what changed between the files of A and B: nodes, attributes, weights, cost.", theme);
        return;
    };
    let mut lines: Vec<Line<'_>> = [("A", &report.a), ("B", &report.b)]
        .into_iter()
        .map(|(letter, side)| {
            Line::from(vec![Span::styled(format!("{letter} "), theme.accent()), Span::raw(cut(&side.path, width.saturating_sub(2)))])
        })
        .collect();
    let mut page = Page::new(width);
    cli::diff::describe(report, &mut page);
    lines.extend(panel::page_lines(&page, theme));
    screen.scroll.draw(frame, area, lines, theme);
}

/// A table below its title, apart from what stands before; nothing for one without rows.
fn titled_table(screen: &CompareScreen, table: &Table, width: usize, theme: Theme) -> Vec<Line<'static>> {
    if table.rows.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![Line::default(), Line::styled(table.title.clone(), theme.heading())];
    lines.extend(table::lines(table, width, &screen.page, theme));
    lines
}

fn draw_gate(screen: &CompareScreen, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
    let theme = view.theme;
    let width = usize::from(area.width);
    let Some(report) = &view.state().check else {
        let text = "x judges B by the conditions written under gate; without any, by its operators and its contract.";
        panel::nothing(frame, area, text, theme);
        return;
    };
    let style = match report.verdict {
        Verdict::Pass => theme.good(),
        Verdict::Fail => theme.bad(),
        Verdict::NotJudged => theme.warning(),
    };
    let mut lines = panel::sentence(&verdict_line(report), width, style);
    lines.extend(report.notes.iter().flat_map(|note| panel::sentence(note, width, theme.faint())));
    lines.extend(titled_table(screen, &report.table(), width, theme));
    screen.scroll.draw(frame, area, lines, theme);
}
