//! RoiAlign and MaxRoiPool: boxes of any size in a feature map, pooled to one size.

use half::{bf16, f16};
use rayon::prelude::*;

use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::host::ElementType;
use crate::ops::operator::{Outputs, single};
use crate::ops::types::{Number, TypeSet, check_same_type};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::{Shape, Tensor};

/// `[height, width]` of a pooled region.
type PooledSize = [usize; 2];

fn pooled_size(sizes: &[i64]) -> Result<PooledSize, OpError> {
    match sizes.iter().map(|&size| usize::try_from(size).ok().filter(|&size| size > 0)).collect::<Option<Vec<_>>>().as_deref() {
        Some(&[height, width]) => Ok([height, width]),
        _ => Err(OpError::value(format!("a region should be pooled to a height and width of at least 1, but these are {sizes:?}"))),
    }
}

/// `[regions, channels, height, width]`.
fn infer_pooled(inputs: &InferInputs<'_>, pooled: PooledSize) -> Vec<Option<ValueType>> {
    let Some((element_type, x)) = inputs.tensor(0) else { return vec![None] };
    let dim = |index: usize, axis: usize| {
        let dims = inputs.tensor(index).and_then(|(_, shape)| shape.dims());
        dims.and_then(|dims| dims.get(axis)).cloned().unwrap_or(Dimension::Unknown)
    };
    let channels = x.dims().and_then(|dims| dims.get(1)).cloned().unwrap_or(Dimension::Unknown);
    let dims = vec![dim(1, 0), channels, Dimension::Known(pooled[0]), Dimension::Known(pooled[1])];
    vec![Some(ValueType::tensor(element_type, SymbolicShape(Some(dims))))]
}

/// Refuses what is no feature map, or no list of regions of `n_numbers` each; returns the shape of the result.
fn check_inputs(x: &Tensor, rois: &Tensor, n_numbers: usize, pooled: PooledSize) -> Result<Shape, OpError> {
    TypeSet::FLOATS.check(x, 0, "X")?;
    check_same_type(x, rois)?;
    if x.rank() != 4 || rois.rank() != 2 || rois.shape()[1] != n_numbers {
        return Err(OpError::shape(format!(
            "X of shape {:?} should be [batch, channels, height, width], and rois of shape {:?} should be [regions, {n_numbers}]",
            x.shape(),
            rois.shape()
        )));
    }
    Ok(Shape::from_slice(&[rois.shape()[0], x.shape()[1], pooled[0], pooled[1]]))
}

/// A feature map and regions in one of the types that are computed in.
struct Regions<T> {
    features: Vec<T>,
    rois: Vec<T>,
}

/// Pools regions in float64 if they are given so, else in float32, which the shorter types are widened to.
fn in_computed_type(
    x: &Tensor,
    rois: &Tensor,
    shape: &[usize],
    in_f32: impl FnOnce(Regions<f32>) -> Result<Vec<f32>, OpError>,
    in_f64: impl FnOnce(Regions<f64>) -> Result<Vec<f64>, OpError>,
) -> Result<Outputs, OpError> {
    if x.element_type() == ElementType::F64 {
        let regions = Regions { features: x.as_slice::<f64>()?.into_owned(), rois: rois.as_slice::<f64>()?.into_owned() };
        return Ok(single(Tensor::from_vec(shape, in_f64(regions)?)?));
    }
    let pooled = in_f32(Regions { features: x.to_f32s()?, rois: rois.to_f32s()? })?;
    Ok(single(match x.element_type() {
        ElementType::F16 => Tensor::from_vec(shape, pooled.into_iter().map(f16::from_f32).collect())?,
        ElementType::Bf16 => Tensor::from_vec(shape, pooled.into_iter().map(bf16::from_f32).collect())?,
        _ => Tensor::from_vec(shape, pooled)?,
    }))
}

