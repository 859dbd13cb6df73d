//! FlexAttention: attention whose scores and probabilities go through subgraphs of the model's own.

use std::sync::Arc;

use burn::backend::ops::{ActivationOps as _, FloatTensorOps as _};

use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::host::ElementType;
use crate::ops::operator::{Captured, Outputs, single};
use crate::ops::types::{TypeSet, check_same_type};
use crate::ops::{Body, Inputs, NodeContext, OpError, Operator, Placement, RunContext, matmul, movement, precision};
use crate::tensor::{Backend, Device, Tensor, Value};

/// Query, key, value.
const N_INPUTS: usize = 3;

/// <https://onnx.ai/onnx/operators/onnx_aionnxpreview_FlexAttention.html>, opset 1 of `ai.onnx.preview`.
///
/// `Y = prob_mod(softmax(score_mod(scale · Q Kᵀ))) V` for Q `[batch, heads, queries, size]` and K, V `[batch, key heads, keys, size]`; each key head
/// serves a run of neighbouring query heads.
#[derive(Debug)]
struct FlexAttention {
    /// `1 / √size` unless given.
    scale: Option<f32>,
    score_mod: Option<Arc<dyn Body>>,
    prob_mod: Option<Arc<dyn Body>>,
    softmax_type: Option<ElementType>,
}

pub(super) fn build(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let modifier = |name: &str| {
        if !context.attributes.contains(name) {
            return Ok(None);
        }
        let body = context.body(name)?;
        if body.n_inputs() != 1 || body.n_outputs() != 1 {
            return Err(OpError::value(format!(
                "the graph in attribute '{name}' should have one input and one output, but has {} and {}",
                body.n_inputs(),
                body.n_outputs()
            )));
        }
        Ok(Some(body))
    };
    Ok(Box::new(FlexAttention {
        scale: context.attributes.float("scale")?,
        score_mod: modifier("score_mod")?,
        prob_mod: modifier("prob_mod")?,
        softmax_type: precision::float_type_attribute(context, "softmax_precision")?,
    }))
}

/// Batch, heads, positions and size of one input.
fn dims(tensor: &Tensor, index: usize, name: &'static str) -> Result<[usize; 4], OpError> {
    TypeSet::FLOATS.check(tensor, index, name)?;
    <[usize; 4]>::try_from(tensor.shape()).map_err(|_| OpError::WrongInput {
        index,
        name,
        expected: "[batch, heads, positions, size]".to_owned(),
        found: format!("{tensor:?}"),
    })
}

fn modify(body: Option<&Arc<dyn Body>>, tensor: Tensor, captured: &[Value], context: &RunContext<'_>) -> Result<Tensor, OpError> {
    let Some(body) = body else { return Ok(tensor) };
    let (element_type, shape) = (tensor.element_type(), tensor.shape().to_vec());
    // What comes back is wherever the subgraph's last node ran.
    let device = if tensor.is_on_host() { &Device::Cpu } else { context.device };
    match body.run(vec![Value::Tensor(tensor)], captured, context)?.pop() {
        Some(Value::Tensor(made)) if made.element_type() == element_type && made.shape() == shape => Ok(made.to_device(device)?),
        made => Err(OpError::shape(format!(
            "a modifier should make {element_type}{shape:?} like what it was given, but made {}",
            made.map_or_else(|| "nothing".to_owned(), |made| made.describe())
        ))),
    }
}

