//! A comparison as a JSON object: `rows`, `agreement`, `metrics` and `changed` tell of the first two versions; `pairs` has every one.

use serde_json::{Map, Value, json};

use super::{ChangedRows, CompareReport, PairReport};

impl CompareReport {
    /// The report as scripts read it.
    pub fn to_json(&self) -> Map<String, Value> {
        let mut object = Map::new();
        let mut put = |key: &str, value: Value| {
            object.insert(key.to_owned(), value);
        };
        let first = self.pairs.first();
        put("rows", self.rows.into());
        put("rows_compared", self.rows_compared.into());
        put("rows_rejected", self.rows_rejected.into());
        put("rows_labelled", self.rows_labelled.into());
        put("agreement", json!(first.map(|pair| pair.agreement.share)));
        put("metrics", json!(first.map(|pair| &pair.metrics)));
        put("changed", first.map_or(Value::Null, |pair| changed_rows(&pair.changed)));
        put("rows_changed", json!(first.map(|pair| pair.changed.n_changed)));
        put("task", json!(self.task));
        put("label", json!(self.label));
        put("versions", json!(self.versions));
        put("pairs", self.pairs.iter().enumerate().map(|(index, pair)| self.pair(index, pair)).collect());
        put("windows", json!(self.windows));
        put("split", json!(self.split));
        put("notes", json!(self.notes));
        put("methods", json!(self.methods));
        put("seconds", json!(self.seconds));
        put("provenance", json!(self.provenance));
        object
    }

    /// The report as the registry keeps it: without rows of the table, which are not the registry's to keep.
    pub fn to_record(&self) -> Map<String, Value> {
        let mut object = self.to_json();
        object.shift_remove("changed");
        for pair in object.get_mut("pairs").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(pair) = pair.as_object_mut() {
                pair.shift_remove("changed");
            }
        }
        object
    }

    /// For each version the hash of its content, and what lists of runs show.
    pub fn run_summaries(&self) -> Vec<(&str, Value)> {
        let data = self.provenance.data.first().map(|source| &source.path);
        let summary = |index: usize| {
            // A later version is told apart from the baseline; the baseline from the first of the others.
            let pair = self.pairs.iter().find(|pair| pair.version == index).or_else(|| self.pairs.first());
            let other = if index == 0 { pair.map_or(0, |pair| pair.version) } else { 0 };
            let version = self.versions.get(index);
            let metrics: Map<String, Value> =
                version.into_iter().flat_map(|version| &version.metrics).map(|metric| (metric.name.key().to_owned(), json!(metric.value))).collect();
            json!({
                "data": data,
                "rows": self.rows,
                "with": self.versions.get(other).map(|version| &version.name),
                "agreement": pair.map(|pair| pair.agreement.share),
                "metrics": metrics,
            })
        };
        let models = self.provenance.models.iter().enumerate();
        models.filter_map(|(index, source)| Some((source.sha256.as_deref()?, summary(index)))).collect()
    }

    fn pair(&self, index: usize, pair: &PairReport) -> Value {
        let name = |version: usize| self.versions.get(version).map(|version| &version.name);
        let mut value = json!({
            "a": name(0),
            "b": name(pair.version),
            "agreement": pair.agreement,
            "metrics": pair.metrics,
            "mcnemar": pair.mcnemar,
            "rows_changed": pair.changed.n_changed,
            "rows_moved": pair.changed.n_moved,
            "explanation": pair.explanation,
            "latency": pair.latency,
        });
        // Those of the first pair stand at the top.
        if let (Some(object), true) = (value.as_object_mut(), index > 0) {
            object.insert("changed".to_owned(), changed_rows(&pair.changed));
        }
        value
    }
}

fn changed_rows(changed: &ChangedRows) -> Value {
    let row = |row: &super::ChangedRow| {
        let cells: Map<String, Value> = changed.columns.iter().zip(&row.cells).map(|(name, cell)| (name.clone(), json!(cell))).collect();
        json!({ "row": row.row, "flips": row.is_flip, "a": row.a, "b": row.b, "change": row.change, "truth": row.truth, "cells": cells })
    };
    changed.rows.iter().map(row).collect()
}
