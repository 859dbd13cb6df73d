//! The built `drydock` as scripts see it: stdout, stderr, exit codes, files.

#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing fails with a backtrace, which is what it should do")]

mod bad_input;
mod compare;
mod gate;
mod help;
mod inspect;
mod models;
mod package;
mod predict;
mod profile;
mod registry;
mod run;
mod score;
mod signals;
#[cfg(unix)]
mod terminal;
mod verify;
