//! What a list of measured times says. Pure functions; times are in seconds.

/// Percentiles that reports know, in thousandths.
pub const PERCENTILES: [u32; 5] = [500, 900, 950, 990, 999];

/// Summary of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Summary {
    pub n: usize,
    pub min: f64,
    pub max: f64,
    pub mean: f64,
    /// Sample standard deviation (n − 1); 0 for a single value.
    pub std: f64,
    pub p50: Option<f64>,
    pub p90: Option<f64>,
    pub p95: Option<f64>,
    pub p99: Option<f64>,
    pub p999: Option<f64>,
}

impl Summary {
    /// `None` without values.
    pub fn of(values: &[f64]) -> Option<Self> {
        let sorted = sorted(values);
        let (&min, &max) = (sorted.first()?, sorted.last()?);
        let n = sorted.len();
        let mean = sorted.iter().sum::<f64>() / n as f64;
        let squares = sorted.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>();
        let std = if n > 1 { (squares / (n - 1) as f64).sqrt() } else { 0.0 };
        let [p50, p90, p95, p99, p999] = PERCENTILES.map(|thousandths| percentile(&sorted, thousandths));
        Some(Self { n, min, max, mean, std, p50, p90, p95, p99, p999 })
    }
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// The nearest-rank percentile `sorted[ceil(p·n) − 1]`, p in thousandths; `None` with fewer than 10 / (1 − p) values, of which it would say
/// little: 20 for the median, 1000 for the 99th.
pub fn percentile(sorted: &[f64], thousandths: u32) -> Option<f64> {
    let enough = sorted.len() as u64 * u64::from(1000_u32.checked_sub(thousandths)?) >= 10_000;
    if enough { nearest_rank(sorted, thousandths) } else { None }
}

/// As [`percentile`], from however few values.
pub fn nearest_rank(sorted: &[f64], thousandths: u32) -> Option<f64> {
    let rank = (sorted.len() as u64 * u64::from(thousandths)).div_ceil(1000);
    sorted.get((rank as usize).saturating_sub(1)).copied()
}

/// The middle value, or the mean of the two in the middle; `None` without values.
pub fn median(values: &[f64]) -> Option<f64> {
    let sorted = sorted(values);
    let upper = *sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 { Some(upper) } else { Some((sorted.get(sorted.len() / 2 - 1)? + upper) / 2.0) }
}

/// How many values lie in each of equally wide bins.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Histogram {
    pub start: f64,
    pub width: f64,
    pub counts: Vec<u64>,
    /// Values above the last bin: a few outliers would else squeeze everything into the first.
    pub n_above: u64,
}

const BINS: usize = 40;

impl Histogram {
    pub fn of(values: &[f64]) -> Self {
        let sorted = sorted(values);
        let (Some(&min), Some(&max)) = (sorted.first(), sorted.last()) else { return Self::default() };
        let median = nearest_rank(&sorted, 500).unwrap_or(min);
        // Three times as far as the upper half of the body reaches.
        let body = nearest_rank(&sorted, 950).unwrap_or(max);
        let end = max.min(median + 3.0 * (body - median).max((median - min) / 2.0)).max(min);
        let width = ((end - min) / BINS as f64).max(min.abs() * 1e-9).max(f64::MIN_POSITIVE);
        let mut histogram = Self { start: min, width, counts: vec![0; BINS], n_above: 0 };
        for value in sorted {
            let bin = ((value - min) / width) as usize;
            // The upper end belongs to the last bin.
            let bin = if bin == BINS && value <= end { BINS - 1 } else { bin };
            match histogram.counts.get_mut(bin) {
                Some(count) => *count += 1,
                None => histogram.n_above += 1,
            }
        }
        histogram
    }
}

/// One window of a measurement.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Window {
    pub n: usize,
    pub median_ms: f64,
    pub runs_per_second: f64,
}