impl Operator for FlexAttention {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let Some((element_type, query)) = inputs.tensor(0) else { return Ok(vec![None]) };
        let value = inputs.tensor(2).and_then(|(_, shape)| shape.dims()?.get(3).cloned());
        let dims = query.dims().filter(|dims| dims.len() == 4).map(|dims| {
            let mut dims = dims.to_vec();
            dims[3] = value.unwrap_or(Dimension::Unknown);
            dims
        });
        Ok(vec![Some(ValueType::tensor(element_type, SymbolicShape(dims)))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let captured = inputs.take_from(N_INPUTS);
        let (query, key, value) = (inputs.take_tensor(0, "Q")?, inputs.take_tensor(1, "K")?, inputs.take_tensor(2, "V")?);
        check_same_type(&query, &key)?;
        check_same_type(&query, &value)?;
        let [batch, n_heads, n_queries, size] = dims(&query, 0, "Q")?;
        let [key_batch, n_key_heads, n_keys, key_size] = dims(&key, 1, "K")?;
        let [value_batch, n_value_heads, n_values, value_size] = dims(&value, 2, "V")?;
        let fits = [key_batch, value_batch] == [batch; 2]
            && n_key_heads == n_value_heads
            && n_keys == n_values
            && key_size == size
            && n_heads.checked_rem(n_key_heads) == Some(0);
        if !fits {
            return Err(OpError::shape(format!(
                "Q {:?}, K {:?} and V {:?} do not go together: batch, keys and size must be equal, and the heads of Q a multiple of the others'",
                query.shape(),
                key.shape(),
                value.shape()
            )));
        }
        let element_type = query.element_type();
        let softmax_type = self.softmax_type.unwrap_or(precision::compute_type(element_type));
        context.check_result_size(softmax_type, &[batch, n_heads, n_queries, n_keys])?;
        let result_shape = [batch, n_heads, n_queries, value_size];
        context.check_result_size(softmax_type, &result_shape)?;
        // The query heads that share a key head lie side by side: together they are one matrix.
        let n_rows = n_heads / n_key_heads * n_queries;
        let query = precision::cast(query, softmax_type)?.reshaped(&[batch, n_key_heads, n_rows, size])?;
        let key = movement::permute(precision::cast(key, softmax_type)?, &[0, 1, 3, 2])?;
        let scores = matmul::of_stacks(query, key, context)?.reshaped(&[batch, n_heads, n_queries, n_keys])?;
        let scale = self.scale.map_or_else(|| 1.0 / (size as f64).sqrt(), f64::from);
        let scores = over_floats(scores, |scores| Backend::float_mul_scalar(scores, scale.into()));
        let scores = modify(self.score_mod.as_ref(), scores, &captured, context)?;
        let probabilities = over_floats(scores, |scores| Backend::softmax(scores, 3));
        let probabilities = modify(self.prob_mod.as_ref(), probabilities, &captured, context)?;
        let probabilities = probabilities.reshaped(&[batch, n_key_heads, n_rows, n_keys])?;
        let result = matmul::of_stacks(probabilities, precision::cast(value, softmax_type)?, context)?.reshaped(&result_shape)?;
        Ok(single(precision::cast(result, element_type)?))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }

    fn macs(&self, inputs: &[Option<ValueType>], _outputs: &[Option<ValueType>]) -> Option<u64> {
        let dims = |index: usize| <[usize; 4]>::try_from(inputs.get(index)?.as_ref()?.as_tensor()?.1.as_known()?).ok();
        let ([batch, n_heads, n_queries, size], [_, _, n_keys, value_size]) = (dims(0)?, dims(2)?);
        let scores = [batch, n_heads, n_queries, n_keys].iter().try_fold(1_u64, |product, &dim| product.checked_mul(dim as u64))?;
        let captured = Captured { types: inputs.get(N_INPUTS..)?, constants: &[] };
        let modifier = |body: &Option<Arc<dyn Body>>| body.as_ref().map_or(Some(0), |body| body.macs(vec![None], captured));
        let products = scores.checked_mul(size.checked_add(value_size)? as u64)?;
        products.checked_add(modifier(&self.score_mod)?)?.checked_add(modifier(&self.prob_mod)?)
    }
}

fn over_floats(tensor: Tensor, apply: impl FnOnce(burn::backend::DispatchTensor) -> burn::backend::DispatchTensor) -> Tensor {
    let (element_type, shape) = (tensor.element_type(), tensor.shape().to_vec());
    match tensor.into_primitive() {
        Some(primitive) => Tensor::from_primitive(element_type, &shape, apply(primitive)),
        None => Tensor::empty(element_type, &shape),
    }
}
