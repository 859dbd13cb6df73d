//! Takes blocks in the order of the rows and keeps what a report needs: sums, bounded samples, the rows that changed most.

use std::sync::Arc;

use super::agreement::{AgreementSums, RowDifference};
use super::areas::AreaSample;
use super::bootstrap::Groups;
use super::changed::{Reservoir, TopRows};
use super::labels::NO_LABEL;
use super::rows::{Chunk, ComparedBlock, Said, Truth, Work};
use super::tally::{RowTruth, TallyLayout};
use super::tree::SampleCell;
use super::windows::WindowSums;
use super::{ChangedRow, CompareError, Window};
use crate::contract::Task;
use crate::data::{Cell, Rows};
use crate::score::metrics::MetricsCollector;

/// Columns that the tree looks at, at most.
const MAX_EXPLAINING: usize = 200;

/// Everything gathered.
pub struct Collector<'a> {
    work: &'a Work<'a>,
    max_changed: usize,
    window: Option<Window>,
    /// Columns of the table that are shown beside a changed row.
    shown: Vec<usize>,
    pub rows: u64,
    pub rows_compared: u64,
    pub rows_labelled: u64,
    pub first_rejected: Option<(u64, crate::score::quarantine::Rejected)>,
    /// By version.
    pub metrics: Vec<MetricsCollector>,
    /// From the first chunk on.
    pub started: Option<Started>,
}

/// What takes the first answers to set up.
pub struct Started {
    pub layout: TallyLayout,
    /// By version: by label code, the column of its probability.
    probability_columns: Vec<Vec<Option<usize>>>,
    /// By version: the columns of the labels that all versions have, in the baseline's order.
    area_columns: Vec<Vec<usize>>,
    /// By label code: its place among those.
    area_labels: Vec<Option<usize>>,
    pub has_same_labels: bool,
    pub pairs: Vec<Pair>,
    pub groups: Groups,
    pub areas: Option<AreaSample>,
    pub windows: Option<WindowSums>,
    pub arms: Option<[Arm; 2]>,
    /// The first row's truth, from which sums of truths are taken so that they stay small.
    origin: Option<f64>,
    /// What the numbers are that agreement is measured over.
    pub over: &'static str,
}

/// Version `index + 1` against the baseline.
pub struct Pair {
    /// Columns of both that stand for the same thing.
    columns: Vec<(usize, usize)>,
    pub sums: AgreementSums,
    pub n_moved: u64,
    pub only_a_right: u64,
    pub only_b_right: u64,
    pub top: TopRows,
    pub changed: Reservoir,
    pub unchanged: Reservoir,
}

/// Rows that one version serves.
pub struct Arm {
    pub rows: u64,
    pub rows_changed: u64,
    pub rows_labelled: u64,
    pub groups: Groups,
}

impl<'a> Collector<'a> {
    pub fn new(work: &'a Work<'a>, max_changed: usize, window: Option<Window>, shown: Vec<usize>) -> Self {
        Self {
            work,
            max_changed,
            window,
            shown,
            rows: 0,
            rows_compared: 0,
            rows_labelled: 0,
            first_rejected: None,
            metrics: work.models.iter().map(|_| MetricsCollector::default()).collect(),
            started: None,
        }
    }

    pub fn add(&mut self, block: &ComparedBlock) -> Result<(), CompareError> {
        for rejected in &block.rejected {
            self.first_rejected.get_or_insert_with(|| (self.rows + rejected.row as u64 + 1, rejected.clone()));
        }
        for chunk in &block.chunks {
            self.chunk(&block.rows, chunk)?;
        }
        self.rows += block.n_rows as u64;
        Ok(())
    }

    fn chunk(&mut self, rows: &Rows, chunk: &Chunk) -> Result<(), CompareError> {
        for (metrics, observed) in self.metrics.iter_mut().zip(&chunk.observed) {
            observed.iter().for_each(|observed| metrics.add(observed));
        }
        let names = self.work.labels.names();
        let n_versions = self.work.models.len();
        if self.started.is_none() {
            self.started = Some(self.start(chunk, &names)?);
        }
        let Some(started) = &mut self.started else { return Ok(()) };
        // Labels may have been named since.
        for (columns, said) in started.probability_columns.iter_mut().zip(&chunk.said) {
            extend_columns(columns, said, &names);
        }
        let mut differences = Vec::with_capacity(n_versions);
        for (index, &row_in_block) in chunk.rows.iter().enumerate() {
            let row = self.rows + row_in_block as u64;
            let truth = row_truth(&chunk.truth, index, &mut started.origin);
            started.differences(&chunk.said, index, &mut differences);
            let context = RowContext { rows, row, row_in_block, index, names: &names, shown: &self.shown };
            started.keep_changed(&chunk.said, &differences, truth, &chunk.truth, &context);
            if let Some(truth) = truth {
                self.rows_labelled += 1;
                started.add_truth(&chunk.said, index, truth);
            }
            let time = chunk.times.get(index).copied();
            started.add_window(self.rows_compared, time, &chunk.said, index, &differences, truth)?;
            if let (Some(&is_canary), Some(first)) = (chunk.is_canary.get(index), differences.first()) {
                started.add_arm(usize::from(is_canary), *first, &chunk.said, index, truth);
            }
            self.rows_compared += 1;
        }
        Ok(())
    }

