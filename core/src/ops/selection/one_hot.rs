//! OneHot: numbers as rows of "off" with one "on".

use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::host::{Element, ElementType};
use crate::ops::operator::{Outputs, single};
use crate::ops::shape::normalize_axis;
use crate::ops::types::{Number, TypeSet, match_element, match_number};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::{Shape, Tensor};

/// Inserts an axis of `depth` elements that are all off, but for the one that the index names. Negative indices count from the end; those out of
/// range leave all off.
///
/// <https://onnx.ai/onnx/operators/onnx__OneHot.html>, opsets 9, 11 (negative indices and axis), 28 (bfloat16 values).
#[derive(Debug)]
struct OneHot {
    /// Where the new axis is inserted.
    axis: i64,
}

pub fn build(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(OneHot { axis: context.attributes.int("axis")?.unwrap_or(-1) }))
}

/// Numbers of any type as integers. A fraction names nothing, so it becomes a number that is out of any range.
fn whole_numbers(tensor: &Tensor, index: usize, name: &'static str) -> Result<Vec<i64>, OpError> {
    TypeSet::NUMBERS.check(tensor, index, name)?;
    if let Ok(integers) = tensor.to_i64s() {
        return Ok(integers);
    }
    let whole = |number: f64| if number == number.trunc() { i64::from_f64(number) } else { i64::MIN };
    let element_type = tensor.element_type();
    match_number!(element_type, T => Ok(tensor.as_slice::<T>()?.iter().map(|number| whole(number.to_f64())).collect()),
        else Err(OpError::unsupported(format!("OneHot of {element_type}"))))
}

fn read_depth(depth: &Tensor) -> Result<usize, OpError> {
    match whole_numbers(depth, 1, "depth")?.as_slice() {
        &[depth] => usize::try_from(depth).map_err(|_| OpError::value(format!("the depth should be a whole number of at least 0, but is {depth}"))),
        other => Err(OpError::shape(format!("input 1 (depth) should hold one number, but holds {}", other.len()))),
    }
}

/// Fills the result: blocks of `n_inner` indices before the new axis, `depth` along it.
fn fill<T: Clone>(indices: &[i64], depth: usize, n_inner: usize, off: &T, on: &T) -> Vec<T> {
    let mut filled = vec![off.clone(); indices.len() * depth];
    let signed_depth = i64::try_from(depth).unwrap_or(i64::MAX);
    for (at, &index) in indices.iter().enumerate() {
        let position = if index < 0 { index.saturating_add(signed_depth) } else { index };
        if let Some(position) = usize::try_from(position).ok().filter(|&position| position < depth) {
            filled[(at / n_inner * depth + position) * n_inner + at % n_inner] = on.clone();
        }
    }
    filled
}

fn fill_elements<T: Element>(shape: &[usize], indices: &[i64], depth: usize, n_inner: usize, values: &Tensor) -> Result<Tensor, OpError> {
    match values.as_slice::<T>()?.as_ref() {
        [off, on] => Ok(Tensor::from_vec(shape, fill(indices, depth, n_inner, off, on))?),
        _ => Err(wrong_values(values)),
    }
}

fn wrong_values(values: &Tensor) -> OpError {
    OpError::WrongInput { index: 2, name: "values", expected: "two elements, off and on".to_owned(), found: format!("{values:?}") }
}

impl Operator for OneHot {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let Some((element_type, _)) = inputs.tensor(2) else { return Ok(vec![None]) };
        let shape = match inputs.tensor(0).and_then(|(_, shape)| shape.dims()) {
            Some(dims) => {
                let axis = normalize_axis(self.axis, dims.len() + 1)?;
                let depth = inputs.constant_ints(1).and_then(|depth| usize::try_from(*depth.first()?).ok());
                let mut dims = dims.to_vec();
                dims.insert(axis, depth.map_or(Dimension::Unknown, Dimension::Known));
                SymbolicShape(Some(dims))
            }
            None => SymbolicShape::unknown(),
        };
        Ok(vec![Some(ValueType::tensor(element_type, shape))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let indices = inputs.take_tensor(0, "indices")?;
        let depth = read_depth(&inputs.take_tensor(1, "depth")?)?;
        let values = inputs.take_tensor(2, "values")?;
        if values.shape() != [2] {
            return Err(wrong_values(&values));
        }
        let axis = normalize_axis(self.axis, indices.rank() + 1)?;
        let mut shape = Shape::from_slice(indices.shape());
        shape.insert(axis, depth);
        let element_type = values.element_type();
        context.check_result_size(element_type, &shape)?;
        let n_inner: usize = indices.shape()[axis..].iter().product();
        let indices = whole_numbers(&indices, 0, "indices")?;
        if element_type == ElementType::String {
            let strings = values.as_strings()?;
            return Ok(single(Tensor::from_strings(&shape, fill(&indices, depth, n_inner, &strings[0], &strings[1]))?));
        }
        let filled = match_element!(element_type, T => fill_elements::<T>(&shape, &indices, depth, n_inner, &values),
            else Err(OpError::unsupported(format!("OneHot with values of {element_type}"))));
        Ok(single(filled?))
    }
}

#[cfg(test)]
mod tests {
    use crate::host::ElementType;
    use crate::ops::testing::{assert_strings, assert_tensor, op, strings, tensor, typed};
    use crate::tensor::Tensor;

