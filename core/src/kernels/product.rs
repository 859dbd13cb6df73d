//! Matrix products whose right side is known beforehand: it is packed once, and the left side is read where it lies. What follows the product
//! (a bias, a second summand, an activation) is applied while the result is in registers.
//!
//! The result is computed in tiles: as many rows as there are registers for, two vectors wide. A panel of the right side holds the columns of a
//! tile, row after row, so that it is read from start to end.

#![expect(clippy::needless_range_loop, reason = "rows, vectors and places are counted alike on both sides of an assignment")]

use std::mem::MaybeUninit;
use std::ops::Range;

use rayon::prelude::*;

use super::activation::Activation;
use super::aligned::Aligned;
use super::simd::{Kernel, Level, Simd};

/// Vectors side by side in a tile.
const TILE_VECTORS: usize = 2;
/// The largest [`Simd::TILE_ROWS`].
const MAX_TILE_ROWS: usize = 12;
/// Rows whose origins are worked out at a time. A multiple of every [`Simd::TILE_ROWS`].
const MAX_BLOCK_ROWS: usize = 240;
/// Rows of a block at least: the right side is read from further away once for each block.
const MIN_BLOCK_ROWS: usize = 60;
/// Elements of the left side that a larger block of rows does not exceed: half of a small second-level cache.
const BLOCK_ELEMENTS: usize = 1 << 16;
/// Below this many multiply-accumulates (some ten microseconds on one thread) sharing the work costs more than it saves.
const PARALLEL_MACS: usize = 1 << 19;

/// The right side of a product, and a bias for each of its columns.
#[derive(Debug)]
pub struct PackedMatrix {
    level: Level,
    inner: usize,
    columns: usize,
    /// Panels of `panel_width` columns; the last one is narrower where one vector is enough for what remains. Columns that are not there are zeros.
    panels: Aligned,
    bias: Aligned,
}

impl PackedMatrix {
    /// Packs a matrix of `inner` rows, whose elements `element(row, column)` tells.
    pub fn new(inner: usize, columns: usize, bias: Option<&[f32]>, element: impl Fn(usize, usize) -> f32) -> Self {
        Self::with_level(Level::detected(), inner, columns, bias, element)
    }

    pub(super) fn with_level(level: Level, inner: usize, columns: usize, bias: Option<&[f32]>, element: impl Fn(usize, usize) -> f32) -> Self {
        let padded = columns.next_multiple_of(level.lanes());
        let mut matrix = Self { level, inner, columns, panels: Aligned::zeros(inner * padded), bias: Aligned::zeros(padded) };
        if let Some(bias) = bias {
            matrix.bias[..columns].copy_from_slice(&bias[..columns]);
        }
        for panel in 0..matrix.n_panels() {
            let (start, width) = (panel * matrix.panel_width(), matrix.width_of(panel));
            let packed = &mut matrix.panels[start * inner..][..width * inner];
            for (row, packed) in packed.chunks_mut(width).enumerate() {
                for (column, packed) in (start..columns).zip(packed) {
                    *packed = element(row, column);
                }
            }
        }
        matrix
    }

    /// Rows of the matrix: elements that each element of the product sums over.
    pub fn inner(&self) -> usize {
        self.inner
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    fn panel_width(&self) -> usize {
        TILE_VECTORS * self.level.lanes()
    }

    pub(super) fn n_panels(&self) -> usize {
        self.columns.div_ceil(self.panel_width())
    }

    fn width_of(&self, panel: usize) -> usize {
        let remaining = self.columns - panel * self.panel_width();
        if remaining <= self.level.lanes() { self.level.lanes() } else { self.panel_width() }
    }
}

/// The left side of a product: rows that are read where they lie. Row `i` consists of runs of `run` neighbouring elements; they start at the
/// offsets, counted from the row's origin.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    pub data: &'a [f32],
    pub origins: Grid,
    pub offsets: &'a [usize],
    pub run: usize,
}

/// Positions in a buffer that three nested loops visit.
#[derive(Debug, Clone, Copy)]
pub struct Grid {
    pub counts: [usize; 3],
    pub steps: [usize; 3],
}

impl Grid {
    /// `count` positions at equal distances.
    pub fn line(count: usize, step: usize) -> Self {
        Self { counts: [1, 1, count], steps: [0, 0, step] }
    }

