//! The tasks on the left, with their icons and keys.

use drydock_core::session::Task;
use eframe::egui::{Align2, Button, FontId, Key, KeyboardShortcut, Modifiers, RichText, Ui, vec2};

use crate::theme;
use crate::ui_command::UiCommand;
use crate::view_context::ViewContext;
use crate::widgets::icon::Icon;

pub fn ui(ui: &mut Ui, cx: &ViewContext<'_>, current: Task) {
    ui.spacing_mut().item_spacing.y = theme::STEP / 2.0;
    for page in Task::ALL {
        let is_current = page == current;
        let text = if is_current { theme::strong(page.name()) } else { RichText::new(page.name()) };
        let button = Button::selectable(is_current, (icon(page).atom(), text)).min_size(vec2(ui.available_width(), 32.0)).gap(10.0).right_text("");
        let n_running = if page == Task::Jobs { cx.running.len() } else { 0 };
        let name = if n_running > 0 { format!("{}, {n_running} running", page.name()) } else { page.name().to_owned() };
        let key = shortcuts(page).first().map_or_else(String::new, |keys| ui.ctx().format_shortcut(keys));
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

pub fn icon(task: Task) -> Icon {
    match task {
        Task::Models => Icon::Models,
        Task::Inspect => Icon::Inspect,
        Task::Predict => Icon::Predict,
        Task::Score => Icon::Score,
        Task::Profile => Icon::Profile,
        Task::Compare => Icon::Compare,
        Task::Jobs => Icon::Jobs,
    }
}

/// The task's digit, alone.
pub fn shortcuts(task: Task) -> &'static [KeyboardShortcut] {
    const DIGITS: [KeyboardShortcut; 10] = {
        const fn digit(key: Key) -> KeyboardShortcut {
            KeyboardShortcut::new(Modifiers::NONE, key)
        }
        [
            digit(Key::Num0),
            digit(Key::Num1),
            digit(Key::Num2),
            digit(Key::Num3),
            digit(Key::Num4),
            digit(Key::Num5),
            digit(Key::Num6),
            digit(Key::Num7),
            digit(Key::Num8),
            digit(Key::Num9),
        ]
    };
    let digit = task.digit().to_digit(10).and_then(|digit| usize::try_from(digit).ok());
    digit.and_then(|digit| DIGITS.get(digit)).map(std::slice::from_ref).unwrap_or_default()
}
