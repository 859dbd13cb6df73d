//! From collected sums to the report: metrics with their intervals, tests, explanations.

use std::sync::Arc;

use super::areas::{AreaSample, Draw};
use super::bootstrap::{self, MetricDraws, interval_of, interval_of_difference};
use super::collect::{Arm, Collector, Pair, Started};
use super::statistics::{mcnemar, percentile_interval, wilson};
use super::tally::{CALIBRATION_BINS, TallyLayout};
use super::tree::{self, Sample};
use super::{
    ArmReport, Calibration, ChangedRows, CompareError, CompareReport, CompareRequest, Explanation, Interval, Judgement, MetricComparison,
    MetricValue, PairReport, Rule, Split, SplitReport, VersionReport, areas, file,
};
use crate::contract::Task;
use crate::data::DataError;
use crate::model::OpenModel;
use crate::report::{Provenance, Source};
use crate::score::definitions::Areas;
use crate::score::{Binding, Metric, ScoreError};
use crate::task::{Cancelled, Progress, TaskCtx};

/// Every run draws the same.
const SEED: u64 = 0x0d1d_0c4b;

/// Rules shown, at most: as many as a tree of three splits has leaves.
const MAX_RULES: usize = 8;

/// What is known beside the sums.
pub struct Finish<'a> {
    pub ctx: &'a TaskCtx,
    pub request: &'a CompareRequest,
    pub models: &'a [Arc<OpenModel>],
    pub names: Vec<String>,
    pub task: Task,
    pub bindings: Vec<Binding>,
    pub label: Option<String>,
    /// Columns shown beside changed rows.
    pub shown: Arc<[String]>,
    /// Labels by code.
    pub labels: Vec<String>,
}

