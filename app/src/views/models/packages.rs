//! Packages on the Models page: making one of the open model or of a version, and checking one that came from elsewhere.

use std::path::{Path, PathBuf};

use drydock_core::jobs::JobId;
use drydock_core::package::{PackageRequest, is_package};
use drydock_core::registry::VersionView;
use drydock_core::session::{Command, JobKind, JobRecord, JobState, OpenedModel, State};
use eframe::egui::{Align, Label, Layout, Ui};

use self::form::PackageForm;
use crate::action::{Action, Outbox};
use crate::files::Purpose;
use crate::panels::job_tray;
use crate::theme;
use crate::ui_command::UiCommand;
use crate::view_context::ViewContext;
use crate::widgets::form::{PathLine, path_with_dialog};
use crate::widgets::icon::{self, Icon};
use crate::widgets::message::{self, Tone};
use crate::widgets::path_field::PathField;

mod form;
mod result;

pub use result::look;

#[derive(Debug, Default)]
pub struct PackagesPanel {
    /// What is to be packed and how, while that is asked.
    form: Option<PackageForm>,
    /// Packs once the model that it is of is open.
    waiting: Option<(PathBuf, PackageRequest)>,
    /// The package to check.
    path: PathField,
    hint: Option<String>,
    /// The result is new and should be in sight.
    wants_sight: bool,
}

impl PackagesPanel {
    /// The section below the registry.
    pub fn ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>) {
        ui.label(theme::section_title("Packages"));
        let text = "A package is one file with a model, its contract and golden cases. Another machine says whether the model does the same there.";
        ui.add(Label::new(theme::caption(ui, text)).wrap());
        if let Some(opened) = &cx.state.opened {
            let text = format!("Package {}…", opened.model.title());
            if ui.add(icon::button(Icon::Package, &text)).on_hover_text(UiCommand::Package.tooltip()).clicked() {
                self.pack_opened(opened);
            }
        }
        self.form_ui(ui, cx, None);
        self.check_line(ui, cx);
        if let Some(JobRecord { state: JobState::Failed(why), .. }) = latest(cx.state, Act::Check) {
            let shown = message::banner(ui, Tone::Error, why);
            if std::mem::take(&mut self.wants_sight) {
                shown.scroll_to_me(Some(Align::Center));
            }
        } else if let Some(check) = &cx.state.package_check {
            let shown = result::check_ui(ui, cx, check);
            if std::mem::take(&mut self.wants_sight) {
                shown.scroll_to_me(Some(Align::Center));
            }
        }
        ui.add_space(theme::GAP);
    }

    /// The form, at the place that it was asked for: below a version of the registry, or in the section of packages.
    pub fn form_ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>, version: Option<&str>) {
        let Some(form) = self.form.as_mut().filter(|form| form.version.as_deref() == version) else { return };
        let mut end = None;
        theme::card(ui).show(ui, |ui| {
            ui.set_width(ui.available_width());
            form.ui(ui, cx);
            ui.add_space(theme::STEP);
            if let Some(job) = cx.running(JobKind::Package).or_else(|| cx.running(JobKind::Open)) {
                ui.horizontal(|ui| job_tray::job_ui(ui, cx, job));
            } else {
                end = run_line(ui, cx, form);
            }
            match latest(cx.state, Act::Make) {
                Some(JobRecord { state: JobState::Failed(why), .. }) => {
                    message::banner(ui, Tone::Error, why);
                }
                Some(JobRecord { state: JobState::Done, .. }) => {
                    if let Some(report) = cx.state.package.as_ref().filter(|report| report.output == form.output.path()) {
                        result::made_ui(ui, cx, report);
                    }
                }
                _ => {}
            }
        });
        match end {
            Some(End::Pack) => self.pack(cx.outbox, cx.state),
            Some(End::Close) => self.form = None,
            None => {}
        }
    }

    fn check_line(&mut self, ui: &mut Ui, cx: &ViewContext<'_>) {
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let is_written = !self.path.text.trim().is_empty();
                let button = ui.add_enabled(is_written, icon::button(Icon::Run, "Check")).accessible_name("Check the package");
                let is_asked = button.on_hover_text(UiCommand::CheckPackage.tooltip()).on_disabled_hover_text("Say which package").clicked();
                let named = PathLine {
                    name: "",
                    accessible_name: "Path of a package",
                    choose: UiCommand::CheckPackage.text(),
                    purpose: Purpose::Package,
                    hint: "a package to check: fraud.drydock; or drop it on this window",
                };
                let field = path_with_dialog(ui, cx.outbox, &named, &mut self.path, is_package);
                if let Some(path) = field.submitted.or_else(|| is_asked.then(|| self.path.path())) {
                    cx.outbox.send(Action::CheckPackage(path));
                }
            });
        });
        if let Some(hint) = &self.hint {
            ui.label(theme::caption(ui, hint));
        }
    }

    /// Asks how to pack the open model.
    pub fn pack_opened(&mut self, opened: &OpenedModel) {
        self.form = Some(PackageForm::of_opened(opened));
    }

    /// Asks how to pack a version of the registry; `reference` is what commands call it.
    pub fn pack_version(&mut self, reference: &str, version: &VersionView) {
        self.form = Some(PackageForm::of_version(reference, Path::new(&version.source)));
    }

    /// Whether it is being asked how to pack something.
    pub fn asks(&self) -> bool {
        self.form.is_some()
    }

    /// Packs as the form says; what is not open is opened first.
    pub fn pack(&mut self, outbox: &Outbox, state: &State) {
        let Some((model, request)) = self.form.as_mut().and_then(PackageForm::take_request) else { return };
        if state.jobs.iter().any(|job| job.kind == JobKind::Package && job.state == JobState::Running) {
            return;
        }
        if is_open(state, &model) {
            outbox.core(Command::Package(request));
        } else {
            outbox.send(Action::OpenModel(model.clone()));
            self.waiting = Some((model, request));
        }
    }

    /// What is to be packed now that a model was opened, or could not be. Once.
    pub fn take_waiting(&mut self, state: &State) -> Option<PackageRequest> {
        let (model, request) = self.waiting.take()?;
        is_open(state, &model).then_some(request)
    }

    /// The command that packs as the form says.
    pub fn command_line(&self) -> Option<String> {
        self.form.as_ref()?.command_line()
    }

    /// A package is checked that was dropped or chosen in a dialog.
    pub fn checks(&mut self, path: &Path) {
        self.path.text = path.display().to_string();
        self.hint = None;
    }

    /// A package was made or checked: what came of it should be in sight.
    pub fn show_result(&mut self) {
        self.wants_sight = true;
        if let Some(form) = &mut self.form {
            form.forget_what_exists();
        }
    }

    /// There is no dialog, so the path is typed.
    pub fn wants_path(&mut self, hint: &str) {
        self.hint = Some(hint.to_owned());
        self.path.wants_focus = true;
    }

    /// A table was chosen for its rows.
    pub fn use_rows(&mut self, path: &Path) {
        if let Some(form) = &mut self.form {
            form.data.text = path.display().to_string();
        }
    }

    /// A place for the package was chosen in a dialog, which has asked about replacing.
    pub fn write_to(&mut self, path: &Path) {
        if let Some(form) = &mut self.form {
            form.write_to(path);
        }
    }

    /// Where the dialog for the package starts.
    pub fn output(&self) -> Option<PathBuf> {
        self.form.as_ref().map(|form| form.output.path())
    }

    /// Where the dialog for its rows starts.
    pub fn rows(&self) -> Option<PathBuf> {
        self.form.as_ref().and_then(PackageForm::rows_from)
    }
}

