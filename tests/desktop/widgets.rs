//! What pages are made of, one at a time: figures, tables of reports, verdicts. By what a screen reader says, and as pictures in both themes.

use drydock_app::action::{Action, Outbox};
use drydock_app::saving::Savable;
use drydock_app::theme;
use drydock_app::widgets::report_table::ReportTable;
use drydock_app::widgets::report_table::fit::{Columns, Fit, number_in};
use drydock_app::widgets::sections::{capital, sentence};
use drydock_app::widgets::table::title_width;
use drydock_app::widgets::{plot, verdict};
use drydock_core::report::{Axis, Cell, Figure, Level, Quantity, Scale, Series, Table, Verdict};
use eframe::egui::accesskit::Role;
use eframe::egui::{CentralPanel, FontFamily, FontId, Frame, Margin, Theme, Ui, Vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

use crate::pictures::{has_adapter, snapshot};

/// A window with nothing but this in it.
fn window<'a>(theme: Theme, size: Vec2, mut add: impl FnMut(&mut Ui) + 'a) -> Harness<'a> {
    Harness::builder().with_size(size).with_theme(theme).with_render_cursor(false).with_context_setup(theme::install).build_ui(move |ui| {
        let frame = Frame::new().fill(theme::palette(ui).ground).inner_margin(Margin::same(16));
        CentralPanel::default().frame(frame).show(ui, |ui| add(ui));
    })
}

fn latency() -> Figure {
    let batches: Vec<f64> = vec![1.0, 8.0, 32.0, 128.0];
    let line = |name: &str, ms: [f64; 4]| Series::line(name, batches.iter().copied().zip(ms).collect());
    let x = Axis::around("batch", Some("rows"), Scale::Logarithmic, batches.iter().copied());
    let y = Axis::around("latency p95", Some("ms"), Scale::Logarithmic, [0.03, 4.0]);
    Figure {
        title: "Two threads pay from batches of 32 rows on".to_owned(),
        x,
        y,
        series: vec![
            line("1 thread", [0.04, 0.2, 0.8, 3.2]),
            line("2 threads", [0.05, 0.22, 0.6, 1.9]),
            line("4 threads", [0.07, 0.3, 0.7, 1.8]),
            line("8 threads", [0.1, 0.4, 0.9, 1.7]),
        ],
        levels: vec![Level { name: "budget 2 ms".to_owned(), at: 2.0, is_on_x: false }],
        x_now: None,
    }
}

fn histogram() -> Figure {
    let bins = |heights: [f64; 6]| heights.into_iter().enumerate().map(|(index, height)| (index as f64 * 10.0 + 5.0, height)).collect();
    Figure {
        title: "amount has moved up".to_owned(),
        x: Axis::new("amount", Some("EUR"), (0.0, 60.0)),
        y: Axis::new("share of rows", None, (0.0, 0.5)),
        series: vec![
            Series::bars("reference", 10.0, bins([0.4, 0.3, 0.15, 0.1, 0.04, 0.01])),
            Series::bars("current", 10.0, bins([0.15, 0.2, 0.3, 0.2, 0.1, 0.05])),
        ],
        levels: vec![Level { name: "median".to_owned(), at: 22.0, is_on_x: true }],
        x_now: None,
    }
}

fn roofline() -> Figure {
    let cloud = |name: &str, points: &[(f64, f64)], labels: &[&str]| {
        Series::points(name, points.to_vec()).labelled(labels.iter().map(|label| (*label).to_owned()).collect())
    };
    Figure {
        title: "Conv is bound by arithmetic, the rest by memory".to_owned(),
        x: Axis::new("arithmetic intensity", Some("operations per byte"), (0.1, 100.0)).logarithmic(),
        y: Axis::new("speed", Some("GFLOP/s"), (0.1, 1000.0)).logarithmic(),
        series: vec![
            cloud("Conv", &[(40.0, 180.0), (25.0, 120.0)], &["conv1", "conv2"]),
            cloud("Gemm", &[(3.0, 30.0), (1.0, f64::NAN)], &["fc1", "not measured"]),
            cloud("Relu", &[(0.2, 2.0)], &["relu1"]),
            cloud("MaxPool", &[(0.6, 4.0)], &["pool1"]),
            Series::line("roof", vec![(0.1, 2.0), (16.0, 320.0), (100.0, 320.0)]),
        ],
        levels: Vec::new(),
        x_now: None,
    }
}

