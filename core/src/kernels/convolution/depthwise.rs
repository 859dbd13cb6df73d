//! Convolutions whose every channel has a kernel of its own: no sum over channels, so vectors go across them.

#![expect(clippy::needless_range_loop, reason = "rows, vectors and places are counted alike on both sides of an assignment")]

use std::mem::MaybeUninit;
use std::ops::Range;

use rayon::prelude::*;

use super::{Axis, Image, Weights};
use crate::kernels::activation::Activation;
use crate::kernels::aligned::Aligned;
use crate::kernels::product::{Epilogue, Target};
use crate::kernels::simd::{Kernel, Level, Simd};

/// Neighbouring places of a row that are computed at a time.
const PLACES: usize = 6;
/// Below this many multiply-accumulates, sharing the work costs more than it saves.
const PARALLEL_MACS: usize = 1 << 17;

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

    /// Writes the result for an image that lies channels-last, without padding.
    ///
    /// # Panics
    /// If the image, the axes or the result do not fit each other.
    pub fn run(&self, input: Image<'_>, axes: [Axis; 2], epilogue: Epilogue<'_>, result: &mut [MaybeUninit<f32>]) {
        let [height, width] = axes;
        let channels = input.channels;
        assert!(channels <= self.padded && height.kernel * width.kernel * self.padded <= self.taps.len(), "weights of the kernel");
        assert_eq!(input.elements.len(), input.batch * height.input * width.input * channels, "elements of the input");
        let row_length = width.output * channels;
        let n_rows = input.batch * height.output;
        assert!(result.len() == n_rows * row_length && epilogue.summand.is_none_or(|summand| summand.len() == result.len()));
        let image_length = height.input * width.input * channels;
        let compute = |index: usize, row: &mut [MaybeUninit<f32>]| {
            self.level.run(Row {
                convolution: self,
                axes,
                channels,
                image: &input.elements[index / height.output * image_length..][..image_length],
                output: index % height.output,
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
    image: &'a [f32],
    /// Its number.
    output: usize,
    summand: Option<&'a [f32]>,
    activation: Activation,
    /// The row itself.
    result: Target,
}

impl Kernel for Row<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let [height, width] = self.axes;
        let rows = height.taps(self.output);
        let inside = width.outputs_inside();
        let mut first = 0;
        while first < width.output {
            // As many places as there are whose kernel meets the image whole; others one by one.
            let n_inside = if inside.contains(&first) { inside.end - first } else { 1 };
            let n_places = match n_inside {
                PLACES.. => PLACES,
                4.. => 4,
                2.. => 2,
                _ => 1,
            };
            let columns = width.taps(first);
            // SAFETY: as for this function; the places are within the row, and the taps meet the image at all of them.
            unsafe {
                match n_places {
                    PLACES => self.all_channels::<S, PLACES>(first, &rows, &columns),
                    4 => self.all_channels::<S, 4>(first, &rows, &columns),
                    2 => self.all_channels::<S, 2>(first, &rows, &columns),
                    _ => self.all_channels::<S, 1>(first, &rows, &columns),
                }
            }
            first += n_places;
        }
    }
}

impl Row<'_> {
    /// All channels at some places.
    ///
    /// # Safety
    /// As for [`Self::places`].
    #[inline(always)]
    unsafe fn all_channels<S: Simd, const N: usize>(&self, first: usize, rows: &Range<usize>, columns: &Range<usize>) {
        let whole = self.channels / S::LANES * S::LANES;
        for channel in (0..whole).step_by(S::LANES) {
            // SAFETY: as for this function.
            unsafe { self.places::<S, N, true>(first, channel, rows, columns) };
        }
        if whole < self.channels {
            // SAFETY: as for this function.
            unsafe { self.places::<S, N, false>(first, whole, rows, columns) };
        }
    }

    /// A vector of channels (a whole one, or the last few) at some places, over some of the kernel's rows and columns.
    ///
    /// # Safety
    /// The processor has the instructions of `S`; the places and the first channel are within the row, and the rows and columns of the kernel meet
    /// the image at each of the places.
    #[inline(always)]
    unsafe fn places<S: Simd, const N: usize, const WHOLE: bool>(&self, first: usize, channel: usize, rows: &Range<usize>, columns: &Range<usize>) {
        let [height, width] = self.axes;
        // Known to the compiler where it matters: a branch for each load would take longer than what it decides about.
        let n = if WHOLE { S::LANES } else { self.channels - channel };
        let step = width.stride * self.channels;
        // SAFETY: as for this function; `Depthwise::run` has held the sizes against each other.
        unsafe {
            let mut sums = [S::load(self.convolution.bias.as_ptr().add(channel)); N];
            for tap_height in rows.clone() {
                let from_row = self.output * height.stride + tap_height * height.dilation - height.before;
                for tap_width in columns.clone() {
                    let from_column = first * width.stride + tap_width * width.dilation - width.before;
                    let tap = self.image.as_ptr().add((from_row * width.input + from_column) * self.channels + channel);
                    let weight = (tap_height * width.kernel + tap_width) * self.convolution.padded + channel;
                    let factor = S::load(self.convolution.taps.as_ptr().add(weight));
                    for place in 0..N {
                        sums[place] = S::multiply_add(S::load_up_to(tap.add(place * step), n), factor, sums[place]);
                    }
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
