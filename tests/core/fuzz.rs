//! Damaged models by the thousand: loading and running them may fail, but no panic, no allocation in proportion to a claim, no endless run.
//!
//! `DRYDOCK_FUZZ_LOADS` and `DRYDOCK_FUZZ_RUNS` say how many, `DRYDOCK_FUZZ_SEED` where the seeds begin: a failure names its seed, and with
//! that and a count of 1 it comes again. `DRYDOCK_FUZZ_SECONDS` is what a run may take: 5 is the promise, and holds where the core is optimised.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use drydock_core::onnx;
use drydock_tests::allocation::largest_allocation_anywhere;
use drydock_tests::fuzzing::{End, Random, damage_bytes, damage_model, load, run};
use drydock_tests::{golden_cases, sample_models};

const MAX_ALLOCATION: usize = 1 << 30;

/// Seconds that a run may take before it is cancelled, and then to stop. Unoptimised code on a busy machine gets more, unless somebody asks.
const MAX_SECONDS: u64 = if cfg!(debug_assertions) { 15 } else { 5 };

/// More failures than anybody reads at once.
const ENOUGH: usize = 40;

#[test]
fn damaged_files_are_refused_or_load() {
    let models = models();
    let mut hunt = Hunt::new("DRYDOCK_FUZZ_LOADS", 20_000);
    hunt.each(|random| {
        let mut bytes = random.pick(&models).clone();
        damage_bytes(&mut bytes, random);
        Ok(if load(&bytes).is_some() { End::Ran } else { End::NotLoaded })
    });
    hunt.finish();
}

#[test]
fn damaged_models_fail_with_an_error_or_run() {
    let models = models();
    let mut hunt = Hunt::new("DRYDOCK_FUZZ_RUNS", 500);
    let max_time = hunt.max_time;
    hunt.each(|random| {
        let Some(mut model) = load(random.pick::<Vec<u8>>(&models)) else { return Ok(End::NotLoaded) };
        damage_model(&mut model, random);
        // Through the file, as everything comes: what can't be written or read is not run.
        match load(&onnx::save_bytes(&model)) {
            Some(model) => run(&model, random, max_time),
            None => Ok(End::NotLoaded),
        }
    });
    hunt.finish();
}

/// The files to damage.
fn models() -> Vec<Vec<u8>> {
    let samples = sample_models().into_iter().map(|sample| sample.model());
    let golden = golden_cases().into_iter().map(|folder| folder.join("model.onnx"));
    samples.chain(golden).map(|path| std::fs::read(path).unwrap()).collect()
}

struct Hunt {
    first_seed: u64,
    count: u64,
    max_time: Duration,
    ends: BTreeMap<End, u64>,
    /// One seed for each message.
    failures: BTreeMap<String, u64>,
}

impl Hunt {
    fn new(variable: &str, default: u64) -> Self {
        let number = |name: &str, default: u64| std::env::var(name).map_or(default, |text| text.parse().expect("a number"));
        Self {
            first_seed: number("DRYDOCK_FUZZ_SEED", 0),
            count: number(variable, default),
            max_time: Duration::from_secs(number("DRYDOCK_FUZZ_SECONDS", MAX_SECONDS)),
            ends: BTreeMap::new(),
            failures: BTreeMap::new(),
        }
    }

    fn each(&mut self, attempt: impl Fn(&mut Random) -> Result<End, String>) {
        for seed in self.first_seed..self.first_seed + self.count {
            let (started, before) = (Instant::now(), largest_allocation_anywhere());
            let end = catch_unwind(AssertUnwindSafe(|| attempt(&mut Random::new(seed))));
            let failure = match end {
                Ok(Ok(end)) => {
                    *self.ends.entry(end).or_default() += 1;
                    None
                }
                Ok(Err(contained)) => Some(contained),
                Err(_) => Some("a panic reached the caller".to_owned()),
            };
            self.failures.extend(failure.map(|failure| (failure, seed)));
            if started.elapsed() > 2 * self.max_time {
                self.failures.insert(format!("took {:.1} s", started.elapsed().as_secs_f64()), seed);
            }
            let largest = largest_allocation_anywhere();
            if largest > MAX_ALLOCATION && largest > before {
                self.failures.insert(format!("asked for {largest} bytes at once"), seed);
            }
            if self.failures.len() >= ENOUGH {
                break;
            }
        }
    }

    fn finish(self) {
        eprintln!("{} attempts from seed {}: {:?}", self.count, self.first_seed, self.ends);
        let failures: Vec<String> = self.failures.iter().map(|(failure, seed)| format!("seed {seed}: {failure}")).collect();
        assert!(failures.is_empty(), "{} kinds of failures:\n{}", failures.len(), failures.join("\n"));
    }
}
