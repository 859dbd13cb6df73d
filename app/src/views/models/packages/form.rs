//! What goes into a package, and where it is written.

use std::path::{Path, PathBuf};

use drydock_core::data::is_table_path;
use drydock_core::model::Origin;
use drydock_core::package::{EXTENSION, PackageRequest, is_package};
use drydock_core::session::{OpenedModel, package_line};
use eframe::egui::{Label, Ui};

use crate::background::Latest;
use crate::files::Purpose;
use crate::saving::clean_name;
use crate::theme;
use crate::view_context::ViewContext;
use crate::widgets::form::{PathLine, line, path_line, text_line};
use crate::widgets::message;
use crate::widgets::path_field::PathField;
use drydock_core::format::file_name;

#[derive(Debug, Default)]
pub struct PackageForm {
    /// What is packed, as commands write it.
    model: PathBuf,
    /// As people call it.
    title: String,
    /// The version of the registry that the form was asked for at; `None` for the open model.
    pub version: Option<String>,
    pub data: PathField,
    rows: String,
    seed: String,
    pub output: PathField,
    /// Whether the package is to say nothing of the model's speed.
    skips_profile: bool,
    overwrite: bool,
    /// What the file system says of the table and the output.
    data_exists: Latest<PathBuf, bool>,
    output_exists: Latest<PathBuf, bool>,
    /// What it said last.
    known: Known,
}

/// What is known of the files that are named; nothing while it is being looked up.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    data_exists: Option<bool>,
    output_exists: Option<bool>,
}

impl PackageForm {
    pub fn of_opened(opened: &OpenedModel) -> Self {
        let model = opened.model.argument();
        // A version's file lies where nothing else belongs.
        let beside = if matches!(opened.model.origin, Origin::Registered { .. }) { Path::new("") } else { model.as_path() };
        Self::new(model.clone(), opened.model.title(), None, beside)
    }

    /// `source`: the file that the version was made of.
    pub fn of_version(reference: &str, source: &Path) -> Self {
        Self::new(reference.into(), reference.replace(':', " v"), Some(reference.to_owned()), source)
    }

    fn new(model: PathBuf, title: String, version: Option<String>, beside: &Path) -> Self {
        let folder = beside.parent().filter(|folder| folder.is_dir()).map(Path::to_owned);
        let folder = folder.or_else(|| directories::UserDirs::new().map(|dirs| dirs.home_dir().to_owned())).unwrap_or_default();
        let output = folder.join(format!("{}.{EXTENSION}", clean_name(&title)));
        let mut form = Self { model, title, version, ..Self::default() };
        form.output.text = output.display().to_string();
        form
    }

    pub fn title(&self) -> &str {
        &self.title
    }

    pub fn model(&self) -> &Path {
        &self.model
    }

    pub fn write_to(&mut self, path: &Path) {
        let path = if path.extension().is_none() { path.with_extension(EXTENSION) } else { path.to_owned() };
        self.output.text = path.display().to_string();
        self.overwrite = true;
    }

    /// Files have come and gone.
    pub fn forget_what_exists(&mut self) {
        self.output_exists.forget();
        self.overwrite = false;
    }

    pub fn rows_from(&self) -> Option<PathBuf> {
        (!self.data.text.trim().is_empty()).then(|| self.data.path())
    }

