//! Attention and MultiHeadAttention: `softmax(scale · Q Kᵀ + masks) V` for each head.

use burn::backend::ops::{ActivationOps as _, FloatTensorOps as _};
use smallvec::SmallVec;

use super::{STANDARD_OPSET, attributes, require_count, run_one, standard, standard_with};
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::host::ElementType;
use crate::ops::broadcast::check_broadcasts_to;
use crate::ops::movement::{self, Cut};
use crate::ops::operator::Outputs;
use crate::ops::precision::cast;
use crate::ops::types::{TypeSet, check_same_type};
use crate::ops::{Inputs, NodeContext, OpError, Operator, Placement, RunContext};
use crate::tensor::{Backend, Shape, Tensor, Value};

mod multi_head;
mod quantized;

pub use multi_head::build as build_multi_head;
pub use quantized::build as build_quantized;

/// What both operators are told.
#[derive(Debug)]
struct Heads {
    count: usize,
    /// Of the scores; `1 / √head size` where absent.
    scale: Option<f32>,
    /// What is added to the scores of keys that a mask hides.
    hidden: f32,
    /// A query sees no keys after its own place.
    is_causal: bool,
    add: Box<dyn Operator>,
}

/// Queries, keys and values in float32: [batch, heads, places, head size]. Keys and values have the past before them.
struct Operands {
    query: Tensor,
    key: Tensor,
    value: Tensor,
}

impl Heads {
    fn new(node: &NodeContext<'_>) -> Result<Self, OpError> {
        for name in ["do_rotary", "past_present_share_buffer"] {
            if node.attributes.int(name)?.unwrap_or(0) != 0 {
                return Err(OpError::unsupported(format!("{} with attribute '{name}'", node.op_type)));
            }
        }
        Ok(Self {
            count: require_count(node, "num_heads")?,
            scale: node.attributes.float("scale")?.filter(|&scale| scale != 0.0),
            hidden: node.attributes.float("mask_filter_value")?.unwrap_or(-10_000.0),
            is_causal: node.attributes.int("unidirectional")?.unwrap_or(0) != 0,
            add: standard("Add", STANDARD_OPSET, &attributes([]), 2, 1)?,
        })
    }

    /// [batch, places, width] as [batch, heads, places, head size].
    fn split(&self, tensor: Tensor, name: &str) -> Result<Tensor, OpError> {
        let &[batch, places, width] = tensor.shape() else {
            return Err(OpError::shape(format!("the {name} has shape {:?}; it should have three axes", tensor.shape())));
        };
        if !width.is_multiple_of(self.count) {
            return Err(OpError::shape(format!("the {name} is {width} wide, which {} heads cannot share", self.count)));
        }
        movement::permute(tensor.reshaped(&[batch, places, self.count, width / self.count])?, &[0, 2, 1, 3])
    }

    /// What is added to the scores of shape [batch, heads, queries, keys]: masks from integers, and causality.
    fn mask(&self, mask: Option<&Tensor>, scores: [usize; 4]) -> Result<Option<Tensor>, OpError> {
        let [batch, _, queries, keys] = scores;
        let past = keys.saturating_sub(queries);
        let given = mask.map(|mask| self.given_mask(mask, batch, queries, keys)).transpose()?;
        if !self.is_causal {
            return Ok(given);
        }
        let causal = |query: usize, key: usize| if key > past + query { f32::MIN } else { 0.0 };
        let values = (0..queries).flat_map(|query| (0..keys).map(move |key| causal(query, key))).collect();
        let causal = Tensor::from_vec(&[1, 1, queries, keys], values)?;
        let Some(given) = given else { return Ok(Some(causal)) };
        // Where both hide a key it is as hidden as can be; sums would overflow.
        let (given, causal) = (movement::expand(given, &[batch, 1, queries, keys])?, causal.as_slice::<f32>()?.into_owned());
        let given = given.as_slice::<f32>()?.into_owned();
        let both = given.iter().zip(causal.iter().cycle()).map(|(given, causal)| given.min(*causal)).collect();
        Ok(Some(Tensor::from_vec(&[batch, 1, queries, keys], both)?))
    }

