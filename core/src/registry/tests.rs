use std::path::Path;

use super::*;
use crate::graph::{Model, Node, ValueType};
use crate::host::ElementType;
use crate::model::OpenModel;
use crate::onnx;
use crate::tensor::Device;

/// A model of one operator, which its name tells from others.
fn model_file(folder: &Path, name: &str) -> PathBuf {
    let mut model = Model { ir_version: 8, opset_imports: [(String::new(), 17)].into(), ..Model::default() };
    let graph = &mut model.graph;
    let (x, y) = (graph.value_named("x"), graph.value_named("y"));
    graph.nodes.push(Node { name: name.to_owned(), op_type: "Relu".to_owned(), inputs: vec![Some(x)], outputs: vec![Some(y)], ..Node::default() });
    (graph.inputs, graph.outputs) = (vec![x], vec![y]);
    for id in [x, y] {
        graph.value_mut(id).value_type = Some(ValueType::tensor(ElementType::F32, [2_usize].as_slice()));
    }
    let path = folder.join(format!("{name}.onnx"));
    onnx::save(&TaskCtx::unattended(), &model, &path).unwrap();
    path
}

struct Case {
    folder: tempfile::TempDir,
    registry: Registry,
}

impl Case {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::open(&folder.path().join("home")).unwrap();
        Self { folder, registry }
    }

    fn load(&self, content: &str) -> OpenModel {
        OpenModel::load(&TaskCtx::unattended(), &model_file(self.folder.path(), content), Device::Cpu).unwrap()
    }

    fn add(&self, name: &str, content: &str) -> Added {
        self.registry.add(&TaskCtx::unattended(), &self.load(content), name, &Lineage::default()).unwrap()
    }

    /// `fraud` with versions 1 to `n`.
    fn with_versions(n: usize) -> Self {
        let case = Self::new();
        for version in 1..=n {
            assert_eq!(case.add("fraud", &format!("content{version}")).version as usize, version);
        }
        case
    }

    fn set(&self, reference: &str, alias: &str) -> Result<Moved, RegistryError> {
        self.registry.set_alias(&reference.parse()?, alias, MoveKind::Set, None)
    }

    fn at(&self, alias: &str) -> u32 {
        self.registry.find(&format!("fraud@{alias}").parse().unwrap()).unwrap().version
    }

    fn check(&self, version: u32, verdict: &str) {
        let hash = self.registry.model("fraud").unwrap().version(version).unwrap().hash.clone();
        let run = RunRecord::now(RunKind::Check, &hash, serde_json::json!({ "verdict": verdict }), serde_json::Value::Null);
        self.registry.record_run(&run).unwrap();
    }

    #[track_caller]
    fn is_whole(&self) {
        let check = self.registry.self_check(&TaskCtx::unattended()).unwrap();
        assert_eq!(check.problems, Vec::<String>::new());
    }
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, RegistryError>, parts: &[&str]) {
    let error = result.unwrap_err().to_string();
    for part in parts {
        assert!(error.contains(part), "'{part}' is not in: {error}");
    }
}

#[test]
fn a_version_is_a_content() {
    let case = Case::with_versions(2);
    let again = case.add("fraud", "content1");
    assert_eq!((again.version, again.is_new), (1, false));
    // A contract beside the model makes another version of it, which opens with it.
    let path = model_file(case.folder.path(), "content1");
    std::fs::write(crate::contract::sidecar_path(&path), "name = \"relu\"\n").unwrap();
    assert_eq!(case.add("fraud", "content1").version, 3);
    let found = case.registry.find(&"fraud:3".parse().unwrap()).unwrap();
    let opened = OpenModel::load(&TaskCtx::unattended(), &found.path, Device::Cpu).unwrap();
    assert_eq!((opened.contract.name.as_deref(), opened.sha256()), (Some("relu"), again.hash.as_str()));
    case.is_whole();
}

