//! Sums of products over labelled axes, two operands at a time.

use burn::backend::ops::FloatTensorOps as _;

use super::equation::Label;
use crate::ops::broadcast::{Walk, float_binary};
use crate::ops::matmul;
use crate::ops::movement::{self, Cut};
use crate::ops::types::{Number, match_number};
use crate::ops::{OpError, RunContext};
use crate::tensor::{Backend, Shape, Tensor};

/// A tensor with a label on every axis.
#[derive(Debug, Clone)]
pub struct Labelled {
    pub tensor: Tensor,
    pub labels: Vec<Label>,
}

impl Labelled {
    fn dim(&self, label: Label) -> Option<usize> {
        let axis = self.labels.iter().position(|other| *other == label)?;
        self.tensor.shape().get(axis).copied()
    }

    /// Where a label stands more than once, the diagonal of its axes.
    pub fn diagonal(mut self) -> Result<Self, OpError> {
        while let Some((first, second)) = repeated(&self.labels) {
            let n = self.tensor.shape()[first];
            let rank = self.labels.len();
            // The second axis moves beside the first; the diagonal is every (n + 1)-th element of the two as one.
            let order: Vec<usize> = (0..=first).chain([second]).chain((first + 1..rank).filter(|&axis| axis != second)).collect();
            let tensor = movement::permute(self.tensor, &order)?;
            let mut merged = Shape::from_slice(tensor.shape());
            merged.remove(first);
            merged[first] = n * n;
            let mut cuts: Vec<Cut> = merged.iter().map(|&dim| Cut::all(dim)).collect();
            cuts[first] = Cut { start: 0, length: n, step: (n + 1).cast_signed() };
            self.tensor = movement::cut(tensor.reshaped(&merged)?, &cuts)?;
            self.labels.remove(second);
        }
        Ok(self)
    }

    /// Drops axes of 1 whose label is larger elsewhere: they stretch by themselves.
    pub fn without_stretched(self, size_of: impl Fn(Label) -> usize) -> Result<Self, OpError> {
        let is_kept = |(label, dim): &(&Label, &usize)| **dim != 1 || size_of(**label) == 1;
        let kept: Vec<_> = self.labels.iter().zip(self.tensor.shape()).filter(is_kept).map(|(&label, &dim)| (label, dim)).collect();
        let shape: Vec<usize> = kept.iter().map(|(_, dim)| *dim).collect();
        Ok(Self { tensor: self.tensor.reshaped(&shape)?, labels: kept.into_iter().map(|(label, _)| label).collect() })
    }

    /// Sums over the axes whose label is not kept.
    pub fn sum_others(self, is_kept: impl Fn(Label) -> bool, context: &RunContext<'_>) -> Result<Self, OpError> {
        let summed: Vec<Label> = self.labels.iter().copied().filter(|&label| !is_kept(label)).collect();
        if summed.is_empty() {
            return Ok(self);
        }
        let kept: Vec<Label> = self.labels.iter().copied().filter(|&label| is_kept(label)).collect();
        let shape = self.shape_of(&kept);
        let (n_kept, n_summed) = (shape.iter().product(), self.shape_of(&summed).iter().product());
        let order: Vec<Label> = kept.iter().chain(&summed).copied().collect();
        let matrix = self.ordered(&order)?.tensor.reshaped(&[n_kept, n_summed])?;
        Ok(Self { tensor: sum_rows(matrix, context)?.reshaped(&shape)?, labels: kept })
    }

    /// The axes in the order of `labels`, which are all there.
    pub fn ordered(self, labels: &[Label]) -> Result<Self, OpError> {
        let axes: Option<Vec<usize>> = labels.iter().map(|label| self.labels.iter().position(|other| other == label)).collect();
        let axes = axes.filter(|axes| axes.len() == self.labels.len()).ok_or_else(|| OpError::shape("an axis was lost in a contraction"))?;
        Ok(Self { tensor: movement::permute(self.tensor, &axes)?, labels: labels.to_vec() })
    }

    /// A stack of matrices, of the axes that each of the three lists names.
    fn stack(self, batch: &[Label], rows: &[Label], columns: &[Label]) -> Result<Tensor, OpError> {
        let [n_batch, n_rows, n_columns] = [batch, rows, columns].map(|labels| self.shape_of(labels).iter().product::<usize>());
        if self.labels == [batch, columns, rows].concat() {
            // Transposing is a view; reordering would copy.
            return movement::permute(self.tensor.reshaped(&[n_batch, n_columns, n_rows])?, &[0, 2, 1]);
        }
        let ordered = self.ordered(&[batch, rows, columns].concat())?;
        Ok(ordered.tensor.reshaped(&[n_batch, n_rows, n_columns])?)
    }

    fn shape_of(&self, labels: &[Label]) -> Shape {
        labels.iter().filter_map(|&label| self.dim(label)).collect()
    }
}

/// The axes of the first label that stands more than once.
fn repeated(labels: &[Label]) -> Option<(usize, usize)> {
    let twin = |(axis, label): (usize, &Label)| Some((axis, axis + 1 + labels[axis + 1..].iter().position(|other| other == label)?));
    labels.iter().enumerate().find_map(twin)
}