    /// A mask of integers: which keys count ([batch, keys] or [batch, queries, keys]), or where each row ends ([batch]), or where it ends and
    /// starts ([2 · batch]).
    fn given_mask(&self, mask: &Tensor, batch: usize, queries: usize, keys: usize) -> Result<Tensor, OpError> {
        let values = mask.to_i64s()?;
        let hide = |is_seen: bool| if is_seen { 0.0 } else { self.hidden };
        let raw = || values.iter().map(|&value| hide(value > 0)).collect();
        let bounded = |first: &dyn Fn(usize) -> i64| {
            let row = |row: usize| {
                let range = first(row)..values[row];
                (0..keys).map(move |key| hide(i64::try_from(key).is_ok_and(|key| range.contains(&key)))).collect::<Vec<f32>>()
            };
            (0..batch).flat_map(row).collect()
        };
        let (shape, values) = match *mask.shape() {
            [rows, length] if rows == batch && length == keys => ([batch, 1, 1, keys], raw()),
            [rows, places, length] if rows == batch && places == queries && length == keys => ([batch, 1, queries, keys], raw()),
            [rows] if rows == batch => ([batch, 1, 1, keys], bounded(&|_| 0)),
            [rows] if rows == 2 * batch => ([batch, 1, 1, keys], bounded(&|row| values[batch + row])),
            _ => {
                return Err(OpError::unsupported(format!(
                    "a mask of shape {:?} for {batch} sequences of {queries} queries and {keys} keys (only [{batch}, {keys}], [{batch}, {queries}, {keys}], \
                     [{batch}] and [{}])",
                    mask.shape(),
                    2 * batch
                )));
            }
        };
        Ok(Tensor::from_vec(&shape, values)?)
    }

    /// The result as [batch, queries, heads · value size], in float32, and the weights of the values.
    fn attend(&self, operands: Operands, mask: Option<&Tensor>, bias: Option<Tensor>, context: &RunContext<'_>) -> Result<(Tensor, Tensor), OpError> {
        let Operands { query, key, value } = operands;
        let &[batch, heads, queries, size] = query.shape() else { return Err(OpError::shape("queries without heads")) };
        let (keys, value_size) = (key.shape()[2], value.shape()[3]);
        if key.shape() != [batch, heads, keys, size] || value.shape() != [batch, heads, keys, value_size] {
            let (query, key, value) = (query.shape(), key.shape(), value.shape());
            return Err(OpError::shape(format!("queries of {query:?}, keys of {key:?} and values of {value:?} do not go together")));
        }
        let scores_shape = [batch, heads, queries, keys];
        context.check_result_size(ElementType::F32, &scores_shape)?;
        let mask = self.mask(mask, scores_shape)?;
        if let Some(bias) = &bias {
            check_broadcasts_to(bias.shape(), &scores_shape)?;
        }
        let result_shape = [batch, queries, heads * value_size];
        let transposed = movement::permute(key, &[0, 1, 3, 2])?;
        let (Some(query), Some(key), Some(value)) = (query.into_primitive(), transposed.into_primitive(), value.into_primitive()) else {
            let zeros = Tensor::from_vec(&result_shape, vec![0.0_f32; result_shape.iter().product()])?;
            return Ok((zeros, Tensor::from_vec(&scores_shape, vec![0.0_f32; scores_shape.iter().product()])?));
        };
        let scale = self.scale.unwrap_or_else(|| 1.0 / (size as f32).sqrt());
        let scores = Backend::float_mul_scalar(Backend::float_matmul(query, key), scale.into());
        let mut scores = Tensor::from_primitive(ElementType::F32, &scores_shape, scores);
        for addend in [mask.map(|mask| mask.to_device(context.device)).transpose()?, bias].into_iter().flatten() {
            scores = run_one(self.add.as_ref(), [Some(scores), Some(addend)], context)?;
        }
        let Some(scores) = scores.into_primitive() else { return Err(OpError::shape("scores without elements")) };
        let weights = Backend::softmax(scores, 3);
        let mixed = Backend::float_matmul(weights.clone(), value);
        let mixed = Tensor::from_primitive(ElementType::F32, &[batch, heads, queries, value_size], mixed);
        let weights = Tensor::from_primitive(ElementType::F32, &scores_shape, weights);
        Ok((movement::permute(mixed, &[0, 2, 1, 3])?.reshaped(&result_shape)?, weights))
    }
}

/// float32 in place of half precision: the softmax loses too many digits in it.
fn widen(tensor: Tensor) -> Result<Tensor, OpError> {
    cast(tensor, ElementType::F32)
}