#[test]
fn numbers_are_not_given_twice_and_files_go_with_their_last_version() {
    let case = Case::with_versions(3);
    case.add("other", "content3");
    case.registry.remove(&"fraud:3".parse().unwrap(), false).unwrap();
    assert_eq!(case.add("fraud", "content4").version, 4);
    let folders = || std::fs::read_dir(case.registry.home().join("blobs")).unwrap().count();
    assert_eq!(folders(), 4, "content3 is still the other model's");
    case.registry.remove(&"other".parse().unwrap(), false).unwrap();
    assert_eq!(folders(), 3);
    case.is_whole();
}

#[test]
fn what_killed_processes_left_is_collected() {
    let case = Case::with_versions(2);
    let blobs = case.registry.home().join("blobs");
    std::fs::create_dir_all(blobs.join(".adding-x/deeper")).unwrap();
    std::fs::create_dir_all(blobs.join("ab".repeat(32)).join("plain")).unwrap();
    case.registry.remove(&"fraud:1".parse().unwrap(), false).unwrap();
    assert_eq!(std::fs::read_dir(&blobs).unwrap().count(), 1);
    case.is_whole();
}

#[test]
fn aliases_move_and_roll_back_step_by_step() {
    let case = Case::with_versions(3);
    for version in 1..=3 {
        case.set(&format!("fraud:{version}"), "champion").unwrap();
    }
    assert!(!case.set("fraud:3", "champion").unwrap().has_changed);
    assert_eq!(case.at("champion"), 3);
    for expected in [2, 1] {
        case.registry.roll_back("fraud", "champion", Some("slow")).unwrap();
        assert_eq!(case.at("champion"), expected);
    }
    refused(case.registry.roll_back("fraud", "champion", None), &["no earlier version", "drydock models alias"]);
    case.set("fraud:3", "champion").unwrap();
    case.registry.roll_back("fraud", "champion", None).unwrap();
    assert_eq!(case.at("champion"), 1);
    let history = case.registry.history("fraud", Some("champion")).unwrap();
    assert_eq!(history.len(), 7);
    assert_eq!((history[2].kind, history[2].reason.as_deref(), history[2].to_version), (MoveKind::Rollback, Some("slow"), Some(1)));
    case.is_whole();
}

#[test]
fn a_rollback_passes_over_what_was_removed() {
    let case = Case::with_versions(3);
    for version in 1..=3 {
        case.set(&format!("fraud:{version}"), "champion").unwrap();
    }
    case.registry.remove(&"fraud:2".parse().unwrap(), false).unwrap();
    let moved = case.registry.roll_back("fraud", "champion", None).unwrap();
    assert_eq!(moved.version, Some(1));
    assert!(moved.notes[0].contains("version 2"), "{:?}", moved.notes);
}

#[test]
fn a_protected_alias_asks_for_a_passed_check_of_the_very_content() {
    let case = Case::with_versions(2);
    case.registry.protect_alias("fraud", "production", true, None).unwrap();
    refused(case.registry.find(&"fraud@production".parse().unwrap()), &["points at no version", "promote"]);
    refused(case.set("fraud:1", "production"), &["protected", "version 1 has none", "drydock check fraud:1"]);
    case.check(1, "fail");
    refused(case.set("fraud:1", "production"), &["did not pass"]);
    case.check(1, "pass");
    refused(case.set("fraud:2", "production"), &["version 2 has none"]);
    let promoted = case.registry.set_alias(&"fraud:1".parse().unwrap(), "production", MoveKind::Promote, None).unwrap();
    assert!(promoted.has_changed && promoted.notes[0].contains("passed"), "{promoted:?}");
    refused(case.registry.remove_alias("fraud", "production", None), &["--unprotect"]);
    case.check(2, "pass");
    case.set("fraud:2", "production").unwrap();
    // Where it was before, it may go back to, whatever was checked since.
    case.check(1, "fail");
    assert_eq!(case.registry.roll_back("fraud", "production", None).unwrap().version, Some(1));
    case.is_whole();
}

#[test]
fn what_an_alias_holds_is_removed_by_force_only() {
    let case = Case::with_versions(2);
    case.set("fraud:1", "champion").unwrap();
    refused(case.registry.remove(&"fraud:1".parse().unwrap(), false), &["'champion'", "--force"]);
    refused(case.registry.remove(&"fraud".parse().unwrap(), false), &["'champion'"]);
    let removed = case.registry.remove(&"fraud:1".parse().unwrap(), true).unwrap();
    assert_eq!((removed.versions, removed.aliases), (vec![1], vec!["champion".to_owned()]));
    case.is_whole();
    case.registry.remove(&"fraud".parse().unwrap(), false).unwrap();
    assert_eq!(case.registry.view().unwrap().models, []);
}

