//! Packages on the Models page: making one, and checking one that came from elsewhere.

use std::path::{Path, PathBuf};

use drydock_app::Options;
use drydock_core::model::sha256;
use drydock_core::package::Golden;
use drydock_core::session::{JobKind, JobState, Task};
use eframe::egui::accesskit::Role;
use eframe::egui::{Key, Modifiers, Theme, Vec2};
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use crate::support::{Desktop, Drive as _, desktop_in, options, sample_model, samples};

/// A program with a model open, on the Models page.
fn desktop_with(sample: &str, home: Option<&Path>) -> Desktop {
    let kept = Options { model: Some(sample_model(sample)), home: home.map(Path::to_owned), ..options() };
    let mut desktop = desktop_in(kept, Theme::Light, Vec2::new(1200.0, 2400.0));
    desktop.wait_for("the model", |state| state.opened.is_some() && (home.is_none() || state.registry.is_some()));
    desktop.go_to(Task::Models);
    desktop
}

/// Writes over what stands in a field.
fn write(desktop: &mut Desktop, field: &str, text: &str) {
    desktop.get_by_label(field).focus();
    desktop.settle();
    desktop.key_press_modifiers(Modifiers::COMMAND, Key::A);
    desktop.key_press(Key::Backspace);
    desktop.get_by_label(field).type_text(text);
    desktop.settle();
}

#[test]
fn the_open_model_is_packed_and_its_package_checked() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("wine.drydock");
    let mut desktop = desktop_with("wine", None);
    desktop.click("Package wine v1…");
    let suggested = desktop.get_by_label("File of the package").value().expect("a path");
    assert!(suggested.ends_with("sample-models/wine/wine-v1.drydock"), "{suggested}");
    write(&mut desktop, "File of the package", &path.display().to_string());
    write(&mut desktop, "Number of golden rows", "7");
    write(&mut desktop, "Table with the golden rows", &samples().join("wine/new.csv").display().to_string());
    desktop.click("Pack wine v1");
    desktop.wait_for("the package", |state| state.package.is_some());
    assert!(path.is_file());
    assert!(desktop.shows("wine v1 with 7 golden rows"));
    assert_eq!(desktop.page(), Task::Models);

    // It exists now, so it has to be said that it goes.
    desktop.wait_for_label("wine.drydock exists already.");
    assert!(desktop.get_by_label("Pack wine v1").accesskit_node().is_disabled());
    desktop.click("Replace it");
    assert!(!desktop.get_by_label("Pack wine v1").accesskit_node().is_disabled());

    desktop.hover_file(&path);
    assert!(desktop.shows("Check whether wine.drydock does here what it did where it was packed"));
    desktop.drop_file(&path);
    desktop.wait_for("the verdict", |state| state.package_check.is_some());
    assert!(
        desktop
            .query_by_role_and_label(Role::Status, "bit-equal: Over 7 golden rows, every output is the same to the bit as where it was packed.")
            .is_some()
    );
    desktop.go_to(Task::Jobs);
    assert!(desktop.shows("bit-equal"));
    desktop.go_to(Task::Models);
    desktop.click("Open the model of wine v1");
    desktop.wait_for("the package to open", |state| state.opened.as_ref().is_some_and(|opened| opened.model.argument() == path));
}

#[test]
fn what_can_not_be_packed_is_said_at_its_field() {
    let mut desktop = desktop_with("wine", None);
    desktop.key_press_modifiers(Modifiers::COMMAND, Key::K);
    desktop.settle();
    desktop.get_by_label("Find a command").type_text("package the model");
    desktop.settle();
    desktop.key_press(Key::Enter);
    desktop.settle();
    let cases = [
        ("Number of golden rows", "0", "expected a number of rows from 1 on, such as 20, found '0'", ""),
        ("Seed of the rows that are drawn", "many", "expected a whole number such as 7, found 'many'", ""),
        ("Table with the golden rows", "nowhere.csv", "there is no such file", ""),
        ("Table with the golden rows", "picture.png", "expected a table (.csv, .tsv, .parquet, .ndjson, .arrow), found 'picture.png'", ""),
        ("File of the package", "wine.zip", "expected a name that ends in .drydock", "wine.drydock"),
    ];
    for (field, written, why, mended) in cases {
        write(&mut desktop, field, written);
        desktop.wait_for_label(why);
        assert!(desktop.get_by_label("Pack wine v1").accesskit_node().is_disabled(), "{written}");
        write(&mut desktop, field, mended);
        assert!(!desktop.shows(why));
    }
    write(&mut desktop, "Number of golden rows", "3");
    desktop.click("Copy as command");
    assert!(desktop.shows("model.onnx -o wine.drydock --rows 3"), "the command says the same");
    desktop.click("Close");
    assert!(desktop.query_by_label("File of the package").is_none());
}

#[test]
fn a_version_of_the_registry_is_opened_and_packed() {
    let home = tempfile::tempdir().expect("a folder");
    let path = home.path().join("wine.drydock");
    let mut desktop = desktop_with("wine", Some(home.path()));
    desktop.click("Add wine v1");
    desktop.wait_for("the version", |state| state.registry.as_ref().is_some_and(|view| view.n_versions() == 1));
    desktop.click("More");
    desktop.click("Package…");
    assert!(desktop.shows("wine v1 is opened for it."));
    write(&mut desktop, "File of the package", &path.display().to_string());
    desktop.click("Copy as command");
    assert!(desktop.shows("drydock package wine:1 -o"));
    desktop.key_press_modifiers(Modifiers::COMMAND, Key::Enter);
    desktop.wait_for("the package", |state| state.package.is_some());
    assert!(path.is_file());
    assert_eq!(desktop.page(), Task::Models, "a model that is opened to be packed leads nowhere else");
    let opened = desktop.state().session().state().opened.as_ref().expect("the version");
    assert_eq!(opened.model.argument(), Path::new("wine:1"));
    desktop.go_to(Task::Compare);
    assert_eq!(desktop.get_by_label("Version A, the baseline").value().as_deref(), Some("wine:1"), "not the file inside the registry");
}

