//! MaxUnpool: elements put back to where MaxPool found them, among zeros.

use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::host::Element;
use crate::ops::integers::Integers;
use crate::ops::operator::{Outputs, single};
use crate::ops::shape::{strides, to_shape};
use crate::ops::types::{TypeSet, match_number};
use crate::ops::window::Window;
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::{Shape, Tensor};

/// Indices count over the smallest tensor that the pool could have had as its input; a larger one that `output_shape` asks for gets zeros at its ends.
///
/// <https://onnx.ai/onnx/operators/onnx__MaxUnpool.html>, opsets 9, 11, 22 (bfloat16).
#[derive(Debug)]
struct MaxUnpool {
    window: Window,
    kernel: Vec<usize>,
    output_shape: Integers,
}

pub fn build(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    context.attributes.require_ints("kernel_shape")?;
    let window = Window::new(context)?;
    let kernel = window.kernel.clone().unwrap_or_default();
    window.check_rank(kernel.len())?;
    Ok(Box::new(MaxUnpool { window, kernel, output_shape: Integers::from_input(context, 2, "output_shape")? }))
}

impl MaxUnpool {
    /// The size of a spatial axis before it was pooled to `pooled` elements.
    fn unpooled(&self, axis: usize, pooled: usize) -> Option<usize> {
        let (before, after) = self.window.explicit_padding(axis, self.kernel.len());
        pooled.checked_sub(1)?.checked_mul(self.window.stride(axis))?.checked_add(self.kernel[axis])?.checked_sub(before + after)
    }

    fn unpooled_shape(&self, x: &[usize]) -> Result<Shape, OpError> {
        if x.len() != self.kernel.len() + 2 {
            return Err(OpError::shape(format!("X of shape {x:?} should be [batch, channels, …] with {} spatial axes", self.kernel.len())));
        }
        let spatial: Option<Shape> = x[2..].iter().enumerate().map(|(axis, &dim)| self.unpooled(axis, dim)).collect();
        let spatial = spatial.ok_or_else(|| OpError::shape(format!("no pool with these attributes makes a tensor of shape {x:?}")))?;
        Ok(x[..2].iter().copied().chain(spatial).collect())
    }

    /// Puts elements to their indices of `unpooled`, within a tensor of `shape`.
    fn place<T: Element>(x: &Tensor, indices: &[i64], unpooled: &[usize], shape: &[usize]) -> Result<Tensor, OpError> {
        let n_unpooled: usize = unpooled.iter().product();
        let target_strides = strides(shape);
        let mut result = vec![T::zeroed(); shape.iter().product()];
        for (&element, &index) in x.as_slice::<T>()?.iter().zip(indices) {
            let position = usize::try_from(index).ok().filter(|&position| position < n_unpooled);
            let mut left = position.ok_or_else(|| OpError::value(format!("index {index} is not one of a tensor of shape {unpooled:?}")))?;
            let mut target = 0;
            for (&dim, &stride) in unpooled.iter().zip(&target_strides).rev() {
                target += left % dim * stride;
                left /= dim;
            }
            result[target] = element;
        }
        Ok(Tensor::from_vec(shape, result)?)
    }
}

