//! Icons as lines on a grid of 16: they follow the colour of the text and are sharp at every scale.

use std::f32::consts::TAU;

use eframe::egui::emath::GuiRounding as _;
use eframe::egui::{Atom, Button, Color32, CornerRadius, Painter, Pos2, Rect, Response, Stroke, StrokeKind, Ui, Vec2, pos2, vec2};

use crate::theme;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    Models,
    Inspect,
    Predict,
    Score,
    Profile,
    Compare,
    Jobs,
    Commands,
    Help,
    Light,
    Dark,
    Copy,
    Save,
    Close,
    Folder,
    Run,
    Stop,
    Chip,
    Picture,
    Package,
    /// Opens a menu.
    Chevron,
}

/// Side of an icon in points.
pub const SIZE: f32 = 16.0;

impl Icon {
    /// The icon as part of a button, in the colour of its text.
    pub fn atom<'a>(self) -> Atom<'a> {
        Atom::paint(Vec2::splat(SIZE), move |ui, args| self.paint(ui.painter(), args.rect, args.fallback_text_color))
    }

    /// Draws the icon in the middle of `rect`.
    pub fn paint(self, painter: &Painter, rect: Rect, color: Color32) {
        let origin = rect.center() - Vec2::splat(SIZE / 2.0);
        let pen = Pen { painter, origin: origin.round_to_pixels(painter.pixels_per_point()), stroke: Stroke::new(1.4, color) };
        match self {
            Self::Models => {
                pen.line(&[(8.0, 1.5), (14.0, 4.75), (8.0, 8.0), (2.0, 4.75), (8.0, 1.5)]);
                pen.line(&[(2.0, 8.25), (8.0, 11.5), (14.0, 8.25)]);
                pen.line(&[(2.0, 11.5), (8.0, 14.75), (14.0, 11.5)]);
            }
            Self::Inspect => {
                pen.circle((7.0, 7.0), 4.75);
                pen.line(&[(10.5, 10.5), (14.5, 14.5)]);
            }
            Self::Predict => {
                for (y, x) in [(3.5, 10.5), (8.0, 5.0), (12.5, 9.0)] {
                    pen.line(&[(1.5, y), (x - 2.0, y)]);
                    pen.line(&[(x + 2.0, y), (14.5, y)]);
                    pen.circle((x, y), 1.75);
                }
            }
            Self::Score => {
                pen.rect((2.0, 2.5), (12.0, 11.0));
                pen.line(&[(2.0, 6.25), (14.0, 6.25)]);
                pen.line(&[(8.0, 6.25), (8.0, 13.5)]);
            }
            // A dial.
            Self::Profile => {
                pen.arc((8.0, 10.0), 6.5, 0.5, 1.0);
                pen.line(&[(1.5, 10.0), (1.5, 12.5), (14.5, 12.5), (14.5, 10.0)]);
                pen.line(&[(8.0, 10.0), (11.25, 6.25)]);
            }
            // A balance.
            Self::Compare => {
                pen.line(&[(8.0, 2.0), (8.0, 13.5)]);
                pen.line(&[(5.0, 13.5), (11.0, 13.5)]);
                pen.line(&[(3.5, 4.0), (12.5, 4.0)]);
                pen.line(&[(1.25, 9.5), (3.5, 4.5), (5.75, 9.5), (1.25, 9.5)]);
                pen.line(&[(10.25, 9.5), (12.5, 4.5), (14.75, 9.5), (10.25, 9.5)]);
            }
            Self::Jobs => {
                pen.circle((8.0, 8.0), 6.0);
                pen.line(&[(8.0, 4.5), (8.0, 8.0), (10.75, 9.75)]);
            }
            Self::Commands => {
                pen.line(&[(3.0, 4.0), (7.0, 8.0), (3.0, 12.0)]);
                pen.line(&[(8.5, 12.5), (13.5, 12.5)]);
            }
            Self::Help => {
                pen.arc((8.0, 5.75), 2.75, -0.5, 0.2);
                pen.line(&[(9.0, 8.25), (8.0, 9.25), (8.0, 10.5)]);
                pen.dot((8.0, 13.25));
            }
            Self::Light => {
                pen.circle((8.0, 8.0), 3.0);
                for step in 0_u8..8 {
                    let (sin, cos) = (f32::from(step) * TAU / 8.0).sin_cos();
                    pen.line(&[(8.0 + 5.0 * cos, 8.0 + 5.0 * sin), (8.0 + 6.75 * cos, 8.0 + 6.75 * sin)]);
                }
            }
            Self::Dark => {
                pen.arc((7.75, 8.25), 5.75, 0.02, 0.73);
                pen.arc((11.25, 4.75), 5.0, 0.235, 0.515);
            }
            Self::Copy => {
                pen.rect((5.5, 5.5), (8.5, 8.5));
                pen.line(&[(10.5, 5.5), (10.5, 2.0), (2.0, 2.0), (2.0, 10.5), (5.5, 10.5)]);
            }
            Self::Save => {
                pen.line(&[(8.0, 2.0), (8.0, 10.0)]);
                pen.line(&[(4.75, 6.75), (8.0, 10.0), (11.25, 6.75)]);
                pen.line(&[(2.0, 10.5), (2.0, 14.0), (14.0, 14.0), (14.0, 10.5)]);
            }
            Self::Close => {
                pen.line(&[(4.0, 4.0), (12.0, 12.0)]);
                pen.line(&[(12.0, 4.0), (4.0, 12.0)]);
            }
            Self::Folder => {
                pen.line(&[(1.75, 13.0), (1.75, 3.0), (6.25, 3.0), (7.75, 5.0), (14.25, 5.0), (14.25, 13.0), (1.75, 13.0)]);
            }
            Self::Run => pen.line(&[(4.5, 2.75), (13.0, 8.0), (4.5, 13.25), (4.5, 2.75)]),
            Self::Stop => pen.rect((4.0, 4.0), (8.0, 8.0)),
            Self::Chip => {
                pen.rect((4.0, 4.0), (8.0, 8.0));
                for at in [6.25, 9.75] {
                    pen.line(&[(at, 1.5), (at, 4.0)]);
                    pen.line(&[(at, 12.0), (at, 14.5)]);
                    pen.line(&[(1.5, at), (4.0, at)]);
                    pen.line(&[(12.0, at), (14.5, at)]);
                }
            }
            Self::Chevron => pen.line(&[(4.5, 6.5), (8.0, 10.0), (11.5, 6.5)]),
            Self::Package => {
                pen.line(&[(2.0, 5.0), (8.0, 2.0), (14.0, 5.0), (14.0, 11.5), (8.0, 14.5), (2.0, 11.5), (2.0, 5.0), (8.0, 8.0), (14.0, 5.0)]);
                pen.line(&[(8.0, 8.0), (8.0, 14.5)]);
            }
            Self::Picture => {
                pen.rect((1.75, 2.75), (12.5, 10.5));
                pen.line(&[(2.0, 11.5), (6.0, 7.5), (9.0, 10.5), (11.0, 8.75), (14.0, 11.5)]);
                pen.circle((10.75, 5.75), 1.0);
            }
        }
    }
}

