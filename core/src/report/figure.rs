//! A figure: series over two axes with units, under a title that states the finding.

use std::fmt::Write as _;

use crate::format;

use super::csv_cell;

/// Series of points over two axes.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// A sentence that says what the series show.
    pub title: String,
    pub x: Axis,
    pub y: Axis,
    /// Drawn in this order; the first is the most important one.
    pub series: Vec<Series>,
    /// Lines across the whole figure: budgets, limits, roofs that do not slope.
    pub levels: Vec<Level>,
    /// The place on x that is marked as the present one.
    pub x_now: Option<f64>,
}

/// Points that belong together.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Stands in the legend; a figure with one series needs none.
    pub name: String,
    pub kind: SeriesKind,
    /// `(x, y)`; with ascending x where they are joined by a line.
    pub points: Vec<(f64, f64)>,
    /// What each point stands for, for hover and files: as many as there are points, or none.
    pub labels: Vec<String>,
}

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SeriesKind {
    Line,
    Points,
    /// A bar around each x, `width` wide in x's unit, from the foot of the figure to y.
    Bars {
        width: f64,
    },
}

/// A line across the figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// "budget 5 ms".
    pub name: String,
    pub at: f64,
    /// On x, a line from foot to head; else, on y, one from side to side.
    pub is_on_x: bool,
}

/// What one direction of a figure stands for.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    pub name: String,
    pub unit: Option<String>,
    /// The ends that are drawn.
    pub range: (f64, f64),
    pub scale: Scale,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scale {
    #[default]
    Linear,
    /// By powers of ten; the range has to be above zero.
    Logarithmic,
}

impl Axis {
    pub fn new(name: impl Into<String>, unit: Option<&str>, range: (f64, f64)) -> Self {
        Self { name: name.into(), unit: unit.map(str::to_owned), range, scale: Scale::Linear }
    }

    pub fn logarithmic(self) -> Self {
        Self { scale: Scale::Logarithmic, ..self }
    }

    /// An axis as wide as its values, with a twentieth of room at either end: by ratio where the scale is logarithmic.
    pub fn around(name: impl Into<String>, unit: Option<&str>, scale: Scale, values: impl IntoIterator<Item = f64>) -> Self {
        let is_drawable = |value: &f64| value.is_finite() && (scale == Scale::Linear || *value > 0.0);
        let bounds = |(low, high): (f64, f64), value: f64| (low.min(value), high.max(value));
        let (low, high) = values.into_iter().filter(is_drawable).fold((f64::INFINITY, f64::NEG_INFINITY), bounds);
        let range = match scale {
            _ if low > high => (if scale == Scale::Linear { 0.0 } else { 0.1 }, 1.0),
            Scale::Linear if low == high => (low - 0.5 * low.abs().max(1.0), high + 0.5 * high.abs().max(1.0)),
            Scale::Linear => (low - (high - low) * 0.05, high + (high - low) * 0.05),
            Scale::Logarithmic => {
                let room = (high / low).powf(0.05).max(1.2);
                (low / room, high * room)
            }
        };
        Self { name: name.into(), unit: unit.map(str::to_owned), range, scale }
    }

    /// `amount, EUR`.
    pub fn label(&self) -> String {
        self.unit.as_ref().map_or_else(|| self.name.clone(), |unit| format!("{}, {unit}", self.name))
    }

    /// Where a number lies on the axis, 0 at its beginning, 1 at its end, kept within them.
    pub fn share(&self, value: f64) -> f64 {
        let share = match self.scale {
            Scale::Linear => (value - self.range.0) / (self.range.1 - self.range.0),
            Scale::Logarithmic => (value / self.range.0).ln() / (self.range.1 / self.range.0).ln(),
        };
        // An axis without extent, and no number: the middle.
        if share.is_nan() { 0.5 } else { share.clamp(0.0, 1.0) }
    }

    /// The number at a place on the axis: the inverse of [`Self::share`].
    pub fn at(&self, share: f64) -> f64 {
        let (low, high) = self.range;
        match self.scale {
            Scale::Linear => low + (high - low) * share,
            Scale::Logarithmic => low * (high / low).powf(share),
        }
    }

    /// Round numbers within the range, ascending: about `n` of them; on a logarithmic axis powers of ten, or 1, 2 and 5 times those.
    pub fn ticks(&self, n: u16) -> Vec<f64> {
        let (low, high) = self.range;
        let span = high - low;
        if !(span.is_finite() && span > 0.0 && n > 0) {
            return Vec::new();
        }
        if self.scale == Scale::Logarithmic {
            return self.logarithmic_ticks(n);
        }
        let step = round_step(span / f64::from(n));
        let first = (low / step).ceil() as i64;
        let last = (high / step).floor() as i64;
        // Where the numbers are too large for their span there may be no round ones between them.
        let is_inside = |tick: &f64| *tick >= low - step * 1e-6 && *tick <= high + step * 1e-6;
        (first..=last.min(first.saturating_add(100))).map(|index| index as f64 * step).filter(is_inside).collect()
    }

