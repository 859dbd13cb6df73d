//! Matrix products: MatMul and Gemm. Floating-point products go over burn, integer ones through a host loop.

use burn::backend::ops::FloatTensorOps as _;

use super::broadcast::{broadcast, broadcast_symbolic, check_broadcasts_to, float_operand};
use super::operator::{Outputs, single};
use super::registry::{OpsetRange, Registration};
use super::types::{Number, check_same_type, match_number};
use super::{Inputs, NodeContext, OpError, Operator, Placement, RunContext};
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::host::ElementType;
use crate::tensor::{Backend, Shape, Tensor};

pub const OPERATORS: &[Registration] = &[
    Registration { domain: "", op_type: "Gemm", opsets: OpsetRange::from(1), build: build_gemm },
    Registration { domain: "", op_type: "MatMul", opsets: OpsetRange::from(1), build: build_matmul },
];

/// <https://onnx.ai/onnx/operators/onnx__MatMul.html>, opsets 1, 9 (integers), 13 (bfloat16).
#[derive(Debug)]
struct MatMul;

fn build_matmul(_context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(MatMul))
}

/// The sizes of a product, in numpy's sense: a vector on the left is a row, on the right a column, and vanishes from the result.
#[derive(Debug)]
pub(super) struct Product {
    pub batch_left: Shape,
    pub batch_right: Shape,
    pub rows: usize,
    pub inner: usize,
    pub columns: usize,
    pub result: Shape,
}

/// The dimensions of the left side: batch, rows (of which a vector has none), columns.
fn left_side<T>(dims: &[T]) -> Result<(&[T], Option<&T>, &T), OpError> {
    match dims {
        [] => Err(left_is_scalar()),
        [inner] => Ok((&[], None, inner)),
        [batch @ .., rows, inner] => Ok((batch, Some(rows), inner)),
    }
}

/// The dimensions of the right side: batch, rows, columns (of which a vector has none).
fn right_side<T>(dims: &[T]) -> Result<(&[T], &T, Option<&T>), OpError> {
    match dims {
        [] => Err(OpError::shape("the right side of a matrix product is a scalar")),
        [inner] => Ok((&[], inner, None)),
        [batch @ .., inner, columns] => Ok((batch, inner, Some(columns))),
    }
}

pub(super) fn left_is_scalar() -> OpError {
    OpError::shape("the left side of a matrix product is a scalar")
}

pub(super) fn not_a_matrix(name: &str, rank: usize) -> OpError {
    OpError::shape(format!("{name} should be a matrix, but has rank {rank}"))
}

pub(super) fn inner_differ(left: &[usize], inner: usize, right: &[usize], inner_right: usize) -> OpError {
    OpError::shape(format!("shapes {left:?} and {right:?} do not multiply: the left side has {inner} columns, the right side {inner_right} rows"))
}

fn check_inner(left: &Dimension, right: &Dimension) -> Result<(), OpError> {
    match (left.known(), right.known()) {
        (Some(left), Some(right)) if left != right => {
            Err(OpError::shape(format!("a matrix of {left} columns does not multiply with one of {right} rows")))
        }
        _ => Ok(()),
    }
}

impl Product {
    pub fn new(left: &[usize], right: &[usize]) -> Result<Self, OpError> {
        let (batch_left, rows, &inner) = left_side(left)?;
        let (batch_right, &inner_right, columns) = right_side(right)?;
        if inner != inner_right {
            return Err(inner_differ(left, inner, right, inner_right));
        }
        let mut result = broadcast(batch_left, batch_right)?;
        result.extend(rows.copied());
        result.extend(columns.copied());
        Ok(Self {
            batch_left: batch_left.into(),
            batch_right: batch_right.into(),
            rows: rows.copied().unwrap_or(1),
            inner,
            columns: columns.copied().unwrap_or(1),
            result,
        })
    }

