//! Comparisons, boolean algebra, what kind of number a float is, and Where.

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
/// LessOrEqual: 12, 16. And, Or, Xor: 1, 7. Not: 1. IsInf: 10, 20 (more types). IsNaN: 9, 13, 20. Where: 9, 16.
pub const OPERATORS: &[Registration] = &[
    register("And", 1, |node| Ok(Box::new(BoolBinary { kind: BoolKind::And, alignment: Alignment::of(node)? }))),
    register("Equal", 1, |node| Comparison::build(ComparisonKind::Equal, node)),
    register("Greater", 1, |node| Comparison::build(ComparisonKind::Greater, node)),
    register("GreaterOrEqual", 12, |node| Comparison::build(ComparisonKind::GreaterOrEqual, node)),
    register("IsInf", 10, IsInf::build),
    register("IsNaN", 9, |_| Ok(Box::new(IsNan))),
    register("Less", 1, |node| Comparison::build(ComparisonKind::Less, node)),
    register("LessOrEqual", 12, |node| Comparison::build(ComparisonKind::LessOrEqual, node)),
    register("Not", 1, |_| Ok(Box::new(Not))),
    register("Or", 1, |node| Ok(Box::new(BoolBinary { kind: BoolKind::Or, alignment: Alignment::of(node)? }))),
    register("Where", 9, |_| Ok(Box::new(Where))),
    register("Xor", 1, |node| Ok(Box::new(BoolBinary { kind: BoolKind::Xor, alignment: Alignment::of(node)? }))),
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

/// How booleans are stored beside `tensor`, which a run on a GPU may keep in host memory.
pub(super) fn bool_dtype_beside(tensor: &Tensor, context: &RunContext<'_>) -> BoolDType {
    if tensor.is_on_host() { BoolDType::Native } else { bool_dtype(context) }
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
    Xor,
}

/// And, Or, Xor. Runs in host memory: masks are small, and a GPU stores each flag in 32 bits.
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
            BoolKind::Xor => walk.map(&left, &right, |a, b| Bool::new(a.get() ^ b.get())),
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

/// Which elements are infinite, of one sign or of both.
#[derive(Debug)]
struct IsInf {
    detects_negative: bool,
    detects_positive: bool,
}

impl IsInf {
    fn build(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
        let flag = |name: &str| Ok::<_, OpError>(node.attributes.int(name)?.unwrap_or(1) != 0);
        Ok(Box::new(Self { detects_negative: flag("detect_negative")?, detects_positive: flag("detect_positive")? }))
    }
}

impl Operator for IsInf {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![inputs.tensor(0).map(|(_, shape)| ValueType::tensor(ElementType::Bool, shape.clone()))])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "X")?;
        classify(&x, |x| (self.detects_positive && x == f64::INFINITY) || (self.detects_negative && x == f64::NEG_INFINITY)).map(single)
    }
}

/// Which elements are not a number.
#[derive(Debug)]
struct IsNan;

impl Operator for IsNan {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![inputs.tensor(0).map(|(_, shape)| ValueType::tensor(ElementType::Bool, shape.clone()))])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        classify(&inputs.take_tensor(0, "X")?, f64::is_nan).map(single)
    }
}

