//! Arithmetic element by element, and what passes values through: Cast, Identity, Dropout.
//!
//! float32 runs over burn on any device; the other types run in host memory.

use burn::backend::DispatchTensor;
use burn::backend::ops::{BoolTensorOps as _, FloatTensorOps as _};

use super::broadcast::{Alignment, Walk, broadcast, broadcast_symbolic_all, float_binary, float_expanded};
use super::logic::bool_dtype;
use super::operator::{Outputs, single};
use super::types::{Number, TypeSet, check_same_type, match_number};
use super::{Inputs, NodeContext, OpError, Operator, OpsetRange, Placement, Registration, RunContext, precision};
use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::host::ElementType;
use crate::tensor::{Backend, Shape, Tensor};

mod cast;
mod inverse;
mod modulo;
mod pass;
pub(super) mod pointwise;
mod pow;
#[cfg(test)]
mod tests;

use pointwise::Function;

/// Specification: <https://onnx.ai/onnx/operators/>, a page per operator.
///
/// Add, Sub, Mul, Div: 1, 6 (one-way broadcast by attribute), 7 (numpy's), 13, 14 (more types). Pow: 1, 7, 12 (mixed types), 13, 15.
/// Min, Max: 1, 6, 8 (broadcast), 12 (integers), 13. Sum, Mean: 1, 6, 8 (broadcast), 13. The functions of one number gained types only.
/// Cast: 1, 6 (`to` as a number), 9 (strings), 13, 19 and later (8-bit floats and smaller). CastLike: 15, 19 and later. BitCast: 26.
/// Mod: 10, 13, 28 (floats without `fmod`). Dropout: 1, 6, 7, 10 (boolean mask), 12 (inputs
/// `ratio` and `training_mode`), 13, 22. Identity: 1, 13, 14 (sequences), 16 (optionals) and later.
pub const OPERATORS: &[Registration] = &[
    register("Abs", 1, |_| Ok(Function::Abs.boxed())),
    register("Acos", 7, |_| Ok(Function::Acos.boxed())),
    register("Acosh", 9, |_| Ok(Function::Acosh.boxed())),
    register("Add", 1, |node| Arithmetic::build(ArithmeticKind::Add, node)),
    register("Asin", 7, |_| Ok(Function::Asin.boxed())),
    register("Asinh", 9, |_| Ok(Function::Asinh.boxed())),
    register("Atan", 7, |_| Ok(Function::Atan.boxed())),
    register("Atanh", 9, |_| Ok(Function::Atanh.boxed())),
    register("BitCast", 26, cast::build_bits),
    register("Cast", 6, cast::build),
    register("CastLike", 15, cast::build_like),
    register("Ceil", 1, |_| Ok(Function::Ceil.boxed())),
    register("Cos", 7, |_| Ok(Function::Cos.boxed())),
    register("Cosh", 9, |_| Ok(Function::Cosh.boxed())),
    register("Div", 1, |node| Arithmetic::build(ArithmeticKind::Div, node)),
    register("Dropout", 1, pass::build_dropout),
    register("Erf", 9, |_| Ok(Function::Erf.boxed())),
    register("Exp", 1, |_| Ok(Function::Exp.boxed())),
    register("Floor", 1, |_| Ok(Function::Floor.boxed())),
    register("Identity", 1, |_| Ok(Box::new(pass::Identity))),
    register("Log", 1, |_| Ok(Function::Log.boxed())),
    register("Max", 1, |_| Ok(Box::new(Variadic { kind: VariadicKind::Max }))),
    register("Mean", 1, |_| Ok(Box::new(Variadic { kind: VariadicKind::Mean }))),
    register("Min", 1, |_| Ok(Box::new(Variadic { kind: VariadicKind::Min }))),
    register("Mod", 10, modulo::build),
    register("Mul", 1, |node| Arithmetic::build(ArithmeticKind::Mul, node)),
    register("Neg", 1, |_| Ok(Function::Neg.boxed())),
    register("Pow", 1, pow::build),
    register("Reciprocal", 1, |_| Ok(Function::Reciprocal.boxed())),
    register("Round", 11, |_| Ok(Function::Round.boxed())),
    register("Sign", 9, |_| Ok(Function::Sign.boxed())),
    register("Sin", 7, |_| Ok(Function::Sin.boxed())),
    register("Sinh", 9, |_| Ok(Function::Sinh.boxed())),
    register("Sqrt", 1, |_| Ok(Function::Sqrt.boxed())),
    register("Sub", 1, |node| Arithmetic::build(ArithmeticKind::Sub, node)),
    register("Sum", 1, |_| Ok(Box::new(Variadic { kind: VariadicKind::Sum }))),
    register("Tan", 7, |_| Ok(Function::Tan.boxed())),
];

