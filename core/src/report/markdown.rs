//! A document as Markdown, for a pull request or a terminal. Figures are named, not drawn.

use std::fmt::Write as _;

use super::{Document, Table};

impl Document {
    pub fn to_markdown(&self) -> String {
        let mut text = format!("# {}\n\n", inline(&self.title));
        if let Some((verdict, sentence)) = &self.verdict {
            let _ = write!(text, "**{} {}**: {}\n\n", verdict.sign(), verdict.word(), inline(sentence));
        }
        for section in &self.sections {
            let _ = write!(text, "## {}\n\n", inline(&section.heading));
            for note in &section.notes {
                let _ = write!(text, "{}\n\n", inline(note));
            }
            for table in &section.tables {
                text.push_str(&table.to_markdown());
                text.push('\n');
            }
            for figure in &section.figures {
                let _ = write!(text, "*{}*\n\n", inline(&figure.title));
            }
        }
        for (name, value) in self.provenance.lines() {
            let _ = writeln!(text, "- {name}: {}", if name == "command" { format!("`{value}`") } else { inline(&value) });
        }
        text
    }
}

impl Table {
    /// The table as GitHub's Markdown has it, cells as they are shown.
    pub fn to_markdown(&self) -> String {
        let mut text = String::from("|");
        for column in &self.columns {
            let _ = write!(text, " {} |", inline(&column.title));
        }
        text.push_str("\n|");
        for column in &self.columns {
            text.push_str(if column.quantity.is_number() { "--:|" } else { "---|" });
        }
        text.push('\n');
        for row in 0..self.rows.len() {
            text.push('|');
            for column in 0..self.columns.len() {
                let _ = write!(text, " {} |", inline(&self.text(row, column)));
            }
            text.push('\n');
        }
        text
    }
}

/// Text that means itself in Markdown, on one line.
fn inline(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '|' | '<' | '>' | '[' | ']' => escaped.extend(['\\', c]),
            '\n' | '\r' => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::document::tests::document;

    #[test]
    fn a_report_becomes_markdown_that_means_itself() {
        let text = document().to_markdown();
        let expected = "# Check of \\<wine\\>\n\n**✖ fail**: 1 of 2 conditions fails\n\n## Latency\n\nMeasured & kept.\n\n\
            | condition | value | verdict |\n|---|--:|---|\n| p95 \\| latency \\<b\\> | 1.5 ms | ✓ pass |\n| size | — | ✖ fail |\n\n";
        assert!(text.starts_with(expected), "{text}");
        assert!(text.contains("- command: `drydock check wine/model.onnx`\n"), "{text}");
    }
}
