//! The one door for all faces: [`Command`] in, [`Event`] out, [`State`] to draw from.
//!
//! `dispatch` is cheap: it edits the state or starts a job on an immutable snapshot. `poll` folds ended jobs into the state and never blocks.
//! One-row predictions are last-request-wins: while one runs, only the newest request waits.

use std::sync::Arc;
use std::time::Duration;

use crate::jobs::{JobHandle, JobId, JobOutcome, JobPool};
use crate::model::OpenModel;
use crate::predict::PredictRequest;
use crate::task::{Progress, ProgressCell};
use crate::tensor::Device;
use crate::{Error, data, inspect, predict, score, verify};

mod command;
mod state;

pub use command::{Command, Event, Notice};
pub use state::{JobKind, JobRecord, JobState, OpenedModel, State};

/// What a job returns.
#[derive(Debug)]
enum JobResult {
    Opened(Box<OpenedModel>),
    Described(Box<data::TableInfo>),
    Predicted(predict::PredictReport),
    Scored(Box<score::ScoreReport>),
    Verified(verify::VerifyReport),
}

/// A person's session with Drydock.
pub struct Session {
    state: State,
    pool: JobPool<JobResult>,
    running: Vec<JobHandle>,
    /// The newest prediction asked for while another ran.
    waiting_prediction: Option<PredictRequest>,
    predicting: Option<JobId>,
    events: Vec<Event>,
}

