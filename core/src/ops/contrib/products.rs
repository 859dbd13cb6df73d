//! Matrix products of 8-bit integers whose results are scaled right away: QGemm, DynamicQuantizeMatMul, MatMulIntegerToFloat.

use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, ValueType};
use crate::host::ElementType;
use crate::ops::broadcast::{Walk, check_broadcasts_to};
use crate::ops::matmul::{Product, infer_product, product_macs};
use crate::ops::operator::{Outputs, single};
use crate::ops::quantize::dynamic;
use crate::ops::quantize::matmul::{IntegerProduct, Sides};
use crate::ops::quantize::operands::{Target, check_count, requantize, scales, take_scale, zero_points};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext, movement};
use crate::tensor::Tensor;

pub mod n_bits;

/// Sums to numbers: `sum · left scale · right scale + bias`, with one right scale or one per column.
pub struct Scaled {
    factors: Vec<f32>,
    bias: Option<Vec<f32>>,
}

impl Scaled {
    pub fn new(left: f32, right: &[f32], bias: Option<Tensor>, columns: usize) -> Result<Self, OpError> {
        check_count(right.len(), columns, 2, "b_scale", "columns")?;
        let bias = match bias {
            Some(bias) if bias.shape() == [columns] => Some(bias.as_slice::<f32>()?.into_owned()),
            Some(bias) => return Err(OpError::shape(format!("the bias has shape {:?}, but there are {columns} columns", bias.shape()))),
            None => None,
        };
        Ok(Self { factors: right.iter().map(|right| left * right).collect(), bias })
    }

    pub fn write(&self, sums: &[i32], results: &mut [f32]) {
        match self.factors.as_slice() {
            &[factor] => results.iter_mut().zip(sums).for_each(|(result, &sum)| *result = sum as f32 * factor),
            factors => results.iter_mut().zip(sums).zip(factors).for_each(|((result, &sum), factor)| *result = sum as f32 * factor),
        }
        if let Some(bias) = &self.bias {
            results.iter_mut().zip(bias).for_each(|(result, bias)| *result += bias);
        }
    }
}

/// Quantises A to uint8 as DynamicQuantizeLinear does, multiplies with B, and scales back; a bias is optional.
#[derive(Debug)]
struct DynamicQuantizeMatMul {
    product: IntegerProduct,
}

pub fn build_dynamic(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(DynamicQuantizeMatMul { product: IntegerProduct::new(node, 1) }))
}

impl Operator for DynamicQuantizeMatMul {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![Some(ValueType::tensor(ElementType::F32, infer_product(inputs, 0, 1)?))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let (left, right) = (inputs.take_tensor(0, "A")?, inputs.take_tensor(1, "B")?);
        let right_scales = scales(&inputs.take_tensor(2, "b_scale")?, 2, "b_scale")?;
        let right_zeros = inputs.take_optional_tensor(3, "b_zero_point")?;
        let bias = inputs.take_optional_tensor(4, "bias")?;
        let product = Product::new(left.shape(), right.shape())?;
        context.check_result_size(ElementType::F32, &product.result)?;
        let values = left.as_slice::<f32>()?;
        let (scale, zero_point) = dynamic::find_scale(&values);
        let quantized = Tensor::from_vec(left.shape(), dynamic::quantize(&values, scale, zero_point))?;
        let scaled = Scaled::new(scale, &right_scales, bias, product.columns)?;
        let sides = Sides {
            left: &quantized,
            left_zero_points: &[zero_point.into()],
            right: &right,
            right_zero_points: &zero_points(right_zeros.as_ref(), right.element_type(), 3, "b_zero_point")?,
        };
        let results = self.product.multiply(&product, &sides, |_, sums, results: &mut [f32]| scaled.write(sums, results))?;
        Ok(single(Tensor::from_vec(&product.result, results)?))
    }

    fn macs(&self, inputs: &[Option<ValueType>], outputs: &[Option<ValueType>]) -> Option<u64> {
        product_macs(inputs.first()?.as_ref()?, outputs.first()?.as_ref()?)
    }
}

/// MatMulInteger, scaled to numbers; a bias is optional.
#[derive(Debug)]
struct MatMulIntegerToFloat {
    product: IntegerProduct,
}

pub fn build_integer_to_float(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(MatMulIntegerToFloat { product: IntegerProduct::new(node, 1) }))
}

impl Operator for MatMulIntegerToFloat {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![Some(ValueType::tensor(ElementType::F32, infer_product(inputs, 0, 1)?))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let (left, right) = (inputs.take_tensor(0, "A")?, inputs.take_tensor(1, "B")?);
        let left_scale = take_scale(&mut inputs, 2, "a_scale")?;
        let right_scales = scales(&inputs.take_tensor(3, "b_scale")?, 3, "b_scale")?;
        let left_zeros = inputs.take_optional_tensor(4, "a_zero_point")?;
        let right_zeros = inputs.take_optional_tensor(5, "b_zero_point")?;
        let bias = inputs.take_optional_tensor(6, "bias")?;
        let product = Product::new(left.shape(), right.shape())?;
        context.check_result_size(ElementType::F32, &product.result)?;
        let scaled = Scaled::new(left_scale, &right_scales, bias, product.columns)?;
        let sides = Sides {
            left: &left,
            left_zero_points: &zero_points(left_zeros.as_ref(), left.element_type(), 4, "a_zero_point")?,
            right: &right,
            right_zero_points: &zero_points(right_zeros.as_ref(), right.element_type(), 5, "b_zero_point")?,
        };
        let results = self.product.multiply(&product, &sides, |_, sums, results: &mut [f32]| scaled.write(sums, results))?;
        Ok(single(Tensor::from_vec(&product.result, results)?))
    }

