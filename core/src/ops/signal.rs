//! Signals and their spectra: DFT, STFT, the windows of frames, MelWeightMatrix.

mod fourier;
mod mel;
mod short_time;
#[cfg(test)]
mod tests;
mod transform;
mod window;

use super::{NodeContext, OpError, Operator, OpsetRange, Registration};
use crate::host::ElementType;

/// DFT: 17, 20 (`axis` as an input). The others: 17.
pub const OPERATORS: &[Registration] = &[
    register("BlackmanWindow", window::build_blackman),
    register("DFT", fourier::build),
    register("HammingWindow", window::build_hamming),
    register("HannWindow", window::build_hann),
    register("MelWeightMatrix", mel::build),
    register("STFT", short_time::build),
];

const fn register(op_type: &'static str, build: fn(&NodeContext<'_>) -> Result<Box<dyn Operator>, OpError>) -> Registration {
    Registration { domain: "", op_type, opsets: OpsetRange::from(17), build }
}

/// The attribute `output_datatype`: numbers of any type.
fn element_type_attribute(node: &NodeContext<'_>) -> Result<ElementType, OpError> {
    let Some(number) = node.attributes.int("output_datatype")? else { return Ok(ElementType::F32) };
    let element_type = i32::try_from(number).ok().and_then(ElementType::from_onnx);
    element_type
        .filter(|element_type| element_type.is_float() || element_type.is_int())
        .ok_or_else(|| OpError::value(format!("attribute 'output_datatype' is {number}, which is no type of numbers")))
}

/// The only integer of an input.
fn one_integer(values: &[i64], index: usize, name: &str) -> Result<i64, OpError> {
    match values {
        &[value] => Ok(value),
        other => Err(OpError::value(format!("input {index} ({name}) should be one integer, but is {other:?}"))),
    }
}
