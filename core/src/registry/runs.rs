//! What was measured and judged of a model, kept under the hash of its content: also of models that have no name here.

use rusqlite::{Connection, Row, params};

use super::error::Stop;
use super::{RecordedMachine, Registry, RegistryError, RunView};

/// What kind of work a run was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    Profile,
    Compare,
    Check,
    Score,
    Drift,
}

impl RunKind {
    pub const ALL: [Self; 5] = [Self::Profile, Self::Compare, Self::Check, Self::Score, Self::Drift];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::Compare => "compare",
            Self::Check => "check",
            Self::Score => "score",
            Self::Drift => "drift",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A piece of work on a model, with what came of it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct RunRecord {
    pub kind: RunKind,
    /// [`crate::model::OpenModel::sha256`].
    pub model_sha256: String,
    /// RFC 3339, in UTC.
    pub date: String,
    pub machine: RecordedMachine,
    /// A few keys that lists show. Of a check, `verdict` is `pass` or `fail`.
    pub summary: serde_json::Value,
    /// The whole report, as the command prints it.
    pub report: serde_json::Value,
}

impl RunRecord {
    /// Of this machine, now.
    pub fn now(kind: RunKind, model_sha256: &str, summary: serde_json::Value, report: serde_json::Value) -> Self {
        Self { kind, model_sha256: model_sha256.to_owned(), date: super::now(), machine: RecordedMachine::here().clone(), summary, report }
    }

    /// Whether it is a check that passed.
    pub fn is_passed_check(&self) -> bool {
        self.kind == RunKind::Check && self.summary.get("verdict").and_then(serde_json::Value::as_str) == Some("pass")
    }
}

impl Registry {
    /// Keeps a run.
    pub fn record_run(&self, run: &RunRecord) -> Result<(), RegistryError> {
        let (summary, report) = (run.summary.to_string(), run.report.to_string());
        self.store.write(|connection| {
            connection.execute(
                "INSERT INTO runs (kind, model_sha256, date, machine_id, machine, summary, report) VALUES (?, ?, ?, ?, ?, ?, ?)",
                params![run.kind.name(), run.model_sha256, run.date, run.machine.id, run.machine.description, summary, report],
            )?;
            Ok(())
        })
    }

    /// Runs on a model's content, newest first; of one kind, or of all.
    pub fn runs(&self, model_sha256: &str, kind: Option<RunKind>) -> Result<Vec<RunRecord>, RegistryError> {
        self.store.read(|connection| runs_of(connection, model_sha256, kind))
    }
}

pub(super) fn runs_of(connection: &Connection, model_sha256: &str, kind: Option<RunKind>) -> Result<Vec<RunRecord>, Stop> {
    let mut statement = connection.prepare(
        "SELECT kind, model_sha256, date, machine_id, machine, summary, report FROM runs
         WHERE model_sha256 = ?1 AND (?2 IS NULL OR kind = ?2) ORDER BY id DESC",
    )?;
    let rows = statement.query_map(params![model_sha256, kind.map(RunKind::name)], record)?.collect::<Result<Vec<_>, _>>()?;
    // Kinds that a later Drydock added are its own to show.
    Ok(rows.into_iter().flatten().collect())
}

/// The newest runs of every kind.
pub(super) fn newest(connection: &Connection, model_sha256: &str, limit: usize) -> Result<Vec<RunView>, Stop> {
    // Reports may be large; what lists show stands in the summaries.
    let mut statement = connection
        .prepare("SELECT kind, model_sha256, date, machine_id, machine, summary, 'null' FROM runs WHERE model_sha256 = ? ORDER BY id DESC LIMIT ?")?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![model_sha256, limit], record)?.collect::<Result<Vec<_>, _>>()?;
    Ok(rows.into_iter().flatten().map(RunView::from).collect())
}

fn record(row: &Row<'_>) -> rusqlite::Result<Option<RunRecord>> {
    let Some(kind) = RunKind::from_name(&row.get::<_, String>(0)?) else { return Ok(None) };
    let json = |text: String| serde_json::from_str(&text).unwrap_or(serde_json::Value::Null);
    Ok(Some(RunRecord {
        kind,
        model_sha256: row.get(1)?,
        date: row.get(2)?,
        machine: RecordedMachine { id: row.get(3)?, description: row.get(4)? },
        summary: json(row.get(5)?),
        report: json(row.get(6)?),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_kept_by_content_and_kind() {
        let home = tempfile::tempdir().unwrap();
        let registry = Registry::open(home.path()).unwrap();
        let run = |kind, hash: &str, rows: u64| RunRecord::now(kind, hash, serde_json::json!({ "rows": rows }), serde_json::json!({}));
        let (first, second, other) = (run(RunKind::Score, "aa", 1), run(RunKind::Score, "aa", 2), run(RunKind::Check, "bb", 3));
        for record in [&first, &second, &other] {
            registry.record_run(record).unwrap();
        }
        drop(registry);
        let registry = Registry::open_to_read(home.path()).unwrap().unwrap();
        assert_eq!(registry.runs("aa", Some(RunKind::Score)).unwrap(), [second, first]);
        assert_eq!(registry.runs("aa", Some(RunKind::Check)).unwrap(), []);
        assert_eq!(registry.runs("bb", None).unwrap(), [other]);
    }

    #[test]
    fn only_a_check_with_its_verdict_is_a_passed_check() {
        let run = |kind, verdict: &str| RunRecord::now(kind, "aa", serde_json::json!({ "verdict": verdict }), serde_json::Value::Null);
        assert!(run(RunKind::Check, "pass").is_passed_check());
        assert!(!run(RunKind::Check, "fail").is_passed_check());
        assert!(!run(RunKind::Compare, "pass").is_passed_check());
    }
}
