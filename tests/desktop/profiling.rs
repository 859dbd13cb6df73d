//! Profiles: from the form to the report.

use drydock_app::Options;
use drydock_core::session::{JobKind, JobState, Task};
use eframe::egui::{Key, Modifiers, Theme, Vec2};
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use crate::support::{Desktop, Drive as _, desktop_in, desktop_with, options, sample_model, samples};

/// A window that is high enough for a whole report, with a sample model on the page for profiles.
fn desktop_to_profile(sample: &str) -> Desktop {
    let kept = Options { model: Some(sample_model(sample)), ..options() };
    let mut desktop = desktop_in(kept, Theme::Light, Vec2::new(1200.0, 4000.0));
    desktop.wait_for("the model to open", |state| state.opened.is_some());
    desktop.go_to(Task::Profile);
    desktop
}

fn write(desktop: &mut Desktop, field: &str, text: &str) {
    desktop.get_by_label(field).focus();
    desktop.settle();
    desktop.get_by_label(field).type_text(text);
    desktop.settle();
}

#[test]
fn a_model_is_profiled_with_one_click() {
    let mut desktop = desktop_to_profile("wine");
    assert!(desktop.shows("Nothing is measured yet"));
    desktop.click("Profile wine v1 quickly");
    desktop.wait_for("the profile", |state| state.profile.is_some());
    for shown in ["p50", "p95", "Rows per second", "File size", "Peak memory", "From file to answer", "Warm runs", "planned"] {
        assert!(desktop.shows(shown), "{shown} is missing");
    }
    assert!(desktop.shows("an attribution, not a comparison"));
    assert!(desktop.query_by_label("Sort by runs on").is_some(), "the operators can be sorted");
    let report = desktop.state().session().state().profile.as_ref().expect("the report");
    let titles = [report.runs[0].histogram_figure().title, report.runs[0].warm_up_figure().title];
    for title in &titles {
        assert!(desktop.query_all_by_label(title).next().is_some(), "{title} is missing");
    }
    assert!(desktop.shows(&drydock_core::format::bytes(report.size.file_bytes)));
    assert!(desktop.query_by_label("Save the report…").is_some());
}

#[test]
fn a_profile_holds_to_what_is_set_on_its_page() {
    let mut desktop = desktop_to_profile("payment-fraud");
    write(&mut desktop, "Batch sizes", "1, 4");
    write(&mut desktop, "Numbers of threads", "1");
    write(&mut desktop, "Latency budget", "1s");
    desktop.click("quick");
    desktop.click("More options");
    write(&mut desktop, "Memory of the other machine", "1B");
    desktop.drop_file(&samples().join("payment-fraud/new.csv"));
    assert_eq!(desktop.page(), Task::Profile, "a table that is dropped here is for the profile");
    desktop.click("Copy as command");
    assert!(desktop.shows("--batch 1,4 --threads 1 --data"), "the command says the same");
    desktop.key_press_modifiers(Modifiers::COMMAND, Key::Enter);
    desktop.wait_for("the profile", |state| state.profile.is_some());
    let report = desktop.state().session().state().profile.as_ref().expect("the report");
    assert_eq!(report.runs.iter().map(|run| (run.batch, run.threads)).collect::<Vec<_>>(), [(1, 1), (4, 1)]);
    assert!(report.settings.data.as_ref().is_some_and(|data| data.ends_with("new.csv")));
    let sentence = report.sweet_spot_sentence();
    assert!(desktop.query_all_by_label(&sentence).next().is_some(), "{sentence} is missing");
    assert!(desktop.shows("fail: it needs too much memory"));
    assert!(desktop.shows("at most 1 s"));
    // Another configuration has figures of its own.
    let other = report.runs[usize::from(report.sweet_spot.unwrap_or(0) == 0)].clone();
    desktop.click("Configuration");
    desktop.get_by_label(&other.name(false)).click();
    desktop.settle();
    assert!(desktop.query_all_by_label(&other.histogram_figure().title).next().is_some());
}

#[test]
fn what_can_not_stand_is_said_at_its_field() {
    let mut desktop = desktop_to_profile("wine");
    for (field, written, why) in
        [("Batch sizes", "1, many", "found 'many'"), ("Latency budget", "5", "a time with its unit"), ("Numbers of threads", "0", "found '0'")]
    {
        write(&mut desktop, field, written);
        assert!(desktop.shows(why), "{why} is missing");
        assert!(desktop.get_by_label("Profile wine v1").accesskit_node().is_disabled());
        for _ in written.chars() {
            desktop.key_press(Key::Backspace);
        }
        desktop.settle();
        assert!(!desktop.shows(why));
    }
    assert!(!desktop.get_by_label("Profile wine v1").accesskit_node().is_disabled());
}

#[test]
fn a_profile_can_be_cancelled_and_a_bad_one_says_why() {
    let mut desktop = desktop_to_profile("wine");
    desktop.click("full");
    desktop.click("Profile wine v1");
    desktop.get_all_by_label("Cancel profiling wine v1").next().expect("a way to stop it").click();
    desktop.wait_for("the end", |state| state.jobs.iter().any(|job| job.kind == JobKind::Profile && job.state == JobState::Cancelled));
    assert!(desktop.state().session().state().profile.is_none());
    desktop.click("More options");
    write(&mut desktop, "Sizes of dimensions", "sequence=3");
    desktop.click("Profile wine v1");
    desktop.wait_for_label("no dimension 'sequence'");
}

#[test]
fn without_a_model_the_page_says_what_it_is_for() {
    let mut desktop = crate::support::desktop(options());
    desktop.key_press(Key::Num5);
    desktop.settle();
    assert_eq!(desktop.page(), Task::Profile);
    assert!(desktop.shows("Profile a model"));
    let mut desktop = desktop_with("wine");
    desktop.key_press_modifiers(Modifiers::COMMAND, Key::K);
    desktop.settle();
    desktop.get_by_label("Find a command").type_text("profile the model");
    desktop.key_press(Key::Enter);
    desktop.wait_for("the job", |state| state.jobs.iter().any(|job| job.kind == JobKind::Profile));
    assert_eq!(desktop.page(), Task::Profile);
}
