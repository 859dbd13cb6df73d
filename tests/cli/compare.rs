//! `drydock compare`, `drydock check`, `drydock diff`.

use crate::run::{Folder, fits_80_columns, keys, run, sample};

#[test]
fn two_versions_are_compared() {
    let (a, b, data) = (sample("payment-fraud/model.onnx"), sample("payment-fraud-v2/model.onnx"), sample("payment-fraud/new.csv"));
    let document = run(&["compare", &a, &b, "--data", &data, "--no-latency", "--json"]).succeeded().json();
    for key in ["rows", "agreement", "metrics", "changed"] {
        assert!(keys(&document).contains(&key), "{key} is not in {document}");
    }
    assert!(document["agreement"].as_f64().is_some_and(|agreement| agreement > 0.5), "{document}");
    let ended = run(&["compare", &a, &b, "--data", &data, "--no-latency"]).succeeded();
    assert!(ended.stdout.contains("accuracy") && ended.stdout.contains("McNemar") && ended.stdout.contains("Changed rows"), "{}", ended.stdout);
    fits_80_columns(&ended.stdout);
    let markdown = run(&["compare", &a, &b, "--data", &data, "--no-latency", "--md"]).succeeded();
    assert!(markdown.stdout.starts_with("# Comparison of payment-fraud"), "{}", markdown.stdout);
}

#[test]
fn the_gate_decides_by_its_exit_code() {
    let folder = Folder::new();
    let (model, html) = (sample("digits/model.onnx"), folder.path("check.html"));
    let ended = run(&["check", &model, "--max-size", "100MB", "--json", "--html", &html]).succeeded();
    let document = ended.json();
    assert_eq!(document["verdict"], "pass", "{document}");
    assert!(document["conditions"].as_array().unwrap().iter().all(|condition| condition["pass"] == true), "{document}");
    assert!(std::fs::read_to_string(&html).unwrap().contains("Check of digits"));
    let ended = run(&["check", &model, "--max-size", "1kB", "--json"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert_eq!(ended.json()["verdict"], "fail");
    let open = run(&["check", &model, "--min-agreement", "0.9"]);
    assert_eq!(open.code, 0, "{open:?}");
    assert!(open.stdout.contains("not judged"), "{}", open.stdout);
    assert_eq!(run(&["check", &model, "--min-agreement", "0.9", "--strict"]).code, 1);
}

#[test]
fn conditions_come_from_a_file() {
    let folder = Folder::new();
    let config = folder.write("drydock.toml", "[check]\nmax_size = \"1kB\"\n");
    let model = sample("digits/model.onnx");
    assert_eq!(run(&["check", &model, "--config", &config]).code, 1);
    assert_eq!(run(&["check", &model, "--config", &config, "--max-size", "100MB"]).code, 0);
    let wrong = folder.write("wrong.toml", "[check]\nmax_seize = \"1kB\"\n");
    run(&["check", &model, "--config", &wrong]).failed_saying(&["wrong.toml", "max_seize"]);
}

#[test]
fn files_are_compared() {
    let (a, b) = (sample("payment-fraud/model.onnx"), sample("payment-fraud-v2/model.onnx"));
    let document = run(&["diff", &a, &b, "--json"]).succeeded().json();
    assert_eq!(document["is_same"], false, "{document}");
    let same = run(&["diff", &a, &a]).succeeded();
    assert!(same.stdout.starts_with("The files hold the same graph"), "{}", same.stdout);
}
