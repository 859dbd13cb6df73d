//! Convolutions in one, two and three dimensions: Conv and ConvTranspose.

mod transpose;

use burn::backend::DispatchTensor;
use burn::backend::ops::{ConvOptions, ModuleOps as _};

use super::operator::{Outputs, single};
use super::registry::{OpsetRange, Registration};
use super::types::check_same_type;
use super::window::{AxisWindow, AxisWindows, Window};
use super::{Inputs, NodeContext, OpError, Operator, Placement, RunContext};
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::host::ElementType;
use crate::tensor::{Backend, Shape, Tensor};

pub const OPERATORS: &[Registration] = &[
    Registration { domain: "", op_type: "Conv", opsets: OpsetRange::from(1), build: build_conv },
    Registration { domain: "", op_type: "ConvTranspose", opsets: OpsetRange::from(1), build: transpose::build },
];

/// <https://onnx.ai/onnx/operators/onnx__Conv.html>, opsets 1, 11, 22 (bfloat16).
#[derive(Debug)]
pub(super) struct Conv {
    window: Window,
    pub groups: usize,
}

fn build_conv(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(Conv::new(context)?))
}

/// Attribute `group`.
pub(super) fn groups(context: &NodeContext<'_>) -> Result<usize, OpError> {
    let groups = context.attributes.int("group")?.unwrap_or(1);
    usize::try_from(groups)
        .ok()
        .filter(|&groups| groups > 0)
        .ok_or_else(|| OpError::value(format!("attribute 'group' is {groups}; it must be at least 1")))
}

/// What both convolutions work on: input, weights and perhaps a bias.
struct Operands {
    input: Tensor,
    weights: Tensor,
    bias: Option<Tensor>,
}

impl Operands {
    /// Takes the inputs of a run, whose element types, ranks and kernel fit.
    fn take(inputs: &mut Inputs, window: &Window) -> Result<Self, OpError> {
        let (input, weights) = (inputs.take_tensor(0, "X")?, inputs.take_tensor(1, "W")?);
        let bias = inputs.take_optional_tensor(2, "B")?;
        check_same_type(&input, &weights)?;
        if let Some(bias) = &bias {
            check_same_type(&input, bias)?;
        }
        if !input.element_type().is_float() {
            return Err(OpError::unsupported(format!("a convolution of {}", input.element_type())));
        }
        check_ranks(input.shape(), weights.shape(), window)?;
        Ok(Self { input, weights, bias })
    }

    /// Refuses a bias that has not one element for each output channel.
    fn check_bias(&self, channels: usize) -> Result<(), OpError> {
        check_bias(self.bias.as_ref().map(Tensor::shape), channels)
    }
}

/// Input and weights have the same spatial axes, of which the window's kernel is one.
fn check_ranks(input: &[usize], weights: &[usize], window: &Window) -> Result<(), OpError> {
    if input.len() < 3 || input.len() != weights.len() {
        return Err(OpError::shape(format!(
            "the input of shape {input:?} and the weights of shape {weights:?} should both be […, channels, spatial axes…] of one rank, at least 3"
        )));
    }
    if input.len() > 5 {
        return Err(OpError::unsupported(format!("a convolution over {} spatial axes", input.len() - 2)));
    }
    if let Some(kernel) = &window.kernel
        && kernel.as_slice() != &weights[2..]
    {
        return Err(OpError::shape(format!("attribute 'kernel_shape' is {kernel:?}, but the weights have shape {weights:?}")));
    }
    if weights.contains(&0) {
        return Err(OpError::shape(format!("the weights of shape {weights:?} have no elements")));
    }
    Ok(())
}

pub(super) fn check_bias(bias: Option<&[usize]>, channels: usize) -> Result<(), OpError> {
    match bias {
        Some(bias) if bias != [channels] => Err(OpError::shape(format!("the bias has shape {bias:?}, but there are {channels} output channels"))),
        _ => Ok(()),
    }
}

impl Conv {
    pub fn new(context: &NodeContext<'_>) -> Result<Self, OpError> {
        Ok(Self { window: Window::new(context)?, groups: groups(context)? })
    }

