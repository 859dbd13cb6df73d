//! From a model's outputs to answers: labels, probabilities in the contract's order, numbers, anything else.
//!
//! Class names: a model tells classes by its own labels (those its classifier nodes carry: `0, 1`) or by index. Where the contract names
//! as many labels, they stand in the same order as the model's own, unless they are the model's own in another order. So an int64 label
//! `1` of a model with the classes `0, 1` and the contract `["benign", "malignant"]` reads "malignant".

use std::collections::HashMap;
use std::sync::Arc;

use compact_str::CompactString;

use super::{Contract, Task, derive};
use crate::data::{Column, ColumnData};
use crate::graph::Model;
use crate::host::ElementType;
use crate::tensor::{MapKey, Tensor, Value};

/// How a model's outputs are read.
#[derive(Debug, Clone)]
pub struct OutputLayout {
    task: Task,
    /// Outputs in the order in which a run returns them.
    names: Vec<String>,
    prediction: Option<usize>,
    probability: Option<usize>,
    /// In the order of the answers' probabilities; empty where nothing tells them before the first run.
    labels: Arc<[String]>,
    /// By class of the model: its label's index in `labels`.
    order: Vec<usize>,
    /// By what a label output says: the label's index in `labels`.
    codes: HashMap<CompactString, u32>,
}

/// Labels, and by label the probability of every row.
type Probabilities = (Arc<[String]>, Vec<Vec<f32>>);

/// What a model says of some rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Answers {
    pub n_rows: usize,
    /// The label, or a regression's number.
    pub prediction: Option<ColumnData>,
    pub labels: Arc<[String]>,
    /// By label: its probability in every row. Empty where the model tells none.
    pub probabilities: Vec<Vec<f32>>,
    /// Every other output, as columns: `name`, or `name_0`, `name_1`, …
    pub others: Vec<Column>,
}

impl OutputLayout {
    pub fn new(model: &Model, contract: &Contract) -> Self {
        let names: Vec<String> = model.graph.outputs.iter().map(|id| model.graph.value(*id).name.clone()).collect();
        let place = |name: &Option<String>| names.iter().position(|output| Some(output) == name.as_ref());
        let own = derive::class_labels(&model.graph);
        let labels: Arc<[String]> = if contract.labels.is_empty() { own.clone().into() } else { contract.labels.clone().into() };
        let is_reordered = own.len() == labels.len() && own.iter().all(|label| labels.contains(label));
        let mut order: Vec<usize> = (0..labels.len()).collect();
        if is_reordered {
            order = own.iter().map(|label| labels.iter().position(|name| name == label).unwrap_or_default()).collect();
        }
        let mut codes = HashMap::new();
        let code = |index: usize| u32::try_from(index).unwrap_or(u32::MAX);
        // What the model itself says comes first, then names, then indices.
        for (class, label) in own.iter().enumerate().filter(|_| own.len() == labels.len()) {
            codes.insert(CompactString::from(label), code(order[class]));
        }
        for (index, label) in labels.iter().enumerate() {
            codes.entry(CompactString::from(label)).or_insert(code(index));
        }
        if own.is_empty() {
            for index in 0..labels.len() {
                codes.entry(CompactString::from(index.to_string())).or_insert(code(index));
            }
        }
        let (prediction, probability) = (place(&contract.prediction_output), place(&contract.probability_output));
        Self { task: contract.task, prediction, probability, names, labels, order, codes }
    }

    /// The labels, as far as contract and model name them.
    pub fn labels(&self) -> &Arc<[String]> {
        &self.labels
    }

    /// Whether `prediction` is a number to be compared with numbers.
    pub fn predicts_number(&self) -> bool {
        self.task == Task::Regression
    }

    /// The index of the label that a table or a person spells as `text`: its name, the model's own, or the same number (`1.0` for `1`).
    pub fn label_code(&self, text: &str) -> Option<u32> {
        let text = text.trim_ascii();
        self.codes.get(text).copied().or_else(|| {
            let whole = crate::data::cell::parse_integer(text).or_else(|| crate::data::cell::parse_boolean(text).map(i64::from))?;
            let mut same_number = self.codes.iter().filter(|(spelled, _)| spelled.parse() == Ok(whole));
            same_number.next().map(|(_, code)| *code)
        })
    }

