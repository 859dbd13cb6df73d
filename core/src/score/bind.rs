//! Decides how a table feeds a model: by the user's word, by the contract, by the names of the inputs, or by the order of the columns.

use super::{Binding, BoundColumn, ScoreError, ScoreRequest};
use crate::contract::{Column, ContractSource, InputLayout, did_you_mean, names};
use crate::data::TableInfo;
use crate::model::OpenModel;

/// Decides how a table feeds a model. Cheap: faces call it whenever a file is chosen.
pub fn bind(model: &OpenModel, table: &TableInfo, request: &ScoreRequest) -> Result<Binding, ScoreError> {
    let table_names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    let binder = Binder { model, table, names: &table_names, request };
    let label = binder.label()?;
    let (columns, decided_by) = binder.columns(label.as_deref())?;
    let unused = table_names
        .iter()
        .enumerate()
        .filter(|(index, name)| !columns.iter().any(|column| column.table_index == *index) && label.as_deref() != Some(**name));
    let unused = unused.map(|(_, name)| (*name).to_owned()).collect();
    let binding = Binding { columns, label, unused, decided_by };
    InputLayout::new(&model.model, &binding.feature_columns(model)).map_err(|message| binder.error(&message))?;
    Ok(binding)
}

impl Binding {
    /// The bound columns as the contract describes the places that they feed.
    pub fn feature_columns(&self, model: &OpenModel) -> Vec<Column> {
        let described = |bound: &BoundColumn| {
            let same_place = |column: &&Column| column.input == bound.input && column.position == bound.position;
            let column = model.contract.columns.iter().find(same_place).cloned().unwrap_or_default();
            Column { name: bound.column.clone(), input: bound.input.clone(), position: bound.position, ..column }
        };
        self.columns.iter().map(described).collect()
    }
}

struct Binder<'a> {
    model: &'a OpenModel,
    table: &'a TableInfo,
    names: &'a [&'a str],
    request: &'a ScoreRequest,
}