const fn register(op_type: &'static str, first: i64, build: fn(&NodeContext<'_>) -> Result<Box<dyn Operator>, OpError>) -> Registration {
    Registration { domain: "", op_type, opsets: OpsetRange::from(first), build }
}

#[derive(Debug, Clone, Copy)]
enum ArithmeticKind {
    Add,
    Sub,
    Mul,
    Div,
}

/// Add, Sub, Mul, Div. Integers wrap around; their division truncates toward zero.
#[derive(Debug)]
struct Arithmetic {
    kind: ArithmeticKind,
    alignment: Alignment,
}

impl Arithmetic {
    fn build(kind: ArithmeticKind, node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
        Ok(Box::new(Self { kind, alignment: Alignment::of(node)? }))
    }

    fn of_floats(&self, a: DispatchTensor, b: DispatchTensor) -> DispatchTensor {
        match self.kind {
            ArithmeticKind::Add => Backend::float_add(a, b),
            ArithmeticKind::Sub => Backend::float_sub(a, b),
            ArithmeticKind::Mul => Backend::float_mul(a, b),
            ArithmeticKind::Div => Backend::float_div(a, b),
        }
    }

    fn on_host<T: Number>(&self, a: &Tensor, b: &Tensor, context: &RunContext<'_>) -> Result<Tensor, OpError> {
        let walk = Walk::new([a.shape(), b.shape()])?;
        context.check_result_size(T::ELEMENT_TYPE, walk.shape())?;
        let (left, right) = (a.as_slice::<T>()?, b.as_slice::<T>()?);
        let mut divides_by_zero = false;
        let values = match self.kind {
            ArithmeticKind::Add => walk.map(&left, &right, T::plus),
            ArithmeticKind::Sub => walk.map(&left, &right, T::minus),
            ArithmeticKind::Mul => walk.map(&left, &right, T::times),
            ArithmeticKind::Div => walk.map(&left, &right, |a, b| {
                a.divided_by(b).unwrap_or_else(|| {
                    divides_by_zero = true;
                    T::ZERO
                })
            }),
        };
        if divides_by_zero {
            return Err(OpError::value(format!("division of {} by zero", T::ELEMENT_TYPE)));
        }
        Ok(Tensor::from_vec(walk.shape(), values)?)
    }
}

