//! Reads the attributes of TreeEnsembleClassifier and TreeEnsembleRegressor: a list per property, with one entry per node or per weight of a leaf.

use std::collections::HashMap;
use std::ops::Range;

use crate::graph::Attributes;
use crate::host::ElementType;
use crate::kernels::trees::{Comparison, Ensemble, Node, Real, Weight};
use crate::ops::OpError;

/// Classifiers call the weights of their leaves `class_…`, regressors `target_…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WeightNames {
    Class,
    Target,
}

impl WeightNames {
    fn prefix(self) -> &'static str {
        match self {
            Self::Class => "class",
            Self::Target => "target",
        }
    }
}

/// Floats of an attribute, which may be a list of float32 or, from version 3 on, a tensor.
#[derive(Debug, Clone)]
pub(super) enum Floats {
    F32(Vec<f32>),
    F64(Vec<f64>),
}

impl Floats {
    /// From attribute `name` or `name_as_tensor`; empty where there is neither.
    pub fn from_attributes(attributes: &Attributes, name: &str) -> Result<Self, OpError> {
        let list = attributes.floats(name)?.unwrap_or_default();
        let tensor_name = format!("{name}_as_tensor");
        match attributes.tensor(&tensor_name)? {
            None => Ok(Self::F32(list.to_vec())),
            Some(tensor) if tensor.n_elements() == 0 => Ok(Self::F32(list.to_vec())),
            Some(_) if !list.is_empty() => Err(OpError::value(format!("{name} and {tensor_name} are both given"))),
            Some(tensor) => match tensor.element_type() {
                ElementType::F32 => Ok(Self::F32(tensor.as_slice::<f32>()?.into_owned())),
                ElementType::F64 => Ok(Self::F64(tensor.as_slice::<f64>()?.into_owned())),
                other => Err(OpError::value(format!("{tensor_name} should be of float32 or float64, but is of {other}"))),
            },
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
        }
    }

    /// The values as float32; `None` if they are float64.
    pub fn as_f32(&self) -> Option<Vec<f32>> {
        match self {
            Self::F32(values) => Some(values.clone()),
            Self::F64(_) => None,
        }
    }

    pub fn to_f64(&self) -> Vec<f64> {
        match self {
            Self::F32(values) => values.iter().copied().map(f64::from).collect(),
            Self::F64(values) => values.clone(),
        }
    }
}

/// Which weights each node has, and the weights.
type LeafWeights<T> = (Vec<Range<u32>>, Vec<Weight<T>>);

/// The attributes that describe the trees, checked to be as many as there are nodes or weights.
pub(super) struct TreeAttributes<'a> {
    names: WeightNames,
    tree_ids: &'a [i64],
    node_ids: &'a [i64],
    feature_ids: &'a [i64],
    modes: Vec<&'a str>,
    true_ids: &'a [i64],
    false_ids: &'a [i64],
    missing_is_true: &'a [i64],
    pub thresholds: Floats,
    weight_tree_ids: &'a [i64],
    weight_node_ids: &'a [i64],
    pub weight_targets: &'a [i64],
    pub weights: Floats,
}

impl<'a> TreeAttributes<'a> {
    pub fn new(attributes: &'a Attributes, names: WeightNames) -> Result<Self, OpError> {
        let ints = |name: &str| attributes.ints(name).map(Option::unwrap_or_default);
        let prefix = names.prefix();
        let this = Self {
            names,
            tree_ids: ints("nodes_treeids")?,
            node_ids: ints("nodes_nodeids")?,
            feature_ids: ints("nodes_featureids")?,
            modes: attributes.texts("nodes_modes")?.unwrap_or_default(),
            true_ids: ints("nodes_truenodeids")?,
            false_ids: ints("nodes_falsenodeids")?,
            missing_is_true: ints("nodes_missing_value_tracks_true")?,
            thresholds: Floats::from_attributes(attributes, "nodes_values")?,
            weight_tree_ids: ints(&format!("{prefix}_treeids"))?,
            weight_node_ids: ints(&format!("{prefix}_nodeids"))?,
            weight_targets: ints(&format!("{prefix}_ids"))?,
            weights: Floats::from_attributes(attributes, &format!("{prefix}_weights"))?,
        };
        this.check_lengths()?;
        Ok(this)
    }