impl Session {
    /// `wake` is called from other threads whenever a poll would find something new.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            state: State::default(),
            pool: JobPool::new(Arc::new(wake)),
            running: Vec::new(),
            waiting_prediction: None,
            predicting: None,
            events: Vec::new(),
        }
    }

    /// What the faces draw.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Does what a face asks. Long work becomes a job, whose id is returned.
    pub fn dispatch(&mut self, command: Command) -> Option<JobId> {
        match command {
            Command::OpenModel { path, device } => {
                let label = format!("opening {}", file_name(&path));
                Some(self.start(JobKind::Open, label, move |ctx| {
                    let device = Device::open(device)?;
                    let model = OpenModel::open(ctx, &path, device)?;
                    let report = inspect::inspect(&model);
                    Ok(JobResult::Opened(Box::new(OpenedModel { model: Arc::new(model), report: Arc::new(report) })))
                }))
            }
            Command::CloseModel => {
                self.state.opened = None;
                self.state.prediction = None;
                self.state.prediction_error = None;
                self.waiting_prediction = None;
                self.events.push(Event::StateChanged);
                None
            }
            Command::DescribeTable(path) => {
                let label = format!("reading {}", file_name(&path));
                Some(self.start(JobKind::Describe, label, move |_| Ok(JobResult::Described(Box::new(data::describe(&path, PREVIEW_ROWS)?)))))
            }
            Command::Predict(request) => self.predict(request),
            Command::Score(request) => {
                let model = self.model()?;
                let label = format!("scoring {}", file_name(&request.data));
                Some(self.start(JobKind::Score, label, move |ctx| Ok(JobResult::Scored(Box::new(score::score(ctx, &model, &request)?)))))
            }
            Command::Verify(request) => {
                Some(self.start(JobKind::Verify, "verifying".to_owned(), move |ctx| Ok(JobResult::Verified(verify::verify(ctx, &request)?))))
            }
            Command::Cancel(id) => {
                if let Some(handle) = self.running.iter().find(|handle| handle.id == id) {
                    handle.cancel.cancel();
                }
                None
            }
        }
    }

    /// Folds what has happened since the last call into the state. Never blocks.
    pub fn poll(&mut self) -> Vec<Event> {
        for (id, outcome) in self.pool.poll() {
            self.finish(id, outcome);
        }
        std::mem::take(&mut self.events)
    }

    /// Blocks until a job has ended, calling `on_tick` about ten times a second. For the command line and for tests.
    pub fn wait(&mut self, job: JobId, mut on_tick: impl FnMut(&mut Self, &ProgressCell)) -> JobState {
        let progress = self.running.iter().find(|handle| handle.id == job).map(|handle| handle.progress.clone()).unwrap_or_default();
        while self.running.iter().any(|handle| handle.id == job) {
            if let Some((id, outcome)) = self.pool.wait(Duration::from_millis(100)) {
                self.finish(id, outcome);
            }
            on_tick(self, &progress);
        }
        self.state.job(job).map_or(JobState::Cancelled, |record| record.state.clone())
    }

    /// Progress of a running job.
    pub fn progress(&self, job: JobId) -> Option<&ProgressCell> {
        self.running.iter().find(|handle| handle.id == job).map(|handle| &handle.progress)
    }

    /// The latest progress of every running job, oldest first.
    pub fn running(&self) -> Vec<(JobId, Progress)> {
        self.running.iter().map(|handle| (handle.id, handle.progress.latest())).collect()
    }

    /// Cancels every running job: at the end of the program.
    pub fn cancel_all(&mut self) {
        for handle in &self.running {
            handle.cancel.cancel();
        }
    }

    fn model(&mut self) -> Option<Arc<OpenModel>> {
        let model = self.state.opened.as_ref().map(|opened| Arc::clone(&opened.model));
        if model.is_none() {
            self.events.push(Event::Notice(Notice::error("open a model first")));
        }
        model
    }

    fn predict(&mut self, request: PredictRequest) -> Option<JobId> {
        let model = self.model()?;
        if self.predicting.is_some() {
            self.waiting_prediction = Some(request);
            return self.predicting;
        }
        let id = self.start(JobKind::Predict, "predicting".to_owned(), move |ctx| Ok(JobResult::Predicted(predict::predict(ctx, &model, &request)?)));
        self.predicting = Some(id);
        Some(id)
    }

    fn start(
        &mut self,
        kind: JobKind,
        label: String,
        work: impl FnOnce(&crate::task::TaskCtx) -> Result<JobResult, Error> + Send + 'static,
    ) -> JobId {
        let handle = self.pool.start(kind.name(), work);
        let id = handle.id;
        self.running.push(handle);
        // One-row predictions come by the hundred while a slider moves: they are not kept as records.
        if kind != JobKind::Predict {
            self.state.jobs.push(JobRecord { id, kind, label, state: JobState::Running, seconds: None });
        }
        self.events.push(Event::JobStarted(id));
        id
    }

    fn finish(&mut self, id: JobId, outcome: JobOutcome<JobResult>) {
        let seconds = self.progress(id).map(|progress| progress.elapsed().as_secs_f64());
        self.running.retain(|handle| handle.id != id);
        let is_prediction = self.predicting == Some(id);
        let state = match outcome {
            JobOutcome::Done(result) => {
                self.apply(result);
                JobState::Done
            }
            JobOutcome::Cancelled => JobState::Cancelled,
            JobOutcome::Failed(error) => JobState::Failed(error.to_string()),
            JobOutcome::Panicked(message) => JobState::Failed(format!("Drydock broke down: {message}. This is a bug; please report it")),
        };
        if is_prediction {
            self.predicting = None;
            if let JobState::Failed(message) = &state {
                self.state.prediction = None;
                self.state.prediction_error = Some(message.clone());
            }
        }
        if let Some(record) = self.state.jobs.iter_mut().find(|record| record.id == id) {
            record.seconds = seconds;
            record.state = state.clone();
            if let JobState::Failed(message) = &state {
                self.events.push(Event::Notice(Notice::error(message)));
            }
        }
        self.events.push(Event::JobFinished(id));
        if is_prediction && let Some(request) = self.waiting_prediction.take() {
            self.predict(request);
        }
    }

    fn apply(&mut self, result: JobResult) {
        match result {
            JobResult::Opened(opened) => {
                self.state.prediction = None;
                self.state.prediction_error = None;
                self.state.remember(opened.model.path.clone());
                self.state.opened = Some(*opened);
            }
            JobResult::Described(info) => self.state.table = Some(*info),
            JobResult::Predicted(report) => {
                self.state.prediction = Some(report);
                self.state.prediction_error = None;
            }
            JobResult::Scored(report) => self.state.score = Some(*report),
            JobResult::Verified(report) => self.state.verify = Some(report),
        }
        self.events.push(Event::StateChanged);
    }
}

/// Rows of a table that faces show before it is scored.
const PREVIEW_ROWS: usize = 50;

fn file_name(path: &std::path::Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

impl Drop for Session {
    fn drop(&mut self) {
        self.cancel_all();
    }
}