    fn logarithmic_ticks(&self, n: u16) -> Vec<f64> {
        let (low, high) = self.range;
        if low <= 0.0 {
            return Vec::new();
        }
        let decades = (high / low).log10();
        let mantissas: &[f64] = if decades * 3.0 <= f64::from(n) * 1.5 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let every = (decades / f64::from(n)).ceil().max(1.0) as usize;
        let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
        let powers = (first..=last).step_by(every);
        let ticks = powers.flat_map(|power| mantissas.iter().map(move |mantissa| mantissa * 10_f64.powi(power)));
        ticks.filter(|tick| *tick >= low * (1.0 - 1e-9) && *tick <= high * (1.0 + 1e-9)).collect()
    }
}

/// 1, 2 or 5 times a power of ten, near `step`.
fn round_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let mantissa = step / power;
    let round = [1.0, 2.0, 5.0, 10.0].into_iter().find(|round| mantissa <= round * 1.2).unwrap_or(10.0);
    round * power
}

impl Series {
    pub fn line(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Self { name: name.into(), kind: SeriesKind::Line, points, labels: Vec::new() }
    }

    pub fn points(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Self { name: name.into(), kind: SeriesKind::Points, points, labels: Vec::new() }
    }

    pub fn bars(name: impl Into<String>, width: f64, points: Vec<(f64, f64)>) -> Self {
        Self { name: name.into(), kind: SeriesKind::Bars { width }, points, labels: Vec::new() }
    }

    /// Says what each point stands for.
    pub fn labelled(self, labels: Vec<String>) -> Self {
        debug_assert_eq!(labels.len(), self.points.len(), "a label for each point of '{}'", self.name);
        Self { labels, ..self }
    }

    /// The height of the line at `x`, straight between its points and level beyond them; nothing for a series without points.
    pub fn y_at(&self, x: f64) -> Option<f64> {
        let after = self.points.partition_point(|point| point.0 < x);
        let before = after.checked_sub(1).and_then(|before| self.points.get(before));
        match (before, self.points.get(after)) {
            (Some(before), Some(after)) if after.0 > before.0 => Some(before.1 + (after.1 - before.1) * (x - before.0) / (after.0 - before.0)),
            (_, Some(point)) | (Some(point), None) => Some(point.1),
            (None, None) => None,
        }
    }
}

impl Figure {
    /// A figure of one series, and nothing else.
    pub fn of(title: impl Into<String>, x: Axis, y: Axis, series: Series) -> Self {
        Self { title: title.into(), x, y, series: vec![series], levels: Vec::new(), x_now: None }
    }

    /// Whether the series need a legend to be told apart.
    pub fn has_legend(&self) -> bool {
        self.series.len() > 1
    }

    /// The points as a table with a header, exact. With several series, or labels, each row says what it belongs to.
    pub fn to_csv(&self) -> String {
        let has_labels = self.series.iter().any(|series| !series.labels.is_empty());
        let mut text = String::new();
        if self.has_legend() {
            text.push_str("series,");
        }
        let _ = write!(text, "{},{}", csv_cell(&self.x.name), csv_cell(&self.y.name));
        text.push_str(if has_labels { ",label\n" } else { "\n" });
        for series in &self.series {
            for (index, (x, y)) in series.points.iter().enumerate() {
                if self.has_legend() {
                    let _ = write!(text, "{},", csv_cell(&series.name));
                }
                let _ = write!(text, "{x},{y}");
                if has_labels {
                    let _ = write!(text, ",{}", csv_cell(series.labels.get(index).map_or("", String::as_str)));
                }
                text.push('\n');
            }
        }
        text
    }

    /// The present place, kept within the axis, with the height of the first series there.
    pub fn now(&self) -> Option<(f64, f64)> {
        let (low, high) = self.x.range;
        let x = self.x_now?.max(low).min(high);
        Some((x, self.series.first()?.y_at(x)?))
    }

