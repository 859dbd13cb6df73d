//! Element types as operators see them: which ones an input may have, arithmetic over any of them, and the step from an
//! [`ElementType`] to the Rust type behind it.

use half::{bf16, f16};

use super::OpError;
use crate::host::{Element, ElementType};
use crate::tensor::Tensor;

/// The element types that an input may have.
#[derive(Clone, Copy)]
pub struct TypeSet {
    /// As a sentence says it: "a tensor of …".
    pub name: &'static str,
    pub contains: fn(ElementType) -> bool,
}

impl std::fmt::Debug for TypeSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl TypeSet {
    pub const FLOATS: Self = Self { name: "floating-point numbers", contains: ElementType::is_float };
    /// With those of eight bits, which are looked at and handed on, but not computed with.
    pub const FLOATS_OF_ANY_WIDTH: Self = Self {
        name: "floating-point numbers",
        contains: |element_type| {
            use ElementType::{F8E4M3Fn, F8E4M3Fnuz, F8E5M2, F8E5M2Fnuz};
            element_type.is_float() || matches!(element_type, F8E4M3Fn | F8E4M3Fnuz | F8E5M2 | F8E5M2Fnuz)
        },
    };
    pub const NUMBERS: Self = Self { name: "numbers", contains: |element_type| element_type.is_float() || element_type.is_int() };
    pub const SIGNED_NUMBERS: Self = Self {
        name: "signed numbers",
        contains: |element_type| {
            use ElementType::{I8, I16, I32, I64};
            element_type.is_float() || matches!(element_type, I8 | I16 | I32 | I64)
        },
    };
    pub const BOOL: Self = Self { name: "bool", contains: |element_type| element_type == ElementType::Bool };
    pub const NUMBERS_AND_BOOL: Self =
        Self { name: "numbers or bool", contains: |element_type| (Self::NUMBERS.contains)(element_type) || element_type == ElementType::Bool };
    /// What positions in another tensor may be given as.
    pub const INDICES: Self = Self { name: "int32 or int64", contains: |element_type| matches!(element_type, ElementType::I32 | ElementType::I64) };
    /// Held, moved about and cast, but not computed with.
    pub const NARROW: Self = Self {
        name: "integers or floats of two to eight bits",
        contains: |element_type| {
            use ElementType::{F4E2M1, F8E4M3Fn, F8E4M3Fnuz, F8E5M2, F8E5M2Fnuz, F8E8M0, I2, I4, U2, U4};
            matches!(element_type, F4E2M1 | F8E4M3Fn | F8E4M3Fnuz | F8E5M2 | F8E5M2Fnuz | F8E8M0 | I2 | I4 | U2 | U4)
        },
    };
    /// What is computed with, and strings.
    pub const ANY: Self = Self {
        name: "numbers, bool or string",
        contains: |element_type| (Self::NUMBERS_AND_BOOL.contains)(element_type) || element_type == ElementType::String,
    };

    /// Refuses a tensor of another type, naming the input.
    pub fn check(&self, tensor: &Tensor, index: usize, name: &'static str) -> Result<(), OpError> {
        if (self.contains)(tensor.element_type()) {
            return Ok(());
        }
        Err(OpError::WrongInput { index, name, expected: format!("a tensor of {}", self.name), found: format!("{tensor:?}") })
    }
}

/// Refuses inputs of two types where the operator takes one.
pub fn check_same_type(left: &Tensor, right: &Tensor) -> Result<(), OpError> {
    let (left, right) = (left.element_type(), right.element_type());
    if left == right {
        return Ok(());
    }
    Err(OpError::value(format!("the inputs have different element types, {left} and {right}; both must be the same (insert a Cast)")))
}

