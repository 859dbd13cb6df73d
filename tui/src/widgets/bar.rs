//! Bars and sliders as text.

use ratatui::style::Style;
use ratatui::text::Span;

use crate::theme::{EIGHTHS, Theme};

/// A bar of `width` cells, filled to `share` (0 to 1) in eighths of a cell.
pub fn bar(share: f64, width: usize) -> String {
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    let eighths = (share * width as f64 * 8.0).round() as usize;
    let mut text = "█".repeat(eighths / 8);
    text.push_str(EIGHTHS.get(eighths % 8).copied().unwrap_or_default());
    text
}

/// A bar whose empty part is visible too: for progress.
pub fn progress(share: f64, width: usize, theme: Theme) -> Vec<Span<'static>> {
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    let filled = (share * width as f64).round() as usize;
    vec![Span::styled("█".repeat(filled), theme.accent()), Span::styled("░".repeat(width.saturating_sub(filled)), theme.faint())]
}

/// A line with a knob at `share`; without a knob where there is no value.
pub fn slider(share: Option<f64>, width: usize, theme: Theme) -> Vec<Span<'static>> {
    let line = |cells: usize| Span::styled("─".repeat(cells), theme.faint());
    let Some(share) = share.filter(|share| share.is_finite()) else { return vec![line(width)] };
    let knob = (share.clamp(0.0, 1.0) * width.saturating_sub(1) as f64).round() as usize;
    let knob_style: Style = theme.accent();
    vec![line(knob), Span::styled("●", knob_style), line(width.saturating_sub(knob + 1))]
}
