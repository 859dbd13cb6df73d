//! Filling a package.

use std::path::Path;

use super::archive::Writer;
use super::check::{INPUT, OUTPUT, encoded};
use super::{FORMAT_VERSION, Manifest, PackageError, PackageReport, PackageRequest, provenance, report};
use crate::contract::ContractSource;
use crate::model::OpenModel;
use crate::profile::{Effort, Feeder, ProfileRequest, profile};
use crate::registry::RunRecord;
use crate::task::TaskCtx;
use crate::verify::VerifyRequest;

/// Packs a model with golden cases that it computes now, a profile that is measured now, and the runs that are known of it. `home` is the data
/// home, where there is one.
pub fn package(
    ctx: &TaskCtx,
    home: Option<&Path>,
    model: &OpenModel,
    runs: &[RunRecord],
    request: &PackageRequest,
) -> Result<PackageReport, PackageError> {
    if !super::is_package(&request.output) {
        return Err(PackageError::Name { path: request.output.clone() });
    }
    if !request.overwrite && request.output.exists() {
        return Err(PackageError::Exists { path: request.output.clone() });
    }
    let plan = model.plan()?;
    let golden = |error: crate::profile::ProfileError| PackageError::Golden(error.to_string());
    let feeding = ProfileRequest { data: request.data.clone(), seed: request.seed, ..ProfileRequest::default() };
    let feeder = Feeder::new(model, &feeding).map_err(golden)?;
    let rows = feeder.fixed_rows.unwrap_or(request.rows).max(1);
    let inputs = feeder.feed(rows).map_err(golden)?;
    let outputs = plan.run(ctx, inputs.clone())?;
    let reference = if request.profile { Some(profile(ctx, model, &ProfileRequest { effort: Effort::Quick, ..feeding }, home)?) } else { None };

    let mut writer = Writer::create(&request.output)?;
    for file in model.content.files() {
        writer.add(ctx, &format!("model/{}", file.location.unwrap_or("model.onnx")), file.bytes)?;
    }
    if let ContractSource::Sidecar(path) = &model.contract_source {
        let text = std::fs::read(path).map_err(PackageError::io(path))?;
        writer.add(ctx, "model/model.drydock.toml", &text)?;
    }
    let graph = &model.model.graph;
    for (name, value) in &inputs {
        let place = graph.inputs.iter().position(|id| graph.value(*id).name == *name).unwrap_or_default();
        writer.add(ctx, &format!("golden/test_data_set_0/{INPUT}{place}.pb"), &encoded(value, name)?)?;
    }
    for (place, (value, id)) in outputs.iter().zip(&graph.outputs).enumerate() {
        writer.add(ctx, &format!("golden/test_data_set_0/{OUTPUT}{place}.pb"), &encoded(value, &graph.value(*id).name)?)?;
    }
    let text = serde_json::to_vec_pretty(runs).unwrap_or_default();
    writer.add(ctx, "runs.json", &text)?;
    if let Some(reference) = &reference {
        writer.add(ctx, "profile.json", &serde_json::to_vec_pretty(reference).unwrap_or_default())?;
    }

    let tolerance = VerifyRequest::default();
    let manifest = Manifest {
        format_version: FORMAT_VERSION,
        model: model.title(),
        sha256: model.sha256().to_owned(),
        relative_tolerance: tolerance.relative_tolerance,
        absolute_tolerance: tolerance.absolute_tolerance,
        golden_rows: rows,
        entries: Vec::new(),
        provenance: provenance(model),
    };
    let page = report::document(model, &manifest, reference.as_ref(), runs, request, &feeder.notes).to_html();
    writer.add(ctx, "report.html", page.as_bytes())?;
    let entries = writer.entries.len() as u64 + 1;
    let file_bytes = writer.finish(ctx, manifest, request.overwrite)?;
    Ok(PackageReport {
        output: request.output.clone(),
        model: model.title(),
        hash: model.sha256().to_owned(),
        rows,
        entries,
        file_bytes,
        notes: feeder.notes.clone(),
    })
}
