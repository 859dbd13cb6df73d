//! What the suites share: where fixtures stand, how close is close enough, and small models made in Rust.

#![allow(clippy::unwrap_used, reason = "fixtures that are not there should fail the test with a backtrace")]

use std::path::{Path, PathBuf};

pub mod allocation;
pub mod close;
pub mod fuzzing;
pub mod models;

/// The repository's root.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A folder of `sample-models/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleModel {
    pub name: String,
    pub folder: PathBuf,
}

impl SampleModel {
    pub fn model(&self) -> PathBuf {
        self.folder.join("model.onnx")
    }

    /// `reference`, `new` or `drifted`.
    pub fn table(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.csv"))
    }

    /// Files with what ONNX Runtime answers for the head of the reference table, in the order of the model's outputs.
    pub fn expected_outputs(&self) -> Vec<PathBuf> {
        let test_set = self.folder.join("test_data_set_0");
        (0..).map(|index| test_set.join(format!("output_{index}.pb"))).take_while(|path| path.exists()).collect()
    }
}

/// Every sample model, by name.
pub fn sample_models() -> Vec<SampleModel> {
    folders_with_a_model(&workspace().join("sample-models"))
        .into_iter()
        .map(|folder| SampleModel { name: folder.file_name().unwrap().to_string_lossy().into_owned(), folder })
        .collect()
}

/// One sample model.
pub fn sample_model(name: &str) -> SampleModel {
    sample_models().into_iter().find(|sample| sample.name == name).unwrap_or_else(|| panic!("there is no sample model called {name}"))
}

/// Every golden case: folders with `model.onnx` and `test_data_set_0`.
pub fn golden_cases() -> Vec<PathBuf> {
    folders_with_a_model(&golden().join("cases"))
}

/// A model file that is wrong in one way.
pub fn broken_model(name: &str) -> PathBuf {
    golden().join("broken").join(format!("{name}.onnx"))
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

fn folders_with_a_model(parent: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(parent).unwrap_or_else(|error| panic!("{}: {error}", parent.display()));
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(|folder| folder.join("model.onnx").exists()).collect();
    folders.sort();
    assert!(!folders.is_empty(), "{}: no models there", parent.display());
    folders
}
