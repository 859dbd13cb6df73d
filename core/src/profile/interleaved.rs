//! Two or more plans against each other on the same inputs, in turns: A B B A, A B B A, … What disturbs the machine for longer than a block
//! disturbs both alike, and a steady drift cancels within each block. Judged are the ratios of blocks, never times on their own.

use std::time::{Duration, Instant};

use super::ProfileError;
use super::statistics::{Summary, bootstrap_median, median};
use crate::engine::Plan;
use crate::task::{Progress, TaskCtx};
use crate::tensor::Value;

/// One of the versions: what is run, on what.
#[derive(Debug, Clone, Copy)]
pub struct Contender<'a> {
    pub plan: &'a Plan,
    pub inputs: &'a [(String, Value)],
}

/// How long to compare.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InterleavedOptions {
    /// Blocks at least, and at most.
    pub min_blocks: usize,
    pub max_blocks: usize,
    /// No more blocks after so long, once there are enough.
    pub time: Duration,
    /// An effect smaller than this is not worth a word: 0.02 is 2 %.
    pub floor: f64,
    pub seed: u64,
}

impl Default for InterleavedOptions {
    fn default() -> Self {
        Self { min_blocks: 30, max_blocks: 400, time: Duration::from_secs(4), floor: 0.02, seed: 0 }
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Interleaved {
    /// Milliseconds of every run, by contender.
    pub samples_ms: Vec<Vec<f64>>,
    pub blocks: usize,
    /// Each contender but the first, against the first.
    pub against_first: Vec<RatioReport>,
}

/// How long one contender takes in terms of another.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct RatioReport {
    /// Median over the blocks; below 1 is faster.
    pub ratio: f64,
    /// 99 % interval of it, by the bootstrap over blocks.
    pub low: f64,
    pub high: f64,
    /// What an effect has to exceed: the floor, or what each contender differs from itself between the halves of the blocks.
    pub noise: f64,
    pub difference: Difference,
}

/// Whether there is a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    Faster,
    Slower,
    /// The interval holds 1, or the effect does not exceed the noise.
    None,
}

impl Difference {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Faster => "faster",
            Self::Slower => "slower",
            Self::None => "no difference",
        }
    }
}

/// A run shorter than this is repeated within its turn until the turn is as long: clocks and schedulers are coarse.
const MIN_TURN: Duration = Duration::from_micros(200);
const MAX_REPEATS: usize = 1000;
const WARM_UP_RUNS: usize = 3;
const RESAMPLES: usize = 1000;
/// Thousandths left out at either end: a verdict is asked for again and again, so one in a hundred may be wrong, not one in twenty.
const OUTSIDE: u32 = 5;

