//! Text that both faces of this crate show: the command line prints it, the screens draw it.

use crate::text::{TextTable, wrapped};

/// What a line means. A terminal may show it in colour; the words say it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    #[default]
    Plain,
    Heading,
    Faint,
    Good,
    Bad,
}

/// Lines for a width.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub width: usize,
    pub lines: Vec<(Tone, String)>,
}

impl Page {
    pub fn new(width: usize) -> Self {
        Self { width, lines: Vec::new() }
    }

    pub fn line(&mut self, text: &str) {
        self.toned(Tone::Plain, text);
    }

    pub fn toned(&mut self, tone: Tone, text: &str) {
        self.lines.push((tone, text.trim_end().to_owned()));
    }

    pub fn blank(&mut self) {
        self.line("");
    }

    /// A line that names what follows, apart from what stands before.
    pub fn heading(&mut self, text: &str) {
        if !self.lines.is_empty() {
            self.blank();
        }
        self.toned(Tone::Heading, text);
    }

    /// A sentence over as many lines as it takes, indented by two.
    pub fn sentence(&mut self, tone: Tone, text: &str) {
        self.indented(2, tone, text);
    }

    /// A sentence over as many lines as it takes, indented by so many blanks.
    pub fn indented(&mut self, indent: usize, tone: Tone, text: &str) {
        for line in wrapped(text, self.width.saturating_sub(indent)) {
            self.toned(tone, &format!("{}{line}", " ".repeat(indent)));
        }
    }

    /// A sentence over as many lines as it takes, from the left edge.
    pub fn paragraph(&mut self, tone: Tone, text: &str) {
        for line in wrapped(text, self.width) {
            self.toned(tone, &line);
        }
    }

    /// A name and its value; a long value goes on below itself.
    pub fn fact(&mut self, name: &str, value: &str) {
        const NAME_WIDTH: usize = 12;
        for (index, line) in wrapped(value, self.width.saturating_sub(NAME_WIDTH + 3)).iter().enumerate() {
            let name = if index == 0 { name } else { "" };
            self.line(&format!("  {name:<NAME_WIDTH$} {line}"));
        }
    }

    /// A table of which nothing is cut, indented by two: texts wrap, and columns that find no room stand below, beside the first one again.
    /// `tones` are the rows' own.
    pub fn whole_table(&mut self, table: &TextTable, tones: &[Tone]) {
        let width = self.width.saturating_sub(2);
        for (index, columns) in table.pages(width).iter().enumerate() {
            if index > 0 {
                self.blank();
            }
            let laid = table.laid_out(columns, width);
            laid.header.iter().for_each(|line| self.toned(Tone::Faint, &format!("  {line}")));
            for (row, lines) in laid.rows.iter().enumerate() {
                let tone = tones.get(row).copied().unwrap_or_default();
                lines.iter().for_each(|line| self.toned(tone, &format!("  {line}")));
            }
        }
    }

    /// A table whose rows are a line each, cut where there is no room, indented by two.
    pub fn table(&mut self, table: &TextTable) {
        for (index, line) in table.lines(self.width.saturating_sub(2)).iter().enumerate() {
            self.toned(if index == 0 { Tone::Faint } else { Tone::Plain }, &format!("  {line}"));
        }
    }
}
