//! What came of packing a model, and of checking a package.

use drydock_core::format;
use drydock_core::package::{Golden, PackageCheck, PackageReport};
use drydock_core::report::Verdict;
use eframe::egui::{Align, Label, Layout, Response, RichText, Ui};

use super::Act;
use crate::action::Action;
use crate::theme;
use crate::view_context::ViewContext;
use crate::widgets::icon::{self, Icon};
use crate::widgets::property::fact;
use crate::widgets::sections::sentence;
use crate::widgets::verdict;

/// Differences listed: whoever has more reads them in a terminal.
const DIFFERENCES: usize = 200;

/// Below the form that asked for it.
pub fn made_ui(ui: &mut Ui, cx: &ViewContext<'_>, report: &PackageReport) {
    ui.add_space(theme::STEP);
    ui.horizontal(|ui| {
        let color = theme::palette(ui).pass;
        ui.label(RichText::new("✓").color(color));
        ui.label(theme::strong("packed").color(color));
        let path = report.output.display().to_string();
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if icon::icon_button(ui, Icon::Copy, "Copy the path of the package").clicked() {
                cx.outbox.copy(&path, "the path");
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let rows = format::counted(report.rows as u64, "golden row");
                let text = format!("{} with {rows}, {}: {path}", report.model, format::bytes(report.file_bytes));
                ui.add(Label::new(text).truncate()).on_hover_text(format!("{path}: {} bytes", format::count(report.file_bytes)));
            });
        });
    });
    for note in &report.notes {
        ui.add(Label::new(theme::caption(ui, sentence(note))).wrap().selectable(true));
    }
}

/// The verdict on a package, what differs, and where it comes from.
pub fn check_ui(ui: &mut Ui, cx: &ViewContext<'_>, check: &PackageCheck) -> Response {
    let card = theme::card(ui).show(ui, |ui| {
        ui.set_width(ui.available_width());
        let (sign, judged) = look(check.verdict);
        verdict::headline_in_words(ui, judged, (sign, check.verdict.name()), &meaning(check));
        for difference in check.differences.iter().take(DIFFERENCES) {
            ui.add(Label::new(sentence(difference)).wrap().selectable(true));
        }
        let n_more = check.differences.len().saturating_sub(DIFFERENCES);
        if n_more > 0 {
            ui.label(theme::caption(
                ui,
                format!("and {} more outputs: copy the command to see them all in a terminal", format::count(n_more as u64)),
            ));
        }
        ui.add_space(theme::STEP);
        let packed = |key: &str| check.provenance.get(key).and_then(|value| value.as_str());
        fact(ui, "Model", &check.model);
        fact(ui, "Golden rows", &format::count(check.rows as u64));
        fact(ui, "Packed", packed("date").unwrap_or("on an unknown day"));
        fact(ui, "Packed where", packed("device").unwrap_or("not said"));
        fact(ui, "Run here on", &check.device);
        fact(ui, "Content", &check.hash);
        fact(ui, "Package", &check.package.display().to_string());
        ui.add_space(theme::STEP);
        ui.horizontal_wrapped(|ui| {
            let open = ui.add(icon::button(Icon::Models, "Open its model")).accessible_name(format!("Open the model of {}", check.model));
            if open.on_hover_text("For predictions, scores and profiles").clicked() {
                cx.outbox.send(Action::OpenModel(check.package.clone()));
            }
            let line = super::latest(cx.state, Act::Check).and_then(|job| job.command_line.clone());
            if let Some(line) = line
                && ui.add(icon::button(Icon::Copy, "Copy the check as command")).on_hover_text(&line).clicked()
            {
                cx.outbox.copy(&line, &line);
            }
        });
    });
    card.response
}

/// The sign of a verdict, and what it is worth.
pub fn look(golden: Golden) -> (&'static str, Verdict) {
    match golden {
        Golden::BitEqual => ("✓", Verdict::Pass),
        Golden::WithinTolerance => ("≈", Verdict::Pass),
        Golden::Different => ("×", Verdict::Fail),
    }
}

fn meaning(check: &PackageCheck) -> String {
    let rows = format::counted(check.rows as u64, "golden row");
    let allowed = format!("{:e} relative and {:e} absolute", check.relative_tolerance, check.absolute_tolerance);
    match check.verdict {
        Golden::BitEqual => format!("Over {rows}, every output is the same to the bit as where it was packed."),
        Golden::WithinTolerance => format!("Over {rows}, outputs differ by no more than the package allows: {allowed}."),
        Golden::Different => format!("Over {rows}, outputs differ by more than the package allows: {allowed}."),
    }
}
