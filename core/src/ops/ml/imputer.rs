//! Imputer: fills in what is missing. <https://onnx.ai/onnx/operators/onnx_aionnxml_Imputer.html>, since version 1.

use super::{matrix_shape, same_shape, wrong_input};
use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::host::{Element, ElementType};
use crate::ops::operator::{Outputs, single};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::Tensor;

/// Which value stands for a missing one (NaN for NaN itself), and what is put in its place: one value, or one for each feature.
#[derive(Debug)]
enum Imputer {
    Floats { missing: f32, imputed: Vec<f32> },
    Ints { missing: i64, imputed: Vec<i64> },
}

pub(super) fn build(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let floats = node.attributes.floats("imputed_value_floats")?.unwrap_or_default();
    let ints = node.attributes.ints("imputed_value_int64s")?.unwrap_or_default();
    Ok(Box::new(match (floats.is_empty(), ints.is_empty()) {
        (false, true) => Imputer::Floats { missing: node.attributes.float("replaced_value_float")?.unwrap_or(0.0), imputed: floats.to_vec() },
        (true, false) => Imputer::Ints { missing: node.attributes.int("replaced_value_int64")?.unwrap_or(0), imputed: ints.to_vec() },
        _ => return Err(OpError::value("exactly one of imputed_value_floats and imputed_value_int64s must be given")),
    }))
}

/// Replaces the elements for which `is_missing` holds.
fn impute<T: Element>(x: Tensor, imputed: &[T], is_missing: impl Fn(T) -> bool) -> Result<Tensor, OpError> {
    let shape = x.shape().to_vec();
    let n_features = if imputed.len() == 1 { 1 } else { matrix_shape(0, "X", &x)?.1 };
    if n_features != imputed.len() {
        return Err(OpError::shape(format!("X has {n_features} features, but {} imputed values are given", imputed.len())));
    }
    let mut values = x.into_vec::<T>()?;
    for row in values.chunks_mut(n_features) {
        for (value, &imputed) in row.iter_mut().zip(imputed) {
            if is_missing(*value) {
                *value = imputed;
            }
        }
    }
    Ok(Tensor::from_vec(&shape, values)?)
}

impl Operator for Imputer {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![inputs.tensor(0).map(|(element_type, _)| same_shape(inputs, element_type))])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "X")?;
        Ok(single(match (self, x.element_type()) {
            (&Self::Floats { missing, ref imputed }, ElementType::F32) => {
                impute(x, imputed, |value| value == missing || value.is_nan() && missing.is_nan())?
            }
            (&Self::Floats { missing, ref imputed }, ElementType::F64) => {
                let imputed: Vec<f64> = imputed.iter().copied().map(f64::from).collect();
                impute(x, &imputed, |value| value == f64::from(missing) || value.is_nan() && missing.is_nan())?
            }
            (&Self::Ints { missing, ref imputed }, ElementType::I64) => impute(x, imputed, |value| value == missing)?,
            (&Self::Ints { missing, ref imputed }, ElementType::I32) => {
                let narrow = |&value: &i64| i32::try_from(value).map_err(|_| OpError::value(format!("imputed value {value} does not fit int32")));
                let imputed = imputed.iter().map(narrow).collect::<Result<Vec<i32>, _>>()?;
                impute(x, &imputed, |value| i64::from(value) == missing)?
            }
            (Self::Floats { .. }, _) => return Err(wrong_input(0, "X", "float32 or float64, as the imputed values are floats", &x)),
            (Self::Ints { .. }, _) => return Err(wrong_input(0, "X", "int64 or int32, as the imputed values are integers", &x)),
        }))
    }
}
