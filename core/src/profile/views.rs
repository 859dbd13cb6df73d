//! A profile as tables, figures and a document: what every face paints.

use super::report::{ProfileReport, RunReport};
use super::{FitReport, SizeReport, operators};
use crate::format;
use crate::report::{Cell, Document, Figure, Provenance, Quantity, Section, Source, Table, Verdict};

mod charts;

/// Rows of tables in documents; faces show all.
const MAX_ROWS: usize = 60;

/// Word for a measurement that never settled.
const NOT_STABLE: &str = "not stable";

impl RunReport {
    /// A time as this run measured it; one that is not stable says so.
    pub fn time_text(&self, ms: f64) -> String {
        let time = format::seconds(ms / 1e3);
        if self.stable { time } else { format!("{time}, {NOT_STABLE}") }
    }

    /// In a table, whose last columns say what the sign means.
    fn time_cell(&self, ms: f64) -> Cell {
        if self.stable { (ms / 1e3).into() } else { format!("{} ?", format::seconds(ms / 1e3)).into() }
    }

    fn throughput_cell(&self) -> Cell {
        if self.stable { self.rows_per_second.into() } else { format!("{} ?", format::quantity(self.rows_per_second)).into() }
    }

    /// Rows a second, with the same reserve.
    pub fn throughput_text(&self) -> String {
        let rate = format!("{} rows/s", format::quantity(self.rows_per_second));
        if self.stable { rate } else { format!("{rate}, {NOT_STABLE}") }
    }

    /// Why the figures say little, and what to do; `None` for a measurement that is stable.
    pub fn unstable_sentence(&self) -> Option<String> {
        let reason = self.unstable_because.as_ref()?;
        Some(format!("Not stable: {reason}, so these figures are no more than a hint. Measure longer, or when the machine is quiet."))
    }

    /// How many runs took how long.
    pub fn histogram_figure(&self) -> Figure {
        charts::histogram(self)
    }

    /// How the first runs became faster.
    pub fn warm_up_figure(&self) -> Figure {
        charts::warm_up(self)
    }
}

impl ProfileReport {
    /// Load, compilation, first run and warm runs, kept apart.
    pub fn way_table(&self) -> Table {
        let columns = [("part", Quantity::Text), ("time", Quantity::Seconds), ("what it is", Quantity::Text)];
        let mut table = Table::new("From file to answer", &columns);
        table.push(vec!["load".into(), (self.load_ms / 1e3).into(), "file and contract, the file in cache".into()]);
        for device in &self.devices {
            let on = if self.has_devices() { format!(" on {}", device.device) } else { String::new() };
            table.push(vec!["compile".into(), (device.compile_ms / 1e3).into(), format!("passes, packed weights{on}").into()]);
            let shaders = if device.device.starts_with("GPU") { ", which builds the shaders" } else { "" };
            table.push(vec!["first run".into(), (device.first_run_ms / 1e3).into(), format!("before anything is warm{shaders}{on}").into()]);
        }
        if let Some(run) = self.runs.first() {
            let what = format!("p50 of {}, {}", format::counted(run.n as u64, "run"), run.name(false));
            let what = if run.stable { what } else { format!("{NOT_STABLE}: {what}") };
            table.push(vec!["warm run".into(), run.time_cell(run.latency_ms.typical()), what.into()]);
        }
        table
    }

