//! Drawing of the Profile screen: its parts, the form, what came out in short.

use drydock_core::profile::{Effort, ProfileReport};
use drydock_core::report::Verdict;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{Field, MORE_OPTIONS, Part, ProfileScreen, View, results};
use crate::text::{TextTable, cut};
use crate::theme::Theme;
use crate::widgets::parts::Part as _;
use crate::widgets::{form, panel, table};

const NAME_WIDTH: usize = 12;

pub fn draw(screen: &ProfileScreen, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
    let theme = view.theme;
    let inner = panel::panel(frame, area, "Profile", true, theme);
    let width = usize::from(inner.width);
    let mut lines = vec![screen.part.line(theme)];
    if screen.part != Part::Setup {
        lines.extend(screen.work.progress_lines(width, view));
    }
    let used = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(inner.height);
    panel::lines(frame, inner, lines);
    let below = Rect { y: inner.y + used, height: inner.height - used, ..inner };
    match (&view.state().profile, screen.part) {
        (_, Part::Setup) => draw_setup(screen, frame, below, view),
        (Some(report), _) => results::draw(screen, frame, below, report, view),
        (None, _) if screen.work.is_running() => {}
        (None, _) => panel::nothing(frame, below, "There is nothing to show yet: enter profiles the model.", theme),
    }
}

fn draw_setup(screen: &ProfileScreen, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
    let theme = view.theme;
    let width = usize::from(area.width);
    let layout = form::Layout { name_width: NAME_WIDTH, width, theme };
    let mut lines: Vec<Line<'_>> = Vec::new();
    for field in screen.listed() {
        lines.push(field_line(screen, field, layout));
        let Field::Option(option) = field else { continue };
        if field == screen.selected && screen.typing.is_on() {
            layout.place_cursor(frame, area, lines.len() - 1, screen.fields.get(option));
            lines.push(layout.below(&screen.typing.help(option.example()), theme.faint()));
        } else {
            lines.extend(screen.problem(option).into_iter().flat_map(|problem| layout.explained(&format!("✗ {problem}"), theme.bad())));
        }
    }
    lines.push(Line::default());
    if view.state().opened.is_none() {
        let text = "Profile says how fast a model is, how big, how much memory it takes, where its time goes, and whether it will fit \
                    another machine. Open a model first: press 1.";
        lines.extend(panel::sentence(text, width, theme.faint()));
    } else if screen.work.is_running() {
        lines.extend(screen.work.progress_lines(width, view));
    } else if screen.work.failure().is_some() {
        lines.extend(screen.work.failure_lines("cancelled", width, view));
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
    let mut lines = table::list_lines(&TextTable::of_report(&report.way_table(), &["part", "time", "what it is"]), width, theme);
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

fn field_line(screen: &ProfileScreen, field: Field, layout: form::Layout) -> Line<'static> {
    let is_selected = field == screen.selected;
    let name = match field {
        Field::Effort => "effort",
        Field::More => "more",
        Field::Option(option) => option.name(),
    };
    let room = layout.room();
    let (value, note) = match field {
        Field::Effort => (screen.effort.name().to_owned(), effort_note(screen.effort, is_selected)),
        Field::More if screen.shows_more => (String::new(), "fewer ←".to_owned()),
        Field::More => (String::new(), more_note(screen)),
        Field::Option(option) => match screen.fields.get(option) {
            text if is_selected && screen.typing.is_on() => (text.visible(room).0, String::new()),
            text if text.text().is_empty() => (String::new(), option.default_meaning(screen.effort).to_owned()),
            text => (text.text().to_owned(), String::new()),
        },
    };
    let gap = if value.is_empty() || note.is_empty() { "" } else { "  " };
    let note_room = room.saturating_sub(value.chars().count());
    Line::from(vec![
        layout.name(name, is_selected),
        Span::raw(cut(&value, room)),
        Span::styled(cut(&format!("{gap}{note}"), note_room), layout.theme.faint()),
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
