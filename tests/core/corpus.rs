//! The corpus: whole models as converters, exporters and quantisers write them, against what ONNX Runtime answers.
//!
//! A case is a folder `tests/corpus/<group>/<case>/` with `model.onnx` and `test_data_set_0/{input,output}_K.pb`, made by the script of its group.
//! A quantised model says so in its metadata: `output_steps` holds one number per output, the size of one quantisation step there, and 99.5 % of
//! the elements must lie within one such step. Everything else agrees to rtol 1e-3 and atol 1e-4; labels and other integers are equal.

use std::path::{Path, PathBuf};

use drydock_core::engine::{Plan, PlanOptions};
use drydock_core::graph::Model;
use drydock_core::onnx;
use drydock_core::onnx::values::{HostValue, HostValueKind};
use drydock_core::task::TaskCtx;
use drydock_core::tensor::{Tensor, Value};
use drydock_core::verify::{VerifyRequest, compare, verify};
use drydock_tests::workspace;

/// Share of the elements of a quantised output that must lie within one step.
const WITHIN_ONE_STEP: f64 = 0.995;

#[test]
fn every_model_agrees_with_onnx_runtime() {
    let (mut exact, mut failures) = (Vec::new(), Vec::new());
    let cases = cases();
    for folder in &cases {
        let model = onnx::load(&TaskCtx::unattended(), &folder.join("model.onnx")).unwrap().model;
        match output_steps(&model) {
            None => exact.push(folder.clone()),
            Some(steps) => failures.extend(run_quantised(folder, &model, &steps).err().map(|why| format!("{}: {why}", folder.display()))),
        }
    }
    if !exact.is_empty() {
        let request = VerifyRequest { folders: exact, relative_tolerance: 1e-3, absolute_tolerance: 1e-4, ..VerifyRequest::default() };
        let report = verify(&TaskCtx::unattended(), &request).unwrap();
        failures.extend(report.failures.iter().map(|failure| format!("{}: {:?}: {}", failure.case, failure.kind, failure.message)));
    }
    assert!(failures.is_empty(), "{} of {} models failed:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

/// Every case of every group, in the order of their paths.
fn cases() -> Vec<PathBuf> {
    let children = |folder: &Path| -> Vec<PathBuf> {
        let mut folders: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
        folders.sort();
        folders
    };
    let cases: Vec<PathBuf> = children(&workspace().join("tests/corpus"))
        .iter()
        .flat_map(|group| children(group))
        .filter(|case| case.join("model.onnx").exists())
        .collect();
    assert!(!cases.is_empty(), "tests/corpus holds no models");
    cases
}

fn output_steps(model: &Model) -> Option<Vec<f64>> {
    let steps = model.metadata_value("output_steps")?;
    Some(steps.split(' ').map(|step| step.parse().unwrap()).collect())
}

/// Runs the one data set of a quantised model.
fn run_quantised(folder: &Path, model: &Model, steps: &[f64]) -> Result<(), String> {
    let ctx = TaskCtx::unattended();
    let data_set = folder.join("test_data_set_0");
    let load = |kind: &str, index: usize| onnx::values::load(&data_set.join(format!("{kind}_{index}.pb")), HostValueKind::Tensor).unwrap();
    let name = |id| model.graph.value(id).name.clone();
    let inputs = model.graph.inputs.iter().enumerate();
    let inputs = inputs.map(|(index, id)| (name(*id), compare::to_value(load("input", index)).unwrap())).collect();
    let plan = Plan::compile(&ctx, model, &PlanOptions::default()).map_err(|error| error.to_string())?;
    let outputs = plan.run(&ctx, inputs).map_err(|error| error.to_string())?;
    assert_eq!(outputs.len(), steps.len(), "{}: 'output_steps' has one number per output", folder.display());
    for (index, (output, &step)) in outputs.iter().zip(steps).enumerate() {
        let HostValue::Tensor(expected) = load("output", index) else { unreachable!("asked for a tensor") };
        let (Value::Tensor(actual), expected) = (output, Tensor::from_host(&expected).unwrap()) else {
            return Err(format!("output {index} is {}", output.describe()));
        };
        if actual.shape() != expected.shape() || actual.element_type() != expected.element_type() {
            return Err(format!("output {index} is {actual:?}, expected {expected:?}"));
        }
        let (actual, expected) = (actual.to_f32s().unwrap(), expected.to_f32s().unwrap());
        let is_close = |(actual, expected): (&f32, &f32)| (f64::from(*actual) - f64::from(*expected)).abs() <= step * 1.001;
        let n_close = actual.iter().zip(&expected).filter(|pair| is_close(*pair)).count();
        if (n_close as f64) < WITHIN_ONE_STEP * expected.len() as f64 {
            return Err(format!("output {index}: only {n_close} of {} elements lie within one step of {step}", expected.len()));
        }
    }
    Ok(())
}
