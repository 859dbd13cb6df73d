//! MatMulInteger and QLinearMatMul.

use super::linear::{DequantizeLinear, QuantizeLinear};
use super::operands::{EightBits, Target, check_count, requantize, scales, zero_points};
use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::host::ElementType;
use crate::kernels::integer_product::{PackedRight, multiply};
use crate::ops::broadcast::Walk;
use crate::ops::matmul::{Product, infer_product, of_stacks, product_macs};
use crate::ops::operator::{Outputs, run_one, single};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::Tensor;

/// A matrix product of 8-bit integers, with the right side packed beforehand where it is a constant matrix.
#[derive(Debug)]
pub struct IntegerProduct {
    packed: Option<PackedRight>,
}

/// Both sides of an integer product with their zero points.
pub struct Sides<'a> {
    pub left: &'a Tensor,
    pub left_zero_points: &'a [i32],
    pub right: &'a Tensor,
    pub right_zero_points: &'a [i32],
}

impl IntegerProduct {
    /// `right` is the number of the input on the right side.
    pub fn new(node: &NodeContext<'_>, right: usize) -> Self {
        Self { packed: matrix(node, right).map(|(bytes, [inner, columns], is_signed)| PackedRight::from_rows(bytes, inner, columns, is_signed)) }
    }

    /// As [`Self::new`] for an input that enters the product transposed.
    pub fn new_transposed(node: &NodeContext<'_>, right: usize) -> Self {
        let pack = |(bytes, [columns, inner], is_signed): (&[u8], [usize; 2], bool)| {
            PackedRight::pack(inner, columns, is_signed, |column, elements| elements.copy_from_slice(&bytes[column * inner..][..inner]))
        };
        Self { packed: matrix(node, right).map(pack) }
    }

    /// Multiplies; `finish` makes the results of a row from the row's number (counted over all matrices) and its exact sums.
    /// Zero points are one for all, one per row or column, or one per row or column of every matrix.
    pub fn multiply<R: Copy + Default + Send>(
        &self,
        product: &Product,
        sides: &Sides<'_>,
        finish: impl Fn(usize, &[i32], &mut [R]) + Sync,
    ) -> Result<Vec<R>, OpError> {
        let (left, right) = (EightBits::new(sides.left, 0, "A")?, EightBits::new(sides.right, 1, "B")?);
        let (rows, inner, columns) = (product.rows, product.inner, product.columns);
        let n_left: usize = product.batch_left.iter().product();
        let n_right: usize = product.batch_right.iter().product();
        check_zero_points(sides.left_zero_points, rows, n_left, "a_zero_point", "rows")?;
        check_zero_points(sides.right_zero_points, columns, n_right, "b_zero_point", "columns")?;
        let mut results = vec![R::default(); product.result.iter().product()];
        if results.is_empty() {
            return Ok(results);
        }
        if n_right == 1 {
            let packed_now;
            let packed = match &self.packed {
                Some(packed) => packed,
                None => {
                    packed_now = PackedRight::from_rows(&right.bytes, inner, columns, right.is_signed);
                    &packed_now
                }
            };
            multiply(left.left(), sides.left_zero_points, packed, sides.right_zero_points, &mut results, finish);
            return Ok(results);
        }
        let mut first_row = 0;
        let part = |zero_points: &[i32], matrix: usize, length: usize| {
            let is_per_matrix = zero_points.len() > length.max(1);
            if is_per_matrix { matrix * length..(matrix + 1) * length } else { 0..zero_points.len() }
        };
        Walk::new([&product.batch_left, &product.batch_right])?.for_each(|[at_left, at_right]| {
            let packed = PackedRight::from_rows(&right.bytes[at_right * inner * columns..][..inner * columns], inner, columns, right.is_signed);
            let mut left = left.left();
            left.bytes = &left.bytes[at_left * rows * inner..][..rows * inner];
            let left_zero_points = &sides.left_zero_points[part(sides.left_zero_points, at_left, rows)];
            let right_zero_points = &sides.right_zero_points[part(sides.right_zero_points, at_right, columns)];
            let results = &mut results[first_row * columns..][..rows * columns];
            multiply(left, left_zero_points, &packed, right_zero_points, results, |row, sums, results| finish(first_row + row, sums, results));
            first_row += rows;
        });
        Ok(results)
    }
}

/// The constant behind an input, if it is a matrix of 8-bit integers: bytes, shape, and whether they are signed.
fn matrix<'a>(node: &NodeContext<'a>, index: usize) -> Option<(&'a [u8], [usize; 2], bool)> {
    let constant = node.constants.get(index).copied().flatten()?;
    let is_signed = match constant.element_type() {
        ElementType::I8 => true,
        ElementType::U8 => false,
        _ => return None,
    };
    Some((constant.bytes()?, constant.shape().try_into().ok()?, is_signed))
}

fn check_zero_points(zero_points: &[i32], count: usize, n_matrices: usize, name: &'static str, what: &str) -> Result<(), OpError> {
    if zero_points.len() == count.saturating_mul(n_matrices) {
        return Ok(());
    }
    check_count(zero_points.len(), count, 0, name, what)
}

/// The product of integers less their zero points, as int32. <https://onnx.ai/onnx/operators/onnx__MatMulInteger.html>, opset 10.
#[derive(Debug)]
struct MatMulInteger {
    product: IntegerProduct,
}

pub fn build_integer(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(MatMulInteger { product: IntegerProduct::new(node, 1) }))
}

