//! The registry on the Models page: names with their versions and aliases, where each comes from, what was measured of it, and what is done
//! with them.

use std::path::{Path, PathBuf};

use drydock_core::format;
use drydock_core::model::Origin;
use drydock_core::profile::versions;
use drydock_core::registry::{ModelView, RegistryView, VersionView, check_alias, check_model_name};
use drydock_core::report::{Cell, Figure, Quantity, Table, Verdict};
use drydock_core::session::{Command, JobKind, LineageRequest, OpenedModel, RegistryCommand};
use eframe::egui::{Align, Align2, Frame, Id, Label, Layout, Margin, Modal, RichText, TextEdit, Ui};

use super::packages::PackagesPanel;
use crate::action::Action;
use crate::theme;
use crate::ui_command::UiCommand;
use crate::view_context::ViewContext;
use crate::widgets::combo::combo;
use crate::widgets::form::{line, text_line};
use crate::widgets::icon::{self, Icon};
use crate::widgets::message::{self, Tone};
use crate::widgets::property::{badge, fact};
use crate::widgets::report_table::ReportTable;
use crate::widgets::sections::Sections;

#[derive(Debug, Default)]
pub struct RegistryPanel {
    /// The name that the opened model is added under.
    name: String,
    /// What the opened model was when `name` was filled in.
    named_after: Option<PathBuf>,
    selected: Option<Selected>,
    alias: String,
    reason: String,
    /// What is to be removed, once that is confirmed.
    to_remove: Option<String>,
    shown: Option<Shown>,
    runs: ReportTable,
    moves: ReportTable,
}

/// A version that is looked at closely.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Selected {
    name: String,
    version: u32,
}

impl Selected {
    /// As commands write it.
    fn reference(&self) -> String {
        format!("{}:{}", self.name, self.version)
    }
}

/// The selected version as it is drawn, made once.
#[derive(Debug)]
struct Shown {
    /// Where the view lay: another one lies elsewhere, because it was made while this one was there.
    of: (usize, Selected),
    revision: u64,
    runs: Table,
    moves: Table,
    history: Vec<Figure>,
}

