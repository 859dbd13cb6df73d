//! `drydock profile`.

use serde_json::Value;

use crate::run::{Folder, fits_80_columns, run, sample};

#[test]
fn json_has_the_keys_that_scripts_rely_on() {
    let folder = Folder::new();
    let (trace, html) = (folder.path("trace.json"), folder.path("report.html"));
    let arguments = [
        "profile",
        &sample("digits/model.onnx"),
        "--quick",
        "--operators",
        "--threads",
        "1",
        "--max-latency",
        "10s",
        "--fit-memory",
        "100GB",
        "--trace",
        &trace,
        "--html",
        &html,
        "--json",
    ];
    let document = run(&arguments).succeeded().json();
    for number in ["load_ms", "compile_ms", "first_run_ms"] {
        assert!(document[number].as_f64().is_some_and(|ms| ms > 0.0), "{number}: {}", document[number]);
    }
    assert_eq!((document["threads"].as_u64(), document["device"].as_str().is_some_and(|device| device.starts_with("CPU"))), (Some(1), true));
    let first = &document["runs"][0];
    assert_eq!((first["batch"].as_u64(), first["stable"].is_boolean()), (Some(1), true));
    assert!(first["n"].as_u64().unwrap() >= 3 && first["rows_per_second"].as_f64().unwrap() > 0.0);
    let latency = &first["latency_ms"];
    for key in ["mean", "min", "max", "std"] {
        assert!(latency[key].is_f64(), "{key}: {latency}");
    }
    for key in ["p50", "p90", "p95", "p99", "p999"] {
        assert!(latency[key].is_f64() || latency[key].is_null(), "{key}: {latency}");
    }
    assert!(latency["min"].as_f64() <= latency["mean"].as_f64() && latency["mean"].as_f64() <= latency["max"].as_f64());
    let operators = document["operators"].as_array().unwrap();
    let share: f64 = operators.iter().map(|operator| operator["share"].as_f64().unwrap()).sum();
    assert!((share - 1.0).abs() < 1e-6, "{share}");
    let fused = operators.iter().find(|operator| operator["operator"].as_str().unwrap().starts_with("Conv+")).unwrap();
    assert!(fused["origins"].as_array().unwrap().len() >= 2 && fused["macs"].as_u64().unwrap() > 0, "{fused}");
    assert_eq!(document["fit"]["memory"], "pass");
    let events: Value = serde_json::from_str(&std::fs::read_to_string(&trace).unwrap()).unwrap();
    assert_eq!(events["traceEvents"].as_array().unwrap().len(), operators.len() + 1);
    assert!(std::fs::read_to_string(&html).unwrap().contains("<svg"));
    // A report that is there is kept, which is said before anything is measured.
    run(&["profile", &sample("digits/model.onnx"), "--quick", "--html", &html]).failed_saying(&["report.html", "--force"]);
}

#[test]
fn markdown_is_printed_for_a_pull_request() {
    let ended = run(&["profile", &sample("wine/model.onnx"), "--quick", "--threads", "1", "--md"]).succeeded();
    assert!(ended.stdout.starts_with("# Profile of wine"), "{}", ended.stdout);
}

#[test]
fn a_page_shows_the_way_from_file_to_answer() {
    let data = sample("payment-fraud-v2/new.csv");
    let ended = run(&["profile", &sample("payment-fraud-v2/model.onnx"), "--quick", "--operators", "--data", &data]).succeeded();
    fits_80_columns(&ended.stdout);
    // Names wrap rather than lose their ends, and no judgement is cut.
    assert!(!ended.stdout.contains('…'), "{}", ended.stdout);
    for part in
        ["Profile of payment-fraud v2", "load", "compile", "first run", "warm run", "Warm runs", "p95", "Memory", "Time by operator", "new.csv"]
    {
        assert!(ended.stdout.contains(part), "'{part}' is not in\n{}", ended.stdout);
    }
}

#[test]
fn what_cannot_be_profiled_is_said() {
    let digits = sample("digits/model.onnx");
    run(&["profile", &digits, "--dim", "sequence=3"]).failed_saying(&["'sequence'", "dimension"]);
    run(&["profile", &digits, "--data", &sample("wine/new.csv"), "--quick"]).failed_saying(&["wine/new.csv"]);
    run(&["profile", &sample("wine/model.onnx"), "--data", &digits]).failed_saying(&["digits/model.onnx"]);
    run(&["profile", "no.onnx"]).failed_saying(&["no.onnx"]);
    let usage = run(&["profile", &digits, "--max-latency", "5"]);
    assert!(usage.code == 2 && usage.stderr.contains("5ms"), "{usage:#?}");
    let several = run(&["predict", &digits, "--row", "{}", "--threads", "1,2"]);
    assert!(several.code == 2 && several.stderr.contains("--threads"), "{several:#?}");
}
