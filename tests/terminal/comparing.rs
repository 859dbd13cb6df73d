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
fn nothing_is_cut_at_80_columns() {
    let mut driver = Driver::with_model(80, 24, "payment-fraud");
    driver.press(FORM).press("<enter>");
    driver.settle();
    // Names give way to the letters that stand above; words stay whole.
    driver.shows("A payment-fraud v1   B payment-fraud v2").shows("no difference").shows("metric           A        B");
    driver.screen();
    driver.press("<end>").shows("cosine of probabilities").shows("size change").shows("lines ");
    // More is said than fits: the arrows go no further than the end, and back at once.
    driver.press("<down><down><down><up>");
    let above = driver.screen();
    driver.press("<down>");
    assert_ne!(driver.screen(), above);
    // Columns that find no room stand on the next page, beside the number of the row.
    driver.press("<tab>").shows("columns 2–9 of 14  ← →").shows("merchant").shows_not("is_foreign  ");
    driver.press("<right>").shows("columns 10–14 of 14").shows("n_transactions_24h  is_foreign").shows("row  channel");
    driver.press("<left>").shows("columns 2–9 of 14");
    driver.press("d");
    driver.settle();
    driver.shows("A ../sample-models/payment-fraud/model.onnx").shows("6 nodes and 1 weight did not");
    driver.screen();
    driver.press("<pgdn><pgdn>").shows("changed TreeEnsembleClassifier (ai.onnx.ml.TreeEnsembleClassifier)").shows("    class_ids: [0, 0,");
    let screen = driver.screen();
    assert!(!screen.contains('…') || screen.contains("in all"), "{screen}");
    // What can't be judged says why, in full.
    driver.press("<esc><end><up>eagreement=0.9<enter><up><up><up><up><up>e<c-u><enter>x");
    driver.settle();
    driver.shows("not judged").shows("--data");
}

#[test]
fn several_versions_are_stepped_through() {
    let mut driver = Driver::with_model(80, 24, "payment-fraud");
    let (second, third) = ("../sample-models/payment-fraud-v2/model.onnx", "../sample-models/payment-fraud/model.onnx");
    driver.press(&format!("7e{second}, ../sample-models/payment-fraud/mod<tab>"));
    driver.press("<down>e../sample-models/payment-fraud/new.csv<enter><end><right>").shows_not("n next version");
    driver.press("<enter>");
    driver.settle();
    let report = driver.app.session().state().comparison.clone().unwrap();
    assert_eq!(report.versions.len(), 3);
    driver.shows("B payment-fraud v2   1 of 2, n next").shows("n next version").shows("better in");
    driver.press("n").shows("C payment-fraud v1 (C)   2 of 2, n next").shows("says exactly what").shows("metric           A        C");
    driver.press("<tab>").shows("No row changes.").press("n").shows("1 of 2, n next").shows("genuine  fraud");
    driver.press("y");
    let line = driver.app.take_clipboard().unwrap();
    assert!(line.contains(&format!("{second} {third} --data")), "{line}");
    // The gate and the files are about the version that is shown.
    driver.press("nd");
    driver.settle();
    driver.shows("The files hold the same graph").press("y");
    assert_eq!(driver.app.take_clipboard().unwrap(), format!("drydock diff {third} {third}"));
    driver.press("ny");
    assert_eq!(driver.app.take_clipboard().unwrap(), format!("drydock diff {third} {second}"));
}

#[test]
fn windows_and_a_canary_have_their_figures() {
    let mut driver = Driver::with_model(80, 24, "payment-fraud");
    driver.press(FORM).press("<up><up><up>e250<down>e0.2<enter><enter>");
    driver.settle();
    driver.press("<tab><tab><tab><tab>").shows("[time]").shows("served by").shows("(1 of 2 ← →)").shows("share of rows that change");
    driver.press("<right>").shows("(2 of 2 ← →)").shows("accuracy lies between");
    driver.terminal = Terminal::new(TestBackend::new(120, 40)).unwrap();
    // Side by side where there is room.
    driver.shows("accuracy lies between").shows("of the rows of a window change").shows_not("(2 of 2");
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
    driver.press("<end><up>especd=1<enter>").shows("✗ there is no condition 'specd'").shows("the conditions are").shows("agreement");
    driver.press("<enter>").settle();
    assert!(driver.app.session().state().comparison.is_none());
}