/// A tensor of floats of any type, each rounded once.
pub fn float_tensor(element_type: ElementType, shape: &[usize], values: Vec<f32>) -> Result<Tensor, OpError> {
    Ok(match element_type {
        ElementType::F32 => Tensor::from_vec(shape, values)?,
        ElementType::F64 => Tensor::from_vec(shape, values.into_iter().map(f64::from).collect())?,
        ElementType::F16 => Tensor::from_vec(shape, values.into_iter().map(f16::from_f32).collect())?,
        ElementType::Bf16 => Tensor::from_vec(shape, values.into_iter().map(bf16::from_f32).collect())?,
        other => return Err(OpError::unsupported(format!("a result of {other}"))),
    })
}

/// Runs `$body` with `$t` bound to the Rust type of a number type; `$other` for bool, strings and types that tensors can't hold.
macro_rules! match_number {
    ($element_type:expr, $t:ident => $body:expr, else $other:expr) => {
        match $element_type {
            $crate::host::ElementType::F32 => {
                type $t = f32;
                $body
            }
            $crate::host::ElementType::F64 => {
                type $t = f64;
                $body
            }
            $crate::host::ElementType::F16 => {
                type $t = half::f16;
                $body
            }
            $crate::host::ElementType::Bf16 => {
                type $t = half::bf16;
                $body
            }
            $crate::host::ElementType::I8 => {
                type $t = i8;
                $body
            }
            $crate::host::ElementType::I16 => {
                type $t = i16;
                $body
            }
            $crate::host::ElementType::I32 => {
                type $t = i32;
                $body
            }
            $crate::host::ElementType::I64 => {
                type $t = i64;
                $body
            }
            $crate::host::ElementType::U8 => {
                type $t = u8;
                $body
            }
            $crate::host::ElementType::U16 => {
                type $t = u16;
                $body
            }
            $crate::host::ElementType::U32 => {
                type $t = u32;
                $body
            }
            $crate::host::ElementType::U64 => {
                type $t = u64;
                $body
            }
            _ => $other,
        }
    };
}

/// As [`match_number`], with bool among the types.
macro_rules! match_element {
    ($element_type:expr, $t:ident => $body:expr, else $other:expr) => {
        match $element_type {
            $crate::host::ElementType::Bool => {
                type $t = $crate::host::Bool;
                $body
            }
            number => $crate::ops::types::match_number!(number, $t => $body, else $other),
        }
    };
}

pub(crate) use {match_element, match_number};

/// A number type with the arithmetic that ONNX gives it: integers wrap around, half-precision results are rounded once.
pub trait Number: Element + PartialOrd {
    const ZERO: Self;
    const ONE: Self;
    /// Smallest and largest finite values.
    const LOWEST: Self;
    const HIGHEST: Self;
    /// What an empty maximum and minimum are: infinities where the type has them.
    const LEAST: Self;
    const GREATEST: Self;

    fn plus(self, other: Self) -> Self;
    fn minus(self, other: Self) -> Self;
    fn times(self, other: Self) -> Self;
    /// Truncates toward zero for integers; `None` for an integer division by zero.
    fn divided_by(self, other: Self) -> Option<Self>;
    fn is_nan(self) -> bool;
    /// Rounds where float64 has fewer digits (64-bit integers).
    fn to_f64(self) -> f64;
    /// Rounds to the nearest for floats; truncates toward zero and saturates for integers, NaN becoming 0.
    fn from_f64(value: f64) -> Self;
    /// Without loss.
    fn widen(self) -> Wide;
    /// As the specification's Cast: integers among each other keep their low bits.
    fn narrow(value: Wide) -> Self;

    /// The larger of two, and NaN where either is.
    fn larger(self, other: Self) -> Self {
        if self.is_nan() || self > other { self } else { other }
    }

    /// The smaller of two, and NaN where either is.
    fn smaller(self, other: Self) -> Self {
        if self.is_nan() || self < other { self } else { other }
    }
}

/// A number of any type, on its way to another type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Wide {
    Float(f64),
    Signed(i64),
    Unsigned(u64),
}

