//! A scoring run from request to report.

use std::sync::Arc;
use std::time::Instant;

use super::blocks::{self, Done, FedModel};
use super::metrics::MetricsCollector;
use super::pipeline::{ScoredBlock, Work};
use super::quarantine::{Quarantine, Rejected};
use super::{Binding, Keep, OnError, ScoreError, ScoreReport, ScoreRequest, bind};
use crate::contract::{did_you_mean, names};
use crate::data::{Compression, DataError, Kept, TableEncoder, TableFormat, TableReader, TableSchema, TableWriter, is_same_file, output_format};
use crate::format;
use crate::model::OpenModel;
use crate::task::{Progress, TaskCtx};

/// Rows of a batch, unless the request says otherwise: large enough to hide the cost of a run, small enough for its results to stay in cache.
/// Where rows are wide, as many as make up this many numbers.
const BATCH_ROWS: usize = 4096;
const BATCH_NUMBERS: usize = 1 << 20;

/// Scores a file. Nothing is left behind unless it succeeds: the output is written under a temporary name and renamed.
pub fn score(ctx: &TaskCtx, model: &OpenModel, request: &ScoreRequest) -> Result<ScoreReport, ScoreError> {
    let started = Instant::now();
    ctx.report(Progress { stage: format!("reading {}", format::file_name(&request.data)), item_unit: "rows", ..Progress::default() });
    let plan = model.plan()?;
    refuse_overwriting_input(request)?;
    let mut reader = TableReader::open(&request.data)?;
    let binding = bind(model, &reader.schema.info(), request)?;
    let (format, compression) = output_format(&request.output, reader.schema.format)?;
    let kept = kept_columns(&reader.schema, &request.keep)?;
    let label = binding.label.as_deref().and_then(|label| reader.schema.column_index(label));
    reader.project(&read_columns(&binding, label, &kept, reader.schema.columns.len()));
    let schema = reader.schema.clone();

    let fed = FedModel::new(model, plan, &binding).map_err(|message| unfit(request, &message))?;
    let batch_rows = fed.predictor.batch_rows(request.batch_rows.unwrap_or((BATCH_NUMBERS / binding.columns.len().max(1)).clamp(1, BATCH_ROWS)));
    let encoder = TableEncoder::new(schema.clone(), format, &kept)?;
    let work = Work { ctx, schema, model: fed, label, encoder, batch_rows, on_error: request.on_error };

    let mut output = Output::create(&work, request, format, compression)?;
    let n_workers = request.threads.unwrap_or_else(default_threads).clamp(1, 1024);
    blocks::run(&work, reader, n_workers, |block, progress| match block {
        Ok(block) => output.write(block, progress),
        Err(failure) => Err(failure.at(&work.schema, output.rows)),
    })?;
    ctx.checkpoint()?;
    output.finish(request, &binding, started)
}

fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn unfit(request: &ScoreRequest, message: &str) -> ScoreError {
    ScoreError::Binding(format!("{}: {message}", request.data.display()))
}

fn refuse_overwriting_input(request: &ScoreRequest) -> Result<(), ScoreError> {
    for output in [request.output.clone(), Quarantine::path_for(&request.output)] {
        if is_same_file(&request.data, &output) {
            let message = "this is the table being read; write the scores to another file".to_owned();
            return Err(DataError::Unsuitable { path: output, message }.into());
        }
    }
    Ok(())
}

fn kept_columns(schema: &TableSchema, keep: &Keep) -> Result<Kept, ScoreError> {
    let wanted = match keep {
        Keep::All => return Ok(Kept::All),
        Keep::None => return Ok(Kept::Columns(Vec::new())),
        Keep::Columns(wanted) => wanted,
    };
    let index = |name: &String| {
        let known = || schema.columns.iter().map(|column| column.name.as_str());
        schema.column_index(name).ok_or_else(|| {
            let hint = did_you_mean(name, known());
            let path = schema.path.display();
            ScoreError::Binding(format!("{path}: there is no column '{name}'{hint}, which --keep names; the columns are {}", names(known())))
        })
    };
    let mut columns = Vec::with_capacity(wanted.len());
    for name in wanted {
        let column = index(name)?;
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    Ok(Kept::Columns(columns))
}

/// The columns that a columnar file need not leave out.
fn read_columns(binding: &Binding, label: Option<usize>, kept: &Kept, n_columns: usize) -> Vec<usize> {
    let mut columns: Vec<usize> = match kept {
        Kept::All => (0..n_columns).collect(),
        Kept::Columns(columns) => columns.clone(),
    };
    columns.extend(binding.columns.iter().map(|column| column.table_index));
    columns.extend(label);
    columns
}

/// Everything that is written and counted, in the order of the rows.
struct Output<'a> {
    work: &'a Work<'a>,
    kept: Vec<&'a str>,
    writer: TableWriter,
    quarantine: Option<Quarantine>,
    metrics: Option<MetricsCollector>,
    has_header: bool,
    stage: String,
    rows: u64,
    rows_scored: u64,
    first_rejected: Option<(u64, Rejected)>,
}