    /// Both sides as matrices or stacks of matrices.
    fn operands(&self, left: Tensor, right: Tensor) -> Result<(Tensor, Tensor), OpError> {
        let one_matrix = self.batch_right.iter().all(|&dim| dim == 1);
        // One matrix on the right: all rows on the left make one product, which is much faster than a stack of small ones.
        let left_shape = if one_matrix {
            Shape::from_slice(&[self.batch_left.iter().product::<usize>() * self.rows, self.inner])
        } else {
            self.batch_left.iter().copied().chain([self.rows, self.inner]).collect()
        };
        let right_batch = if one_matrix { &[] } else { self.batch_right.as_slice() };
        let right_shape: Shape = right_batch.iter().copied().chain([self.inner, self.columns]).collect();
        Ok((left.reshaped(&left_shape)?, right.reshaped(&right_shape)?))
    }
}

/// `left · right` for any batch; both have the same floating-point type.
fn float_product(product: &Product, left: Tensor, right: Tensor, context: &RunContext<'_>) -> Result<Tensor, OpError> {
    let element_type = left.element_type();
    if product.result.contains(&0) {
        return Ok(Tensor::empty(element_type, &product.result));
    }
    let (left, right) = product.operands(left, right)?;
    let rank = left.rank().max(right.rank());
    match (float_operand(left, rank), float_operand(right, rank)) {
        (Some(left), Some(right)) => Ok(Tensor::from_primitive(element_type, &product.result, Backend::float_matmul(left, right))),
        // An inner dimension of 0: sums of nothing.
        _ => Ok(zeros(element_type, &product.result)?.to_device(context.device)?),
    }
}

fn zeros(element_type: ElementType, shape: &[usize]) -> Result<Tensor, OpError> {
    fn filled<T: Number>(shape: &[usize]) -> Result<Tensor, OpError> {
        Ok(Tensor::from_vec(shape, vec![T::ZERO; shape.iter().product()])?)
    }
    match_number!(element_type, T => filled::<T>(shape), else Err(unsupported_type(element_type)))
}

fn unsupported_type(element_type: ElementType) -> OpError {
    OpError::unsupported(format!("a matrix product of {element_type}"))
}

/// Integer products wrap around, as ONNX's other integer arithmetic does.
fn integer_product<T: Number>(product: &Product, left: &Tensor, right: &Tensor) -> Result<Tensor, OpError> {
    let (left, right) = (left.as_slice::<T>()?, right.as_slice::<T>()?);
    let (rows, inner, columns) = (product.rows, product.inner, product.columns);
    let mut result = vec![T::ZERO; product.result.iter().product()];
    if result.is_empty() {
        return Ok(Tensor::empty(T::ELEMENT_TYPE, &product.result));
    }
    let mut at_result = 0;
    super::broadcast::Walk::new([&product.batch_left, &product.batch_right])?.for_each(|[at_left, at_right]| {
        let left = &left[at_left * rows * inner..][..rows * inner];
        let right = &right[at_right * inner * columns..][..inner * columns];
        for row in 0..rows {
            let sums = &mut result[at_result + row * columns..][..columns];
            for (step, &factor) in left[row * inner..][..inner].iter().enumerate() {
                for (sum, &value) in sums.iter_mut().zip(&right[step * columns..][..columns]) {
                    *sum = sum.plus(factor.times(value));
                }
            }
        }
        at_result += rows * columns;
    });
    Ok(Tensor::from_vec(&product.result, result)?)
}

/// The shape of the product of two inputs.
pub(super) fn infer_product(inputs: &InferInputs<'_>, left: usize, right: usize) -> Result<SymbolicShape, OpError> {
    let dims = |index: usize| inputs.tensor(index).and_then(|(_, shape)| shape.dims());
    let (Some(left), Some(right)) = (dims(left), dims(right)) else { return Ok(SymbolicShape::unknown()) };
    let (batch_left, rows, inner_left) = left_side(left)?;
    let (batch_right, inner_right, columns) = right_side(right)?;
    check_inner(inner_left, inner_right)?;
    let SymbolicShape(batch) = broadcast_symbolic(&batch_left.to_vec().into(), &batch_right.to_vec().into())?;
    Ok(SymbolicShape(batch.map(|batch| batch.into_iter().chain(rows.cloned()).chain(columns.cloned()).collect())))
}

/// Multiply-accumulates of a product of these types.
pub(super) fn product_macs(left: &ValueType, result: &ValueType) -> Option<u64> {
    let ((_, left), (_, result)) = (left.as_tensor()?, result.as_tensor()?);
    macs(&result.as_known()?, left.dims()?.last()?.known()?)
}

