//! The sample models that come with Drydock, where they can be found.

use std::path::{Path, PathBuf};

/// A sample model on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Its folders below `sample-models`: "digits", "payment-fraud/v2".
    pub name: String,
    pub path: PathBuf,
}

/// Looks for `sample-models` in the working directory and beside the executable, in each of their parents.
pub fn find() -> Vec<Sample> {
    let starts = [std::env::current_dir().ok(), std::env::current_exe().ok()];
    let folder = starts.iter().flatten().flat_map(|start| start.ancestors()).map(|parent| parent.join("sample-models")).find(|path| path.is_dir());
    folder.map_or_else(Vec::new, |folder| below(&folder))
}

/// The models of a folder of samples, by name.
pub fn below(folder: &Path) -> Vec<Sample> {
    /// `sample-models/payment-fraud/v2/model.onnx` is as deep as it gets.
    const DEPTH: usize = 3;
    let mut samples = Vec::new();
    collect(folder, folder, DEPTH, &mut samples);
    samples.sort_by(|a, b| a.name.cmp(&b.name));
    samples
}

fn collect(root: &Path, folder: &Path, depth: usize, samples: &mut Vec<Sample>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut models = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() && depth > 1 {
            collect(root, &path, depth - 1, samples);
        } else if path.extension().is_some_and(|extension| extension == "onnx") {
            models.push(path);
        }
    }
    // A folder with one model is that model; several are told apart by their stems.
    let is_alone = models.len() == 1;
    for path in models {
        let named = if is_alone { folder.to_owned() } else { path.with_extension("") };
        let name =
            named.strip_prefix(root).unwrap_or(&named).components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
        samples.push(Sample { name, path });
    }
}
