//! Predictions for a whole file.

use std::path::PathBuf;

use drydock_app::Options;
use drydock_core::session::Task;
use drydock_core::session::{JobKind, JobState};
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use crate::support::{Drive as _, desktop, desktop_with, options, sample_model, samples};

/// A copy of a sample's table in a folder of its own.
fn table_of(sample: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("march.csv");
    std::fs::copy(samples().join(sample).join("new.csv"), &path).expect("the sample's table");
    (folder, path)
}

#[test]
fn a_dropped_table_comes_back_scored() {
    let (folder, table) = table_of("payment-fraud");
    let mut desktop = desktop_with("payment-fraud");
    desktop.hover_file(&table);
    assert!(desktop.shows("Score march.csv with payment-fraud v1"));
    desktop.drop_file(&table);
    desktop.wait_for("the result", |state| state.score.is_some());
    assert_eq!(desktop.page(), Task::Score);
    let output = folder.path().join("march.scored.csv");
    let text = std::fs::read_to_string(&output).expect("the scored table");
    assert!(text.lines().next().is_some_and(|header| header.contains("prediction") && header.contains("probability_fraud")), "{text:.200}");
    for shown in ["rows scored", "march.scored.csv", "Accuracy", "Scored rows", "probability_fraud"] {
        assert!(desktop.shows(shown), "{shown} is missing");
    }
}

#[test]
fn a_file_that_exists_is_not_replaced_unasked() {
    let (folder, table) = table_of("wine");
    let output = folder.path().join("march.scored.csv");
    std::fs::write(&output, "precious").expect("a file");
    let mut desktop = desktop_with("wine");
    desktop.drop_file(&table);
    desktop.wait_for_label("march.scored.csv exists already");
    assert!(desktop.state().session().state().jobs.iter().all(|job| job.kind != JobKind::Score));
    assert_eq!(std::fs::read_to_string(&output).expect("the file"), "precious");

    desktop.click("Replace it");
    desktop.click("Score march.csv");
    desktop.wait_for("the result", |state| state.score.is_some());
    assert_ne!(std::fs::read_to_string(&output).expect("the file"), "precious");
}

#[test]
fn a_table_that_does_not_feed_the_model_is_an_error_before_anything_runs() {
    let (_folder, table) = table_of("wine");
    let mut desktop = desktop_with("payment-fraud");
    desktop.drop_file(&table);
    desktop.wait_for("the table", |state| state.table.is_some());
    desktop.wait_for_label("Error");
    assert!(desktop.shows("amount"), "the missing column is named");
    assert!(desktop.state().session().state().jobs.iter().all(|job| job.kind != JobKind::Score));
}

#[test]
fn a_table_that_is_not_there_is_an_error_on_the_page() {
    let mut desktop = desktop(Options { model: Some(sample_model("wine")), table: Some(PathBuf::from("/nowhere/march.csv")), ..options() });
    desktop.wait_for("both jobs to end", |state| state.jobs.len() == 2 && state.jobs.iter().all(|job| job.state != JobState::Running));
    desktop.go_to(Task::Score);
    assert!(desktop.shows("/nowhere/march.csv"));
}

#[test]
fn columns_say_what_they_feed() {
    let mut desktop =
        desktop(Options { model: Some(sample_model("payment-fraud")), table: Some(samples().join("payment-fraud/new.csv")), ..options() });
    desktop.wait_for("both", |state| state.opened.is_some() && state.table.is_some());
    desktop.go_to(Task::Score);
    for text in ["✓ feeds the model", "✓ label", "kept as it is"] {
        assert!(desktop.shows(text), "{text} is missing");
    }
    desktop.click("Rows");
    assert!(desktop.query_by_label("Sort by merchant").is_some());
}

#[test]
fn options_are_checked_where_they_are_written() {
    let (_folder, table) = table_of("wine");
    let mut desktop = desktop_with("wine");
    desktop.input_mut().dropped_files.clear();
    desktop.go_to(Task::Score);
    desktop.get_by_label("Path of a table").focus();
    desktop.settle();
    desktop.get_by_label("Path of a table").type_text(&table.display().to_string());
    desktop.key_press(eframe::egui::Key::Enter);
    desktop.wait_for("the table", |state| state.table.is_some());
    desktop.click("More options");
    for (field, written, why) in [
        ("Feature columns, in order", "alcool", "did you mean 'alcohol'"),
        ("Rows per batch", "none", "at least 1"),
        ("Columns of each input", "x", "expected input="),
    ] {
        desktop.get_by_label(field).focus();
        desktop.settle();
        desktop.get_by_label(field).type_text(written);
        desktop.settle();
        assert!(desktop.shows(why), "{why} is missing");
        assert!(desktop.get_by_label("Score march.csv").accesskit_node().is_disabled());
        for _ in written.chars() {
            desktop.key_press(eframe::egui::Key::Backspace);
        }
        desktop.settle();
        assert!(!desktop.shows(why));
    }
    assert!(!desktop.get_by_label("Score march.csv").accesskit_node().is_disabled());
}
