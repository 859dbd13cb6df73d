//! Which keys a query may see: what is added to the scores of an attention.

use burn::backend::DispatchTensor;
use burn::backend::ops::FloatTensorOps as _;
use burn::tensor::BoolDType;

use crate::host::{Bool, ElementType};
use crate::ops::broadcast::{check_broadcasts_to, float_operand};
use crate::ops::movement;
use crate::ops::precision::cast;
use crate::ops::{OpError, RunContext};
use crate::tensor::{Backend, Device, Shape, Tensor};

/// The keys that a query may see by position. A query at position `p` sees key `j` where `p − left ≤ j ≤ p + right`, and `j ≤ p` if causal.
#[derive(Debug, Clone)]
pub struct Visibility {
    pub is_causal: bool,
    pub left_window: Option<usize>,
    pub right_window: Option<usize>,
}

impl Visibility {
    fn is_total(&self) -> bool {
        !self.is_causal && self.left_window.is_none() && self.right_window.is_none()
    }

    /// Positions may be negative, where there are more queries than keys.
    fn sees(&self, position: i64, key: usize) -> bool {
        let key = i64::try_from(key).unwrap_or(i64::MAX);
        let width = |window: usize| i64::try_from(window).unwrap_or(i64::MAX);
        (!self.is_causal || key <= position)
            && self.left_window.is_none_or(|left| key >= position.saturating_sub(width(left)))
            && self.right_window.is_none_or(|right| key <= position.saturating_add(width(right)))
    }
}

/// What is added to scores of shape `[batch, heads, queries, keys]`: 0 or a number where a key is seen, −∞ where it is not. Each broadcasts to the
/// scores.
pub struct Bias {
    given: Option<Tensor>,
    by_position: Option<Tensor>,
}

impl Bias {
    /// `valid_lengths` are the keys of each example that count; without a cache inside the operator they also place the queries, at their end.
    pub fn new(
        visibility: &Visibility,
        mask: Option<Tensor>,
        valid_lengths: Option<&[i64]>,
        scores: &[usize; 4],
        n_past: usize,
        beside: &Tensor,
        context: &RunContext<'_>,
    ) -> Result<Self, OpError> {
        let bring = |tensor: Tensor| movement::bring_beside(tensor, beside, context);
        let given = mask.map(|mask| given_bias(mask, scores, beside, context)).transpose()?;
        let by_position = position_bias(visibility, valid_lengths, scores, n_past)?.map(bring).transpose()?;
        Ok(Self { given, by_position })
    }

    /// The scores with what is added, and the rows `[…, 1]` of queries that see no key at all.
    pub fn apply(
        &self,
        scores: DispatchTensor,
        compute: ElementType,
        bool_dtype: BoolDType,
    ) -> Result<(DispatchTensor, Option<DispatchTensor>), OpError> {
        let operand = |tensor: &Tensor| Ok::<_, OpError>(float_operand(cast(tensor.clone(), compute)?, 4));
        let given = self.given.as_ref().map(operand).transpose()?.flatten();
        let by_position = self.by_position.as_ref().map(operand).transpose()?.flatten();
        let bias = match (given, by_position) {
            (Some(given), Some(by_position)) => Backend::float_add(given, by_position),
            (Some(bias), None) | (None, Some(bias)) => bias,
            (None, None) => return Ok((scores, None)),
        };
        let largest = Backend::float_max_dim(bias.clone(), 3);
        let hidden_rows = Backend::float_equal_elem(largest, f64::NEG_INFINITY.into(), bool_dtype);
        Ok((Backend::float_add(scores, bias), Some(hidden_rows)))
    }
}

