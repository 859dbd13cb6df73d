//! Models and their versions: adding, finding, removing.

use std::collections::BTreeSet;
use std::path::PathBuf;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::blobs::{self, BlobFile, BlobKey, BlobLock};
use super::error::Stop;
use super::{Lineage, ModelReference, RecordedMachine, Registry, RegistryError, Which, aliases, check_model_name, now, who};
use crate::contract::{ContractSource, did_you_mean, names};
use crate::model::OpenModel;
use crate::task::TaskCtx;

/// What came of adding a model.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Added {
    pub name: String,
    pub version: u32,
    pub hash: String,
    /// `false`: this content is that version already.
    pub is_new: bool,
}

/// A version that was found, with where its files lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub name: String,
    pub version: u32,
    pub sha256: String,
    /// The model's file; external data and contract lie beside it.
    pub path: PathBuf,
    pub(super) key: BlobKey,
    pub(super) files: Vec<BlobFile>,
}

impl Found {
    /// Of the contract beside the model; empty without one.
    pub fn contract_sha256(&self) -> &str {
        &self.key.contract_sha256
    }
}

/// What came of removing.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Removed {
    pub name: String,
    pub versions: Vec<u32>,
    /// Aliases that pointed there and are gone too.
    pub aliases: Vec<String>,
}

impl Removed {
    /// What happened, in a sentence.
    pub fn sentence(&self) -> String {
        let versions: Vec<String> = self.versions.iter().map(|version| format!("v{version}")).collect();
        let versions = if versions.is_empty() { "without versions".to_owned() } else { versions.join(", ") };
        match self.aliases.as_slice() {
            [] => format!("{} {versions} was removed", self.name),
            aliases => format!("{} {versions} was removed, and with it {}", self.name, aliases.join(", ")),
        }
    }
}

impl Registry {
    /// Adds an opened model as a version, unless the same content (model and contract) is one already. The files are on the disk before the
    /// record is, and the record is before this returns.
    pub fn add(&self, ctx: &TaskCtx, model: &OpenModel, name: &str, lineage: &Lineage) -> Result<Added, RegistryError> {
        check_model_name(name)?;
        let contract = contract_beside(model)?;
        let contract = contract.as_deref();
        let key = BlobKey::of(&model.content, contract);
        let files = blobs::files_of(&model.content, contract);
        let source = model.argument();
        let source = if source.exists() { std::path::absolute(&source).unwrap_or(source) } else { source }.display().to_string();
        let _lock = BlobLock::shared(&self.home)?;
        blobs::write(ctx, &self.home, &model.content, contract)?;
        ctx.checkpoint()?;
        self.store.write(|connection| add(connection, name, &key, &files, &source, lineage))
    }

    /// The version that a reference means.
    pub fn find(&self, reference: &ModelReference) -> Result<Found, RegistryError> {
        let (version, key, files) = self.store.read(|connection| {
            let model = model_id(connection, &reference.name)?;
            let version = version_of(connection, model, reference)?;
            let (id, key) = version_key(connection, model, version)?;
            Ok((version, key, files(connection, id)?))
        })?;
        Ok(self.found(&reference.name, version, key, files))
    }

    /// Whether the files of a version are what was recorded. The error names the file, and the way out.
    pub fn check_files(&self, ctx: &TaskCtx, found: &Found) -> Result<(), RegistryError> {
        match blobs::damage(ctx, &self.home, &found.key, &found.files)? {
            None => Ok(()),
            Some(damage) => Err(RegistryError::Damaged(format!(
                "{}:{}: {damage}; add the same file again (drydock models add FILE --name {}), which mends it",
                found.name, found.version, found.name
            ))),
        }
    }

    /// Removes a version, or with [`Which::Latest`] in `reference` the whole model with its history. A version that an alias holds only by force.
    pub fn remove(&self, reference: &ModelReference, is_forced: bool) -> Result<Removed, RegistryError> {
        let removed = self.store.write(|connection| remove(connection, reference, is_forced))?;
        blobs::collect(&self.home, || self.store.read(recorded))?;
        Ok(removed)
    }
}

