//! Activation functions. The plain functions of one number are [`super::elementwise`]'s; here are their registrations, and Clip, Hardmax,
//! PRelu, Softmax, LogSoftmax and SwiGLU, which look at more than one number.

mod classes;
mod hardmax;
mod swiglu;

use burn::backend::ops::{ActivationOps as _, FloatTensorOps as _};

use classes::Classes;

use super::broadcast::{Walk, check_broadcasts_to, float_binary};
use super::elementwise::pointwise::{Function, map_each_float, map_floats};
use super::operator::{Outputs, single};
use super::types::{Number, TypeSet, check_same_type, match_number};
use super::{Inputs, NodeContext, OpError, Operator, OpsetRange, Placement, Registration, RunContext, shape};
use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::host::{ElementType, HostTensor};
use crate::tensor::{Backend, Shape, Tensor};

/// Specification: <https://onnx.ai/onnx/operators/>, a page per operator.
///
/// Clip: 1, 6 (bounds as attributes), 11 (as inputs), 12 (integers), 13. PRelu: 1, 6 (a slope for each channel), 7 (numpy's broadcast), 9, 16.
/// Hardmax, Softmax, LogSoftmax: 1, 11 (over all axes from `axis` on), 13 (over `axis` alone). Selu: 1 (other defaults), 6, 22. The other functions
/// gained types only.
pub const OPERATORS: &[Registration] = &[
    register("Celu", 12, build_celu),
    register("Clip", 1, Clip::build),
    register("Elu", 1, |node| Ok(Function::Elu { alpha: float(node, "alpha", 1.0)?, gamma: 1.0 }.boxed())),
    register("Gelu", 20, build_gelu),
    register("HardSigmoid", 1, |node| Ok(Function::HardSigmoid { alpha: float(node, "alpha", 0.2)?, beta: float(node, "beta", 0.5)? }.boxed())),
    register("HardSwish", 14, |_| Ok(Function::HardSwish.boxed())),
    register("Hardmax", 1, hardmax::Hardmax::build),
    register("LeakyRelu", 1, |node| Ok(Function::LeakyRelu { alpha: float(node, "alpha", 0.01)? }.boxed())),
    register("LogSoftmax", 1, |node| Softmax::build(true, node)),
    register("Mish", 18, |_| Ok(Function::Mish.boxed())),
    register("PRelu", 1, |node| Ok(Box::new(PRelu { slope_is_per_channel: node.opset < 7 }))),
    register("Relu", 1, |_| Ok(Function::Relu.boxed())),
    register("Selu", 1, build_selu),
    register("Shrink", 9, |node| Ok(Function::Shrink { threshold: float(node, "lambd", 0.5)?, bias: float(node, "bias", 0.0)? }.boxed())),
    register("Sigmoid", 1, |_| Ok(Function::Sigmoid.boxed())),
    register("Softmax", 1, |node| Softmax::build(false, node)),
    register("Softplus", 1, |_| Ok(Function::Softplus.boxed())),
    register("SwiGLU", 28, swiglu::SwiGlu::build),
    register("Swish", 24, |node| Ok(Function::Swish { alpha: float(node, "alpha", 1.0)? }.boxed())),
    register("Softsign", 1, |_| Ok(Function::Softsign.boxed())),
    register("Tanh", 1, |_| Ok(Function::Tanh.boxed())),
    register("ThresholdedRelu", 10, |node| Ok(Function::ThresholdedRelu { alpha: float(node, "alpha", 1.0)? }.boxed())),
];

const fn register(op_type: &'static str, first: i64, build: fn(&NodeContext<'_>) -> Result<Box<dyn Operator>, OpError>) -> Registration {
    Registration { domain: "", op_type, opsets: OpsetRange::from(first), build }
}

fn float(node: &NodeContext<'_>, name: &str, default: f32) -> Result<f32, OpError> {
    Ok(node.attributes.float(name)?.unwrap_or(default))
}

fn build_celu(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let alpha = float(node, "alpha", 1.0)?;
    if alpha == 0.0 || alpha.is_nan() {
        return Err(OpError::value(format!("attribute 'alpha' is {alpha}; Celu divides by it")));
    }
    Ok(Function::Celu { alpha }.boxed())
}

fn build_selu(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let (alpha, gamma) = if node.opset < 6 { (1.6732, 1.0507) } else { (1.673_263_2, 1.050_701) };
    Ok(Function::Elu { alpha: float(node, "alpha", alpha)?, gamma: float(node, "gamma", gamma)? }.boxed())
}

fn build_gelu(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    match node.attributes.text("approximate")?.unwrap_or("none") {
        "none" => Ok(Function::Gelu.boxed()),
        "tanh" => Ok(Function::GeluTanh.boxed()),
        other => Err(OpError::value(format!("attribute 'approximate' is '{other}'; it may be 'none' or 'tanh'"))),
    }
}

/// `min(max(x, low), high)`: where the bounds cross, everything becomes `high`. NaN stays NaN.
#[derive(Debug)]
struct Clip {
    /// Bounds that are known when the plan is made: attributes before opset 11, constants since.
    low: Option<f32>,
    high: Option<f32>,
    /// Bounds are inputs 1 and 2.
    takes_inputs: bool,
}

