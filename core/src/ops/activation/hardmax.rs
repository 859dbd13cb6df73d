//! Hardmax: 1 where the largest value along an axis stands first, 0 elsewhere.

use super::classes::Classes;
use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::ops::operator::{Outputs, single};
use crate::ops::types::{Number, TypeSet, match_number};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::{Shape, Tensor};

/// <https://onnx.ai/onnx/operators/onnx__Hardmax.html>, opsets 1, 11 (over all axes from `axis` on), 13 (over `axis` alone).
#[derive(Debug)]
pub struct Hardmax {
    classes: Classes,
}

impl Hardmax {
    pub fn build(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
        Ok(Box::new(Self { classes: Classes::of(node)? }))
    }
}

/// `n_along` elements along the axis, `n_inner` of them side by side. A NaN is the largest value, as numpy has it.
fn mark_largest<T: Number>(values: &mut [T], n_along: usize, n_inner: usize) {
    for block in values.chunks_mut(n_along * n_inner) {
        for inner in 0..n_inner {
            let at = |place: usize| place * n_inner + inner;
            let mut largest = 0;
            for place in 1..n_along {
                let (value, best) = (block[at(place)], block[at(largest)]);
                if !best.is_nan() && (value > best || value.is_nan()) {
                    largest = place;
                }
            }
            for place in 0..n_along {
                block[at(place)] = if place == largest { T::ONE } else { T::ZERO };
            }
        }
    }
}

impl Operator for Hardmax {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        self.classes.infer(inputs)
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "input")?;
        TypeSet::FLOATS.check(&x, 0, "input")?;
        self.classes.axis(x.rank())?;
        if x.is_empty() {
            return Ok(single(x));
        }
        let dims = Shape::from_slice(x.shape());
        let [_, n_along, n_inner] = self.classes.sizes(&dims)?;
        let element_type = x.element_type();
        match_number!(element_type, T => {
            let mut values = x.into_vec::<T>()?;
            mark_largest(&mut values, n_along, n_inner);
            Ok(single(Tensor::from_vec(&dims, values)?))
        }, else Err(OpError::unsupported(format!("Hardmax of {element_type}"))))
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::{assert_tensor, op, tensor};

    #[test]
    fn the_first_of_the_largest_wins() {
        let x = || tensor(&[2, 2, 2], &[3.0_f32, 0.0, 3.0, 5.0, 1.0, f32::NAN, 2.0, 9.0]);
        assert_tensor(&op("Hardmax").run1([x()]), &[2, 2, 2], &[1.0_f32, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0]);
        assert_tensor(&op("Hardmax").int("axis", 1).run1([x()]), &[2, 2, 2], &[1.0_f32, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0]);
        // Before opset 13 the axes from 1 on are one.
        assert_tensor(&op("Hardmax").opset(11).run1([x()]), &[2, 2, 2], &[0.0_f32, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0]);
        assert_eq!(op("Hardmax").int("axis", 3).error([x()]), "axis 3 is out of range [-3, 2] for a tensor of rank 3");
    }
}
