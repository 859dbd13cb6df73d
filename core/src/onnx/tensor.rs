//! `TensorProto` ⇄ [`HostTensor`]. Every length is compared with the dims before anything is allocated.

use bytes::Bytes;
use compact_str::CompactString;

use super::error::Invalid;
use super::external::ExternalFiles;
use super::proto::{DATA_LOCATION_EXTERNAL, SparseTensorProto, StringStringEntryProto, TensorProto};
use super::types::unknown_element_type;
use crate::host::{ElementType, HostTensor, SparseTensor};

/// The tensor of a message. Raw and external data are shared, not copied.
pub(super) fn decode(mut proto: TensorProto, external: &mut ExternalFiles) -> Result<HostTensor, Invalid> {
    let invalid = |error: crate::host::HostTensorError| Invalid::new(error.to_string());
    let number = proto.data_type.unwrap_or(0);
    let element_type = ElementType::from_onnx(number).ok_or_else(|| unknown_element_type(number))?;
    if proto.segment.is_some() {
        return Err(Invalid::new("the tensor is cut into segments, which is not supported; save the model again with whole tensors"));
    }
    let shape = shape(&proto.dims)?;
    let n_elements = n_elements(&shape)?;
    if proto.data_location == Some(DATA_LOCATION_EXTERNAL) {
        let needed =
            element_type.bytes_for(n_elements).ok_or_else(|| Invalid::new(format!("a tensor of {element_type} can't have external data")))?;
        let bytes = external.bytes(&proto.external_data, needed)?;
        return HostTensor::from_bytes(element_type, shape, bytes).map_err(invalid);
    }
    if element_type == ElementType::String {
        expect_entries("string_data", n_elements, proto.string_data.len(), element_type, &shape)?;
        return HostTensor::from_strings(shape, strings(&proto.string_data)?).map_err(invalid);
    }
    let bytes = match proto.raw_data.take() {
        Some(raw) if !raw.is_empty() || !has_typed_data(&proto) => raw,
        _ => typed_data(proto, element_type, n_elements, &shape)?,
    };
    HostTensor::from_bytes(element_type, shape, bytes).map_err(invalid)
}

/// The sparse tensor of a message. Only what the file holds is looked at; the dense tensor may be far larger.
pub(super) fn decode_sparse(proto: SparseTensorProto, external: &mut ExternalFiles) -> Result<SparseTensor, Invalid> {
    let values = decode(proto.values.ok_or_else(|| Invalid::new("a sparse tensor has no values"))?, external)?;
    let indices = match proto.indices {
        Some(indices) => decode(indices, external).map_err(|invalid| invalid.at("the indices"))?,
        // A tensor without elements may leave them out.
        None => HostTensor::from_vec::<i64>(vec![0], &[]).map_err(|error| Invalid::new(error.to_string()))?,
    };
    SparseTensor::new(shape(&proto.dims)?, values, &indices).map_err(|error| Invalid::new(error.to_string()))
}

/// A message with the tensor's data inside it (`raw_data`, or `string_data`).
pub(super) fn encode(tensor: &HostTensor) -> TensorProto {
    let mut proto = header(tensor);
    match (tensor.bytes(), tensor.strings()) {
        (Some(bytes), _) => proto.raw_data = Some(bytes.clone()),
        (None, Some(strings)) => proto.string_data = strings.iter().map(|text| Bytes::copy_from_slice(text.as_bytes())).collect(),
        (None, None) => {}
    }
    proto
}

/// A message that says where in another file the data are.
pub(super) fn encode_external(tensor: &HostTensor, location: &str, offset: u64, length: u64) -> TensorProto {
    let entry = |key: &str, value: String| StringStringEntryProto { key: Some(key.to_owned()), value: Some(value) };
    TensorProto {
        external_data: vec![entry("location", location.to_owned()), entry("offset", offset.to_string()), entry("length", length.to_string())],
        data_location: Some(DATA_LOCATION_EXTERNAL),
        ..header(tensor)
    }
}

fn header(tensor: &HostTensor) -> TensorProto {
    TensorProto {
        // A HostTensor's dims fit: its bytes are in memory (or it is empty, with dims that came from an int64).
        dims: tensor.shape().iter().map(|&dim| i64::try_from(dim).unwrap_or(i64::MAX)).collect(),
        data_type: Some(tensor.element_type().to_onnx()),
        ..TensorProto::default()
    }
}

fn shape(dims: &[i64]) -> Result<Vec<usize>, Invalid> {
    dims.iter().map(|&dim| usize::try_from(dim).map_err(|_| Invalid::new(format!("dims {dims:?}: {dim} is negative")))).collect()
}

fn n_elements(shape: &[usize]) -> Result<usize, Invalid> {
    shape
        .iter()
        .try_fold(1_usize, |product, &dim| product.checked_mul(dim))
        .ok_or_else(|| Invalid::new(format!("dims {shape:?} mean more elements than this machine can address")))
}

fn strings(data: &[Bytes]) -> Result<Vec<CompactString>, Invalid> {
    let text = |(index, bytes): (usize, &Bytes)| {
        CompactString::from_utf8(bytes).map_err(|_| Invalid::new(format!("string {index} is not valid UTF-8 text")))
    };
    data.iter().enumerate().map(text).collect()
}

fn has_typed_data(proto: &TensorProto) -> bool {
    !(proto.float_data.is_empty()
        && proto.int32_data.is_empty()
        && proto.int64_data.is_empty()
        && proto.double_data.is_empty()
        && proto.uint64_data.is_empty())
}

