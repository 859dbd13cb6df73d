//! Drawing of the Models screen: what is asked, what there is to choose, what is known of the selected version.

use drydock_core::profile::versions;
use drydock_core::session::State;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{ModelsScreen, Pane, View};
use crate::cli;
use crate::cli::inspect;
use crate::page::Page;
use crate::screens::WIDE;
use crate::text::cut;
use crate::theme::Theme;
use crate::widgets::{form, list, panel, plot};

const NAME_WIDTH: usize = 9;

/// Below this there is no room for what is known of a version.
const ROOM_FOR_DETAILS: u16 = 14;

pub fn draw(screen: &ModelsScreen, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
    let theme = view.theme;
    screen.figure.begin_frame();
    let (main, side) = if area.width >= WIDE && view.state().opened.is_some() {
        let [main, side] = Layout::horizontal([Constraint::Percentage(52), Constraint::Percentage(48)]).areas(area);
        (main, Some(side))
    } else {
        (area, None)
    };
    let height = match (screen.known(view.state()), screen.pane) {
        (None, _) => 0,
        _ if main.height < ROOM_FOR_DETAILS => 0,
        (_, Pane::List) => main.height / 2,
        // What is read gets the larger part.
        _ => main.height * 2 / 3,
    };
    let [main, below] = Layout::vertical([Constraint::Fill(1), Constraint::Length(height)]).areas(main);
    if height > 0 {
        draw_known(screen, frame, below, view);
    }
    draw_list(screen, frame, main, view);
    if let (Some(side), Some(opened)) = (side, &view.state().opened) {
        let inner = panel::panel(frame, side, "Open", false, theme);
        let mut page = Page::new(usize::from(inner.width));
        inspect::describe(opened, &mut page);
        panel::page(frame, inner, &page, theme);
    }
}

fn draw_list(screen: &ModelsScreen, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
    let theme = view.theme;
    let inner = panel::panel(frame, area, "Models", screen.pane == Pane::List, theme);
    let width = usize::from(inner.width);
    let mut lines = question_lines(screen, frame, inner, view);
    // Why the act before failed is of no interest while the next one is asked for.
    if screen.asked.is_none() {
        lines.extend([&screen.opening, &screen.acting].into_iter().flat_map(|work| work.failure_lines("cancelled", width, view)));
    }
    if screen.entries.is_empty() {
        lines.extend(panel::sentence("Here you open a model and see the ones opened before.", width, theme.faint()));
        let hint = "Drydock's repository has small ones to begin with, in sample-models/.";
        lines.extend(panel::sentence(hint, width, theme.faint()));
    } else {
        let height = usize::from(inner.height).saturating_sub(lines.len());
        lines.extend(entry_lines(screen, width, height, theme));
    }
    panel::lines(frame, inner, lines);
}

/// What is asked, field by field, and a line on the field that is typed; else how a model is opened and what came of the last act.
fn question_lines(screen: &ModelsScreen, frame: &mut Frame<'_>, area: Rect, view: View<'_>) -> Vec<Line<'static>> {
    let theme = view.theme;
    let layout = form::Layout { name_width: NAME_WIDTH, width: usize::from(area.width), theme };
    let Some(asked) = &screen.asked else {
        let how = if screen.path.is_empty() { "press o and type the path of an ONNX model" } else { &screen.path };
        let mut lines = vec![Line::from(vec![layout.name("open", false), Span::styled(cut(how, layout.room()), theme.faint())])];
        lines.extend(told_lines(screen, layout));
        return lines;
    };
    let mut lines = Vec::new();
    for (index, field) in asked.fields.iter().enumerate() {
        let is_selected = index == asked.selected;
        let value = if is_selected { field.text.visible(layout.room()).0 } else { cut(field.text.text(), layout.room()) };
        lines.push(Line::from(vec![layout.name(field.name, is_selected), Span::raw(value)]));
        if is_selected {
            layout.place_cursor(frame, area, index, &field.text);
        }
    }
    lines.extend(match (&screen.problem, asked.field()) {
        (Some(problem), _) => layout.explained(&format!("✗ {}", problem.text), theme.bad()),
        (None, _) if !screen.candidates.is_empty() => vec![layout.below(&screen.candidates.join("  "), theme.faint())],
        (None, field) => layout.explained(field.map_or("", |field| &field.about), theme.faint()),
    });
    lines
}

/// What came of the last act; more than a few lines of it stand among the jobs.
fn told_lines(screen: &ModelsScreen, layout: form::Layout) -> Vec<Line<'static>> {
    const MOST: usize = 4;
    let mut lines: Vec<Line<'static>> = Vec::new();
    for sentence in &screen.told {
        lines.extend(layout.explained(sentence, layout.theme.faint()));
    }
    if lines.len() > MOST {
        lines.truncate(MOST - 1);
        lines.push(layout.below("and more: drydock models verify tells all", layout.theme.faint()));
    }
    if lines.is_empty() && screen.opening.failure().is_none() && screen.acting.failure().is_none() {
        lines.push(Line::default());
    }
    lines
}

fn entry_lines(screen: &ModelsScreen, width: usize, height: usize, theme: Theme) -> Vec<Line<'static>> {
    let window = list::window(screen.selected, screen.entries.len(), height);
    let mut lines = Vec::new();
    for (index, entry) in screen.entries.iter().enumerate().take(window.end).skip(window.start) {
        let note = if entry.is_missing { "not there any more" } else { entry.origin };
        let room = width.saturating_sub(note.chars().count() + 4);
        let name = match &entry.registered {
            Some((name, version)) => format!("{name} v{version}{}", entry.mark),
            None => entry.path.display().to_string(),
        };
        let text = format!("  {:<room$}  {note}", cut(&name, room));
        let style = match (index == screen.selected && screen.asked.is_none(), screen.pane) {
            (true, Pane::List) => theme.selected(),
            (true, _) => theme.marked(),
            (false, _) => Style::new(),
        };
        lines.push(Line::styled(text, style));
    }
    lines
}

/// Below the list: the selected version, or how fast its model was.
fn draw_known(screen: &ModelsScreen, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
    let theme = view.theme;
    let Some((model, version)) = screen.known(view.state()) else { return };
    match screen.pane {
        Pane::Latency => {
            let inner = panel::panel(frame, area, &format!("{} · latency", model.name), true, theme);
            plot::several(frame, inner, versions::figures(model, version), &screen.figure, theme);
        }
        pane => {
            let inner = panel::panel(frame, area, &model.name, pane == Pane::Details, theme);
            let page = details(screen, view.state(), usize::from(inner.width));
            screen.scroll.draw_page(frame, inner, &page, theme);
        }
    }
}

/// What is known of the selected version, and the moves of its model's aliases.
fn details(screen: &ModelsScreen, state: &State, width: usize) -> Page {
    let mut page = Page::new(width);
    let (Some((model, version)), Some(view)) = (screen.known(state), &state.registry) else { return page };
    cli::models::describe(view, version, &mut page);
    if !model.aliases.is_empty() {
        page.blank();
        for line in crate::text::wrapped(&format!("aliases: {}", cli::models::aliases_text(&model.aliases)), width) {
            page.line(&line);
        }
    }
    if !model.history.is_empty() {
        page.blank();
        cli::models::history(&model.history.iter().collect::<Vec<_>>(), &mut page);
    }
    page
}
