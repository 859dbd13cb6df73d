//! MurmurHash3 of `com.microsoft`, version 1, which hashes features of scikit-learn models: the hash of 32 bits of each element.
//! <https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.MurmurHash3>.

use super::wrong_input;
use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::host::ElementType;
use crate::ops::operator::{Outputs, single};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::Tensor;

#[derive(Debug)]
struct MurmurHash3 {
    seed: u32,
    /// Whether hashes are uint32; otherwise the same bits as int32.
    is_unsigned: bool,
}

pub(super) fn build(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let seed = node.attributes.int("seed")?.unwrap_or(0);
    let seed = u32::try_from(seed).map_err(|_| OpError::value(format!("seed is {seed}, which is no uint32")))?;
    Ok(Box::new(MurmurHash3 { seed, is_unsigned: node.attributes.int("positive")?.unwrap_or(1) != 0 }))
}

/// Austin Appleby's MurmurHash3 for 32 bits.
fn hash(bytes: &[u8], seed: u32) -> u32 {
    fn scramble(block: u32) -> u32 {
        block.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593)
    }
    let (blocks, rest) = bytes.as_chunks::<4>();
    let mut hash = seed;
    for &block in blocks {
        hash = (hash ^ scramble(u32::from_le_bytes(block))).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    if !rest.is_empty() {
        let mut last = [0; 4];
        last[..rest.len()].copy_from_slice(rest);
        hash ^= scramble(u32::from_le_bytes(last));
    }
    // The length counts modulo 2^32.
    hash ^= bytes.len() as u32;
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

impl Operator for MurmurHash3 {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let element_type = if self.is_unsigned { ElementType::U32 } else { ElementType::I32 };
        Ok(vec![Some(super::same_shape(inputs, element_type))])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "X")?;
        macro_rules! numbers {
            ($t:ty) => {
                x.as_slice::<$t>()?.iter().map(|number| hash(&number.to_le_bytes(), self.seed)).collect()
            };
        }
        let hashes: Vec<u32> = match x.element_type() {
            ElementType::String => x.as_strings()?.iter().map(|text| hash(text.as_bytes(), self.seed)).collect(),
            ElementType::I32 => numbers!(i32),
            ElementType::U32 => numbers!(u32),
            ElementType::I64 => numbers!(i64),
            ElementType::U64 => numbers!(u64),
            ElementType::F32 => numbers!(f32),
            ElementType::F64 => numbers!(f64),
            _ => return Err(wrong_input(0, "X", "a tensor of string, int32, uint32, int64, uint64, float32 or float64", &x)),
        };
        Ok(single(if self.is_unsigned {
            Tensor::from_vec(x.shape(), hashes)?
        } else {
            Tensor::from_vec(x.shape(), hashes.into_iter().map(u32::cast_signed).collect())?
        }))
    }
}
