//! Resizing in host memory, one axis after the other.

use rayon::prelude::*;

use super::geometry::AxisPlan;
use crate::host::{Element, ElementType};
use crate::ops::types::{Number, match_element, match_number};
use crate::ops::{OpError, RunContext, movement};
use crate::tensor::{Shape, Tensor};

/// What weights worked out in float32 may lose, as a share of the number, and at most.
const NEARLY: (f64, f64) = (4.0 * f32::EPSILON as f64, 1e-3);

/// Below this many elements, sharing the work among threads costs more than it saves.
const PARALLEL_ELEMENTS: usize = 1 << 15;

/// The axes that change, in the order in which the least is to be computed: those that shrink most first, and of equal ones the later first, because
/// then the earlier ones are resized by whole rows.
pub fn in_order(plans: &[AxisPlan]) -> Vec<usize> {
    let mut axes: Vec<usize> = (0..plans.len()).rev().filter(|&axis| !plans[axis].is_identity()).collect();
    let growth = |axis: usize| plans[axis].output as f64 / plans[axis].input as f64;
    axes.sort_by(|&left, &right| growth(left).total_cmp(&growth(right)));
    axes
}

/// Nearest neighbours, for every element type.
pub fn pick(input: Tensor, plans: &[AxisPlan], outside: f32, context: &RunContext<'_>) -> Result<Tensor, OpError> {
    let element_type = input.element_type();
    if element_type == ElementType::String || !input.is_on_host() {
        if plans.iter().any(|plan| !plan.outside.is_empty()) {
            return Err(OpError::unsupported(format!("extrapolating {element_type}")));
        }
        return in_order(plans).into_iter().try_fold(input, |input, axis| movement::pick(input, axis, &plans[axis].indices, context));
    }
    match_element!(element_type, T => pick_elements::<T>(input, plans, element_from(element_type, outside)?), else Err(unsupported(element_type)))
}

fn unsupported(element_type: ElementType) -> OpError {
    OpError::unsupported(format!("Resize of {element_type}"))
}

/// The extrapolation value as an element.
fn element_from<T: Element>(element_type: ElementType, value: f32) -> Result<T, OpError> {
    let scalar = if element_type == ElementType::Bool {
        Tensor::scalar(crate::host::Bool::new(value != 0.0))
    } else {
        match_number!(element_type, N => Tensor::scalar(N::from_f64(f64::from(value))), else return Err(unsupported(element_type)))
    };
    Ok(scalar.as_slice::<T>()?[0])
}

fn pick_elements<T: Element>(input: Tensor, plans: &[AxisPlan], outside: T) -> Result<Tensor, OpError> {
    let mut shape = Shape::from_slice(input.shape());
    let mut elements = input.into_vec::<T>()?;
    for axis in in_order(plans) {
        let plan = &plans[axis];
        let pass = Pass::new(&mut shape, axis, plan);
        elements = pass.run(&elements, outside, |source, first, rows| {
            let indices = &plan.indices[first..];
            if pass.inner == 1 {
                for (element, &index) in rows.iter_mut().zip(indices) {
                    *element = source[index];
                }
            } else {
                for (row, &index) in rows.chunks_exact_mut(pass.inner).zip(indices) {
                    row.copy_from_slice(&source[index * pass.inner..][..pass.inner]);
                }
            }
        });
    }
    Ok(Tensor::from_vec(&shape, elements)?)
}

/// Weighted sums. `rounds`: whether integers are rounded to the nearest rather than truncated.
pub fn blend(input: Tensor, plans: &[AxisPlan], outside: f32, rounds: bool) -> Result<Tensor, OpError> {
    let element_type = input.element_type();
    match element_type {
        ElementType::F32 => {
            let mut shape = Shape::from_slice(input.shape());
            let blended = blend_elements(input.into_vec::<f32>()?, &mut shape, plans, outside);
            Ok(Tensor::from_vec(&shape, blended)?)
        }
        _ => match_number!(element_type, T => blend_as_float64::<T>(&input, plans, outside, rounds), else Err(unsupported(element_type))),
    }
}

fn blend_as_float64<T: Number>(input: &Tensor, plans: &[AxisPlan], outside: f32, rounds: bool) -> Result<Tensor, OpError> {
    let mut shape = Shape::from_slice(input.shape());
    let elements: Vec<f64> = input.as_slice::<T>()?.iter().map(|element| element.to_f64()).collect();
    let blended = blend_elements(elements, &mut shape, plans, f64::from(outside));
    let is_int = T::ELEMENT_TYPE.is_int();
    let whole_if_nearly = |sum: f64| if is_int && (sum - sum.round()).abs() <= (sum.abs() * NEARLY.0).min(NEARLY.1) { sum.round() } else { sum };
    let is_small = is_int && T::ELEMENT_TYPE.bits().is_some_and(|bits| bits <= 16);
    let convert = |sum: f64| {
        // What is a whole number but for its last digits is not truncated to the one below.
        let sum = if is_small { f64::from(sum as f32) } else { whole_if_nearly(sum) };
        T::from_f64(if rounds && is_int { sum.round() } else { sum })
    };
    Ok(Tensor::from_vec(&shape, blended.into_iter().map(convert).collect())?)
}

