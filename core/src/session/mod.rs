//! The one door for all faces: [`Command`] in, [`Event`] out, [`State`] to draw from.
//!
//! `dispatch` is cheap: it edits the state or starts a job on an immutable snapshot. `poll` folds ended jobs into the state and never blocks.
//! What a family of commands starts stands in a file of its own; this one has the course of every job.

use std::sync::Arc;
use std::time::Duration;

use crate::jobs::{JobHandle, JobId, JobOutcome, JobPool};
use crate::model::{OpenModel, Origin};
use crate::predict::PredictRequest;
use crate::task::{Progress, ProgressCell, TaskCtx};
use crate::{Error, compare, data, predict, profile, score, verify};

mod command;
mod command_line;
mod comparing;
mod models;
mod opening;
mod packaging;
mod predicting;
mod profiling;
mod recording;
mod registry;
mod scoring;
mod state;
mod task;

pub use command::{Command, Event, Notice};
pub use command_line::{command_line, package_line};
pub use registry::{LineageRequest, RegistryCommand, RegistryReport};
pub use state::{JobKind, JobRecord, JobState, OpenedModel, State};
pub use task::Task;

use predicting::{Lane, Question};
use recording::Recording;

/// What a job returns.
#[derive(Debug)]
enum JobResult {
    Opened(Box<OpenedModel>),
    Described(Box<data::TableInfo>),
    Predicted(PredictRequest, predict::PredictReport),
    Scored(Box<score::ScoreReport>, Option<Box<data::TableInfo>>),
    Verified(verify::VerifyReport),
    Profiled(Box<profile::ProfileReport>, Option<Vec<profile::ProfileSummary>>),
    Packaged(crate::package::PackageReport),
    PackageChecked(crate::package::PackageCheck),
    Registry(Box<crate::registry::RegistryView>, Option<RegistryReport>),
    Compared(Box<compare::CompareReport>),
    Checked(Box<compare::check::CheckReport>),
    Diffed(Box<compare::diff::DiffReport>),
}

/// A person's session with Drydock.
pub struct Session {
    state: State,
    pool: JobPool<JobResult>,
    running: Vec<JobHandle>,
    prediction: Lane,
    what_if: Lane,
    recording: Recording,
    following: models::Following,
    events: Vec<Event>,
}

