//! Products of matrices of 8-bit integers with 32-bit sums: `Σ (left − left zero point) · (right − right zero point)`, exactly.
//!
//! Whatever the signs of the operands, the product is computed on unsigned left and signed right elements: flipping the top bit shifts an
//! element by 128, and its zero point with it. The zero points come in afterwards, through the sums of rows and columns.
//!
//! Both sides are laid out in words of 32 bits, each some neighbours along the inner dimension: four bytes where the processor sums products of
//! four (AVX-512 VNNI), two 16-bit numbers elsewhere. The right side is packed into panels of columns, once for a constant; the left side a
//! block of rows at a time. A tile of some rows and one panel of columns stays in registers.

use rayon::prelude::*;

#[cfg(target_arch = "x86_64")]
mod x86;

/// Sums of a tile: rows of as many columns as a panel has at most.
const WIDEST_PANEL: usize = 32;
/// Rows of the left side that are laid out together. Several of the largest tiles, so that a panel is used often while it is in the cache.
const MOST_BLOCK_ROWS: usize = 96;
/// Below so many multiply-accumulates the work is not shared among threads.
const SHARED_FROM: usize = 1 << 17;

/// One group of some columns: a cache line.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Line([u32; 16]);

/// A way to compute tiles, chosen by what the processor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kernel {
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Portable,
}

impl Kernel {
    fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if std::arch::is_x86_feature_detected!("avx512f") && std::arch::is_x86_feature_detected!("avx512vnni") {
                return Self::Avx512Vnni;
            }
            if std::arch::is_x86_feature_detected!("avx2") {
                return Self::Avx2;
            }
        }
        Self::Portable
    }

    /// Elements in a word.
    fn group(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => 4,
            _ => 2,
        }
    }

    /// Columns of a panel, in lines of 16.
    fn panel_lines(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => 2,
            _ => 1,
        }
    }

    /// Rows of the largest tile.
    fn tile_rows(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => 12,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => 6,
            Self::Portable => 4,
        }
    }

    /// A word of unsigned elements, as many as given and 0 for the rest.
    fn left_word(self, group: &[u8]) -> u32 {
        let element = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        match self.group() {
            4 => element(0) | element(1) << 8 | element(2) << 16 | element(3) << 24,
            _ => element(0) | element(1) << 16,
        }
    }

    /// A word of signed elements, given as their bits.
    fn right_word(self, group: &[u8]) -> u32 {
        let element = |index: usize| group.get(index).copied().unwrap_or(0);
        let widened = |index: usize| u32::from(i16::from(element(index).cast_signed()).cast_unsigned());
        match self.group() {
            4 => u32::from_le_bytes([element(0), element(1), element(2), element(3)]),
            _ => widened(0) | widened(1) << 16,
        }
    }

    /// Sums of `sums.len()` rows, at most [`Self::tile_rows`], over one panel. `left` holds the rows' words, one row after the other.
    fn tile(self, left: &[u32], panel: &[Line], sums: &mut [[i32; WIDEST_PANEL]]) {
        match self {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `best` found the features on this processor.
            Self::Avx512Vnni => unsafe { x86::tile_avx512_vnni(left, panel, sums) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Self::Avx2 => unsafe { x86::tile_avx2(left, panel, sums) },
            Self::Portable => tile_portable(left, panel, sums),
        }
    }
}

fn tile_portable(left: &[u32], panel: &[Line], sums: &mut [[i32; WIDEST_PANEL]]) {
    let low = |word: u32| i32::from(word as i16);
    let high = |word: u32| word.cast_signed() >> 16;
    for (row, sums) in left.chunks_exact(panel.len().max(1)).zip(sums) {
        let mut row_sums = [0_i32; 16];
        for (&left, right) in row.iter().zip(panel) {
            for (sum, &right) in row_sums.iter_mut().zip(&right.0) {
                *sum += low(left) * low(right) + high(left) * high(right);
            }
        }
        sums[..16].copy_from_slice(&row_sums);
    }
}

/// The right side of products, laid out for the processor.
#[derive(Debug)]
pub struct PackedRight {
    kernel: Kernel,
    inner: usize,
    columns: usize,
    lines: Vec<Line>,
    /// Per column, of the signed elements.
    sums: Vec<i32>,
    /// What was taken from each element to make it signed.
    shift: i32,
}

impl PackedRight {
    /// Packs a matrix of `inner` rows. `fill` writes column `index` into a slice of `inner` bytes, which are int8 if `is_signed` and uint8 if not.
    pub fn pack(inner: usize, columns: usize, is_signed: bool, fill: impl Fn(usize, &mut [u8]) + Sync) -> Self {
        Self::pack_for(Kernel::best(), inner, columns, is_signed, fill)
    }

