//! `drydock verify`.

use crate::run::{Folder, keys, run, sample};

#[test]
fn a_sample_agrees_with_its_expected_outputs() {
    let ended = run(&["verify", &sample("breast-cancer"), "--json"]).succeeded();
    let document = ended.json();
    assert_eq!(keys(&document), ["cases", "failed", "failures", "format_version", "passed", "skipped"]);
    assert_eq!((document["cases"].as_u64(), document["passed"].as_u64(), document["failed"].as_u64()), (Some(1), Some(1), Some(0)));
    let ended = run(&["verify", &sample("breast-cancer")]).succeeded();
    assert!(ended.stdout.starts_with("pass: 1 case"), "{}", ended.stdout);
}

#[test]
fn a_mismatch_is_a_judgement_not_an_error() {
    let folder = Folder::new();
    let samples = drydock_tests::sample_model("breast-cancer").folder;
    std::fs::create_dir(folder.path("test_data_set_0")).unwrap();
    for file in ["model.onnx", "test_data_set_0/input_0.pb", "test_data_set_0/output_0.pb"] {
        std::fs::copy(samples.join(file), folder.path(file)).unwrap();
    }
    // The probabilities of one row, nudged.
    let mut output = std::fs::read(samples.join("test_data_set_0/output_1.pb")).unwrap();
    let last = output.len() - 1;
    output[last] ^= 0x3f;
    std::fs::write(folder.path("test_data_set_0/output_1.pb"), output).unwrap();
    let ended = run(&["verify", &folder.path(""), "--json"]);
    assert_eq!(ended.code, 1, "{ended:#?}");
    assert_eq!(ended.json()["failed"], 1);
    assert_eq!(ended.json()["failures"][0]["kind"], "mismatch");
    assert_eq!(ended.stderr, "");
}

#[test]
fn a_folder_without_cases_is_bad_input() {
    let folder = Folder::new();
    run(&["verify", &folder.path("")]).failed_saying(&["no test case"]);
    run(&["verify", "there-is-no-such-folder"]).failed_saying(&["there-is-no-such-folder"]);
}

#[test]
fn what_is_no_folder_of_test_sets_is_said() {
    run(&["verify", "no-such-folder"]).failed_saying(&["no-such-folder: there is no such file or folder"]);
    run(&["verify", "sample-models/wine/new.csv"]).failed_saying(&["new.csv: a file; a folder with test sets was expected"]);
    run(&["verify", "no-such.drydock"]).failed_saying(&["no-such.drydock: there is no such file or folder"]);
}
