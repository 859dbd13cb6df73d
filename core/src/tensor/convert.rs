//! Between host memory, burn's tensors and Rust slices. The only place that knows how each element type is stored.

use std::borrow::Cow;

use burn::backend::flex::FlexTensor;
use burn::backend::ops::{BoolTensorOps as _, FloatTensorOps as _, IntTensorOps as _};
use burn::backend::{BackendTensor, DispatchKindConversion, DispatchTensor, DispatchTensorKind, Flex, TensorMetadata as _};
use burn::tensor::{Bytes as BurnBytes, DType, TensorData};
use half::{bf16, f16};

use super::{Backend, Device, Storage, Tensor, TensorError, dispatch_from_flex};
use crate::host::narrow::{F4E2M1, F8E4M3Fn, F8E4M3Fnuz, F8E5M2, F8E5M2Fnuz, F8E8M0, I2, I4, Narrow as _, U2, U4};
use crate::host::{Bool, Element, ElementType, HostTensor};

/// burn's type for an element type that Drydock computes with. Types that Rust has none for are bytes to burn, which only moves them about.
fn burn_dtype(element_type: ElementType) -> Option<DType> {
    Some(match element_type {
        ElementType::F32 => DType::F32,
        ElementType::F64 => DType::F64,
        ElementType::F16 => DType::F16,
        ElementType::Bf16 => DType::BF16,
        ElementType::I8 => DType::I8,
        ElementType::I16 => DType::I16,
        ElementType::I32 => DType::I32,
        ElementType::I64 => DType::I64,
        ElementType::U8 => DType::U8,
        ElementType::U16 => DType::U16,
        ElementType::U32 => DType::U32,
        ElementType::U64 => DType::U64,
        ElementType::Bool => DType::Bool(burn::tensor::BoolStore::Native),
        ElementType::U2 | ElementType::I2 | ElementType::U4 | ElementType::I4 | ElementType::F4E2M1 => DType::U8,
        ElementType::F8E4M3Fn | ElementType::F8E4M3Fnuz | ElementType::F8E5M2 | ElementType::F8E5M2Fnuz | ElementType::F8E8M0 => DType::U8,
        _ => return None,
    })
}

/// burn's shape for a logical shape: scalars are `[1]`.
fn burn_dims(shape: &[usize]) -> Vec<usize> {
    if shape.is_empty() { vec![1] } else { shape.to_vec() }
}

fn kind_of(element_type: ElementType, tensor: FlexTensor) -> BackendTensor<Flex> {
    match element_type {
        ElementType::Bool => BackendTensor::Bool(tensor),
        element_type if element_type.is_float() => BackendTensor::Float(tensor),
        _ => BackendTensor::Int(tensor),
    }
}

pub(super) fn numeric_from_vec<T: Element>(shape: &[usize], data: Vec<T>) -> Tensor {
    let element_type = T::ELEMENT_TYPE;
    let dtype = burn_dtype(element_type).filter(|_| !data.is_empty());
    let primitive = dtype.map(|dtype| {
        let data = TensorData::from_bytes(BurnBytes::from_elems(data), burn_dims(shape), dtype);
        dispatch_from_flex(kind_of(element_type, FlexTensor::from_data(data)))
    });
    Tensor { element_type, shape: shape.into(), storage: Storage::Numeric(primitive) }
}

