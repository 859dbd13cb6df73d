//! Numbers from texts and texts from numbers, as ONNX Runtime reads and writes them.

use compact_str::{CompactString, ToCompactString as _, format_compact};
use half::{bf16, f16};

use super::unsupported;
use crate::host::{Bool, ElementType};
use crate::ops::OpError;
use crate::tensor::Tensor;

/// Numbers from texts. Whole numbers may be written with a point or an exponent and are truncated.
pub(super) fn parse(input: &Tensor, to: ElementType) -> Result<Tensor, OpError> {
    let strings = input.as_strings()?;
    macro_rules! parse {
        ($t:ty, $parse:expr) => {{
            let values: Result<Vec<$t>, OpError> = strings
                .iter()
                .enumerate()
                .map(|(index, text)| {
                    let value: Option<$t> = $parse(text.trim());
                    value.ok_or_else(|| OpError::value(format!("element {index}, '{text}', is not a number that fits {}", to)))
                })
                .collect();
            Ok(Tensor::from_vec(input.shape(), values?)?)
        }};
    }
    macro_rules! parse_int {
        ($t:ty) => {
            parse!($t, |text: &str| text.parse().ok().or_else(|| {
                // "100.5" and "1e3" are whole numbers after truncation.
                let value = text.parse::<f64>().ok()?.trunc();
                (value >= <$t>::MIN as f64 && value <= <$t>::MAX as f64).then_some(value as $t)
            }))
        };
    }
    match to {
        ElementType::F32 => parse!(f32, |text: &str| text.parse().ok()),
        ElementType::F64 => parse!(f64, |text: &str| text.parse().ok()),
        ElementType::F16 => parse!(f16, |text: &str| text.parse().ok().map(f16::from_f64)),
        ElementType::Bf16 => parse!(bf16, |text: &str| text.parse().ok().map(bf16::from_f64)),
        ElementType::I8 => parse_int!(i8),
        ElementType::I16 => parse_int!(i16),
        ElementType::I32 => parse_int!(i32),
        ElementType::I64 => parse_int!(i64),
        ElementType::U8 => parse_int!(u8),
        ElementType::U16 => parse_int!(u16),
        ElementType::U32 => parse_int!(u32),
        ElementType::U64 => parse_int!(u64),
        ElementType::Bool => parse!(Bool, |text: &str| text.parse::<f64>().ok().map(|value| Bool::new(value != 0.0))),
        to => Err(unsupported(ElementType::String, to)),
    }
}

/// Numbers as texts.
pub(super) fn write(input: &Tensor) -> Result<Tensor, OpError> {
    macro_rules! write {
        ($t:ty, |$value:ident| $text:expr) => {
            input.as_slice::<$t>()?.iter().map(|&$value| $text).collect::<Vec<CompactString>>()
        };
    }
    let strings = match input.element_type() {
        ElementType::F32 => write!(f32, |value| float_text(f64::from(value))),
        ElementType::F64 => write!(f64, |value| float_text(value)),
        ElementType::F16 => write!(f16, |value| float_text(value.to_f64())),
        ElementType::Bf16 => write!(bf16, |value| float_text(value.to_f64())),
        ElementType::I8 => write!(i8, |value| value.to_compact_string()),
        ElementType::I16 => write!(i16, |value| value.to_compact_string()),
        ElementType::I32 => write!(i32, |value| value.to_compact_string()),
        ElementType::I64 => write!(i64, |value| value.to_compact_string()),
        ElementType::U8 => write!(u8, |value| value.to_compact_string()),
        ElementType::U16 => write!(u16, |value| value.to_compact_string()),
        ElementType::U32 => write!(u32, |value| value.to_compact_string()),
        ElementType::U64 => write!(u64, |value| value.to_compact_string()),
        ElementType::Bool => write!(Bool, |value| u8::from(value.get()).to_compact_string()),
        other => return Err(unsupported(other, ElementType::String)),
    };
    Ok(Tensor::from_strings(input.shape(), strings)?)
}

/// Eight significant digits without trailing zeros, as C's `%.8g` writes them, because that is what ONNX Runtime does.
fn float_text(value: f64) -> CompactString {
    const DIGITS: i32 = 8;
    if value.is_nan() {
        return CompactString::const_new("NaN");
    }
    if value.is_infinite() {
        return CompactString::const_new(if value > 0.0 { "INF" } else { "-INF" });
    }
    let scientific = format_compact!("{value:.7e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let without_zeros =
        |text: &str| if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_compact_string() } else { text.into() };
    if (-4..DIGITS).contains(&exponent) {
        let decimals = usize::try_from(DIGITS - 1 - exponent).unwrap_or(0);
        without_zeros(&format_compact!("{value:.decimals$}"))
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        format_compact!("{}e{sign}{:02}", without_zeros(mantissa), exponent.abs())
    }
}
