//! `drydock inspect`.

use crate::run::{fits_80_columns, run, sample};

#[test]
fn json_has_the_keys_that_scripts_rely_on() {
    let document = run(&["inspect", &sample("digits/model.onnx"), "--json"]).succeeded().json();
    assert_eq!(document["inputs"][0]["name"], "image");
    assert_eq!(document["inputs"][0]["element_type"], "float32");
    let shape = document["inputs"][0]["shape"].as_array().unwrap();
    assert!(shape[0].is_string(), "the batch is a name: {shape:?}");
    assert_eq!(shape[2..], [8, 8]);
    assert!(document["opsets"]["ai.onnx"].is_u64());
    for number in ["parameters", "macs", "file_bytes", "weight_bytes"] {
        assert!(document[number].as_u64().unwrap() > 0, "{number}: {}", document[number]);
    }
    assert!(document["operators"]["Conv"].as_u64().unwrap() >= 1);
    assert_eq!(document["unsupported"].as_array().unwrap().len(), 0);
    assert!(!document["outputs"].as_array().unwrap().is_empty());
}

#[test]
fn string_columns_and_the_contract_are_shown() {
    let ended = run(&["inspect", &sample("payment-fraud-v2/model.onnx")]).succeeded();
    fits_80_columns(&ended.stdout);
    for part in ["payment-fraud v2", "merchant", "string", "EUR", "electronics", "ai.onnx.ml"] {
        assert!(ended.stdout.contains(part), "'{part}' is not in\n{}", ended.stdout);
    }
    assert!(!ended.stdout.contains('\x1b'), "no colour where nobody looks");
    assert_eq!(ended.stderr, "");
}

#[test]
fn nodes_are_listed_when_asked_for() {
    let ended = run(&["inspect", &sample("digits/model.onnx"), "--nodes"]).succeeded();
    fits_80_columns(&ended.stdout);
    assert!(ended.stdout.contains("\nNodes\n"));
}

#[test]
fn an_unknown_operator_is_named_and_the_rest_still_shown() {
    let document = run(&["inspect", "tests/golden/broken/unknown_operator.onnx", "--json"]).succeeded().json();
    assert_eq!(document["unsupported"].as_array().unwrap().len(), 1);
}