    fn start(&self, chunk: &Chunk, names: &[String]) -> Result<Started, CompareError> {
        let n_versions = self.work.models.len();
        let baseline = chunk.said.first().ok_or_else(|| CompareError::Unfit("there is no version to compare".to_owned()))?;
        let has_probabilities = chunk.said.iter().all(|said| !said.columns.is_empty());
        let (layout, over) = match self.work.task {
            Task::Classification if has_probabilities => (TallyLayout::of_classes(names.len(), true), "probabilities"),
            Task::Classification => (TallyLayout::of_classes(names.len(), false), "labels"),
            Task::Regression => (TallyLayout::Numbers, "predictions"),
            Task::Other => (TallyLayout::Numbers, "outputs"),
        };
        let column_of = |said: &Said, name: &String| said.names.iter().position(|other| other == name).filter(|column| *column < said.columns.len());
        let shared: Vec<(&String, Vec<usize>)> = baseline
            .names
            .iter()
            .filter_map(|name| Some((name, chunk.said.iter().map(|said| column_of(said, name)).collect::<Option<Vec<_>>>()?)))
            .collect();
        let has_same_labels = chunk.said.iter().all(|said| said.names.len() == shared.len());
        let pair = |index: usize| Pair {
            columns: shared.iter().filter_map(|(_, columns)| Some((*columns.first()?, *columns.get(index)?))).collect(),
            sums: AgreementSums::default(),
            n_moved: 0,
            only_a_right: 0,
            only_b_right: 0,
            top: TopRows::new(self.max_changed),
            changed: Reservoir::new(1),
            unchanged: Reservoir::new(2),
        };
        if shared.is_empty() && self.work.task == Task::Other {
            return Err(CompareError::Unfit("the versions have no output in common that could be compared".to_owned()));
        }
        let area_columns: Vec<Vec<usize>> =
            (0..n_versions).map(|version| shared.iter().filter_map(|(_, columns)| columns.get(version).copied()).collect()).collect();
        let area_labels = names.iter().map(|name| shared.iter().position(|(shared, _)| *shared == name)).collect();
        let width = layout.width();
        let has_truth = !matches!(chunk.truth, Truth::Unknown) && self.work.task != Task::Other;
        let areas = (has_truth && has_probabilities && has_same_labels && self.work.task == Task::Classification)
            .then(|| AreaSample::new(n_versions, shared.len()));
        let arm = || Arm { rows: 0, rows_changed: 0, rows_labelled: 0, groups: Groups::new(width, 1) };
        Ok(Started {
            probability_columns: vec![Vec::new(); n_versions],
            area_columns,
            area_labels,
            has_same_labels,
            pairs: (1..n_versions).map(pair).collect(),
            groups: Groups::new(width, n_versions),
            areas,
            windows: self.window.map(|window| WindowSums::new(window, n_versions, width)),
            arms: self.work.split.as_ref().map(|_| [arm(), arm()]),
            origin: None,
            over,
            layout,
        })
    }

    /// Names of the table's columns that are shown beside changed rows.
    pub fn shown_names(&self) -> Arc<[String]> {
        self.shown.iter().filter_map(|&column| self.work.schema.columns.get(column)).map(|column| column.name.clone()).collect()
    }
}

fn extend_columns(columns: &mut Vec<Option<usize>>, said: &Said, names: &[String]) {
    for name in names.iter().skip(columns.len()) {
        columns.push(said.names.iter().position(|other| other == name).filter(|column| *column < said.columns.len()));
    }
}

fn row_truth(truth: &Truth, index: usize, origin: &mut Option<f64>) -> Option<RowTruth> {
    match truth {
        Truth::Unknown => None,
        Truth::Labels(labels) => labels.get(index).filter(|label| **label != NO_LABEL).map(|&label| RowTruth::Label(label)),
        Truth::Numbers(numbers) => {
            let truth = numbers.get(index).copied().filter(|truth| truth.is_finite())?;
            Some(RowTruth::Number { truth, origin: *origin.get_or_insert(truth) })
        }
    }
}

/// Where a row stands.
struct RowContext<'r> {
    rows: &'r Rows,
    /// In the table, from 0.
    row: u64,
    row_in_block: usize,
    /// In its chunk.
    index: usize,
    names: &'r [String],
    shown: &'r [usize],
}

