//! Models with their versions, aliases, lineage and runs: records in SQLite, files under the hash of their content. Used by any number of
//! processes at once. Stores what the capabilities report as JSON, and knows none of them.
//!
//! `models` has versions, `aliases` what points at them, `view` what is shown, `self_check` whether all is whole; `blobs` keeps the files.
//! `store` is the database, `schema` its tables, `name` how they are called, `runs` what was measured, `origin` where and by whom.

use std::path::{Path, PathBuf};

mod aliases;
mod blobs;
mod error;
mod models;
mod name;
mod origin;
mod runs;
mod schema;
mod self_check;
mod store;
#[cfg(test)]
mod tests;
mod view;

pub use aliases::{AliasMove, MoveKind, Moved};
pub use error::RegistryError;
pub use models::{Added, Found, Removed};
pub use name::{ModelReference, Which, check_alias, check_model_name};
pub use origin::{RecordedMachine, who};
pub use runs::{RunKind, RunRecord};
pub use self_check::SelfCheck;
pub use view::{AliasView, Lineage, ModelView, RegistryView, RunView, VersionView};

use crate::task::TaskCtx;
use store::Store;

/// The registry of a data home.
#[derive(Debug)]
pub struct Registry {
    home: PathBuf,
    store: Store,
}

impl Registry {
    /// Opens the registry of a home, and begins one where there is none.
    pub fn open(home: &Path) -> Result<Self, RegistryError> {
        Ok(Self { home: home.to_owned(), store: Store::open(home)? })
    }

    /// Opens the registry of a home to look into it, also where nothing can be written; `None` where there is none.
    pub fn open_to_read(home: &Path) -> Result<Option<Self>, RegistryError> {
        Ok(Store::open_to_read(home)?.map(|store| Self { home: home.to_owned(), store }))
    }

    pub fn home(&self) -> &Path {
        &self.home
    }

    /// A number that changes whenever another process has changed the registry.
    pub fn data_version(&self) -> Result<i64, RegistryError> {
        self.store.data_version()
    }
}

/// The SHA-256 of a file.
pub fn hash_file(ctx: &TaskCtx, path: &Path) -> Result<String, RegistryError> {
    Ok(blobs::hash_file(ctx, path)?.1)
}

/// RFC 3339 in UTC, to the second.
fn now() -> String {
    crate::report::Provenance::now().date
}
