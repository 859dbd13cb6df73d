//! Col2Im: columns of blocks laid back to where they lie in an image; where blocks overlap, they add up.

use rayon::prelude::*;

use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::host::{Bool, ElementType};
use crate::ops::integers::Integers;
use crate::ops::operator::{Outputs, single};
use crate::ops::shape::to_shape;
use crate::ops::types::{Number, match_number};
use crate::ops::window::{AxisWindow, Window};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::{Shape, Tensor};

/// Blocks are `[N, C · elements of a block, blocks]`; the result is `[N, C, image…]`.
///
/// <https://onnx.ai/onnx/operators/onnx__Col2Im.html>, opset 18.
#[derive(Debug)]
struct Col2Im {
    window: Window,
    image_shape: Integers,
    block_shape: Integers,
}

pub fn build(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let image_shape = Integers::from_input(context, 1, "image_shape")?;
    let block_shape = Integers::from_input(context, 2, "block_shape")?;
    Ok(Box::new(Col2Im { window: Window::new(context)?, image_shape, block_shape }))
}

/// Adds one channel's blocks, `[elements of a block, blocks]`, to an image of zeros.
fn lay<T: Number>(blocks: &[T], windows: &[AxisWindow], image: &mut [T]) {
    let n_blocks: usize = windows.iter().map(|window| window.output).product();
    for (tap, row) in blocks.chunks_exact(n_blocks).enumerate() {
        lay_element(row, tap, windows, image);
    }
}

/// Adds the element `tap` of every block.
fn lay_element<T: Number>(row: &[T], tap: usize, windows: &[AxisWindow], image: &mut [T]) {
    // The position of the element within a block, the last axis varying fastest.
    let mut taps = Shape::from_elem(0, windows.len());
    let mut left = tap;
    for (tap, window) in taps.iter_mut().zip(windows).rev() {
        *tap = left % window.kernel;
        left /= window.kernel;
    }
    for (block, &value) in row.iter().enumerate() {
        let mut left = block;
        let (mut place, mut stride) = (0, 1);
        let mut is_inside = true;
        for (&tap, window) in taps.iter().zip(windows).rev() {
            let output = left % window.output;
            left /= window.output;
            is_inside &= window.taps(output).contains(&tap);
            if !is_inside {
                break;
            }
            place += window.position(output, tap) * stride;
            stride *= window.input;
        }
        if is_inside {
            image[place] = image[place].plus(value);
        }
    }
}

/// All images of a batch, one after the other.
fn images<T: Number>(columns: &[T], n_images: usize, shape: &[usize], windows: &[AxisWindow]) -> Vec<T> {
    let mut images = vec![T::ZERO; shape.iter().product()];
    let (per_image, pixels) = (columns.len() / n_images, images.len() / n_images);
    images.par_chunks_exact_mut(pixels).zip(columns.par_chunks_exact(per_image)).for_each(|(image, blocks)| lay(blocks, windows, image));
    images
}