impl Binder<'_> {
    fn error(&self, message: &str) -> ScoreError {
        ScoreError::Binding(format!("{}: {message}", self.table.path.display()))
    }

    fn index(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|candidate| *candidate == name)
    }

    fn required_index(&self, name: &str, role: &str) -> Result<usize, ScoreError> {
        self.index(name).ok_or_else(|| {
            let hint = did_you_mean(name, self.names.iter().copied());
            self.error(&format!("there is no column '{name}'{hint}, which {role} names; the columns are {}", names(self.names.iter().copied())))
        })
    }

    fn label(&self) -> Result<Option<String>, ScoreError> {
        match (&self.request.label, &self.model.contract.target) {
            (Some(label), _) => {
                self.required_index(label, "--label")?;
                Ok(Some(label.clone()))
            }
            (None, Some(target)) => Ok(self.index(target).map(|_| target.clone())),
            (None, None) => Ok(None),
        }
    }

    fn columns(&self, label: Option<&str>) -> Result<(Vec<BoundColumn>, String), ScoreError> {
        if self.request.columns.is_some() || !self.request.bind.is_empty() {
            return self.by_request();
        }
        let contract = &self.model.contract;
        if self.model.contract_source != ContractSource::Signature && !contract.columns.is_empty() {
            return Ok((self.by_contract()?, "the contract".to_owned()));
        }
        if !contract.columns.is_empty() && contract.columns.iter().all(|column| self.index(&column.name).is_some()) {
            return Ok((self.by_contract()?, "the names of the inputs".to_owned()));
        }
        if let Some(columns) = self.by_order(label) {
            return Ok((columns, "the order of the columns in the file".to_owned()));
        }
        Err(self.mismatch(label))
    }

    fn by_request(&self) -> Result<(Vec<BoundColumn>, String), ScoreError> {
        let graph = &self.model.model.graph;
        let inputs: Vec<&str> = graph.required_inputs().map(|id| graph.value(id).name.as_str()).collect();
        let mut words: Vec<(&str, &[String], &str)> = Vec::new();
        if let Some(columns) = &self.request.columns {
            let [input] = inputs[..] else {
                let message = format!(
                    "--columns feeds a model with one input, but this one has {}: {}; use --bind INPUT=a,b,…",
                    inputs.len(),
                    names(inputs.iter().copied())
                );
                return Err(self.error(&message));
            };
            words.push((input, columns, "--columns"));
        }
        for (input, columns) in &self.request.bind {
            if graph.find_value(input).is_none_or(|id| !graph.inputs.contains(&id)) {
                let known = graph.inputs.iter().map(|id| graph.value(*id).name.as_str());
                let hint = did_you_mean(input, known.clone());
                return Err(self.error(&format!("the model has no input '{input}'{hint}, which --bind names; its inputs are {}", names(known))));
            }
            if words.iter().any(|(other, ..)| other == input) {
                return Err(self.error(&format!("the input '{input}' is bound twice")));
            }
            words.push((input, columns, "--bind"));
        }
        let mut bound = Vec::new();
        for (input, columns, word) in &words {
            for (position, column) in columns.iter().enumerate() {
                let table_index = self.required_index(column, word)?;
                bound.push(BoundColumn { column: column.clone(), table_index, input: (*input).to_owned(), position });
            }
        }
        // What the user's word leaves open, the contract or the inputs' names decide.
        for column in &self.model.contract.columns {
            if inputs.contains(&column.input.as_str()) && !words.iter().any(|(input, ..)| *input == column.input) {
                let table_index = self.required_index(&column.name, &format!("the contract for input '{}'", column.input))?;
                bound.push(BoundColumn { column: column.name.clone(), table_index, input: column.input.clone(), position: column.position });
            }
        }
        let decided_by = if self.request.columns.is_some() { "--columns" } else { "--bind" };
        Ok((bound, decided_by.to_owned()))
    }

    fn by_contract(&self) -> Result<Vec<BoundColumn>, ScoreError> {
        let contract = &self.model.contract;
        let bound = contract.columns.iter().map(|column| {
            let table_index = self.index(&column.name)?;
            Some(BoundColumn { column: column.name.clone(), table_index, input: column.input.clone(), position: column.position })
        });
        bound.collect::<Option<Vec<_>>>().ok_or_else(|| self.mismatch(contract.target.as_deref()))
    }

    /// A single `[N, F]` input, and exactly F columns beside the label.
    fn by_order(&self, label: Option<&str>) -> Option<Vec<BoundColumn>> {
        let graph = &self.model.model.graph;
        let mut inputs = graph.required_inputs();
        let (id, None) = (inputs.next()?, inputs.next()) else { return None };
        let info = graph.value(id);
        let (_, shape) = info.value_type.as_ref()?.as_tensor()?;
        let n_features = shape.dims()?.get(1..)?.iter().try_fold(1_usize, |product, dim| product.checked_mul(dim.known()?))?;
        let features: Vec<(usize, &&str)> = self.names.iter().enumerate().filter(|(_, name)| Some(**name) != label).collect();
        let bound = |(position, (table_index, name)): (usize, (usize, &&str))| BoundColumn {
            column: (*name).to_owned(),
            table_index,
            input: info.name.clone(),
            position,
        };
        (features.len() == n_features).then(|| features.into_iter().enumerate().map(bound).collect())
    }

    /// What is missing, what is extra, and the nearest names.
    fn mismatch(&self, label: Option<&str>) -> ScoreError {
        let columns = &self.model.contract.columns;
        let missing: Vec<&str> = columns.iter().map(|column| column.name.as_str()).filter(|name| self.index(name).is_none()).collect();
        let extra: Vec<&str> =
            self.names.iter().copied().filter(|name| Some(*name) != label && !columns.iter().any(|column| column.name == *name)).collect();
        let mut message = "the table does not feed the model".to_owned();
        if columns.is_empty() {
            let graph = &self.model.model.graph;
            let inputs = graph.required_inputs().map(|id| {
                let info = graph.value(id);
                format!("'{}' ({})", info.name, info.value_type.as_ref().map_or_else(|| "unknown type".to_owned(), ToString::to_string))
            });
            message.push_str(&format!("; its inputs are {}", inputs.collect::<Vec<_>>().join(", ")));
        } else {
            const HINTED: usize = 12;
            let hinted: Vec<String> =
                missing.iter().take(HINTED).map(|name| format!("'{name}'{}", did_you_mean(name, extra.iter().copied()))).collect();
            let more = if missing.len() > HINTED { format!(" and {} more", missing.len() - HINTED) } else { String::new() };
            message.push_str(&format!("; missing: {}{more}", hinted.join(", ")));
        }
        message.push_str(&format!(
            "; columns that feed nothing: {}; name the columns with --columns a,b,… or --bind INPUT=a,b,…, or write a contract",
            names(extra.into_iter())
        ));
        self.error(&message)
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::contract::testing::{float_model, input, tensor_type};
    use crate::contract::{Contract, Task};
    use crate::data::{Compression, TableColumn, TableColumnKind, TableFormat};
    use crate::graph::Model;
    use crate::host::ElementType;
    use crate::tensor::Device;

    fn open(model: Model, contract: Option<Contract>) -> OpenModel {
        let (derived, derived_source) = Contract::for_model(&model, std::path::Path::new("/nowhere/m.onnx")).unwrap();
        let contract_source = if contract.is_some() { ContractSource::Metadata } else { derived_source };
        OpenModel::from_parts(PathBuf::from("m.onnx"), 0, model, (contract.unwrap_or(derived), contract_source), Device::Cpu)
    }

    fn table(names: &[&str]) -> TableInfo {
        let column = |name: &&str| TableColumn { name: (*name).to_owned(), kind: TableColumnKind::Number, n_missing: 0, n_seen: 1 };
        TableInfo {
            path: PathBuf::from("t.csv"),
            format: TableFormat::Csv { delimiter: b',' },
            compression: Compression::None,
            file_bytes: 0,
            rows: None,
            columns: names.iter().map(column).collect(),
            preview: Vec::new(),
        }
    }

    fn contract(names: &[&str]) -> Contract {
        let column = |(position, name): (usize, &&str)| Column {
            name: (*name).to_owned(),
            input: "x".to_owned(),
            position,
            may_be_missing: true,
            ..Column::default()
        };
        Contract {
            columns: names.iter().enumerate().map(column).collect(),
            target: Some("y".to_owned()),
            task: Task::Regression,
            ..Contract::default()
        }
    }

    fn places(binding: &Binding) -> Vec<(&str, usize, usize)> {
        binding.columns.iter().map(|column| (column.column.as_str(), column.table_index, column.position)).collect()
    }

    #[test]
    fn the_contract_finds_its_columns_wherever_they_stand() {
        let model = open(float_model(2), Some(contract(&["a", "b"])));
        let binding = bind(&model, &table(&["id", "b", "y", "a"]), &ScoreRequest::default()).unwrap();
        assert_eq!(places(&binding), [("a", 3, 0), ("b", 1, 1)]);
        assert_eq!(
            (binding.label.as_deref(), binding.unused.as_slice(), binding.decided_by.as_str()),
            (Some("y"), &["id".to_owned()][..], "the contract")
        );
        assert!(binding.feature_columns(&model)[0].may_be_missing);
    }

    #[test]
    fn the_users_word_comes_first() {
        let model = open(float_model(2), Some(contract(&["a", "b"])));
        let request = ScoreRequest { columns: Some(vec!["b".to_owned(), "c".to_owned()]), ..ScoreRequest::default() };
        let binding = bind(&model, &table(&["a", "b", "c"]), &request).unwrap();
        assert_eq!((places(&binding), binding.decided_by.as_str()), (vec![("b", 1, 0), ("c", 2, 1)], "--columns"));
        let request = ScoreRequest { bind: vec![("x".to_owned(), vec!["c".to_owned(), "a".to_owned()])], ..ScoreRequest::default() };
        assert_eq!(places(&bind(&model, &table(&["a", "b", "c"]), &request).unwrap()), [("c", 2, 0), ("a", 0, 1)]);
        let error = |request: ScoreRequest| bind(&model, &table(&["a", "b", "c"]), &request).unwrap_err().to_string();
        let wrong = error(ScoreRequest { columns: Some(vec!["a".to_owned()]), ..ScoreRequest::default() });
        assert_eq!(wrong, "t.csv: the input 'x' (float32[N, 2]) takes 2 features per row, but 1 columns feed it");
        let wrong = error(ScoreRequest { bind: vec![("z".to_owned(), vec![])], ..ScoreRequest::default() });
        assert!(wrong.contains("no input 'z'"), "{wrong}");
        let wrong = error(ScoreRequest { columns: Some(vec!["a".to_owned(), "B".to_owned()]), ..ScoreRequest::default() });
        assert!(wrong.contains("no column 'B' (did you mean 'b'?)"), "{wrong}");
    }

    #[test]
    fn inputs_named_like_columns_need_no_contract() {
        let mut model = Model::default();
        input(&mut model.graph, "age", tensor_type(ElementType::F32, &[None, Some(1)]));
        input(&mut model.graph, "sex", tensor_type(ElementType::String, &[None, Some(1)]));
        let binding = bind(&open(model, None), &table(&["sex", "id", "age"]), &ScoreRequest::default()).unwrap();
        assert_eq!(places(&binding), [("age", 2, 0), ("sex", 0, 0)]);
        assert_eq!(binding.decided_by, "the names of the inputs");
    }

    #[test]
    fn as_many_columns_as_features_bind_in_file_order() {
        let model = open(float_model(2), None);
        let request = ScoreRequest { label: Some("target".to_owned()), ..ScoreRequest::default() };
        let binding = bind(&model, &table(&["p", "target", "q"]), &request).unwrap();
        assert_eq!(places(&binding), [("p", 0, 0), ("q", 2, 1)]);
        assert_eq!(binding.decided_by, "the order of the columns in the file");
        assert!(bind(&model, &table(&["p", "target", "q"]), &ScoreRequest::default()).is_err());
    }

    #[test]
    fn a_mismatch_lists_missing_and_extra_columns_with_the_nearest_names() {
        let model = open(float_model(2), Some(contract(&["age", "amount"])));
        let error = bind(&model, &table(&["Age", "amount", "id"]), &ScoreRequest::default()).unwrap_err().to_string();
        assert!(
            error.starts_with(
                "t.csv: the table does not feed the model; missing: 'age' (did you mean 'Age'?); columns that feed nothing: 'Age', 'id'"
            ),
            "{error}"
        );
        let request = ScoreRequest { label: Some("lable".to_owned()), ..ScoreRequest::default() };
        let error = bind(&model, &table(&["age", "amount", "label"]), &request).unwrap_err().to_string();
        assert!(error.contains("no column 'lable' (did you mean 'label'?), which --label names"), "{error}");
    }
}
