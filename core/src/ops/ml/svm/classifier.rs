//! SVMClassifier: a classifier for each pair of classes, and a vote among them; or, without support vectors, a linear score for each class.

use smallvec::smallvec;

use super::coupling::{couple, platt};
use super::kernel::{Kernel, Vectors};
use super::regressor::check_features;
use crate::graph::infer::InferInputs;
use crate::graph::{Attributes, ValueType};
use crate::host::ElementType;
use crate::ops::ml::labels::Labels;
use crate::ops::ml::post_transform::{PostTransform, logistic};
use crate::ops::ml::{matrix_shape, numbers, one_per_row, rows_by};
use crate::ops::operator::Outputs;
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::{Tensor, Value};

/// ONNX Runtime's limit.
const MAX_CLASSES: usize = 65_535;

#[derive(Debug)]
struct SvmClassifier {
    vectors: Vectors,
    scores: Scores,
    /// One label for each class.
    labels: Labels,
    post_transform: PostTransform,
    /// Scores that are put out for each row.
    width: usize,
}

#[derive(Debug)]
enum Scores {
    /// One linear score for each class, to which `rho` is added. With two classes, `prefers_second` says above which largest score the
    /// second one is taken, whatever its own score.
    Linear { rho: f32, prefers_second: Option<Threshold> },
    /// Votes of the classifiers of all pairs; with `probabilities`, Platt's `a` and `b` for each pair.
    Pairs { pairs: Vec<Pair>, probabilities: Option<Vec<(f32, f32)>> },
}

#[derive(Debug, Clone, Copy)]
enum Threshold {
    /// All coefficients are positive: scores are taken as probabilities.
    AtLeastHalf,
    AboveZero,
}

/// The classifier between classes `first` and `second`: all coefficients of the support vectors of both, by the number of the vector.
#[derive(Debug)]
struct Pair {
    first: usize,
    second: usize,
    terms: [Terms; 2],
    rho: f32,
}

/// Coefficients of consecutive vectors.
#[derive(Debug)]
struct Terms {
    first_vector: usize,
    coefficients: Vec<f32>,
}

pub(in crate::ops::ml) fn build(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let attributes = node.attributes;
    let kernel = Kernel::from_attributes(attributes)?;
    let post_transform = PostTransform::from_attributes(attributes)?;
    let labels = Labels::from_attributes(attributes, "classlabels_ints")?;
    let n_classes = labels.len();
    if n_classes == 0 || n_classes > MAX_CLASSES {
        return Err(OpError::value(format!("classlabels_strings or classlabels_ints must name 1 to {MAX_CLASSES} classes, but name {n_classes}")));
    }
    let coefficients = attributes.require_floats("coefficients")?;
    let vectors_per_class = attributes.ints("vectors_per_class")?.unwrap_or_default();
    if vectors_per_class.iter().all(|&count| count == 0) {
        return build_linear(attributes, coefficients, labels, post_transform);
    }
    if n_classes < 2 || vectors_per_class.len() != n_classes {
        let found = vectors_per_class.len();
        return Err(OpError::value(format!(
            "vectors_per_class has {found} values for {n_classes} classes; support vectors need at least two classes"
        )));
    }
    let counts = vectors_per_class
        .iter()
        .map(|&count| usize::try_from(count).map_err(|_| OpError::value(format!("vectors_per_class has {count}, which is no number of vectors"))))
        .collect::<Result<Vec<_>, _>>()?;
    let support_vectors = attributes.require_floats("support_vectors")?.to_vec();
    let n_vectors = counts.iter().try_fold(0_usize, |sum, &count| sum.checked_add(count)).filter(|&sum| sum <= support_vectors.len().max(1));
    let n_vectors = n_vectors.ok_or_else(|| OpError::value("vectors_per_class counts more vectors than support_vectors has values"))?;
    let vectors = Vectors::new(kernel, "support_vectors", support_vectors, n_vectors)?;
    let pairs = pairs(attributes, coefficients, &counts, n_vectors)?;
    let probabilities = platt_parameters(attributes, pairs.len())?;
    let width = match (&probabilities, n_classes) {
        (None, 2) if post_transform == PostTransform::Probit => {
            return Err(OpError::unsupported("post_transform PROBIT for two classes without probabilities"));
        }
        (None, 2) => 2,
        (None, _) => pairs.len(),
        (Some(_), _) => n_classes,
    };
    Ok(Box::new(SvmClassifier { vectors, scores: Scores::Pairs { pairs, probabilities }, labels, post_transform, width }))
}

