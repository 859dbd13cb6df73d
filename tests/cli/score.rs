//! `drydock score`.

use crate::run::{Folder, command, fits_80_columns, keys, run, sample};

#[test]
fn a_table_is_scored_with_metrics() {
    let folder = Folder::new();
    let output = folder.path("scored.csv");
    let model = sample("breast-cancer/model.onnx");
    let ended = run(&["score", &model, &sample("breast-cancer/new.csv"), "-o", &output, "--json"]).succeeded();
    let document = ended.json();
    for key in ["rows", "rows_scored", "rows_rejected", "seconds", "rows_per_second", "output", "metrics"] {
        assert!(keys(&document).contains(&key), "{key} is not in {document}");
    }
    assert_eq!((document["rows"].as_u64(), document["rows_scored"].as_u64(), document["rows_rejected"].as_u64()), (Some(114), Some(114), Some(0)));
    assert!(document["metrics"]["accuracy"].as_f64().unwrap() > 0.9, "{document}");
    assert_eq!(ended.stderr, "", "nothing on stderr where it is no terminal");

    let scored = std::fs::read_to_string(&output).unwrap();
    let header: Vec<&str> = scored.lines().next().unwrap().split(',').collect();
    assert!(header.starts_with(&["mean_radius"]), "the table's own columns come first");
    for column in ["diagnosis", "prediction", "probability_benign", "probability_malignant"] {
        assert!(header.contains(&column), "{column} is not in {header:?}");
    }
    assert_eq!(scored.lines().count(), 115);
    assert_eq!(folder.names(), ["scored.csv"], "no temporary file is left");
}

#[test]
fn people_read_a_summary_and_metrics() {
    let folder = Folder::new();
    let ended = run(&["score", &sample("diabetes/model.onnx"), &sample("diabetes/new.csv"), "-o", &folder.path("out.csv")]).succeeded();
    assert!(ended.stdout.starts_with("88 rows in "), "{}", ended.stdout);
    assert!(ended.stdout.contains("RMSE") && ended.stdout.contains("R²"), "{}", ended.stdout);
    let quiet = run(&["score", &sample("diabetes/model.onnx"), &sample("diabetes/new.csv"), "-o", &folder.path("quiet.csv"), "--quiet"]).succeeded();
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    let metrics: String = ended.stdout.lines().skip(2).collect::<Vec<_>>().join("\n");
    fits_80_columns(&metrics);
}

#[test]
fn an_output_that_exists_is_replaced_only_by_force() {
    let folder = Folder::new();
    let output = folder.write("out.csv", "precious\n");
    let (model, data) = (sample("wine/model.onnx"), sample("wine/new.csv"));
    run(&["score", &model, &data, "-o", &output]).failed_saying(&["out.csv", "--force"]);
    assert_eq!(std::fs::read_to_string(&output).unwrap(), "precious\n");
    run(&["score", &model, &data, "-o", &output, "--force"]).succeeded();
    assert_eq!(std::fs::read_to_string(&output).unwrap().lines().count(), 37);
}

#[test]
fn kept_columns_and_formats_follow_the_options() {
    let folder = Folder::new();
    let (model, data) = (sample("wine/model.onnx"), sample("wine/new.csv"));
    let narrow = folder.path("narrow.csv");
    run(&["score", &model, &data, "-o", &narrow, "--keep", "cultivar,hue"]).succeeded();
    let header = std::fs::read_to_string(&narrow).unwrap().lines().next().unwrap().to_owned();
    assert!(header.contains("cultivar") && header.contains("hue") && !header.contains("ash") && header.contains("prediction"), "{header}");
    let bare = folder.path("bare.ndjson");
    run(&["score", &model, &data, "-o", &bare, "--keep", "none"]).succeeded();
    let first: serde_json::Value = serde_json::from_str(std::fs::read_to_string(&bare).unwrap().lines().next().unwrap()).unwrap();
    assert!(keys(&first).iter().all(|key| key.starts_with("pr")), "{first}");
    let parquet = folder.path("out.parquet");
    run(&["score", &model, &data, "-o", &parquet]).succeeded();
    assert_eq!(&std::fs::read(&parquet).unwrap()[..4], b"PAR1");
    // What was written can be read again.
    run(&["score", &model, &parquet, "-o", &folder.path("again.csv"), "--keep", "none"]).succeeded();
}

