//! BatchNormalization with constant statistics, where no convolution comes before it that could take it in, and an activation.

use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::host::ElementType;
use crate::kernels::convolution::Layout;
use crate::kernels::scaling::ChannelScaling;
use crate::ops::normalization::constant_scaling;
use crate::ops::operator::{Outputs, single};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::{Shape, Tensor};

/// `activation(X · factor + addend)`, per channel.
#[derive(Debug)]
struct FusedNormalization {
    scaling: ChannelScaling,
}

/// Inputs: `X`, and constant `scale`, `B`, `mean` and `var`.
pub fn build(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let (factors, addends) = constant_scaling(context)?;
    Ok(Box::new(FusedNormalization { scaling: ChannelScaling { factors, addends, activation: super::activation(context.attributes)? } }))
}

impl Operator for FusedNormalization {
    fn infer(&self, _inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![None])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let input = inputs.take_tensor(0, "X")?;
        if input.element_type() != ElementType::F32 {
            return Err(OpError::value(format!("the input is of {}, but the parameters are of float32", input.element_type())));
        }
        let shape = Shape::from_slice(input.shape());
        let channels = self.scaling.factors.len();
        let places: usize = match *shape.as_slice() {
            // A list is one channel.
            [n] if channels == 1 => n,
            [_, found, ref spatial @ ..] if found == channels => spatial.iter().product(),
            _ => {
                return Err(OpError::shape(format!(
                    "an input of shape {shape:?} needs parameters for its channels, but they have shape [{channels}]"
                )));
            }
        };
        if input.is_empty() {
            return Ok(single(input));
        }
        if input.is_only_channels_last() {
            let mut elements = input.as_channels_last().unwrap_or_default().to_vec();
            self.scaling.apply_to(&mut elements, places, Layout::ChannelsLast);
            return Ok(single(Tensor::from_channels_last(&shape, elements)?));
        }
        let mut elements = input.into_vec::<f32>()?;
        self.scaling.apply_to(&mut elements, places, Layout::ChannelsFirst);
        Ok(single(Tensor::from_vec(&shape, elements)?))
    }

    fn reads(&self, index: usize) -> bool {
        index == 0
    }
}
