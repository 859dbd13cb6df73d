//! The parts that screens are made of.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use drydock_tui::text::{Align, TextTable, cut, padded, wrapped};
use drydock_tui::widgets::bar;
use drydock_tui::widgets::list::window;
use drydock_tui::widgets::text_field::TextField;
use unicode_width_check::width;

/// Cells of a text, counted without the code under test.
mod unicode_width_check {
    pub fn width(text: &str) -> usize {
        text.chars().map(|c| if ('\u{4e00}'..'\u{a000}').contains(&c) { 2 } else { 1 }).sum()
    }
}

#[test]
fn the_window_of_a_list_always_holds_the_selected_row() {
    for n_rows in 0..12 {
        for height in 0..14 {
            for selected in 0..n_rows {
                let window = window(selected, n_rows, height);
                assert_eq!(window.len(), height.min(n_rows));
                assert!(window.end <= n_rows && (height == 0 || window.contains(&selected)), "{selected} of {n_rows} in {height}: {window:?}");
            }
        }
    }
}

#[test]
fn text_is_cut_and_padded_to_cells() {
    for (text, cells, expected) in
        [("prediction", 20, "prediction"), ("prediction", 5, "pred…"), ("数据分析", 5, "数据…"), ("a\tb\u{1b}", 9, "a b "), ("x", 0, "")]
    {
        assert_eq!(cut(text, cells), expected);
        assert_eq!(width(&padded(text, cells, Align::Right)), cells);
    }
    assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
    assert_eq!(wrapped("abcdefgh", 3), ["abc", "def", "gh"]);
    assert_eq!(wrapped("", 5), [""]);
}

#[test]
fn a_table_never_exceeds_its_width() {
    let mut table = TextTable::new(&[("a name that is long", Align::Left), ("n", Align::Right), ("text", Align::Left)]);
    table.push(vec!["x".repeat(60), "12".to_owned(), "y".repeat(90)]);
    for cells in [20, 40, 80, 200] {
        for line in table.lines(cells) {
            assert!(width(&line) <= cells, "{cells}: {line}");
        }
    }
}

#[test]
fn what_is_too_wide_wraps_or_turns_a_page() {
    let mut table = TextTable::new(&[("name", Align::Left), ("rows that flip", Align::Right), ("why", Align::Left)]);
    table.push(vec!["a".to_owned(), "41.7 %".to_owned(), "card_age_days ≤ 61.5, amount > 510".to_owned()]);
    assert_eq!(table.natural_width(), 4 + 2 + 14 + 2 + 34);
    let laid = |table: &TextTable, width: usize| {
        let pages = table.pages(width);
        pages.iter().map(|columns| table.laid_out(columns, width)).collect::<Vec<_>>()
    };
    let whole = laid(&table, 60);
    assert_eq!((whole.len(), whole[0].header.len(), whole[0].rows[0].len()), (1, 1, 1));
    // The title gives way first, then the text; numbers and words stay whole.
    let narrow = laid(&table, 40);
    assert_eq!(narrow[0].header, ["      rows that", "name       flip  why"]);
    assert_eq!(narrow[0].rows[0], ["a        41.7 %  card_age_days ≤ 61.5,", "                 amount > 510"]);
    // What finds no room stands on the next page, beside the first column.
    let tiny = laid(&table, 20);
    assert_eq!(tiny.len(), 2);
    assert!(tiny[1].header[0].starts_with("name  why"), "{tiny:?}");
    let mut units = TextTable::new(&[("node", Align::Left), ("GFLOP/s", Align::Right)]);
    units.push(vec!["cast_n_transactions_24h".to_owned(), "—".to_owned()]);
    assert_eq!(laid(&units, 21)[0].header, ["node          GFLOP/s"]);
    for width in [1, 2, 7, 20, 33, 80] {
        for page in laid(&table, width).into_iter().flat_map(|page| [vec![page.header], page.rows].concat()).flatten() {
            assert!(self::width(&page) <= width.max(5), "{width}: {page}");
        }
    }
}

#[test]
fn a_table_does_without_what_is_dispensable() {
    use drydock_core::report::{Quantity, Table};
    let mut table =
        Table::new("Runs", &[("batch", Quantity::Count), ("p50", Quantity::Seconds), ("p99", Quantity::Seconds), ("budget", Quantity::Text)]);
    table.push(vec![8.0.into(), 0.001.into(), 0.002.into(), "not judged".into()]);
    let titles = |width: usize| {
        let fitting = TextTable::of_report_fitting(&table, &["batch", "p50", "p99", "budget"], &["p99", "p50"], width);
        fitting.lines(80)[0].split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(titles(29), "batch p50 p99 budget");
    assert_eq!(titles(28), "batch p50 budget");
    assert_eq!(titles(10), "batch budget");
}

#[test]
fn a_table_of_few_things_is_turned() {
    use drydock_core::report::{Quantity, Table};
    let mut table = Table::new("Versions", &[("version", Quantity::Text), ("file", Quantity::Bytes), ("p50", Quantity::Seconds)]);
    for (name, bytes) in [("v1", 1000_u64), ("v2", 2000), ("v3", 3000)] {
        table.push(vec![name.into(), bytes.into(), 0.001.into()]);
    }
    let turned = drydock_tui::text::turned(&table, &[0, 2]);
    let titles: Vec<&str> = turned.columns.iter().map(|column| column.title.as_str()).collect();
    assert_eq!(titles, ["", "v1", "v3"]);
    assert_eq!((0..3).map(|column| turned.text(0, column)).collect::<Vec<_>>(), ["file", "1 kB", "3 kB"]);
}

#[test]
fn bars_are_as_long_as_their_share() {
    assert_eq!(bar::bar(0.5, 4), "██");
    assert_eq!(bar::bar(0.53125, 4), "██▏");
    assert_eq!(bar::bar(7.0, 3), "███");
    assert_eq!(bar::bar(f64::NAN, 3), "");
}

#[test]
fn a_line_is_edited_at_its_cursor() {
    let mut field = TextField::new("größe=1");
    let mut press = |code: KeyCode, modifiers: KeyModifiers| field.handle(KeyEvent::new(code, modifiers));
    press(KeyCode::Home, KeyModifiers::NONE);
    press(KeyCode::Right, KeyModifiers::NONE);
    press(KeyCode::Right, KeyModifiers::NONE);
    press(KeyCode::Right, KeyModifiers::NONE);
    press(KeyCode::Backspace, KeyModifiers::NONE);
    press(KeyCode::Char('o'), KeyModifiers::NONE);
    press(KeyCode::Delete, KeyModifiers::NONE);
    press(KeyCode::Char('ß'), KeyModifiers::NONE);
    assert_eq!(field.text(), "große=1");
    field.set("data/march/new.csv");
    field.handle(KeyEvent::new(KeyCode::Char('w'), KeyModifiers::CONTROL));
    assert_eq!(field.text(), "data/march/");
    assert_eq!(field.visible(6), ("march/".chars().skip(1).collect(), 5));
    field.insert("a\r\nb\n");
    assert_eq!(field.text(), "data/march/a  b");
}
