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

#[test]
fn the_memory_of_versions_is_counted() {
    let (a, b, data) = (sample("payment-fraud/model.onnx"), sample("digits/model.onnx"), sample("payment-fraud/new.csv"));
    let measured = |versions: [&str; 2], data: &str| -> Vec<u64> {
        let document = run(&["compare", versions[0], versions[1], "--data", data, "--json"]).succeeded().json();
        document["versions"].as_array().unwrap().iter().map(|version| version["measured_memory_bytes"].as_u64().unwrap()).collect()
    };
    // No less than the file; alike for the same model, whatever was freed and kept before.
    let same = measured([&a, &a], &data);
    assert!(same.iter().all(|bytes| *bytes > 34_000), "{same:?}");
    assert!(same[0].abs_diff(same[1]) * 20 <= same[0], "{same:?}");
    let digits = measured([&b, &b], &sample("digits/new.csv"));
    assert!(digits.iter().all(|bytes| *bytes > 63_000) && digits[0] != same[0], "{digits:?} {same:?}");
}

#[test]
fn what_cannot_be_compared_is_said_once_with_the_way_out() {
    let folder = Folder::new();
    let (a, b, data) = (sample("payment-fraud/model.onnx"), sample("payment-fraud-v2/model.onnx"), sample("payment-fraud/new.csv"));
    let header = std::fs::read_to_string(drydock_tests::workspace().join(&data)).unwrap().lines().next().unwrap().to_owned();
    let (empty, rowless) = (folder.write("empty.csv", ""), folder.write("rowless.csv", header + "\n"));
    let wine = sample("wine/model.onnx");
    let cases: [(&[&str], &[&str]); 12] = [
        (&["compare", &a, "no-such.onnx", "--data", &data], &["error: no-such.onnx: there is no such file"]),
        (
            &["compare", &a, "unknown-model@champion", "--data", &data],
            &["error: unknown-model@champion: there is no such file", "no model 'unknown-model'"],
        ),
        (&["compare", &a, &b, "--data", "no-such.csv"], &["error: no-such.csv: there is no such file"]),
        (&["compare", &a, &b, "--data", &data, "--label", "outcom"], &["no column 'outcom'", "--label", "'outcome'"]),
        (&["compare", &a, &b, "--data", &data, "--time", "day", "--window", "1d"], &["no column 'day'", "--time"]),
        (&["compare", &a, &wine, "--data", &data], &["wine v1", "does not feed the model", "'alcohol'", "'amount'"]),
        (&["compare", &a, &b, "--data", &empty], &["empty.csv", "the file is empty"]),
        (&["compare", &a, &b, "--data", &rowless], &["rowless.csv", "no rows"]),
        (&["check", "no-such.onnx"], &["error: no-such.onnx: there is no such file"]),
        (&["check", &b, "--config", "no-such.toml"], &["no-such.toml: there is no such file"]),
        (&["diff", &a, &data], &["new.csv", "not an ONNX model"]),
        (&["diff", &a, "no-such.onnx"], &["error: no-such.onnx: there is no such file"]),
    ];
    for (arguments, parts) in cases {
        run(arguments).failed_saying(parts);
    }
    for (option, value, part) in [
        ("--max-p95", "5", "5ms"),
        ("--max-size", "abc", "10MB"),
        ("--min-agreement", "3", "between 0 and 1"),
        ("--min-metric", "foo=1", "there is no metric 'foo'"),
        ("--min-metric", "f1", "'='"),
        ("--batch", "0", "at least 1"),
    ] {
        let ended = run(&["check", &b, option, value]);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{option} {value}: {ended:#?}");
        assert!(ended.stderr.contains(part) && ended.stderr.contains(option), "{ended:#?}");
    }
}

#[test]
fn tables_without_labels_are_compared_without_metrics() {
    let folder = Folder::new();
    let rows = std::fs::read_to_string(drydock_tests::workspace().join(sample("payment-fraud/new.csv"))).unwrap();
    let unlabelled: String = rows.lines().take(50).map(|line| line.rsplit_once(',').unwrap().0.to_owned() + "\n").collect();
    let data = folder.write("unlabelled.csv", unlabelled);
    let (a, b) = (sample("payment-fraud/model.onnx"), sample("payment-fraud-v2/model.onnx"));
    let ended = run(&["compare", &a, &b, "--data", &data, "--no-latency"]).succeeded();
    assert!(ended.stderr.contains("no metrics") && ended.stderr.contains("--label"), "{ended:#?}");
    assert!(!ended.stdout.contains("accuracy") && ended.stdout.contains("rows that agree"), "{ended:#?}");
    // A condition on a metric can't be judged then, and says why in full.
    let ended = run(&["check", &b, "--data", &data, "--min-metric", "f1=0.5"]).succeeded();
    assert!(ended.stdout.contains("– not judged"), "{ended:#?}");
    fits_80_columns(&ended.stdout);
}

#[test]
fn reports_are_kept_unless_they_may_be_replaced() {
    let folder = Folder::new();
    let (a, b, data) = (sample("payment-fraud/model.onnx"), sample("payment-fraud-v2/model.onnx"), sample("payment-fraud/new.csv"));
    let html = folder.write("report.html", "mine");
    // Before anything is read: what is wrong with the data is not even seen.
    run(&["compare", &a, &b, "--data", "no-such.csv", "--html", &html]).failed_saying(&["report.html", "--force"]);
    run(&["check", &b, "--html", &html]).failed_saying(&["report.html", "--force"]);
    run(&["diff", &a, &b, "--html", "no/such/folder/report.html"]).failed_saying(&["no/such/folder"]);
    assert_eq!(std::fs::read_to_string(&html).unwrap(), "mine");
    run(&["compare", &a, &b, "--data", &data, "--no-latency", "--html", &html, "--force"]).succeeded();
    assert!(std::fs::read_to_string(&html).unwrap().contains("payment-fraud v2 against payment-fraud v1"));
    assert_eq!(folder.names(), ["report.html"]);
}

#[test]
fn no_table_is_cut_at_80_columns() {
    let (a, b, data) = (sample("payment-fraud/model.onnx"), sample("payment-fraud-v2/model.onnx"), sample("payment-fraud/new.csv"));
    let compared = run(&["compare", &a, &b, "--data", &data, "--window", "500", "--split", "0.2"]).succeeded().stdout;
    let gate = run(&["check", &b, "--against", &a, "--min-agreement", "0.9"]).succeeded().stdout;
    let files = run(&["diff", &a, &b]).succeeded().stdout;
    for (text, part) in [(&compared, "no difference"), (&compared, "payment-fraud v2"), (&gate, "unsupported_"), (&files, "cast_n_transactions_24h")]
    {
        fits_80_columns(text);
        assert!(text.contains(part), "'{part}' is not in\n{text}");
        // An ellipsis stands only where a list of many numbers is shortened.
        let cut: Vec<&str> = text
            .lines()
            .filter(|line| line.contains('…') && !line.contains("[…]") && !line.contains(", …") && !line.trim_start().starts_with('…'))
            .collect();
        assert!(cut.is_empty(), "{cut:#?}");
    }
}

#[test]
fn the_gate_of_a_folder_is_read_from_its_drydock_toml() {
    let folder = Folder::new();
    for (name, path) in [("b.onnx", "payment-fraud-v2/model.onnx"), ("a.onnx", "payment-fraud/model.onnx"), ("new.csv", "payment-fraud/new.csv")] {
        std::fs::copy(drydock_tests::workspace().join(sample(path)), folder.path(name)).unwrap();
    }
    let contract = drydock_tests::workspace().join(sample("payment-fraud/model.drydock.toml"));
    std::fs::copy(contract, folder.path("a.drydock.toml")).unwrap();
    let judge = |arguments: &[&str]| {
        let mut command = crate::run::command(&[&["check", "b.onnx"], arguments].concat());
        command.current_dir(std::path::Path::new(&folder.path("b.onnx")).parent().unwrap());
        crate::run::Ended::of(command.output().unwrap())
    };
    folder.write("drydock.toml", "[check]\nagainst = \"a.onnx\"\ndata = \"new.csv\"\nmin_agreement = 0.9\nmin_metric = { f1 = 0.7 }\n");
    let passed = judge(&["--json"]).succeeded();
    assert!(passed.stderr.contains("conditions of drydock.toml"), "{passed:#?}");
    let names: Vec<String> =
        passed.json()["conditions"].as_array().unwrap().iter().map(|condition| condition["name"].as_str().unwrap().to_owned()).collect();
    assert!(names.iter().any(|name| name == "agreement") && names.iter().any(|name| name == "metric f1"), "{names:?}");
    // What is typed goes before what is written.
    assert_eq!(judge(&["--min-agreement", "0.999"]).code, 1);
    folder.write("drydock.toml", "[check]\nmin_agreement = 99\n");
    judge(&[]).failed_saying(&["drydock.toml: [check] min_agreement", "between 0 and 1"]);
    folder.write("drydock.toml", "[check]\n\nmax_size = \n");
    judge(&[]).failed_saying(&["drydock.toml: line 3"]);
}
