//! What every page that scrolls is made in.

use eframe::egui::{ScrollArea, Ui, UiBuilder};

/// Room for the bar, in the margin that panels leave.
const BAR: f32 = 12.0;

/// Scrolls up and down, with the bar in the margin beside the content rather than over it.
pub fn scrolled<R>(ui: &mut Ui, add_contents: impl FnOnce(&mut Ui) -> R) -> R {
    let place = ui.available_rect_before_wrap();
    let with_bar = place.with_max_x(place.right() + BAR);
    let mut inside = ui.new_child(UiBuilder::new().max_rect(with_bar));
    let output = ScrollArea::vertical().auto_shrink([false, false]).show(&mut inside, |ui| {
        ui.set_max_width(place.width());
        add_contents(ui)
    });
    ui.advance_cursor_after_rect(place);
    output.inner
}
