//! Help, completions, doctor: what a newcomer meets first.

use crate::models::Home;
use crate::run::{Folder, command, fits_80_columns, keys, run};

#[test]
fn every_command_ends_its_help_in_two_examples() {
    for name in ["inspect", "verify", "predict", "score", "profile", "package", "models", "compare", "check", "diff", "doctor", "completions", "help"]
    {
        let ended = run(&[name, "--help"]).succeeded();
        fits_80_columns(&ended.stdout);
        let examples = examples(&ended.stdout);
        assert_eq!(examples.len(), 2, "{name}: {examples:?}");
        assert!(examples.iter().all(|example| example.starts_with("drydock ")), "{name}: {examples:?}");
    }
}

#[test]
fn the_examples_on_sample_models_work() {
    let folder = Folder::new();
    for name in ["inspect", "verify", "predict", "score", "profile", "package", "models", "compare", "check", "diff", "doctor"] {
        let help = run(&["help", name]).succeeded().stdout;
        for example in examples(&help) {
            // Outputs go to the test's own folder.
            let arguments: Vec<String> =
                words(&example).into_iter().skip(1).map(|word| if word.starts_with("scored.") { folder.path(&word) } else { word }).collect();
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            run(&arguments).succeeded();
        }
    }
}

#[test]
fn the_acts_on_the_registry_have_examples_that_work_one_after_the_other() {
    let home = Home::new();
    for act in ["add", "list", "show", "alias", "promote", "rollback", "history", "verify", "remove"] {
        let help = home.run(&["models", act, "--help"]).succeeded().stdout;
        fits_80_columns(&help);
        let examples = examples(&help);
        assert_eq!(examples.len(), 2, "{act}: {examples:?}");
        for example in examples {
            let arguments = words(&example);
            let arguments: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
            assert_eq!(arguments[1], act);
            home.run(&arguments).succeeded();
        }
    }
    let overview = home.run(&["models", "--help"]).succeeded().stdout;
    assert!(overview.contains("list      List the models"), "{overview}");
}

/// The examples at the end of a help text, each on one line.
#[track_caller]
fn examples(help: &str) -> Vec<String> {
    let (_, examples) = help.split_once("Examples:\n").unwrap_or_else(|| panic!("no examples in {help}"));
    let joined = examples.replace("\\\n", " ");
    joined.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

/// Splits a line as a shell does: single quotes hold blanks together.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in line.split('\'').enumerate() {
        if index % 2 == 1 { words.push(part.to_owned()) } else { words.extend(part.split_whitespace().map(str::to_owned)) }
    }
    words
}

#[test]
fn topics_explain_what_concerns_several_commands() {
    let topics = run(&["help", "topics"]).succeeded().stdout;
    fits_80_columns(&topics);
    for topic in ["device", "contract", "tables", "exit-codes"] {
        assert!(topics.contains(topic), "{topic}");
        let one = run(&["help", topic]).succeeded().stdout;
        assert!(one.lines().count() > 3 && one.lines().count() < topics.lines().count(), "{one}");
    }
    assert!(run(&["help"]).succeeded().stdout.contains("Usage: drydock"));
    run(&["help", "weather"]).failed_saying(&["'weather'", "topics", "score"]);
}

#[test]
fn doctor_tells_what_this_machine_has() {
    let ended = run(&["doctor", "--json"]).succeeded();
    assert_eq!(ended.stderr, "", "whatever graphics drivers have to say");
    let document = ended.json();
    for key in ["version", "cpu_features", "cpu_cores", "gpus", "driver_messages", "home", "operators"] {
        assert!(keys(&document).contains(&key), "{key} is not in {document}");
    }
    assert!(document["operators"]["ai.onnx"].as_u64().unwrap() > 50, "{document}");
    fits_80_columns(&run(&["doctor"]).succeeded().stdout);
}

#[test]
fn completions_are_scripts_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(run(&["completions", shell]).succeeded().stdout.contains("drydock"), "{shell}");
    }
}

#[test]
fn version_and_colour() {
    assert!(run(&["--version"]).succeeded().stdout.starts_with("drydock 0."));
    let output = command(&["doctor"]).env("NO_COLOR", "1").output().unwrap();
    assert!(!output.stdout.contains(&0x1b));
}
