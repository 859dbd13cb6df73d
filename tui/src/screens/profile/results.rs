//! Drawing of what a profile found: latency, sweep, operators, roofline, size, history.

use drydock_core::format;
use drydock_core::profile::history::history_figure;
use drydock_core::profile::{Bound, OperatorReport, ProfileReport, RunReport};
use drydock_core::report::Figure;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{Part, ProfileScreen, View};
use crate::page::{Page, Tone};
use crate::text::{Align, TextTable, cut, padded};
use crate::theme::Theme;
use crate::widgets::{list, panel, plot, table};

pub fn draw(screen: &ProfileScreen, frame: &mut Frame<'_>, area: Rect, report: &ProfileReport, view: View<'_>) {
    let theme = view.theme;
    match screen.part {
        Part::Setup => {}
        Part::Latency => draw_latency(screen, frame, area, report, theme),
        Part::Sweep => draw_sweep(screen, frame, area, report, theme),
        Part::Operators => draw_operators(screen, frame, area, report, theme),
        Part::Roofline => {
            let missing = "No operator of this model multiplies, so there is no roofline.";
            draw_figure_or(frame, area, report.roofline_figure(), missing, theme);
        }
        Part::Size => draw_size(screen, frame, area, report, theme),
        Part::History => {
            let missing = "The history shows what became of this model's speed, once it was profiled twice in the same way.";
            draw_figure_or(frame, area, history_figure(&view.state().profile_history), missing, theme);
        }
    }
}

fn draw_figure_or(frame: &mut Frame<'_>, area: Rect, figure: Option<Figure>, missing: &str, theme: Theme) {
    match figure {
        Some(figure) => plot::titled(frame, area, &figure, theme),
        None => panel::nothing(frame, area, missing, theme),
    }
}

fn draw_latency(screen: &ProfileScreen, frame: &mut Frame<'_>, area: Rect, report: &ProfileReport, theme: Theme) {
    let index = screen.run.min(report.runs.len().saturating_sub(1));
    let Some(run) = report.runs.get(index) else { return };
    let width = usize::from(area.width);
    let name = format!("{} ({} of {})", run.name(report.has_devices()), index + 1, report.runs.len());
    let mut lines = vec![Line::styled(cut(&name, width), theme.heading())];
    lines.extend(panel::sentence(&figures_of(run), width, if run.stable { Style::new() } else { theme.warning() }));
    let used = u16::try_from(lines.len()).unwrap_or(1).min(area.height);
    panel::lines(frame, area, lines);
    let below = Rect { y: area.y + used, height: area.height - used, ..area };
    // The curve of the first runs where there is room for both.
    if below.height >= 20 || below.width >= 100 {
        let parts = if below.width >= 100 { Layout::horizontal([Constraint::Fill(1); 2]) } else { Layout::vertical([Constraint::Fill(1); 2]) };
        let [left, right] = parts.spacing(1).areas(below);
        plot::titled(frame, left, &run.histogram_figure(), theme);
        plot::titled(frame, right, &run.warm_up_figure(), theme);
    } else {
        plot::titled(frame, below, &run.histogram_figure(), theme);
    }
}

/// `p50 41 µs · p95 … · stable over 3 windows`.
fn figures_of(run: &RunReport) -> String {
    let latency = &run.latency_ms;
    let time = |ms: f64| format::seconds(ms / 1e3);
    let percentiles = [("p50", latency.p50), ("p90", latency.p90), ("p95", latency.p95), ("p99", latency.p99), ("p99.9", latency.p999)];
    let mut parts: Vec<String> = percentiles.into_iter().filter_map(|(name, ms)| Some(format!("{name} {}", time(ms?)))).collect();
    parts.push(format!("mean {} σ {}", time(latency.mean), time(latency.std)));
    parts.push(format!("min {} max {}", time(latency.min), time(latency.max)));
    parts.push(format!("{} rows/s", format::quantity(run.rows_per_second)));
    parts.push(format::counted(run.n as u64, "run"));
    parts.push(match &run.unstable_because {
        None => "stable".to_owned(),
        Some(reason) => format!("not stable after {}: {reason}", format::counted(run.windows.len() as u64, "window")),
    });
    parts.join(" · ")
}

fn draw_sweep(screen: &ProfileScreen, frame: &mut Frame<'_>, area: Rect, report: &ProfileReport, theme: Theme) {
    let width = usize::from(area.width);
    let table = sweep_table(report, width);
    let mut lines = table::list_lines(&table, width, theme);
    if let Some(line) = report.sweet_spot.and_then(|index| lines.get_mut(index + 1)) {
        *line = line.clone().style(theme.good());
    }
    // A long sweep is scrolled: half of the room is the figure's.
    let room = usize::from(area.height / 2).max(3);
    let body = lines.split_off(1);
    let window = list::window(screen.run.min(body.len().saturating_sub(1)), body.len(), room.saturating_sub(1));
    lines.extend(body.into_iter().skip(window.start).take(window.len()));
    let used = u16::try_from(lines.len() + 1).unwrap_or(u16::MAX).min(area.height);
    panel::lines(frame, area, lines);
    plot::titled(frame, Rect { y: area.y + used, height: area.height - used, ..area }, &report.sweep_figure(), theme);
}

