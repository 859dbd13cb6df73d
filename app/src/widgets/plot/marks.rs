//! How series look: lines in dashes of their own, points in shapes of their own, bars that let those behind them through.

use drydock_core::report::{Series, SeriesKind};
use eframe::egui::{Color32, CornerRadius, Painter, Pos2, Rect, Shape, Stroke, StrokeKind, pos2, vec2};

use super::Canvas;

const LINE_WIDTH: f32 = 2.0;
const POINT_RADIUS: f32 = 3.5;

/// Draws a series. What is no number has no place and is left out; a line breaks there.
pub fn series(canvas: &Canvas<'_>, index: usize, series: &Series) {
    let colour = canvas.colour(index);
    let is_finite = |&(x, y): &(f64, f64)| x.is_finite() && y.is_finite();
    match series.kind {
        SeriesKind::Line => {
            for run in series.points.split(|point| !is_finite(point)) {
                let path: Vec<Pos2> = run.iter().map(|&point| canvas.place(point)).collect();
                match path.as_slice() {
                    [] => {}
                    [only] => point(&canvas.painter, *only, POINT_RADIUS, 0, colour),
                    _ => line(&canvas.painter, &path, index, colour),
                }
            }
        }
        SeriesKind::Points => {
            for &place in series.points.iter().filter(|point| is_finite(point)) {
                point(&canvas.painter, canvas.place(place), POINT_RADIUS, index, colour);
            }
        }
        SeriesKind::Bars { width } => {
            for &place in series.points.iter().filter(|point| is_finite(point)) {
                bar(&canvas.painter, bar_rect(canvas, place, width), index, colour);
            }
        }
    }
}

/// The place of a bar, from the foot of the figure.
pub fn bar_rect(canvas: &Canvas<'_>, (x, y): (f64, f64), width: f64) -> Rect {
    let (left, right) = (canvas.x(x - width / 2.0), canvas.x(x + width / 2.0));
    Rect::from_min_max(pos2(left, canvas.y(y)), pos2((right - 1.0).max(left + 1.0), canvas.plot.bottom()))
}

/// A series' shape in small, beside its name.
pub fn swatch(painter: &Painter, rect: Rect, kind: SeriesKind, index: usize, colour: Color32) {
    match kind {
        SeriesKind::Line => line(painter, &[rect.left_center(), rect.right_center()], index, colour),
        SeriesKind::Points => point(painter, rect.center(), POINT_RADIUS + 0.5, index, colour),
        SeriesKind::Bars { .. } => bar(painter, Rect::from_center_size(rect.center(), vec2(10.0, 10.0)), index, colour),
    }
}

/// The first line is whole, the others are broken, each in its way.
fn line(painter: &Painter, path: &[Pos2], index: usize, colour: Color32) {
    let stroke = Stroke::new(LINE_WIDTH, colour);
    let (dashes, gaps): (&[f32], &[f32]) = match index % 4 {
        0 => {
            painter.line(path.to_vec(), stroke);
            return;
        }
        1 => (&[8.0], &[4.0]),
        2 => (&[2.0], &[4.0]),
        _ => (&[8.0, 2.0], &[4.0, 4.0]),
    };
    painter.extend(Shape::dashed_line_with_offset(path, stroke, dashes, gaps, 0.0));
}

/// Circles first, then square, triangle, diamond, saltire and cross.
fn point(painter: &Painter, at: Pos2, radius: f32, index: usize, colour: Color32) {
    let fill = colour.gamma_multiply(0.85);
    let polygon =
        |corners: &[(f32, f32)]| Shape::convex_polygon(corners.iter().map(|&(x, y)| at + vec2(x, y) * radius).collect(), fill, Stroke::NONE);
    let stroke = |from: (f32, f32), to: (f32, f32)| {
        Shape::line_segment([at + vec2(from.0, from.1) * radius, at + vec2(to.0, to.1) * radius], Stroke::new(LINE_WIDTH, colour))
    };
    match index % 6 {
        0 => {
            painter.circle_filled(at, radius, fill);
        }
        1 => {
            painter.add(polygon(&[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]));
        }
        2 => {
            painter.add(polygon(&[(0.0, -1.2), (1.1, 0.9), (-1.1, 0.9)]));
        }
        3 => {
            painter.add(polygon(&[(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)]));
        }
        4 => painter.extend([stroke((-1.0, -1.0), (1.0, 1.0)), stroke((-1.0, 1.0), (1.0, -1.0))]),
        _ => painter.extend([stroke((-1.2, 0.0), (1.2, 0.0)), stroke((0.0, -1.2), (0.0, 1.2))]),
    }
}

/// The first bars are filled, those over them little more than outlined.
fn bar(painter: &Painter, rect: Rect, index: usize, colour: Color32) {
    let fill = colour.gamma_multiply(if index == 0 { 0.8 } else { 0.2 });
    painter.rect_filled(rect, CornerRadius::ZERO, fill);
    if index > 0 {
        painter.rect_stroke(rect, CornerRadius::ZERO, Stroke::new(1.5, colour), StrokeKind::Inside);
    }
}
