//! What faces show and what people save: tables whose columns have units, figures whose title states the finding and whose axes have units,
//! and documents made of both. Knows neither screens nor models.
//!
//! A capability describes what it found once, as [`Table`]s and [`Figure`]s; each face paints those, and [`Document`] writes them as Markdown
//! or as a page of HTML that needs nothing else.

mod document;
mod figure;
mod html;
mod markdown;
mod svg;
mod table;

pub use document::{Document, Provenance, Section, Source};
pub use figure::{Axis, Figure, Level, Scale, Series, SeriesKind};
pub use table::{Cell, Column, Quantity, Table, Verdict};

/// A cell of a CSV file, quoted where it has to be.
fn csv_cell(text: &str) -> std::borrow::Cow<'_, str> {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")).into() } else { text.into() }
}

/// Text as it may stand in XML and HTML; control characters, which XML forbids, become blanks.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}
