//! DepthToSpace and SpaceToDepth: blocks of an image become channels, and channels become blocks.

use super::infer_like;
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::ops::operator::{Outputs, single};
use crate::ops::shape::product;
use crate::ops::{Inputs, NodeContext, OpError, Operator, Placement, RunContext, movement};
use crate::tensor::Tensor;

/// <https://onnx.ai/onnx/operators/onnx__DepthToSpace.html>, opsets 1, 11 (`mode`), 13, 28 (element types);
/// <https://onnx.ai/onnx/operators/onnx__SpaceToDepth.html>, opsets 1, 13, 28 (`mode`).
#[derive(Debug)]
struct Blocks {
    direction: Direction,
    size: usize,
    order: Order,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    DepthToSpace,
    SpaceToDepth,
}

/// Attribute `mode`: where the position within a block stands among the channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// `DCR`: before the channels that stay.
    BlockFirst,
    /// `CRD`: after them.
    BlockLast,
}

pub fn build(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let direction = if context.op_type == "DepthToSpace" { Direction::DepthToSpace } else { Direction::SpaceToDepth };
    let size = context.attributes.require_int("blocksize")?;
    let size = usize::try_from(size).ok().filter(|&size| size >= 1 && size.checked_mul(size).is_some());
    let size =
        size.ok_or_else(|| OpError::value("attribute 'blocksize' should be at least 1, and its square a size that this machine can address"))?;
    let order = match context.attributes.text("mode")?.unwrap_or("DCR") {
        "DCR" => Order::BlockFirst,
        "CRD" => Order::BlockLast,
        other => return Err(OpError::value(format!("attribute 'mode' should be DCR or CRD, but is '{other}'"))),
    };
    Ok(Box::new(Blocks { direction, size, order }))
}

/// Six axes to see a tensor under, how to permute them, and the shape of the result.
type Steps = ([usize; 6], [usize; 6], [usize; 4]);

impl Blocks {
    /// Six axes that split blocks from the rest, and how to permute them; then the result's shape.
    fn plan(&self, shape: &[usize]) -> Result<Steps, OpError> {
        let size = self.size;
        let &[batch, channels, height, width] = shape else {
            return Err(OpError::shape(format!("the input should be [batch, channels, height, width], but has shape {shape:?}")));
        };
        if self.direction == Direction::DepthToSpace {
            let kept = channels / (size * size);
            if kept * size * size != channels {
                return Err(OpError::shape(format!("{channels} channels do not make blocks of {size} by {size}")));
            }
            let result = [batch, kept, saturating(height, size), saturating(width, size)];
            return Ok(match self.order {
                Order::BlockFirst => ([batch, size, size, kept, height, width], [0, 3, 4, 1, 5, 2], result),
                Order::BlockLast => ([batch, kept, size, size, height, width], [0, 1, 4, 2, 5, 3], result),
            });
        }
        let (rows, columns) = (height / size, width / size);
        if rows * size != height || columns * size != width {
            return Err(OpError::shape(format!("an image of {height} by {width} is not made of blocks of {size} by {size}")));
        }
        let permutation = match self.order {
            Order::BlockFirst => [0, 3, 5, 1, 2, 4],
            Order::BlockLast => [0, 1, 3, 5, 2, 4],
        };
        Ok(([batch, channels, rows, size, columns, size], permutation, [batch, saturating(channels, size * size), rows, columns]))
    }
}

/// Only a tensor without elements can have dimensions whose product does not fit.
fn saturating(dim: usize, size: usize) -> usize {
    dim.saturating_mul(size)
}

