//! What faces show and what people save: figures whose title states the finding and whose axes have units. Knows neither screens nor models.

use std::fmt::Write as _;

use crate::format;

/// One line over a range of numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// A sentence that says what the line shows.
    pub title: String,
    pub x: Axis,
    pub y: Axis,
    /// `(x, y)` with ascending x.
    pub points: Vec<(f64, f64)>,
    /// The place on x that is marked as the present one.
    pub x_now: Option<f64>,
}

/// What one direction of a figure stands for.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    pub name: String,
    pub unit: Option<String>,
    /// The ends that are drawn.
    pub range: (f64, f64),
}

impl Axis {
    /// `amount, EUR`.
    pub fn label(&self) -> String {
        self.unit.as_ref().map_or_else(|| self.name.clone(), |unit| format!("{}, {unit}", self.name))
    }

    /// Round numbers within the range, ascending: about `n` of them.
    pub fn ticks(&self, n: u16) -> Vec<f64> {
        let (low, high) = self.range;
        let span = high - low;
        if !(span.is_finite() && span > 0.0 && n > 0) {
            return Vec::new();
        }
        let step = round_step(span / f64::from(n));
        let first = (low / step).ceil() as i64;
        let last = (high / step).floor() as i64;
        // Where the numbers are too large for their span there may be no round ones between them.
        let is_inside = |tick: &f64| *tick >= low - step * 1e-6 && *tick <= high + step * 1e-6;
        (first..=last.min(first.saturating_add(100))).map(|index| index as f64 * step).filter(is_inside).collect()
    }
}

/// 1, 2 or 5 times a power of ten, near `step`.
fn round_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let mantissa = step / power;
    let round = [1.0, 2.0, 5.0, 10.0].into_iter().find(|round| mantissa <= round * 1.2).unwrap_or(10.0);
    round * power
}

impl Figure {
    /// The height of the line at `x`, straight between its points; nothing for a figure without points.
    pub fn y_at(&self, x: f64) -> Option<f64> {
        let after = self.points.partition_point(|point| point.0 < x);
        let before = after.checked_sub(1).and_then(|before| self.points.get(before));
        match (before, self.points.get(after)) {
            (Some(before), Some(after)) if after.0 > before.0 => Some(before.1 + (after.1 - before.1) * (x - before.0) / (after.0 - before.0)),
            (_, Some(point)) | (Some(point), None) => Some(point.1),
            (None, None) => None,
        }
    }

    /// The points as a table with a header, exact.
    pub fn to_csv(&self) -> String {
        let mut text = format!("{},{}\n", csv_cell(&self.x.name), csv_cell(&self.y.name));
        for (x, y) in &self.points {
            let _ = writeln!(text, "{x},{y}");
        }
        text
    }

    /// The figure as a picture of lines and text, on white, that any browser shows.
    pub fn to_svg(&self) -> String {
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             font-family=\"system-ui, sans-serif\" font-size=\"12\" fill=\"{WEAK_INK}\">\n\
             <title>{title}</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
             <text x=\"{LEFT}\" y=\"28\" font-size=\"15\" fill=\"{INK}\">{title}</text>\n",
            title = escaped(&self.title),
        );
        for tick in self.y.ticks(5) {
            let y = self.place_y(tick);
            let _ = writeln!(svg, "<path d=\"M{LEFT} {y:.1}H{RIGHT}\" stroke=\"{GRID}\"/>");
            let _ = writeln!(svg, "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>", LEFT - 8.0, y + 4.0, format::number(tick));
        }
        for tick in self.x.ticks(6) {
            let x = self.place_x(tick);
            let _ = writeln!(svg, "<path d=\"M{x:.1} {BOTTOM}v5\" stroke=\"{WEAK_INK}\"/>");
            let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>", BOTTOM + 20.0, format::number(tick));
        }
        let _ = writeln!(svg, "<path d=\"M{LEFT} {BOTTOM}H{RIGHT}\" stroke=\"{WEAK_INK}\"/>");
        let middle = f64::midpoint(LEFT, RIGHT);
        let _ = writeln!(svg, "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{}</text>", BOTTOM + 42.0, escaped(&self.x.label()));
        let _ = writeln!(svg, "<text x=\"{LEFT}\" y=\"{}\">{}</text>", TOP - 12.0, escaped(&self.y.label()));
        let path: Vec<String> = self.points.iter().map(|&(x, y)| format!("{:.1} {:.1}", self.place_x(x), self.place_y(y))).collect();
        if !path.is_empty() {
            let _ = writeln!(svg, "<path d=\"M{}\" fill=\"none\" stroke=\"{ACCENT}\" stroke-width=\"2\" stroke-linejoin=\"round\"/>", path.join("L"));
        }
        if let Some((x, y)) = self.now() {
            let (x, y) = (self.place_x(x), self.place_y(y));
            let _ = writeln!(svg, "<path d=\"M{x:.1} {TOP}V{BOTTOM}\" stroke=\"{WEAK_INK}\" stroke-dasharray=\"3 3\"/>");
            let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{ACCENT}\" stroke=\"#ffffff\" stroke-width=\"2\"/>");
        }
        svg.push_str("</svg>\n");
        svg
    }

    /// The present place, kept within the axis, with the height of the line there.
    pub fn now(&self) -> Option<(f64, f64)> {
        let (low, high) = self.x.range;
        let x = self.x_now?.max(low).min(high);
        Some((x, self.y_at(x)?))
    }

    fn place_x(&self, x: f64) -> f64 {
        LEFT + (RIGHT - LEFT) * share(x, self.x.range)
    }

    fn place_y(&self, y: f64) -> f64 {
        BOTTOM - (BOTTOM - TOP) * share(y, self.y.range)
    }
}

