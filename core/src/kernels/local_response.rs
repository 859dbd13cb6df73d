//! Local response normalisation of images that lie channels-last: each value over a power of the squares in neighbouring channels.

use std::ops::RangeInclusive;

use rayon::prelude::*;

use super::simd::{Kernel, Level, Simd};

/// `x · (bias + scale · Σ x²)^-beta`, with the sum over the channels around each one.
#[derive(Debug, Clone, Copy)]
pub struct LocalResponse {
    /// Channels before and after a channel that count, besides its own.
    pub before: usize,
    pub after: usize,
    pub scale: f32,
    pub bias: f32,
    pub beta: f32,
}

/// Elements from which on work is shared.
const PARALLEL_ELEMENTS: usize = 1 << 14;

impl LocalResponse {
    /// Normalises places with so many channels each.
    ///
    /// # Panics
    /// If the elements are not whole places.
    pub fn normalize(&self, elements: &[f32], channels: usize) -> Vec<f32> {
        self.normalize_with(Level::detected(), elements, channels)
    }

    fn normalize_with(&self, level: Level, elements: &[f32], channels: usize) -> Vec<f32> {
        assert!(channels > 0 && elements.len().is_multiple_of(channels), "elements of whole places");
        // Neighbours further away than there are channels do not exist.
        let (before, after) = (self.before.min(channels - 1), self.after.min(channels - 1));
        let near = Self { before, after, ..*self };
        let mut normalized = vec![0.0; elements.len()];
        let at_a_time = (PARALLEL_ELEMENTS / channels).max(1) * channels;
        let chunks = normalized.par_chunks_mut(at_a_time).zip(elements.par_chunks(at_a_time));
        chunks.for_each(|(normalized, elements)| level.run(Places { response: near, channels, elements, normalized }));
        normalized
    }
}

struct Places<'a> {
    /// Reaches no further than there are channels.
    response: LocalResponse,
    channels: usize,
    elements: &'a [f32],
    normalized: &'a mut [f32],
}

impl Kernel for Places<'_> {
    type Output = ();

    // The loops are plain ones: compiled for the processor's features, they become vectors.
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let LocalResponse { before, after, scale, bias, beta } = self.response;
        let neighbours: RangeInclusive<usize> = 0..=before + after;
        let mut squares = vec![0.0_f32; before + self.channels + after];
        let mut bases = vec![0.0_f32; self.channels];
        for (from, to) in self.elements.chunks_exact(self.channels).zip(self.normalized.chunks_exact_mut(self.channels)) {
            for (square, x) in squares[before..].iter_mut().zip(from) {
                *square = x * x;
            }
            bases.fill(0.0);
            for neighbour in neighbours.clone() {
                for (sum, square) in bases.iter_mut().zip(&squares[neighbour..]) {
                    *sum += square;
                }
            }
            for base in &mut bases {
                *base = bias + scale * *base;
            }
            // What nearly every model has, without a logarithm.
            if beta == 0.75 {
                for ((to, x), base) in to.iter_mut().zip(from).zip(&bases) {
                    let root = base.sqrt();
                    *to = x / (root * root.sqrt());
                }
            } else {
                for ((to, x), base) in to.iter_mut().zip(from).zip(&bases) {
                    *to = x / base.powf(beta);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_does_what_the_definition_says() {
        for (channels, before, after, beta) in [(1, 2, 2, 0.75), (7, 1, 2, 0.75), (40, 2, 2, 0.75), (40, 3, 0, 0.5), (5, usize::MAX, usize::MAX, 1.0)]
        {
            let response = LocalResponse { before, after, scale: 0.3, bias: 1.5, beta };
            let elements: Vec<f32> = (0..channels * 3).map(|at| ((at * 7 + 3) % 13) as f32 - 6.0).collect();
            for level in Level::available() {
                let found = response.normalize_with(level, &elements, channels);
                for (at, (&x, found)) in elements.iter().zip(found).enumerate() {
                    let (place, channel) = (at / channels, at % channels);
                    let near = channel.saturating_sub(before)..=channel.saturating_add(after).min(channels - 1);
                    let sum: f32 = near.map(|channel| elements[place * channels + channel].powi(2)).sum();
                    let expected = x / (1.5 + 0.3 * sum).powf(beta);
                    assert!((found - expected).abs() <= 1e-6 * expected.abs(), "{level:?}, {channels} channels at {at}: {found} for {expected}");
                }
            }
        }
    }
}
