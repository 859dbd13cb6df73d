//! Values at run time: numeric tensors of dynamic rank on a device, string tensors, sequences and maps. Knows nothing of graphs.
//!
//! A numeric [`Tensor`] wraps burn's rank-free tensor. burn checks no shapes, so every constructor here does, and operators
//! must have proven their shapes before they hand a tensor to burn.

use std::borrow::Cow;
use std::sync::Arc;

use burn::backend::{BackendTensor, Dispatch, DispatchKindConversion, DispatchTensor, Flex, TensorMetadata as _};
use compact_str::CompactString;
use smallvec::SmallVec;

use crate::host::{Element, ElementType, HostTensor};

pub mod channels_last;
mod convert;
pub mod device;
pub mod value;

pub use device::{Device, DeviceError};
pub use value::{MapKey, Records, Value};

/// Dimensions of a run-time tensor.
pub type Shape = SmallVec<[usize; 6]>;

/// A tensor: element type, shape and data. Cloning shares the data.
#[derive(Clone)]
pub struct Tensor {
    element_type: ElementType,
    /// The logical shape. burn's own may differ: a scalar is `[1]` there.
    shape: Shape,
    storage: Storage,
}

#[derive(Clone)]
#[expect(clippy::large_enum_variant, reason = "boxing would cost every small operator an allocation; string tensors are rare and long")]
enum Storage {
    /// Numbers, in host memory (burn's flex backend) or on a GPU. `None` for tensors without elements, which burn's backends don't all take.
    Numeric(Option<DispatchTensor>),
    Strings(Arc<[CompactString]>),
}

/// A tensor is not what its user expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TensorError {
    #[error("expected a tensor of {expected}, found {found}")]
    WrongElementType { expected: String, found: ElementType },
    #[error("shape {shape:?} needs {expected} elements, but {found} are there")]
    WrongLength { shape: Vec<usize>, expected: usize, found: usize },
    #[error("shape {shape:?} has more elements than this machine can address")]
    TooLarge { shape: Vec<usize> },
    #[error("tensors of {0} can be loaded and saved, but not computed with")]
    NotComputable(ElementType),
    #[error("reading a result back from the GPU failed: {0}")]
    ReadBack(String),
}

impl Tensor {
    /// A host tensor over `data`, without copying it.
    pub fn from_vec<T: Element>(shape: &[usize], data: Vec<T>) -> Result<Self, TensorError> {
        check_length(shape, data.len())?;
        Ok(convert::numeric_from_vec(shape, data))
    }

    /// A rank-0 tensor.
    pub fn scalar<T: Element>(value: T) -> Self {
        convert::numeric_from_vec(&[], vec![value])
    }

    pub fn from_strings(shape: &[usize], strings: impl Into<Arc<[CompactString]>>) -> Result<Self, TensorError> {
        let strings = strings.into();
        check_length(shape, strings.len())?;
        Ok(Self { element_type: ElementType::String, shape: shape.into(), storage: Storage::Strings(strings) })
    }

    /// A tensor without elements.
    pub fn empty(element_type: ElementType, shape: &[usize]) -> Self {
        debug_assert!(shape.contains(&0), "{shape:?} has elements");
        let storage = match element_type {
            ElementType::String => Storage::Strings(Arc::new([])),
            _ => Storage::Numeric(None),
        };
        Self { element_type, shape: shape.into(), storage }
    }

    /// Copies a constant into run-time form, in host memory.
    pub fn from_host(tensor: &HostTensor) -> Result<Self, TensorError> {
        convert::from_host(tensor)
    }

    /// Copies the tensor, from whatever device, into host form.
    pub fn to_host(&self) -> Result<HostTensor, TensorError> {
        convert::to_host(self)
    }

    pub fn element_type(&self) -> ElementType {
        self.element_type
    }

    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    pub fn rank(&self) -> usize {
        self.shape.len()
    }

    pub fn n_elements(&self) -> usize {
        self.shape.iter().product()
    }

    pub fn is_empty(&self) -> bool {
        self.shape.contains(&0)
    }

    /// Whether the data is in host memory.
    pub fn is_on_host(&self) -> bool {
        match &self.storage {
            Storage::Numeric(Some(primitive)) => matches!(primitive.kind, burn::backend::DispatchTensorKind::Flex(_)),
            _ => true,
        }
    }

