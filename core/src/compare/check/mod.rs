//! The gate before shipping: conditions on one version, alone or against another, each with its value, its limit and how far apart they are.
//!
//! A condition that can't be judged (a latency that never settles, no labels) is "not judged", never a pass. It fails the gate only if the
//! request is strict, but a gate with such a condition never says "pass" either.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::job::compare_opened;
use super::{CompareError, CompareReport, CompareRequest};
use crate::format;
use crate::model::OpenModel;
use crate::ops::inference::{BuiltOperators, NodeProblem};
use crate::profile::{Effort, ProfileRequest, profile};
use crate::report::{Provenance, Source, Verdict};
use crate::resolve;
use crate::score::{Metric, OnError};
use crate::task::TaskCtx;
use crate::tensor::Device;
use crate::tensor::device::DeviceChoice;

mod config;
mod interface;
mod present;
mod written;

pub use config::read_config;

/// What to check.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckRequest {
    pub model: PathBuf,
    /// The version that it is to replace.
    pub against: Option<PathBuf>,
    pub device: DeviceChoice,
    pub data: Option<PathBuf>,
    pub label: Option<String>,
    pub columns: Option<Vec<String>>,
    pub bind: Vec<(String, Vec<String>)>,
    pub on_error: OnError,
    pub threads: Option<usize>,
    pub budgets: Budgets,
    /// Rows of a run whose latency is judged.
    pub batch: usize,
    /// Whether a condition that can't be judged fails the gate.
    pub is_strict: bool,
}

impl Default for CheckRequest {
    fn default() -> Self {
        Self {
            model: PathBuf::new(),
            against: None,
            device: DeviceChoice::default(),
            data: None,
            label: None,
            columns: None,
            bind: Vec::new(),
            on_error: OnError::Stop,
            threads: None,
            budgets: Budgets::default(),
            batch: 1,
            is_strict: false,
        }
    }
}

/// Limits; what has none is not looked at.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Budgets {
    pub max_size_bytes: Option<u64>,
    pub max_p95: Option<Duration>,
    pub max_memory_bytes: Option<u64>,
    pub min_agreement: Option<f64>,
    /// A value that a metric has to reach; for a loss, one that it must not exceed.
    pub min_metrics: Vec<(Metric, f64)>,
    /// How much worse than the other version's a metric may be.
    pub max_drops: Vec<(Metric, f64)>,
    /// Changes of the contract that callers of the other version would notice.
    pub max_contract_changes: Option<u64>,
}

/// What came out.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckReport {
    pub model: String,
    /// Of the model's content; `None` where the model can't even be opened.
    pub model_sha256: Option<String>,
    pub against: Option<String>,
    pub verdict: Verdict,
    /// Whether the gate lets the version through: no condition fails, and none is left open where that counts.
    pub passes: bool,
    pub is_strict: bool,
    pub conditions: Vec<Condition>,
    pub comparison: Option<Arc<CompareReport>>,
    pub notes: Vec<String>,
    pub provenance: Provenance,
}

/// One condition.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Condition {
    /// `size`, `latency_p95`, `min_metric accuracy`.
    pub name: String,
    pub value: Option<f64>,
    pub limit: f64,
    /// `null` where it can't be judged.
    pub pass: Option<bool>,
    pub verdict: Verdict,
    pub unit: Unit,
    /// Whether the limit is the least that the value may be, rather than the most.
    pub is_least: bool,
    /// Why it can't be judged, or what is wrong.
    pub reason: Option<String>,
}

/// What a condition's numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    Bytes,
    Ms,
    Share,
    Metric,
    Count,
}

impl Unit {
    pub fn text(self, value: f64) -> String {
        match self {
            Self::Bytes => crate::report::Quantity::Bytes.text(value),
            Self::Ms => crate::report::Quantity::Seconds.text(value / 1e3),
            Self::Share => format::percent(value),
            Self::Metric => format::number(value),
            Self::Count => crate::report::Quantity::Count.text(value),
        }
    }
}

impl Condition {
    fn new(name: impl Into<String>, value: Result<f64, String>, limit: f64, is_least: bool, unit: Unit) -> Self {
        let (value, reason) = match value {
            Ok(value) => (Some(value), None),
            Err(reason) => (None, Some(reason)),
        };
        let pass = value.map(|value| if is_least { value >= limit } else { value <= limit });
        Self { name: name.into(), value, limit, pass, verdict: pass.map_or(Verdict::NotJudged, Verdict::from), unit, is_least, reason }
    }

    /// How far the value is on the right side of the limit; below 0 on the wrong one.
    pub fn margin(&self) -> Option<f64> {
        self.value.map(|value| if self.is_least { value - self.limit } else { self.limit - value })
    }
}

/// Why a condition that takes two versions can't be judged.
const NO_OTHER: &str = "there is no other version to hold it against; name one with --against";

