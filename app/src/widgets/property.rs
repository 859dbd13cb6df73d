//! Names with their values: tiles of figures, lists of facts.

use eframe::egui::{Align, Frame, Label, Layout, Margin, Response, RichText, Sense, Stroke, Ui, Vec2};

use crate::theme;

/// A figure with its name above it; `exact` shows on hover.
pub struct Tile<'a> {
    pub name: &'a str,
    pub value: String,
    pub exact: String,
}

/// Tiles side by side, wrapping as the window narrows.
pub fn tiles(ui: &mut Ui, tiles: &[Tile<'_>]) {
    const WIDTH: f32 = 124.0;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = Vec2::splat(theme::SMALL_GAP);
        for tile in tiles {
            tile_ui(ui, tile, WIDTH);
        }
    });
}

fn tile_ui(ui: &mut Ui, tile: &Tile<'_>, width: f32) -> Response {
    let palette = theme::palette(ui);
    let frame = Frame::new()
        .fill(palette.surface)
        .stroke(Stroke::new(1.0, palette.line))
        .corner_radius(theme::STEP * 2.0)
        .inner_margin(Margin::symmetric(12, 8));
    let size = Vec2::new(width, 60.0);
    let inner = ui.allocate_ui_with_layout(size, Layout::top_down(Align::Min), |ui| {
        frame.show(ui, |ui| {
            ui.set_min_size(size - Vec2::new(24.0, 16.0));
            ui.spacing_mut().item_spacing.y = 2.0;
            ui.label(theme::caption(ui, tile.name));
            ui.label(theme::strong(&tile.value).size(18.0));
        })
    });
    let response = inner.inner.response;
    if tile.exact.is_empty() { response } else { response.on_hover_text(&tile.exact) }
}

/// A line "name … value" whose value is right-aligned and can be read in full on hover.
pub fn fact(ui: &mut Ui, name: &str, value: &str) {
    ui.horizontal(|ui| {
        ui.label(RichText::new(name).color(theme::palette(ui).weak_text));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add(Label::new(value).truncate().sense(Sense::hover())).on_hover_text(value);
        });
    });
}

/// A small rounded word: a kind, a state.
pub fn badge(ui: &mut Ui, text: &str, color: eframe::egui::Color32) -> Response {
    let frame = Frame::new().fill(color.gamma_multiply(0.16)).corner_radius(theme::STEP * 2.5).inner_margin(Margin::symmetric(8, 2));
    frame.show(ui, |ui| ui.label(RichText::new(text).size(12.0).color(color))).response
}
