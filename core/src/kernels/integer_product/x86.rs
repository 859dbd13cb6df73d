//! Tiles of integer products with the vector instructions of x86.

use std::arch::x86_64::{
    __m256i, __m512i, _mm256_add_epi32, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_set1_epi32, _mm256_setzero_si256, _mm256_storeu_si256,
    _mm512_dpbusd_epi32, _mm512_loadu_si512, _mm512_set1_epi32, _mm512_setzero_si512, _mm512_storeu_si512,
};

use super::{Line, WIDEST_PANEL};

type Sums = [i32; WIDEST_PANEL];

/// Splits a tile into tiles whose number of rows is known to the compiler.
macro_rules! by_rows {
    ($tile:ident, $left:ident, $n_groups:expr, $panel:ident, $sums:ident, [$($rows:literal),*]) => {{
        let n_groups = $n_groups;
        let (mut left, mut sums) = ($left, $sums);
        $(
            let (tiles, rest) = sums.as_chunks_mut::<$rows>();
            for tile_sums in tiles {
                let (tile_left, left_rest) = left.split_at($rows * n_groups);
                $tile::<$rows>(tile_left, n_groups, $panel, tile_sums);
                left = left_rest;
            }
            sums = rest;
        )*
        debug_assert!(left.is_empty() && sums.is_empty());
    }};
}

/// Words of four bytes, panels of 32 columns.
#[target_feature(enable = "avx512f,avx512vnni")]
pub fn tile_avx512_vnni(left: &[u32], panel: &[Line], sums: &mut [Sums]) {
    by_rows!(rows_avx512_vnni, left, panel.len() / 2, panel, sums, [12, 6, 3, 1]);
}

#[target_feature(enable = "avx512f,avx512vnni")]
fn rows_avx512_vnni<const ROWS: usize>(left: &[u32], n_groups: usize, panel: &[Line], sums: &mut [Sums; ROWS]) {
    let left: [&[u32]; ROWS] = std::array::from_fn(|row| &left[row * n_groups..][..n_groups]);
    let mut totals: [[__m512i; 2]; ROWS] = [[_mm512_setzero_si512(); 2]; ROWS];
    for (group, lines) in panel.as_chunks::<2>().0.iter().enumerate() {
        // SAFETY: a line is 64 bytes.
        let right: [__m512i; 2] = std::array::from_fn(|half| unsafe { _mm512_loadu_si512(lines[half].0.as_ptr().cast()) });
        for row in 0..ROWS {
            // SAFETY: there are as many groups in the panel as words in each row.
            let word = _mm512_set1_epi32(unsafe { *left[row].get_unchecked(group) }.cast_signed());
            totals[row] = [_mm512_dpbusd_epi32(totals[row][0], word, right[0]), _mm512_dpbusd_epi32(totals[row][1], word, right[1])];
        }
    }
    for (sums, totals) in sums.iter_mut().zip(totals) {
        let (halves, _) = sums.as_chunks_mut::<16>();
        for (half, total) in halves.iter_mut().zip(totals) {
            // SAFETY: sixteen sums are 64 bytes.
            unsafe { _mm512_storeu_si512(half.as_mut_ptr().cast(), total) };
        }
    }
}

/// Words of two 16-bit numbers, panels of 16 columns.
#[target_feature(enable = "avx2")]
pub fn tile_avx2(left: &[u32], panel: &[Line], sums: &mut [Sums]) {
    by_rows!(rows_avx2, left, panel.len(), panel, sums, [6, 3, 1]);
}

#[target_feature(enable = "avx2")]
fn rows_avx2<const ROWS: usize>(left: &[u32], n_groups: usize, panel: &[Line], sums: &mut [Sums; ROWS]) {
    let left: [&[u32]; ROWS] = std::array::from_fn(|row| &left[row * n_groups..][..n_groups]);
    let mut totals: [[__m256i; 2]; ROWS] = [[_mm256_setzero_si256(); 2]; ROWS];
    for (group, line) in panel.iter().enumerate() {
        let (halves, _) = line.0.as_chunks::<8>();
        // SAFETY: eight words are 32 bytes.
        let right: [__m256i; 2] = std::array::from_fn(|half| unsafe { _mm256_loadu_si256(halves[half].as_ptr().cast()) });
        for row in 0..ROWS {
            // SAFETY: there are as many groups in the panel as words in each row.
            let word = _mm256_set1_epi32(unsafe { *left[row].get_unchecked(group) }.cast_signed());
            for (total, right) in totals[row].iter_mut().zip(right) {
                *total = _mm256_add_epi32(*total, _mm256_madd_epi16(word, right));
            }
        }
    }
    for (sums, totals) in sums.iter_mut().zip(totals) {
        let (halves, _) = sums.as_chunks_mut::<8>();
        for (half, total) in halves.iter_mut().zip(totals) {
            // SAFETY: eight sums are 32 bytes.
            unsafe { _mm256_storeu_si256(half.as_mut_ptr().cast(), total) };
        }
    }
}
