//! Probabilities of many classes out of those of all pairs: the second method of Wu, Lin and Weng, "Probability Estimates for Multi-class
//! Classification by Pairwise Coupling", Journal of Machine Learning Research 5 (2004), as libsvm runs it.

use crate::ops::ml::post_transform::logistic;

const MAX_ROUNDS: usize = 100;
/// Keeps every pair's probability away from 0 and 1.
const SMALLEST_PROBABILITY: f32 = 1e-7;

/// The probability of the first of two classes by Platt's sigmoid: `1 / (1 + exp(a * score + b))`.
pub(super) fn platt(score: f32, a: f32, b: f32) -> f32 {
    (1.0 - logistic(score * a + b)).clamp(SMALLEST_PROBABILITY, 1.0 - SMALLEST_PROBABILITY)
}

/// `pairwise[i * k + j]` is the probability of class `i` if it is `i` or `j`. Writes the probability of each of the `k` classes.
pub(super) fn couple(pairwise: &[f32], probabilities: &mut [f32]) {
    let k = probabilities.len();
    let mut q = vec![0.0_f32; k * k];
    for i in 0..k {
        for j in 0..k {
            if i != j {
                q[i * k + i] += pairwise[j * k + i] * pairwise[j * k + i];
                q[i * k + j] = -pairwise[j * k + i] * pairwise[i * k + j];
            }
        }
    }
    let tolerance = 0.005 / k as f32;
    let mut qp = vec![0.0_f32; k];
    probabilities.fill(1.0 / k as f32);
    for _ in 0..MAX_ROUNDS {
        let mut pqp = 0.0;
        for i in 0..k {
            qp[i] = (0..k).map(|j| q[i * k + j] * probabilities[j]).sum();
            pqp += probabilities[i] * qp[i];
        }
        let error = qp.iter().map(|qp| (qp - pqp).abs()).fold(0.0, f32::max);
        if error < tolerance {
            break;
        }
        for i in 0..k {
            let step = (pqp - qp[i]) / q[i * k + i];
            probabilities[i] += step;
            pqp = (pqp + step * (step * q[i * k + i] + 2.0 * qp[i])) / (1.0 + step) / (1.0 + step);
            for j in 0..k {
                qp[j] = (qp[j] + step * q[i * k + j]) / (1.0 + step);
                probabilities[j] /= 1.0 + step;
            }
        }
    }
}