fn expect_entries(field: &str, expected: usize, found: usize, element_type: ElementType, shape: &[usize]) -> Result<(), Invalid> {
    if expected == found {
        return Ok(());
    }
    Err(Invalid::new(format!("{element_type} of shape {shape:?} takes {expected} entries in {field}, but {found} are there")))
}

/// The data of a field for one kind of number, brought to the form of `raw_data`.
fn typed_data(proto: TensorProto, element_type: ElementType, n_elements: usize, shape: &[usize]) -> Result<Bytes, Invalid> {
    use ElementType as E;
    let entries = |field, per_element: usize, found| {
        let expected = n_elements.checked_mul(per_element).ok_or_else(|| Invalid::new(format!("dims {shape:?} are too large")))?;
        expect_entries(field, expected, found, element_type, shape)
    };
    let from_i32s = |found: usize| match element_type.bits() {
        Some(2 | 4) => {
            let expected = element_type.bytes_for(n_elements).unwrap_or(usize::MAX);
            expect_entries("int32_data", expected, found, element_type, shape)
        }
        _ => entries("int32_data", 1, found),
    };
    match element_type {
        E::F32 | E::Complex64 => {
            entries("float_data", if element_type == E::F32 { 1 } else { 2 }, proto.float_data.len())?;
            Ok(little_endian(proto.float_data))
        }
        E::F64 | E::Complex128 => {
            entries("double_data", if element_type == E::F64 { 1 } else { 2 }, proto.double_data.len())?;
            Ok(little_endian(proto.double_data))
        }
        E::I64 => {
            entries("int64_data", 1, proto.int64_data.len())?;
            Ok(little_endian(proto.int64_data))
        }
        E::U64 => {
            entries("uint64_data", 1, proto.uint64_data.len())?;
            Ok(little_endian(proto.uint64_data))
        }
        E::U32 => {
            entries("uint64_data", 1, proto.uint64_data.len())?;
            let narrow = |&value: &u64| u32::try_from(value).map_err(|_| out_of_range(value, element_type));
            Ok(little_endian(proto.uint64_data.iter().map(narrow).collect::<Result<Vec<_>, _>>()?))
        }
        E::I32 => {
            entries("int32_data", 1, proto.int32_data.len())?;
            Ok(little_endian(proto.int32_data))
        }
        E::F6E2M3 | E::F6E3M2 => {
            entries("int32_data", 1, proto.int32_data.len())?;
            pack_six_bits(&proto.int32_data, element_type)
        }
        E::String => Ok(Bytes::new()),
        _ => {
            from_i32s(proto.int32_data.len())?;
            narrow_i32s(&proto.int32_data, element_type)
        }
    }
}

/// Numbers of one or two bytes. Bit patterns (float16, float8, packed nibbles) are found both zero- and sign-extended in the wild.
fn narrow_i32s(values: &[i32], element_type: ElementType) -> Result<Bytes, Invalid> {
    use ElementType as E;
    let (min, max) = match element_type {
        E::I8 => (i32::from(i8::MIN), i32::from(i8::MAX)),
        E::U8 => (0, i32::from(u8::MAX)),
        E::Bool => (0, 1),
        E::I16 => (i32::from(i16::MIN), i32::from(i16::MAX)),
        E::U16 => (0, i32::from(u16::MAX)),
        E::F16 | E::Bf16 => (i32::from(i16::MIN), i32::from(u16::MAX)),
        _ => (i32::from(i8::MIN), i32::from(u8::MAX)),
    };
    if let Some(value) = values.iter().find(|value| !(min..=max).contains(*value)) {
        return Err(out_of_range(*value, element_type));
    }
    let is_two_bytes = matches!(element_type.bits(), Some(16));
    let bytes: Vec<u8> = if is_two_bytes {
        values
            .iter()
            .flat_map(|value| {
                let [low, high, ..] = value.to_le_bytes();
                [low, high]
            })
            .collect()
    } else {
        values.iter().map(|value| value.to_le_bytes()[0]).collect()
    };
    Ok(bytes.into())
}

/// One 6-bit code per entry, packed as a contiguous stream of bits, lowest first.
fn pack_six_bits(values: &[i32], element_type: ElementType) -> Result<Bytes, Invalid> {
    let mut packed = vec![0_u8; element_type.bytes_for(values.len()).unwrap_or(0)];
    for (index, value) in values.iter().enumerate() {
        let code = u8::try_from(*value).ok().filter(|code| *code < 64).ok_or_else(|| out_of_range(*value, element_type))?;
        let (byte, shift) = (index * 6 / 8, index * 6 % 8);
        let bits = u16::from(code) << shift;
        let [low, high] = bits.to_le_bytes();
        packed[byte] |= low;
        if let Some(next) = packed.get_mut(byte + 1) {
            *next |= high;
        }
    }
    Ok(packed.into())
}

fn out_of_range(value: impl std::fmt::Display, element_type: ElementType) -> Invalid {
    Invalid::new(format!("the value {value} does not fit {element_type}"))
}

/// The bytes of a vector, without a copy.
fn little_endian<T: bytemuck::NoUninit + Send + Sync>(values: Vec<T>) -> Bytes {
    struct Owner<T>(Vec<T>);
    impl<T: bytemuck::NoUninit> AsRef<[u8]> for Owner<T> {
        fn as_ref(&self) -> &[u8] {
            bytemuck::cast_slice(&self.0)
        }
    }
    Bytes::from_owner(Owner(values))
}
