//! Every golden case on the CPU, and that every operator has one.

use std::collections::BTreeSet;

use drydock_core::onnx;
use drydock_core::ops::registrations;
use drydock_core::task::TaskCtx;
use drydock_core::verify::{VerifyReport, VerifyRequest, verify};
use drydock_tests::close::Tolerance;
use drydock_tests::golden_cases;

#[test]
fn every_case_agrees_with_the_reference() {
    let folders = golden_cases();
    let n_cases = folders.len() as u64;
    let Tolerance { relative, absolute } = Tolerance::CPU;
    let request = VerifyRequest { folders, relative_tolerance: relative, absolute_tolerance: absolute, ..VerifyRequest::default() };
    let report = verify(&TaskCtx::unattended(), &request).unwrap();
    assert_all_passed(&report, n_cases);
}

#[test]
fn every_registered_operator_has_a_case_in_its_opsets() {
    let mut covered = BTreeSet::new();
    for folder in golden_cases() {
        let model = onnx::load(&TaskCtx::unattended(), &folder.join("model.onnx")).unwrap().model;
        for node in &model.graph.nodes {
            covered.insert((node.domain.clone(), node.op_type.clone(), model.opset(&node.domain).unwrap_or_default()));
        }
    }
    let missing: Vec<String> = registrations()
        .filter(|registration| {
            let is_it = |(domain, op_type, opset): &(String, String, i64)| {
                domain == registration.domain && op_type == registration.op_type && registration.opsets.contains(*opset)
            };
            !covered.iter().any(is_it)
        })
        .map(|registration| format!("{} {} {:?}", registration.domain, registration.op_type, registration.opsets))
        .collect();
    assert!(missing.is_empty(), "operators without a golden case (add one below tests/golden/generator):\n{}", missing.join("\n"));
}

/// Fails with one line per case that did not pass.
#[track_caller]
pub fn assert_all_passed(report: &VerifyReport, n_cases: u64) {
    let failures: Vec<String> = report.failures.iter().map(|failure| format!("{}: {:?}: {}", failure.case, failure.kind, failure.message)).collect();
    assert!(failures.is_empty(), "{} of {} cases failed:\n{}", report.failed, report.cases, failures.join("\n"));
    assert_eq!((report.cases, report.passed, report.failed, report.skipped), (n_cases, n_cases, 0, 0));
}
