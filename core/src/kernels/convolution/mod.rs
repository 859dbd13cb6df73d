//! Convolutions of float32 over one or two spatial axes, with weights that are known beforehand, on data that lies channels-last: all channels of
//! a place next to each other. So a kernel's elements at a place are one run of memory, and a convolution is a matrix product whose left side is
//! read where it lies.
//!
//! Three methods, of which the weights and the size of the input decide:
//! - [`Method::Product`] for most;
//! - [`winograd`] for 3 × 3 kernels with many channels, which needs 2.25 products for each output where the others need 9;
//! - [`depthwise`] where each channel has a kernel of its own.

mod depthwise;
mod layout;
#[cfg(test)]
mod tests;
mod winograd;

use std::mem::MaybeUninit;
use std::sync::OnceLock;

use smallvec::SmallVec;

use super::aligned::with_scratch;
use super::product::{Epilogue, Factors, Grid, PackedMatrix, Rows, multiply_side_by_side};
use depthwise::Depthwise;
pub use layout::{Image, Layout};
use winograd::Winograd;

/// How a kernel slides over one axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Axis {
    pub input: usize,
    pub kernel: usize,
    pub stride: usize,
    pub dilation: usize,
    /// Padding before the first element.
    pub before: usize,
    pub output: usize,
}

impl Axis {
    /// An axis that is not there.
    pub const TRIVIAL: Self = Self { input: 1, kernel: 1, stride: 1, dilation: 1, before: 0, output: 1 };

    /// The elements of the kernel that meet the input (rather than padding) at an output.
    pub(super) fn taps(&self, output: usize) -> std::ops::Range<usize> {
        let start = output * self.stride;
        let first = self.before.saturating_sub(start).div_ceil(self.dilation).min(self.kernel);
        let end = (self.before + self.input).saturating_sub(start).div_ceil(self.dilation).min(self.kernel);
        first..end.max(first)
    }

    /// The outputs whose kernel meets the input with all of its elements.
    fn outputs_inside(&self) -> std::ops::Range<usize> {
        let end = (self.before + self.input).checked_sub((self.kernel - 1) * self.dilation).map_or(0, |starts| starts.div_ceil(self.stride));
        self.before.div_ceil(self.stride)..end.min(self.output)
    }

    /// Elements from the first that any window covers to the last, padding included.
    fn covered(&self) -> usize {
        (self.output - 1) * self.stride + (self.kernel - 1) * self.dilation + 1
    }

    /// Whether some window covers padding.
    fn is_padded(&self) -> bool {
        self.before > 0 || self.covered() > self.input
    }
}

/// Weights of a convolution: `[output channels, channels of a group, height, width]`.
#[derive(Debug, Clone, Copy)]
pub struct Weights<'a> {
    pub shape: [usize; 4],
    pub elements: &'a [f32],
    /// One per output channel.
    pub bias: Option<&'a [f32]>,
}

/// A convolution with its weights laid out for the method.
#[derive(Debug)]
pub struct Convolution {
    groups: usize,
    /// Of a group.
    channels: usize,
    outputs: usize,
    method: Method,
}

#[derive(Debug)]
enum Method {
    /// A matrix product per group.
    Product(Vec<PackedMatrix>),
    Depthwise(Depthwise),
    /// A kernel of 3 × 3 for which Winograd's method may pay: the size of the input decides, and each form is made when it is first needed.
    Either {
        weights: Vec<f32>,
        bias: Option<Vec<f32>>,
        product: OnceLock<PackedMatrix>,
        winograd: OnceLock<Winograd>,
    },
}

/// Channels on either side from which on Winograd's method saves time.
const WINOGRAD_CHANNELS: usize = 32;

impl Convolution {
    /// Lays out weights for a convolution in `groups`, which divides the output channels.
    ///
    /// # Panics
    /// If the elements do not fit the shape.
    pub fn new(weights: Weights<'_>, groups: usize) -> Self {
        let [outputs, channels, height, width] = weights.shape;
        assert_eq!(weights.elements.len(), outputs * channels * height * width, "elements of weights of shape {:?}", weights.shape);
        assert!(groups > 0 && outputs.is_multiple_of(groups), "{outputs} output channels in {groups} groups");
        assert!(weights.bias.is_none_or(|bias| bias.len() == outputs), "a bias for each of {outputs} output channels");
        let method = if channels == 1 && groups == outputs && groups > 1 {
            Method::Depthwise(Depthwise::new(weights))
        } else if [height, width] == [3, 3] && groups == 1 && channels.min(outputs) >= WINOGRAD_CHANNELS {
            Method::Either {
                weights: weights.elements.to_vec(),
                bias: weights.bias.map(<[f32]>::to_vec),
                product: OnceLock::new(),
                winograd: OnceLock::new(),
            }
        } else {
            Method::Product((0..groups).map(|group| pack_group(weights, group, outputs / groups)).collect())
        };
        Self { groups, channels, outputs, method }
    }

