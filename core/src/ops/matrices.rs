//! Operators on the last two axes as matrices: EyeLike, Trilu, Det.

use burn::backend::ops::{BoolTensorOps as _, FloatTensorOps as _};
use burn::tensor::Scalar;

use super::logic::bool_dtype_beside;
use super::operator::{Outputs, single};
use super::registry::{OpsetRange, Registration};
use super::shape::same_as;
use super::types::{Number, TypeSet, match_element, match_number};
use super::{Inputs, NodeContext, OpError, Operator, Placement, RunContext};
use crate::graph::infer::InferInputs;
use crate::graph::{SymbolicShape, ValueType};
use crate::host::{Bool, Element, ElementType};
use crate::tensor::{Backend, Shape, Tensor};

pub const OPERATORS: &[Registration] = &[
    Registration { domain: "", op_type: "Det", opsets: OpsetRange::from(11), build: build_det },
    Registration { domain: "", op_type: "EyeLike", opsets: OpsetRange::from(9), build: build_eye_like },
    Registration { domain: "", op_type: "Trilu", opsets: OpsetRange::from(14), build: build_trilu },
];

/// How far an element lies to the right of the main diagonal.
fn offset(row: usize, column: usize) -> i64 {
    let signed = |index: usize| i64::try_from(index).unwrap_or(i64::MAX);
    signed(column) - signed(row)
}

/// Ones on a diagonal, zeros elsewhere, in the shape of a matrix.
///
/// <https://onnx.ai/onnx/operators/onnx__EyeLike.html>, opsets 9, 22 (bfloat16).
#[derive(Debug)]
struct EyeLike {
    /// Absent = that of the input.
    element_type: Option<ElementType>,
    /// Which diagonal: 0 is the main one, positive ones lie above it.
    diagonal: i64,
}

fn build_eye_like(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let read = |code: i64| {
        let element_type = i32::try_from(code).ok().and_then(ElementType::from_onnx);
        element_type.ok_or_else(|| OpError::value(format!("attribute 'dtype' is {code}, which is no element type")))
    };
    let element_type = context.attributes.int("dtype")?.map(read).transpose()?;
    Ok(Box::new(EyeLike { element_type, diagonal: context.attributes.int("k")?.unwrap_or(0) }))
}

impl EyeLike {
    fn fill<T: Element>(&self, shape: &[usize], one: T) -> Result<Tensor, OpError> {
        let mut elements = vec![T::zeroed(); shape.iter().product()];
        for (row, elements) in elements.chunks_mut(shape[1].max(1)).enumerate() {
            for (column, element) in elements.iter_mut().enumerate() {
                if offset(row, column) == self.diagonal {
                    *element = one;
                }
            }
        }
        Ok(Tensor::from_vec(shape, elements)?)
    }
}

impl Operator for EyeLike {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let Some((element_type, shape)) = inputs.tensor(0) else { return Ok(vec![None]) };
        Ok(vec![Some(ValueType::tensor(self.element_type.unwrap_or(element_type), shape.clone()))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let input = inputs.take_tensor(0, "input")?;
        if input.rank() != 2 {
            return Err(OpError::shape(format!("the input should be a matrix, but has shape {:?}", input.shape())));
        }
        let element_type = self.element_type.unwrap_or(input.element_type());
        context.check_result_size(element_type, input.shape())?;
        let eye = match element_type {
            ElementType::Bool => self.fill(input.shape(), Bool::new(true)),
            _ => {
                match_number!(element_type, T => self.fill(input.shape(), T::ONE), else Err(OpError::unsupported(format!("EyeLike of {element_type}"))))
            }
        };
        Ok(single(eye?))
    }

    /// It only looks at the shape: the data may stay where it is.
    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}

/// Keeps one triangle of each matrix, with a diagonal; zeros elsewhere.
///
/// <https://onnx.ai/onnx/operators/onnx__Trilu.html>, opset 14.
#[derive(Debug)]
struct Trilu {
    is_upper: bool,
}

fn build_trilu(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(Trilu { is_upper: context.attributes.int("upper")?.unwrap_or(1) != 0 }))
}

