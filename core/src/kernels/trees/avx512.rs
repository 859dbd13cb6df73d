//! The walk of ranks on processors with AVX-512: 32 rows in a register, two registers at a time.
//!
//! On each level, every row needs the rank of its slot's threshold and of its own value of the slot's feature. The thresholds are permuted
//! out of registers. The values are chosen among those of all slots of the level by the outcomes of the levels before, the latest last:
//! that takes less time than to gather them.
//!
//! The steps are macros, because the compiler does not always inline functions (and never closures) with features of their own.

use std::arch::x86_64::{
    __mmask32, _mm512_add_epi16, _mm512_add_ps, _mm512_and_si512, _mm512_castsi512_si256, _mm512_cmpgt_epi16_mask, _mm512_cvtepu16_epi32,
    _mm512_extracti64x4_epi64, _mm512_loadu_ps, _mm512_loadu_si512, _mm512_mask_blend_epi16, _mm512_mask_blend_ps, _mm512_mask_loadu_epi16,
    _mm512_mask_sub_epi16, _mm512_permutex2var_ps, _mm512_permutexvar_epi16, _mm512_set1_epi16, _mm512_setzero_si512, _mm512_storeu_ps,
    _mm512_storeu_si512,
};

use super::ranks::{BlockRanks, RankedTree};

const LANES: usize = 32;
/// Registers whose rows are walked side by side, so that one goes on while another waits.
const REGISTERS: usize = 2;

/// Rows that are walked at the same time.
pub(super) const ROWS: usize = LANES * REGISTERS;

/// The same computation for each register.
macro_rules! each {
    (|$register:ident| $compute:expr) => {{
        let mut results = [_mm512_setzero_si512(); REGISTERS];
        let mut $register = 0;
        while $register < REGISTERS {
            results[$register] = $compute;
            $register += 1;
        }
        results
    }};
}

/// Ranks by the outcome of one level.
macro_rules! blend {
    ($goes_right:expr, $left:expr, $right:expr) => {{
        let (left, right) = ($left, $right);
        each!(|register| _mm512_mask_blend_epi16($goes_right[register], left[register], right[register]))
    }};
}

/// The first of the rows that are walked, in the column of a slot.
macro_rules! rows {
    ($walk:ident, $slot:expr) => {
        $walk.rows.add($walk.tree.columns[$slot] as usize)
    };
}

/// Of a level with `width` slots: the ranks in the column of `slot`, or of the slot half a level further where the first outcome was to go right.
macro_rules! of_two {
    ($walk:ident, $outcomes:ident, $slot:expr, $width:expr) => {{
        let (left, right) = (rows!($walk, $slot), rows!($walk, $slot + $width / 2));
        each!(|register| {
            let left = _mm512_loadu_si512(left.add(register * LANES).cast());
            _mm512_mask_loadu_epi16(left, $outcomes[0][register], right.add(register * LANES).cast())
        })
    }};
}

/// As `of_two`, by the first two outcomes.
macro_rules! of_four {
    ($walk:ident, $outcomes:ident, $slot:expr, $width:expr) => {
        blend!($outcomes[1], of_two!($walk, $outcomes, $slot, $width), of_two!($walk, $outcomes, $slot + $width / 4, $width))
    };
}

/// As `of_two`, by the first three outcomes.
macro_rules! of_eight {
    ($walk:ident, $outcomes:ident, $slot:expr, $width:expr) => {
        blend!($outcomes[2], of_four!($walk, $outcomes, $slot, $width), of_four!($walk, $outcomes, $slot + $width / 8, $width))
    };
}

/// As `of_two`, by the first four outcomes.
macro_rules! of_sixteen {
    ($walk:ident, $outcomes:ident, $slot:expr, $width:expr) => {
        blend!($outcomes[3], of_eight!($walk, $outcomes, $slot, $width), of_eight!($walk, $outcomes, $slot + $width / 16, $width))
    };
}

/// From slots to those of the next level, by the rows' ranks; and which go right. A slot's threshold is at its last five bits in `thresholds`.
macro_rules! next_level {
    ($slots:ident, $goes_right:expr, $ranks:expr, $thresholds:ident) => {{
        let ranks = $ranks;
        $slots = each!(|register| {
            let slot = $slots[register];
            let goes_right = _mm512_cmpgt_epi16_mask(ranks[register], _mm512_permutexvar_epi16(slot, $thresholds));
            let left = _mm512_add_epi16(slot, slot);
            $goes_right[register] = goes_right;
            _mm512_mask_sub_epi16(left, goes_right, left, _mm512_set1_epi16(-1))
        });
    }};
}