    /// Warm runs, a row for each configuration.
    pub fn runs_table(&self) -> Table {
        let mut columns = vec![("batch", Quantity::Count), ("threads", Quantity::Count)];
        if self.has_devices() {
            columns.push(("device", Quantity::Text));
        }
        let times = ["p50", "p90", "p95", "p99", "p99.9", "mean", "σ", "min", "max"];
        columns.extend(times.map(|name| (name, Quantity::Seconds)));
        columns.extend([("rows/s", Quantity::PerSecond), ("runs", Quantity::Count), ("measured", Quantity::Text), ("budget", Quantity::Text)]);
        let mut table = Table::new("Warm runs", &columns);
        for run in &self.runs {
            let mut row: Vec<Cell> = vec![(run.batch as u64).into(), (run.threads as u64).into()];
            if self.has_devices() {
                row.push(run.device.clone().into());
            }
            let latency = &run.latency_ms;
            row.push(run.time_cell(latency.typical()));
            let rest = [latency.p90, latency.p95, latency.p99, latency.p999];
            row.extend(rest.map(|ms| Cell::from(ms.map(|ms| run.time_cell(ms)))));
            row.extend([latency.mean, latency.std, latency.min, latency.max].map(|ms| run.time_cell(ms)));
            let stable = if run.stable { "stable" } else { NOT_STABLE };
            row.extend([run.throughput_cell(), (run.n as u64).into(), stable.into(), self.budget_cell(run)]);
            table.push(row);
        }
        table
    }

    fn budget_cell(&self, run: &RunReport) -> Cell {
        match (self.max_latency_ms, run.within_budget) {
            (None, _) => Cell::Empty,
            (Some(_), None) => Verdict::NotJudged.into(),
            (Some(_), Some(keeps)) => Verdict::from(keeps).into(),
        }
    }

    /// Which configuration to take, in a sentence.
    pub fn sweet_spot_sentence(&self) -> String {
        let budget = self.max_latency_ms.map(|ms| format!(" within {}", format::seconds(ms / 1e3)));
        match (self.sweet_spot.and_then(|index| self.runs.get(index)), budget) {
            (Some(run), budget) => {
                let (latency, name) = run.latency_ms.judged();
                let budget = budget.unwrap_or_default();
                let name_of = run.name(self.has_devices());
                format!("most rows a second{budget}: {name_of}, {}, {name} {}", run.throughput_text(), run.time_text(latency))
            }
            (None, Some(budget)) => format!("no stable configuration stays{budget}"),
            (None, None) => "no configuration was stable".to_owned(),
        }
    }

    /// Throughput against latency, with the configurations that nothing beats and the budget.
    pub fn sweep_figure(&self) -> Figure {
        charts::sweep(self)
    }

    /// Memory, planned beside measured.
    pub fn memory_table(&self) -> Table {
        let columns = [("memory", Quantity::Text), ("planned", Quantity::Bytes), ("measured", Quantity::Bytes)];
        let mut table = Table::new("Memory", &columns);
        let memory = &self.memory;
        let grown = |from: Option<u64>, to: Option<u64>| Some(to?.saturating_sub(from?));
        let model = grown(memory.resident_before_bytes, memory.resident_ready_bytes);
        let running = grown(memory.resident_ready_bytes, memory.resident_peak_bytes);
        table.push(vec!["before the model".into(), Cell::Empty, memory.resident_before_bytes.into()]);
        table.push(vec!["weights, ready to run".into(), self.size.weight_bytes.into(), model.into()]);
        table.push(vec!["activations at their peak".into(), memory.planned_activation_bytes.into(), running.into()]);
        table.push(vec!["resident at the peak".into(), Cell::Empty, memory.resident_peak_bytes.into()]);
        if self.devices.iter().any(|device| device.device.starts_with("GPU")) {
            table.push(vec!["on the GPU".into(), Cell::Empty, memory.gpu_peak_bytes.map_or_else(|| "not measured".into(), Cell::from)]);
        }
        table
    }

    /// The steps of a run, in order.
    pub fn operators_table(&self) -> Option<Table> {
        Some(operators_table(self.operators.as_deref()?))
    }

    /// The steps of a run, the slowest first.
    pub fn slowest_operators_table(&self) -> Option<Table> {
        Some(slowest_first(self.operators_table()?))
    }

    /// Time by kind of operator, most first.
    pub fn by_operator_table(&self) -> Option<Table> {
        Some(by_operator_table(self.operators.as_deref()?))
    }

