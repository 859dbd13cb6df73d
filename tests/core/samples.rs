//! The sample models against ONNX Runtime, run directly and through their tables; and that loading and saving loses nothing.

use std::collections::BTreeMap;
use std::path::Path;

use drydock_core::contract::{ContractSource, Task};
use drydock_core::graph::Model;
use drydock_core::host::{ElementType, HostTensor};
use drydock_core::model::OpenModel;
use drydock_core::onnx;
use drydock_core::onnx::values::{self, HostValue, HostValueKind};
use drydock_core::score::{ScoreRequest, score};
use drydock_core::task::TaskCtx;
use drydock_core::tensor::Device;
use drydock_core::verify::{VerifyRequest, verify};
use drydock_tests::close::Tolerance;
use drydock_tests::{SampleModel, golden_cases, sample_models};

use crate::golden::assert_all_passed;

#[test]
fn every_sample_agrees_with_onnx_runtime() {
    let folders: Vec<_> = sample_models().into_iter().map(|sample| sample.folder).collect();
    let n_cases = folders.len() as u64;
    let Tolerance { relative, absolute } = Tolerance::CPU;
    let request = VerifyRequest { folders, relative_tolerance: relative, absolute_tolerance: absolute, ..VerifyRequest::default() };
    assert_all_passed(&verify(&TaskCtx::unattended(), &request).unwrap(), n_cases);
}

#[test]
fn every_sample_has_a_contract_that_fits() {
    for sample in sample_models() {
        let model = open(&sample);
        let contract = &model.contract;
        assert!(matches!(model.contract_source, ContractSource::Sidecar(_)), "{}: {:?}", sample.name, model.contract_source);
        assert_ne!(contract.task, Task::Other, "{}", sample.name);
        let header = std::fs::read_to_string(sample.table("new")).unwrap().lines().next().unwrap().to_owned();
        let header: Vec<&str> = header.split(',').collect();
        for name in contract.columns.iter().map(|column| &column.name).chain(&contract.target) {
            assert!(header.contains(&name.as_str()), "{}: no column '{name}' in new.csv", sample.name);
        }
        for output in contract.prediction_output.iter().chain(&contract.probability_output) {
            assert!(model.model.graph.find_value(output).is_some(), "{}: no output '{output}'", sample.name);
        }
    }
}

/// The reference table, scored to CSV, against what ONNX Runtime answers for its first rows: labels equal, numbers close.
#[test]
fn scored_tables_agree_with_onnx_runtime() {
    for sample in sample_models() {
        let folder = tempfile::tempdir().unwrap();
        let model = open(&sample);
        let output = folder.path().join("scored.csv");
        let request = ScoreRequest { data: sample.table("reference"), output: output.clone(), ..ScoreRequest::default() };
        let report = score(&TaskCtx::unattended(), &model, &request).unwrap();
        assert_eq!(report.rows, report.rows_scored, "{}", sample.name);
        assert!(report.metrics.is_some(), "{}: the tables have labels, so there should be metrics", sample.name);
        let scored = Columns::read(&output);
        assert_eq!(scored.n_rows as u64, report.rows, "{}", sample.name);
        check_scores(&sample, &model, &scored);
    }
}

fn check_scores(sample: &SampleModel, model: &OpenModel, scored: &Columns) {
    for (path, id) in sample.expected_outputs().iter().zip(&model.model.graph.outputs) {
        let info = model.model.graph.value(*id);
        let kind = HostValueKind::of(info.value_type.as_ref().unwrap());
        let expected = values::load(path, kind).unwrap();
        if Some(&info.name) == model.contract.prediction_output.as_ref() {
            let HostValue::Tensor(expected) = expected else { panic!("{}: predictions are a tensor", sample.name) };
            check_column(&sample.name, scored.column("prediction"), &texts(&expected));
        } else {
            for (label, expected) in probabilities(&expected, &model.contract.labels) {
                check_column(&sample.name, scored.column(&format!("probability_{label}")), &expected);
            }
        }
    }
}

