//! The key map: one table from which everything else follows.

use drydock_core::session::Task;
use drydock_tui::action::Action;
use drydock_tui::app::App;
use drydock_tui::keymap::{BINDINGS, Place, bindings_at};

use crate::driver::Driver;

#[test]
fn no_key_means_two_things_at_one_place() {
    for place in Place::ALL {
        let mut seen: Vec<(String, Action)> = Vec::new();
        for binding in bindings_at(place) {
            for key in binding.keys {
                let name = key.name();
                if let Some((_, other)) = seen.iter().find(|(known, _)| *known == name) {
                    panic!("{}: {name} means {other:?} and {:?}", place.title(), binding.action);
                }
                seen.push((name, binding.action));
            }
        }
    }
}

#[test]
fn every_action_is_in_the_help() {
    let mut driver = Driver::new(140, 200);
    let help = driver.press("?").screen();
    for binding in BINDINGS {
        assert!(help.contains(binding.title().as_ref()), "'{}' is not in the help:\n{help}", binding.title());
    }
}

#[test]
fn digits_go_to_tasks_and_q_quits() {
    let mut driver = Driver::new(80, 24);
    for task in Task::ALL {
        driver.press(&task.digit().to_string());
        assert_eq!(driver.app.task(), task);
        driver.shows(&format!("[{} {}]", task.digit(), task.name()));
    }
    assert!(!driver.app.has_quit());
    driver.press("q");
    assert!(driver.app.has_quit());
}

#[test]
fn q_is_text_while_typing_and_closes_what_lies_over_the_screen() {
    let mut driver = Driver::new(80, 24);
    driver.press("oquick");
    driver.shows("open     quick");
    driver.press("<esc>?");
    driver.shows("Help");
    driver.press("q");
    driver.shows_not("Help");
    assert!(!driver.app.has_quit());
    driver.press("o<c-c>");
    assert!(driver.app.has_quit());
}

#[test]
fn the_palette_narrows_down_and_does() {
    let mut driver = Driver::new(80, 24);
    driver.press(":score file");
    driver.shows("Score: Predictions for a whole file").shows_not("Predict: ");
    driver.press("<enter>");
    assert_eq!(driver.app.task(), Task::Score);
    driver.press(":no such thing");
    driver.shows("no command has these words");
    driver.press("<enter>");
    assert_eq!(driver.app.task(), Task::Score);
}

#[test]
fn the_last_line_tells_the_keys_that_matter_here() {
    let mut driver = Driver::with_model(80, 24, "wine");
    let last_line = |driver: &mut Driver| driver.screen().lines().last().unwrap_or_default().to_owned();
    assert!(last_line(&mut driver).contains("/ filter"), "{}", last_line(&mut driver));
    driver.press("4");
    assert!(last_line(&mut driver).contains("enter run"), "{}", last_line(&mut driver));
    assert!(last_line(&mut driver).contains("? help"), "{}", last_line(&mut driver));
    driver.press("e");
    assert!(last_line(&mut driver).contains("tab complete"), "{}", last_line(&mut driver));
}

#[test]
fn what_a_screen_does_is_copied_as_a_command() {
    let mut driver = Driver::with_model(80, 24, "wine");
    let copied = |app: &mut App| app.take_clipboard();
    driver.press("2y");
    assert_eq!(copied(&mut driver.app).as_deref(), Some("drydock inspect ../sample-models/wine/model.onnx"));
    driver.press("4y");
    assert_eq!(copied(&mut driver.app), None);
    driver.press("e../sample-models/wine/new.csv<enter>").settle().press("y");
    let expected = "drydock score ../sample-models/wine/model.onnx ../sample-models/wine/new.csv -o ../sample-models/wine/new.scored.csv";
    assert_eq!(copied(&mut driver.app).as_deref(), Some(expected));
    driver.press("3y");
    let predict = copied(&mut driver.app).unwrap();
    assert!(predict.starts_with("drydock predict ../sample-models/wine/model.onnx --set "), "{predict}");
}

#[test]
fn up_and_down_take_what_was_typed_and_go_on() {
    let mut driver = Driver::with_model(80, 24, "payment-fraud-v2");
    driver.press("3<enter><c-u>777<down>").settle();
    driver.shows("777").shows("enter edit");
    driver.press("4e../sample-models/payment-fraud-v2/new.csv<down>").settle();
    driver.shows("10 columns").shows("▸ output");
    driver.press("5e1, 4<down>").shows("1, 4").shows("▸ threads");
    driver.press("7e../sample-models/payment-fraud/model.onnx<up>").shows("▸ A");
    // A folder is a step on the way: the field stays.
    driver.press("4<up>e<c-u>../sample-models/<down>").shows("▸ file").shows("enter accept");
    driver.press("<esc>2/conv<down>").shows("/conv");
}
