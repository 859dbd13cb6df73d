//! The parts of a screen that take turns in the same room: `[setup] latency  sweep  …`.

use ratatui::text::{Line, Span};

use super::list;
use crate::action::Action;
use crate::theme::Theme;

/// One of a screen's parts.
pub trait Part: Copy + PartialEq + 'static {
    const ALL: &'static [Self];

    fn name(self) -> &'static str;

    /// The next part, or the one before; `None` where the action is neither.
    fn turned(self, action: Action) -> Option<Self> {
        match action {
            Action::NextPane => Some(list::cycled(Self::ALL, self, true)),
            Action::PreviousPane => Some(list::cycled(Self::ALL, self, false)),
            _ => None,
        }
    }

    /// All names, this one marked.
    fn line(self, theme: Theme) -> Line<'static> {
        let span = |part: &Self| {
            if *part == self {
                Span::styled(format!("[{}]", part.name()), theme.accent().patch(theme.heading()))
            } else {
                Span::styled(format!(" {} ", part.name()), theme.faint())
            }
        };
        Line::from(Self::ALL.iter().map(span).collect::<Vec<_>>())
    }
}
