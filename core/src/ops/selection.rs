//! Elements chosen by what they are: TopK, Compress, NonZero, Unique; and OneHot, which does the reverse.

mod compress;
mod one_hot;
mod unique;

use std::cmp::Ordering;

use smallvec::smallvec;

use super::operator::Outputs;
use super::types::{Number, TypeSet, match_number};
use super::{Inputs, NodeContext, OpError, Operator, OpsetRange, Registration, RunContext, shape};
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::host::ElementType;
use crate::tensor::{Shape, Tensor, Value};

pub const OPERATORS: &[Registration] = &[
    Registration { domain: "", op_type: "Compress", opsets: OpsetRange::from(9), build: compress::build_compress },
    Registration { domain: "", op_type: "NonZero", opsets: OpsetRange::from(9), build: compress::build_non_zero },
    Registration { domain: "", op_type: "OneHot", opsets: OpsetRange::from(9), build: one_hot::build },
    Registration { domain: "", op_type: "TopK", opsets: OpsetRange::from(1), build: TopK::build },
    Registration { domain: "", op_type: "Unique", opsets: OpsetRange::from(11), build: unique::build },
];

/// Values and indices of the `k` largest (or smallest) elements along an axis, best first. Among equal ones the lower index comes first;
/// NaN counts as larger than any number. `sorted = 0` leaves the order open; it is the same here.
///
/// <https://onnx.ai/onnx/operators/onnx__TopK.html>, opsets 1 (`k` as an attribute), 10 (as an input), 11 (`largest`, `sorted`, all numbers), 24.
#[derive(Debug)]
struct TopK {
    /// The attribute; since opset 10 an input instead.
    k: Option<i64>,
    axis: i64,
    is_largest: bool,
}

impl TopK {
    fn build(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
        Ok(Box::new(Self {
            k: if node.opset < 10 { Some(node.attributes.require_int("k")?) } else { None },
            axis: node.attributes.int("axis")?.unwrap_or(-1),
            is_largest: node.attributes.int("largest")?.unwrap_or(1) != 0,
        }))
    }

    fn select<T: Number>(&self, x: &Tensor, axis: usize, k: usize) -> Result<Outputs, OpError> {
        let mut result_shape = Shape::from_slice(x.shape());
        result_shape[axis] = k;
        let n_results: usize = result_shape.iter().product();
        if n_results == 0 {
            let indices = Tensor::empty(ElementType::I64, &result_shape);
            return Ok(smallvec![Value::Tensor(Tensor::empty(T::ELEMENT_TYPE, &result_shape)), Value::Tensor(indices)]);
        }
        let elements = x.as_slice::<T>()?;
        let n_along = x.shape()[axis];
        let n_inner: usize = x.shape()[axis + 1..].iter().product();
        let mut values = vec![T::ZERO; n_results];
        let mut indices = vec![0_i64; n_results];
        let mut candidates: Vec<usize> = Vec::with_capacity(n_along);
        for (outer, block) in elements.chunks(n_along * n_inner).enumerate() {
            for inner in 0..n_inner {
                let element = |index: usize| block[index * n_inner + inner];
                let compare = |&left: &usize, &right: &usize| {
                    let order = order(element(left), element(right));
                    (if self.is_largest { order.reverse() } else { order }).then(left.cmp(&right))
                };
                candidates.clear();
                candidates.extend(0..n_along);
                if k < n_along {
                    candidates.select_nth_unstable_by(k - 1, compare);
                }
                let best = &mut candidates[..k];
                best.sort_unstable_by(compare);
                for (position, &index) in best.iter().enumerate() {
                    let at = (outer * k + position) * n_inner + inner;
                    values[at] = element(index);
                    indices[at] = i64::try_from(index).unwrap_or(i64::MAX);
                }
            }
        }
        Ok(smallvec![Value::Tensor(Tensor::from_vec(&result_shape, values)?), Value::Tensor(Tensor::from_vec(&result_shape, indices)?)])
    }
}

/// Numbers in ascending order, then NaN.
fn order<T: Number>(left: T, right: T) -> Ordering {
    left.partial_cmp(&right).unwrap_or_else(|| left.is_nan().cmp(&right.is_nan()))
}

