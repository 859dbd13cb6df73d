//! EmbedLayerNormalization and its quantised form: the sum of word, position and segment embeddings, normalized.

use std::borrow::Cow;

use smallvec::SmallVec;

use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::host::ElementType;
use crate::ops::operator::Outputs;
use crate::ops::quantize::operands::{EightBits, Uniform};
use crate::ops::types::{TypeSet, check_same_type, float_tensor};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::{Tensor, Value};

/// Outputs: the result, how many words of each row the mask keeps, and the sum before normalization. The quantised form has tables, gamma and beta
/// of 8-bit integers, their scales and zero points as further inputs, and results in float32.
#[derive(Debug)]
struct EmbedLayerNormalization {
    epsilon: f32,
    n_outputs: usize,
    is_quantized: bool,
}

pub fn build(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let epsilon = node.attributes.float("epsilon")?.unwrap_or(1e-12);
    Ok(Box::new(EmbedLayerNormalization { epsilon, n_outputs: node.n_outputs.clamp(1, 3), is_quantized: false }))
}

pub fn build_quantized(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let epsilon = node.attributes.float("epsilon")?.unwrap_or(1e-12);
    Ok(Box::new(EmbedLayerNormalization { epsilon, n_outputs: node.n_outputs.clamp(1, 2), is_quantized: true }))
}

/// A learned tensor, as it came in.
enum Learned {
    Numbers { tensor: Tensor, name: &'static str },
    Quantized { uniform: Uniform, name: &'static str },
}

impl Learned {
    fn name(&self) -> &'static str {
        match self {
            Self::Numbers { name, .. } | Self::Quantized { name, .. } => name,
        }
    }

    fn shape(&self) -> &[usize] {
        match self {
            Self::Numbers { tensor, .. } => tensor.shape(),
            Self::Quantized { uniform, .. } => uniform.tensor.shape(),
        }
    }

    /// A row of numbers.
    fn row(&self) -> Result<Vec<f32>, OpError> {
        match self {
            Self::Numbers { tensor, .. } => Ok(tensor.to_f32s()?),
            Self::Quantized { uniform, .. } => uniform.dequantized(),
        }
    }

    fn table(&self) -> Result<Table<'_>, OpError> {
        let &[count, width] = self.shape() else {
            return Err(OpError::shape(format!("{} should be a matrix, but has shape {:?}", self.name(), self.shape())));
        };
        let rows = match self {
            Self::Numbers { tensor, .. } if tensor.element_type() == ElementType::F32 => Rows::Numbers(tensor.as_slice::<f32>()?),
            Self::Numbers { tensor, .. } => Rows::Numbers(tensor.to_f32s()?.into()),
            Self::Quantized { uniform, .. } => {
                Rows::Quantized { bytes: EightBits::new(&uniform.tensor, 0, self.name())?.bytes, numbers: Box::new(uniform.table()) }
            }
        };
        Ok(Table { name: self.name(), count, width, rows })
    }
}

/// A table with a row of `width` numbers for each of `count` entries.
struct Table<'a> {
    name: &'static str,
    count: usize,
    width: usize,
    rows: Rows<'a>,
}

enum Rows<'a> {
    Numbers(Cow<'a, [f32]>),
    Quantized {
        bytes: Cow<'a, [u8]>,
        /// The number behind each byte.
        numbers: Box<[f32; 256]>,
    },
}

impl Table<'_> {
    fn add_row(&self, index: i64, sums: &mut [f32]) -> Result<(), OpError> {
        let in_range = usize::try_from(index).ok().filter(|&index| index < self.count);
        let index = in_range.ok_or_else(|| OpError::value(format!("{} has {} rows, so there is none for the id {index}", self.name, self.count)))?;
        let row = index * self.width..(index + 1) * self.width;
        match &self.rows {
            Rows::Numbers(numbers) => sums.iter_mut().zip(&numbers[row]).for_each(|(sum, number)| *sum += number),
            Rows::Quantized { bytes, numbers } => sums.iter_mut().zip(&bytes[row]).for_each(|(sum, &byte)| *sum += numbers[usize::from(byte)]),
        }
        Ok(())
    }
}

/// What the operator learned: three tables (the segments' is optional), gamma and beta.
struct Weights {
    words: Learned,
    positions: Learned,
    segments: Option<Learned>,
    gamma: Learned,
    beta: Learned,
    /// Of the results.
    element_type: ElementType,
}

