//! Pools of float32 over one or two spatial axes on data that lies channels-last: vectors go across channels.

use rayon::prelude::*;

use super::convolution::Axis;
use super::product::Target;
use super::simd::{Kernel, Level, Simd};

/// What becomes of the elements under a window.
#[derive(Debug, Clone, Copy)]
pub enum Pool<'a> {
    /// The largest. NaN, if there is one.
    Maximum,
    /// Their sum divided by a count of each axis, one for each output.
    Mean { counts: [&'a [usize]; 2] },
}

/// Below this many elements, sharing the work costs more than it saves.
const PARALLEL_ELEMENTS: usize = 1 << 16;

/// Pools images that lie `[batch, height, width, channels]`; the result lies the same way.
///
/// # Panics
/// If the elements or the counts do not fit the axes.
pub fn pool(input: &[f32], batch: usize, channels: usize, axes: [Axis; 2], pool: Pool<'_>) -> Vec<f32> {
    let [height, width] = axes;
    assert_eq!(input.len(), batch * height.input * width.input * channels, "elements of the input");
    if let Pool::Mean { counts: [rows, columns] } = pool {
        assert!(rows.len() == height.output && columns.len() == width.output, "a count for each output");
    }
    let row_length = width.output * channels;
    let n_results = batch * height.output * row_length;
    let mut result = Vec::with_capacity(n_results);
    let room = &mut result.spare_capacity_mut()[..n_results];
    let level = Level::detected();
    let image_length = height.input * width.input * channels;
    let compute = |(index, row): (usize, &mut [std::mem::MaybeUninit<f32>])| {
        let (image, output) = (index / height.output, index % height.output);
        let input = &input[image * image_length..][..image_length];
        level.run(Row { input, channels, axes, output, pool, result: Target(row.as_mut_ptr().cast()) });
    };
    if input.len() < PARALLEL_ELEMENTS {
        room.chunks_mut(row_length).enumerate().for_each(compute);
    } else {
        room.par_chunks_mut(row_length).enumerate().for_each(compute);
    }
    // SAFETY: every row has been written.
    unsafe { result.set_len(n_results) };
    result
}

/// A row of the result for one image.
struct Row<'a> {
    input: &'a [f32],
    channels: usize,
    axes: [Axis; 2],
    output: usize,
    pool: Pool<'a>,
    /// The row itself.
    result: Target,
}

impl Kernel for Row<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let [height, width] = self.axes;
        let rows = height.taps(self.output);
        for place in 0..width.output {
            let columns = width.taps(place);
            for channel in (0..self.channels).step_by(S::LANES) {
                let n = self.channels - channel;
                // SAFETY: as for this function. Taps that meet the input are within the image, and the place is within the row.
                unsafe {
                    let mut pooled = S::splat(if matches!(self.pool, Pool::Maximum) { f32::NEG_INFINITY } else { 0.0 });
                    for row in rows.clone() {
                        let from_row = self.output * height.stride + row * height.dilation - height.before;
                        for column in columns.clone() {
                            let from_column = place * width.stride + column * width.dilation - width.before;
                            let at = (from_row * width.input + from_column) * self.channels + channel;
                            let value = S::load_up_to(self.input.as_ptr().add(at), n);
                            pooled = match self.pool {
                                Pool::Maximum => S::larger_or_nan(pooled, value),
                                Pool::Mean { .. } => S::add(pooled, value),
                            };
                        }
                    }
                    if let Pool::Mean { counts: [rows, columns] } = self.pool {
                        let count = rows[self.output] * columns[place];
                        pooled = S::multiply(pooled, S::splat(if count == 0 { 0.0 } else { 1.0 / count as f32 }));
                    }
                    S::store_up_to(self.result.0.add(place * self.channels + channel), pooled, n);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AXIS: Axis = Axis { input: 3, kernel: 2, stride: 2, dilation: 1, before: 1, output: 2 };

    #[test]
    fn windows_see_the_input_and_no_padding() {
        // Two channels of 1 × 3: 1, 2, 3 and -1, -2, -3.
        let input = [1.0, -1.0, 2.0, -2.0, 3.0, -3.0];
        assert_eq!(pool(&input, 1, 2, [Axis::TRIVIAL, AXIS], Pool::Maximum), [1.0, -1.0, 3.0, -2.0]);
        let counts = [1, 2];
        let means = pool(&input, 1, 2, [Axis::TRIVIAL, AXIS], Pool::Mean { counts: [&[1], &counts] });
        assert_eq!(means, [1.0, -1.0, 2.5, -2.5]);
    }

    #[test]
    fn nan_is_the_largest() {
        for at in 0..3 {
            let mut input = [1.0; 3 * 20];
            input[at * 20 + 17] = f32::NAN;
            let found = pool(&input, 1, 20, [Axis::TRIVIAL, Axis { kernel: 3, stride: 1, before: 0, output: 1, ..AXIS }], Pool::Maximum);
            assert!(found.iter().enumerate().all(|(channel, value)| value.is_nan() == (channel == 17)), "NaN at {at}: {found:?}");
        }
    }
}
