//! Comparisons, boolean algebra, and Where.

use burn::backend::DispatchTensor;
use burn::backend::ops::{BoolTensorOps as _, FloatTensorOps as _};
use burn::tensor::BoolDType;

use super::broadcast::{Alignment, Walk, broadcast_all, broadcast_symbolic, broadcast_symbolic_all, float_binary, float_expanded};
use super::operator::{Outputs, single};
use super::types::{Number, TypeSet, check_same_type, match_element, match_number};
use super::{Inputs, NodeContext, OpError, Operator, OpsetRange, Placement, Registration, RunContext};
use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::host::{Bool, Element, ElementType};
use crate::tensor::{Backend, Device, Tensor};

/// Specification: <https://onnx.ai/onnx/operators/>, a page per operator.
///
/// Equal: 1, 7 (numpy's broadcast), 11 (all numbers), 13, 19 (strings). Greater, Less: 1, 7, 9 (all numbers), 13. GreaterOrEqual,
/// LessOrEqual: 12, 16. And, Or: 1, 7. Not: 1. Where: 9, 16.
pub const OPERATORS: &[Registration] = &[
    register("And", 1, |node| Ok(Box::new(BoolBinary { kind: BoolKind::And, alignment: Alignment::of(node)? }))),
    register("Equal", 1, |node| Comparison::build(ComparisonKind::Equal, node)),
    register("Greater", 1, |node| Comparison::build(ComparisonKind::Greater, node)),
    register("GreaterOrEqual", 12, |node| Comparison::build(ComparisonKind::GreaterOrEqual, node)),
    register("Less", 1, |node| Comparison::build(ComparisonKind::Less, node)),
    register("LessOrEqual", 12, |node| Comparison::build(ComparisonKind::LessOrEqual, node)),
    register("Not", 1, |_| Ok(Box::new(Not))),
    register("Or", 1, |node| Ok(Box::new(BoolBinary { kind: BoolKind::Or, alignment: Alignment::of(node)? }))),
    register("Where", 9, |_| Ok(Box::new(Where))),
];

const fn register(op_type: &'static str, first: i64, build: fn(&NodeContext<'_>) -> Result<Box<dyn Operator>, OpError>) -> Registration {
    Registration { domain: "", op_type, opsets: OpsetRange::from(first), build }
}

/// How the device of a run stores booleans.
pub(super) fn bool_dtype(context: &RunContext<'_>) -> BoolDType {
    match context.device {
        Device::Cpu => BoolDType::Native,
        device @ Device::Gpu(_) => device.burn().settings().bool_dtype,
    }
}

#[derive(Debug, Clone, Copy)]
enum ComparisonKind {
    Equal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// `A < B` and its kin; a comparison with NaN is false.
#[derive(Debug)]
struct Comparison {
    kind: ComparisonKind,
    alignment: Alignment,
}

impl Comparison {
    fn build(kind: ComparisonKind, node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
        Ok(Box::new(Self { kind, alignment: Alignment::of(node)? }))
    }

    fn of_floats(&self, a: DispatchTensor, b: DispatchTensor, dtype: BoolDType) -> DispatchTensor {
        match self.kind {
            ComparisonKind::Equal => Backend::float_equal(a, b, dtype),
            ComparisonKind::Greater => Backend::float_greater(a, b, dtype),
            ComparisonKind::GreaterOrEqual => Backend::float_greater_equal(a, b, dtype),
            ComparisonKind::Less => Backend::float_lower(a, b, dtype),
            ComparisonKind::LessOrEqual => Backend::float_lower_equal(a, b, dtype),
        }
    }

