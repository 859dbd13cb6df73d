//! Gemm and MatMul with a constant matrix on the right: packed once, then multiplied with whatever rows come.

use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::host::{ElementType, HostTensor};
use crate::kernels::activation::Activation;
use crate::kernels::product::{Epilogue, PackedMatrix, Rows, multiply};
use crate::ops::operator::{Outputs, single};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext, matmul};
use crate::tensor::{Shape, Tensor};

/// `activation(A · B + c)` for any number of leading axes of `A`.
#[derive(Debug)]
struct FusedProduct {
    is_gemm: bool,
    right: PackedMatrix,
    activation: Activation,
}

/// Inputs: `A`, constant `B`, and a constant summand with one element for each column, or one for all.
pub fn build(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let is_gemm = context.op_type.starts_with("Gemm");
    let attributes = context.attributes;
    let (alpha, beta) = (attributes.float("alpha")?.unwrap_or(1.0), attributes.float("beta")?.unwrap_or(1.0));
    let is_transposed = attributes.int("transB")?.unwrap_or(0) != 0;
    let not_prepared = || OpError::unsupported("a fused product without constant matrix and summand");
    let constant = |index: usize| context.constants.get(index).copied().flatten();
    let right = constant(1).ok_or_else(not_prepared)?;
    let (&[first, second], elements) = (right.shape(), floats(right)?) else { return Err(not_prepared()) };
    let (inner, columns) = if is_transposed { (second, first) } else { (first, second) };
    let bias = match constant(2) {
        Some(summand) => match floats(summand)?.as_ref() {
            &[one] => Some(vec![one * beta; columns]),
            summand if summand.len() == columns => Some(summand.iter().map(|value| value * beta).collect()),
            _ => return Err(not_prepared()),
        },
        None if context.n_inputs > 2 => return Err(not_prepared()),
        None => None,
    };
    let element = |row: usize, column: usize| alpha * if is_transposed { elements[column * inner + row] } else { elements[row * columns + column] };
    Ok(Box::new(FusedProduct {
        is_gemm,
        right: PackedMatrix::new(inner, columns, bias.as_deref(), element),
        activation: super::activation(attributes)?,
    }))
}

fn floats(tensor: &HostTensor) -> Result<std::borrow::Cow<'_, [f32]>, OpError> {
    tensor.as_slice::<f32>().map_err(|_| OpError::unsupported(format!("a fused product with constants of {}", tensor.element_type())))
}

impl Operator for FusedProduct {
    fn infer(&self, _inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![None])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let left = inputs.take_tensor(0, "A")?;
        let (inner, columns) = (self.right.inner(), self.right.columns());
        if left.element_type() != ElementType::F32 {
            return Err(OpError::value(format!(
                "the inputs have different element types, {} and float32; both must be the same",
                left.element_type()
            )));
        }
        if self.is_gemm && left.rank() != 2 {
            return Err(matmul::not_a_matrix("A", left.rank()));
        }
        let Some((&last, leading)) = left.shape().split_last() else { return Err(matmul::left_is_scalar()) };
        if last != inner {
            return Err(matmul::inner_differ(left.shape(), last, &[inner, columns], inner));
        }
        let shape: Shape = leading.iter().copied().chain([columns]).collect();
        let n_results = context.check_result_size(ElementType::F32, &shape)?;
        let elements = left.as_slice::<f32>()?;
        let mut result = Vec::with_capacity(n_results);
        let rows = Rows::matrix(&elements, n_results / columns.max(1), inner);
        let epilogue = Epilogue { summand: None, activation: self.activation };
        multiply(&rows, &self.right, epilogue, &mut result.spare_capacity_mut()[..n_results], columns, 0);
        // SAFETY: the product has written every element.
        unsafe { result.set_len(n_results) };
        Ok(single(Tensor::from_vec(&shape, result)?))
    }

    fn macs(&self, _inputs: &[Option<ValueType>], outputs: &[Option<ValueType>]) -> Option<u64> {
        let (_, result) = outputs.first()?.as_ref()?.as_tensor()?;
        result.as_known()?.iter().chain([&self.right.inner()]).try_fold(1_u64, |product, &dim| product.checked_mul(dim as u64))
    }

    fn reads(&self, index: usize) -> bool {
        index == 0
    }
}
