//! A comparison as tables and figures, which every face shows and every report holds.

use std::path::Path;

use super::{CompareError, CompareReport, Interval, Judgement, PairReport, WindowReport};
use crate::data::{Column, ColumnData, DataError, write_columns};
use crate::format;
use crate::report::{Axis, Cell, Document, Figure, Level, Quantity, Section, Series, Table};
use crate::score::Metric;

impl CompareReport {
    /// What a version is called where there is no room: A, B, C.
    pub fn letter(index: usize) -> char {
        char::from(b'A' + u8::try_from(index % 26).unwrap_or_default())
    }

    fn name(&self, version: usize) -> &str {
        self.versions.get(version).map_or("", |version| version.name.as_str())
    }

    /// The finding in a sentence.
    pub fn headline(&self, pair: &PairReport) -> String {
        let (a, b) = (self.name(0), self.name(pair.version));
        if pair.agreement.is_identical {
            return format!("{b} says exactly what {a} says on {}", format::counted(self.rows_compared, "row"));
        }
        let agreement = format!("agrees with {a} on {} of {}", format::percent(pair.agreement.share), format::counted(self.rows_compared, "row"));
        let named = |judgement: Judgement| {
            let metrics = pair.metrics.iter().filter(|metric| metric.judgement == judgement);
            metrics.map(|metric| metric.name.name()).collect::<Vec<_>>()
        };
        let (better, worse) = (named(Judgement::Better), named(Judgement::Worse));
        let findings = match (pair.metrics.is_empty(), better.is_empty(), worse.is_empty()) {
            (true, ..) => String::new(),
            (_, true, true) => "; no metric differs".to_owned(),
            (_, false, true) => format!("; better in {}", better.join(", ")),
            (_, true, false) => format!("; worse in {}", worse.join(", ")),
            _ => format!("; better in {}, worse in {}", better.join(", "), worse.join(", ")),
        };
        format!("{b} {agreement}{findings}")
    }

    /// Metrics of a pair with the interval of the difference.
    pub fn metrics_table(&self, pair: &PairReport) -> Table {
        let (a, b) = (self.name(0).to_owned(), self.name(pair.version).to_owned());
        let columns = [
            ("metric", Quantity::Text),
            (a.as_str(), Quantity::Number),
            (b.as_str(), Quantity::Number),
            ("difference", Quantity::Change),
            ("95 % low", Quantity::Change),
            ("95 % high", Quantity::Change),
            ("judgement", Quantity::Text),
        ];
        let mut table = Table::new("Metrics", &columns);
        for metric in &pair.metrics {
            table.push(vec![
                metric.name.name().into(),
                metric.a.into(),
                metric.b.into(),
                metric.difference.into(),
                metric.interval.map(|interval| interval.low).into(),
                metric.interval.map(|interval| interval.high).into(),
                metric.judgement.word().into(),
            ]);
        }
        table
    }

    /// Each version's metrics with their own intervals.
    pub fn version_metrics_table(&self) -> Table {
        let columns = [
            ("version", Quantity::Text),
            ("metric", Quantity::Text),
            ("value", Quantity::Number),
            ("95 % low", Quantity::Number),
            ("95 % high", Quantity::Number),
        ];
        let mut table = Table::new("Metrics of each version", &columns);
        for version in &self.versions {
            for metric in &version.metrics {
                let end = |end: fn(Interval) -> f64| Cell::from(metric.interval.map(end));
                table.push(vec![
                    version.name.as_str().into(),
                    metric.name.name().into(),
                    metric.value.into(),
                    end(|interval| interval.low),
                    end(|interval| interval.high),
                ]);
            }
        }
        table
    }