/// Self-attention: queries, keys and values are parts of one projection.
#[derive(Debug)]
struct SelfAttention {
    heads: Heads,
    /// Widths of queries, keys and values where they are not all the same.
    widths: Option<[usize; 3]>,
    n_outputs: usize,
}

/// What may be given to attention beside its projection.
struct Extras {
    mask: Option<Tensor>,
    /// [2, batch, heads, places, head size]: keys and values of earlier steps.
    past: Option<Tensor>,
    /// Added to the scores.
    bias: Option<Tensor>,
}

impl SelfAttention {
    fn new(node: &NodeContext<'_>) -> Result<Self, OpError> {
        let widths = match node.attributes.ints("qkv_hidden_sizes")? {
            Some(sizes) if !sizes.is_empty() => {
                let widths: Option<Vec<usize>> = sizes.iter().map(|&size| usize::try_from(size).ok()).collect();
                let widths: Option<[usize; 3]> = widths.and_then(|widths| widths.try_into().ok());
                Some(widths.ok_or_else(|| OpError::value(format!("attribute 'qkv_hidden_sizes' is {sizes:?}; it should hold three sizes")))?)
            }
            _ => None,
        };
        Ok(Self { heads: Heads::new(node)?, widths, n_outputs: node.n_outputs.clamp(1, 2) })
    }

    fn widths(&self, total: usize) -> Result<[usize; 3], OpError> {
        let widths = self.widths.unwrap_or([total / 3; 3]);
        if widths.iter().try_fold(0_usize, |sum, &width| sum.checked_add(width)) != Some(total) {
            return Err(OpError::shape(format!("the weights are {total} wide, which does not make queries, keys and values of {widths:?}")));
        }
        Ok(widths)
    }

    /// The type of the result, of elements of a type, for an input and weights.
    fn infer(&self, element_type: ElementType, inputs: &InferInputs<'_>) -> Vec<Option<ValueType>> {
        let Some((_, shape)) = inputs.tensor(0) else { return vec![None; self.n_outputs] };
        let total = inputs.tensor(1).and_then(|(_, shape)| shape.dims()?.get(1)?.known());
        let width = match (self.widths, total) {
            (Some([_, _, width]), _) => Dimension::Known(width),
            (None, Some(total)) => Dimension::Known(total / 3),
            _ => Dimension::Unknown,
        };
        let result = shape.dims().filter(|dims| dims.len() == 3).map(|dims| vec![dims[0].clone(), dims[1].clone(), width]);
        [Some(ValueType::tensor(element_type, SymbolicShape(result))), None].into_iter().take(self.n_outputs).collect()
    }

    /// Multiply-accumulates with the projection's. The past is not counted: its length is no attribute.
    fn macs(&self, inputs: &[Option<ValueType>], outputs: &[Option<ValueType>]) -> Option<u64> {
        let known = |value_type: &Option<ValueType>| value_type.as_ref()?.as_tensor()?.1.as_known();
        let (input, weights, result) = (known(inputs.first()?)?, known(inputs.get(1)?)?, known(outputs.first()?)?);
        let &[batch, places, width] = input.as_slice() else { return None };
        let product = |factors: &[usize]| factors.iter().try_fold(1_u64, |product, &factor| product.checked_mul(u64::try_from(factor).ok()?));
        let [query, _, _] = self.widths(*weights.get(1)?).ok()?;
        let scores = product(&[batch, places, places, query])?;
        let mixed = product(&[batch, places, places, *result.get(2)?])?;
        product(&[batch, places, width, *weights.get(1)?])?.checked_add(scores)?.checked_add(mixed)
    }

    /// From a float32 projection of [batch, places, all widths]: the result, and keys and values for the next step, in float32.
    fn run(&self, projected: &Tensor, extras: Extras, context: &RunContext<'_>) -> Result<Vec<Tensor>, OpError> {
        let &[batch, places, total] = projected.shape() else { return Err(OpError::shape("the projection should have three axes")) };
        let widths = self.widths(total)?;
        let part = |start: usize, width: usize, name: &str| {
            let cut = movement::cut(projected.clone(), &[Cut::all(batch), Cut::all(places), Cut::range(start, width)])?;
            self.heads.split(cut, name)
        };
        let query = part(0, widths[0], "queries")?;
        let mut key = part(widths[0], widths[1], "keys")?;
        let mut value = part(widths[0] + widths[1], widths[2], "values")?;
        if let Some(past) = extras.past {
            [key, value] = Self::with_past(past, [key, value])?;
        }
        let present = if self.n_outputs > 1 {
            let stacked = |tensor: &Tensor| {
                let shape: Shape = [1].into_iter().chain(tensor.shape().iter().copied()).collect();
                tensor.clone().reshaped(&shape)
            };
            if key.shape() != value.shape() {
                return Err(OpError::unsupported("an output 'present' of keys and values of different sizes"));
            }
            Some(movement::join(vec![stacked(&key)?, stacked(&value)?], 0)?)
        } else {
            None
        };
        let (result, _) = self.heads.attend(Operands { query, key, value }, extras.mask.as_ref(), extras.bias, context)?;
        Ok([Some(result), present].into_iter().flatten().collect())
    }