    fn len(&self) -> usize {
        self.counts.iter().product()
    }

    /// The highest position; there is one.
    fn last(&self) -> usize {
        self.counts.iter().zip(self.steps).map(|(count, step)| (count - 1) * step).sum()
    }

    /// The positions from number `first` on.
    #[inline(always)]
    fn fill(&self, first: usize, positions: &mut [usize]) {
        let [_, height, width] = self.counts;
        let (mut at_width, rows) = (first % width, first / width);
        let (mut at_height, mut at_image) = (rows % height, rows / height);
        for position in positions {
            *position = at_image * self.steps[0] + at_height * self.steps[1] + at_width * self.steps[2];
            at_width += 1;
            if at_width == width {
                (at_width, at_height) = (0, at_height + 1);
                if at_height == height {
                    (at_height, at_image) = (0, at_image + 1);
                }
            }
        }
    }
}

impl<'a> Rows<'a> {
    /// A matrix in row-major order.
    pub fn matrix(data: &'a [f32], rows: usize, columns: usize) -> Self {
        Self { data, origins: Grid::line(rows, columns), offsets: &[0], run: columns }
    }

    pub fn n_rows(&self) -> usize {
        self.origins.len()
    }

    /// Whether every element that the rows name is in the buffer.
    fn is_inside(&self) -> bool {
        self.n_rows() == 0
            || self.run == 0
            || self.offsets.iter().max().is_none_or(|furthest| self.origins.last() + furthest + self.run <= self.data.len())
    }
}

/// What is done to `left · right + bias` before it is stored.
#[derive(Debug, Clone, Copy, Default)]
pub struct Epilogue<'a> {
    /// Added element by element: a buffer laid out like the result.
    pub summand: Option<&'a [f32]>,
    pub activation: Activation,
}

/// `activation(left · right + bias + summand)`, written to `result`: row `i` starts at `i · stride + first_column`. Large products are shared
/// among the threads of the current pool.
///
/// # Panics
/// If a size does not fit the others.
pub fn multiply(left: &Rows<'_>, right: &PackedMatrix, epilogue: Epilogue<'_>, result: &mut [MaybeUninit<f32>], stride: usize, first_column: usize) {
    multiply_side_by_side(&[Factors { left: *left, right, first_column }], epilogue, result, stride);
}

/// The two sides of one of several products, and the column at which its result begins.
#[derive(Debug, Clone, Copy)]
pub struct Factors<'a> {
    pub left: Rows<'a>,
    pub right: &'a PackedMatrix,
    pub first_column: usize,
}

impl Factors<'_> {
    fn macs(&self) -> usize {
        self.left.n_rows() * self.right.inner * self.right.columns
    }
}