    /// Size, work and speed of the versions.
    pub fn versions_table(&self) -> Table {
        let columns = [
            ("version", Quantity::Text),
            ("file", Quantity::Bytes),
            ("parameters", Quantity::Count),
            ("MACs", Quantity::Count),
            ("memory", Quantity::Bytes),
            ("measured", Quantity::Bytes),
            ("size change", Quantity::Text),
            ("p50", Quantity::Seconds),
            ("p95", Quantity::Seconds),
            ("speed", Quantity::Text),
        ];
        let mut table = Table::new("Versions", &columns);
        let baseline = self.versions.first().map_or(0, |version| version.file_bytes) as f64;
        for (index, version) in self.versions.iter().enumerate() {
            let latency = version.latency;
            let change = (index > 0 && baseline > 0.0).then(|| format::signed_percent(version.file_bytes as f64 / baseline - 1.0));
            table.push(vec![
                version.name.as_str().into(),
                version.file_bytes.into(),
                version.parameters.into(),
                version.macs.into(),
                version.memory_bytes.into(),
                version.measured_memory_bytes.into(),
                change.into(),
                latency.and_then(|latency| latency.p50_ms).map(|p50| p50 / 1e3).into(),
                latency.and_then(|latency| latency.p95_ms).map(|p95| p95 / 1e3).into(),
                self.pairs.iter().find(|pair| pair.version == index).and_then(|pair| pair.latency).map(|latency| latency.judgement.word()).into(),
            ]);
        }
        table
    }

    /// How far a pair agrees.
    pub fn agreement_table(&self, pair: &PairReport) -> Table {
        let agreement = &pair.agreement;
        let mut table = Table::new("Agreement", &[("measure", Quantity::Text), ("value", Quantity::Text)]);
        let mut add = |name: &str, value: String| table.push(vec![name.into(), value.into()]);
        let share = |share: f64| format::percent(share);
        add("rows that agree", format!("{} ({} to {})", share(agreement.share), share(agreement.interval.low), share(agreement.interval.high)));
        add("rows", format!("{} of {}", format::count(agreement.rows_agreeing), format::count(self.rows_compared)));
        if let Some(tolerance) = &agreement.tolerance {
            add("numbers agree where", tolerance.clone());
        }
        let over = &agreement.over;
        if let Some(cosine) = agreement.cosine {
            add(&format!("cosine of {over}"), cosine_text(cosine));
        }
        if let Some(rmse) = agreement.rmse {
            add(&format!("RMSE of {over}"), format::number(rmse));
        }
        if let Some(max) = agreement.max_difference {
            add("max |Δ|", format::number(max));
        }
        if agreement.cosine.is_some() {
            add("SQNR", agreement.sqnr_db.map_or_else(|| "∞ (nothing differs)".to_owned(), |sqnr| format!("{} dB", format::number(sqnr))));
        }
        if let Some(test) = &pair.mcnemar {
            let method = test.statistic.map_or_else(|| "exact".to_owned(), |statistic| format!("χ² {}", format::number(statistic)));
            add(
                &format!("right only in A, in {}", Self::letter(pair.version)),
                format!("{}, {}", format::count(test.only_a_right), format::count(test.only_b_right)),
            );
            add("McNemar", format!("p = {} ({method})", format::number(test.p_value)));
        }
        table
    }

    /// From which label to which rows flip.
    pub fn transitions_table(pair: &PairReport) -> Table {
        let mut table = Table::new("Flips", &[("from", Quantity::Text), ("to", Quantity::Text), ("rows", Quantity::Count)]);
        for transition in &pair.agreement.transitions {
            table.push(vec![transition.from.as_str().into(), transition.to.as_str().into(), transition.rows.into()]);
        }
        table
    }

    /// The rows that changed most, with the table's columns.
    pub fn changed_table(&self, pair: &PairReport) -> Table {
        let mut columns =
            vec![("row", Quantity::Count), ("A", Quantity::Text), ("B", Quantity::Text), ("change", Quantity::Change), ("truth", Quantity::Text)];
        columns.extend(pair.changed.columns.iter().map(|name| (name.as_str(), Quantity::Text)));
        let mut table = Table::new("Changed rows", &columns);
        for row in &pair.changed.rows {
            let mut cells: Vec<Cell> =
                vec![row.row.into(), row.a.as_str().into(), row.b.as_str().into(), row.change.into(), row.truth.as_deref().into()];
            cells.extend(row.cells.iter().map(|cell| if cell.is_empty() { Cell::Empty } else { cell.as_str().into() }));
            table.push(cells);
        }
        table
    }