/// Judges a version. Fails only where it can't even be looked at: a file that is no model, a table that does not feed it.
pub fn check(ctx: &TaskCtx, home: Option<&Path>, request: &CheckRequest) -> Result<CheckReport, CompareError> {
    let mut conditions = Vec::new();
    let mut notes = Vec::new();
    let model = match open(ctx, home, request, &request.model) {
        Ok(model) => Arc::new(model),
        // What the contract says does not fit the model: that is for the gate to say.
        Err(CompareError::Version { source, .. }) if matches!(*source, crate::Error::Contract(_)) => {
            conditions.push(Condition { reason: Some(source.to_string()), ..Condition::new("contract", Ok(1.0), 0.0, false, Unit::Count) });
            return Ok(report(request, None, None, (conditions, None, notes)));
        }
        Err(error) => return Err(error),
    };
    let unsupported = unsupported(&model);
    let can_run = unsupported.is_empty() && model.plan().is_ok();
    let reason = unsupported.first().cloned().or_else(|| model.plan().err().map(|error| error.to_string()));
    let n_unsupported = unsupported.len().max(usize::from(!can_run)) as f64;
    conditions.push(Condition { reason, ..Condition::new("unsupported_operators", Ok(n_unsupported), 0.0, false, Unit::Count) });
    conditions.push(Condition::new("contract", Ok(0.0), 0.0, false, Unit::Count));
    let against = request.against.as_ref().map(|against| open(ctx, home, request, against).map(Arc::new)).transpose()?;
    let budgets = &request.budgets;
    let changes = against.as_ref().map(|against| interface::changes(&against.contract, &model.contract));
    match (budgets.max_contract_changes, changes) {
        (Some(limit), changes) => {
            let value = changes.as_ref().map(|changes| changes.len() as f64).ok_or_else(|| NO_OTHER.to_owned());
            let condition = Condition::new("contract_changes", value, limit as f64, false, Unit::Count);
            let reason = changes.filter(|changes| !changes.is_empty()).map(|changes| changes.join("; "));
            conditions.push(Condition { reason: reason.or(condition.reason), ..condition });
        }
        (None, Some(changes)) if !changes.is_empty() => {
            let other = against.as_ref().map(|against| against.title()).unwrap_or_default();
            notes.push(format!("callers of {other} would notice: {}; to fail on that: --max-contract-changes 0", changes.join("; ")));
        }
        (None, _) => {}
    }
    if let Some(limit) = budgets.max_size_bytes {
        conditions.push(Condition::new("size", Ok(model.file_bytes as f64), limit as f64, false, Unit::Bytes));
    }
    if budgets.max_p95.is_some() || budgets.max_memory_bytes.is_some() {
        measured(ctx, home, request, (&model, can_run), &mut conditions)?;
    }
    let wants_rows = budgets.min_agreement.is_some() || !budgets.min_metrics.is_empty() || !budgets.max_drops.is_empty();
    let comparison = if wants_rows { compared(ctx, request, (&model, can_run), against.as_ref(), &mut conditions)? } else { None };
    if let Some(comparison) = &comparison {
        notes.extend(comparison.notes.iter().cloned());
    }
    Ok(report(request, Some(&model), against.as_deref(), (conditions, comparison, notes)))
}

fn open(ctx: &TaskCtx, home: Option<&Path>, request: &CheckRequest, path: &Path) -> Result<OpenModel, CompareError> {
    let device = Device::open(request.device)?;
    resolve::open(ctx, home, path, device, &mut |_| {}).map_err(|source| CompareError::Version { path: path.to_owned(), source: Box::new(source) })
}

fn unsupported(model: &OpenModel) -> Vec<String> {
    let graph = &model.model.graph;
    let operators = BuiltOperators::new(&model.model);
    let problems = operators.problems(graph);
    let unsupported = problems.iter().filter(|(.., problem)| matches!(problem, NodeProblem::Unsupported(_)));
    unsupported.map(|(name, operator, problem)| format!("node '{name}' ({operator}): {}", problem.reason())).collect()
}

/// Latency and memory, which only a run tells.
fn measured(
    ctx: &TaskCtx,
    home: Option<&Path>,
    request: &CheckRequest,
    (model, can_run): (&OpenModel, bool),
    conditions: &mut Vec<Condition>,
) -> Result<(), CompareError> {
    let cannot = || "the model can't run here".to_owned();
    let is_bound = request.columns.is_some() || !request.bind.is_empty();
    let wanted = ProfileRequest {
        batches: vec![request.batch],
        threads: request.threads.into_iter().collect(),
        data: request.data.clone().filter(|_| !is_bound),
        effort: Effort::Quick,
        ..ProfileRequest::default()
    };
    let found = if can_run { Some(profile(ctx, model, &wanted, home)?) } else { None };
    let run = found.as_ref().and_then(|report| report.runs.first());
    if let Some(limit) = request.budgets.max_p95 {
        let value = match run {
            None => Err(cannot()),
            Some(run) if !run.stable => {
                let reason = run.unstable_because.as_deref().unwrap_or("the latency did not settle");
                Err(format!("not stable: {reason}; measure again, or on a quieter machine"))
            }
            Some(run) => run.latency_ms.p95.ok_or_else(|| format!("{} runs are too few for a 95th percentile", run.n)),
        };
        conditions.push(Condition::new("latency_p95", value, limit.as_secs_f64() * 1e3, false, Unit::Ms));
    }
    if let Some(limit) = request.budgets.max_memory_bytes {
        let peak = found.as_ref().and_then(|report| report.peak_memory_bytes);
        let value =
            if can_run { peak.map(|peak| peak as f64).ok_or_else(|| "this system does not tell the memory".to_owned()) } else { Err(cannot()) };
        conditions.push(Condition::new("memory", value, limit as f64, false, Unit::Bytes));
    }
    Ok(())
}