    /// Reads what a run returned for `n_rows` rows (the outputs may hold more, which stood in to fill a fixed shape).
    pub fn read(&self, outputs: Vec<Value>, n_rows: usize) -> Result<Answers, String> {
        let mut answers = Answers { n_rows, prediction: None, labels: self.labels.clone(), probabilities: Vec::new(), others: Vec::new() };
        let mut label_output = None;
        for (index, value) in outputs.into_iter().enumerate() {
            let name = self.names.get(index).map_or("output", String::as_str);
            let blame = |message: String| format!("output '{name}': {message}");
            if Some(index) == self.probability {
                (answers.labels, answers.probabilities) = self.read_probabilities(&value, n_rows).map_err(blame)?;
            } else if Some(index) == self.prediction {
                label_output = Some(value);
            } else {
                answers.others.append(&mut read_other(name, &value, n_rows).map_err(blame)?);
            }
        }
        answers.prediction = match label_output {
            Some(value) => {
                let name = self.prediction.and_then(|index| self.names.get(index)).map_or("output", String::as_str);
                Some(self.read_prediction(&value, n_rows).map_err(|message| format!("output '{name}': {message}"))?)
            }
            None if answers.probabilities.is_empty() => None,
            None => Some(ColumnData::Label { codes: most_probable(&answers.probabilities, n_rows), names: answers.labels.clone() }),
        };
        Ok(answers)
    }

    fn read_prediction(&self, value: &Value, n_rows: usize) -> Result<ColumnData, String> {
        let tensor = value.as_tensor().ok_or_else(|| format!("expected a tensor with one value per row, found {}", value.describe()))?;
        let mut columns = tensor_columns(tensor, n_rows)?;
        let (Some(data), true) = (columns.pop(), columns.is_empty()) else {
            return Err(format!("expected one value per row, found {}", value.describe()));
        };
        if self.task != Task::Classification || self.labels.is_empty() {
            return Ok(data);
        }
        let codes: Option<Vec<u32>> = match &data {
            ColumnData::Text(texts) => texts.iter().map(|text| self.codes.get(text).copied()).collect(),
            ColumnData::Integer(ids) => {
                let mut printer = itoa::Buffer::new();
                ids.iter().map(|&id| self.codes.get(printer.format(id)).copied()).collect()
            }
            _ => None,
        };
        // A label that nobody named is shown as the model says it.
        Ok(codes.map_or(data, |codes| ColumnData::Label { codes, names: self.labels.clone() }))
    }

    fn read_probabilities(&self, value: &Value, n_rows: usize) -> Result<Probabilities, String> {
        match value {
            Value::Records(records) => {
                let keys: Vec<String> = records.keys.iter().map(ToString::to_string).collect();
                let columns = float_columns(&records.values, n_rows)?;
                self.by_label(&keys, columns)
            }
            Value::Sequence(maps) => {
                let (keys, columns) = columns_of_maps(maps, n_rows)?;
                self.by_label(&keys, columns)
            }
            Value::Tensor(tensor) => {
                let mut columns = float_columns(tensor, n_rows)?;
                if columns.len() == 1 && (self.labels.is_empty() || self.labels.len() == 2) {
                    // One probability: that of the second label.
                    let complement = columns[0].iter().map(|p| 1.0 - p).collect();
                    columns.insert(0, complement);
                }
                let keys: Vec<String> = (0..columns.len()).map(|index| index.to_string()).collect();
                if self.labels.is_empty() {
                    return Ok((keys.into(), columns));
                }
                if columns.len() != self.labels.len() {
                    return Err(format!("{} probabilities per row for {} labels", columns.len(), self.labels.len()));
                }
                let mut by_label = vec![Vec::new(); columns.len()];
                for (class, column) in columns.into_iter().enumerate() {
                    by_label[self.order[class]] = column;
                }
                Ok((self.labels.clone(), by_label))
            }
            other => Err(format!("expected probabilities as a tensor or as maps, found {}", other.describe())),
        }
    }

    fn by_label(&self, keys: &[String], columns: Vec<Vec<f32>>) -> Result<Probabilities, String> {
        if self.labels.is_empty() {
            return Ok((keys.into(), columns));
        }
        let mut by_label = vec![Vec::new(); self.labels.len()];
        for (key, column) in keys.iter().zip(columns) {
            let slot = self.codes.get(key.as_str()).and_then(|&code| by_label.get_mut(code as usize));
            *slot.ok_or_else(|| {
                format!("the probability of '{key}' belongs to none of the labels {}", super::check::names(self.labels.iter().map(String::as_str)))
            })? = column;
        }
        match keys.len() {
            n if n == by_label.len() || n == 0 => Ok((self.labels.clone(), by_label)),
            n => Err(format!("{n} probabilities per row for {} labels", by_label.len())),
        }
    }
}