    /// Which rows change.
    pub fn explanation_table(pair: &PairReport) -> Option<Table> {
        let explanation = pair.explanation.as_ref()?;
        let quantity = if explanation.is_share { Quantity::Share } else { Quantity::Number };
        let value = if explanation.is_share { "rows that flip" } else { "mean change" };
        let mut table = Table::new("Which rows change", &[("rows where", Quantity::Text), (value, quantity), ("share of rows", Quantity::Share)]);
        for rule in &explanation.rules {
            let rule_text = if rule.conditions.is_empty() { "all rows".to_owned() } else { rule.conditions.join(", ") };
            table.push(vec![rule_text.into(), rule.value.into(), rule.share_of_rows.into()]);
        }
        Some(table)
    }

    /// Whether probabilities mean what they say, by version.
    pub fn reliability_figure(&self) -> Option<Figure> {
        let calibrated: Vec<_> = self.versions.iter().filter_map(|version| Some((version, version.calibration.as_ref()?))).collect();
        let (_, first) = calibrated.first()?;
        let mut series = Vec::new();
        for (version, calibration) in &calibrated {
            let points: Vec<(f64, f64)> = calibration.bins.iter().filter_map(|bin| Some((bin.probability?, bin.frequency?))).collect();
            let labels = calibration.bins.iter().filter(|bin| bin.rows > 0).map(|bin| format::counted(bin.rows, "row")).collect();
            series.push(Series::line(version.name.clone(), points).labelled(labels));
        }
        series.push(Series::line("as it should be", vec![(0.0, 0.0), (1.0, 1.0)]));
        let best = calibrated.iter().min_by(|a, b| a.1.ece.total_cmp(&b.1.ece))?;
        let errors: Vec<String> =
            calibrated.iter().map(|(version, calibration)| format!("{} {}", version.name, format::number(calibration.ece))).collect();
        let is_tied = calibrated.iter().all(|(_, calibration)| calibration.ece == first.ece);
        let title = if is_tied {
            format!("The versions are calibrated alike: ECE {}", format::number(first.ece))
        } else {
            format!("{} is calibrated best: ECE {}", best.0.name, errors.join(", "))
        };
        Some(Figure {
            title,
            x: Axis::new(first.of.trim_start_matches("the "), None, (0.0, 1.0)),
            y: Axis::new("frequency", None, (0.0, 1.0)),
            series,
            levels: Vec::new(),
            x_now: None,
        })
    }

    /// Metrics of the second version against the first with the interval of the difference, as a share of the baseline's own value.
    pub fn windows_table(&self) -> Option<Table> {
        let report = self.windows.as_ref()?;
        let mut columns = vec![("from".to_owned(), Quantity::Text), ("rows".to_owned(), Quantity::Count)];
        columns.extend((1..self.versions.len()).map(|version| (format!("{} changes", self.name(version)), Quantity::Share)));
        if let Some(metric) = report.metric {
            columns.extend((0..self.versions.len()).map(|version| (format!("{} {}", self.name(version), metric.name()), Quantity::Number)));
        }
        let columns: Vec<(&str, Quantity)> = columns.iter().map(|(name, quantity)| (name.as_str(), *quantity)).collect();
        let mut table = Table::new(format!("By {}", report.describe()), &columns);
        for window in &report.windows {
            let mut cells: Vec<Cell> = vec![window.start.as_str().into(), window.rows.into()];
            cells.extend(window.changed_share.iter().map(|&share| Cell::from(share)));
            if report.metric.is_some() {
                cells.extend(window.metric.iter().map(|&value| Cell::from(value)));
            }
            table.push(cells);
        }
        Some(table)
    }