#[track_caller]
fn check_column(sample: &str, actual: &[String], expected: &[String]) {
    assert!(actual.len() >= expected.len() && !expected.is_empty(), "{sample}: {} rows", expected.len());
    for (row, (actual, expected)) in actual.iter().zip(expected).enumerate() {
        let is_same = match (actual.parse(), expected.parse()) {
            (Ok(actual), Ok(expected)) => Tolerance::CPU.accepts(actual, expected),
            _ => actual == expected,
        };
        assert!(is_same, "{sample}: row {} is {actual}, expected {expected}", row + 1);
    }
}

/// By label: the probabilities of all rows.
fn probabilities(value: &HostValue, labels: &[String]) -> BTreeMap<String, Vec<String>> {
    let mut by_label: BTreeMap<String, Vec<String>> = BTreeMap::new();
    match value {
        HostValue::Tensor(tensor) => {
            for (index, text) in texts(tensor).into_iter().enumerate() {
                by_label.entry(labels[index % labels.len()].clone()).or_default().push(text);
            }
        }
        HostValue::Sequence(maps) => {
            for map in maps {
                let HostValue::Map { keys, values } = map else { panic!("{map:?} is no map") };
                for (label, value) in texts(keys).into_iter().zip(values) {
                    let HostValue::Tensor(value) = value else { panic!("{value:?} is no number") };
                    by_label.entry(label).or_default().extend(texts(value));
                }
            }
        }
        other => panic!("{other:?} are no probabilities"),
    }
    by_label
}

fn texts(tensor: &HostTensor) -> Vec<String> {
    match tensor.element_type() {
        ElementType::F32 => tensor.as_slice::<f32>().unwrap().iter().map(ToString::to_string).collect(),
        ElementType::I64 => tensor.as_slice::<i64>().unwrap().iter().map(ToString::to_string).collect(),
        ElementType::String => tensor.strings().unwrap().iter().map(ToString::to_string).collect(),
        other => panic!("samples don't answer in {other}"),
    }
}

/// A CSV file without quotes, by column.
struct Columns {
    columns: BTreeMap<String, Vec<String>>,
    n_rows: usize,
}

impl Columns {
    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
        let header = lines.next().unwrap();
        let mut columns: BTreeMap<String, Vec<String>> = header.iter().map(|name| (name.clone(), Vec::new())).collect();
        let mut n_rows = 0;
        for cells in lines {
            assert_eq!(cells.len(), header.len(), "{}: row {}", path.display(), n_rows + 1);
            for (name, cell) in header.iter().zip(cells) {
                columns.get_mut(name).unwrap().push(cell);
            }
            n_rows += 1;
        }
        Self { columns, n_rows }
    }

    #[track_caller]
    fn column(&self, name: &str) -> &[String] {
        self.columns.get(name).unwrap_or_else(|| panic!("no column '{name}' among {:?}", self.columns.keys()))
    }
}

fn open(sample: &SampleModel) -> OpenModel {
    OpenModel::open(&TaskCtx::unattended(), &sample.model(), Device::Cpu).unwrap()
}

#[test]
fn loading_and_saving_is_the_identity() {
    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().join("saved.onnx");
    let paths = sample_models().into_iter().map(|sample| sample.model()).chain(golden_cases().into_iter().map(|case| case.join("model.onnx")));
    for path in paths {
        let model = load(&path);
        onnx::save(&TaskCtx::unattended(), &model, &saved).unwrap();
        let again = load(&saved);
        assert_eq!(again, model, "{}", path.display());
        // Nor may anything change that the model does not hold: the files themselves are equal from here on.
        let first = std::fs::read(&saved).unwrap();
        onnx::save(&TaskCtx::unattended(), &again, &saved).unwrap();
        assert_eq!(std::fs::read(&saved).unwrap(), first, "{}", path.display());
    }
}

fn load(path: &Path) -> Model {
    onnx::load(&TaskCtx::unattended(), path).unwrap().model
}
