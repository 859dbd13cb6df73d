//! Where results go: one JSON document or text to stdout, notes to stderr. A reader that has gone away is no failure.

use std::io::{IsTerminal as _, Write as _};

use serde_json::{Map, Value};

use super::args::CommonArgs;
use crate::page::{Page, Tone};

/// The version of every JSON document that Drydock prints.
const FORMAT_VERSION: u64 = 1;

/// Text is laid out for this width where stdout is no terminal.
const PLAIN_WIDTH: usize = 80;

/// What a command writes to.
pub struct Output {
    pub json: bool,
    pub quiet: bool,
    pub page: Page,
    document: Option<String>,
    has_colour: bool,
}

impl Output {
    pub fn new(common: &CommonArgs) -> Self {
        let is_terminal = std::io::stdout().is_terminal();
        let width = if is_terminal {
            // Some terminals, such as those of build machines, don't know their size and say 0.
            crossterm::terminal::size()
                .ok()
                .map(|(columns, _)| usize::from(columns))
                .filter(|columns| *columns > 0)
                .map_or(PLAIN_WIDTH, |columns| columns.clamp(40, 120))
        } else {
            PLAIN_WIDTH
        };
        Self { json: common.json, quiet: common.quiet, page: Page::new(width), document: None, has_colour: is_terminal && wants_colour() }
    }

    /// Prints a JSON document: `format_version`, then the keys of `document`.
    pub fn document(&mut self, document: Map<String, Value>) {
        let mut whole = Map::new();
        whole.insert("format_version".to_owned(), FORMAT_VERSION.into());
        whole.extend(document);
        self.document = Some(format!("{:#}\n", Value::Object(whole)));
    }

    /// Prints a text as it is, in place of the page.
    pub fn verbatim(&mut self, text: String) {
        self.document = Some(text);
    }

    /// Writes everything to stdout.
    pub fn flush(self) -> std::io::Result<()> {
        let text = self.document.unwrap_or_else(|| self.page.lines.iter().map(|(tone, text)| painted(*tone, text, self.has_colour) + "\n").collect());
        let mut stdout = std::io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            result => result,
        }
    }
}

fn painted(tone: Tone, text: &str, has_colour: bool) -> String {
    let code = match tone {
        Tone::Plain => return text.to_owned(),
        Tone::Heading => "1",
        Tone::Faint => "2",
        Tone::Good => "32",
        Tone::Bad => "31",
    };
    if has_colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
}

/// A sentence on stderr. Nobody is left to tell when stderr is closed.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// `NO_COLOR` (any value but the empty one) and terminals that know no colour are honoured.
pub fn wants_colour() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !is_set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// The object that a report serialises to.
pub fn object(report: &impl serde::Serialize) -> Map<String, Value> {
    match serde_json::to_value(report) {
        Ok(Value::Object(object)) => object,
        // Reports are structs with text keys: they always serialise to an object.
        _ => Map::new(),
    }
}