impl Operator for Col2Im {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let Some((element_type, input)) = inputs.tensor(0) else { return Ok(vec![None]) };
        let dim = |axis: usize| input.dims().and_then(|dims| dims.get(axis)).cloned().unwrap_or(Dimension::Unknown);
        let block = self.block_shape.inferred(inputs).flatten();
        let n_elements = block.and_then(|block| block.iter().try_fold(1_usize, |product, &dim| product.checked_mul(usize::try_from(dim).ok()?)));
        let channels = match (dim(1).known(), n_elements) {
            (Some(columns), Some(n_elements)) if n_elements > 0 => Dimension::Known(columns / n_elements),
            _ => Dimension::Unknown,
        };
        let shape = self.image_shape.inferred(inputs).flatten().map(|image| {
            let image = image.iter().map(|&dim| usize::try_from(dim).map_or(Dimension::Unknown, Dimension::Known));
            [dim(0), channels].into_iter().chain(image).collect()
        });
        Ok(vec![Some(ValueType::tensor(element_type, SymbolicShape(shape)))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let input = inputs.take_tensor(0, "input")?;
        let image_shape = to_shape(&self.image_shape.require(&mut inputs, 1, "image_shape")?)?;
        let block_shape = to_shape(&self.block_shape.require(&mut inputs, 2, "block_shape")?)?;
        let element_type = input.element_type();
        if image_shape.is_empty() || image_shape.len() != block_shape.len() {
            return Err(OpError::shape(format!(
                "image_shape {image_shape:?} and block_shape {block_shape:?} should have as many axes as each other"
            )));
        }
        let windows = self.window.place(&block_shape, &image_shape)?;
        let product = |dims: &[usize]| dims.iter().try_fold(1_usize, |product, &dim| product.checked_mul(dim));
        let outputs: Shape = windows.iter().map(|window| window.output).collect();
        let (n_elements, n_blocks) = (product(&block_shape), product(&outputs));
        let (batch, channels) = match (input.shape(), n_elements, n_blocks) {
            (&[batch, columns, blocks], Some(n_elements), Some(n_blocks)) if columns.is_multiple_of(n_elements) && blocks == n_blocks => {
                (batch, columns / n_elements)
            }
            (shape, _, n_blocks) => {
                return Err(OpError::shape(format!(
                    "the input of shape {shape:?} should be [batch, channels times the elements of a block, blocks], with blocks of {block_shape:?}, \
                     of which {} fit an image of {image_shape:?}",
                    n_blocks.unwrap_or(usize::MAX)
                )));
            }
        };
        let shape: Shape = [batch, channels].into_iter().chain(image_shape.iter().copied()).collect();
        context.check_result_size(element_type, &shape)?;
        if input.is_empty() || shape.contains(&0) {
            return Ok(single(Tensor::empty(element_type, &shape)));
        }
        let n_images = batch * channels;
        let result = match_number!(element_type, T => Tensor::from_vec(&shape, images(&input.as_slice::<T>()?, n_images, &shape, &windows)), else {
            if element_type != ElementType::Bool {
                return Err(OpError::unsupported(format!("Col2Im of {element_type}")));
            }
            // What adds up is true where any of it is. As bytes that would wrap around.
            let columns: Vec<u32> = input.as_slice::<Bool>()?.iter().map(|value| u32::from(value.get())).collect();
            let counts = images(&columns, n_images, &shape, &windows);
            Tensor::from_vec(&shape, counts.into_iter().map(|count| Bool::new(count > 0)).collect())
        });
        Ok(single(result?))
    }
}

#[cfg(test)]
mod tests {
    use crate::host::{Bool, ElementType};
    use crate::ops::testing::{assert_tensor, bools, op, tensor, typed};
    use crate::tensor::Tensor;

    fn ints(values: &[i64]) -> Tensor {
        tensor(&[values.len()], values)
    }

    #[test]
    fn blocks_are_laid_together() {
        // torch.nn.functional.fold.
        let columns = tensor(&[1, 4, 4], &[1_i32, 2, 3, 4, 10, 20, 30, 40, 100, 200, 300, 400, 1000, 2000, 3000, 4000]);
        let image = op("Col2Im").run1([columns, ints(&[3, 3]), ints(&[2, 2])]);
        assert_tensor(&image, &[1, 1, 3, 3], &[1_i32, 12, 20, 103, 1234, 2040, 300, 3400, 4000]);
        let line =
            op("Col2Im").ints("pads", &[1, 0]).ints("strides", &[2]).run1([tensor(&[1, 2, 2], &[1.0_f32, 2.0, 3.0, 4.0]), ints(&[3]), ints(&[2])]);
        assert_tensor(&line, &[1, 1, 3], &[3.0_f32, 2.0, 4.0]);
        let flags = op("Col2Im").run1([bools(&[1, 2, 2], &[true, false, true, false]), ints(&[3]), ints(&[2])]);
        assert_eq!(flags.as_slice::<Bool>().unwrap().iter().map(|flag| flag.get()).collect::<Vec<_>>(), [true, true, false]);
        let nothing = op("Col2Im").run1([Tensor::empty(ElementType::F32, &[0, 4, 4]), ints(&[3, 3]), ints(&[2, 2])]);
        assert_eq!(nothing.shape(), [0, 1, 3, 3]);
    }

    #[test]
    fn blocks_that_do_not_fit_are_refused() {
        let columns = || tensor(&[1, 4, 3], &[0.0_f32; 12]);
        let error = op("Col2Im").error([columns(), ints(&[3, 3]), ints(&[2, 2])]);
        assert!(error.ends_with("with blocks of [2, 2], of which 4 fit an image of [3, 3]"), "{error}");
        assert!(op("Col2Im").error([columns(), ints(&[3]), ints(&[2, 2])]).contains("as many axes"));
        assert!(op("Col2Im").error([columns(), ints(&[3, -3]), ints(&[2, 2])]).contains("is negative"));
        assert!(op("Col2Im").error([columns(), ints(&[1, 1]), ints(&[2, 2])]).contains("the kernel covers 2 elements"));
        let constants = op("Col2Im").constant(1, &ints(&[3, 3])).constant(2, &ints(&[2, 2]));
        assert_eq!(constants.infer([typed::<f32>("N, 8, 4"), typed::<i64>("2"), typed::<i64>("2")]), [Some("float32[N, 2, 3, 3]".to_owned())]);
    }
}
