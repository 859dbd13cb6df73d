//! Load → save → load changes nothing.

use super::*;

#[track_caller]
fn assert_identity(path: &Path) {
    let model = load(&TaskCtx::unattended(), path).unwrap_or_else(|error| panic!("{error}")).model;
    let again = load_bytes(path, save_bytes(&model).into()).unwrap_or_else(|error| panic!("saved and loaded: {error}"));
    assert!(model == again, "{} changed when it was saved and loaded again", path.display());
}

fn models_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            models_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "onnx") {
            found.push(path);
        }
    }
}

#[test]
fn every_sample_and_golden_model_survives() {
    let mut models = Vec::new();
    for folder in ["sample-models", "tests/golden"] {
        models_below(&fixtures().join(folder), &mut models);
    }
    assert!(models.len() > 100, "only {} models found", models.len());
    models.iter().for_each(|path| assert_identity(path));
}
