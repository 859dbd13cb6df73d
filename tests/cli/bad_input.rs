//! Input as it really comes: a sentence, exit code 2, nothing half-written, no panic.

use std::path::Path;

use crate::run::{Ended, Folder, command, run, sample};

#[test]
fn no_broken_model_gets_through() {
    let folder = Folder::new();
    let data = folder.write("x.csv", "x\n1\n");
    let output = folder.path("out.csv");
    let mut n_models = 0;
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/broken")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "onnx") {
            continue;
        }
        let model = path.display().to_string();
        run(&["score", &model, &data, "-o", &output]).failed_saying(&[]);
        assert_eq!(folder.names(), ["x.csv"], "{model}");
        n_models += 1;
    }
    assert!(n_models > 30, "{n_models} broken models");
}

#[test]
fn every_cut_of_a_model_is_refused() {
    let folder = Folder::new();
    let whole = std::fs::read(drydock_tests::sample_model("wine").model()).unwrap();
    for share in [0, 1, 10, 50, 90, 99] {
        let cut = folder.write("cut.onnx", &whole[..whole.len() * share / 100]);
        run(&["inspect", &cut]).failed_saying(&["cut.onnx"]);
    }
    run(&["inspect", "no-such-model.onnx"]).failed_saying(&["no-such-model.onnx"]);
    run(&["inspect", "sample-models"]).failed_saying(&["sample-models"]);
}

#[test]
fn tables_that_are_none_are_refused() {
    let folder = Folder::new();
    let model = sample("wine/model.onnx");
    let wine = std::fs::read_to_string(drydock_tests::sample_model("wine").table("new")).unwrap();
    let header = wine.lines().next().unwrap();
    let row = wine.lines().nth(1).unwrap();
    let ragged = format!("{header}\n{row}\n{}\n", row.rsplit_once(',').unwrap().0);
    let duplicate = format!("{}\n{row}\n", header.replacen("malic_acid", "alcohol", 1));
    let cases: [(&str, Vec<u8>, &[&str]); 6] = [
        ("empty.csv", Vec::new(), &["empty.csv"]),
        ("header.csv", format!("{header}\n").into_bytes(), &["header.csv"]),
        ("ragged.csv", ragged.into_bytes(), &["ragged.csv", "row 2"]),
        ("duplicate.csv", duplicate.into_bytes(), &["duplicate.csv", "alcohol"]),
        ("random.parquet", vec![0xA5; 4096], &["random.parquet"]),
        ("text.xlsx", b"no table".to_vec(), &["text.xlsx"]),
    ];
    for (name, content, parts) in cases {
        let data = folder.write(name, content);
        run(&["score", &model, &data, "-o", &folder.path("out.csv")]).failed_saying(parts);
        assert!(!Path::new(&folder.path("out.csv")).exists(), "{name}");
    }
    run(&["score", &model, "no-such-table.csv", "-o", &folder.path("out.csv")]).failed_saying(&["no-such-table.csv"]);
}

#[test]
fn an_output_that_cannot_be_written_is_said() {
    let (model, data) = (sample("wine/model.onnx"), sample("wine/new.csv"));
    run(&["score", &model, &data, "-o", "no/such/folder/out.csv"]).failed_saying(&["no/such/folder"]);
    run(&["score", &model, &data, "-o", "out.docx"]).failed_saying(&["out.docx"]);
    assert!(!drydock_tests::workspace().join("out.docx").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said() {
    // Every write to this device fails with "no space left".
    let output = command(&["inspect", &sample("wine/model.onnx")])
        .stdout(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap())
        .output()
        .unwrap();
    let ended = Ended::of(output);
    assert_eq!(ended.code, 2, "{ended:#?}");
    assert!(ended.stderr.contains("can't be written"), "{ended:#?}");
}

#[test]
fn wrong_usage_is_exit_code_2_on_stderr() {
    for arguments in [
        &["frobnicate"][..],
        &["inspect"],
        &["score", "m.onnx"],
        &["verify"],
        &["inspect", "m.onnx", "--threads", "0"],
        &["verify", "d", "--rtol", "-1"],
    ] {
        let ended = run(arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(ended.stderr.starts_with("error: "), "{arguments:?}: {}", ended.stderr);
    }
}

#[test]
fn the_screens_ask_for_a_terminal() {
    run(&[]).failed_saying(&["terminal", "--help"]);
}
