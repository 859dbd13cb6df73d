//! How far a pane is scrolled. Only drawing knows where the end is, so the last frame's end is what a key moves within.

use std::cell::Cell;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::{list, panel};
use crate::action::Action;
use crate::page::Page;
use crate::theme::Theme;

/// A place among lines, or among the pages of a wide table.
#[derive(Debug, Default)]
pub struct Scroll {
    at: usize,
    end: Cell<usize>,
}

/// Panes lower than this have no line to spare for saying where they are.
const ROOM_FOR_PLACE: usize = 5;

impl Scroll {
    /// A frame begins: what was drawn in the last one no longer says where the end is.
    pub fn begin_frame(&self) {
        self.end.set(0);
    }

    /// Where it is, of `n` places. Of several things that are drawn in a frame, the longest is the end.
    pub fn place(&self, n: usize) -> usize {
        let last = n.saturating_sub(1);
        self.end.set(self.end.get().max(last));
        self.at.min(last)
    }

    pub fn reset(&mut self) {
        self.at = 0;
    }

    /// Up and down; `false` where the action is no movement.
    pub fn act(&mut self, action: Action) -> bool {
        let end = self.end.get();
        let moved = list::moved(self.at.min(end), end + 1, action);
        self.at = moved.unwrap_or(self.at);
        moved.is_some()
    }

    /// Left and right; `false` for anything else.
    pub fn act_sideways(&mut self, action: Action) -> bool {
        match action {
            Action::Left => self.act(Action::Up),
            Action::Right => self.act(Action::Down),
            _ => false,
        }
    }

    /// Draws lines from here on; where they don't all fit, the last line says which they are.
    pub fn draw(&self, frame: &mut Frame<'_>, area: Rect, mut lines: Vec<Line<'_>>, theme: Theme) {
        let (height, n_lines) = (usize::from(area.height), lines.len());
        let tells_place = n_lines > height && height >= ROOM_FOR_PLACE;
        let shown = height - usize::from(tells_place);
        self.begin_frame();
        let first = self.place(n_lines.saturating_sub(shown) + 1);
        lines.drain(..first);
        if tells_place {
            lines.truncate(shown);
            lines.push(Line::styled(format!("lines {}–{} of {n_lines}  ↑ ↓", first + 1, first + shown), theme.faint()));
        }
        panel::lines(frame, area, lines);
    }

    pub fn draw_page(&self, frame: &mut Frame<'_>, area: Rect, page: &Page, theme: Theme) {
        self.draw(frame, area, panel::page_lines(page, theme), theme);
    }
}