impl Trilu {
    fn keeps(&self, row: usize, column: usize, diagonal: i64) -> bool {
        let offset = offset(row, column);
        if self.is_upper { offset >= diagonal } else { offset <= diagonal }
    }

    fn on_host<T: Element>(&self, input: Tensor, diagonal: i64) -> Result<Tensor, OpError> {
        let shape = Shape::from_slice(input.shape());
        let (n_rows, n_columns) = (shape[shape.len() - 2], shape[shape.len() - 1]);
        let mut elements = input.into_vec::<T>()?;
        for (row, elements) in elements.chunks_mut(n_columns).enumerate() {
            for (column, element) in elements.iter_mut().enumerate() {
                if !self.keeps(row % n_rows, column, diagonal) {
                    *element = T::zeroed();
                }
            }
        }
        Ok(Tensor::from_vec(&shape, elements)?)
    }

    fn on_gpu(&self, input: Tensor, diagonal: i64, context: &RunContext<'_>) -> Result<Tensor, OpError> {
        let shape = Shape::from_slice(input.shape());
        let (n_rows, n_columns) = (shape[shape.len() - 2], shape[shape.len() - 1]);
        let bool_dtype = bool_dtype_beside(&input, context);
        let is_dropped = (0..n_rows).flat_map(|row| (0..n_columns).map(move |column| f32::from(u8::from(!self.keeps(row, column, diagonal)))));
        let mut mask_shape = Shape::from_elem(1, shape.len() - 2);
        mask_shape.extend([n_rows, n_columns]);
        // Only float32 travels to a GPU; it becomes a mask there.
        let mask = Tensor::from_vec(&mask_shape, is_dropped.collect())?.to_device(context.device)?;
        let (Some(primitive), Some(mask)) = (input.into_primitive(), mask.into_primitive()) else {
            return Ok(Tensor::empty(ElementType::F32, &shape));
        };
        let mask = Backend::float_greater_elem(mask, Scalar::from(0.5_f32), bool_dtype);
        let mask = Backend::bool_expand(mask, shape.to_vec().into());
        Ok(Tensor::from_primitive(ElementType::F32, &shape, Backend::float_mask_fill(primitive, mask, Scalar::from(0.0_f32))))
    }
}

impl Operator for Trilu {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![same_as(inputs, 0)])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let input = inputs.take_tensor(0, "input")?;
        if input.rank() < 2 {
            return Err(OpError::shape(format!("the input should be a matrix or many of them, but has shape {:?}", input.shape())));
        }
        let diagonal = match inputs.take_optional_tensor(1, "k")? {
            None => 0,
            Some(k) => match k.to_i64s()?.as_slice() {
                &[k] => k,
                other => return Err(OpError::shape(format!("input 1 (k) should hold one number, but holds {}", other.len()))),
            },
        };
        if input.is_empty() {
            return Ok(single(input));
        }
        if !input.is_on_host() {
            return Ok(single(self.on_gpu(input, diagonal, context)?));
        }
        let element_type = input.element_type();
        let triangle = match_element!(element_type, T => self.on_host::<T>(input, diagonal),
            else Err(OpError::unsupported(format!("Trilu of {element_type}"))));
        Ok(single(triangle?))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}

/// The determinant of each square matrix.
///
/// <https://onnx.ai/onnx/operators/onnx__Det.html>, opsets 11, 22 (bfloat16).
#[derive(Debug)]
struct Det;

fn build_det(_context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(Det))
}

