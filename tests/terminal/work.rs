//! Work that takes a while: predictions that follow the keys, scoring with progress, cancelling, failing.

use std::fmt::Write as _;

use drydock_core::session::{JobKind, JobState};

use crate::driver::{Driver, sample, scratch};

#[test]
fn the_answer_follows_every_change() {
    let mut driver = Driver::with_model(80, 24, "payment-fraud-v2");
    driver.press("3").settle();
    driver.shows("genuine").shows("fraud");
    let before = driver.screen();
    driver.press("<enter><c-u>1900<enter>").settle();
    assert_ne!(driver.screen(), before);
    // What can't be predicted says so where it is, and the answer comes back with the value.
    driver.press("<enter><c-u><enter>").settle();
    driver.shows("✗ a value is needed").shows("amount: a value is needed");
    driver.press("r").settle();
    driver.shows_not("a value is needed");
}

#[test]
fn what_was_typed_stays() {
    let mut driver = Driver::with_model(80, 24, "payment-fraud-v2");
    driver.press("3<enter><c-u>777<enter>4e../sample<enter>").press("<esc>93").settle();
    driver.shows("777");
    // Escape puts back what was there.
    driver.press("<enter><c-u>888<esc>").settle();
    driver.shows("777").shows_not("888");
}

#[test]
fn a_row_of_a_table_fills_the_form() {
    let mut driver = Driver::with_model(80, 24, "payment-fraud-v2");
    driver.press("3f");
    driver.shows("../sample-models/payment-fraud-v2/");
    driver.press("new.csv<enter>").settle();
    driver.shows("200001");
    driver.press("<down><enter>").settle();
    driver.shows("8 of 8 columns filled from row 2 of new.csv").shows("57.95").shows("2891");
    // The table is still there for the next row.
    driver.press("f<up><enter>").settle();
    driver.shows("81.67").shows("(empty)");
}

#[test]
fn a_table_that_cannot_be_read_is_said() {
    let mut driver = Driver::with_model(80, 24, "wine");
    driver.press("3f<c-u>no-such.csv<enter>").settle();
    driver.shows("no-such.csv").shows_not("reading…");
    driver.press("4eno-such.csv<enter>").settle();
    driver.shows("no-such.csv");
    assert!(driver.app.session().state().jobs.iter().all(|job| matches!(job.state, JobState::Failed(_) | JobState::Done)));
}

#[test]
fn a_file_is_scored_and_its_head_shown() {
    let output = scratch("work.scored.csv");
    let mut driver = Driver::with_model(80, 24, "wine");
    driver.press("4e").press(&sample("wine", "new.csv").display().to_string()).press("<enter>").settle();
    driver.shows("cultivar").shows("(found)");
    driver.press("<down>e").press(&output.display().to_string()).press("<enter><enter>").settle();
    driver.shows("36 rows in").shows("accuracy").shows("prediction");
    assert_eq!(std::fs::read_to_string(&output).unwrap().lines().count(), 37);
    // A second time the file is there; the reason stands where the work is.
    driver.press("<enter>").settle();
    driver.shows("there is already a file");
    driver.press("<end><up><right><enter>").settle();
    driver.shows("36 rows in");
}

#[test]
fn scoring_shows_progress_and_can_be_cancelled() {
    let data = scratch("long.csv");
    let output = scratch("long.scored.csv");
    let wine = std::fs::read_to_string(sample("wine", "new.csv")).unwrap();
    let (header, rows) = wine.split_once('\n').unwrap();
    let mut long = format!("{header}\n");
    for _ in 0..20_000 {
        let _ = write!(long, "{rows}");
    }
    std::fs::write(&data, long).unwrap();
    let mut driver = Driver::with_model(80, 24, "wine");
    driver.press("4e").press(&data.display().to_string()).press("<enter>").settle();
    driver.press("<down>e").press(&output.display().to_string()).press("<enter><enter>");
    driver.app.poll();
    assert!(driver.app.is_busy());
    driver.shows("scoring long.csv").shows("c cancel").shows("░");
    // Quitting over running work asks once.
    driver.press("q");
    driver.shows("scoring long.csv is not done; q again");
    assert!(!driver.app.has_quit());
    driver.press("c").settle();
    driver.shows("cancelled; nothing was written");
    let last = driver.app.session().state().jobs.last().unwrap();
    assert_eq!((last.kind, &last.state), (JobKind::Score, &JobState::Cancelled));
    assert!(!output.exists());
    std::fs::remove_file(data).unwrap();
}

