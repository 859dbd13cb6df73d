//! One prediction of a model that takes one image, again and again:
//! `cargo bench -p drydock-benches --bench image -- MODEL.onnx [--threads 2] [--runs 50]`.
//!
//! Prints one line of JSON: the fastest and the median run in milliseconds, and the first numbers of the output. `benches/peers/image_peers.py` runs
//! it beside other run-times. With `--steps` it prints where the time goes instead: milliseconds by operator, each step at its fastest.

#![allow(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use drydock_core::engine::{Plan, PlanOptions};
use drydock_core::onnx;
use drydock_core::task::TaskCtx;
use drydock_core::tensor::{Tensor, Value};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let Some(model) = arguments.first() else { return println!("usage: image MODEL.onnx [--threads N] [--runs N]") };
    let option = |name: &str, default: usize| {
        let value = arguments.iter().position(|argument| argument == name).and_then(|at| arguments.get(at + 1)?.parse().ok());
        value.unwrap_or(default)
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(option("--threads", 2)).build_global();
    pool.unwrap_or_else(|error| panic!("{error}"));
    let ctx = TaskCtx::unattended();
    let model = onnx::load(&ctx, Path::new(model)).unwrap_or_else(|error| panic!("{error}")).model;
    let plan = Plan::compile(&ctx, &model, &PlanOptions::default()).unwrap_or_else(|error| panic!("{error}"));
    let Some(input) = plan.inputs().iter().find(|input| !input.is_optional) else { panic!("the model has no inputs") };
    let shape: Option<Vec<usize>> = input.value_type.as_ref().and_then(|value_type| value_type.as_tensor()?.1.dims()).map(|dims| {
        // A symbolic batch is a batch of one.
        dims.iter().map(|dim| dim.known().unwrap_or(1)).collect()
    });
    let shape = shape.unwrap_or_else(|| panic!("the shape of input '{}' is not known", input.name));
    let image = Value::Tensor(Tensor::from_vec(&shape, picture(shape.iter().product())).unwrap_or_else(|error| panic!("{error}")));
    let run = || plan.run(&ctx, vec![(input.name.clone(), image.clone())]).unwrap_or_else(|error| panic!("{error}"));
    if arguments.iter().any(|argument| argument == "--steps") {
        return print_steps(&plan, option("--runs", 50), || vec![(input.name.clone(), image.clone())]);
    }
    let outputs = (0..3).map(|_| run()).next_back().unwrap_or_default();
    let mut times: Vec<f64> = Vec::new();
    for _ in 0..option("--runs", 50) {
        let start = Instant::now();
        let outputs = run();
        times.push(start.elapsed().as_secs_f64() * 1e3);
        drop(outputs);
    }
    times.sort_by(f64::total_cmp);
    let first: Vec<f32> = outputs.first().and_then(|value| Some(value.as_tensor()?.to_f32s().ok()?[..5].to_vec())).unwrap_or_default();
    println!(r#"{{"min_ms": {:.3}, "median_ms": {:.3}, "output": {first:?}}}"#, times[0], times[times.len() / 2]);
}

fn print_steps(plan: &Plan, runs: usize, inputs: impl Fn() -> Vec<(String, Value)>) {
    let mut fastest = vec![Duration::MAX; plan.n_steps()];
    for _ in 0..runs {
        let (_, trace) = plan.run_traced(&TaskCtx::unattended(), inputs()).unwrap_or_else(|error| panic!("{error}"));
        for (fastest, (start, end)) in fastest.iter_mut().zip(trace.steps) {
            *fastest = (*fastest).min(end.saturating_sub(start));
        }
    }
    let mut by_operator: BTreeMap<&str, (Duration, usize)> = BTreeMap::new();
    for (step, time) in plan.steps().zip(&fastest) {
        let sum = by_operator.entry(step.operator).or_default();
        *sum = (sum.0 + *time, sum.1 + 1);
    }
    for (operator, (time, steps)) in by_operator {
        println!("{:8.3} ms  {steps:4} x {operator}", time.as_secs_f64() * 1e3);
    }
    println!("{:8.3} ms in all", fastest.iter().sum::<Duration>().as_secs_f64() * 1e3);
}

/// The same numbers in every run-time: from -2 to 2, like a normalised picture.
fn picture(length: usize) -> Vec<f32> {
    (0..length).map(|at| (at * 7919 % 4001) as f32 / 1000.0 - 2.0).collect()
}
