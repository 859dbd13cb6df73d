//! OneHotEncoder: each element becomes a vector with a 1 at its category. <https://onnx.ai/onnx/operators/onnx_aionnxml_OneHotEncoder.html>,
//! since version 1.

use compact_str::CompactString;

use super::{FastHashMap, wrong_input};
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::host::ElementType;
use crate::ops::operator::{Outputs, single};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::{Shape, Tensor};

#[derive(Debug)]
struct OneHotEncoder {
    categories: Categories,
    n_categories: usize,
    /// Unknown categories become all zeros; otherwise they are an error.
    allows_unknown: bool,
}

/// Position of each category. Of equal ones the last counts.
#[derive(Debug)]
enum Categories {
    Ints(FastHashMap<i64, usize>),
    Strings(FastHashMap<CompactString, usize>),
}

pub(super) fn build(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let ints = node.attributes.ints("cats_int64s")?.unwrap_or_default();
    let strings = node.attributes.texts("cats_strings")?.unwrap_or_default();
    let categories = match (ints.is_empty(), strings.is_empty()) {
        (false, true) => Categories::Ints(ints.iter().enumerate().map(|(position, &category)| (category, position)).collect()),
        (true, false) => {
            Categories::Strings(strings.iter().enumerate().map(|(position, &category)| (CompactString::from(category), position)).collect())
        }
        _ => return Err(OpError::value("exactly one of cats_int64s and cats_strings must be given")),
    };
    let allows_unknown = node.attributes.int("zeros")?.unwrap_or(1) != 0;
    Ok(Box::new(OneHotEncoder { categories, n_categories: ints.len() + strings.len(), allows_unknown }))
}

impl OneHotEncoder {
    /// One output row for each element, with a 1 where `position` says.
    fn encode<T: std::fmt::Debug>(&self, elements: &[T], n_outputs: usize, position: impl Fn(&T) -> Option<usize>) -> Result<Vec<f32>, OpError> {
        let mut encoded = vec![0.0; n_outputs];
        for (element, row) in elements.iter().zip(encoded.chunks_mut(self.n_categories)) {
            match position(element) {
                Some(position) => row[position] = 1.0,
                None if self.allows_unknown => {}
                None => {
                    return Err(OpError::value(format!("{element:?} is none of the {} categories, and zeros = 0 forbids that", self.n_categories)));
                }
            }
        }
        Ok(encoded)
    }
}

/// The integer that a float is cast to, if there is one: NaN and what is out of range belong to no category.
fn to_category(value: f64) -> Option<i64> {
    // Two to the power of 63, the first integer that is too large.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    (-LIMIT..LIMIT).contains(&value).then_some(value as i64)
}

impl Operator for OneHotEncoder {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let dims = inputs.tensor(0).and_then(|(_, shape)| shape.dims());
        let shape = dims.map_or_else(SymbolicShape::unknown, |dims| {
            let mut dims = dims.to_vec();
            dims.push(Dimension::Known(self.n_categories));
            dims.into()
        });
        Ok(vec![Some(ValueType::tensor(ElementType::F32, shape))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "X")?;
        let mut shape: Shape = x.shape().into();
        shape.push(self.n_categories);
        let n_outputs = context.check_result_size(ElementType::F32, &shape)?;
        let encoded = match (&self.categories, x.element_type()) {
            (Categories::Strings(categories), ElementType::String) => {
                self.encode(x.as_strings()?, n_outputs, |text| categories.get(text).copied())?
            }
            (Categories::Ints(categories), ElementType::I64) => {
                self.encode(&x.as_slice::<i64>()?, n_outputs, |category| categories.get(category).copied())?
            }
            (Categories::Ints(categories), ElementType::I32) => {
                self.encode(&x.as_slice::<i32>()?, n_outputs, |&category| categories.get(&i64::from(category)).copied())?
            }
            (Categories::Ints(categories), ElementType::F32) => {
                self.encode(&x.as_slice::<f32>()?, n_outputs, |&value| categories.get(&to_category(f64::from(value))?).copied())?
            }
            (Categories::Ints(categories), ElementType::F64) => {
                self.encode(&x.as_slice::<f64>()?, n_outputs, |&value| categories.get(&to_category(value)?).copied())?
            }
            (Categories::Strings(_), _) => return Err(wrong_input(0, "X", "a tensor of string, as the categories are", &x)),
            (Categories::Ints(_), _) => {
                return Err(wrong_input(0, "X", "a tensor of int64, int32, float32 or float64, as the categories are integers", &x));
            }
        };
        Ok(single(Tensor::from_vec(&shape, encoded)?))
    }
}
