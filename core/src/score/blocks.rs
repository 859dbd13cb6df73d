//! The way of a block through a run over a table: one thread reads, several work, the caller's takes what they made, in order.
//!
//! Queues are bounded, and a block's memory goes round: the reader starts a block only when one has been taken, so that nothing grows
//! with the number of rows, however fast one of them is.

use std::collections::BTreeMap;
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::quarantine::Rejected;
use super::{Binding, ScoreError};
use crate::contract::{Answers, InputRows};
use crate::data::{Block, Cell, DataError, Rows, TableReader, TableSchema};
use crate::engine::Plan;
use crate::model::OpenModel;
use crate::predict::{AnswerError, Predictor};
use crate::task::TaskCtx;

/// What the workers do with a block.
pub trait BlockWork: Sync {
    type Output: Send;

    fn ctx(&self) -> &TaskCtx;

    fn work(&self, block: Block) -> Result<Self::Output, BlockFailure>;

    /// The memory of a block whose output has been taken, for the next one.
    fn buffer(output: Self::Output) -> Vec<u8>;
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

impl BlockFailure {
    /// The failure at its place in the table; `rows_before` the block there are so many.
    pub fn at(self, schema: &TableSchema, rows_before: u64) -> ScoreError {
        let place = |row: usize| rows_before + row as u64 + 1;
        match self {
            Self::Row(rejected) => schema.row_error(place(rejected.row), rejected.column, rejected.reason).into(),
            Self::Answers { first_row, last_row, error } => {
                let (first_row, last_row) = (place(first_row), place(last_row));
                match error {
                    AnswerError::Run(source) => ScoreError::Run { first_row, last_row, source },
                    AnswerError::Unreadable(_) => ScoreError::Answers { first_row, last_row, message: error.to_string() },
                }
            }
            Self::Other(error) => error,
        }
    }
}

/// A model with the columns of a table that feed it.
pub struct FedModel<'a> {
    pub predictor: Predictor<'a>,
    /// By feature of the predictor: the column of the table.
    pub features: Vec<usize>,
}

impl<'a> FedModel<'a> {
    /// A sentence where the columns don't fill the model's inputs.
    pub fn new(model: &'a OpenModel, plan: &'a Plan, binding: &Binding) -> Result<Self, String> {
        let predictor = Predictor::new(model, plan, &binding.feature_columns(model))?;
        Ok(Self { predictor, features: binding.columns.iter().map(|column| column.table_index).collect() })
    }

    /// Room for the cells of `capacity` rows.
    pub fn batch(&self, capacity: usize) -> Result<InputRows<'_>, BlockFailure> {
        InputRows::new(&self.predictor.inputs, capacity).map_err(|message| BlockFailure::Other(ScoreError::Binding(message)))
    }

    /// Adds a row to a batch, or says why it can't be scored.
    pub fn push(&self, rows: &Rows, row: usize, batch: &mut InputRows<'_>) -> Result<(), Rejected> {
        let (features, inputs) = (&self.features, &self.predictor.inputs);
        let pushed = match rows {
            Rows::Csv(csv) => batch.push(|feature| {
                let number = inputs.takes_numbers(feature).then(|| csv.plain_number(row, features[feature])).flatten();
                number.map_or_else(|| csv.cell(row, features[feature]), Cell::Number)
            }),
            rows => batch.push(|feature| rows.cell(row, features[feature])),
        };
        pushed.map_err(|refused| Rejected::of_cell(rows, row, features[refused.feature], refused.message))
    }

    /// What the model says of a batch, whose rows lie between the two in their block.
    pub fn answer(&self, ctx: &TaskCtx, batch: InputRows<'_>, first_row: usize, last_row: usize) -> Result<Answers, BlockFailure> {
        self.predictor.answer(ctx, batch).map_err(|error| match error {
            AnswerError::Run(crate::engine::RunError::Cancelled(cancelled)) => BlockFailure::Other(cancelled.into()),
            error => BlockFailure::Answers { first_row, last_row, error },
        })
    }
}

type Numbered<T> = (u64, T);

/// Work done, and work in all if that is known.
pub type Done = (u64, Option<u64>);

/// What came of a block, with the work done when it was read.
type BlockResult<W> = (Result<<W as BlockWork>::Output, BlockFailure>, Done);

/// Works through all blocks of a table; `take` gets what came of them, in order.
pub fn run<W: BlockWork>(
    work: &W,
    reader: TableReader,
    n_workers: usize,
    mut take: impl FnMut(Result<&W::Output, BlockFailure>, Done) -> Result<(), ScoreError>,
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
        spawn(scope, "drydock-read", move || read_blocks::<W>(reader, &buffer_receiver, &block_sender, &failures))?;
        for index in 0..n_workers {
            let (blocks, results) = (block_receiver.clone(), result_sender.clone());
            spawn(scope, &format!("drydock-work-{index}"), move || {
                // Batches run side by side; within one, an operator would only wait for cores that other batches keep busy.
                match rayon::ThreadPoolBuilder::new().num_threads(1).build() {
                    Ok(pool) => pool.install(|| work_blocks(work, &blocks, &results)),
                    Err(_) => work_blocks(work, &blocks, &results),
                }
            })?;
        }
        drop((block_receiver, result_sender));
        let taken = take_blocks::<W>(work.ctx(), &result_receiver, &buffer_sender, &mut take);
        // The threads end when their queues are closed.
        drop((result_receiver, buffer_sender));
        taken
    })
}

fn spawn<'scope>(scope: &'scope thread::Scope<'scope, '_>, name: &str, body: impl FnOnce() + Send + 'scope) -> Result<(), ScoreError> {
    let spawned = thread::Builder::new().name(name.to_owned()).spawn_scoped(scope, body);
    spawned.map(drop).map_err(|error| ScoreError::Threads(error.to_string()))
}

fn read_blocks<W: BlockWork>(
    mut reader: TableReader,
    buffers: &Receiver<Vec<u8>>,
    blocks: &Sender<Numbered<(Block, Done)>>,
    failures: &Sender<Numbered<BlockResult<W>>>,
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
                let _ = failures.send((number, (Err(error.into()), (0, None))));
                return;
            }
        }
    }
}

fn work_blocks<W: BlockWork>(work: &W, blocks: &Receiver<Numbered<(Block, Done)>>, results: &Sender<Numbered<BlockResult<W>>>) {
    while let Ok((number, (block, progress))) = blocks.recv() {
        if results.send((number, (work.work(block), progress))).is_err() {
            return;
        }
    }
}

fn take_blocks<W: BlockWork>(
    ctx: &TaskCtx,
    results: &Receiver<Numbered<BlockResult<W>>>,
    buffers: &Sender<Vec<u8>>,
    take: &mut impl FnMut(Result<&W::Output, BlockFailure>, Done) -> Result<(), ScoreError>,
) -> Result<(), ScoreError> {
    let mut early = BTreeMap::new();
    let mut next = 0;
    while let Ok((number, result)) = results.recv() {
        ctx.checkpoint()?;
        early.insert(number, result);
        while let Some((result, progress)) = early.remove(&next) {
            next += 1;
            match result {
                Ok(output) => {
                    take(Ok(&output), progress)?;
                    // The reader may have come to the end.
                    let _ = buffers.try_send(W::buffer(output));
                }
                Err(failure) => take(Err(failure), progress)?,
            }
        }
    }
    Ok(())
}
