//! A factor and an addend for each channel of an image, and an activation, in one pass.

use rayon::prelude::*;

use super::activation::Activation;
use super::convolution::Layout;
use super::simd::{Kernel, Level, Simd};

/// `activation(x · factor + addend)`, with factors and addends for each channel.
#[derive(Debug)]
pub struct ChannelScaling {
    pub factors: Vec<f32>,
    pub addends: Vec<f32>,
    pub activation: Activation,
}

/// Elements from which on work is shared.
const PARALLEL_ELEMENTS: usize = 1 << 15;

impl ChannelScaling {
    /// Applies it to images with so many elements in each channel.
    ///
    /// # Panics
    /// If the elements are not whole images.
    pub fn apply_to(&self, elements: &mut [f32], places: usize, layout: Layout) {
        let channels = self.factors.len();
        assert!(channels == self.addends.len() && elements.len().is_multiple_of(channels * places), "elements of whole images");
        let level = Level::detected();
        match layout {
            Layout::ChannelsLast => {
                let rows_at_a_time = (PARALLEL_ELEMENTS / channels).max(1);
                let chunks = elements.par_chunks_mut(rows_at_a_time * channels);
                chunks.for_each(|rows| level.run(Rows { scaling: self, rows }));
            }
            Layout::ChannelsFirst => {
                let planes_at_a_time = (PARALLEL_ELEMENTS / places).max(1);
                elements.par_chunks_mut(planes_at_a_time * places).enumerate().for_each(|(chunk, planes)| {
                    level.run(Planes { scaling: self, planes, first: chunk * planes_at_a_time, places });
                });
            }
        }
    }
}

/// Places with all their channels.
struct Rows<'a> {
    scaling: &'a ChannelScaling,
    rows: &'a mut [f32],
}

impl Kernel for Rows<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let ChannelScaling { factors, addends, activation } = self.scaling;
        for row in self.rows.chunks_exact_mut(factors.len()) {
            for channel in (0..row.len()).step_by(S::LANES) {
                let n = row.len() - channel;
                // SAFETY: as for this function; the row has a factor and an addend for each of its elements.
                unsafe {
                    let at = row.as_mut_ptr().add(channel);
                    let factor = S::load_up_to(factors.as_ptr().add(channel), n);
                    let addend = S::load_up_to(addends.as_ptr().add(channel), n);
                    let scaled = S::multiply_add(S::load_up_to(at, n), factor, addend);
                    S::store_up_to(at, activation.apply::<S>(scaled), n);
                }
            }
        }
    }
}

/// Channels with all their places, from number `first` on.
struct Planes<'a> {
    scaling: &'a ChannelScaling,
    planes: &'a mut [f32],
    first: usize,
    places: usize,
}

impl Kernel for Planes<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let ChannelScaling { factors, addends, activation } = self.scaling;
        for (index, plane) in self.planes.chunks_exact_mut(self.places).enumerate() {
            let channel = (self.first + index) % factors.len();
            for place in (0..plane.len()).step_by(S::LANES) {
                let n = plane.len() - place;
                // SAFETY: as for this function; the place is within the plane.
                unsafe {
                    let at = plane.as_mut_ptr().add(place);
                    let scaled = S::multiply_add(S::load_up_to(at, n), S::splat(factors[channel]), S::splat(addends[channel]));
                    S::store_up_to(at, activation.apply::<S>(scaled), n);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_order_gives_each_channel_its_own() {
        let (channels, places) = (19, 21);
        let scaling = ChannelScaling {
            factors: (0..channels).map(|channel| channel as f32 - 9.0).collect(),
            addends: (0..channels).map(|channel| (channel % 3) as f32).collect(),
            activation: Activation::RELU,
        };
        let element = |place: usize, channel: usize| ((place * 7 + channel * 3) % 11) as f32 - 5.0;
        let expected = |place: usize, channel: usize| (element(place, channel) * scaling.factors[channel] + scaling.addends[channel]).max(0.0);
        // Two images.
        let mut last: Vec<f32> = (0..2 * places).flat_map(|place| (0..channels).map(move |channel| element(place % places, channel))).collect();
        scaling.apply_to(&mut last, places, Layout::ChannelsLast);
        assert!(last.iter().enumerate().all(|(at, &found)| found == expected(at / channels % places, at % channels)));
        let mut first: Vec<f32> = (0..2 * channels).flat_map(|channel| (0..places).map(move |place| element(place, channel % channels))).collect();
        scaling.apply_to(&mut first, places, Layout::ChannelsFirst);
        assert!(first.iter().enumerate().all(|(at, &found)| found == expected(at % places, at / places % channels)));
    }
}