impl RegistryPanel {
    /// Nothing where there is no registry.
    pub fn ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>, packages: &mut PackagesPanel) {
        let Some(view) = &cx.state.registry else { return };
        ui.label(theme::section_title("Registry"));
        if let Some(error) = crate::views::latest_error(cx.state, JobKind::Registry) {
            message::banner(ui, Tone::Error, error);
        } else if let Some(report) = &cx.state.registry_report {
            ui.add(Label::new(report.sentence()).wrap().selectable(true));
            for note in report.notes() {
                ui.add(Label::new(theme::caption(ui, note)).wrap().selectable(true));
            }
        }
        if let Some(opened) = &cx.state.opened {
            self.add_ui(ui, cx, opened);
        } else if view.models.is_empty() {
            let text =
                "A registry keeps models under names, version by version, with aliases such as champion. Open a model, and give it a name here.";
            ui.add(Label::new(theme::caption(ui, text)).wrap());
        }
        for model in &view.models {
            self.model_ui(ui, cx, model, packages);
        }
        let verify = UiCommand::VerifyRegistry;
        if !view.models.is_empty() && ui.button(verify.text()).on_hover_text(verify.tooltip()).clicked() {
            cx.outbox.ui(verify);
        }
        self.confirm_ui(ui, cx);
        ui.add_space(theme::GAP);
    }

    fn add_ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>, opened: &OpenedModel) {
        let argument = opened.model.argument();
        if self.named_after.as_ref() != Some(&argument) {
            self.name = suggested_name(&opened.model.origin, &argument);
            self.named_after = Some(argument);
        }
        let problem = check_model_name(self.name.trim()).err().map(|error| error.to_string());
        line(ui, "Add as", |ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let text = format!("Add {}", opened.model.title());
                let button = ui.add_enabled(problem.is_none(), icon::button(Icon::Save, &text));
                if button.on_hover_text("A new version of that name, if its content is new").clicked() {
                    let add = RegistryCommand::Add {
                        model: opened.model.argument(),
                        name: self.name.trim().to_owned(),
                        lineage: LineageRequest::default(),
                    };
                    act(cx, add);
                }
                let edit = TextEdit::singleline(&mut self.name).hint_text("a name, such as payment-fraud");
                ui.add(edit.desired_width(ui.available_width()).align(Align2::LEFT_CENTER)).accessible_name("Name in the registry");
            });
        });
        if let Some(problem) = &problem {
            line(ui, "", |ui| message::field_error(ui, problem));
        }
        ui.add_space(theme::STEP);
    }

    fn model_ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>, model: &ModelView, packages: &mut PackagesPanel) {
        theme::card(ui).show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.horizontal_wrapped(|ui| {
                ui.label(theme::strong(&model.name));
                ui.label(theme::caption(ui, format::counted(model.versions.len() as u64, "version")));
                for alias in &model.aliases {
                    let at = alias.version.map_or_else(|| "nowhere yet".to_owned(), |version| format!("v{version}"));
                    let protected = if alias.is_protected { " · ◆ protected" } else { "" };
                    badge(ui, &format!("{} → {at}{protected}", alias.alias), theme::palette(ui).accent);
                }
            });
            for version in model.versions.iter().rev() {
                self.version_line(ui, cx, model, version, packages);
            }
        });
    }

    fn version_line(&mut self, ui: &mut Ui, cx: &ViewContext<'_>, model: &ModelView, version: &VersionView, packages: &mut PackagesPanel) {
        let this = Selected { name: model.name.clone(), version: version.version };
        let is_selected = self.selected.as_ref() == Some(&this);
        let name = format!("{} v{}", this.name, this.version);
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if ui.button("Open").on_hover_text("For predictions, scores and profiles").clicked() {
                    cx.outbox.send(Action::OpenModel(this.reference().into()));
                }
                let text = if is_selected { "Less" } else { "More" };
                if ui.button(text).clicked() {
                    self.selected = (!is_selected).then(|| this.clone());
                }
                let date = version.added.get(..10).unwrap_or(&version.added);
                ui.label(theme::caption(ui, format!("{date} · {}", format::bytes(version.file_bytes)))).on_hover_text(&version.added);
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    ui.label(RichText::new(format!("v{}", version.version)));
                    if cx.state.opened.as_ref().is_some_and(|opened| opened.model.argument().to_str() == Some(&this.reference())) {
                        badge(ui, "open", theme::palette(ui).accent);
                    }
                    let aliases = version.aliases.join(", ");
                    ui.add(Label::new(theme::caption(ui, aliases)).truncate());
                });
            });
        })
        .response
        .on_hover_text(name);
        if is_selected {
            self.details_ui(ui, cx, (model, version), &this, packages);
        }
    }

    fn details_ui(
        &mut self,
        ui: &mut Ui,
        cx: &ViewContext<'_>,
        (model, version): (&ModelView, &VersionView),
        this: &Selected,
        packages: &mut PackagesPanel,
    ) {
        self.follow(cx.state.registry.as_ref(), model, version, this);
        Frame::new().inner_margin(Margin::symmetric(12, 4)).show(ui, |ui| {
            fact(ui, "Content", &version.hash);
            fact(ui, "Added by", &version.added_by);
            fact(ui, "From", &version.source);
            let parent = version.lineage.parent_sha256.as_deref().map(|hash| named(cx.state.registry.as_ref(), hash));
            for (name, value) in [("Made from", &parent), ("Recipe", &version.lineage.recipe), ("Trained on", &version.lineage.data)] {
                fact(ui, name, value.as_deref().unwrap_or("not said"));
            }
            self.aliases_ui(ui, cx, model, this);
            let Some(shown) = &self.shown else { return };
            let page = Sections { outbox: cx.outbox, revision: shown.revision };
            for (index, figure) in shown.history.iter().enumerate() {
                page.figure(ui, &format!("registry history {index}"), figure);
            }
            page.table(ui, "registry runs", &shown.runs, &mut self.runs);
            page.table(ui, "registry moves", &shown.moves, &mut self.moves);
            ui.horizontal(|ui| {
                if ui.button("Package…").on_hover_text(UiCommand::Package.tooltip()).clicked() {
                    packages.pack_version(&this.reference(), version);
                }
                if ui.button("Remove…").on_hover_text(format!("Removes {} v{} from the registry", this.name, this.version)).clicked() {
                    self.to_remove = Some(this.reference());
                }
            });
            packages.form_ui(ui, cx, Some(&this.reference()));
        });
    }

    fn aliases_ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>, model: &ModelView, this: &Selected) {
        let alias = self.alias.trim().to_owned();
        let problem = if alias.is_empty() { None } else { check_alias(&alias).err().map(|error| error.to_string()) };
        line(ui, "Alias", |ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let inner = combo("known aliases").selected_text("Known").width(80.0).show_ui(ui, |ui| {
                    for known in &model.aliases {
                        if ui.selectable_label(known.alias == alias, &known.alias).clicked() {
                            self.alias.clone_from(&known.alias);
                        }
                    }
                    if model.aliases.is_empty() {
                        ui.label("No alias points at this model yet.");
                    }
                });
                inner.response.accessible_name("Known aliases");
                let edit = TextEdit::singleline(&mut self.alias).hint_text("a name that moves, such as champion");
                ui.add(edit.desired_width(ui.available_width()).align(Align2::LEFT_CENTER)).accessible_name("Alias to move");
            });
        });
        if let Some(problem) = &problem {
            line(ui, "", |ui| message::field_error(ui, problem));
        }
        text_line(ui, "Reason", "Reason for the move", &mut self.reason, "kept with the move", None);
        let reason = || Some(self.reason.trim().to_owned()).filter(|reason| !reason.is_empty());
        let known = model.aliases.iter().find(|known| known.alias == alias);
        let is_protected = known.is_some_and(|known| known.is_protected);
        ui.horizontal_wrapped(|ui| {
            let is_sound = !alias.is_empty() && problem.is_none();
            let at = format!("v{}", this.version);
            let mut button = |text: &str, name: String, hover: &str, is_enabled: bool, command: RegistryCommand| {
                if ui.add_enabled(is_enabled, eframe::egui::Button::new(text)).accessible_name(name).on_hover_text(hover).clicked() {
                    act(cx, command);
                }
            };
            let set = RegistryCommand::SetAlias { model: this.reference(), alias: alias.clone(), reason: reason() };
            button("Point here", format!("Point {alias} at {at}"), "Moves the alias to this version", is_sound && !is_protected, set);
            let promote = RegistryCommand::Promote { model: this.reference(), alias: alias.clone(), reason: reason() };
            button(
                "Promote",
                format!("Promote {at} to {alias}"),
                "The way of protected aliases: this version has to have passed its check",
                is_sound,
                promote,
            );
            let back = RegistryCommand::RollBack { name: this.name.clone(), alias: alias.clone(), reason: reason() };
            button("Roll back", format!("Roll {alias} back"), "To what the alias pointed at before", known.is_some(), back);
            let protect = RegistryCommand::Protect { name: this.name.clone(), alias: alias.clone(), is_protected: !is_protected, reason: reason() };
            let (text, hover) =
                if is_protected { ("Unprotect", "Lets it be pointed anywhere") } else { ("Protect", "Only promoting moves it from then on") };
            button(text, format!("{text} {alias}"), hover, is_sound, protect);
            let take_away = RegistryCommand::RemoveAlias { name: this.name.clone(), alias: alias.clone(), reason: reason() };
            button("Take away", format!("Take {alias} away"), "The alias goes; versions stay", known.is_some() && !is_protected, take_away);
        });
    }

    fn confirm_ui(&mut self, ui: &Ui, cx: &ViewContext<'_>) {
        let Some(reference) = self.to_remove.clone() else { return };
        let modal = Modal::new(Id::unique("remove version")).show(ui.ctx(), |ui| {
            ui.set_width(360.0);
            ui.label(theme::title(format!("Remove {reference}?")));
            ui.label("Its file goes too, if nothing else in the registry has the same content. This can't be undone.");
            ui.add_space(theme::SMALL_GAP);
            ui.horizontal(|ui| {
                let text = RichText::new("Remove it").color(theme::palette(ui).fail);
                if ui.button(text).clicked() {
                    act(cx, RegistryCommand::Remove { model: reference.clone(), is_forced: false });
                    self.to_remove = None;
                    self.selected = None;
                }
                if ui.button("Keep it").clicked() {
                    self.to_remove = None;
                }
            });
        });
        if modal.should_close() {
            self.to_remove = None;
        }
    }

    fn follow(&mut self, view: Option<&RegistryView>, model: &ModelView, version: &VersionView, this: &Selected) {
        let of = (view.map_or(0, |view| view.models.as_ptr().addr()), this.clone());
        if self.shown.as_ref().is_none_or(|shown| shown.of != of) {
            let revision = self.shown.as_ref().map_or(0, |shown| shown.revision) + 1;
            self.shown =
                Some(Shown { of, revision, runs: runs_table(version), moves: moves_table(model), history: versions::figures(model, version) });
        }
    }
}