    /// The elements in row-major order. Borrowed when the tensor is contiguous in host memory; else gathered, or read back from the GPU.
    pub fn as_slice<T: Element>(&self) -> Result<Cow<'_, [T]>, TensorError> {
        if T::ELEMENT_TYPE != self.element_type {
            return Err(TensorError::WrongElementType { expected: T::ELEMENT_TYPE.name().to_owned(), found: self.element_type });
        }
        convert::as_slice(self)
    }

    /// The elements in row-major order, taking them over without a copy where this tensor is the only owner.
    pub fn into_vec<T: Element>(self) -> Result<Vec<T>, TensorError> {
        if T::ELEMENT_TYPE != self.element_type {
            return Err(TensorError::WrongElementType { expected: T::ELEMENT_TYPE.name().to_owned(), found: self.element_type });
        }
        convert::into_vec(self)
    }

    /// The strings of a string tensor in row-major order.
    pub fn as_strings(&self) -> Result<&Arc<[CompactString]>, TensorError> {
        match &self.storage {
            Storage::Strings(strings) => Ok(strings),
            Storage::Numeric(_) => Err(TensorError::WrongElementType { expected: "string".to_owned(), found: self.element_type }),
        }
    }

    /// The elements as int64, from any integer type: axes, indices, shapes.
    pub fn to_i64s(&self) -> Result<Vec<i64>, TensorError> {
        convert::to_i64s(self)
    }

    /// The elements as float32, from any numeric or boolean type.
    pub fn to_f32s(&self) -> Result<Vec<f32>, TensorError> {
        convert::to_f32s(self)
    }

    /// The same elements under another shape.
    pub fn reshaped(self, shape: &[usize]) -> Result<Self, TensorError> {
        check_length(shape, self.n_elements())?;
        Ok(convert::reshaped(self, shape))
    }

    /// The tensor on `device`; shares the data when it is there already. Only float32 and booleans travel to a GPU: the rest stays in host memory,
    /// because WGSL has no storage for it.
    pub fn to_device(&self, device: &Device) -> Result<Self, TensorError> {
        convert::to_device(self, device)
    }

    /// Whether [`Self::to_device`] would copy.
    pub fn travels_to(&self, device: &Device) -> bool {
        match &self.storage {
            Storage::Numeric(Some(_)) => device.is_cpu() != self.is_on_host() && (device.is_cpu() || convert::lives_on_devices(self.element_type)),
            _ => false,
        }
    }

    /// burn's tensor, for operators. Its shape is [`Self::shape`], except that a scalar is `[1]`. `None` for strings and tensors without elements.
    pub fn primitive(&self) -> Option<DispatchTensor> {
        match &self.storage {
            Storage::Numeric(primitive) => primitive.clone(),
            Storage::Strings(_) => None,
        }
    }

    /// As [`Self::primitive`], giving up this owner, so that burn can work in place when it was the last one.
    pub fn into_primitive(self) -> Option<DispatchTensor> {
        match self.storage {
            Storage::Numeric(primitive) => primitive,
            Storage::Strings(_) => None,
        }
    }

    /// Wraps what a burn operation returned. `shape` is the logical shape; burn's is reshaped to it when it differs.
    /// Integer results of another width than `element_type` (a GPU's int32 indices) are widened on the host.
    pub fn from_primitive(element_type: ElementType, shape: &[usize], primitive: DispatchTensor) -> Self {
        debug_assert_eq!(
            primitive.shape().num_elements(),
            shape.iter().product::<usize>().max(1),
            "logical shape {shape:?} against burn's {:?}",
            primitive.shape()
        );
        convert::wrap(element_type, shape, primitive)
    }
}

impl std::fmt::Debug for Tensor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{:?}", self.element_type, self.shape.as_slice())
    }
}

fn check_length(shape: &[usize], found: usize) -> Result<(), TensorError> {
    let expected =
        shape.iter().try_fold(1_usize, |product, &dim| product.checked_mul(dim)).ok_or_else(|| TensorError::TooLarge { shape: shape.to_vec() })?;
    if expected == found { Ok(()) } else { Err(TensorError::WrongLength { shape: shape.to_vec(), expected, found }) }
}

/// A flex tensor as burn's run-time dispatched tensor; no copy.
fn dispatch_from_flex(tensor: BackendTensor<Flex>) -> DispatchTensor {
    <DispatchTensor as DispatchKindConversion<Flex>>::from_backend(tensor)
}

/// The backend whose functions take [`DispatchTensor`]s: `Backend::float_add(a, b)`.
pub type Backend = Dispatch;
