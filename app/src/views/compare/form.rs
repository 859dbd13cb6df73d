//! Which versions are compared, on which rows, and what is looked at beside agreement and metrics.

use std::path::{Path, PathBuf};

use drydock_core::budget;
use drydock_core::compare::{CompareRequest, Split, Window};
use drydock_core::data::is_table_path;
use drydock_core::score::{OnError, parse_names};
use drydock_core::session::State;
use eframe::egui::{Align, Layout, Ui};

use crate::action::Action;
use crate::files::{Purpose, is_model_path};
use crate::view_context::ViewContext;
use crate::views::models::display_name;
use crate::widgets::combo::combo;
use crate::widgets::form::{PathLine, line, more_button, path_line, text_line};
use crate::widgets::icon::{self, Icon};
use crate::widgets::path_field::PathField;

#[derive(Debug, Default)]
pub struct CompareForm {
    pub a: PathField,
    pub b: PathField,
    pub data: PathField,
    label: String,
    /// Whether the options that one seldom needs are shown.
    shows_more: bool,
    columns: String,
    on_error: OnError,
    time: String,
    window: String,
    split: String,
    split_by: String,
    /// Latency takes its time, so it may be left out.
    skips_latency: bool,
    /// The model and the table that A and the data were filled in from.
    followed: (Option<PathBuf>, Option<PathBuf>),
}

impl CompareForm {
    /// The opened model is the baseline and the table at hand the data, until something else is written there.
    pub fn follow(&mut self, state: &State) {
        let opened = state.opened.as_ref().map(|opened| opened.model.argument());
        let table = state.table.as_ref().map(|table| &table.path);
        fill(&mut self.a, &mut self.followed.0, opened.as_ref());
        fill(&mut self.data, &mut self.followed.1, table);
    }

    pub fn request(&self, state: &State) -> CompareRequest {
        CompareRequest {
            versions: vec![self.a.path(), self.b.path()],
            device: state.opened.as_ref().map(|opened| opened.device).unwrap_or_default(),
            data: self.data.path(),
            label: written(&self.label),
            columns: written(&self.columns).and_then(|text| parse_names(&text).ok()),
            on_error: self.on_error,
            time: written(&self.time),
            window: written(&self.window).and_then(|text| text.parse().ok()),
            split: written(&self.split)
                .and_then(|text| budget::parse_share(&text).ok())
                .map(|share| Split { share, column: written(&self.split_by) }),
            measures_latency: !self.skips_latency,
            ..CompareRequest::default()
        }
    }

    /// What is still missing, in words for the button.
    pub fn missing(&self) -> Option<&'static str> {
        let is_empty = |field: &PathField| field.text.trim().is_empty();
        match () {
            () if is_empty(&self.a) => Some("Say which model is the baseline"),
            () if is_empty(&self.b) => Some("Say which version is compared with it"),
            () if is_empty(&self.data) => Some("Say on which table"),
            () if self.has_problem() => Some("An option can't stand as it is written"),
            () => None,
        }
    }

    /// Whether both versions are named, which is all that the files and most conditions of the gate need.
    pub fn has_versions(&self) -> bool {
        [&self.a, &self.b].into_iter().all(|field| !field.text.trim().is_empty()) && !self.has_problem()
    }

    fn has_problem(&self) -> bool {
        self.problems().iter().any(Option::is_some)
    }

    /// Of columns, window and split.
    fn problems(&self) -> [Option<String>; 3] {
        let columns = written(&self.columns).and_then(|text| parse_names(&text).err());
        let window = written(&self.window).and_then(|text| text.parse::<Window>().err());
        let split = written(&self.split).and_then(|text| budget::parse_share(&text).err());
        let split =
            split.or_else(|| (!self.split_by.trim().is_empty() && self.split.trim().is_empty()).then(|| "say which share B serves".to_owned()));
        [columns, window, split]
    }

    pub fn swap(&mut self) {
        std::mem::swap(&mut self.a.text, &mut self.b.text);
    }

    pub fn ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>) {
        version_ui(ui, cx, ("A, baseline", "Version A, the baseline"), Purpose::CompareA, &mut self.a);
        version_ui(ui, cx, ("B", "Version B"), Purpose::CompareB, &mut self.b);
        let data = PathLine {
            name: "Data",
            accessible_name: "Table to compare on",
            choose: "Choose the table to compare on",
            purpose: Purpose::CompareData,
            hint: "a table, such as new.csv; or drop it here",
        };
        path_line(ui, cx.outbox, &data, &mut self.data, is_table_path);
        text_line(ui, "Label", "Label column", &mut self.label, "the column with the truth: the contract's target, where the table has it", None);
        line(ui, "", |ui| {
            if ui.button("Swap A and B").clicked() {
                self.swap();
            }
            more_button(ui, &mut self.shows_more, "Columns, bad rows, time, a canary, latency");
        });
        if self.shows_more {
            self.more_ui(ui);
        }
    }

    fn more_ui(&mut self, ui: &mut Ui) {
        let [columns, window, split] = self.problems();
        text_line(ui, "Columns", "Feature columns, in order", &mut self.columns, "as the contracts say, or by name", columns.as_deref());
        line(ui, "Bad rows", |ui| {
            ui.selectable_value(&mut self.on_error, OnError::Stop, "Stop").on_hover_text("The first row that can't be scored ends the comparison");
            ui.selectable_value(&mut self.on_error, OnError::Skip, "Leave out").on_hover_text("They are counted and left out");
        });
        text_line(ui, "Time", "Column of times", &mut self.time, "a column of times, to see what changes as time goes by", None);
        text_line(ui, "Window", "Length of a window", &mut self.window, "1h, 1d, 1w, or a number of rows", window.as_deref());
        text_line(ui, "Canary", "Share that B serves", &mut self.split, "the share of rows that B would have served, such as 10%", split.as_deref());
        text_line(ui, "Split by", "Column that decides who serves", &mut self.split_by, "a column: equal values go the same way", None);
        line(ui, "Latency", |ui| {
            let mut measures = !self.skips_latency;
            ui.checkbox(&mut measures, "Measure both in turns").on_hover_text("Latency, throughput and memory, one beside the other");
            self.skips_latency = !measures;
        });
    }
}

