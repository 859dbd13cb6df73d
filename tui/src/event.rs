//! What the loop of the screens wakes up for, through one bounded channel.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use crossterm::event::{self, KeyEvent, KeyEventKind};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    Key(KeyEvent),
    /// Text pasted in one piece.
    Paste(String),
    /// The terminal has another size, or came back to the front.
    Redraw,
    /// The session has news.
    Wake,
    /// The system asks the program to end.
    Terminate,
}

/// More than anyone types between two frames.
const CAPACITY: usize = 256;

/// A channel whose sender may be cloned into other threads.
pub fn channel() -> (SyncSender<Event>, Receiver<Event>) {
    sync_channel(CAPACITY)
}

/// Tells the loop that there is news. Where the channel is full, the loop is about to look anyway.
pub fn wake(sender: &SyncSender<Event>) {
    if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = sender.try_send(Event::Wake) {}
}

/// Reads the keyboard on a thread of its own, until the receiver is gone or the terminal is closed.
pub fn read_terminal(sender: SyncSender<Event>) -> std::io::Result<()> {
    let read = move || {
        loop {
            let event = match event::read() {
                Ok(event::Event::Key(key)) if key.kind != KeyEventKind::Release => Event::Key(key),
                Ok(event::Event::Paste(text)) => Event::Paste(text),
                Ok(event::Event::Resize(..) | event::Event::FocusGained) => Event::Redraw,
                Ok(_) => continue,
                Err(_) => Event::Terminate,
            };
            let is_last = event == Event::Terminate;
            if sender.send(event).is_err() || is_last {
                return;
            }
        }
    };
    std::thread::Builder::new().name("keyboard".to_owned()).spawn(read)?;
    Ok(())
}
