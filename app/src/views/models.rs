//! Models: open one from a file, from those opened before, or from the samples.

use std::path::{Path, PathBuf};

use drydock_core::session::JobKind;
use eframe::egui::{Align, Frame, Label, Layout, Margin, RichText, Sense, Stroke, Ui, WidgetInfo, accesskit::Role, vec2};

use self::packages::PackagesPanel;
use self::registry::RegistryPanel;
use crate::action::Action;
use crate::files::is_model_path;
use crate::theme;
use crate::ui_command::UiCommand;
use crate::view_context::ViewContext;
use crate::widgets::icon::{self, Icon};
use crate::widgets::message::{self, Tone};
use crate::widgets::page;
use crate::widgets::path_field::PathField;

pub mod packages;
mod registry;

#[derive(Debug, Default)]
pub struct ModelsView {
    pub path: PathField,
    registry: RegistryPanel,
    pub packages: PackagesPanel,
    /// Said below the path field: there is no file dialog here.
    pub hint: Option<String>,
}

impl ModelsView {
    pub fn ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>) {
        page::scrolled(ui, |ui| {
            ui.set_max_width(theme::reading_width(ui));
            ui.label(theme::title("Models"));
            ui.add_space(theme::STEP);
            // Who has models already looks for those; the way to others then needs a line.
            let has_models = !cx.state.recent_models.is_empty() || cx.state.registry.as_ref().is_some_and(|view| !view.models.is_empty());
            if has_models {
                self.open_line(ui, cx);
            } else {
                self.drop_zone(ui, cx);
            }
            if let Some(error) = super::latest_error(cx.state, JobKind::Open) {
                message::banner(ui, Tone::Error, error);
            }
            if let Some(job) = cx.running(JobKind::Open) {
                ui.horizontal(|ui| {
                    ui.spinner();
                    ui.label(&job.label);
                });
            }
            ui.add_space(theme::GAP);
            self.registry.ui(ui, cx, &mut self.packages);
            self.packages.ui(ui, cx);
            if !cx.state.recent_models.is_empty() {
                ui.label(theme::section_title("Recent"));
                let open_path = cx.state.opened.as_ref().map(|opened| &opened.model.path);
                for path in &cx.state.recent_models {
                    model_line(ui, cx, &display_name(path), path, Some(path) == open_path);
                }
                ui.add_space(theme::GAP);
            }
            if !cx.samples.is_empty() {
                ui.label(theme::section_title("Samples"));
                for sample in cx.samples {
                    model_line(ui, cx, &sample.name, &sample.path, false);
                }
            }
        });
    }

    fn drop_zone(&mut self, ui: &mut Ui, cx: &ViewContext<'_>) {
        let palette = theme::palette(ui);
        let frame = Frame::new().fill(palette.surface).stroke(Stroke::new(1.0, palette.line)).corner_radius(10.0).inner_margin(Margin::same(24));
        frame.show(ui, |ui| {
            ui.vertical_centered(|ui| {
                let (_, rect) = ui.allocate_space(vec2(48.0, 48.0));
                ui.painter().circle_filled(rect.center(), 24.0, palette.accent_soft);
                Icon::Models.paint(ui.painter(), rect, palette.accent);
                ui.label(theme::strong("Drop a model anywhere on this window").size(17.0));
                ui.label(
                    RichText::new("An ONNX file from PyTorch, TensorFlow, Keras, scikit-learn, XGBoost or LightGBM. It stays on this machine.")
                        .color(palette.weak_text),
                );
            });
            ui.add_space(theme::SMALL_GAP);
            self.buttons(ui, cx);
            ui.add_space(theme::SMALL_GAP);
            self.path_ui(ui, cx, "or type a path: models/fraud.onnx");
        });
    }

    fn path_ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>, hint: &str) {
        let field = self.path.ui(ui, "Path of a model", hint, is_model_path);
        if let Some(path) = field.submitted {
            cx.outbox.send(Action::OpenModel(path));
        }
        if let Some(hint) = &self.hint {
            ui.label(theme::caption(ui, hint));
        }
    }

    /// The way to a model that is not listed below.
    fn open_line(&mut self, ui: &mut Ui, cx: &ViewContext<'_>) {
        theme::card(ui).show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.horizontal(|ui| {
                icon::inline(ui, Icon::Models, theme::palette(ui).accent);
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let choose = icon::button(Icon::Folder, "Choose a file…");
                    if ui.add(choose).on_hover_text(UiCommand::OpenModel.tooltip()).clicked() {
                        cx.outbox.ui(UiCommand::OpenModel);
                    }
                    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                        ui.add(Label::new(theme::strong("Drop a model anywhere on this window")).truncate());
                    });
                });
            });
            self.path_ui(ui, cx, "or type a path, or a name of the registry: models/fraud.onnx, fraud@champion");
        });
    }

    fn buttons(&self, ui: &mut Ui, cx: &ViewContext<'_>) {
        // Laid out once to learn the width, then in the middle: a row of buttons has no width of its own beforehand.
        let id = ui.scope_id().with("buttons");
        let width = ui.data(|data| data.get_temp::<f32>(id)).unwrap_or(0.0);
        let inner = ui.horizontal(|ui| {
            ui.add_space(((ui.available_width() - width) / 2.0).max(0.0));
            let start = ui.cursor().left();
            let choose = if cx.samples.is_empty() {
                icon::primary_button(ui, Icon::Folder, "Choose a file…")
            } else {
                icon::button(Icon::Folder, "Choose a file…")
            };
            if !cx.samples.is_empty() {
                let sample = icon::primary_button(ui, Icon::Models, UiCommand::OpenSample.text());
                if ui.add(sample).on_hover_text(UiCommand::OpenSample.tooltip()).clicked() {
                    cx.outbox.ui(UiCommand::OpenSample);
                }
            }
            if ui.add(choose).on_hover_text(UiCommand::OpenModel.tooltip()).clicked() {
                cx.outbox.ui(UiCommand::OpenModel);
            }
            ui.min_rect().right() - start
        });
        if (inner.inner - width).abs() > 0.5 {
            ui.data_mut(|data| data.insert_temp(id, inner.inner));
            ui.ctx().request_discard("centred buttons");
        }
    }
}

