//! Operators on quantised tensors that compute on the numbers behind them and quantise the result.

use super::{STANDARD_OPSET, attributes, run_one, standard};
use crate::graph::infer::InferInputs;
use crate::graph::{Attribute, SymbolicShape, ValueType};
use crate::host::ElementType;
use crate::ops::operator::{Outputs, single};
use crate::ops::quantize::operands::{EightBits, Target, Uniform};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext, movement};
use crate::tensor::Tensor;

pub mod binary;

/// Dequantises X, runs an operator on the numbers, and quantises its result. Inputs: X with scale and zero point, then scale and zero point of Y.
#[derive(Debug)]
struct Requantized {
    inner: Box<dyn Operator>,
    /// The operator looks at each number alone, so it need only see the 256 that there can be.
    is_pointwise: bool,
    /// X and Y have their channels on the last axis, the operator on the second.
    is_channels_last: bool,
}

fn requantized(inner: Box<dyn Operator>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(Requantized { inner, is_pointwise: false, is_channels_last: false }))
}

fn pointwise(inner: Box<dyn Operator>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(Requantized { inner, is_pointwise: true, is_channels_last: false }))
}

fn pool(op_type: &'static str, node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let is_channels_last = node.attributes.int("channels_last")?.unwrap_or(0) != 0;
    let inner = standard(op_type, STANDARD_OPSET, node.attributes, 1, 1)?;
    Ok(Box::new(Requantized { inner, is_pointwise: false, is_channels_last }))
}

pub fn build_sigmoid(_node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    pointwise(standard("Sigmoid", STANDARD_OPSET, &attributes([]), 1, 1)?)
}

pub fn build_leaky_relu(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    pointwise(standard("LeakyRelu", STANDARD_OPSET, node.attributes, 1, 1)?)
}

/// The average of the numbers, in float32. Where it lies half-way between two steps of Y's scale, its last digit decides which step it becomes, and
/// ONNX Runtime's may differ: it adds in another order.
pub fn build_average_pool(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    pool("AveragePool", node)
}

pub fn build_global_average_pool(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    pool("GlobalAveragePool", node)
}

/// Has its axes as an attribute, as ReduceMean had before opset 18.
pub fn build_reduce_mean(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    requantized(standard("ReduceMean", 13, node.attributes, 1, 1)?)
}

/// Attribute `opset` says which Softmax it was.
pub fn build_softmax(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let opset = node.attributes.require_int("opset")?;
    let axis = node.attributes.int("axis")?.unwrap_or(if opset < 13 { 1 } else { -1 });
    requantized(standard("Softmax", opset, &attributes([("axis", Attribute::Int(axis))]), 1, 1)?)
}

/// The axes of `[batch, …, channels]` in the order `[batch, channels, …]`.
fn channels_first(rank: usize) -> Vec<usize> {
    let mut axes: Vec<usize> = (0..rank).collect();
    if rank > 2 {
        axes[1..].rotate_right(1);
    }
    axes
}

/// The reverse of [`channels_first`].
fn channels_last(rank: usize) -> Vec<usize> {
    let mut axes: Vec<usize> = (0..rank).collect();
    if rank > 2 {
        axes[1..].rotate_left(1);
    }
    axes
}

fn permuted(value_type: Option<&ValueType>, element_type: ElementType, axes: impl Fn(usize) -> Vec<usize>) -> Option<ValueType> {
    let (_, shape) = value_type?.as_tensor()?;
    let dims = shape.dims().map(|dims| axes(dims.len()).into_iter().map(|axis| dims[axis].clone()).collect());
    Some(ValueType::tensor(element_type, SymbolicShape(dims)))
}

impl Operator for Requantized {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let Some((element_type, _)) = inputs.tensor(0) else { return Ok(vec![None]) };
        let identity = |rank: usize| (0..rank).collect();
        let x = permuted(inputs.value_type(0), ElementType::F32, if self.is_channels_last { channels_first } else { identity });
        let inferred = self.inner.infer(&InferInputs { types: vec![x], constants: vec![None], n_outputs: 1 })?.pop().flatten();
        Ok(vec![permuted(inferred.as_ref(), element_type, if self.is_channels_last { channels_last } else { identity })])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = Uniform::take(&mut inputs, 0, ["X", "X_scale", "X_zero_point"])?;
        let target = Target::take(&mut inputs, 3, ["Y_scale", "Y_zero_point"], x.tensor.element_type())?;
        if self.is_pointwise {
            let numbers = Tensor::from_vec(&[256], x.table().to_vec())?;
            let numbers = run_one(self.inner.as_ref(), [Some(numbers)], context)?;
            let table: Vec<u8> = numbers.as_slice::<f32>()?.iter().map(|&number| target.quantize(number)).collect();
            let bytes = EightBits::new(&x.tensor, 0, "X")?.bytes.iter().map(|&byte| table[usize::from(byte)]).collect();
            return target.tensor(x.tensor.shape(), bytes).map(single);
        }
        context.check_result_size(ElementType::F32, x.tensor.shape())?;
        let mut numbers = Tensor::from_vec(x.tensor.shape(), x.dequantized()?)?;
        if self.is_channels_last {
            numbers = movement::permute(numbers, &channels_first(x.tensor.rank()))?;
        }
        let mut numbers = run_one(self.inner.as_ref(), [Some(numbers)], context)?;
        if self.is_channels_last {
            let axes = channels_last(numbers.rank());
            numbers = movement::permute(numbers, &axes)?;
        }
        let bytes = numbers.as_slice::<f32>()?.iter().map(|&number| target.quantize(number)).collect();
        target.tensor(numbers.shape(), bytes).map(single)
    }
}

