//! LinearAttention: attention whose memory of the past is one matrix per head.

use rayon::prelude::*;

use super::{heads_attribute, split_heads};
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::host::ElementType;
use crate::ops::operator::Outputs;
use crate::ops::precision::cast;
use crate::ops::shape::product;
use crate::ops::types::{TypeSet, check_same_type};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::{Device, Tensor, Value};

/// Step by step, with the state `S` of shape `[keys, values]`: `S ← e^g · S`, then `S ← S + k ⊗ v`, or with the delta rule
/// `S ← S + β · k ⊗ (v − Sᵀk)`; the output is `scale · Sᵀq`. Computed in float32.
///
/// <https://onnx.ai/onnx/operators/onnx__LinearAttention.html>, opset 27.
#[derive(Debug)]
struct LinearAttention {
    n_query_heads: usize,
    n_key_heads: usize,
    /// 0: the reciprocal root of the size of a key.
    scale: f32,
    has_decay: bool,
    has_delta: bool,
}

pub fn build(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let heads = |name: &str| heads_attribute(node, name)?.ok_or_else(|| OpError::value(format!("attribute '{name}' must be at least 1")));
    let (has_decay, has_delta) = match node.attributes.text("update_rule")?.unwrap_or("gated_delta") {
        "linear" => (false, false),
        "gated" => (true, false),
        "delta" => (false, true),
        "gated_delta" => (true, true),
        other => {
            return Err(OpError::value(format!("attribute 'update_rule' is '{other}'; it may be 'linear', 'gated', 'delta' or 'gated_delta'")));
        }
    };
    let (n_query_heads, n_key_heads) = (heads("q_num_heads")?, heads("kv_num_heads")?);
    if !n_query_heads.is_multiple_of(n_key_heads) {
        return Err(OpError::value(format!("{n_query_heads} query heads can't share {n_key_heads} heads of keys evenly")));
    }
    let scale = node.attributes.float("scale")?.unwrap_or(0.0);
    Ok(Box::new(LinearAttention { n_query_heads, n_key_heads, scale, has_decay, has_delta }))
}

/// The inputs in float32, as `[batch, steps, heads, size]` in row-major order.
struct Steps {
    batch: usize,
    steps: usize,
    key_size: usize,
    value_size: usize,
    query: Vec<f32>,
    key: Vec<f32>,
    value: Vec<f32>,
    /// With its elements per head: one, or one for each element of a key.
    decay: Option<(Vec<f32>, usize)>,
    /// With its heads: one for all, or one each.
    rate: Option<(Vec<f32>, usize)>,
}

impl LinearAttention {
    fn take(&self, inputs: &mut Inputs) -> Result<(Steps, ElementType), OpError> {
        let query = inputs.take_tensor(0, "query")?;
        let element_type = query.element_type();
        TypeSet::FLOATS.check(&query, 0, "query")?;
        let (key, value) = (inputs.take_tensor(1, "key")?, inputs.take_tensor(2, "value")?);
        check_same_type(&query, &key)?;
        check_same_type(&query, &value)?;
        let query = split_heads(query, Some(self.n_query_heads), "q_num_heads", "query")?;
        let key = split_heads(key, Some(self.n_key_heads), "kv_num_heads", "key")?;
        let value = split_heads(value, Some(self.n_key_heads), "kv_num_heads", "value")?;
        let &[batch, steps, _, key_size] = query.shape() else { return Err(OpError::shape("queries should have 3 axes")) };
        let value_size = value.shape()[3];
        if key.shape() != [batch, steps, self.n_key_heads, key_size] || value.shape()[..2] != [batch, steps] {
            let shapes = [&query, &key, &value].map(|tensor| format!("{:?}", tensor.shape())).join(", ");
            return Err(OpError::shape(format!("query, key and value do not go together; as [batch, steps, heads, size] they are {shapes}")));
        }
        let mut gate = |index: usize, name: &'static str, is_needed: bool, widths: [usize; 2]| {
            let gate = inputs.take_optional_tensor(index, name)?;
            if !is_needed {
                return Ok(None);
            }
            let gate = gate.ok_or(OpError::MissingInput { index, name })?;
            match *gate.shape() {
                [b, s, width] if (b, s) == (batch, steps) && widths.contains(&width) => Ok(Some((to_f32s(&gate)?, width))),
                _ => {
                    let expected = format!("a tensor of shape [{batch}, {steps}, {} or {}]", widths[0], widths[1]);
                    Err(OpError::WrongInput { index, name, expected, found: format!("{gate:?}") })
                }
            }
        };
        let decay = gate(4, "decay", self.has_decay, [self.n_key_heads, self.n_key_heads * key_size])?;
        let rate = gate(5, "beta", self.has_delta, [self.n_key_heads, 1])?;
        let decay = decay.map(|(decay, width)| (decay, width / self.n_key_heads));
        let (query, key, value) = (to_f32s(&query)?, to_f32s(&key)?, to_f32s(&value)?);
        Ok((Steps { batch, steps, key_size, value_size, query, key, value, decay, rate }, element_type))
    }

    /// Runs one head of keys over all steps. `state` is `[keys, values]`; `outputs` are those of the head's group of query heads, step after step.
    fn run_head(&self, steps: &Steps, batch: usize, head: usize, state: &mut [f32], outputs: &mut [f32]) {
        let &Steps { key_size, value_size, .. } = steps;
        let group = self.n_query_heads / self.n_key_heads;
        let scale = if self.scale == 0.0 { 1.0 / (key_size as f32).sqrt() } else { self.scale };
        let mut written = vec![0.0; value_size];
        for step in 0..steps.steps {
            let row = batch * steps.steps + step;
            let at = row * self.n_key_heads + head;
            let (key, value) = (&steps.key[at * key_size..][..key_size], &steps.value[at * value_size..][..value_size]);
            if let Some((decay, width)) = &steps.decay {
                let decay = &decay[at * width..][..*width];
                for (index, memory) in state.chunks_exact_mut(value_size).enumerate() {
                    let factor = decay[index % width].exp();
                    memory.iter_mut().for_each(|element| *element *= factor);
                }
            }
            written.copy_from_slice(value);
            if let Some((rate, width)) = &steps.rate {
                for (memory, &key) in state.chunks_exact(value_size).zip(key) {
                    written.iter_mut().zip(memory).for_each(|(written, &memory)| *written -= key * memory);
                }
                let rate = rate[row * width + head % width];
                written.iter_mut().for_each(|written| *written *= rate);
            }
            for (memory, &key) in state.chunks_exact_mut(value_size).zip(key) {
                memory.iter_mut().zip(&written).for_each(|(memory, &written)| *memory += key * written);
            }
            for member in 0..group {
                let query = &steps.query[(row * self.n_query_heads + head * group + member) * key_size..][..key_size];
                let output = &mut outputs[(step * group + member) * value_size..][..value_size];
                for (memory, &query) in state.chunks_exact(value_size).zip(query) {
                    output.iter_mut().zip(memory).for_each(|(output, &memory)| *output += scale * query * memory);
                }
            }
        }
    }
}

