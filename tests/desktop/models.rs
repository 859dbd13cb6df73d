//! Opening models: from the samples, by path, by dropping, and what happens when that fails.

use drydock_app::Options;
use drydock_core::session::Task;
use eframe::egui::Key;
use eframe::egui::accesskit::Role;
use egui_kittest::kittest::Queryable as _;

use crate::support::{Drive as _, desktop, desktop_with, options, sample_model};

#[test]
fn an_empty_page_opens_a_sample_at_once() {
    let mut desktop = desktop(options());
    desktop.wait_for_label("Open a sample model");
    desktop.click("Open a sample model");
    desktop.wait_for("the sample", |state| state.opened.is_some());
    assert_eq!(desktop.page(), Task::Predict);
    assert!(desktop.query_by_label("Model: payment-fraud v1").is_some());
}

#[test]
fn a_model_opens_by_its_path_and_shows_what_it_is_made_of() {
    let mut desktop = desktop(options());
    desktop.get_by_label("Path of a model").focus();
    desktop.settle();
    desktop.get_by_label("Path of a model").type_text(&sample_model("breast-cancer").display().to_string());
    desktop.key_press(Key::Enter);
    desktop.wait_for("the model", |state| state.opened.is_some());
    desktop.go_to(Task::Inspect);
    for text in ["Parameters", "Inputs", "Outputs", "Can run here"] {
        assert!(desktop.shows(text), "{text} is missing");
    }
    let n_nodes = desktop.state().session().state().opened.as_ref().map(|opened| opened.report.nodes.len()).expect("a model");
    assert!(desktop.shows(&format!("Nodes  {n_nodes}")));
}

#[test]
fn a_path_is_completed_while_it_is_typed() {
    const FIELD: &str = "Path of a model";
    let mut desktop = desktop(options());
    desktop.get_by_label(FIELD).focus();
    desktop.settle();
    for (typed, suggestion, completed) in [
        ("../sample-mo", "sample-models/", "../sample-models/"),
        ("wi", "wine/", "../sample-models/wine/"),
        ("mod", "model.onnx", "../sample-models/wine/model.onnx"),
    ] {
        desktop.get_by_label(FIELD).type_text(typed);
        desktop.wait_for_label(suggestion);
        desktop.key_press(Key::ArrowDown);
        desktop.settle();
        assert_eq!(desktop.get_by_label(FIELD).value().as_deref(), Some(completed));
    }
    desktop.key_press(Key::Enter);
    desktop.wait_for("the model", |state| state.opened.is_some());
}

#[test]
fn nodes_are_searched_and_sorted() {
    let mut desktop = desktop_with("digits");
    desktop.go_to(Task::Inspect);
    assert!(desktop.shows("Conv"));
    desktop.get_by_label("Search").focus();
    desktop.settle();
    desktop.get_by_label("Search").type_text("nothing is called like this");
    desktop.settle();
    assert!(desktop.query_by_label("Conv").is_none());
    desktop.click("Sort by Operator");
}

#[test]
fn a_dropped_model_says_so_and_opens() {
    let mut desktop = desktop(options());
    let model = sample_model("wine");
    desktop.hover_file(&model);
    assert!(desktop.shows("Open model.onnx"));
    desktop.drop_file(&model);
    desktop.wait_for("the model", |state| state.opened.is_some());
    assert!(!desktop.shows("Open model.onnx"));
}

#[test]
fn a_broken_model_is_an_error_where_it_was_opened() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("broken.onnx");
    std::fs::write(&path, b"this is no model").expect("a file");
    let mut desktop = desktop(Options { model: Some(path.clone()), ..options() });
    desktop.wait_for_label("broken.onnx");
    assert!(desktop.shows("Error"));
    assert!(desktop.state().ui_state().toasts.is_empty(), "the page itself says it");

    // Elsewhere a toast says so, with the way to the page.
    desktop.go_to(Task::Jobs);
    desktop.drop_file(&path);
    desktop.wait_for_label("Show Models");
    desktop.click("Show Models");
    assert_eq!(desktop.page(), Task::Models);
}

#[test]
fn what_is_no_model_table_or_picture_is_refused_in_words() {
    let mut desktop = desktop(options());
    desktop.drop_file(std::path::Path::new("/tmp/letter.docx"));
    assert!(desktop.shows("letter.docx is no model"));
}

#[test]
fn models_opened_before_are_listed() {
    let home = tempfile::tempdir().expect("a folder");
    let kept = || Options { home: Some(home.path().to_owned()), ..options() };
    let mut first = desktop(Options { model: Some(sample_model("wine")), ..kept() });
    first.wait_for("the model", |state| state.opened.is_some());
    let mut second = desktop(kept());
    assert!(second.shows("Recent"));
    second.wait_for_label("wine");
    second.get_all_by_label("Open wine").next().expect("a line").click();
    second.wait_for("the model", |state| state.opened.is_some());
}

#[test]
fn a_closed_model_is_gone() {
    let mut desktop = desktop_with("wine");
    desktop.key_press_modifiers(eframe::egui::Modifiers::COMMAND, Key::W);
    desktop.settle();
    assert!(desktop.state().session().state().opened.is_none());
    assert!(desktop.query_by_label("Model: none open").is_some());
}

#[test]
fn a_model_is_verified_against_its_own_test_sets() {
    let mut desktop = desktop_with("wine");
    desktop.key_press_modifiers(eframe::egui::Modifiers::COMMAND, Key::K);
    desktop.settle();
    desktop.get_by_label("Find a command").type_text("verify against");
    desktop.settle();
    desktop.key_press(Key::Enter);
    desktop.settle();
    // The model's own folder is offered.
    assert!(desktop.get_by_label("Folder of test sets").value().is_some_and(|folder| folder.ends_with("wine")));
    desktop.get_by_role_and_label(Role::Button, "Verify").click();
    desktop.wait_for("the verdict", |state| state.verify.is_some());
    assert_eq!(desktop.page(), Task::Jobs);
    assert!(desktop.shows("pass"));
    assert!(desktop.shows("1 of 1 case passed"));
}

#[test]
fn a_dropped_folder_of_test_sets_is_verified_and_failures_say_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let case = folder.path().join("wrong");
    std::fs::create_dir_all(case.join("test_data_set_0")).expect("a folder");
    let sample = crate::support::samples().join("wine");
    std::fs::copy(sample.join("model.onnx"), case.join("model.onnx")).expect("the model");
    for entry in std::fs::read_dir(sample.join("test_data_set_0")).expect("the data").flatten() {
        std::fs::copy(entry.path(), case.join("test_data_set_0").join(entry.file_name())).expect("the data");
    }
    // What should come out is another model's answer.
    let other = crate::support::samples().join("breast-cancer/test_data_set_0/output_0.pb");
    std::fs::copy(other, case.join("test_data_set_0/output_0.pb")).expect("the answer");
    let mut desktop = desktop(options());
    desktop.hover_file(folder.path());
    assert!(desktop.shows("Verify the test sets in"));
    desktop.drop_file(folder.path());
    desktop.wait_for("the verdict", |state| state.verify.is_some());
    assert_eq!(desktop.page(), Task::Jobs);
    for text in ["fail", "0 of 1 case passed", "mismatch", "wrong"] {
        assert!(desktop.shows(text), "{text} is missing");
    }
}