fn act(cx: &ViewContext<'_>, command: RegistryCommand) {
    cx.outbox.core(Command::Models(command));
}

/// The name that it has in the registry; else that of the file or its folder, as far as it can be one.
fn suggested_name(origin: &Origin, path: &Path) -> String {
    if let Origin::Registered { name, .. } = origin {
        return name.clone();
    }
    let name = super::display_name(path).to_lowercase();
    name.chars().map(|letter| if letter.is_ascii_alphanumeric() || "-_.".contains(letter) { letter } else { '-' }).collect()
}

fn runs_table(version: &VersionView) -> Table {
    let columns = [
        ("when", Quantity::Text),
        ("run", Quantity::Text),
        ("verdict", Quantity::Text),
        ("p50", Quantity::Seconds),
        ("rows per second", Quantity::PerSecond),
        ("machine", Quantity::Text),
    ];
    let mut table = Table::new("Runs", &columns);
    for run in &version.runs {
        let verdict = match run.summary.get("verdict").and_then(|verdict| verdict.as_str()) {
            Some("pass") => Cell::from(Verdict::Pass),
            Some("fail") => Verdict::Fail.into(),
            _ => Cell::Empty,
        };
        let number = |key: &str| run.summary.get(key).and_then(serde_json::Value::as_f64);
        table.push(vec![
            minute(&run.date).into(),
            run.kind.name().into(),
            verdict,
            number("p50_ms").map(|ms| ms / 1e3).into(),
            number("rows_per_second").into(),
            run.machine.description.as_str().into(),
        ]);
    }
    table
}

