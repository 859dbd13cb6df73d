//! ConvInteger and QLinearConv: the weights times a matrix with a column per window of the input, strip by strip.

use rayon::prelude::*;

use super::operands::{EightBits, Target, check_count, one, requantize, scales, take_scale, zero_points};
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::host::ElementType;
use crate::kernels::integer_product::{Left, PackedRight, multiply};
use crate::ops::conv::groups;
use crate::ops::operator::{Outputs, single};
use crate::ops::window::{AxisWindow, Window};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::{Shape, Tensor};

/// Bytes of a strip of windows, so that it stays in the cache while the weights pass over it.
const STRIP_BYTES: usize = 1 << 20;

/// What both convolutions know beforehand.
#[derive(Debug)]
struct Attributes {
    window: Window,
    groups: usize,
}

impl Attributes {
    fn new(node: &NodeContext<'_>) -> Result<Self, OpError> {
        Ok(Self { window: Window::new(node)?, groups: groups(node)? })
    }

    fn infer(&self, inputs: &InferInputs<'_>, weights: usize) -> Result<SymbolicShape, OpError> {
        let dims = |index: usize| inputs.tensor(index).and_then(|(_, shape)| shape.dims());
        let (Some([batch, _, spatial @ ..]), Some([out, _, kernel @ ..])) = (dims(0), dims(weights)) else { return Ok(SymbolicShape::unknown()) };
        let kernel: Option<Vec<usize>> = kernel.iter().map(Dimension::known).collect();
        let spatial = self.window.infer(kernel.as_deref().or(self.window.kernel.as_deref()), spatial)?;
        Ok(SymbolicShape(Some([batch.clone(), out.clone()].into_iter().chain(spatial).collect())))
    }

    /// Holds the operands against each other.
    fn place<'a>(&self, input: &'a Tensor, weights: &'a Tensor, context: &RunContext<'_>) -> Result<Convolution<'a>, OpError> {
        let (shape, kernel) = (input.shape(), weights.shape());
        if shape.len() < 3 || shape.len() != kernel.len() {
            return Err(OpError::shape(format!(
                "the input of shape {shape:?} and the weights of shape {kernel:?} should both be […, channels, spatial axes…] of one rank, at least 3"
            )));
        }
        if shape.len() > 5 {
            return Err(OpError::unsupported(format!("a convolution over {} spatial axes", shape.len() - 2)));
        }
        if self.window.kernel.as_deref().is_some_and(|expected| expected != &kernel[2..]) {
            return Err(OpError::shape(format!("attribute 'kernel_shape' is {:?}, but the weights have shape {kernel:?}", self.window.kernel)));
        }
        if kernel.contains(&0) {
            return Err(OpError::shape(format!("the weights of shape {kernel:?} have no elements")));
        }
        let (channels, per_group, out) = (shape[1], kernel[1], kernel[0]);
        if per_group.checked_mul(self.groups) != Some(channels) || !out.is_multiple_of(self.groups) {
            return Err(OpError::shape(format!(
                "the input has {channels} channels, which weights of shape {kernel:?} in {} groups do not take",
                self.groups
            )));
        }
        let windows = self.window.place(&kernel[2..], &shape[2..])?;
        let result: Shape = [shape[0], out].into_iter().chain(windows.iter().map(|window| window.output)).collect();
        context.check_result_size(ElementType::I32, &result)?;
        let mut axes = [AxisWindow::TRIVIAL; 3];
        axes[3 - windows.len()..].copy_from_slice(&windows);
        let (input, weights) = (EightBits::new(input, 0, "x")?, EightBits::new(weights, 1, "w")?);
        Ok(Convolution { channels: per_group, out: out / self.groups, groups: self.groups, axes, result, input, weights })
    }
}

/// A convolution of proven shapes. Channels are counted in one group.
struct Convolution<'a> {
    channels: usize,
    out: usize,
    groups: usize,
    axes: [AxisWindow; 3],
    result: Shape,
    input: EightBits<'a>,
    weights: EightBits<'a>,
}

