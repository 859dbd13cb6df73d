//! The walk of ranks on processors with AVX2: as with AVX-512, but 16 rows in a register. Outcomes are registers too, with all bits
//! set where a row goes right, and slots are kept as the bytes at which a table of eight ranks has theirs: `slot * 0x0202`.

use std::arch::x86_64::{
    __m256i, _mm_loadu_si128, _mm256_add_epi16, _mm256_and_si256, _mm256_blendv_epi8, _mm256_broadcastsi128_si256, _mm256_cmpgt_epi16,
    _mm256_loadu_si256, _mm256_set1_epi16, _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_srli_epi16, _mm256_storeu_si256,
};

use super::ranks::{BlockRanks, RankedTree};

/// Rows that are walked at the same time.
pub(super) const ROWS: usize = 16;

/// The ranks of the rows in the column of a slot.
macro_rules! ranks {
    ($tree:ident, $rows:ident, $slot:expr) => {
        _mm256_loadu_si256($rows.add($tree.columns[$slot] as usize).cast())
    };
}

/// Of a level with `width` slots: the ranks in the column of `slot`, or of the slot half a level further where the first outcome was to go right.
macro_rules! of_two {
    ($tree:ident, $rows:ident, $outcomes:ident, $slot:expr, $width:expr) => {
        _mm256_blendv_epi8(ranks!($tree, $rows, $slot), ranks!($tree, $rows, $slot + $width / 2), $outcomes[0])
    };
}

/// As `of_two`, by the first two outcomes.
macro_rules! of_four {
    ($tree:ident, $rows:ident, $outcomes:ident, $slot:expr, $width:expr) => {{
        let left = of_two!($tree, $rows, $outcomes, $slot, $width);
        _mm256_blendv_epi8(left, of_two!($tree, $rows, $outcomes, $slot + $width / 4, $width), $outcomes[1])
    }};
}

/// As `of_two`, by the first three outcomes.
macro_rules! of_eight {
    ($tree:ident, $rows:ident, $outcomes:ident, $slot:expr, $width:expr) => {{
        let left = of_four!($tree, $rows, $outcomes, $slot, $width);
        _mm256_blendv_epi8(left, of_four!($tree, $rows, $outcomes, $slot + $width / 8, $width), $outcomes[2])
    }};
}

/// As `of_two`, by the first four outcomes.
macro_rules! of_sixteen {
    ($tree:ident, $rows:ident, $outcomes:ident, $slot:expr, $width:expr) => {{
        let left = of_eight!($tree, $rows, $outcomes, $slot, $width);
        _mm256_blendv_epi8(left, of_eight!($tree, $rows, $outcomes, $slot + $width / 16, $width), $outcomes[3])
    }};
}

/// The thresholds of slots, all of which are among `first` and the next seven.
macro_rules! thresholds {
    ($tree:ident, $slots:ident, $first:expr) => {{
        let table = _mm256_broadcastsi128_si256(_mm_loadu_si128($tree.thresholds.as_ptr().add($first).cast()));
        _mm256_shuffle_epi8(table, _mm256_add_epi16($slots, _mm256_set1_epi16(0x0100)))
    }};
}

/// From slots to those of the next level; and which go right.
macro_rules! next_level {
    ($slots:ident, $goes_right:expr, $ranks:expr, $thresholds:expr) => {{
        let goes_right = _mm256_cmpgt_epi16($ranks, $thresholds);
        $slots = _mm256_add_epi16(_mm256_add_epi16($slots, $slots), _mm256_and_si256(goes_right, _mm256_set1_epi16(0x0202)));
        $goes_right = goes_right;
    }};
}

/// The exits that [`ROWS`] rows from `first_row` on take.
///
/// # Safety
/// The processor has AVX2. The tree's columns are columns of the block, and `first_row + ROWS` is at most `BLOCK_ROWS`.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn exits(tree: &RankedTree, block: &[BlockRanks], first_row: usize) -> [u16; ROWS] {
    let mut exits = [0; ROWS];
    let depth = tree.depth;
    // SAFETY: as for this function.
    unsafe {
        let rows = block.as_ptr().cast::<u16>().add(first_row);
        let mut slots = _mm256_set1_epi16(0x0202);
        let mut outcomes: [__m256i; 5] = [_mm256_setzero_si256(); 5];
        if depth > 0 {
            next_level!(slots, outcomes[0], ranks!(tree, rows, 1), thresholds!(tree, slots, 0));
        }
        if depth > 1 {
            next_level!(slots, outcomes[1], of_two!(tree, rows, outcomes, 2, 2), thresholds!(tree, slots, 0));
        }
        if depth > 2 {
            next_level!(slots, outcomes[2], of_four!(tree, rows, outcomes, 4, 4), thresholds!(tree, slots, 0));
        }
        if depth > 3 {
            next_level!(slots, outcomes[3], of_eight!(tree, rows, outcomes, 8, 8), thresholds!(tree, slots, 8));
        }
        if depth > 4 {
            let thresholds = _mm256_blendv_epi8(thresholds!(tree, slots, 16), thresholds!(tree, slots, 24), outcomes[0]);
            next_level!(slots, outcomes[4], of_sixteen!(tree, rows, outcomes, 16, 16), thresholds);
        }
        if depth > 5 {
            let left = _mm256_blendv_epi8(thresholds!(tree, slots, 32), thresholds!(tree, slots, 40), outcomes[1]);
            let right = _mm256_blendv_epi8(thresholds!(tree, slots, 48), thresholds!(tree, slots, 56), outcomes[1]);
            let thresholds = _mm256_blendv_epi8(left, right, outcomes[0]);
            let left = of_sixteen!(tree, rows, outcomes, 32, 32);
            let ranks = _mm256_blendv_epi8(left, of_sixteen!(tree, rows, outcomes, 33, 32), outcomes[4]);
            let mut _last;
            next_level!(slots, _last, ranks, thresholds);
        }
        let ends = _mm256_and_si256(_mm256_srli_epi16::<1>(slots), _mm256_set1_epi16((1 << depth) - 1));
        _mm256_storeu_si256(exits.as_mut_ptr().cast(), ends);
    }
    exits
}
