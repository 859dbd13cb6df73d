//! Attention: values weighted by how well their keys answer queries.

use burn::backend::DispatchTensor;
use burn::backend::ops::{ActivationOps as _, BoolTensorOps as _, FloatTensorOps as _};

use super::mask::{Bias, Visibility};
use super::{heads_attribute, split_heads};
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::host::ElementType;
use crate::ops::integers::Integers;
use crate::ops::logic::bool_dtype_beside;
use crate::ops::movement;
use crate::ops::operator::Outputs;
use crate::ops::precision::{cast, compute_type_with, float_type_attribute};
use crate::ops::shape::{product, sum};
use crate::ops::types::{TypeSet, check_same_type};
use crate::ops::{Inputs, NodeContext, OpError, Operator, Placement, RunContext};
use crate::tensor::{Backend, Tensor, Value};

/// What the fourth output shows of the scores.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
enum Stage {
    Product,
    Capped,
    Masked,
    Probabilities,
}

/// `softmax(cap(scale · Q · Kᵀ) + bias) · V` for every head. Heads of keys and values may be shared by a group of query heads. Everything between the
/// inputs and the results is computed in float32 at least.
///
/// <https://onnx.ai/onnx/operators/onnx__Attention.html>, opsets 23, 24 (`nonpad_kv_seqlen`), 25 (windows).
#[derive(Debug)]
struct Attention {
    n_query_heads: Option<usize>,
    n_key_heads: Option<usize>,
    scale: Option<f32>,
    /// 0: none.
    softcap: f32,
    softmax_type: Option<ElementType>,
    shown: Stage,
    visibility: Visibility,
    valid_lengths: Integers,
    n_outputs: usize,
}

pub fn build(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let attributes = node.attributes;
    let shown = match attributes.int("qk_matmul_output_mode")?.unwrap_or(0) {
        0 => Stage::Product,
        1 => Stage::Capped,
        2 => Stage::Masked,
        3 => Stage::Probabilities,
        other => return Err(OpError::value(format!("attribute 'qk_matmul_output_mode' is {other}; it may be 0, 1, 2 or 3"))),
    };
    let has_windows = node.opset >= 25;
    let window = |name: &str| Ok::<_, OpError>(if has_windows { attributes.int(name)?.and_then(|width| usize::try_from(width).ok()) } else { None });
    Ok(Box::new(Attention {
        n_query_heads: heads_attribute(node, "q_num_heads")?,
        n_key_heads: heads_attribute(node, "kv_num_heads")?,
        scale: attributes.float("scale")?,
        softcap: attributes.float("softcap")?.unwrap_or(0.0),
        softmax_type: float_type_attribute(node, "softmax_precision")?,
        shown,
        visibility: Visibility {
            is_causal: attributes.int("is_causal")?.unwrap_or(0) != 0,
            left_window: window("left_window_size")?,
            right_window: window("right_window_size")?,
        },
        valid_lengths: if node.opset >= 24 { Integers::from_input(node, 6, "nonpad_kv_seqlen")? } else { Integers::Absent },
        n_outputs: node.n_outputs.clamp(1, 4),
    }))
}

/// Queries, keys and values as `[batch, heads, steps, size]`, keys and values with what the cache held before them.
struct Heads {
    query: Tensor,
    key: Tensor,
    value: Tensor,
    n_past: usize,
    /// The result is `[batch, steps, heads · size]` as the queries were.
    is_merged: bool,
}

/// The sizes of an attention.
struct Sizes {
    batch: usize,
    query_heads: usize,
    key_heads: usize,
    queries: usize,
    keys: usize,
    size: usize,
    value_size: usize,
}

