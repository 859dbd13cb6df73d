//! DynamicQuantizeLSTM of the domain `com.microsoft`: an LSTM whose weights are 8-bit integers. The inputs of all steps, and the states before each
//! step, are quantised as DynamicQuantizeLinear does before they are multiplied.
//!
//! All states of a step share one scale here. ONNX Runtime quantises as many together as one of its threads happens to get, so with several sequences
//! its results depend on the number of threads.

use std::sync::Arc;

use super::weights::{DirectionWeights, Matrix};
use crate::host::ElementType;
use crate::kernels::integer_product::{Left, PackedRight, multiply};
use crate::ops::quantize::dynamic;
use crate::ops::quantize::operands::{EightBits, scales, zero_points};
use crate::ops::{Inputs, NodeContext, OpError};
use crate::tensor::Tensor;

/// A packed matrix of weights with its scales and zero points: one, or one per column.
#[derive(Debug)]
pub struct QuantizedMatrix {
    packed: PackedRight,
    scales: Vec<f32>,
    zero_points: Vec<i32>,
}

impl QuantizedMatrix {
    /// `rows · weights`, of `[n, k]` and `[k, m]`.
    pub fn product(&self, rows: &[f32]) -> Vec<f32> {
        let n_rows = rows.len().checked_div(self.packed.inner()).unwrap_or(0);
        let (scale, zero_point) = dynamic::find_scale(rows);
        let bytes = dynamic::quantize(rows, scale, zero_point);
        let mut results = vec![0.0; n_rows * self.packed.columns()];
        let left = Left { bytes: &bytes, is_signed: false };
        multiply(left, &[zero_point.into()], &self.packed, &self.zero_points, &mut results, |_, sums, results| {
            for (index, (result, &sum)) in results.iter_mut().zip(sums).enumerate() {
                *result = sum as f32 * (scale * self.scales[index % self.scales.len()]);
            }
        });
        results
    }

    /// The matrices of all directions, from weights [directions, k, m] and their scales and zero points [directions] or [directions, m].
    fn all(weights: &Tensor, scale: &Tensor, zero_point: &Tensor, n_directions: usize, name: &'static str) -> Result<Vec<Arc<Self>>, OpError> {
        let &[directions, inner, columns] = weights.shape() else {
            return Err(OpError::shape(format!("{name} has shape {:?}; it should have 3 axes", weights.shape())));
        };
        for tensor in [scale, zero_point] {
            if directions != n_directions || (tensor.shape() != [directions] && tensor.shape() != [directions, columns]) {
                return Err(OpError::shape(format!(
                    "{name} has shape {:?} and one of its scales or zero points {:?}; there are {n_directions} directions, and a number for each of them \
                     or each column",
                    weights.shape(),
                    tensor.shape()
                )));
            }
        }
        let (scales, zero_points) = (scales(scale, 8, name)?, zero_points(Some(zero_point), weights.element_type(), 9, name)?);
        let bytes = EightBits::new(weights, 1, name)?;
        let (n_scales, n_zeros) = (scales.len() / directions.max(1), zero_points.len() / directions.max(1));
        let of_direction = |direction: usize| {
            let bytes_of = &bytes.bytes[direction * inner * columns..][..inner * columns];
            Arc::new(Self {
                packed: PackedRight::from_rows(bytes_of, inner, columns, bytes.is_signed),
                scales: scales[direction * n_scales..][..n_scales].to_vec(),
                zero_points: zero_points[direction * n_zeros..][..n_zeros].to_vec(),
            })
        };
        Ok((0..directions).map(of_direction).collect())
    }
}

/// The weights of a layer, per direction those of the inputs and those of the states.
#[derive(Debug, Default)]
pub struct QuantizedWeights {
    /// Packed beforehand where they are constants.
    packed: Option<[Vec<Arc<QuantizedMatrix>>; 2]>,
}

/// Where weights, scales and zero points stand among the inputs.
const PLACES: [(usize, usize, usize, &str); 2] = [(1, 8, 9, "W"), (2, 10, 11, "R")];

impl QuantizedWeights {
    pub fn new(node: &NodeContext<'_>, n_directions: usize) -> Result<Self, OpError> {
        let constant = |index: usize| node.constants.get(index).copied().flatten().map(Tensor::from_host).transpose();
        let mut packed = Vec::with_capacity(2);
        for (weights, scale, zero_point, name) in PLACES {
            let (Some(weights), Some(scale), Some(zero_point)) = (constant(weights)?, constant(scale)?, constant(zero_point)?) else {
                return Ok(Self::default());
            };
            packed.push(QuantizedMatrix::all(&weights, &scale, &zero_point, n_directions, name)?);
        }
        Ok(Self { packed: packed.try_into().ok() })
    }

    /// Validates the weights and prepares those of each direction.
    pub fn prepare(&self, inputs: &mut Inputs, n_directions: usize) -> Result<Vec<DirectionWeights>, OpError> {
        let packed_now;
        let [of_inputs, of_states] = match &self.packed {
            Some(packed) => packed,
            None => {
                let mut take = |(weights, scale, zero_point, name): (usize, usize, usize, &'static str)| {
                    let (weights, scale) = (inputs.take_tensor(weights, name)?, inputs.take_tensor(scale, name)?);
                    QuantizedMatrix::all(&weights, &scale, &inputs.take_tensor(zero_point, name)?, n_directions, name)
                };
                packed_now = [take(PLACES[0])?, take(PLACES[1])?];
                &packed_now
            }
        };
        let (bias, peepholes) = (inputs.take_optional_tensor(3, "B")?, inputs.take_optional_tensor(7, "P")?);
        let mut directions = Vec::with_capacity(n_directions);
        for (direction, (input, recurrence)) in of_inputs.iter().zip(of_states).enumerate() {
            let (input_size, hidden_size, columns) = (input.packed.inner(), recurrence.packed.inner(), recurrence.packed.columns());
            if Some(columns) != hidden_size.checked_mul(4) || input.packed.columns() != columns {
                return Err(OpError::shape(format!(
                    "W has {} columns and R is [{hidden_size}, {columns}]; both should have four columns per unit",
                    input.packed.columns()
                )));
            }
            let list = |tensor: &Option<Tensor>, length: usize, name: &str| -> Result<Option<Vec<f32>>, OpError> {
                let Some(tensor) = tensor else { return Ok(None) };
                if tensor.shape() != [n_directions, length] {
                    return Err(OpError::shape(format!("{name} has shape {:?}; it should be [{n_directions}, {length}]", tensor.shape())));
                }
                Ok(Some(tensor.as_slice::<f32>()?[direction * length..][..length].to_vec()))
            };
            let bias = list(&bias, 2 * columns, "B")?.map(|bias| {
                let (of_input, of_state) = bias.split_at(columns);
                of_input.iter().zip(of_state).map(|(of_input, of_state)| of_input + of_state).collect::<Vec<f32>>()
            });
            let peepholes = list(&peepholes, 3 * hidden_size, "P")?;
            let vector = |values: Vec<f32>| Tensor::from_vec(&[values.len()], values);
            directions.push(DirectionWeights {
                element_type: ElementType::F32,
                input_size,
                hidden_size,
                input: Matrix::Quantized(Arc::clone(input)),
                recurrence: Matrix::Quantized(Arc::clone(recurrence)),
                reset_recurrence: None,
                bias: bias.map(vector).transpose()?,
                hidden_bias: None,
                peepholes: peepholes.map(vector).transpose()?,
            });
        }
        Ok(directions)
    }
}
