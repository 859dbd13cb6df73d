//! Progress and cooperative cancellation: the first parameter of everything that can take long.
//!
//! Progress is a latest value, not a queue: a worker overwrites it, a face reads it when it draws.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What a long function needs from its caller: where to report progress, and whether to go on.
#[derive(Clone, Default)]
pub struct TaskCtx {
    cancel: CancelToken,
    progress: ProgressCell,
}

impl TaskCtx {
    /// A context that nobody watches and nobody cancels.
    pub fn unattended() -> Self {
        Self::default()
    }

    pub fn new(cancel: CancelToken, progress: ProgressCell) -> Self {
        Self { cancel, progress }
    }

    /// Returns `Err(Cancelled)` once the caller has asked to stop. Called at each batch, node or epoch.
    pub fn checkpoint(&self) -> Result<(), Cancelled> {
        if self.cancel.is_cancelled() { Err(Cancelled) } else { Ok(()) }
    }

    /// Replaces the progress that a face shows.
    pub fn report(&self, progress: Progress) {
        self.progress.set(progress);
    }

    pub fn cancel_token(&self) -> &CancelToken {
        &self.cancel
    }
}

/// The work was stopped because the user asked for it. Not a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cancelled")]
pub struct Cancelled;

/// A flag shared between whoever started a piece of work and the work itself.
#[derive(Debug, Clone, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// How far a piece of work has come.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Progress {
    /// What is being done, as a face shows it: "reading", "scoring march.csv".
    pub stage: String,
    /// Work done and work in all, in any one unit (bytes of input for a scan). `total` is `None` while unknown.
    pub done: u64,
    pub total: Option<u64>,
    /// Things finished so far, in the unit a person counts them: rows, cases, nodes.
    pub items: u64,
    pub item_unit: &'static str,
}

impl Progress {
    /// Share done, 0 to 1; `None` while the total is unknown.
    pub fn fraction(&self) -> Option<f64> {
        let total = self.total?;
        if total == 0 {
            return Some(1.0);
        }
        Some((self.done as f64 / total as f64).clamp(0.0, 1.0))
    }
}

/// The latest progress of one piece of work, with the time it began.
#[derive(Clone)]
pub struct ProgressCell(Arc<Mutex<ProgressState>>);

struct ProgressState {
    started: Instant,
    latest: Progress,
    changes: u64,
}

impl Default for ProgressCell {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(ProgressState { started: Instant::now(), latest: Progress::default(), changes: 0 })))
    }
}

impl ProgressCell {
    pub fn set(&self, progress: Progress) {
        let mut state = self.lock();
        state.latest = progress;
        state.changes += 1;
    }

    pub fn latest(&self) -> Progress {
        self.lock().latest.clone()
    }

    /// How often progress was reported; lets a face redraw only when something moved.
    pub fn changes(&self) -> u64 {
        self.lock().changes
    }

    pub fn elapsed(&self) -> Duration {
        self.lock().started.elapsed()
    }

    /// Items per second since the start; `None` in the first instants, when it would mislead.
    pub fn items_per_second(&self) -> Option<f64> {
        let state = self.lock();
        let seconds = state.started.elapsed().as_secs_f64();
        (seconds > 0.2 && state.latest.items > 0).then(|| state.latest.items as f64 / seconds)
    }

    /// Time left if the work goes on at the mean speed so far.
    pub fn time_left(&self) -> Option<Duration> {
        let state = self.lock();
        let fraction = state.latest.fraction()?;
        let elapsed = state.started.elapsed().as_secs_f64();
        if fraction <= 0.0 || elapsed < 0.2 {
            return None;
        }
        Duration::try_from_secs_f64(elapsed * (1.0 - fraction) / fraction).ok()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, ProgressState> {
        // A panic while the lock was held can only have happened between two plain assignments; the value is still good to show.
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancelled_context_stops_at_the_next_checkpoint() {
        let ctx = TaskCtx::unattended();
        assert_eq!(ctx.checkpoint(), Ok(()));
        ctx.cancel_token().cancel();
        assert_eq!(ctx.checkpoint(), Err(Cancelled));
    }

    #[test]
    fn fraction_is_bounded_and_unknown_without_a_total() {
        let progress = |done, total| Progress { done, total, ..Progress::default() }.fraction();
        assert_eq!(progress(5, None), None);
        assert_eq!(progress(5, Some(10)), Some(0.5));
        assert_eq!(progress(12, Some(10)), Some(1.0));
        assert_eq!(progress(0, Some(0)), Some(1.0));
    }
}