    fn check_lengths(&self) -> Result<(), OpError> {
        let prefix = self.names.prefix();
        let n_nodes = self.tree_ids.len();
        let n_weights = self.weights.len();
        let lengths = [
            ("nodes_nodeids", self.node_ids.len(), n_nodes),
            ("nodes_featureids", self.feature_ids.len(), n_nodes),
            ("nodes_modes", self.modes.len(), n_nodes),
            ("nodes_truenodeids", self.true_ids.len(), n_nodes),
            ("nodes_falsenodeids", self.false_ids.len(), n_nodes),
            ("nodes_values", self.thresholds.len(), n_nodes),
            ("treeids", self.weight_tree_ids.len(), n_weights),
            ("nodeids", self.weight_node_ids.len(), n_weights),
            ("ids", self.weight_targets.len(), n_weights),
        ];
        for (index, (name, found, expected)) in lengths.into_iter().enumerate() {
            if found != expected {
                return Err(OpError::value(if index < 6 {
                    format!("{name} has {found} entries, but nodes_treeids has {expected}")
                } else {
                    format!("{prefix}_{name} has {found} entries, but {prefix}_weights has {expected}")
                }));
            }
        }
        if n_nodes == 0 {
            return Err(OpError::value("the ensemble has no nodes"));
        }
        if !self.missing_is_true.is_empty() && self.missing_is_true.len() != n_nodes {
            let found = self.missing_is_true.len();
            return Err(OpError::value(format!("nodes_missing_value_tracks_true has {found} entries, but nodes_treeids has {n_nodes}")));
        }
        Ok(())
    }

    /// The trees, with `thresholds` and `weights` in the type in which they are to be walked.
    pub fn ensemble<T: Real>(&self, thresholds: &[T], weights: &[T], n_targets: usize) -> Result<Ensemble<T>, OpError> {
        let roots = self.roots()?;
        let positions = self.positions()?;
        let (leaf_ranges, leaf_weights) = self.leaf_weights(&positions, weights, n_targets)?;
        let mut ensemble = Ensemble { nodes: Vec::with_capacity(self.tree_ids.len()), roots, weights: leaf_weights, members: Vec::new(), n_targets };
        for (node, range) in leaf_ranges.into_iter().enumerate() {
            let Some(comparison) = self.comparison(node)? else {
                // With a single target, ONNX Runtime takes a leaf without weights to give its value, and only the first of several weights.
                let weights = match (n_targets, range.len()) {
                    (1, 0) => {
                        let first = index(ensemble.weights.len())?;
                        ensemble.weights.push(Weight { target: 0, value: thresholds[node] });
                        first..first + 1
                    }
                    (1, _) => range.start..range.start + 1,
                    _ => range,
                };
                ensemble.nodes.push(Node::Leaf { weights });
                continue;
            };
            let feature = u32::try_from(self.feature_ids[node])
                .map_err(|_| OpError::value(format!("{} looks at feature {}, which cannot be", self.describe(node), self.feature_ids[node])))?;
            ensemble.nodes.push(Node::Branch {
                feature,
                threshold: thresholds[node],
                comparison,
                missing_is_true: self.missing_is_true.get(node) == Some(&1),
                when_true: self.child(&positions, node, self.true_ids[node])?,
                when_false: self.child(&positions, node, self.false_ids[node])?,
            });
        }
        self.check_roots(&ensemble)?;
        Ok(ensemble)
    }

    fn describe(&self, node: usize) -> String {
        format!("node {} of tree {}", self.node_ids[node], self.tree_ids[node])
    }

    /// How a node compares; `None` for leaves.
    fn comparison(&self, node: usize) -> Result<Option<Comparison>, OpError> {
        Ok(Some(match self.modes[node] {
            "LEAF" => return Ok(None),
            "BRANCH_LEQ" => Comparison::LessOrEqual,
            "BRANCH_LT" => Comparison::Less,
            "BRANCH_GTE" => Comparison::GreaterOrEqual,
            "BRANCH_GT" => Comparison::Greater,
            "BRANCH_EQ" => Comparison::Equal,
            "BRANCH_NEQ" => Comparison::NotEqual,
            other => return Err(OpError::unsupported(format!("mode '{other}' ({})", self.describe(node)))),
        }))
    }