// A picture's measures, in its own units, and its colours.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 72.0;
const RIGHT: f64 = 696.0;
const TOP: f64 = 72.0;
const BOTTOM: f64 = 300.0;
const INK: &str = "#1f2328";
const WEAK_INK: &str = "#59636e";
const GRID: &str = "#e4e7eb";
const ACCENT: &str = "#0072b2";

/// Where a number lies in a range, 0 to 1.
fn share(value: f64, (low, high): (f64, f64)) -> f64 {
    if high > low { ((value - low) / (high - low)).clamp(0.0, 1.0) } else { 0.5 }
}

fn csv_cell(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// Text as it may stand in XML; control characters, which XML forbids, become blanks.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(name: &str, unit: Option<&str>, range: (f64, f64)) -> Axis {
        Axis { name: name.to_owned(), unit: unit.map(str::to_owned), range }
    }

    fn figure() -> Figure {
        Figure {
            title: "a < b & c".to_owned(),
            x: axis("amount, gross", Some("EUR"), (0.0, 100.0)),
            y: axis("probability", None, (0.0, 1.0)),
            points: vec![(0.0, 0.25), (50.0, 0.5), (100.0, 1.0)],
            x_now: Some(75.0),
        }
    }

    #[test]
    fn the_line_is_straight_between_its_points_and_level_beyond_them() {
        let figure = figure();
        for (x, y) in [(-10.0, 0.25), (0.0, 0.25), (25.0, 0.375), (75.0, 0.75), (1e9, 1.0)] {
            assert_eq!(figure.y_at(x), Some(y), "at {x}");
        }
        assert_eq!(Figure { points: Vec::new(), ..figure }.y_at(0.0), None);
    }

    #[test]
    fn ticks_are_round_numbers_within_the_range() {
        assert_eq!(axis("", None, (0.0, 1.0)).ticks(5), [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]);
        assert_eq!(axis("", None, (3.0, 97.0)).ticks(5), [20.0, 40.0, 60.0, 80.0]);
        assert_eq!(axis("", None, (1.0, 1.0)).ticks(5), Vec::<f64>::new());
        assert!(axis("", None, (0.0, f64::NAN)).ticks(5).is_empty());
        assert!(axis("", None, (-1e300, 1e300)).ticks(5).len() < 20);
    }

    #[test]
    fn a_table_of_the_points_can_be_read_back() {
        assert_eq!(figure().to_csv(), "\"amount, gross\",probability\n0,0.25\n50,0.5\n100,1\n");
    }

    #[test]
    fn a_picture_is_well_formed_and_says_what_it_shows() {
        let svg = figure().to_svg();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        assert!(svg.contains("a &lt; b &amp; c") && !svg.contains("b & c"));
        assert!(svg.contains(">amount, gross, EUR<"));
        // A quarter and three quarters of the height, from below.
        assert!(svg.contains("M72.0 243.0L384.0 186.0L696.0 72.0"), "{svg}");
        assert!(svg.contains("<circle cx=\"540.0\" cy=\"129.0\""), "{svg}");
    }
}
