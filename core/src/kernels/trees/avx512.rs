//! The walk through heaps of float32 on processors with AVX-512: sixteen rows in a register, four registers at a time.
//!
//! On each level, every row needs the threshold of its slot, and its value of the slot's feature. The thresholds of the first eight levels are permuted
//! out of registers. The values of the first five levels are blended together from the columns of all slots of the level, which takes less time than
//! to gather them; below that they are gathered.

use std::arch::x86_64::{
    __m512, __m512i, _CMP_NLE_UQ, _mm512_add_epi32, _mm512_add_ps, _mm512_and_si512, _mm512_castps_si512, _mm512_cmp_ps_mask, _mm512_i32gather_epi32,
    _mm512_i32gather_ps, _mm512_loadu_ps, _mm512_mask_add_epi32, _mm512_mask_blend_ps, _mm512_mask_loadu_ps, _mm512_permutex2var_ps,
    _mm512_permutexvar_ps, _mm512_set1_epi32, _mm512_setr_epi32, _mm512_setzero_ps, _mm512_storeu_ps, _mm512_storeu_si512, _mm512_test_epi32_mask,
};

use super::layout::HeapSteps;

const LANES: usize = 16;
const REGISTERS: usize = 4;

/// Rows that are walked at the same time.
pub(super) const ROWS: usize = LANES * REGISTERS;

/// A heap, and the columns of the block of rows to walk it.
pub(super) struct Walk<'a> {
    pub heap: &'a HeapSteps<f32>,
    pub first_step: usize,
    pub depth: u32,
    pub columns: &'a [f32],
    pub first_row: usize,
}

impl Walk<'_> {
    /// The slots in which the walks of the next [`ROWS`] rows end.
    ///
    /// # Safety
    /// The processor has AVX-512F. At `first_step`, `heap` has a heap of that depth and is padded; its columns are columns of the block, which
    /// have at least [`ROWS`] rows from `first_row` on.
    #[target_feature(enable = "avx512f")]
    pub unsafe fn slots(&self) -> [u32; ROWS] {
        let mut slots = [0; ROWS];
        // SAFETY: as for this function; there is room for all registers.
        unsafe {
            for (register, end) in self.walk().into_iter().enumerate() {
                _mm512_storeu_si512(slots.as_mut_ptr().add(register * LANES).cast(), end);
            }
        }
        slots
    }

    /// Adds the value of each row's leaf to the row's sum. `values` are those of this heap's leaves, and what follows.
    ///
    /// # Safety
    /// As [`Self::slots`]. There are at least 2^depth and at least 64 values.
    #[target_feature(enable = "avx512f")]
    pub unsafe fn add_leaves(&self, values: &[f32], sums: &mut [f32; ROWS]) {
        // SAFETY: as for this function; the last `depth` bits of a slot are its leaf, and there is a sum for each row.
        unsafe {
            let leaf_bits = _mm512_set1_epi32((1 << self.depth) - 1);
            for (register, slots) in self.walk().into_iter().enumerate() {
                let leaves = _mm512_and_si512(slots, leaf_bits);
                let found = if self.depth <= 6 { look_up::<4>(values.as_ptr(), leaves) } else { _mm512_i32gather_ps::<4>(leaves, values.as_ptr()) };
                let sums = sums.as_mut_ptr().add(register * LANES);
                _mm512_storeu_ps(sums, _mm512_add_ps(_mm512_loadu_ps(sums), found));
            }
        }
    }

    /// # Safety
    /// As [`Self::slots`].
    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn walk(&self) -> [__m512i; REGISTERS] {
        let mut slots = [_mm512_set1_epi32(1); REGISTERS];
        // SAFETY: a heap that is not that deep is followed by padding, so that its first 64 steps can be loaded. Only slots of the
        // heap are permuted out of them or gathered.
        unsafe {
            let thresholds = self.heap.thresholds.as_ptr().add(self.first_step);
            let columns = self.heap.columns.as_ptr().add(self.first_step);
            let rows = self.columns.as_ptr().add(self.first_row);
            let first_16 = _mm512_loadu_ps(thresholds);
            if self.depth > 0 {
                shallow_level::<1>(first_16, columns, rows, &mut slots);
            }
            if self.depth > 1 {
                shallow_level::<2>(first_16, columns, rows, &mut slots);
            }
            if self.depth > 2 {
                shallow_level::<4>(first_16, columns, rows, &mut slots);
            }
            if self.depth > 3 {
                shallow_level::<8>(first_16, columns, rows, &mut slots);
            }
            if self.depth > 4 {
                shallow_level::<16>(_mm512_loadu_ps(thresholds.add(LANES)), columns, rows, &mut slots);
            }
            if self.depth > 5 {
                deep_level::<2>(thresholds.add(32), columns.add(32), rows, &mut slots);
            }
            if self.depth > 6 {
                deep_level::<4>(thresholds.add(64), columns.add(64), rows, &mut slots);
            }
            if self.depth > 7 {
                deep_level::<8>(thresholds.add(128), columns.add(128), rows, &mut slots);
            }
            for _ in 8..self.depth {
                for (register, slots) in slots.iter_mut().enumerate() {
                    let column = _mm512_i32gather_epi32::<4>(*slots, columns.cast());
                    *slots = next_slots(*slots, gather(rows, column, register), _mm512_i32gather_ps::<4>(*slots, thresholds));
                }
            }
        }
        slots
    }
}

