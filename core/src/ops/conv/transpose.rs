//! ConvTranspose: the transpose of a convolution, which spreads every input element over a kernel of outputs.

use burn::backend::DispatchTensor;
use burn::backend::ops::{ConvTransposeOptions, ModuleOps as _};
use smallvec::SmallVec;

use super::{Operands, groups, product};
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::ops::movement::{self, Cut};
use crate::ops::operator::{Outputs, single};
use crate::ops::window::{Padding, Window};
use crate::ops::{Inputs, NodeContext, OpError, Operator, Placement, RunContext};
use crate::tensor::{Backend, Shape, Tensor};

/// <https://onnx.ai/onnx/operators/onnx__ConvTranspose.html>, opsets 1, 11, 22 (bfloat16).
#[derive(Debug)]
struct ConvTranspose {
    window: Window,
    groups: usize,
    output_padding: Option<Vec<usize>>,
    output_shape: Option<Vec<usize>>,
}

pub fn build(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let sizes = |name: &str| -> Result<Option<Vec<usize>>, OpError> {
        let Some(values) = context.attributes.ints(name)? else { return Ok(None) };
        let sizes: Option<Vec<usize>> = values.iter().map(|&value| i32::try_from(value).ok().and_then(|value| usize::try_from(value).ok())).collect();
        sizes.map(Some).ok_or_else(|| OpError::value(format!("attribute '{name}' should hold numbers from 0 to {}, but is {values:?}", i32::MAX)))
    };
    Ok(Box::new(ConvTranspose {
        window: Window::new(context)?,
        groups: groups(context)?,
        output_padding: sizes("output_padding")?,
        output_shape: sizes("output_shape")?,
    }))
}

/// How one axis spreads, and what is cut off its ends.
#[derive(Clone, Copy)]
struct Spread {
    stride: usize,
    dilation: usize,
    /// Elements added at the end, which only the bias reaches.
    added: usize,
    before: usize,
    after: usize,
    output: usize,
}

impl Spread {
    /// The part of the padding that burn takes off both ends itself.
    fn common_padding(self) -> usize {
        self.before.min(self.after)
    }
}

impl ConvTranspose {
    fn place(&self, kernel: &[usize], input: &[usize]) -> Result<SmallVec<[Spread; 3]>, OpError> {
        self.window.check_rank(input.len())?;
        if let Some(padding) = &self.output_padding
            && padding.len() != input.len()
        {
            return Err(OpError::shape(format!("attribute 'output_padding' is {padding:?}, but the input has {} spatial axes", input.len())));
        }
        let output_shape = match &self.output_shape {
            // Some exporters give batch and channels too.
            Some(shape) if shape.len() == input.len() || shape.len() == input.len() + 2 => Some(&shape[shape.len() - input.len()..]),
            Some(shape) => {
                return Err(OpError::shape(format!("attribute 'output_shape' is {shape:?}, but the input has {} spatial axes", input.len())));
            }
            None => None,
        };
        (0..input.len()).map(|axis| self.place_on(axis, kernel[axis], input, output_shape.map(|shape| shape[axis]))).collect()
    }

    fn place_on(&self, axis: usize, kernel: usize, input: &[usize], output: Option<usize>) -> Result<Spread, OpError> {
        let (stride, dilation) = (self.window.stride(axis), self.window.dilation(axis));
        let added = self.output_padding.as_ref().map_or(0, |padding| padding[axis]);
        let too_large = || OpError::shape(format!("spatial axis {axis} of {} elements spreads too far", input[axis]));
        if kernel == 0 || input[axis] == 0 {
            return Err(OpError::shape(format!(
                "spatial axis {axis} has {} elements under a kernel of {kernel}; both must be at least 1",
                input[axis]
            )));
        }
        let spread = (input[axis] - 1).checked_mul(stride).and_then(|far| far.checked_add((kernel - 1).checked_mul(dilation)?));
        let natural = spread.and_then(|spread| spread.checked_add(1 + added)).ok_or_else(too_large)?;
        let same = matches!(self.window.padding, Padding::SameUpper | Padding::SameLower);
        let wanted = output.or_else(|| same.then(|| natural.min(input[axis].saturating_mul(stride))));
        let Some(wanted) = wanted else {
            let (before, after) = self.window.explicit_padding(axis, input.len());
            let output = natural.checked_sub(before + after).filter(|&output| output > 0).ok_or_else(|| {
                OpError::shape(format!(
                    "padding of {before} and {after} leaves nothing of spatial axis {axis}, which spreads over {natural} elements"
                ))
            })?;
            return Ok(Spread { stride, dilation, added, before, after, output });
        };
        if wanted == 0 {
            return Err(OpError::value(format!("attribute 'output_shape' asks for nothing of spatial axis {axis}")));
        }
        // The output's size is given, so the padding follows from it.
        let total = natural.saturating_sub(wanted);
        let before = if self.window.padding == Padding::SameUpper { total / 2 } else { total.div_ceil(2) };
        let added = added + wanted.saturating_sub(natural);
        Ok(Spread { stride, dilation, added, before, after: total - before, output: wanted })
    }

