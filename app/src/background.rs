//! Small work that must not happen on the drawing thread and is no job: looking into a folder, reading a picture, asking for a file.

use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};

use eframe::egui::Context;

/// A value on its way from a thread of its own.
#[derive(Debug)]
pub struct Pending<T>(Receiver<T>);

/// What became of a pending value.
#[derive(Debug, PartialEq, Eq)]
pub enum Arrival<T> {
    Waiting,
    Here(T),
    /// The thread ended without a value.
    Lost,
}

impl<T: Send + 'static> Pending<T> {
    /// Runs `work` on a thread named `name`, and wakes the window when it is done.
    pub fn start(ctx: &Context, name: &str, work: impl FnOnce() -> T + Send + 'static) -> Self {
        let (sender, receiver) = sync_channel(1);
        let ctx = ctx.clone();
        let body = move || {
            // Nobody listens any more once the view has turned to something else.
            let _ = sender.send(work());
            ctx.request_repaint();
        };
        // Where the system gives no thread, the sender is dropped with the closure and the value counts as lost.
        let _ = std::thread::Builder::new().name(name.to_owned()).spawn(body);
        Self(receiver)
    }

    pub fn poll(&self) -> Arrival<T> {
        match self.0.try_recv() {
            Ok(value) => Arrival::Here(value),
            Err(TryRecvError::Empty) => Arrival::Waiting,
            Err(TryRecvError::Disconnected) => Arrival::Lost,
        }
    }
}

/// The value that belongs to a key, computed in the background. While one key is worked on, only the newest other one waits.
#[derive(Debug)]
pub struct Latest<K, V> {
    running: Option<(K, Pending<V>)>,
    value: Option<(K, V)>,
}

impl<K, V> Default for Latest<K, V> {
    fn default() -> Self {
        Self { running: None, value: None }
    }
}

impl<K: Clone + PartialEq + Send + 'static, V: Send + 'static> Latest<K, V> {
    /// The value of `key`, or nothing yet. Called at each frame with the key of that frame.
    pub fn get(&mut self, ctx: &Context, key: &K, work: impl FnOnce(&K) -> V + Send + 'static) -> Option<&V> {
        if let Some((running_key, pending)) = &self.running {
            match pending.poll() {
                Arrival::Here(value) => self.value = Some((running_key.clone(), value)),
                Arrival::Waiting => return self.known(key),
                Arrival::Lost => {}
            }
            self.running = None;
        }
        if self.known(key).is_none() {
            let wanted = key.clone();
            self.running = Some((key.clone(), Pending::start(ctx, "look-up", move || work(&wanted))));
        }
        self.known(key)
    }

    /// Forgets the value, so that the next look computes it again.
    pub fn forget(&mut self) {
        self.value = None;
    }

    fn known(&self, key: &K) -> Option<&V> {
        self.value.as_ref().filter(|(known, _)| known == key).map(|(_, value)| value)
    }
}