    /// The past's keys and values before those of this step: `past` is [2, batch, heads, places, head size].
    fn with_past(past: Tensor, parts: [Tensor; 2]) -> Result<[Tensor; 2], OpError> {
        let past = widen(past)?;
        let &[2, batch, heads, places, size] = past.shape() else {
            return Err(OpError::shape(format!("the past has shape {:?}; it should be [2, batch, heads, places, head size]", past.shape())));
        };
        let mut joined = SmallVec::<[Tensor; 2]>::new();
        for (index, part) in parts.into_iter().enumerate() {
            if part.shape()[..2] != [batch, heads] || part.shape()[3] != size {
                return Err(OpError::shape(format!("the past of {:?} does not go with {:?} of this step", past.shape(), part.shape())));
            }
            let cuts: Vec<Cut> =
                past.shape().iter().enumerate().map(|(axis, &dim)| if axis == 0 { Cut::range(index, 1) } else { Cut::all(dim) }).collect();
            let before = movement::cut(past.clone(), &cuts)?.reshaped(&[batch, heads, places, size])?;
            joined.push(movement::join(vec![before, part], 2)?);
        }
        joined.into_inner().map_err(|_| OpError::shape("a past without keys or values"))
    }
}

/// Self-attention over one input, which one matrix projects to queries, keys and values. Outputs: the result, and keys and values for the next step.
#[derive(Debug)]
struct Attention {
    attention: SelfAttention,
    projection: Box<dyn Operator>,
}

pub fn build_attention(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let constants = [None, node.constants.get(1).copied().flatten()];
    let projection = standard_with("MatMul", STANDARD_OPSET, &attributes([]), 1, &constants)?;
    Ok(Box::new(Attention { attention: SelfAttention::new(node)?, projection }))
}

impl Operator for Attention {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let Some((element_type, _)) = inputs.tensor(0) else { return Ok(vec![None; self.attention.n_outputs]) };
        Ok(self.attention.infer(element_type, inputs))
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let (input, weights) = (inputs.take_tensor(0, "input")?, inputs.take_tensor(1, "weights")?);
        let bias = inputs.take_optional_tensor(2, "bias")?;
        let extras = Extras {
            mask: inputs.take_optional_tensor(3, "mask_index")?,
            past: inputs.take_optional_tensor(4, "past")?,
            bias: inputs.take_optional_tensor(5, "attention_bias")?.map(widen).transpose()?,
        };
        let element_type = input.element_type();
        TypeSet::FLOATS.check(&input, 0, "input")?;
        check_same_type(&input, &weights)?;
        let (&[_, _, _], &[_, total]) = (input.shape(), weights.shape()) else {
            let (input, weights) = (input.shape(), weights.shape());
            return Err(OpError::shape(format!("the input of {input:?} and the weights of {weights:?} should have three and two axes")));
        };
        self.attention.widths(total)?;
        let mut projected = run_one(self.projection.as_ref(), [Some(widen(input)?), Some(widen(weights)?)], context)?;
        if let Some(bias) = bias {
            if bias.shape() != [total] {
                return Err(OpError::shape(format!("the bias has shape {:?}, but the weights are {total} wide", bias.shape())));
            }
            projected = run_one(self.attention.heads.add.as_ref(), [Some(projected), Some(widen(bias)?)], context)?;
        }
        let outputs = self.attention.run(&projected, extras, context)?;
        outputs.into_iter().map(|tensor| cast(tensor, element_type).map(Value::Tensor)).collect()
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }

    fn macs(&self, inputs: &[Option<ValueType>], outputs: &[Option<ValueType>]) -> Option<u64> {
        self.attention.macs(inputs, outputs)
    }
}
