//! TreeEnsembleClassifier and TreeEnsembleRegressor, versions 1 to 5: random forests and boosted trees.
//! <https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleClassifier.html>,
//! <https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleRegressor.html>.
//!
//! The specification leaves open what happens with two classes, base values and classes without weights. Here it happens as in ONNX Runtime,
//! whose results the tests hold.

use std::sync::OnceLock;

use smallvec::smallvec;

use super::labels::Labels;
use super::post_transform::{PostTransform, logistic};
use super::tree_attributes::{Floats, TreeAttributes, WeightNames};
use super::{NUMBERS, matrix_shape, numbers, one_per_row, rows_by, wrong_input};
use crate::graph::infer::InferInputs;
use crate::graph::{Attributes, ValueType};
use crate::host::ElementType;
use crate::kernels::trees::{Combine, Ensemble, Forest, ForestError, Real, RowScores, Rows};
use crate::ops::operator::{Outputs, single};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::{Tensor, Value};

/// A forest and what is added to its scores, in the type of the sums.
#[derive(Debug)]
struct Model<T> {
    forest: Forest<T>,
    base_values: Vec<T>,
}

/// float64 inputs are walked in float64, all others in float32.
#[derive(Debug)]
enum AnyModel {
    /// All attributes are float32. The wider model is made when the first float64 input comes: its thresholds have the same values, but
    /// what lies between them differs.
    F32 { model: Model<f32>, ensemble: Ensemble<f32>, wide: Box<OnceLock<Result<Model<f64>, ForestError>>> },
    /// Some attribute is a float64 tensor, which only goes with float64 inputs.
    F64(Model<f64>),
}

impl AnyModel {
    fn new(attributes: &Attributes, trees: &TreeAttributes<'_>, n_targets: usize) -> Result<Self, OpError> {
        let base_values = Floats::from_attributes(attributes, "base_values")?;
        if let (Some(base_values), Some(thresholds), Some(weights)) = (base_values.as_f32(), trees.thresholds.as_f32(), trees.weights.as_f32()) {
            let ensemble = trees.ensemble(&thresholds, &weights, n_targets)?;
            let forest = Forest::new(&ensemble).map_err(|error| into_op_error(&error))?;
            return Ok(Self::F32 { model: Model { forest, base_values }, ensemble, wide: Box::default() });
        }
        let ensemble = trees.ensemble(&trees.thresholds.to_f64(), &trees.weights.to_f64(), n_targets)?;
        let forest = Forest::new(&ensemble).map_err(|error| into_op_error(&error))?;
        Ok(Self::F64(Model { forest, base_values: base_values.to_f64() }))
    }

    fn wide(&self) -> Result<&Model<f64>, OpError> {
        match self {
            Self::F64(model) => Ok(model),
            Self::F32 { model, ensemble, wide } => {
                let widen = || {
                    let base_values = model.base_values.iter().copied().map(f64::from).collect();
                    Ok(Model { forest: Forest::new(&ensemble.widen())?, base_values })
                };
                wide.get_or_init(widen).as_ref().map_err(into_op_error)
            }
        }
    }

    fn n_base_values(&self) -> usize {
        match self {
            Self::F32 { model, .. } => model.base_values.len(),
            Self::F64(model) => model.base_values.len(),
        }
    }

    /// Walks all rows of `x`. `finish` makes `width` outputs of what a row collected.
    fn evaluate<F: Finish>(&self, x: &Tensor, width: usize, finish: &F, context: &RunContext<'_>) -> Result<(Tensor, Vec<F::Label>), OpError> {
        let (n_rows, n_features) = matrix_shape(0, "X", x)?;
        let n_needed = match self {
            Self::F32 { model, .. } => model.forest.n_features(),
            Self::F64(model) => model.forest.n_features(),
        };
        if n_features < n_needed {
            return Err(OpError::shape(format!("X has {n_features} features, but the trees look at feature {}", n_needed - 1)));
        }
        context.check_result_size(ElementType::F32, &[n_rows, width])?;
        let (outputs, labels) = match (self, x.element_type()) {
            (_, ElementType::F64) => run_model(self.wide()?, &x.as_slice::<f64>()?, (n_rows, n_features), width, finish)?,
            (Self::F32 { model, .. }, _) => run_model(model, &numbers(0, "X", x)?, (n_rows, n_features), width, finish)?,
            (Self::F64(_), ElementType::F32 | ElementType::I32 | ElementType::I64) => {
                return Err(wrong_input(0, "X", "a tensor of float64, as the ensemble's attributes are", x));
            }
            (Self::F64(_), _) => return Err(wrong_input(0, "X", NUMBERS, x)),
        };
        Ok((Tensor::from_vec(&[n_rows, width], outputs)?, labels))
    }
}

fn run_model<T: Real, F: Finish>(
    model: &Model<T>,
    values: &[T],
    (n_rows, n_features): (usize, usize),
    width: usize,
    finish: &F,
) -> Result<(Vec<f32>, Vec<F::Label>), OpError> {
    let rows = Rows::new(values, n_rows, n_features).ok_or_else(|| OpError::shape("X has another number of elements than its shape says"))?;
    let n_trees = model.forest.n_trees();
    Ok(model.forest.evaluate(rows, finish.combine(), width, |row, outputs| finish.finish(row, &model.base_values, n_trees, outputs)))
}

