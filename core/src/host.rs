//! Element types and tensors in plain host memory: what a file holds and what a graph's constants are.
//! Knows nothing of graphs, devices or burn.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use compact_str::CompactString;
use half::{bf16, f16};

pub mod narrow;
mod sparse;

pub use sparse::{SparseTensor, SparseTensorError};

/// The element types of the ONNX specification (`TensorProto.DataType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ElementType {
    F32,
    U8,
    I8,
    U16,
    I16,
    I32,
    I64,
    String,
    Bool,
    F16,
    F64,
    U32,
    U64,
    Complex64,
    Complex128,
    Bf16,
    F8E4M3Fn,
    F8E4M3Fnuz,
    F8E5M2,
    F8E5M2Fnuz,
    U4,
    I4,
    F4E2M1,
    F8E8M0,
    U2,
    I2,
    F6E2M3,
    F6E3M2,
}

impl ElementType {
    /// Every element type with its number in `TensorProto.DataType`, and its name as ONNX spells it in type strings.
    pub const ALL: [(i32, Self, &'static str); 28] = [
        (1, Self::F32, "float32"),
        (2, Self::U8, "uint8"),
        (3, Self::I8, "int8"),
        (4, Self::U16, "uint16"),
        (5, Self::I16, "int16"),
        (6, Self::I32, "int32"),
        (7, Self::I64, "int64"),
        (8, Self::String, "string"),
        (9, Self::Bool, "bool"),
        (10, Self::F16, "float16"),
        (11, Self::F64, "float64"),
        (12, Self::U32, "uint32"),
        (13, Self::U64, "uint64"),
        (14, Self::Complex64, "complex64"),
        (15, Self::Complex128, "complex128"),
        (16, Self::Bf16, "bfloat16"),
        (17, Self::F8E4M3Fn, "float8e4m3fn"),
        (18, Self::F8E4M3Fnuz, "float8e4m3fnuz"),
        (19, Self::F8E5M2, "float8e5m2"),
        (20, Self::F8E5M2Fnuz, "float8e5m2fnuz"),
        (21, Self::U4, "uint4"),
        (22, Self::I4, "int4"),
        (23, Self::F4E2M1, "float4e2m1"),
        (24, Self::F8E8M0, "float8e8m0"),
        (25, Self::U2, "uint2"),
        (26, Self::I2, "int2"),
        (27, Self::F6E2M3, "float6e2m3"),
        (28, Self::F6E3M2, "float6e3m2"),
    ];

    pub fn from_onnx(code: i32) -> Option<Self> {
        Self::ALL.iter().find(|(number, ..)| *number == code).map(|(_, element_type, _)| *element_type)
    }

    pub fn to_onnx(self) -> i32 {
        self.row().0
    }

    /// The numpy name: "float32", "int64", "string".
    pub fn name(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> (i32, Self, &'static str) {
        // ALL lists the variants in declaration order; a test holds it to that.
        Self::ALL[self as usize]
    }

    /// Bits of one element in `raw_data`; `None` for strings.
    pub fn bits(self) -> Option<usize> {
        Some(match self {
            Self::String => return None,
            Self::U2 | Self::I2 => 2,
            Self::U4 | Self::I4 | Self::F4E2M1 => 4,
            Self::F6E2M3 | Self::F6E3M2 => 6,
            Self::U8 | Self::I8 | Self::Bool | Self::F8E4M3Fn | Self::F8E4M3Fnuz | Self::F8E5M2 | Self::F8E5M2Fnuz | Self::F8E8M0 => 8,
            Self::U16 | Self::I16 | Self::F16 | Self::Bf16 => 16,
            Self::F32 | Self::I32 | Self::U32 => 32,
            Self::F64 | Self::I64 | Self::U64 | Self::Complex64 => 64,
            Self::Complex128 => 128,
        })
    }

    /// Bytes that `n_elements` take in `raw_data`; `None` for strings and on overflow.
    pub fn bytes_for(self, n_elements: usize) -> Option<usize> {
        Some(self.bits()?.checked_mul(n_elements)?.div_ceil(8))
    }

    pub fn is_float(self) -> bool {
        matches!(self, Self::F32 | Self::F64 | Self::F16 | Self::Bf16)
    }

    /// Integers of 8 to 64 bits.
    pub fn is_int(self) -> bool {
        matches!(self, Self::I8 | Self::I16 | Self::I32 | Self::I64 | Self::U8 | Self::U16 | Self::U32 | Self::U64)
    }
}

impl std::fmt::Display for ElementType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A Rust type that is an element type.
pub trait Element: bytemuck::Pod + Send + Sync + PartialEq + std::fmt::Debug {
    const ELEMENT_TYPE: ElementType;
}

macro_rules! elements {
    ($($rust:ty => $variant:ident),* $(,)?) => {
        $(impl Element for $rust {
            const ELEMENT_TYPE: ElementType = ElementType::$variant;
        })*
    };
}
// Booleans travel as one byte, 0 or 1, exactly as in `raw_data`: see [`Bool`].
elements!(f32 => F32, f64 => F64, f16 => F16, bf16 => Bf16, i8 => I8, i16 => I16, i32 => I32, i64 => I64, u8 => U8, u16 => U16, u32 => U32, u64 => U64, Bool => Bool);

/// One boolean element: a byte that is 0 or 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(transparent)]
pub struct Bool(u8);

impl Bool {
    pub const fn new(value: bool) -> Self {
        Self(value as u8)
    }

    pub const fn get(self) -> bool {
        self.0 != 0
    }
}

/// A constant tensor in host memory: element type, shape, and either little-endian bytes (shared, possibly mapped from a file) or strings.
#[derive(Clone, PartialEq)]
pub struct HostTensor {
    element_type: ElementType,
    shape: Vec<usize>,
    data: HostData,
}

#[derive(Clone, PartialEq)]
enum HostData {
    Bytes(Bytes),
    Strings(Arc<[CompactString]>),
}

/// The data of a tensor does not fit what its element type and dims promise.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostTensorError {
    #[error("shape {shape:?} has more elements than this machine can address")]
    TooManyElements { shape: Vec<usize> },
    #[error("{element_type} of shape {shape:?} takes {expected} bytes, but {found} are there")]
    WrongByteCount { element_type: ElementType, shape: Vec<usize>, expected: usize, found: usize },
    #[error("shape {shape:?} takes {expected} strings, but {found} are there")]
    WrongStringCount { shape: Vec<usize>, expected: usize, found: usize },
    #[error("expected a tensor of {expected}, found {found}")]
    WrongElementType { expected: ElementType, found: ElementType },
}

impl HostTensor {
    /// A numeric tensor over bytes as they stand in `raw_data` (row-major, little-endian, sub-byte types packed).
    pub fn from_bytes(element_type: ElementType, shape: Vec<usize>, bytes: Bytes) -> Result<Self, HostTensorError> {
        let n_elements = element_count(&shape)?;
        let expected = element_type.bytes_for(n_elements).ok_or_else(|| HostTensorError::TooManyElements { shape: shape.clone() })?;
        if expected != bytes.len() {
            return Err(HostTensorError::WrongByteCount { element_type, shape, expected, found: bytes.len() });
        }
        Ok(Self { element_type, shape, data: HostData::Bytes(bytes) })
    }

