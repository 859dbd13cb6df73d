//! What scoring does with a block: parse, bind, run the model, encode.

use std::sync::Arc;

use super::OnError;
use super::blocks::{BlockFailure, BlockWork, FedModel};
use super::metrics::Observed;
use super::quarantine::Rejected;
use crate::contract::{Answers, InputRows};
use crate::data::{Block, Rows, TableEncoder, TablePiece, TableSchema};
use crate::task::TaskCtx;

/// What all workers share.
pub struct Work<'a> {
    pub ctx: &'a TaskCtx,
    pub schema: Arc<TableSchema>,
    pub model: FedModel<'a>,
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
    buffer: Vec<u8>,
}

impl BlockWork for Work<'_> {
    type Output = ScoredBlock;

    fn ctx(&self) -> &TaskCtx {
        self.ctx
    }

    fn work(&self, block: Block) -> Result<ScoredBlock, BlockFailure> {
        score_block(self, block)
    }

    fn buffer(output: ScoredBlock) -> Vec<u8> {
        output.buffer
    }
}

fn score_block(work: &Work<'_>, block: Block) -> Result<ScoredBlock, BlockFailure> {
    let mut typed = work.model.features.clone();
    typed.extend(work.label);
    let rows = work.schema.parse(block, &typed)?;
    let mut scored = ScoredBlock { n_rows: rows.n_rows(), ..ScoredBlock::default() };
    let mut bad_rows = rows.bad_rows().iter().peekable();
    let mut row = 0;
    while row < rows.n_rows() {
        work.ctx.checkpoint().map_err(|cancelled| BlockFailure::Other(cancelled.into()))?;
        let capacity = work.batch_rows.min(rows.n_rows() - row);
        let mut batch = work.model.batch(capacity)?;
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
        let answers = work.model.answer(work.ctx, batch, first_row, row - 1)?;
        scored.add(work, &rows, &accepted, answers)?;
    }
    scored.buffer = rows.into_buffer();
    Ok(scored)
}

/// Adds a row to the batch, or says why it can't be scored.
fn push_row(work: &Work<'_>, rows: &Rows, row: usize, batch: &mut InputRows<'_>) -> Result<(), Rejected> {
    if let Some(label) = work.label {
        let truth = Observed::check_truth(&work.model.predictor.outputs, &rows.cell(row, label));
        truth.map_err(|reason| Rejected::of_cell(rows, row, label, reason))?;
    }
    work.model.push(rows, row, batch)
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
            self.observed.push(Observed::new(&work.model.predictor.outputs, accepted.iter().map(|&row| rows.cell(row, label)), &answers));
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
