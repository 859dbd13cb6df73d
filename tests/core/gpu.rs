//! The golden cases once more, on a GPU: a real one, or the software adapter of Mesa.
//!
//! Without an adapter these tests print "skipped: no adapter"; with `DRYDOCK_REQUIRE_GPU=1` they fail instead.

use std::path::{Path, PathBuf};

use drydock_core::engine::RunsOn;
use drydock_core::inspect::inspect;
use drydock_core::model::OpenModel;
use drydock_core::profile::{Effort, ProfileRequest, profile};
use drydock_core::task::TaskCtx;
use drydock_core::tensor::Device;
use drydock_core::tensor::device::{DeviceChoice, adapters};
use drydock_core::verify::{VerifyRequest, verify};
use drydock_tests::close::Tolerance;
use drydock_tests::{golden_cases, sample_model, sample_models};

use crate::golden::assert_all_passed;

#[test]
fn every_case_that_runs_on_a_gpu_agrees_with_the_reference() {
    if !has_adapter() {
        return;
    }
    let folders: Vec<PathBuf> = golden_cases().into_iter().filter(|folder| runs_on_any_device(&folder.join("model.onnx"))).collect();
    assert!(folders.len() > 100, "only {} golden cases run on a GPU", folders.len());
    verify_on_gpu(folders);
}

#[test]
fn every_sample_model_runs_on_a_gpu() {
    if has_adapter() {
        verify_on_gpu(sample_models().into_iter().map(|sample| sample.folder).collect());
    }
}

#[test]
fn operators_on_a_gpu_are_waited_for_and_timed() {
    if !has_adapter() {
        return;
    }
    let device = Device::open(DeviceChoice::Gpu(None)).unwrap();
    let model = OpenModel::open(&TaskCtx::unattended(), &sample_model("digits").model(), device).unwrap();
    let request = ProfileRequest { effort: Effort::Quick, operators: true, ..ProfileRequest::default() };
    let report = profile(&TaskCtx::unattended(), &model, &request, None).unwrap();
    let operators = report.operators.unwrap();
    let on_gpu: Vec<_> = operators.iter().filter(|operator| operator.runs_on == RunsOn::Gpu).collect();
    assert!(on_gpu.iter().any(|operator| operator.operator == "Conv"), "{operators:?}");
    assert!(on_gpu.iter().all(|operator| operator.time_ms.is_some_and(|ms| ms > 0.0) && operator.bound.is_none()), "{on_gpu:?}");
    // What comes after them in host memory does not pay for them: before, reading their results was nearly all of its time.
    let on_host: f64 = operators.iter().filter(|operator| operator.runs_on != RunsOn::Gpu).filter_map(|operator| operator.share).sum();
    assert!(on_host < 0.5, "{operators:?}");
    assert!(report.notes.iter().any(|note| note.contains("waited for")), "{:?}", report.notes);
    assert_eq!(report.runs[0].machine_slowdown, None);
}

#[test]
fn a_gpu_that_is_not_there_is_refused_in_a_sentence() {
    let error = Device::open(DeviceChoice::Gpu(Some(999))).unwrap_err().to_string();
    assert!(error.contains("GPU adapter") && error.contains("drydock doctor"), "{error}");
}

fn verify_on_gpu(folders: Vec<PathBuf>) {
    let n_cases = folders.len() as u64;
    let Tolerance { relative, absolute } = Tolerance::GPU;
    let request = VerifyRequest { folders, relative_tolerance: relative, absolute_tolerance: absolute, device: DeviceChoice::Gpu(None) };
    let report = verify(&TaskCtx::unattended(), &request).unwrap();
    assert_all_passed(&report, n_cases);
}

fn runs_on_any_device(model: &Path) -> bool {
    let model = OpenModel::open(&TaskCtx::unattended(), model, Device::Cpu).unwrap();
    let report = inspect(&model);
    !report.nodes.is_empty() && report.nodes.iter().all(|node| matches!(node.placement.as_str(), "any device" | "wherever its inputs are"))
}

fn has_adapter() -> bool {
    let is_required = std::env::var_os("DRYDOCK_REQUIRE_GPU").is_some_and(|value| value == "1");
    match adapters().first() {
        Some(adapter) => {
            eprintln!("running on {}", adapter.name);
            true
        }
        None if is_required => panic!("DRYDOCK_REQUIRE_GPU=1, but no adapter was found; install mesa-vulkan-drivers"),
        None => {
            eprintln!("skipped: no adapter");
            false
        }
    }
}
