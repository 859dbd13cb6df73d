//! Integers as rows of bits: shifts, and the boolean operations bit by bit. They run in host memory.

use super::broadcast::{Walk, broadcast_symbolic};
use super::operator::{Outputs, single};
use super::types::check_same_type;
use super::{Inputs, NodeContext, OpError, Operator, OpsetRange, Registration, RunContext, shape};
use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::host::{Element, ElementType};
use crate::tensor::{Shape, Tensor};

/// Specification: <https://onnx.ai/onnx/operators/>, a page per operator.
///
/// BitShift: 11 (unsigned), 28 (signed; shifts beyond the width). BitwiseAnd, BitwiseNot, BitwiseOr, BitwiseXor: 18.
pub const OPERATORS: &[Registration] = &[
    register("BitShift", 11, BitShift::build),
    register("BitwiseAnd", 18, |_| Ok(Box::new(BitwiseBinary { kind: BitwiseKind::And }))),
    register("BitwiseNot", 18, |_| Ok(Box::new(BitwiseNot))),
    register("BitwiseOr", 18, |_| Ok(Box::new(BitwiseBinary { kind: BitwiseKind::Or }))),
    register("BitwiseXor", 18, |_| Ok(Box::new(BitwiseBinary { kind: BitwiseKind::Xor }))),
];

const fn register(op_type: &'static str, first: i64, build: fn(&NodeContext<'_>) -> Result<Box<dyn Operator>, OpError>) -> Registration {
    Registration { domain: "", op_type, opsets: OpsetRange::from(first), build }
}

/// An integer type.
trait Bits: Element {
    fn and(self, other: Self) -> Self;
    fn or(self, other: Self) -> Self;
    fn xor(self, other: Self) -> Self;
    fn not(self) -> Self;
    /// 0 where the shift is negative or as wide as the type.
    fn shifted_left(self, by: Self) -> Self;
    /// Signed types keep their sign; where the shift is negative or as wide as the type, only the sign is left: 0 or -1.
    fn shifted_right(self, by: Self) -> Self;
}

macro_rules! bits {
    ($($t:ty),*) => {$(
        impl Bits for $t {
            fn and(self, other: Self) -> Self {
                self & other
            }
            fn or(self, other: Self) -> Self {
                self | other
            }
            fn xor(self, other: Self) -> Self {
                self ^ other
            }
            fn not(self) -> Self {
                !self
            }
            fn shifted_left(self, by: Self) -> Self {
                u32::try_from(by).ok().and_then(|by| self.checked_shl(by)).unwrap_or(0)
            }
            fn shifted_right(self, by: Self) -> Self {
                u32::try_from(by).ok().and_then(|by| self.checked_shr(by)).unwrap_or((self >> (Self::BITS / 2)) >> (Self::BITS / 2))
            }
        }
    )*};
}
bits!(i8, i16, i32, i64, u8, u16, u32, u64);

/// Runs `$body` with `$t` bound to an integer type.
macro_rules! match_int {
    ($element_type:expr, $t:ident => $body:expr, else $other:expr) => {
        match $element_type {
            ElementType::I8 => match_int!(@ i8, $t, $body),
            ElementType::I16 => match_int!(@ i16, $t, $body),
            ElementType::I32 => match_int!(@ i32, $t, $body),
            ElementType::I64 => match_int!(@ i64, $t, $body),
            ElementType::U8 => match_int!(@ u8, $t, $body),
            ElementType::U16 => match_int!(@ u16, $t, $body),
            ElementType::U32 => match_int!(@ u32, $t, $body),
            ElementType::U64 => match_int!(@ u64, $t, $body),
            _ => $other,
        }
    };
    (@ $rust:ty, $t:ident, $body:expr) => {{
        type $t = $rust;
        $body
    }};
}

/// What an input must be.
fn expected_integers(index: usize, name: &'static str, found: &Tensor) -> OpError {
    OpError::WrongInput { index, name, expected: "a tensor of integers".to_owned(), found: format!("{found:?}") }
}

/// Applies an operation on two integers to two tensors, broadcast to one shape.
fn combine<T: Bits>(a: &Tensor, b: &Tensor, context: &RunContext<'_>, apply: impl FnMut(T, T) -> T) -> Result<Tensor, OpError> {
    let walk = Walk::new([a.shape(), b.shape()])?;
    context.check_result_size(T::ELEMENT_TYPE, walk.shape())?;
    let values = walk.map(&a.as_slice::<T>()?, &b.as_slice::<T>()?, apply);
    Ok(Tensor::from_vec(walk.shape(), values)?)
}

fn infer_binary(inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
    let (Some((element_type, left)), Some((_, right))) = (inputs.tensor(0), inputs.tensor(1)) else { return Ok(vec![None]) };
    Ok(vec![Some(ValueType::tensor(element_type, broadcast_symbolic(left, right)?))])
}

/// `X` shifted by as many bits as `Y` says.
#[derive(Debug)]
struct BitShift {
    is_left: bool,
}

impl BitShift {
    fn build(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
        let is_left = match node.attributes.require_text("direction")? {
            "LEFT" => true,
            "RIGHT" => false,
            other => return Err(OpError::value(format!("attribute 'direction' is '{other}'; it may be 'LEFT' or 'RIGHT'"))),
        };
        Ok(Box::new(Self { is_left }))
    }
}

