//! Native file dialogs, each on a thread of its own.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use drydock_core::package::{self, is_package};
use eframe::egui::Context;

use crate::background::{Arrival, Pending};

/// What a file is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Model,
    Table,
    Picture,
    /// A table whose rows fill the form of a prediction.
    Rows,
    /// A table whose rows a model is profiled on.
    ProfileRows,
    /// The versions to compare, and the table to compare them on.
    CompareA,
    CompareB,
    CompareData,
    /// A folder of ONNX test sets.
    TestSets,
    /// A package to check.
    Package,
    /// A table whose first rows become the golden cases of a package.
    PackageRows,
    /// Where to write a package.
    PackageFile,
    /// Where to write the scored table.
    Output,
    /// Where to save a figure.
    FigureFile,
    /// Where to save a table of a report.
    TableFile,
    /// Where to save a report.
    ReportFile,
}

impl Purpose {
    /// Whether something on the screen is to be kept in the file.
    pub fn is_keeping(self) -> bool {
        matches!(self, Self::FigureFile | Self::TableFile | Self::ReportFile)
    }

    /// Whether the file is written rather than read.
    fn is_saving(self) -> bool {
        matches!(self, Self::Output | Self::PackageFile) || self.is_keeping()
    }
}

/// Whether a path is written like that of a model: an ONNX file, or a package, which opens wherever a model does.
pub fn is_model_path(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("onnx")) || is_package(path)
}

/// How a dialog ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    Chosen(PathBuf),
    Dismissed,
    /// This desktop has no file dialog to offer: no portal answered.
    Unavailable,
}

/// The dialog that is open, if any: one at a time.
#[derive(Debug, Default)]
pub struct FileDialogs {
    open: Option<(Purpose, Pending<Answer>)>,
}

/// Nobody closes a dialog by hand so soon after asking for it.
const TOO_FAST_FOR_A_PERSON: Duration = Duration::from_millis(300);

impl FileDialogs {
    /// Opens a dialog unless one is open already. `near`: a file whose folder is a good place to start.
    pub fn open(&mut self, ctx: &Context, frame: &eframe::Frame, purpose: Purpose, near: Option<&Path>) {
        if self.open.is_some() {
            return;
        }
        let dialog = dialog(frame, purpose, near);
        let ask = move || {
            let asked = Instant::now();
            let chosen = match purpose {
                purpose if purpose.is_saving() => dialog.save_file(),
                Purpose::TestSets => dialog.pick_folder(),
                _ => dialog.pick_file(),
            };
            match chosen {
                Some(path) => Answer::Chosen(path),
                None if asked.elapsed() < TOO_FAST_FOR_A_PERSON => Answer::Unavailable,
                None => Answer::Dismissed,
            }
        };
        self.open = Some((purpose, Pending::start(ctx, "file-dialog", ask)));
    }

    /// The answer of the dialog, once.
    pub fn poll(&mut self) -> Option<(Purpose, Answer)> {
        let (purpose, pending) = self.open.as_ref()?;
        let answer = match pending.poll() {
            Arrival::Waiting => return None,
            Arrival::Here(answer) => answer,
            Arrival::Lost => Answer::Unavailable,
        };
        let purpose = *purpose;
        self.open = None;
        Some((purpose, answer))
    }
}

fn dialog(frame: &eframe::Frame, purpose: Purpose, near: Option<&Path>) -> rfd::FileDialog {
    const TABLES: [&str; 13] = ["csv", "tsv", "txt", "gz", "zst", "parquet", "pq", "ndjson", "jsonl", "arrow", "feather", "ipc", "json"];
    let mut dialog = rfd::FileDialog::new().set_parent(frame);
    dialog = match purpose {
        Purpose::Model | Purpose::CompareA | Purpose::CompareB => dialog
            .set_title("Choose a model")
            .add_filter("Models", &["onnx", package::EXTENSION])
            .add_filter("ONNX models", &["onnx"])
            .add_filter("Packages", &[package::EXTENSION]),
        Purpose::Table | Purpose::Rows | Purpose::ProfileRows | Purpose::CompareData | Purpose::PackageRows => {
            dialog.set_title("Choose a table").add_filter("Tables", &TABLES)
        }
        Purpose::Picture => dialog.set_title("Choose a picture").add_filter("Pictures", &["png", "jpg", "jpeg"]),
        Purpose::TestSets => dialog.set_title("Choose a folder of ONNX test sets"),
        Purpose::Package => dialog.set_title("Choose a package to check").add_filter("Packages", &[package::EXTENSION]),
        Purpose::PackageFile => dialog.set_title("Write the package to").add_filter("Packages", &[package::EXTENSION]),
        Purpose::Output => dialog.set_title("Write the scored table to").add_filter("Tables", &TABLES),
        Purpose::TableFile => dialog.set_title("Save the table to").add_filter("Numbers (CSV)", &["csv"]),
        Purpose::ReportFile => dialog.set_title("Save the report to").add_filter("Page (HTML)", &["html"]).add_filter("Markdown", &["md"]),
        Purpose::FigureFile => dialog
            .set_title("Save the figure to")
            .add_filter("Lines (SVG)", &["svg"])
            .add_filter("Picture (PNG)", &["png"])
            .add_filter("Numbers (CSV)", &["csv"]),
    };
    if !purpose.is_saving() && purpose != Purpose::TestSets {
        dialog = dialog.add_filter("All files", &["*"]);
    }
    if let Some(folder) = near.and_then(Path::parent).filter(|folder| !folder.as_os_str().is_empty()) {
        dialog = dialog.set_directory(folder);
    }
    if purpose.is_saving()
        && let Some(name) = near.and_then(Path::file_name)
    {
        dialog = dialog.set_file_name(name.to_string_lossy());
    }
    dialog
}
