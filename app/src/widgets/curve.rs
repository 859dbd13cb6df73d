//! A small line plot: one value over one column, with the present point marked and a read-out on hover.

use std::ops::RangeInclusive;

use drydock_core::format;
use eframe::egui::{Align2, FontId, Pos2, Rect, Sense, Stroke, Ui, WidgetInfo, accesskit::Role, pos2, remap, vec2};

use crate::theme;

pub struct Curve<'a> {
    /// What the picture says, for those who do not see it.
    pub name: &'a str,
    /// Stands below the axis: the column and its unit.
    pub x_name: &'a str,
    /// `(x, y)` with ascending x.
    pub points: &'a [(f64, f64)],
    pub y_range: RangeInclusive<f64>,
    /// Where we are now.
    pub x_now: Option<f64>,
}

impl Curve<'_> {
    pub fn ui(&self, ui: &mut Ui, height: f32) {
        const AXIS_HEIGHT: f32 = 18.0;
        let palette = theme::palette(ui);
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Figure, true, self.name));
        let (Some(first), Some(last)) = (self.points.first(), self.points.last()) else { return };
        let labels = FontId::proportional(11.0);
        let (low, high) = (*self.y_range.start(), *self.y_range.end());
        let axis = [format::number(high), format::number(low)];
        let gutter = axis.iter().map(String::len).max().unwrap_or(0) as f32 * 6.5 + theme::STEP;
        let plot = Rect::from_min_max(rect.min + vec2(gutter, 6.0), rect.max - vec2(theme::SMALL_GAP, AXIS_HEIGHT));
        let place = |(x, y): (f64, f64)| {
            pos2(
                remap(x, first.0..=last.0.max(first.0 + f64::MIN_POSITIVE), f64::from(plot.left())..=f64::from(plot.right())) as f32,
                remap(y, low..=high.max(low + f64::MIN_POSITIVE), f64::from(plot.bottom())..=f64::from(plot.top())) as f32,
            )
        };

        let painter = ui.painter();
        let grid = Stroke::new(1.0, palette.line);
        for (text, y) in axis.iter().zip([plot.top(), plot.bottom()]) {
            painter.hline(plot.x_range(), y, grid);
            painter.text(pos2(plot.left() - theme::STEP, y), Align2::RIGHT_CENTER, text, labels.clone(), palette.weak_text);
        }
        for ((x, _), align) in [(first, Align2::LEFT_TOP), (last, Align2::RIGHT_TOP)] {
            let at = if align == Align2::LEFT_TOP { plot.left_bottom() } else { plot.right_bottom() };
            painter.text(at + vec2(0.0, theme::STEP), align, format::number(*x), labels.clone(), palette.weak_text);
        }
        painter.text(plot.center_bottom() + vec2(0.0, theme::STEP), Align2::CENTER_TOP, self.x_name, labels, palette.weak_text);
        let line: Vec<Pos2> = self.points.iter().map(|&point| place(point)).collect();
        painter.line(line, Stroke::new(2.0, palette.accent));
        if let Some(x) = self.x_now {
            let y = interpolate(self.points, x);
            let at = place((x.clamp(first.0, last.0), y));
            painter.vline(at.x, plot.y_range(), Stroke::new(1.0, palette.weak_text));
            painter.circle(at, 4.0, palette.accent, Stroke::new(2.0, palette.ground));
        }

        if let Some(pointer) = response.hover_pos().filter(|pointer| plot.x_range().contains(pointer.x)) {
            let x = remap(f64::from(pointer.x), f64::from(plot.left())..=f64::from(plot.right()), first.0..=last.0);
            let at = place((x, interpolate(self.points, x)));
            painter.circle_stroke(at, 3.5, Stroke::new(1.5, palette.text));
            response.on_hover_text_at_pointer(format!("{} → {}", format::number(x), format::number(interpolate(self.points, x))));
        }
    }
}

/// The value at `x` on the straight lines between the points.
fn interpolate(points: &[(f64, f64)], x: f64) -> f64 {
    let after = points.partition_point(|point| point.0 < x);
    match (after.checked_sub(1).and_then(|before| points.get(before)), points.get(after)) {
        (Some(before), Some(after)) if after.0 > before.0 => before.1 + (after.1 - before.1) * (x - before.0) / (after.0 - before.0),
        (_, Some(point)) | (Some(point), None) => point.1,
        (None, None) => 0.0,
    }
}
