//! Reshape, Flatten, Squeeze, Unsqueeze: the same elements in the same order under another shape.

use super::{Integers, infer_like};
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::ops::operator::{Outputs, single};
use crate::ops::shape::{normalize_axes, product, unknown_dims, without_axes};
use crate::ops::{Inputs, NodeContext, OpError, Operator, Placement, RunContext};
use crate::tensor::Shape;

/// <https://onnx.ai/onnx/operators/onnx__Reshape.html>, opsets 1 (shape is an attribute), 5 (an input), 13, 14 (allowzero),
/// 19, 21, 23, 24, 25 (element types).
#[derive(Debug)]
struct Reshape {
    shape: Integers,
    /// Whether 0 in `shape` means zero elements rather than "as in the input".
    allow_zero: bool,
}

pub fn build_reshape(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let shape = Integers::attribute_until(context, 5, 1, "shape")?;
    Ok(Box::new(Reshape { shape, allow_zero: context.attributes.int("allowzero")?.unwrap_or(0) != 0 }))
}

/// One entry of a requested shape.
#[derive(Clone, Copy, PartialEq)]
enum Request {
    Dim(usize),
    /// 0: as the input's axis at the same position.
    Copied,
    /// -1: whatever is left.
    Inferred,
}

impl Reshape {
    fn requests(&self, requested: &[i64], rank: usize) -> Result<Vec<Request>, OpError> {
        let mut requests = Vec::with_capacity(requested.len());
        for (position, &dim) in requested.iter().enumerate() {
            requests.push(match dim {
                -1 if requests.contains(&Request::Inferred) => {
                    return Err(OpError::shape(format!("the requested shape {requested:?} has more than one -1")));
                }
                -1 => Request::Inferred,
                0 if !self.allow_zero && position < rank => Request::Copied,
                0 if !self.allow_zero => {
                    return Err(OpError::shape(format!(
                        "the requested shape {requested:?} copies dimension {position} (0), but the tensor has rank {rank}"
                    )));
                }
                dim => Request::Dim(
                    usize::try_from(dim).map_err(|_| OpError::shape(format!("the requested shape {requested:?} has a negative dimension")))?,
                ),
            });
        }
        Ok(requests)
    }

    fn resolve(&self, input: &[usize], requested: &[i64]) -> Result<Shape, OpError> {
        let requests = self.requests(requested, input.len())?;
        let mismatch = || OpError::shape(format!("a tensor of shape {input:?} cannot take the requested shape {requested:?}"));
        // What is copied cancels out, so that -1 has a value beside a copied dimension of 0.
        let is_copied = |axis: usize| requests.get(axis) == Some(&Request::Copied);
        let left: usize = input.iter().enumerate().filter(|(axis, _)| !is_copied(*axis)).map(|(_, dim)| dim).product();
        let mut asked = 1_usize;
        for request in &requests {
            if let Request::Dim(dim) = request {
                asked = asked.checked_mul(*dim).ok_or_else(mismatch)?;
            }
        }
        let inferred = left.checked_div(asked).unwrap_or(0);
        let is_exact = if requests.contains(&Request::Inferred) { asked != 0 && inferred * asked == left } else { asked == left };
        let shape: Shape = requests
            .iter()
            .enumerate()
            .map(|(axis, request)| match request {
                Request::Dim(dim) => *dim,
                Request::Copied => input[axis],
                Request::Inferred => inferred,
            })
            .collect();
        // A copied 0 makes every shape with it empty, whatever else was asked.
        if is_exact || (shape.contains(&0) && input.contains(&0)) { Ok(shape) } else { Err(mismatch()) }
    }

    fn resolve_symbolic(&self, input: &[Dimension], requested: &[i64]) -> Result<Vec<Dimension>, OpError> {
        let known: Option<Vec<usize>> = input.iter().map(Dimension::known).collect();
        if let Some(known) = known {
            return Ok(self.resolve(&known, requested)?.iter().map(|&dim| Dimension::Known(dim)).collect());
        }
        let requests = self.requests(requested, input.len())?;
        let is_copied = |axis: usize| requests.get(axis) == Some(&Request::Copied);
        let left: Vec<Dimension> = input.iter().enumerate().filter(|(axis, _)| !is_copied(*axis)).map(|(_, dim)| dim.clone()).collect();
        let asked: Vec<Dimension> =
            requests.iter().filter_map(|request| if let Request::Dim(dim) = request { Some(Dimension::Known(*dim)) } else { None }).collect();
        let inferred = quotient(&left, product(&asked).known());
        Ok(requests
            .iter()
            .enumerate()
            .map(|(axis, request)| match request {
                Request::Dim(dim) => Dimension::Known(*dim),
                Request::Copied => input[axis].clone(),
                Request::Inferred => inferred.clone(),
            })
            .collect())
    }
}

/// The product of dimensions over a number, where that is a whole expression.
fn quotient(dims: &[Dimension], divisor: Option<usize>) -> Dimension {
    let (known, mut rest): (Vec<Dimension>, Vec<Dimension>) = dims.iter().cloned().partition(|dim| matches!(dim, Dimension::Known(_)));
    match (product(&known).known(), divisor) {
        (Some(known), Some(divisor)) if divisor > 0 && known % divisor == 0 => {
            rest.push(Dimension::Known(known / divisor));
            product(&rest)
        }
        _ => Dimension::Unknown,
    }
}