impl Operator for BitShift {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        infer_binary(inputs)
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let (x, y) = (inputs.take_tensor(0, "X")?, inputs.take_tensor(1, "Y")?);
        check_same_type(&x, &y)?;
        match_int!(
            x.element_type(),
            T => combine::<T>(&x, &y, context, if self.is_left { T::shifted_left } else { T::shifted_right }),
            else Err(expected_integers(0, "X", &x))
        )
        .map(single)
    }
}

#[derive(Debug, Clone, Copy)]
enum BitwiseKind {
    And,
    Or,
    Xor,
}

/// And, or, exclusive or of each pair of bits.
#[derive(Debug)]
struct BitwiseBinary {
    kind: BitwiseKind,
}

impl Operator for BitwiseBinary {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        infer_binary(inputs)
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let (a, b) = (inputs.take_tensor(0, "A")?, inputs.take_tensor(1, "B")?);
        check_same_type(&a, &b)?;
        match_int!(
            a.element_type(),
            T => combine::<T>(&a, &b, context, match self.kind {
                BitwiseKind::And => T::and,
                BitwiseKind::Or => T::or,
                BitwiseKind::Xor => T::xor,
            }),
            else Err(expected_integers(0, "A", &a))
        )
        .map(single)
    }
}

/// Each bit the other way.
#[derive(Debug)]
struct BitwiseNot;

impl Operator for BitwiseNot {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![shape::same_as(inputs, 0)])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "X")?;
        let dims = Shape::from_slice(x.shape());
        match_int!(
            x.element_type(),
            T => Ok(single(Tensor::from_vec(&dims, x.into_vec::<T>()?.into_iter().map(T::not).collect())?)),
            else Err(expected_integers(0, "X", &x))
        )
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::{assert_tensor, op, tensor, typed};
    use crate::tensor::Tensor;

    #[test]
    fn shifts_drop_bits_and_keep_the_sign() {
        let left = op("BitShift").opset(28).text("direction", "LEFT");
        let right = op("BitShift").opset(28).text("direction", "RIGHT");
        // The rules of the specification of BitShift-28.
        assert_tensor(&left.run1([tensor(&[4], &[1_u8, 255, 3, 7]), tensor(&[4], &[1_u8, 7, 8, 200])]), &[4], &[2_u8, 128, 0, 0]);
        assert_tensor(&right.run1([tensor(&[3], &[16_u64, u64::MAX, 1]), tensor(&[], &[3_u64])]), &[3], &[2_u64, u64::MAX >> 3, 0]);
        assert_tensor(&left.run1([tensor(&[3], &[64_i8, -1, 5]), tensor(&[3], &[1_i8, 3, -1])]), &[3], &[-128_i8, -8, 0]);
        assert_tensor(&right.run1([tensor(&[4], &[-8_i32, -8, 8, -8]), tensor(&[4], &[1_i32, 32, 40, -1])]), &[4], &[-4_i32, -1, 0, -1]);
        assert_tensor(&right.run1([tensor(&[1], &[i64::MIN]), tensor(&[1], &[64_i64])]), &[1], &[-1_i64]);
        assert_tensor::<u8>(&left.run1([tensor::<u8>(&[0], &[]), tensor(&[1], &[1_u8])]), &[0], &[]);
        assert_eq!(
            op("BitShift").text("direction", "UP").error([tensor(&[1], &[1_u8]), tensor(&[1], &[1_u8])]),
            "attribute 'direction' is 'UP'; it may be 'LEFT' or 'RIGHT'"
        );
        assert!(op("BitShift").error([tensor(&[1], &[1_u8]), tensor(&[1], &[1_u8])]).contains("attribute 'direction' is missing"));
        let floats = tensor(&[1], &[1.0_f32]);
        assert_eq!(left.error([floats.clone(), floats]), "input 0 (X) should be a tensor of integers, but is float32[1]");
    }

    #[test]
    fn bits_combine_with_broadcasting() {
        let column = tensor(&[2, 1], &[0b1100_u16, 0b1010]);
        let row = tensor(&[2], &[0b1010_u16, 0b0001]);
        assert_tensor(&op("BitwiseAnd").run1([column.clone(), row.clone()]), &[2, 2], &[0b1000_u16, 0, 0b1010, 0]);
        assert_tensor(&op("BitwiseOr").run1([column.clone(), row.clone()]), &[2, 2], &[0b1110_u16, 0b1101, 0b1010, 0b1011]);
        assert_tensor(&op("BitwiseXor").run1([column.clone(), row]), &[2, 2], &[0b0110_u16, 0b1101, 0, 0b1011]);
        assert_tensor(&op("BitwiseNot").run1([Tensor::scalar(0_i64)]), &[], &[-1_i64]);
        assert_tensor(&op("BitwiseNot").run1([tensor(&[1], &[1_u8])]), &[1], &[254_u8]);
        assert!(op("BitwiseAnd").error([tensor(&[2], &[0_u16; 2]), tensor(&[3], &[0_u16; 3])]).contains("do not broadcast"));
        assert!(op("BitwiseOr").error([column, tensor(&[1], &[0_i16])]).contains("different element types"));
        assert!(op("BitwiseNot").error([tensor(&[1], &[1.0_f64])]).contains("a tensor of integers"));
        assert_eq!(op("BitwiseXor").infer([typed::<u8>("n, 1"), typed::<u8>("4")]), [Some("uint8[n, 4]".to_owned())]);
        assert_eq!(op("BitwiseNot").infer([typed::<u8>("n")]), [Some("uint8[n]".to_owned())]);
    }
}
