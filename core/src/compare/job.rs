//! A comparison from request to report.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::collect::Collector;
use super::finish::Finish;
use super::labels::LabelSpace;
use super::rows::{SplitColumns, Work};
use super::{CompareError, CompareReport, CompareRequest, Split, latency};
use crate::contract::{Task, did_you_mean, names};
use crate::data::{TableReader, TableSchema};
use crate::format;
use crate::model::OpenModel;
use crate::resolve;
use crate::score::blocks::{self, FedModel};
use crate::score::{Binding, ScoreError, ScoreRequest, bind};
use crate::task::{Progress, TaskCtx};
use crate::tensor::Device;

/// Rows that go through the versions together, unless the request says otherwise; where rows are wide, as many as make up this many numbers.
const BATCH_ROWS: usize = 4096;
const BATCH_NUMBERS: usize = 1 << 20;

/// Compares versions on a table. `home` is where the registry is, for versions that are written as its names. The table is read once; nothing is kept but aggregates and the rows that changed most.
pub fn compare(ctx: &TaskCtx, home: Option<&Path>, request: &CompareRequest) -> Result<CompareReport, CompareError> {
    if request.versions.len() < 2 {
        return Err(CompareError::Unfit("a comparison needs two versions or more".to_owned()));
    }
    let models = open_versions(ctx, home, request)?;
    compare_opened(ctx, request, &models)
}

/// Opens every version on one device.
fn open_versions(ctx: &TaskCtx, home: Option<&Path>, request: &CompareRequest) -> Result<Vec<Arc<OpenModel>>, CompareError> {
    let device = Device::open(request.device)?;
    let open = |path: &PathBuf| {
        ctx.checkpoint()?;
        ctx.report(Progress { stage: format!("opening {}", path.display()), ..Progress::default() });
        let opened = resolve::open(ctx, home, path, device.clone(), &mut |_| {}).and_then(|model| {
            model.plan().map_err(crate::Error::from)?;
            Ok(model)
        });
        opened.map(Arc::new).map_err(|source| CompareError::Version { path: path.clone(), source: Box::new(source) })
    };
    request.versions.iter().map(open).collect()
}

