//! What the figure says under the pointer: the point next to it, or the height of every line and bar at that place.

use drydock_core::format;
use drydock_core::report::{Axis, Series, SeriesKind};
use eframe::egui::{Grid, Pos2, Response, RichText, Sense, Stroke, Ui, vec2};

use super::{Canvas, marks};
use crate::theme;

/// How far from a point the pointer may be to mean it.
const NEAR: f32 = 18.0;

pub fn ui(canvas: &Canvas<'_>, response: Response) {
    let Some(pointer) = response.hover_pos().filter(|pointer| canvas.plot.expand(NEAR / 2.0).contains(*pointer)) else { return };
    if let Some((index, series, point)) = nearest_point(canvas, pointer) {
        let Some(&place) = series.points.get(point) else { return };
        canvas.painter.circle_stroke(canvas.place(place), 6.0, Stroke::new(1.5, canvas.palette.text));
        let text = canvas.figure.describe(series, point);
        response.on_hover_ui_at_pointer(|ui| {
            ui.set_max_width(ui.spacing().tooltip_width);
            ui.horizontal(|ui| {
                if canvas.figure.has_legend() {
                    named(ui, canvas, index, series);
                }
                ui.label(text);
            });
        });
        return;
    }
    let x = canvas.x_at(pointer.x.clamp(canvas.plot.left(), canvas.plot.right()));
    let heights: Vec<(usize, &Series, f64)> = heights(canvas, x).collect();
    if heights.is_empty() {
        return;
    }
    for (_, series, y) in &heights {
        if series.kind == SeriesKind::Line {
            canvas.painter.circle_stroke(canvas.place((x, *y)), 3.5, Stroke::new(1.5, canvas.palette.text));
        }
    }
    response.on_hover_ui_at_pointer(|ui| heights_ui(ui, canvas, x, &heights));
}

/// The point that the pointer is on: index of its series, the series, index of the point.
fn nearest_point<'a>(canvas: &Canvas<'a>, pointer: Pos2) -> Option<(usize, &'a Series, usize)> {
    let series = canvas.figure.series.iter().enumerate().filter(|(_, series)| series.kind == SeriesKind::Points);
    let distances = series.flat_map(|(index, series)| {
        let places = series.points.iter().enumerate().filter(|(_, (x, y))| x.is_finite() && y.is_finite());
        places.map(move |(point, &place)| (canvas.place(place).distance(pointer), index, series, point))
    });
    let (_, index, series, point) = distances.filter(|(distance, ..)| *distance <= NEAR).min_by(|a, b| a.0.total_cmp(&b.0))?;
    Some((index, series, point))
}

/// How high lines and bars are at a place.
fn heights<'a>(canvas: &Canvas<'a>, x: f64) -> impl Iterator<Item = (usize, &'a Series, f64)> {
    let height = move |series: &Series| match series.kind {
        SeriesKind::Line => {
            let (first, last) = (series.points.first()?, series.points.last()?);
            series.y_at(x).filter(|y| y.is_finite() && x >= first.0 && x <= last.0)
        }
        SeriesKind::Bars { width } => series.points.iter().find(|(center, _)| (x - center).abs() <= width / 2.0).map(|(_, y)| *y),
        SeriesKind::Points => None,
    };
    canvas.figure.series.iter().enumerate().filter_map(move |(index, series)| Some((index, series, height(series)?)))
}

fn heights_ui(ui: &mut Ui, canvas: &Canvas<'_>, x: f64, heights: &[(usize, &Series, f64)]) {
    let figure = canvas.figure;
    if let ([(_, _, y)], false) = (heights, figure.has_legend()) {
        ui.label(format!("{} → {}", with_unit(&figure.x, x), with_unit(&figure.y, *y)));
        return;
    }
    ui.label(RichText::new(format!("{} {}", figure.x.name, with_unit(&figure.x, x))).color(canvas.palette.weak_text));
    Grid::new("heights").num_columns(2).spacing([theme::GAP, 2.0]).min_row_height(LINE).show(ui, |ui| {
        for (index, series, y) in heights {
            ui.horizontal(|ui| named(ui, canvas, *index, series));
            ui.label(with_unit(&figure.y, *y));
            ui.end_row();
        }
    });
}

const LINE: f32 = 18.0;

/// A series' shape and name.
fn named(ui: &mut Ui, canvas: &Canvas<'_>, index: usize, series: &Series) {
    let (rect, _) = ui.allocate_exact_size(vec2(LINE, LINE), Sense::hover());
    marks::swatch(ui.painter(), rect, series.kind, index, canvas.colour(index));
    ui.label(theme::strong(&series.name));
}

fn with_unit(axis: &Axis, value: f64) -> String {
    let number = format::number(value);
    axis.unit.as_ref().map_or_else(|| number.clone(), |unit| format!("{number} {unit}"))
}
