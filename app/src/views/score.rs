//! Score: predictions for a whole file. What goes in and where it goes on the left, what came out on the right, the rows below.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use drydock_core::data::TableInfo;
use drydock_core::format;
use drydock_core::score::{self, Binding, ScoreRequest};
use drydock_core::session::{Command, JobKind, OpenedModel};
use eframe::egui::{Align, Label, Layout, Ui, vec2};

use self::form::ScoreForm;
use self::tables::{Rows, TableColumns};
use crate::action::Action;
use crate::background::Latest;
use crate::files::Purpose;
use crate::panels::job_tray;
use crate::theme;
use crate::ui_command::UiCommand;
use crate::view_context::ViewContext;
use crate::widgets::icon::{self, Icon};
use crate::widgets::message::{self, Tone};
use crate::widgets::page;
use crate::widgets::path_field::PathField;
use crate::widgets::table::{TableSource, TableState};
use drydock_core::format::file_name;

mod form;
mod result;
mod tables;

#[derive(Debug, Default)]
pub struct ScoreView {
    /// The path of a table, typed by hand.
    path: PathField,
    /// Belongs to the table in `form.data`.
    form: ScoreForm,
    /// How the table feeds the model, and what that was worked out from.
    binding: Option<(BindingKey, Result<Binding, String>)>,
    /// Counts the bindings.
    binding_revision: u64,
    output_exists: Latest<PathBuf, bool>,
    tab: Tab,
    columns: TableState,
    input_rows: TableState,
    scored_rows: TableState,
    /// Score as soon as the table has been looked at: it was dropped for that.
    wants_run: bool,
    pub wants_search: bool,
    pub hint: Option<String>,
}

/// Address of the model, and the request.
type BindingKey = (usize, ScoreRequest);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Tab {
    #[default]
    Columns,
    InputRows,
    ScoredRows,
}

impl Tab {
    fn name(self) -> &'static str {
        match self {
            Self::Columns => "Columns",
            Self::InputRows => "Rows",
            Self::ScoredRows => "Scored rows",
        }
    }
}

