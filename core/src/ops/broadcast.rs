//! Broadcasting as numpy and ONNX define it: shapes aligned at their last axes, where 1 stretches to any size.
//! For shapes of numbers, for symbolic shapes, for burn's tensors and for slices in host memory.

use burn::backend::DispatchTensor;
use burn::backend::ops::FloatTensorOps as _;

use super::{NodeContext, OpError, RunContext, shape};
use crate::graph::{Dimension, SymbolicShape};
use crate::host::ElementType;
use crate::tensor::channels_last::{from_channels_last, to_channels_last};
use crate::tensor::{Backend, Shape, Tensor};

/// The shape that two shapes broadcast to.
pub fn broadcast(left: &[usize], right: &[usize]) -> Result<Shape, OpError> {
    let rank = left.len().max(right.len());
    (0..rank)
        .map(|axis| {
            let dim = |shape: &[usize]| (axis + shape.len()).checked_sub(rank).map_or(1, |index| shape[index]);
            stretch(dim(left), dim(right)).ok_or_else(|| {
                OpError::shape(format!(
                    "shapes {left:?} and {right:?} do not broadcast: counted from the end, dimension {} is {} in one and {} in the other",
                    rank - axis,
                    dim(left),
                    dim(right)
                ))
            })
        })
        .collect()
}

fn stretch(left: usize, right: usize) -> Option<usize> {
    match (left, right) {
        (1, dim) | (dim, 1) => Some(dim),
        (left, right) => (left == right).then_some(left),
    }
}

/// The shape that any number of shapes broadcast to.
pub fn broadcast_all<'a>(shapes: impl IntoIterator<Item = &'a [usize]>) -> Result<Shape, OpError> {
    shapes.into_iter().try_fold(Shape::new(), |result, shape| broadcast(&result, shape))
}

/// Refuses a shape that would not broadcast to `target` without changing it.
pub fn check_broadcasts_to(shape: &[usize], target: &[usize]) -> Result<(), OpError> {
    if broadcast(shape, target).is_ok_and(|result| result.as_slice() == target) {
        return Ok(());
    }
    Err(OpError::shape(format!("shape {shape:?} does not broadcast to {target:?}")))
}

/// The symbolic shape that two symbolic shapes broadcast to; an error where they certainly do not.
pub fn broadcast_symbolic(left: &SymbolicShape, right: &SymbolicShape) -> Result<SymbolicShape, OpError> {
    let (Some(left_dims), Some(right_dims)) = (left.dims(), right.dims()) else { return Ok(SymbolicShape::unknown()) };
    let rank = left_dims.len().max(right_dims.len());
    let one = Dimension::Known(1);
    let dims: Option<Vec<Dimension>> = (0..rank)
        .map(|axis| {
            let dim = |dims: &[Dimension]| (axis + dims.len()).checked_sub(rank).map_or(&one, |index| &dims[index]).clone();
            stretch_symbolic(dim(left_dims), dim(right_dims))
        })
        .collect();
    dims.map(SymbolicShape::from).ok_or_else(|| OpError::shape(format!("shapes {left} and {right} do not broadcast")))
}

fn stretch_symbolic(left: Dimension, right: Dimension) -> Option<Dimension> {
    use Dimension::{Known, Symbol, Unknown};
    Some(match (left, right) {
        (Known(left), Known(right)) => Known(stretch(left, right)?),
        (Known(1), other) | (other, Known(1)) => other,
        // What is not 1 decides: the other dimension must be 1 or equal to it.
        (Known(dim), _) | (_, Known(dim)) => Known(dim),
        (Symbol(left), Symbol(right)) if left == right => Symbol(left),
        _ => Unknown,
    })
}

/// As [`broadcast_symbolic`] for any number of shapes.
pub fn broadcast_symbolic_all<'a>(shapes: impl IntoIterator<Item = &'a SymbolicShape>) -> Result<SymbolicShape, OpError> {
    shapes.into_iter().try_fold(SymbolicShape(Some(Vec::new())), |result, shape| broadcast_symbolic(&result, shape))
}

/// How a binary operator aligns its second input to the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alignment {
    /// Since opset 7: both ways, at the last axes.
    Numpy,
    /// Before opset 7 without `broadcast`: not at all.
    Equal,
    /// Before opset 7 with `broadcast = 1`: the second input is one element, or a part of the first one's shape that starts at `axis` (by default
    /// the last axes).
    OneWay { axis: Option<i64> },
}

