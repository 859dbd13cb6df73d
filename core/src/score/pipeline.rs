//! The way of a block through a scoring run: one thread reads, several parse, run the model and encode, the caller's writes in order.
//!
//! Queues are bounded, and a block's memory goes round: the reader starts a block only when one has been written, so that nothing grows
//! with the number of rows, however fast one of them is.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::metrics::Observed;
use super::quarantine::Rejected;
use super::{OnError, ScoreError};
use crate::contract::{Answers, InputRows};
use crate::data::{Block, Cell, DataError, Rows, TableEncoder, TablePiece, TableReader, TableSchema};
use crate::predict::{AnswerError, Predictor};
use crate::task::TaskCtx;

/// What all workers share.
pub struct Work<'a> {
    pub ctx: &'a TaskCtx,
    pub schema: Arc<TableSchema>,
    pub predictor: Predictor<'a>,
    /// By feature of the predictor: the column of the table that feeds it.
    pub features: Vec<usize>,
    /// The column with the truth, if metrics are wanted.
    pub label: Option<usize>,
    pub encoder: TableEncoder,
    pub batch_rows: usize,
    pub on_error: OnError,
}

/// A block on its way back from a worker.
#[derive(Default)]
pub struct ScoredBlock {
    pub n_rows: usize,
    pub n_scored: usize,
    pub piece: TablePiece,
    pub rejected: Vec<Rejected>,
    pub observed: Vec<Observed>,
    /// Names of the columns that the answers add; `None` while no row of the block had any.
    pub added: Option<Vec<Arc<str>>>,
    /// Work done and in all when the block was read.
    pub progress: Done,
    buffer: Vec<u8>,
}

/// Why a block can't be scored. Rows count within the block from 0.
pub enum BlockFailure {
    Row(Rejected),
    Answers { first_row: usize, last_row: usize, error: AnswerError },
    Other(ScoreError),
}

impl From<DataError> for BlockFailure {
    fn from(error: DataError) -> Self {
        Self::Other(ScoreError::Data(error))
    }
}

type Numbered<T> = (u64, T);

/// Work done, and work in all if that is known.
type Done = (u64, Option<u64>);

/// Scores all blocks of a table; `write` gets them in order.
pub fn run(
    work: &Work<'_>,
    reader: TableReader,
    n_workers: usize,
    mut write: impl FnMut(Result<&ScoredBlock, BlockFailure>) -> Result<(), ScoreError>,
) -> Result<(), ScoreError> {
    let in_flight = 2 * n_workers + 2;
    let (block_sender, block_receiver) = bounded(n_workers);
    let (result_sender, result_receiver) = bounded(n_workers);
    let (buffer_sender, buffer_receiver) = bounded(in_flight);
    for _ in 0..in_flight {
        // There is room for each.
        let _ = buffer_sender.send(Vec::new());
    }
    thread::scope(|scope| {
        let failures = result_sender.clone();
        spawn(scope, "drydock-read", move || read_blocks(reader, &buffer_receiver, &block_sender, &failures))?;
        for index in 0..n_workers {
            let (blocks, results) = (block_receiver.clone(), result_sender.clone());
            spawn(scope, &format!("drydock-score-{index}"), move || {
                // Batches run side by side; within one, an operator would only wait for cores that other batches keep busy.
                match rayon::ThreadPoolBuilder::new().num_threads(1).build() {
                    Ok(pool) => pool.install(|| score_blocks(work, &blocks, &results)),
                    Err(_) => score_blocks(work, &blocks, &results),
                }
            })?;
        }
        drop((block_receiver, result_sender));
        let written = write_blocks(work.ctx, &result_receiver, &buffer_sender, &mut write);
        // The threads end when their queues are closed.
        drop((result_receiver, buffer_sender));
        written
    })
}

fn spawn<'scope>(scope: &'scope thread::Scope<'scope, '_>, name: &str, body: impl FnOnce() + Send + 'scope) -> Result<(), ScoreError> {
    let spawned = thread::Builder::new().name(name.to_owned()).spawn_scoped(scope, body);
    spawned.map(drop).map_err(|error| ScoreError::Threads(error.to_string()))
}

type BlockResult = Result<ScoredBlock, BlockFailure>;

fn read_blocks(
    mut reader: TableReader,
    buffers: &Receiver<Vec<u8>>,
    blocks: &Sender<Numbered<(Block, Done)>>,
    failures: &Sender<Numbered<BlockResult>>,
) {
    for number in 0.. {
        let Ok(buffer) = buffers.recv() else { return };
        match reader.next_block(buffer) {
            Ok(Some(block)) => {
                if blocks.send((number, (block, reader.progress()))).is_err() {
                    return;
                }
            }
            Ok(None) => return,
            Err(error) => {
                // Nobody listens any more if this fails.
                let _ = failures.send((number, Err(error.into())));
                return;
            }
        }
    }
}

fn score_blocks(work: &Work<'_>, blocks: &Receiver<Numbered<(Block, Done)>>, results: &Sender<Numbered<BlockResult>>) {
    while let Ok((number, (block, progress))) = blocks.recv() {
        let result = score_block(work, block).map(|scored| ScoredBlock { progress, ..scored });
        if results.send((number, result)).is_err() {
            return;
        }
    }
}