/// MaxPool of 8-bit integers with the channels on the last axis.
#[derive(Debug)]
struct NhwcMaxPool {
    pool: Box<dyn Operator>,
}

pub fn build_nhwc_max_pool(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(NhwcMaxPool { pool: standard("MaxPool", STANDARD_OPSET, node.attributes, 1, 1)? }))
}

impl Operator for NhwcMaxPool {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let Some((element_type, _)) = inputs.tensor(0) else { return Ok(vec![None]) };
        let x = permuted(inputs.value_type(0), element_type, channels_first);
        let inferred = self.pool.infer(&InferInputs { types: vec![x], constants: vec![None], n_outputs: 1 })?.pop().flatten();
        Ok(vec![permuted(inferred.as_ref(), element_type, channels_last)])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "x")?;
        EightBits::new(&x, 0, "x")?;
        let axes = channels_first(x.rank());
        let pooled = run_one(self.pool.as_ref(), [Some(movement::permute(x, &axes)?)], context)?;
        let axes = channels_last(pooled.rank());
        movement::permute(pooled, &axes).map(single)
    }
}

/// Tensors end to end, each brought to the scale and zero point of the result. Inputs: those two, then three for each tensor.
#[derive(Debug)]
struct QLinearConcat {
    concat: Box<dyn Operator>,
}

pub fn build_concat(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    if node.n_inputs < 5 || !(node.n_inputs - 2).is_multiple_of(3) {
        return Err(OpError::value(format!(
            "QLinearConcat has {} inputs; it takes the scale and zero point of the result and three inputs for each tensor",
            node.n_inputs
        )));
    }
    Ok(Box::new(QLinearConcat { concat: standard("Concat", STANDARD_OPSET, node.attributes, (node.n_inputs - 2) / 3, 1)? }))
}

impl Operator for QLinearConcat {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let indices = (2..inputs.types.len()).step_by(3);
        let types: Vec<_> = indices.map(|index| inputs.value_type(index).cloned()).collect();
        self.concat.infer(&InferInputs { constants: vec![None; types.len()], types, n_outputs: 1 })
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let target = Target::take(&mut inputs, 0, ["Y_scale", "Y_zero_point"], ElementType::U8)?;
        let mut parts = Vec::with_capacity(inputs.len() / 3);
        for index in (2..inputs.len()).step_by(3) {
            let part = Uniform::take(&mut inputs, index, ["X", "X_scale", "X_zero_point"])?;
            parts.push(Some(rescaled(&part, target)?));
        }
        run_one(self.concat.as_ref(), parts, context).map(single)
    }
}

/// The same numbers in another scale.
fn rescaled(x: &Uniform, target: Target) -> Result<Tensor, OpError> {
    let table = x.table().map(|number| target.quantize(number));
    let bytes = EightBits::new(&x.tensor, 0, "X")?.bytes.iter().map(|&byte| table[usize::from(byte)]).collect();
    target.tensor(x.tensor.shape(), bytes)
}

/// X where the condition holds and Y elsewhere, each brought to the scale and zero point of the result.
#[derive(Debug)]
struct QLinearWhere {
    choose: Box<dyn Operator>,
}

pub fn build_where(_node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(QLinearWhere { choose: standard("Where", STANDARD_OPSET, &attributes([]), 3, 1)? }))
}

impl Operator for QLinearWhere {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let types = [0, 1, 4].map(|index| inputs.value_type(index).cloned()).to_vec();
        self.choose.infer(&InferInputs { types, constants: vec![None; 3], n_outputs: 1 })
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let condition = inputs.take_tensor(0, "condition")?;
        let x = Uniform::take(&mut inputs, 1, ["X", "x_scale", "x_zero_point"])?;
        let y = Uniform::take(&mut inputs, 4, ["Y", "y_scale", "y_zero_point"])?;
        let target = Target::take(&mut inputs, 7, ["z_scale", "z_zero_point"], x.tensor.element_type())?;
        let operands = [condition, rescaled(&x, target)?, rescaled(&y, target)?].map(Some);
        run_one(self.choose.as_ref(), operands, context).map(single)
    }
}