impl Operator for TopK {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let Some((element_type, shape)) = inputs.tensor(0) else { return Ok(vec![None; 2]) };
        let result = match shape.dims() {
            Some(dims) => {
                let axis = shape::normalize_axis(self.axis, dims.len())?;
                let k = self.k.or_else(|| inputs.constant_ints(1)?.first().copied());
                let mut dims = dims.to_vec();
                dims[axis] = k.and_then(|k| usize::try_from(k).ok()).map_or(Dimension::Unknown, Dimension::Known);
                SymbolicShape::from(dims)
            }
            None => SymbolicShape::unknown(),
        };
        Ok(vec![Some(ValueType::tensor(element_type, result.clone())), Some(ValueType::tensor(ElementType::I64, result))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "X")?;
        TypeSet::NUMBERS.check(&x, 0, "X")?;
        let axis = shape::normalize_axis(self.axis, x.rank())?;
        let k = match self.k {
            Some(k) => k,
            None => match inputs.take_tensor(1, "K")?.to_i64s()?.as_slice() {
                &[k] => k,
                other => return Err(OpError::shape(format!("input 1 (K) should hold one number, but holds {}", other.len()))),
            },
        };
        let n_along = x.shape()[axis];
        let k = usize::try_from(k).ok().filter(|&k| k <= n_along);
        let k = k.ok_or_else(|| OpError::value(format!("k must lie between 0 and {n_along}, the size of axis {axis} of {x:?}")))?;
        context.check_result_size(ElementType::I64, x.shape())?;
        let element_type = x.element_type();
        match_number!(element_type, T => self.select::<T>(&x, axis, k), else Err(OpError::unsupported(format!("TopK of {element_type}"))))
    }
}

#[cfg(test)]
mod tests {
    use crate::host::{Element, ElementType};
    use crate::ops::testing::{Case, assert_tensor, op, tensor, typed};
    use crate::tensor::Tensor;

    #[track_caller]
    fn check<T: Element>(case: &Case, inputs: Vec<Tensor>, shape: &[usize], values: &[T], indices: &[i64]) {
        let outputs = case.clone().outputs(2).try_run(inputs).unwrap();
        assert_tensor(&outputs[0], shape, values);
        assert_tensor(&outputs[1], shape, indices);
    }

    #[test]
    fn best_first_and_ties_by_lower_index() {
        // ONNX Runtime.
        let x = || tensor(&[2, 4], &[1.0_f32, 3.0, 3.0, 2.0, 5.0, 5.0, 4.0, 9.0]);
        let k = |k: i64| tensor(&[1], &[k]);
        check(&op("TopK"), vec![x(), k(3)], &[2, 3], &[3.0_f32, 3.0, 2.0, 9.0, 5.0, 5.0], &[1, 2, 3, 3, 0, 1]);
        check(&op("TopK").int("largest", 0), vec![x(), k(2)], &[2, 2], &[1.0_f32, 2.0, 4.0, 5.0], &[0, 3, 2, 0]);
        check(&op("TopK").int("axis", 0), vec![x(), k(1)], &[1, 4], &[5.0_f32, 5.0, 4.0, 9.0], &[1, 1, 1, 1]);
        check(&op("TopK").int("sorted", 0), vec![x(), k(4)], &[2, 4], &[3.0_f32, 3.0, 2.0, 1.0, 9.0, 5.0, 5.0, 4.0], &[1, 2, 3, 0, 3, 0, 1, 2]);
        check(&op("TopK").opset(1).int("k", 1), vec![x()], &[2, 1], &[3.0_f32, 9.0], &[1, 3]);
        check(&op("TopK").opset(10), vec![x(), k(1)], &[2, 1], &[3.0_f32, 9.0], &[1, 3]);
        check(&op("TopK"), vec![tensor(&[3], &[5_u8, 7, 6]), k(2)], &[2], &[7_u8, 6], &[1, 2]);
        check::<f32>(&op("TopK"), vec![x(), k(0)], &[2, 0], &[], &[]);
        check::<f32>(&op("TopK"), vec![Tensor::empty(ElementType::F32, &[0, 4]), k(2)], &[0, 2], &[], &[]);
        check(&op("TopK"), vec![tensor(&[3], &[1.0_f32, f32::NAN, 3.0]), k(2)], &[2], &[f32::NAN, 3.0], &[1, 2]);
    }

    #[test]
    fn a_k_that_does_not_fit_is_refused() {
        let x = || tensor(&[2, 4], &[0.0_f32; 8]);
        let error = |k: Tensor| op("TopK").outputs(2).error([x(), k]);
        assert_eq!(error(tensor(&[1], &[5_i64])), "k must lie between 0 and 4, the size of axis 1 of float32[2, 4]");
        assert!(error(tensor(&[1], &[-1_i64])).starts_with("k must lie between"));
        assert_eq!(error(tensor(&[2], &[1_i64, 2])), "input 1 (K) should hold one number, but holds 2");
        assert_eq!(op("TopK").outputs(2).error([Tensor::scalar(1.0_f32), tensor(&[1], &[1_i64])]), "axis -1 does not exist: the tensor has rank 0");
    }

    #[test]
    fn types_are_inferred() {
        let types = [typed::<f32>("n, 4"), typed::<i64>("1")];
        assert_eq!(op("TopK").outputs(2).infer(types.clone())[0].as_deref(), Some("float32[n, ?]"));
        let constant = op("TopK").outputs(2).constant(1, &tensor(&[1], &[3_i64]));
        assert_eq!(constant.infer(types), [Some("float32[n, 3]".to_owned()), Some("int64[n, 3]".to_owned())]);
    }
}