/// By Gaussian elimination with partial pivoting, which overwrites the matrix of `n` rows.
fn determinant(matrix: &mut [f64], n: usize) -> f64 {
    let mut product = 1.0;
    for column in 0..n {
        let magnitude = |row: usize| matrix[row * n + column].abs();
        let pivot = (column..n).max_by(|&left, &right| magnitude(left).total_cmp(&magnitude(right))).unwrap_or(column);
        if pivot != column {
            let (upper, lower) = matrix.split_at_mut(pivot * n);
            upper[column * n..][..n].swap_with_slice(&mut lower[..n]);
            product = -product;
        }
        let (done, below) = matrix.split_at_mut((column + 1) * n);
        let pivot_row = &done[column * n..];
        product *= pivot_row[column];
        if pivot_row[column] == 0.0 {
            return 0.0;
        }
        for row in below.chunks_mut(n) {
            let factor = row[column] / pivot_row[column];
            for (element, &above) in row[column..].iter_mut().zip(&pivot_row[column..]) {
                *element -= factor * above;
            }
        }
    }
    product
}

impl Operator for Det {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let Some((element_type, shape)) = inputs.tensor(0) else { return Ok(vec![None]) };
        let shape = match shape.dims() {
            Some([batch @ .., _, _]) => SymbolicShape(Some(batch.to_vec())),
            Some(_) => return Err(OpError::shape("the input of Det should be a square matrix or many of them")),
            None => SymbolicShape::unknown(),
        };
        Ok(vec![Some(ValueType::tensor(element_type, shape))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "X")?;
        TypeSet::FLOATS.check(&x, 0, "X")?;
        let (batch, n) = match x.shape() {
            [batch @ .., rows, columns] if rows == columns => (Shape::from_slice(batch), *rows),
            other => return Err(OpError::shape(format!("the input should be a square matrix or many of them, but has shape {other:?}"))),
        };
        let n_matrices = context.check_result_size(ElementType::F64, &batch)?;
        context.check_result_size(ElementType::F64, &[n, n])?;
        let element_type = x.element_type();
        let determinants = match_number!(element_type, T => {
            let elements = x.as_slice::<T>()?;
            let mut matrix = vec![0.0_f64; n * n];
            let determinants = (0..n_matrices).map(|index| {
                for (copy, element) in matrix.iter_mut().zip(&elements[index * n * n..]) {
                    *copy = element.to_f64();
                }
                T::from_f64(determinant(&mut matrix, n))
            });
            Tensor::from_vec(&batch, determinants.collect())
        }, else return Err(OpError::unsupported(format!("Det of {element_type}"))));
        Ok(single(determinants?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{assert_bools, assert_close, assert_tensor, bools, op, strings, tensor, typed};

    #[test]
    fn ones_lie_on_a_diagonal() {
        let like = || tensor(&[2, 3], &[9_i32; 6]);
        assert_tensor(&op("EyeLike").run1([like()]), &[2, 3], &[1_i32, 0, 0, 0, 1, 0]);
        assert_tensor(&op("EyeLike").int("k", 1).int("dtype", 1).run1([like()]), &[2, 3], &[0.0_f32, 1.0, 0.0, 0.0, 0.0, 1.0]);
        assert_tensor(&op("EyeLike").int("k", -1).run1([like()]), &[2, 3], &[0_i32, 0, 0, 1, 0, 0]);
        assert_tensor(&op("EyeLike").int("k", i64::MIN).run1([like()]), &[2, 3], &[0_i32; 6]);
        assert_bools(&op("EyeLike").int("dtype", 9).run1([like()]), &[2, 3], &[true, false, false, false, true, false]);
        assert_eq!(op("EyeLike").run1([Tensor::empty(ElementType::F32, &[3, 0])]).shape(), [3, 0]);
        assert_eq!(op("EyeLike").error([tensor(&[1], &[1.0_f32])]), "the input should be a matrix, but has shape [1]");
        assert_eq!(op("EyeLike").int("dtype", 99).error([like()]), "attribute 'dtype' is 99, which is no element type");
        assert_eq!(op("EyeLike").int("dtype", 8).error([like()]), "EyeLike of string is not supported");
        assert_eq!(op("EyeLike").int("dtype", 1).infer([typed::<i32>("N, 3")]), [Some("float32[N, 3]".to_owned())]);
    }

    #[test]
    fn triangles_keep_a_diagonal() {
        let x = || tensor(&[2, 2, 3], &[1_i64, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
        let k = |k: i64| Tensor::scalar(k);
        assert_tensor(&op("Trilu").run1([x()]), &[2, 2, 3], &[1_i64, 2, 3, 0, 5, 6, 7, 8, 9, 0, 11, 12]);
        let lower = op("Trilu").int("upper", 0);
        assert_tensor(&lower.run1([x(), k(-1)]), &[2, 2, 3], &[0_i64, 0, 0, 4, 0, 0, 0, 0, 0, 10, 0, 0]);
        assert_tensor(&lower.run1([x(), k(i64::MAX)]), &[2, 2, 3], &x().into_vec::<i64>().unwrap());
        assert_tensor(&op("Trilu").run1([x(), k(i64::MAX)]), &[2, 2, 3], &[0_i64; 12]);
        // What is dropped is zero, whatever it was.
        assert_tensor(&op("Trilu").run1([tensor(&[2, 2], &[1.0_f32, 2.0, f32::NAN, 4.0])]), &[2, 2], &[1.0_f32, 2.0, 0.0, 4.0]);
        assert_bools(&op("Trilu").run1([bools(&[2, 1], &[true, true])]), &[2, 1], &[true, false]);
        assert_eq!(op("Trilu").run1([Tensor::empty(ElementType::F32, &[2, 0])]).shape(), [2, 0]);
        assert!(op("Trilu").error([tensor(&[2], &[1.0_f32; 2])]).contains("should be a matrix"));
        assert!(op("Trilu").error([x(), tensor(&[2], &[0_i64; 2])]).contains("should hold one number"));
        assert!(op("Trilu").error([strings(&[1, 1], &["a"])]).contains("Trilu of string is not supported"));
    }

    /// The path that GPUs take agrees with the host's, on the CPU too.
    #[test]
    fn triangles_over_burn_agree_with_the_host() {
        let device = crate::tensor::Device::Cpu;
        let context = RunContext { device: &device, max_result_bytes: 1 << 20, task: &crate::task::TaskCtx::unattended() };
        let x = || tensor(&[2, 2, 3], &[1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, f32::NAN]);
        for (is_upper, diagonal) in [(true, 0), (true, 2), (false, 1), (false, -1)] {
            let trilu = Trilu { is_upper };
            let expected = trilu.on_host::<f32>(x(), diagonal).unwrap();
            assert_tensor(&trilu.on_gpu(x(), diagonal, &context).unwrap(), &[2, 2, 3], &expected.as_slice::<f32>().unwrap());
        }
    }

    #[test]
    fn determinants_of_matrices() {
        // numpy.linalg.det.
        let x = tensor(&[3, 2, 2], &[1.0_f32, 2.0, 3.0, 4.0, 1.0, 2.0, 2.0, 1.0, 1.0, 3.0, 3.0, 1.0]);
        assert_close(&op("Det").run1([x]), &[3], &[-2.0, -3.0, -8.0]);
        assert_close(&op("Det").run1([tensor(&[2, 2], &[0.0_f32, 2.0, 3.0, 4.0])]), &[], &[-6.0]);
        assert_close(&op("Det").run1([tensor(&[2, 2], &[1.0_f32, 2.0, 2.0, 4.0])]), &[], &[0.0]);
        assert_close(&op("Det").run1([Tensor::empty(ElementType::F32, &[2, 0, 0])]), &[2], &[1.0, 1.0]);
        assert!(op("Det").run1([tensor(&[1, 1], &[f32::NAN])]).as_slice::<f32>().unwrap()[0].is_nan());
        assert_eq!(op("Det").error([tensor(&[1, 2], &[1.0_f32; 2])]), "the input should be a square matrix or many of them, but has shape [1, 2]");
        assert!(op("Det").error([tensor(&[1, 1], &[1_i64])]).contains("floating-point"));
        assert_eq!(op("Det").infer([typed::<f32>("N, 3, 3")]), [Some("float32[N]".to_owned())]);
    }
}
