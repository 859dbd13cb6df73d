//! Pools: MaxPool, AveragePool and LpPool over a sliding window, their global forms over whole spatial axes, and MaxUnpool.
//!
//! A window's pool is a host loop where the data is in host memory ([`host`]), or a kernel where its channels lie next to each other
//! ([`channels_last`]); float32 data on a GPU goes over burn ([`on_device`]), which knows one and two spatial axes, no indices and no dilated averages.

mod channels_last;
mod host;
mod on_device;
mod unpool;

use burn::backend::ops::FloatTensorOps as _;

use super::operator::{Outputs, single};
use super::registry::{OpsetRange, Registration};
use super::window::{AxisWindow, AxisWindows, Padding, Window};
use super::{Inputs, NodeContext, OpError, Operator, Placement, RunContext};
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::host::ElementType;
use crate::tensor::{Backend, Shape, Tensor, Value};

pub const OPERATORS: &[Registration] = &[
    Registration { domain: "", op_type: "AveragePool", opsets: OpsetRange::from(1), build: build_average },
    Registration { domain: "", op_type: "GlobalAveragePool", opsets: OpsetRange::from(1), build: build_global_average },
    Registration { domain: "", op_type: "GlobalLpPool", opsets: OpsetRange::from(1), build: build_global_norm },
    Registration { domain: "", op_type: "GlobalMaxPool", opsets: OpsetRange::from(1), build: build_global_max },
    Registration { domain: "", op_type: "LpPool", opsets: OpsetRange::from(1), build: build_norm },
    Registration { domain: "", op_type: "MaxPool", opsets: OpsetRange::from(1), build: build_max },
    Registration { domain: "", op_type: "MaxUnpool", opsets: OpsetRange::from(9), build: unpool::build },
];

/// MaxPool, AveragePool and LpPool.
#[derive(Debug)]
struct Pool {
    window: Window,
    kernel: Vec<usize>,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    /// `indices`: where each maximum was found is wanted too, counted over the whole input.
    Max { indices: Option<IndexOrder> },
    /// `padding_counts`: elements of padding count as zeros rather than not at all.
    Average { padding_counts: bool },
    /// The p-norm; padding counts as zeros.
    Norm { p: f32 },
}

/// Attribute `storage_order`: how indices count the elements of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IndexOrder {
    RowMajor,
    ColumnMajor,
}

fn build_max(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(Pool::maximum(context)?))
}

fn build_average(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(Pool::average(context)?))
}

fn build_norm(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(Pool::norm(context)?))
}

/// The largest exponent of a norm. Far below it every such norm is the maximum already; burn takes whole exponents for 32-bit integers.
const MAX_P: f32 = 1e9;

/// Attribute `p` of a norm: a float in opset 1, an integer since.
fn read_p(context: &NodeContext<'_>) -> Result<f32, OpError> {
    let p = if context.opset < 2 { context.attributes.float("p")? } else { context.attributes.int("p")?.map(|p| p as f32) };
    let p = p.unwrap_or(2.0);
    if (1.0..=MAX_P).contains(&p) { Ok(p) } else { Err(OpError::value(format!("attribute 'p' should be from 1 to {MAX_P}, but is {p}"))) }
}

impl Pool {
    /// <https://onnx.ai/onnx/operators/onnx__MaxPool.html>, opsets 1, 8 (indices), 10 (ceil mode, dilations), 11, 12 (8-bit integers), 22 (bfloat16).
    fn maximum(context: &NodeContext<'_>) -> Result<Self, OpError> {
        let order = if context.attributes.int("storage_order")?.unwrap_or(0) == 0 { IndexOrder::RowMajor } else { IndexOrder::ColumnMajor };
        Self::new(context, Kind::Max { indices: (context.n_outputs > 1).then_some(order) })
    }

    /// <https://onnx.ai/onnx/operators/onnx__AveragePool.html>, opsets 1, 7 (`count_include_pad`), 10 (ceil mode), 11, 19 (dilations), 22 (bfloat16).
    fn average(context: &NodeContext<'_>) -> Result<Self, OpError> {
        let padding_counts = context.attributes.int("count_include_pad")?.unwrap_or(0) != 0;
        Self::new(context, Kind::Average { padding_counts })
    }

    /// <https://onnx.ai/onnx/operators/onnx__LpPool.html>, opsets 1, 2 (`p` is an integer), 11, 18 (ceil mode, dilations), 22 (bfloat16).
    fn norm(context: &NodeContext<'_>) -> Result<Self, OpError> {
        Self::new(context, Kind::Norm { p: read_p(context)? })
    }

    fn new(context: &NodeContext<'_>, kind: Kind) -> Result<Self, OpError> {
        let window = Window::new(context)?;
        context.attributes.require_ints("kernel_shape")?;
        let kernel = window.kernel.clone().unwrap_or_default();
        window.check_rank(kernel.len())?;
        if kernel.is_empty() || kernel.len() > 3 {
            return Err(OpError::unsupported(format!("a pool over {} spatial axes", kernel.len())));
        }
        for (axis, &size) in kernel.iter().enumerate() {
            let (before, after) = window.explicit_padding(axis, kernel.len());
            if matches!(window.padding, Padding::Explicit(_)) && before.max(after) > (size - 1) * window.dilation(axis) {
                return Err(OpError::value(format!(
                    "padding of {before} and {after} is as wide as the kernel of spatial axis {axis}: a window would see nothing else"
                )));
            }
        }
        Ok(Self { window, kernel, kind })
    }

