//! Reductions over axes: sums, means, extremes, products, norms, and the positions of extremes.

use burn::backend::DispatchTensor;
use burn::backend::ops::FloatTensorOps as _;

use super::broadcast::Walk;
use super::operator::{Outputs, single};
use super::types::{Number, TypeSet, Wide, match_number};
use super::{Inputs, NodeContext, OpError, Operator, OpsetRange, Placement, Registration, RunContext, shape};
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::host::{Bool, ElementType};
use crate::tensor::{Backend, Shape, Tensor};

/// Specification: <https://onnx.ai/onnx/operators/>, a page per operator.
///
/// ReduceSum: 1, 11 (negative axes), 13 (axes as an input). The other reductions: 1, 11, 13, 18 (axes as an input); ReduceMax and ReduceMin
/// also 12 (8-bit integers) and 20 (booleans). ArgMax, ArgMin: 1, 11, 12 (`select_last_index`), 13.
pub const OPERATORS: &[Registration] = &[
    register("ArgMax", |node| ArgExtreme::build(true, node)),
    register("ArgMin", |node| ArgExtreme::build(false, node)),
    register("ReduceL1", |node| Reduce::build(ReduceKind::L1, node)),
    register("ReduceL2", |node| Reduce::build(ReduceKind::L2, node)),
    register("ReduceLogSum", |node| Reduce::build(ReduceKind::LogSum, node)),
    register("ReduceLogSumExp", |node| Reduce::build(ReduceKind::LogSumExp, node)),
    register("ReduceMax", |node| Reduce::build(ReduceKind::Max, node)),
    register("ReduceMean", |node| Reduce::build(ReduceKind::Mean, node)),
    register("ReduceMin", |node| Reduce::build(ReduceKind::Min, node)),
    register("ReduceProd", |node| Reduce::build(ReduceKind::Prod, node)),
    register("ReduceSum", |node| Reduce::build(ReduceKind::Sum, node)),
    register("ReduceSumSquare", |node| Reduce::build(ReduceKind::SumSquare, node)),
];

