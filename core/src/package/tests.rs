use std::io::Write as _;

use super::archive::Writer;
use super::*;
use crate::model::OpenModel;
use crate::registry::{RunKind, RunRecord};
use crate::task::TaskCtx;
use crate::tensor::Device;

fn sample() -> OpenModel {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sample-models/wine/model.onnx");
    OpenModel::open(&TaskCtx::unattended(), &path, Device::Cpu).unwrap()
}

fn request(folder: &Path) -> PackageRequest {
    PackageRequest { output: folder.join("wine.drydock"), rows: 5, profile: false, ..PackageRequest::default() }
}

fn pack(folder: &Path) -> PathBuf {
    package(&TaskCtx::unattended(), None, &sample(), &[], &request(folder)).unwrap().output
}

#[test]
fn a_package_does_here_what_it_did_here() {
    let folder = tempfile::tempdir().unwrap();
    let path = pack(folder.path());
    let check = check(&TaskCtx::unattended(), &path, &Device::Cpu).unwrap();
    assert_eq!((check.verdict, check.rows, check.differences), (Golden::BitEqual, 5, Vec::new()));
    assert_eq!(check.hash, sample().sha256());
    let again = package(&TaskCtx::unattended(), None, &sample(), &[], &request(folder.path()));
    assert!(matches!(again, Err(PackageError::Exists { .. })));
}

#[test]
fn it_opens_with_its_contract() {
    let folder = tempfile::tempdir().unwrap();
    let unpacked = unpack(&TaskCtx::unattended(), &pack(folder.path())).unwrap();
    let opened = OpenModel::load(&TaskCtx::unattended(), &unpacked.model_path(), Device::Cpu).unwrap();
    assert_eq!((opened.contract, opened.model.graph.nodes.len()), (sample().contract, sample().model.graph.nodes.len()));
}

#[test]
fn it_says_how_fast_the_model_was_and_what_was_judged_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let model = sample();
    let run = RunRecord::now(RunKind::Check, model.sha256(), serde_json::json!({ "verdict": "pass" }), serde_json::Value::Null);
    let request = PackageRequest { profile: true, ..request(folder.path()) };
    let made = package(&TaskCtx::unattended(), None, &model, &[run], &request).unwrap();
    let unpacked = unpack(&TaskCtx::unattended(), &made.output).unwrap();
    let listed = |name: &str| unpacked.manifest.entries.iter().any(|entry| entry.path == name);
    assert!(listed("profile.json") && listed("report.html") && listed("runs.json"));
    let folder = unpacked.into_folder();
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let profile: serde_json::Value = serde_json::from_str(&read("profile.json")).unwrap();
    assert!(profile["runs"][0]["latency_ms"]["p50"].as_f64().is_some_and(|p50| p50 > 0.0), "{profile}");
    let page = read("report.html");
    for part in ["Package of", model.sha256(), "Warm runs", "What was known of it", "<td>pass</td>"] {
        assert!(page.contains(part), "'{part}' is not in the report");
    }
}

/// Packs entries as they are, with a manifest that lists `listed`.
fn forged(path: &Path, entries: &[(&str, &[u8])], listed: Vec<Entry>) {
    let mut writer = Writer::create(path).unwrap();
    for (name, bytes) in entries {
        writer.add(&TaskCtx::unattended(), name, bytes).unwrap();
    }
    writer.entries = listed;
    let manifest = Manifest {
        format_version: FORMAT_VERSION,
        model: "m".to_owned(),
        sha256: String::new(),
        relative_tolerance: 0.0,
        absolute_tolerance: 0.0,
        golden_rows: 1,
        entries: Vec::new(),
        provenance: serde_json::Value::Null,
    };
    writer.finish(&TaskCtx::unattended(), manifest, true).unwrap();
}

#[track_caller]
fn refused(path: &Path, parts: &[&str]) {
    let error = unpack(&TaskCtx::unattended(), path).unwrap_err().to_string();
    for part in parts {
        assert!(error.contains(part), "'{part}' is not in: {error}");
    }
}

#[test]
fn entries_that_are_not_what_the_manifest_says_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.drydock");
    let entry = |name: &str, bytes: &[u8]| Entry { path: name.to_owned(), n_bytes: bytes.len() as u64, sha256: crate::model::sha256(bytes) };
    forged(&path, &[("model/model.onnx", b"other")], vec![entry("model/model.onnx", b"model")]);
    refused(&path, &["p.drydock", "'model/model.onnx' is damaged", "sha256"]);
    forged(&path, &[], vec![entry("model/model.onnx", b"model")]);
    refused(&path, &["'model/model.onnx'", "gone"]);
    forged(&path, &[("stranger", b"x")], Vec::new());
    refused(&path, &["'stranger'", "does not list"]);
}

#[test]
fn entries_stay_within_the_package() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.drydock");
    for name in ["../escaped", "/etc/escaped", "a/../../escaped", "C:\\escaped"] {
        // Names that the writer would tidy are put in by hand: same length, so that the archive stays one.
        let harmless = "x".repeat(name.len());
        forged(&path, &[(&harmless, b"x")], Vec::new());
        let mut bytes = std::fs::read(&path).unwrap();
        for at in 0..bytes.len() - name.len() {
            if bytes[at..].starts_with(harmless.as_bytes()) {
                bytes[at..at + name.len()].copy_from_slice(name.as_bytes());
            }
        }
        std::fs::write(&path, bytes).unwrap();
        refused(&path, &["outside"]);
    }
}

#[test]
fn any_flipped_byte_is_noticed_or_harmless() {
    let folder = tempfile::tempdir().unwrap();
    let path = pack(folder.path());
    let whole = std::fs::read(&path).unwrap();
    let ctx = TaskCtx::unattended();
    for at in (0..whole.len()).step_by((whole.len() / 150).max(1)) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x41;
        std::fs::File::create(&path).unwrap().write_all(&bytes).unwrap();
        // Dates and other fields that nothing depends on may change; what is unpacked may not.
        if let Ok(unpacked) = unpack(&ctx, &path) {
            assert_eq!(OpenModel::load(&ctx, &unpacked.model_path(), Device::Cpu).unwrap().sha256(), sample().sha256());
        }
    }
    for share in [0, 10, 50, 99] {
        std::fs::write(&path, &whole[..whole.len() * share / 100]).unwrap();
        refused(&path, &["wine.drydock", "not a Drydock package"]);
    }
}

#[test]
fn a_package_of_a_later_format_is_refused() {
    let error = PackageError::Newer { path: "p.drydock".into(), found: 2 }.to_string();
    assert!(error.contains("format 2") && error.contains("up to 1"), "{error}");
}
