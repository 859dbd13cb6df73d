//! The report inside a package, for people who have no Drydock at hand: what was packed, how it was measured, what was judged of it before.

use super::{Manifest, PackageRequest};
use crate::format;
use crate::model::OpenModel;
use crate::profile::ProfileReport;
use crate::registry::{RunRecord, RunView};
use crate::report::{Document, Provenance, Quantity, Section, Source, Table};

/// Runs that the report lists; `runs.json` has all.
const MAX_RUNS: usize = 50;

/// One page. `manifest` is complete but for its entries.
pub(super) fn document(
    model: &OpenModel,
    manifest: &Manifest,
    profile: Option<&ProfileReport>,
    runs: &[RunRecord],
    request: &PackageRequest,
    notes: &[String],
) -> Document {
    let mut sections = vec![packed(model, manifest, notes)];
    sections.extend(profile.into_iter().flat_map(|profile| profile.document(None).sections));
    if !runs.is_empty() {
        sections.push(history(runs));
    }
    let source = Source { name: model.title(), path: model.argument().display().to_string(), sha256: Some(manifest.sha256.clone()), rows: None };
    Document {
        title: format!("Package of {}", model.title()),
        verdict: None,
        sections,
        provenance: Provenance {
            models: vec![source],
            data: request.data.iter().map(|path| Source::file(path, None)).collect(),
            device: Some(model.device.label()),
            ..Provenance::now()
        },
    }
}

fn packed(model: &OpenModel, manifest: &Manifest, notes: &[String]) -> Section {
    let mut table = Table::new("Packed", &[("what", Quantity::Text), ("value", Quantity::Text)]);
    let mut add = |what: &str, value: String| table.push(vec![what.into(), value.into()]);
    add("model", manifest.model.clone());
    add("sha256", manifest.sha256.clone());
    add("size", format::bytes(model.file_bytes));
    add("columns", model.contract.columns.len().to_string());
    if !model.contract.labels.is_empty() {
        add("labels", model.contract.labels.join(", "));
    }
    add("golden rows", manifest.golden_rows.to_string());
    add("tolerance", format!("{} relative, {} absolute", manifest.relative_tolerance, manifest.absolute_tolerance));
    let advice = "Whether the model does the same on another machine: drydock verify FILE.drydock".to_owned();
    Section { heading: "Package".to_owned(), notes: notes.iter().cloned().chain([advice]).collect(), tables: vec![table], figures: Vec::new() }
}

fn history(runs: &[RunRecord]) -> Section {
    let columns = [("date", Quantity::Text), ("run", Quantity::Text), ("result", Quantity::Text), ("machine", Quantity::Text)];
    let mut table = Table::new("Runs", &columns);
    for run in runs.iter().take(MAX_RUNS) {
        let view = RunView::from(run.clone());
        table.push(vec![view.date.as_str().into(), view.kind.name().into(), view.result().into(), view.machine.description.as_str().into()]);
    }
    let notes =
        if runs.len() > MAX_RUNS { vec![format!("the newest {MAX_RUNS} of {}", format::counted(runs.len() as u64, "run"))] } else { Vec::new() };
    Section { heading: "What was known of it".to_owned(), notes, tables: vec![table], figures: Vec::new() }
}