/// The text of the contract beside a model.
fn contract_beside(model: &OpenModel) -> Result<Option<String>, RegistryError> {
    match &model.contract_source {
        ContractSource::Sidecar(path) => std::fs::read_to_string(path).map(Some).map_err(RegistryError::io(path)),
        ContractSource::Metadata | ContractSource::Signature => Ok(None),
    }
}

fn add(connection: &Connection, name: &str, key: &BlobKey, files: &[BlobFile], source: &str, lineage: &Lineage) -> Result<Added, Stop> {
    let (date, who, machine) = (now(), who(), RecordedMachine::here());
    connection.execute("INSERT INTO models (name, created, last_version) VALUES (?, ?, 0) ON CONFLICT (name) DO NOTHING", params![name, date])?;
    let model = model_id(connection, name)?;
    let known: Option<(i64, u32)> = connection
        .query_row(
            "SELECT id, version FROM versions WHERE model_id = ? AND sha256 = ? AND contract_sha256 = ?",
            params![model, key.sha256, key.contract_sha256],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let added = |version, is_new| Added { name: name.to_owned(), version, hash: key.sha256.clone(), is_new };
    if let Some((id, version)) = known {
        // What is said of where it comes from only now is kept; what was said before stands.
        connection.execute(
            "UPDATE versions SET parent_sha256 = coalesce(parent_sha256, ?2), recipe = coalesce(recipe, ?3),
             recipe_sha256 = coalesce(recipe_sha256, ?4), data = coalesce(data, ?5), data_sha256 = coalesce(data_sha256, ?6) WHERE id = ?1",
            params![id, lineage.parent_sha256, lineage.recipe, lineage.recipe_sha256, lineage.data, lineage.data_sha256],
        )?;
        return Ok(added(version, false));
    }
    let version: u32 =
        connection.query_row("UPDATE models SET last_version = last_version + 1 WHERE id = ? RETURNING last_version", [model], |row| row.get(0))?;
    let n_bytes = files.iter().map(|file| file.n_bytes).sum::<u64>();
    connection.execute(
        "INSERT INTO versions (model_id, version, sha256, contract_sha256, n_bytes, added, added_by, source, parent_sha256, recipe, recipe_sha256,
         data, data_sha256, machine_id, machine) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            model,
            version,
            key.sha256,
            key.contract_sha256,
            integer(n_bytes),
            date,
            who,
            source,
            lineage.parent_sha256,
            lineage.recipe,
            lineage.recipe_sha256,
            lineage.data,
            lineage.data_sha256,
            machine.id,
            machine.description
        ],
    )?;
    let id = connection.last_insert_rowid();
    for file in files {
        connection.execute(
            "INSERT INTO version_files (version_id, location, n_bytes, sha256) VALUES (?, ?, ?, ?)",
            params![id, file.location, integer(file.n_bytes), file.sha256],
        )?;
    }
    Ok(added(version, true))
}

fn integer(n_bytes: u64) -> i64 {
    i64::try_from(n_bytes).unwrap_or(i64::MAX)
}

/// The record of a model, or an error with the nearest name.
pub(super) fn model_id(connection: &Connection, name: &str) -> Result<i64, Stop> {
    let id = connection.query_row("SELECT id FROM models WHERE name = ?", [name], |row| row.get(0)).optional()?;
    if let Some(id) = id {
        return Ok(id);
    }
    let known = texts(connection, "SELECT name FROM models ORDER BY name", [])?;
    let known = || known.iter().map(String::as_str);
    let there = if known().next().is_none() { "it is empty".to_owned() } else { format!("it has {}", names(known())) };
    let hint = did_you_mean(name, known());
    Err(RegistryError::refused(format!("the registry has no model '{name}'{hint}; {there}; add one with: drydock models add FILE --name {name}"))
        .into())
}

