//! "Copy as command": what a face is about to do, as the `drydock …` line that does the same in a script.

use std::path::Path;

use crate::budget;
use crate::compare::CompareRequest;
use crate::compare::check::CheckRequest;
use crate::package::PackageRequest;
use crate::predict::PredictRequest;
use crate::profile::{Effort, ProfileRequest};
use crate::score::ScoreRequest;
use crate::tensor::device::DeviceChoice;
use crate::verify::VerifyRequest;

use super::{Command, RegistryCommand, State};

mod line;

use line::Line;

/// The command line that does what `command` does now; `None` for what only a screen can do, and without the model that it needs.
pub fn command_line(command: &Command, state: &State) -> Option<String> {
    let opened = state.opened.as_ref().map(|opened| (opened.model.argument(), opened.device));
    match command {
        Command::OpenModel { path, device } | Command::InspectModel { path, device } => Some(Line::new("inspect").path(path).on(*device)),
        Command::Predict(request) => opened.map(|(model, device)| predict_line(&model, device, request)),
        Command::Score(request) => opened.map(|(model, device)| score_line(&model, device, request)),
        Command::Verify(request) => Some(verify_line(request)),
        Command::Package(request) => opened.map(|(model, _)| package_line(&model, request)),
        Command::CheckPackage { path, device } => Some(Line::new("verify").path(path).on(*device)),
        Command::Models(command) => Some(models_line(command)),
        Command::Profile(request) => opened.map(|(model, device)| profile_line(&model, device, request)),
        Command::Compare(request) => Some(compare_line(request)),
        Command::Check(request) => Some(check_line(request)),
        Command::Diff(request) => Some(Line::new("diff").path(&request.a).path(&request.b).end()),
        Command::CloseModel | Command::DescribeTable(_) | Command::WhatIf(_) | Command::Cancel(_) => None,
    }
}

fn predict_line(model: &Path, device: DeviceChoice, request: &PredictRequest) -> String {
    let line = Line::new("predict").path(model);
    let line = match request {
        PredictRequest::Image(path) => line.path_option("--image", Some(path)),
        PredictRequest::Rows(rows) => match rows.as_slice() {
            [row] => line.each("--set", row.0.iter().filter(|(_, value)| !value.is_empty()).map(|(column, value)| format!("{column}={value}"))),
            _ => line.option("--rows", "rows.json"),
        },
    };
    line.on(device)
}

fn score_line(model: &Path, device: DeviceChoice, request: &ScoreRequest) -> String {
    let defaults = ScoreRequest::default();
    Line::new("score")
        .path(model)
        .path(&request.data)
        .path_option("-o", Some(&request.output))
        .binding(request.label.as_deref(), request.columns.as_deref(), &request.bind, request.on_error)
        .unlike("--keep", &request.keep, &defaults.keep)
        .given("--batch", request.batch_rows)
        .given("--threads", request.threads)
        .flag("--force", request.overwrite)
        .on(device)
}

fn verify_line(request: &VerifyRequest) -> String {
    let defaults = VerifyRequest::default();
    let tolerance = |value: f64, default: f64| (value != default).then(|| format!("{value:e}"));
    let folders = request.folders.iter().fold(Line::new("verify"), |line, folder| line.path(folder));
    folders
        .given("--rtol", tolerance(request.relative_tolerance, defaults.relative_tolerance))
        .given("--atol", tolerance(request.absolute_tolerance, defaults.absolute_tolerance))
        .on(request.device)
}

