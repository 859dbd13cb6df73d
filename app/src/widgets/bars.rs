//! Shares as bars: probabilities, progress.

use drydock_core::format;
use eframe::egui::{Align2, CornerRadius, FontId, Rect, Sense, TextStyle, Ui, Vec2, WidgetInfo, accesskit::Role, vec2};

use crate::theme;

/// How far something has come, 0 to 1.
pub fn progress_bar(ui: &mut Ui, name: &str, fraction: f64, width: f32) {
    const HEIGHT: f32 = 8.0;
    let palette = theme::palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(width, HEIGHT), Sense::hover());
    response.widget_info(|| WidgetInfo { value: Some(fraction), ..WidgetInfo::labeled(Role::ProgressIndicator, true, name) });
    let radius = CornerRadius::same(4);
    ui.painter().rect_filled(rect, radius, palette.raised);
    let done = Rect::from_min_size(rect.min, vec2(width * fraction.clamp(0.0, 1.0) as f32, HEIGHT));
    ui.painter().rect_filled(done, radius, palette.accent);
}

/// One bar for each label, in the order given; the largest is the accent's. Bars glide to their new length.
pub fn probability_bars(ui: &mut Ui, probabilities: &[(String, f64)]) {
    let top = probabilities.iter().map(|(_, probability)| *probability).fold(f64::NEG_INFINITY, f64::max);
    for (label, probability) in probabilities {
        probability_bar(ui, label, *probability, *probability >= top);
    }
}

fn probability_bar(ui: &mut Ui, label: &str, probability: f64, is_top: bool) {
    const BAR_HEIGHT: f32 = 8.0;
    const TEXT_HEIGHT: f32 = 20.0;
    const GLIDE_SECONDS: f32 = 0.06;
    let palette = theme::palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), TEXT_HEIGHT + BAR_HEIGHT + theme::STEP), Sense::hover());
    let figure = format::probability(probability);
    response.widget_info(|| WidgetInfo::labeled(Role::Meter, true, format!("{label} {figure}")));
    let share = ui.ctx().animate_value_with_time(response.id, probability.clamp(0.0, 1.0) as f32, GLIDE_SECONDS);

    let font = if is_top { FontId::new(13.5, theme::strong_family()) } else { TextStyle::Body.resolve(ui.style()) };
    let figure_rect = ui.painter().text(rect.right_top(), Align2::RIGHT_TOP, &figure, font.clone(), palette.text);
    let text_rect = Rect::from_min_max(rect.min, figure_rect.right_bottom());
    let clipped = ui.painter().with_clip_rect(Rect::from_min_max(text_rect.min, figure_rect.left_bottom() - vec2(theme::SMALL_GAP, 0.0)));
    clipped.text(rect.left_top(), Align2::LEFT_TOP, label, font, palette.text);

    let rail = Rect::from_min_size(rect.left_top() + vec2(0.0, TEXT_HEIGHT), Vec2::new(rect.width(), BAR_HEIGHT));
    let radius = CornerRadius::same(4);
    ui.painter().rect_filled(rail, radius, palette.raised);
    if share > 0.0 {
        let bar = Rect::from_min_size(rail.min, vec2((rail.width() * share).max(2.0), BAR_HEIGHT));
        ui.painter().rect_filled(bar, radius, if is_top { palette.accent } else { palette.weak_text });
    }
    response.on_hover_text(format!("{label}: {probability}"));
}