    #[test]
    fn an_index_turns_one_element_on() {
        let values = || tensor(&[2], &[0.0_f32, 1.0]);
        let depth = || Tensor::scalar(3_i64);
        let last = op("OneHot").run1([tensor(&[2], &[2_i64, -3]), depth(), values()]);
        assert_tensor(&last, &[2, 3], &[0.0_f32, 0.0, 1.0, 1.0, 0.0, 0.0]);
        let first = op("OneHot").int("axis", 0).run1([tensor(&[2], &[2.0_f32, 1.0]), depth(), values()]);
        assert_tensor(&first, &[3, 2], &[0.0_f32, 0.0, 0.0, 1.0, 1.0, 0.0]);
        let outside = op("OneHot").run1([tensor(&[3], &[3_i32, -4, i32::MIN]), depth(), values()]);
        assert_tensor(&outside, &[3, 3], &[0.0_f32; 9]);
        let fraction = op("OneHot").run1([tensor(&[1], &[1.9_f32]), depth(), values()]);
        assert_tensor(&fraction, &[1, 3], &[0.0_f32; 3]);
        let middle = op("OneHot").int("axis", 1).run1([tensor(&[1, 2], &[0_u8, 1]), tensor(&[1], &[2.0_f32]), tensor(&[2], &[5_i8, 7])]);
        assert_tensor(&middle, &[1, 2, 2], &[7_i8, 5, 5, 7]);
        let words = op("OneHot").run1([Tensor::scalar(1_i64), Tensor::scalar(2_i64), strings(&[2], &["no", "yes"])]);
        assert_strings(&words, &[2], &["no", "yes"]);
        let none = op("OneHot").run1([Tensor::empty(ElementType::I64, &[0]), depth(), values()]);
        assert_eq!(none.shape(), [0, 3]);
        assert_eq!(op("OneHot").run1([tensor(&[2], &[0_i64, 1]), Tensor::scalar(0_i64), values()]).shape(), [2, 0]);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let index = || tensor(&[1], &[0_i64]);
        let values = || tensor(&[2], &[0.0_f32, 1.0]);
        assert_eq!(op("OneHot").error([index(), Tensor::scalar(-1_i64), values()]), "the depth should be a whole number of at least 0, but is -1");
        assert!(op("OneHot").error([index(), tensor(&[2], &[1_i64, 2]), values()]).contains("should hold one number, but holds 2"));
        assert!(op("OneHot").error([index(), Tensor::scalar(1_i64), tensor(&[1], &[0.0_f32])]).contains("two elements, off and on"));
        assert!(op("OneHot").int("axis", 2).error([index(), Tensor::scalar(1_i64), values()]).contains("axis 2 is out of range [-2, 1]"));
        assert!(op("OneHot").max_result_bytes(1000).error([index(), Tensor::scalar(i64::MAX), values()]).contains("more than the limit"));
        assert!(op("OneHot").error([strings(&[1], &["a"]), Tensor::scalar(1_i64), values()]).contains("a tensor of numbers"));
    }

    #[test]
    fn the_depth_becomes_a_dimension() {
        let types = [typed::<i64>("N"), typed::<i64>(""), typed::<f32>("2")];
        assert_eq!(op("OneHot").constant(1, &Tensor::scalar(5_i64)).infer(types.clone()), [Some("float32[N, 5]".to_owned())]);
        assert_eq!(op("OneHot").int("axis", 0).infer(types), [Some("float32[?, N]".to_owned())]);
    }
}