impl Finish<'_> {
    pub fn report(&self, collector: Collector<'_>) -> Result<CompareReport, CompareError> {
        let request = self.request;
        let (rows, rows_compared, rows_labelled) = (collector.rows, collector.rows_compared, collector.rows_labelled);
        if rows == 0 {
            return Err(DataError::Unsuitable { path: request.data.clone(), message: "the table has no rows".to_owned() }.into());
        }
        let Some(started) = collector.started else {
            let reason = collector.first_rejected.map_or_else(String::new, |(row, rejected)| format!("row {row}: {}", rejected.reason));
            return Err(ScoreError::NothingScored { rows, reason }.into());
        };
        self.ctx.report(Progress { stage: "drawing samples for the intervals".to_owned(), ..Progress::default() });
        let mut notes = self.notes(&started);
        let has_metrics = rows_labelled > 0 && self.task != Task::Other;
        let mut points = Vec::with_capacity(self.models.len());
        for (index, metrics) in collector.metrics.into_iter().enumerate() {
            let (metrics, of_metrics) = metrics.finish();
            if index == 0 && self.label.is_some() {
                notes.extend(of_metrics);
            }
            points.push(metrics.map(|metrics| metrics.named()).unwrap_or_default());
        }
        let Started { layout, groups, pairs, areas, windows, arms, over, .. } = started;
        let of = match self.labels.as_slice() {
            [_, second] => format!("the probability of '{second}'"),
            _ => "the probability of the predicted label".to_owned(),
        };
        let estimates =
            if has_metrics { Estimates::new(self.ctx, &layout, &groups, areas, points, rows_labelled, &of)? } else { Estimates::default() };
        let versions = self.models.iter().enumerate().map(|(index, model)| self.version(index, model, &estimates)).collect();
        let mut methods = if has_metrics { estimates.methods(groups.is_exact(), self.task) } else { Vec::new() };
        let pairs: Vec<PairReport> = pairs.into_iter().enumerate().map(|(index, pair)| self.pair(index + 1, pair, &estimates, over)).collect();
        if pairs.iter().any(|pair| pair.explanation.is_some()) {
            methods.push(
                "Which rows change: a regression tree of three splits at most, over up to 8,192 rows drawn evenly with a fixed seed.".to_owned(),
            );
        }
        let split = match (arms, &request.split) {
            (Some(arms), Some(split)) => Some(self.split(arms, split, &layout)?),
            _ => None,
        };
        Ok(CompareReport {
            rows,
            rows_compared,
            rows_rejected: rows - rows_compared,
            rows_labelled,
            seconds: 0.0,
            task: self.task,
            label: self.label.clone().filter(|_| has_metrics),
            versions,
            pairs,
            windows: windows.map(|windows| windows.finish(request.time.clone(), has_metrics.then_some(&layout))),
            split,
            notes,
            methods,
            provenance: self.provenance(rows),
        })
    }

    fn notes(&self, started: &Started) -> Vec<String> {
        let mut notes: Vec<String> = Vec::new();
        for (name, binding) in self.names.iter().zip(&self.bindings) {
            notes.push(format!("{name}: {}", binding.announcement()));
        }
        if self.label.is_none() && self.task != Task::Other {
            notes.push("no metrics: the table has no label column that is known; name it with --label".to_owned());
        }
        if self.task == Task::Other {
            notes.push("no metrics: the versions predict neither a label nor a number; their outputs are compared".to_owned());
        }
        if !started.has_same_labels && self.task == Task::Classification {
            notes.push("the versions do not know the same labels: probabilities are compared for the labels they share, and there is no interval of ROC AUC and PR AUC".to_owned());
        }
        let n_not_finite: u64 = started.pairs.iter().map(|pair| pair.sums.n_not_finite).sum();
        if n_not_finite > 0 {
            notes.push(format!("{n_not_finite} numbers are finite for one version only: they count as changes and are part of no mean"));
        }
        notes
    }

    fn version(&self, index: usize, model: &OpenModel, estimates: &Estimates) -> VersionReport {
        let cost = file::cost(&model.model);
        let metric =
            |metric: Metric| Some(MetricValue { name: metric, value: estimates.value(index, metric)?, interval: estimates.interval(index, metric) });
        VersionReport {
            name: self.names.get(index).cloned().unwrap_or_default(),
            path: model.path.clone(),
            file_bytes: model.file_bytes,
            parameters: cost.weights.parameters,
            macs: cost.macs,
            memory_bytes: cost.activation_peak_bytes.map(|peak| peak.saturating_add(cost.weights.bytes)),
            measured_memory_bytes: None,
            metrics: Metric::ALL.into_iter().filter_map(metric).collect(),
            calibration: estimates.calibrations.get(index).cloned().flatten(),
            latency: None,
        }
    }

    fn pair(&self, version: usize, pair: Pair, estimates: &Estimates, over: &str) -> PairReport {
        let has_labels = self.task == Task::Classification;
        let n_changed = pair.sums.n_changed();
        let compared = |metric: Metric| {
            let (a, b) = (estimates.value(0, metric)?, estimates.value(version, metric)?);
            let interval = estimates.interval_of_difference(version, metric);
            Some(MetricComparison { name: metric, a, b, difference: b - a, interval, judgement: Judgement::of(metric, interval) })
        };
        let metrics: Vec<MetricComparison> = Metric::ALL.into_iter().filter_map(compared).collect();
        PairReport {
            version,
            mcnemar: (has_labels && !metrics.is_empty()).then(|| mcnemar(pair.only_a_right, pair.only_b_right)),
            explanation: explanation(&pair, &self.shown, has_labels),
            changed: ChangedRows { n_changed, n_moved: pair.n_moved, columns: self.shown.clone(), rows: pair.top.into_rows() },
            agreement: pair.sums.finish(over, &self.labels, has_labels),
            metrics,
            latency: None,
        }
    }

    fn split(&self, arms: [Arm; 2], split: &Split, layout: &TallyLayout) -> Result<SplitReport, CompareError> {
        let rows: u64 = arms.iter().map(|arm| arm.rows).sum();
        let mut reports = Vec::new();
        let mut draws = Vec::new();
        for (version, arm) in arms.into_iter().enumerate() {
            let of_arm = arm.groups.draws(self.ctx, layout, SEED + version as u64)?;
            let totals = arm.groups.totals();
            let metrics = layout.metrics(totals.first().map_or(&[][..], Vec::as_slice));
            let value = |(name, value): (Metric, f64)| MetricValue { name, value, interval: interval_of(&of_arm, name, 0) };
            let share = |part: u64, whole: u64| if whole > 0 { part as f64 / whole as f64 } else { 0.0 };
            reports.push(ArmReport {
                version,
                rows: arm.rows,
                share: share(arm.rows, rows),
                rows_labelled: arm.rows_labelled,
                rows_changed: arm.rows_changed,
                changed_share: share(arm.rows_changed, arm.rows),
                metrics: metrics.into_iter().map(value).collect(),
            });
            draws.push(of_arm);
        }
        let metrics = match (reports.as_slice(), draws.as_slice()) {
            ([a, b], [a_draws, b_draws]) => arm_differences(a, b, a_draws, b_draws),
            _ => Vec::new(),
        };
        Ok(SplitReport { share_wanted: split.share, column: split.column.clone(), arms: reports, metrics })
    }

    fn provenance(&self, rows: u64) -> Provenance {
        let model = |(name, model): (&String, &Arc<OpenModel>)| Source {
            name: name.clone(),
            path: model.path.display().to_string(),
            sha256: Some(model.sha256().to_owned()),
            rows: None,
        };
        Provenance {
            models: self.names.iter().zip(self.models).map(model).collect(),
            data: vec![Source::file(&self.request.data, Some(rows))],
            device: Some(self.request.device.to_string()),
            threads: Some(self.request.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))),
            ..Provenance::now()
        }
    }
}

