//! "Copy as command": what a face is about to do, as the `drydock …` line that does the same in a script.

use std::fmt::Write as _;
use std::path::Path;

use crate::budget;
use crate::compare::CompareRequest;
use crate::compare::check::CheckRequest;
use crate::package::PackageRequest;
use crate::predict::PredictRequest;
use crate::profile::{Effort, ProfileRequest};
use crate::score::{OnError, ScoreRequest, names_text};
use crate::tensor::device::DeviceChoice;
use crate::verify::VerifyRequest;

use super::{Command, RegistryCommand, State};

/// The command line that does what `command` does now; `None` for what only a screen can do, and without the model that it needs.
pub fn command_line(command: &Command, state: &State) -> Option<String> {
    let opened = state.opened.as_ref();
    match command {
        Command::OpenModel { path, device } | Command::InspectModel { path, device } => {
            Some(format!("drydock inspect {}{}", quoted_path(path), device_option(*device)))
        }
        Command::Predict(request) => opened.map(|opened| predict_line(&opened.model.argument(), request) + &device_option(opened.device)),
        Command::Score(request) => opened.map(|opened| score_line(&opened.model.argument(), request) + &device_option(opened.device)),
        Command::Verify(request) => Some(verify_line(request)),
        Command::Package(request) => opened.map(|opened| package_line(&opened.model.argument(), request)),
        Command::CheckPackage { path, device } => Some(format!("drydock verify {}{}", quoted_path(path), device_option(*device))),
        Command::Models(command) => models_line(command),
        Command::Profile(request) => opened.map(|opened| profile_line(&opened.model.argument(), opened.device, request)),
        Command::Compare(request) => Some(compare_line(request)),
        Command::Check(request) => Some(check_line(request)),
        Command::Diff(request) => Some(format!("drydock diff {} {}", quoted_path(&request.a), quoted_path(&request.b))),
        Command::CloseModel | Command::DescribeTable(_) | Command::WhatIf(_) | Command::Cancel(_) => None,
    }
}

fn predict_line(model: &Path, request: &PredictRequest) -> String {
    let mut line = format!("drydock predict {}", quoted_path(model));
    match request {
        PredictRequest::Rows(rows) => {
            let [row] = rows.as_slice() else { return line + " --rows rows.json" };
            for (column, value) in row.0.iter().filter(|(_, value)| !value.is_empty()) {
                let _ = write!(line, " --set {}", quoted(&format!("{column}={value}")));
            }
        }
        PredictRequest::Image(path) => {
            let _ = write!(line, " --image {}", quoted_path(path));
        }
    }
    line
}

fn score_line(model: &Path, request: &ScoreRequest) -> String {
    let defaults = ScoreRequest::default();
    let mut line = format!("drydock score {} {} -o {}", quoted_path(model), quoted_path(&request.data), quoted_path(&request.output));
    let mut add = |option: &str, value: &str| {
        let _ = write!(line, " {option} {}", quoted(value));
    };
    if let Some(label) = &request.label {
        add("--label", label);
    }
    if let Some(columns) = &request.columns {
        add("--columns", &names_text(columns));
    }
    for (input, columns) in &request.bind {
        add("--bind", &format!("{input}={}", names_text(columns)));
    }
    if request.keep != defaults.keep {
        add("--keep", &request.keep.to_string());
    }
    if request.on_error == OnError::Skip {
        add("--on-error", "skip");
    }
    if let Some(rows) = request.batch_rows {
        add("--batch", &rows.to_string());
    }
    if let Some(threads) = request.threads {
        add("--threads", &threads.to_string());
    }
    if request.overwrite != defaults.overwrite {
        line.push_str(" --force");
    }
    line
}

fn verify_line(request: &VerifyRequest) -> String {
    let defaults = VerifyRequest::default();
    let mut line = "drydock verify".to_owned();
    for folder in &request.folders {
        let _ = write!(line, " {}", quoted_path(folder));
    }
    if request.relative_tolerance != defaults.relative_tolerance {
        let _ = write!(line, " --rtol {:e}", request.relative_tolerance);
    }
    if request.absolute_tolerance != defaults.absolute_tolerance {
        let _ = write!(line, " --atol {:e}", request.absolute_tolerance);
    }
    line + &device_option(request.device)
}

