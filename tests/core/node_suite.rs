//! The standard's own test suite, which comes with the Python package `onnx`: `tests/conformance/make_node_suite.py` writes it into a folder,
//! and `DRYDOCK_NODE_SUITE` names that folder. Without it the tests print "skipped", or fail under `DRYDOCK_REQUIRE_PYTHON=1`.
//!
//! `tests/conformance/left_out.toml` lists the cases that do not pass, each with its reason. Any other case that fails is a failure, and so is
//! a listed one that starts to pass.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use drydock_core::graph::ValueType;
use drydock_core::host::ElementType;
use drydock_core::onnx;
use drydock_core::task::TaskCtx;
use drydock_core::tensor::device::{DeviceChoice, adapters};
use drydock_tests::close::Tolerance;

use crate::suite::Suite;

const SUITE: Suite = Suite { variable: "DRYDOCK_NODE_SUITE", script: "make_node_suite.py", left_out: "left_out.toml", min_cases: 1_000 };

/// Share of the cases with a float core that must pass on a GPU.
const GPU_SHARE: f64 = 0.95;

/// A software adapter compiles its shaders on the processor: cases beyond this are left for another day.
const GPU_TIME: Duration = Duration::from_secs(240);

#[test]
fn the_node_suite_passes_but_for_the_listed_cases() {
    let Some(suite) = SUITE.folder() else { return };
    let cases = SUITE.cases(&suite);
    let left_out = SUITE.left_out();
    let failures = SUITE.failures(vec![suite], Tolerance { relative: 1e-3, absolute: 1e-5 }, DeviceChoice::Cpu);
    eprintln!("node suite: {} of {} cases pass, {} are left out", cases.len() - failures.len(), cases.len(), left_out.cases().count());
    left_out.assert_holds(&cases, &failures);
}

#[test]
fn the_node_suite_passes_on_a_gpu() {
    let Some(suite) = SUITE.folder() else { return };
    if adapters().is_empty() {
        eprintln!("skipped: no adapter");
        return;
    }
    let left_out = SUITE.left_out();
    let listed: BTreeSet<&str> = left_out.cases().collect();
    let mut folders: Vec<PathBuf> = SUITE
        .cases(&suite)
        .into_iter()
        .filter(|case| !listed.contains(case.as_str()))
        .map(|case| suite.join(case))
        .filter(|folder| has_float_core(folder))
        .collect();
    // In an order without meaning, so that what fits into the time is a fair sample.
    folders.sort_by_key(|folder| folder.to_string_lossy().bytes().fold(0_u32, |hash, byte| hash.wrapping_mul(16_777_619) ^ u32::from(byte)));
    let (started, mut done, mut failed) = (Instant::now(), 0, Vec::new());
    for chunk in folders.chunks(20) {
        if started.elapsed() > GPU_TIME {
            break;
        }
        done += chunk.len();
        failed.extend(SUITE.failures(chunk.to_vec(), Tolerance::GPU, DeviceChoice::Gpu(None)).into_values());
    }
    let share = 1.0 - failed.len() as f64 / done as f64;
    let list: Vec<String> = failed.iter().map(|failure| format!("{}: {}", failure.case, failure.message)).collect();
    eprintln!(
        "node suite on the GPU: {} of {done} cases pass ({:.1} %), of {} with a float core; on {}",
        done - failed.len(),
        share * 100.0,
        folders.len(),
        adapters()[0].name
    );
    assert!(share >= GPU_SHARE, "{} of {done} cases fail on a GPU:\n{}", failed.len(), list.join("\n"));
}

/// Whether a model takes float32 tensors.
fn has_float_core(folder: &Path) -> bool {
    let Ok(file) = onnx::load(&TaskCtx::unattended(), &folder.join("model.onnx")) else { return false };
    let graph = &file.model.graph;
    let is_float = |value_type: &ValueType| value_type.as_tensor().is_some_and(|(element_type, _)| element_type == ElementType::F32);
    graph.inputs.iter().any(|id| graph.value(*id).value_type.as_ref().is_some_and(is_float))
}
