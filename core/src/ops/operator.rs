//! The trait that every operator implements, and what it gets to work with.

use smallvec::{SmallVec, smallvec};

use super::OpError;
use crate::graph::infer::InferInputs;
use crate::graph::{Attributes, ValueType};
use crate::host::ElementType;
use crate::tensor::{Device, Tensor, Value};

/// One operator with its attributes parsed: built once when a plan is compiled, run any number of times from any thread.
pub trait Operator: Send + Sync + std::fmt::Debug {
    /// Types of the outputs, as far as they follow from the inputs' types and constants: one entry per output, `None` where nothing can be said.
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError>;

    /// Validates shapes and types, then computes: one value per output of the node (optional outputs too, where they are wanted).
    fn run(&self, inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError>;

    /// Where the operator can run.
    fn placement(&self) -> Placement {
        Placement::Host
    }

    /// Multiply-accumulates for these types; `None` where dimensions are unknown. Operators without products count 0.
    fn macs(&self, _inputs: &[Option<ValueType>], _outputs: &[Option<ValueType>]) -> Option<u64> {
        Some(0)
    }

    /// Whether the same inputs always give the same outputs, so that a call on constants may be folded.
    fn is_deterministic(&self) -> bool {
        true
    }
}

/// Results of a run, one per output of the node.
pub type Outputs = SmallVec<[Value; 1]>;

/// The outputs of an operator with one result.
pub fn single(tensor: Tensor) -> Outputs {
    smallvec![Value::Tensor(tensor)]
}

/// Where an operator can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// In host memory only: integers, strings, maps, trees, shapes. On a GPU plan the engine brings its inputs back first.
    Host,
    /// Written over burn's rank-free operations: runs wherever its float32 inputs are. On a GPU plan the engine puts them there first.
    /// Inputs of other types (indices, shapes, conditions) stay in host memory; the operator uploads what it needs.
    AnyDevice,
}

/// What an operator is built from.
pub struct NodeContext<'a> {
    pub op_type: &'a str,
    pub attributes: &'a Attributes,
    /// The model's opset for the operator's domain.
    pub opset: i64,
    pub n_inputs: usize,
    pub n_outputs: usize,
    /// Constants behind the inputs, so that an operator can prepare them once (tree tables, packed weights).
    pub constants: &'a [Option<&'a crate::host::HostTensor>],
}

/// What an operator may use while it runs.
pub struct RunContext<'a> {
    pub device: &'a Device,
    /// Results larger than this are refused before they are allocated.
    pub max_result_bytes: u128,
}

impl RunContext<'_> {
    /// Refuses a result that is too large, before anything of its size is allocated. Returns its number of elements.
    pub fn check_result_size(&self, element_type: ElementType, shape: &[usize]) -> Result<usize, OpError> {
        let n_elements = shape.iter().fold(1_u128, |product, &dim| product.saturating_mul(dim as u128));
        let bytes = n_elements.saturating_mul(element_type.bits().unwrap_or(192) as u128) / 8;
        if bytes > self.max_result_bytes {
            return Err(OpError::ResultTooLarge { shape: shape.to_vec(), bytes, limit: self.max_result_bytes });
        }
        // The limit is far below the address space.
        Ok(n_elements as usize)
    }
}

/// The inputs of one run. A value at its last use is owned here alone, so burn can work in place on what is taken out.
pub struct Inputs {
    values: SmallVec<[Option<Value>; 4]>,
}

impl Inputs {
    pub fn new(values: SmallVec<[Option<Value>; 4]>) -> Self {
        Self { values }
    }

    pub fn len(&self) -> usize {
        self.values.len()
    }

    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Whether optional input `index` was given.
    pub fn has(&self, index: usize) -> bool {
        matches!(self.values.get(index), Some(Some(_)))
    }

    /// Takes input `index` out.
    pub fn take(&mut self, index: usize, name: &'static str) -> Result<Value, OpError> {
        self.values.get_mut(index).and_then(Option::take).ok_or(OpError::MissingInput { index, name })
    }

    pub fn take_optional(&mut self, index: usize) -> Option<Value> {
        self.values.get_mut(index).and_then(Option::take)
    }

    /// Takes input `index` out, which must be a tensor.
    pub fn take_tensor(&mut self, index: usize, name: &'static str) -> Result<Tensor, OpError> {
        match self.take(index, name)? {
            Value::Tensor(tensor) => Ok(tensor),
            other => Err(OpError::WrongInput { index, name, expected: "a tensor".to_owned(), found: other.describe() }),
        }
    }

    pub fn take_optional_tensor(&mut self, index: usize, name: &'static str) -> Result<Option<Tensor>, OpError> {
        if self.has(index) { self.take_tensor(index, name).map(Some) } else { Ok(None) }
    }

    /// Takes all inputs out, in order; each must be a tensor.
    pub fn take_tensors(&mut self, name: &'static str) -> Result<Vec<Tensor>, OpError> {
        (0..self.len()).map(|index| self.take_tensor(index, name)).collect()
    }
}
