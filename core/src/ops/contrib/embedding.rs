//! EmbedLayerNormalization: the sum of word, position and segment embeddings, normalized.

use smallvec::SmallVec;

use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::host::ElementType;
use crate::ops::operator::Outputs;
use crate::ops::types::{TypeSet, check_same_type, float_tensor};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::{Tensor, Value};

/// Outputs: the result, how many words of each row the mask keeps, and the sum before normalization.
#[derive(Debug)]
struct EmbedLayerNormalization {
    epsilon: f32,
    n_outputs: usize,
}

pub fn build(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let epsilon = node.attributes.float("epsilon")?.unwrap_or(1e-12);
    Ok(Box::new(EmbedLayerNormalization { epsilon, n_outputs: node.n_outputs.clamp(1, 3) }))
}

/// A table with a row of `width` numbers for each of `count` entries.
struct Table {
    name: &'static str,
    count: usize,
    width: usize,
    rows: Vec<f32>,
}

impl Table {
    fn new(tensor: &Tensor, name: &'static str) -> Result<Self, OpError> {
        let &[count, width] = tensor.shape() else {
            return Err(OpError::shape(format!("{name} should be a matrix, but has shape {:?}", tensor.shape())));
        };
        Ok(Self { name, count, width, rows: tensor.to_f32s()? })
    }

    fn row(&self, index: i64) -> Result<&[f32], OpError> {
        let in_range = usize::try_from(index).ok().filter(|&index| index < self.count);
        let index = in_range.ok_or_else(|| OpError::value(format!("{} has {} rows, so there is none for the id {index}", self.name, self.count)))?;
        Ok(&self.rows[index * self.width..][..self.width])
    }
}

/// Integers of shape [batch, length], or [1, length] for all.
fn ids(tensor: &Tensor, batch: usize, length: usize, name: &str) -> Result<Vec<i64>, OpError> {
    if tensor.shape() != [batch, length] && tensor.shape() != [1, length] {
        return Err(OpError::shape(format!("{name} has shape {:?}, but input_ids [{batch}, {length}]", tensor.shape())));
    }
    Ok(tensor.to_i64s()?)
}

impl EmbedLayerNormalization {
    /// `(x − mean) / √(variance + epsilon) · gamma + beta` of one row.
    fn normalize(&self, row: &[f32], gamma: &[f32], beta: &[f32], result: &mut Vec<f32>) {
        let length = row.len() as f32;
        let mean = row.iter().sum::<f32>() / length;
        let variance = row.iter().map(|value| (value - mean) * (value - mean)).sum::<f32>() / length;
        let inverse = 1.0 / (variance + self.epsilon).sqrt();
        result.extend(row.iter().zip(gamma).zip(beta).map(|((value, gamma), beta)| (value - mean) * inverse * gamma + beta));
    }
}

impl Operator for EmbedLayerNormalization {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let ids = inputs.tensor(0).and_then(|(_, shape)| shape.dims());
        let table = inputs.tensor(2);
        let width = table.and_then(|(_, shape)| shape.dims()?.get(1).cloned()).unwrap_or(Dimension::Unknown);
        let shape = SymbolicShape(ids.map(|dims| dims.iter().cloned().chain([width]).collect()));
        let rows = table.map(|(element_type, _)| ValueType::tensor(element_type, shape));
        let kept = ids.and_then(|dims| Some(ValueType::tensor(ElementType::I32, vec![dims.first()?.clone()])));
        Ok([rows.clone(), kept, rows].into_iter().take(self.n_outputs).collect())
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let word_ids = inputs.take_tensor(0, "input_ids")?;
        let segment_ids = inputs.take_optional_tensor(1, "segment_ids")?;
        let (words, positions) = (inputs.take_tensor(2, "word_embedding")?, inputs.take_tensor(3, "position_embedding")?);
        let segments = inputs.take_optional_tensor(4, "segment_embedding")?;
        let (gamma, beta) = (inputs.take_tensor(5, "gamma")?, inputs.take_tensor(6, "beta")?);
        let mask = inputs.take_optional_tensor(7, "mask")?;
        let position_ids = inputs.take_optional_tensor(8, "position_ids")?;
        let element_type = words.element_type();
        TypeSet::FLOATS.check(&words, 2, "word_embedding")?;
        for tensor in [Some(&positions), segments.as_ref(), Some(&gamma), Some(&beta)].into_iter().flatten() {
            check_same_type(&words, tensor)?;
        }
        let &[batch, length] = word_ids.shape() else {
            return Err(OpError::shape(format!("input_ids should be [batch, sequence length], but has shape {:?}", word_ids.shape())));
        };
        let (words, positions) = (Table::new(&words, "word_embedding")?, Table::new(&positions, "position_embedding")?);
        let segments = match (&segments, &segment_ids) {
            (Some(table), Some(segment_ids)) => Some((Table::new(table, "segment_embedding")?, ids(segment_ids, batch, length, "segment_ids")?)),
            _ => None,
        };
        let width = words.width;
        for (name, found) in [
            ("position_embedding", positions.width),
            ("segment_embedding", segments.as_ref().map_or(width, |(table, _)| table.width)),
            ("gamma", gamma.n_elements()),
            ("beta", beta.n_elements()),
        ] {
            if found != width {
                return Err(OpError::shape(format!("{name} is {found} wide, but word_embedding {width}")));
            }
        }
        let shape = [batch, length, width];
        context.check_result_size(ElementType::F32, &shape)?;
        let (gamma, beta) = (gamma.to_f32s()?, beta.to_f32s()?);
        let word_ids = word_ids.to_i64s()?;
        let position_ids = position_ids.map(|position_ids| ids(&position_ids, batch, length, "position_ids")).transpose()?;
        let mut sums = Vec::with_capacity(word_ids.len() * width);
        let mut results = Vec::with_capacity(word_ids.len() * width);
        for (index, &word) in word_ids.iter().enumerate() {
            let place = match &position_ids {
                Some(position_ids) => position_ids[index % position_ids.len()],
                None => i64::try_from(index % length).unwrap_or(i64::MAX),
            };
            let mut row: Vec<f32> = words.row(word)?.iter().zip(positions.row(place)?).map(|(word, position)| word + position).collect();
            if let Some((table, ids)) = &segments {
                row.iter_mut().zip(table.row(ids[index % ids.len()])?).for_each(|(sum, segment)| *sum += segment);
            }
            self.normalize(&row, &gamma, &beta, &mut results);
            sums.extend(row);
        }
        let mut outputs: SmallVec<[Value; 1]> = SmallVec::new();
        outputs.push(float_tensor(element_type, &shape, results)?.into());
        if self.n_outputs > 1 {
            let kept = match mask {
                Some(mask) => {
                    let mask = ids(&mask, batch, length, "mask")?;
                    let count = |row: usize| mask.iter().skip(row * length % mask.len().max(1)).take(length).filter(|&&keep| keep == 1).count();
                    (0..batch).map(|row| i32::try_from(count(row)).unwrap_or(i32::MAX)).collect()
                }
                None => vec![0; batch],
            };
            outputs.push(Tensor::from_vec(&[batch], kept)?.into());
        }
        if self.n_outputs > 2 {
            outputs.push(float_tensor(element_type, &shape, sums)?.into());
        }
        Ok(outputs)
    }
}