/// The products of two stacks of matrices, `[batch, rows, inner]` and `[batch, inner, columns]`, of any number type.
pub(super) fn of_stacks(left: Tensor, right: Tensor, context: &RunContext<'_>) -> Result<Tensor, OpError> {
    let product = Product::new(left.shape(), right.shape())?;
    let element_type = left.element_type();
    context.check_result_size(element_type, &product.result)?;
    if element_type.is_float() {
        return float_product(&product, left, right, context);
    }
    match_number!(element_type, T => integer_product::<T>(&product, &left, &right), else Err(unsupported_type(element_type)))
}

impl Operator for MatMul {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let Some((element_type, _)) = inputs.tensor(0) else { return Ok(vec![None]) };
        Ok(vec![Some(ValueType::tensor(element_type, infer_product(inputs, 0, 1)?))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let (left, right) = (inputs.take_tensor(0, "A")?, inputs.take_tensor(1, "B")?);
        check_same_type(&left, &right)?;
        let product = Product::new(left.shape(), right.shape())?;
        context.check_result_size(left.element_type(), &product.result)?;
        let result = match left.element_type() {
            element_type if element_type.is_float() => float_product(&product, left, right, context),
            ElementType::I32 => integer_product::<i32>(&product, &left, &right),
            ElementType::I64 => integer_product::<i64>(&product, &left, &right),
            ElementType::U32 => integer_product::<u32>(&product, &left, &right),
            ElementType::U64 => integer_product::<u64>(&product, &left, &right),
            other => Err(unsupported_type(other)),
        };
        Ok(single(result?))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }

    fn macs(&self, inputs: &[Option<ValueType>], outputs: &[Option<ValueType>]) -> Option<u64> {
        product_macs(inputs.first()?.as_ref()?, outputs.first()?.as_ref()?)
    }
}

/// Multiply-accumulates of a result whose every element sums `inner` products.
fn macs(result: &[usize], inner: usize) -> Option<u64> {
    result.iter().chain([&inner]).try_fold(1_u64, |product, &dim| product.checked_mul(u64::try_from(dim).ok()?))
}

/// `alpha · A' · B' + beta · C`. <https://onnx.ai/onnx/operators/onnx__Gemm.html>, opsets 1, 6, 7 (numpy broadcasting of C), 9, 11 (C is optional),
/// 13 (bfloat16). Integers wrap around, unless `alpha` or `beta` scale them: then all is computed in float64, and the fraction cut off.
#[derive(Debug)]
struct Gemm {
    alpha: f32,
    beta: f32,
    transpose_left: bool,
    transpose_right: bool,
}

fn build_gemm(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let attributes = context.attributes;
    Ok(Box::new(Gemm {
        alpha: attributes.float("alpha")?.unwrap_or(1.0),
        beta: attributes.float("beta")?.unwrap_or(1.0),
        transpose_left: attributes.int("transA")?.unwrap_or(0) != 0,
        transpose_right: attributes.int("transB")?.unwrap_or(0) != 0,
    }))
}

impl Gemm {
    /// Rows and columns of an operand as it enters the product.
    fn oriented<T: Clone>(dims: &[T], is_transposed: bool, name: &str) -> Result<[T; 2], OpError> {
        match dims {
            [rows, columns] if is_transposed => Ok([columns.clone(), rows.clone()]),
            [rows, columns] => Ok([rows.clone(), columns.clone()]),
            _ => Err(not_a_matrix(name, dims.len())),
        }
    }

    fn of_integers<T: Number>(&self, product: &Product, left: &Tensor, right: &Tensor, addend: Option<&Tensor>) -> Result<Tensor, OpError> {
        let sums = integer_product::<T>(product, left, right)?;
        let is_plain = self.alpha == 1.0 && (self.beta == 1.0 || addend.is_none());
        let (alpha, beta) = (f64::from(self.alpha), f64::from(self.beta));
        let zero = Tensor::scalar(T::ZERO);
        let addend = addend.unwrap_or(&zero);
        let combine = |sum: T, addend: T| {
            if is_plain { sum.plus(addend) } else { T::from_f64(alpha * sum.to_f64() + if beta == 0.0 { 0.0 } else { beta * addend.to_f64() }) }
        };
        let walk = super::broadcast::Walk::new([&product.result, addend.shape()])?;
        Ok(Tensor::from_vec(&product.result, walk.map(&sums.as_slice::<T>()?, &addend.as_slice::<T>()?, combine))?)
    }

