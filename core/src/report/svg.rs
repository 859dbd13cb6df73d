//! A figure as a picture of lines and text, on white, that any browser shows.

use std::fmt::Write as _;

use crate::format;

use super::{Figure, Level, Series, SeriesKind, escaped};

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

/// The palette of Okabe and Ito, which colour-blind eyes tell apart, without its black and its yellow, which is lost on white.
const COLOURS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];

impl Figure {
    /// The figure as an SVG document.
    pub fn to_svg(&self) -> String {
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             font-family=\"system-ui, sans-serif\" font-size=\"12\" fill=\"{WEAK_INK}\">\n\
             <title>{title}</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
             <text x=\"{LEFT}\" y=\"28\" font-size=\"15\" fill=\"{INK}\">{title}</text>\n",
            title = escaped(&self.title),
        );
        self.draw_axes(&mut svg);
        for (series, colour) in self.series.iter().zip(COLOURS.iter().cycle()) {
            self.draw_series(&mut svg, series, colour);
        }
        for level in &self.levels {
            self.draw_level(&mut svg, level);
        }
        if let Some((x, y)) = self.now() {
            let (x, y) = (self.place_x(x), self.place_y(y));
            let accent = COLOURS[0];
            let _ = writeln!(svg, "<path d=\"M{x:.1} {TOP}V{BOTTOM}\" stroke=\"{WEAK_INK}\" stroke-dasharray=\"3 3\"/>");
            let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{accent}\" stroke=\"#ffffff\" stroke-width=\"2\"/>");
        }
        if self.has_legend() {
            self.draw_legend(&mut svg);
        }
        svg.push_str("</svg>\n");
        svg
    }

    fn draw_axes(&self, svg: &mut String) {
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
    }

    fn draw_series(&self, svg: &mut String, series: &Series, colour: &str) {
        let places = series.points.iter().map(|&(x, y)| (self.place_x(x), self.place_y(y)));
        match series.kind {
            SeriesKind::Line => {
                let path: Vec<String> = places.map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
                if !path.is_empty() {
                    let _ = writeln!(
                        svg,
                        "<path d=\"M{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" stroke-linejoin=\"round\"/>",
                        path.join("L")
                    );
                }
            }
            SeriesKind::Points => {
                for (index, (x, y)) in places.enumerate() {
                    let hint = escaped(&self.describe(series, index));
                    let _ = writeln!(
                        svg,
                        "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{colour}\" fill-opacity=\"0.8\"><title>{hint}</title></circle>"
                    );
                }
            }
            SeriesKind::Bars { width } => {
                for (index, &(x, y)) in series.points.iter().enumerate() {
                    let (left, right) = (self.place_x(x - width / 2.0), self.place_x(x + width / 2.0));
                    let (top, hint) = (self.place_y(y), escaped(&self.describe(series, index)));
                    let (wide, high) = ((right - left - 1.0).max(0.5), BOTTOM - top);
                    let _ = writeln!(
                        svg,
                        "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{wide:.1}\" height=\"{high:.1}\" fill=\"{colour}\"><title>{hint}</title></rect>"
                    );
                }
            }
        }
    }

    fn draw_level(&self, svg: &mut String, level: &Level) {
        let name = escaped(&level.name);
        if level.is_on_x {
            let x = self.place_x(level.at);
            let _ = writeln!(svg, "<path d=\"M{x:.1} {TOP}V{BOTTOM}\" stroke=\"{INK}\" stroke-dasharray=\"6 4\"/>");
            let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"{}\" fill=\"{INK}\">{name}</text>", x + 6.0, TOP + 12.0);
        } else {
            let y = self.place_y(level.at);
            let _ = writeln!(svg, "<path d=\"M{LEFT} {y:.1}H{RIGHT}\" stroke=\"{INK}\" stroke-dasharray=\"6 4\"/>");
            let _ = writeln!(svg, "<text x=\"{RIGHT}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"{INK}\">{name}</text>", y - 5.0);
        }
    }

    /// The series' names in their colours, in a line under the title.
    fn draw_legend(&self, svg: &mut String) {
        let mut x = f64::midpoint(LEFT, RIGHT);
        for (series, colour) in self.series.iter().zip(COLOURS.iter().cycle()) {
            let _ = writeln!(svg, "<rect x=\"{x:.1}\" y=\"{}\" width=\"10\" height=\"10\" fill=\"{colour}\"/>", TOP - 22.0);
            let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"{}\">{}</text>", x + 15.0, TOP - 13.0, escaped(&series.name));
            x += 30.0 + 6.5 * series.name.chars().count() as f64;
        }
    }

    fn place_x(&self, x: f64) -> f64 {
        LEFT + (RIGHT - LEFT) * self.x.share(x)
    }

    fn place_y(&self, y: f64) -> f64 {
        BOTTOM - (BOTTOM - TOP) * self.y.share(y)
    }
}

#[cfg(test)]
mod tests {
    use super::super::figure::tests::figure;
    use super::*;

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

    #[test]
    fn bars_points_levels_and_a_legend_are_drawn() {
        let mut figure = figure();
        figure.x_now = None;
        figure.series.push(Series::bars("bars", 50.0, vec![(25.0, 0.5)]));
        figure.series.push(Series::points("dots", vec![(50.0, 0.5)]).labelled(vec!["batch 8".to_owned()]));
        figure.levels.push(Level { name: "budget".to_owned(), at: 0.5, is_on_x: false });
        let svg = figure.to_svg();
        assert!(svg.contains("<rect x=\"72.0\" y=\"186.0\" width=\"311.0\" height=\"114.0\" fill=\"#d55e00\">"), "{svg}");
        assert!(svg.contains("<title>batch 8: 50 EUR → 0.5</title>"), "{svg}");
        assert!(svg.contains("M72 186.0H696") && svg.contains(">budget<") && svg.contains(">dots<"), "{svg}");
    }
}
