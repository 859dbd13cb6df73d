//! The registry on the Models page.

use std::path::Path;

use drydock_app::Options;
use drydock_core::session::{JobKind, JobState, Task};
use eframe::egui::{Theme, Vec2};
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use crate::support::{Desktop, Drive as _, desktop_in, options, sample_model};

/// A program with a data home, a sample model open, on the Models page.
fn desktop_at(home: &Path) -> Desktop {
    let kept = Options { home: Some(home.to_owned()), model: Some(sample_model("wine")), ..options() };
    let mut desktop = desktop_in(kept, Theme::Light, Vec2::new(1200.0, 2400.0));
    desktop.wait_for("the model and the registry", |state| state.opened.is_some() && state.registry.is_some());
    desktop.go_to(Task::Models);
    desktop
}

fn add(desktop: &mut Desktop) {
    desktop.click("Add wine v1");
    desktop.wait_for("the version", |state| state.registry.as_ref().is_some_and(|view| view.n_versions() == 1));
}

#[test]
fn a_model_gets_a_name_and_an_alias_that_can_be_protected() {
    let home = tempfile::tempdir().expect("a folder");
    let mut desktop = desktop_at(home.path());
    assert_eq!(desktop.get_by_label("Name in the registry").value().as_deref(), Some("wine"), "the model's own name is suggested");
    add(&mut desktop);
    assert!(desktop.shows("wine v1 was added"));
    desktop.click("More");
    desktop.get_by_label("Alias to move").focus();
    desktop.settle();
    desktop.get_by_label("Alias to move").type_text("champion");
    desktop.settle();
    desktop.click("Point champion at v1");
    desktop.wait_for("the alias", |state| state.registry.as_ref().is_some_and(|view| view.models[0].versions[0].aliases == ["champion"]));
    assert!(desktop.shows("champion → v1"));
    assert!(desktop.shows("Moves of aliases"));
    desktop.click("Protect champion");
    desktop.wait_for("the protection", |state| state.registry.as_ref().is_some_and(|view| view.models[0].aliases[0].is_protected));
    assert!(desktop.shows("protected"));
    assert!(desktop.get_by_label("Point champion at v1").accesskit_node().is_disabled(), "a protected alias is promoted, not pointed");
    desktop.click("Verify the registry");
    desktop.wait_for("the check", |state| state.jobs.iter().filter(|job| job.kind == JobKind::Registry && job.state == JobState::Done).count() == 4);
    desktop.click("Open");
    desktop.wait_for("the version to open", |state| state.opened.as_ref().is_some_and(|opened| opened.model.argument() == Path::new("wine:1")));
}

#[test]
fn only_removing_asks_again() {
    let home = tempfile::tempdir().expect("a folder");
    let mut desktop = desktop_at(home.path());
    add(&mut desktop);
    desktop.click("More");
    desktop.click("Remove…");
    assert!(desktop.shows("Remove wine:1?"));
    desktop.click("Keep it");
    assert!(!desktop.shows("Remove wine:1?"));
    desktop.click("Remove…");
    desktop.click("Remove it");
    desktop.wait_for("the end of it", |state| state.registry.as_ref().is_some_and(|view| view.n_versions() == 0));
}

#[test]
fn what_another_process_does_is_seen() {
    let home = tempfile::tempdir().expect("a folder");
    let mut first = desktop_at(home.path());
    let mut second = desktop_at(home.path());
    add(&mut second);
    first.wait_for("the other's version", |state| state.registry.as_ref().is_some_and(|view| view.n_versions() == 1));
    assert!(first.shows("1 version"));
}

#[test]
fn a_name_that_can_not_be_one_is_said_at_its_field() {
    let home = tempfile::tempdir().expect("a folder");
    let mut desktop = desktop_at(home.path());
    desktop.get_by_label("Name in the registry").focus();
    desktop.settle();
    desktop.get_by_label("Name in the registry").type_text("/");
    desktop.settle();
    assert!(desktop.get_by_label("Add wine v1").accesskit_node().is_disabled());
}
