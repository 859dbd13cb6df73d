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

/// Rows, columns and inner dimension of the product.
const SIDE: usize = 64;
/// Floats of a buffer that leaves the second level of caches but not the last one.
const FLOATS: usize = 512 << 10;
/// Times that the work is done; their median counts.
const RUNS: usize = 11;

/// Measurements whose shortest times are remembered. A machine that has been slower for so many of them is slower for good.
const REMEMBERED: usize = 20;

/// The shortest time that the work took in recent measurements on this machine, with as many threads as the current pool has.
pub fn best_seconds(machine: &Machine, home: Option<&Path>) -> Option<f64> {
    let kept = Kept::load(home);
    let recent = kept.machines.get(&machine.hash)?.probe_seconds.get(&rayon::current_num_threads())?;
    recent.iter().copied().min_by(f64::total_cmp)
}

/// Remembers the shortest time of a measurement.
pub fn remember(machine: &Machine, home: Option<&Path>, probe_seconds: &[f64]) {
    let Some(shortest) = probe_seconds.iter().copied().min_by(f64::total_cmp) else { return };
    let mut kept = Kept::load(home);
    let recent = kept.machines.entry(machine.hash.clone()).or_default().probe_seconds.entry(rayon::current_num_threads()).or_default();
    if recent.len() >= REMEMBERED {
        recent.remove(0);
    }
    recent.push(shortest);
    kept.store(home);
}

/// The work, for as many threads as the current pool has.
#[derive(Debug)]
pub struct Probe {
    right: PackedMatrix,
    lanes: Vec<Lane>,
}

/// What one thread works on.
#[derive(Debug)]
struct Lane {
    left: Vec<f32>,
    result: Vec<f32>,
    from: Vec<f32>,
    to: Vec<f32>,
}

impl Probe {
    /// For the current pool of threads.
    pub fn new() -> Self {
        let lane = |_| Lane { left: vec![1.0; SIDE * SIDE], result: Vec::with_capacity(SIDE * SIDE), from: vec![1.0; FLOATS], to: vec![0.0; FLOATS] };
        let right = PackedMatrix::new(SIDE, SIDE, None, |row, column| (row + column) as f32 * 1e-4);
        Self { right, lanes: (0..rayon::current_num_threads()).map(lane).collect() }
    }

    /// Seconds that the work takes now: the median of a few times.
    pub fn seconds(&mut self) -> f64 {
        let mut times = [0.0; RUNS];
        for time in &mut times {
            let started = Instant::now();
            let right = &self.right;
            self.lanes.par_iter_mut().for_each(|lane| lane.work(right));
            *time = started.elapsed().as_secs_f64();
        }
        times.sort_by(f64::total_cmp);
        times[RUNS / 2]
    }
}

impl Default for Probe {
    fn default() -> Self {
        Self::new()
    }
}

impl Lane {
    /// Half of the time arithmetic, half of it memory, as models do.
    fn work(&mut self, right: &PackedMatrix) {
        for _ in 0..24 {
            let rows = Rows::matrix(&self.left, SIDE, SIDE);
            multiply(&rows, right, Epilogue::default(), &mut self.result.spare_capacity_mut()[..SIDE * SIDE], SIDE, 0);
        }
        self.to.copy_from_slice(&self.from);
        black_box(&mut self.to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_of_recent_measurements_is_remembered() {
        let (home, machine) = (tempfile::tempdir().unwrap(), Machine::here());
        assert_eq!(best_seconds(&machine, Some(home.path())), None);
        remember(&machine, Some(home.path()), &[3.0, 1.0, 2.0]);
        remember(&machine, Some(home.path()), &[2.0]);
        assert_eq!(best_seconds(&machine, Some(home.path())), Some(1.0));
        for _ in 0..REMEMBERED {
            remember(&machine, Some(home.path()), &[2.0]);
        }
        assert_eq!(best_seconds(&machine, Some(home.path())), Some(2.0));
        assert_eq!(best_seconds(&machine, None), None);
    }

    #[test]
    fn the_work_takes_time() {
        assert!(Probe::new().seconds() > 0.0);
    }
}
