//! A figure as text: a line of braille dots, or of stars where only ASCII is wanted, with the ends of its axes and the present place.

use drydock_core::format;
use drydock_core::report::Figure;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::symbols::Marker;
use ratatui::text::Line;
use ratatui::widgets::{Axis, Chart, Dataset, GraphType};

use crate::theme::Theme;

/// Draws the figure; its title stands elsewhere.
pub fn plot(frame: &mut Frame<'_>, area: Rect, figure: &Figure, theme: Theme) {
    let (first, last) = figure.x.range;
    let (low, high) = figure.y.range;
    let marker = if theme.is_ascii { Marker::Custom('*') } else { Marker::Braille };
    let mut sets = vec![Dataset::default().marker(marker).graph_type(GraphType::Line).style(theme.accent()).data(&figure.points)];
    let now: Vec<(f64, f64)> = figure.now().into_iter().collect();
    sets.push(Dataset::default().marker(Marker::Custom('●')).graph_type(GraphType::Scatter).style(theme.heading()).data(&now));
    let label = |text: String| Line::styled(text, theme.faint());
    let x_labels = [label(format::number(first)), label(figure.x.label()), label(format::number(last))];
    let y_labels = [label(format::number(low)), label(format::number(high))];
    let chart = Chart::new(sets)
        .legend_position(None)
        .x_axis(Axis::default().bounds([first, last]).labels(x_labels).style(theme.faint()))
        .y_axis(Axis::default().bounds([low, high]).labels(y_labels).style(theme.faint()));
    frame.render_widget(chart, area);
}