    pub fn from_strings(shape: Vec<usize>, strings: Vec<CompactString>) -> Result<Self, HostTensorError> {
        let expected = element_count(&shape)?;
        if expected != strings.len() {
            return Err(HostTensorError::WrongStringCount { shape, expected, found: strings.len() });
        }
        Ok(Self { element_type: ElementType::String, shape, data: HostData::Strings(strings.into()) })
    }

    /// A numeric tensor of these elements, one after the other; types below a byte are packed.
    pub fn from_vec<T: Element>(shape: Vec<usize>, values: &[T]) -> Result<Self, HostTensorError> {
        let bytes: &[u8] = bytemuck::cast_slice(values);
        match T::ELEMENT_TYPE.bits() {
            Some(bits) if bits < 8 => Self::from_bytes(T::ELEMENT_TYPE, shape, narrow::pack(bits, bytes).into()),
            _ => Self::from_bytes(T::ELEMENT_TYPE, shape, Bytes::copy_from_slice(bytes)),
        }
    }

    pub fn element_type(&self) -> ElementType {
        self.element_type
    }

    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    pub fn n_elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// Bytes of the data itself; for strings the sum of their lengths.
    pub fn n_bytes(&self) -> usize {
        match &self.data {
            HostData::Bytes(bytes) => bytes.len(),
            HostData::Strings(strings) => strings.iter().map(CompactString::len).sum(),
        }
    }