fn build_linear(attributes: &Attributes, coefficients: &[f32], labels: Labels, post_transform: PostTransform) -> Result<Box<dyn Operator>, OpError> {
    let width = labels.len();
    let rho = *attributes.require_floats("rho")?.first().ok_or_else(|| OpError::value("rho is empty; the operator needs one value"))?;
    let vectors = Vectors::new(Kernel::Linear, "coefficients", coefficients.to_vec(), width)?;
    let has_probabilities = attributes.floats("prob_a")?.is_some_and(|values| !values.is_empty());
    let are_positive = coefficients.iter().all(|&coefficient| coefficient >= 0.0);
    let threshold = if are_positive { Threshold::AtLeastHalf } else { Threshold::AboveZero };
    let prefers_second = (width == 2 && !has_probabilities).then_some(threshold);
    Ok(Box::new(SvmClassifier { vectors, scores: Scores::Linear { rho, prefers_second }, labels, post_transform, width }))
}

/// The classifiers of all pairs. In the matrix `coefficients[classes - 1, vectors]`, a class's vectors have a row for each other class, in order.
fn pairs(attributes: &Attributes, coefficients: &[f32], counts: &[usize], n_vectors: usize) -> Result<Vec<Pair>, OpError> {
    let n_classes = counts.len();
    let needed = (n_classes - 1).saturating_mul(n_vectors);
    if coefficients.len() < needed {
        return Err(OpError::value(format!(
            "{} coefficients are given, but {n_classes} classes and {n_vectors} vectors need {needed}",
            coefficients.len()
        )));
    }
    let rho = attributes.require_floats("rho")?;
    let n_pairs = n_classes * (n_classes - 1) / 2;
    if rho.len() < n_pairs {
        return Err(OpError::value(format!("rho has {} values for {n_pairs} pairs of classes", rho.len())));
    }
    let mut starts = vec![0];
    starts.extend(counts.iter().scan(0, |sum, &count| {
        *sum += count;
        Some(*sum)
    }));
    let terms = |class: usize, row: usize| {
        let start = row * n_vectors + starts[class];
        Terms { first_vector: starts[class], coefficients: coefficients[start..start + counts[class]].to_vec() }
    };
    let all = (0..n_classes).flat_map(|first| (first + 1..n_classes).map(move |second| (first, second)));
    Ok(all.zip(rho).map(|((first, second), &rho)| Pair { first, second, terms: [terms(first, second - 1), terms(second, first)], rho }).collect())
}

fn platt_parameters(attributes: &Attributes, n_pairs: usize) -> Result<Option<Vec<(f32, f32)>>, OpError> {
    let a = attributes.floats("prob_a")?.unwrap_or_default();
    let b = attributes.floats("prob_b")?.unwrap_or_default();
    if a.len() != b.len() || !a.is_empty() && a.len() < n_pairs {
        return Err(OpError::value(format!("prob_a and prob_b have {} and {} values for {n_pairs} pairs of classes", a.len(), b.len())));
    }
    Ok((!a.is_empty()).then(|| a.iter().copied().zip(b.iter().copied()).collect()))
}

impl Pair {
    /// Positive for the first class.
    fn decide(&self, kernels: &[f32]) -> f64 {
        let sum: f64 = self
            .terms
            .iter()
            .flat_map(|terms| terms.coefficients.iter().zip(&kernels[terms.first_vector..]))
            .map(|(coefficient, kernel)| f64::from(coefficient * kernel))
            .sum();
        sum + f64::from(self.rho)
    }
}