fn conditions() -> Table {
    let columns = [
        ("condition", Quantity::Text),
        ("value", Quantity::Seconds),
        ("rows per second", Quantity::PerSecond),
        ("size", Quantity::Bytes),
        ("change", Quantity::Change),
        ("verdict", Quantity::Text),
    ];
    let mut table = Table::new("Conditions", &columns);
    let verdicts = [Verdict::Pass, Verdict::Fail, Verdict::NotJudged];
    for (index, verdict) in (0_u32..9).zip(verdicts.into_iter().cycle()) {
        let value = 0.001 * f64::from((index * 7) % 9 + 1);
        let change = if index == 4 { Cell::Empty } else { (f64::from(index) - 3.5).into() };
        table.push(vec![
            format!("latency of part {index}").into(),
            value.into(),
            (1.0 / value).into(),
            (f64::from(index) * 1.5e6).into(),
            change,
            verdict.into(),
        ]);
    }
    table
}

#[test]
fn a_figure_has_its_finding_for_a_name_and_can_be_saved_and_copied() {
    let outbox = Outbox::default();
    let figure = latency();
    let mut window = window(Theme::Light, Vec2::new(500.0, 300.0), |ui| plot::titled(ui, &outbox, "latency", &figure, 220.0));
    window.get_by_role_and_label(Role::Figure, &figure.title);
    window.get_by_label("Save the figure…").click();
    window.run();
    window.get_by_label("Copy the figure as CSV").click();
    window.run();
    drop(window);
    let actions = outbox.take();
    let [Action::Save(saved), Action::Copy { text, .. }] = actions.as_slice() else { panic!("{actions:?}") };
    assert!(matches!(saved.as_ref(), Savable::Figure(shown) if shown.figure == figure && shown.name == "latency"));
    assert_eq!(*text, figure.to_csv());
}

#[test]
fn under_the_pointer_stand_the_point_or_the_heights() {
    let says = |figure: Figure, at: Vec2, expected: &[&str]| {
        let name = figure.title.clone();
        let mut window = window(Theme::Light, Vec2::new(500.0, 300.0), |ui| {
            plot::ui(ui, &figure, 260.0);
        });
        let plot = window.get_by_label(&name).rect();
        window.hover_at(plot.min + at * plot.size());
        window.run_steps(60);
        for text in expected {
            assert!(window.query_all_by_label_contains(text).next().is_some(), "no '{text}' in\n{window:?}");
        }
    };
    // Between the ends, over all four lines.
    says(latency(), Vec2::new(0.5, 0.5), &["batch", "1 thread", "8 threads", " ms"]);
    // The second of six bars, of both series.
    says(histogram(), Vec2::new(0.3, 0.5), &["reference", "current", "0.3", "0.2"]);
    // 40 operations a byte is at 0.867 of the axis, 180 GFLOP/s at 0.814 of its height.
    says(roofline(), Vec2::new(0.87, 0.27), &["Conv", "conv1: 40 operations per byte → 180 GFLOP/s"]);
}

#[test]
fn a_figure_without_points_or_extent_is_drawn_all_the_same() {
    let axis = || Axis::new("x", None, (1.0, 1.0));
    let empty = Figure { x_now: Some(3.0), ..Figure::of("nothing", axis(), axis(), Series::line("", Vec::new())) };
    let broken = Figure::of("no numbers", axis(), axis(), Series::line("", vec![(f64::NAN, 1.0), (f64::INFINITY, f64::NAN)]));
    let negative = Figure { x: Axis::new("x", None, (-1.0, 1.0)).logarithmic(), ..histogram() };
    for figure in [empty, broken, negative] {
        // As narrow as nothing fits into.
        for width in [40.0, 400.0] {
            let mut window = window(Theme::Dark, Vec2::new(width, 120.0), |ui| {
                plot::ui(ui, &figure, 90.0);
            });
            window.run();
            window.get_by_label(&figure.title);
        }
    }
}