impl Operator for Reshape {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let Some((element_type, input)) = inputs.tensor(0) else { return Ok(vec![None]) };
        let shape = match (self.shape.inferred(inputs).flatten(), input.dims()) {
            (Some(requested), Some(dims)) => SymbolicShape(Some(self.resolve_symbolic(dims, &requested)?)),
            (Some(requested), None) => {
                let known = |&dim: &i64| usize::try_from(dim).ok().filter(|&dim| dim > 0).map_or(Dimension::Unknown, Dimension::Known);
                SymbolicShape(Some(requested.iter().map(known).collect()))
            }
            (None, _) => match inputs.tensor(1).and_then(|(_, shape)| shape.as_known()).as_deref() {
                Some(&[rank]) if rank <= 64 => unknown_dims(rank),
                _ => SymbolicShape::unknown(),
            },
        };
        Ok(vec![Some(ValueType::tensor(element_type, shape))])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let data = inputs.take_tensor(0, "data")?;
        let requested = self.shape.require(&mut inputs, 1, "shape")?;
        let shape = self.resolve(data.shape(), &requested)?;
        Ok(single(data.reshaped(&shape)?))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}

/// <https://onnx.ai/onnx/operators/onnx__Flatten.html>, opsets 1, 9, 11 (negative axes), 13, 21, 23, 24, 25 (element types).
#[derive(Debug)]
struct Flatten {
    axis: i64,
}

pub fn build_flatten(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(Flatten { axis: context.attributes.int("axis")?.unwrap_or(1) }))
}

impl Flatten {
    /// Where the rows end: an axis, or the rank itself.
    fn split(&self, rank: usize) -> Result<usize, OpError> {
        let magnitude = usize::try_from(self.axis.unsigned_abs()).unwrap_or(usize::MAX);
        let split = if self.axis < 0 { rank.checked_sub(magnitude) } else { Some(magnitude) };
        split
            .filter(|&split| split <= rank)
            .ok_or_else(|| OpError::shape(format!("axis {} is out of range [-{rank}, {rank}] for a tensor of rank {rank}", self.axis)))
    }
}

impl Operator for Flatten {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        infer_like(inputs, |dims| {
            let (rows, columns) = dims.split_at(self.split(dims.len())?);
            Ok(SymbolicShape(Some(vec![product(rows), product(columns)])))
        })
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let data = inputs.take_tensor(0, "input")?;
        let (rows, columns) = data.shape().split_at(self.split(data.rank())?);
        let shape = [rows.iter().product(), columns.iter().product()];
        Ok(single(data.reshaped(&shape)?))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}

/// <https://onnx.ai/onnx/operators/onnx__Squeeze.html>, opsets 1, 11 (negative axes), 13 (axes are an input), 21, 23, 24, 25 (element types).
#[derive(Debug)]
struct Squeeze {
    axes: Integers,
}

pub fn build_squeeze(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(Squeeze { axes: Integers::attribute_until(context, 13, 1, "axes")? }))
}

impl Operator for Squeeze {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        infer_like(inputs, |dims| {
            let axes = match self.axes.inferred(inputs) {
                None => return Ok(SymbolicShape::unknown()),
                Some(Some(axes)) => normalize_axes(&axes, dims.len())?,
                Some(None) if dims.iter().any(|dim| dim.known().is_none()) => return Ok(SymbolicShape::unknown()),
                Some(None) => (0..dims.len()).filter(|&axis| dims[axis] == Dimension::Known(1)).collect(),
            };
            Ok(SymbolicShape(Some(without_axes(dims, &axes, None))))
        })
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let data = inputs.take_tensor(0, "data")?;
        let axes = match self.axes.get(&mut inputs)? {
            Some(axes) => normalize_axes(&axes, data.rank())?,
            None => (0..data.rank()).filter(|&axis| data.shape()[axis] == 1).collect(),
        };
        if let Some(axis) = axes.iter().find(|&&axis| data.shape()[axis] != 1) {
            return Err(OpError::shape(format!(
                "axis {axis} of shape {:?} has {} elements; only axes of 1 can be squeezed",
                data.shape(),
                data.shape()[*axis]
            )));
        }
        let shape = without_axes(data.shape(), &axes, None);
        Ok(single(data.reshaped(&shape)?))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}

/// <https://onnx.ai/onnx/operators/onnx__Unsqueeze.html>, opsets 1, 11 (negative axes), 13 (axes are an input), 21, 23, 24, 25 (element types).
#[derive(Debug)]
struct Unsqueeze {
    axes: Integers,
}

pub fn build_unsqueeze(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let axes = Integers::attribute_until(context, 13, 1, "axes")?;
    if axes == Integers::Absent && context.opset < 13 {
        context.attributes.require_ints("axes")?;
    }
    Ok(Box::new(Unsqueeze { axes }))
}

/// `dims` with `one` inserted so that it stands at `axes` of the result.
fn with_axes<T: Clone>(dims: &[T], axes: &[i64], one: &T) -> Result<Vec<T>, OpError> {
    let axes = normalize_axes(axes, dims.len() + axes.len())?;
    let mut expanded = dims.to_vec();
    for axis in axes {
        expanded.insert(axis, one.clone());
    }
    Ok(expanded)
}

impl Operator for Unsqueeze {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        infer_like(inputs, |dims| match self.axes.inferred(inputs).flatten() {
            Some(axes) => Ok(SymbolicShape(Some(with_axes(dims, &axes, &Dimension::Known(1))?))),
            None => Ok(SymbolicShape::unknown()),
        })
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let data = inputs.take_tensor(0, "data")?;
        let axes = self.axes.require(&mut inputs, 1, "axes")?;
        let shape = with_axes(data.shape(), &axes, &1)?;
        Ok(single(data.reshaped(&shape)?))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}