/// A button that is only an icon; `name` is its accessible name and its tooltip.
pub fn icon_button(ui: &mut Ui, icon: Icon, name: &str) -> Response {
    let button = Button::new(icon.atom()).frame_when_inactive(false);
    ui.add(button).accessible_name(name).on_hover_text(name)
}

/// An icon as part of a line of text.
pub fn inline(ui: &mut Ui, icon: Icon, color: Color32) {
    let (_, rect) = ui.allocate_space(Vec2::splat(SIZE));
    icon.paint(ui.painter(), rect, color);
}

/// A button with an icon before its text.
pub fn button(icon: Icon, text: &str) -> Button<'_> {
    Button::new((icon.atom(), text))
}

/// The one button of a view that does what the view is for: filled with the accent.
pub fn primary_button<'a>(ui: &Ui, icon: Icon, text: &str) -> Button<'a> {
    let palette = theme::palette(ui);
    let color = palette.on_accent;
    let symbol = Atom::paint(Vec2::splat(SIZE), move |ui, args| icon.paint(ui.painter(), args.rect, color));
    Button::new((symbol, theme::strong(text).color(color))).fill(palette.accent).stroke(Stroke::NONE)
}

struct Pen<'a> {
    painter: &'a Painter,
    origin: Pos2,
    stroke: Stroke,
}

impl Pen<'_> {
    fn at(&self, (x, y): (f32, f32)) -> Pos2 {
        self.origin + vec2(x, y)
    }

    fn line(&self, points: &[(f32, f32)]) {
        self.painter.line(points.iter().map(|&point| self.at(point)).collect(), self.stroke);
    }

    fn circle(&self, center: (f32, f32), radius: f32) {
        self.painter.circle_stroke(self.at(center), radius, self.stroke);
    }

    fn dot(&self, center: (f32, f32)) {
        self.painter.circle_filled(self.at(center), 1.0, self.stroke.color);
    }

    fn rect(&self, corner: (f32, f32), (width, height): (f32, f32)) {
        let rect = Rect::from_min_size(self.at(corner), vec2(width, height));
        self.painter.rect_stroke(rect, CornerRadius::same(2), self.stroke, StrokeKind::Middle);
    }

    /// Part of a circle, from and to in turns, clockwise from the right.
    fn arc(&self, center: (f32, f32), radius: f32, from: f32, to: f32) {
        const SEGMENTS: u8 = 24;
        let center = self.at(center);
        let points = (0..=SEGMENTS).map(|step| {
            let turn = from + (to - from) * f32::from(step) / f32::from(SEGMENTS);
            let (sin, cos) = (turn * TAU).sin_cos();
            pos2(center.x + radius * cos, center.y + radius * sin)
        });
        self.painter.line(points.collect(), self.stroke);
    }
}
