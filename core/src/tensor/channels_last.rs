//! Images whose channels lie next to each other in memory: `[batch, channels, spatial…]` to everyone who asks for the shape, `[batch, spatial…,
//! channels]` in host memory. CPU kernels for images make and take this order; to all other code it is a tensor with strides.

use burn::backend::flex::{FlexTensor, Layout};
use burn::backend::{BackendTensor, DispatchTensorKind};
use burn::tensor::{Bytes, DType};

use super::{Shape, Storage, Tensor, TensorError, check_length, dispatch_from_flex};
use crate::host::ElementType;

/// Elements from one element to its neighbour along each axis of a shape `[batch, channels, spatial…]`.
fn strides(shape: &[usize]) -> impl Iterator<Item = (usize, usize)> {
    let channels = shape.get(1).copied().unwrap_or(1);
    let spatial = (2..shape.len()).map(move |axis| (axis, shape[axis + 1..].iter().product::<usize>() * channels));
    let image = shape.iter().skip(1).product();
    [(0, image), (1, 1)].into_iter().take(shape.len()).chain(spatial)
}

impl Tensor {
    /// A tensor of this shape, `[batch, channels, spatial…]`, over elements in the order `[batch, spatial…, channels]`.
    pub fn from_channels_last(shape: &[usize], elements: Vec<f32>) -> Result<Self, TensorError> {
        check_length(shape, elements.len())?;
        let strides: Vec<isize> = strides(shape).map(|(_, stride)| stride.cast_signed()).collect();
        if elements.is_empty() || strides.len() < 2 {
            return Self::from_vec(shape, elements);
        }
        let flex = FlexTensor::new(Bytes::from_elems(elements), Layout::new(shape.to_vec().into(), strides, 0), DType::F32);
        let storage = Storage::Numeric(Some(dispatch_from_flex(BackendTensor::Float(flex))));
        Ok(Self { element_type: ElementType::F32, shape: shape.into(), storage })
    }

    /// The elements of a float32 tensor in the order `[batch, spatial…, channels]`, if that is how they lie in host memory.
    pub fn as_channels_last(&self) -> Option<&[f32]> {
        let Storage::Numeric(Some(primitive)) = &self.storage else { return None };
        let DispatchTensorKind::Flex(BackendTensor::Float(flex)) = &primitive.kind else { return None };
        let layout = flex.layout();
        if flex.dtype() != DType::F32 || layout.num_dims() != self.rank() || self.rank() < 3 {
            return None;
        }
        let lies_so = strides(&self.shape).all(|(axis, stride)| self.shape[axis] == 1 || layout.strides()[axis] == stride.cast_signed());
        if !lies_so {
            return None;
        }
        flex.storage::<f32>().get(layout.start_offset()..layout.start_offset() + self.n_elements())
    }

    /// Whether the elements lie channels-last and in no other order, so that work in row-major order would have to move them.
    pub fn is_only_channels_last(&self) -> bool {
        let is_either = self.rank() < 3 || self.shape[1] == 1 || self.shape[2..].iter().all(|&dim| dim == 1);
        !is_either && self.as_channels_last().is_some()
    }
}

/// The axes that take a view of `[batch, channels, spatial…]` to `[batch, spatial…, channels]`.
pub fn to_channels_last(rank: usize) -> Shape {
    [0].into_iter().chain(2..rank).chain([1]).collect()
}

/// The axes that take it back.
pub fn from_channels_last(rank: usize) -> Shape {
    [0, rank - 1].into_iter().chain(1..rank - 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_reads_the_same_in_either_order() {
        // Two channels of 2 × 3: 0 to 5 and 10 to 15.
        let elements = vec![0.0_f32, 10.0, 1.0, 11.0, 2.0, 12.0, 3.0, 13.0, 4.0, 14.0, 5.0, 15.0];
        let tensor = Tensor::from_channels_last(&[1, 2, 2, 3], elements.clone()).unwrap();
        assert_eq!(tensor.shape(), [1, 2, 2, 3]);
        assert_eq!(tensor.as_slice::<f32>().unwrap().as_ref(), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0]);
        assert_eq!(tensor.as_channels_last(), Some(elements.as_slice()));
        let first = Tensor::from_vec(&[1, 2, 2, 3], elements.clone()).unwrap();
        assert_eq!(first.as_channels_last(), None);
        assert!(Tensor::from_channels_last(&[1, 2, 2, 2], elements).is_err());
        assert!(tensor.is_only_channels_last() && !first.is_only_channels_last());
        assert_eq!((to_channels_last(4).as_slice(), from_channels_last(4).as_slice()), ([0, 2, 3, 1].as_slice(), [0, 3, 1, 2].as_slice()));
    }

    #[test]
    fn one_channel_or_one_place_lies_either_way() {
        let one_channel = Tensor::from_vec(&[2, 1, 3], vec![0.0_f32; 6]).unwrap();
        assert!(one_channel.as_channels_last().is_some() && !one_channel.is_only_channels_last());
        let one_place = Tensor::from_channels_last(&[1, 3, 1, 1], vec![1.0, 2.0, 3.0]).unwrap();
        assert_eq!(one_place.clone().into_vec::<f32>().unwrap(), [1.0, 2.0, 3.0]);
        assert!(one_place.as_channels_last().is_some());
        assert_eq!(Tensor::from_channels_last(&[0, 3, 1, 1], Vec::new()).unwrap().shape(), [0, 3, 1, 1]);
    }
}
