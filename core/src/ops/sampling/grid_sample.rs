//! GridSample: a tensor read at the places that a grid names.

use rayon::prelude::*;

use super::interpolation::{Beyond, Filter, Samples};
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::host::{Bool, ElementType};
use crate::ops::operator::{Outputs, single};
use crate::ops::types::{Number, TypeSet, match_number};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::{Shape, Tensor};

/// X is `[N, C, D1…Dr]`, the grid `[N, O1…Or, r]` with coordinates from -1 to 1, the last axis first; the result is `[N, C, O1…Or]`.
///
/// <https://onnx.ai/onnx/operators/onnx__GridSample.html>, opsets 16 (two spatial axes), 20 (any number; modes renamed), 22 (bfloat16).
#[derive(Debug)]
struct GridSample {
    filter: Filter,
    beyond: Beyond,
    /// Whether -1 and 1 are the centres of the first and last elements, or their outer edges.
    align_corners: bool,
}

pub fn build(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let attributes = context.attributes;
    let filter = match attributes.text("mode")?.unwrap_or("linear") {
        "linear" | "bilinear" => Filter::Linear,
        "cubic" | "bicubic" => Filter::Cubic,
        "nearest" => Filter::Nearest,
        other => return Err(OpError::value(format!("attribute 'mode' should be linear, nearest or cubic, but is '{other}'"))),
    };
    let align_corners = attributes.int("align_corners")?.unwrap_or(0) != 0;
    let beyond = match attributes.text("padding_mode")?.unwrap_or("zeros") {
        "zeros" => Beyond::Zeros,
        "border" => Beyond::Border,
        "reflection" if align_corners => Beyond::ReflectElements,
        "reflection" => Beyond::ReflectEdges,
        other => return Err(OpError::value(format!("attribute 'padding_mode' should be zeros, border or reflection, but is '{other}'"))),
    };
    Ok(Box::new(GridSample { filter, beyond, align_corners }))
}

/// More spatial axes than this have no use, and many neighbours each.
const MOST_AXES: usize = 4;

/// Places that are worked out together: enough to share among threads, few enough to stay in a cache.
const BLOCK: usize = 1 << 14;

impl GridSample {
    /// Coordinates as places in the tensor, computed in the grid's own type. The grid is in reverse order of the axes.
    fn places<G: Number>(&self, grid: &Tensor, dims: &[usize]) -> Result<Vec<f64>, OpError> {
        let two = G::ONE.plus(G::ONE);
        let half = |value: G| value.divided_by(two).unwrap_or(value);
        let place = |coordinate: G, dim: usize| {
            let length = G::from_f64(dim as f64);
            let place = if self.align_corners {
                half(coordinate.plus(G::ONE)).times(length.minus(G::ONE))
            } else {
                half(coordinate.plus(G::ONE).times(length).minus(G::ONE))
            };
            place.to_f64()
        };
        let grid = grid.as_slice::<G>()?;
        Ok(grid.chunks_exact(dims.len()).flat_map(|point| point.iter().rev().zip(dims).map(|(&c, &dim)| place(c, dim))).collect())
    }

    fn sample<T: Number>(&self, elements: &[T], places: &[f64], shape: &[usize], dims: &[usize]) -> Vec<T> {
        let n_channels = shape[1];
        let (n_elements, n_places): (usize, usize) = (dims.iter().product(), shape[2..].iter().product());
        let mut result = vec![T::ZERO; shape.iter().product()];
        let images = elements.chunks_exact(n_channels * n_elements).zip(places.chunks_exact(n_places * dims.len()));
        for (result, (image, places)) in result.chunks_exact_mut(n_channels * n_places).zip(images) {
            for (block, places) in places.chunks(BLOCK * dims.len()).enumerate() {
                let samples = Samples::<T>::new(places, dims, self.filter, self.beyond);
                let n_places_here = places.len() / dims.len();
                let read = |(result, channel): (&mut [T], &[T])| samples.read(channel, &mut result[block * BLOCK..][..n_places_here]);
                result.par_chunks_exact_mut(n_places).zip(image.par_chunks_exact(n_elements)).for_each(read);
            }
        }
        result
    }

