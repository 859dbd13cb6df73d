//! The shape of the code: who may name whom, and the parity of the faces. See the invariants in ARCHITECTURE.md.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use drydock_tests::workspace;

/// Crates that no line of the core may name.
const SCREENS: [&str; 6] = ["clap", "crossterm", "eframe", "egui", "ratatui", "rfd"];

/// Modules of the core that may name burn.
const ON_BURN: [&str; 4] = ["engine", "kernels", "ops", "tensor"];

/// What people do with a model: each stands alone.
const FEATURES: [&str; 6] = ["compare", "inspect", "predict", "profile", "score", "verify"];

/// Scoring a file is predicting many rows: it uses the same way from cells to answers. Comparing is scoring with several versions.
const ALLOWED: [(&str, &str); 3] = [("score", "predict"), ("compare", "score"), ("compare", "profile")];

/// Lines of a file beyond which it wants to be two.
const MAX_LINES: usize = 700;

#[test]
fn the_core_names_no_screen() {
    let manifest = read(&workspace().join("core/Cargo.toml"));
    let mut offences: Vec<String> = Vec::new();
    for screen in SCREENS {
        if manifest.lines().any(|line| line.starts_with(screen)) {
            offences.push(format!("core/Cargo.toml depends on {screen}"));
        }
    }
    offences.extend(lines_naming("core/src", &SCREENS, |_| false));
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn only_a_few_modules_name_burn() {
    let offences = lines_naming("core/src", &["burn"], |module| ON_BURN.contains(&module));
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn the_faces_do_not_know_each_other() {
    let mut offences = lines_naming("app/src", &["drydock_tui", "ratatui", "crossterm"], |_| false);
    offences.extend(lines_naming("tui/src", &["drydock_app", "egui", "eframe"], |_| false));
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn features_do_not_import_each_other() {
    let mut offences = Vec::new();
    for (path, module) in sources("core/src") {
        let Some(own) = FEATURES.iter().find(|feature| **feature == module) else { continue };
        for (number, line) in code_lines(&read(&path)) {
            for other in FEATURES.iter().filter(|other| *other != own && !ALLOWED.contains(&(*own, **other))) {
                if line.contains(&format!("crate::{other}")) {
                    offences.push(format!("{}:{number}: {own} names {other}", path.display()));
                }
            }
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn every_command_has_its_line_in_the_parity_table() {
    let commands = variants(&read(&workspace().join("core/src/session/command.rs")), "pub enum Command {");
    assert!(commands.contains("OpenModel") && commands.len() > 3, "{commands:?}");
    let architecture = read(&workspace().join("ARCHITECTURE.md"));
    let (_, parity) = architecture.split_once("## Parity").expect("ARCHITECTURE.md has a section called Parity");
    let rows: Vec<Vec<&str>> = parity
        .lines()
        .filter(|line| line.starts_with("| `") && !line.starts_with("| `Command`"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    for row in &rows {
        let is_there = |cell: &&str| !cell.is_empty() && !cell.contains("not yet");
        assert!(row.len() == 4 && row.iter().all(is_there), "a face lacks a command: {row:?}");
    }
    let listed: BTreeSet<String> = rows.iter().map(|row| row[0].trim_matches('`').to_owned()).collect();
    assert_eq!(listed, commands, "the parity table in ARCHITECTURE.md against session::Command");
}

#[test]
fn every_module_of_the_core_is_on_the_map() {
    let architecture = read(&workspace().join("ARCHITECTURE.md"));
    for line in read(&workspace().join("core/src/lib.rs")).lines() {
        let Some(module) = line.strip_prefix("pub mod ").and_then(|rest| rest.strip_suffix(';')) else { continue };
        // Errors are a type rather than a place to look for.
        if module != "error" {
            assert!(architecture.contains(&format!("`{module}`")), "ARCHITECTURE.md does not mention `{module}`");
        }
    }
    assert!(architecture.lines().count() <= 250, "ARCHITECTURE.md should be read in twenty minutes");
}

#[test]
fn no_file_is_too_long_and_each_says_what_it_is() {
    let mut offences = Vec::new();
    for folder in ["core/src", "app/src", "tui/src", "tests"] {
        for (path, _) in sources(folder) {
            let text = read(&path);
            if text.lines().count() > MAX_LINES {
                offences.push(format!("{}: {} lines", path.display(), text.lines().count()));
            }
            // A `tests` module is explained by the one it tests.
            let below_crate = path.strip_prefix(workspace()).unwrap().components().skip(1);
            let is_unit_test = below_crate.into_iter().any(|part| part.as_os_str() == "tests.rs" || part.as_os_str() == "tests");
            if !is_unit_test && !text.starts_with("//!") {
                offences.push(format!("{}: does not start with what it is", path.display()));
            }
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

/// Lines of code below `folder` that name one of the crates, unless their module is exempt.
fn lines_naming(folder: &str, crates: &[&str], is_exempt: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for (path, _) in sources(folder).into_iter().filter(|(_, module)| !is_exempt(module)) {
        for (number, line) in code_lines(&read(&path)) {
            for name in crates {
                let is_used = line.contains(&format!("{name}::")) || line.trim_start().starts_with(&format!("use {name}"));
                if is_used && !line.contains(&format!("_{name}::")) {
                    found.push(format!("{}:{number}: {}", path.display(), line.trim()));
                }
            }
        }
    }
    found
}

/// Rust files below a folder, each with the name of its top-level module.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let root = workspace().join(folder);
    let mut files = Vec::new();
    let mut open = vec![root.clone()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let first = path.strip_prefix(&root).unwrap().components().next().unwrap();
                let module = Path::new(&first).file_stem().unwrap().to_string_lossy().into_owned();
                files.push((path, module));
            }
        }
    }
    files.sort();
    assert!(!files.is_empty(), "{}: no sources", root.display());
    files
}

/// Lines with their numbers, without comments.
fn code_lines(text: &str) -> Vec<(usize, String)> {
    let without_comment = |line: &str| line.split("//").next().unwrap_or_default().to_owned();
    text.lines().enumerate().map(|(index, line)| (index + 1, without_comment(line))).collect()
}

/// Names of an enum's variants, from its source.
fn variants(source: &str, opening: &str) -> BTreeSet<String> {
    let body = source.split_once(opening).expect("the enum is there").1;
    body.lines()
        .take_while(|line| *line != "}")
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase()))
        .map(|line| line.split(['{', '(', ',', ' ']).next().unwrap_or_default().to_owned())
        .collect()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
