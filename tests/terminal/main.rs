//! The terminal's screens, driven by keys on a terminal that exists only in memory.

#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing fails with a backtrace, which is what it should do")]

mod comparing;
mod driver;
mod form;
mod keys;
mod look;
mod profiling;
mod registry;
mod sizes;
mod snapshots;
mod widgets;
mod work;
