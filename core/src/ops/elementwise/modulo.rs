//! Mod: the remainder of a division.

use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::ops::broadcast::{Walk, broadcast_symbolic};
use crate::ops::operator::{Outputs, single};
use crate::ops::types::{Number, TypeSet, Wide, check_same_type, match_number};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::Tensor;

pub(super) fn build(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    match node.attributes.int("fmod")?.unwrap_or(0) {
        mode @ (0 | 1) => Ok(Box::new(Mod { truncates: mode == 1 })),
        other => Err(OpError::value(format!("attribute 'fmod' is {other}; it may be 0 or 1"))),
    }
}

/// `A − quotient · B`, whose quotient is rounded down, so that the remainder has the sign of `B`, or toward zero, so that it has the sign of
/// `A`. Integers can't be divided by 0; floats then give NaN.
#[derive(Debug)]
struct Mod {
    truncates: bool,
}

impl Mod {
    fn on_host<T: Number>(&self, a: &Tensor, b: &Tensor, context: &RunContext<'_>) -> Result<Tensor, OpError> {
        let walk = Walk::new([a.shape(), b.shape()])?;
        context.check_result_size(T::ELEMENT_TYPE, walk.shape())?;
        let mut divides_by_zero = false;
        let values = walk.map(&a.as_slice::<T>()?, &b.as_slice::<T>()?, |a, b| {
            self.remainder(a.widen(), b.widen()).map_or_else(
                || {
                    divides_by_zero = true;
                    T::ZERO
                },
                T::narrow,
            )
        });
        if divides_by_zero {
            return Err(OpError::value(format!("remainder of a division of {} by zero", T::ELEMENT_TYPE)));
        }
        Ok(Tensor::from_vec(walk.shape(), values)?)
    }

    /// Exact for every type. `None` for an integer division by zero.
    fn remainder(&self, a: Wide, b: Wide) -> Option<Wide> {
        Some(match (a, b) {
            (Wide::Signed(a), Wide::Signed(b)) => {
                if b == 0 {
                    return None;
                }
                let remainder = a.wrapping_rem(b);
                let has_wrong_sign = !self.truncates && remainder != 0 && (remainder < 0) != (b < 0);
                Wide::Signed(if has_wrong_sign { remainder + b } else { remainder })
            }
            (Wide::Unsigned(a), Wide::Unsigned(b)) => Wide::Unsigned(a.checked_rem(b)?),
            (Wide::Float(a), Wide::Float(b)) => {
                let remainder = a % b;
                Wide::Float(if self.truncates {
                    remainder
                } else if remainder == 0.0 {
                    0.0_f64.copysign(b)
                } else if (remainder < 0.0) != (b < 0.0) && !remainder.is_nan() {
                    remainder + b
                } else {
                    remainder
                })
            }
            // Both have one type.
            _ => return None,
        })
    }
}

impl Operator for Mod {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let (Some((element_type, left)), Some((_, right))) = (inputs.tensor(0), inputs.tensor(1)) else { return Ok(vec![None]) };
        Ok(vec![Some(ValueType::tensor(element_type, broadcast_symbolic(left, right)?))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let (a, b) = (inputs.take_tensor(0, "A")?, inputs.take_tensor(1, "B")?);
        TypeSet::NUMBERS.check(&a, 0, "A")?;
        check_same_type(&a, &b)?;
        let element_type = a.element_type();
        match_number!(element_type, T => self.on_host::<T>(&a, &b, context), else Err(OpError::unsupported(format!("Mod of {element_type}"))))
            .map(single)
    }
}
