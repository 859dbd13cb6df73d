//! What the registry shows: models with their versions, aliases, lineage, runs and the history of their aliases.

use rusqlite::{Connection, Row};

use super::aliases::{self, AliasMove};
use super::error::Stop;
use super::models::model_id;
use super::runs::{self, RunKind, RunRecord};
use crate::contract::{did_you_mean, names};
use crate::format;

use super::{RecordedMachine, Registry, RegistryError};

/// Runs of a version that a view holds: the newest.
const RUNS_SHOWN: usize = 20;

/// Where a version comes from, as far as that was said when it was added.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Lineage {
    /// The content that it was made from.
    pub parent_sha256: Option<String>,
    /// The text of the recipe: how it was trained, or made from its parent.
    pub recipe: Option<String>,
    pub recipe_sha256: Option<String>,
    /// The path of the data that it was trained on.
    pub data: Option<String>,
    pub data_sha256: Option<String>,
}

/// Everything, as faces show it.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize)]
pub struct RegistryView {
    pub models: Vec<ModelView>,
}

/// A model.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ModelView {
    pub name: String,
    /// Oldest first.
    pub versions: Vec<VersionView>,
    pub aliases: Vec<AliasView>,
    /// Moves of its aliases, newest first.
    pub history: Vec<AliasMove>,
}

/// A version.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct VersionView {
    pub version: u32,
    /// SHA-256 of the model's content.
    pub hash: String,
    pub aliases: Vec<String>,
    /// SHA-256 of the contract that was beside it.
    pub contract_hash: Option<String>,
    /// The model, its external data and its contract.
    pub file_bytes: u64,
    /// RFC 3339, in UTC.
    pub added: String,
    pub added_by: String,
    /// The file that was added.
    pub source: String,
    pub lineage: Lineage,
    pub machine: RecordedMachine,
    /// Newest first, the latest few.
    pub runs: Vec<RunView>,
}

/// A run, without its report.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct RunView {
    pub kind: RunKind,
    pub date: String,
    pub machine: RecordedMachine,
    pub summary: serde_json::Value,
}

/// An alias.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct AliasView {
    pub alias: String,
    /// `None`: protected, and waiting for a version with a passed check.
    pub version: Option<u32>,
    pub is_protected: bool,
}

impl RegistryView {
    pub fn model(&self, name: &str) -> Option<&ModelView> {
        self.models.iter().find(|model| model.name == name)
    }

    /// A model, or an error with the nearest name.
    pub fn named(&self, name: &str) -> Result<&ModelView, RegistryError> {
        self.model(name).ok_or_else(|| {
            let known = || self.models.iter().map(|model| model.name.as_str());
            let there = if known().next().is_none() { "it is empty".to_owned() } else { format!("it has {}", names(known())) };
            let hint = did_you_mean(name, known());
            RegistryError::refused(format!("the registry has no model '{}'{hint}; {there}", name.escape_debug()))
        })
    }

    pub fn n_versions(&self) -> usize {
        self.models.iter().map(|model| model.versions.len()).sum()
    }
}

impl ModelView {
    pub fn version(&self, version: u32) -> Option<&VersionView> {
        self.versions.iter().find(|found| found.version == version)
    }
}

impl ModelView {
    /// Moves of its aliases, or of one, newest first.
    pub fn moves_of(&self, alias: Option<&str>) -> Result<Vec<&AliasMove>, RegistryError> {
        let moves: Vec<&AliasMove> = self.history.iter().filter(|step| alias.is_none_or(|alias| step.alias == alias)).collect();
        match alias {
            Some(alias) if moves.is_empty() => {
                let known: std::collections::BTreeSet<&str> = self.history.iter().map(|step| step.alias.as_str()).collect();
                let hint = did_you_mean(alias, known);
                Err(RegistryError::refused(format!("'{}' never had an alias '{}'{hint}", self.name, alias.escape_debug())))
            }
            _ => Ok(moves),
        }
    }
}