impl Operator for Arithmetic {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let (Some((element_type, left)), Some((_, right))) = (inputs.tensor(0), inputs.tensor(1)) else { return Ok(vec![None]) };
        Ok(vec![Some(ValueType::tensor(element_type, self.alignment.infer(left, right)?))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let a = inputs.take_tensor(0, "A")?;
        let b = inputs.take_tensor(1, "B")?;
        TypeSet::NUMBERS.check(&a, 0, "A")?;
        check_same_type(&a, &b)?;
        let b = self.alignment.align(a.shape(), b)?;
        match a.element_type() {
            ElementType::F32 => float_binary(a, b, ElementType::F32, context, |a, b| self.of_floats(a, b)),
            other => match_number!(other, T => self.on_host::<T>(&a, &b, context), else Err(OpError::unsupported(format!("arithmetic on {other}")))),
        }
        .map(single)
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum VariadicKind {
    Max,
    Mean,
    Min,
    Sum,
}

/// Min, Max, Sum, Mean of any number of tensors, broadcast to one shape. A NaN in any of them wins.
#[derive(Debug)]
struct Variadic {
    kind: VariadicKind,
}

impl Variadic {
    fn types(&self) -> TypeSet {
        match self.kind {
            VariadicKind::Max | VariadicKind::Min => TypeSet::NUMBERS,
            VariadicKind::Sum | VariadicKind::Mean => TypeSet::FLOATS,
        }
    }

    fn combine(&self, a: Tensor, b: Tensor, context: &RunContext<'_>) -> Result<Tensor, OpError> {
        let element_type = a.element_type();
        if element_type == ElementType::F32 {
            match self.kind {
                VariadicKind::Sum | VariadicKind::Mean => return float_binary(a, b, element_type, context, Backend::float_add),
                // burn has no maximum of two tensors: on the host one loop does what takes four passes elsewhere.
                _ if a.is_on_host() && b.is_on_host() => {}
                kind => return combine_on_device(kind, a, b, context),
            }
        }
        match_number!(element_type, T => self.combine_on_host::<T>(a, &b, context), else Err(OpError::unsupported(format!("{:?} of {element_type}", self.kind))))
    }

    fn combine_on_host<T: Number>(&self, a: Tensor, b: &Tensor, context: &RunContext<'_>) -> Result<Tensor, OpError> {
        let apply = match self.kind {
            VariadicKind::Max => T::larger,
            VariadicKind::Min => T::smaller,
            VariadicKind::Sum | VariadicKind::Mean => T::plus,
        };
        if a.shape() == b.shape() {
            let shape = Shape::from_slice(a.shape());
            let mut values = a.into_vec::<T>()?;
            for (value, &other) in values.iter_mut().zip(b.as_slice::<T>()?.iter()) {
                *value = apply(*value, other);
            }
            return Ok(Tensor::from_vec(&shape, values)?);
        }
        let walk = Walk::new([a.shape(), b.shape()])?;
        context.check_result_size(T::ELEMENT_TYPE, walk.shape())?;
        let values = walk.map(&a.as_slice::<T>()?, &b.as_slice::<T>()?, apply);
        Ok(Tensor::from_vec(walk.shape(), values)?)
    }
}

/// Min and Max of float32 tensors that are not in host memory.
fn combine_on_device(kind: VariadicKind, a: Tensor, b: Tensor, context: &RunContext<'_>) -> Result<Tensor, OpError> {
    let shape = broadcast(a.shape(), b.shape())?;
    context.check_result_size(ElementType::F32, &shape)?;
    let bool_dtype = bool_dtype(context);
    let (Some(a), Some(b)) = (float_expanded(a, &shape), float_expanded(b, &shape)) else { return Ok(Tensor::empty(ElementType::F32, &shape)) };
    let is_better = match kind {
        VariadicKind::Max => Backend::float_greater(a.clone(), b.clone(), bool_dtype),
        _ => Backend::float_lower(a.clone(), b.clone(), bool_dtype),
    };
    let a_wins = Backend::bool_or(is_better, Backend::float_is_nan(a.clone(), bool_dtype));
    Ok(Tensor::from_primitive(ElementType::F32, &shape, Backend::float_mask_where(b, a_wins, a)))
}

impl Operator for Variadic {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let tensors: Option<Vec<_>> = (0..inputs.types.len()).map(|index| inputs.tensor(index)).collect();
        let Some(tensors) = tensors else { return Ok(vec![None]) };
        let Some((element_type, _)) = tensors.first() else { return Err(OpError::MissingInput { index: 0, name: "data_0" }) };
        let shape = broadcast_symbolic_all(tensors.iter().map(|(_, shape)| *shape))?;
        Ok(vec![Some(ValueType::tensor(*element_type, shape))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let tensors = inputs.take_tensors("data")?;
        let n_tensors = tensors.len();
        for (index, tensor) in tensors.iter().enumerate() {
            self.types().check(tensor, index, "data")?;
            check_same_type(&tensors[0], tensor)?;
        }
        let element_type = tensors.first().ok_or(OpError::MissingInput { index: 0, name: "data_0" })?.element_type();
        let sums = matches!(self.kind, VariadicKind::Sum | VariadicKind::Mean);
        // Sums of 16 bits may leave the type on the way and come back: rounded once, at the end.
        let widened = |tensor: Tensor| if sums { precision::cast(tensor, precision::compute_type(element_type)) } else { Ok(tensor) };
        let mut tensors = tensors.into_iter().map(widened);
        let first = tensors.next().ok_or(OpError::MissingInput { index: 0, name: "data_0" })?;
        let result = tensors.try_fold(first?, |result, tensor| self.combine(result, tensor?, context))?;
        let result = match self.kind {
            VariadicKind::Mean if n_tensors > 1 => pointwise::map_floats(result, |sum| Backend::float_div_scalar(sum, (n_tensors as f64).into())),
            _ => result,
        };
        Ok(single(if sums { precision::cast(result, element_type)? } else { result }))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}