impl RowContext<'_> {
    fn changed_row(&self, a: &Said, b: &Said, columns: &[(usize, usize)], difference: RowDifference, truth: Option<String>) -> ChangedRow {
        let text = |said: &Said, column: Option<usize>| match said.labels.get(self.index) {
            Some(&label) => self.names.get(label as usize).cloned().unwrap_or_else(|| "another label".to_owned()),
            None => column.and_then(|column| said.columns.get(column)).map_or_else(String::new, |values| values.get(self.index).to_string()),
        };
        let most = columns.iter().copied().max_by(|x, y| {
            let move_of = |(in_a, in_b): (usize, usize)| {
                let value = |said: &Said, column: usize| said.columns.get(column).map_or(0.0, |values| values.get(self.index));
                (value(b, in_b) - value(a, in_a)).abs()
            };
            move_of(*x).total_cmp(&move_of(*y))
        });
        ChangedRow {
            row: self.row + 1,
            is_flip: difference.is_changed,
            a: text(a, most.map(|columns| columns.0)),
            b: text(b, most.map(|columns| columns.1)),
            change: difference.change,
            truth,
            cells: self.shown.iter().map(|&column| self.rows.cell(self.row_in_block, column).to_text().unwrap_or_default().into_owned()).collect(),
        }
    }

    fn sample_cells(&self) -> Vec<SampleCell> {
        let cell = |&column: &usize| match self.rows.cell(self.row_in_block, column) {
            Cell::Missing => SampleCell::Missing,
            cell => match cell.to_f64() {
                Ok(Some(number)) => SampleCell::Number(number),
                Ok(None) => SampleCell::Missing,
                Err(_) => SampleCell::Text(cell.to_text().unwrap_or_default().trim_ascii().into()),
            },
        };
        self.shown.iter().take(MAX_EXPLAINING).map(cell).collect()
    }
}

impl Started {
    fn differences(&mut self, said: &[Said], index: usize, differences: &mut Vec<RowDifference>) {
        differences.clear();
        let Some((a, others)) = said.split_first() else { return };
        for (pair, b) in self.pairs.iter_mut().zip(others) {
            differences.push(pair.sums.add(a, b, &pair.columns, index));
        }
    }

    fn keep_changed(&mut self, said: &[Said], differences: &[RowDifference], truth: Option<RowTruth>, truths: &Truth, context: &RowContext<'_>) {
        let Some((a, others)) = said.split_first() else { return };
        let truth_text = || match (truth, truths) {
            (Some(RowTruth::Label(label)), _) => context.names.get(label as usize).cloned(),
            (Some(RowTruth::Number { truth, .. }), _) => Some(truth.to_string()),
            (None, _) => None,
        };
        for ((pair, b), &difference) in self.pairs.iter_mut().zip(others).zip(differences) {
            if difference.is_changed || difference.change != 0.0 {
                pair.n_moved += 1;
                pair.top.offer(difference, || context.changed_row(a, b, &pair.columns, difference, truth_text()));
            }
            // Labels flip or not; numbers move more or less.
            let has_labels = !a.labels.is_empty();
            let value = if has_labels { f64::from(u8::from(difference.is_changed)) } else { difference.change.abs() };
            if value.is_finite() {
                let reservoir = if has_labels && difference.is_changed { &mut pair.changed } else { &mut pair.unchanged };
                reservoir.offer(value, || context.sample_cells());
            }
            if let (Some(RowTruth::Label(truth)), Some(&a), Some(&b)) = (truth, a.labels.get(context.index), b.labels.get(context.index)) {
                pair.only_a_right += u64::from(a == truth && b != truth);
                pair.only_b_right += u64::from(b == truth && a != truth);
            }
        }
    }

    fn add_truth(&mut self, said: &[Said], index: usize, truth: RowTruth) {
        for ((sums, said), columns) in self.groups.next_row().zip(said).zip(&self.probability_columns) {
            self.layout.add(sums, said, columns, index, truth);
        }
        if let (Some(areas), RowTruth::Label(label)) = (&mut self.areas, truth) {
            areas.add(said, &self.area_columns, index, self.area_labels.get(label as usize).copied().flatten());
        }
    }

    fn add_window(
        &mut self,
        row: u64,
        time: Option<f64>,
        said: &[Said],
        index: usize,
        differences: &[RowDifference],
        truth: Option<RowTruth>,
    ) -> Result<(), CompareError> {
        let Some(windows) = &mut self.windows else { return Ok(()) };
        let Some((changed, tallies)) = windows.at(row, time).map_err(CompareError::Unfit)? else { return Ok(()) };
        changed.iter_mut().zip(differences).for_each(|(count, difference)| *count += u64::from(difference.is_changed));
        if let Some(truth) = truth {
            for ((sums, said), columns) in tallies.iter_mut().zip(said).zip(&self.probability_columns) {
                self.layout.add(sums, said, columns, index, truth);
            }
        }
        Ok(())
    }

    fn add_arm(&mut self, version: usize, difference: RowDifference, said: &[Said], index: usize, truth: Option<RowTruth>) {
        let Some(arm) = self.arms.as_mut().and_then(|arms| arms.get_mut(version)) else { return };
        arm.rows += 1;
        arm.rows_changed += u64::from(difference.is_changed);
        let (Some(truth), Some(said), Some(columns)) = (truth, said.get(version), self.probability_columns.get(version)) else { return };
        arm.rows_labelled += 1;
        if let Some(sums) = arm.groups.next_row().next() {
            self.layout.add(sums, said, columns, index, truth);
        }
    }
}
