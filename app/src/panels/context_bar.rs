//! The bar on top: which model, on which device; commands, light or dark, help.

use drydock_core::tensor::device::{Adapter, Device, DeviceChoice, adapters};
use eframe::egui::{Align, Button, Layout, MenuBar, RichText, Ui, containers::menu::MenuButton};

use crate::action::Action;
use crate::background::Latest;
use crate::theme;
use crate::ui_command::UiCommand;
use crate::view_context::ViewContext;
use crate::widgets::icon::{self, Icon};

#[derive(Debug, Default)]
pub struct ContextBar {
    /// Probed when the device menu is first opened: asking graphics drivers takes a moment.
    adapters: Latest<(), &'static [Adapter]>,
}

impl ContextBar {
    pub fn ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>, device: DeviceChoice) {
        MenuBar::new().style(|style: &mut eframe::egui::Style| style.spacing.button_padding.x = 10.0).ui(ui, |ui| {
            ui.set_height(theme::CONTROL_HEIGHT);
            ui.label(theme::strong("Drydock").size(15.0));
            ui.add_space(theme::SMALL_GAP);
            model_menu(ui, cx);
            self.device_menu(ui, cx, device);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if icon::icon_button(ui, Icon::Help, "Help").clicked() {
                    cx.outbox.ui(UiCommand::Help);
                }
                let icon = if ui.visuals().dark_mode { Icon::Light } else { Icon::Dark };
                if icon::icon_button(ui, icon, UiCommand::ToggleTheme.text()).clicked() {
                    cx.outbox.ui(UiCommand::ToggleTheme);
                }
                commands_button(ui, cx);
            });
        });
    }

    fn device_menu(&mut self, ui: &mut Ui, cx: &ViewContext<'_>, device: DeviceChoice) {
        let label = cx.state.opened.as_ref().map_or_else(|| chosen_label(device), |opened| opened.model.device.label());
        let name = format!("Device: {label}");
        let button = Button::new((Icon::Chip.atom(), label, Icon::Chevron.atom())).frame_when_inactive(false);
        let (response, _) = MenuButton::from_button(button).ui(ui, |ui| {
            ui.set_min_width(240.0);
            let choice = |ui: &mut Ui, choice: DeviceChoice, label: &str| {
                if ui.add(Button::selectable(device == choice, label)).clicked() {
                    cx.outbox.send(Action::UseDevice(choice));
                    ui.close();
                }
            };
            choice(ui, DeviceChoice::Cpu, &Device::Cpu.label());
            match self.adapters.get(ui.ctx(), &(), |()| adapters()) {
                None => {
                    ui.horizontal(|ui| {
                        ui.spinner();
                        ui.label("Looking for GPUs…");
                    });
                }
                Some([]) => {
                    ui.label(theme::caption(ui, "No GPU adapter was found on this machine."));
                }
                Some(adapters) => {
                    for (index, adapter) in adapters.iter().enumerate() {
                        let software = if adapter.is_software { " (software)" } else { "" };
                        choice(ui, DeviceChoice::Gpu(Some(index)), &format!("GPU · {}{software}", adapter.name));
                    }
                }
            }
        });
        response.accessible_name(name).on_hover_text("Where models run");
    }
}

fn chosen_label(device: DeviceChoice) -> String {
    match device {
        DeviceChoice::Cpu => Device::Cpu.label(),
        DeviceChoice::Gpu(_) => "GPU".to_owned(),
    }
}

fn model_menu(ui: &mut Ui, cx: &ViewContext<'_>) {
    let title = cx.state.opened.as_ref().map(|opened| opened.model.title());
    let shown = title.clone().unwrap_or_else(|| "No model open".to_owned());
    let button = Button::new((theme::strong(shown), Icon::Chevron.atom()));
    let (response, _) = MenuButton::from_button(button).ui(ui, |ui| {
        ui.set_min_width(240.0);
        menu_item(ui, cx, UiCommand::OpenModel);
        if title.is_some() {
            menu_item(ui, cx, UiCommand::CloseModel);
        }
        let open_path = cx.state.opened.as_ref().map(|opened| &opened.model.path);
        let others: Vec<_> = cx.state.recent_models.iter().filter(|path| Some(*path) != open_path).take(8).collect();
        if !others.is_empty() {
            ui.separator();
            ui.label(theme::caption(ui, "Recent"));
        }
        for path in others {
            let name = crate::views::models::display_name(path);
            if ui.add(Button::new(name).frame_when_inactive(false)).on_hover_text(path.display().to_string()).clicked() {
                cx.outbox.send(Action::OpenModel(path.clone()));
                ui.close();
            }
        }
    });
    let name = title.map_or_else(|| "Model: none open".to_owned(), |title| format!("Model: {title}"));
    response.accessible_name(name);
}

/// A command as a line of a menu.
pub fn menu_item(ui: &mut Ui, cx: &ViewContext<'_>, command: UiCommand) {
    let mut button = Button::new(command.text()).frame_when_inactive(false);
    if let Some(shortcut) = command.shortcuts().first() {
        button = button.shortcut_text(ui.ctx().format_shortcut(shortcut));
    }
    if ui.add(button).on_hover_text(command.tooltip()).clicked() {
        cx.outbox.ui(command);
        ui.close();
    }
}

fn commands_button(ui: &mut Ui, cx: &ViewContext<'_>) {
    let keys = UiCommand::CommandPalette.shortcuts().first().map_or_else(String::new, |keys| ui.ctx().format_shortcut(keys));
    let weak = theme::palette(ui).weak_text;
    let text = RichText::new(format!("{keys}  commands")).color(weak);
    let button = Button::new(text).frame_when_inactive(false);
    if ui.add(button).accessible_name("Commands").on_hover_text(UiCommand::CommandPalette.tooltip()).clicked() {
        cx.outbox.ui(UiCommand::CommandPalette);
    }
}