impl Alignment {
    pub fn of(node: &NodeContext<'_>) -> Result<Self, OpError> {
        Ok(if node.opset >= 7 {
            Self::Numpy
        } else if node.attributes.int("broadcast")?.unwrap_or(0) == 0 {
            Self::Equal
        } else {
            Self::OneWay { axis: node.attributes.int("axis")? }
        })
    }

    /// Reshapes the second input so that numpy's rule does the rest.
    pub fn align(self, left: &[usize], right: Tensor) -> Result<Tensor, OpError> {
        match self {
            Self::Numpy => Ok(right),
            Self::Equal if left == right.shape() => Ok(right),
            Self::Equal => Err(OpError::shape(format!("shapes {left:?} and {:?} differ, and attribute 'broadcast' is not set", right.shape()))),
            Self::OneWay { .. } if right.n_elements() == 1 => Ok(right.reshaped(&[])?),
            Self::OneWay { axis } => {
                let mismatch = || OpError::shape(format!("shape {:?} is not a part of shape {left:?} from axis {axis:?}", right.shape()));
                let start = match axis {
                    Some(axis) => shape::normalize_axis(axis, left.len())?,
                    None => left.len().checked_sub(right.rank()).ok_or_else(mismatch)?,
                };
                if left.get(start..start + right.rank()) != Some(right.shape()) {
                    return Err(mismatch());
                }
                let mut padded = Shape::from_slice(right.shape());
                padded.resize(left.len() - start, 1);
                Ok(right.reshaped(&padded)?)
            }
        }
    }

    /// The shape of the result.
    pub fn infer(self, left: &SymbolicShape, right: &SymbolicShape) -> Result<SymbolicShape, OpError> {
        match self {
            Self::Numpy => broadcast_symbolic(left, right),
            Self::Equal | Self::OneWay { .. } => Ok(left.clone()),
        }
    }
}

/// burn's tensor behind a non-empty float32 tensor, with leading 1s up to `rank`. Tensors in host memory keep their rank, since burn's CPU
/// backend aligns ranks itself; the other backends want equal ones.
pub fn float_operand(tensor: Tensor, rank: usize) -> Option<DispatchTensor> {
    let (is_on_host, dims) = (tensor.is_on_host(), Shape::from_slice(tensor.shape()));
    let primitive = tensor.into_primitive()?;
    // A scalar is [1] in burn already.
    if is_on_host || dims.len().max(1) >= rank {
        return Some(primitive);
    }
    let mut padded = vec![1; rank - dims.len()];
    padded.extend_from_slice(&dims);
    Some(Backend::float_reshape(primitive, padded.into()))
}

/// burn's tensor behind a non-empty float32 tensor, stretched to `shape` without a copy.
pub fn float_expanded(tensor: Tensor, shape: &[usize]) -> Option<DispatchTensor> {
    let is_expanded = tensor.shape() == shape;
    let operand = float_operand(tensor, shape.len())?;
    Some(if is_expanded || shape.is_empty() { operand } else { Backend::float_expand(operand, shape.to_vec().into()) })
}

/// Broadcasts two float32 tensors, checks the size of the result, and applies a burn operation whose result has `output` as its element type.
pub fn float_binary(
    left: Tensor,
    right: Tensor,
    output: ElementType,
    context: &RunContext<'_>,
    apply: impl FnOnce(DispatchTensor, DispatchTensor) -> DispatchTensor,
) -> Result<Tensor, OpError> {
    let shape = broadcast(left.shape(), right.shape())?;
    context.check_result_size(output, &shape)?;
    if output == ElementType::F32 && keeps_channels_last(&left, &right, &shape) {
        let axes = to_channels_last(shape.len());
        let lay = |tensor: Tensor| -> Result<Option<DispatchTensor>, OpError> {
            let leading = Shape::from_elem(1, shape.len() - tensor.rank());
            let dims: Shape = leading.into_iter().chain(tensor.shape().iter().copied()).collect();
            Ok(tensor.reshaped(&dims)?.into_primitive().map(|primitive| Backend::float_permute(primitive, &axes)))
        };
        if let (Some(left), Some(right)) = (lay(left)?, lay(right)?) {
            let result = Backend::float_permute(apply(left, right), &from_channels_last(shape.len()));
            return Ok(Tensor::from_primitive(output, &shape, result));
        }
        return Ok(Tensor::empty(output, &shape));
    }
    match (float_operand(left, shape.len()), float_operand(right, shape.len())) {
        (Some(left), Some(right)) => Ok(Tensor::from_primitive(output, &shape, apply(left, right))),
        _ => Ok(Tensor::empty(output, &shape)),
    }
}

