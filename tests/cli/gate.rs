//! From a trained model to one that is live, and back: the registry, the gate, the history, as a release script uses them.

use crate::models::Home;
use crate::run::{Ended, fits_80_columns, sample};

/// `fraud` with a live version 1, a new version 2, and an alias that only a passed check moves.
fn with_a_live_version() -> Home {
    let home = Home::new();
    let add = |name: &str| home.run(&["models", "add", &sample(&format!("{name}/model.onnx")), "--name", "fraud"]).succeeded();
    add("payment-fraud");
    home.run(&["check", "fraud:1", "--max-size", "10MB"]).succeeded();
    home.run(&["models", "alias", "fraud", "production", "--protect", "--reason", "what customers get"]).succeeded();
    home.run(&["models", "promote", "fraud:1", "production", "--reason", "the first one"]).succeeded();
    add("payment-fraud-v2");
    home
}

/// The version that an alias of `fraud` points at.
fn live(home: &Home) -> Option<u64> {
    let shown = home.run(&["models", "show", "fraud", "--json"]).succeeded().json();
    let aliases = shown["aliases"].as_array().unwrap().clone();
    aliases.iter().find(|alias| alias["alias"] == "production").unwrap()["version"].as_u64()
}

/// Judges version 2 against another one, on rows with labels.
fn judge(home: &Home, against: &str, min_agreement: &str) -> Ended {
    let data = sample("payment-fraud/new.csv");
    home.run(&["check", "fraud:2", "--against", against, "--data", &data, "--min-agreement", min_agreement, "--max-drop", "f1=0.05"])
}

#[test]
fn a_version_goes_live_through_the_gate_and_back_in_one_command() {
    let home = with_a_live_version();
    assert_eq!(live(&home), Some(1));

    // Without a passed check there is no way to it.
    home.run(&["models", "promote", "fraud:2"]).failed_saying(&["protected", "drydock check fraud:2"]);
    home.run(&["models", "alias", "fraud:2", "production"]).failed_saying(&["protected"]);
    assert_eq!(live(&home), Some(1));

    // A check that fails says so by its exit code, and opens nothing.
    let failed = judge(&home, "fraud@production", "1");
    assert_eq!(failed.code, 1, "{failed:#?}");
    assert!(failed.stdout.contains("✖ fail") && failed.stdout.contains("agreement"), "{failed:#?}");
    fits_80_columns(&failed.stdout);
    home.run(&["models", "promote", "fraud:2"]).failed_saying(&["protected", "drydock check fraud:2"]);
    assert_eq!(live(&home), Some(1));

    // A check that passes is recorded with the version, and opens the way.
    judge(&home, "fraud@production", "0.9").succeeded();
    let shown = home.run(&["models", "show", "fraud", "--json"]).succeeded().json();
    let runs = shown["versions"][1]["runs"].as_array().unwrap();
    let verdicts: Vec<&str> = runs.iter().filter(|run| run["kind"] == "check").map(|run| run["summary"]["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["pass", "fail"]);
    let promoted = home.run(&["models", "promote", "fraud:2", "production", "--reason", "finds more fraud"]).succeeded();
    assert!(promoted.stdout.contains("production of fraud is at v2 now"), "{promoted:#?}");
    assert_eq!(live(&home), Some(2));

    // A later check that fails closes it again, but moves nothing by itself.
    assert_eq!(judge(&home, "fraud:1", "1").code, 1);
    assert_eq!(live(&home), Some(2));

    // Back is one command, which asks for no check.
    home.run(&["models", "rollback", "fraud", "--reason", "too many alarms at night"]).succeeded();
    assert_eq!(live(&home), Some(1));
    home.run(&["models", "promote", "fraud:2"]).failed_saying(&["protected"]);
    home.run(&["models", "rollback", "fraud"]).failed_saying(&["no earlier version"]);

    // The history has it all, newest first.
    let history = home.run(&["models", "history", "fraud", "production", "--json"]).succeeded().json();
    let text = |step: &serde_json::Value, key: &str| step[key].as_str().unwrap_or_default().to_owned();
    let moves: Vec<(String, Option<u64>, Option<u64>, String)> = history["moves"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| (text(step, "kind"), step["from_version"].as_u64(), step["to_version"].as_u64(), text(step, "reason")))
        .collect();
    let step = |kind: &str, from, to, reason: &str| (kind.to_owned(), from, to, reason.to_owned());
    let expected = [
        step("rollback", Some(2), Some(1), "too many alarms at night"),
        step("promote", Some(1), Some(2), "finds more fraud"),
        step("promote", None, Some(1), "the first one"),
        step("protect", None, None, "what customers get"),
    ];
    assert_eq!(moves, expected);
    let page = home.run(&["models", "history", "fraud"]).succeeded().stdout;
    fits_80_columns(&page);
    assert!(page.contains("production v2 → v1") && page.contains("too many alarms at night"), "{page}");
    home.run(&["models", "verify"]).succeeded();
}

#[test]
fn conditions_that_cannot_be_judged_open_nothing_where_the_gate_is_strict() {
    let home = with_a_live_version();
    // Agreement without rows to agree on.
    let open = home.run(&["check", "fraud:2", "--min-agreement", "0.9", "--strict"]);
    assert_eq!(open.code, 1, "{open:#?}");
    assert!(open.stdout.contains("not judged"), "{open:#?}");
    home.run(&["models", "promote", "fraud:2"]).failed_saying(&["protected"]);
    assert_eq!(live(&home), Some(1));
}
