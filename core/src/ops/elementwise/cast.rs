//! Cast and CastLike: between numbers, booleans and strings. BitCast: the same bits as another type.

mod narrow;
mod strings;

use burn::backend::ops::{BoolTensorOps as _, FloatTensorOps as _};
use burn::tensor::FloatDType;
use narrow::Rounding;

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
    Ok(Box::new(Cast { to, rounding: Rounding::of(node)? }))
}

pub(super) fn build_like(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(CastLike { rounding: Rounding::of(node)? }))
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
    if (TypeSet::ANY.contains)(to) || (TypeSet::NARROW.contains)(to) { Ok(()) } else { Err(OpError::unsupported(format!("Cast to {to}"))) }
}

/// Numbers are converted as the specification's table says; where that leaves a result undefined (a float outside the range of an integer
/// type), it saturates, and NaN becomes 0. Strings are parsed and written as ONNX Runtime does.
#[derive(Debug)]
struct Cast {
    to: ElementType,
    rounding: Rounding,
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
struct CastLike {
    rounding: Rounding,
}

impl Operator for CastLike {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let (Some((_, shape)), Some((to, _))) = (inputs.tensor(0), inputs.tensor(1)) else { return Ok(vec![None]) };
        Ok(vec![Some(ValueType::tensor(to, shape.clone()))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let input = inputs.take_tensor(0, "input")?;
        let to = inputs.take_tensor(1, "target_type")?.element_type();
        Cast { to, rounding: self.rounding }.cast(input, context).map(single)
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
            (from, to) if (TypeSet::NARROW.contains)(from) => {
                // float32 holds every element of these types.
                let widened = narrow::widen(&input)?;
                if to == ElementType::F32 { Ok(widened) } else { self.cast(widened, context) }
            }
            (ElementType::String, to) if (TypeSet::NARROW.contains)(to) => self.rounding.narrow(&strings::parse(&input, ElementType::F32)?, to),
            (_, to) if (TypeSet::NARROW.contains)(to) => self.rounding.narrow(&input, to),
            (ElementType::String, to) => strings::parse(&input, to),
            (_, ElementType::String) => strings::write(&input),
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
}

fn unsupported(from: ElementType, to: ElementType) -> OpError {
    OpError::unsupported(format!("Cast from {from} to {to}"))
}

fn convert<T: Element, U: Element>(input: &Tensor, apply: impl Fn(T) -> U) -> Result<Tensor, OpError> {
    let values = input.as_slice::<T>()?.iter().map(|&value| apply(value)).collect();
    Ok(Tensor::from_vec(input.shape(), values)?)
}
