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

/// A span of time by the clock, and what the drawing thread itself had of a processor in it: on a machine that has more to do than cores,
/// everything takes longer than it works.
#[derive(Debug, Clone, Copy)]
struct Span {
    clock: Duration,
    own: Duration,
}

/// Measures a span from its making on.
struct Stopwatch {
    started: Instant,
    own: Duration,
}

impl Stopwatch {
    fn start() -> Self {
        Self { started: Instant::now(), own: own_time() }
    }

    fn stop(&self) -> Span {
        Span { clock: self.started.elapsed(), own: own_time().saturating_sub(self.own) }
    }
}

/// How long this thread has had a processor, where the system tells; else nothing.
fn own_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(text.split_whitespace().next().and_then(|nanoseconds| nanoseconds.parse().ok()).unwrap_or_default())
}

/// `12.3 ms (8.1 of it drawing; at most 31.0)`: medians.
fn summary(spans: &[Span]) -> String {
    let sorted = |time: fn(&Span) -> Duration| {
        let mut times: Vec<f64> = spans.iter().map(|span| time(span).as_secs_f64() * 1e3).collect();
        times.sort_by(f64::total_cmp);
        times
    };
    let (clock, own) = (sorted(|span| span.clock), sorted(|span| span.own));
    let median = |times: &[f64]| times.get(times.len() / 2).copied().unwrap_or_default();
    let worst = clock.last().copied().unwrap_or_default();
    format!("{:.1} ms ({:.1} of it drawing; at most {worst:.1})", median(&clock), median(&own))
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
fn until(desktop: &mut Desktop, is_there: impl Fn(&State) -> bool) {
    let started = Instant::now();
    while !is_there(desktop.state().session().state()) {
        assert!(started.elapsed() < Duration::from_secs(30), "the answer never comes");
        frame(desktop);
    }
}

/// From a change to the frame that shows another answer.
fn answer_time(desktop: &mut Desktop, change: impl FnOnce(&mut Desktop)) -> Span {
    let before = desktop.state().session().state().prediction.clone();
    let watch = Stopwatch::start();
    change(desktop);
    // Reports of equal answers differ in the time that they took.
    until(desktop, |state| state.prediction != before && state.prediction.is_some());
    let span = watch.stop();
    desktop.settle();
    span
}

/// Times of changes to the first number of the form.
fn slider_times(desktop: &mut Desktop) -> Option<Vec<Span>> {
    let contract = &desktop.state().session().state().opened.as_ref()?.model.contract;
    if contract.image.is_some() {
        return None;
    }
    let column = contract.columns.iter().find(|column| column.usual_range().is_some())?;
    let ((min, max), name) = (column.usual_range()?, column.name.clone());
    let times = (0..CHANGES).map(|step| {
        let value = min + (max - min) * f64::from(step) / f64::from(CHANGES - 1);
        answer_time(desktop, |desktop| desktop.get_by_role_and_label(Role::Slider, &name).set_value_accesskit(value))
    });
    Some(times.collect())
}

/// Times of strokes on the drawing pad of a model that takes pictures.
fn pad_times(desktop: &mut Desktop) -> Vec<Span> {
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
        medians.push(format!("{name} {}", summary(&times)));
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
    let mut spans = Vec::new();
    while is_running(desktop.state().session().state()) && spans.len() < 200 {
        let watch = Stopwatch::start();
        frame(&mut desktop);
        spans.push(watch.stop());
        // The window draws no more often than this while a job runs.
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(!spans.is_empty(), "the job ended before a frame was drawn");
    say(&format!("frame while scoring: {}", summary(&spans)));
    desktop.key_press_modifiers(Modifiers::COMMAND, eframe::egui::Key::Period);
    until(&mut desktop, |state| !is_running(state));
}