/// How the form is left.
enum End {
    Pack,
    Close,
}

fn run_line(ui: &mut Ui, cx: &ViewContext<'_>, form: &mut PackageForm) -> Option<End> {
    let mut end = None;
    ui.horizontal_wrapped(|ui| {
        let missing = form.missing();
        let button = icon::primary_button(ui, Icon::Package, "Pack");
        let response = ui.add_enabled(missing.is_none() && !form.is_taken(), button).accessible_name(format!("Pack {}", form.title()));
        let why = missing.unwrap_or("The file exists: replace it, or write elsewhere");
        if response.on_hover_text(UiCommand::Package.tooltip()).on_disabled_hover_text(why).clicked() {
            end = Some(End::Pack);
        }
        let line = form.command_line();
        let copy = ui.add_enabled(line.is_some(), icon::button(Icon::Copy, "Copy as command"));
        if let Some(line) = line
            && copy.on_hover_text(UiCommand::CopyAsCommand.tooltip()).clicked()
        {
            cx.outbox.copy(&line, &line);
        }
        if ui.button("Close").on_hover_text("Closes the form").clicked() {
            end = Some(End::Close);
        }
        if let Some(missing) = missing {
            ui.label(theme::caption(ui, format!("{missing}.")));
        } else if !is_open(cx.state, form.model()) {
            ui.label(theme::caption(ui, format!("{} is opened for it.", form.title())));
        }
    });
    end
}

fn is_open(state: &State, model: &Path) -> bool {
    state.opened.as_ref().is_some_and(|opened| opened.model.argument() == model)
}

/// What is done with packages. Both are jobs of one kind, which their labels tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Make,
    Check,
}

impl Act {
    pub fn of(job: &JobRecord) -> Self {
        if job.label.starts_with("checking ") { Self::Check } else { Self::Make }
    }
}

/// The latest job that did this.
pub fn latest(state: &State, act: Act) -> Option<&JobRecord> {
    state.jobs.iter().rev().find(|job| job.kind == JobKind::Package && Act::of(job) == act)
}

/// The check whose report the state has.
pub fn latest_check(state: &State) -> Option<JobId> {
    let is_done_check = |job: &&JobRecord| job.kind == JobKind::Package && job.state == JobState::Done && Act::of(job) == Act::Check;
    state.jobs.iter().rev().find(is_done_check).map(|job| job.id)
}

/// What came of the latest job, for who looks elsewhere.
pub fn latest_sentence(state: &State) -> String {
    let latest = state.jobs.iter().rev().find(|job| job.kind == JobKind::Package);
    match (latest.map(Act::of), &state.package_check, &state.package) {
        (Some(Act::Check), Some(check), _) => format!("{} is {} here.", check.model, check.verdict.name()),
        (_, _, Some(report)) => format!("{} is packed.", report.model),
        _ => "The package is done.".to_owned(),
    }
}
