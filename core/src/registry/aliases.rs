//! Aliases: names for one version at a time that people and programs rely on, and the history of where they pointed.
//!
//! A protected alias only moves to a version with a recorded check that passed, of exactly its content. Back, it moves without one: where it
//! pointed before, it has been. Every move is kept with its date, who made it and why.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::error::Stop;
use super::models::{self, model_id, texts, version_key, version_of, versions};
use super::runs::{self, RunKind};
use super::{ModelReference, RecordedMachine, Registry, RegistryError, Which, check_alias, now, who};
use crate::contract::{did_you_mean, names};

/// Why an alias pointed elsewhere from then on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MoveKind {
    Set,
    Promote,
    Rollback,
    Remove,
    Protect,
    Unprotect,
}

impl MoveKind {
    const ALL: [Self; 6] = [Self::Set, Self::Promote, Self::Rollback, Self::Remove, Self::Protect, Self::Unprotect];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Set => "set",
            Self::Promote => "promote",
            Self::Rollback => "rollback",
            Self::Remove => "remove",
            Self::Protect => "protect",
            Self::Unprotect => "unprotect",
        }
    }
}

/// One entry in the history of an alias.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct AliasMove {
    pub alias: String,
    pub kind: MoveKind,
    pub from_version: Option<u32>,
    pub to_version: Option<u32>,
    /// RFC 3339, in UTC.
    pub date: String,
    /// `user@host`.
    pub who: String,
    pub reason: Option<String>,
}

/// Where an alias points now.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Moved {
    pub name: String,
    pub alias: String,
    pub from_version: Option<u32>,
    pub version: Option<u32>,
    pub is_protected: bool,
    /// `false`: it was so already.
    pub has_changed: bool,
    /// Worth a line: the check that was relied on, versions that were passed over.
    pub notes: Vec<String>,
}

impl Moved {
    /// What happened, in a sentence.
    pub fn sentence(&self) -> String {
        let (name, alias) = (&self.name, &self.alias);
        let version = |version: Option<u32>| version.map_or_else(|| "no version".to_owned(), |version| format!("v{version}"));
        let (from, to) = (version(self.from_version), version(self.version));
        match (self.has_changed, self.from_version == self.version, self.is_protected) {
            (false, ..) => format!("{alias} of {name} is at {to} already"),
            (true, true, true) => format!("{alias} of {name}, at {to}, is protected now: only a version with a passed check may take it"),
            (true, true, false) => format!("{alias} of {name}, at {to}, is not protected any more"),
            (true, false, _) if self.version.is_none() => format!("{alias} of {name} was removed; it was at {from}"),
            (true, false, _) => format!("{alias} of {name} is at {to} now; before, at {from}"),
        }
    }
}

impl Registry {
    /// Points an alias at a version.
    pub fn set_alias(&self, reference: &ModelReference, alias: &str, kind: MoveKind, reason: Option<&str>) -> Result<Moved, RegistryError> {
        check_alias(alias)?;
        self.store.write(|connection| {
            let model = model_id(connection, &reference.name)?;
            let version = version_of(connection, model, reference)?;
            let (from, is_protected) = current(connection, model, alias)?.unwrap_or_default();
            let mut moved = Moved {
                name: reference.name.clone(),
                alias: alias.to_owned(),
                from_version: from,
                version: Some(version),
                is_protected,
                has_changed: from != Some(version),
                notes: Vec::new(),
            };
            if !moved.has_changed {
                return Ok(moved);
            }
            if is_protected {
                let (_, key) = version_key(connection, model, version)?;
                moved.notes.push(passed_check(connection, &moved, version, &key.sha256)?);
            }
            point(connection, model, alias, kind, (from, Some(version)), reason)?;
            Ok(moved)
        })
    }

    /// Protects an alias, or no longer. One that is not there yet is kept for the first version with a passed check.
    pub fn protect_alias(&self, name: &str, alias: &str, is_protected: bool, reason: Option<&str>) -> Result<Moved, RegistryError> {
        check_alias(alias)?;
        self.store.write(|connection| {
            let model = model_id(connection, name)?;
            let known = current(connection, model, alias)?;
            if known.is_none() && !is_protected {
                return Err(unknown(connection, model, name, alias)?.into());
            }
            let (version, was_protected) = known.unwrap_or_default();
            let moved = Moved {
                name: name.to_owned(),
                alias: alias.to_owned(),
                from_version: version,
                version,
                is_protected,
                has_changed: was_protected != is_protected,
                notes: Vec::new(),
            };
            if moved.has_changed {
                let kind = if is_protected { MoveKind::Protect } else { MoveKind::Unprotect };
                point(connection, model, alias, kind, (version, version), reason)?;
                connection.execute("UPDATE aliases SET is_protected = ? WHERE model_id = ? AND alias = ?", params![is_protected, model, alias])?;
            }
            Ok(moved)
        })
    }

