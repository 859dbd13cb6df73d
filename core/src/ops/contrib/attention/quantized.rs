//! QAttention: attention over a quantised input with quantised weights.

use super::{Extras, SelfAttention, widen};
use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::host::ElementType;
use crate::ops::contrib::products::Scaled;
use crate::ops::matmul::Product;
use crate::ops::operator::Outputs;
use crate::ops::quantize::matmul::{IntegerProduct, Sides};
use crate::ops::quantize::operands::{scales, take_scale, zero_points};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::{Tensor, Value};

/// As Attention, with an integer product for the projection. The rest is computed in float32, as are the results.
#[derive(Debug)]
struct QAttention {
    attention: SelfAttention,
    product: IntegerProduct,
}

pub fn build(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(QAttention { attention: SelfAttention::new(node)?, product: IntegerProduct::new(node, 1) }))
}

impl Operator for QAttention {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(self.attention.infer(ElementType::F32, inputs))
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let (input, weights) = (inputs.take_tensor(0, "input")?, inputs.take_tensor(1, "weight")?);
        let bias = inputs.take_tensor(2, "bias")?;
        let input_scale = take_scale(&mut inputs, 3, "input_scale")?;
        let weight_scales = scales(&inputs.take_tensor(4, "weight_scale")?, 4, "weight_scale")?;
        let mask = inputs.take_optional_tensor(5, "mask_index")?;
        let (input_zero, weight_zeros) = (inputs.take_optional_tensor(6, "input_zero_point")?, inputs.take_optional_tensor(7, "weight_zero_point")?);
        let past = inputs.take_optional_tensor(8, "past")?.map(widen).transpose()?;
        if input.rank() != 3 || weights.rank() != 2 {
            let (input, weights) = (input.shape(), weights.shape());
            return Err(OpError::shape(format!("the input of {input:?} and the weights of {weights:?} should have three and two axes")));
        }
        let product = Product::new(input.shape(), weights.shape())?;
        self.attention.widths(product.columns)?;
        context.check_result_size(ElementType::F32, &product.result)?;
        let scaled = Scaled::new(input_scale, &weight_scales, Some(bias), product.columns)?;
        let sides = Sides {
            left: &input,
            left_zero_points: &zero_points(input_zero.as_ref(), input.element_type(), 6, "input_zero_point")?,
            right: &weights,
            right_zero_points: &zero_points(weight_zeros.as_ref(), weights.element_type(), 7, "weight_zero_point")?,
        };
        let projected = self.product.multiply(&product, &sides, |_, sums, results: &mut [f32]| scaled.write(sums, results))?;
        let projected = Tensor::from_vec(&product.result, projected)?;
        let outputs = self.attention.run(&projected, Extras { mask, past, bias: None }, context)?;
        Ok(outputs.into_iter().map(Value::Tensor).collect())
    }

    fn macs(&self, inputs: &[Option<ValueType>], outputs: &[Option<ValueType>]) -> Option<u64> {
        self.attention.macs(inputs, outputs)
    }
}
