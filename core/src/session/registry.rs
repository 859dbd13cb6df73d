//! What is done with the registry, and what faces say of it.

use std::path::PathBuf;

use crate::registry::{Added, Moved, Removed, SelfCheck};

/// An act on the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistryCommand {
    /// Read it again.
    Refresh,
    /// Add a model, written as any MODEL is.
    Add {
        model: PathBuf,
        name: String,
        lineage: LineageRequest,
    },
    /// Point an alias at a version: `model` is a reference, `name` or `name:version`.
    SetAlias {
        model: String,
        alias: String,
        reason: Option<String>,
    },
    /// As `SetAlias`, for a version that passed its check: the way of protected aliases.
    Promote {
        model: String,
        alias: String,
        reason: Option<String>,
    },
    /// Back to what the alias pointed at before.
    RollBack {
        name: String,
        alias: String,
        reason: Option<String>,
    },
    Protect {
        name: String,
        alias: String,
        is_protected: bool,
        reason: Option<String>,
    },
    RemoveAlias {
        name: String,
        alias: String,
        reason: Option<String>,
    },
    /// Remove a version, or the whole model where `model` is a name alone.
    Remove {
        model: String,
        is_forced: bool,
    },
    /// Hold every file and record against its hash.
    SelfCheck,
}

/// Where a version comes from, as people say it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LineageRequest {
    /// The model that it was made from: any MODEL, or a hash.
    pub parent: Option<String>,
    /// A file that says how it was made.
    pub recipe: Option<PathBuf>,
    /// The data that it was trained on.
    pub data: Option<PathBuf>,
}

/// What came of an act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistryReport {
    Added(Added),
    Moved(Moved),
    Removed(Removed),
    Checked(SelfCheck),
}

impl RegistryReport {
    /// What happened, in a sentence.
    pub fn sentence(&self) -> String {
        match self {
            Self::Added(added) if added.is_new => format!("{} v{} was added", added.name, added.version),
            Self::Added(added) => format!("this content is {} v{} already; nothing was added", added.name, added.version),
            Self::Moved(moved) => moved.sentence(),
            Self::Removed(removed) => removed.sentence(),
            Self::Checked(check) => check.sentence(),
        }
    }

    /// What is worth another line.
    pub fn notes(&self) -> &[String] {
        match self {
            Self::Moved(moved) => &moved.notes,
            Self::Checked(check) => &check.problems,
            Self::Added(_) | Self::Removed(_) => &[],
        }
    }
}
