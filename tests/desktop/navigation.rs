//! Pages, commands, keys, palette, help, light and dark.

use std::collections::HashSet;

use drydock_app::Options;
use drydock_app::ui_command::UiCommand;
use drydock_app::ui_state::ThemeChoice;
use drydock_core::session::Task;
use eframe::egui::{Key, Modifiers, Theme};
use egui_kittest::kittest::Queryable as _;

use crate::support::{Drive as _, desktop, options};

#[test]
fn every_task_is_one_click_and_one_key_away() {
    let mut desktop = desktop(options());
    for page in Task::ALL.into_iter().rev() {
        desktop.go_to(page);
    }
    let keys = [
        (Key::Num2, Task::Inspect),
        (Key::Num3, Task::Predict),
        (Key::Num4, Task::Score),
        (Key::Num5, Task::Profile),
        (Key::Num9, Task::Jobs),
        (Key::Num1, Task::Models),
    ];
    for (key, page) in keys {
        desktop.key_press(key);
        desktop.settle();
        assert_eq!(desktop.page(), page);
    }
}

#[test]
fn a_key_means_text_while_text_is_typed() {
    let mut desktop = desktop(options());
    let field = desktop.get_by_label("Path of a model");
    field.focus();
    desktop.settle();
    desktop.get_by_label("Path of a model").type_text("2");
    desktop.key_press(Key::Num2);
    desktop.settle();
    assert_eq!(desktop.page(), Task::Models);
    assert_eq!(desktop.get_by_label("Path of a model").value().as_deref(), Some("2"));
}

#[test]
fn the_palette_finds_commands_by_a_few_letters() {
    let mut desktop = desktop(options());
    desktop.key_press_modifiers(Modifiers::COMMAND, Key::K);
    desktop.settle();
    desktop.get_by_label("Find a command").type_text("ins");
    desktop.settle();
    desktop.key_press(Key::Enter);
    desktop.settle();
    assert_eq!(desktop.page(), Task::Inspect);
    assert!(desktop.query_by_label("Find a command").is_none(), "the palette closes when something was chosen");

    desktop.click("Commands");
    desktop.get_by_label("Find a command").type_text("no command has this name");
    desktop.settle();
    assert!(desktop.shows("Nothing has that name."));
    desktop.key_press(Key::Escape);
    desktop.settle();
    assert!(desktop.query_by_label("Find a command").is_none());
}

#[test]
fn the_palette_opens_samples() {
    let mut desktop = desktop(options());
    desktop.wait_for_label("wine");
    desktop.key_press_modifiers(Modifiers::COMMAND, Key::K);
    desktop.settle();
    desktop.get_by_label("Find a command").type_text("sample wine");
    desktop.settle();
    desktop.click("Open sample wine");
    desktop.wait_for("the wine model", |state| state.opened.is_some());
}

#[test]
fn help_lists_every_key() {
    let mut desktop = desktop(options());
    desktop.key_press(Key::F1);
    desktop.settle();
    for command in UiCommand::ALL {
        if !command.shortcuts().is_empty() {
            assert!(desktop.shows(command.text()), "{} is missing", command.text());
        }
    }
    desktop.click("Close");
    assert!(!desktop.shows(UiCommand::Quit.text()));
}

#[test]
fn commands_are_complete_and_no_key_does_two_things() {
    let mut keys = HashSet::new();
    let mut texts = HashSet::new();
    for command in UiCommand::ALL {
        assert!(texts.insert(command.text()), "two commands are called {}", command.text());
        assert!(!command.tooltip().is_empty());
        for shortcut in command.shortcuts() {
            assert!(keys.insert(*shortcut), "{shortcut:?} does two things");
        }
    }
    for page in Task::ALL {
        assert!(UiCommand::ALL.contains(&UiCommand::Show(page)));
    }
}

#[test]
fn light_or_dark_is_remembered() {
    let home = tempfile::tempdir().expect("a folder");
    let kept = || Options { home: Some(home.path().to_owned()), ..options() };
    let mut first = desktop(kept());
    assert_eq!(first.ctx.theme(), Theme::Light);
    first.click("Switch between light and dark");
    assert_eq!(first.ctx.theme(), Theme::Dark);
    let second = desktop(kept());
    assert_eq!(second.state().ui_state().preferences.theme, ThemeChoice::Dark);
}

#[test]
fn a_spoilt_data_home_is_no_obstacle() {
    let home = tempfile::tempdir().expect("a folder");
    for name in ["desktop.json", "remembered.json"] {
        std::fs::write(home.path().join(name), [0xFF, 0x00, b'{']).expect("a file");
    }
    let desktop = desktop(Options { home: Some(home.path().to_owned()), ..options() });
    assert_eq!(desktop.state().ui_state().preferences.theme, ThemeChoice::System);
}

#[test]
fn the_device_menu_names_the_cpu_and_looks_for_gpus_only_when_opened() {
    let mut desktop = desktop(options());
    let cpu = drydock_core::tensor::device::Device::Cpu.label();
    desktop.click(&format!("Device: {cpu}"));
    assert!(desktop.query_by_label(&cpu).is_some());
    desktop.wait_for_label("GPU");
}