    /// The raw bytes of a numeric tensor; `None` for strings.
    pub fn bytes(&self) -> Option<&Bytes> {
        match &self.data {
            HostData::Bytes(bytes) => Some(bytes),
            HostData::Strings(_) => None,
        }
    }

    pub fn strings(&self) -> Option<&Arc<[CompactString]>> {
        match &self.data {
            HostData::Bytes(_) => None,
            HostData::Strings(strings) => Some(strings),
        }
    }

    /// The elements as `T`; copies only where the bytes are not aligned for `T`, as data inside a file often is, or are packed.
    pub fn as_slice<T: Element>(&self) -> Result<Cow<'_, [T]>, HostTensorError> {
        match &self.data {
            HostData::Bytes(bytes) if T::ELEMENT_TYPE == self.element_type && T::ELEMENT_TYPE.bits().is_some_and(|bits| bits < 8) => {
                let unpacked = narrow::unpack(self.element_type, T::ELEMENT_TYPE.bits().unwrap_or(8), bytes, self.n_elements());
                Ok(Cow::Owned(bytemuck::pod_collect_to_vec(&unpacked)))
            }
            HostData::Bytes(bytes) if T::ELEMENT_TYPE == self.element_type => {
                Ok(bytemuck::try_cast_slice(bytes).map_or_else(|_| Cow::Owned(bytemuck::pod_collect_to_vec(bytes)), Cow::Borrowed))
            }
            _ => Err(HostTensorError::WrongElementType { expected: T::ELEMENT_TYPE, found: self.element_type }),
        }
    }
}

impl std::fmt::Debug for HostTensor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{:?}", self.element_type, self.shape)
    }
}

fn element_count(shape: &[usize]) -> Result<usize, HostTensorError> {
    shape.iter().try_fold(1_usize, |product, &dim| product.checked_mul(dim)).ok_or_else(|| HostTensorError::TooManyElements { shape: shape.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_lists_the_variants_in_declaration_order() {
        for (index, (number, element_type, _)) in ElementType::ALL.iter().enumerate() {
            assert_eq!(*element_type as usize, index);
            assert_eq!(ElementType::from_onnx(*number), Some(*element_type));
            assert_eq!(element_type.to_onnx(), *number);
        }
        assert_eq!(ElementType::from_onnx(0), None);
    }

    #[test]
    fn bytes_that_do_not_match_the_dims_are_refused() {
        let error = HostTensor::from_bytes(ElementType::F32, vec![2, 3], Bytes::from_static(&[0; 20])).unwrap_err();
        assert_eq!(error.to_string(), "float32 of shape [2, 3] takes 24 bytes, but 20 are there");
        assert!(HostTensor::from_bytes(ElementType::F32, vec![usize::MAX, 2], Bytes::new()).is_err());
        assert!(HostTensor::from_bytes(ElementType::I4, vec![3], Bytes::from_static(&[0; 2])).is_ok());
    }

    #[test]
    fn unaligned_bytes_are_copied_not_misread() {
        let bytes = Bytes::copy_from_slice(&[9, 0, 0, 128, 63, 0, 0, 0, 64]).slice(1..);
        let tensor = HostTensor::from_bytes(ElementType::F32, vec![2], bytes).unwrap();
        assert_eq!(tensor.as_slice::<f32>().unwrap().as_ref(), [1.0, 2.0]);
        assert!(tensor.as_slice::<i32>().is_err());
    }
}
