//! Pow: `X ^ Y`, where base and exponent may have different types; the result has the base's.

use burn::backend::ops::{BoolTensorOps as _, FloatTensorOps as _};

use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::host::ElementType;
use crate::ops::broadcast::{Alignment, Walk, broadcast, float_binary};
use crate::ops::logic::bool_dtype;
use crate::ops::operator::{Outputs, single};
use crate::ops::types::{Number, TypeSet, match_number};
use crate::ops::{Inputs, NodeContext, OpError, Operator, Placement, RunContext};
use crate::tensor::{Backend, Tensor};

pub(super) fn build(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let exponent = match node.constants.get(1).copied().flatten() {
        Some(constant) if constant.n_elements() == 1 => exact_exponent(&Tensor::from_host(constant)?),
        _ => None,
    };
    Ok(Box::new(Pow { alignment: Alignment::of(node)?, exponent }))
}

/// burn takes a whole exponent for an integer, which larger ones and infinities are not.
const MAX_SCALAR_EXPONENT: f32 = 2_147_483_648.0;

#[derive(Debug)]
struct Pow {
    alignment: Alignment,
    /// The one exponent for all elements, where it is a constant: squares need no logarithm, and no look at the device.
    exponent: Option<f32>,
}

impl Pow {
    fn of_floats(&self, x: Tensor, y: &Tensor, context: &RunContext<'_>) -> Result<Tensor, OpError> {
        let exponent = match self.exponent {
            None if y.n_elements() == 1 && y.is_on_host() => exact_exponent(y),
            exponent => exponent,
        };
        match exponent {
            Some(exponent) if y.rank() <= x.rank() && exponent.abs() < MAX_SCALAR_EXPONENT => {
                Ok(super::pointwise::map_each_float(x, |x| Backend::float_powf_scalar(x, exponent.into())))
            }
            // Exponents that float32 would round, to 0 for example, or to the next even number.
            _ if x.is_on_host() && is_wider_than_f32(y.element_type()) => {
                let exponents = Tensor::from_vec(y.shape(), f64_exponents(y)?)?;
                on_host::<f32, f64>(&x, &exponents, context, |x, y| Some(f64::from(x).powf(y) as f32))
            }
            _ => {
                let y = if y.element_type() == ElementType::F32 { y.clone() } else { Tensor::from_vec(y.shape(), y.to_f32s()?)? };
                if x.is_on_host() {
                    return float_binary(x, y, ElementType::F32, context, Backend::float_powf);
                }
                let y = y.to_device(context.device)?;
                let dims = broadcast(x.shape(), y.shape())?.to_vec();
                float_binary(x, y, ElementType::F32, context, |x, y| {
                    // On a GPU 0⁰ is 0, where ONNX wants 1.
                    let is_zeroth = Backend::float_equal_elem(y.clone(), 0.0.into(), bool_dtype(context));
                    let is_zeroth = if dims.is_empty() { is_zeroth } else { Backend::bool_expand(is_zeroth, dims.into()) };
                    Backend::float_mask_fill(Backend::float_powf(x, y), is_zeroth, 1.0.into())
                })
            }
        }
    }
}

impl Operator for Pow {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let (Some((element_type, left)), Some((_, right))) = (inputs.tensor(0), inputs.tensor(1)) else { return Ok(vec![None]) };
        Ok(vec![Some(ValueType::tensor(element_type, self.alignment.infer(left, right)?))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "X")?;
        let y = inputs.take_tensor(1, "Y")?;
        TypeSet::NUMBERS.check(&x, 0, "X")?;
        TypeSet::NUMBERS.check(&y, 1, "Y")?;
        let y = self.alignment.align(x.shape(), y)?;
        match (x.element_type(), y.element_type()) {
            (ElementType::F32, _) => self.of_floats(x, &y, context),
            (base, exponent) if base.is_int() && exponent.is_int() => {
                let exponents = Tensor::from_vec(y.shape(), int_exponents(&y)?)?;
                match_number!(base, T => on_host::<T, i64>(&x, &exponents, context, int_power), else Err(OpError::unsupported(format!("Pow of {base}"))))
            }
            (base, _) => {
                let exponents = Tensor::from_vec(y.shape(), f64_exponents(&y)?)?;
                match_number!(
                    base,
                    T => on_host::<T, f64>(&x, &exponents, context, |x, y| Some(T::from_f64(x.to_f64().powf(y)))),
                    else Err(OpError::unsupported(format!("Pow of {base}")))
                )
            }
        }
        .map(single)
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}

fn on_host<T: Number, U: Number>(x: &Tensor, y: &Tensor, context: &RunContext<'_>, apply: impl Fn(T, U) -> Option<T>) -> Result<Tensor, OpError> {
    let walk = Walk::new([x.shape(), y.shape()])?;
    context.check_result_size(T::ELEMENT_TYPE, walk.shape())?;
    let mut divides_by_zero = false;
    let values = walk.map(&x.as_slice::<T>()?, &y.as_slice::<U>()?, |x, y| {
        apply(x, y).unwrap_or_else(|| {
            divides_by_zero = true;
            T::ZERO
        })
    });
    if divides_by_zero {
        return Err(OpError::value("0 to a negative power: division by zero"));
    }
    Ok(Tensor::from_vec(walk.shape(), values)?)
}

fn is_wider_than_f32(element_type: ElementType) -> bool {
    use ElementType::{F64, I32, I64, U32, U64};
    matches!(element_type, F64 | I32 | I64 | U32 | U64)
}

/// A single exponent as float32, if that is the same number.
fn exact_exponent(y: &Tensor) -> Option<f32> {
    let exponent = f64_exponents(y).ok()?.first().copied()?;
    let narrow = exponent as f32;
    (f64::from(narrow) == exponent).then_some(narrow)
}

fn f64_exponents(y: &Tensor) -> Result<Vec<f64>, OpError> {
    let element_type = y.element_type();
    match_number!(
        element_type,
        U => Ok(y.as_slice::<U>()?.iter().map(|&y| y.to_f64()).collect()),
        else Err(OpError::unsupported(format!("Pow to the power of {element_type}")))
    )
}

fn int_exponents(y: &Tensor) -> Result<Vec<i64>, OpError> {
    if y.element_type() == ElementType::U64 {
        return Ok(y.as_slice::<u64>()?.iter().map(|&y| i64::try_from(y).unwrap_or(i64::MAX)).collect());
    }
    Ok(y.to_i64s()?)
}

/// Exact, modulo the width of the type; a negative power of anything but 1 and −1 truncates to 0. `None` for 0 to a negative power.
fn int_power<T: Number>(x: T, y: i64) -> Option<T> {
    let minus_one = T::ZERO.minus(T::ONE);
    if y < 0 {
        return match x {
            _ if x == T::ZERO => None,
            _ if x == T::ONE || (x == minus_one && minus_one < T::ZERO) => int_power(x, y & 1),
            _ => Some(T::ZERO),
        };
    }
    let (mut result, mut square, mut remaining) = (T::ONE, x, y);
    while remaining > 0 {
        if remaining & 1 == 1 {
            result = result.times(square);
        }
        square = square.times(square);
        remaining >>= 1;
    }
    Some(result)
}
