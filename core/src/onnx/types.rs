//! `TypeProto` ⇄ [`ValueType`].

use prost::Message as _;

use super::error::Invalid;
use super::proto::type_proto::{Map, Tensor, Value, Wrapped};
use super::proto::{DimensionProto, DimensionValue, TensorShapeProto, TypeProto};
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::host::ElementType;

/// A type as the file declares it. `None` where it says nothing that a [`ValueType`] can hold (an opaque type, an undefined element type).
pub(super) fn decode(proto: &TypeProto) -> Result<Option<ValueType>, Invalid> {
    let inner = |inner: &Option<Box<TypeProto>>| inner.as_deref().map_or(Ok(None), decode);
    Ok(match &proto.value {
        None | Some(Value::Opaque(_)) => None,
        Some(Value::Tensor(tensor)) => tensor_parts(tensor)?.map(|(element_type, shape)| ValueType::Tensor { element_type, shape }),
        Some(Value::SparseTensor(tensor)) => tensor_parts(tensor)?.map(|(element_type, shape)| ValueType::SparseTensor { element_type, shape }),
        Some(Value::Sequence(wrapped)) => inner(&wrapped.elem_type)?.map(|inner| ValueType::Sequence(Box::new(inner))),
        Some(Value::Optional(wrapped)) => inner(&wrapped.elem_type)?.map(|inner| ValueType::Optional(Box::new(inner))),
        Some(Value::Map(map)) => match (element_type(map.key_type.unwrap_or(0))?, inner(&map.value_type)?) {
            (Some(key), Some(value)) => Some(ValueType::Map { key, value: Box::new(value) }),
            _ => None,
        },
    })
}

/// The file's own encoding, kept only if encoding the decoded type again would lose something.
pub(super) fn encoding_beyond(proto: &TypeProto, decoded: Option<&ValueType>) -> Option<bytes::Bytes> {
    (decoded.map(encode).as_ref() != Some(proto)).then(|| proto.encode_to_vec().into())
}

/// An element type number; `None` for 0, which stands for "unknown" in declared types.
fn element_type(number: i32) -> Result<Option<ElementType>, Invalid> {
    if number == 0 {
        return Ok(None);
    }
    ElementType::from_onnx(number).map(Some).ok_or_else(|| unknown_element_type(number))
}

pub(super) fn unknown_element_type(number: i32) -> Invalid {
    Invalid::new(format!("element type number {number} is not one of the ONNX specification's (1 to {})", ElementType::ALL.len()))
}

fn tensor_parts(tensor: &Tensor) -> Result<Option<(ElementType, SymbolicShape)>, Invalid> {
    let Some(element_type) = element_type(tensor.elem_type.unwrap_or(0))? else { return Ok(None) };
    let shape = match &tensor.shape {
        None => SymbolicShape::unknown(),
        Some(shape) => SymbolicShape(Some(shape.dim.iter().map(dimension).collect::<Result<_, _>>()?)),
    };
    Ok(Some((element_type, shape)))
}

fn dimension(proto: &DimensionProto) -> Result<Dimension, Invalid> {
    Ok(match &proto.value {
        // Some exporters write -1 for what is only known at run time.
        None | Some(DimensionValue::DimValue(-1)) => Dimension::Unknown,
        Some(DimensionValue::DimParam(name)) if name.is_empty() => Dimension::Unknown,
        Some(DimensionValue::DimParam(name)) => Dimension::Symbol(name.clone()),
        Some(DimensionValue::DimValue(dim)) => {
            Dimension::Known(usize::try_from(*dim).map_err(|_| Invalid::new(format!("dimension {dim} of the declared shape is negative")))?)
        }
    })
}

pub(super) fn encode(value_type: &ValueType) -> TypeProto {
    let tensor = |element_type: ElementType, shape: &SymbolicShape| Tensor {
        elem_type: Some(element_type.to_onnx()),
        shape: shape.dims().map(|dims| TensorShapeProto { dim: dims.iter().map(encode_dimension).collect() }),
    };
    let wrapped = |inner: &ValueType| Box::new(Wrapped { elem_type: Some(Box::new(encode(inner))) });
    let value = match value_type {
        ValueType::Tensor { element_type, shape } => Value::Tensor(tensor(*element_type, shape)),
        ValueType::SparseTensor { element_type, shape } => Value::SparseTensor(tensor(*element_type, shape)),
        ValueType::Sequence(inner) => Value::Sequence(wrapped(inner)),
        ValueType::Optional(inner) => Value::Optional(wrapped(inner)),
        ValueType::Map { key, value } => Value::Map(Box::new(Map { key_type: Some(key.to_onnx()), value_type: Some(Box::new(encode(value))) })),
    };
    TypeProto { value: Some(value), denotation: None }
}

fn encode_dimension(dimension: &Dimension) -> DimensionProto {
    let value = match dimension {
        // A dimension beyond 2^63 cannot come from a file; saying nothing is the only honest encoding.
        Dimension::Known(dim) => i64::try_from(*dim).ok().map(DimensionValue::DimValue),
        Dimension::Symbol(name) => Some(DimensionValue::DimParam(name.clone())),
        Dimension::Unknown => None,
    };
    DimensionProto { value, denotation: None }
}