#[test]
fn what_is_not_there_is_named_with_what_is() {
    let case = Case::with_versions(2);
    case.set("fraud:1", "champion").unwrap();
    for (reference, parts) in [
        ("fruad", &["no model 'fruad'", "did you mean 'fraud'?"][..]),
        ("fraud:7", &["no version 7", "1", "2"]),
        ("fraud@chanpion", &["no alias 'chanpion'", "did you mean 'champion'?"]),
    ] {
        refused(case.registry.find(&reference.parse().unwrap()), parts);
    }
    refused(case.registry.roll_back("fraud", "nothing", None), &["no alias 'nothing'"]);
    refused(case.registry.history("fraud", Some("nothing")), &["no alias 'nothing'"]);
}

#[test]
fn a_damaged_file_is_named_and_mended_by_adding_it_again() {
    let case = Case::with_versions(1);
    let found = case.registry.find(&"fraud".parse().unwrap()).unwrap();
    let mut bytes = std::fs::read(&found.path).unwrap();
    bytes[10] ^= 1;
    std::fs::write(&found.path, bytes).unwrap();
    let ctx = TaskCtx::unattended();
    let path = found.path.display().to_string();
    refused(
        crate::resolve::open_found(&ctx, &case.registry, &found, Device::Cpu).map_err(|error| RegistryError::Refused(error.to_string())),
        &[&path, "damaged", "models add FILE --name fraud"],
    );
    assert_eq!(case.registry.self_check(&ctx).unwrap().problems.len(), 1);
    assert!(!case.add("fraud", "content1").is_new);
    case.is_whole();
    std::fs::remove_file(&found.path).unwrap();
    refused(case.registry.check_files(&ctx, &found), &["gone"]);
}

#[test]
fn external_data_come_along() {
    let case = Case::new();
    let file = bytes::Bytes::from(std::fs::read(model_file(case.folder.path(), "large")).unwrap());
    let weights = onnx::ExternalFile { location: "deeper/w.bin".to_owned(), path: "w.bin".into(), bytes: bytes::Bytes::from_static(b"weights") };
    let mut opened = case.load("large");
    opened.content = crate::model::Content::new(file, vec![weights]);
    let added = case.registry.add(&TaskCtx::unattended(), &opened, "large", &Lineage::default()).unwrap();
    assert_eq!(added.hash, opened.sha256());
    let found = case.registry.find(&"large".parse().unwrap()).unwrap();
    assert_eq!(std::fs::read(found.path.with_file_name("deeper").join("w.bin")).unwrap(), b"weights");
    case.is_whole();
}

#[test]
fn a_home_that_is_read_only_is_read_from_a_copy() {
    let case = Case::with_versions(2);
    let copy = store::Store::open_copy(&store::Store::path(case.registry.home())).unwrap();
    let registry = Registry { home: case.registry.home().to_owned(), store: copy };
    assert_eq!(registry.model("fraud").unwrap().versions.len(), 2);
    let run = RunRecord::now(RunKind::Score, "aa", serde_json::Value::Null, serde_json::Value::Null);
    refused(registry.record_run(&run), &["registry.db", "DRYDOCK_HOME"]);
}

#[test]
fn a_home_that_cannot_be_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "no folder").unwrap();
    refused(Registry::open(&file.join("home")), &["file", "DRYDOCK_HOME"]);
    assert!(Registry::open_to_read(&file.join("home")).unwrap().is_none());
}

#[test]
fn changes_of_others_are_noticed() {
    let case = Case::with_versions(1);
    let other = Registry::open(case.registry.home()).unwrap();
    let before = other.data_version().unwrap();
    assert_eq!(other.data_version().unwrap(), before);
    case.add("fraud", "content2");
    assert_ne!(other.data_version().unwrap(), before);
}