    fn on_host<T: Number>(&self, a: &Tensor, b: &Tensor, context: &RunContext<'_>) -> Result<Tensor, OpError> {
        let walk = Walk::new([a.shape(), b.shape()])?;
        context.check_result_size(ElementType::Bool, walk.shape())?;
        let (left, right) = (a.as_slice::<T>()?, b.as_slice::<T>()?);
        let values = match self.kind {
            ComparisonKind::Equal => walk.map(&left, &right, |a, b| Bool::new(a == b)),
            ComparisonKind::Greater => walk.map(&left, &right, |a, b| Bool::new(a > b)),
            ComparisonKind::GreaterOrEqual => walk.map(&left, &right, |a, b| Bool::new(a >= b)),
            ComparisonKind::Less => walk.map(&left, &right, |a, b| Bool::new(a < b)),
            ComparisonKind::LessOrEqual => walk.map(&left, &right, |a, b| Bool::new(a <= b)),
        };
        Ok(Tensor::from_vec(walk.shape(), values)?)
    }
}

impl Operator for Comparison {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        infer_bool(self.alignment, inputs)
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let a = inputs.take_tensor(0, "A")?;
        let b = inputs.take_tensor(1, "B")?;
        let types = if matches!(self.kind, ComparisonKind::Equal) { TypeSet::ANY } else { TypeSet::NUMBERS };
        types.check(&a, 0, "A")?;
        check_same_type(&a, &b)?;
        let b = self.alignment.align(a.shape(), b)?;
        match a.element_type() {
            ElementType::F32 => {
                let dtype = if a.is_on_host() { BoolDType::Native } else { bool_dtype(context) };
                float_binary(a, b, ElementType::Bool, context, |a, b| self.of_floats(a, b, dtype))
            }
            ElementType::String => equal_strings(&a, &b, context),
            ElementType::Bool => equal_bools(&a, &b, context),
            other => match_number!(other, T => self.on_host::<T>(&a, &b, context), else Err(OpError::unsupported(format!("comparison of {other}")))),
        }
        .map(single)
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}

fn equal_bools(a: &Tensor, b: &Tensor, context: &RunContext<'_>) -> Result<Tensor, OpError> {
    let walk = Walk::new([a.shape(), b.shape()])?;
    context.check_result_size(ElementType::Bool, walk.shape())?;
    let values = walk.map(&a.as_slice::<Bool>()?, &b.as_slice::<Bool>()?, |a, b| Bool::new(a == b));
    Ok(Tensor::from_vec(walk.shape(), values)?)
}

fn equal_strings(a: &Tensor, b: &Tensor, context: &RunContext<'_>) -> Result<Tensor, OpError> {
    let walk = Walk::new([a.shape(), b.shape()])?;
    let n_elements = context.check_result_size(ElementType::Bool, walk.shape())?;
    let (left, right) = (a.as_strings()?, b.as_strings()?);
    let mut values = Vec::with_capacity(n_elements);
    walk.for_each(|[at_left, at_right]| values.push(Bool::new(left[at_left] == right[at_right])));
    Ok(Tensor::from_vec(walk.shape(), values)?)
}

fn infer_bool(alignment: Alignment, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
    let (Some((_, left)), Some((_, right))) = (inputs.tensor(0), inputs.tensor(1)) else { return Ok(vec![None]) };
    Ok(vec![Some(ValueType::tensor(ElementType::Bool, alignment.infer(left, right)?))])
}

#[derive(Debug, Clone, Copy)]
enum BoolKind {
    And,
    Or,
}

/// And, Or. Runs in host memory: masks are small, and a GPU stores each flag in 32 bits.
#[derive(Debug)]
struct BoolBinary {
    kind: BoolKind,
    alignment: Alignment,
}

impl Operator for BoolBinary {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        infer_bool(self.alignment, inputs)
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let a = inputs.take_tensor(0, "A")?;
        let b = inputs.take_tensor(1, "B")?;
        TypeSet::BOOL.check(&a, 0, "A")?;
        TypeSet::BOOL.check(&b, 1, "B")?;
        let b = self.alignment.align(a.shape(), b)?;
        let walk = Walk::new([a.shape(), b.shape()])?;
        context.check_result_size(ElementType::Bool, walk.shape())?;
        let (left, right) = (a.as_slice::<Bool>()?, b.as_slice::<Bool>()?);
        let values = match self.kind {
            BoolKind::And => walk.map(&left, &right, |a, b| Bool::new(a.get() & b.get())),
            BoolKind::Or => walk.map(&left, &right, |a, b| Bool::new(a.get() | b.get())),
        };
        Ok(single(Tensor::from_vec(walk.shape(), values)?))
    }
}

#[derive(Debug)]
struct Not;

impl Operator for Not {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![inputs.value_type(0).cloned()])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "X")?;
        TypeSet::BOOL.check(&x, 0, "X")?;
        if x.is_empty() {
            return Ok(single(x));
        }
        let shape = x.shape().to_vec();
        let result = x.into_primitive().map(|x| Tensor::from_primitive(ElementType::Bool, &shape, Backend::bool_not(x)));
        Ok(single(result.ok_or_else(|| OpError::unsupported("Not of an absent tensor"))?))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}

/// `X` where the condition holds, else `Y`.
#[derive(Debug)]
struct Where;

