//! Every screen at the two sizes that count, as somebody looked at it and found it good.

use crate::driver::{Driver, sample, scratch, steady};

fn check(name: &str, drive: impl Fn(&mut Driver)) {
    for (width, height) in [(80, 24), (120, 40)] {
        let mut driver = Driver::new(width, height);
        drive(&mut driver);
        driver.settle();
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), steady(&driver.screen()));
    }
}

#[test]
fn models() {
    check("models_empty", |_| {});
    check("models_recent", |driver| {
        driver.open("wine");
        driver.open("digits");
        driver.press("1");
    });
    check("models_not_opened", |driver| {
        driver.app.open_model("../tests/golden/broken/cycle.onnx".into());
    });
}

#[test]
fn inspect() {
    check("inspect_overview", |driver| driver.open("payment-fraud-v2"));
    check("inspect_nodes", |driver| {
        driver.open("digits");
        driver.press("<tab><down><down>");
    });
    check("inspect_filter", |driver| {
        driver.open("digits");
        driver.press("/conv");
    });
}

#[test]
fn predict() {
    check("predict_classification", |driver| {
        driver.open("payment-fraud-v2");
        driver.press("3");
    });
    check("predict_regression", |driver| {
        driver.open("diabetes");
        driver.press("3<right><right>");
    });
    check("predict_choices", |driver| {
        driver.open("payment-fraud-v2");
        driver.press("3<down><enter><down>");
    });
    check("predict_problem", |driver| {
        driver.open("payment-fraud-v2");
        driver.press("3<enter><c-u>much<enter>");
    });
    check("predict_rows", |driver| {
        driver.open("wine");
        driver.press("3f<c-u>").press(&sample("wine", "new.csv").display().to_string()).press("<enter>").settle().press("<down><down>");
    });
    check("predict_picture", |driver| {
        driver.open("digits");
        driver.press("3<enter>").press(&sample("digits", "three.png").display().to_string()).press("<enter>");
    });
}

#[test]
fn score() {
    check("score_ready", |driver| {
        driver.open("payment-fraud-v2");
        driver.press("4e").press(&sample("payment-fraud-v2", "new.csv").display().to_string()).press("<enter>");
    });
    check("score_done", |driver| {
        let output = scratch("wine.scored.csv");
        driver.open("wine");
        driver.press("4e").press(&sample("wine", "new.csv").display().to_string()).press("<enter>").settle();
        driver.press("<down>e").press(&output.display().to_string()).press("<enter><enter>");
    });
    check("score_wrong_table", |driver| {
        driver.open("wine");
        driver.press("4e").press(&sample("diabetes", "new.csv").display().to_string()).press("<enter>");
    });
}

#[test]
fn profile() {
    check("profile_no_model", |driver| {
        driver.press("5");
    });
    check("profile_ready", |driver| {
        driver.open("payment-fraud-v2");
        driver.press("5<down><down><right>");
    });
    check("profile_more", |driver| {
        driver.open("wine");
        driver.press("5e1, x<enter><end><right><end>e512<enter>");
    });
}

#[test]
fn jobs_help_and_palette() {
    check("jobs", |driver| {
        driver.open("wine");
        driver.app.open_model("../tests/golden/broken/cycle.onnx".into());
        driver.settle().press("9");
    });
    check("help", |driver| {
        driver.press("3?");
    });
    check("palette", |driver| {
        driver.press("3:row");
    });
}