/// A model's mask as what is added to the scores, of 4 axes. A boolean mask is true where a key is seen. Keys beyond a mask's end are not seen.
fn given_bias(mask: Tensor, scores: &[usize; 4], beside: &Tensor, context: &RunContext<'_>) -> Result<Tensor, OpError> {
    let bias = match mask.element_type() {
        ElementType::Bool => {
            let mask = mask.to_device(&Device::Cpu)?;
            let bias = mask.as_slice::<Bool>()?.iter().map(|is_seen| if is_seen.get() { 0.0 } else { f32::NEG_INFINITY }).collect();
            Tensor::from_vec(mask.shape(), bias)?
        }
        element_type if element_type.is_float() => mask,
        _ => Tensor::from_vec(mask.shape(), mask.to_f32s()?)?,
    };
    if bias.rank() > 4 {
        return Err(OpError::shape(format!("the mask has shape {:?}; it should have 4 axes at most", bias.shape())));
    }
    let shape: Shape = std::iter::repeat_n(1, 4 - bias.rank()).chain(bias.shape().iter().copied()).collect();
    let mut target = scores.to_vec();
    target[3] = shape[3].min(scores[3]);
    let is_scalar = bias.rank() == 0;
    let bias = movement::bring_beside(bias.reshaped(&shape)?, beside, context)?;
    check_broadcasts_to(&shape, &target)?;
    if is_scalar {
        return movement::expand(bias, &[1, 1, 1, scores[3]]);
    }
    let n_missing = scores[3].saturating_sub(shape[3]);
    let padded = [shape[0], shape[1], shape[2], scores[3]];
    context.check_result_size(bias.element_type(), &padded)?;
    if n_missing == 0 {
        return Ok(bias);
    }
    let unseen = movement::bring_beside(cast(Tensor::scalar(f32::NEG_INFINITY), bias.element_type())?, &bias, context)?;
    movement::surround(bias, &[0; 4], &[0, 0, 0, n_missing], &unseen)
}

/// What follows from the positions of queries and keys, as `[batch or 1, 1, queries, keys]`; `None` where every query sees every key.
fn position_bias(visibility: &Visibility, valid_lengths: Option<&[i64]>, scores: &[usize; 4], n_past: usize) -> Result<Option<Tensor>, OpError> {
    let &[batch, _, queries, keys] = scores;
    if visibility.is_total() && valid_lengths.is_none() {
        return Ok(None);
    }
    let examples = match valid_lengths {
        None => vec![(i64::try_from(n_past).unwrap_or(i64::MAX), keys)],
        Some(_) if n_past > 0 => return Err(OpError::value("nonpad_kv_seqlen and past_key are two ways to keep a cache; only one may be given")),
        Some(lengths) if lengths.len() != batch => {
            return Err(OpError::shape(format!("nonpad_kv_seqlen has {} lengths for a batch of {batch}", lengths.len())));
        }
        Some(lengths) => {
            let placed = |&length: &i64| {
                let n_valid = usize::try_from(length).ok().filter(|&length| length <= keys);
                let n_valid = n_valid.ok_or_else(|| OpError::value(format!("nonpad_kv_seqlen has a length of {length}; there are {keys} keys")))?;
                // The queries are the last of what counts; more queries than keys begin before the first.
                Ok((length - i64::try_from(queries).unwrap_or(i64::MAX), n_valid))
            };
            lengths.iter().map(placed).collect::<Result<Vec<_>, OpError>>()?
        }
    };
    let mut bias = Vec::with_capacity(examples.len() * queries * keys);
    for &(offset, n_valid) in &examples {
        for query in 0..queries {
            let position = offset.saturating_add(i64::try_from(query).unwrap_or(i64::MAX));
            let is_seen = |key: usize| key < n_valid && visibility.sees(position, key);
            bias.extend((0..keys).map(|key| if is_seen(key) { 0.0 } else { f32::NEG_INFINITY }));
        }
    }
    if bias.iter().all(|&value| value == 0.0) {
        return Ok(None);
    }
    Ok(Some(Tensor::from_vec(&[examples.len(), 1, queries, keys], bias)?))
}