#[test]
fn the_curve_follows_the_selected_number() {
    let mut driver = Driver::with_model(80, 24, "payment-fraud-v2");
    driver.press("3w").settle();
    driver.shows("What if: amount").shows("as amount grows").shows("amount, EUR").shows("2,000");
    let is_curve = |c: char| ('\u{2801}'..='\u{28ff}').contains(&c);
    assert!(driver.screen().chars().filter(|c| is_curve(*c)).count() > 20, "{}", driver.screen());
    // A text can't be varied: the curve stays with the last number.
    driver.press("<down>").settle();
    driver.shows("What if: amount");
    driver.press("<down><down><down>").settle();
    driver.shows("What if: hour").shows("hour");
    driver.press("w").settle();
    driver.shows_not("What if");
    // Of a picture there is no number to vary.
    let mut pictures = Driver::with_model(80, 24, "digits");
    pictures.press("3<enter>").press(&sample("digits", "three.png").display().to_string()).press("<enter>w").settle();
    pictures.shows("the answer is about a picture").shows_not("What if");
}

#[test]
fn test_sets_are_verified_from_any_screen() {
    let mut driver = Driver::with_model(80, 24, "wine");
    driver.press("2v");
    driver.shows("test sets  ../sample-models/wine/");
    driver.press("<enter>").settle();
    driver.shows("pass: 1 case, 1 passed, 0 failed, 0 skipped").shows("✓ verifying wine");
    driver.press("y");
    assert_eq!(driver.app.take_clipboard().as_deref(), Some("drydock verify ../sample-models/wine/"));
    // What can't be found is said at the job.
    driver.press("v<c-u>no-such-folder<enter>").settle();
    driver.shows("✗ verifying no-such-folder").shows("there is no such file or folder");
}

#[test]
fn failed_cases_say_why_and_can_be_scrolled() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for index in 0..8 {
        let case = folder.join(format!("case_{index}/test_data_set_0"));
        std::fs::create_dir_all(&case).unwrap();
        std::fs::copy(sample("wine", "model.onnx"), folder.join(format!("case_{index}/model.onnx"))).unwrap();
        std::fs::copy(sample("wine", "test_data_set_0/input_0.pb"), case.join("input_0.pb")).unwrap();
        std::fs::copy(sample("breast-cancer", "test_data_set_0/output_0.pb"), case.join("output_0.pb")).unwrap();
    }
    let mut driver = Driver::new(80, 24);
    driver.press("v").press(&folder.display().to_string()).press("<enter>").settle();
    driver.shows("✗ verifying").shows("fail: 8 of 8").shows("fail: 8 cases, 0 passed, 8 failed").shows("mismatch: case_0").shows_not("case_7");
    driver.press("<tab><end>");
    driver.shows("mismatch: case_7").shows_not("mismatch: case_0");
}

#[test]
fn a_model_is_closed() {
    let mut driver = Driver::with_model(80, 24, "wine");
    driver.press("3<c-w>");
    driver.shows("no model open").shows("[1 Models]").shows("wine v1 is closed");
    driver.press("3");
    driver.shows("Open a model first");
    driver.press("<c-w>");
    driver.shows("no model is open");
}

#[test]
fn options_of_a_score_are_checked_where_they_are_written() {
    let mut driver = Driver::with_model(80, 24, "wine");
    driver.press("4e").press(&sample("wine", "new.csv").display().to_string()).press("<enter>").settle();
    driver.press("<end><right>");
    driver.shows("keep").shows("columns").shows("bind").shows("batch").shows("chosen for the model");
    // Names are completed from the table's.
    driver.press("<down>ealco<tab>").shows("alcohol");
    driver.press(",nonsense<enter>").shows("✗ there is no column 'nonsense'");
    // Nothing runs with it, and the way leads back to it.
    driver.press("g<enter>").settle();
    driver.shows("▸ keep").shows_not("rows in");
    driver.press("e<c-u>none<enter><end>e0<enter>").shows("✗ expected a whole number of rows");
    driver.press("e<c-u>7<enter>").shows_not("✗");
    driver.press("y");
    let line = driver.app.take_clipboard().unwrap();
    assert!(line.ends_with(" --keep none --batch 7"), "{line}");
    // Folded again, what is written still shows.
    driver.press("<up><up><up><up><left>").shows("keep none · batch 7");
}