    fn place(&self, input: &Tensor) -> Result<AxisWindows, OpError> {
        if input.rank() != self.kernel.len() + 2 {
            return Err(OpError::shape(format!(
                "the input of shape {:?} should be [batch, channels, …] with {} spatial axes",
                input.shape(),
                self.kernel.len()
            )));
        }
        self.window.place(&self.kernel, &input.shape()[2..])
    }

    fn n_outputs(&self) -> usize {
        if matches!(self.kind, Kind::Max { indices: Some(_) }) { 2 } else { 1 }
    }
}

impl Operator for Pool {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let Some((element_type, input)) = inputs.tensor(0) else { return Ok(vec![None; self.n_outputs()]) };
        let shape = match input.dims() {
            Some([batch, channels, spatial @ ..]) => {
                let spatial = self.window.infer(Some(&self.kernel), spatial)?;
                SymbolicShape(Some([batch.clone(), channels.clone()].into_iter().chain(spatial).collect()))
            }
            Some(_) => return Err(OpError::shape("the input of a pool should be [batch, channels, spatial axes…]")),
            None => SymbolicShape::unknown(),
        };
        let types = [element_type, ElementType::I64];
        Ok(types[..self.n_outputs()].iter().map(|&element_type| Some(ValueType::tensor(element_type, shape.clone()))).collect())
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let input = inputs.take_tensor(0, "X")?;
        let windows = self.place(&input)?;
        let shape: Shape = input.shape()[..2].iter().copied().chain(windows.iter().map(|window| window.output)).collect();
        context.check_result_size(if self.n_outputs() > 1 { ElementType::I64 } else { input.element_type() }, &shape)?;
        if shape.contains(&0) {
            let types = [input.element_type(), ElementType::I64];
            return Ok(types[..self.n_outputs()].iter().map(|&element_type| Value::Tensor(Tensor::empty(element_type, &shape))).collect());
        }
        if let Some(pooled) = channels_last::run(&input, &windows, &shape, self.kind)? {
            return Ok(single(pooled));
        }
        if input.is_on_host() {
            return host::run(&input, &windows, &shape, self.kind);
        }
        let padded: Shape = windows.iter().map(AxisWindow::padded).collect();
        context.check_result_size(input.element_type(), &[&input.shape()[..2], &padded].concat())?;
        Ok(single(on_device::run(input, &windows, &shape, self.kind, context)?))
    }

    fn placement(&self) -> Placement {
        let is_dilated = (0..self.kernel.len()).any(|axis| self.window.dilation(axis) > 1);
        match self.kind {
            _ if self.kernel.len() > 2 => Placement::Host,
            Kind::Max { indices: Some(_) } => Placement::Host,
            Kind::Average { .. } | Kind::Norm { .. } if is_dilated => Placement::Host,
            _ => Placement::AnyDevice,
        }
    }
}

/// GlobalAveragePool, GlobalMaxPool and GlobalLpPool: one number per channel.
#[derive(Debug)]
enum GlobalPool {
    Average,
    Maximum,
    Norm { p: f32 },
}

/// <https://onnx.ai/onnx/operators/onnx__GlobalAveragePool.html>, opsets 1, 22 (bfloat16).
fn build_global_average(_context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(GlobalPool::Average))
}

/// <https://onnx.ai/onnx/operators/onnx__GlobalMaxPool.html>, opsets 1, 22 (bfloat16).
fn build_global_max(_context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(GlobalPool::Maximum))
}

/// <https://onnx.ai/onnx/operators/onnx__GlobalLpPool.html>, opsets 1, 2 (`p` is an integer), 22 (bfloat16).
fn build_global_norm(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(GlobalPool::Norm { p: read_p(context)? }))
}

impl Operator for GlobalPool {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let Some((element_type, input)) = inputs.tensor(0) else { return Ok(vec![None]) };
        let shape = input.dims().map(|dims| {
            let one = |(axis, dim): (usize, &Dimension)| if axis < 2 { dim.clone() } else { Dimension::Known(1) };
            dims.iter().enumerate().map(one).collect()
        });
        Ok(vec![Some(ValueType::tensor(element_type, SymbolicShape(shape)))])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let input = inputs.take_tensor(0, "X")?;
        let element_type = input.element_type();
        if !element_type.is_float() {
            return Err(OpError::unsupported(format!("a global pool of {element_type}")));
        }
        let &[batch, channels, ref spatial @ ..] = input.shape() else {
            return Err(OpError::shape(format!("the input of shape {:?} should be [batch, channels, spatial axes…]", input.shape())));
        };
        if !matches!(self, Self::Norm { .. })
            && let Some(pooled) = channels_last::run_global(&input, matches!(self, Self::Maximum))?
        {
            return Ok(single(pooled));
        }
        let n_spatial: usize = spatial.iter().product();
        let shape: Shape = [batch, channels].into_iter().chain(spatial.iter().map(|_| 1)).collect();
        if shape.contains(&0) {
            return Ok(single(Tensor::empty(element_type, &shape)));
        }
        let Some(primitive) = input.reshaped(&[batch, channels, n_spatial])?.into_primitive() else {
            return Err(OpError::shape("there is nothing to pool: a spatial axis has no elements"));
        };
        let pooled = match *self {
            Self::Average => Backend::float_mean_dim(primitive, 2),
            Self::Maximum => Backend::float_max_dim(primitive, 2),
            Self::Norm { p } => on_device::root(Backend::float_sum_dim(on_device::power(primitive, p), 2), p),
        };
        Ok(single(Tensor::from_primitive(element_type, &shape, pooled)))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}

#[cfg(test)]
mod tests;
