//! Drawing of the Profile screen: its parts, the form, what came out in short.

use drydock_core::profile::{Effort, ProfileReport};
use drydock_core::report::Verdict;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{Failure, Field, MORE_OPTIONS, Part, ProfileScreen, View, results};
use crate::screens::score::running_line;
use crate::text::{Align, TextTable, cut, padded};
use crate::theme::Theme;
use crate::widgets::panel;

const NAME_WIDTH: usize = 12;

pub fn draw(screen: &ProfileScreen, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
    let theme = view.theme;
    let inner = panel::panel(frame, area, "Profile", true, theme);
    let width = usize::from(inner.width);
    let mut lines = vec![parts_line(screen, theme)];
    if let Some(job) = screen.profiling.filter(|_| screen.part != Part::Setup) {
        lines.push(running_line(job, width, view));
    }
    let used = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(inner.height);
    panel::lines(frame, inner, lines);
    let below = Rect { y: inner.y + used, height: inner.height - used, ..inner };
    match (&view.state().profile, screen.part) {
        (_, Part::Setup) => draw_setup(screen, frame, below, view),
        (Some(report), _) => results::draw(screen, frame, below, report, view),
        (None, _) => {
            let text = "There is nothing to show yet: enter profiles the model.";
            panel::lines(frame, below, panel::sentence(text, width, theme.faint()));
        }
    }
}

/// `[setup] latency  sweep  …`.
fn parts_line(screen: &ProfileScreen, theme: Theme) -> Line<'static> {
    let part = |part: Part| {
        if part == screen.part {
            Span::styled(format!("[{}]", part.name()), theme.accent().patch(theme.heading()))
        } else {
            Span::styled(format!(" {} ", part.name()), theme.faint())
        }
    };
    Line::from(Part::ALL.map(part).to_vec())
}

fn draw_setup(screen: &ProfileScreen, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
    let theme = view.theme;
    let width = usize::from(area.width);
    let mut lines: Vec<Line<'_>> = Vec::new();
    for field in screen.listed() {
        lines.push(field_line(screen, field, width, theme));
        let Field::Option(option) = field else { continue };
        let is_typed = field == screen.selected && screen.typing.is_some();
        match &screen.typing {
            Some(typing) if is_typed => {
                place_cursor(screen, frame, area, lines.len() - 1);
                let below = if typing.candidates.is_empty() { format!("for example {}", option.example()) } else { typing.candidates.join("  ") };
                lines.push(indented(&below, width, theme.faint()));
            }
            _ => lines.extend(screen.problem(option).map(|problem| indented(&format!("✗ {problem}"), width, theme.bad()))),
        }
    }
    lines.push(Line::default());
    if view.state().opened.is_none() {
        let text = "Profile says how fast a model is, how big, how much memory it takes, where its time goes, and whether it will fit \
                    another machine. Open a model first: press 1.";
        lines.extend(panel::sentence(text, width, theme.faint()));
    } else if let Some(job) = screen.profiling {
        lines.push(running_line(job, width, view));
        if let Some(progress) = view.session.progress(job) {
            lines.push(Line::styled(cut(&progress.latest().stage, width), theme.faint()));
        }
    } else if let Some(failure) = &screen.failure {
        lines.extend(match failure {
            Failure::Cancelled => vec![Line::styled("cancelled", theme.warning())],
            Failure::Failed(message) => panel::sentence(message, width, theme.bad()),
        });
    } else {
        match &view.state().profile {
            Some(report) => lines.extend(summary_lines(report, width, theme)),
            None => lines.extend(panel::sentence(&format!("each configuration: {}", screen.effort.describe()), width, theme.faint())),
        }
    }
    panel::lines(frame, area, lines);
}