impl Weights {
    fn take(inputs: &mut Inputs) -> Result<Self, OpError> {
        let (words, positions) = (inputs.take_tensor(2, "word_embedding")?, inputs.take_tensor(3, "position_embedding")?);
        let segments = inputs.take_optional_tensor(4, "segment_embedding")?;
        let (gamma, beta) = (inputs.take_tensor(5, "gamma")?, inputs.take_tensor(6, "beta")?);
        TypeSet::FLOATS.check(&words, 2, "word_embedding")?;
        for tensor in [Some(&positions), segments.as_ref(), Some(&gamma), Some(&beta)].into_iter().flatten() {
            check_same_type(&words, tensor)?;
        }
        Ok(Self {
            element_type: words.element_type(),
            words: Learned::Numbers { tensor: words, name: "word_embedding" },
            positions: Learned::Numbers { tensor: positions, name: "position_embedding" },
            segments: segments.map(|tensor| Learned::Numbers { tensor, name: "segment_embedding" }),
            gamma: Learned::Numbers { tensor: gamma, name: "gamma" },
            beta: Learned::Numbers { tensor: beta, name: "beta" },
        })
    }

    fn take_quantized(inputs: &mut Inputs) -> Result<Self, OpError> {
        let mut take = |index: usize, names: [&'static str; 3]| {
            let uniform = Uniform::take_from(inputs, [index, index + 6, index + 11], names)?;
            Ok::<_, OpError>(Learned::Quantized { uniform, name: names[0] })
        };
        Ok(Self {
            words: take(2, ["word_embedding_quant", "word_embedding_scale", "word_embedding_zero_point"])?,
            positions: take(3, ["position_embedding_quant", "position_embedding_scale", "position_embedding_zero_point"])?,
            gamma: take(5, ["gamma_quant", "gamma_scale", "gamma_zero_point"])?,
            beta: take(6, ["beta_quant", "beta_scale", "beta_zero_point"])?,
            segments: match inputs.has(4) {
                true => {
                    let names = ["segment_embedding_quant", "segment_embedding_scale", "segment_embedding_zero_point"];
                    Some(Learned::Quantized { uniform: Uniform::take_from(inputs, [4, 10, 15], names)?, name: names[0] })
                }
                false => None,
            },
            element_type: ElementType::F32,
        })
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
        let of_table = |(element_type, _)| ValueType::tensor(if self.is_quantized { ElementType::F32 } else { element_type }, shape);
        let rows = table.map(of_table);
        let kept = ids.and_then(|dims| Some(ValueType::tensor(ElementType::I32, vec![dims.first()?.clone()])));
        Ok([rows.clone(), kept, rows].into_iter().take(self.n_outputs).collect())
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let (word_ids, segment_ids) = (inputs.take_tensor(0, "input_ids")?, inputs.take_optional_tensor(1, "segment_ids")?);
        let weights = if self.is_quantized { Weights::take_quantized(&mut inputs)? } else { Weights::take(&mut inputs)? };
        let mask = inputs.take_optional_tensor(7, "mask")?;
        let position_ids = if self.is_quantized { None } else { inputs.take_optional_tensor(8, "position_ids")? };
        let &[batch, length] = word_ids.shape() else {
            return Err(OpError::shape(format!("input_ids should be [batch, sequence length], but has shape {:?}", word_ids.shape())));
        };
        let (words, positions) = (weights.words.table()?, weights.positions.table()?);
        let segments = match (&weights.segments, &segment_ids) {
            (Some(table), Some(segment_ids)) => Some((table.table()?, ids(segment_ids, batch, length, "segment_ids")?)),
            _ => None,
        };
        let (width, element_type) = (words.width, weights.element_type);
        let shape = [batch, length, width];
        context.check_result_size(ElementType::F32, &shape)?;
        let (gamma, beta) = (weights.gamma.row()?, weights.beta.row()?);
        for (name, found) in [
            (positions.name, positions.width),
            ("segment_embedding", segments.as_ref().map_or(width, |(table, _)| table.width)),
            ("gamma", gamma.len()),
            ("beta", beta.len()),
        ] {
            if found != width {
                return Err(OpError::shape(format!("{name} is {found} wide, but word_embedding {width}")));
            }
        }
        let word_ids = word_ids.to_i64s()?;
        let position_ids = position_ids.map(|position_ids| ids(&position_ids, batch, length, "position_ids")).transpose()?;
        let mut sums = vec![0.0; word_ids.len() * width];
        let mut results = Vec::with_capacity(sums.len());
        for (index, &word) in word_ids.iter().enumerate() {
            let place = match &position_ids {
                Some(position_ids) => position_ids[index % position_ids.len()],
                None => i64::try_from(index % length).unwrap_or(i64::MAX),
            };
            let row = &mut sums[index * width..][..width];
            words.add_row(word, row)?;
            positions.add_row(place, row)?;
            if let Some((table, ids)) = &segments {
                table.add_row(ids[index % ids.len()], row)?;
            }
            self.normalize(row, &gamma, &beta, &mut results);
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
