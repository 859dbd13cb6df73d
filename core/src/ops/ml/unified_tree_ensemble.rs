//! TreeEnsemble, version 5: trees of branches and leaves that are numbered separately, with sets as conditions.
//! <https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsemble.html>.
//!
//! Numbers stand for post transforms as the specification says; ONNX Runtime 1.31 takes 1 for LOGISTIC and 2 for SOFTMAX, the other way around.

use half::f16;

use super::post_transform::PostTransform;
use super::tree_ensemble::into_op_error;
use super::{matrix_shape, rows_by, wrong_input};
use crate::graph::infer::InferInputs;
use crate::graph::{Attributes, ValueType};
use crate::host::{ElementType, HostTensor};
use crate::kernels::trees::{Combine, Comparison, Ensemble, Forest, Node, Real, RowScores, Rows, Weight};
use crate::ops::operator::{Outputs, single};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::Tensor;

#[derive(Debug)]
struct TreeEnsemble {
    forest: AnyForest,
    /// Of the attributes, and therefore of input and output.
    element_type: ElementType,
    n_targets: usize,
    combine: Combine,
    /// Sums are divided by the number of trees.
    is_average: bool,
    post_transform: PostTransform,
}

#[derive(Debug)]
enum AnyForest {
    /// Of float16 models too: all their numbers are float32 numbers.
    F32(Forest<f32>),
    F64(Forest<f64>),
}

pub(super) fn build(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let attributes = node.attributes;
    let splits = attributes.require_tensor("nodes_splits")?;
    let element_type = splits.element_type();
    let n_targets = attributes.int("n_targets")?.unwrap_or(1);
    let n_leaves = attributes.require_ints("leaf_targetids")?.len();
    // A target without a leaf is none: this bounds what is allocated per row.
    let n_targets = usize::try_from(n_targets).ok().filter(|&n_targets| n_targets > 0 && n_targets <= n_leaves.max(1));
    let n_targets = n_targets.ok_or_else(|| OpError::value(format!("n_targets is not between 1 and the number of leaves, {n_leaves}")))?;
    let forest = match element_type {
        ElementType::F64 => AnyForest::F64(forest(attributes, n_targets, |tensor| Ok(tensor.as_slice::<f64>()?.into_owned()))?),
        ElementType::F32 => AnyForest::F32(forest(attributes, n_targets, |tensor| Ok(tensor.as_slice::<f32>()?.into_owned()))?),
        ElementType::F16 => {
            AnyForest::F32(forest(attributes, n_targets, |tensor| Ok(tensor.as_slice::<f16>()?.iter().copied().map(f16::to_f32).collect()))?)
        }
        other => return Err(OpError::value(format!("nodes_splits should be of float16, float32 or float64, but is of {other}"))),
    };
    let (combine, is_average) = match attributes.int("aggregate_function")?.unwrap_or(1) {
        0 => (Combine::Sum, true),
        1 => (Combine::Sum, false),
        2 => (Combine::Min, false),
        3 => (Combine::Max, false),
        other => return Err(OpError::value(format!("aggregate_function is {other}, not 0 (AVERAGE), 1 (SUM), 2 (MIN) or 3 (MAX)"))),
    };
    let post_transform = match attributes.int("post_transform")?.unwrap_or(0) {
        0 => PostTransform::None,
        1 => PostTransform::Softmax,
        2 => PostTransform::Logistic,
        3 => PostTransform::SoftmaxZero,
        4 => PostTransform::Probit,
        other => {
            let names = "0 (NONE), 1 (SOFTMAX), 2 (LOGISTIC), 3 (SOFTMAX_ZERO) or 4 (PROBIT)";
            return Err(OpError::value(format!("post_transform is {other}, not {names}")));
        }
    };
    Ok(Box::new(TreeEnsemble { forest, element_type, n_targets, combine, is_average, post_transform }))
}

fn forest<T: Real>(attributes: &Attributes, n_targets: usize, read: impl Fn(&HostTensor) -> Result<Vec<T>, OpError>) -> Result<Forest<T>, OpError> {
    let reader = Reader::new(attributes, read)?;
    Forest::new(&reader.ensemble(n_targets)?).map_err(|error| into_op_error(&error))
}

