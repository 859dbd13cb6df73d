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
    driver.press("<end><right><enter>").settle();
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