    /// Packs a row-major matrix.
    pub fn from_rows(bytes: &[u8], inner: usize, columns: usize, is_signed: bool) -> Self {
        Self::pack(inner, columns, is_signed, |column, elements| {
            for (element, row) in elements.iter_mut().zip(bytes.chunks_exact(columns.max(1))) {
                *element = row[column];
            }
        })
    }

    fn pack_for(kernel: Kernel, inner: usize, columns: usize, is_signed: bool, fill: impl Fn(usize, &mut [u8]) + Sync) -> Self {
        let flip = if is_signed { 0 } else { 0x80 };
        let n_groups = inner.div_ceil(kernel.group());
        let panel_columns = kernel.panel_lines() * 16;
        let n_panels = columns.div_ceil(panel_columns);
        let mut lines = vec![Line([0; 16]); n_panels * n_groups * kernel.panel_lines()];
        let mut sums = vec![0; columns];
        let pack_panel = |(panel, (lines, sums)): (usize, (&mut [Line], &mut [i32]))| {
            let mut elements = vec![0; inner];
            for (index, sum) in sums.iter_mut().enumerate() {
                fill(panel * panel_columns + index, &mut elements);
                if flip != 0 {
                    elements.iter_mut().for_each(|element| *element ^= flip);
                }
                *sum = elements.iter().fold(0_i32, |sum, element| sum.wrapping_add(i32::from(element.cast_signed())));
                let places = lines[index / 16..].iter_mut().step_by(kernel.panel_lines());
                for (line, group) in places.zip(elements.chunks(kernel.group())) {
                    line.0[index % 16] = kernel.right_word(group);
                }
            }
        };
        let panel_lines = (n_groups * kernel.panel_lines()).max(1);
        if inner * columns < SHARED_FROM {
            lines.chunks_mut(panel_lines).zip(sums.chunks_mut(panel_columns)).enumerate().for_each(pack_panel);
        } else {
            lines.par_chunks_mut(panel_lines).zip(sums.par_chunks_mut(panel_columns)).enumerate().for_each(pack_panel);
        }
        Self { kernel, inner, columns, lines, sums, shift: i32::from(flip) }
    }

    pub fn inner(&self) -> usize {
        self.inner
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    fn panels(&self) -> std::slice::ChunksExact<'_, Line> {
        self.lines.chunks_exact((self.inner.div_ceil(self.kernel.group()) * self.kernel.panel_lines()).max(1))
    }
}

/// The left side: a row-major matrix with as many columns as the right side has rows.
#[derive(Debug, Clone, Copy)]
pub struct Left<'a> {
    /// int8 if `is_signed`, uint8 if not.
    pub bytes: &'a [u8],
    pub is_signed: bool,
}

/// Zero points: one for all rows (of the left side) or columns (of the right side), or one for each.
pub type ZeroPoints<'a> = &'a [i32];

/// Multiplies. `finish` gets the number of a row, its exact sums, and the row of `results` to make of them; both are as long as the right side has
/// columns. The caller has proven the sizes: `left.bytes` has `rows · inner` elements, `results` `rows · columns`.
pub fn multiply<R: Send>(
    left: Left<'_>,
    left_zero_points: ZeroPoints<'_>,
    right: &PackedRight,
    right_zero_points: ZeroPoints<'_>,
    results: &mut [R],
    finish: impl Fn(usize, &[i32], &mut [R]) + Sync,
) {
    let (inner, columns) = (right.inner, right.columns);
    if results.is_empty() {
        return;
    }
    let rows = results.len() / columns;
    let product = Product { left, left_zero_points, right, right_zero_points };
    let tile_rows = right.kernel.tile_rows();
    let is_shared = rows.saturating_mul(inner).saturating_mul(columns) >= SHARED_FROM && rayon::current_num_threads() > 1;
    if is_shared && rows < 2 * tile_rows {
        let sums = product.sums_by_panels(rows);
        for (row, (sums, results)) in sums.chunks(columns).zip(results.chunks_mut(columns)).enumerate() {
            finish(row, sums, results);
        }
        return;
    }
    // Enough blocks that threads of unequal speed end together.
    let n_parts = if is_shared { 4 * rayon::current_num_threads() } else { 1 };
    let block_rows = rows.div_ceil(n_parts).next_multiple_of(tile_rows).min(MOST_BLOCK_ROWS);
    let compute = |(block, results): (usize, &mut [R])| {
        let first_row = block * block_rows;
        let sums = product.sums_of_rows(first_row, results.len() / columns);
        for (row, (sums, results)) in sums.chunks(columns).zip(results.chunks_mut(columns)).enumerate() {
            finish(first_row + row, sums, results);
        }
    };
    if is_shared {
        results.par_chunks_mut(block_rows * columns).enumerate().for_each(compute);
    } else {
        results.chunks_mut(block_rows * columns).enumerate().for_each(compute);
    }
}

