//! Quantities as people write them in limits: `5ms`, `10MB`, `0.99`. One reading for every option, form and file.

use std::time::Duration;

/// A length of time: `5ms`, `800us`, `1.5 s`, `2min`. A number needs its unit.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    const EXPECTED: &str = "expected a time with its unit, such as 5ms, 800us or 1.5s";
    let (number, unit) = split(text).ok_or(EXPECTED)?;
    let seconds = match unit {
        "ns" => 1e-9,
        "us" | "µs" | "μs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(EXPECTED.to_owned()),
    };
    Duration::try_from_secs_f64(number * seconds).map_err(|_| EXPECTED.to_owned())
}

/// A size: `10MB`, `512 KiB`, `1.5GB`, `1000` bytes. Prefixes go by thousands, those with an `i` by 1024.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    const EXPECTED: &str = "expected a size, such as 10MB, 512KiB or 1.5GB";
    let (number, unit) = split(text).ok_or(EXPECTED)?;
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kb" => 1e3,
        "m" | "mb" => 1e6,
        "g" | "gb" => 1e9,
        "t" | "tb" => 1e12,
        "kib" => 1024.0,
        "mib" => 1_048_576.0,
        "gib" => 1_073_741_824.0,
        "tib" => 1_099_511_627_776.0,
        _ => return Err(EXPECTED.to_owned()),
    };
    let bytes = number * factor;
    if bytes < 1e18 { Ok(bytes.round() as u64) } else { Err(EXPECTED.to_owned()) }
}

/// A part of the whole, 0 to 1: `0.99`, `99%`.
pub fn parse_share(text: &str) -> Result<f64, String> {
    const EXPECTED: &str = "expected a share between 0 and 1, such as 0.99 or 99%";
    let (number, unit) = split(text).ok_or(EXPECTED)?;
    let share = match unit {
        "" => number,
        "%" => number / 100.0,
        _ => return Err(EXPECTED.to_owned()),
    };
    if share <= 1.0 { Ok(share) } else { Err(EXPECTED.to_owned()) }
}

/// A number that is not negative, and what stands behind it.
fn split(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let number: f64 = text.get(..end)?.parse().ok()?;
    number.is_finite().then(|| (number, text.get(end..).unwrap_or_default().trim()))
}

/// A time as [`parse_duration`] reads it, without loss.
pub fn duration_text(time: Duration) -> String {
    let nanoseconds = time.as_nanos();
    match nanoseconds {
        n if n.is_multiple_of(1_000_000_000) => format!("{}s", n / 1_000_000_000),
        n if n.is_multiple_of(1_000_000) => format!("{}ms", n / 1_000_000),
        n if n.is_multiple_of(1000) => format!("{}us", n / 1000),
        n => format!("{n}ns"),
    }
}

/// A size as [`parse_bytes`] reads it, without loss.
pub fn bytes_text(bytes: u64) -> String {
    for (unit, factor) in [("GB", 1_000_000_000), ("GiB", 1 << 30), ("MB", 1_000_000), ("MiB", 1 << 20), ("kB", 1000)] {
        if bytes > 0 && bytes.is_multiple_of(factor) {
            return format!("{}{unit}", bytes / factor);
        }
    }
    bytes.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit() {
        for (text, microseconds) in [("5ms", 5000), ("800us", 800), ("800 µs", 800), ("1.5s", 1_500_000), ("2min", 120_000_000)] {
            assert_eq!(parse_duration(text), Ok(Duration::from_micros(microseconds)), "{text}");
        }
        for text in ["", "5", "ms", "-5ms", "5 m", "1e30s", "five ms", "1.2.3s"] {
            assert!(parse_duration(text).is_err_and(|message| message.contains("5ms")), "{text}");
        }
    }

    #[test]
    fn sizes_go_by_thousands_unless_they_say_otherwise() {
        for (text, bytes) in [("10MB", 10_000_000), ("1 kb", 1000), ("512KiB", 524_288), ("1.5GB", 1_500_000_000), ("1000", 1000), ("3b", 3)] {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
        for text in ["", "MB", "-1MB", "10 megs", "99999999999TB"] {
            assert!(parse_bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn shares_lie_between_0_and_1() {
        assert_eq!((parse_share("0.99"), parse_share("99 %"), parse_share("0")), (Ok(0.99), Ok(0.99), Ok(0.0)));
        for text in ["", "1.1", "101%", "-0.1", "0.9x"] {
            assert!(parse_share(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for time in [Duration::from_millis(5), Duration::from_micros(1500), Duration::from_secs(3), Duration::from_nanos(7)] {
            assert_eq!(parse_duration(&duration_text(time)), Ok(time));
        }
        for bytes in [0, 1, 1000, 10_000_000, 1 << 20, 1_234_567] {
            assert_eq!(parse_bytes(&bytes_text(bytes)), Ok(bytes));
        }
    }
}
