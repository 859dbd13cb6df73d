//! DynamicQuantizeLinear: to uint8, with a scale found from the numbers themselves.

use super::scheme::Quantized as _;
use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::host::ElementType;
use crate::ops::operator::Outputs;
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::{Tensor, Value};

/// <https://onnx.ai/onnx/operators/onnx__DynamicQuantizeLinear.html>, opset 11.
#[derive(Debug)]
struct DynamicQuantizeLinear;

pub fn build(_node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(DynamicQuantizeLinear))
}

/// Scale and zero point for numbers between their least and greatest, or 0 where that is outside: `scale = (max − min) / 255`.
pub fn find_scale(values: &[f32]) -> (f32, u8) {
    let (least, greatest) = extremes(values);
    let scale = if least == greatest { 1.0 } else { (greatest - least) / 255.0 };
    (scale, u8::nearest(-least / scale, 0.0, true))
}

/// The least and the greatest of numbers and 0, in sixteen lanes side by side.
fn extremes(values: &[f32]) -> (f32, f32) {
    let (blocks, rest) = values.as_chunks::<16>();
    let (mut least, mut greatest) = ([0.0_f32; 16], [0.0_f32; 16]);
    for block in blocks {
        for ((least, greatest), &value) in least.iter_mut().zip(&mut greatest).zip(block) {
            *least = least.min(value);
            *greatest = greatest.max(value);
        }
    }
    let least = least.iter().chain(rest).copied().fold(0.0, f32::min);
    (least, greatest.iter().chain(rest).copied().fold(0.0, f32::max))
}

/// Numbers as uint8.
pub fn quantize(values: &[f32], scale: f32, zero_point: u8) -> Vec<u8> {
    values.iter().map(|value| u8::nearest(value / scale, zero_point.into(), true)).collect()
}

impl Operator for DynamicQuantizeLinear {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let quantized = inputs.tensor(0).map(|(_, shape)| ValueType::tensor(ElementType::U8, shape.clone()));
        let scalar = |element_type| Some(ValueType::tensor(element_type, [].as_slice()));
        Ok(vec![quantized, scalar(ElementType::F32), scalar(ElementType::U8)])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "x")?;
        let values = x.as_slice::<f32>()?;
        let (scale, zero_point) = find_scale(&values);
        let quantized = Tensor::from_vec(x.shape(), quantize(&values, scale, zero_point))?;
        Ok([quantized, Tensor::scalar(scale), Tensor::scalar(zero_point)].map(Value::Tensor).into_iter().collect())
    }
}
