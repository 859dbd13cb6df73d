//! Axes and dimensions: normalising what a model says about them, and computing with symbolic ones.

use super::OpError;
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::tensor::Shape;

/// An axis from the range `[-rank, rank)` as an index.
pub fn normalize_axis(axis: i64, rank: usize) -> Result<usize, OpError> {
    let out_of_range = || {
        OpError::shape(match rank {
            0 => format!("axis {axis} does not exist: the tensor has rank 0"),
            _ => format!("axis {axis} is out of range [-{rank}, {}] for a tensor of rank {rank}", rank - 1),
        })
    };
    let magnitude = usize::try_from(axis.unsigned_abs()).map_err(|_| out_of_range())?;
    let index = if axis < 0 { rank.checked_sub(magnitude) } else { Some(magnitude) };
    index.filter(|&index| index < rank).ok_or_else(out_of_range)
}

/// Axes as indices in ascending order; each may be named once.
pub fn normalize_axes(axes: &[i64], rank: usize) -> Result<Vec<usize>, OpError> {
    let mut indices = axes.iter().map(|&axis| normalize_axis(axis, rank)).collect::<Result<Vec<_>, _>>()?;
    indices.sort_unstable();
    match indices.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(OpError::shape(format!("axis {} is given twice in {axes:?}", pair[0]))),
        None => Ok(indices),
    }
}

/// An index from the range `[-dim, dim)` of an axis, counted from the front.
pub fn normalize_index(index: i64, dim: usize, axis: usize) -> Result<usize, OpError> {
    let magnitude = usize::try_from(index.unsigned_abs()).ok();
    let position = if index < 0 { magnitude.and_then(|magnitude| dim.checked_sub(magnitude)) } else { magnitude };
    position
        .filter(|&position| position < dim)
        .ok_or_else(|| OpError::value(format!("index {index} is out of range for axis {axis}, which has {dim} elements")))
}

/// A shape that a model computed; negative dimensions are refused.
pub fn to_shape(dims: &[i64]) -> Result<Shape, OpError> {
    dims.iter().map(|&dim| usize::try_from(dim).map_err(|_| OpError::shape(format!("dimension {dim} in shape {dims:?} is negative")))).collect()
}

/// Row-major strides, in elements.
pub fn strides(shape: &[usize]) -> Shape {
    let mut strides = Shape::from_elem(1, shape.len());
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis].wrapping_mul(shape[axis]);
    }
    strides
}

/// A shape of `rank` dimensions about which nothing is known.
pub fn unknown_dims(rank: usize) -> SymbolicShape {
    SymbolicShape(Some(vec![Dimension::Unknown; rank]))
}

/// The product of dimensions. Known factors are multiplied out; a symbolic factor stays visible: `(4 * batch)`.
pub fn product(dims: &[Dimension]) -> Dimension {
    combine(dims, 1, usize::checked_mul, "*")
}

/// The sum of dimensions: `(past + 1)`.
pub fn sum(dims: &[Dimension]) -> Dimension {
    combine(dims, 0, usize::checked_add, "+")
}

fn combine(dims: &[Dimension], neutral: usize, apply: fn(usize, usize) -> Option<usize>, sign: &str) -> Dimension {
    let mut known = neutral;
    let mut symbols: Vec<&str> = Vec::new();
    let mut is_unknown = false;
    for dim in dims {
        match dim {
            Dimension::Known(dim) => match apply(known, *dim) {
                Some(combined) => known = combined,
                None => is_unknown = true,
            },
            Dimension::Symbol(name) => symbols.push(name),
            Dimension::Unknown => is_unknown = true,
        }
    }
    if sign == "*" && dims.contains(&Dimension::Known(0)) {
        return Dimension::Known(0);
    }
    if is_unknown {
        return Dimension::Unknown;
    }
    let known_text = known.to_string();
    match symbols.as_slice() {
        [] => Dimension::Known(known),
        [symbol] if known == neutral => Dimension::Symbol((*symbol).to_owned()),
        _ => {
            if known != neutral {
                symbols.push(&known_text);
            }
            Dimension::Symbol(format!("({})", symbols.join(&format!(" {sign} "))))
        }
    }
}

/// The type of input `index`, for operators whose output is like it.
pub fn same_as(inputs: &InferInputs<'_>, index: usize) -> Option<ValueType> {
    inputs.value_type(index).cloned()
}

/// The type of an output that has the element type of input `index` and other dimensions, which follow from the input's where those are known.
pub fn like_with_dims(
    inputs: &InferInputs<'_>,
    index: usize,
    dims: impl FnOnce(&[Dimension]) -> Result<SymbolicShape, OpError>,
) -> Result<Option<ValueType>, OpError> {
    let Some((element_type, input)) = inputs.tensor(index) else { return Ok(None) };
    let shape = input.dims().map_or_else(|| Ok(SymbolicShape::unknown()), dims)?;
    Ok(Some(ValueType::tensor(element_type, shape)))
}

/// The shape without the given axes, or with them as 1.
pub fn without_axes<T: Clone>(dims: &[T], axes: &[usize], one: Option<&T>) -> Vec<T> {
    dims.iter().enumerate().filter_map(|(axis, dim)| if axes.binary_search(&axis).is_ok() { one.cloned() } else { Some(dim.clone()) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_count_from_either_end() {
        assert_eq!(normalize_axis(-1, 3).unwrap(), 2);
        assert_eq!(normalize_axes(&[-1, 0], 3).unwrap(), [0, 2]);
        assert_eq!(normalize_axis(3, 3).unwrap_err().to_string(), "axis 3 is out of range [-3, 2] for a tensor of rank 3");
        assert_eq!(normalize_axis(0, 0).unwrap_err().to_string(), "axis 0 does not exist: the tensor has rank 0");
        assert!(normalize_axis(i64::MIN, 3).is_err());
        assert_eq!(normalize_axes(&[1, -2], 3).unwrap_err().to_string(), "axis 1 is given twice in [1, -2]");
    }

    #[test]
    fn symbolic_dimensions_combine() {
        let batch = || Dimension::Symbol("batch".to_owned());
        let known = Dimension::Known;
        assert_eq!(product(&[known(2), known(3)]), known(6));
        assert_eq!(product(&[batch(), known(1)]), batch());
        assert_eq!(product(&[batch(), known(4)]).to_string(), "(batch * 4)");
        assert_eq!(product(&[Dimension::Unknown, known(4)]), Dimension::Unknown);
        assert_eq!(product(&[Dimension::Unknown, known(0)]), known(0));
        assert_eq!(product(&[known(usize::MAX), known(2)]), Dimension::Unknown);
        assert_eq!(sum(&[batch(), known(0)]), batch());
        assert_eq!(sum(&[batch(), known(1), known(2)]).to_string(), "(batch + 3)");
    }

    #[test]
    fn reduced_axes_vanish_or_stay_as_one() {
        assert_eq!(without_axes(&[2, 3, 4], &[0, 2], None), [3]);
        assert_eq!(without_axes(&[2, 3, 4], &[0, 2], Some(&1)), [1, 3, 1]);
        assert_eq!(strides(&[2, 3, 4]).as_slice(), [12, 4, 1]);
    }
}
