//! `drydock predict`.

use std::io::Write as _;
use std::process::Stdio;

use crate::run::{Ended, Folder, command, fits_80_columns, run, sample};

const ROW: &str = r#"{"amount": 1900, "merchant": "gambling", "country": "NG", "channel": "online", "hour": 3, "card_age_days": null, "n_transactions_24h": 15, "is_foreign": 1}"#;

#[test]
fn the_same_row_gives_the_same_answer_however_it_is_given() {
    let model = sample("payment-fraud-v2/model.onnx");
    let by_row = run(&["predict", &model, "--row", ROW, "--json"]).succeeded().json();
    assert_eq!(by_row["predictions"][0]["prediction"], "fraud");
    let probabilities = &by_row["predictions"][0]["probabilities"];
    let sum = probabilities["fraud"].as_f64().unwrap() + probabilities["genuine"].as_f64().unwrap();
    assert!((sum - 1.0).abs() < 1e-5, "{probabilities}");

    let mut by_set = vec!["predict", &model, "--json"];
    for assignment in ["amount=1900", "merchant=gambling", "country=NG", "channel=online", "hour=3", "n_transactions_24h=15", "is_foreign=1"] {
        by_set.extend(["--set", assignment]);
    }
    assert_eq!(run(&by_set).succeeded().json()["predictions"], by_row["predictions"]);

    let folder = Folder::new();
    let array = folder.write("rows.json", format!("[{ROW}, {ROW}]"));
    let by_file = run(&["predict", &model, "--rows", &array, "--json"]).succeeded().json();
    assert_eq!(by_file["predictions"].as_array().unwrap().len(), 2);
    assert_eq!(by_file["predictions"][1], by_row["predictions"][0]);

    let mut child =
        command(&["predict", &model, "--rows", "-", "--json"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("{ROW}\n{ROW}\n").as_bytes()).unwrap();
    let by_lines = Ended::of(child.wait_with_output().unwrap()).succeeded().json();
    assert_eq!(by_lines["predictions"], by_file["predictions"]);
}

#[test]
fn people_read_label_probabilities_and_time() {
    let ended = run(&["predict", &sample("payment-fraud-v2/model.onnx"), "--row", ROW]).succeeded();
    fits_80_columns(&ended.stdout);
    assert!(ended.stdout.starts_with("fraud\n"), "{}", ended.stdout);
    assert!(ended.stdout.contains("CPU"), "{}", ended.stdout);
    let quiet = run(&["predict", &sample("payment-fraud-v2/model.onnx"), "--row", ROW, "--quiet"]).succeeded();
    assert!(!quiet.stdout.contains("CPU"), "{}", quiet.stdout);
}

#[test]
fn a_regression_gives_a_number() {
    let folder = Folder::new();
    let table = std::fs::read_to_string(drydock_tests::sample_model("diabetes").table("new")).unwrap();
    let mut lines = table.lines();
    let (header, row) = (lines.next().unwrap().split(','), lines.next().unwrap().split(','));
    let cells: Vec<String> = header.zip(row).filter(|(name, _)| *name != "progression").map(|(name, cell)| format!("\"{name}\": {cell}")).collect();
    let rows = folder.write("rows.json", format!("[{{{}}}]", cells.join(", ")));
    let document = run(&["predict", &sample("diabetes/model.onnx"), "--rows", &rows, "--json"]).succeeded().json();
    let answer = document["predictions"][0]["prediction"].as_f64().unwrap();
    assert!((25.0..=346.0).contains(&answer), "{answer} is outside of what was ever measured");
}

#[test]
fn a_picture_is_recognised() {
    let document = run(&["predict", &sample("digits/model.onnx"), "--image", &sample("digits/three.png"), "--json"]).succeeded().json();
    assert_eq!(document["predictions"][0]["prediction"], "3");
    assert_eq!(document["predictions"][0]["probabilities"].as_object().unwrap().len(), 10);
}

#[test]
fn what_is_wrong_with_a_row_is_said() {
    let model = sample("payment-fraud-v2/model.onnx");
    run(&["predict", &model]).failed_saying(&["--set", "amount", "is_foreign"]);
    run(&["predict", &model, "--row", "{"]).failed_saying(&["--row", "not JSON"]);
    run(&["predict", &model, "--row", "[1]"]).failed_saying(&["JSON object", "array"]);
    run(&["predict", &model, "--row", r#"{"amount": [1]}"#]).failed_saying(&["'amount'", "array"]);
    run(&["predict", &model, "--set", "amuont=3"]).failed_saying(&["'amuont'", "amount"]);
    run(&["predict", &model, "--row", &ROW.replace("1900", "\"a lot\"")]).failed_saying(&["row 1", "'amount'", "a lot"]);
    run(&["predict", &model, "--set", "amount=1", "--set", "amount=2"]).failed_saying(&["'amount'", "twice"]);
    run(&["predict", &model, "--rows", "no-such-file.json"]).failed_saying(&["no-such-file.json"]);
    run(&["predict", &sample("digits/model.onnx"), "--image", "README.md"]).failed_saying(&["README.md"]);
}