fn to_f32s(tensor: &Tensor) -> Result<Vec<f32>, OpError> {
    Ok(tensor.to_device(&Device::Cpu)?.to_f32s()?)
}

impl Operator for LinearAttention {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let (Some((element_type, query)), value) = (inputs.tensor(0), inputs.tensor(2)) else { return Ok(vec![None; 2]) };
        let state_type = inputs.tensor(3).map_or(element_type, |(state_type, _)| state_type);
        let width = |shape: Option<&SymbolicShape>, n_heads: usize| match shape.and_then(SymbolicShape::dims) {
            Some([.., width]) => {
                width.known().filter(|width| width.is_multiple_of(n_heads)).map_or(Dimension::Unknown, |width| Dimension::Known(width / n_heads))
            }
            _ => Dimension::Unknown,
        };
        let (key_size, value_size) = (width(Some(query), self.n_query_heads), width(value.map(|(_, shape)| shape), self.n_key_heads));
        let dim = |axis: usize| query.dims().and_then(|dims| dims.get(axis)).cloned().unwrap_or(Dimension::Unknown);
        let output = vec![dim(0), dim(1), product(&[Dimension::Known(self.n_query_heads), value_size.clone()])];
        let state = vec![dim(0), Dimension::Known(self.n_key_heads), key_size, value_size];
        Ok(vec![Some(ValueType::tensor(element_type, output)), Some(ValueType::tensor(state_type, state))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let past = inputs.take_optional_tensor(3, "past_state")?;
        let (steps, element_type) = self.take(&mut inputs)?;
        let &Steps { batch, steps: n_steps, key_size, value_size, .. } = &steps;
        let state_shape = [batch, self.n_key_heads, key_size, value_size];
        context.check_result_size(ElementType::F32, &state_shape)?;
        let output_shape = [batch, n_steps, self.n_query_heads * value_size];
        context.check_result_size(ElementType::F32, &output_shape)?;
        let state_type = past.as_ref().map_or(element_type, Tensor::element_type);
        let mut state = match past {
            None => vec![0.0; state_shape.iter().product()],
            Some(past) if past.shape() == state_shape && past.element_type().is_float() => to_f32s(&past)?,
            Some(past) => {
                let expected = format!("floating-point numbers of shape {state_shape:?}");
                return Err(OpError::WrongInput { index: 3, name: "past_state", expected, found: format!("{past:?}") });
            }
        };
        let group_width = self.n_query_heads / self.n_key_heads * value_size;
        // Head by head: [batch, key heads, steps, group of query heads].
        let mut by_head = vec![0.0; output_shape.iter().product()];
        if !by_head.is_empty() && !state.is_empty() {
            let heads = state.par_chunks_mut(key_size * value_size).zip(by_head.par_chunks_mut(n_steps * group_width)).enumerate();
            heads.for_each(|(index, (state, outputs))| self.run_head(&steps, index / self.n_key_heads, index % self.n_key_heads, state, outputs));
        }
        let mut outputs = Vec::with_capacity(by_head.len());
        for row in 0..batch * n_steps {
            for head in 0..self.n_key_heads {
                let at = (row / n_steps * self.n_key_heads + head) * n_steps + row % n_steps;
                outputs.extend_from_slice(&by_head[at * group_width..][..group_width]);
            }
        }
        let outputs = cast(Tensor::from_vec(&output_shape, outputs)?, element_type)?;
        let state = cast(Tensor::from_vec(&state_shape, state)?, state_type)?;
        Ok([outputs, state].into_iter().map(Value::Tensor).collect())
    }

    fn macs(&self, inputs: &[Option<ValueType>], _outputs: &[Option<ValueType>]) -> Option<u64> {
        let known = |index: usize| inputs.get(index)?.as_ref()?.as_tensor()?.1.as_known();
        let (query, value) = (known(0)?, known(2)?);
        let (&[batch, steps, query_width], &[_, _, value_width]) = (query.as_slice(), value.as_slice()) else { return None };
        // A state is read once per query head, written once, and read once more by the delta rule.
        let per_state = query_width.checked_div(self.n_query_heads)?.checked_mul(value_width / self.n_key_heads)?;
        let n_uses = self.n_query_heads + self.n_key_heads * if self.has_delta { 2 } else { 1 };
        u64::try_from([steps, per_state, n_uses].iter().try_fold(batch, |product, &factor| product.checked_mul(factor))?).ok()
    }
}
