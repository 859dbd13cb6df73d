//! `drydock models`: the registry as scripts use it, and everywhere that a MODEL is written.

use std::process::Command;

use crate::run::{Ended, Folder, command, fits_80_columns, keys, sample};

/// A data home of a test's own.
pub struct Home {
    pub folder: Folder,
}

impl Home {
    pub fn new() -> Self {
        Self { folder: Folder::new() }
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(arguments);
        command.env("DRYDOCK_HOME", self.folder.path("home"));
        command
    }

    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(self.command(arguments).output().unwrap())
    }

    /// `fraud` with two versions.
    fn with_fraud() -> Self {
        let home = Self::new();
        for name in ["payment-fraud", "payment-fraud-v2"] {
            home.run(&["models", "add", &sample(&format!("{name}/model.onnx")), "--name", "fraud"]).succeeded();
        }
        home
    }
}

#[test]
fn versions_are_added_listed_and_shown() {
    let home = Home::new();
    assert_eq!(home.run(&["models", "list", "--json"]).succeeded().json()["models"], serde_json::json!([]));
    let model = sample("payment-fraud/model.onnx");
    let added = home.run(&["models", "add", &model, "--name", "fraud", "--json"]).succeeded().json();
    assert_eq!((added["version"].as_u64(), added["is_new"].as_bool()), (Some(1), Some(true)));
    let again = home.run(&["models", "add", &model, "--name", "fraud"]).succeeded();
    assert!(again.stdout.contains("fraud v1 already"), "{again:#?}");
    let recipe = home.folder.write("recipe.toml", "trees = 100\n");
    let (newer, data) = (sample("payment-fraud-v2/model.onnx"), sample("payment-fraud-v2/reference.csv"));
    home.run(&["models", "add", &newer, "--name", "fraud", "--parent", "fraud:1", "--recipe", &recipe, "--data", &data]).succeeded();

    let shown = home.run(&["models", "show", "fraud", "--json"]).succeeded().json();
    assert_eq!(shown["name"], "fraud");
    let versions = shown["versions"].as_array().unwrap();
    assert_eq!(versions.iter().map(|version| version["version"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2]);
    for key in ["aliases", "added", "added_by", "hash", "lineage", "runs"] {
        assert!(keys(&versions[0]).contains(&key), "{key}");
    }
    // As `sha256sum` prints it.
    let bytes = std::fs::read(drydock_tests::sample_model("payment-fraud").model()).unwrap();
    assert_eq!(versions[0]["hash"], drydock_core::model::sha256(&bytes));
    let lineage = &versions[1]["lineage"];
    assert_eq!((&lineage["parent_sha256"], lineage["recipe"].as_str()), (&versions[0]["hash"], Some("trees = 100\n")));
    assert_eq!(lineage["data_sha256"].as_str().unwrap().len(), 64);
    let text = home.run(&["models", "show", "fraud"]).succeeded().stdout;
    fits_80_columns(&text);
    assert!(text.contains("parent   fraud v1") && text.contains("recipe   trees = 100"), "{text}");
    fits_80_columns(&home.run(&["models", "list"]).succeeded().stdout);
}

#[test]
fn aliases_are_promoted_and_rolled_back() {
    let home = Home::with_fraud();
    home.run(&["models", "alias", "fraud:1", "champion"]).succeeded();
    home.run(&["models", "promote", "fraud", "champion", "--reason", "fewer false alarms"]).succeeded();
    let moved = home.run(&["models", "rollback", "fraud", "champion", "--json"]).succeeded().json();
    assert_eq!((moved["from_version"].as_u64(), moved["version"].as_u64()), (Some(2), Some(1)));
    home.run(&["models", "rollback", "fraud", "champion"]).failed_saying(&["no earlier version", "drydock models alias"]);
    let history = home.run(&["models", "history", "fraud", "--json"]).succeeded().json();
    let kinds: Vec<_> = history["moves"].as_array().unwrap().iter().map(|step| step["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["rollback", "promote", "set"]);
    assert_eq!(history["moves"][1]["reason"], "fewer false alarms");
    assert!(history["moves"][0]["who"].as_str().unwrap().contains('@'));
    fits_80_columns(&home.run(&["models", "history", "fraud", "champion"]).succeeded().stdout);
    home.run(&["models", "remove", "fraud:1"]).failed_saying(&["'champion'", "--force"]);
    home.run(&["models", "remove", "fraud:1", "--force"]).succeeded();
    home.run(&["models", "verify"]).succeeded();
}

#[test]
fn a_protected_alias_refuses_what_was_not_checked() {
    let home = Home::with_fraud();
    home.run(&["models", "alias", "fraud", "production", "--protect"]).succeeded();
    home.run(&["models", "promote", "fraud:2"]).failed_saying(&["protected", "drydock check fraud:2", "drydock models promote fraud:2 production"]);
    home.run(&["models", "alias", "fraud:2", "production"]).failed_saying(&["protected"]);
    home.run(&["models", "alias", "fraud", "production", "--unprotect"]).succeeded();
    home.run(&["models", "promote", "fraud:2"]).succeeded();
}

#[test]
fn a_model_is_written_by_name_version_or_alias() {
    let home = Home::with_fraud();
    home.run(&["models", "alias", "fraud:1", "champion"]).succeeded();
    let inspected = |model: &str| {
        let ended = home.run(&["inspect", model, "--json"]).succeeded();
        (ended.json()["operators"].clone(), ended.stderr)
    };
    let (first, second) = (inspected(&sample("payment-fraud/model.onnx")).0, inspected(&sample("payment-fraud-v2/model.onnx")).0);
    assert_ne!(first, second);
    assert_eq!(inspected("fraud:1"), (first.clone(), String::new()));
    assert_eq!(inspected("fraud@champion"), (first, String::new()));
    let (latest, said) = inspected("fraud");
    assert_eq!(latest, second);
    assert!(said.contains("latest version, 2"), "{said}");

    // With its contract, and with a record of the run.
    let (data, output) = (sample("payment-fraud-v2/reference.csv"), home.folder.path("scored.csv"));
    home.run(&["score", "fraud:2", &data, "-o", &output]).succeeded();
    let direct = home.folder.path("direct.csv");
    home.run(&["score", &sample("payment-fraud-v2/model.onnx"), &data, "-o", &direct]).succeeded();
    assert_eq!(std::fs::read(output).unwrap(), std::fs::read(direct).unwrap());
    let shown = home.run(&["models", "show", "fraud", "--json"]).succeeded().json();
    let runs = shown["versions"][1]["runs"].as_array().unwrap();
    assert_eq!((runs.len(), &runs[0]["kind"]), (2, &"score".into()));

    home.run(&["inspect", "fruad"]).failed_saying(&["no such file", "did you mean 'fraud'?"]);
    home.run(&["inspect", "fraud:9"]).failed_saying(&["no version 9"]);
    home.run(&["inspect", "fraud@chanpion"]).failed_saying(&["did you mean 'champion'?"]);
}

#[test]
fn names_that_would_lead_astray_are_refused() {
    let home = Home::with_fraud();
    let model = sample("wine/model.onnx");
    for name in ["a/b", "..", "a\tb", "a b", "", "a:1"] {
        home.run(&["models", "add", &model, &format!("--name={name}")]).failed_saying(&["can't name a model"]);
    }
    for alias in ["latest", "v3", "a/b"] {
        home.run(&["models", "alias", "fraud", alias]).failed_saying(&["alias"]);
    }
    for arguments in [
        &["models", "show", "fruad"][..],
        &["models", "history", "fruad"],
        &["models", "rollback", "fruad"],
        &["models", "remove", "fruad"],
        &["models", "promote", "fruad"],
    ] {
        home.run(arguments).failed_saying(&["no model 'fruad'", "did you mean 'fraud'?"]);
    }
    home.run(&["models", "rollback", "fraud", "nothing"]).failed_saying(&["no alias 'nothing'"]);
    home.run(&["models", "add", "sample-models/wine/new.csv", "--name", "wine"]).failed_saying(&["new.csv"]);
    home.run(&["models", "add", &model, "--name", "wine", "--recipe", "no-recipe"]).failed_saying(&["no-recipe"]);
}

#[test]
fn a_damaged_file_is_named_with_the_way_out() {
    let home = Home::with_fraud();
    let hash = home.run(&["models", "show", "fraud", "--json"]).succeeded().json()["versions"][0]["hash"].as_str().unwrap().to_owned();
    let blob = std::path::PathBuf::from(home.folder.path("home")).join("blobs").join(hash);
    let variant = std::fs::read_dir(&blob).unwrap().next().unwrap().unwrap().path();
    let file = variant.join("model.onnx");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    std::fs::write(&file, bytes).unwrap();
    home.run(&["inspect", "fraud:1"]).failed_saying(&["model.onnx", "damaged", "drydock models add FILE --name fraud"]);
    let checked = home.run(&["models", "verify"]);
    assert!(checked.code == 1 && checked.stdout.contains("damaged"), "{checked:#?}");
    home.run(&["models", "add", &sample("payment-fraud/model.onnx"), "--name", "fraud"]).succeeded();
    home.run(&["models", "verify"]).succeeded();
    home.run(&["inspect", "fraud:1"]).succeeded();
}

#[test]
fn a_home_that_cannot_be_written_is_said() {
    let folder = Folder::new();
    let file = folder.write("file", "no folder");
    let run = |arguments: &[&str]| Ended::of(command(arguments).env("DRYDOCK_HOME", format!("{file}/home")).output().unwrap());
    run(&["models", "add", &sample("wine/model.onnx"), "--name", "wine"]).failed_saying(&["DRYDOCK_HOME"]);
    // Work that needs no registry goes on, and says that it left no record.
    let output = folder.path("scored.csv");
    let scored = run(&["score", &sample("wine/model.onnx"), &sample("wine/new.csv"), "-o", &output]).succeeded();
    assert!(scored.stderr.contains("not recorded"), "{scored:#?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_loses_nothing() {
    let home = Home::with_fraud();
    // The system refuses to let any file grow: what a full disk does, without one.
    let full = |arguments: &str| {
        let line = format!("trap '' XFSZ; ulimit -f 1; exec {} {arguments}", env!("CARGO_BIN_EXE_drydock"));
        let mut command = Command::new("sh");
        command.args(["-c", &line]).current_dir(drydock_tests::workspace()).env("DRYDOCK_HOME", home.folder.path("home"));
        Ended::of(command.output().unwrap())
    };
    let ended = full("models add sample-models/digits/model.onnx --name digits");
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended:#?}");
    assert!(ended.stderr.starts_with("error: ") && !ended.stderr.contains("panicked"), "{ended:#?}");
    home.run(&["models", "verify"]).succeeded();
    assert_eq!(home.run(&["models", "list", "--json"]).succeeded().json()["models"].as_array().unwrap().len(), 1);
    home.run(&["models", "add", &sample("digits/model.onnx"), "--name", "digits"]).succeeded();
}
