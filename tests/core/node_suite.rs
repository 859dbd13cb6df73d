//! The standard's own test suite, which comes with the Python package `onnx`: `tests/conformance/make_node_suite.py` writes it into a folder,
//! and `DRYDOCK_NODE_SUITE` names that folder. Without it the tests print "skipped", or fail under `DRYDOCK_REQUIRE_PYTHON=1`.
//!
//! `tests/conformance/left_out.toml` lists the cases that do not pass, each with its reason. Any other case that fails is a failure, and so is
//! a listed one that starts to pass.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use drydock_core::graph::ValueType;
use drydock_core::host::ElementType;
use drydock_core::onnx;
use drydock_core::task::TaskCtx;
use drydock_core::tensor::device::{DeviceChoice, adapters};
use drydock_core::verify::{VerifyFailure, VerifyRequest, verify};
use drydock_tests::close::Tolerance;
use drydock_tests::workspace;
use serde::Deserialize;

/// Share of the cases with a float core that must pass on a GPU.
const GPU_SHARE: f64 = 0.95;

/// A software adapter compiles its shaders on the processor: cases beyond this are left for another day.
const GPU_TIME: Duration = Duration::from_secs(240);

#[derive(Deserialize)]
struct LeftOut {
    group: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    reason: String,
    /// Random numbers may be the expected ones by chance.
    #[serde(default)]
    may_pass_by_chance: bool,
    cases: Vec<String>,
}

#[test]
fn the_node_suite_passes_but_for_the_listed_cases() {
    let Some(suite) = suite() else { return };
    let cases = cases(&suite);
    let left_out = left_out();
    let listed: BTreeMap<&str, &Group> = left_out.group.iter().flat_map(|group| group.cases.iter().map(move |case| (case.as_str(), group))).collect();
    let failures = failures(vec![suite], Tolerance { relative: 1e-3, absolute: 1e-5 }, DeviceChoice::Cpu);
    let mut complaints = Vec::new();
    for failure in failures.values().filter(|failure| !listed.contains_key(failure.case.as_str())) {
        complaints.push(format!("{} fails: {:?}: {}", failure.case, failure.kind, failure.message));
    }
    for (case, group) in &listed {
        if !cases.contains(*case) {
            complaints.push(format!("{case} is listed in left_out.toml, but the suite has no such case"));
        } else if !failures.contains_key(*case) && !group.may_pass_by_chance {
            complaints.push(format!("{case} passes now: take it out of left_out.toml"));
        }
    }
    eprintln!("node suite: {} of {} cases pass, {} are left out", cases.len() - failures.len(), cases.len(), listed.len());
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
    assert!(left_out.group.iter().all(|group| group.reason.len() > 10), "a group of left_out.toml has no reason");
}

#[test]
fn the_node_suite_passes_on_a_gpu() {
    let Some(suite) = suite() else { return };
    if adapters().is_empty() {
        eprintln!("skipped: no adapter");
        return;
    }
    let listed: BTreeSet<String> = left_out().group.into_iter().flat_map(|group| group.cases).collect();
    let mut folders: Vec<PathBuf> = cases(&suite)
        .into_iter()
        .filter(|case| !listed.contains(case))
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
        failed.extend(failures(chunk.to_vec(), Tolerance::GPU, DeviceChoice::Gpu(None)).into_values());
    }
    let share = 1.0 - failed.len() as f64 / done as f64;
    let list: Vec<String> = failed.iter().map(|failure| format!("{}: {}", failure.case, failure.message)).collect();
    eprintln!(
        "node suite on {}: {} of {done} cases pass ({:.1} %), of {} with a float core",
        adapters()[0].name,
        done - failed.len(),
        share * 100.0,
        folders.len()
    );
    assert!(share >= GPU_SHARE, "{} of {done} cases fail on a GPU:\n{}", failed.len(), list.join("\n"));
}

/// The folder with the cases, if there is one.
fn suite() -> Option<PathBuf> {
    let is_required = std::env::var_os("DRYDOCK_REQUIRE_PYTHON").is_some_and(|value| value == "1");
    match std::env::var_os("DRYDOCK_NODE_SUITE") {
        Some(folder) => Some(folder.into()),
        None if is_required => panic!("DRYDOCK_REQUIRE_PYTHON=1, but DRYDOCK_NODE_SUITE names no folder; see tests/conformance/make_node_suite.py"),
        None => {
            eprintln!("skipped: DRYDOCK_NODE_SUITE names no folder");
            None
        }
    }
}

/// Names of the suite's cases.
fn cases(suite: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(suite).unwrap_or_else(|error| panic!("{}: {error}", suite.display()));
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let cases: BTreeSet<String> = names.filter(|name| name.starts_with("test_")).collect();
    assert!(cases.len() > 1_000, "{} has only {} cases", suite.display(), cases.len());
    cases
}

fn left_out() -> LeftOut {
    let path = workspace().join("tests/conformance/left_out.toml");
    toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn failures(folders: Vec<PathBuf>, tolerance: Tolerance, device: DeviceChoice) -> BTreeMap<String, VerifyFailure> {
    let request = VerifyRequest { folders, relative_tolerance: tolerance.relative, absolute_tolerance: tolerance.absolute, device };
    let report = verify(&TaskCtx::unattended(), &request).unwrap();
    report.failures.into_iter().map(|failure| (failure.case.clone(), failure)).collect()
}

/// Whether a model takes float32 tensors.
fn has_float_core(folder: &Path) -> bool {
    let Ok(file) = onnx::load(&TaskCtx::unattended(), &folder.join("model.onnx")) else { return false };
    let graph = &file.model.graph;
    let is_float = |value_type: &ValueType| value_type.as_tensor().is_some_and(|(element_type, _)| element_type == ElementType::F32);
    graph.inputs.iter().any(|id| graph.value(*id).value_type.as_ref().is_some_and(is_float))
}
