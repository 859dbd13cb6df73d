//! MatMulNBits: a product with weights of a few bits each, in blocks that share a scale.

use burn::backend::ops::FloatTensorOps as _;
use rayon::prelude::*;

use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::host::ElementType;
use crate::ops::contrib::require_count;
use crate::ops::operator::{Outputs, single};
use crate::ops::types::float_tensor;
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::{Backend, Shape, Tensor};

/// Up to so many rows of A, each weight is widened where it is used and forgotten; above, all weights are widened first.
const FEW_ROWS: usize = 4;

/// `A · Wᵀ + bias`, where `W` is [N, K]. B holds it as uint8 [N, blocks, bytes of a block]: from the lowest bits on, `bits` for each element of a
/// block of `block_size` elements along K. `real = (quantised − zero point) · scale`, with a zero point of half the range where there is none.
#[derive(Debug)]
struct MatMulNBits {
    columns: usize,
    inner: usize,
    bits: usize,
    block_size: usize,
}

pub fn build(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let bits = node.attributes.int("bits")?.unwrap_or(4);
    let bits = match bits {
        2 => 2,
        4 => 4,
        8 => 8,
        other => return Err(OpError::unsupported(format!("MatMulNBits with attribute 'bits' of {other} (only 2, 4 and 8)"))),
    };
    if node.attributes.int("weight_prepacked")?.unwrap_or(0) != 0 {
        return Err(OpError::unsupported("MatMulNBits with weights packed for one kind of GPU"));
    }
    let block_size = require_count(node, "block_size")?;
    if block_size < 16 || !block_size.is_power_of_two() {
        return Err(OpError::value(format!("attribute 'block_size' is {block_size}; it must be a power of two and at least 16")));
    }
    Ok(Box::new(MatMulNBits { columns: require_count(node, "N")?, inner: require_count(node, "K")?, bits, block_size }))
}

/// The weights as they lie in memory, of proven sizes.
struct Weights<'a> {
    operator: &'a MatMulNBits,
    packed: &'a [u8],
    scales: Vec<f32>,
    /// One per block.
    zero_points: Vec<f32>,
    /// The block of scales and zero points that each element of a row belongs to, where that is not its own.
    blocks: Option<Vec<usize>>,
}

impl Weights<'_> {
    /// Row `index` of `W`: a column of the product.
    fn widen(&self, index: usize, row: &mut [f32]) {
        let MatMulNBits { bits, block_size, .. } = *self.operator;
        let n_blocks = self.operator.n_blocks();
        let blob = block_size * bits / 8;
        let packed = &self.packed[index * n_blocks * blob..][..n_blocks * blob];
        let (scales, zero_points) = (&self.scales[index * n_blocks..][..n_blocks], &self.zero_points[index * n_blocks..][..n_blocks]);
        let mask = u8::MAX >> (8 - bits);
        let per_byte = 8 / bits;
        for (block, (row, bytes)) in row.chunks_mut(block_size).zip(packed.chunks(blob)).enumerate() {
            for (elements, byte) in row.chunks_mut(per_byte).zip(bytes) {
                for (place, element) in elements.iter_mut().enumerate() {
                    *element = (f32::from(byte >> (place * bits) & mask) - zero_points[block]) * scales[block];
                }
            }
        }
        let Some(blocks) = &self.blocks else { return };
        for (position, (element, &block)) in row.iter_mut().zip(blocks).enumerate() {
            let bit = position * bits;
            let quantized = packed[bit / 8] >> (bit % 8) & mask;
            *element = (f32::from(quantized) - zero_points[block]) * scales[block];
        }
    }
}

impl MatMulNBits {
    fn n_blocks(&self) -> usize {
        self.inner.div_ceil(self.block_size)
    }

    /// Zero points per block, from the packed form or from numbers.
    fn zero_points(&self, tensor: Option<&Tensor>) -> Result<Vec<f32>, OpError> {
        let n_blocks = self.n_blocks();
        let Some(tensor) = tensor else { return Ok(vec![(1_u16 << (self.bits - 1)).into(); self.columns.saturating_mul(n_blocks)]) };
        if tensor.element_type() != ElementType::U8 {
            check_length(tensor, self.columns.saturating_mul(n_blocks), "zero_points")?;
            return Ok(tensor.to_f32s()?);
        }
        let row_bytes = (n_blocks * self.bits).div_ceil(8);
        check_length(tensor, self.columns.saturating_mul(row_bytes), "zero_points")?;
        let packed = tensor.as_slice::<u8>()?;
        let mask = u8::MAX >> (8 - self.bits);
        let of_block = |row: &[u8], block: usize| f32::from(row[block * self.bits / 8] >> (block * self.bits % 8) & mask);
        Ok(packed.chunks(row_bytes.max(1)).flat_map(|row| (0..n_blocks).map(move |block| of_block(row, block))).collect())
    }

    fn few_rows(&self, weights: &Weights<'_>, left: &[f32]) -> Vec<f32> {
        let rows = left.len() / self.inner;
        let columns: Vec<Vec<f32>> = (0..self.columns)
            .into_par_iter()
            .map_init(
                || vec![0.0; self.inner],
                |weight, column| {
                    weights.widen(column, weight);
                    left.chunks(self.inner).map(|row| dot(row, weight)).collect()
                },
            )
            .collect();
        (0..rows).flat_map(|row| columns.iter().map(move |column| column[row])).collect()
    }

