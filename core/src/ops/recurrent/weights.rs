//! The weights of a recurrent layer, as its steps use them.

use std::sync::Arc;

use super::cell::CellKind;
use super::quantized::QuantizedMatrix;
use crate::host::ElementType;
use crate::ops::movement::{self, Cut};
use crate::ops::precision::{cast, compute_type};
use crate::ops::types::check_same_type;
use crate::ops::{Inputs, OpError};
use crate::tensor::{Device, Tensor};

/// The weights as the model has them. Shapes, with `G` gates of `H` units and `I` features:
pub struct WeightInputs {
    /// `[directions, G·H, I]`
    pub input: Tensor,
    /// `[directions, G·H, H]`
    pub recurrence: Tensor,
    /// `[directions, 2·G·H]`: those of the input's product, then those of the state's.
    pub bias: Option<Tensor>,
    /// LSTM's `[directions, 3·H]`.
    pub peepholes: Option<Tensor>,
}

/// A matrix that rows are multiplied with.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a layer has a handful of them")]
pub enum Matrix {
    /// In the type that the layer computes in.
    Numbers(Tensor),
    Quantized(Arc<QuantizedMatrix>),
}

/// The weights of one direction, in the type that the layer computes in.
#[derive(Debug)]
pub struct DirectionWeights {
    /// The model's element type.
    pub element_type: ElementType,
    pub input_size: usize,
    pub hidden_size: usize,
    /// `[I, G·H]`
    pub input: Matrix,
    /// `[H, G·H]`; without the last gate where the reset gate must be known first.
    pub recurrence: Matrix,
    /// `[H, H]`: the last gate's, where the reset gate must be known first.
    pub reset_recurrence: Option<Matrix>,
    /// `[G·H]`: what is added to the sums of both products.
    pub bias: Option<Tensor>,
    /// `[H]`: what is added to the state's product of GRU's hidden gate before the reset gate scales it.
    pub hidden_bias: Option<Tensor>,
    /// `[3·H]`
    pub peepholes: Option<Tensor>,
}

impl WeightInputs {
    pub fn take(inputs: &mut Inputs) -> Result<Self, OpError> {
        Ok(Self {
            input: inputs.take_tensor(1, "W")?,
            recurrence: inputs.take_tensor(2, "R")?,
            bias: inputs.take_optional_tensor(3, "B")?,
            peepholes: inputs.take_optional_tensor(7, "P")?,
        })
    }

    /// Validates the weights and prepares those of each direction.
    pub fn prepare(&self, kind: CellKind, n_directions: usize) -> Result<Vec<DirectionWeights>, OpError> {
        let &[_, _, hidden_size] = self.recurrence.shape() else {
            return Err(OpError::shape(format!("R has shape {:?}; it should be [directions, gates · units, units]", self.recurrence.shape())));
        };
        let &[_, _, input_size] = self.input.shape() else {
            return Err(OpError::shape(format!("W has shape {:?}; it should be [directions, gates · units, features]", self.input.shape())));
        };
        let too_large = || OpError::shape(format!("{hidden_size} units are too many"));
        let n_gated = kind.n_gates().checked_mul(hidden_size).ok_or_else(too_large)?;
        let n_biases = n_gated.checked_mul(2).ok_or_else(too_large)?;
        check("W", &self.input, &[n_directions, n_gated, input_size])?;
        check("R", &self.recurrence, &[n_directions, n_gated, hidden_size])?;
        check_same_type(&self.input, &self.recurrence)?;
        if let Some(bias) = &self.bias {
            check("B", bias, &[n_directions, n_biases])?;
            check_same_type(&self.input, bias)?;
        }
        if let Some(peepholes) = &self.peepholes {
            check("P", peepholes, &[n_directions, 3 * hidden_size])?;
            check_same_type(&self.input, peepholes)?;
        }
        (0..n_directions).map(|direction| self.of_direction(kind, direction, n_gated, hidden_size)).collect()
    }

