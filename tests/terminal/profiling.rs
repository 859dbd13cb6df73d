//! The Profile screen: a form that knows what can't stand, a profile with its parts, cancelling.

use drydock_core::session::{JobKind, JobState};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use crate::driver::Driver;

/// A quick profile of one configuration.
const QUICK: &str = "5<down>e1<enter><down><left>";

#[test]
fn a_profile_shows_its_parts_at_every_size() {
    let mut driver = Driver::with_model(80, 24, "digits");
    driver.press(QUICK);
    driver.shows("▸ effort").shows("quick").shows("3 s and 102 runs at least");
    driver.press("<enter>");
    driver.shows("c cancel");
    driver.settle();
    let report = driver.app.session().state().profile.clone().unwrap();
    assert_eq!((report.runs.len(), report.threads), (1, 1));
    let parts = ["warm run", "rows/s", "measured", "an attribution", "roof", "Weights by operator", "The history shows"];
    for (width, height) in [(80, 24), (120, 40)] {
        driver.terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        for part in parts {
            driver.shows(part);
            driver.press("<tab>");
        }
    }
    driver.terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    // Operators: sorted, selected, with what they were made from.
    driver.press("<tab><tab><tab>");
    driver.shows("by time").shows("work").shows("Conv+");
    let by_time = driver.screen();
    driver.press("<right>");
    driver.shows("by order of the run");
    assert_ne!(driver.screen(), by_time);
    driver.press("<down><down>").shows("GFLOP/s");
    for width in 1..40 {
        driver.terminal = Terminal::new(TestBackend::new(width, 1 + width / 3)).unwrap();
        for _ in parts {
            driver.press("<tab>").screen();
        }
    }
}

#[test]
fn what_cannot_stand_is_said_before_anything_runs() {
    let mut driver = Driver::with_model(80, 24, "wine");
    driver.press("5e0<enter>").shows("✗ expected numbers of rows such as 1, 8, found '0'");
    driver.press("<enter>").settle();
    assert!(driver.app.session().state().profile.is_none());
    driver.press("e<c-u>1, 4<enter>").shows_not("✗");
    driver.press("<down><down><down>e5ms<enter>y").shows("copied: drydock profile");
    assert_eq!(driver.app.take_clipboard().unwrap(), "drydock profile ../sample-models/wine/model.onnx --batch 1,4 --max-latency 5ms --operators");
}

#[test]
fn a_profile_can_be_cancelled() {
    let mut driver = Driver::with_model(80, 24, "wine");
    driver.press("5<enter>");
    driver.press("c").settle();
    driver.shows("cancelled");
    let jobs = &driver.app.session().state().jobs;
    assert!(jobs.iter().any(|job| job.kind == JobKind::Profile && job.state == JobState::Cancelled), "{jobs:?}");
}