pub(super) fn compare_opened(ctx: &TaskCtx, request: &CompareRequest, models: &[Arc<OpenModel>]) -> Result<CompareReport, CompareError> {
    let started = Instant::now();
    ctx.report(Progress { stage: format!("reading {}", format::file_name(&request.data)), item_unit: "rows", ..Progress::default() });
    let names = version_names(models);
    let task = common_task(models, &names)?;
    let mut reader = TableReader::open(&request.data)?;
    let bindings = bindings(request, models, &names, &reader.schema)?;
    let columns = Columns::of(request, &bindings, &reader.schema)?;
    reader.project(&columns.read);
    let schema = reader.schema.clone();
    let work = work(ctx, request, models, &bindings, &columns, task, schema)?;

    let mut collector = Collector::new(&work, request.max_changed, request.window, columns.shown.clone());
    let stage = format!("comparing on {}", format::file_name(&request.data));
    let n_workers = request.threads.unwrap_or_else(default_threads).clamp(1, 1024);
    let mut unfit = None;
    let run = blocks::run(&work, reader, n_workers, |block, (done, total)| {
        let block = block.map_err(|failure| failure.at(&work.schema, collector.rows))?;
        if let Err(error) = collector.add(block) {
            unfit = Some(error);
            return Err(ScoreError::Cancelled(crate::task::Cancelled));
        }
        ctx.report(Progress { stage: stage.clone(), done, total, items: collector.rows, item_unit: "rows" });
        Ok(())
    });
    if let Some(error) = unfit {
        return Err(error);
    }
    run?;
    ctx.checkpoint()?;
    let finish = Finish {
        ctx,
        request,
        models,
        names,
        task,
        bindings,
        label: columns.label_name,
        shown: collector.shown_names(),
        labels: work.labels.names(),
    };
    let mut report = finish.report(collector)?;
    if request.measures_latency && models.len() > 1 {
        report.add_latency(latency::measure(ctx, request, models)?);
    }
    if let Some(path) = &request.changed {
        super::present::write_changed(path, request.overwrite, &report)?;
    }
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

impl CompareReport {
    fn add_latency(&mut self, measured: Result<latency::Measured, String>) {
        match measured {
            Ok(measured) => {
                for (version, latency) in self.versions.iter_mut().zip(measured.versions) {
                    version.latency = Some(latency);
                }
                for (version, bytes) in self.versions.iter_mut().zip(measured.memory) {
                    version.measured_memory_bytes = bytes;
                }
                for (pair, latency) in self.pairs.iter_mut().zip(measured.against_first) {
                    pair.latency = Some(latency);
                }
                self.methods.push(format!(
                    "Latency: the versions run in turns (A B B A) on the same rows, {} blocks; judged by the ratios of blocks.",
                    measured.blocks
                ));
            }
            Err(reason) => self.notes.push(format!("no latency: {reason}")),
        }
    }
}

fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// What reports call the versions: their titles, with the place of the file where titles are the same.
pub(super) fn version_names(models: &[Arc<OpenModel>]) -> Vec<String> {
    let titles: Vec<String> = models.iter().map(|model| model.title()).collect();
    let mut names: Vec<String> = Vec::with_capacity(titles.len());
    for (index, title) in titles.iter().enumerate() {
        let is_shared = titles.iter().filter(|other| *other == title).count() > 1;
        let letter = char::from(b'A' + u8::try_from(index % 26).unwrap_or_default());
        names.push(if is_shared { format!("{title} ({letter})") } else { title.clone() });
    }
    names
}

fn common_task(models: &[Arc<OpenModel>], names: &[String]) -> Result<Task, CompareError> {
    let word = |task: Task| match task {
        Task::Classification => "a classification",
        Task::Regression => "a regression",
        Task::Other => "neither a label nor a number",
    };
    let tasks: Vec<Task> = models.iter().map(|model| model.contract.task).collect();
    let task = tasks.first().copied().unwrap_or_default();
    match tasks.iter().position(|other| *other != task) {
        None => Ok(task),
        Some(other) => Err(CompareError::Unfit(format!(
            "{} is {}, but {} is {}: versions of different tasks can't be compared; write a contract if one of them is wrong",
            names.first().map_or("the first", String::as_str),
            word(task),
            names.get(other).map_or("another", String::as_str),
            word(tasks.get(other).copied().unwrap_or_default()),
        ))),
    }
}

fn bindings(request: &CompareRequest, models: &[Arc<OpenModel>], names: &[String], schema: &TableSchema) -> Result<Vec<Binding>, CompareError> {
    let info = schema.info();
    // A label that only one contract names is the label of all.
    let target = models.iter().filter_map(|model| model.contract.target.clone()).find(|target| schema.column_index(target).is_some());
    let request = ScoreRequest {
        data: request.data.clone(),
        label: request.label.clone().or(target),
        columns: request.columns.clone(),
        bind: request.bind.clone(),
        ..ScoreRequest::default()
    };
    let bind_one = |(model, name): (&Arc<OpenModel>, &String)| {
        bind(model, &info, &request).map_err(|error| match error {
            ScoreError::Binding(message) => CompareError::Unfit(format!("{name}: {message}")),
            error => error.into(),
        })
    };
    models.iter().zip(names).map(bind_one).collect()
}

/// Columns of the table by what they are for.
struct Columns {
    label: Option<usize>,
    label_name: Option<String>,
    time: Option<usize>,
    split: Option<SplitColumns>,
    /// Shown beside changed rows, and what explains them.
    shown: Vec<usize>,
    read: Vec<usize>,
}

impl Columns {
    fn of(request: &CompareRequest, bindings: &[Binding], schema: &TableSchema) -> Result<Self, CompareError> {
        let index = |name: &str, option: &str| {
            schema.column_index(name).ok_or_else(|| {
                let known = || schema.columns.iter().map(|column| column.name.as_str());
                let hint = did_you_mean(name, known());
                let path = schema.path.display();
                CompareError::Unfit(format!("{path}: there is no column '{name}'{hint}, which {option} names; the columns are {}", names(known())))
            })
        };
        let label_name = bindings.first().and_then(|binding| binding.label.clone());
        let label = label_name.as_deref().and_then(|label| schema.column_index(label));
        let time = request.time.as_deref().map(|time| index(time, "--time")).transpose()?;
        let mut features: Vec<usize> = bindings.iter().flat_map(|binding| &binding.columns).map(|column| column.table_index).collect();
        features.sort_unstable();
        features.dedup();
        let split = match &request.split {
            None => None,
            Some(Split { share, .. }) if !(0.0..=1.0).contains(share) => {
                return Err(CompareError::Unfit(format!("the split is a share of the rows from 0 to 1, not {share}")));
            }
            Some(Split { share, column: None }) => Some(SplitColumns { share: *share, columns: features.clone() }),
            Some(Split { share, column: Some(column) }) => Some(SplitColumns { share: *share, columns: vec![index(column, "--split-by")?] }),
        };
        let shown: Vec<usize> = (0..schema.columns.len()).filter(|&column| Some(column) != label && schema.has_plain_cells(column)).collect();
        let mut read = features;
        read.extend(&shown);
        read.extend(label);
        read.extend(time);
        read.extend(split.iter().flat_map(|split| &split.columns));
        read.sort_unstable();
        read.dedup();
        Ok(Self { label, label_name, time, split, shown, read })
    }
}

fn work<'a>(
    ctx: &'a TaskCtx,
    request: &CompareRequest,
    models: &'a [Arc<OpenModel>],
    bindings: &[Binding],
    columns: &Columns,
    task: Task,
    schema: Arc<TableSchema>,
) -> Result<Work<'a>, CompareError> {
    let mut fed = Vec::with_capacity(models.len());
    for (model, binding) in models.iter().zip(bindings) {
        let plan = model.plan().map_err(ScoreError::from)?;
        let unfit = |message: String| CompareError::Unfit(format!("{}: {message}", request.data.display()));
        fed.push(FedModel::new(model, plan, binding).map_err(unfit)?);
    }
    let labels = LabelSpace::default();
    for model in &fed {
        labels.codes(model.predictor.outputs.labels().iter().map(String::as_str));
    }
    let n_features = bindings.iter().map(|binding| binding.columns.len()).max().unwrap_or(1);
    let split = columns.split.as_ref().map(|split| SplitColumns { share: split.share, columns: split.columns.clone() });
    Ok(Work {
        ctx,
        schema,
        task,
        models: fed,
        labels,
        label: columns.label,
        time: columns.time,
        split,
        typed: columns.read.clone(),
        batch_rows: request.batch_rows.unwrap_or((BATCH_NUMBERS / n_features.max(1)).clamp(1, BATCH_ROWS)),
        on_error: request.on_error,
    })
}
