//! Drydock for the terminal: the screens (ratatui) and the scriptable command line (clap), both over `drydock_core::session`.
//!
//! A key becomes an [`action::Action`] through the [`keymap`]; [`app::App`] hands it to the screen; the screen edits what was typed
//! or dispatches a command; drawing reads state and changes nothing.

pub mod action;
pub mod app;
pub mod cli;
pub mod event;
pub mod keymap;
pub mod page;
pub mod panic;
pub mod screens;
pub mod terminal;
pub mod text;
pub mod theme;
pub mod widgets;
