//! No size of a terminal breaks a screen.

use drydock_tui::event::Event;
use drydock_tui::theme::{ColourDepth, Theme};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use crate::driver::{Driver, sample};

/// Keys that lead to every kind of screen, from a fresh start with a model open.
const TOURS: &[&str] = &[
    "",
    "1",
    "1o",
    "1a<down><down>",
    "1P<down>",
    "1P<c-u>x<enter>",
    "2<tab>",
    "2/conv",
    "3",
    "3<down><enter>",
    "3<enter>9",
    "3f",
    "3w",
    "4",
    "4e",
    "4<end><right>",
    "5",
    "5e",
    "5<tab>",
    "5<end><right>",
    "7e",
    "7<tab>",
    "9",
    "v",
    "v<enter>",
    "?",
    ":",
    "3<tab>",
];

#[test]
fn no_size_panics() {
    let sizes = (1..=12).flat_map(|width| (1..=8).map(move |height| (width, height)));
    let sizes: Vec<(u16, u16)> = sizes.chain([(20, 5), (40, 12), (69, 23), (70, 24), (80, 4), (119, 10), (120, 3), (300, 100)]).collect();
    for tour in TOURS {
        let mut driver = Driver::with_model(80, 24, "payment-fraud-v2");
        driver.press(tour).settle();
        for &(width, height) in &sizes {
            driver.terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
            driver.screen();
        }
    }
}

#[test]
fn a_narrow_terminal_shows_one_pane_at_a_time() {
    let mut driver = Driver::with_model(50, 20, "payment-fraud-v2");
    driver.press("3").settle();
    driver.shows("merchant").shows_not("probabilit").shows("[Row] Result");
    driver.press("<tab>");
    driver.shows("genuine").shows_not("merchant").shows("Row [Result]");
}

#[test]
fn a_wide_terminal_shows_a_third_pane() {
    let mut driver = Driver::with_model(140, 40, "digits");
    driver.shows("Overview").shows("Nodes").shows("Node ");
    driver.press("3");
    driver.shows("Fill from row");
}

#[test]
fn ascii_is_ascii() {
    let theme = Theme { depth: ColourDepth::None, is_ascii: true };
    for tour in TOURS {
        let mut driver = Driver::with_theme(120, 40, theme);
        driver.open("payment-fraud-v2");
        driver.press(tour).settle();
        let screen = driver.screen();
        assert!(screen.is_ascii(), "{tour}: {:?}", screen.chars().filter(|c| !c.is_ascii()).collect::<String>());
    }
}

#[test]
fn without_colour_nothing_is_coloured() {
    use ratatui::style::Color;
    let has_colour = |driver: &mut Driver| {
        driver.screen();
        driver.terminal.backend().buffer().content.iter().any(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset)
    };
    let mut plain = Driver::with_model(80, 24, "wine");
    plain.press("3").settle();
    assert!(!has_colour(&mut plain));
    let mut coloured = Driver::with_theme(80, 24, Theme { depth: ColourDepth::Basic, is_ascii: false });
    coloured.open("wine");
    coloured.press("3").settle();
    assert!(has_colour(&mut coloured));
}

#[test]
fn nothing_is_drawn_when_nothing_has_changed() {
    let mut driver = Driver::with_model(80, 24, "wine");
    assert!(driver.app.wants_frame());
    driver.screen();
    driver.app.poll();
    driver.app.handle(Event::Wake);
    driver.app.tick();
    assert!(!driver.app.wants_frame());
    driver.press("3");
    assert!(driver.app.wants_frame());
}

#[test]
fn a_pasted_path_is_the_file_to_score() {
    let mut driver = Driver::with_model(80, 24, "wine");
    driver.press("4");
    driver.app.handle(Event::Paste(format!("{}\n", sample("wine", "new.csv").display())));
    driver.settle().shows("new.csv").shows("14 columns").shows("✓ alcohol");
}