    /// The number of output channels.
    fn check_channels(&self, operands: &Operands) -> Result<usize, OpError> {
        let (channels, weights) = (operands.input.shape()[1], operands.weights.shape());
        if weights[0] != channels || !channels.is_multiple_of(self.groups) {
            return Err(OpError::shape(format!(
                "the input has {channels} channels, which do not fit weights of shape {weights:?} in {} groups",
                self.groups
            )));
        }
        let out = weights[1].checked_mul(self.groups).ok_or_else(|| OpError::shape("there are too many output channels"))?;
        operands.check_bias(out)?;
        Ok(out)
    }
}

impl Operator for ConvTranspose {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let Some((element_type, input)) = inputs.tensor(0) else { return Ok(vec![None]) };
        let weights = inputs.tensor(1).and_then(|(_, shape)| shape.as_known());
        let Some([batch, _, spatial @ ..]) = input.dims() else {
            return Ok(vec![Some(ValueType::tensor(element_type, SymbolicShape::unknown()))]);
        };
        let out = weights.as_ref().and_then(|dims| dims.get(1)?.checked_mul(self.groups)).map_or(Dimension::Unknown, Dimension::Known);
        let known: Option<Vec<usize>> = spatial.iter().map(Dimension::known).collect();
        let kernel = weights.as_deref().and_then(|dims| dims.get(2..)).filter(|kernel| kernel.len() == spatial.len());
        let spatial = match (kernel, known) {
            (Some(kernel), Some(known)) => self.place(kernel, &known)?.iter().map(|spread| Dimension::Known(spread.output)).collect(),
            _ => vec![Dimension::Unknown; spatial.len()],
        };
        let shape: Vec<Dimension> = [batch.clone(), out].into_iter().chain(spatial).collect();
        Ok(vec![Some(ValueType::tensor(element_type, shape))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let operands = Operands::take(&mut inputs, &self.window)?;
        let out = self.check_channels(&operands)?;
        let Operands { input, weights, bias } = operands;
        let spreads = self.place(&weights.shape()[2..], &input.shape()[2..])?;
        let element_type = input.element_type();
        let batch = input.shape()[0];
        let computed = |spread: &Spread| spread.output + spread.before + spread.after - 2 * spread.common_padding();
        let computed: Shape = [batch, out].into_iter().chain(spreads.iter().map(computed)).collect();
        context.check_result_size(element_type, &computed)?;
        if batch == 0 {
            let shape: Shape = [batch, out].into_iter().chain(spreads.iter().map(|spread| spread.output)).collect();
            return Ok(single(Tensor::empty(element_type, &shape)));
        }
        let (Some(input), Some(weights)) = (input.into_primitive(), weights.into_primitive()) else {
            return Err(OpError::shape("a transposed convolution needs input and weights with elements"));
        };
        let result = spread_out(input, weights, bias.and_then(Tensor::into_primitive), &spreads, self.groups)?;
        let result = Tensor::from_primitive(element_type, &computed, result);
        let cuts: Vec<Cut> = [Cut::all(batch), Cut::all(out)]
            .into_iter()
            .chain(spreads.iter().map(|spread| Cut::range(spread.before - spread.common_padding(), spread.output)))
            .collect();
        Ok(single(movement::cut(result, &cuts)?))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }

    fn macs(&self, inputs: &[Option<ValueType>], _outputs: &[Option<ValueType>]) -> Option<u64> {
        let (_, input) = inputs.first()?.as_ref()?.as_tensor()?;
        let (_, weights) = inputs.get(1)?.as_ref()?.as_tensor()?;
        // Every input element meets one kernel per output channel of its group.
        product(input.as_known()?.iter().chain(weights.as_known()?.get(1..)?))
    }
}

fn spread_out(
    input: DispatchTensor,
    weights: DispatchTensor,
    bias: Option<DispatchTensor>,
    spreads: &[Spread],
    groups: usize,
) -> Result<DispatchTensor, OpError> {
    fn options<const N: usize>(spreads: &[Spread; N], groups: usize) -> ConvTransposeOptions<N> {
        ConvTransposeOptions::new(
            spreads.map(|spread| spread.stride),
            spreads.map(Spread::common_padding),
            spreads.map(|spread| spread.added),
            spreads.map(|spread| spread.dilation),
            groups,
        )
    }
    if let Ok(spreads) = spreads.try_into() {
        Ok(Backend::conv_transpose2d(input, weights, bias, options::<2>(spreads, groups)))
    } else if let Ok(spreads) = spreads.try_into() {
        Ok(Backend::conv_transpose1d(input, weights, bias, options::<1>(spreads, groups)))
    } else if let Ok(spreads) = spreads.try_into() {
        Ok(Backend::conv_transpose3d(input, weights, bias, options::<3>(spreads, groups)))
    } else {
        Err(OpError::unsupported(format!("a transposed convolution over {} spatial axes", spreads.len())))
    }
}
