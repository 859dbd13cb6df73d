//! Reshape, Transpose, Reshape: groups of channels dealt out one after the other.

use crate::graph::infer::InferInputs;
use crate::graph::{Attributes, ValueType};
use crate::host::ElementType;
use crate::kernels::shuffle::shuffle_channels;
use crate::ops::layout::reshape::build_reshape;
use crate::ops::movement::permute;
use crate::ops::operator::{Outputs, single};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::{Shape, Tensor, Value};

/// `[N, C, H, W]` as `[N, groups, C / groups, H, W]`, with the groups' axis moved back by one, as `[N, C, H, W]` again.
#[derive(Debug)]
struct ChannelShuffle {
    reshape: Box<dyn Operator>,
}

/// The opset whose Reshape has no more attributes than the pass has looked at.
const RESHAPE_OPSET: i64 = 13;

/// Inputs: the data and the two shapes, constants of int64.
pub fn build(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let attributes = Attributes::default();
    let reshape =
        NodeContext { op_type: "Reshape", attributes: &attributes, opset: RESHAPE_OPSET, n_inputs: 2, n_outputs: 1, constants: &[], ..*context };
    Ok(Box::new(ChannelShuffle { reshape: build_reshape(&reshape)? }))
}

/// The groups, if the shapes shuffle the channels of an image of that shape. A first entry of -1 or 0 stands for the batch.
fn groups(image: &[usize], inner: &[i64], outer: &[i64]) -> Option<usize> {
    let is = |requested: i64, dim: usize| usize::try_from(requested) == Ok(dim);
    let (&[batch, channels, height, width], &[n, groups, of_group, h, w], &[m, c, out_h, out_w]) = (image, inner, outer) else { return None };
    let is_batch = |requested: i64| matches!(requested, -1 | 0) || is(requested, batch);
    let is_same = is_batch(n) && is_batch(m) && [h, out_h].iter().all(|&h| is(h, height)) && [w, out_w].iter().all(|&w| is(w, width));
    let groups = usize::try_from(groups).ok().filter(|&groups| groups > 0 && channels > 0)?;
    (is_same && is(c, channels) && groups.checked_mul(usize::try_from(of_group).ok()?) == Some(channels)).then_some(groups)
}

impl Operator for ChannelShuffle {
    fn infer(&self, _inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![None])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let input = inputs.take_tensor(0, "data")?;
        let (inner, outer) = (inputs.take_tensor(1, "shape")?, inputs.take_tensor(2, "shape")?);
        if input.element_type() == ElementType::F32
            && input.is_only_channels_last()
            && let Some(groups) = groups(input.shape(), &inner.to_i64s()?, &outer.to_i64s()?)
            && let Some(elements) = input.as_channels_last()
        {
            let shape = Shape::from_slice(input.shape());
            return Ok(single(Tensor::from_channels_last(&shape, shuffle_channels(elements, shape[1], groups))?));
        }
        let reshape = |data: Tensor, shape: Tensor| {
            self.reshape.run(Inputs::new([Some(Value::Tensor(data)), Some(Value::Tensor(shape))].into_iter().collect()), context)
        };
        let cut = Inputs::new(reshape(input, inner)?.into_iter().map(Some).collect()).take_tensor(0, "data")?;
        if cut.rank() != 5 {
            return Err(OpError::shape(format!("the reshaped tensor has shape {:?}, but five axes are to change places", cut.shape())));
        }
        reshape(permute(cut, &[0, 2, 1, 3, 4])?, outer)
    }
}
