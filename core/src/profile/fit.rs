//! "Will it fit?": what a model needs on another machine, part by part, beside what that machine has. An estimate from what was measured here.

use std::time::Duration;

use super::report::{MemoryReport, RunReport};
use crate::report::Verdict;

/// The other machine.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct FitTarget {
    pub memory_bytes: Option<u64>,
    /// Threads that it would give the model. Measured here with as many.
    pub threads: Option<usize>,
    /// By how much it is slower than this machine, thread for thread.
    pub slowdown: Option<f64>,
}

/// What the model would need there.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct FitReport {
    pub parts: Vec<FitPart>,
    pub total_bytes: u64,
    pub memory_limit_bytes: Option<u64>,
    pub memory: Verdict,
    pub threads: usize,
    pub batch: usize,
    pub slowdown: f64,
    /// What a run would take: `latency_of` of the runs here, times the slow-down.
    pub latency_ms: f64,
    pub latency_of: &'static str,
    pub max_latency_ms: Option<f64>,
    pub latency: Verdict,
}

/// A part of the memory.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FitPart {
    pub name: &'static str,
    pub bytes: u64,
    pub is_measured: bool,
}

/// Judges the configuration that the target stands for.
pub(super) fn fit(target: &FitTarget, run: &RunReport, memory: &MemoryReport, weight_bytes: u64, max_latency: Option<Duration>) -> FitReport {
    let measured = |name, bytes: Option<u64>| bytes.map(|bytes| FitPart { name, bytes, is_measured: true });
    let model = match (memory.resident_before_bytes, memory.resident_ready_bytes) {
        // A file that is mapped may not have been touched yet.
        (Some(before), Some(ready)) if ready.saturating_sub(before) > weight_bytes => measured("model, ready to run", Some(ready - before)),
        _ => Some(FitPart { name: "weights", bytes: weight_bytes, is_measured: false }),
    };
    let activations = run.memory.planned_activation_bytes.map(|bytes| FitPart { name: "activations at their peak", bytes, is_measured: false });
    let parts: Vec<FitPart> = [measured("program", memory.resident_before_bytes), model, activations].into_iter().flatten().collect();
    let total_bytes = parts.iter().map(|part| part.bytes).sum();
    let slowdown = target.slowdown.unwrap_or(1.0);
    let (latency, latency_of) = run.latency_ms.judged();
    let max_latency_ms = max_latency.map(|limit| limit.as_secs_f64() * 1e3);
    FitReport {
        memory: target.memory_bytes.map_or(Verdict::NotJudged, |limit| Verdict::from(total_bytes <= limit)),
        parts,
        total_bytes,
        memory_limit_bytes: target.memory_bytes,
        threads: run.threads,
        batch: run.batch,
        slowdown,
        latency_ms: latency * slowdown,
        latency_of,
        max_latency_ms,
        latency: max_latency_ms.filter(|_| run.stable).map_or(Verdict::NotJudged, |limit| Verdict::from(latency * slowdown <= limit)),
    }
}
