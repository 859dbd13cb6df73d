//! LinearClassifier and LinearRegressor: one weighted sum of the features per class or target.

use smallvec::smallvec;

use super::labels::Labels;
use super::post_transform::{PostTransform, logistic};
use super::{matrix_shape, numbers, one_per_row, rows_by};
use crate::graph::infer::InferInputs;
use crate::graph::{Attributes, ValueType};
use crate::host::ElementType;
use crate::ops::operator::{Outputs, single};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::{Tensor, Value};

/// `x · coefficientsᵀ + intercepts`.
#[derive(Debug)]
struct LinearModel {
    /// Of all features for the first output, then for the second, …
    coefficients: Vec<f32>,
    /// One per output.
    intercepts: Vec<f32>,
}

impl LinearModel {
    fn new(attributes: &Attributes, intercepts: Vec<f32>) -> Result<Self, OpError> {
        let coefficients = attributes.require_floats("coefficients")?.to_vec();
        if intercepts.is_empty() || coefficients.len() % intercepts.len() != 0 {
            return Err(OpError::value(format!("{} coefficients are given for {} classes or targets", coefficients.len(), intercepts.len())));
        }
        Ok(Self { coefficients, intercepts })
    }

    fn n_outputs(&self) -> usize {
        self.intercepts.len()
    }

    /// Number of rows, and their scores in row-major order. Sums are formed in float64.
    fn score(&self, x: &Tensor, context: &RunContext<'_>) -> Result<(usize, Vec<f32>), OpError> {
        let (n_rows, n_features) = matrix_shape(0, "X", x)?;
        let expected = self.coefficients.len() / self.n_outputs();
        if n_features != expected {
            return Err(OpError::shape(format!("X has {n_features} features, but the coefficients are for {expected}")));
        }
        let n_scores = context.check_result_size(ElementType::F32, &[n_rows, self.n_outputs()])?;
        if n_features == 0 {
            return Ok((n_rows, self.intercepts.repeat(n_rows)));
        }
        let values = numbers(0, "X", x)?;
        let mut scores = Vec::with_capacity(n_scores);
        for row in values.chunks(n_features) {
            for (coefficients, &intercept) in self.coefficients.chunks(n_features).zip(&self.intercepts) {
                scores.push((dot(row, coefficients) + f64::from(intercept)) as f32);
            }
        }
        Ok((n_rows, scores))
    }
}

