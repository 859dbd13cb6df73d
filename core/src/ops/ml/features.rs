//! FeatureVectorizer and ArrayFeatureExtractor: putting features together and picking them out.

use super::{numbers, rows_dimension, wrong_input};
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::host::{Element, ElementType};
use crate::ops::operator::{Outputs, single};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::{Shape, Tensor};

/// All inputs side by side in one float32 matrix. <https://onnx.ai/onnx/operators/onnx_aionnxml_FeatureVectorizer.html>, since version 1.
#[derive(Debug)]
struct FeatureVectorizer {
    /// Columns for each input: wider inputs are cut off, narrower ones filled up with zeros.
    widths: Vec<usize>,
}

pub(super) fn build_feature_vectorizer(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let widths = node.attributes.require_ints("inputdimensions")?;
    if widths.len() != node.n_inputs {
        return Err(OpError::value(format!("inputdimensions has {} values for {} inputs", widths.len(), node.n_inputs)));
    }
    let widths = widths
        .iter()
        .map(|&width| usize::try_from(width).map_err(|_| OpError::value(format!("inputdimensions has {width}, which is no number of columns"))))
        .collect::<Result<Vec<_>, _>>()?;
    if widths.iter().try_fold(0_usize, |sum, &width| sum.checked_add(width)).is_none() {
        return Err(OpError::value("inputdimensions add up to more columns than this machine can address"));
    }
    Ok(Box::new(FeatureVectorizer { widths }))
}

impl FeatureVectorizer {
    fn width(&self) -> usize {
        self.widths.iter().sum()
    }
}

impl Operator for FeatureVectorizer {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let rows = inputs.tensor(0).map_or(Dimension::Unknown, |(_, shape)| match shape.dims() {
            Some([_]) | None => rows_dimension(shape),
            Some(dims) => dims.first().cloned().unwrap_or(Dimension::Unknown),
        });
        Ok(vec![Some(ValueType::tensor(ElementType::F32, vec![rows, Dimension::Known(self.width())]))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let tensors = inputs.take_tensors("X")?;
        let shapes = tensors
            .iter()
            .enumerate()
            .map(|(index, tensor)| match tensor.shape() {
                [] => Err(wrong_input(index, "X", "a matrix [rows, features] or a single row [features]", tensor)),
                [n_features] => Ok((1, *n_features)),
                // What has more dimensions is flattened row by row.
                [n_rows, features @ ..] => Ok((*n_rows, features.iter().product())),
            })
            .collect::<Result<Vec<(usize, usize)>, _>>()?;
        let n_rows = shapes.first().map_or(0, |shape| shape.0);
        if let Some(index) = shapes.iter().position(|shape| shape.0 != n_rows) {
            return Err(OpError::shape(format!("input 0 has {n_rows} rows, but input {index} has {}", shapes[index].0)));
        }
        let width = self.width();
        let mut joined = vec![0.0; context.check_result_size(ElementType::F32, &[n_rows, width])?];
        let mut first_column = 0;
        for (index, ((tensor, &(_, n_features)), &columns)) in tensors.iter().zip(&shapes).zip(&self.widths).enumerate() {
            let values = numbers(index, "X", tensor)?;
            let n_copied = n_features.min(columns);
            if n_copied > 0 {
                for (row, values) in joined.chunks_mut(width).zip(values.chunks(n_features)) {
                    row[first_column..first_column + n_copied].copy_from_slice(&values[..n_copied]);
                }
            }
            first_column += columns;
        }
        Ok(single(Tensor::from_vec(&[n_rows, width], joined)?))
    }
}

/// Picks elements of the last dimension. <https://onnx.ai/onnx/operators/onnx_aionnxml_ArrayFeatureExtractor.html>, since version 1.
#[derive(Debug)]
struct ArrayFeatureExtractor;

pub(super) fn build_array_feature_extractor(_node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(ArrayFeatureExtractor))
}

fn pick<T: Clone>(values: &[T], row_length: usize, positions: &[usize]) -> Vec<T> {
    values.chunks(row_length).flat_map(|row| positions.iter().map(|&position| row[position].clone())).collect()
}

fn pick_numbers<T: Element>(x: &Tensor, shape: &[usize], row_length: usize, positions: &[usize]) -> Result<Tensor, OpError> {
    Ok(Tensor::from_vec(shape, pick(&x.as_slice::<T>()?, row_length, positions))?)
}

impl Operator for ArrayFeatureExtractor {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let Some((element_type, shape)) = inputs.tensor(0) else { return Ok(vec![None]) };
        let n_picked = inputs.tensor(1).and_then(|(_, shape)| shape.as_known()).map(|dims| Dimension::Known(dims.iter().product()));
        let n_picked = n_picked.unwrap_or(Dimension::Unknown);
        let shape = match shape.dims() {
            Some([_]) => vec![Dimension::Known(1), n_picked].into(),
            Some([dims @ .., _]) => dims.iter().cloned().chain([n_picked]).collect::<Vec<_>>().into(),
            _ => SymbolicShape::unknown(),
        };
        Ok(vec![Some(ValueType::tensor(element_type, shape))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "X")?;
        let y = inputs.take_tensor(1, "Y")?;
        let Some((&row_length, outer)) = x.shape().split_last() else {
            return Err(wrong_input(0, "X", "a tensor of at least one dimension", &x));
        };
        let positions = y
            .to_i64s()?
            .into_iter()
            .map(|position| {
                usize::try_from(position)
                    .ok()
                    .filter(|&position| position < row_length)
                    .ok_or_else(|| OpError::value(format!("Y asks for element {position} of a dimension of {row_length}")))
            })
            .collect::<Result<Vec<_>, _>>()?;
        if positions.is_empty() {
            return Err(OpError::value("Y is empty: it must say which elements to pick"));
        }
        let mut shape: Shape = if outer.is_empty() { Shape::from_slice(&[1]) } else { outer.into() };
        shape.push(positions.len());
        context.check_result_size(x.element_type(), &shape)?;
        Ok(single(match x.element_type() {
            ElementType::String => Tensor::from_strings(&shape, pick(x.as_strings()?, row_length, &positions))?,
            ElementType::F32 => pick_numbers::<f32>(&x, &shape, row_length, &positions)?,
            ElementType::F64 => pick_numbers::<f64>(&x, &shape, row_length, &positions)?,
            ElementType::I64 => pick_numbers::<i64>(&x, &shape, row_length, &positions)?,
            ElementType::I32 => pick_numbers::<i32>(&x, &shape, row_length, &positions)?,
            _ => return Err(wrong_input(0, "X", "a tensor of float32, float64, int64, int32 or string", &x)),
        }))
    }
}
