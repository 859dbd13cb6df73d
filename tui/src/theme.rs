//! All colours and signs of the screens, in one place. Every colour stands beside a word or a shape, so that monochrome loses nothing.

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

/// What a terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColourDepth {
    None,
    Basic,
    Indexed,
    True,
}

/// How the screens look in this terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    pub depth: ColourDepth,
    /// Draw with plain ASCII characters.
    pub is_ascii: bool,
}

/// One colour in each depth.
struct Tint {
    rgb: (u8, u8, u8),
    indexed: u8,
    basic: Color,
}

// From the palette of Okabe and Ito, which colour-blind eyes tell apart.
const SKY_BLUE: Tint = Tint { rgb: (86, 180, 233), indexed: 74, basic: Color::Cyan };
const GREEN: Tint = Tint { rgb: (0, 158, 115), indexed: 36, basic: Color::Green };
const ORANGE: Tint = Tint { rgb: (230, 159, 0), indexed: 178, basic: Color::Yellow };
const VERMILLION: Tint = Tint { rgb: (213, 94, 0), indexed: 166, basic: Color::Red };

impl Theme {
    /// What the environment says this terminal can do.
    pub fn detect(is_ascii: bool) -> Self {
        let variable = |name: &str| std::env::var(name).unwrap_or_default();
        let depth = if !crate::cli::output::wants_colour() {
            ColourDepth::None
        } else if matches!(variable("COLORTERM").as_str(), "truecolor" | "24bit") {
            ColourDepth::True
        } else if variable("TERM").contains("256color") {
            ColourDepth::Indexed
        } else {
            ColourDepth::Basic
        };
        Self { depth, is_ascii }
    }

    /// Bars, the selected task, the knob of a slider.
    pub fn accent(self) -> Style {
        self.tinted(&SKY_BLUE)
    }

    pub fn good(self) -> Style {
        self.tinted(&GREEN)
    }

    pub fn warning(self) -> Style {
        self.tinted(&ORANGE)
    }

    pub fn bad(self) -> Style {
        self.tinted(&VERMILLION)
    }

    pub fn heading(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What is there without asking for attention.
    pub fn faint(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// The selected line of the pane that has the keys.
    pub fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// The selected line of another pane.
    pub fn marked(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub fn border(self, has_focus: bool) -> Style {
        if has_focus { self.accent() } else { self.faint() }
    }

    fn tinted(self, tint: &Tint) -> Style {
        match self.depth {
            ColourDepth::None => Style::new().add_modifier(Modifier::BOLD),
            ColourDepth::Basic => Style::new().fg(tint.basic),
            ColourDepth::Indexed => Style::new().fg(Color::Indexed(tint.indexed)),
            ColourDepth::True => Style::new().fg(Color::Rgb(tint.rgb.0, tint.rgb.1, tint.rgb.2)),
        }
    }

    /// The last step of drawing: replaces the signs that Drydock draws with, never what stands in the user's data.
    pub fn finish(self, buffer: &mut Buffer) {
        if !self.is_ascii {
            return;
        }
        for cell in &mut buffer.content {
            if let Some((_, plain)) = ASCII_SIGNS.iter().find(|(sign, _)| *sign == cell.symbol()) {
                cell.set_symbol(plain);
            }
        }
    }
}

/// The spinner's frames, one every tenth of a second.
pub const SPINNER: [&str; 8] = ["⠋", "⠙", "⠸", "⢰", "⣠", "⣄", "⡆", "⠇"];

/// Eighths of a bar's last cell.
pub const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

const ASCII_SIGNS: &[(&str, &str)] = &[
    ("─", "-"),
    ("│", "|"),
    ("┌", "+"),
    ("┐", "+"),
    ("└", "+"),
    ("┘", "+"),
    ("█", "#"),
    ("▉", "#"),
    ("▊", "#"),
    ("▋", "#"),
    ("▌", "#"),
    ("▍", " "),
    ("▎", " "),
    ("▏", " "),
    ("░", "."),
    ("●", "O"),
    ("▸", ">"),
    ("·", "-"),
    ("…", "~"),
    ("✓", "+"),
    ("✗", "x"),
    ("→", ">"),
    ("←", "<"),
    ("↑", "^"),
    ("↓", "v"),
    ("—", "-"),
    ("–", "-"),
    ("✖", "x"),
    ("≥", ">"),
    ("≤", "<"),
    ("×", "x"),
    ("±", "~"),
    ("•", "*"),
    ("σ", "s"),
    ("Δ", "d"),
    ("χ", "X"),
    ("∞", "8"),
    ("┤", "+"),
    ("├", "+"),
    ("┼", "+"),
    ("µ", "u"),
    ("²", "2"),
    ("⠋", "|"),
    ("⠙", "/"),
    ("⠸", "-"),
    ("⢰", "\\"),
    ("⣠", "|"),
    ("⣄", "/"),
    ("⡆", "-"),
    ("⠇", "\\"),
];