impl Clip {
    fn build(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
        let constant = |index: usize| node.constants.get(index).copied().flatten().and_then(float_constant);
        Ok(Box::new(if node.opset < 11 {
            Self { low: node.attributes.float("min")?, high: node.attributes.float("max")?, takes_inputs: false }
        } else {
            Self { low: constant(1), high: constant(2), takes_inputs: true }
        }))
    }

    /// A bound for elements of type `T`: known beforehand, given as an input, or none.
    fn bound<T: Number>(&self, known: Option<f32>, inputs: &mut Inputs, index: usize, name: &'static str) -> Result<Option<T>, OpError> {
        if let Some(known) = known {
            return Ok(Some(T::from_f64(f64::from(known))));
        }
        if !self.takes_inputs {
            return Ok(None);
        }
        let Some(bound) = inputs.take_optional_tensor(index, name)? else { return Ok(None) };
        match bound.as_slice::<T>()?.as_ref() {
            &[bound] => Ok(Some(bound)),
            _ => Err(OpError::WrongInput { index, name, expected: "one number".to_owned(), found: format!("{bound:?}") }),
        }
    }

    fn clip<T: Number>(&self, x: Tensor, inputs: &mut Inputs) -> Result<Tensor, OpError> {
        let low = self.bound::<T>(self.low, inputs, 1, "min")?.unwrap_or(T::LOWEST);
        let high = self.bound::<T>(self.high, inputs, 2, "max")?.unwrap_or(T::HIGHEST);
        if x.is_empty() {
            return Ok(x);
        }
        if x.element_type() == ElementType::F32 {
            let (low, high) = (low.to_f64(), high.to_f64());
            return Ok(map_each_float(x, |x| {
                if low <= high {
                    Backend::float_clamp(x, low.into(), high.into())
                } else {
                    // burn's clamp wants ordered bounds.
                    Backend::float_clamp_max(Backend::float_clamp_min(x, low.into()), high.into())
                }
            }));
        }
        let dims = Shape::from_slice(x.shape());
        let mut values = x.into_vec::<T>()?;
        for value in &mut values {
            *value = value.larger(low).smaller(high);
        }
        Ok(Tensor::from_vec(&dims, values)?)
    }
}

/// The number in a float32 constant of one element; other types are read at run time.
fn float_constant(constant: &HostTensor) -> Option<f32> {
    match constant.as_slice::<f32>().ok()?.as_ref() {
        &[value] => Some(value),
        _ => None,
    }
}

impl Operator for Clip {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![shape::same_as(inputs, 0)])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "input")?;
        TypeSet::NUMBERS.check(&x, 0, "input")?;
        let element_type = x.element_type();
        match_number!(element_type, T => self.clip::<T>(x, &mut inputs).map(single), else Err(OpError::unsupported(format!("Clip of {element_type}"))))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}

/// `x` above 0, `slope · x` below; the slope broadcasts to `x`.
#[derive(Debug)]
struct PRelu {
    slope_is_per_channel: bool,
}

impl Operator for PRelu {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![shape::same_as(inputs, 0)])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "X")?;
        let mut slope = inputs.take_tensor(1, "slope")?;
        TypeSet::NUMBERS.check(&x, 0, "X")?;
        check_same_type(&x, &slope)?;
        if self.slope_is_per_channel && slope.rank() == 1 && slope.n_elements() > 1 && x.rank() > 2 {
            let mut dims = Shape::from_slice(slope.shape());
            dims.resize(x.rank() - 1, 1);
            slope = slope.reshaped(&dims)?;
        }
        check_broadcasts_to(slope.shape(), x.shape())?;
        if x.is_empty() {
            return Ok(single(x));
        }
        let element_type = x.element_type();
        if element_type == ElementType::F32 {
            return float_binary(x, slope, element_type, context, Backend::prelu).map(single);
        }
        match_number!(element_type, T => prelu_on_host::<T>(&x, &slope).map(single), else Err(OpError::unsupported(format!("PRelu of {element_type}"))))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}

fn prelu_on_host<T: Number>(x: &Tensor, slope: &Tensor) -> Result<Tensor, OpError> {
    let walk = Walk::new([x.shape(), slope.shape()])?;
    let values = walk.map(&x.as_slice::<T>()?, &slope.as_slice::<T>()?, |x, slope| if x < T::ZERO { slope.times(x) } else { x });
    Ok(Tensor::from_vec(walk.shape(), values)?)
}

/// Softmax and LogSoftmax.
#[derive(Debug)]
struct Softmax {
    is_log: bool,
    classes: Classes,
}

impl Softmax {
    fn build(is_log: bool, node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
        Ok(Box::new(Self { is_log, classes: Classes::of(node)? }))
    }
}

impl Operator for Softmax {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        self.classes.infer(inputs)
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "input")?;
        TypeSet::FLOATS.check(&x, 0, "input")?;
        let axis = self.classes.axis(x.rank())?;
        if x.is_empty() {
            return Ok(single(x));
        }
        let dims = Shape::from_slice(x.shape());
        let [n_before, n_classes, _] = self.classes.sizes(&dims)?;
        let (x, axis) = if self.classes.flattens { (x.reshaped(&[n_before, n_classes])?, 1) } else { (x, axis) };
        let y = map_floats(x, |x| if self.is_log { Backend::log_softmax(x, axis) } else { Backend::softmax(x, axis) });
        Ok(single(y.reshaped(&dims)?))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }
}

#[cfg(test)]
mod tests;
