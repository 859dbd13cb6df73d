//! Winograd's method F(4 × 4, 3 × 3) for kernels of 3 × 3 with stride 1: a tile of 4 × 4 outputs from 36 products for each pair of channels
//! instead of 144. Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2015), <https://arxiv.org/abs/1509.09308>.
//!
//! `Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A` for a kernel `g` and a tile `d` of 6 × 6 inputs. The weights are transformed once. The elementwise products,
//! summed over channels, are 36 matrix products of all tiles.

#![expect(clippy::needless_range_loop, reason = "rows, vectors and places are counted alike on both sides of an assignment")]

use std::mem::MaybeUninit;
use std::ops::Range;

use rayon::prelude::*;

use super::{Axis, Image, Weights};
use crate::kernels::activation::Activation;
use crate::kernels::aligned::{Aligned, with_scratch};
use crate::kernels::product::{Block, Epilogue, Grid, PackedMatrix, Rows, Target, part};
use crate::kernels::simd::{Kernel, Level, Simd};

/// Outputs of a tile along an axis.
const OUTPUTS: usize = 4;
/// Inputs of a tile along an axis.
const INPUTS: usize = 6;
/// Matrix products: one for each element of a transformed tile.
const PRODUCTS: usize = INPUTS * INPUTS;
/// Elements of transformed tiles that a thread works on at a time: what a small second-level cache holds.
const ROUND_ELEMENTS: usize = 200_000;
/// Tiles below which a round leaves registers idle.
const MIN_ROUND_TILES: usize = 12;

