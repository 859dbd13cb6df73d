//! A model on many rows and on one: `cargo bench -p drydock-benches --bench trees -- MODEL ROWS.pb [SECONDS]`, where ROWS.pb holds the input tensor.
//! Prints one JSON object with the best times, in seconds. `benches/peers/tree_peers.py` runs it beside the peers.
//!
//! `RAYON_NUM_THREADS` sets the number of threads, `DRYDOCK_INSTRUCTIONS` limits the instructions (`portable`, `avx2` or `avx512`).

#![allow(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::path::Path;
use std::time::{Duration, Instant};

use drydock_core::model::OpenModel;
use drydock_core::onnx::values::{HostValue, HostValueKind, load};
use drydock_core::task::TaskCtx;
use drydock_core::tensor::{Device, Tensor, Value};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let (model, rows, seconds) = match arguments.as_slice() {
        [model, rows] => (model, rows, 3.0),
        [model, rows, seconds] => (model, rows, seconds.parse().unwrap_or(3.0)),
        _ => {
            println!("usage: trees MODEL ROWS.pb [SECONDS]");
            return;
        }
    };
    let ctx = TaskCtx::unattended();
    let model = OpenModel::open(&ctx, Path::new(model), Device::Cpu).unwrap_or_else(|error| panic!("{error}"));
    let plan = model.plan().unwrap_or_else(|error| panic!("{error}"));
    let HostValue::Tensor(rows) = load(Path::new(rows), HostValueKind::Tensor).unwrap_or_else(|error| panic!("{error}")) else {
        unreachable!("asked for a tensor")
    };
    let rows = Tensor::from_host(&rows).unwrap_or_else(|error| panic!("{error}"));
    let [n_rows, n_features] = *rows.shape() else { panic!("{rows:?} is no matrix") };
    let first = rows.as_slice::<f32>().unwrap_or_else(|error| panic!("{error}"))[..n_features].to_vec();
    let one = Tensor::from_vec(&[1, n_features], first).unwrap_or_else(|error| panic!("{error}"));
    let name = plan.inputs()[0].name.clone();
    let best_of = |rows: &Tensor, repeats: u32| {
        let (start, mut best) = (Instant::now(), Duration::MAX);
        while start.elapsed().as_secs_f64() < seconds {
            let inputs = (0..repeats).map(|_| vec![(name.clone(), Value::Tensor(rows.clone()))]).collect::<Vec<_>>();
            let run = Instant::now();
            for inputs in inputs {
                std::hint::black_box(plan.run(&ctx, inputs)).unwrap_or_else(|error| panic!("{error}"));
            }
            best = best.min(run.elapsed() / repeats);
        }
        best.as_secs_f64()
    };
    let (all, one) = (best_of(&rows, 1), best_of(&one, 50));
    let report = serde_json::json!({
        "rows": n_rows,
        "all_rows_seconds": all,
        "one_row_seconds": one,
    });
    println!("{report}");
}