pub(super) fn from_host(tensor: &HostTensor) -> Result<Tensor, TensorError> {
    macro_rules! copy {
        ($t:ty) => {
            numeric_from_vec::<$t>(
                tensor.shape(),
                tensor.as_slice::<$t>().map_err(|_| TensorError::NotComputable(tensor.element_type()))?.into_owned(),
            )
        };
    }
    if let Some(strings) = tensor.strings() {
        return Tensor::from_strings(tensor.shape(), strings.clone());
    }
    Ok(match tensor.element_type() {
        ElementType::F32 => copy!(f32),
        ElementType::F64 => copy!(f64),
        ElementType::F16 => copy!(f16),
        ElementType::Bf16 => copy!(bf16),
        ElementType::I8 => copy!(i8),
        ElementType::I16 => copy!(i16),
        ElementType::I32 => copy!(i32),
        ElementType::I64 => copy!(i64),
        ElementType::U8 => copy!(u8),
        ElementType::U16 => copy!(u16),
        ElementType::U32 => copy!(u32),
        ElementType::U64 => copy!(u64),
        ElementType::Bool => {
            // A file may hold any byte for true; in memory it is 1.
            let bytes = tensor.bytes().map(|bytes| bytes.iter().map(|&byte| Bool::new(byte != 0)).collect::<Vec<_>>());
            numeric_from_vec(tensor.shape(), bytes.unwrap_or_default())
        }
        ElementType::U2 => copy!(U2),
        ElementType::I2 => copy!(I2),
        ElementType::U4 => copy!(U4),
        ElementType::I4 => copy!(I4),
        ElementType::F4E2M1 => copy!(F4E2M1),
        ElementType::F8E4M3Fn => copy!(F8E4M3Fn),
        ElementType::F8E4M3Fnuz => copy!(F8E4M3Fnuz),
        ElementType::F8E5M2 => copy!(F8E5M2),
        ElementType::F8E5M2Fnuz => copy!(F8E5M2Fnuz),
        ElementType::F8E8M0 => copy!(F8E8M0),
        other => return Err(TensorError::NotComputable(other)),
    })
}

/// Runs `$body` with `$t` bound to the Rust type of a numeric element type that Drydock computes with.
macro_rules! with_numeric_type {
    ($element_type:expr, $t:ident => $body:expr, else $other:expr) => {
        match $element_type {
            ElementType::F32 => {
                type $t = f32;
                $body
            }
            ElementType::F64 => {
                type $t = f64;
                $body
            }
            ElementType::F16 => {
                type $t = f16;
                $body
            }
            ElementType::Bf16 => {
                type $t = bf16;
                $body
            }
            ElementType::I8 => {
                type $t = i8;
                $body
            }
            ElementType::I16 => {
                type $t = i16;
                $body
            }
            ElementType::I32 => {
                type $t = i32;
                $body
            }
            ElementType::I64 => {
                type $t = i64;
                $body
            }
            ElementType::U8 => {
                type $t = u8;
                $body
            }
            ElementType::U16 => {
                type $t = u16;
                $body
            }
            ElementType::U32 => {
                type $t = u32;
                $body
            }
            ElementType::U64 => {
                type $t = u64;
                $body
            }
            ElementType::Bool => {
                type $t = Bool;
                $body
            }
            ElementType::U2 => {
                type $t = U2;
                $body
            }
            ElementType::I2 => {
                type $t = I2;
                $body
            }
            ElementType::U4 => {
                type $t = U4;
                $body
            }
            ElementType::I4 => {
                type $t = I4;
                $body
            }
            ElementType::F4E2M1 => {
                type $t = F4E2M1;
                $body
            }
            ElementType::F8E4M3Fn => {
                type $t = F8E4M3Fn;
                $body
            }
            ElementType::F8E4M3Fnuz => {
                type $t = F8E4M3Fnuz;
                $body
            }
            ElementType::F8E5M2 => {
                type $t = F8E5M2;
                $body
            }
            ElementType::F8E5M2Fnuz => {
                type $t = F8E5M2Fnuz;
                $body
            }
            ElementType::F8E8M0 => {
                type $t = F8E8M0;
                $body
            }
            _ => $other,
        }
    };
}

pub(super) fn to_host(tensor: &Tensor) -> Result<HostTensor, TensorError> {
    let too_large = |_| TensorError::TooLarge { shape: tensor.shape.to_vec() };
    if let Storage::Strings(strings) = &tensor.storage {
        return HostTensor::from_strings(tensor.shape.to_vec(), strings.to_vec()).map_err(too_large);
    }
    with_numeric_type!(tensor.element_type, T => HostTensor::from_vec(tensor.shape.to_vec(), &as_slice::<T>(tensor)?).map_err(too_large),
        else Err(TensorError::NotComputable(tensor.element_type)))
}

