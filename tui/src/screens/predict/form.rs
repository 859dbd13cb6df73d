//! The form of one row: a field per column of the contract, with the values as text. Knows neither terminal nor session.

use std::collections::BTreeMap;

use drydock_core::contract::{Column, ColumnKind, Contract};
use drydock_core::predict::Row;

/// Every column with its value.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Form {
    pub fields: Vec<Field>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    pub column: Column,
    /// Empty = missing.
    pub value: String,
}

/// How far one press moves a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stride {
    Step,
    Leap,
}

impl Form {
    pub fn new(contract: &Contract) -> Self {
        Self { fields: contract.columns.iter().cloned().map(Field::new).collect() }
    }

    /// The row to predict.
    pub fn row(&self) -> Row {
        let filled = self.fields.iter().filter(|field| !field.value.is_empty());
        Row(filled.map(|field| (field.column.name.clone(), field.value.clone())).collect::<BTreeMap<_, _>>())
    }

    /// The first field that can't stand as it is, with the reason.
    pub fn problem(&self) -> Option<(usize, String)> {
        self.fields.iter().enumerate().find_map(|(index, field)| Some((index, field.problem()?)))
    }

    /// Takes the values of a table's row where the names agree; returns how many did.
    pub fn fill<'a>(&mut self, cells: impl Iterator<Item = (&'a str, &'a str)>) -> usize {
        let cells: BTreeMap<&str, &str> = cells.collect();
        let mut n_filled = 0;
        for field in &mut self.fields {
            if let Some(value) = cells.get(field.column.name.as_str()) {
                (*value).clone_into(&mut field.value);
                n_filled += 1;
            }
        }
        n_filled
    }
}

impl Field {
    fn new(column: Column) -> Self {
        let value = suggested(&column);
        Self { column, value }
    }

    pub fn reset(&mut self) {
        self.value = suggested(&self.column);
    }

    /// Why the value can't stand.
    pub fn problem(&self) -> Option<String> {
        let value = self.value.trim();
        if value.is_empty() {
            return (!self.column.may_be_missing).then(|| "a value is needed".to_owned());
        }
        match self.column.kind {
            ColumnKind::Text => None,
            ColumnKind::Number => value.parse::<f64>().is_err().then(|| format!("'{value}' is not a number")),
            ColumnKind::Integer => {
                value.parse::<f64>().ok().filter(|number| number.fract() == 0.0).is_none().then(|| format!("'{value}' is not a whole number"))
            }
            ColumnKind::Boolean => {
                let is_known = ["true", "false", "0", "1"].iter().any(|known| value.eq_ignore_ascii_case(known));
                (!is_known).then(|| format!("'{value}' is neither true nor false"))
            }
        }
    }

    /// The values to choose from, if there are some.
    pub fn choices(&self) -> Vec<String> {
        match self.column.kind {
            // As the table writes them.
            ColumnKind::Boolean if matches!(self.value.trim(), "0" | "1") => vec!["0".to_owned(), "1".to_owned()],
            ColumnKind::Boolean => vec!["false".to_owned(), "true".to_owned()],
            _ => self.column.categories.clone(),
        }
    }

    /// Where the value lies between the usual bounds, 0 to 1.
    pub fn share(&self) -> Option<f64> {
        let (min, max) = self.bounds()?;
        let value: f64 = self.value.trim().parse().ok()?;
        Some(((value - min) / (max - min)).clamp(0.0, 1.0))
    }

    /// The usual range, where it is one.
    pub fn bounds(&self) -> Option<(f64, f64)> {
        self.column.usual_range()
    }

    /// The next larger (`direction` 1) or smaller (-1) value, or the next or previous choice.
    pub fn step(&mut self, direction: i8, stride: Stride) {
        match self.column.kind {
            ColumnKind::Number | ColumnKind::Integer => self.step_number(f64::from(direction), stride),
            ColumnKind::Boolean | ColumnKind::Text => self.step_choice(direction),
        }
    }

    fn step_number(&mut self, direction: f64, stride: Stride) {
        let is_whole = self.column.kind == ColumnKind::Integer;
        let bounds = self.bounds();
        let Ok(value) = self.value.trim().parse::<f64>() else {
            let middle = bounds.map_or(0.0, |(min, max)| f64::midpoint(min, max));
            self.value = number_text(if is_whole { middle.round() } else { middle }, 1e-3);
            return;
        };
        let mut step = bounds.map_or_else(|| step_near(value), |(min, max)| nice((max - min) / 50.0));
        if is_whole {
            step = step.round().max(1.0);
        }
        let leap = if stride == Stride::Leap { 10.0 } else { 1.0 };
        let mut moved = value + direction * step * leap;
        if let Some((min, max)) = bounds {
            // The usual range stops a slider, but a value beyond it that was typed is not pulled back across.
            moved = if direction > 0.0 { moved.min(max.max(value)) } else { moved.max(min.min(value)) };
        }
        // Digits that somebody typed are not rounded away by a coarse step.
        let typed = self.value.trim().split_once('.').map_or(0, |(_, decimals)| decimals.len().min(6));
        self.value = number_text(moved, step.min(10_f64.powi(1 - i32::try_from(typed).unwrap_or(0))));
    }

    fn step_choice(&mut self, direction: i8) {
        let choices = self.choices();
        let Some(last) = choices.len().checked_sub(1) else { return };
        let next = match choices.iter().position(|choice| *choice == self.value) {
            None => 0,
            Some(0) if direction < 0 => last,
            Some(current) if direction < 0 => current - 1,
            Some(current) if current == last => 0,
            Some(current) => current + 1,
        };
        self.value = choices.get(next).cloned().unwrap_or_default();
    }
}

/// What the contract suggests, else the middle of the usual range or the first choice.
fn suggested(column: &Column) -> String {
    if let Some(default) = &column.default {
        return default.clone();
    }
    match (column.kind, column.min, column.max) {
        (ColumnKind::Number, Some(min), Some(max)) => number_text(f64::midpoint(min, max), nice((max - min) / 50.0)),
        (ColumnKind::Integer, Some(min), Some(max)) => number_text(f64::midpoint(min, max).round(), 1.0),
        (ColumnKind::Boolean, ..) => "false".to_owned(),
        _ => column.categories.first().cloned().unwrap_or_default(),
    }
}

/// A step for a number of which nothing is known but its value: a tenth of its magnitude.
fn step_near(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() { 0.1 } else { 10_f64.powf(value.abs().log10().floor() - 1.0) }
}

/// 1, 2 or 5 times a power of ten, near `step`.
fn nice(step: f64) -> f64 {
    if !(step.is_finite() && step > 0.0) {
        return 1.0;
    }
    let power = 10_f64.powf(step.log10().floor());
    let mantissa = step / power;
    power
        * if mantissa < 1.5 {
            1.0
        } else if mantissa < 3.5 {
            2.0
        } else if mantissa < 7.5 {
            5.0
        } else {
            10.0
        }
}

/// A number with as many decimals as its step needs, without trailing zeros.
fn number_text(value: f64, step: f64) -> String {
    let decimals = (1.0 - step.abs().max(1e-12).log10().floor()).clamp(0.0, 12.0) as usize;
    let text = format!("{value:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}
