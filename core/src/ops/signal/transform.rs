//! Fourier transforms of many lanes side by side.

use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use crate::kernels::fourier::{Complex, Real, Transform};
use crate::ops::types::Number;

/// A number type that transforms run in.
pub trait Sample: Number + Real {
    fn last(transforms: &Transforms) -> &Last<Self>;
}

impl Sample for f32 {
    fn last(transforms: &Transforms) -> &Last<Self> {
        &transforms.of_f32
    }
}

impl Sample for f64 {
    fn last(transforms: &Transforms) -> &Last<Self> {
        &transforms.of_f64
    }
}

type Last<T> = Mutex<Option<Arc<Transform<T>>>>;

/// The last prepared transform, kept by the operator that uses it: a model asks for the same length again and again.
#[derive(Debug, Default)]
pub struct Transforms {
    of_f32: Last<f32>,
    of_f64: Last<f64>,
}

/// Lanes to transform, in blocks that run side by side.
#[derive(Debug, Clone, Copy)]
pub struct Lanes {
    /// Samples of a lane.
    pub length: usize,
    pub is_inverse: bool,
    pub per_block: usize,
    /// Elements of a block's results.
    pub block_length: usize,
}

impl Transforms {
    fn of_length<T: Sample>(&self, length: usize) -> Arc<Transform<T>> {
        // Whoever panicked here left either the old transform or the new one.
        let mut last = T::last(self).lock().unwrap_or_else(PoisonError::into_inner);
        match last.as_ref().filter(|transform| transform.length() == length) {
            Some(transform) => transform.clone(),
            None => last.insert(Arc::new(Transform::new(length))).clone(),
        }
    }

    /// Transforms all lanes; the inverse is not divided by the length. `read` fills a lane of a block, which holds zeros; `write` puts a transformed
    /// lane into its block's part of `results`.
    pub fn run<T: Sample>(
        &self,
        lanes: Lanes,
        results: &mut [T],
        read: impl Fn(usize, usize, &mut [Complex<T>]) + Sync,
        write: impl Fn(usize, &[Complex<T>], &mut [T]) + Sync,
    ) {
        let Lanes { length, is_inverse, per_block, block_length } = lanes;
        if results.is_empty() {
            return;
        }
        let transform = self.of_length::<T>(length);
        // The inverse transform is the conjugate of the transform of the conjugate.
        let turn = |lane: &mut [Complex<T>]| {
            if is_inverse {
                lane.iter_mut().for_each(|value| *value = value.conjugate());
            }
        };
        let buffers = || (vec![Complex::ZERO; length], Vec::new());
        results.par_chunks_mut(block_length).enumerate().for_each_init(buffers, |(lane, scratch), (block, results)| {
            for index in 0..per_block {
                lane.fill(Complex::ZERO);
                read(block, index, lane);
                turn(lane);
                transform.run(lane, scratch);
                turn(lane);
                write(index, lane, results);
            }
        });
    }
}
