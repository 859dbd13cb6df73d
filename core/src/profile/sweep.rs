//! Which of the measured configurations one would choose.

use super::report::RunReport;

/// The stable configuration with the most rows a second among those that keep to the budget.
pub(super) fn sweet_spot(runs: &[RunReport], max_latency_ms: Option<f64>) -> Option<usize> {
    let keeps = |run: &RunReport| run.stable && max_latency_ms.is_none_or(|limit| run.latency_ms.judged().0 <= limit);
    let candidates = runs.iter().enumerate().filter(|(_, run)| keeps(run));
    candidates.max_by(|(_, a), (_, b)| a.rows_per_second.total_cmp(&b.rows_per_second)).map(|(index, _)| index)
}

/// Configurations that no other one beats in both latency and throughput, by latency.
pub(super) fn pareto(runs: &[RunReport]) -> Vec<usize> {
    let value = |run: &RunReport| (run.latency_ms.typical(), run.rows_per_second);
    let is_beaten = |run: &RunReport| {
        let (latency, rows) = value(run);
        let beats = |other: &RunReport| {
            let (other_latency, other_rows) = value(other);
            other_latency <= latency && other_rows >= rows && (other_latency < latency || other_rows > rows)
        };
        runs.iter().any(beats)
    };
    let mut best: Vec<usize> = runs.iter().enumerate().filter(|(_, run)| !is_beaten(run)).map(|(index, _)| index).collect();
    best.sort_by(|a, b| value(&runs[*a]).0.total_cmp(&value(&runs[*b]).0));
    best
}