impl RunView {
    /// What came of it, in the few words that a list has room for: `pass, against fraud v1`, `p50 41 µs, not stable`, `agreement 98 % with fraud v1`.
    pub fn result(&self) -> String {
        let value = |key: &str| self.summary.get(key).filter(|value| !value.is_null());
        let text = |key: &str| value(key).and_then(|value| value.as_str()).map(str::to_owned);
        let mut parts = Vec::new();
        parts.extend(text("verdict").map(|verdict| verdict.replace('_', " ")));
        parts.extend(text("against").map(|against| format!("against {against}")));
        if let Some(p50_ms) = value("p50_ms").and_then(serde_json::Value::as_f64) {
            let is_stable = value("stable").and_then(serde_json::Value::as_bool).unwrap_or(true);
            parts.push(format!("p50 {}{}", format::seconds(p50_ms / 1e3), if is_stable { "" } else { ", not stable" }));
        }
        if let Some(agreement) = value("agreement").and_then(serde_json::Value::as_f64) {
            let with = text("with").map_or_else(String::new, |with| format!(" with {with}"));
            parts.push(format!("agreement {}{with}", format::percent(agreement)));
        }
        parts.extend(value("rows").and_then(serde_json::Value::as_u64).map(|rows| format::counted(rows, "row")));
        let metrics = value("metrics").and_then(serde_json::Value::as_object);
        let metric = metrics.and_then(|metrics| metrics.iter().find_map(|(name, value)| Some((name, value.as_f64()?))));
        parts.extend(metric.map(|(name, value)| format!("{name} {}", format::number(value))));
        parts.extend(text("drifted").map(|drifted| format!("drifted {drifted}")));
        parts.join(", ")
    }
}

impl From<RunRecord> for RunView {
    fn from(run: RunRecord) -> Self {
        Self { kind: run.kind, date: run.date, machine: run.machine, summary: run.summary }
    }
}

impl Registry {
    /// Everything there is, by name.
    pub fn view(&self) -> Result<RegistryView, RegistryError> {
        self.store.read(|connection| {
            let mut models = Vec::new();
            for name in super::models::texts(connection, "SELECT name FROM models ORDER BY name", [])? {
                models.push(model(connection, &name)?);
            }
            Ok(RegistryView { models })
        })
    }

    /// One model.
    pub fn model(&self, name: &str) -> Result<ModelView, RegistryError> {
        self.store.read(|connection| model(connection, name))
    }
}

fn model(connection: &Connection, name: &str) -> Result<ModelView, Stop> {
    let id = model_id(connection, name)?;
    let mut statement = connection.prepare("SELECT alias, version, is_protected FROM aliases WHERE model_id = ? ORDER BY alias")?;
    let alias = |row: &Row<'_>| Ok(AliasView { alias: row.get(0)?, version: row.get(1)?, is_protected: row.get(2)? });
    let aliases: Vec<AliasView> = statement.query_map([id], alias)?.collect::<Result<_, _>>()?;
    let mut statement = connection.prepare(
        "SELECT version, sha256, contract_sha256, n_bytes, added, added_by, source, parent_sha256, recipe, recipe_sha256, data, data_sha256,
         machine_id, machine FROM versions WHERE model_id = ? ORDER BY version",
    )?;
    let mut versions: Vec<VersionView> = statement.query_map([id], |row| version(row, &aliases))?.collect::<Result<_, _>>()?;
    for version in &mut versions {
        version.runs = runs::newest(connection, &version.hash, RUNS_SHOWN)?;
    }
    let mut history = aliases::history(connection, id, None)?;
    history.reverse();
    Ok(ModelView { name: name.to_owned(), versions, aliases, history })
}

fn version(row: &Row<'_>, aliases: &[AliasView]) -> rusqlite::Result<VersionView> {
    let version = row.get(0)?;
    let contract: String = row.get(2)?;
    Ok(VersionView {
        version,
        hash: row.get(1)?,
        aliases: aliases.iter().filter(|alias| alias.version == Some(version)).map(|alias| alias.alias.clone()).collect(),
        contract_hash: Some(contract).filter(|hash| !hash.is_empty()),
        file_bytes: u64::try_from(row.get::<_, i64>(3)?).unwrap_or_default(),
        added: row.get(4)?,
        added_by: row.get(5)?,
        source: row.get(6)?,
        lineage: Lineage {
            parent_sha256: row.get(7)?,
            recipe: row.get(8)?,
            recipe_sha256: row.get(9)?,
            data: row.get(10)?,
            data_sha256: row.get(11)?,
        },
        machine: RecordedMachine { id: row.get(12)?, description: row.get(13)? },
        runs: Vec::new(),
    })
}