impl Heads {
    fn sizes(&self) -> Result<Sizes, OpError> {
        let (query, key, value) = (self.query.shape(), self.key.shape(), self.value.shape());
        let &[batch, query_heads, queries, size] = query else { return Err(OpError::shape("queries should have 4 axes")) };
        let (&[_, key_heads, keys, _], &[_, _, _, value_size]) = (key, value) else {
            return Err(OpError::shape("keys and values should have 4 axes"));
        };
        if key != [batch, key_heads, keys, size] || value != [batch, key_heads, keys, value_size] {
            return Err(OpError::shape(format!(
                "queries, keys and values have shapes {query:?}, {key:?} and {value:?} as [batch, heads, steps, size]; they do not go together"
            )));
        }
        if key_heads == 0 || !query_heads.is_multiple_of(key_heads) {
            return Err(OpError::shape(format!("{query_heads} query heads can't share {key_heads} heads of keys evenly")));
        }
        Ok(Sizes { batch, query_heads, key_heads, queries, keys, size, value_size })
    }
}

impl Attention {
    fn take_heads(&self, inputs: &mut Inputs) -> Result<Heads, OpError> {
        let query = inputs.take_tensor(0, "Q")?;
        let is_merged = query.rank() == 3;
        let split = |tensor: Tensor, n_heads: Option<usize>, attribute: &str, name: &str| {
            if is_merged { movement::permute(split_heads(tensor, n_heads, attribute, name)?, &[0, 2, 1, 3]) } else { Ok(tensor) }
        };
        let query = split(query, self.n_query_heads, "q_num_heads", "Q")?;
        let key = split(inputs.take_tensor(1, "K")?, self.n_key_heads, "kv_num_heads", "K")?;
        let value = split(inputs.take_tensor(2, "V")?, self.n_key_heads, "kv_num_heads", "V")?;
        for (index, tensor, name) in [(0, &query, "Q"), (1, &key, "K"), (2, &value, "V")] {
            TypeSet::FLOATS.check(tensor, index, name)?;
            if tensor.rank() != 4 {
                return Err(OpError::shape(format!("{name} has shape {:?}; it should have 4 axes, as Q does, or all should have 3", tensor.shape())));
            }
        }
        check_same_type(&query, &key)?;
        let (past_key, past_value) = (inputs.take_optional_tensor(4, "past_key")?, inputs.take_optional_tensor(5, "past_value")?);
        let (Some(past_key), Some(past_value)) = (&past_key, &past_value) else {
            if past_key.is_some() || past_value.is_some() {
                return Err(OpError::value("past_key and past_value go together, but only one of them is given"));
            }
            return Ok(Heads { query, key, value, n_past: 0, is_merged });
        };
        let append = |past: &Tensor, new: Tensor, name: &str| {
            check_same_type(past, &new)?;
            let fits = past.rank() == 4 && new.rank() == 4 && [0, 1, 3].iter().all(|&axis| past.shape()[axis] == new.shape()[axis]);
            if !fits {
                return Err(OpError::shape(format!("{name} has shape {:?}, which {:?} can't follow along axis 2", past.shape(), new.shape())));
            }
            movement::join(vec![past.clone(), new], 2)
        };
        let n_past = past_key.shape().get(2).copied().unwrap_or(0);
        Ok(Heads { query, key: append(past_key, key, "past_key")?, value: append(past_value, value, "past_value")?, n_past, is_merged })
    }