    /// Why nothing can be packed yet, in words for the button.
    pub fn missing(&self) -> Option<&'static str> {
        match () {
            () if self.output.text.trim().is_empty() => Some("Say where the package goes"),
            () if self.data_problem().or(self.output_problem()).is_some() => Some("A path can't stand as it is written"),
            () if self.rows().is_err() || self.seed().is_err() => Some("A number can't stand as it is written"),
            () => None,
        }
    }

    /// Whether a file stands where the package would go, and may stay.
    pub fn is_taken(&self) -> bool {
        self.known.output_exists == Some(true) && !self.overwrite
    }

    /// What to pack, and how; nothing while something is missing.
    pub fn take_request(&mut self) -> Option<(PathBuf, PackageRequest)> {
        let request = self.request().filter(|_| self.missing().is_none() && !self.is_taken())?;
        Some((self.model.clone(), request))
    }

    pub fn command_line(&self) -> Option<String> {
        self.request().filter(|_| self.missing().is_none()).map(|request| package_line(&self.model, &request))
    }

    fn request(&self) -> Option<PackageRequest> {
        let (rows, seed) = (self.rows().ok()?, self.seed().ok()?);
        let mut request =
            PackageRequest { output: self.output.path(), data: self.rows_from(), overwrite: self.overwrite, ..PackageRequest::default() };
        request.profile = !self.skips_profile;
        request.rows = rows.unwrap_or(request.rows);
        request.seed = seed.unwrap_or(request.seed);
        Some(request)
    }

    fn rows(&self) -> Result<Option<usize>, String> {
        let wrong = |text: &str| format!("expected a number of rows from 1 on, such as 20, found '{text}'");
        written(&self.rows).map(|text| text.parse().ok().filter(|rows| *rows > 0).ok_or_else(|| wrong(text))).transpose()
    }

    fn seed(&self) -> Result<Option<u64>, String> {
        written(&self.seed).map(|text| text.parse().map_err(|_| format!("expected a whole number such as 7, found '{text}'"))).transpose()
    }

    fn data_problem(&self) -> Option<String> {
        let path = self.rows_from()?;
        if !is_table_path(&path) {
            return Some(format!("expected a table (.csv, .tsv, .parquet, .ndjson, .arrow), found '{}'", file_name(&path)));
        }
        (self.known.data_exists == Some(false)).then(|| "there is no such file; choose another table, or leave this empty".to_owned())
    }

    fn output_problem(&self) -> Option<String> {
        let path = written(&self.output.text)?;
        let is_named = is_package(Path::new(path));
        (!is_named).then(|| format!("expected a name that ends in .{EXTENSION}, by which packages are known, found '{path}'"))
    }

    pub fn ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>) {
        self.known = Known {
            data_exists: self.rows_from().and_then(|path| self.data_exists.get(ui.ctx(), &path, |path| path.is_file()).copied()),
            output_exists: self.output_exists.get(ui.ctx(), &self.output.path(), |path| path.exists()).copied(),
        };
        line(ui, "Model", |ui| {
            ui.label(theme::strong(&self.title));
            let written = self.model.display().to_string();
            ui.add(Label::new(theme::caption(ui, &written)).truncate()).on_hover_text(&written);
        });
        let data = PathLine {
            name: "Golden rows",
            accessible_name: "Table with the golden rows",
            choose: "Choose the table with the golden rows",
            purpose: Purpose::PackageRows,
            hint: "a table whose first rows are taken; else rows are drawn from the contract's ranges",
        };
        path_line(ui, cx.outbox, &data, &mut self.data, is_table_path);
        problem_line(ui, self.data_problem());
        let (rows, seed) = (self.rows().err(), self.seed().err());
        let defaults = PackageRequest::default();
        text_line(ui, "How many", "Number of golden rows", &mut self.rows, &format!("{}; for example 100", defaults.rows), rows.as_deref());
        let hint = format!("{}; another one draws other rows", defaults.seed);
        text_line(ui, "Seed", "Seed of the rows that are drawn", &mut self.seed, &hint, seed.as_deref());
        line(ui, "", |ui| {
            let mut measures = !self.skips_profile;
            ui.checkbox(&mut measures, "With a profile")
                .on_hover_text("Measures the model for a few seconds, so that the package says how fast it was here");
            self.skips_profile = !measures;
        });
        let output = PathLine {
            name: "Save to",
            accessible_name: "File of the package",
            choose: "Choose where to save the package",
            purpose: Purpose::PackageFile,
            hint: "where to save it, such as fraud.drydock",
        };
        path_line(ui, cx.outbox, &output, &mut self.output, is_package);
        problem_line(ui, self.output_problem());
        if self.known.output_exists == Some(true) && self.output_problem().is_none() {
            line(ui, "", |ui| {
                ui.checkbox(&mut self.overwrite, "Replace it").on_hover_text("The old file goes once the new one is complete");
                ui.label(theme::caption(ui, format!("{} exists already.", file_name(&self.output.path()))));
            });
        }
    }
}

fn problem_line(ui: &mut Ui, problem: Option<String>) {
    if let Some(problem) = problem {
        line(ui, "", |ui| message::field_error(ui, &problem));
    }
}

fn written(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}
