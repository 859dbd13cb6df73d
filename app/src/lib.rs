//! The Drydock desktop program: an egui face over `drydock_core::session`. Views draw the session's state and send actions outward;
//! [`app`] carries them out. Nothing here computes: whatever takes time is a job of the session or runs in [`background`].

pub mod action;
pub mod app;
pub mod background;
pub mod files;
pub mod panels;
pub mod samples;
pub mod saving;
pub mod settings;
pub mod theme;
pub mod ui_command;
pub mod ui_state;
pub mod view_context;
pub mod views;
pub mod widgets;

pub use app::{DrydockApp, Options};

use drydock_core::home;
use eframe::egui::ViewportBuilder;

/// Opens the window and returns when it is closed.
pub fn run(mut options: Options) -> Result<(), eframe::Error> {
    // Without a data home the program works and remembers nothing.
    options.home = home::folder().ok();
    let viewport = ViewportBuilder::default()
        .with_title("Drydock")
        .with_app_id("drydock")
        .with_inner_size([1200.0, 780.0])
        .with_min_inner_size([720.0, 480.0])
        .with_drag_and_drop(true)
        .with_icon(icon());
    let native = eframe::NativeOptions {
        viewport,
        renderer: eframe::Renderer::Glow,
        persistence_path: options.home.as_ref().map(|home| home.join("window.ron")),
        ..eframe::NativeOptions::default()
    };
    eframe::run_native("Drydock", native, Box::new(|cx| Ok(Box::new(DrydockApp::new(&cx.egui_ctx, options)))))
}

/// The icon of the window; a spoilt one is none.
fn icon() -> eframe::egui::IconData {
    eframe::icon_data::from_png_bytes(include_bytes!("../../assets/icon.png")).unwrap_or_default()
}