impl<'a> Output<'a> {
    fn create(work: &'a Work<'a>, request: &ScoreRequest, format: TableFormat, compression: Compression) -> Result<Self, ScoreError> {
        let quarantine = match request.on_error {
            OnError::Stop => None,
            OnError::Skip => Some(Quarantine::new(&request.output, request.overwrite)?),
        };
        Ok(Self {
            work,
            kept: work.encoder.kept_names().collect(),
            writer: TableWriter::create(&request.output, format, compression, request.overwrite)?,
            quarantine,
            metrics: work.label.map(|_| MetricsCollector::default()),
            has_header: false,
            stage: format!("scoring {}", format::file_name(&request.data)),
            rows: 0,
            rows_scored: 0,
            first_rejected: None,
        })
    }

    fn write(&mut self, block: &ScoredBlock, (done, total): Done) -> Result<(), ScoreError> {
        if let (false, Some(added)) = (self.has_header, &block.added) {
            self.has_header = true;
            self.refuse_collisions(added)?;
            self.writer.write_text(&self.work.encoder.header(added))?;
        }
        self.writer.write(&block.piece)?;
        for rejected in &block.rejected {
            let row = self.rows + rejected.row as u64 + 1;
            let column = rejected.column.and_then(|column| self.work.schema.columns.get(column)).map_or("", |column| column.name.as_str());
            if let Some(quarantine) = &mut self.quarantine {
                quarantine.add(row, column, rejected)?;
            }
            self.first_rejected.get_or_insert_with(|| (row, rejected.clone()));
        }
        if let Some(metrics) = &mut self.metrics {
            block.observed.iter().for_each(|observed| metrics.add(observed));
        }
        self.rows += block.n_rows as u64;
        self.rows_scored += block.n_scored as u64;
        self.work.ctx.report(Progress { stage: self.stage.clone(), done, total, items: self.rows, item_unit: "rows" });
        Ok(())
    }

    fn refuse_collisions(&self, added: &[Arc<str>]) -> Result<(), ScoreError> {
        let Some(name) = added.iter().find(|name| self.kept.contains(&&***name)) else { return Ok(()) };
        let path = self.work.schema.path.display();
        Err(ScoreError::Binding(format!(
            "{path}: the table already has a column '{name}', which the scores would be written to; rename it, or leave it out with --keep"
        )))
    }

    fn finish(self, request: &ScoreRequest, binding: &Binding, started: Instant) -> Result<ScoreReport, ScoreError> {
        if self.rows == 0 {
            return Err(DataError::Unsuitable { path: request.data.clone(), message: "the table has no rows".to_owned() }.into());
        }
        if let (0, Some((row, rejected))) = (self.rows_scored, self.first_rejected) {
            let reason = self.work.schema.row_error(row, rejected.column, rejected.reason).to_string();
            return Err(ScoreError::NothingScored { rows: self.rows, reason });
        }
        self.writer.finish()?;
        let quarantine = self.quarantine.map(Quarantine::finish).transpose()?.flatten();
        let (metrics, mut notes) = self.metrics.map_or_else(|| (None, Vec::new()), MetricsCollector::finish);
        notes.insert(0, binding.announcement());
        let seconds = started.elapsed().as_secs_f64();
        Ok(ScoreReport {
            rows: self.rows,
            rows_scored: self.rows_scored,
            rows_rejected: self.rows - self.rows_scored,
            seconds,
            rows_per_second: self.rows as f64 / seconds.max(f64::MIN_POSITIVE),
            output: request.output.clone(),
            quarantine,
            metrics,
            notes,
        })
    }
}

impl Binding {
    /// One line on what feeds the model.
    pub fn announcement(&self) -> String {
        let columns = if self.columns.len() == 1 { "column feeds" } else { "columns feed" };
        let mut line = format!("{} {columns} the model, by {}", self.columns.len(), self.decided_by);
        if self.decided_by.contains("order") {
            line.push_str(&format!(": {}", names(self.columns.iter().map(|column| column.column.as_str()))));
        }
        if !self.unused.is_empty() {
            line.push_str(&format!("; not used: {}", names(self.unused.iter().map(String::as_str))));
        }
        line
    }
}