    /// The attended values and, where the fourth output is wanted, the scores at the stage that it shows.
    fn attend(
        &self,
        heads: &Heads,
        sizes: &Sizes,
        bias: &Bias,
        context: &RunContext<'_>,
    ) -> Result<(DispatchTensor, Option<DispatchTensor>), OpError> {
        let compute = compute_type_with(heads.query.element_type(), self.softmax_type.unwrap_or(ElementType::F32));
        let missing = || OpError::shape("an attention over nothing");
        let &Sizes { batch, query_heads, key_heads, queries, keys, size, value_size } = sizes;
        // The query heads of a group lie together, so that they are rows of one product with their shared keys.
        let group_rows = query_heads / key_heads * queries;
        let query = cast(heads.query.clone(), compute)?.reshaped(&[batch, key_heads, group_rows, size])?;
        let key = cast(movement::permute(heads.key.clone(), &[0, 1, 3, 2])?, compute)?.into_primitive().ok_or_else(missing)?;
        let value = cast(heads.value.clone(), compute)?.into_primitive().ok_or_else(missing)?;
        let bool_dtype = bool_dtype_beside(&query, context);
        let scale = self.scale.map_or_else(|| 1.0 / (size as f64).sqrt(), f64::from);
        let query = Backend::float_mul_scalar(query.into_primitive().ok_or_else(missing)?, scale.into());
        let score_shape = [batch, query_heads, queries, keys];
        let scores = Backend::float_reshape(Backend::float_matmul(query, key), score_shape.into());
        let mut shown = None;
        let mut show = |stage: Stage, scores: &DispatchTensor| {
            if self.n_outputs == 4 && self.shown == stage {
                shown = Some(scores.clone());
            }
        };
        show(Stage::Product, &scores);
        let scores = if self.softcap == 0.0 {
            scores
        } else {
            let capped = Backend::float_tanh(Backend::float_div_scalar(scores, self.softcap.into()));
            Backend::float_mul_scalar(capped, self.softcap.into())
        };
        show(Stage::Capped, &scores);
        let (scores, hidden_rows) = bias.apply(scores, compute, bool_dtype)?;
        show(Stage::Masked, &scores);
        let mut probabilities = Backend::softmax(scores, 3);
        if let Some(hidden_rows) = hidden_rows {
            // A query that may see no key gets nothing, rather than the quotient of 0 and 0.
            let hidden = Backend::bool_expand(hidden_rows, score_shape.into());
            probabilities = Backend::float_mask_fill(probabilities, hidden, 0.0.into());
        }
        show(Stage::Probabilities, &probabilities);
        let grouped = Backend::float_reshape(probabilities, [batch, key_heads, group_rows, keys].into());
        let attended = Backend::float_reshape(Backend::float_matmul(grouped, value), [batch, query_heads, queries, value_size].into());
        Ok((attended, shown))
    }
}