/// Several products of the same number of rows, whose results lie side by side: as [`multiply`] for each of them.
///
/// # Panics
/// If a size does not fit the others, or the columns of one product are also another's.
pub fn multiply_side_by_side(products: &[Factors<'_>], epilogue: Epilogue<'_>, result: &mut [MaybeUninit<f32>], stride: usize) {
    let rows = products.first().map_or(0, |product| product.left.n_rows());
    if rows == 0 {
        return;
    }
    let mut end = 0;
    for product in products {
        assert!(product.left.n_rows() == rows && product.first_column >= end, "the products do not lie side by side");
        end = product.first_column + product.right.columns;
    }
    assert!((rows == 1 || end <= stride) && (rows - 1) * stride + end <= result.len(), "no room for {rows} rows of {end} in {}", result.len());
    assert!(epilogue.summand.is_none_or(|summand| summand.len() >= (rows - 1) * stride + end), "the summand is shorter than the result");
    let target = Target(result.as_mut_ptr().cast());
    let block = |index: usize, rows: Range<usize>, panels: Range<usize>| {
        let Factors { left, right, first_column } = &products[index];
        // SAFETY: there is room for the product from its first column on; no other writes to its columns.
        let result = Target(unsafe { { target }.0.add(*first_column) });
        let summand = epilogue.summand.map(|summand| &summand[*first_column..]);
        Block { left, right, summand, activation: epilogue.activation, result, stride, rows, panels }
    };
    let macs: usize = products.iter().map(Factors::macs).sum();
    let n_threads = if macs < PARALLEL_MACS { 1 } else { rayon::current_num_threads() };
    if n_threads == 1 {
        for (index, product) in products.iter().enumerate() {
            block(index, 0..rows, 0..product.right.n_panels()).compute();
        }
        return;
    }
    let tile_rows = if products[0].right.level.lanes() == 16 { 12 } else { 6 };
    let n_tiles = rows.div_ceil(tile_rows);
    let wanted = if macs < 4 * PARALLEL_MACS { 2 * n_threads } else { 4 * n_threads };
    // The larger side is the one that threads should not all read.
    let (row_parts, panel_parts) = match products {
        [product] if rows < product.right.columns || n_tiles < wanted => {
            let panel_parts = product.right.n_panels().min(wanted);
            (wanted.div_ceil(panel_parts).min(n_tiles), panel_parts)
        }
        _ => (wanted.div_ceil(products.len()).min(n_tiles), 1),
    };
    let of_product = row_parts * panel_parts;
    (0..products.len() * of_product).into_par_iter().with_max_len(1).for_each(|task| {
        let (index, task) = (task / of_product, task % of_product);
        let tiles = part(task / panel_parts, row_parts, n_tiles);
        let rows = tiles.start * tile_rows..(tiles.end * tile_rows).min(rows);
        block(index, rows, part(task % panel_parts, panel_parts, products[index].right.n_panels())).compute();
    });
}

/// Part `index` of `0..length`, cut into `n_parts` of nearly equal length.
pub(super) fn part(index: usize, n_parts: usize, length: usize) -> Range<usize> {
    index * length / n_parts..(index + 1) * length / n_parts
}

/// Where results go: several threads write there, each to places of its own.
#[derive(Clone, Copy)]
pub(super) struct Target(pub *mut f32);

// SAFETY: whoever hands out a target sees to it that threads write to different places.
unsafe impl Send for Target {}
// SAFETY: as above.
unsafe impl Sync for Target {}

/// Some rows and some panels of a product, computed by one thread.
pub(super) struct Block<'a> {
    pub left: &'a Rows<'a>,
    pub right: &'a PackedMatrix,
    pub summand: Option<&'a [f32]>,
    pub activation: Activation,
    /// There is room for every row and column of the product from here on.
    pub result: Target,
    pub stride: usize,
    pub rows: Range<usize>,
    pub panels: Range<usize>,
}

impl Block<'_> {
    /// # Panics
    /// If the left side names elements that are not there, or does not fit the right side.
    pub fn compute(self) {
        assert!(self.left.is_inside() && self.rows.end <= self.left.n_rows() && self.panels.end <= self.right.n_panels());
        assert_eq!(self.left.offsets.len() * self.left.run, self.right.inner, "elements of a row against rows of the right side");
        self.right.level.run(self);
    }
}

impl Kernel for Block<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let block_rows = (BLOCK_ELEMENTS / self.right.inner.max(1)).clamp(MIN_BLOCK_ROWS, MAX_BLOCK_ROWS);
        let mut origins = [0_usize; MAX_BLOCK_ROWS];
        let mut first = self.rows.start;
        while first < self.rows.end {
            let n_rows = block_rows.min(self.rows.end - first);
            let origins = &mut origins[..n_rows];
            self.left.origins.fill(first, origins);
            for panel in self.panels.clone() {
                // SAFETY: as for this function; `compute` has held all sizes against each other.
                unsafe { self.panel::<S>(panel, first, origins) };
            }
            first += n_rows;
        }
    }
}

impl Block<'_> {
    /// One panel of a block of rows, whose number is `first` and following.
    ///
    /// # Safety
    /// The processor has the instructions of `S`; the rows that start at `origins` lie in the buffer, and there is room for them in the result.
    #[inline(always)]
    unsafe fn panel<S: Simd>(&self, panel: usize, first: usize, origins: &[usize]) {
        let first_column = panel * TILE_VECTORS * S::LANES;
        let columns = self.right.columns - first_column;
        // SAFETY: the panel starts there, since all before it are full; so does its bias.
        let (packed, bias) = unsafe { (self.right.panels.as_ptr().add(first_column * self.right.inner), self.right.bias.as_ptr().add(first_column)) };
        // Tiles of nearly equal height: a last one of a row or two would leave most of the registers idle.
        let n_tiles = origins.len().div_ceil(S::TILE_ROWS);
        for index in 0..n_tiles {
            let rows = part(index, n_tiles, origins.len());
            let at = (first + rows.start) * self.stride + first_column;
            // SAFETY: as for this function.
            unsafe {
                let mut starts = [self.left.data.as_ptr(); MAX_TILE_ROWS];
                for (start, &origin) in starts.iter_mut().zip(&origins[rows.clone()]) {
                    *start = start.add(origin);
                }
                let tile = Tile {
                    starts: &starts,
                    offsets: self.left.offsets,
                    run: self.left.run,
                    packed,
                    bias,
                    summand: self.summand.map(|summand| summand.as_ptr().add(at)),
                    activation: self.activation,
                    result: self.result.0.add(at),
                    stride: self.stride,
                    columns,
                };
                if columns > S::LANES { tile.compute_rows::<S, 2>(rows.len()) } else { tile.compute_rows::<S, 1>(rows.len()) }
            }
        }
    }
}