    /// What each operator reached of what the machine can do.
    pub fn roofline_figure(&self) -> Option<Figure> {
        charts::roofline(self.operators.as_deref()?, self.roof.as_ref()?)
    }

    /// The document to keep, with the model's history where there is one.
    pub fn document(&self, history: Option<Figure>) -> Document {
        let mut sections = vec![self.latency_section(), self.size_section()];
        sections.extend(self.operators_section());
        sections.extend(self.fit.as_ref().map(|fit| Section { heading: "Will it fit?".to_owned(), tables: vec![fit.table()], ..Section::default() }));
        sections.extend(history.map(|figure| Section { heading: "History".to_owned(), figures: vec![figure], ..Section::default() }));
        let notes = self.notes.iter().cloned().chain([format!("machine: {} ({})", self.machine.describe(), self.machine.hash)]).collect();
        sections.push(Section { heading: "How it was measured".to_owned(), notes, ..Section::default() });
        Document {
            title: format!("Profile of {}", self.model),
            verdict: self.fit.as_ref().map(FitReport::verdict),
            sections,
            provenance: Provenance {
                models: vec![Source { name: self.model.clone(), path: self.path.clone(), sha256: Some(self.sha256.clone()), rows: None }],
                data: self.settings.data.iter().map(|path| Source { name: path.clone(), path: path.clone(), ..Source::default() }).collect(),
                device: Some(self.device.clone()),
                threads: Some(self.threads),
                date: self.date.clone(),
                ..Provenance::now()
            },
        }
    }

    fn latency_section(&self) -> Section {
        let mut figures = Vec::new();
        if self.runs.len() > 1 {
            figures.push(self.sweep_figure());
        }
        if let Some(run) = self.sweet_spot.and_then(|index| self.runs.get(index)).or(self.runs.first()) {
            figures.extend([run.histogram_figure(), run.warm_up_figure()]);
        }
        Section { heading: "Speed".to_owned(), notes: vec![self.sweet_spot_sentence()], tables: vec![self.way_table(), self.runs_table()], figures }
    }

    fn size_section(&self) -> Section {
        let [by_type, by_operator, layers] = self.size.tables();
        let tables = vec![self.memory_table(), by_type, by_operator, layers].into_iter().map(shortened).collect();
        Section { heading: "Size and memory".to_owned(), notes: vec![self.size.sentence()], tables, ..Section::default() }
    }

    fn operators_section(&self) -> Option<Section> {
        let tables = vec![shortened(self.by_operator_table()?), shortened(self.slowest_operators_table()?)];
        let between = self.between_operators_ms.map(|ms| format!("between the operators: {} a run", format::seconds(ms / 1e3)));
        let roof = self.roof.as_ref().map(|roof| {
            let bandwidth = format::number(roof.gigabytes_per_second);
            format!(
                "this machine reaches {} GFLOP/s and {bandwidth} GB/s with {}",
                format::number(roof.gflops),
                format::counted(roof.threads as u64, "thread")
            )
        });
        Some(Section {
            heading: "Operators".to_owned(),
            notes: roof.into_iter().chain(between).collect(),
            tables,
            figures: self.roofline_figure().into_iter().collect(),
        })
    }
}

fn shortened(mut table: Table) -> Table {
    if table.rows.len() > MAX_ROWS {
        table.title = format!("{} (the first {MAX_ROWS} of {})", table.title, format::count(table.rows.len() as u64));
        table.rows.truncate(MAX_ROWS);
    }
    table
}

const TIME_COLUMN: usize = 3;

fn slowest_first(mut table: Table) -> Table {
    let time = |row: &Vec<Cell>| if let Some(Cell::Number(time)) = row.get(TIME_COLUMN) { *time } else { 0.0 };
    table.rows.sort_by(|a, b| time(b).total_cmp(&time(a)));
    table
}