/// The attributes: a list per property of the branches, and of the leaves.
struct Reader<'a, T> {
    roots: &'a [i64],
    feature_ids: &'a [i64],
    modes: Vec<u8>,
    splits: Vec<T>,
    /// The sets of all branches that have one, each followed by a NaN.
    members: Vec<T>,
    missing_is_true: &'a [i64],
    true_ids: &'a [i64],
    true_is_leaf: &'a [i64],
    false_ids: &'a [i64],
    false_is_leaf: &'a [i64],
    leaf_targets: &'a [i64],
    leaf_weights: Vec<T>,
}

impl<'a, T: Real> Reader<'a, T> {
    fn new(attributes: &'a Attributes, read: impl Fn(&HostTensor) -> Result<Vec<T>, OpError>) -> Result<Self, OpError> {
        let modes = attributes.require_tensor("nodes_modes")?;
        let this = Self {
            roots: attributes.require_ints("tree_roots")?,
            feature_ids: attributes.require_ints("nodes_featureids")?,
            modes: modes.as_slice::<u8>()?.into_owned(),
            splits: read(attributes.require_tensor("nodes_splits")?)?,
            members: attributes.tensor("membership_values")?.map(&read).transpose()?.unwrap_or_default(),
            missing_is_true: attributes.ints("nodes_missing_value_tracks_true")?.unwrap_or_default(),
            true_ids: attributes.require_ints("nodes_truenodeids")?,
            true_is_leaf: attributes.require_ints("nodes_trueleafs")?,
            false_ids: attributes.require_ints("nodes_falsenodeids")?,
            false_is_leaf: attributes.require_ints("nodes_falseleafs")?,
            leaf_targets: attributes.require_ints("leaf_targetids")?,
            leaf_weights: read(attributes.require_tensor("leaf_weights")?)?,
        };
        let n_nodes = this.feature_ids.len();
        let lengths = [
            ("nodes_modes", this.modes.len()),
            ("nodes_splits", this.splits.len()),
            ("nodes_truenodeids", this.true_ids.len()),
            ("nodes_trueleafs", this.true_is_leaf.len()),
            ("nodes_falsenodeids", this.false_ids.len()),
            ("nodes_falseleafs", this.false_is_leaf.len()),
        ];
        if let Some((name, found)) = lengths.into_iter().find(|&(_, found)| found != n_nodes) {
            return Err(OpError::value(format!("{name} has {found} entries, but nodes_featureids has {n_nodes}")));
        }
        if ![0, n_nodes].contains(&this.missing_is_true.len()) {
            let found = this.missing_is_true.len();
            return Err(OpError::value(format!("nodes_missing_value_tracks_true has {found} entries, but nodes_featureids has {n_nodes}")));
        }
        if this.leaf_targets.len() != this.leaf_weights.len() {
            return Err(OpError::value(format!("{} leaf_targetids are given for {} leaf_weights", this.leaf_targets.len(), this.leaf_weights.len())));
        }
        if this.roots.is_empty() || n_nodes == 0 {
            return Err(OpError::value("the ensemble has no trees"));
        }
        Ok(this)
    }

    /// All branches, and then all leaves.
    fn ensemble(self, n_targets: usize) -> Result<Ensemble<T>, OpError> {
        let mut nodes = Vec::with_capacity(self.feature_ids.len() + self.leaf_weights.len());
        let mut set_start = 0;
        for node in 0..self.feature_ids.len() {
            let feature = u32::try_from(self.feature_ids[node])
                .map_err(|_| OpError::value(format!("node {node} looks at feature {}, which cannot be", self.feature_ids[node])))?;
            let missing_is_true = self.missing_is_true.get(node).is_some_and(|&flag| flag != 0);
            let when_true = self.child(node, self.true_ids[node], self.true_is_leaf[node])?;
            let when_false = self.child(node, self.false_ids[node], self.false_is_leaf[node])?;
            let comparison = match self.modes[node] {
                0 => Comparison::LessOrEqual,
                1 => Comparison::Less,
                2 => Comparison::GreaterOrEqual,
                3 => Comparison::Greater,
                4 => Comparison::Equal,
                5 => Comparison::NotEqual,
                6 => {
                    let members = self.next_set(node, &mut set_start)?;
                    nodes.push(Node::Member { feature, members, missing_is_true, when_true, when_false });
                    continue;
                }
                other => return Err(OpError::value(format!("node {node} has mode {other}; modes are 0 to 6"))),
            };
            nodes.push(Node::Branch { feature, threshold: self.splits[node], comparison, missing_is_true, when_true, when_false });
        }
        let weights = self.leaf_targets.iter().zip(&self.leaf_weights).map(|(&target, &value)| {
            let target = u32::try_from(target).ok().filter(|&index| (index as usize) < n_targets);
            target.map(|target| Weight { target, value }).ok_or_else(|| OpError::value(format!("leaf_targetids has a target beyond the {n_targets}")))
        });
        let weights = weights.collect::<Result<Vec<_>, _>>()?;
        for leaf in 0..weights.len() {
            let leaf = index(leaf)?;
            nodes.push(Node::Leaf { weights: leaf..leaf + 1 });
        }
        let roots = self.roots.iter().map(|&root| self.root(root)).collect::<Result<_, _>>()?;
        Ok(Ensemble { nodes, roots, weights, members: self.members, n_targets })
    }