/// Windows that have to agree.
pub const STABLE_WINDOWS: usize = 3;
/// By how much: the largest over the smallest.
const STABLE_RATIO: f64 = 1.1;
/// By how much the machine may be slower than at its best.
const STABLE_MACHINE_RATIO: f64 = 1.05;

/// Why a measurement says little.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Unsteady {
    /// There were no three windows.
    TooFewWindows,
    /// The last three windows differ by this share, in latency or throughput.
    Windows(f64),
    /// The machine was slower than at its best, by this share, while the last three windows were measured.
    SlowMachine(f64),
}

impl std::fmt::Display for Unsteady {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooFewWindows => f.write_str("the model is too slow for three windows"),
            Self::Windows(share) => write!(f, "the last windows differ by {}", crate::format::percent(*share)),
            Self::SlowMachine(share) => write!(f, "this machine was {} slower than at its best", crate::format::percent(*share)),
        }
    }
}

/// Whether the last three windows lie within 10 % of each other, in latency and in throughput, and the machine was within 5 % of its best
/// meanwhile. `machine_slowdown`: what something that never changes took then, in terms of the best.
pub fn steadiness(windows: &[Window], machine_slowdown: Option<f64>) -> Result<(), Unsteady> {
    let last = windows.len().checked_sub(STABLE_WINDOWS).and_then(|start| windows.get(start..)).ok_or(Unsteady::TooFewWindows)?;
    let spread = |value: fn(&Window) -> f64| {
        let (low, high) = last.iter().map(value).fold((f64::INFINITY, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
        if low > 0.0 { high / low } else { f64::INFINITY }
    };
    let spread = spread(|window| window.median_ms).max(spread(|window| window.runs_per_second));
    if spread > STABLE_RATIO {
        return Err(Unsteady::Windows(spread - 1.0));
    }
    match machine_slowdown {
        Some(slowdown) if slowdown > STABLE_MACHINE_RATIO => Err(Unsteady::SlowMachine(slowdown - 1.0)),
        _ => Ok(()),
    }
}

/// A small generator of random numbers (SplitMix64): the same numbers for the same seed on every machine.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to below 1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From 0 to below `n`; 0 where there is nothing below.
    pub fn below(&mut self, n: usize) -> usize {
        // The bias is below 2⁻³² for any list that fits in memory.
        ((u128::from(self.bits()) * n as u128) >> 64) as usize
    }

    /// From the standard normal distribution (Box and Muller).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }
}

/// The median with its interval by the percentile bootstrap, which leaves out `outside` thousandths at either end (5 for a 99 % interval);
/// `None` without values.
pub fn bootstrap_median(values: &[f64], outside: u32, resamples: usize, seed: u64) -> Option<(f64, (f64, f64))> {
    let middle = median(values)?;
    let mut random = Random::new(seed);
    let mut medians: Vec<f64> = Vec::with_capacity(resamples);
    let mut resample = vec![0.0; values.len()];
    for _ in 0..resamples {
        for place in &mut resample {
            *place = values[random.below(values.len())];
        }
        medians.extend(median(&resample));
    }
    medians.sort_by(f64::total_cmp);
    let interval = (nearest_rank(&medians, outside).unwrap_or(middle), nearest_rank(&medians, 1000 - outside.min(1000)).unwrap_or(middle));
    Some((middle, interval))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What numpy says: `tests/golden/statistics.py`.
    #[test]
    fn a_sample_is_summarised_as_numpy_does() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/statistics.json");
        let document: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        for case in document["cases"].as_array().unwrap() {
            let number = |key: &str| case[key].as_f64().unwrap();
            let values: Vec<f64> = case["values"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
            let summary = Summary::of(&values).unwrap();
            let sorted = sorted(&values);
            let ranks = PERCENTILES.map(|thousandths| nearest_rank(&sorted, thousandths).unwrap());
            assert_eq!(ranks, ["p50", "p90", "p95", "p99", "p999"].map(number), "{}", case["name"]);
            assert_eq!((summary.min, summary.max, median(&values)), (number("min"), number("max"), Some(number("median"))));
            for (ours, theirs) in [(summary.mean, number("mean")), (summary.std, number("std"))] {
                assert!((ours - theirs).abs() <= 1e-12 * theirs.abs(), "{}: {ours} {theirs}", case["name"]);
            }
        }
        assert_eq!(Summary::of(&[]), None);
    }

    #[test]
    fn a_percentile_needs_enough_runs() {
        let known = |n: usize| {
            let values: Vec<f64> = (0..n).map(|value| value as f64).collect();
            let summary = Summary::of(&values).unwrap();
            [summary.p50, summary.p90, summary.p95, summary.p99, summary.p999].iter().filter(|percentile| percentile.is_some()).count()
        };
        for (n, expected) in [(1, 0), (19, 0), (20, 1), (99, 1), (100, 2), (199, 2), (200, 3), (999, 3), (1000, 4), (9999, 4), (10_000, 5)] {
            assert_eq!(known(n), expected, "{n} runs");
        }
    }

    #[test]
    fn a_histogram_holds_every_value() {
        let mut values: Vec<f64> = (0..1000).map(|index| 1.0 + index as f64 * 1e-3).collect();
        values.push(50.0);
        let histogram = Histogram::of(&values);
        assert_eq!((histogram.counts.iter().sum::<u64>(), histogram.n_above), (1000, 1));
        let same = Histogram::of(&[2.0; 7]);
        assert_eq!((same.counts.iter().sum::<u64>() + same.n_above, same.start), (7, 2.0));
        assert_eq!(Histogram::of(&[]), Histogram::default());
    }

    #[test]
    fn three_windows_within_a_tenth_are_stable() {
        let windows = |latencies: &[f64]| -> Vec<Window> {
            latencies.iter().map(|ms| Window { n: 10, median_ms: *ms, runs_per_second: 1000.0 / ms }).collect()
        };
        let is_stable = |windows: &[Window]| steadiness(windows, None).is_ok();
        assert!(!is_stable(&windows(&[1.0, 1.0])));
        assert!(is_stable(&windows(&[9.0, 1.0, 1.05, 1.1])));
        assert!(!is_stable(&windows(&[1.0, 1.0, 1.2])));
        // The same latency, but every now and then a long pause: the throughput tells.
        let mut paused = windows(&[1.0, 1.0, 1.0]);
        paused[1].runs_per_second = 800.0;
        assert!(!is_stable(&paused));
    }

    #[test]
    fn the_bootstrap_interval_holds_the_median() {
        let mut random = Random::new(5);
        let values: Vec<f64> = (0..101).map(|_| 10.0 + random.normal()).collect();
        let (middle, (low, high)) = bootstrap_median(&values, 25, 2000, 1).unwrap();
        assert_eq!(Some(middle), median(&values));
        // The standard error of a normal sample's median is 1.253 σ / √n; the interval reaches 1.96 of them to either side.
        let expected = 2.0 * 1.96 * 1.253 / 101_f64.sqrt();
        assert!(low < middle && middle < high && ((high - low) / expected - 1.0).abs() < 0.35, "{low} {high} {expected}");
        let (_, (wider_low, wider_high)) = bootstrap_median(&values, 5, 2000, 1).unwrap();
        assert!(wider_low <= low && wider_high >= high);
        assert_eq!(bootstrap_median(&[3.0], 25, 10, 0), Some((3.0, (3.0, 3.0))));
    }

    #[test]
    fn random_numbers_are_the_same_everywhere() {
        // The first outputs of SplitMix64 for seed 0, as its authors publish them.
        let mut random = Random::new(0);
        assert_eq!([random.bits(), random.bits()], [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4]);
        let mut random = Random::new(3);
        let normal: Vec<f64> = (0..10_000).map(|_| random.normal()).collect();
        let summary = Summary::of(&normal).unwrap();
        assert!(summary.mean.abs() < 0.05 && (summary.std - 1.0).abs() < 0.05, "{summary:?}");
        assert!((0..1000).all(|_| random.below(7) < 7) && random.below(0) == 0);
    }
}
