//! What this machine can do at most: floating-point operations a second in a matrix product, bytes a second from main memory. Measured once
//! with the code that models run on, for each number of threads, and kept in the data home.

use std::path::Path;
use std::time::{Duration, Instant};

use rayon::prelude::*;

use super::Machine;
use super::kept::Kept;
use crate::kernels::product::{Epilogue, PackedMatrix, Rows, multiply};
use crate::task::{Cancelled, TaskCtx};

/// The two roofs of a number of threads.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Roof {
    pub threads: usize,
    /// Float32 operations, a multiply-accumulate counting as two.
    pub gflops: f64,
    /// Main memory read and written, in units of 10⁹ bytes.
    pub gigabytes_per_second: f64,
}

impl Roof {
    /// Operations per byte above which computing, not memory, is the limit.
    pub fn ridge(&self) -> f64 {
        self.gflops / self.gigabytes_per_second
    }

    /// The most that can be had at an intensity of so many operations per byte.
    pub fn at(&self, intensity: f64) -> f64 {
        self.gflops.min(self.gigabytes_per_second * intensity)
    }
}

const TIME_FOR_EACH: Duration = Duration::from_millis(250);
/// Rows, columns and inner dimension of the product: large enough to be limited by arithmetic alone.
const SIDE: usize = 768;
/// Floats of each of the arrays that are copied: together far beyond any cache.
const FLOATS: usize = 16 << 20;

/// The roof for the current pool of threads: from `home`, or measured now and written there.
pub fn roof(ctx: &TaskCtx, machine: &Machine, home: Option<&Path>) -> Result<Roof, Cancelled> {
    let threads = rayon::current_num_threads();
    let known = |kept: &Kept| kept.machines.get(&machine.hash)?.roofs.iter().find(|roof| roof.threads == threads).copied();
    if let Some(known) = known(&Kept::load(home)) {
        return Ok(known);
    }
    let roof = measure(ctx, threads)?;
    let mut kept = Kept::load(home);
    kept.machines.entry(machine.hash.clone()).or_default().roofs.push(roof);
    kept.store(home);
    Ok(roof)
}

fn measure(ctx: &TaskCtx, threads: usize) -> Result<Roof, Cancelled> {
    let left = vec![1.0_f32; SIDE * SIDE];
    let right = PackedMatrix::new(SIDE, SIDE, None, |row, column| (row + column) as f32 * 1e-4);
    let mut result: Vec<f32> = Vec::with_capacity(SIDE * SIDE);
    let product = fastest(ctx, || {
        let rows = Rows::matrix(&left, SIDE, SIDE);
        multiply(&rows, &right, Epilogue::default(), &mut result.spare_capacity_mut()[..SIDE * SIDE], SIDE, 0);
    })?;
    let from = vec![1.0_f32; FLOATS];
    let mut to = vec![0.0_f32; FLOATS];
    let part = FLOATS.div_ceil(4 * threads);
    let copy = fastest(ctx, || to.par_chunks_mut(part).zip(from.par_chunks(part)).for_each(|(to, from)| to.copy_from_slice(from)))?;
    let operations = 2.0 * (SIDE * SIDE * SIDE) as f64;
    let bytes = 2.0 * (FLOATS * size_of::<f32>()) as f64;
    Ok(Roof { threads, gflops: operations / product * 1e-9, gigabytes_per_second: bytes / copy * 1e-9 })
}

/// Seconds of the fastest of as many runs as there is time for.
fn fastest(ctx: &TaskCtx, mut work: impl FnMut()) -> Result<f64, Cancelled> {
    let begun = Instant::now();
    let mut fastest = f64::INFINITY;
    loop {
        ctx.checkpoint()?;
        let started = Instant::now();
        work();
        fastest = fastest.min(started.elapsed().as_secs_f64());
        if begun.elapsed() >= TIME_FOR_EACH {
            return Ok(fastest.max(1e-9));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lower_roof_counts() {
        let roof = Roof { threads: 1, gflops: 100.0, gigabytes_per_second: 10.0 };
        assert_eq!((roof.ridge(), roof.at(1.0), roof.at(10.0), roof.at(1000.0)), (10.0, 10.0, 100.0, 100.0));
    }

    #[test]
    fn what_was_measured_once_is_kept() {
        let home = tempfile::tempdir().unwrap();
        let machine = Machine::here();
        let known = Roof { threads: rayon::current_num_threads(), gflops: 123.0, gigabytes_per_second: 4.5 };
        let mut kept = Kept::default();
        kept.machines.entry(machine.hash.clone()).or_default().roofs.push(known);
        kept.store(Some(home.path()));
        assert_eq!(roof(&TaskCtx::unattended(), &machine, Some(home.path())), Ok(known));
    }
}
