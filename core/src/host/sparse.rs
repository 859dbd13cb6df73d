//! Tensors of which a file holds only some elements; all others are 0, or the empty text.

use std::ops::Range;

use bytes::Bytes;

use super::{ElementType, HostTensor, HostTensorError, element_count};

/// A sparse tensor. Every operator computes with the dense tensor that it stands for.
#[derive(Debug, Clone, PartialEq)]
pub struct SparseTensor {
    shape: Vec<usize>,
    values: HostTensor,
    /// Where the values stand in the dense tensor, counted in row-major order.
    places: Vec<usize>,
}

/// The parts of a sparse tensor do not go together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SparseTensorError {
    #[error(transparent)]
    Tensor(#[from] HostTensorError),
    #[error("the values of a sparse tensor are one row of them, but they have the shape {shape:?}")]
    Values { shape: Vec<usize> },
    #[error("{n_values} values in the shape {shape:?} take indices of the shape [{n_values}] or [{n_values}, {}], but they have {found:?}", shape.len())]
    Indices { n_values: usize, shape: Vec<usize>, found: Vec<usize> },
    #[error("a sparse tensor of the shape {shape:?} has a value at {index:?}, which is outside")]
    OutOfRange { shape: Vec<usize>, index: Vec<i64> },
    #[error("a sparse tensor of {0}; only element types of whole bytes and strings may be sparse")]
    ElementType(ElementType),
}

impl SparseTensor {
    /// `indices` are int64: for each value its place in row-major order, or its place along each axis.
    pub fn new(shape: Vec<usize>, values: HostTensor, indices: &HostTensor) -> Result<Self, SparseTensorError> {
        let n_elements = element_count(&shape)?;
        let element_type = values.element_type();
        if element_type.bits().is_some_and(|bits| !bits.is_multiple_of(8)) {
            return Err(SparseTensorError::ElementType(element_type));
        }
        let &[n_values] = values.shape() else { return Err(SparseTensorError::Values { shape: values.shape().to_vec() }) };
        let numbers = indices.as_slice::<i64>()?;
        let out_of_range = |index: &[i64]| SparseTensorError::OutOfRange { shape: shape.clone(), index: index.to_vec() };
        let along = |index: i64, dim: usize| usize::try_from(index).ok().filter(|&index| index < dim);
        let places = match *indices.shape() {
            [count] if count == n_values => {
                numbers.iter().map(|&index| along(index, n_elements).ok_or_else(|| out_of_range(&[index]))).collect::<Result<_, _>>()?
            }
            [count, rank] if count == n_values && rank == shape.len() && rank > 0 => {
                let place = |index: &[i64]| {
                    let step = |place: usize, (&index, &dim): (&i64, &usize)| Some(place * dim + along(index, dim)?);
                    index.iter().zip(&shape).try_fold(0, step).ok_or_else(|| out_of_range(index))
                };
                numbers.chunks_exact(rank).map(place).collect::<Result<_, _>>()?
            }
            _ => return Err(SparseTensorError::Indices { n_values, shape, found: indices.shape().to_vec() }),
        };
        Ok(Self { shape, values, places })
    }

    pub fn element_type(&self) -> ElementType {
        self.values.element_type()
    }

    /// Of the dense tensor.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The elements that the file holds.
    pub fn values(&self) -> &HostTensor {
        &self.values
    }

    /// The tensor with all its elements. A few bytes of a file may stand for any number of them, so a caller looks at the size first.
    pub fn to_dense(&self) -> Result<HostTensor, HostTensorError> {
        let n_elements = element_count(&self.shape)?;
        if let Some(values) = self.values.strings() {
            let mut dense = vec![Default::default(); n_elements];
            for (&place, value) in self.places.iter().zip(values.iter()) {
                dense[place] = value.clone();
            }
            return HostTensor::from_strings(self.shape.clone(), dense);
        }
        let too_many = || HostTensorError::TooManyElements { shape: self.shape.clone() };
        let size = self.element_type().bytes_for(1).ok_or_else(too_many)?;
        let mut dense = vec![0; self.element_type().bytes_for(n_elements).ok_or_else(too_many)?];
        let bytes = |index: usize| -> Range<usize> { index * size..(index + 1) * size };
        let values: &[u8] = self.values.bytes().map_or(&[], Bytes::as_ref);
        for (index, &place) in self.places.iter().enumerate() {
            dense[bytes(place)].copy_from_slice(&values[bytes(index)]);
        }
        HostTensor::from_bytes(self.element_type(), self.shape.clone(), dense.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sparse(shape: &[usize], values: &HostTensor, index_shape: &[usize], indices: &[i64]) -> Result<SparseTensor, SparseTensorError> {
        SparseTensor::new(shape.to_vec(), values.clone(), &HostTensor::from_vec(index_shape.to_vec(), indices).unwrap())
    }

    #[test]
    fn places_are_counted_in_either_way() {
        let values = HostTensor::from_vec(vec![2], &[1.5_f32, -2.0]).unwrap();
        let dense = HostTensor::from_vec(vec![2, 3], &[0.0_f32, 0.0, 1.5, 0.0, -2.0, 0.0]).unwrap();
        assert_eq!(sparse(&[2, 3], &values, &[2], &[2, 4]).unwrap().to_dense(), Ok(dense.clone()));
        assert_eq!(sparse(&[2, 3], &values, &[2, 2], &[0, 2, 1, 1]).unwrap().to_dense(), Ok(dense));
        let texts = HostTensor::from_strings(vec![1], vec!["a".into()]).unwrap();
        let dense = HostTensor::from_strings(vec![3], vec!["".into(), "a".into(), "".into()]).unwrap();
        assert_eq!(sparse(&[3], &texts, &[1], &[1]).unwrap().to_dense(), Ok(dense));
        let nothing = HostTensor::from_vec::<i16>(vec![0], &[]).unwrap();
        assert_eq!(sparse(&[2], &nothing, &[0], &[]).unwrap().to_dense(), Ok(HostTensor::from_vec(vec![2], &[0_i16; 2]).unwrap()));
    }

    #[test]
    fn parts_that_do_not_go_together_are_refused() {
        let values = HostTensor::from_vec(vec![1], &[1.5_f32]).unwrap();
        let error = |index_shape: &[usize], indices: &[i64]| sparse(&[2, 3], &values, index_shape, indices).unwrap_err().to_string();
        assert_eq!(error(&[1], &[6]), "a sparse tensor of the shape [2, 3] has a value at [6], which is outside");
        assert_eq!(error(&[1, 2], &[0, 3]), "a sparse tensor of the shape [2, 3] has a value at [0, 3], which is outside");
        assert_eq!(error(&[1, 2], &[-1, 0]), "a sparse tensor of the shape [2, 3] has a value at [-1, 0], which is outside");
        assert_eq!(error(&[2], &[0, 1]), "1 values in the shape [2, 3] take indices of the shape [1] or [1, 2], but they have [2]");
        assert!(matches!(sparse(&[usize::MAX, 2], &values, &[1], &[0]), Err(SparseTensorError::Tensor(_))));
    }
}
