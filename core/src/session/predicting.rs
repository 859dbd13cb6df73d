//! Predictions by hand, of which only the newest request matters: while one runs, only one waits.

use super::{JobKind, JobResult, JobState, Session};
use crate::jobs::JobId;
use crate::predict::{self, PredictRequest};

/// Work of which only the newest request matters.
#[derive(Debug, Default)]
pub(super) struct Lane {
    pub running: Option<JobId>,
    /// The newest request made while another ran.
    waiting: Option<PredictRequest>,
}

/// The two questions that a form asks at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    Row,
    WhatIf,
}

impl Session {
    pub(super) fn lane(&mut self, question: Question) -> &mut Lane {
        match question {
            Question::Row => &mut self.prediction,
            Question::WhatIf => &mut self.what_if,
        }
    }

    pub(super) fn predict(&mut self, question: Question, request: PredictRequest) -> Option<JobId> {
        let model = self.model()?;
        let lane = self.lane(question);
        if lane.running.is_some() {
            lane.waiting = Some(request);
            return lane.running;
        }
        let id = self.start(JobKind::Predict, "predicting".to_owned(), move |ctx| {
            let report = predict::predict(ctx, &model, &request)?;
            Ok(JobResult::Predicted(request, report))
        });
        self.lane(question).running = Some(id);
        Some(id)
    }

    /// What was said of the last model's rows means nothing for the next; answers still on their way are dropped when they arrive.
    pub(super) fn forget_predictions(&mut self) {
        self.state.prediction = None;
        self.state.prediction_error = None;
        self.state.what_if = None;
        self.prediction = Lane::default();
        self.what_if = Lane::default();
    }

    /// A prediction has ended: notes its failure, and starts the newest request that came in meanwhile.
    pub(super) fn answered(&mut self, question: Question, state: &JobState) {
        if let JobState::Failed(message) = state {
            match question {
                Question::Row => {
                    self.state.prediction = None;
                    self.state.prediction_error = Some(message.clone());
                }
                Question::WhatIf => self.state.what_if = None,
            }
        }
        let lane = self.lane(question);
        lane.running = None;
        if let Some(request) = lane.waiting.take() {
            self.predict(question, request);
        }
    }
}
