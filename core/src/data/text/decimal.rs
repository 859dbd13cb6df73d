//! Plain decimals, which most numbers in tables are, read eight characters at a time: `-12.375`, without exponent, at most 16 characters
//! behind the sign. Everything else is left to a full parser. The result is the number that a full parser finds, as a double and rounded
//! on to a float: a case in which rounding twice might differ is left to the full parser too.

/// ASCII zeros.
const ZEROS: u64 = 0x3030_3030_3030_3030;
const POINTS: u64 = 0x2e2e_2e2e_2e2e_2e2e;
/// The low seven bits of every byte.
const LOW_BITS: u64 = 0x7f7f_7f7f_7f7f_7f7f;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// Powers of ten that a double holds exactly, as far as 16 characters need them.
const POWERS: [f64; 17] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16];

/// The number that takes the last `length` bytes of `text`; `None` where it is no plain decimal, or `text` is too short to be read in words.
#[inline]
pub fn plain_decimal(text: &[u8], length: usize) -> Option<f64> {
    let is_negative = *text.get(text.len().checked_sub(length)?)? == b'-';
    let (mantissa, scale) = match length - usize::from(is_negative) {
        length @ 1..=8 => {
            let word = padded(u64::from_le_bytes(*text.last_chunk()?), length);
            if length == 1 && points(word) != 0 {
                return None;
            }
            let (word, scale) = without_point(word, b'0');
            (eight_digits(word)?, scale)
        }
        length @ 9..=16 => {
            let (words, _) = text.last_chunk::<16>()?.as_chunks::<8>();
            let [first, last] = words else { return None };
            let (mut first, mut last) = (padded(u64::from_le_bytes(*first), length - 8), u64::from_le_bytes(*last));
            let mut scale = 0;
            if points(last) != 0 {
                // The last character of the first word moves up into the second.
                (last, scale) = without_point(last, first.to_le_bytes()[7]);
                first = (first << 8) | u64::from(b'0');
            } else if points(first) != 0 {
                (first, scale) = without_point(first, b'0');
                scale += 8;
            }
            (eight_digits(first)? * 100_000_000 + eight_digits(last)?, scale)
        }
        _ => return None,
    };
    // Both are exact, so their quotient is rounded once.
    let quotient = (mantissa < 1 << 53).then_some(mantissa as f64)? / POWERS.get(scale)?;
    let is_midway_between_floats = quotient.to_bits() & 0x1fff_ffff == 0x1000_0000;
    (!is_midway_between_floats).then_some(if is_negative { -quotient } else { quotient })
}

/// The last `length` characters of a word, 1 to 8, behind zeros. The first character is the lowest byte.
#[inline]
fn padded(word: u64, length: usize) -> u64 {
    let keep = u64::MAX << ((8 - length) * 8);
    (word & keep) | (ZEROS & !keep)
}

/// 0x80 in each byte that is a decimal point.
#[inline]
fn points(word: u64) -> u64 {
    let differing = word ^ POINTS;
    !(((differing & LOW_BITS) + LOW_BITS) | differing | LOW_BITS)
}

/// The word without its first point, the characters before it moved up and `carry` ahead of them; and how many characters stood behind it.
#[inline]
fn without_point(word: u64, carry: u8) -> (u64, usize) {
    let points = points(word);
    if points == 0 {
        return (word, 0);
    }
    // All bits up to those of the point.
    let through = points ^ (points - 1);
    let before = through >> 8;
    ((word & !through) | ((word & before) << 8) | u64::from(carry), 7 - points.trailing_zeros() as usize / 8)
}

/// The number that eight digits spell; `None` where one of them is none.
#[inline]
fn eight_digits(word: u64) -> Option<u64> {
    let digits = word ^ ZEROS;
    if (digits.wrapping_add(0x7676_7676_7676_7676) | digits) & HIGH_BITS != 0 {
        return None;
    }
    // Pairs, then fours, then all eight.
    let pairs = digits * 10 + (digits >> 8);
    let hundreds = (pairs & 0x0000_00ff_0000_00ff).wrapping_mul(100 + (1_000_000 << 32));
    let units = (pairs >> 16 & 0x0000_00ff_0000_00ff).wrapping_mul(1 + (10_000 << 32));
    Some(hundreds.wrapping_add(units) >> 32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As in a block: behind other text.
    fn read(field: &str) -> Option<f64> {
        plain_decimal(format!("0.123456789,99,{field}").as_bytes(), field.len())
    }

    #[test]
    fn plain_decimals_are_read() {
        let cases = [
            "0",
            "7",
            "-1",
            "12345678",
            "-12345678",
            "0.5",
            ".5",
            "5.",
            "-.25",
            "1.2345678",
            "123456789",
            "12345678.9",
            "1234567.89",
            "-0.12345678901234",
            "9007199254740991",
            "1234567890.12345",
            "0.1",
            "00012.50",
            "-0",
        ];
        for field in cases {
            assert_eq!(read(field).map(f64::to_bits), Some(field.parse::<f64>().unwrap().to_bits()), "{field}");
        }
    }

    #[test]
    fn anything_else_is_left_alone() {
        for field in [
            "",
            "-",
            ".",
            "-.",
            "+1",
            "1e5",
            "1.2.3",
            "12345678.9.1",
            "1234567.8.91",
            "1,5",
            "a",
            " 1",
            "1 ",
            "--1",
            "nan",
            "0.12345678901234567",
            "9007199254740993",
            "1/2",
            "1:2",
        ] {
            assert_eq!(read(field), None, "{field:?}");
        }
        assert_eq!(plain_decimal(b"5", 1), None, "too short to be read in words");
    }

    proptest! {
        #[test]
        fn a_full_parser_agrees(field in "-?[0-9]{0,12}\\.?[0-9]{0,12}") {
            if let Some(number) = read(&field) {
                prop_assert_eq!(number.to_bits(), field.parse::<f64>().unwrap().to_bits());
                prop_assert_eq!((number as f32).to_bits(), field.parse::<f32>().unwrap().to_bits());
            }
        }
    }
}
