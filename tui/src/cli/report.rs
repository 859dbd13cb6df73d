//! Reports on the command line: their tables as text, and the forms to keep or to hand on.

use std::io::Write as _;
use std::path::Path;

use drydock_core::data::AtomicFile;
use drydock_core::report::{Cell, Document, Table, Verdict};

use super::args::ReportArgs;
use super::output::{Output, say};
use super::runner::Failure;
use crate::page::{Page, Tone};
use crate::text::TextTable;

/// A titled table. Columns that find no room stand below, beside the first column again.
pub fn section(page: &mut Page, table: &Table) {
    page.heading(&table.title);
    let tones: Vec<Tone> = table.rows.iter().map(|row| tone(row)).collect();
    page.whole_table(&TextTable::of_report(table, &[]), &tones);
}

/// A row with a verdict has its colour.
fn tone(row: &[Cell]) -> Tone {
    let verdict = row.iter().find_map(|cell| if let Cell::Verdict(verdict) = cell { Some(*verdict) } else { None });
    match verdict {
        Some(Verdict::Pass) => Tone::Good,
        Some(Verdict::Fail) => Tone::Bad,
        _ => Tone::Plain,
    }
}

/// Whether the reports can be written, before anything is measured.
pub fn check(args: &ReportArgs, is_forced: bool) -> Result<(), Failure> {
    let Some(path) = &args.html else { return Ok(()) };
    AtomicFile::create(path, is_forced).map(drop).map_err(|error| Failure::Error(error.to_string()))
}

/// Writes the HTML page and prints the Markdown, where they were asked for; `true` where Markdown takes the place of text.
pub fn other_forms(document: &Document, args: &ReportArgs, is_forced: bool, output: &mut Output) -> Result<bool, Failure> {
    if let Some(path) = &args.html {
        write(path, &document.to_html(), is_forced)?;
        if !output.quiet {
            say(&format!("report written to {}", path.display()));
        }
    }
    // One document on stdout: JSON goes before Markdown.
    let prints_markdown = args.md && !output.json;
    if prints_markdown {
        output.verbatim(document.to_markdown());
    }
    Ok(prints_markdown)
}

fn write(path: &Path, text: &str, is_forced: bool) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::Error(error.to_string());
    let mut file = AtomicFile::create(path, is_forced).map_err(|error| failed(&error))?;
    file.write_all(text.as_bytes()).map_err(|error| Failure::Error(format!("{}: {error}", path.display())))?;
    file.commit().map_err(|error| failed(&error))
}
