//! HannWindow, HammingWindow, BlackmanWindow: weights that fade a frame out towards its ends.

use std::f64::consts::TAU;

use super::{element_type_attribute, one_integer};
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, ValueType};
use crate::host::ElementType;
use crate::ops::integers::Integers;
use crate::ops::operator::{Outputs, single};
use crate::ops::types::{Number, match_number};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::Tensor;

/// `a − b · cos(2πn/N) + c · cos(4πn/N)`, where N is the window's length, or one less for a symmetric window.
///
/// <https://onnx.ai/onnx/operators/onnx__HannWindow.html>, <https://onnx.ai/onnx/operators/onnx__HammingWindow.html>,
/// <https://onnx.ai/onnx/operators/onnx__BlackmanWindow.html>, opset 17.
#[derive(Debug)]
struct Window {
    coefficients: [f64; 3],
    is_periodic: bool,
    element_type: ElementType,
    size: Integers,
}

pub fn build_hann(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    build([0.5, 0.5, 0.0], node)
}

pub fn build_hamming(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let alpha = 25.0 / 46.0;
    build([alpha, 1.0 - alpha, 0.0], node)
}

pub fn build_blackman(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    build([0.42, 0.5, 0.08], node)
}

fn build(coefficients: [f64; 3], node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(Window {
        coefficients,
        is_periodic: node.attributes.int("periodic")?.unwrap_or(1) != 0,
        element_type: element_type_attribute(node)?,
        size: Integers::from_input(node, 0, "size")?,
    }))
}

impl Operator for Window {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let size = match self.size.inferred(inputs).flatten().as_deref() {
            Some(&[size]) => usize::try_from(size).map_or(Dimension::Unknown, Dimension::Known),
            _ => Dimension::Unknown,
        };
        Ok(vec![Some(ValueType::tensor(self.element_type, vec![size]))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let size = one_integer(&self.size.require(&mut inputs, 0, "size")?, 0, "size")?;
        let size = usize::try_from(size).map_err(|_| OpError::value(format!("a window of {size} elements does not exist")))?;
        context.check_result_size(self.element_type, &[size])?;
        let period = if self.is_periodic { size } else { size.saturating_sub(1) };
        let [a, b, c] = self.coefficients;
        let weight = |position: usize| {
            // The symmetric window of one element has its peak there.
            let angle = if period == 0 { TAU / 2.0 } else { TAU * position as f64 / period as f64 };
            // In this order the peak of Blackman's window is 1, not the number before it, which an integer type would make 0 of.
            c * (2.0 * angle).cos() - b * angle.cos() + a
        };
        match_number!(self.element_type, T => {
            Ok(single(Tensor::from_vec(&[size], (0..size).map(|position| T::from_f64(weight(position))).collect())?))
        }, else Err(OpError::unsupported(format!("a window of {}", self.element_type))))
    }
}
