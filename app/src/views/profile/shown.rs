//! A profile as it is drawn: its tables and figures, made once for a report and once more when another configuration is looked at.

use drydock_core::jobs::JobId;
use drydock_core::profile::history::history_figure;
use drydock_core::profile::{ProfileReport, RunReport};
use drydock_core::report::{Figure, Table, Verdict};
use drydock_core::session::State;

use crate::widgets::sections::sentence;

/// Everything below the form.
#[derive(Debug)]
pub struct Shown {
    of: (Option<JobId>, usize),
    /// Changes with what is shown.
    pub revision: u64,
    /// Which configuration the figures of single runs are of.
    pub chosen: usize,
    /// Names of the configurations.
    pub configurations: Vec<String>,
    pub verdicts: Vec<(Verdict, String)>,
    pub sweet_spot: String,
    pub histogram: Option<Figure>,
    pub warm_up: Option<Figure>,
    pub sweep: Option<Figure>,
    pub way: Table,
    pub runs: Table,
    pub operators: Option<Table>,
    pub by_operator: Option<Table>,
    pub roofline: Option<Figure>,
    pub size: String,
    pub sizes: [Table; 3],
    pub memory: Table,
    pub fit: Option<Table>,
    pub history: Option<Figure>,
    /// How it was measured.
    pub notes: Vec<String>,
}

impl Shown {
    /// What is to be drawn, if there is a profile; `known` is what was drawn before.
    pub fn of(state: &State, wanted: Option<usize>, known: Option<Self>) -> Option<Self> {
        let report = state.profile.as_ref()?;
        let usual = report.sweet_spot.unwrap_or(0);
        let chosen = wanted.filter(|wanted| *wanted < report.runs.len()).unwrap_or(usual);
        let of = (super::latest_profile(state), chosen);
        match known {
            Some(known) if known.of == of => Some(known),
            known => Some(Self::new(report, state, of, known.map_or(0, |known| known.revision) + 1)),
        }
    }

    /// Whether it is of the report that the state has now.
    pub fn is_of(&self, state: &State) -> bool {
        self.of.0 == super::latest_profile(state)
    }

    fn new(report: &ProfileReport, state: &State, of: (Option<JobId>, usize), revision: u64) -> Self {
        let run = report.runs.get(of.1);
        Self {
            of,
            revision,
            chosen: of.1,
            configurations: report.runs.iter().map(|run| run.name(report.has_devices())).collect(),
            verdicts: run.map(|run| verdicts(report, run)).unwrap_or_default(),
            sweet_spot: sentence(&report.sweet_spot_sentence()),
            histogram: run.map(RunReport::histogram_figure),
            warm_up: run.map(RunReport::warm_up_figure),
            sweep: (report.runs.len() > 1).then(|| report.sweep_figure()),
            way: report.way_table(),
            runs: report.runs_table(),
            operators: report.slowest_operators_table(),
            by_operator: report.by_operator_table(),
            roofline: report.roofline_figure(),
            size: sentence(&report.size.sentence()),
            sizes: report.size.tables(),
            memory: report.memory_table(),
            fit: report.fit.as_ref().map(drydock_core::profile::FitReport::table),
            history: history_figure(&state.profile_history),
            notes: notes(report),
        }
    }
}

/// What can be judged of a configuration, each with its sentence.
fn verdicts(report: &ProfileReport, run: &RunReport) -> Vec<(Verdict, String)> {
    let mut verdicts = Vec::new();
    if let Some(limit) = report.max_latency_ms {
        let (latency, name) = run.latency_ms.judged();
        let verdict = run.within_budget.map_or(Verdict::NotJudged, Verdict::from);
        let limit = drydock_core::format::seconds(limit / 1e3);
        verdicts.push((verdict, format!("{name} {}, at most {limit}", run.time_text(latency))));
    }
    verdicts.extend(report.fit.as_ref().map(drydock_core::profile::FitReport::verdict));
    verdicts
}

fn notes(report: &ProfileReport) -> Vec<String> {
    let machine = format!("machine: {} ({})", report.machine.describe(), report.machine.hash);
    report.notes.iter().chain([&machine]).map(|note| sentence(note)).collect()
}