fn profile_line(model: &Path, device: DeviceChoice, request: &ProfileRequest) -> String {
    fn list(numbers: &[usize]) -> String {
        numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
    }
    let mut line = format!("drydock profile {}", quoted_path(model));
    let mut add = |option: &str, value: &str| {
        let _ = write!(line, " {option} {}", quoted(value));
    };
    for (option, numbers) in [("--batch", &request.batches), ("--threads", &request.threads)] {
        if !numbers.is_empty() {
            add(option, &list(numbers));
        }
    }
    if !request.devices.is_empty() {
        add("--devices", &request.devices.iter().map(ToString::to_string).collect::<Vec<_>>().join(","));
    }
    if let Some(data) = &request.data {
        add("--data", &data.display().to_string());
    }
    for (name, size) in &request.dims {
        add("--dim", &format!("{name}={size}"));
    }
    if request.seed != 0 {
        add("--seed", &request.seed.to_string());
    }
    if let Some(limit) = request.max_latency {
        add("--max-latency", &budget::duration_text(limit));
    }
    if let Some(path) = &request.trace {
        add("--trace", &path.display().to_string());
    }
    if let Some(target) = request.fit {
        if let Some(bytes) = target.memory_bytes {
            add("--fit-memory", &budget::bytes_text(bytes));
        }
        if let Some(threads) = target.threads {
            add("--fit-threads", &threads.to_string());
        }
        if let Some(slowdown) = target.slowdown {
            add("--fit-slowdown", &slowdown.to_string());
        }
    }
    match request.effort {
        Effort::Quick => line.push_str(" --quick"),
        Effort::Standard => {}
        Effort::Full => line.push_str(" --full"),
    }
    if request.operators {
        line.push_str(" --operators");
    }
    line + &device_option(device)
}

/// The line that packs a model, opened or not.
pub fn package_line(model: &Path, request: &PackageRequest) -> String {
    let defaults = PackageRequest::default();
    let mut line = format!("drydock package {} -o {}", quoted_path(model), quoted_path(&request.output));
    if let Some(data) = &request.data {
        let _ = write!(line, " --data {}", quoted_path(data));
    }
    if request.rows != defaults.rows {
        let _ = write!(line, " --rows {}", request.rows);
    }
    if request.seed != defaults.seed {
        let _ = write!(line, " --seed {}", request.seed);
    }
    if request.overwrite {
        line.push_str(" --force");
    }
    line
}

fn models_line(command: &RegistryCommand) -> Option<String> {
    let because = |reason: &Option<String>| reason.as_ref().map(|reason| format!(" --reason {}", quoted(reason))).unwrap_or_default();
    let line = match command {
        RegistryCommand::Refresh => "list".to_owned(),
        RegistryCommand::Add { model, name, lineage } => {
            let mut line = format!("add {} --name {}", quoted_path(model), quoted(name));
            if let Some(parent) = &lineage.parent {
                let _ = write!(line, " --parent {}", quoted(parent));
            }
            for (option, path) in [("--recipe", &lineage.recipe), ("--data", &lineage.data)] {
                if let Some(path) = path {
                    let _ = write!(line, " {option} {}", quoted_path(path));
                }
            }
            line
        }
        RegistryCommand::SetAlias { model, alias, reason } => format!("alias {} {}{}", quoted(model), quoted(alias), because(reason)),
        RegistryCommand::Promote { model, alias, reason } => format!("promote {} {}{}", quoted(model), quoted(alias), because(reason)),
        RegistryCommand::RollBack { name, alias, reason } => format!("rollback {} {}{}", quoted(name), quoted(alias), because(reason)),
        RegistryCommand::Protect { name, alias, is_protected, reason } => {
            let option = if *is_protected { "--protect" } else { "--unprotect" };
            format!("alias {} {} {option}{}", quoted(name), quoted(alias), because(reason))
        }
        RegistryCommand::RemoveAlias { name, alias, reason } => format!("alias {} {} --delete{}", quoted(name), quoted(alias), because(reason)),
        RegistryCommand::Remove { model, is_forced } => format!("remove {}{}", quoted(model), if *is_forced { " --force" } else { "" }),
        RegistryCommand::SelfCheck => "verify".to_owned(),
    };
    Some(format!("drydock models {line}"))
}

fn compare_line(request: &CompareRequest) -> String {
    let defaults = CompareRequest::default();
    let mut line = "drydock compare".to_owned();
    for version in &request.versions {
        let _ = write!(line, " {}", quoted_path(version));
    }
    let _ = write!(line, " --data {}", quoted_path(&request.data));
    let mut add = |option: &str, value: &str| {
        let _ = write!(line, " {option} {}", quoted(value));
    };
    if let Some(label) = &request.label {
        add("--label", label);
    }
    if let Some(columns) = &request.columns {
        add("--columns", &names_text(columns));
    }
    for (input, columns) in &request.bind {
        add("--bind", &format!("{input}={}", names_text(columns)));
    }
    if request.on_error == OnError::Skip {
        add("--on-error", "skip");
    }
    if let Some(changed) = &request.changed {
        add("--changed", &changed.display().to_string());
    }
    if request.max_changed != defaults.max_changed {
        add("--limit", &request.max_changed.to_string());
    }
    if let Some(time) = &request.time {
        add("--time", time);
    }
    if let Some(window) = &request.window {
        add("--window", &window.to_string());
    }
    if let Some(split) = &request.split {
        add("--split", &split.share.to_string());
        if let Some(column) = &split.column {
            add("--split-by", column);
        }
    }
    if let Some(rows) = request.batch_rows {
        add("--batch", &rows.to_string());
    }
    if let Some(threads) = request.threads {
        add("--threads", &threads.to_string());
    }
    if !request.measures_latency {
        line.push_str(" --no-latency");
    }
    if request.overwrite != defaults.overwrite {
        line.push_str(" --force");
    }
    line + &device_option(request.device)
}