/// The transform of a kernel along an axis, `G`.
const KERNEL_TRANSFORM: [[f64; 3]; INPUTS] = [
    [1.0 / 4.0, 0.0, 0.0],
    [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
    [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
    [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
    [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
    [0.0, 0.0, 1.0],
];

/// Transformed weights.
#[derive(Debug)]
pub struct Winograd {
    level: Level,
    /// One matrix of channels × output channels for each element of a transformed tile.
    products: Vec<PackedMatrix>,
    bias: Aligned,
}

impl Winograd {
    /// Whether the method saves time: stride and dilation are 1, and there are enough tiles to make up for reading four times the weights.
    pub fn pays(batch: usize, axes: [Axis; 2]) -> bool {
        let is_plain = axes.iter().all(|axis| axis.stride == 1 && axis.dilation == 1);
        is_plain && batch * axes.iter().map(|axis| axis.output.div_ceil(OUTPUTS)).product::<usize>() >= MIN_ROUND_TILES
    }

    pub fn new(weights: Weights<'_>) -> Self {
        Self::with_level(Level::detected(), weights)
    }

    pub(super) fn with_level(level: Level, weights: Weights<'_>) -> Self {
        let [outputs, channels, _, _] = weights.shape;
        let transformed: Vec<[f32; PRODUCTS]> = weights.elements.as_chunks::<9>().0.par_iter().map(transform_kernel).collect();
        let pack =
            |product| PackedMatrix::with_level(level, channels, outputs, None, |channel, output| transformed[output * channels + channel][product]);
        let mut bias = Aligned::zeros(outputs.next_multiple_of(level.lanes()));
        if let Some(values) = weights.bias {
            bias[..outputs].copy_from_slice(values);
        }
        Self { level, products: (0..PRODUCTS).into_par_iter().map(pack).collect(), bias }
    }

    /// Writes the result for an image that lies channels-last, without padding.
    ///
    /// # Panics
    /// If the image, the axes or the result do not fit each other.
    pub fn run(&self, input: Image<'_>, axes: [Axis; 2], epilogue: Epilogue<'_>, result: &mut [MaybeUninit<f32>]) {
        let [height, width] = axes;
        let (channels, outputs) = (self.products[0].inner(), self.products[0].columns());
        assert_eq!(input.channels, channels, "channels of the input");
        assert_eq!(input.elements.len(), input.batch * height.input * width.input * channels, "elements of the input");
        assert_eq!(result.len(), input.batch * height.output * width.output * outputs, "elements of the result");
        assert!(epilogue.summand.is_none_or(|summand| summand.len() == result.len()));
        let lanes = self.level.lanes();
        let job = Job {
            winograd: self,
            input: input.elements,
            axes,
            tiles: [height.output.div_ceil(OUTPUTS), width.output.div_ceil(OUTPUTS)],
            channels: [channels, channels.next_multiple_of(lanes)],
            outputs: [outputs, outputs.next_multiple_of(lanes)],
            summand: epilogue.summand,
            activation: epilogue.activation,
            result: Target(result.as_mut_ptr().cast()),
        };
        let n_tiles = input.batch * job.tiles[0] * job.tiles[1];
        let n_threads = rayon::current_num_threads();
        let fitting = (ROUND_ELEMENTS / (PRODUCTS * (job.channels[1] + job.outputs[1]))).max(MIN_ROUND_TILES);
        if n_tiles < n_threads * MIN_ROUND_TILES || n_threads == 1 && n_tiles <= fitting {
            return with_scratch(job.scratch(n_tiles), |scratch| job.share_steps(n_tiles, scratch));
        }
        let n_rounds = n_tiles.div_ceil(fitting).next_multiple_of(n_threads);
        (0..n_rounds).into_par_iter().with_max_len(1).for_each(|round| {
            let tiles = part(round, n_rounds, n_tiles);
            with_scratch(job.scratch(tiles.len()), |scratch| job.run_round(tiles, scratch));
        });
    }
}

/// `G g Gᵀ`
fn transform_kernel(kernel: &[f32; 9]) -> [f32; PRODUCTS] {
    std::array::from_fn(|product| {
        let (row, column) = (KERNEL_TRANSFORM[product / INPUTS], KERNEL_TRANSFORM[product % INPUTS]);
        let at = |y: usize, x: usize| row[y] * column[x] * f64::from(kernel[y * 3 + x]);
        (0..3).flat_map(|y| (0..3).map(move |x| (y, x))).map(|(y, x)| at(y, x)).sum::<f64>() as f32
    })
}

/// One run. Sizes were held against each other by [`Winograd::run`].
#[derive(Clone, Copy)]
struct Job<'a> {
    winograd: &'a Winograd,
    input: &'a [f32],
    axes: [Axis; 2],
    /// Tiles along each axis.
    tiles: [usize; 2],
    /// Their number, and padded to whole vectors.
    channels: [usize; 2],
    outputs: [usize; 2],
    summand: Option<&'a [f32]>,
    activation: Activation,
    result: Target,
}

impl Job<'_> {
    /// Elements that some tiles need while they are worked on.
    fn scratch(&self, n_tiles: usize) -> usize {
        PRODUCTS * n_tiles * (self.channels[1] + self.outputs[1])
    }

    /// All three steps for some tiles, on this thread.
    fn run_round(&self, tiles: Range<usize>, scratch: &mut [f32]) {
        let n_tiles = tiles.len();
        let (inputs, sums) = scratch.split_at_mut(PRODUCTS * n_tiles * self.channels[1]);
        let (transformed, products) = (Target(inputs.as_mut_ptr()), Target(sums.as_mut_ptr()));
        self.winograd.level.run(TransformInputs { job: self, tiles: tiles.clone(), first_tile: tiles.start, n_tiles, transformed });
        for product in 0..PRODUCTS {
            self.multiply(product, inputs, products, n_tiles, 0..self.winograd.products[product].n_panels());
        }
        self.winograd.level.run(TransformOutputs { job: self, tiles: tiles.clone(), first_tile: tiles.start, n_tiles, sums });
    }

    /// All tiles, step by step; each step is shared among the threads.
    fn share_steps(&self, n_tiles: usize, scratch: &mut [f32]) {
        let (inputs, sums) = scratch.split_at_mut(PRODUCTS * n_tiles * self.channels[1]);
        let (transformed, products) = (Target(inputs.as_mut_ptr()), Target(sums.as_mut_ptr()));
        let n_parts = n_tiles.min(4 * rayon::current_num_threads());
        let parts = || (0..n_parts).into_par_iter().with_max_len(1).map(|index| part(index, n_parts, n_tiles));
        parts().for_each(|tiles| self.winograd.level.run(TransformInputs { job: self, tiles, first_tile: 0, n_tiles, transformed }));
        (0..PRODUCTS).into_par_iter().with_max_len(1).for_each(|product| {
            self.multiply(product, inputs, products, n_tiles, 0..self.winograd.products[product].n_panels());
        });
        parts().for_each(|tiles| self.winograd.level.run(TransformOutputs { job: self, tiles, first_tile: 0, n_tiles, sums }));
    }

    fn multiply(&self, product: usize, inputs: &[f32], sums: Target, n_tiles: usize, panels: Range<usize>) {
        let [channels, padded] = self.channels;
        let left = Rows {
            data: &inputs[product * n_tiles * padded..][..n_tiles * padded],
            origins: Grid::line(n_tiles, padded),
            offsets: &[0],
            run: channels,
        };
        Block {
            left: &left,
            right: &self.winograd.products[product],
            summand: None,
            activation: Activation::Identity,
            // SAFETY: the sums of each product have their own place in the scratch.
            result: Target(unsafe { sums.0.add(product * n_tiles * self.outputs[1]) }),
            stride: self.outputs[1],
            rows: 0..n_tiles,
            panels,
        }
        .compute();
    }

    /// Image, and first output row and column of a tile.
    #[inline(always)]
    fn place(&self, tile: usize) -> (usize, usize, usize) {
        let [rows, columns] = self.tiles;
        (tile / (rows * columns), tile / columns % rows * OUTPUTS, tile % columns * OUTPUTS)
    }
}

/// `Bᵀ d B` for some tiles and all channels: element `e` of tile `t` goes to row `e · n_tiles + t − first_tile`.
struct TransformInputs<'a> {
    job: &'a Job<'a>,
    tiles: Range<usize>,
    first_tile: usize,
    n_tiles: usize,
    transformed: Target,
}

impl Kernel for TransformInputs<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let job = self.job;
        let [height, width] = job.axes;
        let [channels, padded] = job.channels;
        for tile in self.tiles {
            let (image, row, column) = job.place(tile);
            for channel in (0..channels).step_by(S::LANES) {
                // SAFETY: as for this function. Only places inside the image are read, and the scratch has a row for each element of each tile.
                unsafe {
                    let mut columns = [[S::splat(0.0); INPUTS]; INPUTS];
                    for x in 0..INPUTS {
                        let mut inputs = [S::splat(0.0); INPUTS];
                        for y in 0..INPUTS {
                            let (from_top, from_left) = (row + y, column + x);
                            let is_inside = from_top >= height.before
                                && from_top - height.before < height.input
                                && from_left >= width.before
                                && from_left - width.before < width.input;
                            if is_inside {
                                let place = (image * height.input + from_top - height.before) * width.input + from_left - width.before;
                                inputs[y] = S::load_up_to(job.input.as_ptr().add(place * channels + channel), channels - channel);
                            }
                        }
                        columns[x] = transform_input::<S>(inputs);
                    }
                    let target = self.transformed.0.add((tile - self.first_tile) * padded + channel);
                    for y in 0..INPUTS {
                        let mut line = [S::splat(0.0); INPUTS];
                        for x in 0..INPUTS {
                            line[x] = columns[x][y];
                        }
                        let line = transform_input::<S>(line);
                        for x in 0..INPUTS {
                            S::store(target.add((y * INPUTS + x) * self.n_tiles * padded), line[x]);
                        }
                    }
                }
            }
        }
    }
}