    /// The share of changed rows as time goes by, and the metric.
    pub fn windows_figures(&self) -> Vec<Figure> {
        let Some(report) = &self.windows else { return Vec::new() };
        let points = |value: &dyn Fn(&super::WindowRow) -> Option<f64>| -> Vec<(f64, f64)> {
            report.windows.iter().enumerate().filter_map(|(index, window)| Some((index as f64 + 1.0, value(window)?))).collect()
        };
        let x = || Axis::new("window", None, (1.0, (report.windows.len() as f64).max(2.0)));
        let mut figures = Vec::new();
        let changes: Vec<Series> = (1..self.versions.len())
            .map(|version| Series::line(self.name(version), points(&|window| window.changed_share.get(version - 1).copied())))
            .collect();
        let highest = changes.iter().flat_map(|series| &series.points).map(|point| point.1).fold(0.0, f64::max);
        let title = format!("At most {} of the rows of a window change", format::percent(highest));
        let y = Axis::new("share of rows that change", None, (0.0, if highest > 0.0 { highest * 1.05 } else { 1.0 }));
        figures.push(Figure { title, x: x(), y, series: changes, levels: Vec::new(), x_now: None });
        if let Some(metric) = report.metric {
            let series: Vec<Series> = (0..self.versions.len())
                .map(|version| Series::line(self.name(version), points(&|window| window.metric.get(version).copied().flatten())))
                .collect();
            let values = || series.iter().flat_map(|series| &series.points).map(|point| point.1);
            if values().next().is_some() {
                let y = Axis::around(metric.name(), None, crate::report::Scale::Linear, values());
                let (low, high) = values().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
                let title = format!("{} lies between {} and {}", metric.name(), format::number(low), format::number(high));
                figures.push(Figure { title, x: x(), y, series, levels: Vec::<Level>::new(), x_now: None });
            }
        }
        figures
    }

    /// What a canary would have shown.
    pub fn split_table(&self) -> Option<Table> {
        let split = self.split.as_ref()?;
        let metrics: Vec<Metric> = split.metrics.iter().map(|metric| metric.name).collect();
        let mut columns =
            vec![("served by", Quantity::Text), ("rows", Quantity::Count), ("share", Quantity::Share), ("other would differ", Quantity::Share)];
        columns.extend(metrics.iter().map(|metric| (metric.name(), Quantity::Number)));
        let mut table = Table::new("Canary", &columns);
        for arm in &split.arms {
            let mut cells: Vec<Cell> = vec![self.name(arm.version).into(), arm.rows.into(), arm.share.into(), arm.changed_share.into()];
            cells.extend(metrics.iter().map(|metric| Cell::from(arm.metrics.iter().find(|value| value.name == *metric).map(|value| value.value))));
            table.push(cells);
        }
        let mut judged: Vec<Cell> = vec!["judgement".into(), Cell::Empty, Cell::Empty, Cell::Empty];
        judged.extend(split.metrics.iter().map(|metric| Cell::from(metric.judgement.word())));
        table.push(judged);
        Some(table)
    }