fn operators_table(operators: &[operators::OperatorReport]) -> Table {
    let columns = [
        ("#", Quantity::Count),
        ("operator", Quantity::Text),
        ("node", Quantity::Text),
        ("time", Quantity::Seconds),
        ("share", Quantity::Share),
        ("bound", Quantity::Text),
        ("of roof", Quantity::Share),
        ("GFLOP/s", Quantity::Number),
        ("GB/s", Quantity::Number),
        ("MACs", Quantity::PerSecond),
        ("moved", Quantity::Bytes),
        ("output", Quantity::Text),
        ("runs on", Quantity::Text),
        ("made from", Quantity::Text),
    ];
    let mut table = Table::new("Operators", &columns);
    for (index, operator) in operators.iter().enumerate() {
        let time = operator.time_ms.map_or_else(|| Cell::from("not measured"), |ms| (ms / 1e3).into());
        table.push(vec![
            (index as u64 + 1).into(),
            operator.operator.clone().into(),
            operator.node.clone().into(),
            time,
            operator.share.into(),
            operator.bound.map(operators::Bound::name).into(),
            operator.roof_share.into(),
            operator.gflops.into(),
            operator.gigabytes_per_second.into(),
            operator.macs.map(|macs| macs as f64).into(),
            operator.bytes.into(),
            operator.outputs.join(", ").into(),
            operator.runs_on.name().into(),
            operator.origins.join(", ").into(),
        ]);
    }
    table
}

/// All steps with the same operator.
struct Kind<'a> {
    operator: &'a str,
    calls: u64,
    /// `None` once one of them was not measured.
    ms: Option<f64>,
    share: f64,
    macs: u64,
    bytes: u64,
}

fn by_operator_table(operators: &[operators::OperatorReport]) -> Table {
    let columns = [
        ("operator", Quantity::Text),
        ("calls", Quantity::Count),
        ("time", Quantity::Seconds),
        ("share", Quantity::Share),
        ("MACs", Quantity::PerSecond),
        ("moved", Quantity::Bytes),
    ];
    let mut kinds: Vec<Kind<'_>> = Vec::new();
    for operator in operators {
        let index = kinds.iter().position(|kind| kind.operator == operator.operator).unwrap_or_else(|| {
            kinds.push(Kind { operator: &operator.operator, ms: Some(0.0), calls: 0, share: 0.0, macs: 0, bytes: 0 });
            kinds.len() - 1
        });
        let Some(kind) = kinds.get_mut(index) else { continue };
        kind.calls += operator.calls_per_run;
        kind.ms = kind.ms.zip(operator.time_ms).map(|(sum, ms)| sum + ms);
        kind.share += operator.share.unwrap_or(0.0);
        kind.macs += operator.macs.unwrap_or(0);
        kind.bytes += operator.bytes;
    }
    kinds.sort_by(|a, b| b.ms.unwrap_or(0.0).total_cmp(&a.ms.unwrap_or(0.0)));
    let mut table = Table::new("Time by operator", &columns);
    for kind in kinds {
        let time = kind.ms.map_or_else(|| Cell::from("not measured"), |ms| (ms / 1e3).into());
        let share = kind.ms.map(|_| kind.share);
        table.push(vec![kind.operator.into(), kind.calls.into(), time, share.into(), (kind.macs as f64).into(), kind.bytes.into()]);
    }
    table
}

impl SizeReport {
    /// File, compressed, weights.
    pub fn sentence(&self) -> String {
        let compressed = self.compressed_bytes.map(|bytes| format!(", {} compressed", format::bytes(bytes))).unwrap_or_default();
        let parameters = format::quantity(self.parameters as f64);
        format!(
            "the file has {}{compressed}; its weights are {parameters} parameters in {}",
            format::bytes(self.file_bytes),
            format::bytes(self.weight_bytes)
        )
    }

