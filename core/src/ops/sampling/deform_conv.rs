//! DeformConv: a convolution whose kernel elements are moved, each by offsets of its own at every output.

use burn::backend::ops::FloatTensorOps as _;
use rayon::prelude::*;

use super::interpolation::{Beyond, Filter, Samples};
use crate::graph::infer::InferInputs;
use crate::graph::{SymbolicShape, ValueType};
use crate::ops::operator::{Outputs, single};
use crate::ops::types::{Number, TypeSet, check_same_type, match_number};
use crate::ops::window::{AxisWindows, Window};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::{Backend, Shape, Tensor};

/// <https://onnx.ai/onnx/operators/onnx__DeformConv.html>, opsets 19, 22 (bfloat16). Works by a matrix product over columns of sampled elements.
#[derive(Debug)]
struct DeformConv {
    window: Window,
    groups: usize,
    offset_groups: usize,
}

pub fn build(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let groups = |name: &str| {
        let value = context.attributes.int(name)?.unwrap_or(1);
        usize::try_from(value)
            .ok()
            .filter(|&value| value > 0)
            .ok_or_else(|| OpError::value(format!("attribute '{name}' should be at least 1, but is {value}")))
    };
    Ok(Box::new(DeformConv { window: Window::new(context)?, groups: groups("group")?, offset_groups: groups("offset_group")? }))
}

/// More spatial axes than this have no use, and many neighbours each.
const MOST_AXES: usize = 3;

struct Operands {
    x: Tensor,
    weights: Tensor,
    offsets: Tensor,
    bias: Option<Tensor>,
    mask: Option<Tensor>,
}

/// The numbers that the work is cut up by.
struct Plan {
    windows: AxisWindows,
    n_images: usize,
    n_channels: usize,
    n_kernel: usize,
    n_outputs: usize,
    /// `[batch, output channels, spatial…]`.
    shape: Shape,
}

impl DeformConv {
    fn take(inputs: &mut Inputs) -> Result<Operands, OpError> {
        let x = inputs.take_tensor(0, "X")?;
        let weights = inputs.take_tensor(1, "W")?;
        let offsets = inputs.take_tensor(2, "offset")?;
        let (bias, mask) = (inputs.take_optional_tensor(3, "B")?, inputs.take_optional_tensor(4, "mask")?);
        TypeSet::FLOATS.check(&x, 0, "X")?;
        for other in [Some(&weights), Some(&offsets), bias.as_ref(), mask.as_ref()].into_iter().flatten() {
            check_same_type(&x, other)?;
        }
        Ok(Operands { x, weights, offsets, bias, mask })
    }

    fn plan(&self, operands: &Operands) -> Result<Plan, OpError> {
        let (x, weights) = (operands.x.shape(), operands.weights.shape());
        let n_axes = x.len().saturating_sub(2);
        if n_axes == 0 || weights.len() != x.len() {
            return Err(OpError::shape(format!("X of shape {x:?} and W of shape {weights:?} should have one rank, and spatial axes")));
        }
        if n_axes > MOST_AXES {
            return Err(OpError::unsupported(format!("DeformConv over {n_axes} spatial axes")));
        }
        let (n_images, n_channels, n_features, kernel) = (x[0], x[1], weights[0], &weights[2..]);
        if self.window.kernel.as_deref().is_some_and(|declared| declared != kernel) {
            return Err(OpError::shape(format!("attribute 'kernel_shape' differs from the kernel of W, {kernel:?}")));
        }
        let groups_fit = weights[1].checked_mul(self.groups) == Some(n_channels)
            && n_features.is_multiple_of(self.groups)
            && n_channels.is_multiple_of(self.offset_groups);
        if !groups_fit {
            return Err(OpError::shape(format!(
                "X of shape {x:?} and W of shape {weights:?} do not fall into {} groups and {} offset groups",
                self.groups, self.offset_groups
            )));
        }
        let windows = self.window.place(kernel, &x[2..])?;
        let spatial: Shape = windows.iter().map(|window| window.output).collect();
        let n_kernel: usize = kernel.iter().product();
        let expected = |per_element: usize| -> Vec<usize> {
            let channels = self.offset_groups.saturating_mul(n_kernel).saturating_mul(per_element);
            [n_images, channels].into_iter().chain(spatial.iter().copied()).collect()
        };
        let sides = [("offset", Some(&operands.offsets), n_axes), ("mask", operands.mask.as_ref(), 1)];
        for (name, tensor, per_element) in sides {
            if let Some(tensor) = tensor.filter(|tensor| tensor.shape() != expected(per_element)) {
                return Err(OpError::shape(format!("input '{name}' has shape {:?}, but should have {:?}", tensor.shape(), expected(per_element))));
            }
        }
        if let Some(bias) = operands.bias.as_ref().filter(|bias| bias.shape() != [n_features]) {
            return Err(OpError::shape(format!("the bias has shape {:?}, but there are {n_features} output channels", bias.shape())));
        }
        let shape = [n_images, n_features].into_iter().chain(spatial.iter().copied()).collect();
        Ok(Plan { windows, n_images, n_channels, n_kernel, n_outputs: spatial.iter().product(), shape })
    }