impl Operator for Blocks {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        infer_like(inputs, |dims| {
            let [batch, channels, height, width] = dims else {
                return Err(OpError::shape("the input should be [batch, channels, height, width]"));
            };
            let times = |dim: &Dimension, size: usize| product(&[dim.clone(), Dimension::Known(size)]);
            let parts = |dim: &Dimension, size: usize| dim.known().map_or(Dimension::Unknown, |dim| Dimension::Known(dim / size));
            let (size, area) = (self.size, self.size * self.size);
            Ok(SymbolicShape(Some(match self.direction {
                Direction::DepthToSpace => vec![batch.clone(), parts(channels, area), times(height, size), times(width, size)],
                Direction::SpaceToDepth => vec![batch.clone(), times(channels, area), parts(height, size), parts(width, size)],
            })))
        })
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let input = inputs.take_tensor(0, "input")?;
        let (split, permutation, shape) = self.plan(input.shape())?;
        if input.is_empty() {
            return Ok(single(Tensor::empty(input.element_type(), &shape)));
        }
        Ok(single(movement::permute(input.reshaped(&split)?, &permutation)?.reshaped(&shape)?))
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

    #[test]
    fn blocks_and_channels_change_places() {
        let deep = || tensor(&[1, 8, 1, 1], &[0_i32, 1, 2, 3, 4, 5, 6, 7]);
        let blocks = |name: &'static str| op(name).int("blocksize", 2);
        let block_first = blocks("DepthToSpace").run1([deep()]);
        assert_tensor(&block_first, &[1, 2, 2, 2], &[0_i32, 2, 4, 6, 1, 3, 5, 7]);
        let block_last = blocks("DepthToSpace").text("mode", "CRD").run1([deep()]);
        assert_tensor(&block_last, &[1, 2, 2, 2], &[0_i32, 1, 2, 3, 4, 5, 6, 7]);
        assert_tensor(&blocks("SpaceToDepth").run1([block_first]), &[1, 8, 1, 1], &deep().into_vec::<i32>().unwrap());
        assert_tensor(&blocks("SpaceToDepth").text("mode", "CRD").run1([block_last]), &[1, 8, 1, 1], &deep().into_vec::<i32>().unwrap());
        assert_strings(&blocks("SpaceToDepth").run1([strings(&[1, 1, 2, 2], &["a", "b", "c", "d"])]), &[1, 4, 1, 1], &["a", "b", "c", "d"]);
        assert_eq!(blocks("DepthToSpace").run1([Tensor::empty(ElementType::F32, &[0, 4, 2, 3])]).shape(), [0, 1, 4, 6]);
    }

    #[test]
    fn what_makes_no_blocks_is_refused() {
        let x = || tensor(&[1, 2, 1, 2], &[0.0_f32; 4]);
        assert_eq!(op("DepthToSpace").int("blocksize", 2).error([x()]), "2 channels do not make blocks of 2 by 2");
        assert_eq!(op("SpaceToDepth").int("blocksize", 2).error([x()]), "an image of 1 by 2 is not made of blocks of 2 by 2");
        assert!(op("SpaceToDepth").int("blocksize", 0).error([x()]).contains("should be at least 1"));
        assert!(op("SpaceToDepth").int("blocksize", i64::MAX).error([x()]).contains("should be at least 1"));
        assert!(op("SpaceToDepth").int("blocksize", 1).error([tensor(&[1], &[0.0_f32])]).contains("[batch, channels, height, width]"));
        assert!(op("DepthToSpace").error([x()]).contains("'blocksize' is missing"));
        assert!(op("DepthToSpace").int("blocksize", 1).text("mode", "RCD").error([x()]).contains("'RCD'"));
    }

    #[test]
    fn dimensions_are_multiplied_and_divided() {
        let infer = |name: &'static str, dims: &str| op(name).int("blocksize", 2).infer([typed::<f32>(dims)]);
        assert_eq!(infer("DepthToSpace", "N, 8, h, 3"), [Some("float32[N, 2, (h * 2), 6]".to_owned())]);
        assert_eq!(infer("SpaceToDepth", "N, 2, 4, w"), [Some("float32[N, 8, 2, ?]".to_owned())]);
    }
}
