//! A comparison as it is drawn: its tables and figures, made once.

use std::sync::Arc;

use drydock_core::compare::check::CheckReport;
use drydock_core::compare::diff::DiffReport;
use drydock_core::compare::{CompareReport, PairReport};
use drydock_core::report::{Figure, Table};

use crate::widgets::sections::sentence;

/// Everything that is drawn of the second version against the first.
#[derive(Debug)]
pub struct Shown {
    /// Kept, so that nothing else can come to lie at its address.
    report: Arc<CompareReport>,
    pub revision: u64,
    pub headline: String,
    pub metrics: Option<Table>,
    pub agreement: Table,
    pub flips: Option<Table>,
    pub explanation: Option<Table>,
    pub changed: Table,
    pub changed_note: String,
    pub versions: Table,
    pub version_metrics: Option<Table>,
    pub reliability: Option<Figure>,
    pub windows: Option<Table>,
    pub window_figures: Vec<Figure>,
    pub canary: Option<Table>,
    pub notes: Vec<String>,
}

impl Shown {
    /// What is to be drawn, if there is a comparison; `known` is what was drawn before.
    pub fn of(report: Option<&Arc<CompareReport>>, known: Option<Self>) -> Option<Self> {
        let report = report?;
        match known {
            Some(known) if Arc::ptr_eq(&known.report, report) => Some(known),
            known => {
                let pair = report.pairs.first()?;
                Some(Self::new(report, pair, known.map_or(0, |known| known.revision) + 1))
            }
        }
    }

    fn new(report: &Arc<CompareReport>, pair: &PairReport, revision: u64) -> Self {
        let has_metrics = report.versions.iter().any(|version| !version.metrics.is_empty());
        Self {
            report: Arc::clone(report),
            revision,
            headline: report.headline(pair),
            metrics: (!pair.metrics.is_empty()).then(|| report.metrics_table(pair)),
            agreement: report.agreement_table(pair),
            flips: (!pair.agreement.transitions.is_empty()).then(|| CompareReport::transitions_table(pair)),
            explanation: CompareReport::explanation_table(pair),
            changed: report.changed_table(pair),
            changed_note: changed_note(pair),
            versions: report.versions_table(),
            version_metrics: has_metrics.then(|| report.version_metrics_table()),
            reliability: report.reliability_figure(),
            windows: report.windows_table(),
            window_figures: report.windows_figures(),
            canary: report.split_table(),
            notes: report.notes.iter().chain(&report.methods).map(|note| sentence(note)).collect(),
        }
    }
}

/// How many rows changed, and how many of them are listed.
fn changed_note(pair: &PairReport) -> String {
    let (changed, moved) = (pair.changed.n_changed, pair.changed.n_moved);
    let listed = pair.changed.rows.len() as u64;
    let count = drydock_core::format::count;
    let listed = if listed < moved { format!(" Listed: the {} that changed most.", count(listed)) } else { String::new() };
    format!("{} changed, {} moved at all.{listed}", drydock_core::format::counted(changed, "row"), count(moved))
}

/// A check as it is drawn.
#[derive(Debug)]
pub struct Gate {
    pub report: Arc<CheckReport>,
    pub revision: u64,
    pub headline: String,
    pub conditions: Table,
}

impl Gate {
    pub fn of(report: Option<&Arc<CheckReport>>, known: Option<Self>) -> Option<Self> {
        let report = report?;
        match known {
            Some(known) if Arc::ptr_eq(&known.report, report) => Some(known),
            known => Some(Self {
                report: Arc::clone(report),
                revision: known.map_or(0, |known| known.revision) + 1,
                headline: report.headline(),
                conditions: report.table(),
            }),
        }
    }
}

/// Two files as they are drawn.
#[derive(Debug)]
pub struct Files {
    report: Arc<DiffReport>,
    pub revision: u64,
    pub headline: String,
    pub signature: Vec<String>,
    pub cost: Table,
    pub nodes: Table,
    pub weights: Table,
}

impl Files {
    pub fn of(report: Option<&Arc<DiffReport>>, known: Option<Self>) -> Option<Self> {
        let report = report?;
        match known {
            Some(known) if Arc::ptr_eq(&known.report, report) => Some(known),
            known => Some(Self {
                report: Arc::clone(report),
                revision: known.map_or(0, |known| known.revision) + 1,
                headline: report.headline(),
                signature: report.signature.iter().map(|change| sentence(change)).collect(),
                cost: report.cost_table(),
                nodes: report.nodes_table(),
                weights: report.weights_table(),
            }),
        }
    }
}
