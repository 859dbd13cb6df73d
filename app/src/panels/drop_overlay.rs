//! Dropped files: what will happen, said while they hover, and then done.

use std::path::{Path, PathBuf};

use drydock_core::data::is_table_path;
use drydock_core::format::file_name;
use drydock_core::package::is_package;
use drydock_core::session::{State, Task};
use eframe::egui::accesskit::Role;
use eframe::egui::{Area, Color32, FontId, Id, Order, Rect, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo};

use crate::files::is_model_path;
use crate::theme;

/// What dropping a file does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    OpenModel(PathBuf),
    /// Scores the table at once, if there is a model.
    Score(PathBuf),
    /// Profiles on the table's rows from now on.
    Profile(PathBuf),
    /// Becomes version B.
    CompareWith(PathBuf),
    /// Becomes the table to compare on.
    CompareOn(PathBuf),
    Predict(PathBuf),
    /// Runs the test sets in a folder.
    Verify(PathBuf),
    /// Says whether a package's model does here what it did where it was packed.
    CheckPackage(PathBuf),
    /// Nothing that Drydock reads.
    Refuse(PathBuf),
}

impl Intent {
    /// What a file is for on the page that is shown.
    pub fn of(path: &Path, page: Task) -> Self {
        let path = path.to_owned();
        if is_model_path(&path) && page == Task::Compare {
            Self::CompareWith(path)
        } else if is_package(&path) {
            Self::CheckPackage(path)
        } else if is_model_path(&path) {
            Self::OpenModel(path)
        } else if is_picture_path(&path) {
            Self::Predict(path)
        } else if is_table_path(&path) && page == Task::Profile {
            Self::Profile(path)
        } else if is_table_path(&path) && page == Task::Compare {
            Self::CompareOn(path)
        } else if is_table_path(&path) {
            Self::Score(path)
        } else if path.is_dir() {
            Self::Verify(path)
        } else {
            Self::Refuse(path)
        }
    }

    /// What will happen, or why nothing will.
    pub fn sentence(&self, state: &State) -> String {
        let model = state.opened.as_ref().map(|opened| &opened.model);
        match self {
            Self::OpenModel(path) => format!("Open {}", file_name(path)),
            Self::Score(path) => match model {
                Some(model) => format!("Score {} with {}", file_name(path), model.title()),
                None => format!("Look at {} (open a model to score it)", file_name(path)),
            },
            Self::CompareWith(path) => format!("Compare with {}", crate::views::models::display_name(path)),
            Self::CompareOn(path) => format!("Compare on the rows of {}", file_name(path)),
            Self::Profile(path) => format!("Profile on the rows of {}", file_name(path)),
            Self::Predict(path) => match model {
                Some(model) if model.contract.image.is_some() => "Predict this picture".to_owned(),
                Some(model) => format!("{} takes no pictures, so {} can't be predicted", model.title(), file_name(path)),
                None => "Open a model that takes pictures first".to_owned(),
            },
            Self::Verify(path) => format!("Verify the test sets in {}", file_name(path)),
            Self::CheckPackage(path) => format!("Check whether {} does here what it did where it was packed", file_name(path)),
            Self::Refuse(path) => format!(
                "{} is no model (.onnx), package (.drydock), table (.csv, .parquet, …), picture (.png, .jpg) or folder of test sets",
                file_name(path)
            ),
        }
    }
}

/// Covers the window while files hover over it.
pub fn ui(ui: &Ui, state: &State, page: Task) {
    let hovered: Vec<PathBuf> = ui.input(|input| input.raw.hovered_files.iter().filter_map(|file| file.path.clone()).collect());
    let is_hovering = ui.input(|input| !input.raw.hovered_files.is_empty());
    if !is_hovering {
        return;
    }
    let text = match hovered.as_slice() {
        [] => "Drop it to open it".to_owned(),
        [path, ..] => Intent::of(path, page).sentence(state),
    };
    let rect = ui.ctx().content_rect();
    Area::new(Id::unique("drop")).order(Order::Tooltip).fixed_pos(rect.min).show(ui.ctx(), |ui| {
        let palette = theme::palette(ui);
        let response = ui.allocate_rect(rect, Sense::hover());
        let veil = if ui.visuals().dark_mode { Color32::from_black_alpha(190) } else { Color32::from_white_alpha(215) };
        ui.painter().rect_filled(rect, 0.0, veil);
        ui.painter().rect_stroke(rect.shrink(theme::GAP), 12.0, Stroke::new(2.0, palette.accent), StrokeKind::Inside);
        let galley = ui.painter().layout(text, FontId::new(20.0, theme::strong_family()), palette.text, rect.width() - 6.0 * theme::LARGE_GAP);
        let box_rect = Rect::from_center_size(rect.center(), galley.size() + Vec2::splat(2.0 * theme::LARGE_GAP));
        ui.painter().rect(box_rect, 12.0, palette.surface, Stroke::new(1.0, palette.line), StrokeKind::Inside);
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, galley.text()));
        ui.painter().galley(box_rect.center() - galley.size() / 2.0, galley.clone(), palette.text);
    });
}

pub fn is_picture_path(path: &Path) -> bool {
    has_extension(path, &["png", "jpg", "jpeg"])
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension().is_some_and(|found| extensions.iter().any(|extension| found.eq_ignore_ascii_case(extension)))
}
