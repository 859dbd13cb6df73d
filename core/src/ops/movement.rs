//! Moving elements without computing: permute, broadcast, cut, join and pick, for every element type.
//!
//! Numbers go over burn (views on the CPU, kernels on a GPU); strings are copied in a host loop. Callers have proven
//! axes, shapes and indices, and have checked the size of the result.

use burn::backend::DispatchTensor;
use burn::backend::ops::{BoolTensorOps as _, FloatTensorOps as _, IntTensorOps as _};
use burn::tensor::{Slice, TensorData};
use smallvec::SmallVec;

use super::shape::strides;
use super::{OpError, RunContext};
use crate::host::ElementType;
use crate::kernels::join::join_runs;
use crate::tensor::{Backend, Device, Shape, Tensor, TensorError};

/// Calls burn's operation for the kind of an element type: `float_…`, `int_…` or `bool_…`.
macro_rules! by_kind {
    ($element_type:expr, $float:ident | $int:ident | $bool:ident ($($argument:expr),* $(,)?)) => {
        match $element_type {
            ElementType::Bool => Backend::$bool($($argument),*),
            element_type if element_type.is_float() => Backend::$float($($argument),*),
            _ => Backend::$int($($argument),*),
        }
    };
}

/// What to keep of one axis: the elements `start`, `start + step`, …, `length` of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    pub start: usize,
    pub length: usize,
    pub step: isize,
}

impl Cut {
    /// The whole axis.
    pub fn all(dim: usize) -> Self {
        Self { start: 0, length: dim, step: 1 }
    }

    pub fn range(start: usize, length: usize) -> Self {
        Self { start, length, step: 1 }
    }

    fn is_all(self, dim: usize) -> bool {
        self.start == 0 && self.length == dim && self.step == 1
    }

    /// burn's slices name the covered range; a negative step walks it from its end.
    fn to_burn(self) -> Slice {
        let start = self.start.cast_signed();
        let reach = (self.length.cast_signed() - 1) * self.step;
        let (first, last) = if reach < 0 { (start + reach, start) } else { (start, start + reach) };
        // One element has no step; leaving a huge one in would overflow burn's strides.
        Slice::new(first, Some(last + 1), if self.length <= 1 { 1 } else { self.step })
    }
}

/// Reorders the axes: axis `i` of the result is axis `axes[i]` of the tensor.
pub fn permute(tensor: Tensor, axes: &[usize]) -> Result<Tensor, OpError> {
    let shape: Shape = axes.iter().map(|&axis| tensor.shape()[axis]).collect();
    if axes.iter().enumerate().all(|(position, &axis)| position == axis) {
        return Ok(tensor);
    }
    if tensor.element_type() == ElementType::String {
        let strides = row_major_strides(tensor.shape());
        let strides: Strides = axes.iter().map(|&axis| strides[axis]).collect();
        return strings_through_view(&tensor, &shape, 0, &strides);
    }
    over_burn(tensor, &shape, |element_type, primitive| by_kind!(element_type, float_permute | int_permute | bool_permute(primitive, axes)))
}

/// Repeats axes of size 1, and new leading axes, up to `shape`.
pub fn expand(tensor: Tensor, shape: &[usize]) -> Result<Tensor, OpError> {
    if tensor.shape() == shape {
        return Ok(tensor);
    }
    if tensor.element_type() == ElementType::String {
        let n_new = shape.len() - tensor.rank();
        let own = row_major_strides(tensor.shape());
        let strides: Strides =
            (0..shape.len()).map(|axis| if axis < n_new || tensor.shape()[axis - n_new] == 1 { 0 } else { own[axis - n_new] }).collect();
        return strings_through_view(&tensor, shape, 0, &strides);
    }
    over_burn(tensor, shape, |element_type, primitive| {
        by_kind!(element_type, float_expand | int_expand | bool_expand(primitive, shape.to_vec().into()))
    })
}

/// Keeps a part of every axis; one [`Cut`] per axis.
pub fn cut(tensor: Tensor, cuts: &[Cut]) -> Result<Tensor, OpError> {
    let shape: Shape = cuts.iter().map(|cut| cut.length).collect();
    if cuts.iter().zip(tensor.shape()).all(|(cut, &dim)| cut.is_all(dim)) {
        return Ok(tensor);
    }
    if tensor.element_type() == ElementType::String {
        let own = row_major_strides(tensor.shape());
        let start = cuts.iter().zip(&own).map(|(cut, &stride)| cut.start.cast_signed() * stride).sum();
        let strides: Strides = cuts.iter().zip(&own).map(|(cut, &stride)| if cut.length > 1 { cut.step * stride } else { 0 }).collect();
        return strings_through_view(&tensor, &shape, start, &strides);
    }
    let slices: SmallVec<[Slice; 6]> = cuts.iter().map(|cut| cut.to_burn()).collect();
    over_burn(tensor, &shape, |element_type, primitive| by_kind!(element_type, float_slice | int_slice | bool_slice(primitive, &slices)))
}