impl Convolution<'_> {
    fn n_input(&self) -> usize {
        self.axes.iter().map(|axis| axis.input).product()
    }

    fn n_output(&self) -> usize {
        self.axes.iter().map(|axis| axis.output).product()
    }

    fn n_taps(&self) -> usize {
        self.axes.iter().map(|axis| axis.kernel).product()
    }

    /// Computes every result; `finish` makes some results of an output channel from their exact sums.
    fn run<R: Copy + Default + Send>(
        &self,
        input_zero: i32,
        weight_zeros: &[i32],
        finish: impl Fn(usize, &[i32], &mut [R]) + Sync,
    ) -> Result<Vec<R>, OpError> {
        let out = self.out * self.groups;
        check_count(weight_zeros.len(), out, 5, "w_zero_point", "output channels")?;
        let mut results = vec![R::default(); self.result.iter().product()];
        let n_output = self.n_output();
        if results.is_empty() {
            return Ok(results);
        }
        if self.channels == 1 && self.out <= 4 {
            self.per_channel(input_zero, weight_zeros, &mut results, &finish);
            return Ok(results);
        }
        let weights = self.weights_by_tap();
        let inner = self.channels * self.n_taps();
        let n_image = self.channels * self.n_input();
        let strip = (STRIP_BYTES / inner.max(1)).next_multiple_of(32).clamp(128, n_output.max(128));
        let mut strip_results = Vec::new();
        for (index, results) in results.chunks_mut(self.out * n_output).enumerate() {
            let group = index % self.groups;
            let image = channels_last(&self.input.bytes[index * n_image..][..n_image], self.channels);
            let weights = Left { bytes: &weights[group * self.out * inner..][..self.out * inner], is_signed: self.weights.is_signed };
            let zeros = if weight_zeros.len() == 1 { weight_zeros } else { &weight_zeros[group * self.out..][..self.out] };
            let finish = |row: usize, sums: &[i32], results: &mut [R]| finish(group * self.out + row, sums, results);
            for first in (0..n_output).step_by(strip) {
                let columns = strip.min(n_output - first);
                let packed = PackedRight::pack(inner, columns, self.input.is_signed, |column, elements| {
                    self.fill(&image, first + column, input_zero as u8, elements);
                });
                if columns == n_output {
                    multiply(weights, zeros, &packed, &[input_zero], results, finish);
                    continue;
                }
                strip_results.clear();
                strip_results.resize(self.out * columns, R::default());
                multiply(weights, zeros, &packed, &[input_zero], &mut strip_results, finish);
                for (results, strip) in results.chunks_mut(n_output).zip(strip_results.chunks(columns)) {
                    results[first..first + columns].copy_from_slice(strip);
                }
            }
        }
        Ok(results)
    }

    /// The weights of each output channel in the order of the windows' elements: by tap, then by input channel.
    fn weights_by_tap(&self) -> Vec<u8> {
        self.weights.bytes.chunks(self.channels * self.n_taps()).flat_map(|filter| channels_last(filter, self.channels)).collect()
    }

    /// The elements under the window of one output; `padding` where it lies outside the image.
    fn fill(&self, image: &[u8], output: usize, padding: u8, elements: &mut [u8]) {
        let [depth, height, width] = &self.axes;
        let position = [output / (height.output * width.output), output / width.output % height.output, output % width.output];
        let mut taps = elements.chunks_exact_mut(self.channels);
        // Where a tap lies on an axis, if it meets the image.
        let place = |axis: &AxisWindow, output: usize, tap: usize| {
            (output * axis.stride + tap * axis.dilation).checked_sub(axis.before).filter(|&place| place < axis.input)
        };
        for z in (0..depth.kernel).map(|tap| place(depth, position[0], tap)) {
            for y in (0..height.kernel).map(|tap| place(height, position[1], tap)) {
                for x in (0..width.kernel).map(|tap| place(width, position[2], tap)) {
                    let Some(elements) = taps.next() else { return };
                    match (z, y, x) {
                        (Some(z), Some(y), Some(x)) => {
                            let pixel = (z * height.input + y) * width.input + x;
                            elements.copy_from_slice(&image[pixel * self.channels..][..self.channels]);
                        }
                        _ => elements.fill(padding),
                    }
                }
            }
        }
    }

    /// Each input channel on its own, without a matrix: as in depthwise convolutions.
    fn per_channel<R: Copy + Send>(
        &self,
        input_zero: i32,
        weight_zeros: &[i32],
        results: &mut [R],
        finish: &(impl Fn(usize, &[i32], &mut [R]) + Sync),
    ) {
        let (n_input, n_output, n_taps) = (self.n_input(), self.n_output(), self.n_taps());
        let out = self.out * self.groups;
        let value = |byte: u8, is_signed: bool| if is_signed { i32::from(byte.cast_signed()) } else { i32::from(byte) };
        results.par_chunks_mut(n_output).enumerate().for_each(|(index, results)| {
            let (image, channel) = (index / out, index % out);
            let weight_zero = weight_zeros[channel % weight_zeros.len()];
            let source = image * self.groups + channel / self.out;
            let input: Vec<i32> =
                self.input.bytes[source * n_input..][..n_input].iter().map(|&byte| value(byte, self.input.is_signed) - input_zero).collect();
            let mut sums = vec![0_i32; n_output];
            for (tap, &byte) in self.weights.bytes[channel * n_taps..][..n_taps].iter().enumerate() {
                self.add_tap(tap, value(byte, self.weights.is_signed) - weight_zero, &input, &mut sums);
            }
            finish(channel, &sums, results);
        });
    }

    /// Adds one tap's products to the sums of every output whose window has the tap on the image.
    fn add_tap(&self, tap: usize, weight: i32, input: &[i32], sums: &mut [i32]) {
        let [depth, height, width] = &self.axes;
        let taps = [tap / (height.kernel * width.kernel), tap / width.kernel % height.kernel, tap % width.kernel];
        let columns = width.outputs(taps[2]);
        if columns.is_empty() {
            return;
        }
        let first = width.position(columns.start, taps[2]);
        for z in depth.outputs(taps[0]) {
            for y in height.outputs(taps[1]) {
                let sums = &mut sums[(z * height.output + y) * width.output..][columns.clone()];
                let row = (depth.position(z, taps[0]) * height.input + height.position(y, taps[1])) * width.input;
                let values = &input[row + first..];
                if width.stride == 1 {
                    sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += weight * value);
                } else {
                    sums.iter_mut().zip(values.iter().step_by(width.stride)).for_each(|(sum, value)| *sum += weight * value);
                }
            }
        }
    }
}