    /// Takes an alias away. A protected one is unprotected first.
    pub fn remove_alias(&self, name: &str, alias: &str, reason: Option<&str>) -> Result<Moved, RegistryError> {
        self.store.write(|connection| {
            let model = model_id(connection, name)?;
            let Some((version, is_protected)) = current(connection, model, alias)? else {
                return Err(unknown(connection, model, name, alias)?.into());
            };
            if is_protected {
                let way_out = format!("unprotect it first: drydock models alias {name} {alias} --unprotect");
                return Err(RegistryError::refused(format!("the alias '{alias}' of '{name}' is protected; {way_out}")).into());
            }
            forget(connection, model, alias, version, reason.unwrap_or_default())?;
            Ok(Moved {
                name: name.to_owned(),
                alias: alias.to_owned(),
                from_version: version,
                version: None,
                is_protected: false,
                has_changed: true,
                notes: Vec::new(),
            })
        })
    }

    /// Points an alias at what it pointed at before. Again: one step further back.
    pub fn roll_back(&self, name: &str, alias: &str, reason: Option<&str>) -> Result<Moved, RegistryError> {
        self.store.write(|connection| {
            let model = model_id(connection, name)?;
            let Some((from, is_protected)) = current(connection, model, alias)? else {
                return Err(unknown(connection, model, name, alias)?.into());
            };
            let there = versions(connection, model)?;
            let mut before = trail(&history(connection, model, Some(alias))?);
            before.pop();
            let mut notes = Vec::new();
            let target = loop {
                match before.pop() {
                    Some(version) if there.contains(&version) && Some(version) != from => break version,
                    Some(version) if Some(version) != from => notes.push(format!("version {version}, where it pointed before, was removed")),
                    Some(_) => {}
                    None => {
                        let note = notes.first().map_or_else(String::new, |note| format!(" ({note})"));
                        let way_out = format!("point it at a version with: drydock models alias {name}:VERSION {alias}");
                        let sentence = format!("the alias '{alias}' of '{name}' has no earlier version to go back to{note}; {way_out}");
                        return Err(RegistryError::refused(sentence).into());
                    }
                }
            };
            point(connection, model, alias, MoveKind::Rollback, (from, Some(target)), reason)?;
            let (name, alias) = (name.to_owned(), alias.to_owned());
            Ok(Moved { name, alias, from_version: from, version: Some(target), is_protected, has_changed: true, notes })
        })
    }

    /// Moves of a model's aliases, or of one, newest first.
    pub fn history(&self, name: &str, alias: Option<&str>) -> Result<Vec<AliasMove>, RegistryError> {
        self.store.read(|connection| {
            let model = model_id(connection, name)?;
            let mut moves = history(connection, model, alias)?;
            if let (Some(alias), true) = (alias, moves.is_empty()) {
                return Err(unknown(connection, model, name, alias)?.into());
            }
            moves.reverse();
            Ok(moves)
        })
    }
}

/// The versions that an alias pointed at one after the other, without those that were rolled back.
fn trail(moves: &[AliasMove]) -> Vec<u32> {
    let mut trail: Vec<u32> = Vec::new();
    for step in moves {
        match (step.kind, step.to_version) {
            (MoveKind::Set | MoveKind::Promote, Some(version)) => trail.push(version),
            (MoveKind::Rollback, Some(version)) => {
                while trail.last().is_some_and(|last| *last != version) {
                    trail.pop();
                }
            }
            // Rolled back past what was kept, or taken away: what comes later begins anew.
            (MoveKind::Remove, _) | (_, None) => trail.clear(),
            (MoveKind::Protect | MoveKind::Unprotect, _) => {}
        }
    }
    trail
}

