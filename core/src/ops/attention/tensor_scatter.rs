//! TensorScatter: new steps written into a cache of fixed size.

use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::ops::integers::Integers;
use crate::ops::movement::{self, Cut};
use crate::ops::operator::{Outputs, single};
use crate::ops::shape::{normalize_axis, same_as};
use crate::ops::types::check_same_type;
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::Tensor;

/// <https://onnx.ai/onnx/operators/onnx__TensorScatter.html>, opset 24.
#[derive(Debug)]
struct TensorScatter {
    axis: i64,
    /// What would be written past the end goes on at the start.
    is_circular: bool,
    starts: Integers,
}

pub fn build(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let is_circular = match node.attributes.text("mode")?.unwrap_or("linear") {
        "linear" => false,
        "circular" => true,
        other => return Err(OpError::value(format!("attribute 'mode' is '{other}'; it may be 'linear' or 'circular'"))),
    };
    let starts = Integers::from_input(node, 2, "write_indices")?;
    Ok(Box::new(TensorScatter { axis: node.attributes.int("axis")?.unwrap_or(-2), is_circular, starts }))
}

impl TensorScatter {
    /// For every step of the cache, where it comes from: the cache itself, or `n_cached` and more, the update.
    fn sources(&self, start: i64, n_cached: usize, n_new: usize) -> Result<Vec<usize>, OpError> {
        let refuse = || OpError::value(format!("{n_new} steps do not fit into a cache of {n_cached} at {start}"));
        let start = usize::try_from(start).map_err(|_| refuse())?;
        if !self.is_circular && start.checked_add(n_new).is_none_or(|end| end > n_cached) {
            return Err(refuse());
        }
        let mut sources: Vec<usize> = (0..n_cached).collect();
        for step in 0..n_new {
            sources[(start % n_cached + step) % n_cached] = n_cached + step;
        }
        Ok(sources)
    }
}

impl Operator for TensorScatter {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![same_as(inputs, 0)])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let (cache, update) = (inputs.take_tensor(0, "past_cache")?, inputs.take_tensor(1, "update")?);
        check_same_type(&cache, &update)?;
        let axis = normalize_axis(self.axis, cache.rank())?;
        if axis == 0 {
            return Err(OpError::shape("the axis of steps can't be axis 0, which is the batch"));
        }
        let (n_cached, n_new) = (cache.shape()[axis], update.shape().get(axis).copied().unwrap_or(0));
        let fits = update.rank() == cache.rank()
            && n_new <= n_cached
            && cache.shape().iter().zip(update.shape()).enumerate().all(|(other, (cached, new))| other == axis || cached == new);
        if !fits {
            return Err(OpError::shape(format!(
                "an update of shape {:?} does not go into a cache of shape {:?} along axis {axis}",
                update.shape(),
                cache.shape()
            )));
        }
        let batch = cache.shape()[0];
        let starts = self.starts.get(&mut inputs)?;
        if let Some(starts) = starts.as_ref().filter(|starts| starts.len() != batch) {
            return Err(OpError::shape(format!("write_indices has {} places for a batch of {batch}", starts.len())));
        }
        if cache.is_empty() || n_new == 0 {
            return Ok(single(cache));
        }
        let example = |tensor: &Tensor, index: usize| {
            let mut cuts: Vec<Cut> = tensor.shape().iter().map(|&dim| Cut::all(dim)).collect();
            cuts[0] = Cut::range(index, 1);
            movement::cut(tensor.clone(), &cuts)
        };
        let written = |index: usize| {
            let start = starts.as_ref().map_or(0, |starts| starts[index]);
            let sources = self.sources(start, n_cached, n_new)?;
            movement::pick(movement::join(vec![example(&cache, index)?, example(&update, index)?], axis)?, axis, &sources, context)
        };
        Ok(single(movement::join((0..batch).map(written).collect::<Result<_, _>>()?, 0)?))
    }
}