impl Answers {
    /// The answers as columns of a table: `prediction`, `probability_<label>`, then every other output under its own name.
    pub fn into_columns(self) -> Vec<Column> {
        let mut columns = Vec::with_capacity(1 + self.probabilities.len() + self.others.len());
        if let Some(data) = self.prediction {
            columns.push(Column { name: "prediction".to_owned(), data });
        }
        for (label, probabilities) in self.labels.iter().zip(self.probabilities) {
            columns.push(Column { name: format!("probability_{label}"), data: ColumnData::F32(probabilities) });
        }
        columns.extend(self.others);
        columns
    }
}

fn most_probable(probabilities: &[Vec<f32>], n_rows: usize) -> Vec<u32> {
    let mut best = vec![0_u32; n_rows];
    for (code, column) in (0_u32..).zip(probabilities).skip(1) {
        for (row, &probability) in column.iter().enumerate() {
            // The first of equals, as numpy's argmax.
            if probability > probabilities[best[row] as usize][row] {
                best[row] = code;
            }
        }
    }
    best
}

fn columns_of_maps(maps: &[Value], n_rows: usize) -> Result<(Vec<String>, Vec<Vec<f32>>), String> {
    let entries = |value: &Value| match value {
        Value::Map(entries) => Ok(entries.clone()),
        other => Err(format!("expected a map per row, found {}", other.describe())),
    };
    let Some(first) = maps.first() else { return Ok((Vec::new(), Vec::new())) };
    if maps.len() < n_rows {
        return Err(format!("{} maps for {n_rows} rows", maps.len()));
    }
    let keys: Vec<MapKey> = entries(first)?.into_iter().map(|(key, _)| key).collect();
    let mut columns = vec![Vec::with_capacity(n_rows); keys.len()];
    for map in &maps[..n_rows] {
        let entries = entries(map)?;
        for (key, column) in keys.iter().zip(&mut columns) {
            let value = entries.iter().find(|(other, _)| other == key).and_then(|(_, value)| value.as_tensor());
            let number = value.and_then(|tensor| tensor.to_f32s().ok()?.first().copied());
            column.push(number.ok_or_else(|| format!("a row has no number under the key '{key}'"))?);
        }
    }
    Ok((keys.iter().map(ToString::to_string).collect(), columns))
}

fn read_other(name: &str, value: &Value, n_rows: usize) -> Result<Vec<Column>, String> {
    let (suffixes, columns): (Vec<String>, Vec<ColumnData>) = match value {
        Value::Tensor(tensor) => {
            let columns = tensor_columns(tensor, n_rows)?;
            ((0..columns.len()).map(|index| index.to_string()).collect(), columns)
        }
        Value::Records(records) => {
            let columns = float_columns(&records.values, n_rows)?;
            (records.keys.iter().map(ToString::to_string).collect(), columns.into_iter().map(ColumnData::F32).collect())
        }
        Value::Sequence(maps) => {
            let (keys, columns) = columns_of_maps(maps, n_rows)?;
            (keys, columns.into_iter().map(ColumnData::F32).collect())
        }
        Value::Map(_) | Value::Absent => return Err(format!("{} has no place in a table", value.describe())),
    };
    if let (1, Value::Tensor(_)) = (columns.len(), value) {
        return Ok(columns.into_iter().map(|data| Column { name: name.to_owned(), data }).collect());
    }
    Ok(suffixes.into_iter().zip(columns).map(|(suffix, data)| Column { name: format!("{name}_{suffix}"), data }).collect())
}

fn float_columns(tensor: &Tensor, n_rows: usize) -> Result<Vec<Vec<f32>>, String> {
    let width = row_width(tensor, n_rows)?;
    let values = tensor.to_f32s().map_err(|error| error.to_string())?;
    Ok(transpose(&values, width, n_rows))
}