/// The report in short: what a person asks first.
fn summary_lines(report: &ProfileReport, width: usize, theme: Theme) -> Vec<Line<'static>> {
    let mut lines = table_lines(&TextTable::of_report(&report.way_table(), &["part", "time", "what it is"]), width, theme);
    lines.push(Line::default());
    let style = if report.sweet_spot.is_some() { theme.good() } else { theme.warning() };
    lines.extend(panel::sentence(&report.sweet_spot_sentence(), width, style));
    if let Some(fit) = &report.fit {
        let (verdict, sentence) = fit.verdict();
        let style = match verdict {
            Verdict::Pass => theme.good(),
            Verdict::Fail => theme.bad(),
            Verdict::NotJudged => Style::new(),
        };
        lines.extend(panel::sentence(&format!("{} {}: {sentence}", verdict.sign(), verdict.word()), width, style));
    }
    lines.extend(panel::sentence(&report.size.sentence(), width, Style::new()));
    lines
}

/// A table with a faint header.
pub(super) fn table_lines(table: &TextTable, width: usize, theme: Theme) -> Vec<Line<'static>> {
    let styled = |(index, line): (usize, String)| Line::styled(line, if index == 0 { theme.faint() } else { Style::new() });
    table.lines(width).into_iter().enumerate().map(styled).collect()
}

fn indented(text: &str, width: usize, style: Style) -> Line<'static> {
    Line::styled(format!("{}{}", " ".repeat(NAME_WIDTH + 2), cut(text, width.saturating_sub(NAME_WIDTH + 2))), style)
}

fn place_cursor(screen: &ProfileScreen, frame: &mut Frame<'_>, area: Rect, line: usize) {
    let Field::Option(option) = screen.selected else { return };
    let (_, cursor) = screen.fields.get(option).visible(usize::from(area.width).saturating_sub(NAME_WIDTH + 2));
    if let (Ok(x), Ok(y)) = (u16::try_from(NAME_WIDTH + 2 + cursor), u16::try_from(line))
        && x < area.width
        && y < area.height
    {
        frame.set_cursor_position((area.x + x, area.y + y));
    }
}

fn field_line(screen: &ProfileScreen, field: Field, width: usize, theme: Theme) -> Line<'static> {
    let is_selected = field == screen.selected;
    let pointer = if is_selected { "▸" } else { " " };
    let style = if is_selected { theme.accent().patch(theme.heading()) } else { Style::new() };
    let name = match field {
        Field::Effort => "effort",
        Field::More => "more",
        Field::Option(option) => option.name(),
    };
    let room = width.saturating_sub(NAME_WIDTH + 2);
    let (value, note) = match field {
        Field::Effort => (screen.effort.name().to_owned(), effort_note(screen.effort, is_selected)),
        Field::More if screen.shows_more => (String::new(), "fewer ←".to_owned()),
        Field::More => (String::new(), more_note(screen)),
        Field::Option(option) => match screen.fields.get(option) {
            text if is_selected && screen.typing.is_some() => (text.visible(room).0, String::new()),
            text if text.text().is_empty() => (String::new(), option.default_meaning(screen.effort).to_owned()),
            text => (text.text().to_owned(), String::new()),
        },
    };
    let gap = if value.is_empty() || note.is_empty() { "" } else { "  " };
    let note_room = room.saturating_sub(value.chars().count());
    Line::from(vec![
        Span::styled(format!("{pointer} {}", padded(name, NAME_WIDTH, Align::Left)), style),
        Span::raw(cut(&value, room)),
        Span::styled(cut(&format!("{gap}{note}"), note_room), theme.faint()),
    ])
}

fn effort_note(effort: Effort, is_selected: bool) -> String {
    let pace = effort.pace();
    let keys = if is_selected { "  ← →" } else { "" };
    format!("{} s and {} runs at least, for each configuration{keys}", 3 * pace.window.as_secs(), 3 * pace.window_runs)
}

/// What can be unfolded, or what is written in what is folded.
fn more_note(screen: &ProfileScreen) -> String {
    let written = MORE_OPTIONS.into_iter().filter_map(|option| match screen.fields.get(option).text().trim() {
        "" => None,
        written => Some(format!("{} {written}", option.name())),
    });
    let written: Vec<String> = written.collect();
    if written.is_empty() { "dims, seed, will it fit? →".to_owned() } else { written.join(" · ") }
}