    fn macs(&self, inputs: &[Option<ValueType>], outputs: &[Option<ValueType>]) -> Option<u64> {
        product_macs(inputs.first()?.as_ref()?, outputs.first()?.as_ref()?)
    }
}

/// `alpha · A' · B' + C` of quantised matrices, with C as int32 in steps of the product's scale. Quantised where a scale for Y is given, float32
/// where not.
#[derive(Debug)]
struct QGemm {
    alpha: f32,
    transpose_left: bool,
    transpose_right: bool,
    product: IntegerProduct,
}

pub fn build_gemm(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let transpose_right = node.attributes.int("transB")?.unwrap_or(0) != 0;
    Ok(Box::new(QGemm {
        alpha: node.attributes.float("alpha")?.unwrap_or(1.0),
        transpose_left: node.attributes.int("transA")?.unwrap_or(0) != 0,
        transpose_right,
        product: if transpose_right { IntegerProduct::new_transposed(node, 3) } else { IntegerProduct::new(node, 3) },
    }))
}

impl QGemm {
    /// An operand as it enters the product.
    fn oriented(tensor: Tensor, is_transposed: bool, name: &str) -> Result<Tensor, OpError> {
        if tensor.rank() != 2 {
            return Err(OpError::shape(format!("{name} should be a matrix, but has shape {:?}", tensor.shape())));
        }
        if is_transposed { movement::permute(tensor, &[1, 0]) } else { Ok(tensor) }
    }

    /// C for every element of the result.
    fn addends(addend: Option<&Tensor>, result: &[usize]) -> Result<Option<Vec<i32>>, OpError> {
        let Some(addend) = addend else { return Ok(None) };
        check_broadcasts_to(addend.shape(), result)?;
        let values = addend.as_slice::<i32>()?;
        let mut addends = Vec::with_capacity(result.iter().product());
        Walk::new([result, addend.shape()])?.for_each(|[_, at]| addends.push(values[at]));
        Ok(Some(addends))
    }
}

impl Operator for QGemm {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let side = |index: usize, is_transposed: bool, wanted: usize| {
            let dims = inputs.tensor(index).and_then(|(_, shape)| shape.dims());
            dims.and_then(|dims| dims.get(if is_transposed { 1 - wanted } else { wanted }).cloned()).unwrap_or(Dimension::Unknown)
        };
        let shape = vec![side(0, self.transpose_left, 0), side(3, self.transpose_right, 1)];
        let element_type = match (inputs.types.len() > 8, inputs.tensor(8)) {
            (true, Some((element_type, _))) => element_type,
            (true, None) => return Ok(vec![None]),
            _ => ElementType::F32,
        };
        Ok(vec![Some(ValueType::tensor(element_type, shape))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let left = Self::oriented(inputs.take_tensor(0, "A")?, self.transpose_left, "A")?;
        let right = Self::oriented(inputs.take_tensor(3, "B")?, self.transpose_right, "B")?;
        let left_scale = take_scale(&mut inputs, 1, "a_scale")?;
        let right_scales = scales(&inputs.take_tensor(4, "b_scale")?, 4, "b_scale")?;
        let (left_zeros, right_zeros) = (inputs.take_optional_tensor(2, "a_zero_point")?, inputs.take_optional_tensor(5, "b_zero_point")?);
        let addend = inputs.take_optional_tensor(6, "C")?;
        let target = if inputs.has(7) { Some(Target::take(&mut inputs, 7, ["y_scale", "y_zero_point"], left.element_type())?) } else { None };
        let product = Product::new(left.shape(), right.shape())?;
        context.check_result_size(ElementType::I32, &product.result)?;
        let addends = Self::addends(addend.as_ref(), &product.result)?;
        let sides = Sides {
            left: &left,
            left_zero_points: &zero_points(left_zeros.as_ref(), left.element_type(), 2, "a_zero_point")?,
            right: &right,
            right_zero_points: &zero_points(right_zeros.as_ref(), right.element_type(), 5, "b_zero_point")?,
        };
        let columns = product.columns;
        let add = |row: usize, sums: &[i32]| -> Vec<i32> {
            match &addends {
                Some(addends) => sums.iter().zip(&addends[row * columns..]).map(|(sum, addend)| sum.wrapping_add(*addend)).collect(),
                None => sums.to_vec(),
            }
        };
        let scaled = Scaled::new(self.alpha * left_scale, &right_scales, None, columns)?;
        let Some(target) = target else {
            let results = self.product.multiply(&product, &sides, |row, sums, results: &mut [f32]| scaled.write(&add(row, sums), results))?;
            return Ok(single(Tensor::from_vec(&product.result, results)?));
        };
        let factors: Vec<f32> = scaled.factors.iter().map(|factor| factor / target.scale).collect();
        let bytes =
            self.product.multiply(&product, &sides, |row, sums, results: &mut [u8]| requantize(target, &add(row, sums), &factors, results))?;
        target.tensor(&product.result, bytes).map(single)
    }

    fn macs(&self, inputs: &[Option<ValueType>], outputs: &[Option<ValueType>]) -> Option<u64> {
        let (_, left) = inputs.first()?.as_ref()?.as_tensor()?;
        let (_, result) = outputs.first()?.as_ref()?.as_tensor()?;
        let inner = *left.as_known()?.get(usize::from(!self.transpose_left))?;
        result.as_known()?.iter().chain([&inner]).try_fold(1_u64, |product, &dim| product.checked_mul(u64::try_from(dim).ok()?))
    }
}
