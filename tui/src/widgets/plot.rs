//! A figure as text: lines and points of braille dots, bars of blocks, or plain signs where only ASCII is wanted, with the ends of its axes,
//! its levels and the present place.

use drydock_core::format;
use drydock_core::report::{Axis as FigureAxis, Figure, Series, SeriesKind};
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Axis, Chart, Dataset, GraphType, Paragraph};

use super::panel;
use super::scroll::Scroll;
use crate::text::cut;
use crate::theme::Theme;

/// Signs of the series in plain ASCII and in the legend, so that no series is told apart by its colour alone.
const SIGNS: [char; 6] = ['*', '+', 'o', 'x', '#', '@'];

/// Below this every line is the figure's.
const ROOM_FOR_HEAD: u16 = 5;

/// Steps of a bar's outline, so that it is filled rather than hatched.
const BAR_STEPS: u32 = 24;

/// Draws the figure under its title, which states the finding; the title alone where there is no room for more.
pub fn titled(frame: &mut Frame<'_>, area: Rect, figure: &Figure, theme: Theme) {
    let title = panel::sentence(&figure.title, usize::from(area.width), theme.heading());
    let height = u16::try_from(title.len()).unwrap_or(1).min(area.height);
    panel::lines(frame, Rect { height, ..area }, title);
    let below = Rect { y: area.y + height, height: area.height - height, ..area };
    if below.height > 2 && below.width > 12 {
        plot(frame, below, figure, theme);
    }
}

/// All figures side by side where there is room; else one, which the arrows change.
pub fn several(frame: &mut Frame<'_>, area: Rect, mut figures: Vec<Figure>, place: &Scroll, theme: Theme) {
    const READABLE_WIDTH: u16 = 50;
    let n = figures.len();
    if area.width >= READABLE_WIDTH * u16::try_from(n).unwrap_or(u16::MAX) {
        let areas = Layout::horizontal(vec![Constraint::Fill(1); n]).spacing(2).split(area);
        figures.iter().zip(areas.iter()).for_each(|(figure, area)| titled(frame, *area, figure, theme));
        return;
    }
    let place = place.place(n);
    if let Some(figure) = figures.get_mut(place) {
        figure.title = format!("{}  ({} of {n} ← →)", figure.title, place + 1);
        titled(frame, area, figure, theme);
    }
}

/// Draws the figure; its title stands elsewhere. The first line says what goes upwards and, of several series, which is which.
pub fn plot(frame: &mut Frame<'_>, area: Rect, figure: &Figure, theme: Theme) {
    let has_head = area.height >= ROOM_FOR_HEAD;
    let [head, area] = Layout::vertical([Constraint::Length(u16::from(has_head)), Constraint::Min(0)]).areas(area);
    if has_head {
        let legend = legend(figure, theme);
        let width = u16::try_from(legend.width()).unwrap_or(u16::MAX).min(head.width);
        let [label, right] = Layout::horizontal([Constraint::Min(0), Constraint::Length(width)]).areas(head);
        let label_text = cut(&figure.y.label(), usize::from(label.width).saturating_sub(2));
        frame.render_widget(Line::styled(label_text, theme.faint()), label);
        frame.render_widget(Paragraph::new(legend).alignment(Alignment::Right), right);
    }
    let placed: Vec<Vec<(f64, f64)>> = figure.series.iter().map(|series| outline(figure, series)).collect();
    let levels: Vec<[(f64, f64); 2]> = figure.levels.iter().map(|level| across(figure, level.at, level.is_on_x)).collect();
    let now: Vec<(f64, f64)> = figure.now().into_iter().map(|point| place(figure, point)).collect();
    let mut sets: Vec<Dataset<'_>> = levels
        .iter()
        .map(|ends| {
            Dataset::default()
                .marker(if theme.is_ascii { Marker::Custom('.') } else { Marker::Dot })
                .graph_type(GraphType::Line)
                .style(theme.faint())
                .data(ends)
        })
        .collect();
    for (index, (series, points)) in figure.series.iter().zip(&placed).enumerate() {
        sets.push(dataset(figure, series, index, theme).data(points));
    }
    sets.push(Dataset::default().marker(Marker::Custom('●')).graph_type(GraphType::Scatter).style(theme.heading()).data(&now));
    let label = |text: String| Line::styled(text, theme.faint());
    let ends = |axis: &FigureAxis| [label(format::number(axis.range.0)), label(format::number(axis.range.1))];
    let [first, last] = ends(&figure.x);
    let chart = Chart::new(sets)
        .legend_position(None)
        .x_axis(Axis::default().bounds([0.0, 1.0]).labels([first, label(figure.x.label()), last]).style(theme.faint()))
        .y_axis(Axis::default().bounds([0.0, 1.0]).labels(ends(&figure.y)).style(theme.faint()));
    frame.render_widget(chart, area);
}

