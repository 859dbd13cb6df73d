//! What classifiers and regressors do to their scores at the end: attribute `post_transform`.

use crate::graph::Attributes;
use crate::ops::OpError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PostTransform {
    None,
    Softmax,
    Logistic,
    /// Softmax over the scores that are not zero; zeros stay zero.
    SoftmaxZero,
    Probit,
}

impl PostTransform {
    pub fn from_attributes(attributes: &Attributes) -> Result<Self, OpError> {
        Ok(match attributes.text("post_transform")?.unwrap_or("NONE") {
            "NONE" => Self::None,
            "SOFTMAX" => Self::Softmax,
            "LOGISTIC" => Self::Logistic,
            "SOFTMAX_ZERO" => Self::SoftmaxZero,
            "PROBIT" => Self::Probit,
            other => {
                return Err(OpError::value(format!("post_transform is '{other}', not one of NONE, SOFTMAX, LOGISTIC, SOFTMAX_ZERO, PROBIT")));
            }
        })
    }

    /// Transforms the scores of rows of `width` each.
    pub fn apply_rows(self, scores: &mut [f32], width: usize) {
        if width == 1 {
            scores.iter_mut().for_each(|score| *score = self.apply_single(*score));
        } else if self != Self::None {
            scores.chunks_mut(width).for_each(|row| self.apply(row));
        }
    }

    /// Transforms the scores of one row, of which there are at least two.
    pub fn apply(self, scores: &mut [f32]) {
        match self {
            Self::None => {}
            Self::Softmax => softmax(scores),
            Self::Logistic => scores.iter_mut().for_each(|score| *score = logistic(*score)),
            Self::SoftmaxZero => softmax_zero(scores),
            Self::Probit => scores.iter_mut().for_each(|score| *score = probit(*score)),
        }
    }

    /// Transforms the only score of a row: alone it has no softmax, and ONNX Runtime leaves it out of the logistic function too.
    pub fn apply_single(self, score: f32) -> f32 {
        if self == Self::Probit { probit(score) } else { score }
    }
}

pub(super) fn logistic(score: f32) -> f32 {
    let value = 1.0 / (1.0 + (-score.abs()).exp());
    if score < 0.0 { 1.0 - value } else { value }
}

/// The quantile function of the normal distribution, by Winitzki's approximation of the inverse error function; NaN outside of 0 to 1.
fn probit(probability: f32) -> f32 {
    const A: f32 = 0.147;
    let x = 2.0 * probability - 1.0;
    let sign = if x < 0.0 { -1.0 } else { 1.0 };
    let log = ((1.0 - x) * (1.0 + x)).ln();
    let v = 2.0 / (std::f32::consts::PI * A) + 0.5 * log;
    let inverse_error_function = sign * (-v + (v * v - 1.0 / A * log).sqrt()).sqrt();
    std::f32::consts::SQRT_2 * inverse_error_function
}

/// The largest score, NaN aside.
fn largest(scores: &[f32]) -> f32 {
    scores.iter().copied().fold(f32::MIN, |largest, score| if score > largest { score } else { largest })
}

fn softmax(scores: &mut [f32]) {
    let largest = largest(scores);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - largest).exp();
        sum += *score;
    }
    scores.iter_mut().for_each(|score| *score /= sum);
}

fn softmax_zero(scores: &mut [f32]) {
    const NEARLY_ZERO: f32 = 1e-7;
    let largest = largest(scores);
    let weight_of_zero = (-largest).exp();
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        if *score > NEARLY_ZERO || *score < -NEARLY_ZERO {
            *score = (*score - largest).exp();
            sum += *score;
        } else {
            *score *= weight_of_zero;
        }
    }
    scores.iter_mut().for_each(|score| *score /= sum);
}