/// Whether the result can be worked out in the order in which images lie channels-last: one operand lies so, and the other does too, or is so small
/// that it does not matter how it lies.
fn keeps_channels_last(left: &Tensor, right: &Tensor, shape: &[usize]) -> bool {
    let is_small = |tensor: &Tensor| tensor.is_on_host() && shape.get(1).is_some_and(|&channels| tensor.n_elements() <= channels);
    let fits = |image: &Tensor, other: &Tensor| {
        image.shape() == shape && image.is_only_channels_last() && (is_small(other) || other.shape() == shape && other.is_only_channels_last())
    };
    fits(left, right) || fits(right, left)
}

/// How `N` tensors in host memory walk over the shape that they broadcast to.
pub struct Walk<const N: usize> {
    shape: Shape,
    /// Per operand: elements to the next one along each axis of the result; 0 where the operand is stretched.
    strides: [Shape; N],
}

impl<const N: usize> Walk<N> {
    pub fn new(shapes: [&[usize]; N]) -> Result<Self, OpError> {
        let shape = broadcast_all(shapes)?;
        let strides = shapes.map(|operand| {
            let mut stretched = Shape::from_elem(0, shape.len() - operand.len());
            stretched.extend(shape::strides(operand).iter().zip(operand).map(|(&stride, &dim)| if dim == 1 { 0 } else { stride }));
            stretched
        });
        Ok(Self { shape, strides })
    }

    /// The shape of the result.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Calls `visit` for every element of the result in row-major order with the operands' offsets.
    pub fn for_each(&self, mut visit: impl FnMut([usize; N])) {
        let row_length = self.shape.last().copied().unwrap_or(1);
        let steps: [usize; N] = std::array::from_fn(|operand| self.strides[operand].last().copied().unwrap_or(0));
        self.for_each_row(&mut |mut offsets| {
            for _ in 0..row_length {
                visit(offsets);
                for (offset, step) in offsets.iter_mut().zip(steps) {
                    *offset += step;
                }
            }
        });
    }

    /// Calls `visit` with the operands' offsets at the first element of each row (the last axis). Compiled once, not for every caller.
    fn for_each_row(&self, visit: &mut dyn FnMut([usize; N])) {
        if self.shape.contains(&0) {
            return;
        }
        let n_outer = self.shape.len().saturating_sub(1);
        let mut position = Shape::from_elem(0, n_outer);
        let mut offsets = [0; N];
        loop {
            visit(offsets);
            // On to the next row, like an odometer.
            let mut axis = n_outer;
            loop {
                if axis == 0 {
                    return;
                }
                axis -= 1;
                position[axis] += 1;
                for (offset, strides) in offsets.iter_mut().zip(&self.strides) {
                    *offset += strides[axis];
                }
                if position[axis] < self.shape[axis] {
                    break;
                }
                for (offset, strides) in offsets.iter_mut().zip(&self.strides) {
                    *offset -= strides[axis] * self.shape[axis];
                }
                position[axis] = 0;
            }
        }
    }

    fn len(&self) -> usize {
        self.shape.iter().product()
    }
}

