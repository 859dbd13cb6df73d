//! Cast and CastLike: between numbers, booleans and strings. BitCast: the same bits as another type.

use burn::backend::ops::{BoolTensorOps as _, FloatTensorOps as _};
use burn::tensor::FloatDType;
use compact_str::{CompactString, ToCompactString as _, format_compact};
use half::{bf16, f16};

use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::host::{Bool, Element, ElementType, HostTensor};
use crate::ops::logic::bool_dtype;
use crate::ops::operator::{Outputs, single};
use crate::ops::types::{Number, TypeSet, match_number};
use crate::ops::{Inputs, NodeContext, OpError, Operator, Placement, RunContext};
use crate::tensor::{Backend, Tensor};

pub(super) fn build(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let to = target(node)?;
    check_computable(to)?;
    Ok(Box::new(Cast { to }))
}

pub(super) fn build_like(_node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(CastLike))
}

pub(super) fn build_bits(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let to = target(node)?;
    check_computable(to)?;
    if to == ElementType::String {
        return Err(OpError::value("attribute 'to' is string, which has no fixed number of bits"));
    }
    Ok(Box::new(BitCast { to }))
}

/// The element type in attribute `to`.
fn target(node: &NodeContext<'_>) -> Result<ElementType, OpError> {
    let code = node.attributes.require_int("to")?;
    let to = i32::try_from(code).ok().and_then(ElementType::from_onnx);
    to.ok_or_else(|| OpError::value(format!("attribute 'to' is {code}, which is no element type")))
}

fn check_computable(to: ElementType) -> Result<(), OpError> {
    if (TypeSet::ANY.contains)(to) { Ok(()) } else { Err(OpError::unsupported(format!("Cast to {to}"))) }
}

/// Numbers are converted as the specification's table says; where that leaves a result undefined (a float outside the range of an integer
/// type), it saturates, and NaN becomes 0. Strings are parsed and written as ONNX Runtime does.
#[derive(Debug)]
struct Cast {
    to: ElementType,
}

impl Operator for Cast {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![inputs.tensor(0).map(|(_, shape)| ValueType::tensor(self.to, shape.clone()))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        self.cast(inputs.take_tensor(0, "input")?, context).map(single)
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}

/// Cast to the element type of the second input, whose elements are not looked at.
#[derive(Debug)]
struct CastLike;

impl Operator for CastLike {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let (Some((_, shape)), Some((to, _))) = (inputs.tensor(0), inputs.tensor(1)) else { return Ok(vec![None]) };
        Ok(vec![Some(ValueType::tensor(to, shape.clone()))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let input = inputs.take_tensor(0, "input")?;
        let to = inputs.take_tensor(1, "target_type")?.element_type();
        Cast { to }.cast(input, context).map(single)
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}

/// The same bits, read as another type of the same width.
#[derive(Debug)]
struct BitCast {
    to: ElementType,
}

impl Operator for BitCast {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let Some((from, shape)) = inputs.tensor(0) else { return Ok(vec![None]) };
        self.check_width(from)?;
        Ok(vec![Some(ValueType::tensor(self.to, shape.clone()))])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let input = inputs.take_tensor(0, "input")?;
        self.check_width(input.element_type())?;
        let host = input.to_host()?;
        let bytes = host.bytes().cloned().unwrap_or_default();
        Ok(single(Tensor::from_host(&HostTensor::from_bytes(self.to, input.shape().to_vec(), bytes)?)?))
    }
}

impl BitCast {
    fn check_width(&self, from: ElementType) -> Result<(), OpError> {
        if from.bits() == self.to.bits() {
            return Ok(());
        }
        Err(OpError::value(format!("the bits of {from} can't be read as {}: the two are not of the same width", self.to)))
    }
}

impl Cast {
    fn cast(&self, input: Tensor, context: &RunContext<'_>) -> Result<Tensor, OpError> {
        if input.element_type() == self.to {
            return Ok(input);
        }
        context.check_result_size(self.to, input.shape())?;
        if input.is_empty() {
            return Ok(Tensor::empty(self.to, input.shape()));
        }
        if !input.is_on_host()
            && let Some(result) = self.on_device(&input, context)
        {
            return Ok(result);
        }
        let from = input.element_type();
        match (from, self.to) {
            (ElementType::String, _) => self.parse_strings(&input),
            (_, ElementType::String) => write_strings(&input),
            (ElementType::Bool, to) => match_number!(to, U => {
                convert(&input, |flag: Bool| if flag.get() { U::ONE } else { U::ZERO })
            }, else Err(unsupported(from, to))),
            (_, ElementType::Bool) => {
                match_number!(from, T => convert(&input, |value: T| Bool::new(value != T::ZERO)), else Err(unsupported(from, self.to)))
            }
            (_, to) => match_number!(
                from,
                T => match_number!(to, U => convert(&input, |value: T| U::narrow(value.widen())), else Err(unsupported(from, to))),
                else Err(unsupported(from, to))
            ),
        }
    }

    /// The casts that a GPU has storage for.
    fn on_device(&self, input: &Tensor, context: &RunContext<'_>) -> Option<Tensor> {
        let primitive = input.primitive()?;
        let result = match (input.element_type(), self.to) {
            (ElementType::Bool, ElementType::F32) => Backend::bool_into_float(primitive, FloatDType::F32),
            // Not "differs from 0": on a GPU NaN does not.
            (ElementType::F32, ElementType::Bool) => Backend::bool_not(Backend::float_equal_elem(primitive, 0.0.into(), bool_dtype(context))),
            _ => return None,
        };
        Some(Tensor::from_primitive(self.to, input.shape(), result))
    }

    fn parse_strings(&self, input: &Tensor) -> Result<Tensor, OpError> {
        let strings = input.as_strings()?;
        macro_rules! parse {
            ($t:ty, $parse:expr) => {{
                let values: Result<Vec<$t>, OpError> = strings
                    .iter()
                    .enumerate()
                    .map(|(index, text)| {
                        let value: Option<$t> = $parse(text.trim());
                        value.ok_or_else(|| OpError::value(format!("element {index}, '{text}', is not a number that fits {}", self.to)))
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
        match self.to {
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
}

fn unsupported(from: ElementType, to: ElementType) -> OpError {
    OpError::unsupported(format!("Cast from {from} to {to}"))
}

fn convert<T: Element, U: Element>(input: &Tensor, apply: impl Fn(T) -> U) -> Result<Tensor, OpError> {
    let values = input.as_slice::<T>()?.iter().map(|&value| apply(value)).collect();
    Ok(Tensor::from_vec(input.shape(), values)?)
}

fn write_strings(input: &Tensor) -> Result<Tensor, OpError> {
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