/// The place of the first of the largest values.
fn largest<T: PartialOrd>(values: &[T]) -> usize {
    let mut winner = 0;
    for (place, value) in values.iter().enumerate() {
        if *value > values[winner] {
            winner = place;
        }
    }
    winner
}

impl SvmClassifier {
    /// Writes a row's scores and returns the place of its label.
    fn finish(&self, kernels: &[f32], outputs: &mut [f32]) -> u32 {
        let winner = match &self.scores {
            Scores::Linear { rho, prefers_second } => {
                for (output, kernel) in outputs.iter_mut().zip(kernels) {
                    *output = kernel + rho;
                }
                let winner = largest(outputs);
                let is_second = match prefers_second {
                    Some(Threshold::AtLeastHalf) => outputs[winner] >= 0.5,
                    Some(Threshold::AboveZero) => outputs[winner] > 0.0,
                    None => false,
                };
                if is_second { 1 } else { winner }
            }
            Scores::Pairs { pairs, probabilities } => {
                let mut votes = vec![0_u32; self.labels.len()];
                let decisions: Vec<f64> = pairs.iter().map(|pair| pair.decide(kernels)).collect();
                for (pair, &decision) in pairs.iter().zip(&decisions) {
                    votes[if decision > 0.0 { pair.first } else { pair.second }] += 1;
                }
                match probabilities {
                    Some(probabilities) => couple_pairs(pairs, probabilities, &decisions, outputs),
                    None if votes.len() == 2 => return self.finish_two(decisions[0] as f32, largest(&votes), outputs),
                    None => outputs.iter_mut().zip(&decisions).for_each(|(output, &decision)| *output = decision as f32),
                }
                largest(&votes)
            }
        };
        self.post_transform.apply_rows(outputs, self.width);
        // There are at most 65535 classes.
        winner as u32
    }

    /// One decision between two classes is put out as two scores. Of the post transforms, only the logistic function has an effect, as in ONNX Runtime.
    fn finish_two(&self, decision: f32, winner: usize, outputs: &mut [f32]) -> u32 {
        let pair = match self.post_transform {
            PostTransform::None => [-decision, decision],
            PostTransform::Logistic => [logistic(-decision), logistic(decision)],
            _ => [1.0 - decision, decision],
        };
        outputs.copy_from_slice(&pair);
        winner as u32
    }
}

fn couple_pairs(pairs: &[Pair], probabilities: &[(f32, f32)], decisions: &[f64], outputs: &mut [f32]) {
    let k = outputs.len();
    let mut pairwise = vec![0.0; k * k];
    for ((pair, &(a, b)), &decision) in pairs.iter().zip(probabilities).zip(decisions) {
        let probability = platt(decision as f32, a, b);
        pairwise[pair.first * k + pair.second] = probability;
        pairwise[pair.second * k + pair.first] = 1.0 - probability;
    }
    couple(&pairwise, outputs);
}

impl Operator for SvmClassifier {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![Some(one_per_row(inputs, self.labels.element_type())), Some(rows_by(inputs, ElementType::F32, self.width))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "X")?;
        let (n_rows, n_features) = matrix_shape(0, "X", &x)?;
        check_features(n_features, &self.vectors)?;
        context.check_result_size(ElementType::F32, &[n_rows, self.width])?;
        let finish = |kernels: &[f32], outputs: &mut [f32]| self.finish(kernels, outputs);
        let (scores, winners) = self.vectors.for_each_row(&numbers(0, "X", &x)?, n_rows, self.width, finish);
        let labels = self.labels.gather(&winners)?;
        Ok(smallvec![Value::Tensor(labels), Value::Tensor(Tensor::from_vec(&[n_rows, self.width], scores)?)])
    }
}
