//! AffineGrid: the grid with which GridSample transforms images by matrices.

use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::ops::integers::Integers;
use crate::ops::operator::{Outputs, single};
use crate::ops::shape::to_shape;
use crate::ops::types::{Number, TypeSet, match_number};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::{Shape, Tensor};

/// theta is `[N, 2, 3]` or `[N, 3, 4]`, the size `[N, C, H, W]` or `[N, C, D, H, W]`, the result `[N, H, W, 2]` or `[N, D, H, W, 3]`.
///
/// <https://onnx.ai/onnx/operators/onnx__AffineGrid.html>, opset 20.
#[derive(Debug)]
struct AffineGrid {
    size: Integers,
    /// Whether -1 and 1 are the centres of the first and last elements, or their outer edges.
    align_corners: bool,
}

pub fn build(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let align_corners = context.attributes.int("align_corners")?.unwrap_or(0) != 0;
    Ok(Box::new(AffineGrid { size: Integers::from_input(context, 1, "size")?, align_corners }))
}

impl AffineGrid {
    /// Coordinates of the elements of an axis.
    fn coordinates(&self, dim: usize) -> Vec<f64> {
        let n = dim as f64;
        let coordinate = |at: usize| match (self.align_corners, dim) {
            (true, 1) => -1.0,
            (true, _) => -1.0 + 2.0 * at as f64 / (n - 1.0),
            (false, _) => -1.0 + (2.0 * at as f64 + 1.0) / n,
        };
        (0..dim).map(coordinate).collect()
    }

    /// Transforms the coordinates of every element, the last axis first: `theta · (x, y, 1)`.
    fn transform<T: Number>(&self, theta: &Tensor, dims: &[usize], shape: &[usize]) -> Result<Tensor, OpError> {
        let rank = dims.len();
        let theta: Vec<f64> = theta.as_slice::<T>()?.iter().map(|element| element.to_f64()).collect();
        let axes: Vec<Vec<f64>> = dims.iter().map(|&dim| self.coordinates(dim)).collect();
        let n_points: usize = dims.iter().product();
        let mut grid = Vec::with_capacity(shape.iter().product());
        let mut point = vec![0.0; rank];
        for matrix in theta.chunks_exact(rank * (rank + 1)) {
            for at in 0..n_points {
                let mut left = at;
                for (coordinate, axis) in point.iter_mut().zip(axes.iter().rev()) {
                    *coordinate = axis[left % axis.len()];
                    left /= axis.len();
                }
                for row in matrix.chunks_exact(rank + 1) {
                    let moved: f64 = row.iter().zip(&point).map(|(factor, coordinate)| factor * coordinate).sum();
                    grid.push(T::from_f64(moved + row[rank]));
                }
            }
        }
        Ok(Tensor::from_vec(shape, grid)?)
    }
}

impl Operator for AffineGrid {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let Some((element_type, theta)) = inputs.tensor(0) else { return Ok(vec![None]) };
        let rank = theta.dims().and_then(|dims| dims.get(1)?.known());
        let dims = match self.size.inferred(inputs).flatten() {
            Some(size) if size.len() > 2 => {
                let spatial = size[2..].iter().map(|&dim| usize::try_from(dim).map_or(Dimension::Unknown, Dimension::Known));
                let batch = usize::try_from(size[0]).map_or(Dimension::Unknown, Dimension::Known);
                Some(std::iter::once(batch).chain(spatial).chain([Dimension::Known(size.len() - 2)]).collect())
            }
            _ => rank.filter(|rank| matches!(rank, 2 | 3)).map(|rank| {
                let batch = theta.dims().map_or(Dimension::Unknown, |dims| dims[0].clone());
                std::iter::once(batch).chain(vec![Dimension::Unknown; rank]).chain([Dimension::Known(rank)]).collect()
            }),
        };
        Ok(vec![Some(ValueType::tensor(element_type, SymbolicShape(dims)))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let theta = inputs.take_tensor(0, "theta")?;
        let size = self.size.require(&mut inputs, 1, "size")?;
        TypeSet::FLOATS.check(&theta, 0, "theta")?;
        let size = to_shape(&size)?;
        let dims = size.get(2..).unwrap_or_default();
        let fits = matches!(dims.len(), 2 | 3) && theta.shape() == [size[0], dims.len(), dims.len() + 1];
        if !fits {
            return Err(OpError::shape(format!(
                "theta of shape {:?} and the size {size:?} should be [N, 2, 3] and [N, C, H, W], or [N, 3, 4] and [N, C, D, H, W]",
                theta.shape()
            )));
        }
        let shape: Shape = std::iter::once(size[0]).chain(dims.iter().copied()).chain([dims.len()]).collect();
        let element_type = theta.element_type();
        context.check_result_size(element_type, &shape)?;
        if shape.contains(&0) {
            return Ok(single(Tensor::empty(element_type, &shape)));
        }
        let grid = match_number!(element_type, T => self.transform::<T>(&theta, dims, &shape),
            else Err(OpError::unsupported(format!("AffineGrid of {element_type}"))));
        Ok(single(grid?))
    }
}