/// `[channels, …]` as `[…, channels]`.
fn channels_last(elements: &[u8], channels: usize) -> Vec<u8> {
    const BLOCK: usize = 32;
    if channels == 1 {
        return elements.to_vec();
    }
    let n_places = elements.len() / channels;
    let mut result = vec![0; elements.len()];
    for first in (0..n_places).step_by(BLOCK) {
        let places = first..(first + BLOCK).min(n_places);
        for (channel, plane) in elements.chunks_exact(n_places.max(1)).enumerate() {
            for (place, &element) in places.clone().zip(&plane[places.clone()]) {
                result[place * channels + channel] = element;
            }
        }
    }
    result
}

fn macs(weights: Option<&ValueType>, result: Option<&ValueType>) -> Option<u64> {
    let ((_, weights), (_, result)) = (weights?.as_tensor()?, result?.as_tensor()?);
    let (weights, result) = (weights.as_known()?, result.as_known()?);
    result.iter().chain(weights.get(1..)?).try_fold(1_u64, |product, &dim| product.checked_mul(u64::try_from(dim).ok()?))
}

/// The convolution of integers less their zero points, as int32. <https://onnx.ai/onnx/operators/onnx__ConvInteger.html>, opset 10.
#[derive(Debug)]
struct ConvInteger {
    attributes: Attributes,
}

pub fn build_integer(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(ConvInteger { attributes: Attributes::new(node)? }))
}