/// The number of the version that a reference means.
pub(super) fn version_of(connection: &Connection, model: i64, reference: &ModelReference) -> Result<u32, Stop> {
    let name = &reference.name;
    let versions = versions(connection, model)?;
    match &reference.which {
        Which::Latest => versions.last().copied().ok_or_else(|| RegistryError::refused(format!("'{name}' has no version any more")).into()),
        Which::Version(version) if versions.contains(version) => Ok(*version),
        Which::Version(version) => {
            let known: Vec<String> = versions.iter().map(u32::to_string).collect();
            let there = names(known.iter().map(String::as_str));
            Err(RegistryError::refused(format!("'{name}' has no version {version}; its versions are {there}")).into())
        }
        Which::Alias(alias) => aliases::target(connection, model, name, alias),
    }
}

pub(super) fn versions(connection: &Connection, model: i64) -> Result<Vec<u32>, Stop> {
    let mut statement = connection.prepare("SELECT version FROM versions WHERE model_id = ? ORDER BY version")?;
    Ok(statement.query_map([model], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

pub(super) fn version_key(connection: &Connection, model: i64, version: u32) -> Result<(i64, BlobKey), Stop> {
    let row = |row: &Row<'_>| Ok((row.get(0)?, BlobKey { sha256: row.get(1)?, contract_sha256: row.get(2)? }));
    let statement = "SELECT id, sha256, contract_sha256 FROM versions WHERE model_id = ? AND version = ?";
    Ok(connection.query_row(statement, params![model, version], row)?)
}

pub(super) fn files(connection: &Connection, version_id: i64) -> Result<Vec<BlobFile>, Stop> {
    let mut statement = connection.prepare("SELECT location, n_bytes, sha256 FROM version_files WHERE version_id = ? ORDER BY location")?;
    let file = |row: &Row<'_>| {
        Ok(BlobFile { location: row.get(0)?, n_bytes: u64::try_from(row.get::<_, i64>(1)?).unwrap_or_default(), sha256: row.get(2)? })
    };
    Ok(statement.query_map([version_id], file)?.collect::<Result<_, _>>()?)
}

pub(super) fn texts(connection: &Connection, statement: &str, parameters: impl rusqlite::Params) -> Result<Vec<String>, Stop> {
    let mut statement = connection.prepare(statement)?;
    Ok(statement.query_map(parameters, |row| row.get(0))?.collect::<Result<_, _>>()?)
}

/// Contents that records refer to.
fn recorded(connection: &Connection) -> Result<BTreeSet<BlobKey>, Stop> {
    let mut statement = connection.prepare("SELECT sha256, contract_sha256 FROM versions")?;
    let keys = statement.query_map([], |row| Ok(BlobKey { sha256: row.get(0)?, contract_sha256: row.get(1)? }))?;
    Ok(keys.collect::<Result<_, _>>()?)
}

fn remove(connection: &Connection, reference: &ModelReference, is_forced: bool) -> Result<Removed, Stop> {
    let name = &reference.name;
    let model = model_id(connection, name)?;
    let removed = match &reference.which {
        Which::Latest => versions(connection, model)?,
        _ => vec![version_of(connection, model, reference)?],
    };
    let mut held = Vec::new();
    for version in &removed {
        let statement = "SELECT alias FROM aliases WHERE model_id = ? AND version = ? ORDER BY alias";
        held.extend(texts(connection, statement, params![model, version])?.into_iter().map(|alias| (alias, *version)));
    }
    if let (false, Some((alias, version))) = (is_forced, held.first()) {
        return Err(RegistryError::refused(format!(
            "version {version} of '{name}' is held by the alias '{alias}'; move the alias first, or remove both with --force"
        ))
        .into());
    }
    for (alias, version) in &held {
        aliases::forget(connection, model, alias, Some(*version), "its version was removed")?;
    }
    if reference.which == Which::Latest {
        connection.execute("DELETE FROM models WHERE id = ?", [model])?;
    } else {
        for version in &removed {
            connection.execute("DELETE FROM versions WHERE model_id = ? AND version = ?", params![model, version])?;
        }
    }
    Ok(Removed { name: name.clone(), versions: removed, aliases: held.into_iter().map(|(alias, _)| alias).collect() })
}