#[test]
fn what_differs_is_said_in_full() {
    let folder = tempfile::tempdir().expect("a folder");
    // The numbers that ONNX Runtime gave, and two that nothing gave.
    for (by, golden, word) in [(1e-5_f32, Golden::WithinTolerance, "within tolerance"), (0.25, Golden::Different, "different")] {
        let path = folder.path().join(format!("by-{by}.drydock"));
        moved_package(&path, by);
        let mut desktop = desktop_in(options(), Theme::Light, Vec2::new(1200.0, 1800.0));
        write(&mut desktop, "Path of a package", &path.display().to_string());
        desktop.click("Check the package");
        desktop.wait_for("the verdict", |state| state.package_check.is_some());
        let check = desktop.state().session().state().package_check.clone().expect("the check");
        assert_eq!(check.verdict, golden);
        assert!(desktop.query_all_by_label_contains(&format!("{word}: Over 20 golden rows")).next().is_some());
        let difference = check.differences.last().expect("a difference");
        let said = difference.split_once(": ").map_or(difference.as_str(), |(_, said)| said);
        assert!(desktop.shows(said), "'{said}' is missing");
        assert!(desktop.shows("by up to"), "the largest difference is shown");
        desktop.go_to(Task::Jobs);
        assert!(desktop.shows(word));
    }
}

#[test]
fn what_is_no_package_is_an_error_where_it_was_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("broken.drydock");
    std::fs::write(&path, b"this is no package").expect("a file");
    let mut desktop = desktop_in(options(), Theme::Light, Vec2::new(1200.0, 1800.0));
    desktop.go_to(Task::Jobs);
    desktop.drop_file(&path);
    desktop.wait_for_label("not a Drydock package");
    assert_eq!(desktop.page(), Task::Models);
    assert!(desktop.state().ui_state().toasts.is_empty(), "the page itself says it");
    assert!(desktop.state().session().state().jobs.iter().any(|job| job.kind == JobKind::Package && matches!(job.state, JobState::Failed(_))));
}

/// A package of a sample with its own test set, whose last number has moved.
fn moved_package(path: &Path, by: f32) {
    let sample = samples().join("breast-cancer");
    let model = std::fs::read(sample.join("model.onnx")).expect("the model");
    let hash = drydock_core::model::OpenModel::load(
        &drydock_core::task::TaskCtx::unattended(),
        &sample.join("model.onnx"),
        drydock_core::tensor::Device::Cpu,
    )
    .expect("the model")
    .sha256()
    .to_owned();
    let mut entries = vec![("model/model.onnx".to_owned(), model)];
    let mut files: Vec<PathBuf> = std::fs::read_dir(sample.join("test_data_set_0")).expect("the set").flatten().map(|entry| entry.path()).collect();
    files.sort();
    for file in files {
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        let mut bytes = std::fs::read(&file).expect("a tensor");
        if name == "output_1.pb" {
            // The raw data of the tensor ends its file.
            let at = bytes.len() - 4;
            let number = f32::from_le_bytes(bytes[at..].try_into().expect("four bytes"));
            bytes[at..].copy_from_slice(&(number + by).to_le_bytes());
        }
        entries.push((format!("golden/test_data_set_0/{name}"), bytes));
    }
    let listed: Vec<serde_json::Value> =
        entries.iter().map(|(name, bytes)| serde_json::json!({ "path": name, "n_bytes": bytes.len(), "sha256": sha256(bytes) })).collect();
    let manifest = serde_json::json!({
        "format_version": 1,
        "model": "breast-cancer v1",
        "sha256": hash,
        "relative_tolerance": 1e-3,
        "absolute_tolerance": 1e-5,
        "golden_rows": 20,
        "entries": listed,
        "provenance": { "date": "2026-01-02T03:04:05Z", "device": "another machine" },
    });
    entries.push(("manifest.json".to_owned(), serde_json::to_vec(&manifest).expect("text")));
    std::fs::write(path, stored(&entries)).expect("the package");
}

/// A zip archive whose entries are stored as they are. Packages have checksums of their own, so those of zip are left out.
fn stored(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    let u16 = |number: usize| u16::try_from(number).expect("a small number").to_le_bytes();
    let u32 = |number: usize| u32::try_from(number).expect("a small number").to_le_bytes();
    for (name, bytes) in entries {
        let offset = archive.len();
        // Version, flags, method, time, date, checksum, sizes, length of the name, of what is extra.
        let common = [&u16(20)[..], &[0; 8], &[0; 4], &u32(bytes.len()), &u32(bytes.len()), &u16(name.len()), &u16(0)].concat();
        archive.extend([&b"PK\x03\x04"[..], &common[..], name.as_bytes(), bytes].concat());
        directory.extend([&b"PK\x01\x02"[..], &u16(20)[..], &common, &[0; 10], &u32(offset), name.as_bytes()].concat());
    }
    let start = archive.len();
    archive.extend(&directory);
    archive.extend([&b"PK\x05\x06"[..], &[0; 4][..], &u16(entries.len()), &u16(entries.len()), &u32(directory.len()), &u32(start), &u16(0)].concat());
    archive
}
