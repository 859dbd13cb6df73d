//! A check as a table, a document, and JSON.

use serde_json::{Map, Value, json};

use super::CheckReport;
use crate::report::{Cell, Document, Quantity, Section, Table, Verdict};

impl CheckReport {
    /// One sentence with the verdict.
    pub fn headline(&self) -> String {
        let count = |verdict: Verdict| self.conditions.iter().filter(|condition| condition.verdict == verdict).count();
        let (n_failed, n_open, n) = (count(Verdict::Fail), count(Verdict::NotJudged), self.conditions.len());
        let open = match n_open {
            0 => String::new(),
            n_open if self.is_strict => format!("; {n_open} not judged, which fails a strict gate"),
            n_open => format!("; {n_open} not judged, which --strict would count as a failure"),
        };
        match n_failed {
            0 if n_open == 0 => format!("{} passes all {n} conditions", self.model),
            0 => format!("{}: no condition of {n} fails{open}", self.model),
            n_failed => format!("{}: {n_failed} of {n} conditions {}{open}", self.model, if n_failed == 1 { "fails" } else { "fail" }),
        }
    }

    /// Conditions with value, limit and margin.
    pub fn table(&self) -> Table {
        let columns = ["condition", "value", "limit", "margin", "verdict", "reason"].map(|title| (title, Quantity::Text));
        let mut table = Table::new("Conditions", &columns);
        for condition in &self.conditions {
            let text = |value: f64| condition.unit.text(value);
            let sign = if condition.is_least { "≥" } else { "≤" };
            table.push(vec![
                condition.name.as_str().into(),
                condition.value.map(text).into(),
                format!("{sign} {}", text(condition.limit)).into(),
                condition.margin().map(|margin| if margin < 0.0 { format!("-{}", text(-margin)) } else { text(margin) }).into(),
                condition.verdict.into(),
                condition.reason.as_deref().map_or(Cell::Empty, Cell::from),
            ]);
        }
        table
    }

    pub fn document(&self, command: Option<String>) -> Document {
        let mut sections = vec![Section { heading: "Conditions".to_owned(), notes: Vec::new(), tables: vec![self.table()], figures: Vec::new() }];
        if let Some(comparison) = self.comparison.as_ref().filter(|comparison| !comparison.pairs.is_empty()) {
            sections.extend(comparison.document(None).sections);
        }
        let title = match &self.against {
            Some(against) => format!("Check of {} against {against}", self.model),
            None => format!("Check of {}", self.model),
        };
        let mut provenance = self.provenance.clone();
        provenance.command = command;
        Document { title, verdict: Some((self.verdict, self.headline())), sections, provenance }
    }

    /// The report as the registry keeps it: without rows of the table.
    pub fn to_record(&self) -> Map<String, Value> {
        let mut object = self.to_json();
        object.insert("comparison".to_owned(), json!(self.comparison.as_ref().map(|comparison| comparison.to_record())));
        object
    }

    /// The report as scripts read it.
    pub fn to_json(&self) -> Map<String, Value> {
        let mut object = Map::new();
        let conditions = self.conditions.iter().map(|condition| {
            let mut value = json!(condition);
            if let Some(object) = value.as_object_mut() {
                object.insert("margin".to_owned(), json!(condition.margin()));
            }
            value
        });
        object.insert("verdict".to_owned(), json!(self.verdict));
        object.insert("passes".to_owned(), json!(self.passes));
        object.insert("strict".to_owned(), json!(self.is_strict));
        object.insert("conditions".to_owned(), conditions.collect());
        object.insert("model".to_owned(), json!(self.model));
        object.insert("against".to_owned(), json!(self.against));
        object.insert("notes".to_owned(), json!(self.notes));
        object.insert("comparison".to_owned(), json!(self.comparison.as_ref().map(|comparison| comparison.to_json())));
        object.insert("provenance".to_owned(), json!(self.provenance));
        object
    }
}