pub(super) fn into_op_error(error: &ForestError) -> OpError {
    OpError::value(error.to_string())
}

/// From what a row collected to what is put out.
trait Finish: Sync {
    type Label: Copy + Default + Send;

    fn combine(&self) -> Combine;

    fn finish<T: Real>(&self, row: RowScores<'_, T>, base_values: &[T], n_trees: usize, outputs: &mut [f32]) -> Self::Label;
}

#[derive(Debug)]
struct TreeEnsembleRegressor {
    model: AnyModel,
    finish: RegressorFinish,
    n_targets: usize,
}

#[derive(Debug)]
struct RegressorFinish {
    combine: Combine,
    /// Sums are divided by the number of trees.
    is_average: bool,
    post_transform: PostTransform,
}

pub(super) fn build_regressor(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let attributes = node.attributes;
    let trees = TreeAttributes::new(attributes, WeightNames::Target)?;
    // A target without a weight is none: this bounds what is allocated per row.
    let n_targets = attributes.int("n_targets")?.unwrap_or(1);
    let n_targets = usize::try_from(n_targets)
        .ok()
        .filter(|&n_targets| n_targets > 0 && n_targets <= trees.weights.len().max(1))
        .ok_or_else(|| OpError::value(format!("n_targets is {n_targets}, with {} weights", trees.weights.len())))?;
    let model = AnyModel::new(attributes, &trees, n_targets)?;
    if ![0, n_targets].contains(&model.n_base_values()) {
        return Err(OpError::value(format!("{} base values are given for {n_targets} targets", model.n_base_values())));
    }
    let (combine, is_average) = match attributes.text("aggregate_function")?.unwrap_or("SUM") {
        "SUM" => (Combine::Sum, false),
        "AVERAGE" => (Combine::Sum, true),
        "MIN" => (Combine::Min, false),
        "MAX" => (Combine::Max, false),
        other => return Err(OpError::value(format!("aggregate_function is '{other}', not one of SUM, AVERAGE, MIN, MAX"))),
    };
    let finish = RegressorFinish { combine, is_average, post_transform: PostTransform::from_attributes(attributes)? };
    Ok(Box::new(TreeEnsembleRegressor { model, finish, n_targets }))
}

impl Finish for RegressorFinish {
    type Label = ();

    fn combine(&self) -> Combine {
        self.combine
    }

    fn finish<T: Real>(&self, row: RowScores<'_, T>, base_values: &[T], n_trees: usize, outputs: &mut [f32]) {
        let n_targets = outputs.len();
        for (target, output) in outputs.iter_mut().enumerate() {
            let mut score = row.scores[target];
            if self.is_average {
                score = score / T::from_count(n_trees);
            }
            if let Some(&base) = base_values.get(target) {
                score = score + base;
            }
            // Among several targets, one that no leaf gave anything does not even get its base value.
            *output = if row.has_score[target] || n_targets == 1 { score.to_f32() } else { 0.0 };
        }
        self.post_transform.apply_rows(outputs, n_targets);
    }
}

impl Operator for TreeEnsembleRegressor {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![Some(rows_by(inputs, ElementType::F32, self.n_targets))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "X")?;
        let (y, _) = self.model.evaluate(&x, self.n_targets, &self.finish, context)?;
        Ok(single(y))
    }
}

#[derive(Debug)]
struct TreeEnsembleClassifier {
    model: AnyModel,
    finish: ClassifierFinish,
    n_classes: usize,
    /// What [`ClassifierFinish`] counts: the classes, or the negative and the positive answer.
    labels: Labels,
}

#[derive(Debug)]
struct ClassifierFinish {
    post_transform: PostTransform,
    /// Two classes with weights for one of them only: a single score decides.
    is_binary: bool,
    /// In the binary case: no weight is negative, so that the scores are probabilities.
    weights_are_probabilities: bool,
}

/// Where [`ClassifierFinish`] found no class: no leaf that was reached has a weight.
const NO_CLASS: u32 = u32::MAX;

