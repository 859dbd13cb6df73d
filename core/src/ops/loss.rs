//! Losses of a classification: NegativeLogLikelihoodLoss and SoftmaxCrossEntropyLoss.

use super::operator::Outputs;
use super::shape::{same_as, without_axes};
use super::types::{Number, TypeSet, check_same_type};
use super::{Inputs, NodeContext, OpError, Operator, OpsetRange, Registration, RunContext};
use crate::graph::infer::InferInputs;
use crate::graph::{SymbolicShape, ValueType};
use crate::host::ElementType;
use crate::tensor::{Shape, Tensor, Value};

/// NegativeLogLikelihoodLoss: 12, 13, 22 (bfloat16). SoftmaxCrossEntropyLoss: 12, 13 (bfloat16).
pub const OPERATORS: &[Registration] = &[
    Registration { domain: "", op_type: "NegativeLogLikelihoodLoss", opsets: OpsetRange::from(12), build: |node| Loss::build(false, node) },
    Registration { domain: "", op_type: "SoftmaxCrossEntropyLoss", opsets: OpsetRange::from(12), build: |node| Loss::build(true, node) },
];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Reduction {
    None,
    Sum,
    /// The sum over the sum of the weights that took part.
    Mean,
}

/// `−weight[class] · log p[class]` for every labelled place. Scores are `[batch, classes, places…]`, labels `[batch, places…]`.
///
/// <https://onnx.ai/onnx/operators/onnx__NegativeLogLikelihoodLoss.html>,
/// <https://onnx.ai/onnx/operators/onnx__SoftmaxCrossEntropyLoss.html>
#[derive(Debug)]
struct Loss {
    /// The scores are not logarithms of probabilities yet: a softmax over the classes makes them so.
    takes_scores: bool,
    reduction: Reduction,
    /// Places with this label count nothing.
    ignored: Option<i64>,
    /// With 2 the logarithms of the probabilities too.
    n_outputs: usize,
}

impl Loss {
    fn build(takes_scores: bool, node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
        let reduction = match node.attributes.text("reduction")?.unwrap_or("mean") {
            "none" => Reduction::None,
            "sum" => Reduction::Sum,
            "mean" => Reduction::Mean,
            other => return Err(OpError::value(format!("attribute 'reduction' is '{other}'; it may be 'none', 'sum' or 'mean'"))),
        };
        let n_outputs = node.n_outputs.clamp(1, if takes_scores { 2 } else { 1 });
        Ok(Box::new(Self { takes_scores, reduction, ignored: node.attributes.int("ignore_index")?, n_outputs }))
    }

    fn over<T: Number>(&self, scores: &Tensor, labels: &Labels, weights: Option<&Tensor>) -> Result<Outputs, OpError> {
        let mut log_probabilities: Vec<f64> = scores.as_slice::<T>()?.iter().map(|score| score.to_f64()).collect();
        if self.takes_scores {
            log_softmax(&mut log_probabilities, labels.n_classes, labels.n_places);
        }
        let weights = weights.map(Tensor::as_slice::<T>).transpose()?;
        let weight_of = |class: usize| weights.as_ref().map_or(1.0, |weights| weights[class].to_f64());
        let mut total_weight = 0.0;
        let mut losses = Vec::with_capacity(labels.classes.len());
        for (index, class) in labels.classes.iter().enumerate() {
            let &Some(class) = class else {
                losses.push(0.0);
                continue;
            };
            let (example, place) = (index / labels.n_places, index % labels.n_places);
            total_weight += weight_of(class);
            losses.push(-weight_of(class) * log_probabilities[(example * labels.n_classes + class) * labels.n_places + place]);
        }
        let loss = match self.reduction {
            Reduction::None => Tensor::from_vec(&labels.shape, losses.into_iter().map(T::from_f64).collect())?,
            Reduction::Sum => Tensor::scalar(T::from_f64(losses.iter().sum())),
            Reduction::Mean => Tensor::scalar(T::from_f64(losses.iter().sum::<f64>() / total_weight)),
        };
        let mut outputs = smallvec::smallvec![Value::Tensor(loss)];
        if self.n_outputs > 1 {
            let log_probabilities = log_probabilities.into_iter().map(T::from_f64).collect();
            outputs.push(Value::Tensor(Tensor::from_vec(scores.shape(), log_probabilities)?));
        }
        Ok(outputs)
    }
}