impl ScoreView {
    pub fn ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>) {
        let Some(opened) = &cx.state.opened else {
            super::without_model(
                ui,
                cx,
                Icon::Score,
                "Score a file",
                "Open a model, then drop a table on this window: the predictions are written beside it.",
            );
            return;
        };
        let Some(table) = &cx.state.table else {
            self.without_table(ui, cx, opened);
            return;
        };
        self.form.follow(table);
        let binding = self.bind(opened, table);
        let has_problem = self.form.has_problem(&opened.model, table);
        let is_ready = binding.is_ok() && !has_problem;
        ui.label(theme::title("Score"));
        table_line(ui, cx, table);
        if let Some(error) = super::latest_error(cx.state, JobKind::Describe) {
            message::banner(ui, Tone::Error, error);
        }
        let exists = self.output_exists.get(ui.ctx(), &self.form.output_path(), |path| path.exists()).copied();
        theme::card(ui).show(ui, |ui| {
            ui.set_width(theme::reading_width(ui));
            self.form.ui(ui, cx, table, binding.as_ref().ok(), exists);
            ui.add_space(theme::STEP);
            self.run_line(ui, cx, table, is_ready, exists);
        });
        if has_problem {
            // It is said at the field.
        } else if let Err(error) = &binding {
            message::banner(ui, Tone::Error, error);
        } else if let Some(error) = super::latest_error(cx.state, JobKind::Score) {
            message::banner(ui, Tone::Error, error);
        }
        ui.add_space(theme::STEP);
        self.tables(ui, cx, table, binding.as_ref().ok());
        self.run_if_wanted(cx, table, is_ready, exists);
    }

    pub fn result_ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>) {
        let binding = self.binding.as_ref().and_then(|(_, binding)| binding.as_ref().ok());
        page::scrolled(ui, |ui| result::ui(ui, cx, binding));
    }

    /// A table was dropped to be scored: runs once it has been looked at, unless that would replace a file.
    pub fn score_when_ready(&mut self) {
        self.wants_run = true;
    }

    /// A place for the output was chosen in a dialog, which has asked about replacing.
    pub fn write_to(&mut self, path: &Path) {
        self.form.output.text = path.display().to_string();
        self.form.overwrite = true;
    }

    /// Where the output dialog starts.
    pub fn output(&self) -> PathBuf {
        self.form.output_path()
    }

    /// What a run would do, for "copy as command" and for the keyboard.
    pub fn command(&self, cx: &drydock_core::session::State) -> Option<Command> {
        let (table, opened) = (cx.table.as_ref()?, cx.opened.as_ref()?);
        let is_sound = self.form.data == table.path && !self.form.has_problem(&opened.model, table);
        is_sound.then(|| Command::Score(self.form.request(table)))
    }

    /// Scoring is over: what exists may have changed, and the scored rows are what one wants to see.
    pub fn show_scored(&mut self) {
        self.output_exists.forget();
        self.form.overwrite = false;
        self.tab = Tab::ScoredRows;
    }

    fn without_table(&mut self, ui: &mut Ui, cx: &ViewContext<'_>, opened: &OpenedModel) {
        let sample = opened.model.path.with_file_name("new.csv");
        message::empty_state(
            ui,
            Icon::Score,
            "Drop a table on this window",
            "CSV, TSV, Parquet, NDJSON or Arrow, plain or compressed. The predictions are written beside it.",
            |ui| {
                if cx.samples.iter().any(|known| known.path == opened.model.path) {
                    let button = icon::primary_button(ui, Icon::Run, "Look at the sample's table");
                    if ui.add(button).on_hover_text(sample.display().to_string()).clicked() {
                        cx.outbox.core(Command::DescribeTable(sample));
                    }
                }
                if ui.add(icon::button(Icon::Folder, UiCommand::OpenTable.text())).clicked() {
                    cx.outbox.ui(UiCommand::OpenTable);
                }
                ui.add_space(theme::SMALL_GAP);
                let size = vec2(theme::reading_width(ui).min(ui.available_width()) * 0.6, theme::CONTROL_HEIGHT);
                ui.allocate_ui(size, |ui| {
                    let field = self.path.ui(ui, "Path of a table", "or type a path: data/march.csv", drydock_core::data::is_table_path);
                    if let Some(path) = field.submitted {
                        cx.outbox.core(Command::DescribeTable(path));
                    }
                });
                if let Some(hint) = &self.hint {
                    ui.label(theme::caption(ui, hint));
                }
                if let Some(error) = super::latest_error(cx.state, JobKind::Describe) {
                    message::banner(ui, Tone::Error, error);
                }
            },
        );
    }

    fn bind(&mut self, opened: &OpenedModel, table: &TableInfo) -> Result<Binding, String> {
        let request = self.form.request(table);
        let key = (Arc::as_ptr(&opened.model).addr(), request.clone());
        if self.binding.as_ref().is_none_or(|(known, _)| *known != key) {
            let binding = score::bind(&opened.model, table, &request).map_err(|error| error.to_string());
            self.binding = Some((key, binding));
            self.binding_revision += 1;
        }
        self.binding.as_ref().map_or_else(|| Ok(Binding::default()), |(_, binding)| binding.clone())
    }

    fn run_line(&mut self, ui: &mut Ui, cx: &ViewContext<'_>, table: &TableInfo, is_ready: bool, exists: Option<bool>) {
        if let Some(job) = cx.running(JobKind::Score) {
            ui.horizontal(|ui| job_tray::job_ui(ui, cx, job));
            return;
        }
        ui.horizontal(|ui| {
            let is_free = exists != Some(true) || self.form.overwrite;
            let button = icon::primary_button(ui, Icon::Run, "Score");
            let response = ui.add_enabled(is_ready && is_free, button).accessible_name(format!("Score {}", file_name(&table.path)));
            let response = response.on_hover_text(UiCommand::RunScore.tooltip()).on_disabled_hover_text(if is_ready {
                "The output exists: replace it, or write elsewhere"
            } else {
                "The table does not feed the model as the options stand"
            });
            if response.clicked() {
                cx.outbox.core(Command::Score(self.form.request(table)));
            }
            super::copy_as_command_button(ui, cx);
        });
    }

    fn run_if_wanted(&mut self, cx: &ViewContext<'_>, table: &TableInfo, is_ready: bool, exists: Option<bool>) {
        let Some(exists) = exists.filter(|_| self.wants_run) else { return };
        let is_looking = cx.running(JobKind::Describe).is_some();
        if is_looking {
            return;
        }
        self.wants_run = false;
        if is_ready && !exists && cx.running(JobKind::Score).is_none() {
            cx.outbox.core(Command::Score(self.form.request(table)));
        }
    }

    fn tables(&mut self, ui: &mut Ui, cx: &ViewContext<'_>, table: &TableInfo, binding: Option<&Binding>) {
        let scored = cx.state.score_preview.as_ref();
        if scored.is_none() && self.tab == Tab::ScoredRows {
            self.tab = Tab::Columns;
        }
        ui.horizontal(|ui| {
            for tab in [Tab::Columns, Tab::InputRows, Tab::ScoredRows] {
                if tab != Tab::ScoredRows || scored.is_some() {
                    ui.selectable_value(&mut self.tab, tab, tab.name());
                }
            }
            let focus = std::mem::take(&mut self.wants_search);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                self.table().search_ui(ui, "Search", focus);
                if let Some(shown) = self.shown(table, scored) {
                    ui.label(theme::caption(ui, shown));
                }
            });
        });
        let columns = TableColumns { table, binding };
        let input_rows = Rows(table);
        let (source, revision): (&dyn TableSource, u64) = match (self.tab, scored) {
            (Tab::ScoredRows, Some(scored)) => (&Rows(scored), cx.state.jobs.len() as u64),
            (Tab::InputRows, _) => (&input_rows, table_revision(table)),
            _ => (&columns, table_revision(table) ^ self.binding_revision),
        };
        let salt = self.tab.name();
        self.table().ui(ui, salt, revision, source);
    }

    /// Which part of a file's rows is on the screen.
    fn shown(&self, table: &TableInfo, scored: Option<&TableInfo>) -> Option<String> {
        let shown = match self.tab {
            Tab::Columns => return None,
            Tab::InputRows => table.preview.len(),
            Tab::ScoredRows => scored?.preview.len(),
        };
        Some(format!("the first {} rows", format::count(shown as u64)))
    }

    fn table(&mut self) -> &mut TableState {
        match self.tab {
            Tab::Columns => &mut self.columns,
            Tab::InputRows => &mut self.input_rows,
            Tab::ScoredRows => &mut self.scored_rows,
        }
    }
}

/// Changes with the table.
fn table_revision(table: &TableInfo) -> u64 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    (&table.path, table.file_bytes, table.columns.len()).hash(&mut hasher);
    hasher.finish()
}

/// The table to score: its name, what it is, and a way to another.
fn table_line(ui: &mut Ui, cx: &ViewContext<'_>, table: &TableInfo) {
    ui.horizontal(|ui| {
        ui.add(Label::new(theme::section_title(file_name(&table.path)))).on_hover_text(table.path.display().to_string());
        let rows = table.rows.map_or_else(String::new, |rows| format!(" · {} rows", format::count(rows)));
        let facts =
            format!("{} · {} · {} columns{rows}", format::bytes(table.file_bytes), table.format.label(), format::count(table.columns.len() as u64));
        ui.label(theme::caption(ui, facts));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.button("Another table…").clicked() {
                cx.outbox.send(Action::Choose(Purpose::Table));
            }
        });
    });
}

/// Default settings for a table: everything beside it.
fn default_request(data: &Path) -> ScoreRequest {
    ScoreRequest { data: data.to_owned(), output: ScoreRequest::default_output(data), ..ScoreRequest::default() }
}