/// A tensor with a row per row of the table, as columns.
fn tensor_columns(tensor: &Tensor, n_rows: usize) -> Result<Vec<ColumnData>, String> {
    let width = row_width(tensor, n_rows)?;
    let broken = |error: crate::tensor::TensorError| error.to_string();
    Ok(match tensor.element_type() {
        ElementType::String => transpose(tensor.as_strings().map_err(broken)?, width, n_rows).into_iter().map(ColumnData::Text).collect(),
        ElementType::F64 => transpose(&tensor.as_slice::<f64>().map_err(broken)?, width, n_rows).into_iter().map(ColumnData::F64).collect(),
        ElementType::U64 => {
            let texts: Vec<CompactString> =
                tensor.as_slice::<u64>().map_err(broken)?.iter().map(|value| CompactString::from(value.to_string())).collect();
            transpose(&texts, width, n_rows).into_iter().map(ColumnData::Text).collect()
        }
        ElementType::Bool => {
            let values: Vec<i64> = tensor.to_f32s().map_err(broken)?.iter().map(|&value| i64::from(value != 0.0)).collect();
            transpose(&values, width, n_rows).into_iter().map(ColumnData::Integer).collect()
        }
        element_type if element_type.is_int() => {
            transpose(&tensor.to_i64s().map_err(broken)?, width, n_rows).into_iter().map(ColumnData::Integer).collect()
        }
        _ => float_columns(tensor, n_rows)?.into_iter().map(ColumnData::F32).collect(),
    })
}

/// Values per row of a tensor whose first dimension counts rows.
fn row_width(tensor: &Tensor, n_rows: usize) -> Result<usize, String> {
    match tensor.shape() {
        [rows, row_dims @ ..] if *rows >= n_rows => Ok(row_dims.iter().product()),
        _ => Err(format!("{tensor:?} does not have a value for each of {n_rows} rows")),
    }
}

