//! The operators of the domain `com.microsoft` that ONNX Runtime's quantiser and optimiser write. Their definitions:
//! <https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md>. The domain has had one version, 1.
//!
//! Most are several standard operators in one. They are built from those ([`standard`]), and add what lies between.

use super::operator::run_one;
use super::registry::{OpsetRange, Registration, find};
use super::{NodeContext, OpError, Operator};
use crate::graph::{Attribute, Attributes};
use crate::host::HostTensor;

mod activation;
mod attention;
mod embedding;
mod fused;
mod normalization;
mod products;
mod quantized;
#[cfg(test)]
mod tests;

type Build = fn(&NodeContext<'_>) -> Result<Box<dyn Operator>, OpError>;

pub const OPERATORS: &[Registration] = &[
    register("Attention", attention::build_attention),
    register("BiasGelu", activation::build_bias_gelu),
    register("DequantizeLinear", super::quantize::linear::build_dequantize),
    register("DynamicQuantizeLSTM", super::recurrent::build_dynamic_quantize_lstm),
    register("DynamicQuantizeMatMul", products::build_dynamic),
    register("EmbedLayerNormalization", embedding::build),
    register("FastGelu", activation::build_fast_gelu),
    register("FusedConv", fused::build_conv),
    register("FusedGemm", fused::build_gemm),
    register("FusedMatMul", fused::build_matmul),
    register("Gelu", activation::build_gelu),
    register("MatMulIntegerToFloat", products::build_integer_to_float),
    register("MatMulNBits", products::n_bits::build),
    register("MultiHeadAttention", attention::build_multi_head),
    register("NhwcMaxPool", quantized::build_nhwc_max_pool),
    register("QAttention", attention::build_quantized),
    register("QEmbedLayerNormalization", embedding::build_quantized),
    register("QGemm", products::build_gemm),
    register("QLinearAdd", quantized::binary::build_add),
    register("QLinearAveragePool", quantized::build_average_pool),
    register("QLinearConcat", quantized::build_concat),
    register("QLinearGlobalAveragePool", quantized::build_global_average_pool),
    register("QLinearLeakyRelu", quantized::build_leaky_relu),
    register("QLinearMul", quantized::binary::build_mul),
    register("QLinearReduceMean", quantized::build_reduce_mean),
    register("QLinearSigmoid", quantized::build_sigmoid),
    register("QLinearSoftmax", quantized::build_softmax),
    register("QLinearWhere", quantized::build_where),
    register("QuantizeLinear", super::quantize::linear::build_quantize),
    register("QuickGelu", activation::build_quick_gelu),
    register("SkipLayerNormalization", normalization::build_skip),
    register("SkipSimplifiedLayerNormalization", normalization::build_skip_simplified),
    // ONNX Runtime's optimiser writes it into the default domain.
    Registration { domain: "", op_type: "SimplifiedLayerNormalization", opsets: OpsetRange::from(1), build: normalization::build_simplified },
];

const fn register(op_type: &'static str, build: Build) -> Registration {
    Registration { domain: "com.microsoft", op_type, opsets: OpsetRange::from(1), build }
}

/// The opset whose standard operators fused ones are made of, where it matters to none of them.
const STANDARD_OPSET: i64 = 20;

/// A standard operator with some attributes.
fn standard(op_type: &'static str, opset: i64, attributes: &Attributes, n_inputs: usize, n_outputs: usize) -> Result<Box<dyn Operator>, OpError> {
    standard_with(op_type, opset, attributes, n_outputs, &vec![None; n_inputs])
}

/// As [`standard`], with the constants behind its inputs.
fn standard_with(
    op_type: &'static str,
    opset: i64,
    attributes: &Attributes,
    n_outputs: usize,
    constants: &[Option<&HostTensor>],
) -> Result<Box<dyn Operator>, OpError> {
    let registration = find("", op_type, opset).map_err(|_| OpError::unsupported(format!("{op_type} of opset {opset}")))?;
    (registration.build)(&NodeContext { op_type, attributes, opset, n_inputs: constants.len(), n_outputs, constants, bodies: &[] })
}

/// Attributes of one standard operator.
fn attributes<const N: usize>(entries: [(&str, Attribute); N]) -> Attributes {
    Attributes(entries.into_iter().map(|(name, attribute)| (name.to_owned(), attribute)).collect())
}

/// An attribute that counts something, at least 1.
fn require_count(node: &NodeContext<'_>, name: &str) -> Result<usize, OpError> {
    let count = node.attributes.require_int(name)?;
    usize::try_from(count)
        .ok()
        .filter(|&count| count > 0)
        .ok_or_else(|| OpError::value(format!("attribute '{name}' is {count}; it must be at least 1")))
}