/// The tensors on one side, so that they can be joined: in host memory, unless all are on a device. What control flow and sequences collect
/// may come from both.
pub fn on_one_side(tensors: Vec<Tensor>) -> Result<Vec<Tensor>, OpError> {
    let is_on_device = |tensor: &Tensor| tensor.travels_to(&Device::Cpu);
    if tensors.iter().all(|tensor| tensor.is_empty() || is_on_device(tensor)) {
        return Ok(tensors);
    }
    tensors.into_iter().map(|tensor| Ok(tensor.to_device(&Device::Cpu)?)).collect()
}

/// Lays tensors of one element type end to end along `axis`; all other dimensions are equal.
pub fn join(mut tensors: Vec<Tensor>, axis: usize) -> Result<Tensor, OpError> {
    let Some(first) = tensors.first() else { return Err(OpError::shape("there is nothing to join")) };
    let element_type = first.element_type();
    let mut shape = Shape::from_slice(first.shape());
    shape[axis] = tensors.iter().map(|tensor| tensor.shape()[axis]).sum();
    if shape.contains(&0) {
        return Ok(Tensor::empty(element_type, &shape));
    }
    tensors.retain(|tensor| !tensor.is_empty());
    if tensors.len() == 1 {
        return Ok(tensors.swap_remove(0));
    }
    if element_type == ElementType::String {
        let n_outer: usize = shape[..axis].iter().product();
        let parts =
            tensors.iter().map(|tensor| Ok((tensor.as_strings()?, tensor.n_elements() / n_outer))).collect::<Result<Vec<_>, TensorError>>()?;
        let strings: Vec<_> =
            (0..n_outer).flat_map(|outer| parts.iter().flat_map(move |(strings, run)| strings[outer * run..][..*run].iter().cloned())).collect();
        return Ok(Tensor::from_strings(&shape, strings)?);
    }
    if axis == 1 && tensors.iter().all(Tensor::is_only_channels_last) {
        return join_channels(&tensors, &shape);
    }
    let primitives: Vec<DispatchTensor> = tensors.into_iter().filter_map(Tensor::into_primitive).collect();
    let joined = by_kind!(element_type, float_cat | int_cat | bool_cat(primitives, axis));
    Ok(Tensor::from_primitive(element_type, &shape, joined))
}

/// Joins the channels of images that lie channels-last; the result does too.
fn join_channels(tensors: &[Tensor], shape: &[usize]) -> Result<Tensor, OpError> {
    let parts: Vec<(&[f32], usize)> = tensors.iter().filter_map(|tensor| Some((tensor.as_channels_last()?, tensor.shape()[1]))).collect();
    Ok(Tensor::from_channels_last(shape, join_runs(&parts, shape.iter().product()))?)
}

/// Picks whole slices along `axis`, in the order of `indices`, which all lie within the axis.
pub fn pick(tensor: Tensor, axis: usize, indices: &[usize], context: &RunContext<'_>) -> Result<Tensor, OpError> {
    let mut shape = Shape::from_slice(tensor.shape());
    shape[axis] = indices.len();
    if tensor.element_type() == ElementType::String {
        let run: usize = tensor.shape()[axis + 1..].iter().product();
        let n_outer: usize = tensor.shape()[..axis].iter().product();
        let dim = tensor.shape()[axis];
        let strings = tensor.as_strings()?;
        let picked: Vec<_> = (0..n_outer)
            .flat_map(|outer| indices.iter().flat_map(move |&index| strings[(outer * dim + index) * run..][..run].iter().cloned()))
            .collect();
        return Ok(Tensor::from_strings(&shape, picked)?);
    }
    if tensor.is_empty() || indices.is_empty() {
        return Ok(Tensor::empty(tensor.element_type(), &shape));
    }
    let indices = index_primitive(&tensor, &[indices.len()], indices, context)?;
    over_burn(tensor, &shape, |element_type, primitive| by_kind!(element_type, float_select | int_select | bool_select(primitive, axis, indices)))
}

/// Picks one element per index along `axis`: `indices` has the tensor's shape on every other axis.
pub fn pick_elements(tensor: Tensor, axis: usize, shape: &[usize], indices: &[usize], context: &RunContext<'_>) -> Result<Tensor, OpError> {
    if tensor.element_type() == ElementType::String {
        let run: usize = shape[axis + 1..].iter().product();
        let strings = tensor.as_strings()?;
        let outer_step = tensor.shape()[axis] * run;
        let picked: Vec<_> = indices
            .iter()
            .enumerate()
            .map(|(position, &index)| strings[position / (run * shape[axis]) * outer_step + index * run + position % run].clone())
            .collect();
        return Ok(Tensor::from_strings(shape, picked)?);
    }
    if indices.is_empty() {
        return Ok(Tensor::empty(tensor.element_type(), shape));
    }
    let indices = index_primitive(&tensor, shape, indices, context)?;
    over_burn(tensor, shape, |element_type, primitive| by_kind!(element_type, float_gather | int_gather | bool_gather(axis, primitive, indices)))
}