/// A few rows of a panel, all of whose sums are in registers at the same time.
struct Tile<'a> {
    starts: &'a [*const f32; MAX_TILE_ROWS],
    offsets: &'a [usize],
    run: usize,
    packed: *const f32,
    bias: *const f32,
    summand: Option<*const f32>,
    activation: Activation,
    result: *mut f32,
    stride: usize,
    columns: usize,
}

impl Tile<'_> {
    /// # Safety
    /// The processor has the instructions of `S`; all pointers are to what [`Block::panel`] says.
    #[inline(always)]
    unsafe fn compute_rows<S: Simd, const VECTORS: usize>(&self, rows: usize) {
        // SAFETY: as for this function.
        unsafe {
            match rows {
                1 => self.compute::<S, 1, VECTORS, 4>(),
                2 => self.compute::<S, 2, VECTORS, 2>(),
                3 => self.compute::<S, 3, VECTORS, 1>(),
                4 => self.compute::<S, 4, VECTORS, 1>(),
                5 => self.compute::<S, 5, VECTORS, 1>(),
                6 => self.compute::<S, 6, VECTORS, 1>(),
                7 => self.compute::<S, 7, VECTORS, 1>(),
                8 => self.compute::<S, 8, VECTORS, 1>(),
                9 => self.compute::<S, 9, VECTORS, 1>(),
                10 => self.compute::<S, 10, VECTORS, 1>(),
                11 => self.compute::<S, 11, VECTORS, 1>(),
                _ => self.compute::<S, 12, VECTORS, 1>(),
            }
        }
    }

    /// `CHAINS`: sums of a tile's element that are kept apart until the end. A multiply-add waits for the one before it in its chain, so few rows
    /// need several.
    ///
    /// # Safety
    /// As [`Self::compute_rows`].
    #[inline(always)]
    unsafe fn compute<S: Simd, const ROWS: usize, const VECTORS: usize, const CHAINS: usize>(&self) {
        if ROWS > S::TILE_ROWS {
            return;
        }
        // SAFETY: as for this function. The packed rows follow each other, as many as there are elements in a row of the left side.
        unsafe {
            let mut sums = [[[S::splat(0.0); VECTORS]; ROWS]; CHAINS];
            for (vector, bias) in (0..VECTORS).map(|vector| (vector, S::load(self.bias.add(vector * S::LANES)))) {
                for row in 0..ROWS {
                    sums[0][row][vector] = bias;
                }
            }
            let mut packed = self.packed;
            for &offset in self.offsets {
                let mut starts = [self.packed; ROWS];
                for row in 0..ROWS {
                    starts[row] = self.starts[row].add(offset);
                }
                let mut k = 0;
                let unroll = if CHAINS > 1 { CHAINS } else { 2 };
                while k + unroll <= self.run {
                    if CHAINS > 1 {
                        for chain in 0..CHAINS {
                            step::<S, ROWS, VECTORS>(&mut sums[chain], &starts, k + chain, packed.add(chain * VECTORS * S::LANES));
                        }
                    } else {
                        step::<S, ROWS, VECTORS>(&mut sums[0], &starts, k, packed);
                        step::<S, ROWS, VECTORS>(&mut sums[0], &starts, k + 1, packed.add(VECTORS * S::LANES));
                    }
                    packed = packed.add(unroll * VECTORS * S::LANES);
                    k += unroll;
                }
                while k < self.run {
                    step::<S, ROWS, VECTORS>(&mut sums[0], &starts, k, packed);
                    packed = packed.add(VECTORS * S::LANES);
                    k += 1;
                }
            }
            // Finished sums leave the registers here, so that the loops above never see an array in memory.
            let mut finished = sums[0];
            for row in 0..ROWS {
                for vector in 0..VECTORS {
                    for chain in 1..CHAINS {
                        finished[row][vector] = S::add(finished[row][vector], sums[chain][row][vector]);
                    }
                }
            }
            self.store::<S, ROWS, VECTORS>(finished);
        }
    }

    /// # Safety
    /// As [`Self::compute_rows`].
    #[inline(always)]
    unsafe fn store<S: Simd, const ROWS: usize, const VECTORS: usize>(&self, sums: [[S::Vector; VECTORS]; ROWS]) {
        for (row, sums) in sums.iter().enumerate() {
            for (vector, &sum) in sums.iter().enumerate() {
                let at = row * self.stride + vector * S::LANES;
                let n = self.columns - vector * S::LANES;
                // SAFETY: as for this function; a vector beyond the last column is cut off there.
                unsafe {
                    let sum = match self.summand {
                        Some(summand) => S::add(sum, S::load_up_to(summand.add(at), n)),
                        None => sum,
                    };
                    S::store_up_to(self.result.add(at), self.activation.apply::<S>(sum), n);
                }
            }
        }
    }
}

