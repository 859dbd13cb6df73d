//! A pad to draw on with the mouse or a finger: what is drawn becomes a small grey picture file, which is what the model is asked about.

use std::collections::VecDeque;
use std::path::PathBuf;

use eframe::egui::{Color32, Pos2, Sense, Stroke, StrokeKind, Ui, WidgetInfo, accesskit::Role, pos2};
use image::{GrayImage, Luma};

use super::square;
use crate::background::Latest;
use crate::theme;

/// Width of the pen as a share of the pad.
const PEN: f32 = 0.09;

#[derive(Debug, Default)]
pub struct Pad {
    /// Points within the unit square.
    strokes: Vec<Vec<Pos2>>,
    /// Counts changes, so that the newest drawing wins.
    revision: u64,
    folder: Option<tempfile::TempDir>,
    file: Latest<u64, Option<PathBuf>>,
    /// The newest drawings written, the very newest last. The one before may still be in a prediction's hands.
    written: VecDeque<PathBuf>,
}

/// Drawings kept on disk.
const KEPT: usize = 4;

impl Pad {
    pub fn clear(&mut self) {
        self.strokes.clear();
        self.revision += 1;
    }

    /// The file with the newest drawing that has been written.
    pub fn written(&self) -> Option<PathBuf> {
        self.written.back().cloned()
    }

    /// Draws the pad. True when there is a new drawing.
    pub fn ui(&mut self, ui: &mut Ui, side: f32, is_dark_on_light: bool) -> bool {
        let (rect, response) = ui.allocate_exact_size(square(side), Sense::drag());
        response.widget_info(|| WidgetInfo::labeled(Role::Canvas, true, "Drawing pad"));
        let (ground, pen) = if is_dark_on_light { (Color32::WHITE, Color32::BLACK) } else { (Color32::BLACK, Color32::WHITE) };
        let palette = theme::palette(ui);
        ui.painter().rect(rect, 8.0, ground, Stroke::new(1.0, palette.line), StrokeKind::Outside);
        if response.drag_started() {
            self.strokes.push(Vec::new());
        }
        if let (Some(position), Some(stroke)) = (response.interact_pointer_pos(), self.strokes.last_mut()) {
            let at = (position - rect.min) / side;
            let point = pos2(at.x.clamp(0.0, 1.0), at.y.clamp(0.0, 1.0));
            if response.dragged() && stroke.last() != Some(&point) {
                stroke.push(point);
                self.revision += 1;
            }
        }
        let painter = ui.painter().with_clip_rect(rect);
        for stroke in &self.strokes {
            let points: Vec<Pos2> = stroke.iter().map(|point| rect.min + point.to_vec2() * side).collect();
            for point in [points.first(), points.last()].into_iter().flatten() {
                painter.circle_filled(*point, PEN * side / 2.0, pen);
            }
            painter.line(points, Stroke::new(PEN * side, pen));
        }
        if self.strokes.is_empty() {
            ui.painter().text(
                rect.center(),
                eframe::egui::Align2::CENTER_CENTER,
                "draw here",
                eframe::egui::FontId::proportional(13.0),
                Color32::GRAY,
            );
        }
        self.write(ui, is_dark_on_light)
    }

    fn write(&mut self, ui: &Ui, is_dark_on_light: bool) -> bool {
        if self.strokes.is_empty() {
            self.written.clear();
            return false;
        }
        if self.folder.is_none() {
            self.folder = tempfile::tempdir().ok();
        }
        let Some(folder) = &self.folder else { return false };
        let path = folder.path().join(format!("drawing-{}.png", self.revision));
        let strokes = self.strokes.clone();
        let written = self.file.get(ui.ctx(), &self.revision, move |_| {
            let picture = rasterised(&strokes, is_dark_on_light);
            picture.save(&path).ok().map(|()| path)
        });
        let Some(Some(path)) = written else { return false };
        let is_new = self.written.back() != Some(path);
        if is_new {
            self.written.push_back(path.clone());
            if self.written.len() > KEPT
                && let Some(old) = self.written.pop_front()
            {
                // What can't be removed now goes with the folder.
                let _ = std::fs::remove_file(old);
            }
        }
        is_new
    }
}

/// The strokes as a grey picture, with soft edges.
fn rasterised(strokes: &[Vec<Pos2>], is_dark_on_light: bool) -> GrayImage {
    const PIXELS: u16 = 112;
    let side = f32::from(PIXELS);
    let mut distances = vec![f32::INFINITY; usize::from(PIXELS) * usize::from(PIXELS)];
    for stroke in strokes {
        let segments = stroke.windows(2).map(|pair| (pair[0], pair[1])).chain(stroke.first().map(|&point| (point, point)));
        for (from, to) in segments {
            for (index, distance) in distances.iter_mut().enumerate() {
                let pixel = pos2((index % usize::from(PIXELS)) as f32 + 0.5, (index / usize::from(PIXELS)) as f32 + 0.5) / side;
                *distance = distance.min(distance_to_segment(pixel, from, to));
            }
        }
    }
    let ink = |distance: f32| ((PEN / 2.0 - distance) * side + 0.5).clamp(0.0, 1.0);
    GrayImage::from_fn(u32::from(PIXELS), u32::from(PIXELS), |x, y| {
        let distance = distances.get(y as usize * usize::from(PIXELS) + x as usize).copied().unwrap_or(f32::INFINITY);
        let light = (ink(distance) * 255.0).round() as u8;
        Luma([if is_dark_on_light { 255 - light } else { light }])
    })
}

fn distance_to_segment(point: Pos2, from: Pos2, to: Pos2) -> f32 {
    let along = to - from;
    let length_squared = along.length_sq();
    let share = if length_squared > 0.0 { ((point - from).dot(along) / length_squared).clamp(0.0, 1.0) } else { 0.0 };
    (point - (from + along * share)).length()
}