    /// Weights by type, by operator, by layer.
    pub fn tables(&self) -> [Table; 3] {
        let share = |bytes: u64| if self.weight_bytes > 0 { Cell::from(bytes as f64 / self.weight_bytes as f64) } else { Cell::Empty };
        let mut by_type = Table::new(
            "Weights by type",
            &[("type", Quantity::Text), ("tensors", Quantity::Count), ("elements", Quantity::Count), ("size", Quantity::Bytes)],
        );
        for size in &self.by_type {
            by_type.push(vec![size.element_type.clone().into(), size.tensors.into(), size.elements.into(), size.bytes.into()]);
        }
        let mut by_operator = Table::new(
            "Weights by operator",
            &[
                ("operator", Quantity::Text),
                ("nodes", Quantity::Count),
                ("parameters", Quantity::Count),
                ("size", Quantity::Bytes),
                ("share", Quantity::Share),
            ],
        );
        for size in &self.by_operator {
            by_operator.push(vec![size.operator.clone().into(), size.nodes.into(), size.parameters.into(), size.bytes.into(), share(size.bytes)]);
        }
        let mut layers = Table::new(
            "Weights by layer",
            &[
                ("node", Quantity::Text),
                ("operator", Quantity::Text),
                ("parameters", Quantity::Count),
                ("size", Quantity::Bytes),
                ("share", Quantity::Share),
            ],
        );
        for layer in &self.layers {
            layers.push(vec![
                layer.node.clone().into(),
                layer.operator.clone().into(),
                layer.parameters.into(),
                layer.bytes.into(),
                share(layer.bytes),
            ]);
        }
        [by_type, by_operator, layers]
    }
}

impl FitReport {
    /// What is needed, part by part, beside what is there.
    pub fn table(&self) -> Table {
        let columns = [("part", Quantity::Text), ("needed", Quantity::Text), ("limit", Quantity::Text), ("verdict", Quantity::Text)];
        let mut table = Table::new("Will it fit?", &columns);
        for part in &self.parts {
            let how = if part.is_measured { "measured" } else { "planned" };
            table.push(vec![part.name.into(), format!("{} ({how})", format::bytes(part.bytes)).into(), Cell::Empty, Cell::Empty]);
        }
        let limit = Cell::from(self.memory_limit_bytes.map(format::bytes));
        table.push(vec!["memory in all".into(), format::bytes(self.total_bytes).into(), limit, self.memory.into()]);
        let what = format!("{} of batch {} on {}", self.latency_of, self.batch, format::counted(self.threads as u64, "thread"));
        let slower = if self.slowdown == 1.0 { String::new() } else { format!(" ({} × here)", format::number(self.slowdown)) };
        let latency = format!("{}{slower}", format::seconds(self.latency_ms / 1e3));
        let limit = Cell::from(self.max_latency_ms.map(|ms| format::seconds(ms / 1e3)));
        table.push(vec![what.into(), latency.into(), limit, self.latency.into()]);
        table
    }

    /// The two judgements in one.
    pub fn verdict(&self) -> (Verdict, String) {
        match (self.memory, self.latency) {
            (Verdict::Fail, Verdict::Fail) => (Verdict::Fail, "it needs too much memory and too much time".to_owned()),
            (Verdict::Fail, _) => (Verdict::Fail, "it needs too much memory".to_owned()),
            (_, Verdict::Fail) => (Verdict::Fail, "it fits, but takes too long".to_owned()),
            (Verdict::NotJudged, Verdict::NotJudged) => (Verdict::NotJudged, "nothing was set that could be judged".to_owned()),
            (Verdict::NotJudged, Verdict::Pass) => (Verdict::Pass, "it is fast enough".to_owned()),
            (Verdict::Pass, Verdict::NotJudged) => (Verdict::Pass, "it fits".to_owned()),
            (Verdict::Pass, Verdict::Pass) => (Verdict::Pass, "it fits and is fast enough".to_owned()),
        }
    }
}