/// Metrics of all versions with what their intervals are made of.
#[derive(Default)]
struct Estimates {
    /// By version.
    points: Vec<Vec<(Metric, f64)>>,
    calibrations: Vec<Option<Calibration>>,
    draws: MetricDraws,
    areas: Option<(Draw, Vec<Draw>)>,
    are_areas_exact: bool,
    rows_labelled: u64,
}

impl Estimates {
    fn new(
        ctx: &TaskCtx,
        layout: &TallyLayout,
        groups: &bootstrap::Groups,
        areas: Option<AreaSample>,
        mut points: Vec<Vec<(Metric, f64)>>,
        rows_labelled: u64,
        of: &str,
    ) -> Result<Self, Cancelled> {
        let calibrations: Vec<Option<Calibration>> = groups.totals().iter().map(|total| layout.calibration(total, of)).collect();
        for (points, calibration) in points.iter_mut().zip(&calibrations) {
            points.extend(calibration.as_ref().map(|calibration| (Metric::Ece, calibration.ece)));
        }
        let are_areas_exact = areas.as_ref().is_some_and(AreaSample::is_exact);
        let areas = match areas {
            Some(areas) => areas.draws(ctx, SEED)?,
            None => None,
        };
        let draws = groups.draws(ctx, layout, SEED)?;
        Ok(Self { points, calibrations, draws, areas, are_areas_exact, rows_labelled })
    }

    fn value(&self, version: usize, metric: Metric) -> Option<f64> {
        let mut points = self.points.get(version)?.iter();
        points.find(|(other, _)| *other == metric).map(|(_, value)| *value)
    }

    fn interval(&self, version: usize, metric: Metric) -> Option<Interval> {
        let value = self.value(version, metric)?;
        match metric {
            Metric::Accuracy => Some(wilson(value * self.rows_labelled as f64, self.rows_labelled as f64)),
            Metric::RocAuc | Metric::PrAuc => self.area_interval(value, |draw| area(draw, version, metric)),
            _ => interval_of(&self.draws, metric, version),
        }
    }

    fn interval_of_difference(&self, version: usize, metric: Metric) -> Option<Interval> {
        let difference = self.value(version, metric)? - self.value(0, metric)?;
        match metric {
            Metric::RocAuc | Metric::PrAuc => self.area_interval(difference, |draw| Some(area(draw, version, metric)? - area(draw, 0, metric)?)),
            _ => interval_of_difference(&self.draws, metric, version),
        }
    }

    /// The draws, moved by what bins make of the value.
    fn area_interval(&self, value: f64, of: impl Fn(&Draw) -> Option<f64>) -> Option<Interval> {
        let (whole, draws) = self.areas.as_ref()?;
        let moved_by = value - of(whole)?;
        // A draw without a row of some label has no area.
        let values: Vec<f64> = draws.iter().filter_map(|draw| Some(of(draw)? + moved_by)).collect();
        if values.len() * 10 < draws.len() * 9 { None } else { percentile_interval(values) }
    }