macro_rules! integers {
    ($wide:ident: $($t:ty),*) => {$(
        impl Number for $t {
            const ZERO: Self = 0;
            const ONE: Self = 1;
            const LOWEST: Self = <$t>::MIN;
            const HIGHEST: Self = <$t>::MAX;
            const LEAST: Self = <$t>::MIN;
            const GREATEST: Self = <$t>::MAX;

            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }
            fn minus(self, other: Self) -> Self {
                self.wrapping_sub(other)
            }
            fn times(self, other: Self) -> Self {
                self.wrapping_mul(other)
            }
            fn divided_by(self, other: Self) -> Option<Self> {
                (other != 0).then(|| self.wrapping_div(other))
            }
            fn is_nan(self) -> bool {
                false
            }
            fn to_f64(self) -> f64 {
                self as f64
            }
            fn from_f64(value: f64) -> Self {
                value as Self
            }
            fn widen(self) -> Wide {
                Wide::$wide(self.into())
            }
            fn narrow(value: Wide) -> Self {
                match value {
                    Wide::Float(value) => value as Self,
                    Wide::Signed(value) => value as Self,
                    Wide::Unsigned(value) => value as Self,
                }
            }
        }
    )*};
}
integers!(Signed: i8, i16, i32, i64);
integers!(Unsigned: u8, u16, u32, u64);

macro_rules! floats {
    ($($t:ty: $to_f64:expr, $from_f64:expr, |$int:ident| $from_int:expr;)*) => {$(
        impl Number for $t {
            const ZERO: Self = $from_f64(0.0);
            const ONE: Self = $from_f64(1.0);
            const LOWEST: Self = <$t>::MIN;
            const HIGHEST: Self = <$t>::MAX;
            const LEAST: Self = <$t>::NEG_INFINITY;
            const GREATEST: Self = <$t>::INFINITY;

            fn plus(self, other: Self) -> Self {
                self + other
            }
            fn minus(self, other: Self) -> Self {
                self - other
            }
            fn times(self, other: Self) -> Self {
                self * other
            }
            fn divided_by(self, other: Self) -> Option<Self> {
                Some(self / other)
            }
            fn is_nan(self) -> bool {
                self.is_nan()
            }
            fn to_f64(self) -> f64 {
                $to_f64(self)
            }
            fn from_f64(value: f64) -> Self {
                $from_f64(value)
            }
            fn widen(self) -> Wide {
                Wide::Float($to_f64(self))
            }
            fn narrow(value: Wide) -> Self {
                match value {
                    Wide::Float(value) => $from_f64(value),
                    Wide::Signed($int) => $from_int,
                    Wide::Unsigned($int) => $from_int,
                }
            }
        }
    )*};
}
floats! {
    f32: f64::from, narrow, |int| int as f32;
    f64: std::convert::identity, std::convert::identity, |int| int as f64;
    f16: f16::to_f64, f16::from_f64_const, |int| f16::from_f64(int as f64);
    bf16: bf16::to_f64, bf16::from_f64_const, |int| bf16::from_f64(int as f64);
}

const fn narrow(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_wrap_and_refuse_to_divide_by_zero() {
        assert_eq!(i8::MAX.plus(1), i8::MIN);
        assert_eq!(0_u8.minus(1), 255);
        assert_eq!((-7_i32).divided_by(2), Some(-3));
        assert_eq!(i32::MIN.divided_by(-1), Some(i32::MIN));
        assert_eq!(1_i64.divided_by(0), None);
        assert_eq!(u8::from_f64(300.9), 255);
        assert_eq!(i32::from_f64(f64::NAN), 0);
    }

    #[test]
    fn extremes_propagate_nan_from_either_side() {
        assert!(f32::NAN.larger(1.0).is_nan() && 1.0_f32.larger(f32::NAN).is_nan());
        assert!(f64::NAN.smaller(1.0).is_nan() && 1.0_f64.smaller(f64::NAN).is_nan());
        assert_eq!(f16::from_f32(2.0).larger(f16::from_f32(-3.0)).to_f32(), 2.0);
    }
}
