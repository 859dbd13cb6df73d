//! The figures of a profile.

use super::super::operators::{Bound, OperatorReport};
use super::super::report::{ProfileReport, RunReport};
use super::NOT_STABLE;
use crate::format;
use crate::machine::roof::Roof;
use crate::report::{Axis, Figure, Level, Scale, Series};

/// A unit that suits a time, and how many of it make a millisecond.
fn time_unit(ms: f64) -> (&'static str, f64) {
    match ms {
        ms if ms < 0.5 => ("µs", 1e3),
        ms if ms < 2000.0 => ("ms", 1.0),
        _ => ("s", 1e-3),
    }
}

pub(super) fn histogram(run: &RunReport) -> Figure {
    let latency = &run.latency_ms;
    let (unit, scale) = time_unit(latency.typical());
    let histogram = &run.histogram;
    let start = histogram.start_ms * scale;
    let width = histogram.bin_ms * scale;
    let middle = |index: usize| start + (index as f64 + 0.5) * width;
    let points: Vec<(f64, f64)> = histogram.counts.iter().enumerate().map(|(index, count)| (middle(index), *count as f64)).collect();
    let highest = histogram.counts.iter().copied().max().unwrap_or(1).max(1);
    let label = |(index, count): (usize, &u64)| {
        let (from, to) = (start + index as f64 * width, start + (index as f64 + 1.0) * width);
        format!("{} to {} {unit}: {}", format::number(from), format::number(to), format::counted(*count, "run"))
    };
    let labels = histogram.counts.iter().enumerate().map(label).collect();
    let mut title = match latency.p95 {
        Some(p95) => format!("half of the runs take up to {}, 19 of 20 up to {}", run.time_text(latency.typical()), run.time_text(p95)),
        None => format!("half of the runs take up to {}", run.time_text(latency.typical())),
    };
    if histogram.n_above > 0 {
        title.push_str(&format!("; {} further right", format::count(histogram.n_above)));
    }
    let x = Axis::new("latency", Some(unit), (start, start + width * histogram.counts.len().max(1) as f64));
    let y = Axis::new("runs", None, (0.0, highest as f64 * 1.05));
    let mut figure = Figure::of(title, x, y, Series::bars("runs", width, points).labelled(labels));
    let levels = [("p50", latency.p50), ("p95", latency.p95), ("p99", latency.p99)];
    figure.levels = levels
        .into_iter()
        .filter_map(|(name, ms)| Some(Level { name: name.to_owned(), at: ms? * scale, is_on_x: true }))
        .filter(|level| level.at <= figure.x.range.1)
        .collect();
    figure
}

pub(super) fn warm_up(run: &RunReport) -> Figure {
    let typical = run.latency_ms.typical();
    let (unit, scale) = time_unit(typical);
    let points: Vec<(f64, f64)> = run.warm_up_ms.iter().enumerate().map(|(index, ms)| (index as f64 + 1.0, ms * scale)).collect();
    // The first run within a tenth of the median, from which on it stays warm in the eye of the reader.
    let warm = run.warm_up_ms.iter().position(|ms| *ms <= typical * 1.1);
    let title = match warm {
        Some(0) => "warm from the first of these runs on".to_owned(),
        Some(n) => format!("within 10 % of the median after {}", format::counted(n as u64, "run")),
        None => "the first runs are slower than those measured".to_owned(),
    };
    let x = Axis::new("run", None, (0.0, points.len().max(1) as f64 + 1.0));
    let y = Axis::around("latency", Some(unit), Scale::Linear, points.iter().map(|point| point.1).chain([0.0]));
    let mut figure = Figure::of(title, x, y, Series::line("latency", points));
    figure.levels = vec![Level { name: "p50".to_owned(), at: typical * scale, is_on_x: false }];
    figure
}

