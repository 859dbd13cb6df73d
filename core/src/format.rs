//! Numbers as people read them, in one place for all faces: three significant digits, thousands separated, SI units.
//! The exact value is always to be had elsewhere: in JSON, on hover, in the file.

use std::time::Duration;

/// A path in lists and sentences: the file's own name.
pub fn file_name(path: &std::path::Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// What the system says went wrong with a file, without its own words where plain ones are known.
pub fn file_problem(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        std::io::ErrorKind::PermissionDenied => "this may not be read or written: permission denied".to_owned(),
        _ => error.to_string(),
    }
}

/// A whole number with its thousands separated: `412,345`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 row`, `412,345 rows`. The plural takes an `s`.
pub fn counted(n: u64, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{} {noun}s", count(n)) }
}

/// A size in bytes: `999 B`, `1.2 MB`.
pub fn bytes(n: u64) -> String {
    scaled(n as f64, &["B", "kB", "MB", "GB", "TB", "PB"], " ")
}

/// A quantity with an SI prefix: `842`, `412k`, `1.18M`.
pub fn quantity(value: f64) -> String {
    scaled(value, &["", "k", "M", "G", "T", "P"], "")
}

/// A length of time: `41 µs`, `1.93 s`, `2 min 3 s`, `1 h 12 min`.
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 1e-6 {
        format!("{} ns", time.as_nanos())
    } else if seconds < 0.999_5e-3 {
        format!("{} µs", significant(seconds * 1e6))
    } else if seconds < 0.999_5 {
        format!("{} ms", significant(seconds * 1e3))
    } else if seconds < 59.95 {
        format!("{} s", significant(seconds))
    } else {
        let whole = seconds.round() as u64;
        if whole < 3600 { format!("{} min {} s", whole / 60, whole % 60) } else { format!("{} h {} min", whole / 3600, whole % 3600 / 60) }
    }
}

/// A length of time that came as seconds from a report; nothing readable for what is no time.
pub fn seconds(seconds: f64) -> String {
    Duration::try_from_secs_f64(seconds).map_or_else(|_| "—".to_owned(), duration)
}

/// A number of any size: three significant digits, but never fewer than its whole part has.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return if value.is_nan() { "NaN".to_owned() } else { format!("{}∞", if value < 0.0 { "-" } else { "" }) };
    }
    let magnitude = value.abs();
    if magnitude >= 1e15 || (magnitude != 0.0 && magnitude < 1e-4) {
        return format!("{value:.2e}");
    }
    if magnitude >= 999.5 {
        let sign = if value < 0.0 { "-" } else { "" };
        return format!("{sign}{}", count(magnitude.round() as u64));
    }
    significant(value)
}

/// A probability: three decimals, so that columns of them line up.
pub fn probability(value: f64) -> String {
    format!("{value:.3}")
}

/// A share of the whole, given as 0 to 1: `12.3 %`.
pub fn percent(share: f64) -> String {
    format!("{} %", number(share * 100.0))
}

/// A change as a percentage, with its sign: `+300 %`, `-5.2 %`, `0 %`.
pub fn signed_percent(change: f64) -> String {
    format!("{}{}", if change > 0.0 { "+" } else { "" }, percent(change))
}

/// Three significant digits without superfluous zeros: `1.93`, `12`, `0.0412`.
fn significant(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let exponent = value.abs().log10().floor();
    let decimals = (2.0 - exponent).clamp(0.0, 12.0) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn scaled(value: f64, units: &[&str], gap: &str) -> String {
    let mut value = value;
    let mut unit = units.first().copied().unwrap_or_default();
    for larger in units.iter().skip(1) {
        // 999.5 would round to 1000.
        if value.abs() < 999.5 {
            break;
        }
        value /= 1000.0;
        unit = larger;
    }
    format!("{}{gap}{unit}", significant(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_separate_thousands() {
        for (n, expected) in [(0, "0"), (999, "999"), (1000, "1,000"), (412_345, "412,345"), (1_234_567_890, "1,234,567,890")] {
            assert_eq!(count(n), expected);
        }
        assert_eq!(counted(1, "row"), "1 row");
        assert_eq!(counted(0, "row"), "0 rows");
    }

    #[test]
    fn sizes_and_quantities_take_the_next_unit_where_rounding_says_so() {
        for (n, expected) in [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (999_499, "999 kB"), (999_600, "1 MB"), (1_234_000_000, "1.23 GB")] {
            assert_eq!(bytes(n), expected);
        }
        assert_eq!(quantity(411_900.0), "412k");
        assert_eq!(quantity(12.0), "12");
    }

    #[test]
    fn times_take_the_unit_a_person_would() {
        for (micros, expected) in [(41, "41 µs"), (1_500, "1.5 ms"), (1_930_000, "1.93 s"), (123_000_000, "2 min 3 s"), (4_320_000_000, "1 h 12 min")]
        {
            assert_eq!(duration(Duration::from_micros(micros)), expected);
        }
        assert_eq!(duration(Duration::from_millis(59_960)), "1 min 0 s");
        assert_eq!(seconds(f64::NAN), "—");
    }

    #[test]
    fn numbers_keep_three_digits_and_their_whole_part() {
        for (value, expected) in
            [(0.0, "0"), (182.4, "182"), (1234.5, "1,235"), (-0.04123, "-0.0412"), (1e-9, "1.00e-9"), (f64::NAN, "NaN"), (-1500.0, "-1,500")]
        {
            assert_eq!(number(value), expected);
        }
    }
}
