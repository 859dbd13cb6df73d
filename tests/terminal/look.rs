//! What a person does first: open a model, look around, come back.

use drydock_core::session::Task;

use crate::driver::Driver;

#[test]
fn a_model_is_opened_by_its_path_with_completion() {
    let mut driver = Driver::new(80, 24);
    driver.press("o../sample-models/dia<tab>");
    driver.shows("open     ../sample-models/diabetes/");
    driver.press("mod<tab>");
    driver.shows("../sample-models/diabetes/model.onnx");
    driver.press("<enter>").settle();
    assert_eq!(driver.app.task(), Task::Inspect);
    driver.shows("diabetes v1").shows("Inputs").shows("patient");
}

#[test]
fn completion_lists_what_still_fits() {
    let mut driver = Driver::new(80, 24);
    driver.press("o../sample-models/pay<tab>");
    driver.shows("open     ../sample-models/payment-fraud").shows("payment-fraud-v2/");
}

#[test]
fn a_model_that_cannot_be_opened_says_why_and_stays_where_it_was_typed() {
    let mut driver = Driver::new(80, 24);
    driver.press("ono-such-model.onnx<enter>").settle();
    assert_eq!(driver.app.task(), Task::Models);
    driver.shows("no-such-model.onnx");
    driver.press("9");
    driver.shows("✗ opening no-such-model.onnx").shows("failed");
}

#[test]
fn models_are_remembered_from_one_run_to_the_next() {
    let mut driver = Driver::with_model(100, 24, "wine");
    driver.open("digits");
    let mut driver = driver.restarted(100, 24);
    driver.shows("digits").shows("wine").shows("recent");
    driver.press("<enter>").settle();
    driver.shows("digits v1");
}

#[test]
fn a_spoilt_memory_is_ignored_with_a_word() {
    let driver = Driver::new(100, 24);
    std::fs::write(driver.home().join("remembered.json"), "{\"recent_models\": 3}").unwrap();
    let mut driver = driver.restarted(100, 24);
    driver.shows("what was remembered can't be used");
    driver.press("<down>");
    driver.shows_not("can't be used");
}

#[test]
fn nodes_are_searched_and_the_filter_goes_with_escape() {
    let mut driver = Driver::with_model(80, 24, "digits");
    driver.press("/CONV<enter>");
    driver.shows("Conv").shows_not("MaxPool");
    driver.press("<esc>");
    driver.shows("MaxPool");
    assert!(!driver.app.has_quit());
    driver.press("/nothing like it");
    driver.shows("no node has this text");
    driver.press("<esc>");
    driver.shows("Conv");
}

#[test]
fn screens_without_a_model_teach() {
    let mut driver = Driver::new(80, 24);
    for (key, part) in [("2", "Inspect shows"), ("3", "Predict shows"), ("4", "Score writes"), ("9", "Nothing has run yet")] {
        driver.press(key);
        driver.shows(part);
    }
}
