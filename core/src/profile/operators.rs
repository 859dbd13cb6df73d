//! Where the time of a run goes, operator by operator, and what keeps each from being faster: arithmetic, memory, or neither.
//!
//! The roofline (Williams, Waterman, Patterson 2009): with `I` operations per byte moved, no more can be had than
//! `min(peak, I · bandwidth)`. Bytes are those of inputs, weights and results, once each; caches can make the true number smaller.

use std::time::Duration;

use super::ProfileError;
use super::measure::{Clock, Monotonic};
use super::trace;
use crate::engine::{Plan, RunCosts, RunTrace, RunsOn};
use crate::graph::ValueType;
use crate::machine::roof::Roof;
use crate::task::TaskCtx;
use crate::tensor::Value;

/// A step of a run.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct OperatorReport {
    pub node: String,
    /// `Conv`, or what the engine made of several nodes: `Conv+Add+Relu`.
    pub operator: String,
    /// Nodes of the model whose work it does.
    pub origins: Vec<String>,
    pub runs_on: RunsOn,
    /// Types and shapes: `float32[1, 64, 56, 56]`.
    pub inputs: Vec<String>,
    pub outputs: Vec<String>,
    pub calls_per_run: u64,
    /// Mean of the observed runs; `None` for a GPU that does not say when it has done its work.
    pub time_ms: Option<f64>,
    /// Of the time of all operators.
    pub share: Option<f64>,
    pub macs: Option<u64>,
    pub bytes: u64,
    pub weight_bytes: u64,
    /// A multiply-accumulate counts as two operations.
    pub gflops: Option<f64>,
    pub gigabytes_per_second: Option<f64>,
    /// Operations per byte.
    pub intensity: Option<f64>,
    /// What was reached of what the roofline allows, 0 to 1.
    pub roof_share: Option<f64>,
    pub bound: Option<Bound>,
}

/// What keeps an operator from being faster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    Compute,
    Memory,
    /// Neither arithmetic nor memory is near its limit: calls, indices, strings, waiting.
    Overhead,
}

impl Bound {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Compute => "compute",
            Self::Memory => "memory",
            Self::Overhead => "overhead",
        }
    }
}

/// What the observed runs gave.
pub(super) struct Observed {
    pub operators: Vec<OperatorReport>,
    pub between_ms: f64,
    /// The fastest of the observed runs.
    pub trace: RunTrace,
}

/// How long to observe.
const OBSERVE_FOR: Duration = Duration::from_millis(700);
const MIN_RUNS: usize = 5;
const MAX_RUNS: usize = 5000;

/// Runs a plan under observation.
pub(super) fn observe(
    ctx: &TaskCtx,
    plan: &Plan,
    inputs: &[(String, Value)],
    costs: &RunCosts,
    roof: Option<&Roof>,
) -> Result<Observed, ProfileError> {
    let clock = Monotonic::default();
    let mut sums = vec![0.0; plan.n_steps()];
    let mut totals = 0.0;
    let mut n_runs = 0;
    let mut is_complete = true;
    let mut fastest: Option<RunTrace> = None;
    plan.run(ctx, inputs.to_vec())?;
    while n_runs < MIN_RUNS || (n_runs < MAX_RUNS && clock.now() < OBSERVE_FOR) {
        let (outputs, trace) = plan.run_traced(ctx, inputs.to_vec())?;
        drop(outputs);
        for (sum, (begin, end)) in sums.iter_mut().zip(&trace.steps) {
            *sum += (*end - *begin).as_secs_f64();
        }
        is_complete &= trace.is_complete;
        totals += trace.total.as_secs_f64();
        n_runs += 1;
        if fastest.as_ref().is_none_or(|fastest| trace.total < fastest.total) {
            fastest = Some(trace);
        }
    }
    let means: Vec<f64> = sums.iter().map(|sum| sum / n_runs as f64).collect();
    let all: f64 = means.iter().sum();
    let steps = plan.steps().zip(&means).zip(&costs.steps);
    let operators = steps.map(|((step, seconds), cost)| {
        let seconds = is_complete.then_some(*seconds);
        let mut report = OperatorReport {
            node: step.node.to_owned(),
            operator: step.operator.to_owned(),
            origins: step.origins.to_vec(),
            runs_on: cost.runs_on,
            inputs: cost.inputs.iter().map(type_text).collect(),
            outputs: cost.outputs.iter().map(type_text).collect(),
            calls_per_run: 1,
            time_ms: seconds.map(|seconds| seconds * 1e3),
            share: seconds.map(|seconds| if all > 0.0 { seconds / all } else { 0.0 }),
            macs: cost.macs,
            bytes: cost.bytes,
            weight_bytes: cost.weight_bytes,
            gflops: None,
            gigabytes_per_second: None,
            intensity: None,
            roof_share: None,
            bound: None,
        };
        if let Some(seconds) = seconds {
            // What the processor can do says nothing of a GPU.
            report.judge(seconds, roof.filter(|_| cost.runs_on != RunsOn::Gpu));
        }
        report
    });
    let operators = operators.collect();
    Ok(Observed { operators, between_ms: (totals / n_runs as f64 - all).max(0.0) * 1e3, trace: fastest.unwrap_or_default() })
}