impl Operator for Attention {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let mut outputs = vec![None; self.n_outputs];
        let (Some((query_type, query)), Some((key_type, key)), Some((value_type, value))) = (inputs.tensor(0), inputs.tensor(1), inputs.tensor(2))
        else {
            return Ok(outputs);
        };
        let (Some(query), Some(key), Some(value)) = (query.dims(), key.dims(), value.dims()) else {
            let types =
                [query_type, key_type, value_type, query_type].map(|element_type| Some(ValueType::tensor(element_type, SymbolicShape::unknown())));
            return Ok(types.into_iter().take(self.n_outputs).collect());
        };
        // As [batch, heads, steps, size].
        let split = |dims: &[Dimension], n_heads: Option<usize>| match (dims, n_heads) {
            ([batch, steps, width], Some(n_heads)) => {
                let size =
                    width.known().filter(|width| width.is_multiple_of(n_heads)).map_or(Dimension::Unknown, |width| Dimension::Known(width / n_heads));
                Ok([batch.clone(), Dimension::Known(n_heads), steps.clone(), size])
            }
            ([batch, heads, steps, size], _) => Ok([batch.clone(), heads.clone(), steps.clone(), size.clone()]),
            _ => {
                Err(OpError::shape(format!("queries, keys and values have 3 axes and numbers of heads, or 4 axes, but one has {} axes", dims.len())))
            }
        };
        let is_merged = query.len() == 3;
        let [batch, query_heads, queries, _] = split(query, self.n_query_heads)?;
        let [_, key_heads, new_keys, size] = split(key, self.n_key_heads)?;
        let [_, _, _, value_size] = split(value, self.n_key_heads)?;
        let keys = match inputs.value_type(4) {
            None => new_keys,
            Some(past) => match past.as_tensor().and_then(|(_, shape)| shape.dims()) {
                Some([_, _, n_past, _]) => sum(&[n_past.clone(), new_keys]),
                _ => Dimension::Unknown,
            },
        };
        let attended = if is_merged {
            vec![batch.clone(), queries.clone(), product(&[query_heads.clone(), value_size.clone()])]
        } else {
            vec![batch.clone(), query_heads.clone(), queries.clone(), value_size.clone()]
        };
        let all = [
            (query_type, attended),
            (key_type, vec![batch.clone(), key_heads.clone(), keys.clone(), size]),
            (value_type, vec![batch.clone(), key_heads, keys.clone(), value_size]),
            (query_type, vec![batch, query_heads, queries, keys]),
        ];
        for (output, (element_type, dims)) in outputs.iter_mut().zip(all) {
            *output = Some(ValueType::tensor(element_type, dims));
        }
        Ok(outputs)
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let valid_lengths = self.valid_lengths.get(&mut inputs)?;
        let mask = inputs.take_optional_tensor(3, "attn_mask")?;
        let heads = self.take_heads(&mut inputs)?;
        let sizes = heads.sizes()?;
        let query_type = heads.query.element_type();
        let compute = compute_type_with(query_type, self.softmax_type.unwrap_or(ElementType::F32));
        let score_shape = [sizes.batch, sizes.query_heads, sizes.queries, sizes.keys];
        context.check_result_size(compute, &score_shape)?;
        let attended_shape = [sizes.batch, sizes.query_heads, sizes.queries, sizes.value_size];
        context.check_result_size(compute, &attended_shape)?;
        let bias = Bias::new(&self.visibility, mask, valid_lengths.as_deref(), &score_shape, heads.n_past, &heads.query, context)?;
        let is_over_nothing = heads.query.is_empty() || heads.key.is_empty() || heads.value.is_empty();
        let (attended, shown) = if is_over_nothing {
            (zeros(query_type, &attended_shape)?, zeros(query_type, &score_shape)?)
        } else {
            let (attended, shown) = self.attend(&heads, &sizes, &bias, context)?;
            let attended = cast(Tensor::from_primitive(compute, &attended_shape, attended), query_type)?;
            let shown = shown.map(|shown| cast(Tensor::from_primitive(compute, &score_shape, shown), query_type)).transpose()?;
            (attended, shown.unwrap_or_else(|| Tensor::empty(query_type, &[0])))
        };
        let attended = if heads.is_merged {
            movement::permute(attended, &[0, 2, 1, 3])?.reshaped(&[sizes.batch, sizes.queries, sizes.query_heads * sizes.value_size])?
        } else {
            attended
        };
        Ok([attended, heads.key, heads.value, shown].into_iter().take(self.n_outputs).map(Value::Tensor).collect())
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }

    fn macs(&self, inputs: &[Option<ValueType>], outputs: &[Option<ValueType>]) -> Option<u64> {
        let known = |types: &[Option<ValueType>], index: usize| types.get(index)?.as_ref()?.as_tensor()?.1.as_known();
        let (query, key, attended) = (known(inputs, 0)?, known(inputs, 1)?, known(outputs, 0)?);
        let n_past = inputs.get(4).and_then(Option::as_ref).map_or(Some(0), |past| past.as_tensor()?.1.as_known()?.get(2).copied())?;
        let keys = key.get(key.len().checked_sub(2)?)?.checked_add(n_past)?;
        let elements = |shape: &[usize]| shape.iter().try_fold(1_usize, |product, &dim| product.checked_mul(dim));
        // Every element of the queries meets every key, and every element of the result sums over them.
        u64::try_from(elements(&query)?.checked_add(elements(&attended)?)?.checked_mul(keys)?).ok()
    }
}

fn zeros(element_type: ElementType, shape: &[usize]) -> Result<Tensor, OpError> {
    cast(Tensor::from_vec(shape, vec![0.0_f32; shape.iter().product()])?, element_type)
}
