//! To and from integers and floats of two to eight bits.

use crate::host::narrow::{F4E2M1, F8E4M3Fn, F8E4M3Fnuz, F8E5M2, F8E5M2Fnuz, F8E8M0, I2, I4, Narrow, PowerRounding, U2, U4};
use crate::host::{Bool, Element, ElementType};
use crate::ops::types::{Number as _, Wide, match_number};
use crate::ops::{NodeContext, OpError};
use crate::tensor::Tensor;

/// Runs `$body` with `$t` bound to the Rust type of a narrow element type.
macro_rules! match_narrow {
    ($element_type:expr, $t:ident => $body:expr, else $other:expr) => {
        match $element_type {
            ElementType::U2 => match_narrow!(@ U2, $t, $body),
            ElementType::I2 => match_narrow!(@ I2, $t, $body),
            ElementType::U4 => match_narrow!(@ U4, $t, $body),
            ElementType::I4 => match_narrow!(@ I4, $t, $body),
            ElementType::F4E2M1 => match_narrow!(@ F4E2M1, $t, $body),
            ElementType::F8E4M3Fn => match_narrow!(@ F8E4M3Fn, $t, $body),
            ElementType::F8E4M3Fnuz => match_narrow!(@ F8E4M3Fnuz, $t, $body),
            ElementType::F8E5M2 => match_narrow!(@ F8E5M2, $t, $body),
            ElementType::F8E5M2Fnuz => match_narrow!(@ F8E5M2Fnuz, $t, $body),
            ElementType::F8E8M0 => match_narrow!(@ F8E8M0, $t, $body),
            _ => $other,
        }
    };
    (@ $rust:ty, $t:ident, $body:expr) => {{
        type $t = $rust;
        $body
    }};
}

/// How a cast to a small float treats what it can't hold: attributes `saturate` (since opset 19) and `round_mode` (since 24).
#[derive(Debug, Clone, Copy)]
pub(super) struct Rounding {
    saturates: bool,
    /// For float8e8m0 alone.
    power: PowerRounding,
}

impl Rounding {
    pub fn of(node: &NodeContext<'_>) -> Result<Self, OpError> {
        let power = match node.attributes.text("round_mode")?.unwrap_or("up") {
            "up" => PowerRounding::Up,
            "down" => PowerRounding::Down,
            "nearest" => PowerRounding::Nearest,
            other => return Err(OpError::value(format!("attribute 'round_mode' is '{other}'; it may be 'up', 'down' or 'nearest'"))),
        };
        Ok(Self { saturates: node.attributes.int("saturate")?.unwrap_or(1) != 0, power })
    }

    /// Numbers or booleans as elements of a narrow type.
    pub fn narrow(self, input: &Tensor, to: ElementType) -> Result<Tensor, OpError> {
        let from = input.element_type();
        let numbers: Vec<Wide> = match from {
            ElementType::Bool => input.as_slice::<Bool>()?.iter().map(|flag| Wide::Unsigned(flag.get().into())).collect(),
            _ => match_number!(
                from,
                T => input.as_slice::<T>()?.iter().map(|&value| value.widen()).collect(),
                else return Err(super::unsupported(from, to))
            ),
        };
        if to == ElementType::F8E8M0 {
            let values = numbers.into_iter().map(|number| F8E8M0::rounded(f32::narrow(number), self.power, self.saturates)).collect();
            return Ok(Tensor::from_vec(input.shape(), values)?);
        }
        match_narrow!(to, T => self.convert::<T>(input.shape(), numbers), else Err(super::unsupported(from, to)))
    }

    fn convert<T: Narrow>(self, shape: &[usize], numbers: Vec<Wide>) -> Result<Tensor, OpError> {
        use ElementType::{F4E2M1, I2, I4, U2, U4};
        let is_int = matches!(T::ELEMENT_TYPE, U2 | I2 | U4 | I4);
        // 4-bit floats have neither infinity nor NaN, so `saturate` has no meaning for them.
        let saturates = self.saturates || T::ELEMENT_TYPE == F4E2M1;
        let convert = |number: Wide| {
            if is_int {
                // As between integers: what is out of range keeps its low bits.
                T::from_bits(u8::narrow(Wide::Signed(i64::narrow(number))))
            } else {
                T::from_f32(f32::narrow(number), saturates)
            }
        };
        Ok(Tensor::from_vec(shape, numbers.into_iter().map(convert).collect())?)
    }
}

/// Elements of a narrow type as float32, without loss.
pub(super) fn widen(input: &Tensor) -> Result<Tensor, OpError> {
    fn values<T: Narrow + Element>(input: &Tensor) -> Result<Vec<f32>, OpError> {
        Ok(input.as_slice::<T>()?.iter().map(|&value| value.to_f32()).collect())
    }
    let from = input.element_type();
    let values = match_narrow!(from, T => values::<T>(input)?, else return Err(super::unsupported(from, ElementType::F32)));
    Ok(Tensor::from_vec(input.shape(), values)?)
}
