//! A few pictures of the whole window, drawn on a graphics adapter (a software one will do) and compared with those that somebody looked at.
//! Where there is no adapter they are skipped in words; with `DRYDOCK_REQUIRE_GPU=1` that is a failure.

use drydock_app::Options;
use eframe::egui::{Rect, Theme, Vec2, pos2};
use egui_kittest::kittest::Queryable as _;
use egui_kittest::{Harness, SnapshotOptions};

use crate::support::{Desktop, Drive as _, desktop_in, options};

/// Whether pictures can be drawn here.
pub fn has_adapter() -> bool {
    let has_adapter = !drydock_core::tensor::device::adapters().is_empty();
    if !has_adapter {
        eprintln!("skipped: no adapter");
        let is_required = std::env::var_os("DRYDOCK_REQUIRE_GPU").is_some_and(|value| value == "1");
        assert!(!is_required, "DRYDOCK_REQUIRE_GPU=1, but no graphics adapter was found");
    }
    has_adapter
}

/// Where the navigation has the tasks after Score. More will come, and their entries are tested by their names.
const LATER_TASKS: Rect = Rect { min: pos2(0.0, 190.0), max: pos2(151.0, 370.0) };

#[track_caller]
fn check(desktop: &mut Desktop, name: &str, later_tasks: &[Rect]) {
    // The device in use, whatever its name is here.
    desktop.mask(Rect::from_min_max(pos2(240.0, 4.0), pos2(480.0, 44.0)));
    for rect in later_tasks {
        desktop.mask(*rect);
    }
    snapshot(desktop, name);
}

/// Draws what the window shows and compares it with the picture of that name.
#[track_caller]
pub fn snapshot<S>(window: &mut Harness<'_, S>, name: &str) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/desktop/pictures");
    // Rasterisers differ in the last bit along edges; a moved line is hundreds of pixels.
    let options = SnapshotOptions::new().output_path(folder).threshold(1.0).max_failed_pixels(40);
    // Graphics drivers have much to say of a machine without a display.
    drydock_core::stderr::collected(|| window.snapshot_options(name, &options));
}

fn picture_of_models(theme: Theme, name: &str) {
    if !has_adapter() {
        return;
    }
    let mut desktop = desktop_in(Options { samples: Some("nowhere".into()), ..options() }, theme, Vec2::new(800.0, 500.0));
    desktop.settle();
    check(&mut desktop, name, &[LATER_TASKS]);
}

fn picture_of_inspect(theme: Theme, name: &str) {
    if !has_adapter() {
        return;
    }
    let mut desktop = desktop_in(Options { model: Some("../sample-models/digits/model.onnx".into()), ..options() }, theme, Vec2::new(960.0, 600.0));
    desktop.wait_for("the model", |state| state.opened.is_some());
    desktop.go_to(drydock_core::session::Task::Inspect);
    // What names this machine is painted over, in places that do not depend on how long the name is.
    let cpu = drydock_core::tensor::device::Device::Cpu.label();
    let line = desktop.get_by_label(&cpu).rect();
    desktop.mask(Rect::from_min_max(pos2(line.right() - 200.0, line.top()), line.right_bottom()));
    check(&mut desktop, name, &[LATER_TASKS]);
}

#[test]
fn the_empty_window_in_light() {
    picture_of_models(Theme::Light, "models-light");
}

#[test]
fn the_empty_window_in_dark() {
    picture_of_models(Theme::Dark, "models-dark");
}

#[test]
fn a_model_inspected_in_light() {
    picture_of_inspect(Theme::Light, "inspect-light");
}

#[test]
fn a_table_hovering_over_the_window_in_light() {
    if !has_adapter() {
        return;
    }
    let mut desktop = desktop_in(options(), Theme::Light, Vec2::new(640.0, 400.0));
    desktop.hover_file(std::path::Path::new("march.csv"));
    desktop.step();
    // The message lies over a part of them.
    let below = Rect { min: pos2(0.0, 237.0), ..LATER_TASKS };
    let beside = Rect { max: pos2(82.0, 237.0), ..LATER_TASKS };
    check(&mut desktop, "drop-light", &[beside, below]);
}

#[test]
fn a_curve_is_saved_as_a_picture_of_its_part_of_the_window() {
    use drydock_app::saving::{Savable, Saver, ShownFigure};
    use drydock_core::report::{Axis, Figure, Series};

    if !has_adapter() {
        return;
    }
    let axis = || Axis::new("", None, (0.0, 1.0));
    let figure = Figure::of("", axis(), axis(), Series::line("", Vec::new()));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("curve.png");
    let mut desktop = desktop_in(options(), Theme::Light, Vec2::new(640.0, 400.0));
    let mut saver = Saver::default();
    saver.want(Savable::Figure(ShownFigure { figure, name: String::new() }), drydock_core::session::Task::Predict);
    // What reaches beyond the window is cut off there.
    saver.save_to(&desktop.ctx, path.clone(), Some(Rect::from_min_max(pos2(10.0, 20.0), pos2(50.0, 5000.0))));
    let started = std::time::Instant::now();
    while saver.poll().is_none() {
        assert!(started.elapsed() < std::time::Duration::from_secs(30), "the saving never ends");
        drydock_core::stderr::collected(|| desktop.step());
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    // A PNG says its width and height in the first chunk, big-endian.
    let file = std::fs::read(path).expect("the picture");
    let side = |at: usize| u32::from_be_bytes(file[at..at + 4].try_into().expect("four bytes"));
    assert_eq!((&file[1..4], side(16), side(20)), (b"PNG".as_slice(), 40, 380));
}
