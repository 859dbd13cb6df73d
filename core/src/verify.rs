//! Runs ONNX test sets: folders with `model.onnx` and `test_data_set_N/{input,output}_K.pb`.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use crate::engine::{Plan, PlanError, PlanOptions, RunError};
use crate::graph::{Graph, ValueId};
use crate::onnx;
use crate::ops::OpError;
use crate::task::{Cancelled, Progress, TaskCtx};
use crate::tensor::device::DeviceChoice;
use crate::tensor::{Device, TensorError, Value};

pub mod compare;

use compare::Tolerance;

/// What to verify.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifyRequest {
    /// Test case folders, or folders of such.
    pub folders: Vec<PathBuf>,
    /// numpy's rule: `|actual - expected| <= absolute_tolerance + relative_tolerance * |expected|`.
    pub relative_tolerance: f64,
    pub absolute_tolerance: f64,
    pub device: DeviceChoice,
}

impl Default for VerifyRequest {
    fn default() -> Self {
        Self { folders: Vec::new(), relative_tolerance: 1e-3, absolute_tolerance: 1e-5, device: DeviceChoice::Cpu }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct VerifyReport {
    /// Cases found, skipped ones included.
    pub cases: u64,
    pub passed: u64,
    pub failed: u64,
    /// Models without test data.
    pub skipped: u64,
    pub failures: Vec<VerifyFailure>,
}

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct VerifyFailure {
    /// Path of the case below the folder that was given.
    pub case: String,
    pub kind: FailureKind,
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// Drydock does not run an operator, or a type, that the model uses.
    Unsupported,
    /// It ran, and the results differ.
    Mismatch,
    /// The model or its data can't be read, or the run failed.
    Error,
}

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    #[error("{}: no test case found (a folder with model.onnx and test_data_set_0)", .0.display())]
    NothingFound(PathBuf),
    #[error("{}: a file; a folder with test sets was expected, or a package, which ends in .drydock", .0.display())]
    NoFolder(PathBuf),
    #[error("{}: {}", path.display(), crate::format::file_problem(source))]
    Io { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Device(#[from] crate::tensor::DeviceError),
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// Runs every case below the folders.
pub fn verify(ctx: &TaskCtx, request: &VerifyRequest) -> Result<VerifyReport, VerifyError> {
    let mut cases = Vec::new();
    for folder in &request.folders {
        cases.extend(find_cases(ctx, folder)?);
    }
    let device = Device::open(request.device)?;
    let tolerance = Tolerance { relative: request.relative_tolerance, absolute: request.absolute_tolerance };
    let mut report = VerifyReport::default();
    let total = cases.len() as u64;
    for case in &cases {
        ctx.checkpoint()?;
        ctx.report(Progress {
            stage: format!("verifying {}", case.name),
            done: report.cases,
            total: Some(total),
            items: report.cases,
            item_unit: "cases",
        });
        report.cases += 1;
        if case.data_sets.is_empty() {
            report.skipped += 1;
            continue;
        }
        match run_contained(ctx, case, &device, tolerance) {
            Ok(()) => report.passed += 1,
            Err(Stop::Cancelled) => return Err(Cancelled.into()),
            Err(Stop::Failed(kind, message)) => {
                report.failed += 1;
                report.failures.push(VerifyFailure { case: case.name.clone(), kind, message });
            }
        }
    }
    ctx.report(Progress { stage: "verified".to_owned(), done: total, total: Some(total), items: total, item_unit: "cases" });
    Ok(report)
}

/// A model with its test data.
#[derive(Debug)]
struct Case {
    name: String,
    model: PathBuf,
    /// Folders `test_data_set_N`, in the order of N.
    data_sets: Vec<PathBuf>,
}

/// Every case at or below a folder, sorted by path.
fn find_cases(ctx: &TaskCtx, root: &Path) -> Result<Vec<Case>, VerifyError> {
    let mut cases = Vec::new();
    let mut seen = HashSet::new();
    let mut pending = vec![root.to_owned()];
    if root.is_file() {
        return Err(VerifyError::NoFolder(root.to_owned()));
    }
    while let Some(folder) = pending.pop() {
        ctx.checkpoint()?;
        let failed = |source| VerifyError::Io { path: folder.clone(), source };
        // A link that leads back up would make the tree endless.
        if !seen.insert(folder.canonicalize().map_err(failed)?) {
            continue;
        }
        let mut entries: Vec<PathBuf> =
            std::fs::read_dir(&folder).map_err(failed)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>().map_err(failed)?;
        entries.sort();
        let folders: Vec<PathBuf> = entries.iter().filter(|path| path.is_dir()).cloned().collect();
        let data_sets = numbered(&folders, "test_data_set_", "");
        match model_file(&entries, !data_sets.is_empty()) {
            Some(model) => cases.push(Case { name: case_name(root, &folder), model, data_sets: data_sets.into_values().collect() }),
            // Popped from the end: reversed, so that cases come in the order of their names.
            None => pending.extend(folders.into_iter().rev()),
        }
    }
    if cases.iter().all(|case| case.data_sets.is_empty()) {
        return Err(VerifyError::NothingFound(root.to_owned()));
    }
    Ok(cases)
}

/// `model.onnx`; beside test data also the only `.onnx` file, whatever its name.
fn model_file(entries: &[PathBuf], has_data: bool) -> Option<PathBuf> {
    if let Some(model) = entries.iter().find(|path| path.file_name().is_some_and(|name| name == "model.onnx")) {
        return Some(model.clone());
    }
    let mut models = entries.iter().filter(|path| path.extension().is_some_and(|extension| extension == "onnx") && path.is_file());
    models.next().filter(|_| has_data && models.next().is_none()).cloned()
}

fn case_name(root: &Path, folder: &Path) -> String {
    let relative = folder.strip_prefix(root).ok().filter(|relative| !relative.as_os_str().is_empty());
    let name = relative.or_else(|| root.file_name().map(Path::new)).unwrap_or(root);
    name.display().to_string()
}

/// Paths whose file names are `prefix` + number + `suffix`, by number.
fn numbered(paths: &[PathBuf], prefix: &str, suffix: &str) -> std::collections::BTreeMap<usize, PathBuf> {
    let number = |path: &PathBuf| path.file_name()?.to_str()?.strip_prefix(prefix)?.strip_suffix(suffix)?.parse::<usize>().ok();
    paths.iter().filter_map(|path| Some((number(path)?, path.clone()))).collect()
}

/// Why a case does not pass.
enum Stop {
    Failed(FailureKind, String),
    Cancelled,
}

impl Stop {
    fn error(message: impl Into<String>) -> Self {
        Self::Failed(FailureKind::Error, message.into())
    }
}

impl From<onnx::LoadError> for Stop {
    fn from(error: onnx::LoadError) -> Self {
        match error {
            onnx::LoadError::Cancelled(_) => Self::Cancelled,
            error => Self::error(error.to_string()),
        }
    }
}

impl From<PlanError> for Stop {
    fn from(error: PlanError) -> Self {
        let kind = match &error {
            PlanError::Cancelled(_) => return Self::Cancelled,
            PlanError::Unsupported(_)
            | PlanError::Operator { source: OpError::Unsupported(_) | OpError::Tensor(TensorError::NotComputable(_)), .. } => {
                FailureKind::Unsupported
            }
            _ => FailureKind::Error,
        };
        Self::Failed(kind, error.to_string())
    }
}

impl From<RunError> for Stop {
    fn from(error: RunError) -> Self {
        let kind = match &error {
            RunError::Cancelled(_) => return Self::Cancelled,
            RunError::Operator { source: OpError::Unsupported(_), .. } => FailureKind::Unsupported,
            _ => FailureKind::Error,
        };
        Self::Failed(kind, error.to_string())
    }
}

/// A breakdown inside one case does not end the others.
fn run_contained(ctx: &TaskCtx, case: &Case, device: &Device, tolerance: Tolerance) -> Result<(), Stop> {
    catch_unwind(AssertUnwindSafe(|| run_case(ctx, case, device, tolerance))).unwrap_or_else(|payload| {
        let message = payload.downcast_ref::<String>().map(String::as_str).or_else(|| payload.downcast_ref::<&str>().copied());
        Err(Stop::error(format!("Drydock broke down: {}; this is a bug in Drydock", message.unwrap_or("no message"))))
    })
}

fn run_case(ctx: &TaskCtx, case: &Case, device: &Device, tolerance: Tolerance) -> Result<(), Stop> {
    let model = onnx::load(ctx, &case.model)?.model;
    let plan = Plan::compile(ctx, &model, &PlanOptions { device: device.clone(), ..PlanOptions::default() })?;
    for folder in &case.data_sets {
        ctx.checkpoint().map_err(|Cancelled| Stop::Cancelled)?;
        let entries =
            std::fs::read_dir(folder).and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>());
        let entries = entries.map_err(|error| Stop::error(format!("{}: {error}", folder.display())))?;
        let inputs = load_values(&model.graph, &model.graph.inputs, &numbered(&entries, "input_", ".pb"), "input")?;
        let expected = load_values(&model.graph, &model.graph.outputs, &numbered(&entries, "output_", ".pb"), "output")?;
        let to_value = |(name, value)| match compare::to_value(value) {
            Ok(value) => Ok((name, value)),
            Err(error) => Err(Stop::Failed(FailureKind::Unsupported, format!("input '{name}': {error}"))),
        };
        let inputs: Vec<(String, Value)> = inputs.into_iter().map(to_value).collect::<Result<_, _>>()?;
        let actual = plan.run(ctx, inputs)?;
        let data_set = folder.file_name().unwrap_or_default().to_string_lossy();
        let mismatch = |message: String| Stop::Failed(FailureKind::Mismatch, format!("{data_set}: {message}"));
        if actual.len() != expected.len() {
            return Err(mismatch(format!("expected {} outputs, found {}", expected.len(), actual.len())));
        }
        for (actual, (name, expected)) in actual.iter().zip(&expected) {
            compare::compare(actual, expected, tolerance).map_err(|why| mismatch(format!("output '{name}': {why}")))?;
        }
    }
    Ok(())
}

/// Reads numbered files, the K-th for the K-th input or output of the graph.
fn load_values(
    graph: &Graph,
    ids: &[ValueId],
    files: &std::collections::BTreeMap<usize, PathBuf>,
    what: &str,
) -> Result<Vec<(String, onnx::values::HostValue)>, Stop> {
    let load = |(number, path): (&usize, &PathBuf)| {
        let id = ids.get(*number).ok_or_else(|| Stop::error(format!("{}: the model has only {} {what}s", path.display(), ids.len())))?;
        let value = graph.value(*id);
        Ok((value.name.clone(), onnx::values::load(path, compare::kind_of(value.value_type.as_ref()))?))
    };
    files.iter().map(load).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Model, Node, ValueType};
    use crate::host::{ElementType, HostTensor};
    use crate::onnx::values::{HostValue, encode};

    /// Writes a case whose model is one operator from `x` to `y`, with one data set.
    fn write_case(folder: &Path, op_type: &str, input: &[f32], expected: &[f32]) {
        let mut model = Model { ir_version: 8, opset_imports: [(String::new(), 17)].into(), ..Model::default() };
        let graph = &mut model.graph;
        let (x, y) = (graph.value_named("x"), graph.value_named("y"));
        graph.nodes.push(Node { op_type: op_type.to_owned(), inputs: vec![Some(x)], outputs: vec![Some(y)], ..Node::default() });
        (graph.inputs, graph.outputs) = (vec![x], vec![y]);
        for id in [x, y] {
            graph.value_mut(id).value_type = Some(ValueType::tensor(ElementType::F32, [input.len()].as_slice()));
        }
        let data = folder.join("test_data_set_0");
        std::fs::create_dir_all(&data).unwrap();
        onnx::save(&TaskCtx::unattended(), &model, &folder.join("model.onnx")).unwrap();
        let tensor = |values: &[f32]| HostValue::Tensor(HostTensor::from_vec(vec![values.len()], values).unwrap());
        std::fs::write(data.join("input_0.pb"), encode(&tensor(input), "x")).unwrap();
        std::fs::write(data.join("output_0.pb"), encode(&tensor(expected), "y")).unwrap();
    }

    fn request(folder: &Path) -> VerifyRequest {
        VerifyRequest { folders: vec![folder.to_owned()], ..VerifyRequest::default() }
    }

    #[test]
    fn each_kind_of_end_is_told_apart() {
        let root = tempfile::tempdir().unwrap();
        write_case(&root.path().join("suite/good"), "Relu", &[-1.0, 2.0], &[0.0, 2.0]);
        write_case(&root.path().join("suite/different"), "Relu", &[-1.0, 2.0], &[0.0, 2.5]);
        write_case(&root.path().join("unknown"), "Frobnicate", &[1.0], &[1.0]);
        write_case(&root.path().join("torn"), "Relu", &[1.0], &[1.0]);
        std::fs::write(root.path().join("torn/model.onnx"), b"\x08\x08\x3a\x7f").unwrap();
        std::fs::create_dir(root.path().join("no data")).unwrap();
        std::fs::copy(root.path().join("suite/good/model.onnx"), root.path().join("no data/model.onnx")).unwrap();

        let report = verify(&TaskCtx::unattended(), &request(root.path())).unwrap();
        assert_eq!((report.cases, report.passed, report.failed, report.skipped), (5, 1, 3, 1));
        let failures: Vec<_> = report.failures.iter().map(|failure| (failure.case.as_str(), failure.kind)).collect();
        let expected = [("suite/different", FailureKind::Mismatch), ("torn", FailureKind::Error), ("unknown", FailureKind::Unsupported)];
        assert_eq!(failures, expected);
        assert_eq!(
            report.failures[0].message,
            "test_data_set_0: output 'y': 1 of 2 elements differ, by up to 0.5, most at [1]: expected 2.5, found 2"
        );
    }

    #[test]
    fn a_case_itself_may_be_given() {
        let root = tempfile::tempdir().unwrap();
        write_case(&root.path().join("good"), "Relu", &[-1.0], &[0.0]);
        let report = verify(&TaskCtx::unattended(), &request(&root.path().join("good"))).unwrap();
        assert_eq!((report.cases, report.passed), (1, 1));
    }

    #[test]
    fn nothing_to_verify_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        assert!(matches!(verify(&TaskCtx::unattended(), &request(root.path())), Err(VerifyError::NothingFound(_))));
        assert!(matches!(verify(&TaskCtx::unattended(), &request(&root.path().join("absent"))), Err(VerifyError::Io { .. })));
        let file = root.path().join("model.onnx");
        std::fs::write(&file, "").unwrap();
        assert!(matches!(verify(&TaskCtx::unattended(), &request(&file)), Err(VerifyError::NoFolder(_))));
    }

    #[test]
    fn a_cancelled_run_stops() {
        let root = tempfile::tempdir().unwrap();
        write_case(root.path(), "Relu", &[-1.0], &[0.0]);
        let ctx = TaskCtx::unattended();
        ctx.cancel_token().cancel();
        assert!(matches!(verify(&ctx, &request(root.path())), Err(VerifyError::Cancelled(_))));
    }
}