impl Operator for ConvInteger {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![Some(ValueType::tensor(ElementType::I32, self.attributes.infer(inputs, 1)?))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let (input, weights) = (inputs.take_tensor(0, "x")?, inputs.take_tensor(1, "w")?);
        let input_zero = inputs.take_optional_tensor(2, "x_zero_point")?;
        let weight_zeros = inputs.take_optional_tensor(3, "w_zero_point")?;
        let convolution = self.attributes.place(&input, &weights, context)?;
        let input_zero = one(&zero_points(input_zero.as_ref(), input.element_type(), 2, "x_zero_point")?, 2, "x_zero_point")?;
        let weight_zeros = zero_points(weight_zeros.as_ref(), weights.element_type(), 3, "w_zero_point")?;
        let sums = convolution.run(input_zero, &weight_zeros, |_, sums, results: &mut [i32]| results.copy_from_slice(sums))?;
        Ok(single(Tensor::from_vec(&convolution.result, sums)?))
    }

    fn macs(&self, inputs: &[Option<ValueType>], outputs: &[Option<ValueType>]) -> Option<u64> {
        macs(inputs.get(1)?.as_ref(), outputs.first()?.as_ref())
    }
}

/// The convolution of quantised numbers, quantised. <https://onnx.ai/onnx/operators/onnx__QLinearConv.html>, opset 10.
#[derive(Debug)]
struct QLinearConv {
    attributes: Attributes,
}

pub fn build_quantized(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(QLinearConv { attributes: Attributes::new(node)? }))
}

impl Operator for QLinearConv {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let shape = self.attributes.infer(inputs, 3)?;
        Ok(vec![inputs.tensor(7).map(|(element_type, _)| ValueType::tensor(element_type, shape))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let (input, weights) = (inputs.take_tensor(0, "x")?, inputs.take_tensor(3, "w")?);
        let input_scale = take_scale(&mut inputs, 1, "x_scale")?;
        let (input_zero, weight_zeros) = (inputs.take_tensor(2, "x_zero_point")?, inputs.take_tensor(5, "w_zero_point")?);
        let weight_scales = scales(&inputs.take_tensor(4, "w_scale")?, 4, "w_scale")?;
        let target = Target::take(&mut inputs, 6, ["y_scale", "y_zero_point"], input.element_type())?;
        let bias = inputs.take_optional_tensor(8, "B")?;
        let convolution = self.attributes.place(&input, &weights, context)?;
        let out = weights.shape()[0];
        check_count(weight_scales.len(), out, 4, "w_scale", "output channels")?;
        if let Some(bias) = &bias
            && bias.shape() != [out]
        {
            return Err(OpError::shape(format!("the bias has shape {:?}, but there are {out} output channels", bias.shape())));
        }
        let bias = match &bias {
            Some(bias) => bias.as_slice::<i32>()?.into_owned(),
            None => vec![0; out],
        };
        let input_zero = one(&zero_points(Some(&input_zero), input.element_type(), 2, "x_zero_point")?, 2, "x_zero_point")?;
        let weight_zeros = zero_points(Some(&weight_zeros), weights.element_type(), 5, "w_zero_point")?;
        let factors: Vec<f32> = weight_scales.iter().map(|weight| input_scale * weight / target.scale).collect();
        let bytes = convolution.run(input_zero, &weight_zeros, |channel, sums, results: &mut [u8]| {
            let factor = factors[channel % factors.len()];
            if bias[channel] == 0 {
                requantize(target, sums, &[factor], results);
            } else {
                let sums: Vec<i32> = sums.iter().map(|sum| sum.wrapping_add(bias[channel])).collect();
                requantize(target, &sums, &[factor], results);
            }
        })?;
        target.tensor(&convolution.result, bytes).map(single)
    }

    fn macs(&self, inputs: &[Option<ValueType>], outputs: &[Option<ValueType>]) -> Option<u64> {
        macs(inputs.get(3)?.as_ref(), outputs.first()?.as_ref())
    }
}
