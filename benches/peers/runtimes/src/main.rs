//! One prediction of a model that takes one image, again and again, in another run-time: `runtimes tract|rten MODEL.onnx [--threads 2] [--runs 50]`.
//!
//! Prints what Drydock's own benchmark (`benches/image.rs`) prints, for the same picture: `benches/peers/image_peers.py` runs them in turn.

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use rten_tensor::{AsView as _, Tensor};

type Outcome<T> = Result<T, Box<dyn Error>>;

struct Arguments {
    model: String,
    threads: usize,
    runs: usize,
}

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [runtime, model, ..] = arguments.as_slice() else { return Err("usage: runtimes tract|rten MODEL.onnx [--threads N] [--runs N]".into()) };
    let option = |name: &str, default: usize| {
        let value = arguments.iter().position(|argument| argument == name).and_then(|at| arguments.get(at + 1)?.parse().ok());
        value.unwrap_or(default)
    };
    let arguments = Arguments { model: model.clone(), threads: option("--threads", 2), runs: option("--runs", 50) };
    match runtime.as_str() {
        "tract" => tract(&arguments),
        "rten" => rten(&arguments),
        other => Err(format!("the run-times are tract and rten, not '{other}'").into()),
    }
}

fn tract(arguments: &Arguments) -> Outcome<()> {
    use tract_onnx::prelude::{Datum as _, Framework as _, InferenceFact, InferenceModelExt as _, IntoRunnable as _, IntoTValue as _, Tensor, tvec};
    use tract_onnx::tract_core::internal::DimLike as _;
    use tract_onnx::tract_hir::infer::Factoid as _;

    if arguments.threads > 1 {
        tract_linalg::multithread::set_default_executor(tract_linalg::multithread::Executor::multithread(arguments.threads));
    }
    let mut model = tract_onnx::onnx().model_for_path(&arguments.model)?;
    let fact = model.input_fact(0)?;
    // A symbolic batch is a batch of one.
    let shape: Vec<usize> = fact.shape.dims().map(|dim| dim.concretize().and_then(|dim| dim.to_usize().ok()).unwrap_or(1)).collect();
    model.set_input_fact(0, InferenceFact::dt_shape(f32::datum_type(), &shape))?;
    let model = model.into_optimized()?.into_runnable()?;
    let image = Tensor::from_shape(&shape, &picture(&shape))?;
    time(arguments, || {
        let outputs = model.run(tvec!(image.clone().into_tvalue()))?;
        Ok(outputs[0].to_plain_array_view::<f32>()?.iter().take(5).copied().collect())
    })
}

fn rten(arguments: &Arguments) -> Outcome<()> {
    let model = rten::ModelOptions::with_all_ops().prepack_weights(true).load_file(&arguments.model)?;
    let mut options = rten::RunOptions::default();
    options.thread_pool = Some(Arc::new(rten::ThreadPool::with_num_threads(arguments.threads)));
    let shape: Vec<usize> = model.input_shape(0).ok_or("the shape of the input is not known")?.iter().map(fixed).collect();
    let image = Tensor::from_data(&shape, picture(&shape));
    time(arguments, || {
        let output: Tensor<f32> = model.run_one(image.view().into(), Some(options.clone()))?.try_into()?;
        Ok(output.iter().take(5).copied().collect())
    })
}

/// A symbolic batch is a batch of one.
fn fixed(dim: &rten::Dimension) -> usize {
    match dim {
        rten::Dimension::Fixed(size) => *size,
        rten::Dimension::Symbolic(_) => 1,
    }
}

/// Runs some times to warm up and then as often as asked for. `run` returns the first numbers of the output.
fn time(arguments: &Arguments, run: impl Fn() -> Outcome<Vec<f32>>) -> Outcome<()> {
    for _ in 0..2 {
        run()?;
    }
    let output = run()?;
    let mut times = Vec::with_capacity(arguments.runs);
    for _ in 0..arguments.runs {
        let start = Instant::now();
        run()?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    println!(r#"{{"min_ms": {:.3}, "median_ms": {:.3}, "output": {output:?}}}"#, times[0], times[times.len() / 2]);
    Ok(())
}

/// The same numbers in every run-time: from -2 to 2, like a normalised picture.
fn picture(shape: &[usize]) -> Vec<f32> {
    (0..shape.iter().product()).map(|at: usize| (at * 7919 % 4001) as f32 / 1000.0 - 2.0).collect()
}
