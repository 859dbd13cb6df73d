//! A suite of cases that a script writes into a folder, and the list of those that do not pass.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use drydock_core::task::TaskCtx;
use drydock_core::tensor::device::DeviceChoice;
use drydock_core::verify::{VerifyFailure, VerifyRequest, verify};
use drydock_tests::close::Tolerance;
use drydock_tests::workspace;
use serde::Deserialize;

/// One suite.
pub struct Suite {
    /// The environment variable that names its folder.
    pub variable: &'static str,
    /// Below `tests/conformance/`: what makes it.
    pub script: &'static str,
    /// Below `tests/conformance/`: the cases that do not pass.
    pub left_out: &'static str,
    /// Fewer cases than this are not the suite.
    pub min_cases: usize,
}

/// The cases that do not pass.
#[derive(Deserialize)]
pub struct LeftOut {
    pub group: Vec<Group>,
}

#[derive(Deserialize)]
pub struct Group {
    reason: String,
    /// Random numbers may be the expected ones by chance.
    #[serde(default)]
    may_pass_by_chance: bool,
    pub cases: Vec<String>,
}

impl Suite {
    /// The folder with the cases, if there is one.
    pub fn folder(&self) -> Option<PathBuf> {
        let Self { variable, script, .. } = self;
        let is_required = std::env::var_os("DRYDOCK_REQUIRE_PYTHON").is_some_and(|value| value == "1");
        match std::env::var_os(variable) {
            Some(folder) => Some(folder.into()),
            None if is_required => panic!("DRYDOCK_REQUIRE_PYTHON=1, but {variable} names no folder; see tests/conformance/{script}"),
            None => {
                eprintln!("skipped: {variable} names no folder");
                None
            }
        }
    }

    /// Names of the suite's cases: the folders in its own.
    pub fn cases(&self, folder: &Path) -> BTreeSet<String> {
        let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let folders = entries.map(Result::unwrap).filter(|entry| entry.file_type().unwrap().is_dir());
        let cases: BTreeSet<String> = folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        assert!(cases.len() >= self.min_cases, "{} has only {} cases", folder.display(), cases.len());
        cases
    }

    pub fn left_out(&self) -> LeftOut {
        let path = workspace().join("tests/conformance").join(self.left_out);
        toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The cases that fail, by name.
    pub fn failures(&self, folders: Vec<PathBuf>, tolerance: Tolerance, device: DeviceChoice) -> BTreeMap<String, VerifyFailure> {
        let request = VerifyRequest { folders, relative_tolerance: tolerance.relative, absolute_tolerance: tolerance.absolute, device };
        let report = verify(&TaskCtx::unattended(), &request).unwrap();
        report.failures.into_iter().map(|failure| (failure.case.clone(), failure)).collect()
    }
}

impl LeftOut {
    pub fn cases(&self) -> impl Iterator<Item = &str> {
        self.group.iter().flat_map(|group| &group.cases).map(String::as_str)
    }

    /// Fails when a case fails that is not listed, and when a listed one passes or is none.
    #[track_caller]
    pub fn assert_holds(&self, cases: &BTreeSet<String>, failures: &BTreeMap<String, VerifyFailure>) {
        let listed: BTreeMap<&str, &Group> = self.group.iter().flat_map(|group| group.cases.iter().map(move |case| (case.as_str(), group))).collect();
        let mut complaints = Vec::new();
        for failure in failures.values().filter(|failure| !listed.contains_key(failure.case.as_str())) {
            complaints.push(format!("{} fails: {:?}: {}", failure.case, failure.kind, failure.message));
        }
        for (case, group) in &listed {
            if !cases.contains(*case) {
                complaints.push(format!("{case} is listed as left out, but the suite has no such case"));
            } else if !failures.contains_key(*case) && !group.may_pass_by_chance {
                complaints.push(format!("{case} passes now: take it out of the list"));
            }
        }
        assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
        assert!(self.group.iter().all(|group| group.reason.len() > 10), "a group of cases that are left out has no reason");
    }
}