impl Operator for MatMulInteger {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![Some(ValueType::tensor(ElementType::I32, infer_product(inputs, 0, 1)?))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let (left, right) = (inputs.take_tensor(0, "A")?, inputs.take_tensor(1, "B")?);
        let left_zeros = inputs.take_optional_tensor(2, "a_zero_point")?;
        let right_zeros = inputs.take_optional_tensor(3, "b_zero_point")?;
        let product = Product::new(left.shape(), right.shape())?;
        context.check_result_size(ElementType::I32, &product.result)?;
        let sides = Sides {
            left: &left,
            left_zero_points: &zero_points(left_zeros.as_ref(), left.element_type(), 2, "a_zero_point")?,
            right: &right,
            right_zero_points: &zero_points(right_zeros.as_ref(), right.element_type(), 3, "b_zero_point")?,
        };
        let sums = self.product.multiply(&product, &sides, |_, sums, results: &mut [i32]| results.copy_from_slice(sums))?;
        Ok(single(Tensor::from_vec(&product.result, sums)?))
    }

    fn macs(&self, inputs: &[Option<ValueType>], outputs: &[Option<ValueType>]) -> Option<u64> {
        product_macs(inputs.first()?.as_ref()?, outputs.first()?.as_ref()?)
    }
}

/// The product of quantised matrices, quantised. <https://onnx.ai/onnx/operators/onnx__QLinearMatMul.html>, opsets 10, 21 (half-precision scales,
/// 8-bit floats). Where an operand is of 8-bit floats, the numbers behind both are multiplied in float32.
#[derive(Debug)]
struct QLinearMatMul {
    product: IntegerProduct,
}

/// A tensor with its scales and zero points, three inputs in a row.
struct Side {
    tensor: Tensor,
    scales: Tensor,
    zero_points: Tensor,
}

impl Side {
    fn take(inputs: &mut Inputs, index: usize, names: [&'static str; 3]) -> Result<Self, OpError> {
        let (tensor, scales) = (inputs.take_tensor(index, names[0])?, inputs.take_tensor(index + 1, names[1])?);
        Ok(Self { tensor, scales, zero_points: inputs.take_tensor(index + 2, names[2])? })
    }

    /// The numbers behind the elements; where there are several scales, they belong to the places of an axis.
    fn numbers(self, axis: i64, context: &RunContext<'_>) -> Result<Tensor, OpError> {
        let axis = if self.tensor.rank() > 1 { axis } else { -1 };
        run_one(&DequantizeLinear::along(axis), [self.tensor, self.scales, self.zero_points], context)
    }
}

fn is_integer(tensor: &Tensor) -> bool {
    matches!(tensor.element_type(), ElementType::I8 | ElementType::U8)
}

pub fn build_quantized(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(QLinearMatMul { product: IntegerProduct::new(node, 3) }))
}

impl Operator for QLinearMatMul {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let shape = infer_product(inputs, 0, 3)?;
        Ok(vec![inputs.tensor(7).map(|(element_type, _)| ValueType::tensor(element_type, shape))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let left = Side::take(&mut inputs, 0, ["a", "a_scale", "a_zero_point"])?;
        let right = Side::take(&mut inputs, 3, ["b", "b_scale", "b_zero_point"])?;
        let (target_scale, target_zero) = (inputs.take_tensor(6, "y_scale")?, inputs.take_optional_tensor(7, "y_zero_point")?);
        if !(is_integer(&left.tensor) && is_integer(&right.tensor) && target_zero.as_ref().is_none_or(is_integer)) {
            let target_zero = target_zero.ok_or(OpError::MissingInput { index: 7, name: "y_zero_point" })?;
            let product = of_stacks(left.numbers(-2, context)?, right.numbers(-1, context)?, context)?;
            return run_one(&QuantizeLinear::uniform(), [product, target_scale, target_zero], context).map(single);
        }
        let target = Target::new(&target_scale, target_zero.as_ref(), 6, ["y_scale", "y_zero_point"], left.tensor.element_type())?;
        let left_scales = scales(&left.scales, 1, "a_scale")?;
        let right_scales = scales(&right.scales, 4, "b_scale")?;
        let product = Product::new(left.tensor.shape(), right.tensor.shape())?;
        context.check_result_size(target.element_type, &product.result)?;
        check_count(left_scales.len(), product.rows, 1, "a_scale", "rows")?;
        check_count(right_scales.len(), product.columns, 4, "b_scale", "columns")?;
        let sides = Sides {
            left: &left.tensor,
            left_zero_points: &zero_points(Some(&left.zero_points), left.tensor.element_type(), 2, "a_zero_point")?,
            right: &right.tensor,
            right_zero_points: &zero_points(Some(&right.zero_points), right.tensor.element_type(), 5, "b_zero_point")?,
        };
        // One list of factors for each row that has a scale of its own.
        let factors: Vec<Vec<f32>> = left_scales.iter().map(|left| right_scales.iter().map(|right| left * right / target.scale).collect()).collect();
        let bytes = self.product.multiply(&product, &sides, |row, sums, results: &mut [u8]| {
            requantize(target, sums, &factors[row % factors.len()], results);
        })?;
        target.tensor(&product.result, bytes).map(single)
    }

    fn macs(&self, inputs: &[Option<ValueType>], outputs: &[Option<ValueType>]) -> Option<u64> {
        product_macs(inputs.first()?.as_ref()?, outputs.first()?.as_ref()?)
    }
}
