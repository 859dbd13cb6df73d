//! A program under test, and ways to wait for what happens in it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use drydock_app::{DrydockApp, Options};
use drydock_core::session::State;
use drydock_core::session::Task;
use eframe::egui::{DroppedFile, HoveredFile, Theme, Vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

pub type Desktop = Harness<'static, DrydockApp>;

/// The folder of sample models in the repository.
pub fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../sample-models")
}

pub fn sample_model(name: &str) -> PathBuf {
    samples().join(name).join("model.onnx")
}

/// Options that keep nothing and know the repository's samples.
pub fn options() -> Options {
    Options { samples: Some(samples()), ..Options::default() }
}

pub fn desktop(options: Options) -> Desktop {
    desktop_in(options, Theme::Light, Vec2::new(1200.0, 780.0))
}

pub fn desktop_in(options: Options, theme: Theme, size: Vec2) -> Desktop {
    Harness::builder()
        .with_size(size)
        .with_theme(theme)
        .with_max_steps(16)
        .with_render_cursor(false)
        .build_eframe(move |cx| DrydockApp::new(&cx.egui_ctx, options))
}

/// A program with a sample model open, on the page that it opens to.
pub fn desktop_with(sample: &str) -> Desktop {
    let mut desktop = desktop(Options { model: Some(sample_model(sample)), ..options() });
    desktop.wait_for("the model to open", |state| state.opened.is_some());
    desktop
}

pub trait Drive {
    /// Steps until the session says so. Panics with what was waited for, and with what the jobs say, after half a minute.
    fn wait_for(&mut self, what: &str, is_there: impl Fn(&State) -> bool);
    /// Steps until something with this label is on the screen.
    fn wait_for_label(&mut self, label: &str);
    fn click(&mut self, label: &str);
    fn go_to(&mut self, page: Task);
    fn page(&self) -> Task;
    fn drop_file(&mut self, path: &Path);
    fn hover_file(&mut self, path: &Path);
    /// Whether something on the screen contains this text.
    fn shows(&self, text: &str) -> bool;
    /// Draws until nothing moves any more, whatever that takes.
    fn settle(&mut self);
}

impl Drive for Desktop {
    #[track_caller]
    fn wait_for(&mut self, what: &str, is_there: impl Fn(&State) -> bool) {
        let is_there = |desktop: &Self| is_there(desktop.state().session().state());
        wait(self, what, is_there);
    }

    #[track_caller]
    fn wait_for_label(&mut self, label: &str) {
        wait(self, label, |desktop| desktop.shows(label));
    }

    #[track_caller]
    fn click(&mut self, label: &str) {
        self.get_by_label(label).click();
        self.settle();
    }

    fn go_to(&mut self, page: Task) {
        self.click(page.name());
        assert_eq!(self.page(), page);
    }

    fn page(&self) -> Task {
        self.state().ui_state().page
    }

    fn drop_file(&mut self, path: &Path) {
        self.input_mut().hovered_files.clear();
        self.input_mut().dropped_files.push(dropped(path));
        self.settle();
    }

    fn hover_file(&mut self, path: &Path) {
        self.input_mut().hovered_files.push(HoveredFile { path: Some(path.to_owned()), mime: String::new() });
        self.step();
        self.step();
    }

    fn shows(&self, text: &str) -> bool {
        self.query_all_by_label_contains(text).next().is_some()
    }

    fn settle(&mut self) {
        self.run_ok();
    }
}

#[track_caller]
fn wait(desktop: &mut Desktop, what: &str, is_there: impl Fn(&Desktop) -> bool) {
    let started = Instant::now();
    loop {
        desktop.step();
        if is_there(desktop) {
            break;
        }
        let state = desktop.state().session().state();
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "waited in vain for {what}; jobs: {:?}; prediction error: {:?}; on the screen:\n{desktop:?}",
            state.jobs,
            state.prediction_error
        );
        std::thread::sleep(Duration::from_millis(2));
    }
    desktop.settle();
}

/// A file as the window system hands it over.
pub fn dropped(path: &Path) -> Arc<dyn DroppedFile + Send + Sync> {
    Arc::new(File(path.to_owned()))
}

#[derive(Debug)]
struct File(PathBuf);

impl DroppedFile for File {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|error| error.to_string())
    }
}
