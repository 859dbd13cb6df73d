//! One row or one picture by hand.

use drydock_app::Options;
use drydock_core::session::Task;
use eframe::egui::Key;
use eframe::egui::accesskit::Role;
use egui_kittest::kittest::Queryable as _;

use crate::support::{Desktop, Drive as _, desktop, desktop_with, options, sample_model, samples};

fn probability(desktop: &Desktop, label: &str) -> f64 {
    let prediction = desktop.state().session().state().prediction.as_ref().expect("a prediction");
    let found = prediction.predictions[0].probabilities.iter().find(|(name, _)| name == label);
    found.expect("the label").1
}

#[test]
fn the_form_is_answered_before_anything_is_typed() {
    let mut desktop = desktop_with("payment-fraud");
    assert_eq!(desktop.page(), Task::Predict);
    desktop.wait_for("a prediction", |state| state.prediction.is_some());
    assert!(desktop.shows("genuine"));
    assert!(desktop.shows("fraud"));
    assert!(desktop.shows("CPU"));
}

#[test]
fn the_answer_follows_the_slider() {
    let mut desktop = desktop_with("payment-fraud");
    desktop.wait_for("a prediction", |state| state.prediction.is_some());
    let before = probability(&desktop, "fraud");
    desktop.get_by_role_and_label(Role::Slider, "amount").set_value_accesskit(1900.0);
    desktop.settle();
    assert_eq!(desktop.get_by_label("amount value").value().as_deref(), Some("1900"));
    desktop.wait_for("another answer", move |state| {
        state
            .prediction
            .as_ref()
            .is_some_and(|report| report.predictions[0].probabilities.iter().any(|(label, value)| label == "fraud" && *value != before))
    });
}

#[test]
fn the_keyboard_walks_through_a_form_longer_than_the_window() {
    let mut desktop = desktop_with("breast-cancer");
    desktop.wait_for("a prediction", |state| state.prediction.is_some());
    let opened = desktop.state().session().state().opened.as_ref().expect("a model");
    let names: Vec<String> = opened.model.contract.columns.iter().map(|column| column.name.clone()).collect();
    let (first, last) = (names.first().expect("columns"), names.last().expect("columns"));
    assert!(desktop.query_all_by_label(last).next().is_none(), "out of sight, so not drawn");
    desktop.get_by_role_and_label(Role::Slider, first).focus();
    let mut n_presses = 0;
    // A slider and a box for each column.
    while desktop.query_all_by_label(last).next().is_none() {
        assert!(n_presses < 2 * names.len(), "Tab never gets there:\n{desktop:?}");
        desktop.key_press(Key::Tab);
        desktop.run_steps(3);
        n_presses += 1;
    }
    assert!(n_presses > names.len(), "line by line");
    assert!(desktop.query_all_by_label(first).next().is_none(), "the form has scrolled after the focus");
    desktop.get_by_label("Find a column").focus();
    desktop.settle();
    desktop.get_by_label("Find a column").type_text(first);
    desktop.settle();
    assert!(desktop.query_all_by_label(first).next().is_some() && desktop.query_all_by_label(last).next().is_none());
}

#[test]
fn an_empty_cell_is_a_missing_value_where_the_model_takes_one() {
    let mut desktop = desktop_with("payment-fraud");
    desktop.wait_for("a prediction", |state| state.prediction.is_some());
    desktop.click("Leave card_age_days empty");
    assert_eq!(desktop.get_by_label("card_age_days value").value().unwrap_or_default(), "");
    desktop.wait_for("an answer all the same", |state| state.prediction.is_some() && state.prediction_error.is_none());
}

#[test]
fn text_where_a_number_is_due_is_an_error_at_its_field() {
    let mut desktop = desktop_with("payment-fraud");
    desktop.wait_for("a prediction", |state| state.prediction.is_some());
    desktop.get_by_label("amount value").focus();
    desktop.settle();
    desktop.get_by_label("amount value").type_text("x");
    desktop.wait_for("an error", |state| state.prediction_error.is_some());
    let error = desktop.state().session().state().prediction_error.clone().expect("an error");
    assert!(error.contains("'amount'"), "{error}");
    assert!(desktop.query_all_by_label_contains("'amount'").count() >= 2, "at the field and in the result");
}

