//! `docs/operators.md`: every registered operator, its opsets, and where it runs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use drydock_core::onnx;
use drydock_core::ops::inference::BuiltOperators;
use drydock_core::ops::{Placement, Registration, registrations};
use drydock_core::task::TaskCtx;
use drydock_tests::{golden_cases, workspace};

#[test]
fn the_operator_table_is_up_to_date() {
    let path = workspace().join("docs/operators.md");
    let expected = table();
    if std::env::var("UPDATE_SNAPSHOTS").is_ok_and(|value| value == "true") {
        std::fs::write(&path, expected).unwrap();
        return;
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == expected, "docs/operators.md is out of date; run UPDATE_SNAPSHOTS=true cargo test --workspace --test core operator_table");
}

fn table() -> String {
    let placements = placements();
    let mut registered: BTreeMap<(&str, &str), Vec<&Registration>> = BTreeMap::new();
    for registration in registrations() {
        registered.entry((registration.domain, registration.op_type)).or_default().push(registration);
    }
    let mut text = format!(
        "# Operators\n\n{} operators. Generated from the registry (`core/src/ops/registry.rs`); a test says how.\n\n\
         An operator with \"CPU, GPU\" runs on either; on a GPU, operands that are not float32 stay in host memory.\n\n\
         | domain | operator | opsets | runs on |\n|---|---|---|---|\n",
        registered.len()
    );
    for ((domain, op_type), registrations) in registered {
        let opsets: Vec<String> = registrations
            .iter()
            .map(|registration| match registration.opsets.last {
                Some(last) => format!("{}–{last}", registration.opsets.first),
                None => format!("{} and later", registration.opsets.first),
            })
            .collect();
        let domain = if domain.is_empty() { "ai.onnx" } else { domain };
        let place = if placements.contains(&(domain.to_owned(), op_type.to_owned())) { "CPU, GPU" } else { "CPU" };
        writeln!(text, "| {domain} | {op_type} | {} | {place} |", opsets.join(", ")).unwrap();
    }
    text
}

/// Operators that run on any device. Only a built operator can say so; the golden cases have each at least once.
fn placements() -> BTreeSet<(String, String)> {
    let mut on_any_device = BTreeSet::new();
    for folder in golden_cases() {
        let model = onnx::load(&TaskCtx::unattended(), &folder.join("model.onnx")).unwrap().model;
        let operators = BuiltOperators::new(&model);
        for (id, node) in model.graph.node_ids() {
            if operators.get(id).is_ok_and(|operator| operator.placement() != Placement::Host) {
                let domain = if node.domain.is_empty() { "ai.onnx" } else { &node.domain };
                on_any_device.insert((domain.to_owned(), node.op_type.clone()));
            }
        }
    }
    on_any_device
}