/// How two operands are multiplied: what they share and what is each one's own. Summed labels that only one of them has are gone already.
#[derive(Debug, Clone, Default)]
pub struct Pairing {
    /// In both operands and in the result.
    batch: Vec<Label>,
    /// In both operands, and summed over.
    contracted: Vec<Label>,
    left: Vec<Label>,
    right: Vec<Label>,
}

impl Pairing {
    pub fn new(left: &[Label], right: &[Label], is_kept: impl Fn(Label) -> bool) -> Self {
        let mut pairing = Self::default();
        for &label in left {
            match (right.contains(&label), is_kept(label)) {
                (true, true) => pairing.batch.push(label),
                (true, false) => pairing.contracted.push(label),
                (false, _) => pairing.left.push(label),
            }
        }
        pairing.right = right.iter().copied().filter(|label| !left.contains(label)).collect();
        pairing
    }

    /// Labels of the product.
    pub fn result(&self) -> Vec<Label> {
        [self.batch.as_slice(), &self.left, &self.right].concat()
    }

    /// Elements of the product, and multiplications.
    pub fn cost(&self, size_of: impl Fn(Label) -> usize) -> (u128, u128) {
        let n_elements = self.result().iter().fold(1_u128, |product, &label| product.saturating_mul(size_of(label) as u128));
        let n_products = self.contracted.iter().fold(n_elements, |product, &label| product.saturating_mul(size_of(label) as u128));
        (n_elements, n_products)
    }

    /// The sum of products, as a stack of matrix products.
    pub fn multiply(&self, left: Labelled, right: Labelled, context: &RunContext<'_>) -> Result<Labelled, OpError> {
        let size = |operand: &Labelled, labels: &[Label]| operand.shape_of(labels).iter().product::<usize>();
        let (n_batch, n_inner) = (size(&left, &self.batch), size(&left, &self.contracted));
        let (n_left, n_right) = (size(&left, &self.left), size(&right, &self.right));
        let shape: Shape = left.shape_of(&self.batch).into_iter().chain(left.shape_of(&self.left)).chain(right.shape_of(&self.right)).collect();
        let element_type = left.tensor.element_type();
        context.check_result_size(element_type, &shape)?;
        let left = left.stack(&self.batch, &self.left, &self.contracted)?;
        let product = if n_left == 1 && n_right == 1 || self.contracted.is_empty() {
            // Nothing for a matrix product to share: element by element.
            let right = right.stack(&self.batch, &self.right, &self.contracted)?;
            let (left, right) = (left.reshaped(&[n_batch, n_left, 1, n_inner])?, right.reshaped(&[n_batch, 1, n_right, n_inner])?);
            let product = multiply_elements(left, right, context)?;
            if self.contracted.is_empty() { product } else { sum_rows(product.reshaped(&[n_batch * n_left * n_right, n_inner])?, context)? }
        } else {
            matmul::of_stacks(left, right.stack(&self.batch, &self.contracted, &self.right)?, context)?
        };
        Ok(Labelled { tensor: product.reshaped(&shape)?, labels: self.result() })
    }
}

/// The sums of a matrix's rows.
fn sum_rows(matrix: Tensor, context: &RunContext<'_>) -> Result<Tensor, OpError> {
    fn on_host<T: Number>(matrix: &Tensor) -> Result<Tensor, OpError> {
        let &[n_rows, n_columns] = matrix.shape() else { return Err(OpError::shape("rows of a matrix are summed")) };
        let values = matrix.as_slice::<T>()?;
        let sum = |row: usize| values[row * n_columns..][..n_columns].iter().fold(T::ZERO, |sum, &value| sum.plus(value));
        Ok(Tensor::from_vec(&[n_rows], (0..n_rows).map(sum).collect())?)
    }
    let (element_type, n_rows) = (matrix.element_type(), matrix.shape()[0]);
    context.check_result_size(element_type, &[n_rows])?;
    if element_type.is_float() && !matrix.is_empty() {
        let sums = matrix.into_primitive().map(|matrix| Backend::float_sum_dim(matrix, 1));
        return sums.map(|sums| Tensor::from_primitive(element_type, &[n_rows], sums)).ok_or_else(|| OpError::shape("there is nothing to sum"));
    }
    match_number!(element_type, T => on_host::<T>(&matrix), else Err(OpError::unsupported(format!("Einsum of {element_type}"))))
}

fn multiply_elements(left: Tensor, right: Tensor, context: &RunContext<'_>) -> Result<Tensor, OpError> {
    fn on_host<T: Number>(left: &Tensor, right: &Tensor, context: &RunContext<'_>) -> Result<Tensor, OpError> {
        let walk = Walk::new([left.shape(), right.shape()])?;
        context.check_result_size(T::ELEMENT_TYPE, walk.shape())?;
        Ok(Tensor::from_vec(walk.shape(), walk.map(&left.as_slice::<T>()?, &right.as_slice::<T>()?, T::times))?)
    }
    let element_type = left.element_type();
    if element_type.is_float() {
        return float_binary(left, right, element_type, context, Backend::float_mul);
    }
    match_number!(element_type, T => on_host::<T>(&left, &right, context), else Err(OpError::unsupported(format!("Einsum of {element_type}"))))
}
