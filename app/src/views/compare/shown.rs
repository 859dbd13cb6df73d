//! A comparison, a check and two files as they are drawn: their tables and figures, made once.

use std::ops::Deref;
use std::sync::Arc;

use drydock_core::compare::check::CheckReport;
use drydock_core::compare::diff::DiffReport;
use drydock_core::compare::{CompareReport, PairReport};
use drydock_core::report::{Figure, Table};

use crate::widgets::sections::sentence;

/// What is drawn of a report, made once for each.
#[derive(Debug)]
pub struct Drawn<T: OfReport> {
    /// Kept, so that nothing else can come to lie at its address.
    pub report: Arc<T::Report>,
    /// Changes with the report.
    pub revision: u64,
    parts: T,
}

/// Tables and figures of a report.
pub trait OfReport: Sized {
    type Report;

    /// Nothing where the report has nothing to draw.
    fn new(report: &Self::Report) -> Option<Self>;
}

impl<T: OfReport> Drawn<T> {
    /// What is to be drawn, if there is a report; `known` is what was drawn before.
    pub fn of(report: Option<&Arc<T::Report>>, known: Option<Self>) -> Option<Self> {
        let report = report?;
        match known {
            Some(known) if Arc::ptr_eq(&known.report, report) => Some(known),
            known => {
                let revision = known.map_or(0, |known| known.revision) + 1;
                Some(Self { report: Arc::clone(report), revision, parts: T::new(report)? })
            }
        }
    }
}

impl<T: OfReport> Deref for Drawn<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.parts
    }
}

/// Everything that is drawn of the second version against the first.
#[derive(Debug)]
pub struct Shown {
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

impl OfReport for Shown {
    type Report = CompareReport;

    fn new(report: &CompareReport) -> Option<Self> {
        let pair = report.pairs.first()?;
        let has_metrics = report.versions.iter().any(|version| !version.metrics.is_empty());
        Some(Self {
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
        })
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
    pub headline: String,
    pub conditions: Table,
}

impl OfReport for Gate {
    type Report = CheckReport;

    fn new(report: &CheckReport) -> Option<Self> {
        Some(Self { headline: report.headline(), conditions: report.table() })
    }
}

/// Two files as they are drawn.
#[derive(Debug)]
pub struct Files {
    pub headline: String,
    pub signature: Vec<String>,
    pub cost: Table,
    pub nodes: Table,
    pub weights: Table,
}

impl OfReport for Files {
    type Report = DiffReport;

    fn new(report: &DiffReport) -> Option<Self> {
        Some(Self {
            headline: report.headline(),
            signature: report.signature.iter().map(|change| sentence(change)).collect(),
            cost: report.cost_table(),
            nodes: report.nodes_table(),
            weights: report.weights_table(),
        })
    }
}