/// A flag for each float. In host memory: shaders may be compiled as if there were neither infinities nor NaN.
fn classify(x: &Tensor, is_it: impl Fn(f64) -> bool) -> Result<Tensor, OpError> {
    TypeSet::FLOATS_OF_ANY_WIDTH.check(x, 0, "X")?;
    let flags: Vec<Bool> = match_number!(
        x.element_type(),
        T => x.as_slice::<T>()?.iter().map(|&x| Bool::new(is_it(x.to_f64()))).collect(),
        // Floats of eight bits.
        else x.to_f32s()?.into_iter().map(|x| Bool::new(is_it(x.into()))).collect()
    );
    Ok(Tensor::from_vec(x.shape(), flags)?)
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

#[cfg(test)]
mod tests {
    use half::f16;

    use crate::host::ElementType;
    use crate::host::narrow::{F8E5M2, Narrow as _};
    use crate::ops::testing::{assert_bools, assert_close, assert_strings, assert_tensor, bools, op, strings, tensor, typed};
    use crate::tensor::Tensor;

    #[test]
    fn comparisons_broadcast_and_are_false_for_nan() {
        // Results of A < B, A <= B, A == B, A >= B, A > B for the pairs (1, 2), (2, 2), (3, 2), (NaN, 2).
        let cases: [(&str, [bool; 4]); 5] = [
            ("Less", [true, false, false, false]),
            ("LessOrEqual", [true, true, false, false]),
            ("Equal", [false, true, false, false]),
            ("GreaterOrEqual", [false, true, true, false]),
            ("Greater", [false, false, true, false]),
        ];
        for (op_type, expected) in cases {
            let a = [1.0, 2.0, 3.0, f32::NAN];
            assert_bools(&op(op_type).run1([tensor(&[4], &a), Tensor::scalar(2.0_f32)]), &[4], &expected);
            assert_bools(&op(op_type).run1([tensor(&[4], &a.map(f64::from)), tensor(&[1, 1], &[2.0_f64])]), &[1, 4], &expected);
            assert_bools(&op(op_type).run1([tensor(&[4], &a.map(f16::from_f32)), tensor(&[1], &[f16::from_f32(2.0)])]), &[4], &expected);
            assert_bools(&op(op_type).run1([tensor(&[3], &[1_i64, 2, 3]), Tensor::scalar(2_i64)]), &[3], &expected[..3]);
            assert_bools(&op(op_type).run1([Tensor::scalar(1_u8), Tensor::scalar(2_u8)]), &[], &expected[..1]);
            assert_bools(&op(op_type).run1([Tensor::empty(ElementType::F32, &[0]), Tensor::scalar(2.0_f32)]), &[0], &[]);
        }
        assert_bools(&op("Equal").run1([strings(&[2], &["a", "b"]), strings(&[2, 1], &["b", "c"])]), &[2, 2], &[false, true, false, false]);
        assert_bools(&op("Equal").run1([bools(&[2], &[true, false]), bools(&[], &[false])]), &[2], &[false, true]);
        assert_bools(
            &op("Greater")
                .opset(6)
                .int("broadcast", 1)
                .int("axis", 0)
                .run1([tensor(&[2, 2], &[1.0_f32, 2.0, 3.0, 4.0]), tensor(&[2], &[1.0_f32, 3.0])]),
            &[2, 2],
            &[false, true, false, true],
        );
        assert_eq!(op("Less").error([strings(&[1], &["a"]), strings(&[1], &["b"])]), "input 0 (A) should be a tensor of numbers, but is string[1]");
        assert!(op("Less").error([tensor(&[2], &[1_i32, 2]), tensor(&[3], &[1_i32, 2, 3])]).contains("do not broadcast"));
    }

    #[test]
    fn boolean_algebra() {
        let a = bools(&[2, 1], &[true, false]);
        let b = bools(&[2], &[true, false]);
        assert_bools(&op("And").run1([a.clone(), b.clone()]), &[2, 2], &[true, false, false, false]);
        assert_bools(&op("Or").run1([a.clone(), b]), &[2, 2], &[true, true, true, false]);
        assert_bools(&op("Not").run1([a.clone()]), &[2, 1], &[false, true]);
        assert_bools(&op("Not").run1([bools(&[], &[true])]), &[], &[false]);
        assert_bools(&op("Not").run1([Tensor::empty(ElementType::Bool, &[0, 2])]), &[0, 2], &[]);
        assert_eq!(op("And").error([a, tensor(&[1], &[1_i32])]), "input 1 (B) should be a tensor of bool, but is int32[1]");
    }

    #[test]
    fn exclusive_or_and_kinds_of_floats() {
        assert_bools(&op("Xor").run1([bools(&[2, 1], &[true, false]), bools(&[2], &[true, false])]), &[2, 2], &[false, true, true, false]);
        let x = [1.0_f32, f32::INFINITY, f32::NEG_INFINITY, f32::NAN];
        assert_bools(&op("IsInf").run1([tensor(&[4], &x)]), &[4], &[false, true, true, false]);
        assert_bools(&op("IsInf").int("detect_negative", 0).run1([tensor(&[4], &x)]), &[4], &[false, true, false, false]);
        assert_bools(&op("IsInf").int("detect_positive", 0).run1([tensor(&[4], &x.map(f64::from))]), &[4], &[false, false, true, false]);
        assert_bools(&op("IsNaN").run1([tensor(&[4], &x.map(f16::from_f32))]), &[4], &[false, false, false, true]);
        let narrow = [0x7b_u8, 0x7c, 0xfc, 0x7f].map(F8E5M2::from_bits);
        assert_bools(&op("IsInf").run1([tensor(&[4], &narrow)]), &[4], &[false, true, true, false]);
        assert_bools(&op("IsNaN").run1([tensor(&[4], &narrow)]), &[4], &[false, false, false, true]);
        assert_bools(&op("IsNaN").run1([Tensor::empty(ElementType::F32, &[0])]), &[0], &[]);
        assert!(op("IsNaN").error([tensor(&[1], &[1_i32])]).contains("floating-point numbers"));
        assert_eq!(op("IsInf").infer([typed::<f32>("n")]), [Some("bool[n]".to_owned())]);
    }

    #[test]
    fn where_chooses_among_any_type() {
        let condition = bools(&[2, 1], &[true, false]);
        let x = tensor(&[3], &[1.0_f32, 2.0, 3.0]);
        let y = Tensor::scalar(-1.0_f32);
        assert_close(&op("Where").run1([condition.clone(), x.clone(), y.clone()]), &[2, 3], &[1.0, 2.0, 3.0, -1.0, -1.0, -1.0]);
        assert_close(&op("Where").run1([bools(&[], &[false]), x.clone(), y.clone()]), &[3], &[-1.0, -1.0, -1.0]);
        assert_close(&op("Where").run1([bools(&[1, 1], &[true]), Tensor::scalar(5.0_f32), y.clone()]), &[1, 1], &[5.0]);
        assert_close(&op("Where").run1([bools(&[], &[true]), Tensor::scalar(5.0_f32), y.clone()]), &[], &[5.0]);
        assert_tensor(&op("Where").run1([condition.clone(), tensor(&[2], &[1_i64, 2]), tensor(&[2], &[3_i64, 4])]), &[2, 2], &[1_i64, 2, 3, 4]);
        assert_bools(&op("Where").run1([condition.clone(), bools(&[], &[true]), bools(&[], &[false])]), &[2, 1], &[true, false]);
        assert_strings(&op("Where").run1([condition.clone(), strings(&[1], &["x"]), strings(&[1], &["y"])]), &[2, 1], &["x", "y"]);
        assert_tensor::<f32>(&op("Where").run1([Tensor::empty(ElementType::Bool, &[0, 1]), x.clone(), y]), &[0, 3], &[]);
        assert_eq!(op("Where").error([x.clone(), x.clone(), x.clone()]), "input 0 (condition) should be a tensor of bool, but is float32[3]");
        assert!(op("Where").error([bools(&[2], &[true, true]), x.clone(), x]).contains("do not broadcast"));
    }

    #[test]
    fn types_are_inferred() {
        assert_eq!(op("Less").infer([typed::<f32>("n, 1"), typed::<f32>("4")]), [Some("bool[n, 4]".to_owned())]);
        let types = [typed::<crate::host::Bool>("n, 1"), typed::<i32>("4"), typed::<i32>("")];
        assert_eq!(op("Where").infer(types), [Some("int32[n, 4]".to_owned())]);
        assert_eq!(op("Not").infer([typed::<crate::host::Bool>("n")]), [Some("bool[n]".to_owned())]);
    }
}
