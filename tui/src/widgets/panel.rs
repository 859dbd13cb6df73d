//! Frames around panes, and pages inside them.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};

use crate::page::{Page, Tone};
use crate::theme::Theme;

/// Draws a frame with a title and returns the room inside. Areas too small for a frame go without.
pub fn panel(frame: &mut Frame<'_>, area: Rect, title: &str, has_focus: bool, theme: Theme) -> Rect {
    if area.height < 3 || area.width < 4 {
        return area;
    }
    let title = if title.is_empty() { Line::default() } else { Line::styled(format!(" {title} "), theme.heading()) };
    let block = Block::bordered().border_style(theme.border(has_focus)).title(title);
    frame.render_widget(block, area);
    inside(area)
}

/// The room inside a frame.
pub fn inside(area: Rect) -> Rect {
    if area.height < 3 || area.width < 4 {
        return area;
    }
    let inner = Block::bordered().inner(area);
    // A blank column on both sides, where there is room.
    if inner.width > 4 { Rect { x: inner.x + 1, width: inner.width - 2, ..inner } } else { inner }
}

/// Draws a page from its first line on.
pub fn page(frame: &mut Frame<'_>, area: Rect, page: &Page, theme: Theme) {
    lines(frame, area, page_lines(page, theme));
}

/// A page's lines in the colours of their tones.
pub fn page_lines(page: &Page, theme: Theme) -> Vec<Line<'_>> {
    page.lines.iter().map(|(tone, text)| Line::styled(text.as_str(), style_of(*tone, theme))).collect()
}

/// A sentence where there is nothing else to show.
pub fn nothing(frame: &mut Frame<'_>, area: Rect, text: &str, theme: Theme) {
    lines(frame, area, sentence(text, usize::from(area.width), theme.faint()));
}

pub fn style_of(tone: Tone, theme: Theme) -> Style {
    match tone {
        Tone::Plain => Style::new(),
        Tone::Heading => theme.heading(),
        Tone::Faint => theme.faint(),
        Tone::Good => theme.good(),
        Tone::Bad => theme.bad(),
    }
}

/// Lines from the top of an area; what does not fit is not drawn.
pub fn lines(frame: &mut Frame<'_>, area: Rect, lines: Vec<Line<'_>>) {
    frame.render_widget(Paragraph::new(lines), area);
}

/// A sentence over the lines it takes.
pub fn sentence(text: &str, width: usize, style: Style) -> Vec<Line<'static>> {
    crate::text::wrapped(text, width).into_iter().map(|line| Line::from(Span::styled(line, style))).collect()
}
