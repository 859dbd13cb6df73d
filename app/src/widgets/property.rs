//! Names with their values: tiles of figures, lists of facts.

use eframe::egui::accesskit::Role;
use eframe::egui::{Align, Color32, FontId, Label, Layout, Response, RichText, Sense, Stroke, StrokeKind, Ui, UiBuilder, Vec2, WidgetInfo};

use crate::theme;

/// A figure with its name above it; `exact` shows on hover.
pub struct Tile<'a> {
    pub name: &'a str,
    pub value: String,
    pub exact: String,
}

/// Tiles side by side, of one width, in as many rows as the window needs.
pub fn tiles(ui: &mut Ui, tiles: &[Tile<'_>]) {
    const LEAST_WIDTH: f32 = 116.0;
    let gap = theme::SMALL_GAP;
    let fitting = ((ui.available_width() + gap) / (LEAST_WIDTH + gap)).floor().max(1.0) as usize;
    // Two full rows look better than one full row and a rest.
    let per_row = tiles.len().div_ceil(tiles.len().div_ceil(fitting).max(1)).max(1);
    let width = (ui.available_width() + gap) / per_row as f32 - gap;
    for row in tiles.chunks(per_row) {
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = gap;
            for tile in row {
                tile_ui(ui, tile, width);
            }
        });
    }
}

fn tile_ui(ui: &mut Ui, tile: &Tile<'_>, width: f32) -> Response {
    const HEIGHT: f32 = 58.0;
    let palette = theme::palette(ui);
    let (rect, response) = ui.allocate_exact_size(Vec2::new(width, HEIGHT), Sense::hover());
    ui.painter().rect(rect, theme::STEP * 2.0, palette.surface, Stroke::new(1.0, palette.line), StrokeKind::Inside);
    let mut content = ui.new_child(UiBuilder::new().max_rect(rect.shrink2(Vec2::new(12.0, 9.0))).layout(Layout::top_down(Align::Min)));
    content.spacing_mut().item_spacing.y = 3.0;
    content.add(Label::new(theme::caption(&content, tile.name)).truncate());
    content.add(Label::new(theme::strong(&tile.value).size(17.0)).truncate());
    if tile.exact.is_empty() { response } else { response.on_hover_text(&tile.exact) }
}

/// A line "name … value" whose value is right-aligned and can be read in full on hover.
pub fn fact(ui: &mut Ui, name: &str, value: &str) {
    fact_line(ui, name, |ui| {
        ui.add(Label::new(value).truncate().sense(Sense::hover())).on_hover_text(value);
    });
}

/// A line "name … value" whose value is drawn by the caller, from the right.
pub fn fact_line(ui: &mut Ui, name: &str, add_value: impl FnOnce(&mut Ui)) {
    ui.scope(|ui| {
        ui.spacing_mut().interact_size.y = 20.0;
        ui.horizontal(|ui| {
            ui.label(RichText::new(name).color(theme::palette(ui).weak_text));
            ui.with_layout(Layout::right_to_left(Align::Center), add_value);
        });
    });
}

/// A small rounded word: a kind, a state.
pub fn badge(ui: &mut Ui, text: &str, color: Color32) -> Response {
    const HEIGHT: f32 = 20.0;
    let galley = ui.painter().layout_no_wrap(text.to_owned(), FontId::proportional(12.0), color);
    let (rect, response) = ui.allocate_exact_size(Vec2::new(galley.size().x + 2.0 * theme::SMALL_GAP, HEIGHT), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    ui.painter().rect_filled(rect, HEIGHT / 2.0, color.gamma_multiply(0.16));
    ui.painter().galley(rect.center() - galley.size() / 2.0, galley, color);
    response
}
