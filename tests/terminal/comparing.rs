//! The Compare screen: two versions on a table, part by part; the gate; the files; what can't stand.

use drydock_core::session::{JobKind, JobState};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use crate::driver::Driver;

/// B, the table, and no latency, which would take seconds.
const FORM: &str = "7e../sample-models/payment-fraud-v2/model.onnx<enter><down>e../sample-models/payment-fraud/new.csv<enter><end><right>";

#[test]
fn two_versions_are_compared_part_by_part() {
    let mut driver = Driver::with_model(80, 24, "payment-fraud");
    driver.press(FORM);
    driver.shows("payment-fraud v1 (the opened model)").shows("not measured");
    driver.press("<enter>");
    driver.settle();
    let report = driver.app.session().state().comparison.clone().unwrap();
    assert!(report.rows > 100 && report.pairs.len() == 1);
    driver.shows("[metrics]").shows("accuracy").shows("judgement");
    driver.press("<tab>").shows("[rows]").shows("kept").shows("amount");
    let first = driver.screen();
    driver.press("<down>");
    assert_ne!(driver.screen(), first, "the next row is selected");
    driver.press("<tab>").shows("[why]");
    driver.press("<tab>").shows("ECE");
    driver.press("<tab>").shows("Give a window");
    driver.press("y").shows("copied: drydock compare");
    assert!(driver.app.take_clipboard().unwrap().ends_with("new.csv --no-latency"));
    for (width, height) in [(120, 40), (40, 12), (20, 6), (8, 3), (1, 1)] {
        driver.terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        for _ in 0..8 {
            driver.press("<tab>").screen();
        }
    }
}

#[test]
fn the_gate_and_the_files_have_their_parts() {
    let mut driver = Driver::with_model(80, 24, "payment-fraud");
    driver.press(FORM);
    driver.press("<up>esize=10<enter>x");
    driver.settle();
    driver.shows("[gate]").shows("✖ fail").shows("size");
    driver.press("d");
    driver.settle();
    driver.shows("[files]").shows("parameters");
    let jobs = &driver.app.session().state().jobs;
    assert!(jobs.iter().any(|job| job.kind == JobKind::Check && job.state == JobState::Done), "{jobs:?}");
}

#[test]
fn what_cannot_stand_is_said_before_anything_runs() {
    let mut driver = Driver::with_model(80, 24, "wine");
    driver.press("7<enter>").shows("fill in A, B and data first");
    driver.press("<end><up>especd=1<enter>").shows("✗ there is no condition 'specd'");
    driver.press("<enter>").settle();
    assert!(driver.app.session().state().comparison.is_none());
}