/// Agreement and metrics, which only a table tells.
fn compared(
    ctx: &TaskCtx,
    request: &CheckRequest,
    (model, can_run): (&Arc<OpenModel>, bool),
    against: Option<&Arc<OpenModel>>,
    conditions: &mut Vec<Condition>,
) -> Result<Option<Arc<CompareReport>>, CompareError> {
    let mut reason = (!can_run).then(|| "the model can't run here".to_owned());
    let mut comparison = None;
    match &request.data {
        None => reason = reason.or_else(|| Some("there are no rows to judge by; name a table with --data".to_owned())),
        Some(data) if can_run => {
            let models: Vec<Arc<OpenModel>> = against.into_iter().chain([model]).map(Arc::clone).collect();
            let wanted = CompareRequest {
                versions: models.iter().map(|model| model.path.clone()).collect(),
                device: request.device,
                data: data.clone(),
                label: request.label.clone(),
                columns: request.columns.clone(),
                bind: request.bind.clone(),
                on_error: request.on_error,
                threads: request.threads,
                measures_latency: false,
                ..CompareRequest::default()
            };
            comparison = Some(Arc::new(compare_opened(ctx, &wanted, &models)?));
        }
        Some(_) => {}
    }
    let blocked = |other: &str| reason.clone().unwrap_or_else(|| other.to_owned());
    let pair = comparison.as_ref().and_then(|comparison| comparison.pairs.first());
    let budgets = &request.budgets;
    if let Some(limit) = budgets.min_agreement {
        let value = pair.map(|pair| pair.agreement.share).ok_or_else(|| blocked(NO_OTHER));
        conditions.push(Condition::new("agreement", value, limit, true, Unit::Share));
    }
    let missing = |metric: Metric| match &comparison {
        Some(comparison) if comparison.label.is_none() => blocked("the table has no label column that is known; name it with --label"),
        _ => blocked(&format!("{} is not defined on these rows", metric.name())),
    };
    for &(metric, limit) in &budgets.min_metrics {
        let own = comparison.as_ref().and_then(|comparison| comparison.versions.last());
        let value = own.and_then(|version| version.metrics.iter().find(|value| value.name == metric)).map(|value| value.value);
        let value = value.ok_or_else(|| missing(metric));
        conditions.push(Condition::new(format!("metric {}", metric.key()), value, limit, !metric.is_loss(), Unit::Metric));
    }
    for &(metric, limit) in &budgets.max_drops {
        let compared = pair.and_then(|pair| pair.metrics.iter().find(|compared| compared.name == metric));
        let drop = compared.map(|compared| if metric.is_loss() { compared.difference } else { -compared.difference });
        let value = drop.ok_or_else(|| if comparison.is_some() && pair.is_none() { blocked(NO_OTHER) } else { missing(metric) });
        conditions.push(Condition::new(format!("drop {}", metric.key()), value, limit, false, Unit::Metric));
    }
    Ok(comparison)
}

type Found = (Vec<Condition>, Option<Arc<CompareReport>>, Vec<String>);

fn report(request: &CheckRequest, model: Option<&OpenModel>, against: Option<&OpenModel>, (conditions, comparison, notes): Found) -> CheckReport {
    let has = |verdict: Verdict| conditions.iter().any(|condition| condition.verdict == verdict);
    let verdict = if has(Verdict::Fail) {
        Verdict::Fail
    } else if has(Verdict::NotJudged) {
        Verdict::NotJudged
    } else {
        Verdict::Pass
    };
    let passes = verdict == Verdict::Pass || (verdict == Verdict::NotJudged && !request.is_strict);
    let title = model.map_or_else(|| request.model.display().to_string(), OpenModel::title);
    let model_sha256 = model.map(|model| model.sha256().to_owned());
    let provenance = match &comparison {
        Some(comparison) => comparison.provenance.clone(),
        None => {
            let source = Source { name: title.clone(), path: request.model.display().to_string(), sha256: model_sha256.clone(), rows: None };
            Provenance { models: vec![source], device: Some(request.device.to_string()), threads: request.threads, ..Provenance::now() }
        }
    };
    let is_strict = request.is_strict;
    CheckReport {
        model: title,
        model_sha256,
        against: against.map(OpenModel::title),
        verdict,
        passes,
        is_strict,
        conditions,
        comparison,
        notes,
        provenance,
    }
}
