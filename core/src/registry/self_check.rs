//! Whether the registry is whole: the database, the history of aliases, and every file against its hash.

use super::blobs::BlobKey;
use super::error::Stop;
use super::models::{files, version_key, versions};
use super::{Found, Registry, RegistryError, aliases};
use crate::task::{Progress, TaskCtx};

/// What a look at everything found.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct SelfCheck {
    pub models: u64,
    pub versions: u64,
    /// Files whose hashes were compared.
    pub files: u64,
    /// Sentences; none where all is well.
    pub problems: Vec<String>,
}

impl SelfCheck {
    /// What was found, in a sentence.
    pub fn sentence(&self) -> String {
        let looked = format!(
            "{}, {}, {} read",
            crate::format::counted(self.models, "model"),
            crate::format::counted(self.versions, "version"),
            crate::format::counted(self.files, "file")
        );
        match self.problems.len() as u64 {
            0 => format!("the registry is whole: {looked}"),
            n => format!("{} with the registry: {looked}", crate::format::counted(n, "problem")),
        }
    }
}

impl Registry {
    /// Looks at everything, and reads every file.
    pub fn self_check(&self, ctx: &TaskCtx) -> Result<SelfCheck, RegistryError> {
        let mut report = SelfCheck { problems: self.store.integrity()?, ..SelfCheck::default() };
        let (found, contradictions) = self.store.read(|connection| {
            let (mut found, mut contradictions) = (Vec::new(), Vec::new());
            let mut statement = connection.prepare("SELECT id, name, last_version FROM models ORDER BY name")?;
            let models =
                statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect::<Result<Vec<(i64, String, u32)>, _>>()?;
            let n_models = models.len() as u64;
            for (model, name, last) in models {
                contradictions.extend(aliases::contradictions(connection, model, &name)?);
                for version in versions(connection, model)? {
                    if version > last {
                        contradictions.push(format!("'{name}': version {version} is beyond the last that was given, {last}"));
                    }
                    let (id, key) = version_key(connection, model, version)?;
                    found.push(self.found(&name, version, key, files(connection, id)?));
                }
            }
            Ok::<_, Stop>(((n_models, found), contradictions))
        })?;
        let (n_models, found) = found;
        report.problems.extend(contradictions);
        (report.models, report.versions) = (n_models, found.len() as u64);
        for (index, version) in found.iter().enumerate() {
            ctx.report(Progress {
                stage: format!("reading {} v{}", version.name, version.version),
                done: index as u64,
                total: Some(report.versions),
                items: index as u64,
                item_unit: "versions",
            });
            report.files += version.files.len() as u64;
            match self.check_files(ctx, version) {
                Ok(()) => {}
                Err(RegistryError::Damaged(problem)) => report.problems.push(problem),
                Err(error) => return Err(error),
            }
        }
        Ok(report)
    }

    pub(super) fn found(&self, name: &str, version: u32, key: BlobKey, files: Vec<super::blobs::BlobFile>) -> Found {
        let path = key.model_path(&self.home);
        Found { name: name.to_owned(), version, sha256: key.sha256.clone(), path, key, files }
    }
}