impl Operator for MaxUnpool {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let Some((element_type, x)) = inputs.tensor(0) else { return Ok(vec![None]) };
        let shape = match (x.dims(), self.output_shape.inferred(inputs)) {
            (_, Some(Some(shape))) => Some(shape.iter().map(|&dim| usize::try_from(dim).map_or(Dimension::Unknown, Dimension::Known)).collect()),
            (Some([batch, channels, spatial @ ..]), Some(None)) if spatial.len() == self.kernel.len() => {
                let unpooled = spatial
                    .iter()
                    .enumerate()
                    .map(|(axis, dim)| dim.known().and_then(|dim| self.unpooled(axis, dim)).map_or(Dimension::Unknown, Dimension::Known));
                Some([batch.clone(), channels.clone()].into_iter().chain(unpooled).collect())
            }
            (Some(dims), _) => Some(vec![Dimension::Unknown; dims.len()]),
            (None, _) => None,
        };
        Ok(vec![Some(ValueType::tensor(element_type, SymbolicShape(shape)))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "X")?;
        let indices = inputs.take_tensor(1, "I")?;
        TypeSet::INDICES.check(&indices, 1, "I")?;
        if indices.shape() != x.shape() {
            return Err(OpError::shape(format!("X of shape {:?} and I of shape {:?} should have one shape", x.shape(), indices.shape())));
        }
        let element_type = x.element_type();
        let unpooled = self.unpooled_shape(x.shape())?;
        context.check_result_size(element_type, &unpooled)?;
        let shape = match self.output_shape.get(&mut inputs)? {
            Some(shape) => to_shape(&shape)?,
            None => unpooled.clone(),
        };
        context.check_result_size(element_type, &shape)?;
        if shape.len() != unpooled.len() || shape.iter().zip(&unpooled).any(|(dim, least)| dim < least) {
            return Err(OpError::shape(format!("output_shape {shape:?} should have at least the size of {unpooled:?}")));
        }
        if shape.contains(&0) {
            return Ok(single(Tensor::empty(element_type, &shape)));
        }
        let indices = indices.to_i64s()?;
        let placed = match_number!(element_type, T => Self::place::<T>(&x, &indices, &unpooled, &shape),
            else Err(OpError::unsupported(format!("MaxUnpool of {element_type}"))));
        Ok(single(placed?))
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::{assert_tensor, op, tensor, typed};
    use crate::tensor::Tensor;

    fn x() -> Tensor {
        tensor(&[1, 1, 2, 2], &[1.0_f32, 2.0, 3.0, 4.0])
    }

    #[test]
    fn elements_return_to_where_they_were() {
        // The examples of the specification's tests.
        let case = op("MaxUnpool").ints("kernel_shape", &[2, 2]).ints("strides", &[2, 2]);
        let indices = || tensor(&[1, 1, 2, 2], &[5_i64, 7, 13, 15]);
        let expected = [0.0_f32, 0., 0., 0., 0., 1., 0., 2., 0., 0., 0., 0., 0., 3., 0., 4.];
        assert_tensor(&case.run1([x(), indices()]), &[1, 1, 4, 4], &expected);
        let larger = case.run1([x(), indices(), tensor(&[4], &[1_i64, 1, 5, 5])]);
        let rows = [[0.0_f32; 5], [0., 1., 0., 2., 0.], [0.0; 5], [0., 3., 0., 4., 0.], [0.0; 5]];
        assert_tensor(&larger, &[1, 1, 5, 5], rows.as_flattened());
        assert_eq!(case.infer([typed::<f32>("N, 3, 2, w"), typed::<i64>("N, 3, 2, w")]), [Some("float32[N, 3, 4, ?]".to_owned())]);
    }

    #[test]
    fn indices_and_shapes_that_do_not_fit_are_refused() {
        let case = op("MaxUnpool").ints("kernel_shape", &[2, 2]).ints("strides", &[2, 2]);
        let indices = |first: i64| tensor(&[1, 1, 2, 2], &[first, 7, 13, 15]);
        assert_eq!(case.error([x(), indices(16)]), "index 16 is not one of a tensor of shape [1, 1, 4, 4]");
        assert!(case.error([x(), indices(-1)]).starts_with("index -1"));
        assert!(case.error([x(), tensor(&[1], &[0_i64])]).contains("should have one shape"));
        assert!(case.error([x(), indices(0), tensor(&[4], &[1_i64, 1, 3, 4])]).contains("should have at least the size of [1, 1, 4, 4]"));
        assert!(op("MaxUnpool").ints("kernel_shape", &[2]).error([x(), indices(0)]).contains("with 1 spatial axes"));
        assert!(op("MaxUnpool").error([x(), indices(0)]).contains("'kernel_shape' is missing"));
        let huge = op("MaxUnpool").ints("kernel_shape", &[1 << 30, 1 << 30]);
        assert!(huge.error([x(), indices(0)]).contains("more than the limit"));
        let negative = op("MaxUnpool").ints("kernel_shape", &[1, 1]).ints("pads", &[9, 9, 9, 9]);
        assert!(negative.error([x(), indices(0)]).contains("no pool with these attributes"));
    }
}