    fn child(&self, node: usize, child: i64, is_leaf: i64) -> Result<u32, OpError> {
        let n_nodes = self.feature_ids.len();
        let (what, first, count) = if is_leaf == 0 { ("node", 0, n_nodes) } else { ("leaf", n_nodes, self.leaf_weights.len()) };
        let place = usize::try_from(child).ok().filter(|&child| child < count);
        let place = place.ok_or_else(|| OpError::value(format!("node {node} has {what} {child} as a child, which does not exist")))?;
        index(first + place)
    }

    fn root(&self, root: i64) -> Result<u32, OpError> {
        let node = usize::try_from(root).ok().filter(|&node| node < self.feature_ids.len());
        let node = node.ok_or_else(|| OpError::value(format!("tree_roots has node {root}, which does not exist")))?;
        index(node)
    }

    fn next_set(&self, node: usize, start: &mut usize) -> Result<std::ops::Range<u32>, OpError> {
        let rest = self.members.get(*start..).unwrap_or_default();
        if rest.is_empty() {
            return Err(OpError::value(format!("membership_values has no set for node {node}")));
        }
        let length = rest.iter().position(|member| member.is_nan()).unwrap_or(rest.len());
        let set = index(*start)?..index(*start + length)?;
        *start += length + 1;
        Ok(set)
    }
}

fn index(position: usize) -> Result<u32, OpError> {
    u32::try_from(position).map_err(|_| OpError::value("the ensemble has more nodes than can be indexed with 32 bits"))
}

impl TreeEnsemble {
    fn evaluate<T: Real>(&self, forest: &Forest<T>, values: &[T], n_rows: usize, n_features: usize) -> Result<Vec<T>, OpError> {
        if n_features < forest.n_features() {
            return Err(OpError::shape(format!("X has {n_features} features, but the trees look at feature {}", forest.n_features() - 1)));
        }
        let rows = Rows::new(values, n_rows, n_features).ok_or_else(|| OpError::shape("X has another number of elements than its shape says"))?;
        let n_trees = T::from_count(forest.n_trees());
        let finish = |row: RowScores<'_, T>, outputs: &mut [T]| {
            for (output, &score) in outputs.iter_mut().zip(row.scores.iter()) {
                *output = if self.is_average { score / n_trees } else { score };
            }
            if self.post_transform != PostTransform::None {
                let mut scores: Vec<f32> = outputs.iter().map(|score| score.to_f32()).collect();
                self.post_transform.apply_rows(&mut scores, self.n_targets);
                outputs.iter_mut().zip(scores).for_each(|(output, score)| *output = T::from(score));
            }
        };
        let (outputs, _) = forest.evaluate(rows, self.combine, self.n_targets, finish);
        Ok(outputs)
    }
}

impl Operator for TreeEnsemble {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![Some(rows_by(inputs, self.element_type, self.n_targets))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "X")?;
        let (n_rows, n_features) = matrix_shape(0, "X", &x)?;
        if x.element_type() != self.element_type {
            return Err(wrong_input(0, "X", &format!("a tensor of {}, as the ensemble's attributes are", self.element_type), &x));
        }
        let shape = [n_rows, self.n_targets];
        context.check_result_size(self.element_type, &shape)?;
        Ok(single(match &self.forest {
            AnyForest::F64(forest) => Tensor::from_vec(&shape, self.evaluate(forest, &x.as_slice::<f64>()?, n_rows, n_features)?)?,
            AnyForest::F32(forest) if self.element_type == ElementType::F16 => {
                let y = self.evaluate(forest, &x.to_f32s()?, n_rows, n_features)?;
                Tensor::from_vec(&shape, y.into_iter().map(f16::from_f32).collect())?
            }
            AnyForest::F32(forest) => Tensor::from_vec(&shape, self.evaluate(forest, &x.as_slice::<f32>()?, n_rows, n_features)?)?,
        }))
    }
}
