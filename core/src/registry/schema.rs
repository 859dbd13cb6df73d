//! What the database looks like, as a list of steps: a database of any older schema is brought forward when it is opened.

use super::RegistryError;
use super::error::Stop;
use super::store::Store;

/// Step N leads from schema N to schema N + 1. A step that was released is never changed.
const STEPS: [&str; 2] = [RUNS, MODELS];

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

const MODELS: &str = "
    CREATE TABLE models (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        created TEXT NOT NULL,
        last_version INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE versions (
        id INTEGER PRIMARY KEY,
        model_id INTEGER NOT NULL REFERENCES models (id) ON DELETE CASCADE,
        version INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        contract_sha256 TEXT NOT NULL,
        n_bytes INTEGER NOT NULL,
        added TEXT NOT NULL,
        added_by TEXT NOT NULL,
        source TEXT NOT NULL,
        parent_sha256 TEXT,
        recipe TEXT,
        recipe_sha256 TEXT,
        data TEXT,
        data_sha256 TEXT,
        machine_id TEXT NOT NULL,
        machine TEXT NOT NULL,
        UNIQUE (model_id, version),
        UNIQUE (model_id, sha256, contract_sha256)
    ) STRICT;
    CREATE TABLE version_files (
        version_id INTEGER NOT NULL REFERENCES versions (id) ON DELETE CASCADE,
        location TEXT NOT NULL,
        n_bytes INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        PRIMARY KEY (version_id, location)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE aliases (
        model_id INTEGER NOT NULL REFERENCES models (id) ON DELETE CASCADE,
        alias TEXT NOT NULL,
        version INTEGER,
        is_protected INTEGER NOT NULL,
        PRIMARY KEY (model_id, alias)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE alias_moves (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        model_id INTEGER NOT NULL REFERENCES models (id) ON DELETE CASCADE,
        alias TEXT NOT NULL,
        kind TEXT NOT NULL,
        from_version INTEGER,
        to_version INTEGER,
        date TEXT NOT NULL,
        who TEXT NOT NULL,
        reason TEXT
    ) STRICT;
    CREATE INDEX moves_of_alias ON alias_moves (model_id, alias, id);
";

/// Brings a database to this schema, or refuses one of a newer.
pub(super) fn migrate(store: &Store) -> Result<(), Stop> {
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
        for (index, step) in STEPS.iter().enumerate().skip(found) {
            connection.execute_batch(step)?;
            connection.pragma_update(None, "user_version", i64::try_from(index + 1).unwrap_or(i64::MAX))?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Registry, RunKind, RunRecord};
    use super::*;

    #[test]
    fn a_database_of_an_older_schema_is_brought_forward_with_what_it_holds() {
        let home = tempfile::tempdir().unwrap();
        let connection = rusqlite::Connection::open(Store::path(home.path())).unwrap();
        connection.execute_batch(RUNS).unwrap();
        connection.pragma_update(None, "user_version", 1).unwrap();
        let run =
            "INSERT INTO runs (kind, model_sha256, date, machine_id, machine, summary, report) VALUES ('score', 'aa', 'd', 'm', 'n', '{}', '{}')";
        connection.execute_batch(run).unwrap();
        drop(connection);
        let registry = Registry::open(home.path()).unwrap();
        assert_eq!(registry.runs("aa", Some(RunKind::Score)).unwrap().len(), 1);
        assert_eq!(registry.view().unwrap().models, []);
        registry.record_run(&RunRecord::now(RunKind::Check, "aa", serde_json::Value::Null, serde_json::Value::Null)).unwrap();
    }

    #[test]
    fn a_database_of_a_newer_schema_is_refused_and_left_alone() {
        let home = tempfile::tempdir().unwrap();
        drop(Registry::open(home.path()).unwrap());
        let connection = rusqlite::Connection::open(Store::path(home.path())).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        for error in [Registry::open(home.path()).unwrap_err(), Registry::open_to_read(home.path()).unwrap_err()] {
            let error = error.to_string();
            assert!(error.contains("registry.db") && error.contains("newer Drydock (schema 99"), "{error}");
        }
        assert_eq!(connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0)).unwrap(), 99);
    }

    #[test]
    fn a_file_that_is_no_database_is_named() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(Store::path(home.path()), b"a letter to a friend, long enough to be a page ".repeat(100)).unwrap();
        let error = Registry::open(home.path()).unwrap_err().to_string();
        assert!(error.contains("registry.db") && error.contains("backup"), "{error}");
    }
}