impl Walk<2> {
    /// Applies `apply` to each pair of elements. The slices hold what the shapes promised.
    pub fn map<A: Copy, B: Copy, R>(&self, left: &[A], right: &[B], mut apply: impl FnMut(A, B) -> R) -> Vec<R> {
        let n_elements = self.len();
        if left.len() == n_elements && right.len() == n_elements {
            return left.iter().zip(right).map(|(&left, &right)| apply(left, right)).collect();
        }
        match (left, right) {
            (_, &[right]) if left.len() == n_elements => left.iter().map(|&left| apply(left, right)).collect(),
            (&[left], _) if right.len() == n_elements => right.iter().map(|&right| apply(left, right)).collect(),
            _ => {
                let mut result = Vec::with_capacity(n_elements);
                self.for_each(|[at_left, at_right]| result.push(apply(left[at_left], right[at_right])));
                result
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_align_at_their_last_axes() {
        // Expected results from numpy.broadcast_shapes.
        let cases: [(&[usize], &[usize], &[usize]); 7] = [
            (&[2, 3], &[3], &[2, 3]),
            (&[2, 1], &[1, 4], &[2, 4]),
            (&[], &[5], &[5]),
            (&[], &[], &[]),
            (&[8, 1, 6, 1], &[7, 1, 5], &[8, 7, 6, 5]),
            (&[0], &[1], &[0]),
            (&[2, 1], &[0], &[2, 0]),
        ];
        for (left, right, expected) in cases {
            assert_eq!(broadcast(left, right).unwrap().as_slice(), expected);
            assert_eq!(broadcast(right, left).unwrap().as_slice(), expected);
        }
        assert_eq!(
            broadcast(&[2, 3], &[4, 3]).unwrap_err().to_string(),
            "shapes [2, 3] and [4, 3] do not broadcast: counted from the end, dimension 2 is 2 in one and 4 in the other"
        );
        assert!(broadcast(&[0], &[2]).is_err());
        assert_eq!(broadcast_all([[2, 1].as_slice(), &[3], &[1, 1, 1]]).unwrap().as_slice(), [1, 2, 3]);
        assert!(check_broadcasts_to(&[3, 1], &[2, 3, 4]).is_ok());
        assert!(check_broadcasts_to(&[2, 3], &[1, 3]).is_err());
    }

    #[test]
    fn symbolic_dimensions_stretch_as_far_as_they_are_known() {
        let symbol = |name: &str| Dimension::Symbol(name.to_owned());
        let known = Dimension::Known;
        let cases = [
            (vec![symbol("batch"), known(3)], vec![known(3)], "[batch, 3]"),
            (vec![symbol("batch"), known(1)], vec![symbol("batch"), known(4)], "[batch, 4]"),
            (vec![symbol("batch")], vec![known(8)], "[8]"),
            (vec![symbol("a")], vec![symbol("b")], "[?]"),
            (vec![Dimension::Unknown], vec![known(1)], "[?]"),
        ];
        for (left, right, expected) in cases {
            assert_eq!(broadcast_symbolic(&left.into(), &right.into()).unwrap().to_string(), expected);
        }
        assert!(broadcast_symbolic(&vec![known(2)].into(), &vec![known(3)].into()).is_err());
        assert_eq!(broadcast_symbolic(&SymbolicShape::unknown(), &vec![known(3)].into()).unwrap(), SymbolicShape::unknown());
    }

    #[test]
    fn before_opset_7_one_shape_is_a_part_of_the_other() {
        let aligned = |alignment: Alignment, left: &[usize], right: &[usize]| {
            let right = Tensor::from_vec(right, vec![0.0_f32; right.iter().product()]).unwrap();
            alignment.align(left, right).map(|right| right.shape().to_vec())
        };
        // The examples of the specification of Add-6.
        let one_way = |axis| Alignment::OneWay { axis };
        assert_eq!(aligned(one_way(None), &[2, 3, 4, 5], &[1, 1]).unwrap(), [] as [usize; 0]);
        assert_eq!(aligned(one_way(None), &[2, 3, 4, 5], &[4, 5]).unwrap(), [4, 5]);
        assert_eq!(aligned(one_way(Some(1)), &[2, 3, 4, 5], &[3, 4]).unwrap(), [3, 4, 1]);
        assert_eq!(aligned(one_way(Some(0)), &[2, 3, 4, 5], &[2]).unwrap(), [2, 1, 1, 1]);
        assert!(aligned(one_way(Some(3)), &[2, 3, 4, 5], &[4, 5]).is_err());
        assert!(aligned(one_way(None), &[5], &[4, 5]).is_err());
        assert!(aligned(Alignment::Equal, &[2, 3], &[3]).is_err());
        assert_eq!(aligned(Alignment::Equal, &[2, 3], &[2, 3]).unwrap(), [2, 3]);
    }

    #[test]
    fn slices_are_walked_as_numpy_does() {
        let walk = Walk::new([[2, 1].as_slice(), [3].as_slice()]).unwrap();
        assert_eq!(walk.map(&[10, 20], &[1, 2, 3], |a, b| a + b), [11, 12, 13, 21, 22, 23]);
        let walk = Walk::new([[2, 1, 2].as_slice(), [3, 1].as_slice()]).unwrap();
        assert_eq!(walk.shape(), [2, 3, 2]);
        assert_eq!(walk.map(&[1, 2, 3, 4], &[10, 20, 30], |a, b| a * b), [10, 20, 20, 40, 30, 60, 30, 40, 60, 80, 90, 120]);
        let walk = Walk::new([[].as_slice(), [].as_slice()]).unwrap();
        assert_eq!(walk.map(&[4], &[5], |a, b| a - b), [-1]);
        let walk = Walk::new([[0, 1].as_slice(), [3].as_slice()]).unwrap();
        assert_eq!(walk.map(&[] as &[i32], &[1, 2, 3], |a, b| a - b), [] as [i32; 0]);
    }
}