    /// The whole report.
    pub fn document(&self, command: Option<String>) -> Document {
        let mut sections = Vec::new();
        for pair in &self.pairs {
            let mut tables = vec![self.agreement_table(pair)];
            if !pair.metrics.is_empty() {
                tables.insert(0, self.metrics_table(pair));
            }
            if !pair.agreement.transitions.is_empty() {
                tables.push(Self::transitions_table(pair));
            }
            tables.extend(Self::explanation_table(pair));
            let heading = format!("{} against {}", self.name(pair.version), self.name(0));
            sections.push(Section { heading, notes: vec![self.headline(pair)], tables, figures: Vec::new() });
        }
        let mut cost = Section { heading: "Versions".to_owned(), tables: vec![self.versions_table()], ..Section::default() };
        if self.versions.iter().any(|version| !version.metrics.is_empty()) {
            cost.tables.push(self.version_metrics_table());
        }
        cost.figures.extend(self.reliability_figure());
        sections.push(cost);
        if let Some(windows) = self.windows_table() {
            sections.push(Section {
                heading: "As time goes by".to_owned(),
                notes: Vec::new(),
                tables: vec![windows],
                figures: self.windows_figures(),
            });
        }
        if let Some(split) = self.split_table() {
            let note = "Each arm's metrics are over the rows that it served; the share that differs is what the other version, run in the shadow, would have said.";
            sections.push(Section { heading: "Canary".to_owned(), notes: vec![note.to_owned()], tables: vec![split], figures: Vec::new() });
        }
        const REPORTED_ROWS: usize = 50;
        for pair in self.pairs.iter().filter(|pair| !pair.changed.rows.is_empty()) {
            let mut table = self.changed_table(pair);
            table.rows.truncate(REPORTED_ROWS);
            let note = format!(
                "{} changed, {} moved at all; the first {} of those that changed most.",
                format::counted(pair.changed.n_changed, "row"),
                format::count(pair.changed.n_moved),
                table.rows.len()
            );
            let heading = format!("Rows that change from {} to {}", self.name(0), self.name(pair.version));
            sections.push(Section { heading, notes: vec![note], tables: vec![table], figures: Vec::new() });
        }
        let method = Section {
            heading: "Notes and methods".to_owned(),
            notes: self.notes.iter().chain(&self.methods).cloned().collect(),
            ..Section::default()
        };
        sections.push(method);
        let names: Vec<&str> = self.versions.iter().map(|version| version.name.as_str()).collect();
        let mut provenance = self.provenance.clone();
        provenance.command = command;
        Document { title: format!("Comparison of {}", names.join(", ")), verdict: None, sections, provenance }
    }
}

impl WindowReport {
    /// `1d of day`, `5000 rows`.
    pub fn describe(&self) -> String {
        match &self.time {
            Some(time) => format!("{} of {time}", self.window),
            None => self.window.clone(),
        }
    }
}

/// Cosines are told apart by how far they are from 1.
fn cosine_text(cosine: f64) -> String {
    if cosine == 1.0 { "1".to_owned() } else { format!("{cosine:.6}") }
}

/// Writes the rows that changed most of the first pair, as the file's name says.
pub fn write_changed(path: &Path, overwrite: bool, report: &CompareReport) -> Result<(), CompareError> {
    let Some(pair) = report.pairs.first() else { return Ok(()) };
    let rows = &pair.changed.rows;
    let text = |of: &dyn Fn(&super::ChangedRow) -> &str| ColumnData::Text(rows.iter().map(|row| of(row).into()).collect());
    let mut columns = vec![
        Column { name: "row".to_owned(), data: ColumnData::Integer(rows.iter().map(|row| i64::try_from(row.row).unwrap_or(i64::MAX)).collect()) },
        Column { name: "flips".to_owned(), data: text(&|row| if row.is_flip { "true" } else { "false" }) },
        Column { name: "prediction_a".to_owned(), data: text(&|row| &row.a) },
        Column { name: "prediction_b".to_owned(), data: text(&|row| &row.b) },
        Column { name: "change".to_owned(), data: ColumnData::F64(rows.iter().map(|row| row.change).collect()) },
    ];
    if report.label.is_some() {
        columns.push(Column { name: "truth".to_owned(), data: text(&|row| row.truth.as_deref().unwrap_or_default()) });
    }
    for (index, name) in pair.changed.columns.iter().enumerate() {
        // A column of the table that is called like one of these keeps its name with a mark.
        let is_taken = columns.iter().any(|column| column.name == *name);
        let name = if is_taken { format!("{name}_in_table") } else { name.clone() };
        columns.push(Column { name, data: text(&|row| row.cells.get(index).map_or("", String::as_str)) });
    }
    write_columns(path, &columns, overwrite).map_err(|error: DataError| error.into())
}
