//! The trait that every operator implements, and what it gets to work with.

use std::sync::Arc;

use smallvec::{SmallVec, smallvec};

use super::OpError;
use crate::graph::infer::InferInputs;
use crate::graph::{AttributeError, Attributes, ValueType};
use crate::host::{ElementType, HostTensor};
use crate::task::TaskCtx;
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
    /// As in [`Self::infer`], the types of what subgraphs capture come after those of the inputs.
    fn macs(&self, _inputs: &[Option<ValueType>], _outputs: &[Option<ValueType>]) -> Option<u64> {
        Some(0)
    }

    /// Whether a run looks at input `index`. An operator that has prepared a constant for itself needs no copy of it.
    fn reads(&self, _index: usize) -> bool {
        true
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

/// Runs an operator with one result on tensors, as a part of another operator.
pub fn run_one(
    operator: &dyn Operator,
    inputs: impl IntoIterator<Item = impl Into<Option<Tensor>>>,
    context: &RunContext<'_>,
) -> Result<Tensor, OpError> {
    let inputs: SmallVec<[Option<Value>; 4]> = inputs.into_iter().map(|input| input.into().map(Value::Tensor)).collect();
    let result = operator.run(Inputs::new(inputs), context)?.into_iter().next();
    result.and_then(Value::into_tensor).ok_or_else(|| OpError::value("a part of the operator made no tensor"))
}

/// Where an operator can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// In host memory only: integers, strings, maps, trees, shapes. On a GPU plan the engine brings its inputs back first.
    Host,
    /// Written over burn's rank-free operations: runs wherever its float32 inputs are. On a GPU plan the engine puts them there first.
    /// Inputs of other types (indices, shapes, conditions) stay in host memory; the operator uploads what it needs.
    AnyDevice,
    /// Hands values on without computing with them (control flow, sequences): they stay wherever they are.
    PassThrough,
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
    pub constants: &'a [Option<&'a HostTensor>],
    /// The subgraphs in the node's attributes, by the attribute's name. What they capture follows the node's own inputs wherever an operator
    /// gets inputs, types or constants.
    pub bodies: &'a [(&'a str, Arc<dyn Body>)],
}

impl NodeContext<'_> {
    /// The subgraph in an attribute.
    pub fn body(&self, name: &str) -> Result<Arc<dyn Body>, OpError> {
        match self.bodies.iter().find(|(attribute, _)| *attribute == name) {
            Some((_, body)) => Ok(Arc::clone(body)),
            // Says whether it is missing or no graph.
            None => Err(self.attributes.require_graph(name).err().unwrap_or(AttributeError::Missing { name: name.to_owned() }).into()),
        }
    }
}

/// A subgraph of a node: a branch of `If`, the body of `Loop`. An operator calls it like a function; `captured` is what the node's subgraphs
/// together read from the graph around them, as the operator got it.
pub trait Body: Send + Sync + std::fmt::Debug {
    fn n_inputs(&self) -> usize;

    fn n_outputs(&self) -> usize;

    /// What the file declares an input to be.
    fn input_type(&self, index: usize) -> Option<&ValueType>;

    /// What the file declares an output to be.
    fn output_type(&self, index: usize) -> Option<&ValueType>;

    /// Whether graphs are inside it.
    fn is_nested(&self) -> bool;

    /// Types of the outputs for these types of the inputs, as far as they can be known.
    fn infer(&self, inputs: Vec<Option<ValueType>>, captured: Captured<'_>) -> Vec<Option<ValueType>>;

    /// Multiply-accumulates of one run; `None` where they can't be known.
    fn macs(&self, inputs: Vec<Option<ValueType>>, captured: Captured<'_>) -> Option<u64>;

    /// Runs the subgraph: one value per output. An error names the node inside.
    fn run(&self, inputs: Vec<Value>, captured: &[Value], context: &RunContext<'_>) -> Result<Vec<Value>, OpError>;
}

/// What is known of the values that a node's subgraphs capture.
#[derive(Debug, Clone, Copy)]
pub struct Captured<'a> {
    pub types: &'a [Option<ValueType>],
    /// By the same index; may be shorter.
    pub constants: &'a [Option<&'a HostTensor>],
}

impl<'a> Captured<'a> {
    /// Separates the types of a node's own inputs from those of what its subgraphs capture.
    pub fn split(inputs: &'a InferInputs<'_>, n_inputs: usize) -> (&'a [Option<ValueType>], Self) {
        let (own, types) = inputs.types.split_at(n_inputs.min(inputs.types.len()));
        (own, Self { types, constants: inputs.constants.get(n_inputs..).unwrap_or_default() })
    }
}

/// What an operator may use while it runs.
pub struct RunContext<'a> {
    pub device: &'a Device,
    /// Results larger than this are refused before they are allocated.
    pub max_result_bytes: u128,
    /// Asked at each iteration of whatever the model itself decides to repeat.
    pub task: &'a TaskCtx,
}

impl RunContext<'_> {
    /// Refuses to collect what `what` makes once it takes more memory than a single result may.
    pub fn check_collected(&self, what: &str, bytes: u128) -> Result<(), OpError> {
        if bytes > self.max_result_bytes {
            return Err(OpError::value(format!("{what} would take {bytes} bytes, more than the limit of {}", self.max_result_bytes)));
        }
        Ok(())
    }

    /// Refuses a result that is too large, before anything of its size is allocated. Returns its number of elements.
    pub fn check_result_size(&self, element_type: ElementType, shape: &[usize]) -> Result<usize, OpError> {
        let n_elements = shape.iter().fold(1_u128, |product, &dim| product.saturating_mul(dim as u128));
        let bytes = n_elements.saturating_mul(element_type.bits().unwrap_or(192) as u128) / 8;
        // An axis of none hides the others from the product, but not from code that multiplies them one by one.
        let without_empty_axes = shape.iter().filter(|&&dim| dim > 0).try_fold(1_usize, |product, &dim| product.checked_mul(dim));
        if bytes > self.max_result_bytes || without_empty_axes.is_none() {
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

    /// Takes out everything from input `index` on; what is left out is an empty optional.
    pub fn take_from(&mut self, index: usize) -> Vec<Value> {
        self.values.drain(index.min(self.values.len())..).map(|value| value.unwrap_or(Value::Absent)).collect()
    }

    /// Takes all inputs out, in order; each must be a tensor.
    pub fn take_tensors(&mut self, name: &'static str) -> Result<Vec<Tensor>, OpError> {
        (0..self.len()).map(|index| self.take_tensor(index, name)).collect()
    }
}
