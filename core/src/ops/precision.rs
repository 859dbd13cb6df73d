//! The precision of computations that lose too many digits in a narrow type: squares, means, roots, exponentials and long sums.

use burn::backend::ops::FloatTensorOps as _;
use burn::tensor::FloatDType;

use super::{NodeContext, OpError};
use crate::host::ElementType;
use crate::tensor::{Backend, Device, Tensor};

/// What floats of a type are computed in: float64 for float64, else float32, rounded once at the end.
pub fn compute_type(element_type: ElementType) -> ElementType {
    if element_type == ElementType::F64 { ElementType::F64 } else { ElementType::F32 }
}

/// The wider of what `element_type` is computed in and what a model asks for. A model that asks for less than float32 gets float32.
pub fn compute_type_with(element_type: ElementType, asked: ElementType) -> ElementType {
    if asked == ElementType::F64 { asked } else { compute_type(element_type) }
}

/// An attribute that names a floating-point type by its number, such as `stash_type`.
pub fn float_type_attribute(node: &NodeContext<'_>, name: &str) -> Result<Option<ElementType>, OpError> {
    let Some(number) = node.attributes.int(name)? else { return Ok(None) };
    let element_type = i32::try_from(number).ok().and_then(ElementType::from_onnx).filter(|element_type| element_type.is_float());
    element_type
        .map(Some)
        .ok_or_else(|| OpError::value(format!("attribute '{name}' is {number}; it may be 1 (float32), 10 (float16), 11 (float64) or 16 (bfloat16)")))
}

/// A tensor of floats in another floating-point type. float64 exists in host memory only.
pub fn cast(tensor: Tensor, to: ElementType) -> Result<Tensor, OpError> {
    if tensor.element_type() == to {
        return Ok(tensor);
    }
    if !tensor.element_type().is_float() {
        return Err(OpError::value(format!("floating-point numbers are wanted, but a tensor of {tensor:?} is given")));
    }
    let tensor = if to == ElementType::F32 { tensor } else { tensor.to_device(&Device::Cpu)? };
    let shape = tensor.shape().to_vec();
    let dtype = match to {
        ElementType::F64 => FloatDType::F64,
        ElementType::F16 => FloatDType::F16,
        ElementType::Bf16 => FloatDType::BF16,
        _ => FloatDType::F32,
    };
    Ok(match tensor.into_primitive() {
        Some(primitive) => Tensor::from_primitive(to, &shape, Backend::float_cast(primitive, dtype)),
        None => Tensor::empty(to, &shape),
    })
}