    /// Where the kernel elements lie at every output, for one offset group of one image: `[kernel, outputs, axes]`, from `[kernel, axes, outputs]`.
    fn places<T: Number>(plan: &Plan, offsets: &[T]) -> Vec<f64> {
        let n_axes = plan.windows.len();
        let mut places = Vec::with_capacity(offsets.len());
        for (element, offsets) in offsets.chunks_exact(n_axes * plan.n_outputs).enumerate() {
            for output in 0..plan.n_outputs {
                let start = places.len();
                let (mut element, mut at) = (element, output);
                // The last axis varies fastest.
                for (axis, window) in plan.windows.iter().enumerate().rev() {
                    let whole = (at % window.output * window.stride + element % window.kernel * window.dilation) as f64 - window.before as f64;
                    places.push(whole + offsets[axis * plan.n_outputs + output].to_f64());
                    element /= window.kernel;
                    at /= window.output;
                }
                places[start..].reverse();
            }
        }
        places
    }

    fn run_on<T: Number>(&self, operands: &Operands, plan: &Plan) -> Result<Tensor, OpError> {
        let (x, offsets) = (operands.x.as_slice::<T>()?, operands.offsets.as_slice::<T>()?);
        let mask = operands.mask.as_ref().map(Tensor::as_slice::<T>).transpose()?;
        let bias = operands.bias.as_ref().map(Tensor::as_slice::<T>).transpose()?;
        let dims: Vec<usize> = plan.windows.iter().map(|window| window.input).collect();
        let (n_pixels, n_samples): (usize, usize) = (dims.iter().product(), plan.n_kernel * plan.n_outputs);
        let channels_per_group = plan.n_channels / self.offset_groups;
        let features_per_group = plan.shape[1] / self.groups;
        let inner = plan.n_channels / self.groups * plan.n_kernel;
        let weights = operands.weights.clone().reshaped(&[self.groups, features_per_group, inner])?;
        let mut result = Vec::with_capacity(plan.shape.iter().product());
        for image in 0..plan.n_images {
            let mut columns = vec![T::ZERO; plan.n_channels * n_samples];
            for group in 0..self.offset_groups {
                let index = image * self.offset_groups + group;
                let n_offsets = n_samples * dims.len();
                let samples =
                    Samples::<T>::new(&Self::places(plan, &offsets[index * n_offsets..][..n_offsets]), &dims, Filter::Linear, Beyond::Zeros);
                let mask = mask.as_ref().map(|mask| &mask[index * n_samples..][..n_samples]);
                let first = group * channels_per_group;
                let channels = &x[(image * plan.n_channels + first) * n_pixels..][..channels_per_group * n_pixels];
                let columns = &mut columns[first * n_samples..][..channels_per_group * n_samples];
                columns.par_chunks_exact_mut(n_samples).zip(channels.par_chunks_exact(n_pixels)).for_each(|(columns, channel)| {
                    samples.read(channel, columns);
                    for (column, &mask) in columns.iter_mut().zip(mask.into_iter().flatten()) {
                        *column = column.times(mask);
                    }
                });
            }
            let columns = Tensor::from_vec(&[self.groups, inner, plan.n_outputs], columns)?;
            let (Some(weights), Some(columns)) = (weights.primitive(), columns.into_primitive()) else {
                return Err(OpError::shape("there is nothing to convolve"));
            };
            let product_shape = [self.groups, features_per_group, plan.n_outputs];
            let product = Tensor::from_primitive(T::ELEMENT_TYPE, &product_shape, Backend::float_matmul(weights, columns));
            let start = result.len();
            result.extend_from_slice(&product.as_slice::<T>()?);
            for (feature, &bias) in result[start..].chunks_exact_mut(plan.n_outputs).zip(bias.iter().flat_map(|bias| bias.iter())) {
                for element in feature {
                    *element = element.plus(bias);
                }
            }
        }
        Ok(Tensor::from_vec(&plan.shape, result)?)
    }
}

impl Operator for DeformConv {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let Some((element_type, x)) = inputs.tensor(0) else { return Ok(vec![None]) };
        let weights = inputs.tensor(1).and_then(|(_, shape)| shape.dims());
        let shape = match (x.dims(), weights) {
            (Some([batch, _, spatial @ ..]), Some([features, _, kernel @ ..])) => {
                let kernel: Option<Vec<usize>> = kernel.iter().map(crate::graph::Dimension::known).collect();
                let spatial = self.window.infer(kernel.as_deref(), spatial)?;
                SymbolicShape(Some([batch.clone(), features.clone()].into_iter().chain(spatial).collect()))
            }
            _ => SymbolicShape::unknown(),
        };
        Ok(vec![Some(ValueType::tensor(element_type, shape))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let operands = Self::take(&mut inputs)?;
        let plan = self.plan(&operands)?;
        let element_type = operands.x.element_type();
        context.check_result_size(element_type, &plan.shape)?;
        context.check_result_size(element_type, &[plan.n_channels, plan.n_kernel, plan.n_outputs])?;
        if plan.shape.contains(&0) {
            return Ok(single(Tensor::empty(element_type, &plan.shape)));
        }
        let result = match_number!(element_type, T => self.run_on::<T>(&operands, &plan),
            else Err(OpError::unsupported(format!("DeformConv of {element_type}"))));
        Ok(single(result?))
    }

    fn macs(&self, inputs: &[Option<ValueType>], outputs: &[Option<ValueType>]) -> Option<u64> {
        let (_, weights) = inputs.get(1)?.as_ref()?.as_tensor()?;
        let (_, result) = outputs.first()?.as_ref()?.as_tensor()?;
        // Every output element sums one kernel over the channels of its group; sampling is not counted.
        let (weights, result) = (weights.as_known()?, result.as_known()?);
        let mut factors = result.iter().chain(weights.get(1..)?);
        factors.try_fold(1_u64, |product, &dim| product.checked_mul(u64::try_from(dim).ok()?))
    }
}
