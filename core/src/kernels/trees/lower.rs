//! From six comparisons to one: "left where `x <= threshold`, and NaN left only where told to". Where NaN is told to go left, negative infinity
//! goes left as well, so that a walk may take the one for the other.

use std::ops::Range;

use super::{Comparison, Ensemble, ForestError, Node, Real};

/// A node after lowering.
#[derive(Debug, Clone)]
pub(super) enum Lowered<T> {
    Split(Split<T>),
    Leaf { weights: Range<u32> },
}

/// Goes left where `x <= threshold`, right where not; NaN goes left if `nan_left`. Never both a NaN threshold and `nan_left`.
#[derive(Debug, Clone)]
pub(super) struct Split<T> {
    pub feature: u32,
    pub threshold: T,
    pub nan_left: bool,
    pub left: u32,
    pub right: u32,
}

impl<T: Real> Split<T> {
    /// `x <= NaN` never holds. Where NaN goes left all the same, nothing else does: the opposite is to send everything else left.
    fn without_nan_threshold(self) -> Self {
        if self.threshold.is_nan() && self.nan_left {
            Self { threshold: T::INFINITY, nan_left: false, left: self.right, right: self.left, ..self }
        } else {
            self
        }
    }
}

/// Lowers all nodes; those of the ensemble keep their indices.
///
/// `x < t` is `x <= u` with `u` the next value below `t`; `x > t` and `x >= t` are the opposites with the children exchanged; `x == t`, and whether
/// `x` is in a set, take several splits. A NaN threshold compares false with everything, and so does `x <= NaN`.
pub(super) fn lower<T: Real>(ensemble: &Ensemble<T>) -> Result<Vec<Lowered<T>>, ForestError> {
    let mut lowered: Vec<Lowered<T>> = Vec::with_capacity(ensemble.nodes.len());
    let mut more = MoreSplits { first: ensemble.nodes.len(), splits: Vec::new() };
    for node in &ensemble.nodes {
        let split = match *node {
            Node::Leaf { ref weights } => {
                lowered.push(Lowered::Leaf { weights: weights.clone() });
                continue;
            }
            Node::Member { feature, ref members, missing_is_true, when_true, when_false } => {
                let members = &ensemble.members[members.start as usize..members.end as usize];
                more.member(feature, members, missing_is_true, when_true, when_false)?
            }
            Node::Branch { feature, threshold, comparison, missing_is_true, when_true, when_false } => {
                let at_most = |threshold: T| Split { feature, threshold, nan_left: missing_is_true, left: when_true, right: when_false };
                // `NaN > t` is false, so that NaN goes to `when_false`, which is on the left.
                let above = |threshold: T| {
                    // Nothing is above NaN: everything goes left.
                    let threshold = if threshold.is_nan() { T::INFINITY } else { threshold };
                    Split { feature, threshold, nan_left: !missing_is_true, left: when_false, right: when_true }
                };
                match comparison {
                    Comparison::LessOrEqual => at_most(threshold),
                    Comparison::Less => at_most(threshold.next_down()),
                    Comparison::Greater => above(threshold),
                    Comparison::GreaterOrEqual if threshold.is_nan() => above(threshold),
                    // `above` alone would send `x == t` left. Below negative infinity is NaN, which sends everything right.
                    Comparison::GreaterOrEqual => Split { threshold: threshold.next_down(), ..above(threshold) },
                    Comparison::Equal => more.equal(feature, threshold, missing_is_true, when_true, when_false)?,
                    // NaN is not equal to anything: it goes to `when_true` whatever `missing_is_true` says.
                    Comparison::NotEqual => more.equal(feature, threshold, false, when_false, when_true)?,
                }
            }
        };
        lowered.push(Lowered::Split(split.without_nan_threshold()));
    }
    lowered.extend(more.splits.into_iter().map(Split::without_nan_threshold).map(Lowered::Split));
    Ok(lowered)
}

/// Splits beyond one for each node, which stand behind those.
struct MoreSplits<T> {
    first: usize,
    splits: Vec<Split<T>>,
}

