//! Every operator with every element type that the standard lets it have: `tests/conformance/make_type_matrix.py` writes the models and what they should
//! answer into a folder, and `DRYDOCK_TYPE_MATRIX` names that folder. Without it the tests print "skipped", or fail under `DRYDOCK_REQUIRE_PYTHON=1`.
//!
//! `tests/conformance/type_matrix.toml` lists the cases that do not pass, each with its reason. Any other case that fails is a failure, and so is
//! a listed one that starts to pass.

use std::path::PathBuf;

use drydock_core::tensor::device::DeviceChoice;
use drydock_tests::close::Tolerance;

use crate::suite::{LeftOut, Suite};

const SUITE: Suite = Suite { variable: "DRYDOCK_TYPE_MATRIX", script: "make_type_matrix.py", left_out: "type_matrix.toml", min_cases: 6_500 };

/// The operators whose reference implementation has float32 inside even where it answers in float64.
const REFERENCE_IN_FLOAT32: [&str; 3] = ["Erf_", "Gelu_", "HardSwish_"];

#[test]
fn every_operator_takes_every_type_of_its_signature() {
    let Some(folder) = SUITE.folder() else { return };
    let cases = SUITE.cases(&folder);
    let failures = SUITE.failures(vec![folder], Tolerance { relative: 1e-3, absolute: 1e-5 }, DeviceChoice::Cpu);
    let left_out = SUITE.left_out();
    eprintln!("type matrix: {} of {} cases pass, {} are left out", cases.len() - failures.len(), cases.len(), left_out.cases().count());
    left_out.assert_holds(&cases, &failures);
}

#[test]
fn float64_is_computed_in_float64() {
    let Some(folder) = SUITE.folder() else { return };
    let LeftOut { group } = SUITE.left_out();
    let is_listed = |case: &str| group.iter().any(|group| group.cases.iter().any(|listed| listed == case));
    // Elsewhere the other operands, of other types, may decide what the result is good for.
    let is_in_float64 = |case: &&String| {
        case.contains("_float64_") && !is_listed(case.as_str()) && !REFERENCE_IN_FLOAT32.iter().any(|operator| case.starts_with(operator))
    };
    let cases = SUITE.cases(&folder);
    let folders: Vec<PathBuf> = cases.iter().filter(is_in_float64).map(|case| folder.join(case)).collect();
    assert!(folders.len() > 200, "only {} cases in float64", folders.len());
    let failures = SUITE.failures(folders, Tolerance { relative: 1e-9, absolute: 1e-12 }, DeviceChoice::Cpu);
    let failures: Vec<String> = failures.values().map(|failure| format!("{}: {}", failure.case, failure.message)).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
