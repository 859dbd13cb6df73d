//! Whether the machine is as fast as it was: a small fixed piece of work that is timed again and again beside a measurement. A model's times can
//! agree with each other while the whole machine is slower than a minute ago: its clock went down, or a neighbour came. Only something that
//! never changes tells.

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use rayon::prelude::*;

use super::Machine;
use super::kept::Kept;
use crate::kernels::product::{Epilogue, PackedMatrix, Rows, multiply};

/// Rows, columns and inner dimension of the product: below the size from which products are shared among threads.
const SIDE: usize = 64;
/// Products of one piece of work.
const PRODUCTS: usize = 12;
/// Words that one piece of work reads. All pieces together read as much as a model of such runs might: of long ones, more than caches hold.
const WORDS: usize = 64 << 10;
/// What one piece of work takes, very roughly.
const PIECE_SECONDS: f64 = 50e-6;
/// Pieces that are timed together, so that a time is disturbed about as often as a run of the model.
const PIECES: [usize; 4] = [1, 4, 16, 64];
/// Runs shorter than this keep to one thread.
const SHARED_SECONDS: f64 = 500e-6;
/// Measurements whose shortest times are remembered. A machine that has been slower for so many of them is slower for good.
const REMEMBERED: usize = 20;

/// The work, for as many threads as a run keeps busy.
#[derive(Debug)]
pub struct Probe {
    right: PackedMatrix,
    words: Vec<u32>,
    lanes: Vec<Lane>,
    pieces: usize,
}

/// What one thread works on.
#[derive(Debug)]
struct Lane {
    left: Vec<f32>,
    result: Vec<f32>,
    /// The piece that it begins with, so that no two threads read the same words at once.
    first_piece: usize,
}

impl Probe {
    /// To stand beside runs of this length in the current pool of threads.
    pub fn beside(run_seconds: f64) -> Self {
        let n_lanes = if run_seconds < SHARED_SECONDS { 1 } else { rayon::current_num_threads() };
        let pieces = PIECES.into_iter().rev().find(|pieces| *pieces as f64 * PIECE_SECONDS <= run_seconds).unwrap_or(PIECES[0]);
        let lane = |index| Lane { left: vec![1.0; SIDE * SIDE], result: Vec::with_capacity(SIDE * SIDE), first_piece: index * pieces / n_lanes };
        let right = PackedMatrix::new(SIDE, SIDE, None, |row, column| (row + column) as f32 * 1e-4);
        Self { right, words: (0..(WORDS * pieces) as u32).collect(), lanes: (0..n_lanes).map(lane).collect(), pieces }
    }

    /// Seconds that a piece of work takes now.
    pub fn seconds(&mut self) -> f64 {
        let (right, words) = (&self.right, self.words.as_slice());
        let started = Instant::now();
        match self.lanes.as_mut_slice() {
            [lane] => lane.work(right, words),
            lanes => lanes.par_iter_mut().for_each(|lane| lane.work(right, words)),
        }
        started.elapsed().as_secs_f64() / self.pieces as f64
    }

    /// Only times of the same work compare.
    fn key(&self) -> String {
        format!("{} × {}", self.lanes.len(), self.pieces)
    }

    /// What it took in recent measurements on this machine, oldest first.
    pub fn remembered(&self, machine: &Machine, home: Option<&Path>) -> Vec<f64> {
        let mut kept = Kept::load(home);
        let known = kept.machines.remove(&machine.hash).and_then(|mut known| known.probe_seconds.remove(&self.key()));
        known.unwrap_or_default()
    }

    /// Remembers what the work took during a measurement.
    pub fn remember(&self, machine: &Machine, home: Option<&Path>, seconds: f64) {
        let mut kept = Kept::load(home);
        let recent = kept.machines.entry(machine.hash.clone()).or_default().probe_seconds.entry(self.key()).or_default();
        if recent.len() >= REMEMBERED {
            recent.remove(0);
        }
        recent.push(seconds);
        kept.store(home);
    }
}

impl Lane {
    /// Arithmetic and memory, as models do.
    fn work(&mut self, right: &PackedMatrix, words: &[u32]) {
        let (before, after) = words.split_at(self.first_piece * WORDS);
        for piece in after.chunks(WORDS).chain(before.chunks(WORDS)) {
            for _ in 0..PRODUCTS {
                let rows = Rows::matrix(&self.left, SIDE, SIDE);
                multiply(&rows, right, Epilogue::default(), &mut self.result.spare_capacity_mut()[..SIDE * SIDE], SIDE, 0);
            }
            black_box(piece.iter().fold(0_u32, |sum, word| sum.wrapping_add(*word)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recent_measurements_of_the_same_work_are_remembered() {
        let (home, machine, probe) = (tempfile::tempdir().unwrap(), Machine::here(), Probe::beside(1e-3));
        let remembered = |probe: &Probe| probe.remembered(&machine, Some(home.path()));
        assert_eq!(remembered(&probe), [0.0; 0]);
        probe.remember(&machine, Some(home.path()), 1.0);
        probe.remember(&machine, Some(home.path()), 2.0);
        assert_eq!(remembered(&probe), [1.0, 2.0]);
        for _ in 0..REMEMBERED {
            probe.remember(&machine, Some(home.path()), 2.0);
        }
        assert_eq!(remembered(&probe), [2.0; REMEMBERED]);
        assert_eq!(probe.remembered(&machine, None), [0.0; 0]);
        assert_eq!(remembered(&Probe::beside(1e-6)), [0.0; 0]);
    }

    #[test]
    fn the_work_takes_time_and_fits_the_run() {
        for (run_seconds, pieces) in [(0.0, 1), (300e-6, 4), (1.0, 64)] {
            let mut probe = Probe::beside(run_seconds);
            assert_eq!(probe.pieces, pieces);
            assert!(probe.seconds() > 0.0);
        }
    }
}