fn profile_line(model: &Path, device: DeviceChoice, request: &ProfileRequest) -> String {
    fn list<T: ToString>(items: &[T]) -> Option<String> {
        (!items.is_empty()).then(|| items.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
    }
    let target = request.fit.unwrap_or_default();
    Line::new("profile")
        .path(model)
        .given("--batch", list(&request.batches))
        .given("--threads", list(&request.threads))
        .given("--devices", list(&request.devices))
        .path_option("--data", request.data.as_ref())
        .each("--dim", request.dims.iter().map(|(name, size)| format!("{name}={size}")))
        .unlike("--seed", &request.seed, &0)
        .given("--max-latency", request.max_latency.map(budget::duration_text))
        .path_option("--trace", request.trace.as_ref())
        .given("--fit-memory", target.memory_bytes.map(budget::bytes_text))
        .given("--fit-threads", target.threads)
        .given("--fit-slowdown", target.slowdown)
        .flag("--quick", request.effort == Effort::Quick)
        .flag("--full", request.effort == Effort::Full)
        .flag("--operators", request.operators)
        .on(device)
}

/// The line that packs a model, opened or not.
pub fn package_line(model: &Path, request: &PackageRequest) -> String {
    let defaults = PackageRequest::default();
    Line::new("package")
        .path(model)
        .path_option("-o", Some(&request.output))
        .path_option("--data", request.data.as_ref())
        .unlike("--rows", &request.rows, &defaults.rows)
        .unlike("--seed", &request.seed, &defaults.seed)
        .flag("--no-profile", !request.profile)
        .flag("--force", request.overwrite)
        .end()
}

fn models_line(command: &RegistryCommand) -> String {
    let line = |name: &str| Line::new("models").word(name);
    let alias = |name: &str, model: &str, alias: &str| line(name).word(model).word(alias);
    match command {
        RegistryCommand::Refresh => line("list"),
        RegistryCommand::Add { model, name, lineage } => line("add")
            .path(model)
            .option("--name", name)
            .given("--parent", lineage.parent.as_ref())
            .path_option("--recipe", lineage.recipe.as_ref())
            .path_option("--data", lineage.data.as_ref()),
        RegistryCommand::SetAlias { model, alias: to, reason } => alias("alias", model, to).given("--reason", reason.as_ref()),
        RegistryCommand::Promote { model, alias: to, reason } => alias("promote", model, to).given("--reason", reason.as_ref()),
        RegistryCommand::RollBack { name, alias: of, reason } => alias("rollback", name, of).given("--reason", reason.as_ref()),
        RegistryCommand::Protect { name, alias: of, is_protected, reason } => {
            let option = if *is_protected { "--protect" } else { "--unprotect" };
            alias("alias", name, of).flag(option, true).given("--reason", reason.as_ref())
        }
        RegistryCommand::RemoveAlias { name, alias: of, reason } => {
            alias("alias", name, of).flag("--delete", true).given("--reason", reason.as_ref())
        }
        RegistryCommand::Remove { model, is_forced } => line("remove").word(model).flag("--force", *is_forced),
        RegistryCommand::SelfCheck => line("verify"),
    }
    .end()
}

fn compare_line(request: &CompareRequest) -> String {
    let defaults = CompareRequest::default();
    let versions = request.versions.iter().fold(Line::new("compare"), |line, version| line.path(version));
    let split = request.split.as_ref();
    versions
        .path_option("--data", Some(&request.data))
        .binding(request.label.as_deref(), request.columns.as_deref(), &request.bind, request.on_error)
        .path_option("--changed", request.changed.as_ref())
        .unlike("--limit", &request.max_changed, &defaults.max_changed)
        .given("--time", request.time.as_ref())
        .given("--window", request.window.as_ref())
        .given("--split", split.map(|split| split.share))
        .given("--split-by", split.and_then(|split| split.column.as_ref()))
        .given("--batch", request.batch_rows)
        .given("--threads", request.threads)
        .flag("--no-latency", !request.measures_latency)
        .flag("--force", request.overwrite)
        .on(request.device)
}

fn check_line(request: &CheckRequest) -> String {
    let budgets = &request.budgets;
    Line::new("check")
        .path(&request.model)
        .path_option("--against", request.against.as_ref())
        .path_option("--data", request.data.as_ref())
        .binding(request.label.as_deref(), request.columns.as_deref(), &request.bind, request.on_error)
        .given("--max-size", budgets.max_size_bytes.map(budget::bytes_text))
        .given("--max-p95", budgets.max_p95.map(budget::duration_text))
        .unlike("--batch", &request.batch, &CheckRequest::default().batch)
        .given("--max-memory", budgets.max_memory_bytes.map(budget::bytes_text))
        .given("--min-agreement", budgets.min_agreement)
        .each("--min-metric", budgets.min_metrics.iter().map(|(metric, limit)| format!("{}={limit}", metric.key())))
        .each("--max-drop", budgets.max_drops.iter().map(|(metric, limit)| format!("{}={limit}", metric.key())))
        .given("--max-contract-changes", budgets.max_contract_changes)
        .given("--threads", request.threads)
        .flag("--strict", request.is_strict)
        .on(request.device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::OnError;

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
            score_line(Path::new("m.onnx"), DeviceChoice::Cpu, &request),
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
}