#[test]
fn a_table_of_a_report_is_sorted_searched_and_saved() {
    let outbox = Outbox::default();
    let (table, mut shown) = (conditions(), ReportTable::default());
    let mut window = window(Theme::Light, Vec2::new(900.0, 420.0), |ui| shown.ui(ui, &outbox, "conditions", 1, &table, false));
    window.run();
    assert!(window.query_by_label_contains("1.5 MB").is_some(), "in units");
    window.get_by_label("Sort by value").click();
    window.run();
    let top = |window: &Harness<'_>, label: &str| window.get_by_label(label).rect().top();
    assert!(top(&window, "latency of part 5") < top(&window, "latency of part 0"), "9 ms before 1 ms");
    window.get_by_label("Search Conditions").focus();
    window.run();
    window.get_by_label("Search Conditions").type_text("part 7");
    window.run();
    assert!(window.query_by_label("latency of part 7").is_some() && window.query_by_label("latency of part 0").is_none());
    assert!(window.query_by_label("1 of 9").is_some());
    window.get_by_label("Save the table…").click();
    window.run();
    drop(window);
    let actions = outbox.take();
    let [Action::Save(saved)] = actions.as_slice() else { panic!("{actions:?}") };
    assert_eq!(**saved, Savable::Table(table));
}

/// A table with a title of several words, and numbers that were written as text.
fn mixed() -> Table {
    let columns = [("metric", Quantity::Text), ("payment-fraud v1 accuracy", Quantity::Number), ("written", Quantity::Text)];
    let mut table = Table::new("Metrics", &columns);
    table.push(vec!["accuracy of the labels of all rows".into(), 0.5.into(), "2,285".into()]);
    table.push(vec!["F1".into(), 0.25.into(), "+300 %".into()]);
    table
}

#[test]
fn titles_fold_before_words_are_cut_and_numbers_never_are() {
    let columns = Columns::new(&mixed());
    assert_eq!(columns.are_numbers, [false, true, true]);
    let total = |fit: &Fit| fit.widths.iter().sum::<f32>() + 2.0 * theme::GAP;
    let wide = columns.fit(2000.0);
    assert_eq!(wide.key, 0);
    let folded = columns.fit(total(&wide) - 20.0);
    assert!((total(&folded) - total(&wide) + 20.0).abs() < 0.1, "it fits exactly");
    assert!(folded.widths[1] < wide.widths[1] && (folded.widths[0] - wide.widths[0]).abs() < 0.1, "{folded:?}");
    let narrow = columns.fit(100.0);
    assert!(narrow.widths[0] >= 150.0 && narrow.widths[0] < wide.widths[0], "{narrow:?}");
    assert!(narrow.widths[1] >= title_width("payment-fraud"), "{narrow:?}");
}

#[test]
fn what_reads_as_a_number_is_one() {
    for (text, number) in
        [("2,285", Some(2285.0)), ("+300 %", Some(300.0)), ("-39.9 kB", Some(-39.9)), ("98 % (96.9 %)", None), ("2026-01-02", None), ("v2", None)]
    {
        assert_eq!(number_in(text), number, "{text}");
    }
}

#[test]
fn numbers_written_as_text_stand_at_the_right_and_sort_as_numbers() {
    let outbox = Outbox::default();
    let (table, mut shown) = (mixed(), ReportTable::default());
    let mut window = window(Theme::Light, Vec2::new(900.0, 300.0), |ui| shown.ui(ui, &outbox, "mixed", 1, &table, false));
    window.run();
    let right = |window: &Harness<'_>, label: &str| window.get_by_label(label).rect().right();
    assert!((right(&window, "2,285") - right(&window, "+300 %")).abs() < 1.0, "at the right of one column");
    window.get_by_label("Sort by written").click();
    window.run();
    let top = |window: &Harness<'_>, label: &str| window.get_by_label(label).rect().top();
    assert!(top(&window, "2,285") < top(&window, "+300 %"), "2,285 is more than 300");
}

#[test]
fn findings_begin_with_a_capital_unless_that_is_a_name() {
    for (text, expected) in
        [("half of the runs", "Half of the runs"), ("payment-fraud v2 is best", "payment-fraud v2 is best"), ("p95 is 3 ms", "p95 is 3 ms"), ("", "")]
    {
        assert_eq!(capital(text), expected);
    }
    assert_eq!(sentence("no change"), "No change.");
}

