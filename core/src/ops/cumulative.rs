//! CumSum and CumProd: sums and products of everything up to each element along an axis.

use super::integers::Integers;
use super::operator::{Outputs, single};
use super::shape::{normalize_axis, same_as};
use super::types::{Number, TypeSet, match_number};
use super::{Inputs, NodeContext, OpError, Operator, OpsetRange, Registration, RunContext};
use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::tensor::{Shape, Tensor};

pub const OPERATORS: &[Registration] = &[
    Registration { domain: "", op_type: "CumProd", opsets: OpsetRange::from(26), build: |node| Cumulative::build(false, node) },
    Registration { domain: "", op_type: "CumSum", opsets: OpsetRange::from(11), build: |node| Cumulative::build(true, node) },
];

/// <https://onnx.ai/onnx/operators/onnx__CumSum.html>, opsets 11, 14 (bfloat16, float16).
/// <https://onnx.ai/onnx/operators/onnx__CumProd.html>, opset 26.
#[derive(Debug)]
struct Cumulative {
    is_sum: bool,
    axis: Integers,
    /// The element itself is left out.
    is_exclusive: bool,
    /// From the end of the axis instead of its start.
    is_reverse: bool,
}

impl Cumulative {
    fn build(is_sum: bool, node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
        Ok(Box::new(Self {
            is_sum,
            axis: Integers::from_input(node, 1, "axis")?,
            is_exclusive: node.attributes.int("exclusive")?.unwrap_or(0) != 0,
            is_reverse: node.attributes.int("reverse")?.unwrap_or(0) != 0,
        }))
    }

    /// Floats narrower than float64 are summed in float64; every result is rounded once.
    fn over<T: Number>(&self, x: Tensor, axis: usize) -> Result<Tensor, OpError> {
        let shape = Shape::from_slice(x.shape());
        let n_along = shape[axis];
        let n_inner: usize = shape[axis + 1..].iter().product();
        let mut values = x.into_vec::<T>()?;
        if T::ELEMENT_TYPE.is_float() {
            let (start, apply): (f64, fn(f64, f64) -> f64) =
                if self.is_sum { (0.0, |total, value| total + value) } else { (1.0, |total, value| total * value) };
            self.accumulate(&mut values, n_along, n_inner, start, |total, value| apply(total, value.to_f64()), T::from_f64);
        } else {
            let (start, apply): (T, fn(T, T) -> T) = if self.is_sum { (T::ZERO, T::plus) } else { (T::ONE, T::times) };
            self.accumulate(&mut values, n_along, n_inner, start, apply, |total| total);
        }
        Ok(Tensor::from_vec(&shape, values)?)
    }

    /// Replaces each element by the running total, `n_inner` totals side by side.
    fn accumulate<T: Number, A: Copy>(
        &self,
        values: &mut [T],
        n_along: usize,
        n_inner: usize,
        start: A,
        apply: impl Fn(A, T) -> A,
        finish: impl Fn(A) -> T,
    ) {
        let mut totals = vec![start; n_inner];
        for block in values.chunks_mut((n_along * n_inner).max(1)) {
            totals.fill(start);
            for step in 0..n_along {
                let place = if self.is_reverse { n_along - 1 - step } else { step };
                for (total, value) in totals.iter_mut().zip(&mut block[place * n_inner..][..n_inner]) {
                    let next = apply(*total, *value);
                    *value = finish(if self.is_exclusive { *total } else { next });
                    *total = next;
                }
            }
        }
    }
}

impl Operator for Cumulative {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![same_as(inputs, 0)])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "x")?;
        TypeSet::NUMBERS.check(&x, 0, "x")?;
        let axis = match self.axis.require(&mut inputs, 1, "axis")?.as_ref() {
            &[axis] => normalize_axis(axis, x.rank())?,
            other => return Err(OpError::value(format!("input 1 (axis) should be one integer, but is {other:?}"))),
        };
        if x.is_empty() {
            return Ok(single(x));
        }
        let element_type = x.element_type();
        match_number!(element_type, T => self.over::<T>(x, axis).map(single), else Err(OpError::unsupported(format!("running totals of {element_type}"))))
    }
}

#[cfg(test)]
mod tests {
    use crate::host::ElementType;
    use crate::ops::testing::{assert_tensor, op, tensor, typed};
    use crate::tensor::Tensor;

    #[test]
    fn totals_run_along_an_axis() {
        let x = || tensor(&[2, 3], &[1_i32, 2, 3, 4, 5, 6]);
        let axis = |axis: i64| Tensor::scalar(axis);
        // The results are numpy's cumsum and cumprod.
        let sum = op("CumSum");
        assert_tensor(&sum.run1([x(), axis(0)]), &[2, 3], &[1, 2, 3, 5, 7, 9]);
        assert_tensor(&sum.run1([x(), axis(-1)]), &[2, 3], &[1, 3, 6, 4, 9, 15]);
        assert_tensor(&sum.clone().int("reverse", 1).run1([x(), axis(1)]), &[2, 3], &[6, 5, 3, 15, 11, 6]);
        assert_tensor(&sum.clone().int("reverse", 1).int("exclusive", 1).run1([x(), axis(1)]), &[2, 3], &[5, 3, 0, 11, 6, 0]);
        let product = op("CumProd").opset(26);
        assert_tensor(&product.run1([x(), axis(1)]), &[2, 3], &[1, 2, 6, 4, 20, 120]);
        assert_tensor(&product.clone().int("exclusive", 1).run1([x(), axis(1)]), &[2, 3], &[1, 1, 2, 1, 4, 20]);
        let nan = sum.run1([tensor(&[3], &[1.0_f32, f32::NAN, 2.0]), axis(0)]);
        assert_tensor(&nan, &[3], &[1.0, f32::NAN, f32::NAN]);
        assert_tensor(&sum.run1([tensor(&[2], &[i32::MAX, 1]), axis(0)]), &[2], &[i32::MAX, i32::MIN]);
        assert_tensor::<f32>(&sum.run1([Tensor::empty(ElementType::F32, &[0, 2]), axis(0)]), &[0, 2], &[]);
        assert_eq!(sum.infer([typed::<f32>("n, 2"), typed::<i64>("")]), [Some("float32[n, 2]".to_owned())]);
    }

    #[test]
    fn axes_are_checked() {
        let x = || tensor(&[2], &[1.0_f32, 2.0]);
        assert_eq!(op("CumSum").error([x(), Tensor::scalar(1_i64)]), "axis 1 is out of range [-1, 0] for a tensor of rank 1");
        assert_eq!(op("CumSum").error([x(), tensor(&[2], &[0_i64, 0])]), "input 1 (axis) should be one integer, but is [0, 0]");
        assert_eq!(op("CumSum").error([Tensor::scalar(1.0_f32), Tensor::scalar(0_i64)]), "axis 0 does not exist: the tensor has rank 0");
        assert_eq!(op("CumSum").error([x()]), "input 1 (axis) is missing; the operator needs it");
    }
}