    /// `beta · C` as burn adds it to a matrix.
    fn addend(&self, addend: Tensor) -> Result<Option<Tensor>, OpError> {
        if self.beta == 0.0 {
            return Ok(None);
        }
        let rank_2: Shape = std::iter::repeat_n(1, 2 - addend.rank()).chain(addend.shape().iter().copied()).collect();
        let addend = addend.reshaped(&rank_2)?;
        if self.beta == 1.0 {
            return Ok(Some(addend));
        }
        let element_type = addend.element_type();
        Ok(addend
            .into_primitive()
            .map(|primitive| Tensor::from_primitive(element_type, &rank_2, Backend::float_mul_scalar(primitive, self.beta.into()))))
    }
}

impl Operator for Gemm {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let Some((element_type, left)) = inputs.tensor(0) else { return Ok(vec![None]) };
        let right = inputs.tensor(1).and_then(|(_, right)| right.dims());
        let [rows, inner] = match left.dims() {
            Some(dims) => Self::oriented(dims, self.transpose_left, "A")?,
            None => [Dimension::Unknown, Dimension::Unknown],
        };
        let [inner_right, columns] = match right {
            Some(dims) => Self::oriented(dims, self.transpose_right, "B")?,
            None => [Dimension::Unknown, Dimension::Unknown],
        };
        check_inner(&inner, &inner_right)?;
        Ok(vec![Some(ValueType::tensor(element_type, vec![rows, columns]))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let (left, right) = (inputs.take_tensor(0, "A")?, inputs.take_tensor(1, "B")?);
        let addend = inputs.take_optional_tensor(2, "C")?;
        let element_type = left.element_type();
        check_same_type(&left, &right)?;
        let left_shape = Self::oriented(left.shape(), self.transpose_left, "A")?;
        let right_shape = Self::oriented(right.shape(), self.transpose_right, "B")?;
        let product = Product::new(&left_shape, &right_shape)?;
        context.check_result_size(element_type, &product.result)?;
        if let Some(addend) = &addend {
            check_same_type(&left, addend)?;
            check_broadcasts_to(addend.shape(), &product.result)?;
        }
        if product.result.contains(&0) {
            return Ok(single(Tensor::empty(element_type, &product.result)));
        }
        // Transposing is a view, which burn multiplies with as fast as with the matrix itself.
        let orient = |tensor: Tensor, is_transposed: bool, shape: &[usize]| {
            if is_transposed { super::movement::permute(tensor, &[1, 0]) } else { Ok(tensor) }
                .inspect(|tensor| debug_assert_eq!(tensor.shape(), shape))
        };
        let left = orient(left, self.transpose_left, &left_shape)?;
        let right = orient(right, self.transpose_right, &right_shape)?;
        match element_type {
            _ if element_type.is_float() => {}
            ElementType::I32 => return self.of_integers::<i32>(&product, &left, &right, addend.as_ref()).map(single),
            ElementType::I64 => return self.of_integers::<i64>(&product, &left, &right, addend.as_ref()).map(single),
            ElementType::U32 => return self.of_integers::<u32>(&product, &left, &right, addend.as_ref()).map(single),
            ElementType::U64 => return self.of_integers::<u64>(&product, &left, &right, addend.as_ref()).map(single),
            other => return Err(unsupported_type(other)),
        }
        let addend = addend.map(|addend| self.addend(addend)).transpose()?.flatten();
        let result = float_product(&product, left, right, context)?;
        let Some(mut sum) = result.into_primitive() else { return Ok(single(Tensor::empty(element_type, &product.result))) };
        if self.alpha != 1.0 {
            sum = Backend::float_mul_scalar(sum, self.alpha.into());
        }
        if let Some(addend) = addend.and_then(Tensor::into_primitive) {
            sum = Backend::float_add(sum, addend);
        }
        Ok(single(Tensor::from_primitive(element_type, &product.result, sum)))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }

    fn macs(&self, inputs: &[Option<ValueType>], outputs: &[Option<ValueType>]) -> Option<u64> {
        let (_, left) = inputs.first()?.as_ref()?.as_tensor()?;
        let [_, inner] = Self::oriented(&left.as_known()?, self.transpose_left, "A").ok()?;
        let (_, result) = outputs.first()?.as_ref()?.as_tensor()?;
        macs(&result.as_known()?, inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{assert_close, assert_tensor, op, ramp, tensor, typed};

    #[test]
    fn products_follow_numpy() {
        // Shapes of both sides and of the result; its elements are from ONNX Runtime 1.31.
        type Expectation<'a> = (&'a [usize], &'a [usize], &'a [usize], &'a [f32]);
        let cases: [Expectation<'_>; 4] = [
            (
                &[2, 1, 2, 3],
                &[2, 3, 2],
                &[2, 2, 2, 2],
                &[1.1875, 0.375, -1.875, 1.5, -1.625, 1.0, 1.1875, 1.125, -1.5, 1.25, -1.125, 1.0, 1.25, 1.25, 1.3125, 1.375],
            ),
            (&[3], &[2, 3, 2], &[2, 2], &[1.1875, 0.375, -1.625, 1.0]),
            (&[2, 2, 3], &[3], &[2, 2], &[2.0625, -1.0625, -0.75, -0.4375]),
            (&[3], &[3], &[], &[2.0625]),
        ];
        for (left, right, shape, expected) in cases {
            assert_close(&op("MatMul").run1([ramp(left), ramp(right)]), shape, expected);
        }
        // A stack times one matrix is one product of all rows: the same as row by row.
        let stack = op("MatMul").run1([ramp(&[2, 2, 3]), ramp(&[1, 3, 2])]);
        let rows = op("MatMul").run1([ramp(&[4, 3]), ramp(&[3, 2])]);
        assert_eq!(stack.as_slice::<f32>().unwrap(), rows.as_slice::<f32>().unwrap());
        let integers = [tensor(&[2, 3], &[0_i32, 1, 2, 3, 4, 5]), tensor(&[3, 2], &[0_i32, 1, 2, 3, 4, 5])];
        assert_tensor(&op("MatMul").run1(integers), &[2, 2], &[10_i32, 13, 28, 40]);
        let wrapping = [tensor(&[1, 2], &[u32::MAX, 2]), tensor(&[2, 1], &[2_u32, 3])];
        assert_tensor(&op("MatMul").run1(wrapping), &[1, 1], &[4_u32]);
        let doubles = [tensor(&[1, 2], &[0.1_f64, 0.2]), tensor(&[2, 1], &[3.0_f64, 4.0])];
        assert_tensor(&op("MatMul").run1(doubles), &[1, 1], &[0.1 * 3.0 + 0.2 * 4.0]);
    }

    #[test]
    fn products_without_elements_are_sums_of_nothing() {
        let empty = |shape: &[usize]| Tensor::empty(ElementType::F32, shape);
        assert_tensor(&op("MatMul").run1([empty(&[2, 0]), empty(&[0, 3])]), &[2, 3], &[0.0_f32; 6]);
        assert_tensor::<f32>(&op("MatMul").run1([empty(&[0, 3]), ramp(&[3, 2])]), &[0, 2], &[]);
        let gemm = op("Gemm").run1([empty(&[2, 0]), empty(&[0, 2]), tensor(&[2], &[1.0_f32, 2.0])]);
        assert_tensor(&gemm, &[2, 2], &[1.0_f32, 2.0, 1.0, 2.0]);
    }

    #[test]
    fn gemm_scales_transposes_and_adds() {
        // Expected results from ONNX Runtime 1.31.
        let scaled = op("Gemm").float("alpha", 0.5).float("beta", 2.0);
        assert_close(&scaled.run1([ramp(&[2, 3]), ramp(&[3, 2]), ramp(&[2])]), &[2, 2], &[-1.90625, 1.1875, -3.4375, 1.75]);
        let transposed = op("Gemm").int("transA", 1).int("transB", 1);
        let expected = [-0.0625, -3.125, -2.75, -2.375, 0.875, 2.0, 1.75, 1.5];
        assert_close(&transposed.run1([ramp(&[3, 2]), ramp(&[4, 3]), ramp(&[2, 1])]), &[2, 4], &expected);
        assert_close(&op("Gemm").run1([ramp(&[2, 3]), ramp(&[3, 2])]), &[2, 2], &[1.1875, 0.375, -1.875, 1.5]);
        let scalar = op("Gemm").run1([ramp(&[2, 3]), ramp(&[3, 2]), Tensor::scalar(1.0_f32)]);
        assert_close(&scalar, &[2, 2], &[2.1875, 1.375, -0.875, 2.5]);
    }

    #[test]
    fn gemm_of_integers_wraps_unless_it_is_scaled() {
        let (left, right) = (|| tensor(&[2, 2], &[1_i32, 2, 3, i32::MAX]), || tensor(&[2, 2], &[1_i32, 0, 1, 2]));
        let row = || tensor(&[2], &[10_i32, -10]);
        assert_tensor(&op("Gemm").run1([left(), right(), row()]), &[2, 2], &[13_i32, -6, i32::MIN + 12, -12]);
        assert_tensor(&op("Gemm").int("transA", 1).int("transB", 1).run1([left(), right()]), &[2, 2], &[1_i32, 7, 2, 2 + i32::MAX.wrapping_mul(2)]);
        let scaled = op("Gemm").float("alpha", 0.5).float("beta", -1.5);
        assert_tensor(&scaled.run1([tensor(&[1, 1], &[3_u64]), tensor(&[1, 1], &[5_u64]), Tensor::scalar(1_u64)]), &[1, 1], &[6_u64]);
        let without = op("Gemm").float("beta", 0.0);
        assert_tensor(&without.run1([tensor(&[1, 1], &[3_u32]), tensor(&[1, 1], &[5_u32]), Tensor::scalar(7_u32)]), &[1, 1], &[15_u32]);
        let empty = [Tensor::empty(ElementType::I64, &[1, 0]), Tensor::empty(ElementType::I64, &[0, 1]), Tensor::scalar(7_i64)];
        assert_tensor(&op("Gemm").run1(empty), &[1, 1], &[7_i64]);
    }

    #[test]
    fn shapes_that_do_not_multiply_are_refused() {
        assert_eq!(
            op("MatMul").error([ramp(&[2, 3]), ramp(&[4, 2])]),
            "shapes [2, 3] and [4, 2] do not multiply: the left side has 3 columns, the right side 4 rows"
        );
        assert!(op("MatMul").error([ramp(&[2, 2, 3]), ramp(&[3, 3, 2])]).contains("do not broadcast"));
        assert_eq!(op("MatMul").error([Tensor::scalar(1.0_f32), ramp(&[3])]), "the left side of a matrix product is a scalar");
        assert_eq!(op("Gemm").error([ramp(&[1, 2, 3]), ramp(&[3, 2])]), "A should be a matrix, but has rank 3");
        assert_eq!(op("Gemm").error([ramp(&[2, 3]), ramp(&[3, 2]), ramp(&[3])]), "shape [3] does not broadcast to [2, 2]");
        assert_eq!(op("Gemm").error([tensor(&[1, 1], &[1_u8]), tensor(&[1, 1], &[1_u8])]), "a matrix product of uint8 is not supported");
        let huge = op("MatMul").max_result_bytes(1000);
        assert!(huge.error([ramp(&[100, 1]), ramp(&[1, 100])]).contains("more than the limit of 1000"));
    }

    #[test]
    fn batches_stay_symbolic() {
        assert_eq!(op("MatMul").infer([typed::<f32>("batch, 8, 3"), typed::<f32>("3, 5")]), [Some("float32[batch, 8, 5]".to_owned())]);
        let gemm = op("Gemm").int("transB", 1);
        assert_eq!(gemm.infer([typed::<f32>("N, 3"), typed::<f32>("5, 3")]), [Some("float32[N, 5]".to_owned())]);
        let types = |dims: &str| vec![Some(typed::<f32>(dims))];
        let inputs = [types("2, 3"), types("5, 3")].concat();
        assert_eq!(gemm.build(2).unwrap().macs(&inputs, &types("2, 5")), Some(30));
        assert_eq!(op("MatMul").build(2).unwrap().macs(&[types("4, 2, 3"), types("3, 5")].concat(), &types("4, 2, 5")), Some(120));
        assert_eq!(op("MatMul").build(2).unwrap().macs(&[types("N, 3"), types("3, 5")].concat(), &types("N, 5")), None);
    }
}
