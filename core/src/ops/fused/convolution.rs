//! Conv with constant weights over one or two spatial axes, a tensor that is added to its result, and an activation.

use burn::backend::ops::FloatTensorOps as _;

use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::host::{ElementType, HostTensor};
use crate::kernels::activation::Activation;
use crate::kernels::convolution::{Axis, Convolution, Image, Layout, Weights};
use crate::kernels::product::Epilogue;
use crate::ops::broadcast::float_binary;
use crate::ops::conv::{Conv, check_bias};
use crate::ops::movement::permute;
use crate::ops::operator::{Outputs, single};
use crate::ops::types::check_same_type;
use crate::ops::window::AxisWindow;
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::channels_last::to_channels_last;
use crate::tensor::{Backend, Shape, Tensor};

/// `activation(Conv(X) + Z)`
#[derive(Debug)]
struct FusedConv {
    conv: Conv,
    /// `[output channels, channels of a group, spatial axes…]`
    weights: Shape,
    has_summand: bool,
    activation: Activation,
    kernel: Convolution,
}

/// Inputs: `X`, constant `W`, constant `B` or nothing, and `Z` if the node's type has the part `Add`.
pub fn build(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let conv = Conv::new(context)?;
    let constant = |index: usize| context.constants.get(index).copied().flatten();
    let not_prepared = || OpError::unsupported("a fused convolution without constant float32 weights over one or two axes");
    let weights = constant(1).ok_or_else(not_prepared)?;
    let kernel_shape = match *weights.shape() {
        [outputs, channels, width] => [outputs, channels, 1, width],
        [outputs, channels, height, width] => [outputs, channels, height, width],
        _ => return Err(not_prepared()),
    };
    let elements = weights.as_slice::<f32>().map_err(|_| not_prepared())?;
    let bias = constant(2).map(HostTensor::as_slice::<f32>).transpose().map_err(|_| not_prepared())?;
    check_bias(constant(2).map(HostTensor::shape), kernel_shape[0])?;
    if kernel_shape.contains(&0) || !kernel_shape[0].is_multiple_of(conv.groups) {
        return Err(not_prepared());
    }
    let kernel = Convolution::new(Weights { shape: kernel_shape, elements: &elements, bias: bias.as_deref() }, conv.groups);
    let has_summand = super::has_part(context, "Add");
    Ok(Box::new(FusedConv { conv, weights: weights.shape().into(), has_summand, activation: super::activation(context.attributes)?, kernel }))
}

impl Operator for FusedConv {
    fn infer(&self, _inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![None])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let input = inputs.take_tensor(0, "X")?;
        let summand = if self.has_summand { Some(inputs.take_tensor(3, "Z")?) } else { None };
        if input.element_type() != ElementType::F32 {
            return Err(OpError::value(format!("the input is of {}, but the weights are of float32", input.element_type())));
        }
        let (windows, shape) = self.conv.place(input.shape(), &self.weights, ElementType::F32, context)?;
        if shape.contains(&0) {
            return self.finish(Tensor::empty(ElementType::F32, &shape), summand, context);
        }
        // A summand of another shape stretches, or stretches the result: that is left to the general addition.
        let fits = |summand: &Tensor| summand.element_type() == ElementType::F32 && summand.shape() == shape.as_slice();
        let (summand, other) = if summand.as_ref().is_some_and(fits) { (summand, None) } else { (None, summand) };
        let laid;
        let summand = match &summand {
            Some(summand) => Some(match summand.as_channels_last() {
                Some(elements) => elements,
                None => {
                    laid = permute(summand.clone(), &to_channels_last(summand.rank()))?.into_vec::<f32>()?;
                    &laid
                }
            }),
            None => None,
        };
        let activation = if other.is_none() { self.activation } else { Activation::Identity };
        let epilogue = Epilogue { summand, activation };
        let axes = match windows.as_slice() {
            [width] => [Axis::TRIVIAL, axis(width)],
            [height, width] => [axis(height), axis(width)],
            _ => return Err(OpError::unsupported(format!("a fused convolution over {} spatial axes", windows.len()))),
        };
        let (batch, channels) = (shape[0], input.shape()[1]);
        let result = match input.as_channels_last() {
            Some(elements) => self.kernel.run(Image { batch, channels, elements, layout: Layout::ChannelsLast }, axes, epilogue),
            None => {
                let elements = input.as_slice::<f32>()?;
                self.kernel.run(Image { batch, channels, elements: &elements, layout: Layout::ChannelsFirst }, axes, epilogue)
            }
        };
        let result = Tensor::from_channels_last(&shape, result)?;
        if other.is_some() { self.finish(result, other, context) } else { Ok(single(result)) }
    }

    fn macs(&self, inputs: &[Option<ValueType>], outputs: &[Option<ValueType>]) -> Option<u64> {
        self.conv.macs(inputs, outputs)
    }

    fn reads(&self, index: usize) -> bool {
        index == 0 || index == 3
    }
}

impl FusedConv {
    /// The summand and the activation after the fact.
    fn finish(&self, mut result: Tensor, summand: Option<Tensor>, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        if let Some(summand) = summand {
            check_same_type(&result, &summand)?;
            result = float_binary(result, summand, ElementType::F32, context, Backend::float_add)?;
        }
        let shape = Shape::from_slice(result.shape());
        let mut elements = result.into_vec::<f32>()?;
        self.activation.apply_to(&mut elements);
        Ok(single(Tensor::from_vec(&shape, elements)?))
    }
}

fn axis(window: &AxisWindow) -> Axis {
    let AxisWindow { input, kernel, stride, dilation, before, output, .. } = *window;
    Axis { input, kernel, stride, dilation, before, output }
}