/// Each region is cut into bins, and each bin sampled at a grid of points between the elements.
///
/// <https://onnx.ai/onnx/operators/onnx__RoiAlign.html>, opsets 10, 16 (`coordinate_transformation_mode`), 22 (bfloat16).
#[derive(Debug)]
struct RoiAlign {
    pooled: PooledSize,
    /// Points per bin and axis; 0 = as many as the bin has elements.
    sampling_ratio: usize,
    spatial_scale: f32,
    /// Coordinates are those of edges rather than of the centres of elements.
    is_half_pixel: bool,
    is_maximum: bool,
}

pub fn build_roi_align(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let attributes = context.attributes;
    let is_maximum = match attributes.text("mode")?.unwrap_or("avg") {
        "avg" => false,
        "max" => true,
        other => return Err(OpError::value(format!("attribute 'mode' should be avg or max, but is '{other}'"))),
    };
    let default = if context.opset < 16 { "output_half_pixel" } else { "half_pixel" };
    let is_half_pixel = match attributes.text("coordinate_transformation_mode")?.unwrap_or(default) {
        "half_pixel" => true,
        "output_half_pixel" => false,
        other => {
            let expected = "attribute 'coordinate_transformation_mode' should be half_pixel or output_half_pixel";
            return Err(OpError::value(format!("{expected}, but is '{other}'")));
        }
    };
    let ratio = attributes.int("sampling_ratio")?.unwrap_or(0);
    let sampling_ratio =
        usize::try_from(ratio).map_err(|_| OpError::value(format!("attribute 'sampling_ratio' should not be negative, but is {ratio}")))?;
    let size = [attributes.int("output_height")?.unwrap_or(1), attributes.int("output_width")?.unwrap_or(1)];
    let spatial_scale = attributes.float("spatial_scale")?.unwrap_or(1.0);
    Ok(Box::new(RoiAlign { pooled: pooled_size(&size)?, sampling_ratio, spatial_scale, is_half_pixel, is_maximum }))
}

/// One axis of a region: its bins, and the points in each.
struct AxisBins<T> {
    start: T,
    bin: T,
    n_points: usize,
}

impl<T: Number> AxisBins<T> {
    /// Where point `index` of a bin lies between two elements; `None` outside the axis.
    fn place(&self, bin: usize, index: usize, dim: usize) -> Option<(usize, usize, T)> {
        let number = |value: usize| T::from_f64(value as f64);
        let half = T::from_f64(0.5);
        let within = number(index).plus(half).times(self.bin).divided_by(number(self.n_points))?;
        let place = self.start.plus(number(bin).times(self.bin)).plus(within);
        let is_inside = place >= T::ZERO.minus(T::ONE) && place <= number(dim);
        if !is_inside {
            return None;
        }
        let place = if place > T::ZERO { place } else { T::ZERO };
        // The place is not negative, and at most the length of the axis.
        let low = place.to_f64() as usize;
        if low >= dim - 1 { Some((dim - 1, dim - 1, T::ZERO)) } else { Some((low, low + 1, place.minus(number(low)))) }
    }
}

/// Four elements and their weights.
type Point<T> = [(usize, T); 4];

impl RoiAlign {
    fn axis<T: Number>(&self, start: T, end: T, n_bins: usize) -> AxisBins<T> {
        let offset = T::from_f64(if self.is_half_pixel { 0.5 } else { 0.0 });
        let scaled = |place: T| place.times(T::from_f64(f64::from(self.spatial_scale))).minus(offset);
        let start = scaled(start);
        let mut length = scaled(end).minus(start);
        if !self.is_half_pixel {
            length = length.larger(T::ONE);
        }
        let bin = length.divided_by(T::from_f64(n_bins as f64)).unwrap_or(length);
        // The cast makes 0 of what is negative or no number.
        let n_points = if self.sampling_ratio > 0 { self.sampling_ratio } else { bin.to_f64().ceil() as usize };
        AxisBins { start, bin, n_points }
    }