/// The numbers of the exits of all rows, in registers; and the outcomes of the first levels.
macro_rules! walk {
    ($walk:ident) => {{
        let depth = $walk.tree.depth;
        let upper = _mm512_loadu_si512($walk.tree.thresholds.as_ptr().cast());
        let lower = _mm512_loadu_si512($walk.tree.thresholds.as_ptr().add(LANES).cast());
        let mut slots = [_mm512_set1_epi16(1); REGISTERS];
        let mut outcomes: [[__mmask32; REGISTERS]; 6] = [[0; REGISTERS]; 6];
        if depth > 0 {
            let ranks = rows!($walk, 1);
            next_level!(slots, outcomes[0], each!(|register| _mm512_loadu_si512(ranks.add(register * LANES).cast())), upper);
        }
        if depth > 1 {
            next_level!(slots, outcomes[1], of_two!($walk, outcomes, 2, 2), upper);
        }
        if depth > 2 {
            next_level!(slots, outcomes[2], of_four!($walk, outcomes, 4, 4), upper);
        }
        if depth > 3 {
            next_level!(slots, outcomes[3], of_eight!($walk, outcomes, 8, 8), upper);
        }
        if depth > 4 {
            next_level!(slots, outcomes[4], of_sixteen!($walk, outcomes, 16, 16), upper);
        }
        if depth > 5 {
            let ranks = blend!(outcomes[4], of_sixteen!($walk, outcomes, 32, 32), of_sixteen!($walk, outcomes, 33, 32));
            next_level!(slots, outcomes[5], ranks, lower);
        }
        let exit_bits = _mm512_set1_epi16((1 << depth) - 1);
        (each!(|register| _mm512_and_si512(slots[register], exit_bits)), outcomes)
    }};
}

/// A tree, and where the first column has the first of the rows that are walked.
struct Walk<'a> {
    tree: &'a RankedTree,
    rows: *const u16,
}

impl<'a> Walk<'a> {
    /// # Safety
    /// `first_row + ROWS` is at most `BLOCK_ROWS`, and there is a column.
    unsafe fn new(tree: &'a RankedTree, block: &[BlockRanks], first_row: usize) -> Self {
        // SAFETY: as for this function.
        Self { tree, rows: unsafe { block.as_ptr().cast::<u16>().add(first_row) } }
    }
}

/// The exits that [`ROWS`] rows from `first_row` on take.
///
/// # Safety
/// The processor has AVX-512F and AVX-512BW. The tree's columns are columns of the block, and `first_row + ROWS` is at most `BLOCK_ROWS`.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) unsafe fn exits(tree: &RankedTree, block: &[BlockRanks], first_row: usize) -> [u16; ROWS] {
    let mut exits = [0; ROWS];
    // SAFETY: as for this function; there is room for all registers.
    unsafe {
        let walk = Walk::new(tree, block, first_row);
        let (ends, _) = walk!(walk);
        for (register, end) in ends.into_iter().enumerate() {
            _mm512_storeu_si512(exits.as_mut_ptr().add(register * LANES).cast(), end);
        }
    }
    exits
}

/// Adds the value of each row's leaf to the row's sum, for a tree whose exits are leaves. `values` are those of the leaves, and what follows.
///
/// # Safety
/// As [`exits`]. There are at least 64 values.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) unsafe fn add_leaves(tree: &RankedTree, block: &[BlockRanks], first_row: usize, values: &[f32], sums: &mut [f32; ROWS]) {
    /// For half of a register's rows.
    macro_rules! add_half {
        ($leaves:expr, $outcomes:expr, $half:literal, $values:ident, $sums:expr) => {{
            let leaves = _mm512_cvtepu16_epi32($leaves);
            let mut found = _mm512_permutex2var_ps($values[0], leaves, $values[1]);
            if tree.depth > 5 {
                // The first of six outcomes decides between the two halves of the leaves.
                let is_second = ($outcomes >> (16 * $half)) as u16;
                found = _mm512_mask_blend_ps(is_second, found, _mm512_permutex2var_ps($values[2], leaves, $values[3]));
            }
            let sums = $sums.add(16 * $half);
            _mm512_storeu_ps(sums, _mm512_add_ps(_mm512_loadu_ps(sums), found));
        }};
    }
    // SAFETY: as for this function; there is a sum for each row.
    unsafe {
        let walk = Walk::new(tree, block, first_row);
        let (ends, outcomes) = walk!(walk);
        let at = values.as_ptr();
        let values = [_mm512_loadu_ps(at), _mm512_loadu_ps(at.add(16)), _mm512_loadu_ps(at.add(32)), _mm512_loadu_ps(at.add(48))];
        for (register, end) in ends.into_iter().enumerate() {
            let sums = sums.as_mut_ptr().add(register * LANES);
            add_half!(_mm512_castsi512_si256(end), outcomes[0][register], 0, values, sums);
            add_half!(_mm512_extracti64x4_epi64::<1>(end), outcomes[0][register], 1, values, sums);
        }
    }
}
