//! Joining buffers run by run: the first run of each, then the second of each, and so on.

use rayon::prelude::*;

/// Elements from which on work is shared.
const PARALLEL_ELEMENTS: usize = 1 << 16;

/// Joins parts, each with the length of its runs. All have the same number of runs, and `length` elements together.
///
/// # Panics
/// If the parts have not as many runs as each other.
pub fn join_runs(parts: &[(&[f32], usize)], length: usize) -> Vec<f32> {
    let row: usize = parts.iter().map(|(_, run)| run).sum();
    let n_rows = length.checked_div(row).unwrap_or(0);
    assert!(parts.iter().all(|(elements, run)| elements.len() == n_rows * run) && n_rows * row == length, "runs of the parts");
    let mut joined = Vec::with_capacity(length);
    let room = &mut joined.spare_capacity_mut()[..length];
    let rows_at_a_time = (PARALLEL_ELEMENTS / row.max(1)).max(1);
    room.par_chunks_mut((rows_at_a_time * row).max(1)).enumerate().for_each(|(chunk, rows)| {
        let n_rows = rows.len() / row;
        let mut start = 0;
        for (elements, run) in parts {
            let runs = elements[chunk * rows_at_a_time * run..][..n_rows * run].chunks_exact((*run).max(1));
            for (to, from) in rows.chunks_exact_mut(row).zip(runs) {
                to[start..start + run].write_copy_of_slice(from);
            }
            start += run;
        }
    });
    // SAFETY: every row has been written, all of its runs.
    unsafe { joined.set_len(length) };
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_take_turns() {
        let (long, short): (Vec<f32>, Vec<f32>) = ((0..300_000).map(|at| at as f32).collect(), (0..100_000).map(|at| -(at as f32)).collect());
        let joined = join_runs(&[(&long, 3), (&short, 1), (&[], 0)], 400_000);
        for (row, found) in joined.chunks(4).enumerate() {
            assert_eq!(found, [long[3 * row], long[3 * row + 1], long[3 * row + 2], short[row]]);
        }
        assert!(join_runs(&[(&[], 2)], 0).is_empty());
    }
}
