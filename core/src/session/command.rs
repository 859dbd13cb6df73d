//! What faces ask, and what they hear.

use std::path::PathBuf;

use crate::compare::CompareRequest;
use crate::compare::check::CheckRequest;
use crate::compare::diff::DiffRequest;
use crate::jobs::JobId;
use crate::package::PackageRequest;
use crate::predict::PredictRequest;
use crate::profile::ProfileRequest;
use crate::score::ScoreRequest;
use crate::tensor::device::DeviceChoice;
use crate::verify::VerifyRequest;

use super::RegistryCommand;

/// Everything that a face can ask of the session. The parity table in ARCHITECTURE.md has one line for each.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    OpenModel {
        path: PathBuf,
        device: DeviceChoice,
    },
    /// As `OpenModel`, without getting the model ready to run: for a look at it alone.
    InspectModel {
        path: PathBuf,
        device: DeviceChoice,
    },
    CloseModel,
    /// Look at a table's head: columns, first rows.
    DescribeTable(PathBuf),
    /// Last request wins.
    Predict(PredictRequest),
    /// The same row with one column varied, for a curve beside the prediction. Last request wins.
    WhatIf(PredictRequest),
    Score(ScoreRequest),
    Verify(VerifyRequest),
    /// How fast, how large, how much memory, where the time goes: of the opened model.
    Profile(ProfileRequest),
    /// Pack the opened model with golden cases.
    Package(PackageRequest),
    /// Whether a package's model does here what it did where it was packed.
    CheckPackage {
        path: PathBuf,
        device: DeviceChoice,
    },
    /// An act on the registry.
    Models(RegistryCommand),
    /// Versions against the first of them, on the same rows.
    Compare(CompareRequest),
    /// The gate: conditions on a version, alone or against another.
    Check(CheckRequest),
    /// What changed between two files: nodes, attributes, weights, cost.
    Diff(DiffRequest),
    Cancel(JobId),
}

/// Something happened that a face may want to draw.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    JobStarted(JobId),
    JobFinished(JobId),
    StateChanged,
    Notice(Notice),
}

/// A sentence for the user about something that happened elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub is_error: bool,
    pub text: String,
}

impl Notice {
    pub fn error(text: &str) -> Self {
        Self { is_error: true, text: text.to_owned() }
    }
}
