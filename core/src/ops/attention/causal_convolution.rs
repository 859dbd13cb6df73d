//! CausalConvWithState: a convolution of each channel with its own past, carried from call to call.

use rayon::prelude::*;

use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::ops::operator::Outputs;
use crate::ops::precision::cast;
use crate::ops::shape::same_as;
use crate::ops::types::{TypeSet, check_same_type};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::{Device, Tensor, Value};

/// `y[l] = Σ w[j] · x[l + j − (k − 1)] + b` for every channel, where what came before the input is the state, or zeros. Computed in float32.
///
/// <https://onnx.ai/onnx/operators/onnx__CausalConvWithState.html>, opset 27.
#[derive(Debug)]
struct CausalConvolution {
    /// `y · sigmoid(y)` instead of `y`.
    has_silu: bool,
}

pub fn build(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let has_silu = match node.attributes.text("activation")?.unwrap_or("none") {
        "none" => false,
        "silu" | "swish" => true,
        other => return Err(OpError::value(format!("attribute 'activation' is '{other}'; it may be 'none', 'silu' or 'swish'"))),
    };
    Ok(Box::new(CausalConvolution { has_silu }))
}

fn to_f32s(tensor: &Tensor) -> Result<Vec<f32>, OpError> {
    Ok(tensor.to_device(&Device::Cpu)?.to_f32s()?)
}

impl Operator for CausalConvolution {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let state = inputs.tensor(0).map(|(element_type, shape)| {
            let n_past = inputs.tensor(1).and_then(|(_, weight)| weight.dims()?.get(2)?.known()?.checked_sub(1));
            let n_past = n_past.map_or(Dimension::Unknown, Dimension::Known);
            let dims = shape.dims().filter(|dims| dims.len() == 3).map(|dims| vec![dims[0].clone(), dims[1].clone(), n_past]);
            ValueType::tensor(element_type, SymbolicShape(dims))
        });
        Ok(vec![same_as(inputs, 0), state])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let (x, weight) = (inputs.take_tensor(0, "input")?, inputs.take_tensor(1, "weight")?);
        let (bias, past) = (inputs.take_optional_tensor(2, "bias")?, inputs.take_optional_tensor(3, "past_state")?);
        TypeSet::FLOATS.check(&x, 0, "input")?;
        let element_type = x.element_type();
        let &[batch, channels, length] = x.shape() else {
            return Err(OpError::shape(format!("the input has shape {:?}; it should be [batch, channels, length]", x.shape())));
        };
        let n_taps = match weight.shape() {
            &[of_channels, 1, n_taps] if of_channels == channels && n_taps > 0 => n_taps,
            other => return Err(OpError::shape(format!("the weight has shape {other:?}; it should be [{channels}, 1, taps]"))),
        };
        let state_shape = [batch, channels, n_taps - 1];
        context.check_result_size(element_type, &state_shape)?;
        for (name, tensor, expected) in [("bias", &bias, [channels].as_slice()), ("past_state", &past, &state_shape)] {
            let Some(tensor) = tensor else { continue };
            check_same_type(&x, tensor)?;
            if tensor.shape() != expected {
                return Err(OpError::shape(format!("{name} has shape {:?}; it should be {expected:?}", tensor.shape())));
            }
        }
        check_same_type(&x, &weight)?;
        let shape = [batch, channels, length];
        let (x, weight) = (to_f32s(&x)?, to_f32s(&weight)?);
        let bias = bias.as_ref().map(to_f32s).transpose()?;
        let mut state = match &past {
            Some(past) => to_f32s(past)?,
            None => vec![0.0; state_shape.iter().product()],
        };
        let n_past = n_taps - 1;
        let mut results = vec![0.0; x.len()];
        // One lane after the other: [state, input].
        let n_lanes = batch * channels;
        let lanes: Vec<Vec<f32>> = (0..n_lanes).map(|lane| [&state[lane * n_past..][..n_past], &x[lane * length..][..length]].concat()).collect();
        if length > 0 {
            results.par_chunks_mut(length).zip(&lanes).enumerate().for_each(|(index, (results, lane))| {
                let channel = index % channels;
                let taps = &weight[channel * n_taps..][..n_taps];
                results.fill(bias.as_ref().map_or(0.0, |bias| bias[channel]));
                for (tap, &weight) in taps.iter().enumerate() {
                    results.iter_mut().zip(&lane[tap..]).for_each(|(result, &value)| *result += weight * value);
                }
                if self.has_silu {
                    results.iter_mut().for_each(|result| *result /= 1.0 + (-*result).exp());
                }
            });
        }
        for (lane, state) in lanes.iter().zip(state.chunks_mut(n_past.max(1))) {
            state.copy_from_slice(&lane[length..]);
        }
        let results = [Tensor::from_vec(&shape, results)?, Tensor::from_vec(&state_shape, state)?];
        results.into_iter().map(|result| Ok(Value::Tensor(cast(result, element_type)?))).collect()
    }

    fn macs(&self, inputs: &[Option<ValueType>], _outputs: &[Option<ValueType>]) -> Option<u64> {
        let known = |index: usize| inputs.get(index)?.as_ref()?.as_tensor()?.1.as_known();
        let n_taps = *known(1)?.get(2)?;
        u64::try_from(known(0)?.iter().try_fold(n_taps, |product, &dim| product.checked_mul(dim))?).ok()
    }
}
