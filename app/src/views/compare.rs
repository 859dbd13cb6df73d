//! Compare: is B better than A, and which rows change? The versions and the table on top, the findings on the right, the rest in sections below.

use std::path::{Path, PathBuf};

use drydock_core::compare::diff::DiffRequest;
use drydock_core::session::{Command, JobKind, State};
use eframe::egui::{Align, Button, Layout, Ui};

use self::form::CompareForm;
use self::gate::GateForm;
use self::result::Tables;
use self::shown::{Drawn, Files, Gate, Shown};
use crate::panels::job_tray;
use crate::theme;
use crate::ui_command::UiCommand;
use crate::view_context::ViewContext;
use crate::widgets::icon::{self, Icon};
use crate::widgets::message::{self, Tone};
use crate::widgets::page;
use crate::widgets::verdict;

mod form;
mod gate;
mod result;
mod shown;

#[derive(Debug, Default)]
pub struct CompareView {
    form: CompareForm,
    gate: GateForm,
    /// Whether the conditions of the gate are shown.
    shows_gate: bool,
    shown: Option<Drawn<Shown>>,
    checked: Option<Drawn<Gate>>,
    files: Option<Drawn<Files>>,
    tables: Tables,
}

impl CompareView {
    pub fn ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>) {
        self.form.follow(cx.state);
        page::scrolled(ui, |ui| {
            ui.label(theme::title("Compare"));
            theme::card(ui).show(ui, |ui| {
                ui.set_width(theme::reading_width(ui));
                self.form.ui(ui, cx);
                if self.shows_gate {
                    ui.add_space(theme::STEP);
                    ui.horizontal(|ui| {
                        ui.label(theme::section_title("Ship gate: what B has to keep to"));
                        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                            self.shows_gate = !icon::icon_button(ui, Icon::Close, "Close the ship gate").clicked();
                        });
                    });
                    self.gate.ui(ui);
                }
                ui.add_space(theme::STEP);
                self.run_line(ui, cx);
            });
            for kind in KINDS {
                if let Some(error) = super::latest_error(cx.state, kind) {
                    message::banner(ui, Tone::Error, error);
                }
            }
            self.update(cx.state);
            if let Some(gate) = &self.checked {
                result::gate(ui, cx.outbox, gate, &mut self.tables);
            }
            if let Some(files) = &self.files {
                result::files(ui, cx.outbox, files, &mut self.tables);
            }
            match &self.shown {
                Some(shown) => result::sections(ui, cx.outbox, shown, &mut self.tables),
                None if self.is_empty(cx) => self.empty(ui, cx),
                None => {}
            }
        });
    }

    pub fn result_ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>) {
        self.update(cx.state);
        page::scrolled(ui, |ui| {
            if let Some(gate) = &self.checked {
                verdict::headline(ui, gate.report.verdict, &gate.headline);
                super::save_report_button(ui, cx, "Save the check…", || gate.report.document(super::latest_line(cx.state, JobKind::Check)));
                ui.add_space(theme::SMALL_GAP);
            }
            if let (Some(report), Some(shown)) = (&cx.state.comparison, &self.shown)
                && let Some(pair) = report.pairs.first()
            {
                result::findings(ui, report, pair, shown);
                ui.add_space(theme::SMALL_GAP);
                super::save_report_button(ui, cx, "Save the report…", || report.document(super::latest_line(cx.state, JobKind::Compare)));
            }
        });
    }

    pub fn use_a(&mut self, path: &Path) {
        self.form.a.text = path.display().to_string();
    }

    pub fn use_b(&mut self, path: &Path) {
        self.form.b.text = path.display().to_string();
    }

    pub fn use_data(&mut self, path: &Path) {
        self.form.data.text = path.display().to_string();
    }

    /// Where the dialog for a table starts.
    pub fn data(&self) -> Option<PathBuf> {
        (!self.form.data.text.is_empty()).then(|| self.form.data.path())
    }

    /// What a run would do, for "copy as command" and for the keyboard.
    pub fn command(&self, state: &State) -> Option<Command> {
        self.form.missing().is_none().then(|| Command::Compare(self.form.request(state)))
    }

    fn update(&mut self, state: &State) {
        self.shown = Drawn::of(state.comparison.as_ref(), self.shown.take());
        self.checked = Drawn::of(state.check.as_ref(), self.checked.take());
        self.files = Drawn::of(state.diff.as_ref(), self.files.take());
    }

    /// Whether there is nothing to see and nothing on its way.
    fn is_empty(&self, cx: &ViewContext<'_>) -> bool {
        self.checked.is_none() && self.files.is_none() && KINDS.into_iter().all(|kind| cx.running(kind).is_none())
    }

    fn run_line(&mut self, ui: &mut Ui, cx: &ViewContext<'_>) {
        if let Some(job) = KINDS.into_iter().find_map(|kind| cx.running(kind)) {
            ui.horizontal(|ui| job_tray::job_ui(ui, cx, job));
            return;
        }
        ui.horizontal_wrapped(|ui| {
            let missing = self.form.missing();
            let button = icon::primary_button(ui, Icon::Run, "Compare");
            let response = ui.add_enabled(missing.is_none(), button).accessible_name("Compare A and B");
            let response = response.on_hover_text(UiCommand::RunCompare.tooltip()).on_disabled_hover_text(missing.unwrap_or_default());
            if response.clicked() {
                cx.outbox.core(Command::Compare(self.form.request(cx.state)));
            }
            super::copy_as_command_button(ui, cx);
            let has_versions = self.form.has_versions();
            let files = ui.add_enabled(has_versions, Button::new("Compare the files")).accessible_name("Compare the files of A and B");
            if files.on_hover_text("Nodes, attributes, weights and cost; needs no data").clicked() {
                let request = self.form.request(cx.state);
                if let [a, b] = request.versions.as_slice() {
                    cx.outbox.core(Command::Diff(DiffRequest { a: a.clone(), b: b.clone() }));
                }
            }
            if self.shows_gate {
                let can_check = has_versions && !self.gate.has_problem();
                let check = ui.add_enabled(can_check, icon::button(Icon::Run, "Check B"));
                if check.on_hover_text("One verdict over all conditions").clicked() {
                    cx.outbox.core(Command::Check(self.gate.request(self.form.request(cx.state))));
                }
            } else if ui.button("Ship gate…").on_hover_text("Conditions that B has to keep to, and one verdict").clicked() {
                self.shows_gate = true;
            }
            if let Some(missing) = missing {
                ui.label(theme::caption(ui, format!("{missing}.")));
            }
        });
    }

    fn empty(&mut self, ui: &mut Ui, cx: &ViewContext<'_>) {
        message::empty_state(
            ui,
            Icon::Compare,
            "Nothing is compared yet",
            "Two versions on the same rows: how far they agree, which metrics differ and how surely, which rows change, and what that costs.",
            |ui| {
                let Some((a, b, data)) = sample_versions(cx) else { return };
                let button = ui.add(icon::button(Icon::Run, "Compare two sample versions"));
                if button.on_hover_text("payment-fraud v1 and v2, on the sample's rows").clicked() {
                    self.use_a(&a);
                    self.use_b(&b);
                    self.use_data(&data);
                    cx.outbox.core(Command::Compare(self.form.request(cx.state)));
                }
            },
        );
    }
}

/// Two versions of a sample, and its table.
fn sample_versions(cx: &ViewContext<'_>) -> Option<(PathBuf, PathBuf, PathBuf)> {
    let (a, b) = cx.samples.iter().find_map(|first| {
        let folder = first.path.parent()?.to_str()?;
        let second = cx.samples.iter().find(|other| other.path.parent().and_then(Path::to_str) == Some(format!("{folder}-v2").as_str()))?;
        Some((first.path.clone(), second.path.clone()))
    })?;
    let data = a.with_file_name("new.csv");
    Some((a, b, data))
}

/// What this page runs.
const KINDS: [JobKind; 3] = [JobKind::Compare, JobKind::Check, JobKind::Diff];
