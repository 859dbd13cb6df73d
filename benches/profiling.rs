//! How far the figures of a profile can be trusted: `cargo bench -p drydock-benches --bench profiling -- MODEL.onnx [--threads 2]`.
//!
//! Prints for the model: what measuring adds to a run, against a bare loop over the same plan; the p50 of a profile against an outside
//! stopwatch around the same call; and how far the p50 of ten profiles in a row lie apart: of those that say "stable", and of all.

#![allow(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::path::Path;
use std::time::{Duration, Instant};

use drydock_core::engine::Plan;
use drydock_core::model::OpenModel;
use drydock_core::profile::measure::{Monotonic, measure};
use drydock_core::profile::statistics::median;
use drydock_core::profile::{Effort, Feeder, Pace, ProfileRequest, profile};
use drydock_core::task::TaskCtx;
use drydock_core::tensor::{Device, Value};

/// Turns of each way of timing; they alternate, back and forth, so that a slow moment of the machine falls on all alike.
const TURNS: usize = 40;
const TURN: Duration = Duration::from_millis(250);
const PROFILES: usize = 10;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let Some(path) = arguments.first() else { return println!("usage: profiling MODEL.onnx [--threads N]") };
    let threads = arguments.iter().position(|argument| argument == "--threads").and_then(|at| arguments.get(at + 1)?.parse().ok());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.unwrap_or(2)).build_global();
    pool.unwrap_or_else(|error| panic!("{error}"));
    let ctx = TaskCtx::unattended();
    let model = OpenModel::open(&ctx, Path::new(path), Device::Cpu).unwrap_or_else(|error| panic!("{error}"));
    let plan = model.plan().unwrap_or_else(|error| panic!("{error}"));
    let feeder = Feeder::new(&model, &ProfileRequest::default()).unwrap_or_else(|error| panic!("{error}"));
    let inputs = feeder.feed(feeder.fixed_rows.unwrap_or(1)).unwrap_or_else(|error| panic!("{error}"));
    println!("{}", model.title());

    let (mut bare, mut measured, mut stopwatch, mut p50) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for turn in 0..TURNS {
        let mut ways = [0, 1, 2];
        if turn % 2 == 1 {
            ways.reverse();
        }
        for way in ways {
            match way {
                0 => bare.push(bare_loop(&ctx, plan, &inputs)),
                1 => {
                    let (seconds_per_run, median) = measured_loop(&ctx, plan, &inputs);
                    measured.push(seconds_per_run);
                    p50.push(median);
                }
                _ => stopwatch.push(timed_outside(&ctx, plan, &inputs)),
            }
        }
    }
    let middle = |values: &[f64]| 1e3 * median(values).unwrap_or_default();
    // Of the pairs, which lie close together in time.
    let difference = |a: &[f64], b: &[f64]| {
        let ratios: Vec<f64> = a.iter().zip(b).map(|(a, b)| a / b).collect();
        (median(&ratios).unwrap_or_default() - 1.0) * 100.0
    };
    println!("  a run of a bare loop {:.4} ms, of a measurement {:.4} ms: {:+.2} %", middle(&bare), middle(&measured), difference(&measured, &bare));
    println!("  p50 {:.4} ms, an outside stopwatch {:.4} ms: {:+.2} %", middle(&p50), middle(&stopwatch), difference(&p50, &stopwatch));

    let request =
        ProfileRequest { effort: Effort::Quick, batches: feeder.fixed_rows.map_or_else(|| vec![1], |rows| vec![rows]), ..Default::default() };
    // What the machine was at its best is remembered from profile to profile, as for any user.
    let home = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let (mut all, mut stable) = (Vec::new(), Vec::new());
    for _ in 0..PROFILES {
        let report = profile(&ctx, &model, &request, Some(home.path())).unwrap_or_else(|error| panic!("{error}"));
        let Some(run) = report.runs.first() else { continue };
        let p50 = run.latency_ms.typical();
        all.push(p50);
        let slowdown = run.machine_slowdown.unwrap_or(1.0);
        println!("  p50 {p50:.4} ms, the machine at {slowdown:.3} times its best, {}", run.unstable_because.as_deref().unwrap_or("stable"));
        if run.stable {
            stable.push(p50);
        }
    }
    let apart = |values: &[f64]| (ends(values).1 / ends(values).0 - 1.0) * 100.0;
    let (low, high) = ends(&stable);
    println!("  p50 of {} stable profiles of {PROFILES}: {low:.4} to {high:.4} ms, {:.2} % apart", stable.len(), apart(&stable));
    println!("  p50 of all of them: {:.2} % apart", apart(&all));
}

fn ends(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, 0.0_f64), |(low, high), value| (low.min(*value), high.max(*value)))
}

/// Seconds of a run, by one stopwatch around all of them.
fn bare_loop(ctx: &TaskCtx, plan: &Plan, inputs: &[(String, Value)]) -> f64 {
    let started = Instant::now();
    let mut n = 0;
    while started.elapsed() < TURN {
        // Asking the time after each run would itself be a measurement.
        for _ in 0..4 {
            drop(plan.run(ctx, inputs.to_vec()).unwrap_or_else(|error| panic!("{error}")));
        }
        n += 4;
    }
    started.elapsed().as_secs_f64() / f64::from(n)
}

/// Seconds of a run by the same stopwatch while the profile's own measurement runs it, and the median that it finds.
fn measured_loop(ctx: &TaskCtx, plan: &Plan, inputs: &[(String, Value)]) -> (f64, f64) {
    let pace = Pace { warm_up: Duration::ZERO, window: TURN, window_runs: 1, max_windows: 1, limit: Duration::from_secs(600) };
    let run = || -> Result<Duration, String> {
        let inputs = inputs.to_vec();
        let started = Instant::now();
        let outputs = plan.run(ctx, inputs).map_err(|error| error.to_string())?;
        let taken = started.elapsed();
        drop(outputs);
        Ok(taken)
    };
    let measured = measure(&Monotonic::default(), &pace, None, run, |_| {}).unwrap_or_else(|error| panic!("{error}"));
    (measured.seconds / measured.samples.len() as f64, median(&measured.samples).unwrap_or_default())
}

/// The median of runs, each timed from outside.
fn timed_outside(ctx: &TaskCtx, plan: &Plan, inputs: &[(String, Value)]) -> f64 {
    let begun = Instant::now();
    let mut times = Vec::new();
    while begun.elapsed() < TURN {
        let inputs = inputs.to_vec();
        let started = Instant::now();
        let outputs = plan.run(ctx, inputs).unwrap_or_else(|error| panic!("{error}"));
        times.push(started.elapsed().as_secs_f64());
        drop(outputs);
    }
    median(&times).unwrap_or_default()
}