    fn of_direction(&self, kind: CellKind, direction: usize, n_gated: usize, hidden_size: usize) -> Result<DirectionWeights, OpError> {
        let compute = compute_type(self.input.element_type());
        // Row-major, so that one row of the product reads memory in order.
        let transposed = |tensor: &Tensor, from: usize, to: usize| {
            let columns = tensor.shape()[2];
            let cuts = [Cut::range(direction, 1), Cut::range(from, to - from), Cut::all(columns)];
            let matrix = movement::cut(cast(tensor.to_device(&Device::Cpu)?, compute)?, &cuts)?.reshaped(&[to - from, columns])?;
            in_order(movement::permute(matrix, &[1, 0])?).map(Matrix::Numbers)
        };
        let list = |tensor: &Tensor, from: usize, to: usize| {
            let list = movement::cut(cast(tensor.to_device(&Device::Cpu)?, compute)?, &[Cut::range(direction, 1), Cut::range(from, to - from)])?;
            in_order(list.reshaped(&[to - from])?)
        };
        let n_reset_first = if kind.resets_state_first() { n_gated - hidden_size } else { n_gated };
        let keeps_hidden_bias = kind == CellKind::Gru { linear_before_reset: true };
        let (bias, hidden_bias) = match &self.bias {
            Some(bias) => {
                let of_input = list(bias, 0, n_gated)?;
                let n_summed = if keeps_hidden_bias { n_gated - hidden_size } else { n_gated };
                let of_state = list(bias, n_gated, n_gated + n_summed)?;
                let hidden_bias = keeps_hidden_bias.then(|| list(bias, n_gated + n_summed, 2 * n_gated)).transpose()?;
                (Some(sum_of_starts(&of_input, &of_state)?), hidden_bias)
            }
            None => (None, None),
        };
        Ok(DirectionWeights {
            element_type: self.input.element_type(),
            input_size: self.input.shape()[2],
            hidden_size,
            input: transposed(&self.input, 0, n_gated)?,
            recurrence: transposed(&self.recurrence, 0, n_reset_first)?,
            reset_recurrence: kind.resets_state_first().then(|| transposed(&self.recurrence, n_reset_first, n_gated)).transpose()?,
            bias,
            hidden_bias,
            peepholes: self.peepholes.as_ref().map(|peepholes| list(peepholes, 0, 3 * hidden_size)).transpose()?,
        })
    }
}

fn check(name: &str, tensor: &Tensor, expected: &[usize]) -> Result<(), OpError> {
    if !tensor.element_type().is_float() {
        return Err(OpError::value(format!("{name} is {}; it should be floating-point numbers", tensor.element_type())));
    }
    if tensor.shape() == expected {
        return Ok(());
    }
    Err(OpError::shape(format!("{name} has shape {:?}; it should be {expected:?}", tensor.shape())))
}

/// The tensor with its elements in memory as its shape says.
fn in_order(tensor: Tensor) -> Result<Tensor, OpError> {
    let shape = tensor.shape().to_vec();
    Ok(match tensor.element_type() {
        ElementType::F64 => Tensor::from_vec(&shape, tensor.into_vec::<f64>()?)?,
        _ => Tensor::from_vec(&shape, tensor.into_vec::<f32>()?)?,
    })
}

/// A list, with a list that may be shorter added to its start.
fn sum_of_starts(list: &Tensor, start: &Tensor) -> Result<Tensor, OpError> {
    fn sum<T: super::activation::Real>(list: &Tensor, start: &Tensor) -> Result<Tensor, OpError> {
        let mut sums = list.as_slice::<T>()?.into_owned();
        for (sum, &value) in sums.iter_mut().zip(start.as_slice::<T>()?.iter()) {
            *sum = sum.plus(value);
        }
        Ok(Tensor::from_vec(list.shape(), sums)?)
    }
    if list.element_type() == ElementType::F64 { sum::<f64>(list, start) } else { sum::<f32>(list, start) }
}
