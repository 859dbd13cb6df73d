//! What the tables of the page list.

use std::borrow::Cow;

use drydock_core::contract::{Column, ColumnKind};
use drydock_core::format;
use drydock_core::inspect::NodeReport;

use crate::widgets::table::{ColumnSpec, TableSource};

/// A large count in short.
pub fn quantity(count: u64) -> String {
    format::quantity(count as f64)
}

pub struct Nodes<'a>(pub &'a [NodeReport]);

impl TableSource for Nodes<'_> {
    fn n_rows(&self) -> usize {
        self.0.len()
    }

    fn columns(&self) -> Vec<ColumnSpec<'_>> {
        vec![
            ColumnSpec::text("Node", 120.0).growing(),
            ColumnSpec::text("Operator", 140.0),
            ColumnSpec::text("Output", 130.0),
            ColumnSpec::number("Parameters", 88.0),
            ColumnSpec::number("Weights", 76.0),
            ColumnSpec::number("Multiply-adds", 100.0),
        ]
    }

    fn text(&self, row: usize, column: usize) -> Cow<'_, str> {
        let Some(node) = self.0.get(row) else { return Cow::Borrowed("") };
        let quiet_zero = |count: u64, show: fn(u64) -> String| if count == 0 { Cow::Borrowed("") } else { Cow::Owned(show(count)) };
        match column {
            3 => quiet_zero(node.parameters, quantity),
            4 => quiet_zero(node.weight_bytes, format::bytes),
            5 => node.macs.map_or(Cow::Borrowed("unknown"), |macs| quiet_zero(macs, quantity)),
            _ => self.exact(row, column),
        }
    }

    fn exact(&self, row: usize, column: usize) -> Cow<'_, str> {
        let Some(node) = self.0.get(row) else { return Cow::Borrowed("") };
        match column {
            0 => Cow::Borrowed(&node.name),
            1 => Cow::Borrowed(&node.operator),
            2 => node.outputs.first().map_or(Cow::Borrowed(""), |output| Cow::Owned(format!("[{}]", output.shape.join(", ")))),
            3 => Cow::Owned(node.parameters.to_string()),
            4 => Cow::Owned(node.weight_bytes.to_string()),
            _ => node.macs.map_or(Cow::Borrowed("unknown"), |macs| Cow::Owned(macs.to_string())),
        }
    }
}

pub struct Operators<'a>(pub Vec<(&'a String, &'a u64)>);

impl TableSource for Operators<'_> {
    fn n_rows(&self) -> usize {
        self.0.len()
    }

    fn columns(&self) -> Vec<ColumnSpec<'_>> {
        vec![ColumnSpec::text("Operator", 240.0), ColumnSpec::number("Nodes", 88.0)]
    }

    fn text(&self, row: usize, column: usize) -> Cow<'_, str> {
        let Some((name, count)) = self.0.get(row) else { return Cow::Borrowed("") };
        if column == 0 { Cow::Borrowed(name) } else { Cow::Owned(format::count(**count)) }
    }

    fn number(&self, row: usize, _column: usize) -> Option<f64> {
        self.0.get(row).map(|(_, count)| **count as f64)
    }
}

/// The contract's columns: what feeds the model.
pub struct Columns<'a>(pub &'a [Column]);

impl TableSource for Columns<'_> {
    fn n_rows(&self) -> usize {
        self.0.len()
    }

    fn columns(&self) -> Vec<ColumnSpec<'_>> {
        vec![
            ColumnSpec::text("Column", 180.0).growing(),
            ColumnSpec::text("Kind", 72.0),
            ColumnSpec::text("Input", 130.0),
            ColumnSpec::number("Position", 72.0),
            ColumnSpec::text("Usual values", 200.0),
            ColumnSpec::text("Empty cells", 88.0),
        ]
    }

    fn text(&self, row: usize, column: usize) -> Cow<'_, str> {
        let Some(found) = self.0.get(row) else { return Cow::Borrowed("") };
        match column {
            0 => Cow::Borrowed(&found.name),
            1 => Cow::Borrowed(kind_name(found.kind)),
            2 => Cow::Borrowed(&found.input),
            3 => Cow::Owned(found.position.to_string()),
            4 => Cow::Owned(usual_values(found)),
            _ => Cow::Borrowed(if found.may_be_missing { "may be" } else { "no" }),
        }
    }
}

pub fn kind_name(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Number => "number",
        ColumnKind::Integer => "integer",
        ColumnKind::Text => "text",
        ColumnKind::Boolean => "boolean",
    }
}

fn usual_values(column: &Column) -> String {
    match (column.min, column.max) {
        (Some(min), Some(max)) => {
            let unit = column.unit.as_ref().map_or_else(String::new, |unit| format!(" {unit}"));
            format!("{} … {}{unit}", format::number(min), format::number(max))
        }
        _ => column.categories.join(", "),
    }
}

pub struct Metadata<'a>(pub &'a [(String, String)]);

impl TableSource for Metadata<'_> {
    fn n_rows(&self) -> usize {
        self.0.len()
    }

    fn columns(&self) -> Vec<ColumnSpec<'_>> {
        vec![ColumnSpec::text("Key", 220.0), ColumnSpec::text("Value", 320.0).growing()]
    }

    fn text(&self, row: usize, column: usize) -> Cow<'_, str> {
        let Some((key, value)) = self.0.get(row) else { return Cow::Borrowed("") };
        // Long values are whole documents: one line of them is shown, the copy is complete.
        let text = if column == 0 { key } else { value };
        Cow::Borrowed(text.lines().next().unwrap_or_default())
    }

    fn exact(&self, row: usize, column: usize) -> Cow<'_, str> {
        self.0.get(row).map_or(Cow::Borrowed(""), |(key, value)| Cow::Borrowed(if column == 0 { key } else { value }))
    }
}
