//! Numbers as small integers: `real = (quantised − zero point) · scale`. QuantizeLinear and DequantizeLinear go between the two, the other
//! operators compute on integers with 32-bit sums.
//!
//! A quantised operator names scale and zero point beside each tensor. Sums are exact; they are scaled in float32, rounded half to even and
//! saturated, as ONNX Runtime does.

use super::registry::{OpsetRange, Registration};

mod conv;
pub(super) mod dynamic;
pub(super) mod linear;
pub(super) mod matmul;
pub(super) mod operands;
pub(super) mod scheme;
#[cfg(test)]
mod tests;

/// Specification: <https://onnx.ai/onnx/operators/>, a page per operator.
///
/// QuantizeLinear, DequantizeLinear: 10, 13 (per axis), 19 (8-bit floats, half precision), 21 (blocks, 4 and 16 bits), 23 (4-bit floats,
/// `precision`, `output_dtype`), 24, 25 (2 bits). QLinearMatMul: 10, 21 (half-precision scales). The others have had one version since opset 10 or 11.
pub const OPERATORS: &[Registration] = &[
    Registration { domain: "", op_type: "ConvInteger", opsets: OpsetRange::from(10), build: conv::build_integer },
    Registration { domain: "", op_type: "DequantizeLinear", opsets: OpsetRange::from(10), build: linear::build_dequantize },
    Registration { domain: "", op_type: "DynamicQuantizeLinear", opsets: OpsetRange::from(11), build: dynamic::build },
    Registration { domain: "", op_type: "MatMulInteger", opsets: OpsetRange::from(10), build: matmul::build_integer },
    Registration { domain: "", op_type: "QLinearConv", opsets: OpsetRange::from(10), build: conv::build_quantized },
    Registration { domain: "", op_type: "QLinearMatMul", opsets: OpsetRange::from(10), build: matmul::build_quantized },
    Registration { domain: "", op_type: "QuantizeLinear", opsets: OpsetRange::from(10), build: linear::build_quantize },
];