    /// What a point says when one asks: its label, and its coordinates with their units.
    pub fn describe(&self, series: &Series, index: usize) -> String {
        let Some(&(x, y)) = series.points.get(index) else { return String::new() };
        let with_unit = |axis: &Axis, value: f64| match &axis.unit {
            Some(unit) => format!("{} {unit}", format::number(value)),
            None => format::number(value),
        };
        let place = format!("{} → {}", with_unit(&self.x, x), with_unit(&self.y, y));
        match series.labels.get(index) {
            Some(label) => format!("{label}: {place}"),
            None => place,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn axis(range: (f64, f64)) -> Axis {
        Axis::new("", None, range)
    }

    pub fn figure() -> Figure {
        let line = Series::line("fraud", vec![(0.0, 0.25), (50.0, 0.5), (100.0, 1.0)]);
        let (x, y) = (Axis::new("amount, gross", Some("EUR"), (0.0, 100.0)), Axis::new("probability", None, (0.0, 1.0)));
        Figure { x_now: Some(75.0), ..Figure::of("a < b & c", x, y, line) }
    }

    #[test]
    fn the_line_is_straight_between_its_points_and_level_beyond_them() {
        let line = &figure().series[0];
        for (x, y) in [(-10.0, 0.25), (0.0, 0.25), (25.0, 0.375), (75.0, 0.75), (1e9, 1.0)] {
            assert_eq!(line.y_at(x), Some(y), "at {x}");
        }
        assert_eq!(Series::line("", Vec::new()).y_at(0.0), None);
        assert_eq!(figure().now(), Some((75.0, 0.75)));
    }

    #[test]
    fn ticks_are_round_numbers_within_the_range() {
        assert_eq!(axis((0.0, 1.0)).ticks(5), [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]);
        assert_eq!(axis((3.0, 97.0)).ticks(5), [20.0, 40.0, 60.0, 80.0]);
        assert_eq!(axis((1.0, 1.0)).ticks(5), Vec::<f64>::new());
        assert!(axis((0.0, f64::NAN)).ticks(5).is_empty());
        assert!(axis((-1e300, 1e300)).ticks(5).len() < 20);
    }

    #[test]
    fn a_logarithmic_axis_has_ticks_at_powers_of_ten() {
        let near = |found: Vec<f64>, expected: &[f64]| {
            assert_eq!(found.len(), expected.len(), "{found:?}");
            assert!(found.iter().zip(expected).all(|(found, expected)| (found / expected - 1.0).abs() < 1e-9), "{found:?}");
        };
        near(axis((0.5, 2000.0)).logarithmic().ticks(5), &[1.0, 10.0, 100.0, 1000.0]);
        near(axis((3.0, 60.0)).logarithmic().ticks(5), &[5.0, 10.0, 20.0, 50.0]);
        assert!(axis((1e-300, 1e300)).logarithmic().ticks(5).len() < 20);
        assert!(axis((0.0, 10.0)).logarithmic().ticks(5).is_empty());
    }

    #[test]
    fn a_place_on_an_axis_goes_there_and_back() {
        for axis in [axis((2.0, 10.0)), axis((0.1, 1000.0)).logarithmic()] {
            for share in [0.0, 0.25, 1.0] {
                assert!((axis.share(axis.at(share)) - share).abs() < 1e-12);
            }
            assert_eq!((axis.share(-1e9).clamp(0.0, 1.0), axis.share(1e9)), (axis.share(-1e9), 1.0));
        }
        assert_eq!(axis((1.0, 1.0)).share(1.0), 0.5);
    }

    #[test]
    fn an_axis_goes_around_its_values() {
        let around = |scale, values: &[f64]| Axis::around("", None, scale, values.iter().copied()).range;
        assert_eq!(around(Scale::Linear, &[0.0, 100.0, f64::NAN]), (-5.0, 105.0));
        assert_eq!(around(Scale::Linear, &[]), (0.0, 1.0));
        assert_eq!(around(Scale::Linear, &[4.0]), (2.0, 6.0));
        let (low, high) = around(Scale::Logarithmic, &[-3.0, 1.0, 10.0]);
        assert!(low > 0.5 && low < 1.0 && high > 10.0 && high < 20.0);
    }

    #[test]
    fn a_table_of_the_points_can_be_read_back() {
        assert_eq!(figure().to_csv(), "\"amount, gross\",probability\n0,0.25\n50,0.5\n100,1\n");
        let mut figure = figure();
        figure.series.push(Series::points("b", vec![(1.0, 2.0)]).labelled(vec!["x, y".to_owned()]));
        assert!(figure.to_csv().starts_with("series,\"amount, gross\",probability,label\nfraud,0,0.25,\n"), "{}", figure.to_csv());
        assert!(figure.to_csv().ends_with("b,1,2,\"x, y\"\n"));
        assert_eq!(figure.describe(&figure.series[1], 0), "x, y: 1 EUR → 2");
    }
}