fn dataset<'a>(figure: &Figure, series: &Series, index: usize, theme: Theme) -> Dataset<'a> {
    let sign = SIGNS[index % SIGNS.len()];
    let (graph, marker) = match series.kind {
        SeriesKind::Line => (GraphType::Line, Marker::Braille),
        SeriesKind::Bars { .. } => (GraphType::Line, Marker::HalfBlock),
        // A cloud of one kind is dots; of several kinds, their signs.
        SeriesKind::Points if figure.has_legend() => (GraphType::Scatter, Marker::Custom(sign)),
        SeriesKind::Points => (GraphType::Scatter, Marker::Custom('•')),
    };
    let marker = if theme.is_ascii { Marker::Custom(sign) } else { marker };
    Dataset::default().marker(marker).graph_type(graph).style(colour(index, theme))
}

fn colour(index: usize, theme: Theme) -> Style {
    match index % 4 {
        0 => theme.accent(),
        1 => theme.warning(),
        2 => theme.good(),
        _ => theme.bad(),
    }
}

/// Which series is which, where there are several, and what the dotted lines are.
fn legend(figure: &Figure, theme: Theme) -> Line<'static> {
    let entry = |(index, series): (usize, &Series)| {
        let sign = if theme.is_ascii || series.kind == SeriesKind::Points { SIGNS[index % SIGNS.len()] } else { '━' };
        [Span::styled(format!("{sign} "), colour(index, theme)), Span::raw(format!("{}  ", series.name))]
    };
    let series = if figure.has_legend() { figure.series.as_slice() } else { &[] };
    let levels: Vec<&str> = figure.levels.iter().map(|level| level.name.as_str()).collect();
    let levels = if levels.is_empty() { Vec::new() } else { vec![Span::styled("• ", theme.faint()), Span::raw(levels.join(", "))] };
    series.iter().enumerate().flat_map(entry).chain(levels).collect()
}

/// A place in the figure, 0 to 1 on both axes: ratatui knows no logarithms.
fn place(figure: &Figure, (x, y): (f64, f64)) -> (f64, f64) {
    (figure.x.share(x), figure.y.share(y))
}

/// The points to join or to mark. A bar is drawn up and down across its width.
fn outline(figure: &Figure, series: &Series) -> Vec<(f64, f64)> {
    let SeriesKind::Bars { width } = series.kind else { return series.points.iter().map(|&point| place(figure, point)).collect() };
    let bar = |&(x, y): &(f64, f64)| {
        let (left, right, top) = (figure.x.share(x - width / 2.0), figure.x.share(x + width / 2.0), figure.y.share(y));
        let step = move |index: u32| left + (right - left) * f64::from(index) / f64::from(BAR_STEPS);
        (0..BAR_STEPS).flat_map(move |index| [(step(index), 0.0), (step(index), top), (step(index + 1), top), (step(index + 1), 0.0)])
    };
    series.points.iter().flat_map(bar).collect()
}

fn across(figure: &Figure, at: f64, is_on_x: bool) -> [(f64, f64); 2] {
    if is_on_x {
        let x = figure.x.share(at);
        [(x, 0.0), (x, 1.0)]
    } else {
        let y = figure.y.share(at);
        [(0.0, y), (1.0, y)]
    }
}