/// Labels, proven against the scores.
struct Labels {
    /// The class of each place, in row-major order; `None` for places that count nothing.
    classes: Vec<Option<usize>>,
    shape: Shape,
    n_classes: usize,
    /// Places per example.
    n_places: usize,
}

impl Labels {
    fn read(scores: &Tensor, labels: &Tensor, ignored: Option<i64>) -> Result<Self, OpError> {
        let &[batch, n_classes, ref places @ ..] = scores.shape() else {
            return Err(OpError::shape(format!("the scores of shape {:?} should be [batch, classes, places…]", scores.shape())));
        };
        let shape: Shape = std::iter::once(batch).chain(places.iter().copied()).collect();
        if labels.shape() != shape.as_slice() {
            let (found, expected) = (labels.shape(), shape.as_slice());
            return Err(OpError::shape(format!("scores of shape {:?} need labels of shape {expected:?}, but they have {found:?}", scores.shape())));
        }
        let class_of = |label: i64| {
            if ignored == Some(label) {
                return Ok(None);
            }
            let class = usize::try_from(label).ok().filter(|&class| class < n_classes);
            class.map(Some).ok_or_else(|| OpError::value(format!("label {label} is none of the classes 0 to {}", n_classes.saturating_sub(1))))
        };
        let classes = labels.to_i64s()?.into_iter().map(class_of).collect::<Result<_, _>>()?;
        Ok(Self { classes, shape, n_classes, n_places: places.iter().product() })
    }
}

/// Replaces scores by the logarithms of their softmax over the classes; the layout is `[batch, classes, places]`.
fn log_softmax(scores: &mut [f64], n_classes: usize, n_places: usize) {
    for example in scores.chunks_mut((n_classes * n_places).max(1)) {
        for place in 0..n_places {
            let of_place = || (0..n_classes).map(|class| class * n_places + place);
            let largest = of_place().map(|index| example[index]).fold(f64::NEG_INFINITY, f64::larger);
            // Scores that are all −∞ have no softmax; they become NaN as a division of 0 by 0 does.
            let log_sum = of_place().map(|index| (example[index] - largest).exp()).sum::<f64>().ln();
            for index in of_place() {
                example[index] -= largest + log_sum;
            }
        }
    }
}

