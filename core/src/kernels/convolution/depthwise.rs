//! Convolutions whose every channel has a kernel of its own: no sum over channels, so vectors go across them.

#![expect(clippy::needless_range_loop, reason = "rows, vectors and places are counted alike on both sides of an assignment")]

use std::mem::MaybeUninit;

use rayon::prelude::*;

use super::{Axis, Image, Weights};
use crate::kernels::activation::Activation;
use crate::kernels::aligned::Aligned;
use crate::kernels::product::{Epilogue, Target};
use crate::kernels::simd::{Kernel, Level, Simd};

/// Neighbouring places of a row that are computed at a time.
const PLACES: usize = 6;
/// Below this many multiply-accumulates, sharing the work costs more than it saves.
const PARALLEL_MACS: usize = 1 << 18;

/// A kernel for each channel.
#[derive(Debug)]
pub struct Depthwise {
    level: Level,
    /// Channels, padded to whole vectors.
    padded: usize,
    /// For each element of the kernel, its weight for each channel.
    taps: Aligned,
    bias: Aligned,
}

impl Depthwise {
    pub fn new(weights: Weights<'_>) -> Self {
        Self::with_level(Level::detected(), weights)
    }

    pub(super) fn with_level(level: Level, weights: Weights<'_>) -> Self {
        let [channels, _, height, width] = weights.shape;
        let padded = channels.next_multiple_of(level.lanes());
        let (mut taps, mut bias) = (Aligned::zeros(height * width * padded), Aligned::zeros(padded));
        for (channel, kernel) in weights.elements.chunks(height * width).enumerate() {
            for (tap, &weight) in kernel.iter().enumerate() {
                taps[tap * padded + channel] = weight;
            }
        }
        if let Some(values) = weights.bias {
            bias[..channels].copy_from_slice(values);
        }
        Self { level, padded, taps, bias }
    }

    /// Writes the result for an image that lies channels-last with its padding.
    ///
    /// # Panics
    /// If the image, the axes or the result do not fit each other.
    pub fn run(&self, input: Image<'_>, axes: [Axis; 2], epilogue: Epilogue<'_>, result: &mut [MaybeUninit<f32>]) {
        let [height, width] = axes;
        let channels = input.channels;
        assert!(axes.iter().all(|axis| axis.covered() <= axis.input) && channels <= self.padded);
        assert!(height.kernel * width.kernel * self.padded <= self.taps.len(), "weights of the kernel");
        assert_eq!(input.elements.len(), input.batch * height.input * width.input * channels, "elements of the input");
        let row_length = width.output * channels;
        let n_rows = input.batch * height.output;
        assert!(result.len() == n_rows * row_length && epilogue.summand.is_none_or(|summand| summand.len() == result.len()));
        let compute = |index: usize, row: &mut [MaybeUninit<f32>]| {
            let first_row = (index / height.output) * height.input + (index % height.output) * height.stride;
            self.level.run(Row {
                convolution: self,
                axes,
                channels,
                input: &input.elements[first_row * width.input * channels..],
                summand: epilogue.summand.map(|summand| &summand[index * row_length..][..row_length]),
                activation: epilogue.activation,
                result: Target(row.as_mut_ptr().cast()),
            });
        };
        if result.len() * height.kernel * width.kernel < PARALLEL_MACS {
            result.chunks_mut(row_length).enumerate().for_each(|(index, row)| compute(index, row));
        } else {
            result.par_chunks_mut(row_length).enumerate().for_each(|(index, row)| compute(index, row));
        }
    }
}

/// One row of the result.
struct Row<'a> {
    convolution: &'a Depthwise,
    axes: [Axis; 2],
    channels: usize,
    /// From the first row that the kernel covers; all that it covers are there.
    input: &'a [f32],
    summand: Option<&'a [f32]>,
    activation: Activation,
    /// The row itself.
    result: Target,
}

impl Kernel for Row<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let n_places = self.axes[1].output;
        for first in (0..n_places).step_by(PLACES) {
            for channel in (0..self.channels).step_by(S::LANES) {
                // SAFETY: as for this function; places and channels are within the row.
                unsafe {
                    if first + PLACES <= n_places {
                        self.places::<S, PLACES>(first, channel);
                    } else {
                        for place in first..n_places {
                            self.places::<S, 1>(place, channel);
                        }
                    }
                }
            }
        }
    }
}

impl Row<'_> {
    /// A vector of channels at some places.
    ///
    /// # Safety
    /// The processor has the instructions of `S`; the places and the first channel are within the row.
    #[inline(always)]
    unsafe fn places<S: Simd, const N: usize>(&self, first: usize, channel: usize) {
        let [height, width] = self.axes;
        let n = self.channels - channel;
        let step = width.stride * self.channels;
        // SAFETY: `Depthwise::run` has held the sizes against each other: the input reaches as far as the kernel does at the last place.
        unsafe {
            let mut sums = [S::load(self.convolution.bias.as_ptr().add(channel)); N];
            let start = self.input.as_ptr().add(first * step + channel);
            let mut weight = self.convolution.taps.as_ptr().add(channel);
            for tap_height in 0..height.kernel {
                let row = start.add(tap_height * height.dilation * width.input * self.channels);
                for tap_width in 0..width.kernel {
                    let tap = row.add(tap_width * width.dilation * self.channels);
                    let factor = S::load(weight);
                    for place in 0..N {
                        sums[place] = S::multiply_add(S::load_up_to(tap.add(place * step), n), factor, sums[place]);
                    }
                    weight = weight.add(self.convolution.padded);
                }
            }
            for place in 0..N {
                let at = (first + place) * self.channels + channel;
                let mut sum = sums[place];
                if let Some(summand) = self.summand {
                    sum = S::add(sum, S::load_up_to(summand.as_ptr().add(at), n));
                }
                S::store_up_to(self.result.0.add(at), self.activation.apply::<S>(sum), n);
            }
        }
    }
}