const fn register(op_type: &'static str, build: fn(&NodeContext<'_>) -> Result<Box<dyn Operator>, OpError>) -> Registration {
    Registration { domain: "", op_type, opsets: OpsetRange::from(1), build }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum ReduceKind {
    L1,
    L2,
    LogSum,
    LogSumExp,
    Max,
    Mean,
    Min,
    Prod,
    Sum,
    SumSquare,
}

impl ReduceKind {
    /// Whether reducing a single number, or over no axes at all, leaves it as it is.
    fn leaves_one_alone(self) -> bool {
        matches!(self, Self::Max | Self::Mean | Self::Min | Self::Prod | Self::Sum | Self::LogSumExp)
    }
}

/// A reduction over some axes, or over all. Integers wrap around; half precision is summed in float64 and rounded once.
#[derive(Debug)]
struct Reduce {
    kind: ReduceKind,
    /// The attribute; since opset 13 or 18 an input instead.
    axes: Option<Vec<i64>>,
    takes_axes: bool,
    keeps_dims: bool,
    /// No axes means none instead of all.
    noop_with_empty_axes: bool,
}

impl Reduce {
    fn build(kind: ReduceKind, node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
        let takes_axes = node.opset >= if kind == ReduceKind::Sum { 13 } else { 18 };
        Ok(Box::new(Self {
            kind,
            axes: if takes_axes { None } else { node.attributes.ints("axes")?.map(<[i64]>::to_vec) },
            takes_axes,
            keeps_dims: node.attributes.int("keepdims")?.unwrap_or(1) != 0,
            noop_with_empty_axes: takes_axes && node.attributes.int("noop_with_empty_axes")?.unwrap_or(0) != 0,
        }))
    }

    /// The axes to reduce, ascending.
    fn resolve(&self, given: Option<&[i64]>, rank: usize) -> Result<Vec<usize>, OpError> {
        match given {
            Some(axes) if !axes.is_empty() => shape::normalize_axes(axes, rank),
            _ if self.noop_with_empty_axes => Ok(Vec::new()),
            _ => Ok((0..rank).collect()),
        }
    }

    fn of_floats(&self, data: Tensor, axes: &[usize], result_shape: &[usize]) -> Result<Tensor, OpError> {
        let (dims, reduced) = collapse(data.shape(), axes);
        let n_reduced: usize = reduced.iter().map(|&axis| dims[axis]).product();
        let Some(mut x) = data.reshaped(&dims)?.into_primitive() else { return Ok(Tensor::empty(ElementType::F32, result_shape)) };
        let fold = |x: DispatchTensor, along: fn(DispatchTensor, usize) -> DispatchTensor| reduced.iter().rev().fold(x, |x, &axis| along(x, axis));
        x = match self.kind {
            ReduceKind::L1 => fold(Backend::float_abs(x), Backend::float_sum_dim),
            ReduceKind::L2 => Backend::float_sqrt(fold(Backend::float_mul(x.clone(), x), Backend::float_sum_dim)),
            ReduceKind::LogSum => Backend::float_log(fold(x, Backend::float_sum_dim)),
            ReduceKind::LogSumExp => {
                // Less the largest number no exponential overflows; an infinite one would leave NaN behind.
                let largest = fold(x.clone(), Backend::float_max_dim);
                let largest = Backend::float_clamp(largest, f32::MIN.into(), f32::MAX.into());
                let sum = fold(Backend::float_exp(Backend::float_sub(x, largest.clone())), Backend::float_sum_dim);
                Backend::float_add(Backend::float_log(sum), largest)
            }
            ReduceKind::Max => fold(x, Backend::float_max_dim),
            ReduceKind::Mean => Backend::float_div_scalar(fold(x, Backend::float_sum_dim), (n_reduced as f64).into()),
            ReduceKind::Min => fold(x, Backend::float_min_dim),
            ReduceKind::Prod => fold(x, Backend::float_prod_dim),
            ReduceKind::Sum => fold(x, Backend::float_sum_dim),
            ReduceKind::SumSquare => fold(Backend::float_mul(x.clone(), x), Backend::float_sum_dim),
        };
        Ok(Tensor::from_primitive(ElementType::F32, result_shape, x))
    }

    /// `kept` is the shape of the data with 1 for each reduced axis.
    fn on_host<T: Number>(&self, data: &Tensor, kept: &[usize], result_shape: &[usize]) -> Result<Tensor, OpError> {
        let walk = Walk::new([data.shape(), kept])?;
        let values = data.as_slice::<T>()?;
        let n_results: usize = kept.iter().product();
        let n_reduced = values.len() / n_results.max(1);
        let is_int = T::ELEMENT_TYPE.is_int();
        let in_type = |start: T, apply: fn(T, T) -> T| fold(&walk, &values, vec![start; n_results], apply);
        let in_f64 = |start: f64, apply: fn(f64, f64) -> f64, finish: &dyn Fn(f64) -> f64| {
            let sums = fold(&walk, &values, vec![start; n_results], |sum, value: T| apply(sum, value.to_f64()));
            sums.into_iter().map(|sum| T::from_f64(finish(sum))).collect::<Vec<T>>()
        };
        let results = match self.kind {
            ReduceKind::Max => in_type(T::LEAST, T::larger),
            ReduceKind::Min => in_type(T::GREATEST, T::smaller),
            ReduceKind::Sum if is_int => in_type(T::ZERO, T::plus),
            ReduceKind::Prod if is_int => in_type(T::ONE, T::times),
            ReduceKind::L1 if is_int => in_type(T::ZERO, |sum, value| if value < T::ZERO { sum.minus(value) } else { sum.plus(value) }),
            ReduceKind::SumSquare if is_int => in_type(T::ZERO, |sum, value| sum.plus(value.times(value))),
            ReduceKind::Mean if is_int => {
                // No results at all are no mean of nothing.
                let count = if n_results == 0 { 1 } else { n_reduced };
                let count = i128::try_from(count).ok().filter(|&count| count > 0);
                let count = count.ok_or_else(|| OpError::shape(format!("the mean of no {} at all is undefined", T::ELEMENT_TYPE)))?;
                let sums = fold(&walk, &values, vec![0_i128; n_results], |sum, value: T| sum + to_i128(value));
                // The mean lies between the least and the greatest of the values, so it fits.
                sums.into_iter().map(|sum| T::narrow(from_i128(sum / count))).collect()
            }
            ReduceKind::Sum => in_f64(0.0, |sum, value| sum + value, &|sum| sum),
            ReduceKind::Prod => in_f64(1.0, |product, value| product * value, &|product| product),
            ReduceKind::Mean => in_f64(0.0, |sum, value| sum + value, &|sum| sum / n_reduced as f64),
            ReduceKind::L1 => in_f64(0.0, |sum, value| sum + value.abs(), &|sum| sum),
            ReduceKind::L2 => in_f64(0.0, |sum, value| value.mul_add(value, sum), &f64::sqrt),
            ReduceKind::LogSum => in_f64(0.0, |sum, value| sum + value, &f64::ln),
            ReduceKind::LogSumExp => log_sum_exp(&walk, &values, n_results),
            ReduceKind::SumSquare => in_f64(0.0, |sum, value| value.mul_add(value, sum), &|sum| sum),
        };
        Ok(Tensor::from_vec(result_shape, results)?)
    }

    fn of_bools(&self, data: &Tensor, kept: &[usize], result_shape: &[usize]) -> Result<Tensor, OpError> {
        let walk = Walk::new([data.shape(), kept])?;
        let values = data.as_slice::<Bool>()?;
        let is_max = self.kind == ReduceKind::Max;
        let results = fold(&walk, &values, vec![Bool::new(!is_max); kept.iter().product()], |extreme: Bool, value: Bool| {
            Bool::new(if is_max { extreme.get() | value.get() } else { extreme.get() & value.get() })
        });
        Ok(Tensor::from_vec(result_shape, results)?)
    }
}

/// As on a device: the exponentials of what is left when the largest number (if it is finite) is taken away.
fn log_sum_exp<T: Number>(walk: &Walk<2>, values: &[T], n_results: usize) -> Vec<T> {
    let largest = fold(walk, values, vec![f64::MIN; n_results], |largest: f64, value: T| largest.larger(value.to_f64()).smaller(f64::MAX));
    let mut sums = vec![0.0; n_results];
    walk.for_each(|[at, at_result]| sums[at_result] += (values[at].to_f64() - largest[at_result]).exp());
    sums.iter().zip(largest).map(|(sum, largest)| T::from_f64(sum.ln() + largest)).collect()
}

fn fold<T: Copy, R: Copy>(walk: &Walk<2>, values: &[T], mut results: Vec<R>, apply: impl Fn(R, T) -> R) -> Vec<R> {
    walk.for_each(|[at, at_result]| results[at_result] = apply(results[at_result], values[at]));
    results
}

fn to_i128<T: Number>(value: T) -> i128 {
    match value.widen() {
        Wide::Signed(value) => i128::from(value),
        Wide::Unsigned(value) => i128::from(value),
        Wide::Float(value) => value as i128,
    }
}

fn from_i128(value: i128) -> Wide {
    i64::try_from(value).map_or_else(|_| Wide::Unsigned(value as u64), Wide::Signed)
}

/// Merges neighbouring axes that are all kept or all reduced: the shape that results, and which of its axes are reduced.
fn collapse(shape: &[usize], axes: &[usize]) -> (Vec<usize>, Vec<usize>) {
    let mut dims: Vec<usize> = Vec::with_capacity(shape.len());
    let mut reduced = Vec::with_capacity(axes.len());
    let mut last_is_reduced = None;
    for (axis, &dim) in shape.iter().enumerate() {
        let is_reduced = axes.binary_search(&axis).is_ok();
        match dims.last_mut() {
            // An axis of 1 goes along with any other.
            Some(last) if dim == 1 || last_is_reduced == Some(is_reduced) => *last *= dim,
            _ if dim == 1 => {}
            _ => {
                if is_reduced {
                    reduced.push(dims.len());
                }
                dims.push(dim);
                last_is_reduced = Some(is_reduced);
            }
        }
    }
    if dims.is_empty() {
        dims.push(1);
    }
    (dims, reduced)
}

/// The shape of a reduction's result.
fn infer_reduced(shape: &SymbolicShape, axes: &[usize], keeps_dims: bool) -> SymbolicShape {
    SymbolicShape(shape.dims().map(|dims| shape::without_axes(dims, axes, keeps_dims.then_some(&Dimension::Known(1)))))
}

impl Operator for Reduce {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let Some((element_type, shape)) = inputs.tensor(0) else { return Ok(vec![None]) };
        let Some(rank) = shape.rank() else { return Ok(vec![Some(ValueType::tensor(element_type, SymbolicShape::unknown()))]) };
        let constant = inputs.constant_ints(1);
        let is_given_at_run_time = self.takes_axes && constant.is_none() && inputs.types.get(1).is_some_and(Option::is_some);
        let result = if is_given_at_run_time {
            if self.keeps_dims { shape::unknown_dims(rank) } else { SymbolicShape::unknown() }
        } else {
            let given = if self.takes_axes { constant.as_deref() } else { self.axes.as_deref() };
            infer_reduced(shape, &self.resolve(given, rank)?, self.keeps_dims)
        };
        Ok(vec![Some(ValueType::tensor(element_type, result))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let data = inputs.take_tensor(0, "data")?;
        let types = if matches!(self.kind, ReduceKind::Max | ReduceKind::Min) { TypeSet::NUMBERS_AND_BOOL } else { TypeSet::NUMBERS };
        types.check(&data, 0, "data")?;
        let given = if self.takes_axes { inputs.take_optional_tensor(1, "axes")?.map(|axes| axes.to_i64s()).transpose()? } else { None };
        let axes = self.resolve(given.as_deref().or(self.axes.as_deref()), data.rank())?;
        if axes.is_empty() && self.kind.leaves_one_alone() {
            return Ok(single(data));
        }
        let kept = shape::without_axes(data.shape(), &axes, Some(&1));
        let result_shape = if self.keeps_dims { Shape::from_slice(&kept) } else { shape::without_axes(data.shape(), &axes, None).into() };
        let element_type = data.element_type();
        context.check_result_size(element_type, &result_shape)?;
        match element_type {
            ElementType::F32 if !data.is_empty() => self.of_floats(data, &axes, &result_shape),
            ElementType::Bool => self.of_bools(&data, &kept, &result_shape),
            other => {
                match_number!(other, T => self.on_host::<T>(&data, &kept, &result_shape), else Err(OpError::unsupported(format!("{:?} of {other}", self.kind))))
            }
        }
        .map(single)
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}

/// ArgMax, ArgMin: where along an axis the extreme is. Among equal ones the first, or the last on request; a NaN is the extreme, as in numpy.
#[derive(Debug)]
struct ArgExtreme {
    is_max: bool,
    axis: i64,
    keeps_dims: bool,
    selects_last: bool,
}

impl ArgExtreme {
    fn build(is_max: bool, node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
        Ok(Box::new(Self {
            is_max,
            axis: node.attributes.int("axis")?.unwrap_or(0),
            keeps_dims: node.attributes.int("keepdims")?.unwrap_or(1) != 0,
            selects_last: node.attributes.int("select_last_index")?.unwrap_or(0) != 0,
        }))
    }

    fn positions<T: Number>(&self, data: &Tensor, axis: usize) -> Result<Vec<i64>, OpError> {
        let values = data.as_slice::<T>()?;
        let n_along = data.shape()[axis];
        let n_inner: usize = data.shape()[axis + 1..].iter().product();
        let wins = |candidate: T, best: T| {
            let is_better = if self.is_max { candidate > best } else { candidate < best };
            let ties = self.selects_last && (candidate == best || (candidate.is_nan() && best.is_nan()));
            is_better || ties || (candidate.is_nan() && !best.is_nan())
        };
        let mut positions = Vec::with_capacity(values.len() / n_along);
        for block in values.chunks(n_along * n_inner) {
            let (first, rest) = block.split_at(n_inner);
            let mut best = first.to_vec();
            let start = positions.len();
            positions.resize(start + n_inner, 0);
            for (index, row) in (1_i64..).zip(rest.chunks(n_inner)) {
                for ((best, position), &candidate) in best.iter_mut().zip(&mut positions[start..]).zip(row) {
                    if wins(candidate, *best) {
                        (*best, *position) = (candidate, index);
                    }
                }
            }
        }
        Ok(positions)
    }
}

impl Operator for ArgExtreme {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let Some((_, shape)) = inputs.tensor(0) else { return Ok(vec![None]) };
        let result = match shape.rank() {
            Some(rank) => infer_reduced(shape, &[shape::normalize_axis(self.axis, rank)?], self.keeps_dims),
            None => SymbolicShape::unknown(),
        };
        Ok(vec![Some(ValueType::tensor(ElementType::I64, result))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let data = inputs.take_tensor(0, "data")?;
        TypeSet::NUMBERS.check(&data, 0, "data")?;
        let axis = shape::normalize_axis(self.axis, data.rank())?;
        let result_shape = shape::without_axes(data.shape(), &[axis], self.keeps_dims.then_some(&1));
        context.check_result_size(ElementType::I64, &result_shape)?;
        if result_shape.contains(&0) {
            return Ok(single(Tensor::empty(ElementType::I64, &result_shape)));
        }
        if data.is_empty() {
            return Err(OpError::shape(format!("axis {axis} of {data:?} has no elements, so none of them is the extreme")));
        }
        let element_type = data.element_type();
        let positions =
            match_number!(element_type, T => self.positions::<T>(&data, axis), else Err(OpError::unsupported(format!("ArgMax of {element_type}"))))?;
        Ok(single(Tensor::from_vec(&result_shape, positions)?))
    }
}

#[cfg(test)]
mod tests;