/// The flex tensor behind a primitive, if it is in host memory.
fn as_flex(primitive: &DispatchTensor) -> Option<&FlexTensor> {
    match &primitive.kind {
        DispatchTensorKind::Flex(BackendTensor::Float(tensor) | BackendTensor::Int(tensor) | BackendTensor::Bool(tensor)) => Some(tensor),
        _ => None,
    }
}

pub(super) fn as_slice<T: Element>(tensor: &Tensor) -> Result<Cow<'_, [T]>, TensorError> {
    let Storage::Numeric(primitive) = &tensor.storage else {
        return Err(TensorError::WrongElementType { expected: T::ELEMENT_TYPE.name().to_owned(), found: tensor.element_type });
    };
    let Some(primitive) = primitive else { return Ok(Cow::Owned(Vec::new())) };
    if let Some(flex) = as_flex(primitive).filter(|flex| flex.is_contiguous()) {
        let start = flex.layout().start_offset() * size_of::<T>();
        let bytes = flex.bytes().get(start..start + tensor.n_elements() * size_of::<T>());
        if let Some(elements) = bytes.and_then(|bytes| bytemuck::try_cast_slice(bytes).ok()) {
            return Ok(Cow::Borrowed(elements));
        }
    }
    into_vec(tensor.clone()).map(Cow::Owned)
}

pub(super) fn into_vec<T: Element>(tensor: Tensor) -> Result<Vec<T>, TensorError> {
    let n_elements = tensor.n_elements();
    let Storage::Numeric(Some(primitive)) = tensor.storage else { return Ok(Vec::new()) };
    let (bytes, _, stored) = read(primitive, tensor.element_type)?.into_parts();
    let bytes = match bytes.try_into_vec::<T>() {
        Ok(values) if values.len() == n_elements && burn_dtype(T::ELEMENT_TYPE) == Some(stored) => return Ok(values),
        Ok(values) => BurnBytes::from_elems(values),
        Err(bytes) => bytes,
    };
    // A GPU keeps booleans and indices as 32-bit words: narrow or widen them here.
    let widened: Vec<T> = match (stored, T::ELEMENT_TYPE) {
        (DType::Bool(burn::tensor::BoolStore::U32), ElementType::Bool) => {
            let narrow: Vec<Bool> = bytes.as_chunks::<4>().0.iter().map(|word| Bool::new(*word != [0; 4])).collect();
            bytemuck::pod_collect_to_vec(&narrow)
        }
        (DType::I32, ElementType::I64) => {
            let wide: Vec<i64> = bytes.as_chunks::<4>().0.iter().map(|word| i64::from(i32::from_le_bytes(*word))).collect();
            bytemuck::pod_collect_to_vec(&wide)
        }
        _ => bytemuck::pod_collect_to_vec(&bytes[..]),
    };
    if widened.len() == n_elements {
        Ok(widened)
    } else {
        Err(TensorError::ReadBack(format!("expected {n_elements} elements of {}, got {} of {stored:?}", T::ELEMENT_TYPE, widened.len())))
    }
}

fn read(primitive: DispatchTensor, element_type: ElementType) -> Result<TensorData, TensorError> {
    let primitive = match <DispatchTensor as DispatchKindConversion<Flex>>::try_into_backend(primitive.clone()) {
        Ok(BackendTensor::Float(tensor) | BackendTensor::Int(tensor) | BackendTensor::Bool(tensor)) => return Ok(tensor.into_data()),
        _ => primitive,
    };
    let read = match element_type {
        ElementType::Bool => burn::tensor::try_read_sync(Backend::bool_into_data(primitive)),
        element_type if element_type.is_float() => burn::tensor::try_read_sync(Backend::float_into_data(primitive)),
        _ => burn::tensor::try_read_sync(Backend::int_into_data(primitive)),
    };
    match read {
        Some(Ok(data)) => Ok(data),
        Some(Err(error)) => Err(TensorError::ReadBack(error.to_string())),
        None => Err(TensorError::ReadBack("the device did not answer".to_owned())),
    }
}