fn moves_table(model: &ModelView) -> Table {
    let columns = [
        ("when", Quantity::Text),
        ("alias", Quantity::Text),
        ("from", Quantity::Text),
        ("to", Quantity::Text),
        ("who", Quantity::Text),
        ("reason", Quantity::Text),
    ];
    let mut table = Table::new("Moves of aliases", &columns);
    for step in &model.history {
        let version = |version: Option<u32>| version.map(|version| format!("v{version}"));
        table.push(vec![
            minute(&step.date).into(),
            step.alias.as_str().into(),
            version(step.from_version).into(),
            version(step.to_version).into(),
            step.who.as_str().into(),
            step.reason.clone().into(),
        ]);
    }
    table
}

/// `2026-01-02 03:04`, of `2026-01-02T03:04:05Z`.
fn minute(date: &str) -> String {
    match (date.get(..10), date.get(11..16)) {
        (Some(day), Some(time)) => format!("{day} {time}"),
        _ => date.to_owned(),
    }
}

/// The name and version of a content, where the registry has it.
fn named(view: Option<&RegistryView>, hash: &str) -> String {
    let versions = view.iter().flat_map(|view| &view.models).flat_map(|model| model.versions.iter().map(move |version| (model, version)));
    let found = versions.filter(|(_, version)| version.hash == hash).map(|(model, version)| format!("{} v{}", model.name, version.version)).next();
    found.unwrap_or_else(|| hash.to_owned())
}