/// `Aᵀ m A`, the bias, the summand and the activation for some tiles and all output channels.
struct TransformOutputs<'a> {
    job: &'a Job<'a>,
    tiles: Range<usize>,
    first_tile: usize,
    n_tiles: usize,
    sums: &'a [f32],
}

impl Kernel for TransformOutputs<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let job = self.job;
        let [height, width] = job.axes.map(|axis| axis.output);
        let [outputs, padded] = job.outputs;
        for tile in self.tiles {
            let (image, row, column) = job.place(tile);
            let (n_rows, n_columns) = (OUTPUTS.min(height - row), OUTPUTS.min(width - column));
            for output in (0..outputs).step_by(S::LANES) {
                // SAFETY: as for this function. The scratch has a row for each element of each tile; only places inside the result are written.
                unsafe {
                    let source = self.sums.as_ptr().add((tile - self.first_tile) * padded + output);
                    let mut columns = [[S::splat(0.0); OUTPUTS]; INPUTS];
                    for x in 0..INPUTS {
                        let mut sums = [S::splat(0.0); INPUTS];
                        for y in 0..INPUTS {
                            sums[y] = S::load(source.add((y * INPUTS + x) * self.n_tiles * padded));
                        }
                        columns[x] = transform_output::<S>(sums);
                    }
                    let bias = S::load(job.winograd.bias.as_ptr().add(output));
                    let mut results = [[S::splat(0.0); OUTPUTS]; OUTPUTS];
                    for y in 0..OUTPUTS {
                        let mut line = [S::splat(0.0); INPUTS];
                        for x in 0..INPUTS {
                            line[x] = columns[x][y];
                        }
                        results[y] = transform_output::<S>(line);
                    }
                    let finished = results;
                    for (y, results) in finished.iter().enumerate().take(n_rows) {
                        for (x, &result) in results.iter().enumerate().take(n_columns) {
                            let at = ((image * height + row + y) * width + column + x) * outputs + output;
                            let mut sum = S::add(result, bias);
                            if let Some(summand) = job.summand {
                                sum = S::add(sum, S::load_up_to(summand.as_ptr().add(at), outputs - output));
                            }
                            S::store_up_to(job.result.0.add(at), job.activation.apply::<S>(sum), outputs - output);
                        }
                    }
                }
            }
        }
    }
}

