//! Scaler, Normalizer and Binarizer: element by element, or row by row.

use super::{NUMBERS, matrix_shape, numbers, same_shape, wrong_input};
use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::host::{Element, ElementType};
use crate::ops::operator::{Outputs, single};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::Tensor;

/// `(x - offset) * scale`. <https://onnx.ai/onnx/operators/onnx_aionnxml_Scaler.html>, since version 1.
#[derive(Debug)]
struct Scaler {
    /// One for all features, or one for each; as many as `scales`.
    offsets: Vec<f32>,
    scales: Vec<f32>,
}

pub(super) fn build_scaler(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let offsets = node.attributes.require_floats("offset")?.to_vec();
    let scales = node.attributes.require_floats("scale")?.to_vec();
    if offsets.len() != scales.len() || scales.is_empty() {
        return Err(OpError::value(format!("offset and scale must be equally long, but have {} and {} values", offsets.len(), scales.len())));
    }
    Ok(Box::new(Scaler { offsets, scales }))
}

impl Scaler {
    /// Applies `scale_one(x, offset, scale)` to each element.
    fn scale<T: Copy>(&self, values: &[T], n_features: usize, scale_one: impl Fn(T, f32, f32) -> f32) -> Vec<f32> {
        if let ([offset], [scale]) = (self.offsets.as_slice(), self.scales.as_slice()) {
            return values.iter().map(|&value| scale_one(value, *offset, *scale)).collect();
        }
        let mut scaled = Vec::with_capacity(values.len());
        for row in values.chunks(n_features.max(1)) {
            scaled.extend(row.iter().zip(&self.offsets).zip(&self.scales).map(|((&value, &offset), &scale)| scale_one(value, offset, scale)));
        }
        scaled
    }
}

impl Operator for Scaler {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![Some(same_shape(inputs, ElementType::F32))])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "X")?;
        let n_features = if self.scales.len() == 1 { 1 } else { matrix_shape(0, "X", &x)?.1 };
        if n_features != self.scales.len() {
            return Err(OpError::shape(format!("X has {n_features} features, but offset and scale have {} values", self.scales.len())));
        }
        let scaled = match x.element_type() {
            // Only float64 keeps its precision until the end.
            ElementType::F64 => {
                self.scale(&x.as_slice::<f64>()?, n_features, |value, offset, scale| ((value - f64::from(offset)) * f64::from(scale)) as f32)
            }
            _ => self.scale(&numbers(0, "X", &x)?, n_features, |value, offset, scale| (value - offset) * scale),
        };
        Ok(single(Tensor::from_vec(x.shape(), scaled)?))
    }
}

/// Each row divided by its norm. <https://onnx.ai/onnx/operators/onnx_aionnxml_Normalizer.html>, since version 1.
#[derive(Debug)]
enum Normalizer {
    Max,
    L1,
    L2,
}

pub(super) fn build_normalizer(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(match node.attributes.text("norm")?.unwrap_or("MAX") {
        "MAX" => Normalizer::Max,
        "L1" => Normalizer::L1,
        "L2" => Normalizer::L2,
        other => return Err(OpError::value(format!("norm is '{other}', not one of MAX, L1, L2"))),
    }))
}

impl Normalizer {
    /// Rows whose norm is zero stay as they are.
    fn normalize(&self, row: &mut [f32]) {
        let norm = match self {
            // The largest value, not the largest magnitude.
            Self::Max => row.iter().fold(f32::MIN, |largest, &value| if value > largest { value } else { largest }),
            Self::L1 => row.iter().map(|value| value.abs()).sum(),
            Self::L2 => row.iter().map(|value| value * value).sum(),
        };
        if norm == 0.0 {
            return;
        }
        for value in row {
            *value = match self {
                Self::Max | Self::L1 => *value / norm,
                Self::L2 => {
                    let magnitude = (*value * *value / norm).sqrt();
                    if *value < 0.0 { -magnitude } else { magnitude }
                }
            };
        }
    }
}

impl Operator for Normalizer {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![Some(same_shape(inputs, ElementType::F32))])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "X")?;
        let (_, n_features) = matrix_shape(0, "X", &x)?;
        let shape = x.shape().to_vec();
        let mut values = if x.element_type() == ElementType::F32 { x.into_vec::<f32>()? } else { numbers(0, "X", &x)?.into_owned() };
        values.chunks_mut(n_features.max(1)).for_each(|row| self.normalize(row));
        Ok(single(Tensor::from_vec(&shape, values)?))
    }
}

/// 1 above the threshold, else 0. <https://onnx.ai/onnx/operators/onnx_aionnxml_Binarizer.html>, since version 1.
#[derive(Debug)]
struct Binarizer {
    threshold: f32,
}

pub(super) fn build_binarizer(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(Binarizer { threshold: node.attributes.float("threshold")?.unwrap_or(0.0) }))
}

impl Binarizer {
    fn binarize<T: Element + PartialOrd>(x: &Tensor, threshold: T, zero: T, one: T) -> Result<Tensor, OpError> {
        let values = x.as_slice::<T>()?;
        if let Some(position) = values.iter().position(|value| value.partial_cmp(&threshold).is_none()) {
            return Err(OpError::value(format!("element {position} of X is NaN, which is neither above nor below the threshold")));
        }
        Ok(Tensor::from_vec(x.shape(), values.iter().map(|&value| if value > threshold { one } else { zero }).collect())?)
    }
}

impl Operator for Binarizer {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![inputs.tensor(0).map(|(element_type, _)| same_shape(inputs, element_type))])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "X")?;
        Ok(single(match x.element_type() {
            ElementType::F32 => Self::binarize(&x, self.threshold, 0.0_f32, 1.0)?,
            ElementType::F64 => Self::binarize(&x, f64::from(self.threshold), 0.0_f64, 1.0)?,
            // An integer is above the threshold exactly when it is above the largest integer that is not; `as` saturates.
            ElementType::I32 => Self::binarize(&x, self.threshold.floor() as i32, 0_i32, 1)?,
            ElementType::I64 => Self::binarize(&x, self.threshold.floor() as i64, 0_i64, 1)?,
            _ => return Err(wrong_input(0, "X", NUMBERS, &x)),
        }))
    }
}
