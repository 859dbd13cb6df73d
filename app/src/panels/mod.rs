//! What stands around the pages: the bar on top, the navigation, the tray of running jobs, and what lies over everything for a while.

pub mod context_bar;
pub mod drop_overlay;
pub mod help;
pub mod job_tray;
pub mod navigation;
pub mod palette;
pub mod toasts;