/// From the `WIDTH` slots of a level to the next. A slot's threshold is at its last four bits in `thresholds`.
///
/// # Safety
/// As [`Walk::slots`], with `columns` those of the heap's slots, and `rows` the first row in the first column.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn shallow_level<const WIDTH: usize>(thresholds: __m512, columns: *const u32, rows: *const f32, slots: &mut [__m512i; REGISTERS]) {
    for (register, slots) in slots.iter_mut().enumerate() {
        // SAFETY: as for this function.
        unsafe {
            let value_at = |slot: usize| rows.add(*columns.add(slot) as usize + register * LANES);
            let mut values = [_mm512_setzero_ps(); 8];
            let is_odd = _mm512_test_epi32_mask(*slots, _mm512_set1_epi32(1));
            values[0] = _mm512_loadu_ps(value_at(WIDTH));
            for (pair, value) in values.iter_mut().enumerate().take(WIDTH / 2) {
                let even = _mm512_loadu_ps(value_at(WIDTH + 2 * pair));
                *value = _mm512_mask_loadu_ps(even, is_odd, value_at(WIDTH + 2 * pair + 1));
            }
            let values = blend_by_bits(values, WIDTH / 2, *slots, 2);
            *slots = next_slots(*slots, values, _mm512_permutexvar_ps(*slots, thresholds));
        }
    }
}

/// As [`shallow_level`], for a level with `TABLE_REGISTERS` registers of slots, which are the first of `thresholds` and `columns`.
///
/// # Safety
/// As [`Walk::slots`], with `rows` the first row in the first column.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn deep_level<const TABLE_REGISTERS: usize>(thresholds: *const f32, columns: *const u32, rows: *const f32, slots: &mut [__m512i; REGISTERS]) {
    for (register, slots) in slots.iter_mut().enumerate() {
        // SAFETY: as for this function. Looking up columns moves their bits as those of floats, and leaves them as they are.
        unsafe {
            let column = _mm512_castps_si512(look_up::<TABLE_REGISTERS>(columns.cast(), *slots));
            *slots = next_slots(*slots, gather(rows, column, register), look_up::<TABLE_REGISTERS>(thresholds, *slots));
        }
    }
}

/// `2 * slot`, and one more where not `value <= threshold`.
#[inline]
#[target_feature(enable = "avx512f")]
fn next_slots(slots: __m512i, values: __m512, thresholds: __m512) -> __m512i {
    let goes_right = _mm512_cmp_ps_mask::<_CMP_NLE_UQ>(values, thresholds);
    let left = _mm512_add_epi32(slots, slots);
    _mm512_mask_add_epi32(left, goes_right, left, _mm512_set1_epi32(1))
}

/// Each row's value in the column that begins at `columns`.
///
/// # Safety
/// The processor has AVX-512F, and the columns have [`ROWS`] rows.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn gather(rows: *const f32, columns: __m512i, register: usize) -> __m512 {
    let lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    // SAFETY: as for this function.
    unsafe { _mm512_i32gather_ps::<4>(_mm512_add_epi32(columns, lanes), rows.add(register * LANES)) }
}

/// What `table` has at the last bits of each index: five bits for two registers, and one more for each doubling.
///
/// # Safety
/// The processor has AVX-512F, and the table fills that many registers: 2, 4 or 8.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn look_up<const TABLE_REGISTERS: usize>(table: *const f32, indices: __m512i) -> __m512 {
    let mut found = [_mm512_setzero_ps(); 4];
    for (pair, found) in found.iter_mut().enumerate().take(TABLE_REGISTERS / 2) {
        // SAFETY: as for this function.
        let (low, high) = unsafe { (_mm512_loadu_ps(table.add(32 * pair)), _mm512_loadu_ps(table.add(32 * pair + LANES))) };
        *found = _mm512_permutex2var_ps(low, indices, high);
    }
    blend_by_bits::<4>(found, TABLE_REGISTERS / 2, indices, 32)
}

/// One of `n_values` registers for each lane, by the bits of its index from `lowest_bit` on.
#[inline]
#[target_feature(enable = "avx512f")]
fn blend_by_bits<const N: usize>(mut values: [__m512; N], mut n_values: usize, indices: __m512i, lowest_bit: i32) -> __m512 {
    let mut bit = lowest_bit;
    while n_values > 1 {
        n_values /= 2;
        let is_set = _mm512_test_epi32_mask(indices, _mm512_set1_epi32(bit));
        for pair in 0..n_values {
            values[pair] = _mm512_mask_blend_ps(is_set, values[2 * pair], values[2 * pair + 1]);
        }
        bit *= 2;
    }
    values[0]
}