    fn methods(&self, is_exact: bool, task: Task) -> Vec<String> {
        let units =
            if is_exact { "rows".to_owned() } else { format!("{} groups of rows, dealt out by a hash of the row's place,", bootstrap::GROUPS) };
        let mut methods = vec![format!(
            "Intervals: 95 %, percentiles of a paired bootstrap with {} draws of {units} the same ones for every version; accuracy's own by Wilson.",
            bootstrap::DRAWS
        )];
        if let Some((_, draws)) = &self.areas {
            let of =
                if self.are_areas_exact { "rows".to_owned() } else { format!("{} groups of rows with scores in bins an eighth wide", areas::GROUPS) };
            methods.push(format!("ROC AUC and PR AUC: {} draws of {of}.", draws.len()));
        }
        if task == Task::Classification {
            methods.push(
                "Labels: McNemar's test, exact binomial below 25 rows that tell the versions apart, else χ² with continuity correction.".to_owned(),
            );
        }
        if self.calibrations.iter().any(Option::is_some) {
            methods.push(format!(
                "ECE: {CALIBRATION_BINS} bins of equal width; with two labels over the second one's probability, with more over the predicted one's."
            ));
        }
        methods
    }
}

fn area(draw: &[Option<Areas>], version: usize, metric: Metric) -> Option<f64> {
    let areas = draw.get(version).copied().flatten()?;
    Some(if metric == Metric::RocAuc { areas.roc_auc } else { areas.pr_auc })
}

/// Metrics of the second arm less those of the first, whose rows are others: drawn apart.
fn arm_differences(a: &ArmReport, b: &ArmReport, a_draws: &MetricDraws, b_draws: &MetricDraws) -> Vec<MetricComparison> {
    let difference = |of_a: &MetricValue| {
        let of_b = b.metrics.iter().find(|of_b| of_b.name == of_a.name)?;
        let values = |draws: &MetricDraws| draws.get(&of_a.name).and_then(|by_version| by_version.first().cloned()).unwrap_or_default();
        let (from_a, from_b) = (values(a_draws), values(b_draws));
        let is_whole = from_a.len() == bootstrap::DRAWS && from_b.len() == bootstrap::DRAWS;
        let interval = if is_whole { percentile_interval(from_a.iter().zip(&from_b).map(|(a, b)| b - a).collect()) } else { None };
        let judgement = Judgement::of(of_a.name, interval);
        Some(MetricComparison { name: of_a.name, a: of_a.value, b: of_b.value, difference: of_b.value - of_a.value, interval, judgement })
    };
    a.metrics.iter().filter_map(difference).collect()
}

/// Which rows change, where some do and some don't, or some more than others.
fn explanation(pair: &Pair, columns: &[String], has_labels: bool) -> Option<Explanation> {
    let mut sample = Sample { cells: Vec::new(), values: Vec::new(), weights: Vec::new() };
    for reservoir in [&pair.changed, &pair.unchanged] {
        let weight = reservoir.n_seen as f64 / reservoir.rows.len().max(1) as f64;
        for (cells, value) in &reservoir.rows {
            sample.cells.push(cells.clone());
            sample.values.push(*value);
            sample.weights.push(weight);
        }
    }
    let first = sample.values.first().copied()?;
    if sample.values.iter().all(|value| *value == first) {
        return None;
    }
    let weight: f64 = sample.weights.iter().sum();
    let overall = sample.values.iter().zip(&sample.weights).map(|(value, weight)| value * weight).sum::<f64>() / weight;
    let leaves = tree::grow(&sample, columns);
    let rule = |leaf: tree::Leaf| Rule {
        conditions: leaf.conditions.iter().map(ToString::to_string).collect(),
        share_of_rows: leaf.share,
        value: leaf.mean,
    };
    Some(Explanation {
        of: if has_labels { "share of rows whose label flips" } else { "mean change of a row" }.to_owned(),
        overall,
        is_share: has_labels,
        rules: leaves.into_iter().take(MAX_RULES).map(rule).collect(),
        rows_used: sample.values.len() as u64,
    })
}