/// Every letter that the program or a report may draw has a shape in its fonts: a missing one is a box.
#[test]
fn no_letter_is_missing_from_the_fonts() {
    let mut window = window(Theme::Light, Vec2::new(200.0, 100.0), |ui| {
        ui.label("ready");
    });
    window.run();
    let mut letters = std::collections::BTreeSet::new();
    for folder in ["../app/src", "../core/src"] {
        letters_of(std::path::Path::new(folder), &mut letters);
    }
    assert!(letters.contains(&'✓') && letters.contains(&'…'), "the sources were read");
    // Written for other places: verdicts of pages and Markdown, which the window draws with a sign of its own.
    letters.remove(&'✖');
    let missing: Vec<char> = letters
        .into_iter()
        .filter(|letter| {
            let has = |family: FontFamily| window.ctx.fonts_mut(|fonts| fonts.has_glyph(&FontId::new(13.5, family), *letter));
            !has(FontFamily::Proportional) || !has(theme::strong_family())
        })
        .collect();
    assert!(missing.is_empty(), "no shape for {missing:?}");
}

/// Letters beyond ASCII in the strings of the sources below a folder, tests and comments left out.
fn letters_of(folder: &std::path::Path, letters: &mut std::collections::BTreeSet<char>) {
    for entry in std::fs::read_dir(folder).expect("the sources").flatten() {
        let path = entry.path();
        if path.is_dir() {
            letters_of(&path, letters);
            continue;
        }
        if path.extension().is_none_or(|extension| extension != "rs") || path.file_stem().is_some_and(|stem| stem == "tests") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a source");
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            let inside = line.split('"').skip(1).step_by(2);
            letters.extend(inside.flat_map(str::chars).filter(|letter| !letter.is_ascii()));
        }
    }
}

#[test]
fn a_verdict_has_a_word() {
    let mut window = window(Theme::Light, Vec2::new(500.0, 200.0), |ui| {
        verdict::headline(ui, Verdict::Fail, "1 of 2 conditions fails");
        verdict::line(ui, Verdict::Pass, "p95 1.2 ms, at most 5 ms");
        verdict::line(ui, Verdict::NotJudged, "no label column");
    });
    window.run();
    window.get_by_role_and_label(Role::Status, "fail: 1 of 2 conditions fails");
    window.get_by_role_and_label(Role::ListItem, "pass: p95 1.2 ms, at most 5 ms");
    window.get_by_role_and_label(Role::ListItem, "not judged: no label column");
}

fn picture(theme: Theme, name: &str, size: Vec2, add: impl FnMut(&mut Ui)) {
    if !has_adapter() {
        return;
    }
    let mut window = window(theme, size, add);
    window.run();
    snapshot(&mut window, name);
}

fn picture_of_figures(theme: Theme, name: &str) {
    let outbox = Outbox::default();
    let curve = Figure {
        x_now: Some(75.0),
        ..Figure::of(
            "fraud rises from 0.250 to 0.900 as amount grows",
            Axis::new("amount", Some("EUR"), (0.0, 100.0)),
            Axis::new("probability_fraud", None, (0.0, 1.0)),
            Series::line("fraud", vec![(0.0, 0.25), (50.0, 0.5), (100.0, 0.9)]),
        )
    };
    let figures = [("latency", latency()), ("histogram", histogram()), ("roofline", roofline()), ("curve", curve)];
    picture(theme, name, Vec2::new(900.0, 600.0), |ui| {
        for row in figures.chunks(2) {
            ui.columns(2, |columns| {
                for (ui, (name, figure)) in columns.iter_mut().zip(row) {
                    plot::titled(ui, &outbox, name, figure, 220.0);
                    ui.add_space(theme::SMALL_GAP);
                }
            });
        }
    });
}

fn picture_of_judgements(theme: Theme, name: &str) {
    let outbox = Outbox::default();
    let (table, mut shown) = (conditions(), ReportTable::default());
    picture(theme, name, Vec2::new(760.0, 500.0), |ui| {
        verdict::headline(ui, Verdict::Fail, "1 of 3 conditions fails");
        verdict::line(ui, Verdict::Pass, "p95 1.2 ms, at most 5 ms");
        verdict::line(ui, Verdict::Fail, "12 MB, at most 10 MB");
        verdict::line(ui, Verdict::NotJudged, "agreement: there is no second model");
        ui.add_space(theme::GAP);
        shown.ui(ui, &outbox, "conditions", 1, &table, false);
    });
}

#[test]
fn figures_in_light() {
    picture_of_figures(Theme::Light, "figures-light");
}

#[test]
fn figures_in_dark() {
    picture_of_figures(Theme::Dark, "figures-dark");
}

#[test]
fn judgements_in_light() {
    picture_of_judgements(Theme::Light, "judgements-light");
}

#[test]
fn judgements_in_dark() {
    picture_of_judgements(Theme::Dark, "judgements-dark");
}
