//! Single values as files hold them (`input_0.pb`): tensors, sequences, maps and optionals.

use std::path::Path;

use bytes::Bytes;
use prost::Message as _;

use super::error::Invalid;
use super::external::{self, ExternalFiles};
use super::proto::{MapProto, OptionalProto, SequenceProto, TensorProto, container_type};
use super::{LoadError, explain, tensor};
use crate::graph::ValueType;
use crate::host::{ElementType, HostTensor};

/// A value in host memory.
#[derive(Debug, Clone, PartialEq)]
pub enum HostValue {
    Tensor(HostTensor),
    Sequence(Vec<HostValue>),
    /// Keys (int64 or strings, of rank 1) and as many values.
    Map {
        keys: HostTensor,
        values: Vec<HostValue>,
    },
    /// An optional; `None` if it is empty.
    Optional(Option<Box<HostValue>>),
}

/// Which message a file holds, which its bytes alone don't tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostValueKind {
    Tensor,
    Sequence,
    Map,
    Optional,
}

impl HostValueKind {
    /// The message that holds values of a type.
    pub fn of(value_type: &ValueType) -> Self {
        match value_type {
            ValueType::Tensor { .. } | ValueType::SparseTensor { .. } => Self::Tensor,
            ValueType::Sequence(_) => Self::Sequence,
            ValueType::Map { .. } => Self::Map,
            ValueType::Optional(_) => Self::Optional,
        }
    }
}

/// Reads a value from its file.
pub fn load(path: &Path, kind: HostValueKind) -> Result<HostValue, LoadError> {
    let bytes = external::map_file(path).map_err(|source| LoadError::Io { path: path.to_owned(), source })?;
    decode(path, bytes, kind)
}

/// Reads a value from the bytes of a file; `path` is what errors name.
pub fn decode(path: &Path, bytes: Bytes, kind: HostValueKind) -> Result<HostValue, LoadError> {
    let malformed = |error: prost::DecodeError| LoadError::Malformed { path: path.to_owned(), reason: explain(&error) };
    let mut decoder = ValueDecoder { external: ExternalFiles::beside(path) };
    let value = match kind {
        HostValueKind::Tensor => decoder.tensor(TensorProto::decode(bytes).map_err(malformed)?),
        HostValueKind::Sequence => decoder.sequence(SequenceProto::decode(bytes).map_err(malformed)?),
        HostValueKind::Map => decoder.map(MapProto::decode(bytes).map_err(malformed)?),
        HostValueKind::Optional => decoder.optional(OptionalProto::decode(bytes).map_err(malformed)?),
    };
    value.map_err(|invalid| invalid.in_file(path))
}

/// The bytes of a value's file.
pub fn encode(value: &HostValue, name: &str) -> Vec<u8> {
    let name = || Some(name.to_owned());
    match value {
        HostValue::Tensor(tensor) => TensorProto { name: name(), ..tensor::encode(tensor) }.encode_to_vec(),
        HostValue::Sequence(items) => SequenceProto { name: name(), ..sequence_proto(items) }.encode_to_vec(),
        HostValue::Map { keys, values } => MapProto { name: name(), ..map_proto(keys, values) }.encode_to_vec(),
        HostValue::Optional(inner) => OptionalProto { name: name(), ..optional_proto(inner.as_deref()) }.encode_to_vec(),
    }
}

struct ValueDecoder {
    external: ExternalFiles,
}

impl ValueDecoder {
    fn tensor(&mut self, proto: TensorProto) -> Result<HostValue, Invalid> {
        tensor::decode(proto, &mut self.external).map(HostValue::Tensor)
    }

    fn sequence(&mut self, proto: SequenceProto) -> Result<HostValue, Invalid> {
        let mut items = Vec::new();
        for (index, value) in proto.tensor_values.into_iter().enumerate() {
            items.push(self.tensor(value).map_err(|invalid| invalid.at(format!("item {index}")))?);
        }
        for value in proto.sequence_values {
            items.push(self.sequence(value)?);
        }
        for value in proto.map_values {
            items.push(self.map(value)?);
        }
        for value in proto.optional_values {
            items.push(self.optional(value)?);
        }
        if !proto.sparse_tensor_values.is_empty() {
            return Err(sparse());
        }
        Ok(HostValue::Sequence(items))
    }