/// A model as a line that opens it: its name, and quietly where it lies.
fn model_line(ui: &mut Ui, cx: &ViewContext<'_>, name: &str, path: &Path, is_open: bool) {
    let palette = theme::palette(ui);
    let size = vec2(ui.available_width(), 44.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Open {name}")));
    let visuals = ui.style().interact(&response);
    let stroke = if response.has_focus() || response.hovered() { visuals.bg_stroke } else { Stroke::new(1.0, palette.line) };
    ui.painter().rect(rect, 8.0, palette.surface, stroke, eframe::egui::StrokeKind::Inside);
    let mut content =
        ui.new_child(eframe::egui::UiBuilder::new().max_rect(rect.shrink2(vec2(14.0, 4.0))).layout(Layout::left_to_right(Align::Center)));
    let ui = &mut content;
    icon::inline(ui, Icon::Models, if is_open { palette.accent } else { palette.weak_text });
    ui.add(Label::new(theme::strong(name)).selectable(false));
    if is_open {
        crate::widgets::property::badge(ui, "open", palette.accent);
    }
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        let folder = path.parent().map_or_else(String::new, |folder| folder.display().to_string());
        ui.add(Label::new(theme::caption(ui, folder)).truncate().selectable(false));
    });
    if response.on_hover_text(path.display().to_string()).clicked() {
        cx.outbox.send(Action::OpenModel(path.to_owned()));
    }
}

/// A short name for a model file: its stem, or its folder where the stem says nothing ("model.onnx").
pub fn display_name(path: &Path) -> String {
    let stem = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let parent = path.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    match parent {
        Some(parent) if stem == "model" => {
            let is_version =
                parent.strip_prefix('v').is_some_and(|rest| !rest.is_empty() && rest.chars().all(|character| character.is_ascii_digit()));
            let above = path.parent().and_then(Path::parent).and_then(Path::file_name);
            match above.filter(|_| is_version) {
                Some(above) => format!("{} {parent}", above.to_string_lossy()),
                None => parent,
            }
        }
        _ => stem,
    }
}

/// Where a dialog for models starts.
pub fn recent_path(cx: &drydock_core::session::State) -> Option<PathBuf> {
    cx.recent_models.first().cloned()
}
