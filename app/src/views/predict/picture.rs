//! A picture for a model that takes one: dropped, chosen, or drawn here.

use std::path::{Path, PathBuf};

use drydock_core::contract::ImageInput;
use drydock_core::predict::PredictRequest;
use eframe::egui::{ColorImage, Sense, Stroke, StrokeKind, TextureHandle, TextureOptions, Ui, Vec2, load::SizedTexture, vec2};

use self::pad::Pad;
use crate::action::Action;
use crate::background::Latest;
use crate::files::Purpose;
use crate::panels::drop_overlay::is_picture_path;
use crate::theme;
use crate::view_context::ViewContext;
use crate::widgets::icon::{self, Icon};
use crate::widgets::message;
use crate::widgets::path_field::PathField;
use drydock_core::format::file_name;

mod pad;

/// Side of the picture shown.
const SIDE: f32 = 280.0;

#[derive(Default)]
pub struct PicturePane {
    path: PathField,
    shown: Option<PathBuf>,
    decoded: Latest<PathBuf, Result<ColorImage, String>>,
    texture: Option<(PathBuf, TextureHandle)>,
    pad: Pad,
    /// The pad was touched last, not the file.
    is_drawing: bool,
}

impl std::fmt::Debug for PicturePane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PicturePane").field("shown", &self.shown).field("is_drawing", &self.is_drawing).finish_non_exhaustive()
    }
}

impl PicturePane {
    pub fn show(&mut self, path: PathBuf) {
        self.path.text = path.display().to_string();
        self.shown = Some(path);
        self.is_drawing = false;
    }

    /// What to predict, once there is something.
    pub fn request(&self) -> Option<PredictRequest> {
        let path = if self.is_drawing { self.pad.written() } else { self.shown.clone() };
        path.map(PredictRequest::Image)
    }

    pub fn ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>, image: &ImageInput) {
        let colors = if image.channels == 1 { "grey" } else { "colour" };
        ui.label(theme::caption(ui, format!("Resized to {} × {} pixels, {colors}, as the model wants it.", image.width, image.height)));
        ui.add_space(theme::STEP);
        ui.horizontal(|ui| {
            if ui.add(icon::button(Icon::Folder, "Choose a picture…")).clicked() {
                cx.outbox.send(Action::Choose(Purpose::Picture));
            }
            let field = self.path.ui(ui, "Path of a picture", "drop a PNG or JPEG, or type its path", is_picture_path);
            if let Some(path) = field.submitted {
                self.show(path);
            }
        });
        ui.add_space(theme::SMALL_GAP);
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = theme::LARGE_GAP;
            if image.channels == 1 {
                ui.vertical(|ui| {
                    ui.horizontal(|ui| {
                        ui.label(theme::section_title("Draw"));
                        if ui.button("Clear").clicked() {
                            self.pad.clear();
                        }
                    });
                    if self.pad.ui(ui, SIDE, image.invert) {
                        self.is_drawing = true;
                    }
                });
            }
            ui.vertical(|ui| {
                ui.horizontal(|ui| {
                    ui.set_min_height(theme::CONTROL_HEIGHT);
                    ui.label(theme::section_title(self.shown.as_deref().map_or_else(|| "File".to_owned(), file_name)));
                });
                self.preview(ui);
            });
        });
    }

    fn preview(&mut self, ui: &mut Ui) {
        let palette = theme::palette(ui);
        let Some(path) = self.shown.clone() else {
            let (rect, _) = ui.allocate_exact_size(Vec2::splat(SIDE), Sense::hover());
            ui.painter().rect(rect, 8.0, palette.surface, Stroke::new(1.0, palette.line), StrokeKind::Inside);
            Icon::Picture.paint(ui.painter(), rect, palette.weak_text);
            return;
        };
        let decoded = self.decoded.get(ui.ctx(), &path, |path| decode(path));
        match decoded {
            None => {
                ui.spinner();
            }
            Some(Err(error)) => message::field_error(ui, error),
            Some(Ok(picture)) => {
                if self.texture.as_ref().is_none_or(|(known, _)| *known != path) {
                    // A picture of a few pixels is shown with its pixels, not as a blur.
                    let options = if picture.width() < 128 { TextureOptions::NEAREST } else { TextureOptions::LINEAR };
                    self.texture = Some((path.clone(), ui.ctx().load_texture("picture", picture.clone(), options)));
                }
                if let Some((_, texture)) = &self.texture {
                    let size = texture.size_vec2();
                    let scale = (SIDE / size.x).min(SIDE / size.y);
                    let image = eframe::egui::Image::from_texture(SizedTexture::new(texture.id(), size * scale)).corner_radius(6.0);
                    ui.add(image.alt_text(file_name(&path)));
                }
            }
        }
    }
}

/// Reads a picture for the screen: no larger than the screen needs.
fn decode(path: &Path) -> Result<ColorImage, String> {
    const LARGEST: u32 = 1024;
    let picture = image::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let picture = if picture.width().max(picture.height()) > LARGEST { picture.thumbnail(LARGEST, LARGEST) } else { picture };
    let pixels = picture.to_rgba8();
    let size = [pixels.width() as usize, pixels.height() as usize];
    Ok(ColorImage::from_rgba_unmultiplied(size, pixels.as_raw()))
}

/// A square of `side` points.
fn square(side: f32) -> Vec2 {
    vec2(side, side)
}