fn check_line(request: &CheckRequest) -> String {
    let mut line = format!("drydock check {}", quoted_path(&request.model));
    let mut add = |option: &str, value: &str| {
        let _ = write!(line, " {option} {}", quoted(value));
    };
    for (option, path) in [("--against", &request.against), ("--data", &request.data)] {
        if let Some(path) = path {
            add(option, &path.display().to_string());
        }
    }
    if let Some(label) = &request.label {
        add("--label", label);
    }
    if let Some(columns) = &request.columns {
        add("--columns", &names_text(columns));
    }
    for (input, columns) in &request.bind {
        add("--bind", &format!("{input}={}", names_text(columns)));
    }
    if request.on_error == OnError::Skip {
        add("--on-error", "skip");
    }
    let budgets = &request.budgets;
    if let Some(bytes) = budgets.max_size_bytes {
        add("--max-size", &budget::bytes_text(bytes));
    }
    if let Some(limit) = budgets.max_p95 {
        add("--max-p95", &budget::duration_text(limit));
    }
    if request.batch != CheckRequest::default().batch {
        add("--batch", &request.batch.to_string());
    }
    if let Some(bytes) = budgets.max_memory_bytes {
        add("--max-memory", &budget::bytes_text(bytes));
    }
    if let Some(share) = budgets.min_agreement {
        add("--min-agreement", &share.to_string());
    }
    for (metric, limit) in &budgets.min_metrics {
        add("--min-metric", &format!("{}={limit}", metric.key()));
    }
    for (metric, limit) in &budgets.max_drops {
        add("--max-drop", &format!("{}={limit}", metric.key()));
    }
    if let Some(threads) = request.threads {
        add("--threads", &threads.to_string());
    }
    if request.is_strict {
        line.push_str(" --strict");
    }
    line + &device_option(request.device)
}

fn device_option(device: DeviceChoice) -> String {
    if device == DeviceChoice::default() { String::new() } else { format!(" --device {device}") }
}

fn quoted_path(path: &Path) -> String {
    let text = path.display().to_string();
    // A path that begins like an option is no option.
    if text.starts_with('-') { quoted(&format!("./{text}")) } else { quoted(&text) }
}

/// A word as a POSIX shell reads it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./=,:+@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_request_becomes_the_line_that_does_it() {
        let request = ScoreRequest {
            data: "my data/march.csv".into(),
            output: "out.csv".into(),
            label: Some("is_fraud".to_owned()),
            columns: Some(vec!["a".to_owned(), "b,c".to_owned()]),
            on_error: OnError::Skip,
            overwrite: true,
            ..ScoreRequest::default()
        };
        assert_eq!(
            score_line(Path::new("m.onnx"), &request),
            "drydock score m.onnx 'my data/march.csv' -o out.csv --label is_fraud --columns 'a,\"b,c\"' --on-error skip --force"
        );
    }

    #[test]
    fn a_profile_request_becomes_the_line_that_does_it() {
        let request = ProfileRequest {
            batches: vec![1, 8],
            threads: vec![2],
            devices: vec![DeviceChoice::Cpu, DeviceChoice::Gpu(Some(1))],
            data: Some("my rows.csv".into()),
            dims: vec![("seq".to_owned(), 128)],
            seed: 7,
            effort: Effort::Quick,
            operators: true,
            max_latency: Some(std::time::Duration::from_millis(5)),
            trace: Some("t.json".into()),
            fit: Some(crate::profile::FitTarget { memory_bytes: Some(512_000_000), threads: Some(1), slowdown: Some(4.0) }),
        };
        assert_eq!(
            profile_line(Path::new("m.onnx"), DeviceChoice::Cpu, &request),
            "drydock profile m.onnx --batch 1,8 --threads 2 --devices cpu,gpu:1 --data 'my rows.csv' --dim seq=128 --seed 7 --max-latency 5ms \
             --trace t.json --fit-memory 512MB --fit-threads 1 --fit-slowdown 4 --quick --operators"
        );
        assert_eq!(profile_line(Path::new("m.onnx"), DeviceChoice::Cpu, &ProfileRequest::default()), "drydock profile m.onnx");
    }

    #[test]
    fn words_are_safe_for_a_shell() {
        for (word, expected) in [("a=1", "a=1"), ("it's", r"'it'\''s'"), ("", "''"), ("$HOME", "'$HOME'"), ("größe=3", "größe=3")] {
            assert_eq!(quoted(word), expected);
        }
    }
}