    /// In float32 for float32, in float64 for everything else. What is not quite false is true.
    fn sample_tensor(&self, x: &Tensor, places: &[f64], shape: &[usize]) -> Result<Tensor, OpError> {
        let dims = &x.shape()[2..];
        let element_type = x.element_type();
        if element_type == ElementType::F32 {
            return Ok(Tensor::from_vec(shape, self.sample(&x.as_slice::<f32>()?, places, shape, dims))?);
        }
        if element_type == ElementType::Bool {
            let elements: Vec<f64> = x.as_slice::<Bool>()?.iter().map(|element| f64::from(u8::from(element.get()))).collect();
            let sampled = self.sample(&elements, places, shape, dims);
            return Ok(Tensor::from_vec(shape, sampled.into_iter().map(|element| Bool::new(element != 0.0)).collect())?);
        }
        match_number!(element_type, T => {
            let elements: Vec<f64> = x.as_slice::<T>()?.iter().map(|element| element.to_f64()).collect();
            let sampled = self.sample(&elements, places, shape, dims);
            Ok(Tensor::from_vec(shape, sampled.into_iter().map(T::from_f64).collect())?)
        }, else Err(OpError::unsupported(format!("GridSample of {element_type}"))))
    }
}

impl Operator for GridSample {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let Some((element_type, x)) = inputs.tensor(0) else { return Ok(vec![None]) };
        let grid = inputs.tensor(1).and_then(|(_, shape)| shape.dims());
        let shape = match (x.dims(), grid) {
            (Some([batch, channels, ..]), Some([_, places @ .., _])) => {
                SymbolicShape(Some([batch.clone(), channels.clone()].into_iter().chain(places.iter().cloned()).collect()))
            }
            (Some([batch, channels, spatial @ ..]), _) => {
                let unknown = spatial.iter().map(|_| Dimension::Unknown);
                SymbolicShape(Some([batch.clone(), channels.clone()].into_iter().chain(unknown).collect()))
            }
            _ => SymbolicShape::unknown(),
        };
        Ok(vec![Some(ValueType::tensor(element_type, shape))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "X")?;
        let grid = inputs.take_tensor(1, "grid")?;
        TypeSet::FLOATS.check(&grid, 1, "grid")?;
        let n_axes = x.rank().saturating_sub(2);
        if n_axes > MOST_AXES {
            return Err(OpError::unsupported(format!("GridSample over {n_axes} spatial axes")));
        }
        let fits = n_axes > 0 && grid.rank() == x.rank() && grid.shape()[0] == x.shape()[0] && grid.shape()[n_axes + 1] == n_axes;
        if !fits {
            return Err(OpError::shape(format!(
                "X of shape {:?} should be [batch, channels, …] with spatial axes, and the grid of shape {:?} should have its rank and batch, and one coordinate for each spatial axis",
                x.shape(),
                grid.shape()
            )));
        }
        let shape: Shape = x.shape()[..2].iter().chain(&grid.shape()[1..=n_axes]).copied().collect();
        let element_type = x.element_type();
        context.check_result_size(element_type, &shape)?;
        if shape.contains(&0) {
            return Ok(single(Tensor::empty(element_type, &shape)));
        }
        if x.is_empty() {
            return Err(OpError::shape(format!("X of shape {:?} has no elements to sample", x.shape())));
        }
        let grid_type = grid.element_type();
        let places = match_number!(grid_type, G => self.places::<G>(&grid, &x.shape()[2..])?,
            else return Err(OpError::unsupported(format!("a grid of {grid_type}"))));
        Ok(single(self.sample_tensor(&x, &places, &shape)?))
    }
}
