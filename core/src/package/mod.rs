//! A model package: one file with a model, its contract, golden cases, and what was measured of it, so that another machine can say whether the
//! model does there what it did here.
//!
//! A package is a zip archive. `manifest.json` lists every other entry with its SHA-256; `model/` has the model as it opens; `golden/` has ONNX
//! test sets; `profile.json` has what was measured while it was packed, `runs.json` the runs that the registry knew, `report.html` both for people.
//! `archive` reads and writes it within limits, `make` fills it, `check` runs it.

use std::path::{Path, PathBuf};

use crate::report::Provenance;
use crate::task::Cancelled;

mod archive;
mod check;
mod make;
mod report;

pub use archive::{Unpacked, unpack};
pub use check::{Golden, PackageCheck, check};
pub use make::package;

/// The version of the layout of packages.
pub const FORMAT_VERSION: u32 = 1;

/// What packages are called: `fraud.drydock`.
pub const EXTENSION: &str = "drydock";

/// Whether a path is written like that of a package.
pub fn is_package(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(EXTENSION))
}

/// What to pack. The one place of its defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageRequest {
    pub output: PathBuf,
    /// A table whose first rows are the golden cases; without one, rows are drawn from the contract's ranges.
    pub data: Option<PathBuf>,
    pub rows: usize,
    /// For rows that are drawn.
    pub seed: u64,
    /// Whether to measure the model now, for a few seconds, so that the package says how fast it was here.
    pub profile: bool,
    /// Replace an output that exists.
    pub overwrite: bool,
}

impl Default for PackageRequest {
    fn default() -> Self {
        Self { output: PathBuf::new(), data: None, rows: 20, seed: 0, profile: true, overwrite: false }
    }
}

/// What was packed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct PackageReport {
    pub output: PathBuf,
    pub model: String,
    pub hash: String,
    pub rows: usize,
    pub entries: u64,
    pub file_bytes: u64,
    /// Where the golden rows come from.
    pub notes: Vec<String>,
}

/// What a package says of itself.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Manifest {
    pub format_version: u32,
    pub model: String,
    /// Of the model's content.
    pub sha256: String,
    /// How far outputs may be from the golden ones: numpy's rule.
    pub relative_tolerance: f64,
    pub absolute_tolerance: f64,
    pub golden_rows: usize,
    /// Every entry but this one.
    pub entries: Vec<Entry>,
    pub provenance: serde_json::Value,
}

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Entry {
    pub path: String,
    pub n_bytes: u64,
    pub sha256: String,
}

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackageError {
    #[error("{}: expected a name that ends in .{EXTENSION}, by which a package is known; write it as {}", path.display(), path.with_extension(EXTENSION).display())]
    Name { path: PathBuf },
    #[error("{}: {}", path.display(), crate::format::file_problem(source))]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{}: there is such a file already; choose another name, or replace it with --force", path.display())]
    Exists { path: PathBuf },
    #[error("{}: not a Drydock package: {reason}; make one with: drydock package MODEL -o FILE.drydock", path.display())]
    NotAPackage { path: PathBuf, reason: String },
    #[error("{}: the entry '{entry}' is damaged: {reason}; get the package again from where it was made", path.display())]
    Damaged { path: PathBuf, entry: String, reason: String },
    #[error("{}: a package of format {found}, and this Drydock knows up to {FORMAT_VERSION}; use a newer Drydock", path.display())]
    Newer { path: PathBuf, found: u32 },
    #[error("no golden cases can be made: {0}")]
    Golden(String),
    #[error(transparent)]
    Plan(#[from] crate::engine::PlanError),
    #[error(transparent)]
    Run(#[from] crate::engine::RunError),
    #[error("the model can't be measured: {0}; leave that out with --no-profile")]
    Profile(crate::profile::ProfileError),
    #[error(transparent)]
    Load(#[from] crate::onnx::LoadError),
    #[error(transparent)]
    Contract(#[from] crate::contract::ContractError),
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl From<crate::profile::ProfileError> for PackageError {
    fn from(error: crate::profile::ProfileError) -> Self {
        match error {
            crate::profile::ProfileError::Cancelled(cancelled) => Self::Cancelled(cancelled),
            crate::profile::ProfileError::Run(error) => Self::Run(error),
            crate::profile::ProfileError::Plan(error) => Self::Plan(error),
            error => Self::Profile(error),
        }
    }
}

impl PackageError {
    /// Whether this is the user's own "stop".
    pub fn is_cancelled(&self) -> bool {
        use crate::{engine, onnx};
        matches!(
            self,
            Self::Cancelled(_)
                | Self::Plan(engine::PlanError::Cancelled(_))
                | Self::Run(engine::RunError::Cancelled(_))
                | Self::Load(onnx::LoadError::Cancelled(_))
        )
    }

    fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}

fn provenance(model: &crate::model::OpenModel) -> serde_json::Value {
    let source = crate::report::Source {
        name: model.title(),
        path: model.argument().display().to_string(),
        sha256: Some(model.sha256().to_owned()),
        rows: None,
    };
    serde_json::to_value(Provenance { models: vec![source], device: Some(model.device.label()), ..Provenance::now() }).unwrap_or_default()
}

#[cfg(test)]
mod tests;