    fn map(&mut self, proto: MapProto) -> Result<HostValue, Invalid> {
        let n_keys = proto.keys.len() + proto.string_keys.len();
        let keys = if proto.key_type == Some(ElementType::String.to_onnx()) || (proto.keys.is_empty() && !proto.string_keys.is_empty()) {
            let keys = TensorProto {
                dims: vec![i64::try_from(n_keys).unwrap_or(i64::MAX)],
                data_type: Some(ElementType::String.to_onnx()),
                string_data: proto.string_keys,
                ..TensorProto::default()
            };
            tensor::decode(keys, &mut self.external)?
        } else {
            HostTensor::from_vec(vec![proto.keys.len()], &proto.keys).map_err(|error| Invalid::new(error.to_string()))?
        };
        let values = match proto.values {
            Some(values) => self.sequence(*values)?,
            None => HostValue::Sequence(Vec::new()),
        };
        match values {
            HostValue::Sequence(values) if values.len() == n_keys => Ok(HostValue::Map { keys, values }),
            HostValue::Sequence(values) => Err(Invalid::new(format!("a map with {n_keys} keys has {} values", values.len()))),
            _ => Err(Invalid::new("the values of a map must be a sequence")),
        }
    }

    fn optional(&mut self, proto: OptionalProto) -> Result<HostValue, Invalid> {
        let inner = if let Some(value) = proto.tensor_value {
            Some(self.tensor(*value)?)
        } else if let Some(value) = proto.sequence_value {
            Some(self.sequence(*value)?)
        } else if let Some(value) = proto.map_value {
            Some(self.map(*value)?)
        } else if let Some(value) = proto.optional_value {
            Some(self.optional(*value)?)
        } else if proto.sparse_tensor_value.is_some() {
            return Err(sparse());
        } else {
            None
        };
        Ok(HostValue::Optional(inner.map(Box::new)))
    }
}

fn sparse() -> Invalid {
    Invalid::new("sparse tensors are not supported")
}

fn sequence_proto(items: &[HostValue]) -> SequenceProto {
    let mut proto = SequenceProto { elem_type: Some(items.first().map_or(container_type::UNDEFINED, container_type_of)), ..SequenceProto::default() };
    for item in items {
        match item {
            HostValue::Tensor(tensor) => proto.tensor_values.push(tensor::encode(tensor)),
            HostValue::Sequence(items) => proto.sequence_values.push(sequence_proto(items)),
            HostValue::Map { keys, values } => proto.map_values.push(map_proto(keys, values)),
            HostValue::Optional(inner) => proto.optional_values.push(optional_proto(inner.as_deref())),
        }
    }
    proto
}

fn map_proto(keys: &HostTensor, values: &[HostValue]) -> MapProto {
    let string_keys = keys.strings().map(|keys| keys.iter().map(|key| Bytes::copy_from_slice(key.as_bytes())).collect());
    MapProto {
        name: None,
        key_type: Some(keys.element_type().to_onnx()),
        keys: keys.as_slice::<i64>().map(std::borrow::Cow::into_owned).unwrap_or_default(),
        string_keys: string_keys.unwrap_or_default(),
        values: Some(Box::new(sequence_proto(values))),
    }
}

fn optional_proto(inner: Option<&HostValue>) -> OptionalProto {
    let mut proto = OptionalProto { elem_type: Some(inner.map_or(container_type::UNDEFINED, container_type_of)), ..OptionalProto::default() };
    match inner {
        None => {}
        Some(HostValue::Tensor(tensor)) => proto.tensor_value = Some(Box::new(tensor::encode(tensor))),
        Some(HostValue::Sequence(items)) => proto.sequence_value = Some(Box::new(sequence_proto(items))),
        Some(HostValue::Map { keys, values }) => proto.map_value = Some(Box::new(map_proto(keys, values))),
        Some(HostValue::Optional(inner)) => proto.optional_value = Some(Box::new(optional_proto(inner.as_deref()))),
    }
    proto
}

fn container_type_of(value: &HostValue) -> i32 {
    match value {
        HostValue::Tensor(_) => container_type::TENSOR,
        HostValue::Sequence(_) => container_type::SEQUENCE,
        HostValue::Map { .. } => container_type::MAP,
        HostValue::Optional(_) => container_type::OPTIONAL,
    }
}