/// `Bᵀ` times a column of inputs.
///
/// # Safety
/// The processor has the instructions of `S`.
#[inline(always)]
unsafe fn transform_input<S: Simd>(d: [S::Vector; INPUTS]) -> [S::Vector; INPUTS] {
    // SAFETY: as for this function.
    unsafe {
        let (four, two, minus_five) = (S::splat(4.0), S::splat(2.0), S::splat(-5.0));
        let minus_four = S::splat(-4.0);
        let even = S::multiply_add(minus_four, d[2], d[4]);
        let odd = S::multiply_add(minus_four, d[1], d[3]);
        let even_difference = S::subtract(d[4], d[2]);
        let odd_difference = S::multiply(two, S::subtract(d[3], d[1]));
        [
            S::multiply_add(four, d[0], S::multiply_add(minus_five, d[2], d[4])),
            S::add(even, odd),
            S::subtract(even, odd),
            S::add(even_difference, odd_difference),
            S::subtract(even_difference, odd_difference),
            S::multiply_add(four, d[1], S::multiply_add(minus_five, d[3], d[5])),
        ]
    }
}

/// `Aᵀ` times a column of sums.
///
/// # Safety
/// The processor has the instructions of `S`.
#[inline(always)]
unsafe fn transform_output<S: Simd>(m: [S::Vector; INPUTS]) -> [S::Vector; OUTPUTS] {
    // SAFETY: as for this function.
    unsafe {
        let (near, near_difference) = (S::add(m[1], m[2]), S::subtract(m[1], m[2]));
        let (far, far_difference) = (S::add(m[3], m[4]), S::subtract(m[3], m[4]));
        [
            S::add(S::add(m[0], near), far),
            S::multiply_add(S::splat(2.0), far_difference, near_difference),
            S::multiply_add(S::splat(4.0), far, near),
            S::add(S::multiply_add(S::splat(8.0), far_difference, near_difference), m[5]),
        ]
    }
}