impl<T: Real> MoreSplits<T> {
    /// The index of a new split.
    fn push(&mut self, split: Split<T>) -> Result<u32, ForestError> {
        let index = u32::try_from(self.first + self.splits.len()).map_err(|_| ForestError::TooLarge)?;
        self.splits.push(split);
        Ok(index)
    }

    /// `x <= t`, and then not `x <= u` with `u` the next value below `t`.
    fn equal(&mut self, feature: u32, threshold: T, nan_is_equal: bool, when_equal: u32, otherwise: u32) -> Result<Split<T>, ForestError> {
        let second = self.push(Split { feature, threshold: threshold.next_down(), nan_left: false, left: otherwise, right: when_equal })?;
        Ok(Split { feature, threshold, nan_left: nan_is_equal, left: second, right: otherwise })
    }

    /// A balanced search among the bounds of the members: above the next value below a member it is in, above the member out again.
    fn member(&mut self, feature: u32, members: &[T], nan_is_member: bool, when_true: u32, when_false: u32) -> Result<Split<T>, ForestError> {
        let mut members: Vec<T> = members.iter().copied().filter(|member| !member.is_nan()).collect();
        members.sort_unstable_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
        members.dedup();
        // Below negative infinity there is nothing, so that it needs no lower bound.
        let from_lowest = members.first().is_some_and(|&lowest| lowest == T::NEGATIVE_INFINITY);
        let bounds: Vec<T> = members.iter().flat_map(|&member| [member.next_down(), member]).skip(usize::from(from_lowest)).collect();
        let outcome = |n_bounds_below: usize| if (n_bounds_below + usize::from(from_lowest)) % 2 == 1 { when_true } else { when_false };
        let search = self.search(feature, &bounds, 0, &outcome)?;
        // Only NaN is on the right of infinity.
        Ok(Split { feature, threshold: T::INFINITY, nan_left: false, left: search, right: if nan_is_member { when_true } else { when_false } })
    }

    /// Where values go by the number of `bounds` (ascending) that are below them, plus `n_below`.
    fn search(&mut self, feature: u32, bounds: &[T], n_below: usize, outcome: &impl Fn(usize) -> u32) -> Result<u32, ForestError> {
        let middle = bounds.len() / 2;
        let Some(&threshold) = bounds.get(middle) else { return Ok(outcome(n_below)) };
        let left = self.search(feature, &bounds[..middle], n_below, outcome)?;
        let right = self.search(feature, &bounds[middle + 1..], n_below + middle + 1, outcome)?;
        self.push(Split { feature, threshold, nan_left: false, left, right })
    }
}

/// Steps from each node to its farthest leaf, for all nodes that can be reached from the roots; `None` for others.
pub(super) fn depths<T>(nodes: &[Lowered<T>], roots: &[u32]) -> Result<Vec<Option<u32>>, ForestError> {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        Unseen,
        Open,
        Done(u32),
    }
    let mut states = vec![State::Unseen; nodes.len()];
    let mut path: Vec<u32> = Vec::new();
    for (tree, &root) in roots.iter().enumerate() {
        path.push(root);
        while let Some(&node) = path.last() {
            let index = node as usize;
            let Lowered::Split(split) = &nodes[index] else {
                states[index] = State::Done(0);
                path.pop();
                continue;
            };
            match states[index] {
                State::Done(_) => {
                    path.pop();
                }
                State::Unseen => {
                    states[index] = State::Open;
                    for child in [split.left, split.right] {
                        match states[child as usize] {
                            State::Unseen => path.push(child),
                            State::Open => return Err(ForestError::Cycle { tree, node: child as usize }),
                            State::Done(_) => {}
                        }
                    }
                }
                // Back from the children.
                State::Open => {
                    let depth_of = |child: u32| match states[child as usize] {
                        State::Done(depth) => Some(depth),
                        _ => None,
                    };
                    let (Some(left), Some(right)) = (depth_of(split.left), depth_of(split.right)) else {
                        return Err(ForestError::Cycle { tree, node: index });
                    };
                    states[index] = State::Done(left.max(right) + 1);
                    path.pop();
                }
            }
        }
    }
    Ok(states.into_iter().map(|state| if let State::Done(depth) = state { Some(depth) } else { None }).collect())
}