/// Surrounds the tensor with `value` (one element of its type): `before` and `after` elements on every axis.
pub fn surround(tensor: Tensor, before: &[usize], after: &[usize], value: &Tensor) -> Result<Tensor, OpError> {
    let shape: Shape = tensor.shape().iter().zip(before).zip(after).map(|((dim, before), after)| dim + before + after).collect();
    if tensor.shape() == shape.as_slice() {
        return Ok(tensor);
    }
    if shape.contains(&0) {
        return Ok(Tensor::empty(tensor.element_type(), &shape));
    }
    if tensor.element_type() == ElementType::String {
        return surround_strings(&tensor, &shape, before, value);
    }
    let background = expand(value.clone().reshaped(&[])?, &shape)?;
    let slices: SmallVec<[Slice; 6]> = tensor.shape().iter().zip(before).map(|(&dim, &before)| Cut::range(before, dim).to_burn()).collect();
    let Some(foreground) = tensor.into_primitive() else { return Ok(background) };
    over_burn(background, &shape, |element_type, background| {
        by_kind!(element_type, float_slice_assign | int_slice_assign | bool_slice_assign(background, &slices, foreground))
    })
}

fn surround_strings(tensor: &Tensor, shape: &[usize], before: &[usize], value: &Tensor) -> Result<Tensor, OpError> {
    let value = value.as_strings()?.first().cloned().unwrap_or_default();
    let mut surrounded = vec![value; shape.iter().product()];
    let strides = row_major_strides(shape);
    let start: isize = before.iter().zip(&strides).map(|(&before, &stride)| before.cast_signed() * stride).sum();
    let mut source = tensor.as_strings()?.iter();
    for_each_position(tensor.shape(), start, &strides, |position| {
        if let Some(string) = source.next() {
            surrounded[position].clone_from(string);
        }
    });
    Ok(Tensor::from_strings(shape, surrounded)?)
}

/// `tensor` on the device where `other` is: burn does not mix them.
pub fn bring_beside(tensor: Tensor, other: &Tensor, context: &RunContext<'_>) -> Result<Tensor, OpError> {
    match (tensor.is_on_host(), other.is_on_host()) {
        (false, true) => Ok(tensor.to_device(&Device::Cpu)?),
        (true, false) => Ok(tensor.to_device(context.device)?),
        _ => Ok(tensor),
    }
}

/// Runs a burn operation, unless there is nothing to run it on.
fn over_burn(tensor: Tensor, shape: &[usize], operation: impl FnOnce(ElementType, DispatchTensor) -> DispatchTensor) -> Result<Tensor, OpError> {
    let element_type = tensor.element_type();
    if shape.contains(&0) {
        return Ok(Tensor::empty(element_type, shape));
    }
    let Some(primitive) = tensor.into_primitive() else {
        return Err(OpError::shape(format!("a tensor without elements cannot take the shape {shape:?}")));
    };
    Ok(Tensor::from_primitive(element_type, shape, operation(element_type, primitive)))
}

/// Indices as an integer tensor beside `tensor`: int64 in host memory, int32 on a GPU, which has no wider ones.
fn index_primitive(tensor: &Tensor, shape: &[usize], indices: &[usize], context: &RunContext<'_>) -> Result<DispatchTensor, OpError> {
    if tensor.is_on_host() {
        let indices = indices.iter().map(|&index| index as i64).collect::<Vec<_>>();
        let indices = Tensor::from_vec(shape, indices)?;
        return indices.into_primitive().ok_or_else(|| OpError::shape("there are no indices"));
    }
    let indices = indices.iter().map(|&index| i32::try_from(index)).collect::<Result<Vec<i32>, _>>();
    let indices = indices.map_err(|_| OpError::unsupported("an axis of more than 2147483647 elements on a GPU"))?;
    Ok(Backend::int_from_data(TensorData::new(indices, shape.to_vec()), context.device.burn().as_dispatch()))
}

type Strides = SmallVec<[isize; 6]>;

fn row_major_strides(shape: &[usize]) -> Strides {
    strides(shape).into_iter().map(usize::cast_signed).collect()
}

fn strings_through_view(tensor: &Tensor, shape: &[usize], start: isize, strides: &[isize]) -> Result<Tensor, OpError> {
    let source = tensor.as_strings()?;
    let mut strings = Vec::with_capacity(shape.iter().product());
    for_each_position(shape, start, strides, |position| strings.push(source[position].clone()));
    Ok(Tensor::from_strings(shape, strings)?)
}

/// Visits the position in memory of every element of a strided view, in row-major order.
fn for_each_position(shape: &[usize], start: isize, strides: &[isize], mut visit: impl FnMut(usize)) {
    let n_elements: usize = shape.iter().product();
    let mut index: SmallVec<[usize; 6]> = smallvec::smallvec![0; shape.len()];
    let mut position = start;
    for _ in 0..n_elements {
        visit(position.cast_unsigned());
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            position += strides[axis];
            if index[axis] < shape[axis] {
                break;
            }
            index[axis] = 0;
            position -= strides[axis] * shape[axis].cast_signed();
        }
    }
}
