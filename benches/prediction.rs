//! One warm prediction of each sample model: `cargo bench -p drydock-benches --bench prediction`.
//!
//! `run` is the engine alone on a batch of one, `predict` the way from typed text to an answer. The arithmetic of these models takes
//! a few microseconds (`digits` has the most: see its multiply-accumulates), so nearly all of it is overhead.

use divan::Bencher;
use drydock_benches::{SAMPLES, first_row, open};
use drydock_core::graph::ValueType;
use drydock_core::host::ElementType;
use drydock_core::predict::{PredictRequest, predict};
use drydock_core::task::TaskCtx;
use drydock_core::tensor::{Tensor, TensorError, Value};

fn main() {
    divan::main();
}

#[divan::bench(args = SAMPLES)]
fn run(bencher: Bencher<'_, '_>, name: &str) {
    let ctx = TaskCtx::unattended();
    let model = open(name);
    let plan = model.plan().unwrap_or_else(|error| panic!("{error}"));
    let inputs: Vec<(String, Value)> = plan.inputs().iter().map(|input| (input.name.clone(), one_row(input.value_type.as_ref()))).collect();
    bencher.with_inputs(|| inputs.clone()).bench_values(|inputs| plan.run(&ctx, inputs));
}

#[divan::bench(args = SAMPLES)]
fn predict_row(bencher: Bencher<'_, '_>, name: &str) {
    let ctx = TaskCtx::unattended();
    let model = open(name);
    let request = PredictRequest::Rows(vec![first_row(name, &model)]);
    bencher.bench(|| predict(&ctx, &model, &request));
}

/// One row of ones, or of a word, for an input.
fn one_row(value_type: Option<&ValueType>) -> Value {
    let (element_type, shape) = value_type.and_then(ValueType::as_tensor).unwrap_or_else(|| panic!("the samples take tensors"));
    let shape: Vec<usize> = shape.dims().unwrap_or_default().iter().map(|dim| dim.known().unwrap_or(1)).collect();
    Value::Tensor(ones(element_type, &shape).unwrap_or_else(|error| panic!("{error}")))
}

fn ones(element_type: ElementType, shape: &[usize]) -> Result<Tensor, TensorError> {
    let n = shape.iter().product();
    match element_type {
        ElementType::I64 => Tensor::from_vec(shape, vec![1_i64; n]),
        ElementType::Bool => Tensor::from_vec(shape, vec![drydock_core::host::Bool::new(true); n]),
        ElementType::String => Tensor::from_strings(shape, vec!["online".into(); n]),
        _ => Tensor::from_vec(shape, vec![1.0_f32; n]),
    }
}
