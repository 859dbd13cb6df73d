//! What happens to a block: each of its rows goes to every version, and what they say is brought into the same terms.

use std::sync::Arc;

use super::labels::{LabelSpace, NO_LABEL};
use super::statistics::mix;
use super::windows;
use crate::contract::{self, Answers, InputRows};
use crate::data::column::NumberPrinter;
use crate::data::{Block, Cell, ColumnData, Rows, TableSchema};
use crate::score::blocks::{BlockFailure, BlockWork, FedModel};
use crate::score::metrics::Observed;
use crate::score::quarantine::Rejected;
use crate::score::{OnError, ScoreError};
use crate::task::TaskCtx;

/// What all workers share.
pub struct Work<'a> {
    pub ctx: &'a TaskCtx,
    pub schema: Arc<TableSchema>,
    pub task: contract::Task,
    /// By version.
    pub models: Vec<FedModel<'a>>,
    pub labels: LabelSpace,
    /// The column with the truth, if it is known.
    pub label: Option<usize>,
    pub time: Option<usize>,
    pub split: Option<SplitColumns>,
    /// Columns whose cells are read.
    pub typed: Vec<usize>,
    pub batch_rows: usize,
    pub on_error: OnError,
}

/// How rows are dealt out to the two arms of a canary.
pub struct SplitColumns {
    pub share: f64,
    /// The cells that decide.
    pub columns: Vec<usize>,
}

/// A block on its way back from a worker.
pub struct ComparedBlock {
    pub n_rows: usize,
    pub rows: Rows,
    pub rejected: Vec<Rejected>,
    pub chunks: Vec<Chunk>,
}

/// Rows that went through the versions together.
pub struct Chunk {
    /// Their numbers within the block.
    pub rows: Vec<usize>,
    pub truth: Truth,
    /// By version: what metrics are made of; empty without labels.
    pub observed: Vec<Vec<Observed>>,
    /// By version.
    pub said: Vec<Said>,
    /// By row, in seconds since 1970; NaN where missing. Empty unless asked for.
    pub times: Vec<f64>,
    /// By row: whether the second version serves it. Empty unless asked for.
    pub is_canary: Vec<bool>,
}

/// What is right, by row.
pub enum Truth {
    Unknown,
    /// Codes, or [`NO_LABEL`].
    Labels(Vec<u32>),
    /// NaN where missing.
    Numbers(Vec<f64>),
}

/// What a version says of the rows of a chunk.
#[derive(Default)]
pub struct Said {
    /// The code of the label; empty unless the versions tell labels.
    pub labels: Vec<u32>,
    /// What the columns are called: labels for probabilities, outputs for anything else.
    pub names: Arc<[String]>,
    pub columns: Vec<Values>,
}

pub enum Values {
    F32(Vec<f32>),
    F64(Vec<f64>),
}

impl Values {
    pub fn get(&self, row: usize) -> f64 {
        match self {
            Self::F32(values) => values.get(row).map_or(f64::NAN, |&value| f64::from(value)),
            Self::F64(values) => values.get(row).copied().unwrap_or(f64::NAN),
        }
    }

    pub fn get_f32(&self, row: usize) -> f32 {
        match self {
            Self::F32(values) => values.get(row).copied().unwrap_or(f32::NAN),
            Self::F64(values) => values.get(row).map_or(f32::NAN, |&value| value as f32),
        }
    }

    fn append(&mut self, other: Self) {
        match (self, other) {
            (Self::F32(values), Self::F32(mut more)) => values.append(&mut more),
            (Self::F64(values), Self::F64(mut more)) => values.append(&mut more),
            (Self::F32(values), Self::F64(more)) => values.extend(more.into_iter().map(|value| value as f32)),
            (Self::F64(values), Self::F32(more)) => values.extend(more.into_iter().map(f64::from)),
        }
    }

    fn of(data: ColumnData) -> Option<Self> {
        match data {
            ColumnData::F32(values) => Some(Self::F32(values)),
            ColumnData::F64(values) => Some(Self::F64(values)),
            ColumnData::Integer(values) => Some(Self::F64(values.into_iter().map(|value| value as f64).collect())),
            ColumnData::Text(_) | ColumnData::Label { .. } => None,
        }
    }
}

