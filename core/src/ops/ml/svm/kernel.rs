//! The kernel functions of support vector machines, between rows and support vectors.

use rayon::prelude::*;

use crate::graph::Attributes;
use crate::ops::OpError;

/// Multiply-accumulates from which it pays to share the rows among threads.
const MIN_MACS_IN_PARALLEL: usize = 1 << 20;
/// Rows that a thread takes at a time.
const CHUNK_ROWS: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kernel {
    Linear,
    /// `(gamma * x·y + coef0)^degree`
    Poly {
        gamma: f32,
        coef0: f32,
        degree: f32,
    },
    /// `exp(-gamma * |x - y|²)`
    Rbf {
        gamma: f32,
    },
    /// `tanh(gamma * x·y + coef0)`
    Sigmoid {
        gamma: f32,
        coef0: f32,
    },
}

impl Kernel {
    /// From attributes `kernel_type` and `kernel_params`: gamma, coef0 and degree, all zero where they are absent.
    pub fn from_attributes(attributes: &Attributes) -> Result<Self, OpError> {
        let [gamma, coef0, degree] = match attributes.floats("kernel_params")?.unwrap_or_default() {
            [] => [0.0; 3],
            [gamma, coef0, degree, ..] => [*gamma, *coef0, *degree],
            given => return Err(OpError::value(format!("kernel_params has {} values, not the three gamma, coef0 and degree", given.len()))),
        };
        match attributes.text("kernel_type")?.unwrap_or("LINEAR") {
            "LINEAR" => Ok(Self::Linear),
            "POLY" => Ok(Self::Poly { gamma, coef0, degree }),
            "RBF" => Ok(Self::Rbf { gamma }),
            "SIGMOID" => Ok(Self::Sigmoid { gamma, coef0 }),
            other => Err(OpError::value(format!("kernel_type is '{other}', not one of LINEAR, POLY, RBF, SIGMOID"))),
        }
    }

    fn between(self, x: &[f32], y: &[f32]) -> f32 {
        match self {
            Self::Linear => sum_of_terms(x, y, |x, y| x * y),
            Self::Poly { gamma, coef0, degree } => {
                let value = gamma * sum_of_terms(x, y, |x, y| x * y) + coef0;
                // The usual degrees are whole numbers, for which `powi` is exact where it can be.
                if degree.fract() == 0.0 && degree.abs() < 1024.0 { value.powi(degree as i32) } else { value.powf(degree) }
            }
            Self::Rbf { gamma } => (-gamma * sum_of_terms(x, y, |x, y| (x - y) * (x - y))).exp(),
            Self::Sigmoid { gamma, coef0 } => (gamma * sum_of_terms(x, y, |x, y| x * y) + coef0).tanh(),
        }
    }
}

/// Sixteen sums side by side, which compilers keep in vector registers.
fn sum_of_terms(x: &[f32], y: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    const LANES: usize = 16;
    let mut sums = [0.0_f32; LANES];
    let (x_groups, x_rest) = x.as_chunks::<LANES>();
    let (y_groups, y_rest) = y.as_chunks::<LANES>();
    for (x, y) in x_groups.iter().zip(y_groups) {
        for lane in 0..LANES {
            sums[lane] += term(x[lane], y[lane]);
        }
    }
    let rest: f32 = x_rest.iter().zip(y_rest).map(|(&x, &y)| term(x, y)).sum();
    sums.iter().sum::<f32>() + rest
}

/// Vectors of equal length, and the kernel between them and rows.
#[derive(Debug)]
pub(super) struct Vectors {
    kernel: Kernel,
    /// One vector after the other.
    values: Vec<f32>,
    n_vectors: usize,
    n_features: usize,
}

impl Vectors {
    pub fn new(kernel: Kernel, name: &str, values: Vec<f32>, n_vectors: usize) -> Result<Self, OpError> {
        if n_vectors == 0 || !values.len().is_multiple_of(n_vectors) {
            return Err(OpError::value(format!("{name} has {} values, which do not make {n_vectors} vectors of equal length", values.len())));
        }
        let n_features = values.len() / n_vectors;
        Ok(Self { kernel, values, n_vectors, n_features })
    }

    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// Calls `finish` for each row with the kernels between the row and all vectors, and with the row's `width` outputs.
    pub fn for_each_row<L: Default + Copy + Send>(
        &self,
        rows: &[f32],
        n_rows: usize,
        width: usize,
        finish: impl Fn(&[f32], &mut [f32]) -> L + Sync,
    ) -> (Vec<f32>, Vec<L>) {
        let mut outputs = vec![0.0; n_rows * width];
        let mut labels = vec![L::default(); n_rows];
        let run_chunk = |first_row: usize, outputs: &mut [f32], labels: &mut [L]| {
            let mut kernels = vec![0.0; self.n_vectors];
            for (row, (outputs, label)) in outputs.chunks_mut(width.max(1)).zip(labels).enumerate() {
                let row = first_row + row;
                self.between(&rows[row * self.n_features..(row + 1) * self.n_features], &mut kernels);
                *label = finish(&kernels, outputs);
            }
        };
        if n_rows > CHUNK_ROWS && n_rows.saturating_mul(self.values.len()) >= MIN_MACS_IN_PARALLEL {
            outputs
                .par_chunks_mut(CHUNK_ROWS * width.max(1))
                .zip(labels.par_chunks_mut(CHUNK_ROWS))
                .enumerate()
                .for_each(|(chunk, (outputs, labels))| run_chunk(chunk * CHUNK_ROWS, outputs, labels));
        } else {
            run_chunk(0, &mut outputs, &mut labels);
        }
        (outputs, labels)
    }

    fn between(&self, row: &[f32], kernels: &mut [f32]) {
        if self.n_features == 0 {
            kernels.fill(self.kernel.between(&[], &[]));
            return;
        }
        for (vector, kernel) in self.values.chunks(self.n_features).zip(kernels) {
            *kernel = self.kernel.between(row, vector);
        }
    }
}
