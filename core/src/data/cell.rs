//! One cell of a table, whatever the file's format, and the one place that knows how numbers, booleans and missing values are spelled.
//!
//! A cell is missing when it is empty or, ignoring case and outer spaces, one of [`MISSING_SPELLINGS`]. Numbers are spelled as in
//! programming languages, whatever the locale: `-1.5e3`, `.5`, `inf`; a decimal comma is not a number.

use std::borrow::Cow;

/// What stands in one cell. Text formats that have no types (CSV) give everything as text.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'a> {
    Missing,
    Text(Cow<'a, str>),
    Number(f64),
    /// A number that the file holds as float32, so that it prints as one.
    Float(f32),
    Integer(i64),
    Boolean(bool),
}

/// How programs spell a missing value, in lower case; an empty cell is missing too.
pub const MISSING_SPELLINGS: [&str; 7] = ["na", "n/a", "#n/a", "<na>", "nan", "null", "none"];

/// Whether a text is one of the [`MISSING_SPELLINGS`], or nothing but spaces.
pub fn is_missing_text(text: &str) -> bool {
    let text = text.trim_ascii();
    text.len() <= 4 && (text.is_empty() || MISSING_SPELLINGS.iter().any(|spelling| spelling.eq_ignore_ascii_case(text)))
}

/// A number as text; `None` where it is not one.
pub fn parse_number<N: fast_float2::FastFloat>(text: &str) -> Option<N> {
    let text = text.trim_ascii();
    let digits = match text.strip_prefix('+') {
        Some(rest) if !rest.starts_with(['+', '-']) => rest,
        Some(_) => return None,
        None => text,
    };
    fast_float2::parse(digits).ok()
}

/// `true` or `false` in any case.
pub fn parse_boolean(text: &str) -> Option<bool> {
    let text = text.trim_ascii();
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// A whole number as text: digits, or a float without a fraction that is exact (`41.0`, `1e3`).
pub fn parse_integer(text: &str) -> Option<i64> {
    let text = text.trim_ascii();
    text.parse().ok().or_else(|| whole(parse_number(text)?))
}

/// A float as an integer, where it is one and exact.
pub fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    // The bound makes the conversion exact.
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
}

impl Cell<'_> {
    /// The cell as a number: numbers, booleans (1 and 0), and texts that spell one. `Ok(None)` for a missing value.
    pub fn to_f64(&self) -> Result<Option<f64>, NotANumber> {
        match self {
            Self::Missing => Ok(None),
            Self::Number(number) => Ok((!number.is_nan()).then_some(*number)),
            Self::Float(number) => Ok((!number.is_nan()).then_some(f64::from(*number))),
            Self::Integer(number) => Ok(Some(*number as f64)),
            Self::Boolean(value) => Ok(Some(f64::from(u8::from(*value)))),
            Self::Text(text) => number_or_missing(text),
        }
    }

    /// As [`Self::to_f64`], rounded once.
    pub fn to_f32(&self) -> Result<Option<f32>, NotANumber> {
        match self {
            Self::Text(text) => number_or_missing(text),
            Self::Integer(number) => Ok(Some(*number as f32)),
            _ => Ok(self.to_f64()?.map(|number| number as f32)),
        }
    }

    /// The cell as a whole number. `Ok(None)` for a missing value.
    pub fn to_i64(&self) -> Result<Option<i64>, NotANumber> {
        match self {
            Self::Missing => Ok(None),
            Self::Integer(number) => Ok(Some(*number)),
            Self::Boolean(value) => Ok(Some(i64::from(*value))),
            Self::Number(_) | Self::Float(_) => match self.to_f64()? {
                Some(number) => whole(number).map(Some).ok_or(NotANumber),
                None => Ok(None),
            },
            Self::Text(text) => match parse_integer(text) {
                Some(number) => Ok(Some(number)),
                None if is_missing_text(text) => Ok(None),
                None => parse_boolean(text).map(|value| Some(i64::from(value))).ok_or(NotANumber),
            },
        }
    }

    /// The cell as text, as CSV would spell it; `None` for a missing value.
    pub fn to_text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Missing => None,
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Number(number) => Some(Cow::Owned(zmij::Buffer::new().format(*number).to_owned())),
            Self::Float(number) => Some(Cow::Owned(zmij::Buffer::new().format(*number).to_owned())),
            Self::Integer(number) => Some(Cow::Owned(itoa::Buffer::new().format(*number).to_owned())),
            Self::Boolean(value) => Some(Cow::Borrowed(if *value { "true" } else { "false" })),
        }
    }
}

/// The text spells no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotANumber;

fn number_or_missing<N: fast_float2::FastFloat + NumberLike>(text: &str) -> Result<Option<N>, NotANumber> {
    match parse_number::<N>(text) {
        Some(number) => Ok((!number.is_not_a_number()).then_some(number)),
        None if is_missing_text(text) => Ok(None),
        None => parse_boolean(text).map(|value| Some(N::of(value))).ok_or(NotANumber),
    }
}

/// What the two float types share here.
trait NumberLike {
    fn is_not_a_number(&self) -> bool;
    fn of(value: bool) -> Self;
}

macro_rules! number_like {
    ($($t:ty),*) => {
        $(impl NumberLike for $t {
            fn is_not_a_number(&self) -> bool {
                self.is_nan()
            }

            fn of(value: bool) -> Self {
                Self::from(u8::from(value))
            }
        })*
    };
}
number_like!(f32, f64);

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Cell<'_> {
        Cell::Text(Cow::Borrowed(text))
    }

    #[test]
    fn numbers_are_read_whatever_the_locale() {
        for (spelled, expected) in
            [("1", 1.0), (" -1.5e3 ", -1500.0), ("+2", 2.0), (".5", 0.5), ("5.", 5.0), ("1e400", f64::INFINITY), ("-inf", f64::NEG_INFINITY)]
        {
            assert_eq!(text(spelled).to_f64(), Ok(Some(expected)), "{spelled}");
        }
        for spelled in ["1,5", "1_000", "0x10", "--1", "+-1", "1 2", "abc", "12abc"] {
            assert_eq!(text(spelled).to_f64(), Err(NotANumber), "{spelled}");
        }
        assert_eq!(text("True").to_f32(), Ok(Some(1.0)));
        assert_eq!(text("false").to_i64(), Ok(Some(0)));
    }

    #[test]
    fn missing_values_have_many_spellings() {
        for spelled in ["", "  ", "NA", "n/a", "NaN", "nan", "NULL", "None", "#N/A", "<NA>"] {
            assert_eq!(text(spelled).to_f64(), Ok(None), "{spelled:?}");
            assert_eq!(text(spelled).to_i64(), Ok(None), "{spelled:?}");
            assert!(is_missing_text(spelled));
        }
        assert!(!is_missing_text("nano"));
        assert!(!is_missing_text("0"));
        assert_eq!(Cell::Number(f64::NAN).to_f32(), Ok(None));
    }

    #[test]
    fn whole_numbers_keep_every_digit() {
        assert_eq!(text("9223372036854775807").to_i64(), Ok(Some(i64::MAX)));
        assert_eq!(text("41.0").to_i64(), Ok(Some(41)));
        assert_eq!(text("41.5").to_i64(), Err(NotANumber));
        assert_eq!(text("1e300").to_i64(), Err(NotANumber));
        assert_eq!(Cell::Number(3.0).to_i64(), Ok(Some(3)));
        assert_eq!(Cell::Number(0.5).to_i64(), Err(NotANumber));
    }
}