    /// The points of all bins of a region, bin after bin.
    fn points<T: Number>(&self, rows: &AxisBins<T>, columns: &AxisBins<T>, [height, width]: [usize; 2]) -> Vec<Point<T>> {
        let [n_rows, n_columns] = self.pooled;
        let mut points = Vec::with_capacity(n_rows * n_columns * rows.n_points * columns.n_points);
        for (bin_row, bin_column) in (0..n_rows).flat_map(|row| (0..n_columns).map(move |column| (row, column))) {
            for (row, column) in (0..rows.n_points).flat_map(|row| (0..columns.n_points).map(move |column| (row, column))) {
                let point = rows.place(bin_row, row, height).zip(columns.place(bin_column, column, width));
                points.push(point.map_or([(0, T::ZERO); 4], |((top, bottom, down), (left, right, across))| {
                    let (up, back) = (T::ONE.minus(down), T::ONE.minus(across));
                    [
                        (top * width + left, up.times(back)),
                        (top * width + right, up.times(across)),
                        (bottom * width + left, down.times(back)),
                        (bottom * width + right, down.times(across)),
                    ]
                }));
            }
        }
        points
    }

    fn pool_bin<T: Number>(&self, channel: &[T], points: &[Point<T>]) -> T {
        // A point outside the map has no weights at all, so that nothing is read for it.
        let weighed = |&(element, weight): &(usize, T)| if weight == T::ZERO { T::ZERO } else { channel[element].times(weight) };
        if self.is_maximum {
            let largest = |point: &Point<T>| point.iter().map(weighed).reduce(T::larger);
            return points.iter().filter_map(largest).reduce(T::larger).unwrap_or(T::ZERO);
        }
        let sum = points.iter().flatten().map(weighed).fold(T::ZERO, T::plus);
        sum.divided_by(T::from_f64(points.len().max(1) as f64)).unwrap_or(sum)
    }

    fn pool<T: Number>(&self, regions: &Regions<T>, x: &[usize], images: &[usize], context: &RunContext<'_>) -> Result<Vec<T>, OpError> {
        let (n_channels, map) = (x[1], [x[2], x[3]]);
        let n_elements = map[0] * map[1];
        let n_bins = self.pooled[0] * self.pooled[1];
        let mut result = vec![T::ZERO; images.len() * n_channels * n_bins];
        for ((&image, roi), result) in images.iter().zip(regions.rois.chunks_exact(4)).zip(result.chunks_exact_mut(n_channels * n_bins)) {
            let columns = self.axis(roi[0], roi[2], self.pooled[1]);
            let rows = self.axis(roi[1], roi[3], self.pooled[0]);
            // Four elements and weights for each point.
            context.check_result_size(ElementType::F64, &[8, n_bins, rows.n_points, columns.n_points])?;
            let points = self.points(&rows, &columns, map);
            let per_bin = rows.n_points * columns.n_points;
            let image = &regions.features[image * n_channels * n_elements..][..n_channels * n_elements];
            result.par_chunks_exact_mut(n_bins).zip(image.par_chunks_exact(n_elements)).for_each(|(result, channel)| {
                for (bin, result) in result.iter_mut().enumerate() {
                    *result = self.pool_bin(channel, &points[bin * per_bin..][..per_bin]);
                }
            });
        }
        Ok(result)
    }
}

impl Operator for RoiAlign {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(infer_pooled(inputs, self.pooled))
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "X")?;
        let rois = inputs.take_tensor(1, "rois")?;
        let images = inputs.take_tensor(2, "batch_indices")?;
        TypeSet::INDICES.check(&images, 2, "batch_indices")?;
        let shape = check_inputs(&x, &rois, 4, self.pooled)?;
        context.check_result_size(x.element_type(), &shape)?;
        if images.shape() != [rois.shape()[0]] {
            return Err(OpError::shape(format!(
                "batch_indices of shape {:?} should hold one image for each of {} regions",
                images.shape(),
                rois.shape()[0]
            )));
        }
        let n_images = x.shape()[0];
        let in_batch = |&image: &i64| usize::try_from(image).ok().filter(|&image| image < n_images);
        let images: Option<Vec<usize>> = images.to_i64s()?.iter().map(in_batch).collect();
        let images = images.ok_or_else(|| OpError::value(format!("batch_indices should count from 0 to below {n_images}, the number of images")))?;
        if shape.contains(&0) {
            return Ok(single(Tensor::empty(x.element_type(), &shape)));
        }
        if x.is_empty() {
            return Err(OpError::shape(format!("X of shape {:?} has no elements to pool", x.shape())));
        }
        let in_f32 = |regions: Regions<f32>| self.pool(&regions, x.shape(), &images, context);
        let in_f64 = |regions: Regions<f64>| self.pool(&regions, x.shape(), &images, context);
        in_computed_type(&x, &rois, &shape, in_f32, in_f64)
    }
}