fn blend_elements<T: Number>(mut elements: Vec<T>, shape: &mut Shape, plans: &[AxisPlan], outside: T) -> Vec<T> {
    for axis in in_order(plans) {
        let plan = &plans[axis];
        let weights: Vec<T> = plan.weights.iter().map(|&weight| T::from_f64(weight)).collect();
        let pass = Pass::new(shape, axis, plan);
        elements = pass.run(&elements, outside, |source, first, rows| {
            let (indices, weights) = (&plan.indices[first * plan.n_taps..], &weights[first * plan.n_taps..]);
            if pass.inner == 1 {
                blend_row(source, rows, plan.n_taps, indices, weights);
            } else {
                let taps = indices.chunks_exact(plan.n_taps).zip(weights.chunks_exact(plan.n_taps));
                for (row, (indices, weights)) in rows.chunks_exact_mut(pass.inner).zip(taps) {
                    blend_rows(source, row, indices, weights);
                }
            }
        });
    }
    elements
}

/// Each element of a row is a sum of elements of another.
fn blend_row<T: Number>(source: &[T], row: &mut [T], n_taps: usize, indices: &[usize], weights: &[T]) {
    if n_taps == 2 {
        for ((element, indices), weights) in row.iter_mut().zip(indices.as_chunks::<2>().0).zip(weights.as_chunks::<2>().0) {
            *element = source[indices[0]].times(weights[0]).plus(source[indices[1]].times(weights[1]));
        }
        return;
    }
    for (element, (indices, weights)) in row.iter_mut().zip(indices.chunks_exact(n_taps).zip(weights.chunks_exact(n_taps))) {
        *element = indices.iter().zip(weights).fold(T::ZERO, |sum, (&index, &weight)| sum.plus(source[index].times(weight)));
    }
}

/// A row is a sum of whole rows.
fn blend_rows<T: Number>(source: &[T], row: &mut [T], indices: &[usize], weights: &[T]) {
    let n = row.len();
    let source_row = |index: usize| &source[index * n..][..n];
    if let (&[first, second], &[first_weight, second_weight]) = (indices, weights) {
        for ((element, &first), &second) in row.iter_mut().zip(source_row(first)).zip(source_row(second)) {
            *element = first.times(first_weight).plus(second.times(second_weight));
        }
        return;
    }
    row.fill(T::ZERO);
    for (&index, &weight) in indices.iter().zip(weights) {
        for (element, &source) in row.iter_mut().zip(source_row(index)) {
            *element = element.plus(source.times(weight));
        }
    }
}

/// One axis of a tensor `[outer, axis, inner]`.
struct Pass<'a> {
    plan: &'a AxisPlan,
    outer: usize,
    inner: usize,
}

impl<'a> Pass<'a> {
    /// Changes `shape` to that of the result.
    fn new(shape: &mut Shape, axis: usize, plan: &'a AxisPlan) -> Self {
        let pass = Self { plan, outer: shape[..axis].iter().product(), inner: shape[axis + 1..].iter().product() };
        shape[axis] = plan.output;
        pass
    }

    /// Calls `fill` with blocks of `[axis, inner]` of the source and some whole rows of the result that come from each: their first and their elements.
    fn run<T: Copy + Send + Sync + bytemuck::Zeroable>(&self, source: &[T], outside: T, fill: impl Fn(&[T], usize, &mut [T]) + Sync) -> Vec<T> {
        let (source_block, block) = (self.plan.input * self.inner, self.plan.output * self.inner);
        let mut result = vec![T::zeroed(); self.outer * block];
        let fill = |source: &[T], first: usize, rows: &mut [T]| {
            fill(source, first, rows);
            let is_outside = self.plan.outside.iter().skip(first);
            for (row, _) in rows.chunks_exact_mut(self.inner).zip(is_outside).filter(|(_, is_outside)| **is_outside) {
                row.fill(outside);
            }
        };
        if result.len() < PARALLEL_ELEMENTS {
            source.chunks_exact(source_block).zip(result.chunks_exact_mut(block)).for_each(|(source, rows)| fill(source, 0, rows));
            return result;
        }
        // One large plane is shared among threads as well as many small ones.
        let n_rows = (PARALLEL_ELEMENTS / self.inner).clamp(1, self.plan.output);
        source.par_chunks_exact(source_block).zip(result.par_chunks_exact_mut(block)).for_each(|(source, rows)| {
            rows.par_chunks_mut(n_rows * self.inner).enumerate().for_each(|(chunk, rows)| fill(source, chunk * n_rows, rows));
        });
        result
    }
}
