//! How judgements look: a sign, its word, and what was judged. Green and red stand for this and nothing else, and never alone.

use drydock_core::report::Verdict;
use eframe::egui::{Align, Color32, Label, Layout, Response, RichText, Ui, WidgetInfo, accesskit::Role};

use crate::theme;

/// The colour of a verdict.
pub fn color(ui: &Ui, verdict: Verdict) -> Color32 {
    let palette = theme::palette(ui);
    match verdict {
        Verdict::Pass => palette.pass,
        Verdict::Fail => palette.fail,
        Verdict::NotJudged => palette.weak_text,
    }
}

/// The sign of a verdict, from the letters that the program's fonts have.
pub const fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✓",
        Verdict::Fail => "×",
        Verdict::NotJudged => "–",
    }
}

/// `✓ pass`, as text.
pub fn text(verdict: Verdict) -> String {
    format!("{} {}", sign(verdict), verdict.word())
}

/// `✓ pass  p95 1.2 ms, at most 5 ms`: a line of its own, as high as its sentence needs.
pub fn line(ui: &mut Ui, verdict: Verdict, text: &str) -> Response {
    /// Words end below one another, and the sentences begin so.
    const WIDTH: f32 = 92.0;
    let inner = ui.horizontal_top(|ui| {
        ui.allocate_ui_with_layout(eframe::egui::vec2(WIDTH, 0.0), Layout::left_to_right(Align::Min), |ui| {
            ui.set_min_width(WIDTH);
            mark(ui, verdict);
        });
        ui.add(Label::new(text).wrap().selectable(true));
    });
    let response = inner.response;
    response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, format!("{}: {text}", verdict.word())));
    response
}

/// `✓ pass`.
pub fn mark(ui: &mut Ui, verdict: Verdict) -> Response {
    let color = color(ui, verdict);
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.x = theme::STEP;
        ui.label(RichText::new(sign(verdict)).color(color));
        ui.label(theme::strong(verdict.word()).color(color))
    })
    .inner
}

/// The one verdict of a page, seen from across the room.
pub fn headline(ui: &mut Ui, verdict: Verdict, text: &str) -> Response {
    headline_in_words(ui, verdict, (sign(verdict), verdict.word()), text)
}

/// The same for a judgement that has a sign and a word of its own.
pub fn headline_in_words(ui: &mut Ui, verdict: Verdict, (sign, word): (&str, &str), text: &str) -> Response {
    let color = color(ui, verdict);
    let inner = ui.horizontal_wrapped(|ui| {
        ui.label(theme::headline(format!("{sign} {word}")).color(color));
        ui.add(Label::new(RichText::new(text).color(theme::palette(ui).weak_text)).wrap());
    });
    let response = inner.response;
    response.widget_info(|| WidgetInfo::labeled(Role::Status, true, format!("{word}: {text}")));
    response
}