/// Each region is rounded to whole elements and cut into bins, whose largest elements are kept; 0 for a bin outside the map.
///
/// <https://onnx.ai/onnx/operators/onnx__MaxRoiPool.html>, opsets 1, 22 (bfloat16).
#[derive(Debug)]
struct MaxRoiPool {
    pooled: PooledSize,
    spatial_scale: f32,
}

pub fn build_max_roi_pool(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let pooled = pooled_size(context.attributes.require_ints("pooled_shape")?)?;
    Ok(Box::new(MaxRoiPool { pooled, spatial_scale: context.attributes.float("spatial_scale")?.unwrap_or(1.0) }))
}

impl MaxRoiPool {
    /// The elements of an axis that each bin covers.
    fn bins<T: Number>(&self, start: T, end: T, n_bins: usize, dim: usize) -> Vec<std::ops::Range<usize>> {
        // Casts saturate far outside any map.
        let rounded = |place: T| place.times(T::from_f64(f64::from(self.spatial_scale))).to_f64().round() as i64;
        let (start, end) = (rounded(start), rounded(end));
        let length = end.saturating_sub(start).saturating_add(1).max(1);
        let bin = length as f32 / n_bins as f32;
        let clamp = |place: f32| usize::try_from(start.saturating_add(place as i64)).unwrap_or(0).min(dim);
        (0..n_bins)
            .map(|index| {
                let first = clamp((index as f32 * bin).floor());
                first..clamp(((index + 1) as f32 * bin).ceil()).max(first)
            })
            .collect()
    }

    fn pool<T: Number>(&self, regions: &Regions<T>, x: &[usize]) -> Result<Vec<T>, OpError> {
        let &[n_images, n_channels, height, width] = x else { return Err(OpError::shape("the feature map should have four axes")) };
        let n_elements = height * width;
        let mut result = Vec::with_capacity(regions.rois.len() / 5 * n_channels * self.pooled[0] * self.pooled[1]);
        for roi in regions.rois.chunks_exact(5) {
            let image = Some(roi[0].to_f64()).filter(|image| (0.0..n_images as f64).contains(image));
            let image = image.ok_or_else(|| OpError::value(format!("a region is of image {:?}, but there are {n_images}", roi[0])))? as usize;
            let columns = self.bins(roi[1], roi[3], self.pooled[1], width);
            let rows = self.bins(roi[2], roi[4], self.pooled[0], height);
            for channel in regions.features[image * n_channels * n_elements..][..n_channels * n_elements].chunks_exact(n_elements) {
                for (rows, columns) in rows.iter().flat_map(|rows| columns.iter().map(move |columns| (rows, columns))) {
                    let elements = rows.clone().flat_map(|row| channel[row * width..][columns.clone()].iter().copied());
                    result.push(elements.reduce(T::larger).unwrap_or(T::ZERO));
                }
            }
        }
        Ok(result)
    }
}

impl Operator for MaxRoiPool {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(infer_pooled(inputs, self.pooled))
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "X")?;
        let rois = inputs.take_tensor(1, "rois")?;
        let shape = check_inputs(&x, &rois, 5, self.pooled)?;
        context.check_result_size(x.element_type(), &shape)?;
        if shape.contains(&0) {
            return Ok(single(Tensor::empty(x.element_type(), &shape)));
        }
        if x.is_empty() {
            return Err(OpError::shape(format!("X of shape {:?} has no elements to pool", x.shape())));
        }
        in_computed_type(&x, &rois, &shape, |regions| self.pool(&regions, x.shape()), |regions| self.pool(&regions, x.shape()))
    }
}