    fn many_rows(&self, weights: &Weights<'_>, left: Vec<f32>, context: &RunContext<'_>) -> Result<Vec<f32>, OpError> {
        let rows = left.len() / self.inner;
        context.check_result_size(ElementType::F32, &[self.columns, self.inner])?;
        let mut wide = vec![0.0; self.columns * self.inner];
        wide.par_chunks_mut(self.inner).enumerate().for_each(|(column, row)| weights.widen(column, row));
        let left = Tensor::from_vec(&[rows, self.inner], left)?.into_primitive();
        let right = Tensor::from_vec(&[self.columns, self.inner], wide)?.into_primitive();
        let (Some(left), Some(right)) = (left, right) else { return Ok(Vec::new()) };
        let product = Backend::float_matmul(left, Backend::float_permute(right, &[1, 0]));
        Ok(Tensor::from_primitive(ElementType::F32, &[rows, self.columns], product).into_vec::<f32>()?)
    }
}

/// The sum of products, in eight sums side by side.
fn dot(left: &[f32], right: &[f32]) -> f32 {
    let (left, left_rest) = left.as_chunks::<8>();
    let (right, right_rest) = right.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (left, right) in left.iter().zip(right) {
        for ((sum, left), right) in sums.iter_mut().zip(left).zip(right) {
            *sum += left * right;
        }
    }
    sums.iter().sum::<f32>() + left_rest.iter().zip(right_rest).map(|(left, right)| left * right).sum::<f32>()
}

fn check_length(tensor: &Tensor, expected: usize, name: &str) -> Result<(), OpError> {
    if tensor.n_elements() == expected {
        return Ok(());
    }
    Err(OpError::shape(format!("{name} has shape {:?}; attributes K, N, bits and block_size make it {expected} elements", tensor.shape())))
}

impl Operator for MatMulNBits {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let Some((element_type, shape)) = inputs.tensor(0) else { return Ok(vec![None]) };
        let shape = shape.dims().map(|dims| {
            let batch = dims.split_last().map_or(&[][..], |(_, batch)| batch);
            batch.iter().cloned().chain([Dimension::Known(self.columns)]).collect()
        });
        Ok(vec![Some(ValueType::tensor(element_type, SymbolicShape(shape)))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let (left, packed) = (inputs.take_tensor(0, "A")?, inputs.take_tensor(1, "B")?);
        let scales = inputs.take_tensor(2, "scales")?;
        let zero_points = inputs.take_optional_tensor(3, "zero_points")?;
        let group_index = inputs.take_optional_tensor(4, "g_idx")?;
        let bias = inputs.take_optional_tensor(5, "bias")?;
        let element_type = left.element_type();
        let Some((&inner, batch)) = left.shape().split_last().filter(|_| element_type.is_float()) else {
            return Err(OpError::WrongInput { index: 0, name: "A", expected: "a matrix of floats".to_owned(), found: format!("{left:?}") });
        };
        if inner != self.inner {
            return Err(OpError::shape(format!("A has {inner} columns, but attribute 'K' is {}", self.inner)));
        }
        let n_blocks = self.n_blocks();
        check_length(&packed, self.columns.saturating_mul(n_blocks).saturating_mul(self.block_size * self.bits / 8), "B")?;
        check_length(&scales, self.columns.saturating_mul(n_blocks), "scales")?;
        let shape: Shape = batch.iter().copied().chain([self.columns]).collect();
        context.check_result_size(ElementType::F32, &shape)?;
        let blocks = match group_index {
            Some(index) => Some(self.group_index(&index)?),
            None => None,
        };
        let weights = Weights {
            operator: self,
            packed: &packed.as_slice::<u8>()?,
            scales: scales.to_f32s()?,
            zero_points: self.zero_points(zero_points.as_ref())?,
            blocks,
        };
        let values = left.to_f32s()?;
        let rows = values.len() / self.inner;
        let mut results = if rows <= FEW_ROWS { self.few_rows(&weights, &values) } else { self.many_rows(&weights, values, context)? };
        if let Some(bias) = bias {
            check_length(&bias, self.columns, "bias")?;
            let bias = bias.to_f32s()?;
            results.chunks_mut(self.columns).for_each(|row| row.iter_mut().zip(&bias).for_each(|(result, bias)| *result += bias));
        }
        float_tensor(element_type, &shape, results).map(single)
    }

    fn macs(&self, _inputs: &[Option<ValueType>], outputs: &[Option<ValueType>]) -> Option<u64> {
        let (_, result) = outputs.first()?.as_ref()?.as_tensor()?;
        result.as_known()?.iter().chain([&self.inner]).try_fold(1_u64, |product, &dim| product.checked_mul(u64::try_from(dim).ok()?))
    }
}

impl MatMulNBits {
    /// The block that each element along K takes its scale and zero point from.
    fn group_index(&self, index: &Tensor) -> Result<Vec<usize>, OpError> {
        let blocks = index.to_i64s()?;
        if blocks.len() < self.inner {
            return Err(OpError::shape(format!("g_idx has {} elements, but attribute 'K' is {}", blocks.len(), self.inner)));
        }
        let in_range = |&block: &i64| usize::try_from(block).ok().filter(|&block| block < self.n_blocks());
        let blocks: Option<Vec<usize>> = blocks.iter().map(in_range).collect();
        blocks.ok_or_else(|| OpError::value(format!("g_idx names a block outside 0…{}", self.n_blocks() - 1)))
    }
}