pub(super) fn sweep(report: &ProfileReport) -> Figure {
    let slowest = report.runs.iter().map(|run| run.latency_ms.judged().0).fold(0.0, f64::max);
    let (unit, scale) = time_unit(slowest);
    let name = report.runs.first().map_or("p95", |run| run.latency_ms.judged().1);
    let point = |run: &RunReport| (run.latency_ms.judged().0 * scale, run.rows_per_second);
    let label = |run: &RunReport| {
        let stable = if run.stable { String::new() } else { format!(", {NOT_STABLE}") };
        format!("{}{stable}", run.name(report.has_devices()))
    };
    let (stable, unstable): (Vec<&RunReport>, Vec<&RunReport>) = report.runs.iter().partition(|run| run.stable);
    let configurations = |name: &str, runs: &[&RunReport]| {
        Series::points(name, runs.iter().map(|run| point(run)).collect()).labelled(runs.iter().map(|run| label(run)).collect())
    };
    let points: Vec<(f64, f64)> = report.runs.iter().map(point).collect();
    let mut best: Vec<(f64, f64)> = report.pareto.iter().filter_map(|index| report.runs.get(*index)).map(point).collect();
    best.sort_by(|a, b| a.0.total_cmp(&b.0));
    let budget = report.max_latency_ms.map(|ms| ms * scale);
    let x = Axis::around(format!("latency {name}"), Some(unit), Scale::Logarithmic, points.iter().map(|point| point.0).chain(budget));
    let y = Axis::around("throughput", Some("rows/s"), Scale::Logarithmic, points.iter().map(|point| point.1));
    // What did not settle is told from the rest.
    let mut series = [("configurations", stable), (NOT_STABLE, unstable)].into_iter().filter(|(_, runs)| !runs.is_empty());
    let first = series.next().map_or_else(|| Series::points("configurations", Vec::new()), |(name, runs)| configurations(name, &runs));
    let second = series.next().map(|(name, runs)| configurations(name, &runs));
    let mut figure = Figure::of(report.sweet_spot_sentence(), x, y, first);
    figure.series.extend(second);
    if best.len() > 1 {
        figure.series.push(Series::line("not beaten in both", best));
    }
    let level = |at| Level { name: format!("budget {} {unit}", format::number(at)), at, is_on_x: true };
    figure.levels = budget.map(level).into_iter().collect();
    figure
}

/// `None` where no operator has products.
pub(super) fn roofline(operators: &[OperatorReport], roof: &Roof) -> Option<Figure> {
    let placed = |operator: &OperatorReport| Some((operator.intensity?, operator.gflops?));
    let of = |bound: Bound| {
        let here = operators.iter().filter(move |operator| operator.bound == Some(bound)).filter_map(move |operator| {
            let point = placed(operator)?;
            let time = format::seconds(operator.time_ms.unwrap_or_default() / 1e3);
            Some((point, format!("{} {}, {time}", operator.operator, operator.node)))
        });
        let (points, labels): (Vec<_>, Vec<_>) = here.unzip();
        (!points.is_empty()).then(|| Series::points(format!("{}-bound", bound.name()), points).labelled(labels))
    };
    let all: Vec<(f64, f64)> = operators.iter().filter_map(placed).collect();
    if all.is_empty() {
        return None;
    }
    let x = Axis::around("intensity", Some("FLOP/byte"), Scale::Logarithmic, all.iter().map(|point| point.0).chain([roof.ridge()]));
    let y = Axis::around("speed", Some("GFLOP/s"), Scale::Logarithmic, all.iter().map(|point| point.1).chain([roof.gflops]));
    let (low, high) = x.range;
    let mut corners = vec![(low, roof.at(low)), (roof.ridge(), roof.gflops), (high, roof.gflops)];
    corners.retain(|(intensity, _)| (low..=high).contains(intensity));
    // By time, because that is what one wants to make smaller.
    let (time, share) = operators.iter().fold((0.0, [0.0; 3]), |(sum, mut by_bound), operator| {
        let ms = operator.time_ms.unwrap_or_default();
        if let Some(bound) = operator.bound {
            by_bound[bound as usize] += ms;
        }
        (sum + ms, by_bound)
    });
    let percent = |bound: Bound| format::percent((share[bound as usize] / f64::max(time, 1e-12) * 1000.0).round() / 1000.0);
    let title = format!(
        "{} of the time is compute-bound, {} memory-bound, {} overhead",
        percent(Bound::Compute),
        percent(Bound::Memory),
        percent(Bound::Overhead)
    );
    let series = std::iter::once(Series::line("roof", corners)).chain([Bound::Compute, Bound::Memory, Bound::Overhead].into_iter().filter_map(of));
    Some(Figure { title, x, y, series: series.collect(), levels: Vec::new(), x_now: None })
}