impl Operator for Loss {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let Some((element_type, shape)) = inputs.tensor(0) else { return Ok(vec![None; self.n_outputs]) };
        let loss = match (self.reduction, shape.dims()) {
            (Reduction::None, Some(dims)) => SymbolicShape(Some(without_axes(dims, &[1], None))),
            (Reduction::None, None) => SymbolicShape::unknown(),
            _ => SymbolicShape(Some(Vec::new())),
        };
        Ok([Some(ValueType::tensor(element_type, loss)), same_as(inputs, 0)].into_iter().take(self.n_outputs).collect())
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let (scores, labels) = (inputs.take_tensor(0, "scores")?, inputs.take_tensor(1, "labels")?);
        let weights = inputs.take_optional_tensor(2, "weights")?;
        TypeSet::FLOATS.check(&scores, 0, "scores")?;
        let labels = Labels::read(&scores, &labels, self.ignored)?;
        if let Some(weights) = &weights {
            check_same_type(&scores, weights)?;
            if weights.shape() != [labels.n_classes] {
                return Err(OpError::shape(format!("weights have shape {:?}, but there are {} classes", weights.shape(), labels.n_classes)));
            }
        }
        match scores.element_type() {
            ElementType::F64 => self.over::<f64>(&scores, &labels, weights.as_ref()),
            ElementType::F16 => self.over::<half::f16>(&scores, &labels, weights.as_ref()),
            ElementType::Bf16 => self.over::<half::bf16>(&scores, &labels, weights.as_ref()),
            _ => self.over::<f32>(&scores, &labels, weights.as_ref()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::host::ElementType;
    use crate::ops::testing::{assert_close, assert_tensor, op, tensor, typed};
    use crate::tensor::Tensor;

    /// The examples of the specification.
    #[test]
    fn likelihoods_are_picked_by_label() {
        let scores = || tensor(&[2, 3, 2], &[1.0_f32, 2.0, 2.0, 2.0, 3.0, 2.0, 0.0, 1.0, 2.0, 2.0, 1.0, 2.0]);
        let labels = || tensor(&[2, 2], &[2_i64, 1, 0, 2]);
        let weights = || tensor(&[3], &[0.2_f32, 0.3, 0.1]);
        let loss = op("NegativeLogLikelihoodLoss");
        assert_close(&loss.clone().text("reduction", "none").run1([scores(), labels()]), &[2, 2], &[-3.0, -2.0, 0.0, -2.0]);
        assert_close(&loss.clone().text("reduction", "sum").run1([scores(), labels(), weights()]), &[], &[-1.1]);
        assert_close(&loss.run1([scores(), labels(), weights()]), &[], &[-1.571_428_5]);
        // Ignored places count in neither sum.
        assert_close(&loss.clone().int("ignore_index", 2).run1([scores(), labels(), weights()]), &[], &[-1.2]);
        assert_eq!(loss.infer([typed::<f32>("n, 3, 2"), typed::<i64>("n, 2")]), [Some("float32[]".to_owned())]);
        let none = loss.clone().text("reduction", "none");
        assert_eq!(none.infer([typed::<f32>("n, 3, 2"), typed::<i64>("n, 2")]), [Some("float32[n, 2]".to_owned())]);
    }

    #[test]
    fn scores_become_probabilities_first() {
        let loss = op("SoftmaxCrossEntropyLoss").outputs(2);
        let outputs = loss.try_run([tensor(&[1, 2], &[1000.0_f32, 1000.0]), tensor(&[1], &[1_i32])]).unwrap();
        let half = -std::f32::consts::LN_2;
        assert_close(&outputs[0], &[], &[-half]);
        assert_close(&outputs[1], &[1, 2], &[half, half]);
        let empty = op("SoftmaxCrossEntropyLoss").text("reduction", "none");
        assert_tensor::<f32>(&empty.run1([Tensor::empty(ElementType::F32, &[0, 3]), Tensor::empty(ElementType::I64, &[0])]), &[0], &[]);
    }

    #[test]
    fn labels_and_weights_are_checked() {
        let scores = || tensor(&[1, 2], &[0.0_f32, 1.0]);
        let loss = op("SoftmaxCrossEntropyLoss");
        assert_eq!(loss.error([scores(), tensor(&[1], &[2_i64])]), "label 2 is none of the classes 0 to 1");
        assert_eq!(loss.error([scores(), tensor(&[1], &[-1_i64])]), "label -1 is none of the classes 0 to 1");
        assert_eq!(loss.error([scores(), tensor(&[2], &[0_i64, 0])]), "scores of shape [1, 2] need labels of shape [1], but they have [2]");
        let wrong_weights = loss.error([scores(), tensor(&[1], &[0_i64]), tensor(&[3], &[1.0_f32; 3])]);
        assert_eq!(wrong_weights, "weights have shape [3], but there are 2 classes");
        assert_eq!(loss.clone().text("reduction", "max").error([scores()]), "attribute 'reduction' is 'max'; it may be 'none', 'sum' or 'mean'");
    }
}
