//! A document as one page of HTML that needs nothing else: no script, no font, no picture from elsewhere. Light and dark as the reader's system.

use std::fmt::Write as _;

use super::{Cell, Document, Figure, Table, Verdict, escaped};

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1f2328; --weak: #59636e; --line: #d8dee4; --ground: #fff; --good: #1a7f37; --bad: #c1121f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --weak: #9198a1; --line: #3d444d; --ground: #14181d; --good: #3fb950; --bad: #ff7b72; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin: 0 0 .5rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
.verdict { font-size: 1.1rem; font-weight: 600; } .pass { color: var(--good); } .fail { color: var(--bad); } .not-judged { color: var(--weak); }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: .75rem 0; }
caption { text-align: left; color: var(--weak); padding-bottom: .25rem; } th { text-align: left; font-weight: 600; color: var(--weak); }
th, td { padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; } .number { text-align: right; }
figure { margin: 1rem 0; } figure svg { max-width: 100%; height: auto; border: 1px solid var(--line); border-radius: 4px; }
footer { margin-top: 3rem; color: var(--weak); font-size: .85rem; overflow-wrap: anywhere; } dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; }
dd { margin: 0; } code { font-family: ui-monospace, monospace; }
";

impl Document {
    pub fn to_html(&self) -> String {
        let title = escaped(&self.title);
        let mut html = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
             <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
        );
        if let Some((verdict, sentence)) = &self.verdict {
            let _ = writeln!(html, "<p class=\"verdict {}\">{} {}: {}</p>", class(*verdict), verdict.sign(), verdict.word(), escaped(sentence));
        }
        for section in &self.sections {
            let _ = writeln!(html, "<section>\n<h2>{}</h2>", escaped(&section.heading));
            for note in &section.notes {
                let _ = writeln!(html, "<p>{}</p>", escaped(note));
            }
            section.tables.iter().for_each(|table| write_table(&mut html, table));
            section.figures.iter().for_each(|figure| write_figure(&mut html, figure));
            html.push_str("</section>\n");
        }
        html.push_str("<footer>\n<dl>\n");
        for (name, value) in self.provenance.lines() {
            let value = escaped(&value);
            let value = if name == "command" { format!("<code>{value}</code>") } else { value };
            let _ = writeln!(html, "<dt>{name}</dt><dd>{value}</dd>");
        }
        html.push_str("</dl>\n</footer>\n</body>\n</html>\n");
        html
    }
}

fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::NotJudged => "not-judged",
    }
}

fn write_table(html: &mut String, table: &Table) {
    let place = |column: usize| if table.columns.get(column).is_some_and(|column| column.quantity.is_number()) { " class=\"number\"" } else { "" };
    let _ = writeln!(html, "<div class=\"wide\"><table>\n<caption>{}</caption>\n<thead><tr>", escaped(&table.title));
    for (index, column) in table.columns.iter().enumerate() {
        let _ = write!(html, "<th{}>{}</th>", place(index), escaped(&column.title));
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for row in 0..table.rows.len() {
        html.push_str("<tr>");
        for column in 0..table.columns.len() {
            let text = escaped(&table.text(row, column));
            let _ = match table.cell(row, column) {
                Cell::Verdict(verdict) => write!(html, "<td class=\"{}\">{text}</td>", class(*verdict)),
                Cell::Number(value) => write!(html, "<td{} title=\"{value}\">{text}</td>", place(column)),
                Cell::Empty | Cell::Text(_) => write!(html, "<td{}>{text}</td>", place(column)),
            };
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody>\n</table></div>\n");
}

fn write_figure(html: &mut String, figure: &Figure) {
    let _ = writeln!(html, "<figure>\n{}</figure>", figure.to_svg());
}

#[cfg(test)]
mod tests {
    use super::super::document::tests::document;

    #[test]
    fn a_page_is_whole_and_asks_for_nothing() {
        let html = document().to_html();
        assert!(html.starts_with("<!doctype html>") && html.ends_with("</html>\n"));
        assert!(html.contains("<h1>Check of &lt;wine&gt;</h1>") && !html.contains("<wine>"));
        assert!(html.contains("<p class=\"verdict fail\">✖ fail: 1 of 2 conditions fails</p>"), "{html}");
        assert!(html.contains("<td class=\"number\" title=\"0.0015\">1.5 ms</td><td class=\"pass\">✓ pass</td>"), "{html}");
        assert!(html.contains("<svg ") && !html.contains("<script") && !html.contains("src=") && !html.contains("url("));
        // The only addresses are the names of XML's own kind of drawing.
        assert_eq!(html.matches("http").count(), html.matches("http://www.w3.org/2000/svg").count());
    }

    #[test]
    fn tags_are_closed() {
        let html = document().to_html();
        for tag in ["table", "thead", "tbody", "tr", "td", "section", "figure", "svg", "footer", "dl", "p", "div"] {
            let opened = html.matches(&format!("<{tag}>")).count() + html.matches(&format!("<{tag} ")).count();
            assert_eq!(opened, html.matches(&format!("</{tag}>")).count(), "{tag}");
        }
    }
}