/// A version: its path, those that are known, and a dialog.
fn version_ui(ui: &mut Ui, cx: &ViewContext<'_>, (name, accessible_name): (&str, &str), purpose: Purpose, field: &mut PathField) {
    line(ui, name, |ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if icon::icon_button(ui, Icon::Folder, &format!("Choose {accessible_name}")).clicked() {
                cx.outbox.send(Action::Choose(purpose));
            }
            let list = combo(accessible_name).selected_text("Known").width(80.0);
            let inner = list.show_ui(ui, |ui| {
                let known = known_models(cx);
                for (name, written) in &known {
                    if ui.selectable_label(field.text.trim() == written, name).on_hover_text(written).clicked() {
                        field.text.clone_from(written);
                    }
                }
                if known.is_empty() {
                    ui.label("No model was opened yet.");
                }
            });
            inner.response.accessible_name(format!("Known models for {accessible_name}"));
            field.ui(ui, accessible_name, "a model: a file, or fraud@champion; or drop it here", is_model_path);
        });
    });
}

/// What was opened, what the registry has, and the samples: each with what to write for it, once.
fn known_models(cx: &ViewContext<'_>) -> Vec<(String, String)> {
    let named = |path: &Path| (display_name(path), path.display().to_string());
    let recent = cx.state.recent_models.iter().map(|path| named(path));
    let models = cx.state.registry.iter().flat_map(|view| &view.models);
    let registered = models.flat_map(|model| {
        model.versions.iter().rev().map(|version| {
            let aliases: String = version.aliases.iter().map(|alias| format!(" @{alias}")).collect();
            (format!("{} v{}{aliases}", model.name, version.version), format!("{}:{}", model.name, version.version))
        })
    });
    let samples = cx.samples.iter().map(|sample| named(&sample.path));
    let mut known: Vec<(String, String)> = Vec::new();
    for (name, written) in recent.chain(registered).chain(samples) {
        if known.iter().all(|(_, other)| *other != written) {
            known.push((name, written));
        }
    }
    known
}

/// Fills a field that still says what was filled in last.
fn fill(field: &mut PathField, followed: &mut Option<PathBuf>, now: Option<&PathBuf>) {
    if followed.as_ref() == now {
        return;
    }
    let is_untouched = followed.as_ref().map_or_else(|| field.text.is_empty(), |path| field.text == path.display().to_string());
    if is_untouched {
        field.text = now.map_or_else(String::new, |path| path.display().to_string());
    }
    *followed = now.cloned();
}

/// What stands in a field, if anything.
fn written(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}
