//! The standard's networks for images, which come with the Python package `onnx`: `tests/conformance/make_light_suite.py` writes them into a folder,
//! and `DRYDOCK_LIGHT_SUITE` names that folder. Without it the test prints "skipped", or fails under `DRYDOCK_REQUIRE_PYTHON=1`.

use std::path::{Path, PathBuf};

use drydock_core::task::TaskCtx;
use drydock_core::tensor::device::DeviceChoice;
use drydock_core::verify::{VerifyRequest, verify};

/// All but the largest: VGG-19 alone takes as long as the others together where nothing is optimised. `drydock verify` runs it too.
const NETWORKS: [&str; 8] = ["bvlc_alexnet", "densenet121", "inception_v1", "inception_v2", "resnet50", "shufflenet", "squeezenet", "zfnet512"];

#[test]
fn networks_for_images_answer_as_the_standard_says() {
    let is_required = std::env::var_os("DRYDOCK_REQUIRE_PYTHON").is_some_and(|value| value == "1");
    let Some(suite) = std::env::var_os("DRYDOCK_LIGHT_SUITE").map(PathBuf::from) else {
        assert!(!is_required, "DRYDOCK_REQUIRE_PYTHON=1, but DRYDOCK_LIGHT_SUITE names no folder; see tests/conformance/make_light_suite.py");
        eprintln!("skipped: DRYDOCK_LIGHT_SUITE names no folder");
        return;
    };
    let folder = |name: &&str| Path::new(&suite).join(name);
    let request = VerifyRequest {
        folders: NETWORKS.iter().map(folder).collect(),
        relative_tolerance: 1e-3,
        absolute_tolerance: 1e-5,
        device: DeviceChoice::Cpu,
    };
    let report = verify(&TaskCtx::unattended(), &request).unwrap();
    let failures: Vec<String> = report.failures.iter().map(|failure| format!("{}: {:?}: {}", failure.case, failure.kind, failure.message)).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!(report.passed, NETWORKS.len() as u64);
}
