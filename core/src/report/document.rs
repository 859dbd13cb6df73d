//! A report to keep or to hand on: what was found, in sections, with where it comes from. Written as Markdown or as one page of HTML;
//! a few hundred rows and some figures, whatever the size of the data.

use serde::Serialize;

use super::{Figure, Table, Verdict};

/// The version of the JSON documents and reports that Drydock writes.
pub const FORMAT_VERSION: u32 = 1;

/// A report.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// "Check of payment-fraud v2".
    pub title: String,
    /// With a sentence, where there is something to judge.
    pub verdict: Option<(Verdict, String)>,
    pub sections: Vec<Section>,
    pub provenance: Provenance,
}

/// A part of a report under a heading.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Section {
    pub heading: String,
    /// Sentences, each a paragraph.
    pub notes: Vec<String>,
    pub tables: Vec<Table>,
    pub figures: Vec<Figure>,
}

/// Where a report comes from: enough to do it again.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Provenance {
    pub tool_version: String,
    pub format_version: u32,
    pub models: Vec<Source>,
    pub data: Vec<Source>,
    pub device: Option<String>,
    pub threads: Option<usize>,
    /// RFC 3339, in UTC.
    pub date: String,
    /// The `drydock …` line that does it again.
    pub command: Option<String>,
}

/// A file that a report speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Source {
    /// What the report calls it: "payment-fraud v2".
    pub name: String,
    pub path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
}

impl Source {
    /// A file by its name, such as a table; `rows` where they were counted.
    pub fn file(path: &std::path::Path, rows: Option<u64>) -> Self {
        Self { name: crate::format::file_name(path), path: path.display().to_string(), sha256: None, rows }
    }
}

impl Provenance {
    /// Of this program, now.
    pub fn now() -> Self {
        let date = jiff::Timestamp::now().round(jiff::Unit::Second).unwrap_or_else(|_| jiff::Timestamp::now()).to_string();
        Self { tool_version: env!("CARGO_PKG_VERSION").to_owned(), format_version: FORMAT_VERSION, date, ..Self::default() }
    }

    /// Names with values, for the foot of a report.
    pub(super) fn lines(&self) -> Vec<(&'static str, String)> {
        let describe = |source: &Source| {
            let rows = source.rows.map(|rows| format!(", {}", crate::format::counted(rows, "row"))).unwrap_or_default();
            let hash = source.sha256.as_ref().map(|hash| format!(", sha256 {hash}")).unwrap_or_default();
            format!("{} ({}){rows}{hash}", source.name, source.path)
        };
        let models = self.models.iter().map(|source| ("model", describe(source)));
        let data = self.data.iter().map(|source| ("data", describe(source)));
        let rest = [
            ("device", self.device.clone()),
            ("threads", self.threads.map(|threads| threads.to_string())),
            ("date", Some(self.date.clone())),
            ("command", self.command.clone()),
            ("written by", Some(format!("Drydock {}, format {}", self.tool_version, self.format_version))),
        ];
        models.chain(data).chain(rest.into_iter().filter_map(|(name, value)| Some((name, value?)))).collect()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::{Cell, Quantity, figure};
    use super::*;

    /// A document that has one of everything.
    pub fn document() -> Document {
        let mut table = Table::new("Conditions", &[("condition", Quantity::Text), ("value", Quantity::Seconds), ("verdict", Quantity::Text)]);
        table.push(vec!["p95 | latency <b>".into(), 0.0015.into(), Verdict::Pass.into()]);
        table.push(vec!["size".into(), Cell::Empty, Verdict::Fail.into()]);
        let section = Section {
            heading: "Latency".to_owned(),
            notes: vec!["Measured & kept.".to_owned()],
            tables: vec![table],
            figures: vec![figure::tests::figure()],
        };
        Document {
            title: "Check of <wine>".to_owned(),
            verdict: Some((Verdict::Fail, "1 of 2 conditions fails".to_owned())),
            sections: vec![section],
            provenance: Provenance {
                models: vec![Source { name: "wine".to_owned(), path: "wine/model.onnx".to_owned(), sha256: Some("ab12".to_owned()), rows: None }],
                data: vec![Source { name: "new.csv".to_owned(), path: "new.csv".to_owned(), sha256: None, rows: Some(1200) }],
                threads: Some(2),
                command: Some("drydock check wine/model.onnx".to_owned()),
                date: "2026-01-02T03:04:05Z".to_owned(),
                ..Provenance::now()
            },
        }
    }

    #[test]
    fn a_report_says_where_it_comes_from() {
        let now = Provenance::now();
        assert_eq!((now.tool_version.as_str(), now.format_version), (env!("CARGO_PKG_VERSION"), 1));
        assert!(now.date.ends_with('Z') && now.date.len() == "2026-01-02T03:04:05Z".len(), "{}", now.date);
        let lines = document().provenance.lines();
        assert_eq!(lines[0], ("model", "wine (wine/model.onnx), sha256 ab12".to_owned()));
        assert_eq!(lines[1], ("data", "new.csv (new.csv), 1,200 rows".to_owned()));
    }
}