/// What an alias points at, and whether it is protected; `None`: there is no such alias.
fn current(connection: &Connection, model: i64, alias: &str) -> Result<Option<(Option<u32>, bool)>, Stop> {
    let statement = "SELECT version, is_protected FROM aliases WHERE model_id = ? AND alias = ?";
    Ok(connection.query_row(statement, params![model, alias], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
}

/// The version that an alias points at.
pub(super) fn target(connection: &Connection, model: i64, name: &str, alias: &str) -> Result<u32, Stop> {
    match current(connection, model, alias)? {
        Some((Some(version), _)) => Ok(version),
        Some((None, _)) => {
            let way_out = format!("give it one with: drydock models promote {name}:VERSION {alias}");
            Err(RegistryError::refused(format!("the alias '{alias}' of '{name}' points at no version yet; {way_out}")).into())
        }
        None => Err(unknown(connection, model, name, alias)?.into()),
    }
}

fn unknown(connection: &Connection, model: i64, name: &str, alias: &str) -> Result<RegistryError, Stop> {
    let known = texts(connection, "SELECT alias FROM aliases WHERE model_id = ? ORDER BY alias", [model])?;
    let known = || known.iter().map(String::as_str);
    let there = if known().next().is_none() { "it has none".to_owned() } else { format!("it has {}", names(known())) };
    let (shown, hint) = (alias.escape_debug(), did_you_mean(alias, known()));
    Ok(RegistryError::refused(format!("'{name}' has no alias '{shown}'{hint}; {there}; set one with: drydock models alias {name} ALIAS")))
}

/// What a passed check says for a version, or the refusal that says what to run.
fn passed_check(connection: &Connection, moved: &Moved, version: u32, sha256: &str) -> Result<String, Stop> {
    let (name, alias) = (&moved.name, &moved.alias);
    let checks = runs::runs_of(connection, sha256, Some(RunKind::Check))?;
    let way_out = format!("run: drydock check {name}:{version} (with your budgets), then: drydock models promote {name}:{version} {alias}");
    let refused = |why: &str| {
        let rule = format!("the alias '{alias}' of '{name}' is protected, so only a version with a passed check may take it");
        RegistryError::refused(format!("{rule}; {why}; {way_out}")).into()
    };
    let Some(latest) = checks.first() else { return Err(refused(&format!("version {version} has none"))) };
    if !latest.is_passed_check() {
        return Err(refused(&format!("the latest check of version {version}, on {}, did not pass", latest.date)));
    }
    let elsewhere = if latest.machine == *RecordedMachine::here() { "" } else { ", on another machine" };
    Ok(format!("its check of {} passed{elsewhere} ({})", latest.date, latest.machine.description))
}

/// Points an alias, and keeps that it was done.
fn point(
    connection: &Connection,
    model: i64,
    alias: &str,
    kind: MoveKind,
    (from, to): (Option<u32>, Option<u32>),
    reason: Option<&str>,
) -> Result<(), Stop> {
    connection.execute(
        "INSERT INTO aliases (model_id, alias, version, is_protected) VALUES (?, ?, ?, 0) ON CONFLICT DO UPDATE SET version = excluded.version",
        params![model, alias, to],
    )?;
    keep(connection, model, alias, kind, (from, to), reason)
}

/// Takes an alias away, and keeps that it was done.
pub(super) fn forget(connection: &Connection, model: i64, alias: &str, version: Option<u32>, reason: &str) -> Result<(), Stop> {
    connection.execute("DELETE FROM aliases WHERE model_id = ? AND alias = ?", params![model, alias])?;
    keep(connection, model, alias, MoveKind::Remove, (version, None), Some(reason).filter(|reason| !reason.is_empty()))
}

fn keep(
    connection: &Connection,
    model: i64,
    alias: &str,
    kind: MoveKind,
    (from, to): (Option<u32>, Option<u32>),
    reason: Option<&str>,
) -> Result<(), Stop> {
    connection.execute(
        "INSERT INTO alias_moves (model_id, alias, kind, from_version, to_version, date, who, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        params![model, alias, kind.name(), from, to, now(), who(), reason],
    )?;
    Ok(())
}

/// Oldest first.
pub(super) fn history(connection: &Connection, model: i64, alias: Option<&str>) -> Result<Vec<AliasMove>, Stop> {
    let mut statement = connection.prepare(
        "SELECT alias, kind, from_version, to_version, date, who, reason FROM alias_moves
         WHERE model_id = ?1 AND (?2 IS NULL OR alias = ?2) ORDER BY id",
    )?;
    let entry = |row: &Row<'_>| {
        let kind: String = row.get(1)?;
        let kind = MoveKind::ALL.into_iter().find(|known| known.name() == kind);
        Ok(AliasMove {
            alias: row.get(0)?,
            kind: kind.unwrap_or(MoveKind::Set),
            from_version: row.get(2)?,
            to_version: row.get(3)?,
            date: row.get(4)?,
            who: row.get(5)?,
            reason: row.get(6)?,
        })
    };
    Ok(statement.query_map(params![model, alias], entry)?.collect::<Result<_, _>>()?)
}

/// What does not fit between where aliases point, their history, and the versions there are.
pub(super) fn contradictions(connection: &Connection, model: i64, name: &str) -> Result<Vec<String>, Stop> {
    let mut found = Vec::new();
    let there = models::versions(connection, model)?;
    for alias in texts(connection, "SELECT DISTINCT alias FROM alias_moves WHERE model_id = ? ORDER BY alias", [model])? {
        let moves = history(connection, model, Some(&alias))?;
        let mut at = None;
        for step in &moves {
            if step.from_version != at {
                found.push(format!("'{name}', alias '{alias}': the move of {} does not begin where the one before ended", step.date));
            }
            at = step.to_version;
        }
        let points_at = current(connection, model, &alias)?.and_then(|(version, _)| version);
        if points_at != at {
            found.push(format!("'{name}', alias '{alias}': it does not point where its last move led"));
        }
        if points_at.is_some_and(|version| !there.contains(&version)) {
            found.push(format!("'{name}', alias '{alias}': it points at a version that is not there"));
        }
    }
    Ok(found)
}

impl ModelReference {
    /// The same model's newest version.
    pub fn latest(name: &str) -> Self {
        Self { name: name.to_owned(), which: Which::Latest }
    }
}