/// As many columns as fit, the verdict always among them.
fn sweep_table(report: &ProfileReport, width: usize) -> TextTable {
    let mut columns = vec!["batch", "threads", "p50", "p95", "p99", "rows/s", "runs", "measured"];
    if report.has_devices() {
        columns.insert(2, "device");
    }
    if report.max_latency_ms.is_some() {
        columns.push("budget");
    }
    TextTable::of_report_fitting(&report.runs_table(), &columns, &["p99", "runs", "rows/s"], width)
}

fn draw_operators(screen: &ProfileScreen, frame: &mut Frame<'_>, area: Rect, report: &ProfileReport, theme: Theme) {
    const DETAILS: u16 = 4;
    let width = usize::from(area.width);
    let operators = screen.sorted(report);
    let Some(&(_, shown)) = operators.get(screen.operator.min(operators.len().saturating_sub(1))) else {
        return panel::nothing(frame, area, "The operators of this profile were not observed.", theme);
    };
    let between = report.between_operators_ms.map(|ms| format!(" · {} between them", format::seconds(ms / 1e3))).unwrap_or_default();
    let head = format!("by {} ← → · {}{between} · an attribution", screen.sort.name(), format::counted(operators.len() as u64, "operator"));
    let mut lines = vec![Line::styled(cut(&head, width), theme.faint()), Line::styled(header(width), theme.faint())];
    let height = usize::from(area.height.saturating_sub(DETAILS + 2));
    let selected = screen.operator.min(operators.len().saturating_sub(1));
    let window = list::window(selected, operators.len(), height);
    for (row, (index, operator)) in operators.iter().enumerate().take(window.end).skip(window.start) {
        let style = if row == selected { theme.selected() } else { Style::new() };
        lines.push(Line::styled(operator_row(*index, operator, width), style));
    }
    panel::lines(frame, area, lines);
    let details = Rect { y: area.y + area.height.saturating_sub(DETAILS), height: DETAILS.min(area.height), ..area };
    if area.height > DETAILS + 3 {
        panel::lines(frame, details, detail_lines(shown, width, theme));
    }
}

/// Cells of the columns that have a fixed width, without the gaps between them.
const NUMBERS: [(&str, usize); 6] = [("time", 8), ("share", 7), ("bound", 8), ("roof", 6), ("GFLOP/s", 7), ("GB/s", 7)];

fn header(width: usize) -> String {
    let numbers: Vec<String> = NUMBERS.iter().map(|(name, width)| padded(name, *width, Align::Right)).collect();
    cut(&format!("{}  {}  {}", padded("#", 4, Align::Right), padded("operator", name_width(width), Align::Left), numbers.join(" ")), width)
}

fn name_width(width: usize) -> usize {
    let numbers: usize = NUMBERS.iter().map(|(_, width)| width + 1).sum();
    width.saturating_sub(numbers + 7).clamp(8, 60)
}

fn operator_row(index: usize, operator: &OperatorReport, width: usize) -> String {
    let optional = |value: Option<f64>, text: fn(f64) -> String| value.map_or_else(|| "—".to_owned(), text);
    let cells = [
        operator.time_ms.map_or_else(|| "unknown".to_owned(), |ms| format::seconds(ms / 1e3)),
        optional(operator.share, |share| format::percent((share * 1000.0).round() / 1000.0)),
        operator.bound.map_or("—", Bound::name).to_owned(),
        optional(operator.roof_share, |share| format::percent((share * 100.0).round() / 100.0)),
        optional(operator.gflops, format::number),
        optional(operator.gigabytes_per_second, format::number),
    ];
    let numbers: Vec<String> = NUMBERS.iter().zip(&cells).map(|((_, width), cell)| padded(cell, *width, Align::Right)).collect();
    let name = format!("{} {}", operator.operator, operator.node);
    let number = (index + 1).to_string();
    cut(&format!("{}  {}  {}", padded(&number, 4, Align::Right), padded(&name, name_width(width), Align::Left), numbers.join(" ")), width)
}

fn detail_lines(operator: &OperatorReport, width: usize, theme: Theme) -> Vec<Line<'static>> {
    let fact = |name: &str, value: &str| {
        let name = padded(name, 8, Align::Left);
        Line::from(vec![Span::styled(name, theme.faint()), Span::raw(cut(value, width.saturating_sub(8)))])
    };
    let macs = operator.macs.map_or_else(|| "MACs unknown".to_owned(), |macs| format!("{} MACs", format::quantity(macs as f64)));
    let moved = format!(
        "{macs} · {} moved, {} of weights · {}",
        format::bytes(operator.bytes),
        format::bytes(operator.weight_bytes),
        operator.runs_on.name()
    );
    let shapes = format!("{} → {}", operator.inputs.join(", "), operator.outputs.join(", "));
    vec![
        fact("node", &format!("{} {}", operator.operator, operator.node)),
        fact("from", &operator.origins.join(", ")),
        fact("shapes", &shapes),
        fact("work", &moved),
    ]
}

fn draw_size(screen: &ProfileScreen, frame: &mut Frame<'_>, area: Rect, report: &ProfileReport, theme: Theme) {
    let mut page = Page::new(usize::from(area.width));
    page.paragraph(Tone::Plain, &report.size.sentence());
    let fit = report.fit.iter().map(drydock_core::profile::FitReport::table);
    for table in [report.memory_table()].into_iter().chain(fit).chain(report.size.tables()) {
        page.heading(&table.title);
        page.table(&TextTable::of_report(&table, &[]));
    }
    page.heading("Machine");
    page.paragraph(Tone::Plain, &format!("{} ({})", report.machine.describe(), report.machine.hash));
    screen.scroll.draw_page(frame, area, &page, theme);
}