pub(super) fn to_i64s(tensor: &Tensor) -> Result<Vec<i64>, TensorError> {
    macro_rules! widen {
        ($t:ty) => {
            as_slice::<$t>(tensor)?.iter().map(|&value| i64::from(value)).collect()
        };
    }
    Ok(match tensor.element_type {
        ElementType::I64 => as_slice::<i64>(tensor)?.into_owned(),
        ElementType::I32 => widen!(i32),
        ElementType::I16 => widen!(i16),
        ElementType::I8 => widen!(i8),
        ElementType::U8 => widen!(u8),
        ElementType::U16 => widen!(u16),
        ElementType::U32 => widen!(u32),
        found => return Err(TensorError::WrongElementType { expected: "integers".to_owned(), found }),
    })
}

pub(super) fn to_f32s(tensor: &Tensor) -> Result<Vec<f32>, TensorError> {
    macro_rules! narrow {
        ($t:ty, |$v:ident| $convert:expr) => {
            as_slice::<$t>(tensor)?.iter().map(|&$v| $convert).collect()
        };
    }
    Ok(match tensor.element_type {
        ElementType::F32 => as_slice::<f32>(tensor)?.into_owned(),
        ElementType::F64 => narrow!(f64, |v| v as f32),
        ElementType::F16 => narrow!(f16, |v| v.to_f32()),
        ElementType::Bf16 => narrow!(bf16, |v| v.to_f32()),
        ElementType::I8 => narrow!(i8, |v| f32::from(v)),
        ElementType::I16 => narrow!(i16, |v| f32::from(v)),
        ElementType::I32 => narrow!(i32, |v| v as f32),
        ElementType::I64 => narrow!(i64, |v| v as f32),
        ElementType::U8 => narrow!(u8, |v| f32::from(v)),
        ElementType::U16 => narrow!(u16, |v| f32::from(v)),
        ElementType::U32 => narrow!(u32, |v| v as f32),
        ElementType::U64 => narrow!(u64, |v| v as f32),
        ElementType::Bool => narrow!(Bool, |v| f32::from(u8::from(v.get()))),
        ElementType::U2 => narrow!(U2, |v| v.to_f32()),
        ElementType::I2 => narrow!(I2, |v| v.to_f32()),
        ElementType::U4 => narrow!(U4, |v| v.to_f32()),
        ElementType::I4 => narrow!(I4, |v| v.to_f32()),
        ElementType::F4E2M1 => narrow!(F4E2M1, |v| v.to_f32()),
        ElementType::F8E4M3Fn => narrow!(F8E4M3Fn, |v| v.to_f32()),
        ElementType::F8E4M3Fnuz => narrow!(F8E4M3Fnuz, |v| v.to_f32()),
        ElementType::F8E5M2 => narrow!(F8E5M2, |v| v.to_f32()),
        ElementType::F8E5M2Fnuz => narrow!(F8E5M2Fnuz, |v| v.to_f32()),
        ElementType::F8E8M0 => narrow!(F8E8M0, |v| v.to_f32()),
        found => return Err(TensorError::WrongElementType { expected: "numbers".to_owned(), found }),
    })
}

pub(super) fn reshaped(tensor: Tensor, shape: &[usize]) -> Tensor {
    let Tensor { element_type, shape: old, storage } = tensor;
    let storage = match storage {
        Storage::Numeric(Some(primitive)) if burn_dims(shape) != burn_dims(&old) => {
            Storage::Numeric(Some(reshape_primitive(element_type, primitive, burn_dims(shape))))
        }
        storage => storage,
    };
    Tensor { element_type, shape: shape.into(), storage }
}

fn reshape_primitive(element_type: ElementType, primitive: DispatchTensor, dims: Vec<usize>) -> DispatchTensor {
    match element_type {
        ElementType::Bool => Backend::bool_reshape(primitive, dims.into()),
        element_type if element_type.is_float() => Backend::float_reshape(primitive, dims.into()),
        _ => Backend::int_reshape(primitive, dims.into()),
    }
}

pub(super) fn wrap(element_type: ElementType, shape: &[usize], primitive: DispatchTensor) -> Tensor {
    let dims = burn_dims(shape);
    let primitive = if primitive.shape().as_slice() == dims { primitive } else { reshape_primitive(element_type, primitive, dims) };
    Tensor { element_type, shape: shape.into(), storage: Storage::Numeric(Some(primitive)) }
}

