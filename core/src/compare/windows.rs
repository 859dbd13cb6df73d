//! Stretches of time, or of rows, by which agreement and metrics are followed.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::tally::TallyLayout;
use super::{WindowReport, WindowRow};
use crate::data::Cell;
use crate::score::Metric;

/// Windows kept, at most: more can't be looked at.
const MAX_WINDOWS: usize = 10_000;

/// How long a window is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    Seconds(u64),
    Rows(u64),
}

impl FromStr for Window {
    type Err = String;

    /// `15m`, `1h`, `1d`, `2w`, or a number of rows: `5000`, `5000 rows`.
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let wrong = || format!("'{text}': expected a length of time such as 15m, 1h, 1d or 2w, or a number of rows such as 5000");
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at_checked(digits).ok_or_else(wrong)?;
        let number = number.parse::<u64>().ok().filter(|number| *number > 0).ok_or_else(wrong)?;
        let seconds = match unit.trim() {
            "" | "row" | "rows" => return Ok(Self::Rows(number)),
            "m" | "min" => 60,
            "h" => 3600,
            "d" => 86_400,
            "w" => 7 * 86_400,
            _ => return Err(wrong()),
        };
        number.checked_mul(seconds).filter(|seconds| *seconds < 1 << 40).map(Self::Seconds).ok_or_else(wrong)
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Rows(rows) => write!(f, "{rows} rows"),
            Self::Seconds(seconds) => {
                let units = [(7 * 86_400, "w"), (86_400, "d"), (3600, "h"), (60, "m")];
                let fits = units.into_iter().find(|(length, _)| seconds.is_multiple_of(*length));
                let (length, unit) = fits.unwrap_or((60, "m"));
                write!(f, "{}{unit}", seconds.div_ceil(length))
            }
        }
    }
}

/// A cell as seconds since 1970: dates and times in ISO 8601, and numbers as what they can only be (seconds, milliseconds, micro- or
/// nanoseconds). `None` where it is missing.
pub fn seconds(cell: &Cell<'_>) -> Result<Option<f64>, String> {
    if let Ok(number) = cell.to_f64() {
        return Ok(number.map(|number| match number.abs() {
            ..1e11 => number,
            ..1e14 => number / 1e3,
            ..1e17 => number / 1e6,
            _ => number / 1e9,
        }));
    }
    let text = cell.to_text().unwrap_or_default();
    let text = text.trim_ascii();
    let utc = |time: jiff::civil::DateTime| jiff::tz::Offset::UTC.to_timestamp(time).ok();
    let time = text.parse::<jiff::Timestamp>().ok();
    let time = time.or_else(|| utc(text.parse().ok()?)).or_else(|| utc(text.parse::<jiff::civil::Date>().ok()?.at(0, 0, 0, 0)));
    match time {
        Some(time) => Ok(Some(time.as_nanosecond() as f64 / 1e9)),
        None => Err(format!("expected a time such as 2026-03-01, 2026-03-01T14:00:00Z or seconds since 1970, found '{text}'")),
    }
}

/// Sums by window.
pub struct WindowSums {
    window: Window,
    n_versions: usize,
    width: usize,
    windows: BTreeMap<i64, Sums>,
    rows_without_time: u64,
}

#[derive(Default)]
struct Sums {
    rows: u64,
    /// By version after the baseline.
    changed: Vec<u64>,
    /// By version.
    tallies: Vec<Vec<f64>>,
}

/// Counts of changed rows by version after the baseline, and tallies by version.
pub type WindowSlots<'a> = (&'a mut [u64], &'a mut [Vec<f64>]);

impl WindowSums {
    pub fn new(window: Window, n_versions: usize, width: usize) -> Self {
        Self { window, n_versions, width, windows: BTreeMap::new(), rows_without_time: 0 }
    }

    /// The window of a row: its tallies by version, for the caller to add to, and the counts of changed rows. `row` counts from 0.
    pub fn at(&mut self, row: u64, time: Option<f64>) -> Result<Option<WindowSlots<'_>>, String> {
        let index = match (self.window, time) {
            (Window::Rows(rows), _) => i64::try_from(row / rows).unwrap_or(i64::MAX),
            (Window::Seconds(seconds), Some(time)) if time.is_finite() => (time / seconds as f64).floor() as i64,
            _ => {
                self.rows_without_time += 1;
                return Ok(None);
            }
        };
        if self.windows.len() >= MAX_WINDOWS && !self.windows.contains_key(&index) {
            return Err(format!("more than {MAX_WINDOWS} windows of {}; choose a longer --window", self.window));
        }
        let (n_versions, width) = (self.n_versions, self.width);
        let sums = self.windows.entry(index).or_insert_with(|| Sums {
            rows: 0,
            changed: vec![0; n_versions.saturating_sub(1)],
            tallies: vec![vec![0.0; width]; n_versions],
        });
        sums.rows += 1;
        Ok(Some((&mut sums.changed, &mut sums.tallies)))
    }

    pub fn finish(self, time: Option<String>, layout: Option<&TallyLayout>) -> WindowReport {
        let metric = layout.map(TallyLayout::headline);
        let of = |tally: &Vec<f64>, metric: Metric| {
            let (_, value) = layout?.metrics(tally).into_iter().find(|(name, _)| *name == metric)?;
            Some(value)
        };
        let row = |(index, sums): (i64, Sums)| WindowRow {
            start: match self.window {
                Window::Rows(rows) => (index as u64 * rows + 1).to_string(),
                Window::Seconds(seconds) => {
                    let second = index.saturating_mul(i64::try_from(seconds).unwrap_or(i64::MAX));
                    jiff::Timestamp::from_second(second).map_or_else(|_| second.to_string(), |time| time.to_string())
                }
            },
            rows: sums.rows,
            changed_share: sums.changed.iter().map(|&changed| changed as f64 / sums.rows as f64).collect(),
            metric: sums.tallies.iter().map(|tally| metric.and_then(|metric| of(tally, metric))).collect(),
        };
        let windows = self.windows.into_iter().map(row).collect();
        WindowReport { time, window: self.window.to_string(), metric, windows, rows_without_time: self.rows_without_time }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    #[test]
    fn windows_are_written_and_read() {
        for (text, window, shown) in [
            ("1h", Window::Seconds(3600), "1h"),
            ("15m", Window::Seconds(900), "15m"),
            ("14d", Window::Seconds(14 * 86_400), "2w"),
            ("5000", Window::Rows(5000), "5000 rows"),
            ("20 rows", Window::Rows(20), "20 rows"),
        ] {
            assert_eq!(text.parse(), Ok(window), "{text}");
            assert_eq!(window.to_string(), shown);
        }
        for text in ["", "0", "d", "1y", "-1d", "1.5h", "99999999999999w"] {
            assert!(text.parse::<Window>().is_err(), "{text}");
        }
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        let text = |text: &'static str| seconds(&Cell::Text(Cow::Borrowed(text)));
        for (written, expected) in [
            ("1970-01-02", 86_400.0),
            ("1970-01-01T01:00:00Z", 3600.0),
            ("1970-01-01 01:00:00", 3600.0),
            ("1970-01-01T01:00:00+01:00", 0.0),
            ("1700000000", 1_700_000_000.0),
            ("1700000000000", 1_700_000_000.0),
        ] {
            assert_eq!(text(written), Ok(Some(expected)), "{written}");
        }
        assert_eq!(text(""), Ok(None));
        assert!(text("yesterday").is_err_and(|message| message.contains("found 'yesterday'")));
    }
}
