//! Where the scored table goes, and what is in it.

use std::path::PathBuf;

use drydock_core::data::{TableInfo, is_table_path};
use drydock_core::model::OpenModel;
use drydock_core::score::{Binding, Keep, OnError, ScoreOption, ScoreRequest};
use eframe::egui::{PopupCloseBehavior, Ui};

use super::default_request;
use crate::files::Purpose;
use crate::theme;
use crate::view_context::ViewContext;
use crate::widgets::combo::combo;
use crate::widgets::form::{PathLine, line, more_button, path_line, text_line};
use crate::widgets::path_field::PathField;
use drydock_core::format::file_name;

#[derive(Debug, Default)]
pub struct ScoreForm {
    /// The table that the rest was filled in for.
    pub data: PathBuf,
    pub output: PathField,
    pub overwrite: bool,
    /// `None`: the contract's target, if the table has it.
    label: Option<String>,
    keep: Keep,
    on_error: OnError,
    /// Whether the options that one seldom needs are shown.
    shows_more: bool,
    columns: String,
    bind: String,
    batch: String,
}

impl ScoreForm {
    /// Starts anew for another table.
    pub fn follow(&mut self, table: &TableInfo) {
        if self.data != table.path {
            *self = Self { data: table.path.clone(), ..Self::default() };
            self.output.text = default_request(&table.path).output.display().to_string();
        }
    }

    pub fn output_path(&self) -> PathBuf {
        PathBuf::from(self.output.text.trim())
    }

    /// What a run would do. What can't stand is left out: [`Self::has_problem`] says so before anything runs.
    pub fn request(&self, table: &TableInfo) -> ScoreRequest {
        let mut request = ScoreRequest {
            output: self.output_path(),
            label: self.label.clone(),
            keep: self.keep.clone(),
            on_error: self.on_error,
            overwrite: self.overwrite,
            ..default_request(&table.path)
        };
        for (option, text) in self.written() {
            let _ = option.set(&mut request, text);
        }
        request
    }

    fn written(&self) -> [(ScoreOption, &str); 3] {
        [(ScoreOption::Columns, &self.columns), (ScoreOption::Bind, &self.bind), (ScoreOption::Batch, &self.batch)]
    }

    /// Whether something is written that can't stand; it is said where it is written.
    pub fn has_problem(&self, model: &OpenModel, table: &TableInfo) -> bool {
        self.written().into_iter().any(|(option, text)| option.problem(text, Some(model), Some(table)).is_some())
    }

    pub fn ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>, table: &TableInfo, binding: Option<&Binding>, exists: Option<bool>) {
        let model = cx.state.opened.as_ref().map(|opened| &*opened.model);
        let output = PathLine {
            name: "Output",
            accessible_name: "Output",
            choose: "Choose where to write",
            purpose: Purpose::Output,
            hint: "where to write the scored table",
        };
        path_line(ui, cx.outbox, &output, &mut self.output, is_table_path);
        if exists == Some(true) {
            line(ui, "", |ui| {
                ui.checkbox(&mut self.overwrite, "Replace it").on_hover_text("The old file goes once the new one is complete");
                ui.label(theme::caption(ui, format!("{} exists already.", file_name(&self.output_path()))));
            });
        }
        line(ui, "Label", |ui| self.label_ui(ui, table, binding));
        line(ui, "Keep", |ui| self.keep_ui(ui, table));
        line(ui, "Bad rows", |ui| {
            ui.selectable_value(&mut self.on_error, OnError::Stop, "Stop").on_hover_text("The first row that can't be scored ends the run");
            ui.selectable_value(&mut self.on_error, OnError::Skip, "Set aside").on_hover_text("They go to a file of their own, with the reason");
            more_button(ui, &mut self.shows_more, "Which columns feed which input, and how many rows run at once");
        });
        if self.shows_more {
            for (option, text) in
                [(ScoreOption::Columns, &mut self.columns), (ScoreOption::Bind, &mut self.bind), (ScoreOption::Batch, &mut self.batch)]
            {
                option_ui(ui, option, text, model, table);
            }
        }
    }

    fn label_ui(&mut self, ui: &mut Ui, table: &TableInfo, binding: Option<&Binding>) {
        let found = binding.and_then(|binding| binding.label.as_ref());
        let automatic = found.map_or_else(|| "none found".to_owned(), |label| format!("{label} (found)"));
        let shown = self.label.clone().unwrap_or_else(|| automatic.clone());
        let list = combo("label").selected_text(shown).width(200.0);
        let inner = list.show_ui(ui, |ui| {
            ui.selectable_value(&mut self.label, None, automatic);
            for column in &table.columns {
                ui.selectable_value(&mut self.label, Some(column.name.clone()), &column.name);
            }
        });
        inner.response.accessible_name("Label").on_hover_text("The column with the truth: metrics are computed against it");
    }

    fn keep_ui(&mut self, ui: &mut Ui, table: &TableInfo) {
        let is_chosen = matches!(self.keep, Keep::Columns(_));
        ui.selectable_value(&mut self.keep, Keep::All, "All columns");
        ui.selectable_value(&mut self.keep, Keep::None, "Predictions alone");
        let chosen_text = match &self.keep {
            Keep::Columns(columns) => format!("{} columns", columns.len()),
            _ => "Chosen…".to_owned(),
        };
        let list = combo("keep").selected_text(chosen_text).width(104.0).close_behavior(PopupCloseBehavior::CloseOnClickOutside);
        let inner = list.show_ui(ui, |ui| {
            let mut chosen = match &self.keep {
                Keep::Columns(columns) => columns.clone(),
                _ => Vec::new(),
            };
            let mut is_changed = false;
            for column in &table.columns {
                let mut is_kept = chosen.contains(&column.name);
                if ui.checkbox(&mut is_kept, &column.name).changed() {
                    is_changed = true;
                    chosen.retain(|name| *name != column.name);
                    if is_kept {
                        chosen.push(column.name.clone());
                    }
                }
            }
            if is_changed {
                // In the order of the table, whatever the order of the clicks.
                self.keep = Keep::Columns(table.columns.iter().map(|column| column.name.clone()).filter(|name| chosen.contains(name)).collect());
            }
        });
        inner.response.accessible_name("Columns to keep").on_hover_text("Which columns of the table stand beside the predictions");
        if is_chosen {
            ui.label(theme::caption(ui, "and the predictions"));
        }
    }
}

/// An option that is written, with what holds without it and, below, why it can't stand.
fn option_ui(ui: &mut Ui, option: ScoreOption, text: &mut String, model: Option<&OpenModel>, table: &TableInfo) {
    let (name, accessible_name) = match option {
        ScoreOption::Columns => ("Columns", "Feature columns, in order"),
        ScoreOption::Bind => ("Bind", "Columns of each input"),
        ScoreOption::Batch => ("Batch", "Rows per batch"),
        ScoreOption::Label => ("Label", "Label"),
        ScoreOption::Keep => ("Keep", "Columns to keep"),
    };
    let hint = format!("{}; for example {}", option.default_meaning(), option.example());
    let problem = option.problem(text, model, Some(table));
    text_line(ui, name, accessible_name, text, &hint, problem.as_deref());
}
