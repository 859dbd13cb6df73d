//! What Hardmax, Softmax and LogSoftmax compare with each other: the elements along an axis, which before opset 13 was all axes from one on.

use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::ops::{NodeContext, OpError, shape};

#[derive(Debug)]
pub struct Classes {
    axis: i64,
    /// Before opset 13: the axes from `axis` on are one, those before it another.
    pub flattens: bool,
}

impl Classes {
    pub fn of(node: &NodeContext<'_>) -> Result<Self, OpError> {
        let flattens = node.opset < 13;
        Ok(Self { axis: node.attributes.int("axis")?.unwrap_or(if flattens { 1 } else { -1 }), flattens })
    }

    /// The result is like the input, which has the axis.
    pub fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        if let Some(rank) = inputs.tensor(0).and_then(|(_, shape)| shape.rank()) {
            self.axis(rank)?;
        }
        Ok(vec![shape::same_as(inputs, 0)])
    }

    pub fn axis(&self, rank: usize) -> Result<usize, OpError> {
        shape::normalize_axis(self.axis, rank)
    }

    /// How many groups of classes there are one after the other, how many classes, and how many groups lie side by side, in a tensor that has
    /// elements.
    pub fn sizes(&self, dims: &[usize]) -> Result<[usize; 3], OpError> {
        let axis = self.axis(dims.len())?;
        let (n_before, behind) = (dims[..axis].iter().product(), &dims[axis + 1..]);
        let n_behind = behind.iter().product::<usize>();
        Ok(if self.flattens { [n_before, dims[axis] * n_behind, 1] } else { [n_before, dims[axis], n_behind] })
    }
}