#[test]
fn what_if_says_what_one_column_does() {
    let mut desktop = desktop_with("payment-fraud");
    desktop.wait_for("a curve", |state| state.what_if.is_some());
    assert!(desktop.shows("amount"));
    let (request, report) = desktop.state().session().state().what_if.clone().expect("a curve");
    let drydock_core::predict::PredictRequest::Rows(rows) = request else { panic!("rows") };
    assert_eq!(rows.len(), report.predictions.len());
    assert!(rows.len() > 20);
}

#[test]
fn a_row_of_a_table_fills_the_form() {
    let mut desktop =
        desktop(Options { model: Some(sample_model("payment-fraud")), table: Some(samples().join("payment-fraud/new.csv")), ..options() });
    desktop.wait_for("both", |state| state.opened.is_some() && state.table.is_some());
    desktop.click("Fill");
    assert_eq!(desktop.get_by_label("amount value").value().as_deref(), Some("81.67"));
    assert_eq!(desktop.get_by_label("card_age_days value").value().unwrap_or_default(), "", "empty in the table");
    desktop.click("Reset");
    assert_eq!(desktop.get_by_label("amount value").value().as_deref(), Some("42.5"));
}

#[test]
fn a_regression_answers_with_a_number() {
    let mut desktop = desktop_with("diabetes");
    desktop.wait_for("a prediction", |state| state.prediction.is_some());
    let answer =
        desktop.state().session().state().prediction.as_ref().and_then(|report| report.predictions[0].prediction.clone()).expect("an answer");
    let number: f64 = answer.parse().expect("a number");
    assert!(desktop.shows(&drydock_core::format::number(number)));
}

#[test]
fn a_dropped_picture_is_read() {
    let mut desktop = desktop_with("digits");
    let picture = samples().join("digits/eight.png");
    desktop.hover_file(&picture);
    assert!(desktop.shows("Predict this picture"));
    desktop.drop_file(&picture);
    desktop.wait_for("an answer", |state| state.prediction.is_some());
    let answer = desktop.state().session().state().prediction.as_ref().and_then(|report| report.predictions[0].prediction.clone());
    assert_eq!(answer.as_deref(), Some("8"));
}

#[test]
fn a_model_without_pictures_says_so() {
    let mut desktop = desktop_with("wine");
    desktop.drop_file(&samples().join("digits/eight.png"));
    assert!(desktop.shows("takes no pictures"));
}

#[test]
fn the_command_line_that_does_the_same_can_be_copied() {
    let mut desktop = desktop_with("payment-fraud");
    desktop.wait_for("a prediction", |state| state.prediction.is_some());
    desktop.get_by_label("Copy as command").click();
    desktop.run_steps(4);
    assert!(desktop.shows("drydock predict"));
    assert!(desktop.shows("--set amount=42.5"));
}

#[test]
fn the_curve_is_saved_as_lines_and_as_numbers() {
    use drydock_app::saving::{Savable, Saver, ShownFigure};
    use drydock_core::report::{Axis, Figure, Series};

    let axis = |name: &str| Axis::new(name, None, (0.0, 1.0));
    let figure = Figure::of("y rises".to_owned(), axis("x"), axis("y"), Series::line("", vec![(0.0, 0.0), (1.0, 1.0)]));
    let folder = tempfile::tempdir().expect("a folder");
    let desktop = desktop(options());
    let save = |name: &str| {
        let mut saver = Saver::default();
        saver.want(Savable::Figure(ShownFigure { figure: figure.clone(), name: "curve".to_owned() }), Task::Predict);
        saver.save_to(&desktop.ctx, folder.path().join(name), None);
        let started = std::time::Instant::now();
        loop {
            if let Some(result) = saver.poll() {
                return result;
            }
            assert!(started.elapsed() < std::time::Duration::from_secs(30), "the saving never ends");
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    };
    let text = |name: &str| std::fs::read_to_string(save(name).expect("a file")).expect("the file");
    assert_eq!(text("curve.csv"), "x,y\n0,0\n1,1\n");
    assert!(text("curve.SVG").contains("y rises"));
    assert!(save("curve.gif").expect_err("no such format").contains("gif"));
    assert!(save("nowhere/curve.svg").expect_err("no such folder").contains("nowhere"));
}