/// Adds the products of element `k` of each row with one row of a panel.
///
/// # Safety
/// The processor has the instructions of `S`; the elements and the row of the panel are there.
#[inline(always)]
unsafe fn step<S: Simd, const ROWS: usize, const VECTORS: usize>(
    sums: &mut [[S::Vector; VECTORS]; ROWS],
    starts: &[*const f32; ROWS],
    k: usize,
    packed: *const f32,
) {
    // SAFETY: as for this function.
    unsafe {
        let mut right = [S::splat(0.0); VECTORS];
        for vector in 0..VECTORS {
            right[vector] = S::load(packed.add(vector * S::LANES));
        }
        for row in 0..ROWS {
            let left = S::splat(*starts[row].add(k));
            for vector in 0..VECTORS {
                sums[row][vector] = S::multiply_add(left, right[vector], sums[row][vector]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(row: usize, column: usize) -> f32 {
        ((row * 7 + column * 13) % 23) as f32 - 11.0
    }

    fn activated(activation: Activation, x: f32) -> f32 {
        let mut element = [x];
        activation.apply_to(&mut element);
        element[0]
    }

    #[test]
    fn every_height_and_width_of_a_tile_is_right_on_every_level() {
        // Whole numbers: float32 sums them exactly, in any order.
        for level in Level::available() {
            for (rows, inner, columns) in
                (1..=13).flat_map(|rows| [1, 5, 8].map(|inner| [1, 15, 16, 17, 33, 70].map(|columns| (rows, inner, columns)))).flatten()
            {
                let left: Vec<f32> = (0..rows * inner).map(|at| (at % 9) as f32 - 4.0).collect();
                let bias: Vec<f32> = (0..columns).map(|column| column as f32).collect();
                let summand: Vec<f32> = (0..rows * columns).map(|at| (at % 5) as f32).collect();
                let right = PackedMatrix::with_level(level, inner, columns, Some(&bias), element);
                let activation = Activation::LeakyRelu { alpha: 0.5 };
                let mut result = vec![MaybeUninit::new(f32::NAN); rows * columns];
                multiply(&Rows::matrix(&left, rows, inner), &right, Epilogue { summand: Some(&summand), activation }, &mut result, columns, 0);
                for (at, found) in result.into_iter().enumerate() {
                    let (row, column) = (at / columns, at % columns);
                    let sum = (0..inner).map(|k| left[row * inner + k] * element(k, column)).sum::<f32>() + bias[column] + summand[at];
                    let expected = if sum > 0.0 { sum } else { sum * 0.5 };
                    // SAFETY: everything was initialized above.
                    assert_eq!(unsafe { found.assume_init() }, expected, "{level:?}: {rows} × {inner} × {columns} at {row}, {column}");
                }
            }
        }
    }

    #[test]
    fn a_large_product_is_shared_among_threads_without_a_gap() {
        for (rows, inner, columns) in [(700, 24, 130), (13, 512, 300), (1, 1200, 1000)] {
            let left: Vec<f32> = (0..rows * inner).map(|at| (at % 9) as f32 - 4.0).collect();
            let right = PackedMatrix::new(inner, columns, None, element);
            let mut result = vec![MaybeUninit::new(f32::NAN); rows * columns];
            multiply(&Rows::matrix(&left, rows, inner), &right, Epilogue::default(), &mut result, columns, 0);
            for (at, found) in result.into_iter().enumerate().step_by(37) {
                let expected: f32 = (0..inner).map(|k| left[at / columns * inner + k] * element(k, at % columns)).sum();
                // SAFETY: everything was initialized above.
                assert_eq!(unsafe { found.assume_init() }, expected, "{rows} × {inner} × {columns} at {at}");
            }
        }
    }

    #[test]
    fn products_lie_side_by_side() {
        // Small ones, and some that are shared among threads.
        for (rows, inner) in [(5, 7), (400, 40)] {
            let left: Vec<f32> = (0..rows * 3 * inner).map(|at| (at % 9) as f32 - 4.0).collect();
            let rights = [20, 1, 40].map(|columns| PackedMatrix::new(inner, columns, None, element));
            let offsets = [0, inner, 2 * inner];
            let of_product = |index: usize, first_column: usize| Factors {
                left: Rows { data: &left, origins: Grid::line(rows, 3 * inner), offsets: &offsets[index..=index], run: inner },
                right: &rights[index],
                first_column,
            };
            let mut result = vec![MaybeUninit::new(f32::NAN); rows * 65];
            multiply_side_by_side(&[of_product(0, 0), of_product(1, 20), of_product(2, 21)], Epilogue::default(), &mut result, 65);
            for (at, found) in result.into_iter().enumerate() {
                let (row, column) = (at / 65, at % 65);
                let (index, first) = if column < 20 {
                    (0, 0)
                } else if column == 20 {
                    (1, 20)
                } else {
                    (2, 21)
                };
                let expected: f32 = (0..inner).map(|k| left[(row * 3 + index) * inner + k] * element(k, column - first)).sum();
                // SAFETY: everything was initialized above.
                let found = unsafe { found.assume_init() };
                // The last columns are nobody's.
                assert!(if column > 60 { found.is_nan() } else { found == expected }, "{found} for {expected} at {row}, {column}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "side by side")]
    fn products_that_share_columns_are_refused() {
        let right = PackedMatrix::new(4, 3, None, element);
        let factors = |first_column: usize| Factors { left: Rows::matrix(&[0.0; 8], 2, 4), right: &right, first_column };
        multiply_side_by_side(&[factors(0), factors(2)], Epilogue::default(), &mut [MaybeUninit::new(0.0); 12], 6);
    }

    #[test]
    #[should_panic(expected = "is_inside")]
    fn rows_beyond_the_buffer_are_refused() {
        let right = PackedMatrix::new(4, 3, None, element);
        let mut result = vec![MaybeUninit::new(0.0); 30];
        multiply(&Rows { data: &[0.0; 36], origins: Grid::line(10, 4), offsets: &[0], run: 4 }, &right, Epilogue::default(), &mut result, 3, 0);
    }

    #[test]
    fn activations_keep_nan_and_meet_their_bounds() {
        let all = [
            Activation::Identity,
            Activation::RELU,
            Activation::Clip { low: -1.0, high: 6.0 },
            Activation::LeakyRelu { alpha: 0.1 },
            Activation::HardSigmoid { alpha: 0.2, beta: 0.5 },
            Activation::HardSwish,
        ];
        for activation in all {
            assert!(activated(activation, f32::NAN).is_nan(), "{activation:?}");
        }
        assert_eq!(all.map(|activation| activated(activation, 9.0)), [9.0, 9.0, 6.0, 9.0, 1.0, 9.0]);
        let below = all.map(|activation| activated(activation, -2.0));
        assert!(below.iter().zip([-2.0, 0.0, -1.0, -0.2, 0.1, -1.0 / 3.0]).all(|(found, expected)| (found - expected).abs() < 1e-6), "{below:?}");
        // Where the bounds cross, everything becomes the upper one.
        assert_eq!(activated(Activation::Clip { low: 2.0, high: 1.0 }, 5.0), 1.0);
        assert_eq!(activated(Activation::LeakyRelu { alpha: 0.1 }, f32::INFINITY), f32::INFINITY);
    }
}
