//! Latency of the versions, measured in turns on the same rows, and the memory that each takes.

use std::sync::Arc;

use super::{CompareError, CompareRequest, Interval, Judgement, LatencyComparison, VersionLatency};
use crate::engine::{Plan, PlanOptions};
use crate::machine::heap;
use crate::model::OpenModel;
use crate::onnx;
use crate::profile::interleaved::{Contender, Difference, InterleavedOptions, interleaved};
use crate::profile::{Feeder, ProfileError, ProfileRequest};
use crate::score::ScoreError;
use crate::task::TaskCtx;
use crate::tensor::{Device, Value};

/// Rows of a run, where the models leave that open.
const BATCH: usize = 1;

/// By version, and by version after the baseline.
pub struct Measured {
    pub versions: Vec<VersionLatency>,
    /// By version: bytes from the file to the first answer.
    pub memory: Vec<Option<u64>>,
    pub against_first: Vec<LatencyComparison>,
    pub blocks: usize,
}

/// Runs the versions in turns: A B B A. A sentence where the table's rows can't feed them so.
pub fn measure(ctx: &TaskCtx, request: &CompareRequest, models: &[Arc<OpenModel>]) -> Result<Result<Measured, String>, CompareError> {
    let found = try_measure(ctx, request, models);
    match found {
        Ok(measured) => Ok(Ok(measured)),
        Err(ProfileError::Cancelled(cancelled)) => Err(cancelled.into()),
        Err(ProfileError::Run(crate::engine::RunError::Cancelled(cancelled))) => Err(cancelled.into()),
        Err(ProfileError::Plan(error)) => Err(ScoreError::from(error).into()),
        Err(error) => Ok(Err(error.to_string())),
    }
}

fn try_measure(ctx: &TaskCtx, request: &CompareRequest, models: &[Arc<OpenModel>]) -> Result<Measured, ProfileError> {
    // A table that does not say by itself how it feeds the models leaves inputs that are drawn.
    let is_bound = request.columns.is_some() || !request.bind.is_empty();
    let data = (!is_bound).then(|| request.data.clone());
    let feed = ProfileRequest { data, ..ProfileRequest::default() };
    let inputs = models.iter().map(|model| Feeder::new(model, &feed)?.feed(BATCH)).collect::<Result<Vec<_>, _>>()?;
    let plans = models.iter().map(|model| model.plan()).collect::<Result<Vec<_>, _>>()?;
    let contenders: Vec<Contender<'_>> = plans.iter().zip(&inputs).map(|(plan, inputs)| Contender { plan, inputs }).collect();
    let found = interleaved(ctx, &contenders, &InterleavedOptions::default())?;
    let of_version = |index: usize| {
        let summary = found.summary(index)?;
        Some(VersionLatency { batch: BATCH, p50_ms: summary.p50, p95_ms: summary.p95, rows_per_second: BATCH as f64 / (summary.mean / 1e3) })
    };
    let compared = found.against_first.iter().map(|ratio| LatencyComparison {
        change: ratio.ratio - 1.0,
        interval: Some(Interval { low: ratio.low - 1.0, high: ratio.high - 1.0 }),
        judgement: match ratio.difference {
            Difference::Faster => Judgement::Better,
            Difference::Slower => Judgement::Worse,
            Difference::None => Judgement::NoDifference,
        },
    });
    let memory = models.iter().zip(&inputs).map(|(model, inputs)| memory_bytes(ctx, model, inputs)).collect::<Result<_, _>>()?;
    let versions = (0..models.len()).filter_map(of_version).collect();
    Ok(Measured { versions, memory, against_first: compared.collect(), blocks: found.blocks })
}

/// The most memory alive at once from the file to the first answer. It is counted, not timed, so the versions need not take turns.
fn memory_bytes(ctx: &TaskCtx, model: &OpenModel, inputs: &[(String, Value)]) -> Result<Option<u64>, ProfileError> {
    if model.device != Device::Cpu {
        return Ok(None);
    }
    let (done, peak) = heap::peak_bytes_of(|| -> Result<(), ProfileError> {
        let loaded = onnx::load(ctx, &model.path)?;
        let plan = Plan::compile(ctx, &loaded.model, &PlanOptions { device: model.device.clone(), ..PlanOptions::default() })?;
        plan.run(ctx, inputs.to_vec())?;
        Ok(())
    });
    done?;
    Ok(peak.map(|peak| peak.saturating_add(model.file_bytes)))
}