fn transpose<T: Clone>(values: &[T], width: usize, n_rows: usize) -> Vec<Vec<T>> {
    (0..width).map(|column| values.iter().skip(column).step_by(width).take(n_rows).cloned().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::testing::{node, output, tensor_type};
    use crate::graph::Attribute;
    use crate::tensor::Records;

    /// A classifier with the classes 0, 1, 2 of its own.
    fn classifier(labels: &[&str]) -> OutputLayout {
        let mut model = Model::default();
        output(&mut model.graph, "label", tensor_type(ElementType::I64, &[None]));
        output(&mut model.graph, "probabilities", tensor_type(ElementType::F32, &[None, Some(3)]));
        let mut classifier = node(&mut model.graph, "TreeEnsembleClassifier", &["x"], &["label", "probabilities"]);
        classifier.attributes.0.insert("classlabels_int64s".to_owned(), Attribute::Ints(vec![0, 1, 2]));
        model.graph.nodes.push(classifier);
        let contract = Contract {
            task: Task::Classification,
            labels: labels.iter().map(|&label| label.to_owned()).collect(),
            prediction_output: Some("label".to_owned()),
            probability_output: Some("probabilities".to_owned()),
            ..Contract::default()
        };
        OutputLayout::new(&model, &contract)
    }

    fn outputs() -> Vec<Value> {
        let labels = Tensor::from_vec(&[2], vec![2_i64, 0]).unwrap();
        let probabilities = Tensor::from_vec(&[2, 3], vec![0.1_f32, 0.2, 0.7, 0.5, 0.3, 0.2]).unwrap();
        vec![labels.into(), probabilities.into()]
    }

    fn label_texts(answers: &Answers) -> Vec<String> {
        let mut printer = crate::data::column::NumberPrinter::default();
        let prediction = answers.prediction.as_ref().unwrap();
        (0..answers.n_rows).map(|row| prediction.text(row, &mut printer).to_owned()).collect()
    }

    #[test]
    fn class_ids_become_the_names_at_their_place() {
        let answers = classifier(&["setosa", "versicolor", "virginica"]).read(outputs(), 2).unwrap();
        assert_eq!(label_texts(&answers), ["virginica", "setosa"]);
        assert_eq!(answers.probabilities, [[0.1, 0.5], [0.2, 0.3], [0.7, 0.2]]);
        let columns: Vec<_> = answers.into_columns().into_iter().map(|column| column.name).collect();
        assert_eq!(columns, ["prediction", "probability_setosa", "probability_versicolor", "probability_virginica"]);
    }

    #[test]
    fn labels_in_another_order_take_their_probabilities_along() {
        let layout = classifier(&["2", "0", "1"]);
        let answers = layout.read(outputs(), 2).unwrap();
        assert_eq!(label_texts(&answers), ["2", "0"]);
        assert_eq!(answers.probabilities, [[0.7, 0.2], [0.1, 0.5], [0.2, 0.3]]);
        assert_eq!((layout.label_code("2"), layout.label_code("1.0"), layout.label_code("x")), (Some(0), Some(2), None));
        // Of four rows only the first two are real.
        assert_eq!(classifier(&[]).read(outputs(), 1).unwrap().probabilities, [[0.1], [0.2], [0.7]]);
    }

    #[test]
    fn maps_and_records_read_the_same() {
        let keys: Arc<[MapKey]> = [2, 0, 1].map(MapKey::Int).into();
        let values = Tensor::from_vec(&[1, 3], vec![0.7_f32, 0.1, 0.2]).unwrap();
        let number = |value: f32| Value::Tensor(Tensor::scalar(value));
        let map = Value::Map(vec![(MapKey::Int(2), number(0.7)), (MapKey::Int(0), number(0.1)), (MapKey::Int(1), number(0.2))]);
        let label = || Value::Tensor(Tensor::from_vec(&[1], vec![2_i64]).unwrap());
        let layout = classifier(&["a", "b", "c"]);
        let from_records = layout.read(vec![label(), Value::Records(Records { keys, values })], 1).unwrap();
        let from_maps = layout.read(vec![label(), Value::Sequence(vec![map])], 1).unwrap();
        assert_eq!(from_records, from_maps);
        assert_eq!(from_maps.probabilities, [[0.1], [0.2], [0.7]]);
    }

    fn layout_of(outputs: &[&str], contract: &Contract) -> OutputLayout {
        let mut model = Model::default();
        for name in outputs {
            output(&mut model.graph, name, tensor_type(ElementType::F32, &[None]));
        }
        OutputLayout::new(&model, contract)
    }

    #[test]
    fn one_probability_is_that_of_the_second_label() {
        let contract = Contract {
            task: Task::Classification,
            labels: vec!["no".to_owned(), "yes".to_owned()],
            probability_output: Some("p".to_owned()),
            ..Contract::default()
        };
        let answers = layout_of(&["p"], &contract).read(vec![Tensor::from_vec(&[2, 1], vec![0.75_f32, 0.25]).unwrap().into()], 2).unwrap();
        assert_eq!(answers.probabilities, [[0.25, 0.75], [0.75, 0.25]]);
        assert_eq!(label_texts(&answers), ["yes", "no"]);
    }

    #[test]
    fn numbers_and_anything_else_keep_their_names() {
        let contract = Contract { task: Task::Regression, prediction_output: Some("y".to_owned()), ..Contract::default() };
        let layout = layout_of(&["y", "embedding"], &contract);
        let embedding = Tensor::from_vec(&[2, 2], vec![1.0_f32, 2.0, 3.0, 4.0]).unwrap();
        let answers = layout.read(vec![Tensor::from_vec(&[2, 1], vec![0.5_f32, 1.5]).unwrap().into(), embedding.into()], 2).unwrap();
        assert_eq!(answers.prediction, Some(ColumnData::F32(vec![0.5, 1.5])));
        let columns: Vec<_> = answers.into_columns().into_iter().map(|column| column.name).collect();
        assert_eq!(columns, ["prediction", "embedding_0", "embedding_1"]);
    }

    #[test]
    fn outputs_that_do_not_go_with_the_rows_are_errors() {
        let layout = layout_of(&["y"], &Contract::default());
        let error = layout.read(vec![Tensor::from_vec(&[1], vec![1.0_f32]).unwrap().into()], 2).unwrap_err();
        assert_eq!(error, "output 'y': float32[1] does not have a value for each of 2 rows");
        let labels = layout_of(
            &["p"],
            &Contract {
                task: Task::Classification,
                labels: vec!["a".into(), "b".into(), "c".into()],
                probability_output: Some("p".into()),
                ..Contract::default()
            },
        );
        let error = labels.read(vec![Tensor::from_vec(&[1, 2], vec![0.5_f32, 0.5]).unwrap().into()], 1).unwrap_err();
        assert_eq!(error, "output 'p': 2 probabilities per row for 3 labels");
    }
}