impl BlockWork for Work<'_> {
    type Output = ComparedBlock;

    fn ctx(&self) -> &TaskCtx {
        self.ctx
    }

    fn work(&self, block: Block) -> Result<ComparedBlock, BlockFailure> {
        let rows = self.schema.parse(block, &self.typed)?;
        let mut rejected = Vec::new();
        let mut chunks = Vec::new();
        let mut next = 0;
        while next < rows.n_rows() {
            self.ctx.checkpoint().map_err(|cancelled| BlockFailure::Other(cancelled.into()))?;
            let first = next;
            let (accepted, batches) = self.collect(&rows, &mut next, &mut rejected)?;
            if !accepted.is_empty() {
                chunks.push(self.chunk(&rows, accepted, batches, first, next - 1)?);
            }
        }
        Ok(ComparedBlock { n_rows: rows.n_rows(), rows, rejected, chunks })
    }

    fn buffer(output: ComparedBlock) -> Vec<u8> {
        output.rows.into_buffer()
    }
}

/// By version: its batches.
type Batches<'w> = Vec<Vec<InputRows<'w>>>;

impl Work<'_> {
    /// Rows from `next` on that every version takes, up to a chunk of them, in batches of each version's own size.
    fn collect(&self, rows: &Rows, next: &mut usize, rejected: &mut Vec<Rejected>) -> Result<(Vec<usize>, Batches<'_>), BlockFailure> {
        let chunk_rows = self.batch_rows.min(rows.n_rows() - *next);
        let mut batches: Batches<'_> = self.models.iter().map(|_| Vec::new()).collect();
        let mut accepted = Vec::with_capacity(chunk_rows);
        let bad_rows = rows.bad_rows();
        let mut bad = bad_rows.partition_point(|bad| bad.row < *next);
        while *next < rows.n_rows() && accepted.len() < chunk_rows {
            let row = *next;
            *next += 1;
            let refused = if let Some(found) = bad_rows.get(bad).filter(|found| found.row == row) {
                bad += 1;
                let value = rows.row_text(row).unwrap_or_default().to_owned();
                Some(Rejected { row, column: found.column, value, reason: found.message.clone() })
            } else {
                self.push(rows, row, chunk_rows, &mut batches)?
            };
            match (refused, self.on_error) {
                (None, _) => accepted.push(row),
                (Some(refused), OnError::Skip) => rejected.push(refused),
                (Some(refused), OnError::Stop) => return Err(BlockFailure::Row(refused)),
            }
        }
        Ok((accepted, batches))
    }

    /// Adds a row to every version's batch, or to none: then with the reason.
    fn push<'w>(&'w self, rows: &Rows, row: usize, chunk_rows: usize, batches: &mut Batches<'w>) -> Result<Option<Rejected>, BlockFailure> {
        if let (Some(label), Some(first)) = (self.label, self.models.first())
            && let Err(reason) = Observed::check_truth(&first.predictor.outputs, &rows.cell(row, label))
        {
            return Ok(Some(Rejected::of_cell(rows, row, label, reason)));
        }
        if let Some(time) = self.time
            && let Err(reason) = windows::seconds(&rows.cell(row, time))
        {
            return Ok(Some(Rejected::of_cell(rows, row, time, reason)));
        }
        for index in 0..self.models.len() {
            let (Some(model), Some(open)) = (self.models.get(index), batches.get_mut(index)) else { continue };
            let capacity = model.predictor.batch_rows(chunk_rows);
            if open.last().is_none_or(|batch| batch.n_rows() >= capacity) {
                open.push(model.batch(capacity)?);
            }
            let Some(batch) = open.last_mut() else { continue };
            if let Err(refused) = model.push(rows, row, batch) {
                for earlier in batches.iter_mut().take(index) {
                    if let Some(batch) = earlier.last_mut() {
                        batch.pop();
                    }
                }
                return Ok(Some(refused));
            }
        }
        Ok(None)
    }

    fn chunk(&self, rows: &Rows, accepted: Vec<usize>, batches: Batches<'_>, first: usize, last: usize) -> Result<Chunk, BlockFailure> {
        let mut said = Vec::with_capacity(self.models.len());
        let mut observed = Vec::with_capacity(self.models.len());
        for (model, batches) in self.models.iter().zip(batches) {
            let mut whole = Said::default();
            let mut seen = Vec::new();
            let mut done = 0;
            for batch in batches.into_iter().filter(|batch| batch.n_rows() > 0) {
                let n_rows = batch.n_rows();
                let answers = model.answer(self.ctx, batch, first, last)?;
                if let Some(label) = self.label {
                    let truth = accepted.iter().skip(done).take(n_rows).map(|&row| rows.cell(row, label));
                    seen.push(Observed::new(&model.predictor.outputs, truth, &answers));
                }
                done += n_rows;
                let part = self.said(answers).map_err(|message| BlockFailure::Other(ScoreError::Binding(message)))?;
                whole.append(part).map_err(|message| BlockFailure::Other(ScoreError::Binding(message)))?;
            }
            said.push(whole);
            observed.push(seen);
        }
        let truth = self.truth(rows, &accepted);
        let cells = |column: usize| accepted.iter().map(move |&row| rows.cell(row, column));
        let time = |cell: Cell<'_>| windows::seconds(&cell).ok().flatten().unwrap_or(f64::NAN);
        let times = self.time.map_or_else(Vec::new, |column| cells(column).map(time).collect());
        let is_canary = self.split.as_ref().map_or_else(Vec::new, |split| accepted.iter().map(|&row| split.is_canary(rows, row)).collect());
        Ok(Chunk { rows: accepted, truth, observed, said, times, is_canary })
    }

    fn truth(&self, rows: &Rows, accepted: &[usize]) -> Truth {
        let Some(label) = self.label else { return Truth::Unknown };
        let cells = accepted.iter().map(|&row| rows.cell(row, label));
        if self.task == contract::Task::Regression {
            return Truth::Numbers(cells.map(|cell| cell.to_f64().ok().flatten().unwrap_or(f64::NAN)).collect());
        }
        // As the versions spell their labels: the first that knows the cell's text says which one it is.
        let known = |text: &str| {
            let outputs = self.models.iter().map(|model| &model.predictor.outputs);
            outputs.filter_map(|outputs| outputs.labels().get(outputs.label_code(text)? as usize)).map(String::as_str).next().map(str::to_owned)
        };
        let mut last: Option<(String, u32)> = None;
        let code = |cell: Cell<'_>| {
            let Some(text) = cell.to_text() else { return NO_LABEL };
            let text = text.trim_ascii();
            // Neighbours are often the same.
            if let Some((_, code)) = last.as_ref().filter(|(known, _)| known == text) {
                return *code;
            }
            let code = match known(text) {
                Some(name) => self.labels.code(&name),
                None if crate::data::cell::is_missing_text(text) => NO_LABEL,
                None => self.labels.code(text),
            };
            last = Some((text.to_owned(), code));
            code
        };
        Truth::Labels(cells.map(code).collect())
    }

    /// Brings answers into the terms that all versions share.
    fn said(&self, answers: Answers) -> Result<Said, String> {
        match self.task {
            contract::Task::Classification => {
                let labels = match &answers.prediction {
                    Some(ColumnData::Label { codes, names }) => {
                        let shared = self.labels.codes(names.iter().map(String::as_str));
                        codes.iter().map(|&code| shared.get(code as usize).copied().unwrap_or(NO_LABEL)).collect()
                    }
                    Some(other) => {
                        let mut printer = NumberPrinter::default();
                        (0..answers.n_rows).map(|row| self.labels.code(other.text(row, &mut printer))).collect()
                    }
                    None => return Err("a version tells no label; its contract names no output that does".to_owned()),
                };
                let columns = answers.probabilities.into_iter().map(Values::F32).collect();
                Ok(Said { labels, names: answers.labels, columns })
            }
            contract::Task::Regression => {
                let prediction = answers.prediction.and_then(Values::of);
                let prediction = prediction.ok_or("a version predicts no number; its contract names no output that does")?;
                Ok(Said { labels: Vec::new(), names: Arc::from(["prediction".to_owned()]), columns: vec![prediction] })
            }
            contract::Task::Other => {
                let columns = answers.into_columns().into_iter().filter_map(|column| Some((column.name, Values::of(column.data)?)));
                let (names, columns): (Vec<String>, Vec<Values>) = columns.unzip();
                if columns.is_empty() {
                    return Err("a version gives no number that could be compared".to_owned());
                }
                Ok(Said { labels: Vec::new(), names: names.into(), columns })
            }
        }
    }
}

impl Said {
    fn append(&mut self, mut more: Self) -> Result<(), String> {
        if self.columns.is_empty() && self.labels.is_empty() {
            *self = more;
            return Ok(());
        }
        if self.columns.len() != more.columns.len() {
            return Err(format!("a version's answers have {} columns for some rows and {} for others", self.columns.len(), more.columns.len()));
        }
        self.labels.append(&mut more.labels);
        for (column, more) in self.columns.iter_mut().zip(more.columns) {
            column.append(more);
        }
        Ok(())
    }
}

impl SplitColumns {
    /// Whether a row goes to the second version: by a hash of its cells, so that the same row goes the same way in every run and order.
    fn is_canary(&self, rows: &Rows, row: usize) -> bool {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut add = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        for &column in &self.columns {
            let cell = rows.cell(row, column);
            cell.to_text().unwrap_or_default().bytes().for_each(&mut add);
            add(0xff);
        }
        // The upper 53 bits as a number from 0 to below 1.
        let place = (mix(hash) >> 11) as f64 / (1_u64 << 53) as f64;
        place < self.share
    }
}