/// Below this share of either limit, neither of them explains the time.
const NEAR_A_LIMIT: f64 = 0.1;

impl OperatorReport {
    /// Holds the time against what the machine can do.
    fn judge(&mut self, seconds: f64, roof: Option<&Roof>) {
        let seconds = seconds.max(1e-9);
        let operations = self.macs.map(|macs| 2.0 * macs as f64);
        let bytes = self.bytes as f64;
        let gflops = operations.map(|operations| operations / seconds * 1e-9);
        let gigabytes = bytes / seconds * 1e-9;
        self.gflops = gflops.filter(|gflops| *gflops > 0.0);
        self.gigabytes_per_second = Some(gigabytes);
        self.intensity = operations.filter(|operations| *operations > 0.0 && bytes > 0.0).map(|operations| operations / bytes);
        let Some(roof) = roof else { return };
        let of_compute = gflops.unwrap_or(0.0) / roof.gflops;
        let of_memory = gigabytes / roof.gigabytes_per_second;
        // What fits in a cache may move faster than main memory allows.
        self.roof_share = Some(of_compute.max(of_memory).min(1.0));
        self.bound = Some(if of_compute.max(of_memory) < NEAR_A_LIMIT {
            Bound::Overhead
        } else if self.intensity.is_some_and(|intensity| intensity >= roof.ridge()) {
            Bound::Compute
        } else {
            Bound::Memory
        });
    }
}

fn type_text(value_type: &Option<ValueType>) -> String {
    value_type.as_ref().map_or_else(|| "?".to_owned(), ToString::to_string)
}

/// Writes the fastest observed run for `chrome://tracing` and Perfetto.
pub(super) fn write_trace(path: &std::path::Path, observed: &Observed, device: &str) -> Result<(), ProfileError> {
    trace::write(path, &observed.operators, &observed.trace, device)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operator(macs: Option<u64>, bytes: u64, seconds: f64) -> OperatorReport {
        let mut report = OperatorReport {
            node: "n".to_owned(),
            operator: "Conv".to_owned(),
            origins: Vec::new(),
            runs_on: RunsOn::CpuKernel,
            inputs: Vec::new(),
            outputs: Vec::new(),
            calls_per_run: 1,
            time_ms: Some(seconds * 1e3),
            share: None,
            macs,
            bytes,
            weight_bytes: 0,
            gflops: None,
            gigabytes_per_second: None,
            intensity: None,
            roof_share: None,
            bound: None,
        };
        let roof = Roof { threads: 1, gflops: 100.0, gigabytes_per_second: 10.0 };
        report.judge(seconds, Some(&roof));
        report
    }

    /// By hand: the ridge is at 10 operations per byte.
    #[test]
    fn the_roofline_says_what_limits_an_operator() {
        // 50 GFLOP/s at 100 operations per byte.
        let dense = operator(Some(25_000_000), 500_000, 1e-3);
        assert_eq!((dense.bound, dense.intensity), (Some(Bound::Compute), Some(100.0)));
        assert!((dense.gflops.unwrap() - 50.0).abs() < 1e-9 && (dense.roof_share.unwrap() - 0.5).abs() < 1e-9);
        // 8 GB/s and no products at all.
        let copy = operator(Some(0), 8_000_000, 1e-3);
        assert_eq!((copy.bound, copy.intensity, copy.gflops), (Some(Bound::Memory), None, None));
        assert!((copy.roof_share.unwrap() - 0.8).abs() < 1e-9);
        // 0.1 GFLOP/s, 0.01 GB/s.
        assert_eq!(operator(Some(50_000), 10_000, 1e-3).bound, Some(Bound::Overhead));
        // Unknown products: only memory can be judged.
        assert_eq!(operator(None, 5_000_000, 1e-3).bound, Some(Bound::Memory));
    }
}