impl Session {
    /// `wake` is called from other threads whenever a poll would find something new.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            state: State::default(),
            pool: JobPool::new(Arc::new(wake)),
            running: Vec::new(),
            prediction: Lane::default(),
            what_if: Lane::default(),
            recording: Recording::default(),
            following: models::Following::default(),
            events: Vec::new(),
        }
    }

    /// Recent models from an earlier run, newest first.
    pub fn restore_recent_models(&mut self, paths: Vec<std::path::PathBuf>) {
        for path in paths.into_iter().rev() {
            self.state.remember(path);
        }
    }

    /// What the faces draw.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Does what a face asks. Long work becomes a job, whose id is returned.
    pub fn dispatch(&mut self, command: Command) -> Option<JobId> {
        // Of predictions by hand, which come by the hundred, nobody looks for the line among the jobs.
        let is_by_hand = matches!(command, Command::Predict(_) | Command::WhatIf(_));
        let line = if is_by_hand { None } else { command_line(&command, &self.state) };
        let id = self.begin(command)?;
        if let Some(record) = self.state.jobs.iter_mut().find(|record| record.id == id) {
            record.command_line = line;
        }
        Some(id)
    }

    fn begin(&mut self, command: Command) -> Option<JobId> {
        match command {
            Command::OpenModel { path, device } => Some(self.open(path, device, true)),
            Command::InspectModel { path, device } => Some(self.open(path, device, false)),
            Command::CloseModel => {
                self.state.opened = None;
                self.forget_profiles();
                self.forget_predictions();
                self.events.push(Event::StateChanged);
                None
            }
            Command::DescribeTable(path) => Some(self.describe(path)),
            Command::Predict(request) => self.predict(Question::Row, request),
            Command::WhatIf(request) => self.predict(Question::WhatIf, request),
            Command::Score(request) => self.score(request),
            Command::Verify(request) => Some(self.verify(request)),
            Command::Profile(request) => self.profile(request),
            Command::Package(request) => self.package(request),
            Command::CheckPackage { path, device } => Some(self.check_package(path, device)),
            Command::Models(command) => Some(self.models(command)),
            Command::Compare(request) => Some(self.compare(request)),
            Command::Check(request) => Some(self.check(request)),
            Command::Diff(request) => Some(self.diff(request)),
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
        self.follow_registry();
        self.take_notes();
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
                let state = self.finish(id, outcome);
                // Returned from here, because not every job leaves a record.
                if id == job {
                    return state;
                }
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

    fn start(&mut self, kind: JobKind, label: String, work: impl FnOnce(&TaskCtx) -> Result<JobResult, Error> + Send + 'static) -> JobId {
        let handle = self.pool.start(kind.name(), work);
        let id = handle.id;
        self.running.push(handle);
        // One-row predictions come by the hundred while a slider moves: they are not kept as records.
        if !matches!(kind, JobKind::Predict | JobKind::Refresh) {
            self.state.jobs.push(JobRecord { id, kind, label, state: JobState::Running, command_line: None, seconds: None });
        }
        self.events.push(Event::JobStarted(id));
        id
    }

    fn finish(&mut self, id: JobId, outcome: JobOutcome<JobResult>) -> JobState {
        let seconds = self.progress(id).map(|progress| progress.elapsed().as_secs_f64());
        self.running.retain(|handle| handle.id != id);
        self.take_notes();
        let question = [Question::Row, Question::WhatIf].into_iter().find(|question| self.lane(*question).running == Some(id));
        let state = match outcome {
            JobOutcome::Done(result) => {
                self.apply(question, result);
                JobState::Done
            }
            JobOutcome::Cancelled => JobState::Cancelled,
            JobOutcome::Failed(error) => JobState::Failed(error.to_string()),
            JobOutcome::Panicked(message) => JobState::Failed(format!("Drydock broke down: {message}. This is a bug; please report it")),
        };
        if let Some(record) = self.state.jobs.iter_mut().find(|record| record.id == id) {
            record.seconds = seconds;
            record.state = state.clone();
            if let JobState::Failed(message) = &state {
                self.events.push(Event::Notice(Notice::error(message)));
            }
        }
        self.events.push(Event::JobFinished(id));
        if let Some(question) = question {
            self.answered(question, &state);
        }
        state
    }

    /// `question`: what the prediction was asked for, if anyone still wants to know.
    fn apply(&mut self, question: Option<Question>, result: JobResult) {
        match result {
            JobResult::Opened(opened) => {
                self.forget_predictions();
                self.forget_profiles();
                if !matches!(opened.model.origin, Origin::Registered { .. }) {
                    self.state.remember(opened.model.argument());
                }
                self.state.opened = Some(*opened);
            }
            JobResult::Described(info) => self.state.table = Some(*info),
            JobResult::Predicted(request, report) => match question {
                Some(Question::Row) => {
                    self.state.prediction = Some(report);
                    self.state.prediction_error = None;
                }
                Some(Question::WhatIf) => self.state.what_if = Some((request, report)),
                None => {}
            },
            JobResult::Scored(report, preview) => {
                self.state.score = Some(*report);
                self.state.score_preview = preview.map(|preview| *preview);
            }
            JobResult::Packaged(report) => self.state.package = Some(report),
            JobResult::PackageChecked(check) => self.state.package_check = Some(check),
            JobResult::Registry(view, report) => {
                self.state.registry = Some(*view);
                self.state.registry_report = report.or(self.state.registry_report.take());
            }
            JobResult::Verified(report) => self.state.verify = Some(report),
            JobResult::Profiled(report, past) => self.profiled(*report, past),
            JobResult::Compared(report) => self.state.comparison = Some(Arc::from(report)),
            JobResult::Checked(report) => self.state.check = Some(Arc::from(report)),
            JobResult::Diffed(report) => self.state.diff = Some(Arc::from(report)),
        }
        self.events.push(Event::StateChanged);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.cancel_all();
    }
}
