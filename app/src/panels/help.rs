//! The help page: keys from the command enum, and the tasks with the questions that they answer.

use drydock_core::session::Task;
use eframe::egui::{Frame, Grid, Id, Margin, Modal, RichText, ScrollArea, Ui};

use crate::action::Outbox;
use crate::theme;
use crate::ui_command::UiCommand;

/// Draws the help over everything.
pub fn ui(ui: &Ui, outbox: &Outbox) {
    let frame = Frame::popup(ui.style()).inner_margin(Margin::same(24));
    let height = (ui.ctx().content_rect().height() - 200.0).max(120.0);
    let modal = Modal::new(Id::unique("help")).frame(frame).show(ui.ctx(), |ui| {
        ui.set_width(580.0);
        ui.spacing_mut().interact_size.y = 20.0;
        ui.label(theme::title("Help"));
        ScrollArea::vertical().max_height(height).min_scrolled_height(height).auto_shrink([false, true]).show(ui, |ui| {
            ui.add_space(theme::SMALL_GAP);
            ui.label(theme::section_title("Tasks"));
            tasks(ui);
            ui.add_space(theme::GAP);
            ui.label(theme::section_title("Keys"));
            keys(ui);
            ui.add_space(theme::GAP);
            ui.label(theme::section_title("Files"));
            ui.label("Drop a model, a table, a picture, a package or a folder of test sets anywhere on the window. Nothing leaves this machine.");
        });
        ui.add_space(theme::SMALL_GAP);
        if ui.button("Close").clicked() {
            outbox.ui(UiCommand::Dismiss);
        }
    });
    if modal.should_close() {
        outbox.ui(UiCommand::Dismiss);
    }
}

fn tasks(ui: &mut Ui) {
    Grid::new("help tasks").num_columns(2).spacing([theme::GAP, theme::STEP]).show(ui, |ui| {
        for page in Task::ALL {
            ui.label(theme::strong(page.name()));
            ui.label(page.question());
            ui.end_row();
        }
    });
}

fn keys(ui: &mut Ui) {
    let weak = theme::palette(ui).weak_text;
    Grid::new("help keys").num_columns(2).spacing([theme::GAP, theme::STEP]).show(ui, |ui| {
        for command in UiCommand::ALL {
            let keys: Vec<String> = command.shortcuts().iter().map(|keys| ui.ctx().format_shortcut(keys)).collect();
            if !keys.is_empty() {
                ui.label(RichText::new(keys.join("  or  ")).color(weak));
                ui.label(command.text());
                ui.end_row();
            }
        }
    });
}
