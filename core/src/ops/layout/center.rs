//! CenterCropPad: cut or padded at both ends alike, until axes have the sizes that are asked for.

use super::{Integers, infer_like, zero};
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::ops::movement::{self, Cut};
use crate::ops::operator::{Outputs, single};
use crate::ops::shape::{normalize_axis, to_shape, unknown_dims};
use crate::ops::{Inputs, NodeContext, OpError, Operator, Placement, RunContext};
use crate::tensor::Shape;

/// Where an odd number of elements is to be added or taken away, the end gets one more than the beginning.
///
/// <https://onnx.ai/onnx/operators/onnx__CenterCropPad.html>, opset 18.
#[derive(Debug)]
struct CenterCropPad {
    sizes: Integers,
    /// Absent = all of them, in order.
    axes: Option<Vec<i64>>,
}

pub fn build(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let axes = context.attributes.ints("axes")?.map(<[i64]>::to_vec);
    Ok(Box::new(CenterCropPad { sizes: Integers::from_input(context, 1, "shape")?, axes }))
}

impl CenterCropPad {
    /// Pairs of an axis and its new size.
    fn targets(&self, sizes: &[i64], rank: usize) -> Result<Vec<(usize, usize)>, OpError> {
        let axes: Vec<usize> = match &self.axes {
            Some(axes) => axes.iter().map(|&axis| normalize_axis(axis, rank)).collect::<Result<_, _>>()?,
            None => (0..rank).collect(),
        };
        let sizes = to_shape(sizes)?;
        if sizes.len() != axes.len() {
            return Err(OpError::shape(format!("the shape {sizes:?} should have one size for each of {} axes", axes.len())));
        }
        if let Some(position) = (1..axes.len()).find(|&position| axes[..position].contains(&axes[position])) {
            return Err(OpError::shape(format!("axis {} is given twice", axes[position])));
        }
        Ok(axes.into_iter().zip(sizes).collect())
    }
}

impl Operator for CenterCropPad {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        infer_like(inputs, |dims| {
            let Some(Some(sizes)) = self.sizes.inferred(inputs) else { return Ok(unknown_dims(dims.len())) };
            let mut dims = dims.to_vec();
            for (axis, size) in self.targets(&sizes, dims.len())? {
                dims[axis] = Dimension::Known(size);
            }
            Ok(SymbolicShape(Some(dims)))
        })
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let input = inputs.take_tensor(0, "input_data")?;
        let sizes = self.sizes.require(&mut inputs, 1, "shape")?;
        let mut shape = Shape::from_slice(input.shape());
        let mut cuts: Vec<Cut> = input.shape().iter().map(|&dim| Cut::all(dim)).collect();
        let mut before = Shape::from_elem(0, input.rank());
        let mut after = before.clone();
        for (axis, size) in self.targets(&sizes, input.rank())? {
            let dim = input.shape()[axis];
            shape[axis] = size;
            if size < dim {
                cuts[axis] = Cut::range((dim - size) / 2, size);
            } else {
                before[axis] = (size - dim) / 2;
                after[axis] = size - dim - before[axis];
            }
        }
        context.check_result_size(input.element_type(), &shape)?;
        let value = movement::bring_beside(zero(input.element_type())?, &input, context)?;
        Ok(single(movement::surround(movement::cut(input, &cuts)?, &before, &after, &value)?))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}

#[cfg(test)]
mod tests {
    use crate::host::ElementType;
    use crate::ops::testing::{assert_strings, assert_tensor, op, strings, tensor, typed};
    use crate::tensor::Tensor;

    fn ints(values: &[i64]) -> Tensor {
        tensor(&[values.len()], values)
    }

    #[test]
    fn axes_shrink_and_grow_around_their_centre() {
        let x = || tensor(&[2, 4], &[0_i32, 1, 2, 3, 4, 5, 6, 7]);
        let case = op("CenterCropPad");
        assert_tensor(&case.run1([x(), ints(&[3, 1])]), &[3, 1], &[1_i32, 5, 0]);
        assert_tensor(&case.clone().ints("axes", &[-1]).run1([x(), ints(&[7])]), &[2, 7], &[0_i32, 0, 1, 2, 3, 0, 0, 0, 4, 5, 6, 7, 0, 0]);
        assert_strings(&case.run1([strings(&[1], &["a"]), ints(&[3])]), &[3], &["", "a", ""]);
        assert_eq!(case.run1([x(), ints(&[0, 4])]).shape(), [0, 4]);
        assert_tensor(&case.run1([Tensor::empty(ElementType::F32, &[0]), ints(&[2])]), &[2], &[0.0_f32, 0.0]);
    }

    #[test]
    fn sizes_that_do_not_fit_are_refused() {
        let x = || tensor(&[2, 4], &[0_i32; 8]);
        let case = op("CenterCropPad");
        assert_eq!(case.error([x(), ints(&[3])]), "the shape [3] should have one size for each of 2 axes");
        assert!(case.error([x(), ints(&[3, -1])]).contains("is negative"));
        assert_eq!(case.clone().ints("axes", &[1, -1]).error([x(), ints(&[3, 3])]), "axis 1 is given twice");
        assert!(case.clone().ints("axes", &[2]).error([x(), ints(&[3])]).contains("axis 2 is out of range"));
        assert!(case.max_result_bytes(1000).error([x(), ints(&[1 << 40, 4])]).contains("more than the limit"));
        let constant = op("CenterCropPad").ints("axes", &[1]).constant(1, &ints(&[9]));
        assert_eq!(constant.infer([typed::<f32>("N, 4"), typed::<i64>("1")]), [Some("float32[N, 9]".to_owned())]);
    }
}
