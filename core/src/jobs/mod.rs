//! Background work on named threads. A job is a closure over an immutable snapshot; its three ends (done or failed, cancelled, panicked)
//! are different and visible. Progress is a latest value; only beginnings and ends travel through a channel.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};

use crate::Error;
use crate::task::{CancelToken, ProgressCell, TaskCtx};

/// Identifies a job within its session, counting from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub u64);

/// How a job ended. `T` is what jobs return when they succeed.
#[derive(Debug)]
pub enum JobOutcome<T> {
    Done(T),
    Failed(Error),
    Cancelled,
    /// A bug in Drydock, contained: the message of the panic.
    Panicked(String),
}

/// A job as its owner sees it while it runs.
pub struct JobHandle {
    pub id: JobId,
    pub cancel: CancelToken,
    pub progress: ProgressCell,
}

/// Starts jobs and collects their ends.
pub struct JobPool<T> {
    next_id: u64,
    finished_sender: Sender<(JobId, JobOutcome<T>)>,
    finished: Receiver<(JobId, JobOutcome<T>)>,
    wake: Arc<dyn Fn() + Send + Sync>,
}

/// More jobs than anyone starts at once; a full channel only makes a finished job wait for the next poll.
const FINISHED_CAPACITY: usize = 64;

impl<T: Send + 'static> JobPool<T> {
    /// `wake` is called from a job's thread when the job has ended, so that a sleeping face polls.
    pub fn new(wake: Arc<dyn Fn() + Send + Sync>) -> Self {
        let (finished_sender, finished) = crossbeam_channel::bounded(FINISHED_CAPACITY);
        Self { next_id: 1, finished_sender, finished, wake }
    }

    /// Runs `work` on a thread of its own.
    pub fn start(&mut self, name: &str, work: impl FnOnce(&TaskCtx) -> Result<T, Error> + Send + 'static) -> JobHandle {
        let id = JobId(self.next_id);
        self.next_id += 1;
        let cancel = CancelToken::default();
        let progress = ProgressCell::default();
        let ctx = TaskCtx::new(cancel.clone(), progress.clone());
        let sender = self.finished_sender.clone();
        let wake = Arc::clone(&self.wake);
        let body = move || {
            let outcome = match std::panic::catch_unwind(AssertUnwindSafe(|| work(&ctx))) {
                Ok(Ok(value)) => JobOutcome::Done(value),
                Ok(Err(error)) if error.is_cancelled() => JobOutcome::Cancelled,
                Ok(Err(error)) => JobOutcome::Failed(error),
                Err(payload) => JobOutcome::Panicked(panic_message(payload.as_ref())),
            };
            // The receiver is gone only when the session is: nobody is left to tell.
            let _ = sender.send((id, outcome));
            wake();
        };
        let spawned = std::thread::Builder::new().name(format!("job-{}-{name}", id.0)).spawn(body);
        if let Err(source) = spawned {
            let failed = JobOutcome::Panicked(format!("the operating system gave no thread for the job: {source}"));
            let _ = self.finished_sender.try_send((id, failed));
        }
        JobHandle { id, cancel, progress }
    }

    /// For whatever else has news for the session's owner.
    pub fn wake(&self) -> Arc<dyn Fn() + Send + Sync> {
        Arc::clone(&self.wake)
    }

    /// Jobs that have ended since the last call. Never blocks.
    pub fn poll(&self) -> Vec<(JobId, JobOutcome<T>)> {
        self.finished.try_iter().collect()
    }

    /// Waits for the next end, at most `timeout`.
    pub fn wait(&self, timeout: Duration) -> Option<(JobId, JobOutcome<T>)> {
        self.finished.recv_timeout(timeout).ok()
    }
}

/// Limits the worker threads of this process. To be called before the first work; fails once the workers exist.
pub fn limit_threads(n_threads: std::num::NonZeroUsize) -> Result<(), String> {
    let built = rayon::ThreadPoolBuilder::new().num_threads(n_threads.get()).build_global();
    built.map_err(|error| format!("the number of threads can't be set to {n_threads}: {error}"))
}

fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Cancelled;

    fn outcome_of(work: impl FnOnce(&TaskCtx) -> Result<u32, Error> + Send + 'static) -> JobOutcome<u32> {
        let mut pool = JobPool::new(Arc::new(|| {}));
        let handle = pool.start("test", work);
        let (id, outcome) = pool.wait(Duration::from_secs(30)).expect("the job ends");
        assert_eq!(id, handle.id);
        outcome
    }

    #[test]
    fn the_ends_of_a_job_are_told_apart() {
        assert!(matches!(outcome_of(|_| Ok(7)), JobOutcome::Done(7)));
        assert!(matches!(outcome_of(|_| Err(Error::Cancelled(Cancelled))), JobOutcome::Cancelled));
        assert!(matches!(outcome_of(|_| Err(crate::tensor::DeviceError::NoAdapter.into())), JobOutcome::Failed(_)));
        assert!(matches!(outcome_of(|_| panic!("broken")), JobOutcome::Panicked(message) if message == "broken"));
    }

    #[test]
    fn a_cancelled_job_stops_at_its_next_checkpoint() {
        let mut pool = JobPool::new(Arc::new(|| {}));
        let (started_sender, started) = crossbeam_channel::bounded(1);
        let handle = pool.start("endless", move |ctx| {
            started_sender.send(()).ok();
            loop {
                ctx.checkpoint()?;
                std::thread::yield_now();
            }
            #[expect(unreachable_code, reason = "gives the closure its type")]
            Ok(())
        });
        started.recv().expect("the job starts");
        handle.cancel.cancel();
        let (_, outcome) = pool.wait(Duration::from_secs(30)).expect("the job ends");
        assert!(matches!(outcome, JobOutcome::Cancelled));
    }
}