    /// Where each (tree, node) stands in the lists.
    fn positions(&self) -> Result<HashMap<(i64, i64), u32>, OpError> {
        let mut positions = HashMap::with_capacity(self.tree_ids.len());
        for (position, id) in self.tree_ids.iter().copied().zip(self.node_ids.iter().copied()).enumerate() {
            if positions.insert(id, index(position)?).is_some() {
                return Err(OpError::value(format!("{} is there twice", self.describe(position))));
            }
        }
        Ok(positions)
    }

    fn child(&self, positions: &HashMap<(i64, i64), u32>, node: usize, child: i64) -> Result<u32, OpError> {
        let position = positions.get(&(self.tree_ids[node], child)).copied();
        position.ok_or_else(|| OpError::value(format!("{} has node {child} as a child, which does not exist", self.describe(node))))
    }

    /// The first node of each tree.
    fn roots(&self) -> Result<Vec<u32>, OpError> {
        let mut roots = Vec::new();
        let mut seen = std::collections::HashSet::new();
        let mut previous = None;
        for (position, &tree) in self.tree_ids.iter().enumerate() {
            if previous != Some(tree) {
                if !seen.insert(tree) {
                    return Err(OpError::value(format!("the nodes of tree {tree} do not stand together")));
                }
                roots.push(index(position)?);
                previous = Some(tree);
            }
        }
        Ok(roots)
    }

    /// A root is nobody's child: otherwise the tree's first node is not its root, and only a part of the tree would be walked.
    fn check_roots<T>(&self, ensemble: &Ensemble<T>) -> Result<(), OpError> {
        let mut is_child = vec![false; ensemble.nodes.len()];
        for node in &ensemble.nodes {
            if let Node::Branch { when_true, when_false, .. } = node {
                is_child[*when_true as usize] = true;
                is_child[*when_false as usize] = true;
            }
        }
        match ensemble.roots.iter().find(|&&root| is_child[root as usize]) {
            Some(&root) => Err(OpError::value(format!("{} comes first in its tree, but is the child of another node", self.describe(root as usize)))),
            None => Ok(()),
        }
    }

    /// The weights node by node, those of a node in their order, and which of them each node has. Weights of branches are ignored: old converters
    /// wrote them.
    fn leaf_weights<T: Real>(&self, positions: &HashMap<(i64, i64), u32>, values: &[T], n_targets: usize) -> Result<LeafWeights<T>, OpError> {
        let prefix = self.names.prefix();
        let mut owned = Vec::with_capacity(values.len());
        for (position, &value) in values.iter().enumerate() {
            let id = (self.weight_tree_ids[position], self.weight_node_ids[position]);
            let node = positions.get(&id).copied();
            let node = node.ok_or_else(|| OpError::value(format!("a weight belongs to node {} of tree {}, which does not exist", id.1, id.0)))?;
            let target = self.weight_targets[position];
            let in_range = usize::try_from(target).is_ok_and(|target| target < n_targets);
            let target = u32::try_from(target).ok().filter(|_| in_range);
            let target =
                target.ok_or_else(|| OpError::value(format!("{prefix}_ids has {}, with {n_targets} in all", self.weight_targets[position])))?;
            owned.push((node, Weight { target, value }));
        }
        owned.sort_by_key(|(node, _)| *node);
        let mut ranges = Vec::with_capacity(self.tree_ids.len());
        let mut start = 0;
        for node in 0..self.tree_ids.len() {
            let end = start + owned[start..].iter().take_while(|(owner, _)| *owner as usize == node).count();
            ranges.push(index(start)?..index(end)?);
            start = end;
        }
        Ok((ranges, owned.into_iter().map(|(_, weight)| weight).collect()))
    }
}

fn index(position: usize) -> Result<u32, OpError> {
    u32::try_from(position).map_err(|_| OpError::value("the ensemble has more nodes than can be indexed with 32 bits"))
}