    /// The result, channels-last: `[batch, height, width, output channels]`. The summand of the epilogue lies the same way.
    ///
    /// # Panics
    /// If the input has other channels than the weights, or does not fit the axes.
    pub fn run(&self, input: Image<'_>, axes: [Axis; 2], epilogue: Epilogue<'_>) -> Vec<f32> {
        assert_eq!(input.channels, self.groups * self.channels, "channels of the input");
        assert_eq!(input.elements.len(), input.batch * axes[0].input * axes[1].input * input.channels, "elements of the input");
        let n_results = input.batch * axes[0].output * axes[1].output * self.outputs;
        assert!(epilogue.summand.is_none_or(|summand| summand.len() == n_results), "elements of the summand");
        let mut result = Vec::with_capacity(n_results);
        let room = &mut result.spare_capacity_mut()[..n_results];
        match &self.method {
            Method::Product(groups) => self.multiply(groups, input, axes, epilogue, room),
            Method::Depthwise(depthwise) => layout::with_channels_last(input, axes, |input| depthwise.run(input, axes, epilogue, room)),
            Method::Either { weights, bias, product, winograd } => {
                let shape = [self.outputs, self.channels, 3, 3];
                let weights = Weights { shape, elements: weights, bias: bias.as_deref() };
                if Winograd::pays(input.batch, axes) {
                    let winograd = winograd.get_or_init(|| Winograd::new(weights));
                    layout::with_channels_last(input, axes, |input| winograd.run(input, axes, epilogue, room));
                } else {
                    let product = product.get_or_init(|| pack_group(weights, 0, self.outputs));
                    self.multiply(std::slice::from_ref(product), input, axes, epilogue, room);
                }
            }
        }
        // SAFETY: each method has written every element.
        unsafe { result.set_len(n_results) };
        result
    }

    fn multiply(&self, groups: &[PackedMatrix], input: Image<'_>, axes: [Axis; 2], epilogue: Epilogue<'_>, result: &mut [MaybeUninit<f32>]) {
        with_padding(input, axes, |input, [height, width]| {
            let row = width.input * input.channels;
            let origins = Grid {
                counts: [input.batch, height.output, width.output],
                steps: [height.input * row, height.stride * row, width.stride * input.channels],
            };
            // All channels under neighbouring elements of the kernel are one run.
            let taps_in_run = if self.groups == 1 && width.dilation == 1 { width.kernel } else { 1 };
            let mut offsets = Vec::with_capacity(height.kernel * width.kernel / taps_in_run * groups.len());
            for group in 0..groups.len() {
                for tap_height in 0..height.kernel {
                    for tap_width in (0..width.kernel).step_by(taps_in_run) {
                        let place = tap_height * height.dilation * row + tap_width * width.dilation * input.channels;
                        offsets.push(place + group * self.channels);
                    }
                }
            }
            let offsets_of_group = offsets.chunks(offsets.len() / groups.len());
            let products = groups.iter().zip(offsets_of_group).enumerate().map(|(index, (right, offsets))| Factors {
                left: Rows { data: input.elements, origins, offsets, run: taps_in_run * self.channels },
                right,
                first_column: index * right.columns(),
            });
            let products: SmallVec<[Factors<'_>; 8]> = products.collect();
            multiply_side_by_side(&products, epilogue, result, self.outputs);
        });
    }
}

/// The weights of a group as the right side of a product: a row for each element of the kernel and each channel, a column for each output channel.
fn pack_group(weights: Weights<'_>, group: usize, outputs: usize) -> PackedMatrix {
    let [_, channels, height, width] = weights.shape;
    let first = group * outputs;
    let bias = weights.bias.map(|bias| &bias[first..][..outputs]);
    PackedMatrix::new(height * width * channels, outputs, bias, |row, output| {
        let (tap, channel) = (row / channels, row % channels);
        weights.elements[((first + output) * channels + channel) * height * width + tap]
    })
}

/// Lends `work` the input channels-last and with its padding, copied only where that is not how it lies.
fn with_padding<T>(input: Image<'_>, axes: [Axis; 2], work: impl FnOnce(Image<'_>, [Axis; 2]) -> T) -> T {
    if !axes.iter().any(Axis::is_padded) {
        return layout::with_channels_last(input, axes, |input| work(input, axes));
    }
    let padded = axes.map(|axis| Axis { input: axis.covered(), before: 0, ..axis });
    with_scratch(input.batch * padded[0].input * padded[1].input * input.channels, |scratch| {
        layout::lay_padded(input, axes, scratch);
        work(Image { elements: scratch, layout: Layout::ChannelsLast, ..input }, padded)
    })
}
