//! MultiHeadAttention: queries, keys and values come projected, apart or packed.

use super::{Heads, Operands, cast, widen};
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::ops::movement::{self, Cut};
use crate::ops::operator::Outputs;
use crate::ops::types::{TypeSet, check_same_type};
use crate::ops::{Inputs, NodeContext, OpError, Operator, Placement, RunContext};
use crate::tensor::{Tensor, Value};

/// Outputs: the result, keys and values for the next step, and the weights of the values.
#[derive(Debug)]
struct MultiHeadAttention {
    heads: Heads,
    n_outputs: usize,
}

pub fn build(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(MultiHeadAttention { heads: Heads::new(node)?, n_outputs: node.n_outputs.clamp(1, 4) }))
}

/// Part `index` of `[batch, places, heads, parts, head size]`, as `[batch, places, width]`.
fn unpacked(packed: &Tensor, index: usize) -> Result<Tensor, OpError> {
    let &[batch, places, heads, _, size] = packed.shape() else {
        return Err(OpError::shape(format!("packed projections have five axes, not the shape {:?}", packed.shape())));
    };
    let cuts = [Cut::all(batch), Cut::all(places), Cut::all(heads), Cut::range(index, 1), Cut::all(size)];
    Ok(movement::cut(packed.clone(), &cuts)?.reshaped(&[batch, places, heads * size])?)
}

impl MultiHeadAttention {
    /// Queries, keys and values, each [batch, places, width]; keys and values may come as [batch, heads, places, head size] already.
    fn projections(&self, query: Tensor, key: Option<Tensor>, value: Option<Tensor>) -> Result<[Tensor; 3], OpError> {
        match (key, value) {
            (Some(key), Some(value)) => Ok([query, key, value]),
            (Some(packed), None) if packed.rank() == 5 && packed.shape()[2..4] == [self.heads.count, 2] => {
                Ok([query, unpacked(&packed, 0)?, unpacked(&packed, 1)?])
            }
            (None, None) if query.rank() == 5 && query.shape()[2..4] == [self.heads.count, 3] => {
                Ok([unpacked(&query, 0)?, unpacked(&query, 1)?, unpacked(&query, 2)?])
            }
            (key, value) => Err(OpError::shape(format!(
                "queries of {:?}, keys of {key:?} and values of {value:?} are neither three tensors nor packed for {} heads",
                query.shape(),
                self.heads.count
            ))),
        }
    }

    /// Adds the bias of all three projections to the parts that are projections still, and splits them into heads.
    fn split(&self, parts: [Tensor; 3], bias: Option<&Tensor>, context: &RunContext<'_>) -> Result<[Tensor; 3], OpError> {
        let widths = parts.each_ref().map(|part| if part.rank() == 3 { part.shape()[2] } else { 0 });
        if let Some(bias) = bias
            && bias.shape() != [widths.iter().sum::<usize>()]
        {
            return Err(OpError::shape(format!("the bias has shape {:?}, but the projections are {widths:?} wide", bias.shape())));
        }
        let mut start = 0;
        let mut split = Vec::with_capacity(3);
        for ((part, width), name) in parts.into_iter().zip(widths).zip(["queries", "keys", "values"]) {
            if part.rank() == 4 {
                split.push(part);
                continue;
            }
            let part = match bias {
                Some(bias) if part.rank() == 3 => {
                    let bias = movement::cut(bias.clone(), &[Cut::range(start, width)])?;
                    super::run_one(self.heads.add.as_ref(), [Some(part), Some(bias)], context)?
                }
                _ => part,
            };
            start += width;
            split.push(self.heads.split(part, name)?);
        }
        split.try_into().map_err(|_| OpError::shape("queries, keys and values are three"))
    }
}

fn with_past(past: Option<Tensor>, part: Tensor, name: &str) -> Result<Tensor, OpError> {
    let Some(past) = past else { return Ok(part) };
    let fits = past.rank() == 4 && past.shape()[..2] == part.shape()[..2] && past.shape()[3] == part.shape()[3];
    if !fits {
        return Err(OpError::shape(format!("the past {name} of {:?} do not go with {:?} of this step", past.shape(), part.shape())));
    }
    movement::join(vec![widen(past)?, part], 2)
}

impl Operator for MultiHeadAttention {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let mut types = vec![None; self.n_outputs];
        if let Some((element_type, shape)) = inputs.tensor(0) {
            let value = inputs.tensor(2).and_then(|(_, shape)| shape.dims().map(<[Dimension]>::to_vec));
            let result = match (shape.dims(), value.as_deref()) {
                (Some([batch, places, _]), Some([_, _, width])) => Some(vec![batch.clone(), places.clone(), width.clone()]),
                (Some([batch, places, ..]), _) => Some(vec![batch.clone(), places.clone(), Dimension::Unknown]),
                _ => None,
            };
            types[0] = Some(ValueType::tensor(element_type, SymbolicShape(result)));
        }
        Ok(types)
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let query = inputs.take_tensor(0, "query")?;
        let element_type = query.element_type();
        TypeSet::FLOATS.check(&query, 0, "query")?;
        let (key, value) = (inputs.take_optional_tensor(1, "key")?, inputs.take_optional_tensor(2, "value")?);
        let bias = inputs.take_optional_tensor(3, "bias")?;
        let mask = inputs.take_optional_tensor(4, "key_padding_mask")?;
        let scores_bias = inputs.take_optional_tensor(5, "attention_bias")?;
        let (past_key, past_value) = (inputs.take_optional_tensor(6, "past_key")?, inputs.take_optional_tensor(7, "past_value")?);
        if inputs.has(8) || inputs.has(9) {
            return Err(OpError::unsupported("MultiHeadAttention with a shared buffer for the past"));
        }
        for tensor in [&key, &value, &bias, &scores_bias, &past_key, &past_value].into_iter().flatten() {
            check_same_type(&query, tensor)?;
        }
        let widened = |tensor: Option<Tensor>| tensor.map(widen).transpose();
        let parts = self.projections(widen(query)?, widened(key)?, widened(value)?)?;
        let [query, key, value] = self.split(parts, widened(bias)?.as_ref(), context)?;
        let (key, value) = (with_past(past_key, key, "keys")?, with_past(past_value, value, "values")?);
        let operands = Operands { query, key: key.clone(), value: value.clone() };
        let (result, weights) = self.heads.attend(operands, mask.as_ref(), widened(scores_bias)?, context)?;
        let outputs = [result, key, value, weights].into_iter().take(self.n_outputs);
        outputs.map(|tensor| cast(tensor, element_type).map(Value::Tensor)).collect()
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}