    /// The window on each spatial axis and the shape of the result. Ranks, channels, and the sizes of result and padded input are right.
    pub fn place(
        &self,
        input: &[usize],
        weights: &[usize],
        element_type: ElementType,
        context: &RunContext<'_>,
    ) -> Result<(AxisWindows, Shape), OpError> {
        check_ranks(input, weights, &self.window)?;
        let (channels, per_group, out) = (input[1], weights[1], weights[0]);
        if per_group.checked_mul(self.groups) != Some(channels) {
            return Err(OpError::shape(format!(
                "the input has {channels} channels, but weights of shape {weights:?} in {} groups take {}",
                self.groups,
                per_group.saturating_mul(self.groups)
            )));
        }
        if !out.is_multiple_of(self.groups) {
            return Err(OpError::shape(format!("{out} output channels cannot be shared out among {} groups", self.groups)));
        }
        let windows = self.window.place(&weights[2..], &input[2..])?;
        let shape: Shape = [input[0], out].into_iter().chain(windows.iter().map(|window| window.output)).collect();
        let padded: Shape = input[..2].iter().copied().chain(windows.iter().map(AxisWindow::padded)).collect();
        context.check_result_size(element_type, &shape)?;
        context.check_result_size(element_type, &padded)?;
        Ok((windows, shape))
    }
}

impl Operator for Conv {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let Some((element_type, input)) = inputs.tensor(0) else { return Ok(vec![None]) };
        let weights = inputs.tensor(1).and_then(|(_, shape)| shape.dims());
        let Some([batch, channels, spatial @ ..]) = input.dims() else {
            return Ok(vec![Some(ValueType::tensor(element_type, SymbolicShape::unknown()))]);
        };
        let kernel = weights.and_then(|dims| dims.get(2..)?.iter().map(Dimension::known).collect::<Option<Vec<_>>>());
        if let (Some(channels), Some(per_group)) = (channels.known(), weights.and_then(|dims| dims.get(1)?.known()))
            && per_group.checked_mul(self.groups) != Some(channels)
        {
            return Err(OpError::shape(format!("the input has {channels} channels, but the weights take {per_group} in {} groups", self.groups)));
        }
        let out = weights.and_then(|dims| dims.first().cloned()).unwrap_or(Dimension::Unknown);
        let spatial = self.window.infer(kernel.as_deref().or(self.window.kernel.as_deref()), spatial)?;
        let shape: Vec<Dimension> = [batch.clone(), out].into_iter().chain(spatial).collect();
        Ok(vec![Some(ValueType::tensor(element_type, shape))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let operands = Operands::take(&mut inputs, &self.window)?;
        let element_type = operands.input.element_type();
        let (windows, shape) = self.place(operands.input.shape(), operands.weights.shape(), element_type, context)?;
        operands.check_bias(shape[1])?;
        let Operands { input, weights, bias } = operands;
        let (Some(input), Some(weights)) = (input.into_primitive(), weights.into_primitive()) else {
            return Ok(single(Tensor::empty(element_type, &shape)));
        };
        let result = convolve(input, weights, bias.and_then(Tensor::into_primitive), &windows, self.groups)?;
        Ok(single(Tensor::from_primitive(element_type, &shape, result)))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }

    fn macs(&self, inputs: &[Option<ValueType>], outputs: &[Option<ValueType>]) -> Option<u64> {
        let (_, weights) = inputs.get(1)?.as_ref()?.as_tensor()?;
        let (_, result) = outputs.first()?.as_ref()?.as_tensor()?;
        // Every output element sums one kernel over the channels of its group.
        product(result.as_known()?.iter().chain(weights.as_known()?.get(1..)?))
    }
}

/// A product of dimensions; `None` where it is beyond 64 bits.
fn product<'a>(mut dims: impl Iterator<Item = &'a usize>) -> Option<u64> {
    dims.try_fold(1_u64, |product, &dim| product.checked_mul(u64::try_from(dim).ok()?))
}

fn convolve(
    input: DispatchTensor,
    weights: DispatchTensor,
    bias: Option<DispatchTensor>,
    windows: &[AxisWindow],
    groups: usize,
) -> Result<DispatchTensor, OpError> {
    fn options<const N: usize>(windows: &[AxisWindow; N], groups: usize) -> ConvOptions<N> {
        ConvOptions::new_with_padding(
            windows.map(|window| window.stride),
            windows.map(|window| (window.before, window.after)),
            windows.map(|window| window.dilation),
            groups,
        )
    }
    if let Ok(windows) = windows.try_into() {
        Ok(Backend::conv2d(input, weights, bias, options::<2>(windows, groups)))
    } else if let Ok(windows) = windows.try_into() {
        Ok(Backend::conv1d(input, weights, bias, options::<1>(windows, groups)))
    } else if let Ok(windows) = windows.try_into() {
        Ok(Backend::conv3d(input, weights, bias, options::<3>(windows, groups)))
    } else {
        Err(OpError::unsupported(format!("a convolution over {} spatial axes", windows.len())))
    }
}

#[cfg(test)]
mod tests;
