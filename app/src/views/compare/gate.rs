//! The gate before shipping: what version B has to keep to, alone and against A.

use std::time::Duration;

use drydock_core::budget;
use drydock_core::compare::CompareRequest;
use drydock_core::compare::check::{Budgets, CheckRequest};
use drydock_core::score::Metric;
use eframe::egui::Ui;

use crate::widgets::form::{line, text_line};

#[derive(Debug, Default)]
pub struct GateForm {
    max_size: String,
    max_p95: String,
    max_memory: String,
    min_agreement: String,
    min_metrics: String,
    max_drops: String,
    max_contract_changes: String,
    is_strict: bool,
}

/// What is written, read; or why it can't stand.
struct Limits {
    max_size: Result<Option<u64>, String>,
    max_p95: Result<Option<Duration>, String>,
    max_memory: Result<Option<u64>, String>,
    min_agreement: Result<Option<f64>, String>,
    min_metrics: Result<Vec<(Metric, f64)>, String>,
    max_drops: Result<Vec<(Metric, f64)>, String>,
    max_contract_changes: Result<Option<u64>, String>,
}

impl Limits {
    /// Why something that is written can't stand.
    fn has_problem(&self) -> bool {
        self.max_size.is_err()
            || self.max_p95.is_err()
            || self.max_memory.is_err()
            || self.min_agreement.is_err()
            || self.min_metrics.is_err()
            || self.max_drops.is_err()
            || self.max_contract_changes.is_err()
    }
}

impl GateForm {
    fn limits(&self) -> Limits {
        Limits {
            max_size: read(&self.max_size, budget::parse_bytes),
            max_p95: read(&self.max_p95, budget::parse_duration),
            max_memory: read(&self.max_memory, budget::parse_bytes),
            min_agreement: read(&self.min_agreement, budget::parse_share),
            min_metrics: metrics(&self.min_metrics),
            max_drops: metrics(&self.max_drops),
            max_contract_changes: read(&self.max_contract_changes, |text| {
                text.trim().parse().map_err(|_| format!("expected a whole number such as 0, found '{}'", text.trim()))
            }),
        }
    }

    /// Why something that is written can't stand.
    pub fn has_problem(&self) -> bool {
        self.limits().has_problem()
    }

    /// The check of B on what a comparison would be made on. What can't stand is left out.
    pub fn request(&self, compared: CompareRequest) -> CheckRequest {
        let limits = self.limits();
        let mut versions = compared.versions.into_iter();
        let (a, b) = (versions.next(), versions.next());
        CheckRequest {
            model: b.unwrap_or_default(),
            against: a,
            device: compared.device,
            data: Some(compared.data).filter(|data| !data.as_os_str().is_empty()),
            label: compared.label,
            columns: compared.columns,
            bind: compared.bind,
            on_error: compared.on_error,
            budgets: Budgets {
                max_size_bytes: limits.max_size.unwrap_or_default(),
                max_p95: limits.max_p95.unwrap_or_default(),
                max_memory_bytes: limits.max_memory.unwrap_or_default(),
                min_agreement: limits.min_agreement.unwrap_or_default(),
                min_metrics: limits.min_metrics.unwrap_or_default(),
                max_drops: limits.max_drops.unwrap_or_default(),
                max_contract_changes: limits.max_contract_changes.unwrap_or_default(),
            },
            is_strict: self.is_strict,
            ..CheckRequest::default()
        }
    }

    pub fn ui(&mut self, ui: &mut Ui) {
        let limits = self.limits();
        let field = |ui: &mut Ui, name: &str, accessible_name: &str, text: &mut String, hint: &str, problem: Option<String>| {
            text_line(ui, name, accessible_name, text, hint, problem.as_deref());
        };
        field(ui, "Size", "Largest size of B", &mut self.max_size, "at most, such as 10MB", limits.max_size.err());
        field(ui, "p95", "Longest p95 of B", &mut self.max_p95, "at most, such as 5ms", limits.max_p95.err());
        field(ui, "Memory", "Most memory of B", &mut self.max_memory, "at most, such as 200MB", limits.max_memory.err());
        field(ui, "Agreement", "Least agreement with A", &mut self.min_agreement, "at least, such as 99%", limits.min_agreement.err());
        field(ui, "Metrics", "Metrics that B reaches", &mut self.min_metrics, "such as accuracy=0.9, roc_auc=0.95", limits.min_metrics.err());
        field(ui, "Drops", "How much worse than A", &mut self.max_drops, "at most, such as accuracy=0.01", limits.max_drops.err());
        let (text, problem) = (&mut self.max_contract_changes, limits.max_contract_changes.err());
        field(ui, "Contract", "Changes that callers of A may notice", text, "at most, such as 0 changes", problem);
        line(ui, "", |ui| {
            ui.checkbox(&mut self.is_strict, "Strict").on_hover_text("What can't be judged fails the gate too");
        });
    }
}

fn read<T>(text: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<Option<T>, String> {
    if text.trim().is_empty() { Ok(None) } else { parse(text).map(Some) }
}

/// `accuracy=0.9, roc_auc=0.95`.
fn metrics(text: &str) -> Result<Vec<(Metric, f64)>, String> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let metric = |part: &str| -> Result<(Metric, f64), String> {
        let wrong = || format!("expected a metric, '=' and a number such as accuracy=0.9, found '{part}'");
        let (name, limit) = part.split_once('=').ok_or_else(wrong)?;
        let limit = limit.trim().parse::<f64>().ok().filter(|limit| limit.is_finite()).ok_or_else(wrong)?;
        Ok((name.trim().parse()?, limit))
    };
    parts.map(metric).collect()
}