/// Four sums side by side, so that the additions of one do not wait for those of another.
fn dot(a: &[f32], b: &[f32]) -> f64 {
    let mut sums = [0.0_f64; 4];
    let (a_groups, a_rest) = a.as_chunks::<4>();
    let (b_groups, b_rest) = b.as_chunks::<4>();
    for (a, b) in a_groups.iter().zip(b_groups) {
        for lane in 0..4 {
            sums[lane] += f64::from(a[lane]) * f64::from(b[lane]);
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

/// The class with the largest score. <https://onnx.ai/onnx/operators/onnx_aionnxml_LinearClassifier.html>, since version 1.
/// Attribute `multi_class` has no effect, as in ONNX Runtime.
#[derive(Debug)]
struct LinearClassifier {
    model: LinearModel,
    /// With a single score: the negative and the positive label.
    labels: Labels,
    /// There is one score per row but two scores are put out: for and against.
    adds_second_score: bool,
    post_transform: PostTransform,
}

pub(super) fn build_classifier(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let model = LinearModel::new(node.attributes, node.attributes.require_floats("intercepts")?.to_vec())?;
    let post_transform = PostTransform::from_attributes(node.attributes)?;
    let labels = Labels::from_attributes(node.attributes, "classlabels_ints")?;
    let adds_second_score = model.n_outputs() == 1 && labels.len() == 2;
    if adds_second_score && post_transform == PostTransform::Probit {
        return Err(OpError::unsupported("post_transform PROBIT for two classes with one score"));
    }
    let labels = match labels {
        labels if model.n_outputs() > 1 || adds_second_score => labels,
        Labels::Ints(_) => Labels::Ints(vec![0, 1]),
        Labels::Strings(_) => Labels::Strings(vec!["0".into(), "1".into()]),
    };
    if labels.len() < model.n_outputs() {
        return Err(OpError::value(format!("{} class labels are given for {} classes", labels.len(), model.n_outputs())));
    }
    Ok(Box::new(LinearClassifier { model, labels, adds_second_score, post_transform }))
}

impl LinearClassifier {
    fn n_scores(&self) -> usize {
        if self.adds_second_score { 2 } else { self.model.n_outputs() }
    }

    /// The place of the winning label.
    fn winner(scores: &[f32]) -> u32 {
        if let [score] = scores {
            return u32::from(*score > 0.0);
        }
        let mut winner = 0;
        let mut largest = scores.first().copied().unwrap_or(0.0);
        for (class, &score) in (0_u32..).zip(scores).skip(1) {
            if score > largest {
                (winner, largest) = (class, score);
            }
        }
        winner
    }

    fn finish_scores(&self, mut scores: Vec<f32>) -> Vec<f32> {
        if self.adds_second_score {
            let is_logistic = self.post_transform == PostTransform::Logistic;
            return scores
                .into_iter()
                .flat_map(|score| {
                    let score = if is_logistic { logistic(score) } else { score };
                    [1.0 - score, score]
                })
                .collect();
        }
        self.post_transform.apply_rows(&mut scores, self.model.n_outputs());
        scores
    }
}

impl Operator for LinearClassifier {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![Some(one_per_row(inputs, self.labels.element_type())), Some(rows_by(inputs, ElementType::F32, self.n_scores()))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "X")?;
        let (n_rows, scores) = self.model.score(&x, context)?;
        let winners: Vec<u32> = scores.chunks(self.model.n_outputs()).map(Self::winner).collect();
        let labels = self.labels.gather(&winners)?;
        let scores = Tensor::from_vec(&[n_rows, self.n_scores()], self.finish_scores(scores))?;
        Ok(smallvec![Value::Tensor(labels), Value::Tensor(scores)])
    }
}

/// <https://onnx.ai/onnx/operators/onnx_aionnxml_LinearRegressor.html>, since version 1.
#[derive(Debug)]
struct LinearRegressor {
    model: LinearModel,
    post_transform: PostTransform,
}

pub(super) fn build_regressor(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let targets = node.attributes.int("targets")?.unwrap_or(1);
    let n_coefficients = node.attributes.require_floats("coefficients")?.len();
    // Every target has a coefficient, which bounds what is allocated for the intercepts.
    let n_targets = usize::try_from(targets).ok().filter(|&targets| targets > 0 && targets <= n_coefficients);
    let n_targets = n_targets.ok_or_else(|| OpError::value(format!("targets is {targets}, with {n_coefficients} coefficients")))?;
    let intercepts = match node.attributes.floats("intercepts")?.unwrap_or_default() {
        [] => vec![0.0; n_targets],
        intercepts if intercepts.len() == n_targets => intercepts.to_vec(),
        intercepts => return Err(OpError::value(format!("{} intercepts are given for {n_targets} targets", intercepts.len()))),
    };
    let model = LinearModel::new(node.attributes, intercepts)?;
    Ok(Box::new(LinearRegressor { model, post_transform: PostTransform::from_attributes(node.attributes)? }))
}

impl Operator for LinearRegressor {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![Some(rows_by(inputs, ElementType::F32, self.model.n_outputs()))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "X")?;
        let (n_rows, mut scores) = self.model.score(&x, context)?;
        self.post_transform.apply_rows(&mut scores, self.model.n_outputs());
        Ok(single(Tensor::from_vec(&[n_rows, self.model.n_outputs()], scores)?))
    }
}
