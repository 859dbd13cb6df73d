//! How long a person waits: from a change to the answer on the screen, and for a frame while a job runs.
//!
//! These tests fail only when the answer never comes. They print what they measure, past the capture of test output; limits of time belong
//! to a machine that does nothing else: 50 ms for a change, 16 ms for a frame, without optimisation of the window's own code.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::{Duration, Instant};

use drydock_core::session::{JobKind, JobState, State, Task};
use eframe::egui::accesskit::Role;
use eframe::egui::{Event, Modifiers, PointerButton, Pos2, pos2};
use egui_kittest::kittest::Queryable as _;

use crate::support::{Desktop, Drive as _, desktop_with, sample_model, samples};

/// Changes made to each model.
const CHANGES: u16 = 30;

/// Milliseconds, in order of size.
struct Times(Vec<f64>);

impl Times {
    fn median(&self) -> f64 {
        self.0.get(self.0.len() / 2).copied().unwrap_or_default()
    }

    fn worst(&self) -> f64 {
        self.0.last().copied().unwrap_or_default()
    }
}

impl FromIterator<Duration> for Times {
    fn from_iter<I: IntoIterator<Item = Duration>>(times: I) -> Self {
        let mut times: Vec<f64> = times.into_iter().map(|time| time.as_secs_f64() * 1e3).collect();
        times.sort_by(f64::total_cmp);
        Self(times)
    }
}

/// Says a line that is seen without `--nocapture`, which the print macros' are not.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// One frame as far as the processor draws it: layout, and the triangles for the graphics card.
fn frame(desktop: &mut Desktop) {
    desktop.step();
    let output = desktop.output();
    let triangles = desktop.ctx.tessellate(output.shapes.clone(), output.pixels_per_point);
    assert!(!triangles.is_empty());
}

/// Frames until the state says so; the frame that finds it there has drawn it.
#[track_caller]
fn until(desktop: &mut Desktop, is_there: impl Fn(&State) -> bool) -> Duration {
    let started = Instant::now();
    while !is_there(desktop.state().session().state()) {
        assert!(started.elapsed() < Duration::from_secs(30), "the answer never comes");
        frame(desktop);
    }
    started.elapsed()
}

/// From a change to the frame that shows another answer.
fn answer_time(desktop: &mut Desktop, change: impl FnOnce(&mut Desktop)) -> Duration {
    let before = desktop.state().session().state().prediction.clone();
    let started = Instant::now();
    change(desktop);
    // Reports of equal answers differ in the time that they took.
    until(desktop, |state| state.prediction != before && state.prediction.is_some());
    let time = started.elapsed();
    desktop.settle();
    time
}

/// Times of changes to the first number of the form.
fn slider_times(desktop: &mut Desktop) -> Option<Times> {
    let contract = &desktop.state().session().state().opened.as_ref()?.model.contract;
    let column = contract.columns.iter().find(|column| column.usual_range().is_some())?;
    let ((min, max), name) = (column.usual_range()?, column.name.clone());
    let times = (0..CHANGES).map(|step| {
        let value = min + (max - min) * f64::from(step) / f64::from(CHANGES - 1);
        answer_time(desktop, |desktop| desktop.get_by_role_and_label(Role::Slider, &name).set_value_accesskit(value))
    });
    Some(times.collect())
}

/// Times of strokes on the drawing pad of a model that takes pictures.
fn pad_times(desktop: &mut Desktop) -> Times {
    let pad = desktop.get_by_label("Drawing pad").rect();
    let at = |step: u16| -> Pos2 {
        let share = 0.2 + 0.6 * f32::from(step) / f32::from(CHANGES);
        pos2(pad.left() + share * pad.width(), pad.top() + (1.0 - share) * pad.height())
    };
    let button = |pos: Pos2, pressed: bool| Event::PointerButton { pos, button: PointerButton::Primary, pressed, modifiers: Modifiers::NONE };
    desktop.event(Event::PointerMoved(at(0)));
    desktop.event(button(at(0), true));
    desktop.step();
    let times = (1..=CHANGES).map(|step| answer_time(desktop, |desktop| desktop.event(Event::PointerMoved(at(step))))).collect();
    desktop.event(button(at(CHANGES), false));
    desktop.settle();
    times
}

#[test]
fn from_a_change_to_the_answer_on_the_screen() {
    let mut medians = Vec::new();
    for name in ["payment-fraud", "payment-fraud-v2", "breast-cancer", "wine", "diabetes", "digits"] {
        assert!(sample_model(name).exists(), "there is no sample called {name}");
        let mut desktop = desktop_with(name);
        assert_eq!(desktop.page(), Task::Predict);
        let times = match slider_times(&mut desktop) {
            Some(times) => times,
            None => pad_times(&mut desktop),
        };
        medians.push(format!("{name} {:.1} ms (at most {:.1})", times.median(), times.worst()));
    }
    say(&format!("slider: {}", medians.join(", ")));
}

#[test]
fn a_frame_while_a_table_is_scored() {
    let folder = tempfile::tempdir().expect("a folder");
    let table = folder.path().join("long.csv");
    let wine = std::fs::read_to_string(samples().join("wine/new.csv")).expect("the sample's table");
    let (header, rows) = wine.split_once('\n').expect("a header");
    let mut long = format!("{header}\n");
    for _ in 0..20_000 {
        let _ = write!(long, "{rows}");
    }
    std::fs::write(&table, long).expect("the long table");

    let mut desktop = desktop_with("wine");
    let is_running = |state: &State| state.jobs.iter().any(|job| job.kind == JobKind::Score && job.state == JobState::Running);
    desktop.input_mut().dropped_files.push(crate::support::dropped(&table));
    until(&mut desktop, is_running);
    let mut times = Vec::new();
    while is_running(desktop.state().session().state()) && times.len() < 200 {
        let started = Instant::now();
        frame(&mut desktop);
        times.push(started.elapsed());
        // The window draws no more often than this while a job runs.
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(!times.is_empty(), "the job ended before a frame was drawn");
    let n_frames = times.len();
    let times: Times = times.into_iter().collect();
    say(&format!("frame while scoring: {:.1} ms (at most {:.1}, of {n_frames})", times.median(), times.worst()));
    desktop.key_press_modifiers(Modifiers::COMMAND, eframe::egui::Key::Period);
    until(&mut desktop, |state| !is_running(state));
}
