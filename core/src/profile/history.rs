//! What became of a model's speed over time: its past profiles as a figure, and whether the latest is a regression. Profiles of other machines
//! or other configurations are left out: they compare with nothing.

use super::report::ProfileSummary;
use super::statistics::nearest_rank;
use crate::format;
use crate::report::{Axis, Figure, Series, Verdict};

/// A change smaller than this is none, however quiet the machine.
pub const FLOOR: f64 = 0.05;
/// By how much a change has to exceed what is usual on this machine.
const NOISE_FACTOR: f64 = 3.0;
/// Changes between past profiles that say what is usual.
const RECENT: usize = 20;

/// The latest profile against the one before.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Regression {
    /// Latency now over latency before, less 1: 0.1 is 10 % slower.
    pub change: f64,
    /// What a change has to exceed: the larger of 5 % and three times the 90th percentile of recent changes.
    pub threshold: f64,
    /// `Fail` for a regression, `NotJudged` where either profile was not stable.
    pub verdict: Verdict,
}

/// Profiles like the latest: same machine, device, threads and batch. `past` is from old to new.
fn comparable<'a>(past: &'a [ProfileSummary], like: &ProfileSummary) -> Vec<&'a ProfileSummary> {
    let key = |summary: &ProfileSummary| (summary.machine.clone(), summary.device.clone(), summary.threads, summary.batch);
    let wanted = key(like);
    past.iter().filter(|summary| key(summary) == wanted).collect()
}

/// Judges the last of a model's profiles, listed from old to new; `None` without one before it to compare with.
pub fn regression(past: &[ProfileSummary]) -> Option<Regression> {
    let latest = past.last()?;
    let comparable = comparable(past, latest);
    let changes: Vec<f64> = comparable.windows(2).filter(|pair| pair[0].p50_ms > 0.0).map(|pair| pair[1].p50_ms / pair[0].p50_ms - 1.0).collect();
    let (&change, before) = changes.split_last()?;
    let mut recent: Vec<f64> = before.iter().rev().take(RECENT).map(|change| change.abs()).collect();
    recent.sort_by(f64::total_cmp);
    let threshold = FLOOR.max(NOISE_FACTOR * nearest_rank(&recent, 900).unwrap_or(0.0));
    let are_stable = comparable.iter().rev().take(2).all(|summary| summary.stable);
    let verdict = if are_stable { Verdict::from(change <= threshold) } else { Verdict::NotJudged };
    Some(Regression { change, threshold, verdict })
}

impl Regression {
    /// `12 % slower than the profile before; on this machine changes up to 5 % are noise`.
    pub fn sentence(&self) -> String {
        let size = format::percent(self.change.abs());
        let direction = if self.change >= 0.0 { "slower" } else { "faster" };
        let noise = format::percent(self.threshold);
        match self.verdict {
            Verdict::Fail => format!("a regression: {size} {direction} than the profile before; on this machine changes up to {noise} are noise"),
            Verdict::Pass => format!("no regression: {size} {direction} than the profile before; on this machine changes up to {noise} are noise"),
            Verdict::NotJudged => format!("{size} {direction} than the profile before, but not judged: a measurement was not stable"),
        }
    }
}

/// The median latency of a model's profiles, listed from old to new; `None` with fewer than two to compare.
pub fn history_figure(past: &[ProfileSummary]) -> Option<Figure> {
    let comparable = comparable(past, past.last()?);
    if comparable.len() < 2 {
        return None;
    }
    let points: Vec<(f64, f64)> = comparable.iter().enumerate().map(|(index, summary)| (index as f64 + 1.0, summary.p50_ms)).collect();
    let label = |summary: &&ProfileSummary| format!("{}{}", summary.date, if summary.stable { "" } else { " (not stable)" });
    let x = Axis::new("profile", None, (1.0, points.len() as f64));
    // From zero, so that a change looks as large as it is; no latency lies below that.
    let highest = points.iter().map(|point| point.1).fold(0.0, f64::max);
    let y = Axis::new("p50", Some("ms"), (0.0, highest * 1.05));
    let title = regression(past).map_or_else(|| "latency over the profiles of this model".to_owned(), |regression| regression.sentence());
    Some(Figure::of(title, x, y, Series::line("p50", points).labelled(comparable.iter().map(label).collect())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(p50_ms: f64) -> ProfileSummary {
        ProfileSummary {
            date: "2026-01-02T03:04:05Z".to_owned(),
            machine: "abc".to_owned(),
            device: "CPU".to_owned(),
            threads: 2,
            batch: 1,
            stable: true,
            p50_ms,
            p95_ms: None,
            rows_per_second: 1.0,
            load_ms: 1.0,
            peak_memory_bytes: None,
            file_bytes: 1,
        }
    }

    fn verdict(p50s: &[f64]) -> Option<(Verdict, f64)> {
        let past: Vec<ProfileSummary> = p50s.iter().map(|p50| summary(*p50)).collect();
        regression(&past).map(|regression| (regression.verdict, (regression.threshold * 1e4).round() / 1e4))
    }

    #[test]
    fn a_regression_exceeds_the_floor_and_the_machines_own_noise() {
        assert_eq!(verdict(&[10.0]), None);
        assert_eq!(verdict(&[10.0, 10.4]), Some((Verdict::Pass, 0.05)));
        assert_eq!(verdict(&[10.0, 10.6]), Some((Verdict::Fail, 0.05)));
        // Changes of 10 % are usual here, so 20 % are nothing.
        assert_eq!(verdict(&[10.0, 11.0, 12.1, 14.5]), Some((Verdict::Pass, 0.3)));
        assert_eq!(verdict(&[10.0, 9.0]), Some((Verdict::Pass, 0.05)));
    }

    #[test]
    fn other_machines_and_unstable_runs_are_not_compared() {
        let elsewhere = ProfileSummary { machine: "xyz".to_owned(), ..summary(1.0) };
        assert_eq!(regression(&[elsewhere.clone(), summary(10.0)]), None);
        assert_eq!(history_figure(&[elsewhere, summary(10.0)]), None);
        let unstable = ProfileSummary { stable: false, ..summary(20.0) };
        assert_eq!(regression(&[summary(10.0), unstable]).map(|regression| regression.verdict), Some(Verdict::NotJudged));
    }

    #[test]
    fn the_history_is_drawn_from_zero() {
        let figure = history_figure(&[summary(10.0), summary(20.0)]).unwrap();
        assert_eq!(figure.series[0].points, [(1.0, 10.0), (2.0, 20.0)]);
        assert_eq!((figure.x.range, figure.y.range), ((1.0, 2.0), (0.0, 21.0)));
        assert!(figure.title.starts_with("a regression: 100 % slower"), "{}", figure.title);
    }
}