pub(super) fn build_classifier(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let attributes = node.attributes;
    let trees = TreeAttributes::new(attributes, WeightNames::Class)?;
    let labels = Labels::from_attributes(attributes, "classlabels_int64s")?;
    let n_classes = labels.len();
    let model = AnyModel::new(attributes, &trees, n_classes)?;
    let n_base_values = model.n_base_values();
    let allows_base_values = match n_classes {
        0 => return Err(OpError::value("classlabels_strings or classlabels_int64s must name the classes")),
        1 => n_base_values <= 1,
        2 => n_base_values <= 2,
        _ => [0, n_classes].contains(&n_base_values),
    };
    if !allows_base_values {
        return Err(OpError::value(format!("{n_base_values} base values are given for {n_classes} classes")));
    }
    let first_class = trees.weight_targets.first();
    let is_binary = n_classes == 2 && first_class.is_some_and(|first| trees.weight_targets.iter().all(|class| class == first));
    let weights_are_probabilities = !trees.weights.to_f64().iter().any(|&weight| weight < 0.0);
    let post_transform = PostTransform::from_attributes(attributes)?;
    if is_binary && first_class == Some(&0) && n_base_values < 2 && post_transform == PostTransform::Probit {
        return Err(OpError::unsupported("post_transform PROBIT for two classes with weights for the first only"));
    }
    let labels = match labels {
        labels if n_classes > 2 || is_binary => labels,
        // Whatever the labels are, ONNX Runtime answers 1 or 0 here.
        Labels::Ints(_) => Labels::Ints(vec![0, 1]),
        Labels::Strings(_) if n_classes == 1 => return Err(OpError::unsupported("a single class with a string as its label")),
        labels @ Labels::Strings(_) => labels,
    };
    let finish = ClassifierFinish { post_transform, is_binary, weights_are_probabilities };
    Ok(Box::new(TreeEnsembleClassifier { model, finish, n_classes, labels }))
}

impl Finish for ClassifierFinish {
    type Label = u32;

    fn combine(&self) -> Combine {
        Combine::Sum
    }

    fn finish<T: Real>(&self, mut row: RowScores<'_, T>, base_values: &[T], _n_trees: usize, outputs: &mut [f32]) -> u32 {
        match outputs {
            [output] => self.finish_one(row.scores[0], base_values, output),
            [_, _] => self.finish_two(&row, base_values, outputs),
            _ => self.finish_many(&mut row, base_values, outputs),
        }
    }
}

impl ClassifierFinish {
    fn finish_one<T: Real>(&self, score: T, base_values: &[T], output: &mut f32) -> u32 {
        let score = base_values.first().map_or(score, |&base| score + base);
        *output = self.post_transform.apply_single(score.to_f32());
        u32::from(score > T::ZERO)
    }

    fn finish_many<T: Real>(&self, row: &mut RowScores<'_, T>, base_values: &[T], outputs: &mut [f32]) -> u32 {
        for ((score, has_score), &base) in row.scores.iter_mut().zip(row.has_score.iter_mut()).zip(base_values) {
            *score = *score + base;
            *has_score = true;
        }
        let mut winner = NO_CLASS;
        let mut largest = T::ZERO;
        for (class, ((&score, &has_score), output)) in (0..).zip(row.scores.iter().zip(row.has_score.iter()).zip(outputs.iter_mut())) {
            *output = score.to_f32();
            if has_score && (winner == NO_CLASS || score > largest) {
                (winner, largest) = (class, score);
            }
        }
        self.post_transform.apply(outputs);
        winner
    }

    fn finish_two<T: Real>(&self, row: &RowScores<'_, T>, base_values: &[T], outputs: &mut [f32]) -> u32 {
        let [mut first, mut second] = [row.scores[0], row.scores[1]];
        let [has_first, has_second] = [row.has_score[0], row.has_score[1]];
        match *base_values {
            // The two base values are taken to be the same thing twice.
            [_, base] if has_second => {
                second = base + first;
                first = T::ZERO - second;
            }
            [base, _] => first = first + base,
            [base] => first = first + base,
            _ => {}
        }
        // A class without a score counts as zero, base value or not.
        let first = if has_first { first } else { T::ZERO };
        let second = if has_second { second } else { T::ZERO };
        let decisive = if has_second { second } else { first };
        let is_probability = self.is_binary && self.weights_are_probabilities;
        let winner = u32::from(decisive > if is_probability { T::from(0.5) } else { T::ZERO });
        let is_single = !has_second && base_values.len() < 2;
        if !is_single {
            outputs.copy_from_slice(&[first.to_f32(), second.to_f32()]);
            self.post_transform.apply(outputs);
            return winner;
        }
        let score = first.to_f32();
        let pair = match self.post_transform {
            // ONNX Runtime leaves the second score of these unwritten.
            PostTransform::Probit => [self.post_transform.apply_single(score), 0.0],
            _ if !self.is_binary && base_values.len() == 1 => [score, 0.0],
            PostTransform::Logistic => [logistic(-score), logistic(score)],
            _ if is_probability => [(T::from(1.0) - first).to_f32(), score],
            _ => [-score, score],
        };
        outputs.copy_from_slice(&pair);
        winner
    }
}

impl Operator for TreeEnsembleClassifier {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![Some(one_per_row(inputs, self.labels.element_type())), Some(rows_by(inputs, ElementType::F32, self.n_classes))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "X")?;
        let (scores, winners) = self.model.evaluate(&x, self.n_classes, &self.finish, context)?;
        if let Some(row) = winners.iter().position(|&winner| winner == NO_CLASS) {
            return Err(OpError::value(format!("no leaf that row {row} reaches has a weight for any class")));
        }
        let labels = self.labels.gather(&winners)?;
        Ok(smallvec![Value::Tensor(labels), Value::Tensor(scores)])
    }
}
