//! Two versions side by side.

use drydock_app::Options;
use drydock_core::session::Task;
use eframe::egui::{Key, Theme, Vec2};
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use crate::support::{Desktop, Drive as _, desktop_in, options, sample_model, samples};

/// A window that is high enough for a whole report, on the page that compares.
fn desktop_to_compare(options: Options) -> Desktop {
    let mut desktop = desktop_in(options, Theme::Light, Vec2::new(1200.0, 4200.0));
    desktop.go_to(Task::Compare);
    desktop
}

fn write(desktop: &mut Desktop, field: &str, text: &str) {
    desktop.get_by_label(field).focus();
    desktop.settle();
    desktop.get_by_label(field).type_text(text);
    desktop.settle();
}

#[test]
fn two_sample_versions_are_compared_with_one_click() {
    let mut desktop = desktop_to_compare(options());
    desktop.wait_for_label("Compare two sample versions");
    desktop.click("Compare two sample versions");
    desktop.wait_for("the comparison", |state| state.comparison.is_some());
    let report = desktop.state().session().state().comparison.clone().expect("the report");
    let pair = &report.pairs[0];
    for shown in ["Rows that agree", "Changed rows", "How they compare", "Calibration", "McNemar", "Which rows change"] {
        assert!(desktop.shows(shown), "{shown} is missing");
    }
    assert!(desktop.shows(&report.headline(pair)));
    for metric in &pair.metrics {
        assert!(desktop.shows(metric.name.name()), "{} is missing", metric.name.name());
        assert!(desktop.shows(metric.judgement.word()));
    }
    let reliability = report.reliability_figure().expect("probabilities").title;
    assert!(desktop.query_all_by_label(&reliability).next().is_some());
    assert!(desktop.query_by_label("Search Changed rows").is_some());
    assert!(desktop.query_by_label("Save the report…").is_some());
}

#[test]
fn files_that_are_dropped_become_version_b_and_the_data() {
    let kept = Options { model: Some(sample_model("payment-fraud")), ..options() };
    let mut desktop = desktop_in(kept, Theme::Light, Vec2::new(1200.0, 4200.0));
    desktop.wait_for("the model", |state| state.opened.is_some());
    desktop.go_to(Task::Compare);
    assert!(desktop.get_by_label("Version A, the baseline").value().is_some_and(|path| path.contains("payment-fraud")), "the opened model is A");
    assert!(desktop.get_by_label("Compare A and B").accesskit_node().is_disabled());
    desktop.hover_file(&sample_model("payment-fraud-v2"));
    assert!(desktop.shows("Compare with"));
    desktop.drop_file(&sample_model("payment-fraud-v2"));
    desktop.drop_file(&samples().join("payment-fraud/new.csv"));
    assert_eq!(desktop.page(), Task::Compare);
    desktop.click("More options");
    desktop.click("Measure both in turns");
    write(&mut desktop, "Length of a window", "500 rows");
    desktop.click("Copy as command");
    assert!(desktop.shows("--window '500 rows' --no-latency"));
    desktop.click("Compare A and B");
    desktop.wait_for("the comparison", |state| state.comparison.is_some());
    assert!(desktop.shows("As time goes by"));
    desktop.click("Swap A and B");
    assert!(desktop.get_by_label("Version B").value().is_some_and(|path| path.ends_with("payment-fraud/model.onnx")));
}

#[test]
fn a_version_is_held_to_its_gate_and_files_are_compared() {
    let kept = Options { model: Some(sample_model("payment-fraud")), ..options() };
    let mut desktop = desktop_in(kept, Theme::Light, Vec2::new(1200.0, 4200.0));
    desktop.wait_for("the model", |state| state.opened.is_some());
    desktop.go_to(Task::Compare);
    desktop.drop_file(&sample_model("payment-fraud-v2"));
    desktop.click("Compare the files of A and B");
    desktop.wait_for("the files", |state| state.diff.is_some());
    assert!(desktop.shows("What changed in the files"));
    assert!(desktop.query_by_label("Sort by operator").is_some(), "the changed nodes are listed");

    desktop.drop_file(&samples().join("payment-fraud/new.csv"));
    desktop.click("Ship gate…");
    write(&mut desktop, "Metrics that B reaches", "accuracy");
    assert!(desktop.shows("such as accuracy=0.9, found 'accuracy'"));
    assert!(desktop.get_by_label("Check B").accesskit_node().is_disabled());
    write(&mut desktop, "Metrics that B reaches", "=2");
    write(&mut desktop, "Largest size of B", "1GB");
    desktop.click("Check B");
    desktop.wait_for("the verdict", |state| state.check.is_some());
    let report = desktop.state().session().state().check.clone().expect("the report");
    assert_eq!(report.verdict, drydock_core::report::Verdict::Fail, "no accuracy reaches 2");
    assert!(desktop.query_all_by_label_contains(&format!("fail: {}", report.headline())).next().is_some());
    for condition in &report.conditions {
        assert!(desktop.shows(&condition.name), "{} is missing", condition.name);
    }
    assert!(desktop.query_by_label("Save the check…").is_some());
}

#[test]
fn what_can_not_be_compared_is_said_where_it_is() {
    let kept = Options { model: Some(sample_model("payment-fraud")), ..options() };
    let mut desktop = desktop_in(kept, Theme::Light, Vec2::new(1200.0, 1200.0));
    desktop.wait_for("the model", |state| state.opened.is_some());
    desktop.key_press(Key::Num7);
    desktop.settle();
    assert_eq!(desktop.page(), Task::Compare);
    desktop.drop_file(&sample_model("wine"));
    desktop.drop_file(&samples().join("payment-fraud/new.csv"));
    desktop.click("More options");
    write(&mut desktop, "Share that B serves", "11");
    assert!(desktop.shows("a share between 0 and 1"));
    assert!(desktop.get_by_label("Compare A and B").accesskit_node().is_disabled());
    for _ in 0..2 {
        desktop.key_press(Key::Backspace);
    }
    desktop.settle();
    desktop.click("Compare A and B");
    desktop.wait_for_label("Error");
    assert!(desktop.state().session().state().comparison.is_none());
}
