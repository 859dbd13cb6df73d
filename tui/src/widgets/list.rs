//! Scrolling lists: which rows are visible follows from the selected row alone, so that drawing keeps no state.

use std::ops::Range;

use crate::action::Action;

/// The rows to draw so that the selected one stays in the middle where it can.
pub fn window(selected: usize, n_rows: usize, height: usize) -> Range<usize> {
    let height = height.min(n_rows);
    let first = selected.saturating_sub(height / 2).min(n_rows - height);
    first..first + height
}

/// Rows moved by page up and page down.
const PAGE: usize = 10;

/// Where a movement leads in a list of `n_rows`; `None` when the action is no movement.
pub fn moved(selected: usize, n_rows: usize, action: Action) -> Option<usize> {
    let last = n_rows.saturating_sub(1);
    Some(match action {
        Action::Up => selected.saturating_sub(1),
        Action::Down => (selected + 1).min(last),
        Action::PageUp => selected.saturating_sub(PAGE),
        Action::PageDown => (selected + PAGE).min(last),
        Action::First => 0,
        Action::Last => last,
        _ => return None,
    })
}

/// The next of a few values, or the one before; behind the last comes the first.
pub fn cycled<T: Copy + PartialEq>(all: &[T], now: T, is_forward: bool) -> T {
    let index = all.iter().position(|value| *value == now).unwrap_or(0);
    let by = if is_forward { 1 } else { all.len().saturating_sub(1) };
    all.get((index + by) % all.len().max(1)).copied().unwrap_or(now)
}