/// Runs the contenders in turns and judges.
pub fn interleaved(ctx: &TaskCtx, contenders: &[Contender<'_>], options: &InterleavedOptions) -> Result<Interleaved, ProfileError> {
    let run = |index: usize| -> Result<f64, ProfileError> {
        let Contender { plan, inputs } = contenders[index];
        let inputs = inputs.to_vec();
        let started = Instant::now();
        let outputs = plan.run(ctx, inputs)?;
        let seconds = started.elapsed().as_secs_f64();
        drop(outputs);
        Ok(seconds)
    };
    let mut fastest = f64::INFINITY;
    for index in 0..contenders.len() {
        for _ in 0..WARM_UP_RUNS {
            fastest = fastest.min(run(index)?);
        }
    }
    // The same for all, so that all are disturbed equally often.
    let repeats = ((MIN_TURN.as_secs_f64() / fastest.max(1e-9)).ceil() as usize).clamp(1, MAX_REPEATS);
    let turns: Vec<usize> = (0..contenders.len()).chain((0..contenders.len()).rev()).collect();
    let mut samples_ms = vec![Vec::new(); contenders.len()];
    let mut blocks: Vec<Vec<[f64; 2]>> = Vec::new();
    let begun = Instant::now();
    while blocks.len() < options.min_blocks || (blocks.len() < options.max_blocks && begun.elapsed() < options.time) {
        ctx.checkpoint()?;
        let mut block = vec![[0.0; 2]; contenders.len()];
        for (turn, &index) in turns.iter().enumerate() {
            let half = usize::from(turn >= contenders.len());
            for _ in 0..repeats {
                let seconds = run(index)?;
                samples_ms[index].push(seconds * 1e3);
                block[index][half] += seconds;
            }
        }
        blocks.push(block);
        let done = blocks.len() as u64;
        ctx.report(Progress { stage: "comparing in turns".to_owned(), done, total: Some(options.max_blocks as u64), ..Progress::default() });
    }
    let against_first = (1..contenders.len()).filter_map(|index| judge(&blocks, index, options)).collect();
    Ok(Interleaved { samples_ms, blocks: blocks.len(), against_first })
}

/// By block, by contender: seconds of its first and of its second turn. `None` without blocks.
pub fn judge(blocks: &[Vec<[f64; 2]>], index: usize, options: &InterleavedOptions) -> Option<RatioReport> {
    let sum = |turns: &[f64; 2]| turns[0] + turns[1];
    let ratios: Vec<f64> = blocks.iter().filter_map(|block| Some(sum(block.get(index)?) / sum(block.first()?))).collect();
    let (ratio, (low, high)) = bootstrap_median(&ratios, OUTSIDE, RESAMPLES, options.seed)?;
    let with_itself = |index: usize| {
        let ratios: Vec<f64> = blocks.iter().filter_map(|block| Some(block.get(index)?[1] / block.get(index)?[0])).collect();
        median(&ratios).map_or(0.0, |median| (median - 1.0).abs())
    };
    // The turns of the first contender lie further apart than those of the last, so the worse of the two counts.
    let noise = options.floor.max(with_itself(0)).max(with_itself(index));
    let is_clear = (low > 1.0 || high < 1.0) && (ratio - 1.0).abs() > noise;
    let difference = match ratio {
        _ if !is_clear => Difference::None,
        ratio if ratio < 1.0 => Difference::Faster,
        _ => Difference::Slower,
    };
    Some(RatioReport { ratio, low, high, noise, difference })
}

impl Interleaved {
    /// Summary of a contender's runs, in milliseconds.
    pub fn summary(&self, index: usize) -> Option<Summary> {
        Summary::of(self.samples_ms.get(index)?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::statistics::Random;
    use super::*;

    /// Blocks of two contenders on a restless machine: noise on every turn, a drift over the whole time, now and then a turn of thrice the time.
    fn blocks(random: &mut Random, ratio: f64, noise: f64) -> Vec<Vec<[f64; 2]>> {
        let mut clock = 1.0;
        let mut turn = |seconds: f64| {
            clock *= 1.001;
            let hiccup = if random.below(20) == 0 { 3.0 } else { 1.0 };
            seconds * clock * hiccup * (noise * random.normal()).exp()
        };
        let block = |_| {
            let (a, b, c, d) = (turn(1.0), turn(ratio), turn(ratio), turn(1.0));
            vec![[a, d], [b, c]]
        };
        (0..60).map(block).collect()
    }

    fn n_declared(ratio: f64, noise: f64) -> usize {
        let mut random = Random::new(7);
        let judged = (0..100).filter_map(|_| judge(&blocks(&mut random, ratio, noise), 1, &InterleavedOptions::default()));
        judged.filter(|report| report.difference != Difference::None).count()
    }

    #[test]
    fn a_model_does_not_differ_from_itself() {
        for noise in [0.0, 0.01, 0.05, 0.4] {
            assert!(n_declared(1.0, noise) <= 5, "{} of 100 with a noise of {noise}", n_declared(1.0, noise));
        }
    }

    #[test]
    fn a_real_difference_is_found_under_noise() {
        assert!(n_declared(1.15, 0.05) >= 95, "{} of 100", n_declared(1.15, 0.05));
        let report = judge(&blocks(&mut Random::new(1), 0.8, 0.05), 1, &InterleavedOptions::default()).unwrap();
        assert_eq!(report.difference, Difference::Faster);
        assert!(report.low <= report.ratio && report.ratio <= report.high && (report.ratio - 0.8).abs() < 0.05, "{report:?}");
    }

    #[test]
    fn an_effect_below_the_floor_is_no_difference() {
        let exact: Vec<Vec<[f64; 2]>> = (0..40).map(|_| vec![[1.0, 1.0], [1.01, 1.01]]).collect();
        let report = judge(&exact, 1, &InterleavedOptions::default()).unwrap();
        assert_eq!((report.difference, report.low > 1.0), (Difference::None, true));
        assert_eq!(judge(&[], 1, &InterleavedOptions::default()), None);
    }
}
