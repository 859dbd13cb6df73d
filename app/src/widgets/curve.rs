//! A figure on the screen: a small line plot with the present point marked and a read-out on hover.

use drydock_core::format;
use drydock_core::report::Figure;
use eframe::egui::{Align2, FontId, Pos2, Rect, Sense, Stroke, Ui, WidgetInfo, accesskit::Role, pos2, remap, vec2};

use crate::theme;

/// Draws a figure over the width that there is; returns where. Its title, which stands elsewhere, is its accessible name.
pub fn ui(ui: &mut Ui, figure: &Figure, height: f32) -> Rect {
    const AXIS_HEIGHT: f32 = 18.0;
    let palette = theme::palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Figure, true, &figure.title));
    let (first, last) = figure.x.range;
    let (low, high) = figure.y.range;
    let labels = FontId::proportional(11.0);
    let axis = [format::number(high), format::number(low)];
    let gutter = axis.iter().map(String::len).max().unwrap_or(0) as f32 * 6.5 + theme::STEP;
    let plot = Rect::from_min_max(rect.min + vec2(gutter, 6.0), rect.max - vec2(theme::SMALL_GAP, AXIS_HEIGHT));
    let place = |(x, y): (f64, f64)| {
        pos2(
            remap(x, first..=last.max(first + f64::MIN_POSITIVE), f64::from(plot.left())..=f64::from(plot.right())) as f32,
            remap(y, low..=high.max(low + f64::MIN_POSITIVE), f64::from(plot.bottom())..=f64::from(plot.top())) as f32,
        )
    };

    let painter = ui.painter();
    let grid = Stroke::new(1.0, palette.line);
    for (text, y) in axis.iter().zip([plot.top(), plot.bottom()]) {
        painter.hline(plot.x_range(), y, grid);
        painter.text(pos2(plot.left() - theme::STEP, y), Align2::RIGHT_CENTER, text, labels.clone(), palette.weak_text);
    }
    for (x, align) in [(first, Align2::LEFT_TOP), (last, Align2::RIGHT_TOP)] {
        let at = if align == Align2::LEFT_TOP { plot.left_bottom() } else { plot.right_bottom() };
        painter.text(at + vec2(0.0, theme::STEP), align, format::number(x), labels.clone(), palette.weak_text);
    }
    painter.text(plot.center_bottom() + vec2(0.0, theme::STEP), Align2::CENTER_TOP, figure.x.label(), labels, palette.weak_text);
    let line: Vec<Pos2> = figure.series.iter().take(1).flat_map(|series| &series.points).map(|&point| place(point)).collect();
    painter.line(line, Stroke::new(2.0, palette.accent));
    if let Some(now) = figure.now() {
        let at = place(now);
        painter.vline(at.x, plot.y_range(), Stroke::new(1.0, palette.weak_text));
        painter.circle(at, 4.0, palette.accent, Stroke::new(2.0, palette.ground));
    }

    if let Some(pointer) = response.hover_pos().filter(|pointer| plot.x_range().contains(pointer.x)) {
        let x = remap(f64::from(pointer.x), f64::from(plot.left())..=f64::from(plot.right()), first..=last);
        let Some(y) = figure.series.first().and_then(|series| series.y_at(x)) else { return rect };
        ui.painter().circle_stroke(place((x, y)), 3.5, Stroke::new(1.5, palette.text));
        response.on_hover_text_at_pointer(format!("{} → {}", format::number(x), format::number(y)));
    }
    rect
}