#[test]
fn bad_rows_stop_the_work_or_are_set_aside() {
    let folder = Folder::new();
    let good = std::fs::read_to_string(drydock_tests::sample_model("wine").table("new")).unwrap();
    let mut lines: Vec<String> = good.lines().map(str::to_owned).collect();
    lines[5] = lines[5].replacen(lines[5].split(',').next().unwrap(), "much", 1);
    let data = folder.write("march.csv", lines.join("\n") + "\n");
    let model = sample("wine/model.onnx");
    let output = folder.path("out.csv");
    run(&["score", &model, &data, "-o", &output]).failed_saying(&["march.csv", "row 5", "'alcohol'", "much"]);
    assert_eq!(folder.names(), ["march.csv"], "nothing half-written");

    let document = run(&["score", &model, &data, "-o", &output, "--on-error", "skip", "--json"]).succeeded().json();
    assert_eq!((document["rows"].as_u64(), document["rows_scored"].as_u64(), document["rows_rejected"].as_u64()), (Some(36), Some(35), Some(1)));
    let quarantine = std::fs::read_to_string(document["quarantine"].as_str().unwrap()).unwrap();
    assert!(quarantine.contains("much") && quarantine.contains("alcohol") && quarantine.contains('5'), "{quarantine}");
}

#[test]
fn columns_by_hand_bind_a_table_without_names_in_common() {
    let folder = Folder::new();
    let good = std::fs::read_to_string(drydock_tests::sample_model("wine").table("new")).unwrap();
    let renamed: String = good
        .lines()
        .enumerate()
        .map(|(index, line)| if index == 0 { (0..14).map(|i| format!("c{i}")).collect::<Vec<_>>().join(",") + "\n" } else { format!("{line}\n") })
        .collect();
    let data = folder.write("renamed.csv", renamed);
    let model = sample("wine/model.onnx");
    let columns: Vec<String> = (0..13).map(|i| format!("c{i}")).collect();
    let by_hand = folder.path("by_hand.csv");
    run(&["score", &model, &data, "-o", &by_hand, "--columns", &columns.join(","), "--keep", "none"]).succeeded();
    let by_name = folder.path("by_name.csv");
    run(&["score", &model, &sample("wine/new.csv"), "-o", &by_name, "--keep", "none"]).succeeded();
    assert_eq!(std::fs::read_to_string(by_hand).unwrap(), std::fs::read_to_string(by_name).unwrap());
}

#[test]
fn what_does_not_fit_is_said_with_the_nearest_names() {
    let folder = Folder::new();
    let (model, data) = (sample("wine/model.onnx"), sample("wine/new.csv"));
    let output = folder.path("out.csv");
    run(&["score", &model, &data, "-o", &output, "--label", "cultvar"]).failed_saying(&["cultvar", "cultivar"]);
    run(&["score", &model, &data, "-o", &output, "--keep", "heu"]).failed_saying(&["heu", "hue"]);
    run(&["score", &model, &data, "-o", &output, "--columns", "alcohol,malic"]).failed_saying(&["malic"]);
    run(&["score", &model, &data, "-o", &output, "--columns", "alcohol,,ash"]).failed_saying(&["--columns", "empty"]);
    run(&["score", &model, &sample("diabetes/new.csv"), "-o", &output]).failed_saying(&["alcohol"]);
    assert_eq!(folder.names(), Vec::<String>::new());
}

#[test]
fn the_device_is_never_changed_silently() {
    let folder = Folder::new();
    let output = folder.path("out.csv");
    let arguments = ["score", &sample("wine/model.onnx"), &sample("wine/new.csv"), "-o", &output, "--device", "gpu:99"];
    run(&arguments).failed_saying(&["GPU"]);
    let unknown = command(&["doctor", "--device", "tpu"]).output().unwrap();
    assert_eq!(unknown.status.code(), Some(2));
}
