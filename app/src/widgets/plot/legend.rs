//! The names of the series beside the shapes that they are drawn in, so that colour alone tells nothing apart.

use std::sync::Arc;

use drydock_core::report::Figure;
use eframe::egui::text::{LayoutJob, TextFormat};
use eframe::egui::{Galley, Pos2, Rect, Ui, Vec2, pos2, vec2};

use super::{Canvas, LINE, marks, small};
use crate::theme;

/// Width of a shape beside its name.
const SWATCH: f32 = 18.0;
/// Longer names are cut.
const NAME_WIDTH: f32 = 240.0;

pub struct Legend {
    /// Where each name begins, its shape before it.
    entries: Vec<(Pos2, Arc<Galley>)>,
    left_top: Pos2,
    n_lines: u8,
}

impl Legend {
    /// Lays out the names at the right of the line that the name of the y axis begins, or on lines of their own where that is too short.
    pub fn new(ui: &Ui, figure: &Figure, left_top: Pos2, width: f32, taken: f32) -> Self {
        let mut legend = Self { entries: Vec::new(), left_top, n_lines: 0 };
        if !figure.has_legend() {
            return legend;
        }
        let color = theme::palette(ui).text;
        let names: Vec<Arc<Galley>> = figure.series.iter().map(|series| name(ui, &series.name, TextFormat::simple(small(), color))).collect();
        let wide = |galley: &Arc<Galley>| SWATCH + theme::STEP + galley.size().x + theme::GAP;
        let total: f32 = names.iter().map(wide).sum::<f32>() - theme::GAP;
        let is_beside = taken + total <= width;
        let start = if is_beside { width - total } else { 0.0 };
        let (mut x, mut line) = (start, 0_u8);
        for galley in names {
            if x > start && x + wide(&galley) - theme::GAP > width {
                (x, line) = (start, line.saturating_add(1));
            }
            let at = left_top + vec2(x + SWATCH + theme::STEP, f32::from(line) * LINE + (LINE - galley.size().y) / 2.0);
            x += wide(&galley);
            legend.entries.push((at, galley));
        }
        legend.n_lines = if is_beside { 0 } else { line.saturating_add(1) };
        legend
    }

    /// With the line of the y axis' name.
    pub fn height(&self) -> f32 {
        f32::from(self.n_lines) * LINE + LINE
    }

    pub fn y_name_at(&self) -> Pos2 {
        self.left_top + vec2(0.0, f32::from(self.n_lines) * LINE + 2.0)
    }

    pub fn paint(&self, canvas: &Canvas<'_>) {
        for (index, ((at, galley), series)) in self.entries.iter().zip(&canvas.figure.series).enumerate() {
            let center = pos2(at.x - theme::STEP - SWATCH / 2.0, at.y + galley.size().y / 2.0);
            let rect = Rect::from_center_size(center, Vec2::new(SWATCH, LINE));
            marks::swatch(&canvas.painter, rect, series.kind, index, canvas.colour(index));
            canvas.painter.galley(*at, Arc::clone(galley), canvas.palette.text);
        }
    }
}

fn name(ui: &Ui, text: &str, format: TextFormat) -> Arc<Galley> {
    let mut job = LayoutJob::single_section(text.to_owned(), format);
    job.wrap = eframe::egui::text::TextWrapping::truncate_at_width(NAME_WIDTH);
    ui.painter().layout_job(job)
}
