//! Contracts as TOML text: beside a model, and within its metadata.

use std::path::{Path, PathBuf};

use super::{Contract, ContractError};
use crate::graph::Model;

/// The key of the contract in a model's `metadata_props`.
pub const METADATA_KEY: &str = "drydock.contract";

/// A contract is written by people; a file larger than this is none.
const MAX_BYTES: u64 = 16 << 20;

/// Where the contract of a model file stands: `fraud.onnx` → `fraud.drydock.toml`, beside it.
pub fn sidecar_path(model: &Path) -> PathBuf {
    let mut name = model.file_stem().unwrap_or_default().to_owned();
    name.push(".drydock.toml");
    model.with_file_name(name)
}

/// The contract beside a model, if there is one.
pub(super) fn read_sidecar(model: &Path) -> Result<Option<(Contract, PathBuf)>, ContractError> {
    let path = sidecar_path(model);
    let io_error = |source| ContractError::Io { path: path.clone(), source };
    let text = match std::fs::metadata(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error(error)),
        Ok(metadata) if metadata.len() > MAX_BYTES => {
            let message = format!("a contract of {} MB was not expected; its limit is {} MB", metadata.len() >> 20, MAX_BYTES >> 20);
            return Err(ContractError::Malformed { place: path.display().to_string(), message });
        }
        Ok(_) => std::fs::read_to_string(&path).map_err(io_error)?,
    };
    let contract = Contract::from_toml(&text, &path.display().to_string())?;
    Ok(Some((contract, path)))
}

/// The contract within a model's metadata, if there is one.
pub(super) fn read_metadata(model: &Model, path: &Path) -> Result<Option<Contract>, ContractError> {
    let text = model.metadata_value(METADATA_KEY);
    text.map(|text| Contract::from_toml(text, &format!("{}: metadata '{METADATA_KEY}'", path.display()))).transpose()
}

impl Contract {
    /// Reads a contract; `place` names it in errors.
    pub fn from_toml(text: &str, place: &str) -> Result<Self, ContractError> {
        toml::from_str(text).map_err(|error| {
            let line = error.span().and_then(|span| text.get(..span.start)).map(|before| before.matches('\n').count() + 1);
            let at_line = line.map_or_else(String::new, |line| format!("line {line}: "));
            ContractError::Malformed { place: place.to_owned(), message: format!("{at_line}{}", error.message()) }
        })
    }

    pub fn to_toml(&self) -> Result<String, ContractError> {
        toml::to_string(self).map_err(|error| ContractError::Malformed { place: "the contract".to_owned(), message: error.to_string() })
    }

    /// Writes the contract beside a model, in place of what stands there.
    pub fn write_sidecar(&self, model: &Path) -> Result<PathBuf, ContractError> {
        let path = sidecar_path(model);
        let text = self.to_toml()?;
        let io_error = |source| ContractError::Io { path: path.clone(), source };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
        let file = tempfile::NamedTempFile::new_in(folder).map_err(io_error)?;
        std::fs::write(file.path(), text).map_err(io_error)?;
        file.persist(&path).map_err(|error| io_error(error.error))?;
        Ok(path)
    }

    /// Puts the contract into a model's metadata, in place of one that is there.
    pub fn store_in(&self, model: &mut Model) -> Result<(), ContractError> {
        let text = self.to_toml()?;
        match model.metadata.iter_mut().find(|(key, _)| key == METADATA_KEY) {
            Some((_, value)) => *value = text,
            None => model.metadata.push((METADATA_KEY.to_owned(), text)),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Column, ColumnKind, Task};

    fn sample() -> Contract {
        Contract {
            name: Some("fraud".to_owned()),
            version: Some(2),
            task: Task::Classification,
            labels: vec!["no".to_owned(), "yes".to_owned()],
            columns: vec![Column { name: "amount".to_owned(), input: "x".to_owned(), kind: ColumnKind::Number, min: Some(0.0), ..Column::default() }],
            ..Contract::default()
        }
    }

    #[test]
    fn a_contract_survives_its_text() {
        let text = sample().to_toml().unwrap();
        assert_eq!(Contract::from_toml(&text, "here").unwrap(), sample());
        assert!(text.contains("[[column]]"), "{text}");
    }

    #[test]
    fn a_key_that_nobody_knows_names_its_line() {
        let error = Contract::from_toml("name = \"a\"\ntsak = \"regression\"\n", "m.drydock.toml").unwrap_err().to_string();
        assert!(error.starts_with("m.drydock.toml: line 2: unknown field `tsak`"), "{error}");
    }

    #[test]
    fn the_sidecar_stands_beside_the_model() {
        let folder = tempfile::tempdir().unwrap();
        let model = folder.path().join("fraud.v2.onnx");
        assert!(read_sidecar(&model).unwrap().is_none());
        let path = sample().write_sidecar(&model).unwrap();
        assert_eq!(path, folder.path().join("fraud.v2.drydock.toml"));
        assert_eq!(read_sidecar(&model).unwrap().unwrap().0, sample());
    }

    #[test]
    fn metadata_holds_one_contract() {
        let mut model = Model::default();
        sample().store_in(&mut model).unwrap();
        sample().store_in(&mut model).unwrap();
        assert_eq!(model.metadata.len(), 1);
        assert_eq!(read_metadata(&model, Path::new("m.onnx")).unwrap(), Some(sample()));
    }
}
