//! What the database looks like, as a list of steps: a database of any older schema is brought forward when it is opened.

use super::RegistryError;
use super::error::Stop;
use super::store::Store;

/// Step N leads from schema N to schema N + 1. A step that was released is never changed.
const STEPS: [&str; 1] = [RUNS];

const RUNS: &str = "
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        model_sha256 TEXT NOT NULL,
        date TEXT NOT NULL,
        machine_id TEXT NOT NULL,
        machine TEXT NOT NULL,
        summary TEXT NOT NULL,
        report TEXT NOT NULL
    ) STRICT;
    CREATE INDEX runs_of_model ON runs (model_sha256, kind, id);
";

/// Brings a database to this schema, or refuses one of a newer.
pub(super) fn migrate(store: &Store) -> Result<(), Stop> {
    migrate_to(store, STEPS.len())
}

fn migrate_to(store: &Store, wanted: usize) -> Result<(), Stop> {
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    let version = |connection: &rusqlite::Connection| connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0));
    let found = store.transaction("BEGIN DEFERRED", |connection| Ok(version(connection)?))?;
    if found > known {
        return Err(RegistryError::Newer { path: store.file().to_owned(), found, known }.into());
    }
    if found == known {
        return Ok(());
    }
    store.transaction("BEGIN IMMEDIATE", |connection| {
        // Another process may have done it while this one waited.
        let found = usize::try_from(version(connection)?).unwrap_or(usize::MAX);
        for (index, step) in STEPS.iter().enumerate().take(wanted).skip(found) {
            connection.execute_batch(step)?;
            connection.pragma_update(None, "user_version", i64::try_from(index + 1).unwrap_or(i64::MAX))?;
        }
        Ok(())
    })
}