/// WGSL has no storage for other types that ONNX computes with.
pub(super) fn lives_on_devices(element_type: ElementType) -> bool {
    element_type == ElementType::F32
}

pub(super) fn to_device(tensor: &Tensor, device: &Device) -> Result<Tensor, TensorError> {
    let Storage::Numeric(Some(primitive)) = &tensor.storage else { return Ok(tensor.clone()) };
    if device.is_cpu() {
        if tensor.is_on_host() {
            return Ok(tensor.clone());
        }
        return with_numeric_type!(tensor.element_type, T => Ok(numeric_from_vec::<T>(&tensor.shape, into_vec(tensor.clone())?)),
            else Err(TensorError::NotComputable(tensor.element_type)));
    }
    if !tensor.travels_to(device) {
        return Ok(tensor.clone());
    }
    let data = read(primitive.clone(), tensor.element_type)?;
    let primitive = Backend::float_from_data(data, device.burn().as_dispatch());
    Ok(wrap(tensor.element_type, &tensor.shape, primitive))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_come_back_as_they_went_in() {
        let tensor = Tensor::from_vec(&[2, 2], vec![1_i64, -2, 3, i64::MAX]).unwrap();
        assert_eq!(tensor.as_slice::<i64>().unwrap().as_ref(), [1, -2, 3, i64::MAX]);
        assert!(matches!(tensor.as_slice::<i64>().unwrap(), Cow::Borrowed(_)), "contiguous host data is not copied");
        assert!(tensor.as_slice::<f32>().is_err());
        let flags = Tensor::from_vec(&[3], vec![Bool::new(true), Bool::new(false), Bool::new(true)]).unwrap();
        assert_eq!(flags.to_f32s().unwrap(), [1.0, 0.0, 1.0]);
        assert_eq!(flags.into_vec::<Bool>().unwrap().len(), 3);
    }

    #[test]
    fn scalars_and_tensors_without_elements_keep_their_shape() {
        let scalar = Tensor::scalar(2.5_f32);
        assert_eq!((scalar.rank(), scalar.n_elements()), (0, 1));
        let reshaped = scalar.reshaped(&[1, 1]).unwrap();
        assert_eq!(reshaped.shape(), [1, 1]);
        let empty = Tensor::from_vec::<f32>(&[0, 4], Vec::new()).unwrap();
        assert!(empty.is_empty() && empty.primitive().is_none());
        assert_eq!(empty.reshaped(&[2, 0]).unwrap().shape(), [2, 0]);
        assert!(Tensor::from_vec(&[2, 3], vec![0_u8; 5]).is_err());
        assert!(Tensor::from_vec(&[usize::MAX, 2], vec![0_u8; 5]).is_err());
    }

    #[test]
    fn a_permuted_tensor_reads_in_row_major_order() {
        let tensor = Tensor::from_vec(&[2, 3], vec![1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        let permuted = Backend::float_permute(tensor.into_primitive().unwrap(), &[1, 0]);
        let tensor = Tensor::from_primitive(ElementType::F32, &[3, 2], permuted);
        assert_eq!(tensor.as_slice::<f32>().unwrap().as_ref(), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        assert_eq!(tensor.reshaped(&[6]).unwrap().into_vec::<f32>().unwrap(), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    }

    #[test]
    fn host_tensors_make_the_round_trip() {
        let host = HostTensor::from_vec(vec![2], &[f16::from_f32(1.5), f16::NEG_ONE]).unwrap();
        assert_eq!(Tensor::from_host(&host).unwrap().to_host().unwrap(), host);
        let strings = HostTensor::from_strings(vec![1, 2], vec!["a".into(), "ß".into()]).unwrap();
        assert_eq!(Tensor::from_host(&strings).unwrap().to_host().unwrap(), strings);
        let bytes = bytes::Bytes::from_static(&[7, 0]);
        let flags = HostTensor::from_bytes(ElementType::Bool, vec![2], bytes).unwrap();
        assert_eq!(Tensor::from_host(&flags).unwrap().into_vec::<Bool>().unwrap(), [Bool::new(true), Bool::new(false)]);
    }
}