impl Where {
    fn of_floats(condition: &Tensor, x: Tensor, y: Tensor, context: &RunContext<'_>) -> Result<Tensor, OpError> {
        let shape = broadcast_all([condition.shape(), x.shape(), y.shape()])?;
        context.check_result_size(ElementType::F32, &shape)?;
        let is_on_host = x.is_on_host();
        let (Some(x), Some(y)) = (float_expanded(x, &shape), float_expanded(y, &shape)) else {
            return Ok(Tensor::empty(ElementType::F32, &shape));
        };
        let mask = if is_on_host || !condition.is_on_host() { condition.clone() } else { upload_mask(condition, context)? };
        let dims = if shape.is_empty() { vec![1] } else { shape.to_vec() };
        let mut padded = vec![1; shape.len().saturating_sub(condition.rank())];
        padded.extend_from_slice(condition.shape());
        let Some(mask) = mask.reshaped(&padded)?.into_primitive() else { return Ok(Tensor::empty(ElementType::F32, &shape)) };
        let mask = if padded.len() == dims.len() && padded != dims { Backend::bool_expand(mask, dims.into()) } else { mask };
        Ok(Tensor::from_primitive(ElementType::F32, &shape, Backend::float_mask_where(y, mask, x)))
    }

    fn on_host<T: Element>(condition: &Tensor, x: &Tensor, y: &Tensor, context: &RunContext<'_>) -> Result<Tensor, OpError> {
        let walk = Walk::new([condition.shape(), x.shape(), y.shape()])?;
        let n_elements = context.check_result_size(T::ELEMENT_TYPE, walk.shape())?;
        let (condition, x, y) = (condition.as_slice::<Bool>()?, x.as_slice::<T>()?, y.as_slice::<T>()?);
        let mut values = Vec::with_capacity(n_elements);
        walk.for_each(|[at, at_x, at_y]| values.push(if condition[at].get() { x[at_x] } else { y[at_y] }));
        Ok(Tensor::from_vec(walk.shape(), values)?)
    }

    fn of_strings(condition: &Tensor, x: &Tensor, y: &Tensor, context: &RunContext<'_>) -> Result<Tensor, OpError> {
        let walk = Walk::new([condition.shape(), x.shape(), y.shape()])?;
        let n_elements = context.check_result_size(ElementType::String, walk.shape())?;
        let (condition, x, y) = (condition.as_slice::<Bool>()?, x.as_strings()?, y.as_strings()?);
        let mut values = Vec::with_capacity(n_elements);
        walk.for_each(|[at, at_x, at_y]| values.push(if condition[at].get() { x[at_x].clone() } else { y[at_y].clone() }));
        Ok(Tensor::from_strings(walk.shape(), values)?)
    }
}

/// A condition on the device of the run. It travels as float32, which every device can store.
fn upload_mask(condition: &Tensor, context: &RunContext<'_>) -> Result<Tensor, OpError> {
    let flags = Tensor::from_vec(condition.shape(), condition.to_f32s()?)?.to_device(context.device)?;
    let shape = condition.shape();
    Ok(match flags.into_primitive() {
        Some(flags) => Tensor::from_primitive(ElementType::Bool, shape, Backend::float_greater_elem(flags, 0.5.into(), bool_dtype(context))),
        None => condition.clone(),
    })
}

impl Operator for Where {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let (Some((_, condition)), Some((element_type, x)), Some((_, y))) = (inputs.tensor(0), inputs.tensor(1), inputs.tensor(2)) else {
            return Ok(vec![None]);
        };
        let shape = broadcast_symbolic(condition, &broadcast_symbolic_all([x, y])?)?;
        Ok(vec![Some(ValueType::tensor(element_type, shape))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let condition = inputs.take_tensor(0, "condition")?;
        let x = inputs.take_tensor(1, "X")?;
        let y = inputs.take_tensor(2, "Y")?;
        TypeSet::BOOL.check(&condition, 0, "condition")?;
        TypeSet::ANY.check(&x, 1, "X")?;
        check_same_type(&x, &y)?;
        match x.element_type() {
            ElementType::F32 => Self::of_floats(&condition, x, y, context),
            ElementType::String => Self::of_strings(&condition, &x, &y, context),
            other => match_element!(other, T => Self::on_host::<T>(&condition, &x, &y, context), else Err(OpError::unsupported(format!("Where of {other}")))),
        }
        .map(single)
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}
