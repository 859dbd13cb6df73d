//! The tasks on the left.

use eframe::egui::{Align2, Button, FontId, RichText, Ui, vec2};

use crate::theme;
use crate::ui_command::UiCommand;
use crate::ui_state::Page;
use crate::view_context::ViewContext;

pub fn ui(ui: &mut Ui, cx: &ViewContext<'_>, current: Page) {
    ui.spacing_mut().item_spacing.y = theme::STEP / 2.0;
    for page in Page::ALL {
        let is_current = page == current;
        let text = if is_current { theme::strong(page.name()) } else { RichText::new(page.name()) };
        let button = Button::selectable(is_current, (page.icon().atom(), text)).min_size(vec2(ui.available_width(), 32.0)).gap(10.0).right_text("");
        let n_running = if page == Page::Jobs { cx.running.len() } else { 0 };
        let name = if n_running > 0 { format!("{}, {n_running} running", page.name()) } else { page.name().to_owned() };
        let key = page.shortcuts().first().map_or_else(String::new, |keys| ui.ctx().format_shortcut(keys));
        let response = ui.add(button).accessible_name(name).on_hover_text(format!("{}  ({key})", page.question()));
        if n_running > 0 {
            let palette = theme::palette(ui);
            let center = response.rect.right_center() - vec2(18.0, 0.0);
            ui.painter().circle_filled(center, 9.0, palette.accent);
            ui.painter().text(center, Align2::CENTER_CENTER, n_running, FontId::proportional(11.0), palette.on_accent);
        }
        if response.clicked() {
            cx.outbox.ui(UiCommand::Show(page));
        }
    }
}