struct Product<'a> {
    left: Left<'a>,
    left_zero_points: ZeroPoints<'a>,
    right: &'a PackedRight,
    right_zero_points: ZeroPoints<'a>,
}

impl Product<'_> {
    /// The exact sums of some rows.
    fn sums_of_rows(&self, first_row: usize, n_rows: usize) -> Vec<i32> {
        let mut sums = vec![0; n_rows * self.right.columns];
        let (words, row_sums) = self.lay_out(first_row, n_rows);
        for (index, panel) in self.right.panels().enumerate() {
            self.panel_sums(&words, n_rows, panel, index, |row, first_column, tile| {
                sums[row * self.right.columns + first_column..][..tile.len()].copy_from_slice(tile);
            });
        }
        for (row, (sums, row_sum)) in sums.chunks_mut(self.right.columns).zip(row_sums).enumerate() {
            self.correct(first_row + row, row_sum, sums);
        }
        sums
    }

    /// As [`Self::sums_of_rows`] for few rows, the columns shared among threads.
    fn sums_by_panels(&self, n_rows: usize) -> Vec<i32> {
        let (words, row_sums) = self.lay_out(0, n_rows);
        let panels: Vec<_> = self.right.panels().collect();
        let tiles = panels.par_iter().enumerate().map(|(index, panel)| {
            let mut tiles = Vec::with_capacity(n_rows);
            self.panel_sums(&words, n_rows, panel, index, |row, first_column, tile| {
                let mut sums = [0; WIDEST_PANEL];
                sums[..tile.len()].copy_from_slice(tile);
                tiles.push((row, first_column, tile.len(), sums));
            });
            tiles
        });
        let mut sums = vec![0; n_rows * self.right.columns];
        for (row, first_column, length, tile) in tiles.collect::<Vec<_>>().into_iter().flatten() {
            sums[row * self.right.columns + first_column..][..length].copy_from_slice(&tile[..length]);
        }
        for (row, (sums, row_sum)) in sums.chunks_mut(self.right.columns).zip(row_sums).enumerate() {
            self.correct(row, row_sum, sums);
        }
        sums
    }

    /// Rows of the left side in words, and their sums, both of unsigned elements.
    fn lay_out(&self, first_row: usize, n_rows: usize) -> (Vec<u32>, Vec<i32>) {
        let (inner, kernel) = (self.right.inner, self.right.kernel);
        let n_groups = inner.div_ceil(kernel.group());
        let mut words = Vec::with_capacity(n_rows * n_groups);
        let mut row_sums = Vec::with_capacity(n_rows);
        let flip = if self.left.is_signed { 0x80 } else { 0 };
        let mut flipped = Vec::new();
        for row in 0..n_rows {
            let mut bytes = &self.left.bytes[(first_row + row) * inner..][..inner];
            if flip != 0 {
                flipped.clear();
                flipped.extend(bytes.iter().map(|byte| byte ^ flip));
                bytes = &flipped;
            }
            row_sums.push(bytes.iter().fold(0_i32, |sum, &byte| sum.wrapping_add(i32::from(byte))));
            if kernel.group() == 4 {
                let (quads, rest) = bytes.as_chunks::<4>();
                words.extend(quads.iter().map(|&quad| u32::from_le_bytes(quad)));
                words.extend((!rest.is_empty()).then(|| kernel.left_word(rest)));
            } else {
                words.extend(bytes.chunks(2).map(|pair| kernel.left_word(pair)));
            }
        }
        (words, row_sums)
    }

    /// Calls `store` with a row, the first column of a panel, and the sums there, for each of `n_rows` rows.
    fn panel_sums(&self, words: &[u32], n_rows: usize, panel: &[Line], index: usize, mut store: impl FnMut(usize, usize, &[i32])) {
        let kernel = self.right.kernel;
        let n_groups = self.right.inner.div_ceil(kernel.group());
        let first_column = index * kernel.panel_lines() * 16;
        let n_columns = (self.right.columns - first_column).min(kernel.panel_lines() * 16);
        let mut first_row = 0;
        while first_row < n_rows {
            let mut tile = [[0; WIDEST_PANEL]; 12];
            let rows = (n_rows - first_row).min(kernel.tile_rows());
            kernel.tile(&words[first_row * n_groups..][..rows * n_groups], panel, &mut tile[..rows]);
            for (row, sums) in tile[..rows].iter().enumerate() {
                store(first_row + row, first_column, &sums[..n_columns]);
            }
            first_row += rows;
        }
    }

    /// Turns sums of shifted elements into sums of differences from the zero points. Wrapping: only the result has to fit 32 bits.
    fn correct(&self, row: usize, row_sum: i32, sums: &mut [i32]) {
        let left_zero = self.left_zero_points[row % self.left_zero_points.len()] + if self.left.is_signed { 128 } else { 0 };
        let constant = |right_zero: i32| {
            let right_zero = right_zero - self.right.shift;
            // The inner dimension of a matrix in memory is far below 2³¹ · 2³¹; what overflows wraps as the sums do.
            right_zero.wrapping_mul((self.right.inner as i32).wrapping_mul(left_zero).wrapping_sub(row_sum))
        };
        if let &[right_zero] = self.right_zero_points {
            let constant = constant(right_zero);
            for (sum, &column_sum) in sums.iter_mut().zip(&self.right.sums) {
                *sum = sum.wrapping_add(constant).wrapping_sub(left_zero.wrapping_mul(column_sum));
            }
        } else {
            for ((sum, &column_sum), &right_zero) in sums.iter_mut().zip(&self.right.sums).zip(self.right_zero_points) {
                *sum = sum.wrapping_add(constant(right_zero)).wrapping_sub(left_zero.wrapping_mul(column_sum));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(n: usize, seed: usize) -> Vec<u8> {
        (0..n).map(|index| ((index * 131 + seed * 977) ^ ((index >> 3) * 57)) as u8).collect()
    }

    fn value(byte: u8, is_signed: bool) -> i32 {
        if is_signed { i32::from(byte.cast_signed()) } else { i32::from(byte) }
    }

    #[test]
    fn every_kernel_is_exact_for_all_signs_and_sizes() {
        let mut kernels = vec![Kernel::Portable, Kernel::best()];
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            kernels.push(Kernel::Avx2);
        }
        for kernel in kernels {
            for (rows, inner, columns) in [(1, 1, 1), (3, 7, 5), (12, 16, 32), (13, 33, 37), (25, 4, 70), (2, 300, 400), (100, 65, 33), (4, 0, 3)] {
                for (left_is_signed, right_is_signed) in [(false, true), (false, false), (true, true), (true, false)] {
                    let (left, right) = (bytes(rows * inner, 1), bytes(inner * columns, 2));
                    let fill = |column: usize, elements: &mut [u8]| (0..inner).for_each(|k| elements[k] = right[k * columns + column]);
                    let packed = PackedRight::pack_for(kernel, inner, columns, right_is_signed, fill);
                    let left_zeros: Vec<i32> = (0..rows).map(|row| if left_is_signed { row as i32 % 7 - 3 } else { row as i32 % 200 }).collect();
                    let right_zeros: Vec<i32> = (0..columns).map(|column| if right_is_signed { column as i32 % 5 - 9 } else { 120 }).collect();
                    for (left_zeros, right_zeros) in [(&left_zeros[..1], &right_zeros[..1]), (&left_zeros, &right_zeros)] {
                        let mut results = vec![0; rows * columns];
                        let side = Left { bytes: &left, is_signed: left_is_signed };
                        multiply(side, left_zeros, &packed, right_zeros, &mut results, |_, sums, row| row.copy_from_slice(sums));
                        let expected = |index: usize| -> i32 {
                            let (row, column) = (index / columns, index % columns);
                            let left_value = |k: usize| value(left[row * inner + k], left_is_signed) - left_zeros[row % left_zeros.len()];
                            let right_value =
                                |k: usize| value(right[k * columns + column], right_is_signed) - right_zeros[column % right_zeros.len()];
                            (0..inner).map(|k| left_value(k) * right_value(k)).sum()
                        };
                        let expected: Vec<i32> = (0..results.len()).map(expected).collect();
                        assert_eq!(results, expected, "{kernel:?} {rows}x{inner}x{columns} {left_is_signed} {right_is_signed}");
                    }
                }
            }
        }
    }

    #[test]
    fn extreme_elements_do_not_saturate() {
        let inner = 64;
        let packed = PackedRight::from_rows(&vec![0x80; inner], inner, 1, true);
        let mut result = [0];
        multiply(Left { bytes: &vec![255; inner], is_signed: false }, &[0], &packed, &[0], &mut result, |_, sums, row| row.copy_from_slice(sums));
        assert_eq!(result, [255 * -128 * 64]);
    }
}
