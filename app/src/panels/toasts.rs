//! Messages about what happened elsewhere, in the lower right corner. Errors stay until they are closed.

use eframe::egui::{Align, Align2, Area, Context, Frame, Id, Label, Layout, Margin, Order, Stroke, vec2};

use crate::action::Outbox;
use crate::theme;
use crate::ui_command::UiCommand;
use crate::ui_state::Toast;
use crate::widgets::icon::{self, Icon};

/// How long good news stays.
pub const SECONDS: f64 = 4.0;

pub fn ui(ctx: &Context, outbox: &Outbox, toasts: &mut Vec<Toast>) {
    let now = ctx.input(|input| input.time);
    toasts.retain(|toast| toast.ends_at.is_none_or(|end| now < end));
    if let Some(next) = toasts.iter().filter_map(|toast| toast.ends_at).reduce(f64::min) {
        ctx.request_repaint_after_secs((next - now) as f32);
    }
    if toasts.is_empty() {
        return;
    }
    Area::new(Id::unique("toasts")).order(Order::Foreground).anchor(Align2::RIGHT_BOTTOM, vec2(-theme::GAP, -theme::GAP)).show(ctx, |ui| {
        let mut closed = None;
        for (index, toast) in toasts.iter().enumerate() {
            let palette = theme::palette(ui);
            let edge = if toast.is_error { palette.fail } else { palette.line };
            let frame = Frame::popup(ui.style()).fill(palette.surface).stroke(Stroke::new(1.0, edge)).inner_margin(Margin::symmetric(14, 10));
            frame.show(ui, |ui| {
                ui.set_width(340.0);
                ui.with_layout(Layout::right_to_left(Align::Min), |ui| {
                    if icon::icon_button(ui, Icon::Close, "Close the message").clicked() {
                        closed = Some(index);
                    }
                    ui.with_layout(Layout::top_down(Align::Min), |ui| {
                        if toast.is_error {
                            ui.label(theme::strong("Error").color(palette.fail));
                        }
                        ui.add(Label::new(&toast.text).wrap().selectable(true));
                        if let Some(page) = toast.page
                            && ui.link(format!("Show {}", page.name())).clicked()
                        {
                            outbox.ui(UiCommand::Show(page));
                            closed = Some(index);
                        }
                    });
                });
            });
        }
        if let Some(index) = closed {
            toasts.remove(index);
        }
    });
}