fn write_blocks(
    ctx: &TaskCtx,
    results: &Receiver<Numbered<BlockResult>>,
    buffers: &Sender<Vec<u8>>,
    write: &mut impl FnMut(Result<&ScoredBlock, BlockFailure>) -> Result<(), ScoreError>,
) -> Result<(), ScoreError> {
    let mut early = BTreeMap::new();
    let mut next = 0;
    while let Ok((number, result)) = results.recv() {
        ctx.checkpoint()?;
        early.insert(number, result);
        while let Some(result) = early.remove(&next) {
            next += 1;
            match result {
                Ok(block) => {
                    write(Ok(&block))?;
                    // The reader may have come to the end.
                    let _ = buffers.try_send(block.buffer);
                }
                Err(failure) => write(Err(failure))?,
            }
        }
    }
    Ok(())
}

fn score_block(work: &Work<'_>, block: Block) -> BlockResult {
    let mut typed = work.features.clone();
    typed.extend(work.label);
    let rows = work.schema.parse(block, &typed)?;
    let mut scored = ScoredBlock { n_rows: rows.n_rows(), ..ScoredBlock::default() };
    let mut bad_rows = rows.bad_rows().iter().peekable();
    let mut row = 0;
    while row < rows.n_rows() {
        work.ctx.checkpoint().map_err(|cancelled| BlockFailure::Other(cancelled.into()))?;
        let capacity = work.batch_rows.min(rows.n_rows() - row);
        let mut batch = InputRows::new(&work.predictor.inputs, capacity).map_err(|message| BlockFailure::Other(ScoreError::Binding(message)))?;
        let mut accepted = Vec::with_capacity(capacity);
        let first_row = row;
        while row < rows.n_rows() && batch.n_rows() < capacity {
            if let Some(bad) = bad_rows.next_if(|bad| bad.row == row) {
                let value = rows.row_text(row).unwrap_or_default().to_owned();
                scored.reject(work.on_error, Rejected { row, column: bad.column, value, reason: bad.message.clone() })?;
            } else if let Err(rejected) = push_row(work, &rows, row, &mut batch) {
                scored.reject(work.on_error, rejected)?;
            } else {
                accepted.push(row);
            }
            row += 1;
        }
        if accepted.is_empty() {
            continue;
        }
        let failed = |error| match error {
            AnswerError::Run(crate::engine::RunError::Cancelled(cancelled)) => BlockFailure::Other(cancelled.into()),
            error => BlockFailure::Answers { first_row, last_row: row - 1, error },
        };
        let answers = work.predictor.answer(work.ctx, batch).map_err(failed)?;
        scored.add(work, &rows, &accepted, answers)?;
    }
    scored.buffer = rows.into_buffer();
    Ok(scored)
}

/// Adds a row to the batch, or says why it can't be scored.
fn push_row(work: &Work<'_>, rows: &Rows, row: usize, batch: &mut InputRows<'_>) -> Result<(), Rejected> {
    let rejected = |column: usize, reason: String| {
        let value = rows.cell(row, column).to_text().unwrap_or_default().into_owned();
        Rejected { row, column: Some(column), value, reason }
    };
    if let Some(label) = work.label {
        Observed::check_truth(&work.predictor.outputs, &rows.cell(row, label)).map_err(|reason| rejected(label, reason))?;
    }
    let features = &work.features;
    let inputs = &work.predictor.inputs;
    let pushed = match rows {
        Rows::Csv(csv) => batch.push(|feature| {
            let number = inputs.takes_numbers(feature).then(|| csv.plain_number(row, features[feature])).flatten();
            number.map_or_else(|| csv.cell(row, features[feature]), Cell::Number)
        }),
        rows => batch.push(|feature| rows.cell(row, features[feature])),
    };
    pushed.map_err(|refused| rejected(features[refused.feature], refused.message))
}

impl ScoredBlock {
    fn reject(&mut self, on_error: OnError, rejected: Rejected) -> Result<(), BlockFailure> {
        match on_error {
            OnError::Stop => Err(BlockFailure::Row(rejected)),
            OnError::Skip => {
                self.rejected.push(rejected);
                Ok(())
            }
        }
    }

    fn add(&mut self, work: &Work<'_>, rows: &Rows, accepted: &[usize], answers: Answers) -> Result<(), BlockFailure> {
        if let Some(label) = work.label {
            self.observed.push(Observed::new(&work.predictor.outputs, accepted.iter().map(|&row| rows.cell(row, label)), &answers));
        }
        let columns = answers.into_columns();
        if self.added.is_none() {
            self.added = Some(columns.iter().map(|column| Arc::from(column.name.as_str())).collect());
        }
        self.n_scored += accepted.len();
        work.encoder.encode(rows, accepted, &columns, &mut self.piece).map_err(|bad| {
            let value = bad.column.and_then(|column| rows.cell(bad.row, column).to_text().map(std::borrow::Cow::into_owned)).unwrap_or_default();
            BlockFailure::Row(Rejected { row: bad.row, column: bad.column, value, reason: bad.message })
        })
    }
}
