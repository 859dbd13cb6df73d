//! GatherND: slices of a tensor, each chosen by a row of indices into its leading axes.

use crate::graph::infer::InferInputs;
use crate::graph::{SymbolicShape, ValueType};
use crate::ops::operator::{Outputs, single};
use crate::ops::shape::normalize_index;
use crate::ops::types::TypeSet;
use crate::ops::{Inputs, NodeContext, OpError, Operator, Placement, RunContext, movement};
use crate::tensor::{Shape, Tensor};

/// <https://onnx.ai/onnx/operators/onnx__GatherND.html>, opsets 11, 12 (`batch_dims`), 13 (element types).
#[derive(Debug)]
struct GatherNd {
    /// Leading axes that data and indices share: row `i` of one only meets row `i` of the other.
    batch_dims: usize,
}

pub fn build(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let batch_dims = context.attributes.int("batch_dims")?.unwrap_or(0);
    let batch_dims =
        usize::try_from(batch_dims).map_err(|_| OpError::value(format!("attribute 'batch_dims' should not be negative, but is {batch_dims}")))?;
    Ok(Box::new(GatherNd { batch_dims }))
}

impl GatherNd {
    /// The axes of the data that a row of indices walks into: those after the shared ones, as many as the row is long.
    fn indexed_axes(&self, data_rank: usize, indices: &[usize]) -> Result<std::ops::Range<usize>, OpError> {
        let fits = |&depth: &usize| self.batch_dims < indices.len() && depth >= 1 && depth <= data_rank.saturating_sub(self.batch_dims);
        let depth = indices.last().copied().filter(fits).ok_or_else(|| {
            OpError::shape(format!(
                "the last dimension of indices of shape {indices:?} should count from 1 to the axes of the data after the first {}; the data has {data_rank} axes",
                self.batch_dims
            ))
        })?;
        Ok(self.batch_dims..self.batch_dims + depth)
    }

    /// Which slice of the data each row of indices picks, counted over the shared and the indexed axes together.
    fn positions(&self, data: &[usize], indexed: std::ops::Range<usize>, indices: &Tensor) -> Result<Vec<usize>, OpError> {
        let dims = &data[indexed.clone()];
        let rows_per_batch: usize = indices.shape()[self.batch_dims..indices.rank() - 1].iter().product();
        let position = |(row, index): (usize, &[i64])| {
            let batch = row / rows_per_batch;
            index.iter().zip(dims).zip(indexed.clone()).try_fold(batch, |position, ((&index, &dim), axis)| {
                let index = normalize_index(index, dim, axis)?;
                Ok(position * dim + index)
            })
        };
        indices.to_i64s()?.chunks_exact(dims.len()).enumerate().map(position).collect()
    }
}

impl Operator for GatherNd {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let Some((element_type, data)) = inputs.tensor(0) else { return Ok(vec![None]) };
        let indices = inputs.tensor(1).and_then(|(_, shape)| shape.dims());
        let shape = match (data.dims(), indices) {
            (Some(data), Some([rows @ .., depth])) => match depth.known() {
                Some(depth) if self.batch_dims + depth <= data.len() => SymbolicShape(Some([rows, &data[self.batch_dims + depth..]].concat())),
                _ => SymbolicShape::unknown(),
            },
            (_, Some([])) => return Err(OpError::shape("the indices of GatherND should have at least one axis")),
            _ => SymbolicShape::unknown(),
        };
        Ok(vec![Some(ValueType::tensor(element_type, shape))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let data = inputs.take_tensor(0, "data")?;
        let indices = inputs.take_tensor(1, "indices")?;
        TypeSet::INDICES.check(&indices, 1, "indices")?;
        let indexed = self.indexed_axes(data.rank(), indices.shape())?;
        if data.shape()[..self.batch_dims] != indices.shape()[..self.batch_dims] {
            return Err(OpError::shape(format!(
                "data of shape {:?} and indices of shape {:?} should agree on their first {} axes",
                data.shape(),
                indices.shape(),
                self.batch_dims
            )));
        }
        let slice = &data.shape()[indexed.end..];
        let shape: Shape = [&indices.shape()[..indices.rank() - 1], slice].concat().into();
        context.check_result_size(data.element_type(), &shape)?;
        if shape.contains(&0) {
            return Ok(single(Tensor::empty(data.element_type(), &shape)));
        }
        let positions = self.positions(data.shape(), indexed.clone(), &indices)?;
        let rows = [data.shape()[..indexed.end].iter().product(), slice.iter().product()];
        let picked = movement::pick(data.reshaped(&rows)?, 0, &positions, context)?;
        Ok(single(picked.reshaped(&shape)?))
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
    fn rows_of_indices_pick_slices() {
        // The examples of the specification.
        let data = || tensor(&[2, 2], &[0_i32, 1, 2, 3]);
        assert_tensor(&op("GatherND").run1([data(), tensor(&[2, 2], &[0_i64, 0, 1, 1])]), &[2], &[0_i32, 3]);
        assert_tensor(&op("GatherND").run1([data(), tensor(&[2, 1], &[1_i64, 0])]), &[2, 2], &[2_i32, 3, 0, 1]);
        let cube = || tensor(&[2, 2, 2], &[0_i32, 1, 2, 3, 4, 5, 6, 7]);
        assert_tensor(&op("GatherND").run1([cube(), tensor(&[2, 1, 2], &[0_i64, 1, 1, 0])]), &[2, 1, 2], &[2_i32, 3, 4, 5]);
        let batched = op("GatherND").int("batch_dims", 1).run1([cube(), tensor(&[2, 1], &[1_i64, 0])]);
        assert_tensor(&batched, &[2, 2], &[2_i32, 3, 4, 5]);
        let words = op("GatherND").run1([strings(&[2, 2], &["a", "b", "c", "d"]), tensor(&[1, 2], &[-1_i64, -2])]);
        assert_strings(&words, &[1], &["c"]);
        let none = op("GatherND").run1([data(), Tensor::empty(ElementType::I64, &[0, 1])]);
        assert_eq!(none.shape(), [0, 2]);
    }

    #[test]
    fn indices_that_do_not_fit_are_refused() {
        let data = || tensor(&[2, 3], &[0_i32; 6]);
        assert_eq!(op("GatherND").error([data(), tensor(&[1, 2], &[0_i64, 3])]), "index 3 is out of range for axis 1, which has 3 elements");
        assert!(op("GatherND").error([data(), tensor(&[1, 3], &[0_i64; 3])]).contains("the data has 2 axes"));
        assert!(op("GatherND").error([data(), tensor(&[], &[0_i64])]).contains("the data has 2 axes"));
        assert!(op("GatherND").int("batch_dims", 2).error([data(), tensor(&[2, 1], &[0_i64; 2])]).contains("after the first 2"));
        let batched = op("GatherND").int("batch_dims", 1);
        assert!(batched.error([data(), tensor(&[3, 1], &[0_i64; 3])]).contains("agree on their first 1 axes"));
        assert!(op("GatherND").int("batch_dims", -1).error([data(), tensor(&[1, 1], &[0_i64])]).contains("should not be negative"));
        assert!(op("GatherND").error([data(), tensor(&[1, 1], &[0.0_f32])]).contains("int32 or int64"));
    }

    #[test]
    fn rows_and_slices_make_the_shape() {
        let case = op("GatherND").int("batch_dims", 1);
        assert_eq!(case.infer([typed::<f32>("N, 5, 6"), typed::<i64>("N, 7, 1")]), [Some("float32[N, 7, 6]".to_owned())]);
    }
}
